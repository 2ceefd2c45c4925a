# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promise 1: what is not ours is never taken away from a list."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link import lists as references
from hypothesis import given
from hypothesis import strategies as st

PLATFORM = "default-dockercfg-x7k2p"
FOREIGN = st.sampled_from([PLATFORM, "team", "mirror", ""])
OURS = st.sampled_from(["redhat-connect-sso", "private-registry", "quay"])
LISTS = st.lists(st.builds(lambda name: {"name": name}, FOREIGN | OURS) | st.just({}), max_size=8)
WANTED = st.lists(OURS, min_size=1, max_size=3)


def foreign(entries: Any, ours: Any) -> list[Any]:
    return [entry for entry in entries if entry.get("name", "") not in ours]


class TestLink:
    @given(LISTS, WANTED)
    def test_foreign_entries_and_their_order_stay(self, entries: Any, wanted: Any) -> None:
        assert foreign(references.link(entries, wanted), wanted) == foreign(entries, wanted)

    @given(LISTS, WANTED)
    def test_each_of_ours_is_there_once_where_it_first_stood_or_at_the_end(self, entries: Any, wanted: Any) -> None:
        linked = references.names(references.link(entries, wanted))
        assert all(linked.count(name) == 1 for name in wanted)
        before = [name for name in dict.fromkeys(references.names(entries)) if name in wanted]
        assert [name for name in linked if name in wanted] == [
            *before,
            *dict.fromkeys(n for n in wanted if n not in before),
        ]

    @given(LISTS, WANTED)
    def test_linking_twice_is_linking_once(self, entries: Any, wanted: Any) -> None:
        linked = references.link(entries, wanted)
        assert references.link(linked, wanted) == linked

    @given(LISTS, WANTED)
    def test_the_input_is_left_alone(self, entries: Any, wanted: Any) -> None:
        before = [dict(entry) for entry in entries]
        references.link(entries, wanted)
        references.unlink(entries, wanted)
        assert entries == before


class TestUnlink:
    @given(LISTS, WANTED)
    def test_takes_all_of_ours_and_nothing_else(self, entries: Any, wanted: Any) -> None:
        assert references.unlink(entries, wanted) == foreign(entries, wanted)

    @given(LISTS, WANTED)
    def test_undoes_link(self, entries: Any, wanted: Any) -> None:
        assert references.unlink(references.link(entries, wanted), wanted) == foreign(entries, wanted)


class TestExclusive:
    @given(LISTS, WANTED, st.sets(FOREIGN))
    def test_holds_ours_once_and_the_platforms_as_they_stood(self, entries: Any, wanted: Any, platforms: Any) -> None:
        only = references.exclusively(entries, wanted, platforms)
        assert foreign(only, wanted) == [
            entry for entry in foreign(entries, wanted) if entry.get("name", "") in platforms
        ]
        assert [entry for entry in only if entry.get("name") in wanted] == [
            entry for entry in references.link(entries, wanted) if entry.get("name") in wanted
        ]

    @given(LISTS, WANTED, st.sets(FOREIGN))
    def test_twice_is_once(self, entries: Any, wanted: Any, platforms: Any) -> None:
        only = references.exclusively(entries, wanted, platforms)
        assert references.exclusively(only, wanted, platforms) == only
