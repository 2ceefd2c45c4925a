# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each new fact about an object is reported once, in any order of changes. Changes within a short time are grouped into one event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.events import (
    KINDS,
    Difference,
    Grouping,
    KnownObjects,
    ObservedObject,
    WatchedKind,
    WatchSettings,
    observe_object,
)
from hypothesis import given
from hypothesis import strategies as st

NAMESPACES = WatchedKind(KINDS["Namespace"])
SECRETS = WatchedKind(KINDS["Secret"], exclude=("hidden",))
SETTINGS = WatchSettings((NAMESPACES, SECRETS), NamespaceSelector())


def namespace(name: str, uid: str = "1", going: bool = False, **labels: str) -> ObservedObject:
    return ObservedObject("Namespace", name, name, uid, labels, "2026-01-01T00:00:00Z" if going else "")


def secret(place: str, name: str, uid: str = "1", **labels: str) -> ObservedObject:
    return ObservedObject("Secret", place, name, uid, labels)


def told(differences: list[Difference]) -> list[tuple[str, str]]:
    return [(one.change, one.seen.name) for one in differences]


class TestSeen:
    def test_a_seen_object_keeps_its_name_uid_labels_and_deletion_time(self) -> None:
        meta = {
            "name": "n",
            "namespace": "a",
            "uid": "u",
            "labels": {"l": "1"},
            "annotations": {"a": "{{ a }}"},
            "managedFields": [{}],
            "deletionTimestamp": "2026-01-01T00:00:00Z",
        }
        found = observe_object({"metadata": meta, "data": {"x": "c2VjcmV0"}}, SECRETS, SETTINGS)
        assert found == ObservedObject("Secret", "a", "n", "u", {"l": "1"}, "2026-01-01T00:00:00Z")

    def test_a_namespace_is_in_itself(self) -> None:
        found = observe_object({"metadata": {"name": "n"}}, NAMESPACES, SETTINGS)
        assert found is not None
        assert found.key == ("Namespace", "n", "n")

    @pytest.mark.parametrize("meta", [{"name": "hidden", "namespace": "a"}, {"name": "n", "namespace": "kube-system"}])
    def test_an_excluded_object_is_not_seen(self, meta: dict[str, str]) -> None:
        assert observe_object({"metadata": meta}, SECRETS, SETTINGS) is None

    def test_labels_are_those_that_kubernetes_allows(self) -> None:
        labels = {"{{ a }}": "b", "b": "{% c %}", "c/d": "e", "f": None, "g": "", "h": "i j"}
        found = observe_object({"metadata": {"name": "n", "namespace": "a", "labels": labels}}, SECRETS, SETTINGS)
        assert found is not None and found.labels == {"c/d": "e", "g": ""}

    @pytest.mark.parametrize("namespace", ["{{ a }}", "A", "", "a" * 64, "a\n", "-a", "a.b"])
    def test_a_namespace_that_kubernetes_does_not_allow_is_ignored(self, namespace: str) -> None:
        assert observe_object({"metadata": {"name": "n", "namespace": namespace}}, SECRETS, SETTINGS) is None
        assert observe_object({"metadata": {"name": namespace}}, NAMESPACES, SETTINGS) is None

    @pytest.mark.parametrize("odd", [None, 1, "x", [], {"a": 1, "b": None, "c": []}], ids=str)
    def test_odd_metadata_is_ignored(self, odd: Any) -> None:
        meta = {"name": "n", "namespace": "a", "labels": odd, "uid": 3, "deletionTimestamp": 1}
        assert observe_object({"metadata": meta}, SECRETS, SETTINGS) == ObservedObject("Secret", "a", "n")


class TestLists:
    def test_the_first_list_reports_existing_objects(self) -> None:
        ledger = KnownObjects()
        assert told(ledger.update_from_list("Namespace", [namespace("a"), namespace("b")])) == [
            ("existing", "a"),
            ("existing", "b"),
        ]
        assert len(ledger) == 2

    def test_an_unchanged_list_reports_no_difference(self) -> None:
        ledger = KnownObjects()
        ledger.update_from_list("Namespace", [namespace("a")])
        assert ledger.update_from_list("Namespace", [namespace("a")]) == []

    def test_existing_objects_can_be_reported_again(self) -> None:
        ledger = KnownObjects()
        ledger.update_from_list("Namespace", [namespace("a"), namespace("b"), namespace("c"), namespace("d")])
        found = ledger.update_from_list(
            "Namespace", [namespace("a"), namespace("b", going=True), namespace("e")], again=True
        )
        assert sorted(told(found)) == [
            ("created", "e"),
            ("deleted", "c"),
            ("deleted", "d"),
            ("existing", "a"),
            ("terminating", "b"),
        ]
        again = ledger.update_from_list("Namespace", [namespace("b", going=True), namespace("e")], again=True)
        assert sorted(told(again)) == [("deleted", "a"), ("existing", "e")]

    def test_a_later_list_reports_the_differences(self) -> None:
        ledger = KnownObjects()
        ledger.update_from_list("Namespace", [namespace("a"), namespace("b"), namespace("c"), namespace("d")])
        later = [namespace("a", x="y"), namespace("b", going=True), namespace("d", uid="2"), namespace("new")]
        assert told(ledger.update_from_list("Namespace", later)) == [
            ("deleted", "c"),
            ("changed", "a"),
            ("terminating", "b"),
            ("deleted", "d"),
            ("created", "d"),
            ("created", "new"),
        ]
        assert ledger.update_from_list("Namespace", later) == []

    def test_a_list_of_one_kind_does_not_affect_another_kind(self) -> None:
        ledger = KnownObjects()
        ledger.update_from_list("Namespace", [namespace("a")])
        assert told(ledger.update_from_list("Secret", [secret("a", "s")])) == [("existing", "s")]
        assert ledger.update_from_list("Namespace", [namespace("a")]) == []

    def test_an_empty_first_list_counts(self) -> None:
        ledger = KnownObjects()
        ledger.update_from_list("Namespace", [])
        assert told(ledger.update_from_list("Namespace", [namespace("a")])) == [("created", "a")]


class TestWatches:
    def test_a_watch_reports_creation_change_and_deletion(self) -> None:
        ledger = KnownObjects()
        ledger.update_from_list("Namespace", [])
        assert told(ledger.add(namespace("a"))) == [("created", "a")]
        assert ledger.add(namespace("a")) == []
        assert told(ledger.add(namespace("a", x="y"))) == [("changed", "a")]
        assert told(ledger.add(namespace("a", going=True, x="y"))) == [("terminating", "a")]
        assert ledger.add(namespace("a", going=True, x="z")) == []
        assert told(ledger.remove(namespace("a"))) == [("deleted", "a")]
        assert ledger.remove(namespace("a")) == []

    def test_an_object_first_seen_in_deletion_is_terminating(self) -> None:
        ledger = KnownObjects()
        assert told(ledger.update_from_list("Namespace", [namespace("a", going=True)])) == [("terminating", "a")]

    def test_a_new_object_of_the_same_name_replaces_the_old_one(self) -> None:
        ledger = KnownObjects()
        ledger.update_from_list("Namespace", [namespace("a", going=True)])
        assert told(ledger.add(namespace("a", uid="2"))) == [("deleted", "a"), ("created", "a")]

    def test_terminating_namespaces_are_known(self) -> None:
        ledger = KnownObjects()
        assert not ledger.is_going("a")
        ledger.update_from_list("Namespace", [namespace("a"), namespace("b", going=True)])
        assert [ledger.is_going(name) for name in "abc"] == [False, True, False]
        ledger.remove(namespace("a"))
        assert ledger.is_going("a"), "what is still heard from within comes late"
        ledger.add(namespace("a", uid="2"))
        assert not ledger.is_going("a")
        ledger.update_from_list("Namespace", [])
        assert ledger.is_going("a")
        ledger.update_from_list("Namespace", [])
        assert not ledger.is_going("a"), "names of long ago are not kept"


@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "listed"]), st.sampled_from("abc"), st.sampled_from("12"))))
def test_any_sequence_of_changes_ends_with_the_state_of_the_last_list(story: list[tuple[str, str, str]]) -> None:
    """A reader who keeps all reported changes has the state of the cluster, whatever happened."""
    ledger, believed = KnownObjects(), {}
    for what, name, uid in story:
        one = namespace(name, uid)
        found = ledger.update_from_list("Namespace", [one]) if what == "listed" else getattr(ledger, what)(one)
        for difference in found:
            if difference.change == "deleted":
                assert believed.pop(difference.seen.name) is not None, (
                    "nothing is told to be gone that was not told to be there"
                )
            else:
                assert believed.get(difference.seen.name) != difference.seen.uid, "nothing is told twice"
                believed[difference.seen.name] = difference.seen.uid
    for difference in ledger.update_from_list("Namespace", [namespace("a", "1")]):
        if difference.change == "deleted":
            del believed[difference.seen.name]
        else:
            believed[difference.seen.name] = difference.seen.uid
    assert believed == {"a": "1"}


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
