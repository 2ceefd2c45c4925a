# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks whether a JSON value has the required shape. Pure.

A check returns the problem as the rest of a sentence that begins with the place, such as `.counts.pods is not a whole number from 0 on`,
or an empty text if there is none. It never shows a value: the file may contain credentials and may have been given by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...core.objects import as_int

__all__ = [
    "Check",
    "anything",
    "count",
    "flag",
    "list_of",
    "mapping_of",
    "members",
    "one_of",
    "tasks",
    "text",
    "text_matching",
    "text_or_null",
]

Check = Callable[[Any], str]

#: A member's name that may be shown. No name of this format is longer.
_SHOWN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}\Z")
_MODULE = re.compile(r"openshift_ops\.image_pull\.[a-z_]+\Z")


def anything(_value: Any) -> str:
    """Accept any value, which nothing reads."""
    return ""


def text(value: Any) -> str:
    return "" if isinstance(value, str) else " is not a text"


def text_or_null(value: Any) -> str:
    return "" if value is None or isinstance(value, str) else " is neither a text nor null"


def flag(value: Any) -> str:
    return "" if isinstance(value, bool) else " is neither true nor false"


def count(value: Any) -> str:
    """Check for a whole number that is not negative."""
    number = as_int(value)
    return "" if number is not None and number >= 0 else " is not a whole number from 0 on"


def tasks(value: Any) -> str:
    """Check for a list of tasks as in a fix: each has a name and one module of this collection, and is not nested more deeply."""
    is_one = isinstance(value, list) and all(isinstance(item, dict) and _is_task(item) for item in value)
    return "" if is_one else " is not a list of tasks of this collection"


def _is_task(task: dict[str, Any]) -> bool:
    modules = [name for name in task if name != "name"]
    is_ours = len(modules) == 1 and bool(_MODULE.match(modules[0])) and isinstance(task.get("name"), str)
    return is_ours and _is_options(task[modules[0]])


def _is_options(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    items = (item for option in value.values() for item in (option if isinstance(option, list) else [option]))
    return all(_is_scalar(part) for item in items for part in (item.values() if isinstance(item, dict) else [item]))


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, (list, dict))


def one_of(values: Sequence[str]) -> Check:
    """Return a check for one of these texts."""

    def check(value: Any) -> str:
        return "" if isinstance(value, str) and value in values else f" is not one of {', '.join(values)}"

    return check


def text_matching(pattern: str, meaning: str) -> Check:
    """Return a check for a text that matches the whole pattern. `meaning` names the format, such as `a time in UTC`."""
    expression = re.compile(pattern)

    def check(value: Any) -> str:
        return "" if isinstance(value, str) and expression.fullmatch(value) else f" is not {meaning}"

    return check


def list_of(item: Check) -> Check:
    """Return a check for a list whose items all pass the check."""

    def check(value: Any) -> str:
        if not isinstance(value, list):
            return " is not a list"
        for at, one in enumerate(value):
            if found := item(one):
                return f"[{at}]{found}"
        return ""

    return check


def mapping_of(item: Check) -> Check:
    """Return a check for an object with any names."""

    def check(value: Any) -> str:
        if not isinstance(value, dict):
            return " is not an object"
        for name, one in value.items():
            if found := item(one):
                return f".{_format_name(name)}{found}"
        return ""

    return check


def members(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Return a check for an object with these members and no others."""
    known = {**required, **(optional or {})}

    def check(value: Any) -> str:
        if not isinstance(value, dict):
            return " is not an object"
        if not required.keys() <= value.keys():
            return f" lacks the member {next(name for name in required if name not in value)!r}"
        for name, one in value.items():
            if name not in known:
                return f" has a member that this format does not know: {_format_name(name)}"
            if found := known[name](one):
                return f".{name}{found}"
        return ""

    return check


def _format_name(name: str) -> str:
    return name if _SHOWN.match(name) else "one with an unusual name"
