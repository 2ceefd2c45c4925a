# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each new fact about an object is reported once, in any order of changes and for any number of repetitions."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.events import (
    KINDS,
    Difference,
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
