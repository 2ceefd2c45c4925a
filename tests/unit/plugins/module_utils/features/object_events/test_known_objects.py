# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever comes, in whatever order and however often: what was not known is told, once."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.known_objects import (
    Difference,
    KnownObjects,
    ObservedObject,
    seen,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.settings import (
    KINDS,
    WatchedKind,
    WatchSettings,
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
    def test_what_is_kept(self) -> None:
        meta = {
            "name": "n",
            "namespace": "a",
            "uid": "u",
            "labels": {"l": "1"},
            "annotations": {"a": "{{ a }}"},
            "managedFields": [{}],
            "deletionTimestamp": "2026-01-01T00:00:00Z",
        }
        found = seen({"metadata": meta, "data": {"x": "c2VjcmV0"}}, SECRETS, SETTINGS)
        assert found == ObservedObject("Secret", "a", "n", "u", {"l": "1"}, "2026-01-01T00:00:00Z")

    def test_a_namespace_is_in_itself(self) -> None:
        found = seen({"metadata": {"name": "n"}}, NAMESPACES, SETTINGS)
        assert found is not None
        assert found.key == ("Namespace", "n", "n")

    @pytest.mark.parametrize("meta", [{"name": "hidden", "namespace": "a"}, {"name": "n", "namespace": "kube-system"}])
    def test_what_is_not_meant(self, meta: dict[str, str]) -> None:
        assert seen({"metadata": meta}, SECRETS, SETTINGS) is None

    def test_labels_are_those_that_kubernetes_allows(self) -> None:
        labels = {"{{ a }}": "b", "b": "{% c %}", "c/d": "e", "f": None, "g": "", "h": "i j"}
        found = seen({"metadata": {"name": "n", "namespace": "a", "labels": labels}}, SECRETS, SETTINGS)
        assert found is not None and found.labels == {"c/d": "e", "g": ""}

    @pytest.mark.parametrize("namespace", ["{{ a }}", "A", "", "a" * 64, "a\n", "-a", "a.b"])
    def test_a_namespace_that_kubernetes_does_not_allow_is_not_meant(self, namespace: str) -> None:
        assert seen({"metadata": {"name": "n", "namespace": namespace}}, SECRETS, SETTINGS) is None
        assert seen({"metadata": {"name": namespace}}, NAMESPACES, SETTINGS) is None

    @pytest.mark.parametrize("odd", [None, 1, "x", [], {"a": 1, "b": None, "c": []}])
    def test_odd_metadata(self, odd: Any) -> None:
        meta = {"name": "n", "namespace": "a", "labels": odd, "uid": 3, "deletionTimestamp": 1}
        assert seen({"metadata": meta}, SECRETS, SETTINGS) == ObservedObject("Secret", "a", "n")


class TestLists:
    def test_the_first_one_is_what_exists(self) -> None:
        ledger = KnownObjects()
        assert told(ledger.listed("Namespace", [namespace("a"), namespace("b")])) == [
            ("existing", "a"),
            ("existing", "b"),
        ]
        assert len(ledger) == 2

    def test_the_same_again_is_nothing(self) -> None:
        ledger = KnownObjects()
        ledger.listed("Namespace", [namespace("a")])
        assert ledger.listed("Namespace", [namespace("a")]) == []

    def test_all_that_exists_can_be_told_again(self) -> None:
        ledger = KnownObjects()
        ledger.listed("Namespace", [namespace("a"), namespace("b"), namespace("c"), namespace("d")])
        found = ledger.listed("Namespace", [namespace("a"), namespace("b", going=True), namespace("e")], again=True)
        assert sorted(told(found)) == [
            ("created", "e"),
            ("deleted", "c"),
            ("deleted", "d"),
            ("existing", "a"),
            ("terminating", "b"),
        ]
        again = ledger.listed("Namespace", [namespace("b", going=True), namespace("e")], again=True)
        assert sorted(told(again)) == [("deleted", "a"), ("existing", "e")]

    def test_what_happened_meanwhile(self) -> None:
        ledger = KnownObjects()
        ledger.listed("Namespace", [namespace("a"), namespace("b"), namespace("c"), namespace("d")])
        later = [namespace("a", x="y"), namespace("b", going=True), namespace("d", uid="2"), namespace("new")]
        assert told(ledger.listed("Namespace", later)) == [
            ("deleted", "c"),
            ("changed", "a"),
            ("terminating", "b"),
            ("deleted", "d"),
            ("created", "d"),
            ("created", "new"),
        ]
        assert ledger.listed("Namespace", later) == []

    def test_one_kind_says_nothing_of_another(self) -> None:
        ledger = KnownObjects()
        ledger.listed("Namespace", [namespace("a")])
        assert told(ledger.listed("Secret", [secret("a", "s")])) == [("existing", "s")]
        assert ledger.listed("Namespace", [namespace("a")]) == []

    def test_an_empty_first_list_is_one(self) -> None:
        ledger = KnownObjects()
        ledger.listed("Namespace", [])
        assert told(ledger.listed("Namespace", [namespace("a")])) == [("created", "a")]


class TestWatches:
    def test_what_comes_changes_and_goes(self) -> None:
        ledger = KnownObjects()
        ledger.listed("Namespace", [])
        assert told(ledger.appeared(namespace("a"))) == [("created", "a")]
        assert ledger.appeared(namespace("a")) == []
        assert told(ledger.appeared(namespace("a", x="y"))) == [("changed", "a")]
        assert told(ledger.appeared(namespace("a", going=True, x="y"))) == [("terminating", "a")]
        assert ledger.appeared(namespace("a", going=True, x="z")) == []
        assert told(ledger.went(namespace("a"))) == [("deleted", "a")]
        assert ledger.went(namespace("a")) == []

    def test_one_that_is_going_when_it_is_first_seen(self) -> None:
        ledger = KnownObjects()
        assert told(ledger.listed("Namespace", [namespace("a", going=True)])) == [("terminating", "a")]

    def test_one_of_the_same_name(self) -> None:
        ledger = KnownObjects()
        ledger.listed("Namespace", [namespace("a", going=True)])
        assert told(ledger.appeared(namespace("a", uid="2"))) == [("deleted", "a"), ("created", "a")]

    def test_which_namespaces_are_going(self) -> None:
        ledger = KnownObjects()
        assert not ledger.is_going("a")
        ledger.listed("Namespace", [namespace("a"), namespace("b", going=True)])
        assert [ledger.is_going(name) for name in "abc"] == [False, True, False]
        ledger.went(namespace("a"))
        assert ledger.is_going("a"), "what is still heard from within comes late"
        ledger.appeared(namespace("a", uid="2"))
        assert not ledger.is_going("a")
        ledger.listed("Namespace", [])
        assert ledger.is_going("a")
        ledger.listed("Namespace", [])
        assert not ledger.is_going("a"), "names of long ago are not kept"


@given(
    st.lists(st.tuples(st.sampled_from(["appeared", "went", "listed"]), st.sampled_from("abc"), st.sampled_from("12")))
)
def test_any_story_ends_with_what_the_last_list_says(story: list[tuple[str, str, str]]) -> None:
    """Who keeps what is told knows what is there, whatever happened."""
    ledger, believed = KnownObjects(), {}
    for what, name, uid in story:
        one = namespace(name, uid)
        found = ledger.listed("Namespace", [one]) if what == "listed" else getattr(ledger, what)(one)
        for difference in found:
            if difference.change == "deleted":
                assert believed.pop(difference.seen.name) is not None, (
                    "nothing is told to be gone that was not told to be there"
                )
            else:
                assert believed.get(difference.seen.name) != difference.seen.uid, "nothing is told twice"
                believed[difference.seen.name] = difference.seen.uid
    for difference in ledger.listed("Namespace", [namespace("a", "1")]):
        if difference.change == "deleted":
            del believed[difference.seen.name]
        else:
            believed[difference.seen.name] = difference.seen.uid
    assert believed == {"a": "1"}
