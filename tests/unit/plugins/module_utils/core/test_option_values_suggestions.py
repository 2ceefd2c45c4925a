# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer to a misspelled name suggests the correct one, and lists all names."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import (
    find_similar,
    format_suggestion,
    problems_of_names,
)

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


def test_missing_required_options_are_found_at_every_level() -> None:
    spec = {"owner": {"required": True}, "logins": {"options": {"registry": {"required": True, "aliases": ["host"]}}}}
    assert [*problems_of_names(spec, {"logins": [{"registry": "q"}, {"host": "q"}, {"registry": None}, {}]})] == [
        "logins[2].registry is missing or empty: write 'registry: VALUE'",
        "logins[3].registry is missing or empty: write 'registry: VALUE'",
        "owner is missing or empty: write 'owner: NAME', the owner (image_pull_owner) with which the objects were created",
    ]
