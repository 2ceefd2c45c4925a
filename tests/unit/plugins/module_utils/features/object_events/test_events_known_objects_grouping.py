# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes within a short time are grouped into one event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.events import (
    KINDS,
    Difference,
    Grouping,
    ObservedObject,
    WatchedKind,
    WatchSettings,
)

ALL = frozenset(("existing", "created", "changed", "terminating", "deleted"))
USUAL = frozenset(("existing", "created", "changed"))


def grouping(size: int = 500, seconds: float = 2.0, changes: frozenset[str] = USUAL) -> Grouping:
    watched = tuple(WatchedKind(kind, changes=changes) for kind in KINDS.values())
    return Grouping(WatchSettings(watched, NamespaceSelector(), batch_seconds=seconds, batch_size=size))


def happened(change: str, place: str, kind: str = "Namespace", name: str = "", **more: Any) -> Difference:
    return Difference(change, ObservedObject(kind, place, name or place, **more))


def taken(group: Grouping, now: float = 100.0, going: str = "") -> Any:
    """Return the next event, or None if there is nothing to report."""
    return next(iter(group.take(now, going.split().__contains__)), None)


def short(event: Any) -> list[str]:
    return [f"{one['kind']} {one['namespace']}/{one['name']} {one['change']}" for one in event["objects"]]


class TestWhen:
    def test_an_empty_group_is_never_due(self) -> None:
        assert grouping().due is None

    def test_a_group_is_due_after_a_silence(self) -> None:
        group = grouping()
        group.add([happened("created", "a")], 10.0)
        assert group.due == 12.0
        group.add([happened("created", "b")], 11.5)
        assert group.due == 13.5

    def test_a_group_does_not_wait_forever(self) -> None:
        group = grouping()
        for second in range(10, 40):
            group.add([happened("created", f"n{second}")], float(second))
        assert group.due == 20.0

    def test_a_full_group_is_due_at_once(self) -> None:
        group = grouping(size=2)
        group.add([happened("created", "a"), happened("created", "a", "Secret", "s")], 10.0)
        assert group.due == 12.0
        group.add([happened("created", "b"), happened("created", "c")], 10.5)
        assert group.due == 10.0
        assert taken(group, 10.5)["namespaces"] == ["a", "b"]
        assert group.due == 10.5, "what did not fit has waited long enough"
        assert taken(group, 10.5)["namespaces"] == ["c"]
        assert group.due is None

    def test_a_group_of_zero_seconds_is_due_at_once(self) -> None:
        group = grouping(seconds=0)
        group.add([happened("created", "a")], 10.0)
        assert group.due == 10.0

    def test_changes_that_are_not_reported_do_not_start_the_wait(self) -> None:
        group = grouping()
        group.add([happened("deleted", "a"), happened("terminating", "b")], 10.0)
        assert group.due is None

    def test_changes_that_are_not_reported_do_not_prolong_the_wait(self) -> None:
        group = grouping()
        group.add([happened("created", "a")], 10.0)
        group.add([happened("deleted", "b")], 11.0)
        assert group.due == 12.0


class TestWhat:
    def test_each_namespace_and_each_object_is_listed_once(self) -> None:
        group = grouping()
        group.add(
            [happened("created", "b"), happened("existing", "a"), happened("created", "b", "ServiceAccount", "x")], 0
        )
        event = taken(group)
        assert (event["type"], event["namespaces"], event["count"]) == ("objects", ["b", "a"], 2)
        assert short(event) == ["Namespace b/b created", "ServiceAccount b/x created", "Namespace a/a existing"]

    def test_an_object_shows_its_labels_and_its_deletion_time(self) -> None:
        group = grouping(changes=ALL)
        group.add([happened("created", "a", labels={"l": "1"}, uid="u")], 0)
        group.add([happened("terminating", "b", deletion_timestamp="2026-01-01T00:00:00Z")], 0)
        assert taken(group)["objects"] == [
            {"kind": "Namespace", "namespace": "a", "name": "a", "change": "created", "labels": {"l": "1"}},
            {
                "kind": "Namespace",
                "namespace": "b",
                "name": "b",
                "change": "terminating",
                "deletion_timestamp": "2026-01-01T00:00:00Z",
            },
        ]

    def test_unrestricted_text_is_encoded_or_left_out(self) -> None:
        group = grouping(changes=ALL)
        labels = {f"l{number:03}": "" for number in range(150)}
        name = "{{ lookup('pipe', 'id') }}\n"
        group.add([happened("terminating", "a", "RoleBinding", name, labels=labels, deletion_timestamp="{{ t }}")], 0)
        (shown,) = taken(group)["objects"]
        assert bytes.fromhex(shown["name"].removeprefix("hex/")).decode() == name
        assert [*shown["labels"]] == [*labels][:100] and "deletion_timestamp" not in shown

    def test_no_namespace_crowds_out_the_others(self) -> None:
        group = grouping(size=3)
        group.add([happened("created", "mallory", "ServiceAccount", f"s{number}") for number in range(5000)], 0)
        group.add([happened("created", "a"), happened("created", "b")], 0)
        event = taken(group)
        assert event["namespaces"] == ["mallory", "a", "b"]
        assert (len(event["objects"]), event["omitted"]) == (202, 4800)
        assert short(event)[-2:] == ["Namespace a/a created", "Namespace b/b created"]

    def test_labels_of_many_objects_do_not_make_an_event_too_large(self) -> None:
        group = grouping()
        labels = {f"{'x' * 250}/l{number:02}": "x" * 63 for number in range(100)}
        for place in ("mallory-1", "mallory-2", "mallory-3"):
            accounts = (f"s{number}" for number in range(300))
            group.add([happened("created", place, "ServiceAccount", name, labels=labels) for name in accounts], 0)
        group.add([happened("created", "a", labels={"l": "1"})], 0)
        events = [taken(group) for _each in range(3)]
        assert [event["namespaces"] for event in events] == [["mallory-1"], ["mallory-2"], ["mallory-3"]]
        assert max(len(json.dumps(event)) for event in events) < 1_000_000
        assert taken(group)["namespaces"] == ["a"]

    @pytest.mark.parametrize(
        ("story", "end"),
        [
            (["created", "changed"], "created"),
            (["existing", "changed", "changed"], "existing"),
            (["changed", "changed"], "changed"),
            (["created", "deleted"], None),
            (["existing", "changed", "deleted"], None),
            (["created", "terminating"], "terminating"),
            (["created", "terminating", "deleted"], "deleted"),
            (["changed", "deleted"], "deleted"),
            (["deleted", "created"], "created"),
            (["deleted", "created", "deleted"], None),
        ],
    )
    def test_a_story_has_one_end(self, story: list[str], end: str | None) -> None:
        group = grouping(changes=ALL)
        for change in story:
            group.add([happened(change, "a")], 0)
        if end is None:
            assert group.due is None
        else:
            assert short(taken(group)) == [f"Namespace a/a {end}"]

    def test_a_terminating_namespace_is_left_out(self) -> None:
        group = grouping()
        group.add([happened("created", "a"), happened("terminating", "a"), happened("created", "b")], 0)
        assert taken(group)["namespaces"] == ["b"]

    def test_objects_created_in_a_terminating_namespace_are_left_out(self) -> None:
        group = grouping(changes=ALL)
        group.add([happened("created", "a", "Secret", "s"), happened("deleted", "a", "Secret", "t")], 0)
        event = taken(group, going="a")
        assert (event["namespaces"], short(event)) == ([], ["Secret a/t deleted"])
        for change in ("existing", "created", "changed"):
            group.add([happened(change, "a", "Secret", "s")], 0)
            assert taken(group, going="a") is None

    @pytest.mark.parametrize(
        ("kind", "served"), [("Secret", ["a"]), ("RoleBinding", ["a"]), ("ServiceAccount", []), ("Namespace", [])]
    )
    def test_a_deleted_secret_or_binding_lists_its_namespace(self, kind: str, served: list[str]) -> None:
        group = grouping(changes=ALL)
        group.add([happened("deleted", "a", kind, "x")], 0)
        assert taken(group)["namespaces"] == served

    def test_the_size_of_an_event_is_limited(self) -> None:
        group = grouping()
        full = [f"a{number}" for number in range(10)]
        for place, number in (*((place, 300) for place in full), ("c", 1), ("d", 3000)):
            group.add([happened("created", place, "Secret", f"s{one}") for one in range(number)], 0)
        events = [taken(group) for _event in range(2)]
        assert [event["namespaces"] for event in events] == [full, ["c", "d"]]
        assert group.due is None

    def test_an_object_shows_its_last_state(self) -> None:
        group = grouping()
        group.add([happened("created", "a", labels={"l": "1"}), happened("changed", "a", labels={"l": "2"})], 0)
        assert taken(group)["objects"][0]["labels"] == {"l": "2"}
