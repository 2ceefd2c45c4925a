# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks whether a JSON value has the shape that a JSON schema describes. Pure.

It reads the keywords `$ref`, `const`, `enum`, `type`, `pattern`, `items`, `required`, `properties` and `additionalProperties`. A problem never
shows a value: the file may contain credentials and may have been given by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ...core.json_types import as_int

__all__ = ["find_problem"]

_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"
#: The words for some patterns.
_FORMATS = {_TIME: "a time in UTC such as 2026-11-25T17:10:00Z", "^[0-9a-f]{16}$": "an id of 16 hexadecimal digits"}
#: A member's name that may be shown. No name of this format is longer.
_SHOWN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}\Z")
_MODULE = re.compile(r"openshift_ops\.image_pull\.[a-z_]+\Z")

Schema = Mapping[str, Any]


def find_problem(value: Any, schema: Schema, definitions: Mapping[str, Schema]) -> str:
    """Return the problem as the rest of a sentence that begins with the place, such as `.counts.pods is not a whole number from 0 on`.

    Empty if there is none. `definitions` are the schema's `$defs`. A list of tasks is one of this collection.
    """
    if name := schema.get("$ref", "").removeprefix("#/$defs/"):
        return _check_tasks(value) if name == "tasks" else find_problem(value, definitions[name], definitions)
    allowed = schema.get("enum", (schema["const"],) if "const" in schema else ())
    if allowed:
        return "" if isinstance(value, str) and value in allowed else f" is not one of {', '.join(allowed)}"
    if pattern := schema.get("pattern"):
        fits = isinstance(value, str) and re.fullmatch(pattern, value)
        return "" if fits else f" is not {_FORMATS.get(pattern, 'a text of the required format')}"
    kind = schema.get("type", "anything")
    is_one, problem = _TYPES[kind if isinstance(kind, str) else "/".join(kind)]
    if not is_one(value):
        return problem
    if kind == "array":
        return _check_items(value, schema["items"], definitions)
    return _check_members(value, schema, definitions) if kind == "object" else ""


def _is_count(value: Any) -> bool:
    number = as_int(value)
    return number is not None and number >= 0


_TYPES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "anything": (lambda _value: True, ""),
    "array": (lambda value: isinstance(value, list), " is not a list"),
    "boolean": (lambda value: isinstance(value, bool), " is neither true nor false"),
    "integer": (_is_count, " is not a whole number from 0 on"),
    "object": (lambda value: isinstance(value, dict), " is not an object"),
    "string": (lambda value: isinstance(value, str), " is not a text"),
    "string/null": (lambda value: value is None or isinstance(value, str), " is neither a text nor null"),
}


def _check_items(values: list[Any], schema: Schema, definitions: Mapping[str, Schema]) -> str:
    for at, value in enumerate(values):
        if found := find_problem(value, schema, definitions):
            return f"[{at}]{found}"
    return ""


def _check_members(values: dict[str, Any], schema: Schema, definitions: Mapping[str, Schema]) -> str:
    known, other = schema.get("properties", {}), schema.get("additionalProperties", {})
    for name in schema.get("required", ()):
        if name not in values:
            return f" lacks the member {name!r}"
    for name, value in values.items():
        part, shown = (
            known.get(name, other),
            name if name in known or _SHOWN.match(name) else "one with an unusual name",
        )
        if part is False:
            return f" has a member that this format does not know: {shown}"
        if found := find_problem(value, part, definitions):
            return f".{shown}{found}"
    return ""


def _check_tasks(value: Any) -> str:
    """Check for tasks as in a fix: each has a name and one module of this collection, and is not nested more deeply."""
    is_list = isinstance(value, list) and all(isinstance(item, dict) and _is_task(item) for item in value)
    return "" if is_list else " is not a list of tasks of this collection"


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
