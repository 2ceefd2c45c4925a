# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change in the health of the watches is reported once."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.events import (
    WatchHealth,
)


def connected(kinds: str, missing: str = "", unlisted: str = "") -> dict[str, Any]:
    lists = {"kinds": [*kinds], "missing": [*missing], "unlisted": [*unlisted]}
    return {"type": "health", "state": "connected", **lists}


def failed(state: str, kind: str, message: str) -> dict[str, Any]:
    return {"type": "health", "state": state, "kind": kind, "message": message}


def whole() -> WatchHealth:
    """Return a WatchHealth that has reported A and B as connected."""
    sight = WatchHealth(["A", "B"])
    sight.mark_healthy("A")
    assert sight.mark_healthy("B") == [connected("AB")]
    return sight


def test_the_cluster_is_connected_when_all_kinds_are() -> None:
    sight = WatchHealth(["A", "B"])
    assert sight.mark_healthy("A") == []
    assert sight.mark_healthy("A") == []
    assert sight.mark_healthy("B") == [connected("AB")]
    assert sight.mark_healthy("B") == []


def test_a_failure_of_the_cluster_is_reported_once_for_all_kinds() -> None:
    sight = whole()
    assert sight.mark_lost("A", "no answer", alone=False) == [failed("lost", "A", "no answer")]
    assert sight.mark_lost("B", "no answer", alone=False) == []
    assert sight.mark_lost("A", "still none", alone=False) == []
    assert sight.mark_healthy("A") == []
    assert sight.mark_healthy("B") == [connected("AB")]
    assert sight.mark_lost("B", "again", alone=False) == [failed("lost", "B", "again")]


def test_a_kind_that_is_refused_is_reported_and_the_others_go_on() -> None:
    sight = WatchHealth(["A", "B"])
    assert sight.mark_lost("B", "no right", alone=True) == [failed("lost", "B", "no right")]
    assert sight.is_undecided
    assert sight.mark_healthy("A") == [connected("A", missing="B")]
    assert sight.mark_lost("B", "no right", alone=True) == []
    assert not sight.is_undecided
    assert sight.mark_healthy("A") == []
    assert sight.mark_healthy("B") == [connected("AB")]


def test_each_refused_kind_is_reported() -> None:
    sight = whole()
    assert sight.mark_lost("A", "no right", alone=True) == [
        failed("lost", "A", "no right"),
        connected("B", missing="A"),
    ]
    assert sight.mark_lost("B", "no right to B", alone=True)[0] == failed("lost", "B", "no right to B")
    assert sight.mark_healthy("A") == [connected("A", missing="B")]


def test_the_cluster_can_be_lost_and_found_with_a_refused_kind() -> None:
    sight = whole()
    sight.mark_lost("B", "no right", alone=True)
    assert sight.mark_lost("A", "no answer", alone=False) == [failed("lost", "A", "no answer")]
    assert sight.mark_healthy("A") == [connected("A", missing="B")]


def test_a_failed_list_is_reported_once_and_when_it_recovers() -> None:
    sight = whole()
    assert sight.mark_listed("A") == []
    assert sight.mark_unlisted("A", "500", alone=False) == [failed("degraded", "A", "500")]
    assert sight.mark_unlisted("A", "500", alone=False) == []
    assert sight.mark_unlisted("B", "500", alone=False) == [], "one failure of the cluster"
    assert sight.mark_healthy("A") == [], "a watch that goes on is no news"
    assert sight.mark_listed("A") == [connected("AB", unlisted="B")]
    assert sight.mark_listed("B") == [connected("AB")]
    assert sight.mark_listed("B") == []


def test_a_kind_that_is_lost_is_not_reported_as_unlisted() -> None:
    sight = whole()
    sight.mark_unlisted("A", "500", alone=False)
    assert sight.mark_lost("B", "no answer", alone=False) == [failed("lost", "B", "no answer")]
    assert sight.mark_healthy("B") == [connected("AB", unlisted="A")]
    sight.mark_lost("A", "no answer", alone=False)
    assert sight.mark_healthy("A") == [connected("AB")]


def test_a_credential_in_a_message_is_hidden() -> None:
    (event,) = WatchHealth(["A"]).mark_lost("A", "asked https://u:pass-word@h/ in vain", alone=False)
    assert "pass-word" not in event["message"]
