# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prune never removes more than its limit, whatever objects users plant in their own namespaces."""

from __future__ import annotations

from collections import Counter

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Limit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.prune.plan import (
    Balance,
    PruneVerdict,
    judge_removals,
)
from hypothesis import given
from hypothesis import strategies as st


def one(declared: int = 0, removed: int = 0, *, is_confirmed: bool = True, kind: str = "secrets") -> Balance:
    return Balance(+Counter({kind: declared}), +Counter({kind: removed}), is_confirmed)


def many(count: int, declared: int = 0, removed: int = 0, *, is_confirmed: bool = True) -> dict[str, Balance]:
    return {f"ns{at}": one(declared, removed, is_confirmed=is_confirmed) for at in range(count)}


def judged(balances: dict[str, Balance], most: str = "10%") -> PruneVerdict:
    return judge_removals(balances, Limit.parse("max_prune", most))


class TestJudge:
    @pytest.mark.parametrize(
        ("kept", "gone", "most", "allowed", "refused"),
        [
            (9, 1, "10%", 3, False),
            (8, 1, "10%", 3, False),
            (4, 1, "10%", 1, False),
            (2, 1, "10%", 1, False),
            (6, 3, "10%", 3, False),
            (27, 4, "10%", 3, True),
            (40, 5, "10%", 4, True),
            # Never more than a third.
            (1, 1, "10%", 0, True),
            (4, 2, "10%", 2, False),
            (3, 2, "10%", 1, True),
            (5, 3, "10%", 2, True),
            (0, 1, "10%", 0, True),
            # A percentage of 0 and a number mean exactly that.
            (9, 1, "0%", 0, True),
            (9, 1, "0.0%", 0, True),
            (9, 1, "0", 0, True),
            (9, 3, "0.1%", 3, False),
            (0, 3, "100%", 3, False),
            (0, 3, "99.9%", 2, True),
            (5, 2, "2", 2, False),
            (500, 3, "2", 2, True),
            (5, 0, "0", 0, False),
        ],
    )
    def test_the_limit_decides_for_one_namespace(
        self, kept: int, gone: int, most: str, allowed: int, refused: bool
    ) -> None:
        verdict = judged({"a": one(kept, gone)}, most)
        assert (verdict.allowed["secrets"], verdict.is_refused) == (allowed, refused)
        assert verdict.held_back == (frozenset({"a"}) if refused else frozenset())

    def test_each_kind_is_counted_on_its_own(self) -> None:
        """A high number of links does not allow the removal of a secret."""
        verdict = judged({"a": Balance(Counter(links=100), Counter(secrets=3), is_confirmed=True)})
        assert (verdict.exceeded, verdict.is_refused) == (["secrets"], True)

    def test_declared_objects_count_only_if_the_lists_confirm_them(self) -> None:
        balances = {"mine": one(0, 1), "planted": one(1000, 0, is_confirmed=False)}
        assert judged(balances).is_refused

    def test_an_accident_in_many_namespaces_removes_nothing(self) -> None:
        assert judged(many(100, declared=1, removed=1)).is_refused
        assert judged(many(100, removed=1, is_confirmed=False) | {"kept": one(100)}).is_refused

    @pytest.mark.parametrize("is_confirmed", [True, False])
    def test_the_namespace_with_most_removals_is_held_back(self, is_confirmed: bool) -> None:
        balances = {**many(20, declared=1), "leaving": one(0, 2, is_confirmed=False), "planted": one(1, 50)}
        verdict = judged({**balances, "planted": one(1, 50, is_confirmed=is_confirmed)})
        assert (verdict.held_back, verdict.is_refused) == (frozenset({"planted"}), False)
        assert verdict.removed == Counter(secrets=2)

    def test_the_fewest_possible_namespaces_are_held_back(self) -> None:
        balances = {**many(20, declared=20, removed=1), "a": one(0, 60), "b": one(0, 24)}
        assert judged(balances).held_back == {"a"}

    @pytest.mark.parametrize(("planted", "is_refused"), [(2, False), (3, True)])
    def test_at_most_a_tenth_of_the_namespaces_is_held_back(self, planted: int, is_refused: bool) -> None:
        """Accidents concern many namespaces, so leaving out most of them would defeat the guard."""
        heavy = {f"evil-{at}": one(0, 90) for at in range(planted)}
        verdict = judged({**many(20, declared=20, removed=1), **heavy})
        assert (verdict.is_refused, verdict.held_back == {*heavy}) == (is_refused, not is_refused)

    def test_undeclared_namespaces_are_held_back_together(self) -> None:
        planted = {f"evil-{at}": one(0, 1, is_confirmed=False) for at in range(50)}
        verdict = judged({**many(20, declared=1), "mine": one(1, 1), **planted})
        assert (verdict.held_back, verdict.is_refused) == (frozenset(planted), False)

    @pytest.mark.parametrize(
        "planted",
        [
            pytest.param((3,), id="lighter"),
            pytest.param((4,), id="equal"),
            pytest.param((50,), id="heavier"),
            pytest.param((6, 6), id="two"),
            pytest.param((1,) * 30, id="many-light"),
            pytest.param((4, 4, 4), id="many-equal"),
        ],
    )
    def test_unconfirmed_namespaces_never_hold_back_a_confirmed_one(self, planted: tuple[int, ...]) -> None:
        evil = {f"a-evil-{at}": one(0, count, is_confirmed=False) for at, count in enumerate(planted)}
        verdict = judged({"kept": one(40), "leaving": one(0, 4), **evil})
        assert "leaving" not in verdict.held_back
        assert not verdict.is_refused
        assert verdict.held_back

    def test_the_rest_of_the_limit_is_for_unconfirmed_namespaces(self) -> None:
        others = {"a": one(0, 1, is_confirmed=False), "b": one(0, 2, is_confirmed=False)}
        verdict = judged({"kept": one(40), "leaving": one(0, 3), **others})
        assert (verdict.held_back, verdict.removed) == ({"b"}, Counter(secrets=4))

    def test_several_heavy_unconfirmed_namespaces_stop_no_other_one(self) -> None:
        evil = {f"evil-{at}": one(0, 6, is_confirmed=False) for at in range(5)}
        verdict = judged({"kept": one(20), "leaving": one(0, 1, is_confirmed=False), **evil})
        assert (verdict.held_back, verdict.is_refused) == (frozenset(evil), False)

    def test_many_confirmed_removals_hold_back_the_unconfirmed_ones(self) -> None:
        verdict = judged({**many(20, declared=1, removed=1), "other": one(0, 1, is_confirmed=False)})
        assert (verdict.is_refused, len(verdict.held_back)) == (True, 21)


COUNTS = st.builds(lambda secrets, links: +Counter(secrets=secrets, links=links), st.integers(0, 9), st.integers(0, 9))
BALANCES = st.builds(Balance, COUNTS, COUNTS, st.booleans())


@given(
    balances=st.dictionaries(st.sampled_from("abcdefgh"), BALANCES),
    planted=st.dictionaries(st.sampled_from(["x", "y"]), BALANCES, min_size=1),
    most=st.sampled_from(["0", "3", "10%", "34%", "50%", "100%"]),
)
def test_objects_planted_by_users_never_raise_the_limit(
    balances: dict[str, Balance], planted: dict[str, Balance], most: str
) -> None:
    """Removals stay within the limit of the objects that the lists confirm, whatever the other objects are."""
    evil = {name: Balance(Counter(), one.removed, one.is_confirmed) for name, one in planted.items()}
    verdict = judged({**balances, **evil}, most)
    gone = {name: one for name, one in {**balances, **evil}.items() if name not in verdict.held_back}
    limit = Limit.parse("max_prune", most)
    few = 3 if limit.is_share and limit.amount else 0
    for kind in ("secrets", "links"):
        kept = sum(one.declared[kind] for one in balances.values() if one.is_confirmed)
        removed = sum(one.removed[kind] for one in gone.values())
        assert removed <= max(limit.of(kept + removed), min(few, (kept + removed) // 3))


@given(
    balances=st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), BALANCES, max_size=30),
    planted=st.dictionaries(st.text("abcxyz", min_size=3, max_size=4), COUNTS, min_size=1, max_size=30),
    most=st.sampled_from(["0", "3", "0%", "1%", "10%", "34%", "50%", "100%"]),
)
def test_an_unconfirmed_namespace_changes_nothing_in_a_confirmed_one(
    balances: dict[str, Balance], planted: dict[str, Counter[str]], most: str
) -> None:
    """Whatever its objects are, and whatever else is there."""
    evil = {name: Balance(count, count, is_confirmed=False) for name, count in planted.items()}

    def removed(verdict: PruneVerdict) -> set[str]:
        return {name for name, one in balances.items() if one.is_confirmed and one.removed} - verdict.held_back

    before, after = judged(balances, most), judged({**balances, **evil}, most)
    assert removed(after) == removed(before)
