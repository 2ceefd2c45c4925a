# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of others are never removed from a list."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SERVICE_ACCOUNT, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform import account_lists as references
from hypothesis import given
from hypothesis import strategies as st
from support.objects import raised

PLATFORM = "default-dockercfg-x7k2p"
FOREIGN = st.sampled_from([PLATFORM, "team", "mirror", ""])
OURS = st.sampled_from(["redhat-connect-sso", "private-registry", "quay"])
LISTS = st.lists(st.builds(lambda name: {"name": name}, FOREIGN | OURS) | st.just({}), max_size=8)
WANTED = st.lists(OURS, min_size=1, max_size=3)
#: Values that no API server sends.
ODD: list[Any] = [None, "text", ["quay"], {}, {"name": None}, {"name": ""}, {"name": ["quay"]}, {"Name": "quay"}, 5]


def foreign(entries: Any, ours: Any) -> list[Any]:
    return [entry for entry in entries if entry.get("name", "") not in ours]


class TestLink:
    @given(LISTS, WANTED)
    def test_foreign_entries_keep_their_order(self, entries: Any, wanted: Any) -> None:
        assert foreign(references.add_links(entries, wanted), wanted) == foreign(entries, wanted)

    @given(LISTS, WANTED)
    def test_each_linked_secret_is_listed_once_at_its_first_place_or_at_the_end(
        self, entries: Any, wanted: Any
    ) -> None:
        linked = references.entry_names(references.add_links(entries, wanted))
        assert all(linked.count(name) == 1 for name in wanted)
        before = [name for name in dict.fromkeys(references.entry_names(entries)) if name in wanted]
        assert [name for name in linked if name in wanted] == [
            *before,
            *dict.fromkeys(n for n in wanted if n not in before),
        ]

    @given(LISTS, WANTED)
    def test_linking_twice_equals_linking_once(self, entries: Any, wanted: Any) -> None:
        linked = references.add_links(entries, wanted)
        assert references.add_links(linked, wanted) == linked

    @given(LISTS, WANTED)
    def test_the_input_is_left_alone(self, entries: Any, wanted: Any) -> None:
        before = [dict(entry) for entry in entries]
        references.add_links(entries, wanted)
        references.remove_links(entries, wanted)
        assert entries == before


class TestUnlink:
    @given(LISTS, WANTED)
    def test_unlink_removes_exactly_the_given_entries(self, entries: Any, wanted: Any) -> None:
        assert references.remove_links(entries, wanted) == foreign(entries, wanted)

    @given(LISTS, WANTED)
    def test_unlink_undoes_link(self, entries: Any, wanted: Any) -> None:
        assert references.remove_links(references.add_links(entries, wanted), wanted) == foreign(entries, wanted)

    @pytest.mark.parametrize("unwanted", [[], ["nobody"]], ids=str)
    def test_unlink_keeps_all_other_entries(self, unwanted: Any) -> None:
        entries = [*ODD, {"name": "quay"}]
        assert references.remove_links(entries, unwanted) == entries


class TestOddEntries:
    """An entry that names no secret is never treated as ours, and keeps its position."""

    def test_link_and_unlink_keep_odd_entries_in_their_places(self) -> None:
        entries = [ODD[0], {"name": "quay", "namespace": "x"}, *ODD[1:], {"name": "quay"}, {"name": "team"}]
        linked = references.add_links(entries, ["quay", "mirror"])
        assert linked == [ODD[0], {"name": "quay", "namespace": "x"}, *ODD[1:], {"name": "team"}, {"name": "mirror"}]
        assert references.remove_links(linked, ["quay", "mirror"]) == [*ODD, {"name": "team"}]

    def test_an_odd_entry_names_no_secret(self) -> None:
        assert references.entry_names([*ODD, {"name": "quay"}]) == [""] * len(ODD) + ["quay"]
        assert references.names_in({"secrets": [*ODD, {"name": "quay"}]}, "secrets") == ["quay"]
        assert references.duplicate_names([*ODD, *ODD]) == []

    @pytest.mark.parametrize("odd", [None, "text", {"name": "quay"}, 5], ids=str)
    def test_a_value_that_is_not_a_list_names_no_secret(self, odd: Any) -> None:
        assert references.names_in({"secrets": odd}, "secrets") == []


class TestEntriesOf:
    REF = ObjectRef(SERVICE_ACCOUNT, "project-a", "default")

    def test_the_list_of_the_account_is_returned_unchanged(self) -> None:
        assert references.entries_of(self.REF, {"secrets": ODD}, "secrets") is ODD
        assert references.entries_of(self.REF, {"secrets": None}, "secrets") == []
        assert references.entries_of(self.REF, {}, "secrets") == []

    @pytest.mark.parametrize("odd", ["text", {"name": "quay"}, 5, True], ids=str)
    def test_a_value_that_is_not_a_list_is_refused(self, odd: Any) -> None:
        assert raised(Refusal, lambda: references.entries_of(self.REF, {"secrets": odd}, "secrets")) == (
            "service account project-a/default cannot be read: its 'secrets' are not a list. Nothing was changed in this "
            "namespace"
        )


def entries(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


class TestChangesOf:
    @pytest.mark.parametrize(
        ("before", "after", "changes"),
        [
            ("a", "a", {"added": [], "removed": []}),
            ("a b", "b c d", {"added": ["c", "d"], "removed": ["a"]}),
            ("a a b", "b", {"added": [], "removed": ["a"]}),
            ("a a b", "a b", {"added": [], "removed": [], "deduplicated": ["a"]}),
            ("b a b a", "b a c", {"added": ["c"], "removed": [], "deduplicated": ["b", "a"]}),
            ("", "a", {"added": ["a"], "removed": []}),
        ],
    )
    def test_changed_entries_are_named(self, before: str, after: str, changes: Any) -> None:
        assert references.changes_of(entries(*before.split()), entries(*after.split())) == changes


class TestRepeated:
    def test_duplicates_are_named_once_in_order(self) -> None:
        assert references.duplicate_names(entries("b", "a", "c", "a", "b", "b")) == ["b", "a"]


class TestView:
    def test_the_view_shows_only_lists_that_change(self) -> None:
        lists = {"imagePullSecrets": entries("a"), "secrets": entries("b")}
        assert references.view_lists(lists, {"secrets": ()}) == {"secrets": ["b"]}
