# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of entries among the options of a task: what each entry is called, and which options it has. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.entry import Entry
from ..core.errors import OptionError
from ..core.names import is_name

__all__ = ["TARGETS", "EntryList", "entries_of", "entry_at"]

#: Two ways to say the same: of an entry, one takes the place of either of the task's.
TARGETS = ("namespaces", "namespace_selector")


@dataclass(frozen=True)
class EntryList:
    """A list of entries in one task.

    `option` is the list, `name` the option that names an entry in messages. `alternatives` are groups of options of which an
    entry's one takes the place of the task's.
    """

    option: str
    name: str
    alternatives: Sequence[Sequence[str]] = ()


def entries_of(form: EntryList, params: Mapping[str, Any]) -> list[tuple[Entry, dict[str, Any]]]:
    """Each entry with its options; what it does not give is the task's.

    :raises OptionError: for a list without entries.
    """
    items = params[form.option]
    if not items:
        raise OptionError(f"option {form.option!r} is empty: give at least one entry")
    return [(entry_at(form, position, item), _effective(form, params, item)) for position, item in enumerate(items)]


def entry_at(form: EntryList, position: int, item: Any) -> Entry:
    """The entry at a position, from 0; an item that is no mapping has neither name nor title."""
    if not isinstance(item, Mapping):
        return Entry(form.option, position)
    title = item.get("title")
    return Entry(form.option, position, _name(form, item), title if isinstance(title, str) else "")


def _effective(form: EntryList, params: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an entry; what it does not give is the task's."""
    given = {name: value for name, value in item.items() if value is not None}
    replaced = {name for group in (TARGETS, *form.alternatives) if given.keys() & set(group) for name in group}
    return {**{name: value for name, value in params.items() if name not in replaced}, **given}


def _name(form: EntryList, item: Mapping[str, Any]) -> str:
    """What an entry is called in messages: only what can be an object's name, lest it be a credential in the wrong place."""
    value = item.get(form.name)
    names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return ", ".join(name for name in names if isinstance(name, str) and is_name(name))
