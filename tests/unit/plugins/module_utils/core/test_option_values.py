# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of options: limits, and suggestions for misspelled names."""

from __future__ import annotations

from fractions import Fraction

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import (
    Limit,
    OptionError,
    find_similar,
    format_suggestion,
    problems_of_names,
)

# --- A limit is a number or a percentage of all


class TestLimit:
    @pytest.mark.parametrize(
        ("text", "total", "meant"),
        [
            ("0", 9, 0),
            ("3", 9, 3),
            ("12", 9, 12),
            ("0%", 50, 0),
            ("100%", 9, 9),
            (" 5 % ", 1000, 50),
            ("10%", 0, 0),
            ("10%", 11, Fraction(11, 10)),
            ("33.3%", 1000, 333),
            # With floating-point numbers, the result is slightly less than 57.
            ("0.57%", 10000, 57),
        ],
    )
    def test_a_limit_is_a_number_or_an_exact_share(self, text: str, total: int, meant: Fraction) -> None:
        assert Limit.parse("max_prune", text).of(total) == meant

    @pytest.mark.parametrize(
        "text", ["", "-1", "few", "1.5", "101%", "100.1%", "%", "5%%", "1e3", "\u0661", "9" * 5000]
    )
    def test_any_other_limit_is_refused(self, text: str) -> None:
        expected = (
            r"^option 'max_prune': '.{0,40}' is neither a whole number nor a percentage from 0% to 100%, such as '5%'$"
        )
        with pytest.raises(OptionError, match=expected):
            Limit.parse("max_prune", text)

    def test_a_limit_is_shown_as_given(self) -> None:
        assert Limit.parse("max_prune", " 5% ").text == "5%"


# --- The answer to a misspelled name suggests the correct one, and lists all names

LOGIN = {"registry": {"type": "str"}, "username": {"type": "str"}, "password": {"type": "str"}}

SPEC = {
    "name": {"type": "str", "aliases": ["title"]},
    "registries": {"type": "list", "elements": "dict", "options": LOGIN},
    "selector": {"type": "dict", "options": {"labels": {"type": "str"}}},
}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("nmae", "name"),
        ("user", "username"),
        ("pasword", "password"),
        ("labels", "labels"),
        ("xyz", ""),
        ("u", ""),
        ("", ""),
    ],
)
def test_the_most_similar_name_is_suggested(name: str, meant: str) -> None:
    assert find_similar(name, ["name", "username", "password", "labels"]) == meant
    assert format_suggestion(name, ["name", "username", "password", "labels"]) == (
        f": did you mean {meant!r}?" if meant else ""
    )


def test_the_only_name_that_ends_with_a_name_is_suggested() -> None:
    assert find_similar("ca_cert", ["registry_ca_cert", "registry"]) == "registry_ca_cert"
    assert find_similar("ca_cert", ["registry_ca_cert", "another_ca_cert", "registry"]) == ""


def test_unknown_options_are_found_at_every_level() -> None:
    given = {
        "title": "x",
        "nme": 1,
        7: 1,
        "_ansible_check_mode": True,
        "registries": [{"registry": "q"}, {"user": "u"}, "no dictionary"],
        "selector": {"label": "x"},
    }
    assert [*problems_of_names(SPEC, given)] == [
        "nme is unknown: did you mean 'name'? it takes name, registries, selector",
        "7 is unknown; it takes name, registries, selector",
        "registries[1].user is unknown: did you mean 'username'? it takes password, registry, username",
        "selector.label is unknown: did you mean 'labels'? it takes labels",
    ]
    assert [*problems_of_names(SPEC, {"name": "x", "nme": 1})] == [
        "nme is unknown: 'name' is set as well, so remove 'nme', or move its value to 'name'; it takes name, registries, selector"
    ]


@pytest.mark.parametrize("given", [{}, {"registries": None, "selector": "x"}, {"name": {"a": 1}}], ids=str)
def test_known_options_are_not_reported(given: dict[str, object]) -> None:
    assert [*problems_of_names(SPEC, given)] == []


@pytest.mark.parametrize(
    ("text", "is_problem"),
    [
        ("registry=shared", True),
        ("labels=a, team=b", True),
        ("labels=a", False),
        ("labels=a=b", False),
        ('{"labels": "a=b"}', False),
        ("a", False),
    ],
)
def test_a_text_of_other_options_is_not_a_dictionary(text: str, is_problem: bool) -> None:
    spec = {"selector": {"type": "dict", "options": {"labels": {"type": "str"}}}}
    said = "selector is a text and not a dictionary: write its options, such as 'selector: {labels: VALUE}'"
    assert [*problems_of_names(spec, {"selector": text})] == [said] * is_problem


def test_missing_required_options_are_found_at_every_level() -> None:
    spec = {"owner": {"required": True}, "logins": {"options": {"registry": {"required": True, "aliases": ["host"]}}}}
    assert [*problems_of_names(spec, {"logins": [{"registry": "q"}, {"host": "q"}, {"registry": None}, {}]})] == [
        "logins[2].registry is missing or empty: write 'registry: VALUE'",
        "logins[3].registry is missing or empty: write 'registry: VALUE'",
        "owner is missing or empty: write 'owner: NAME', the owner (image_pull_owner) with which the objects were created",
    ]
