# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of a list inherit options of the task and are named in messages."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Entry
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import (
    EntryList,
    entry_at,
    list_entries,
)

FORM = EntryList("secrets", "name", (("registries", "auth_file"),))
TASK: dict[str, Any] = {"namespaces": ["task"], "namespace_selector": None, "auth_file": "f", "type": "t", "name": None}


def options(**item: Any) -> dict[str, Any]:
    ((_entry, found),) = list_entries(FORM, {**TASK, "secrets": [item]})
    del found["secrets"]
    return found


def test_options_that_an_entry_lacks_come_from_the_task() -> None:
    assert options(name="a") == {**TASK, "name": "a"}
    assert options(name="a", type=None) == {**TASK, "name": "a"}
    assert options(type="other")["type"] == "other"


@pytest.mark.parametrize(
    ("item", "gone"),
    [
        ({"namespace_selector": {"labels": "x"}}, "namespaces"),
        ({"namespaces": ["own"]}, "namespace_selector"),
        ({"registries": []}, "auth_file"),
        ({"auth_file": "own"}, "registries"),
    ],
)
def test_an_option_of_an_entry_replaces_the_alternatives_of_the_task(item: dict[str, Any], gone: str) -> None:
    found = options(**item)
    assert gone not in found
    assert {name: found[name] for name in item} == item
    assert found["type"] == "t"


def test_entries_have_their_position_and_title() -> None:
    found = list_entries(FORM, {**TASK, "secrets": [{"name": "a"}, {"name": "b", "title": "of team b"}]})
    assert [entry for entry, _options in found] == [Entry("secrets", 0, "a"), Entry("secrets", 1, "b", "of team b")]


@pytest.mark.parametrize("items", [[], None], ids=str)
def test_a_list_without_entries_is_refused(items: Any) -> None:
    with pytest.raises(OptionError, match="^option 'secrets' is empty: give at least one entry$"):
        list_entries(FORM, {**TASK, "secrets": items})


@pytest.mark.parametrize(
    ("item", "name", "title"),
    [
        ({"name": "pull"}, "pull", ""),
        ({"name": ["a", "b"]}, "a, b", ""),
        ({"name": "No name: a password?"}, "", ""),
        ({"name": ["a", "No name", 1]}, "a", ""),
        ({"name": 5, "title": 6}, "", ""),
        ({"title": "t"}, "", "t"),
        ("no mapping", "", ""),
        (None, "", ""),
    ],
)
def test_text_that_cannot_be_a_name_is_not_shown_as_the_name_of_an_entry(item: Any, name: str, title: str) -> None:
    assert entry_at(FORM, 3, item) == Entry("secrets", 3, name, title)
