# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of entries among the options of a task: the name and the options of each entry. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.changes import Entry
from ..core.errors import OptionError
from ..core.names import is_name

__all__ = ["TARGETS", "EntryList", "entry_at", "list_entries"]

#: Alternative options: one of them in an entry replaces both of the task.
TARGETS = ("namespaces", "namespace_selector")


@dataclass(frozen=True)
class EntryList:
    """A list of entries in one task.

    `option` is the list, `name` the option that names an entry in messages. `alternatives` are groups of options: one of them in an
    entry replaces the task's options of the group.
    """

    option: str
    name: str
    alternatives: Sequence[Sequence[str]] = ()


def list_entries(form: EntryList, params: Mapping[str, Any]) -> list[tuple[Entry, dict[str, Any]]]:
    """Return each entry with its options. Missing options come from the task.

    :raises OptionError: for a list without entries.
    """
    items = params[form.option]
    if not items:
        raise OptionError(f"option {form.option!r} is empty: give at least one entry")
    return [(entry_at(form, position, item), _merge_options(form, params, item)) for position, item in enumerate(items)]


def entry_at(form: EntryList, position: int, item: Any) -> Entry:
    """Return the entry at a position, from 0. An item that is not a mapping has neither name nor title."""
    if not isinstance(item, Mapping):
        return Entry(form.option, position)
    title = item.get("title")
    return Entry(form.option, position, _name(form, item), title if isinstance(title, str) else "")


def _merge_options(form: EntryList, params: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an entry. Missing options come from the task."""
    given = {name: value for name, value in item.items() if value is not None}
    replaced = {name for group in (TARGETS, *form.alternatives) if given.keys() & set(group) for name in group}
    return {**{name: value for name, value in params.items() if name not in replaced}, **given}


def _name(form: EntryList, item: Mapping[str, Any]) -> str:
    """The name of an entry in messages. Only a valid object name is used, because another value may be a misplaced credential."""
    value = item.get(form.name)
    names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return ", ".join(name for name in names if isinstance(name, str) and is_name(name))
