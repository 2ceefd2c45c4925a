# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the cluster is seen is told when that changes, once."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.sight import Sight

CONNECTED = {"type": "health", "state": "connected"}


def test_connected_when_all_kinds_are() -> None:
    sight = Sight(["A", "B"])
    assert sight.healthy("A") is None
    assert sight.healthy("A") is None
    assert sight.healthy("B") == CONNECTED
    assert sight.healthy("B") is None


def test_one_failure_stays_one() -> None:
    sight = Sight(["A", "B"])
    assert sight.lost("A", "no answer") == {"type": "health", "state": "lost", "kind": "A", "message": "no answer"}
    assert sight.lost("B", "no answer") is None
    assert sight.lost("A", "still none") is None
    assert sight.healthy("A") is None
    assert sight.healthy("B") == CONNECTED
    assert sight.lost("B", "again") is not None


def test_a_credential_in_a_message_is_hidden() -> None:
    event = Sight(["A"]).lost("A", "asked https://u:pass-word@h/ in vain")
    assert event is not None
    assert "pass-word" not in event["message"]
