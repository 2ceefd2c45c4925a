# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that cannot work, and entries that contradict each other, are refused before the first request."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import Contradiction
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link import plan as sa_link
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.plan import (
    SaLink,
    can_overlap,
    contradictions,
)
from hypothesis import given
from hypothesis import strategies as st
from support.objects import raised


def options(**more: Any) -> dict[str, Any]:
    defaults = {"secrets": ["quay"], "service_accounts": ["default"], "link_for": ["pull"], "state": "present"}
    flags = {"exclusive": False, "only_managed": False, "create": False}
    return {**defaults, **flags, "require": "none", "restart_pods": "never", "wait_timeout": 30, **more}


def refused(**more: Any) -> str:
    return raised(OptionError, lambda: sa_link.from_options(options(**more)))


class TestFromOptions:
    def test_a_secret_is_linked_for_pulling_by_default(self) -> None:
        assert sa_link.from_options(options()) == SaLink(
            secrets=("quay",), service_accounts=("default",), lists=("imagePullSecrets",), present=True, wait_timeout=30
        )

    @pytest.mark.parametrize(
        ("more", "member", "value"),
        [
            ({"secrets": ["b", "a", "b"]}, "secrets", ("b", "a")),
            ({"service_accounts": ["b", "a*", "b"]}, "service_accounts", ("b", "a*")),
            ({"link_for": ["mount"]}, "lists", ("secrets",)),
            ({"link_for": ["mount", "pull"]}, "lists", ("imagePullSecrets", "secrets")),
            ({"state": "absent"}, "present", False),
            ({"exclusive": True}, "exclusive", True),
            ({"only_managed": True, "state": "absent"}, "only_managed", True),
            ({"create": True}, "create", True),
            ({"require": "usable"}, "require", "usable"),
            ({"restart_pods": "stuck"}, "restart_pods", "stuck"),
            ({"restart_pods": "report", "link_for": ["mount", "pull"]}, "restart_pods", "report"),
            ({"wait_timeout": 0}, "wait_timeout", 0),
        ],
    )
    def test_each_option_is_taken(self, more: Any, member: str, value: Any) -> None:
        assert getattr(sa_link.from_options(options(**more)), member) == value

    @pytest.mark.parametrize("option", ["secrets", "service_accounts", "link_for"])
    def test_an_empty_list_is_refused(self, option: str) -> None:
        assert refused(**{option: []}) == f"option '{option}' is empty: give at least one"

    @pytest.mark.parametrize("option", ["secrets", "service_accounts"])
    @pytest.mark.parametrize("name", ["Quay", "a\0", "", "x/y", "secrets:a", "a\ud800"])
    def test_a_name_that_cannot_exist_is_refused(self, option: str, name: str) -> None:
        assert refused(**{option: ["ok", name]}).startswith(f"option '{option}': {name!r} cannot be an object's name")

    @pytest.mark.parametrize("name", ["secret", "secrets"])
    def test_a_secret_may_be_called_secrets(self, name: str) -> None:
        assert sa_link.from_options(options(secrets=[name])).secrets == (name,)

    def test_a_glob_is_not_the_name_of_a_secret(self) -> None:
        assert refused(secrets=["quay*"]).startswith("option 'secrets': 'quay*' cannot be an object's name")

    @pytest.mark.parametrize("name", ["secret/quay", "secrets/quay", "secrets/secrets"])
    def test_a_prefix_that_oc_takes_is_refused_with_the_name_to_write(self, name: str) -> None:
        expected = f"option 'secrets': write '{name.partition('/')[2]}' instead of '{name}': only secrets can be linked"
        assert refused(secrets=[name]) == expected

    @pytest.mark.parametrize("name", ["secrets/", "secret/Quay", "secrets/a/b", "secrets/secret/a", "configmaps/a"])
    def test_an_invalid_name_is_not_taken_for_a_prefix(self, name: str) -> None:
        assert refused(secrets=[name]).startswith(f"option 'secrets': '{name}' cannot be an object's name")

    def test_a_prefix_is_not_part_of_an_accounts_name(self) -> None:
        assert refused(service_accounts=["secrets/a"]).startswith("option 'service_accounts': 'secrets/a' cannot be")

    PRESENT_ONLY = "is for state present only: state absent unlinks exactly the given secrets"
    RESTART = "option 'restart_pods' is for state present with 'link_for: pull' only: pods pull with that list"

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ({"exclusive": True, "state": "absent"}, f"option 'exclusive' {PRESENT_ONLY}"),
            ({"create": True, "state": "absent"}, f"option 'create' {PRESENT_ONLY}"),
            (
                {"only_managed": True},
                "option 'only_managed' is for state absent only: it limits which secrets are unlinked",
            ),
            ({"restart_pods": "report", "state": "absent"}, RESTART),
            ({"restart_pods": "stuck", "link_for": ["mount"]}, RESTART),
        ],
    )
    def test_contradictory_options_are_refused(self, more: Any, message: str) -> None:
        assert refused(**more) == message

    def test_a_negative_wait_is_refused(self) -> None:
        assert refused(wait_timeout=-1) == "option 'wait_timeout' must not be negative: give seconds, or 0 to look once"


#: Two patterns of up to three characters that match a common name of these letters also match one of at most six letters.
NAMES = ["".join(letters) for length in range(7) for letters in product("ab", repeat=length)]
PATTERNS = st.text(alphabet="ab*?", max_size=3)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("a", "ab", False),
        ("*", "", True),
        ("*", "a", True),
        ("a*", "*b", True),
        ("a*", "b*", False),
        ("a*c", "ab*", True),
        ("a**b", "ab", True),
        ("?", "", False),
        ("?", "a", True),
        ("a?", "ab", True),
        ("a?", "abc", False),
        ("a?", "b?", False),
        ("*a", "*b", False),
        ("*-ci", "team-*", True),
        ("robot[12]", "robot1", True),
        ("robot[12]", "robot", False),
        ("[ab]x", "cy", False),
        ("[]a]x", "ax", True),
        ("[!]a]x", "bx", True),
        ("[!]a]x", "xx", True),
        ("[]a", "ba", False),
        ("[a", "[a", True),
        ("[a", "a", False),
        ("[!]", "[!]", True),
        ("[!]", "a", False),
    ],
)
def test_the_overlap_is_the_same_in_both_directions(one: str, other: str, expected: bool) -> None:
    for pair in ((one, other), (other, one)):
        assert can_overlap(*pair) is expected


@given(PATTERNS, PATTERNS)
def test_the_overlap_means_that_some_name_matches_both_globs(one: str, other: str) -> None:
    assert can_overlap(one, other) is any(fnmatchcase(name, one) and fnmatchcase(name, other) for name in NAMES)


def test_many_stars_take_no_time() -> None:
    assert not can_overlap("a*" * 40 + "b", "a*" * 40 + "c")


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
