# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries contradict each other if they link and unlink one secret, or link to a list that another entry has for itself."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import Contradiction
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.plan import (
    SaLink,
    contradictions,
)

PULL, MOUNT = "imagePullSecrets", "secrets"


def link(*secrets: str, to: Any = ("default",), lists: Any = (PULL,), present: bool = True, **more: Any) -> SaLink:
    return SaLink(secrets=secrets, service_accounts=to, lists=lists, present=present, **more)


def absent(*secrets: str, **more: Any) -> SaLink:
    return link(*secrets, present=False, **more)


def only(*secrets: str, **more: Any) -> SaLink:
    return link(*secrets, exclusive=True, **more)


def where(account: str = "default", key: str = PULL) -> str:
    return f"in {key} of service account {account}"


class TestHoldTogether:
    @pytest.mark.parametrize(
        "declared",
        [
            [],
            [link("a")],
            [link("a"), link("a"), link("b")],
            [absent("a"), absent("a")],
            [link("a"), absent("b")],
            [absent("b"), link("a")],
            [link("a"), absent("a", to=("builder",))],
            [link("a"), absent("a", lists=(MOUNT,))],
            [link("a", to=("team-*",)), absent("a", to=("robot",))],
            [link("a", to=("team-*",)), absent("a", to=("robot-*",))],
            [only("a")],
            [only("a"), only("a")],
            [only("a", "b"), link("b")],
            [link("b"), only("a", "b")],
            [only("a"), absent("b")],
            [absent("b"), only("a")],
            [only("a"), link("b", to=("builder",))],
            [only("a"), link("b", lists=(MOUNT,))],
            [only("a"), only("b", to=("builder",))],
            [only("a", to=("default", "builder", "*"))],
            [link("a", to=("*", "default")), link("b", to=("def*",))],
        ],
    )
    def test_compatible_links_do_not_contradict(self, declared: list[SaLink]) -> None:
        assert list(contradictions(declared)) == []


class TestLinkedAndUnlinked:
    def test_a_link_and_an_unlink_contradict_in_either_order(self) -> None:
        said = "secret a is both unlinked and linked, " + where()
        assert list(contradictions([link("x"), link("a"), absent("a")])) == [Contradiction(1, 2, said)]
        said = "secret a is both linked and unlinked, " + where()
        assert list(contradictions([absent("a"), link("a")])) == [Contradiction(0, 1, said)]

    def test_a_contradiction_names_the_first_entry_that_links(self) -> None:
        found = contradictions([link("a"), link("a"), absent("a"), absent("a")])
        assert [(one.first, one.second) for one in found] == [(0, 2), (0, 3)]

    def test_each_secret_and_list_contradicts_on_its_own(self) -> None:
        both = (PULL, MOUNT)
        found = list(contradictions([link("a", "b", lists=both), absent("c", "b", "a", lists=both)]))
        assert [one.what for one in found] == [
            f"secret {name} is both unlinked and linked, {where(key=key)}" for key in both for name in ("b", "a")
        ]

    @pytest.mark.parametrize(
        ("one", "other", "told"),
        [
            ("*", "default", "default"),
            ("default", "*", "*"),
            ("def*", "*ult", "*ult"),
            ("d?fault", "default", "default"),
        ],
    )
    def test_an_account_that_a_glob_matches_contradicts(self, one: str, other: str, told: str) -> None:
        (found,) = contradictions([link("a", to=(one,)), absent("a", to=(other,))])
        assert found == Contradiction(0, 1, f"secret a is both unlinked and linked, {where(told)}")

    def test_each_account_that_both_entries_name_contradicts(self) -> None:
        found = contradictions([link("a", to=("one", "two", "three")), absent("a", to=("two", "three"))])
        assert [one.what.rpartition(" ")[2] for one in found] == ["two", "three"]


class TestExclusive:
    def test_an_exclusive_link_and_a_later_link_of_more_contradict(self) -> None:
        said = "the first is exclusive, and the second links b, c, " + where()
        assert list(contradictions([link("x", to=("y",)), only("a"), link("c", "a", "b")])) == [
            Contradiction(1, 2, said)
        ]

    def test_an_exclusive_link_and_earlier_links_of_more_contradict(self) -> None:
        found = list(contradictions([link("a"), link("c", "b"), link("d", "b"), only("a")]))
        assert found == [
            Contradiction(1, 3, "the second is exclusive, and the first links b, c, " + where()),
            Contradiction(2, 3, "the second is exclusive, and the first links d, " + where()),
        ]

    def test_two_exclusive_links_contradict(self) -> None:
        found = list(contradictions([only("a"), only("b")]))
        assert found == [
            Contradiction(0, 1, "the first is exclusive, and the second links b, " + where()),
            Contradiction(0, 1, "the second is exclusive, and the first links a, " + where()),
        ]

    @pytest.mark.parametrize(("first", "second"), [(("a", "b"), ("a",)), (("a",), ("a", "b"))], ids=str)
    def test_two_exclusive_links_of_which_one_has_more_contradict(
        self, first: tuple[str, ...], second: tuple[str, ...]
    ) -> None:
        (found,) = contradictions([only(*first), only(*second)])
        assert (found.first, found.second) == (0, 1)
        assert " links b, " in found.what

    def test_an_exclusive_link_and_a_glob_contradict(self) -> None:
        (found,) = contradictions([only("a", to=("*",)), link("b")])
        assert found == Contradiction(0, 1, "the first is exclusive, and the second links b, " + where())
        (found,) = contradictions([link("b"), only("a", to=("*",))])
        assert found == Contradiction(0, 1, "the second is exclusive, and the first links b, " + where("*"))
