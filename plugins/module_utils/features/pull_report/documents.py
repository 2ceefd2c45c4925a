# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads one audit document or what-if document from the bytes of its file. Pure, except that it reads its schemas once.

The formats are the JSON schemas in plugins/plugin_utils/pull_report. A returned document is valid in all its parts, so no other code has to
validate it. The keywords `$ref`, `const`, `enum`, `type`, `pattern`, `items`, `required`, `properties` and `additionalProperties` are read. A problem
never shows a value: the file may contain credentials and may have been given by mistake.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ...core.documents import ACCESS_EFFECTS, AUDIT_FORMAT, WHAT_IF_FORMAT
from ...core.errors import OptionError
from ...core.objects import as_int

__all__ = ["LARGEST_BYTES", "find_problem", "from_bytes", "replace_unwritable", "what_if_from_bytes"]

#: Maximum number of bytes of a document. A report over 100 clusters with 1,000 namespaces each has about a tenth.
LARGEST_BYTES = 1 << 30

#: The parts of a what-if document that the page does not show. Except for the format, their contents are not checked.
_NOT_SHOWN = ("format", "summary", "restart_pulls", "images_to_mirror")
#: Unpaired surrogates, which no written file may contain.
_UNWRITABLE = re.compile("[\ud800-\udfff]")
_MAY_BE_UNWRITABLE = re.compile(r"\\u[dD][89a-fA-F]")


class _Kind(NamedTuple):
    """A kind of document: its format, the option for its files, the module that writes it, and the check of its references."""

    format: str
    option: str
    module: str
    references: Callable[[Mapping[str, Any]], str]


def from_bytes(path: str, content: bytes) -> dict[str, Any]:
    """Return the audit document in a file.

    :raises OptionError: when it is not a valid document, with the file's path and the problem.
    """
    return _read(path, content, "audit")


def what_if_from_bytes(path: str, content: bytes) -> dict[str, Any]:
    """Return the parts of the what-if document in a file that a page shows.

    :raises OptionError: when it is not a valid document, with the file's path and the problem.
    """
    document = _read(path, content, "what_if")
    return {name: value for name, value in document.items() if name not in _NOT_SHOWN}


def _read(path: str, content: bytes, name: str) -> dict[str, Any]:
    kind = _KINDS[name]
    try:
        document: dict[str, Any] = _parse_json(content)
    except _DocumentProblem as error:
        raise OptionError(f"file {path} {error}. Nothing was written") from None
    problem = _describe_format(document, kind.format) or find_problem(document, *_schema(name)).lstrip(".")
    if problem.startswith(" "):
        problem = f"it{problem}"
    if problem := problem or kind.references(document):
        raise OptionError(
            f"file {path} is not a readable {name.replace('_', '-')} document: {problem}. Write it again with {kind.module}. Nothing was written"
        )
    return document


def _describe_format(document: Any, wanted: str) -> str:
    """The reason why a document with another format than the wanted one is not read."""
    found = document.get("format") if isinstance(document, dict) else None
    if not isinstance(found, str) or found == wanted:
        return ""
    shown = found if re.fullmatch(r"[\w./-]{1,60}", found) else "another one"
    option = next((f". Name it in option {kind.option!r}" for kind in _KINDS.values() if kind.format == found), "")
    return f"its format is {shown}, but this version reads {wanted}{option}"


@cache
def _schema(name: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The schema and its definitions. Only Ansible's own process has the file, and only there a report is written."""
    text = (Path(__file__).parents[3] / f"plugin_utils/pull_report/{name}.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    unchecked: dict[str, Any] = {part: {} for part in _NOT_SHOWN[1:] if part in schema["properties"]}
    return {**schema, "properties": {**schema["properties"], **unchecked}}, schema["$defs"]


def replace_unwritable(value: Any) -> Any:
    """Return the value with each character that cannot be written replaced by U+FFFD, in names and texts at any depth."""
    if isinstance(value, str):
        return _UNWRITABLE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {replace_unwritable(name): replace_unwritable(item) for name, item in value.items()}
    return [replace_unwritable(item) for item in value] if isinstance(value, (list, tuple)) else value


class _DocumentProblem(ValueError):
    """A problem of a text, as the rest of a sentence that begins with the file."""


def _parse_json(content: bytes) -> Any:
    if len(content) > LARGEST_BYTES:
        raise _DocumentProblem(f"has {len(content) >> 20} MiB, more than the limit of {LARGEST_BYTES >> 20} MiB")
    try:
        written = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _DocumentProblem(f"is not valid UTF-8 at byte {error.start}") from None
    try:
        document = json.loads(
            written,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_parse_finite,
            parse_int=_parse_whole,
        )
    except json.JSONDecodeError as error:
        raise _DocumentProblem(f"is not valid JSON at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _DocumentProblem("is nested too deeply") from None
    return replace_unwritable(document) if _MAY_BE_UNWRITABLE.search(written) else document


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _DocumentProblem("is not valid: an object in it has the same member twice")
    return found


def _refuse_constant(name: str) -> float:
    raise _DocumentProblem(f"is not valid JSON: it contains {name}")


def _parse_finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _DocumentProblem("contains a number that is too large")
    return number


def _parse_whole(digits: str) -> int:
    if len(digits) > 18:
        raise _DocumentProblem("contains a number that is too large")
    return int(digits)


def _references(document: Mapping[str, Any]) -> str:
    """Return a reference in the document that leads nowhere, as the rest of a sentence, or an empty text if there is none."""
    for at, cluster in enumerate(document["clusters"]):
        problem = _findings_problem(cluster["findings"], document["rules"]) or _matrix_problem(cluster["matrix"])
        if problem:
            return f"clusters[{at}].{problem}"
    return _findings_problem(document.get("findings", ()), document["rules"])


def _findings_problem(findings: Sequence[Mapping[str, Any]], rules: Mapping[str, Any]) -> str:
    for at, finding in enumerate(findings):
        if finding["rule"] not in rules:
            return f"findings[{at}] has a rule that the document does not describe"
    return ""


def _matrix_problem(matrix: Mapping[str, Any]) -> str:
    number = len(matrix["registries"])
    for at, account in enumerate(matrix["accounts"]):
        if account["registries"] and max(account["registries"]) >= number:
            return f"matrix.accounts[{at}] names a registry by a position that the list does not have"
    return ""


def _changes_problem(document: Mapping[str, Any]) -> str:
    number, access = len(document["changes"]), document["access"]
    lists = {"containers": document["containers"], **{f"access.{part}": access[part] for part in ACCESS_EFFECTS}}
    for name, rows in lists.items():
        for at, row in enumerate(rows):
            if row["changes"] and max(row["changes"]) >= number:
                return f"{name}[{at}] names a change by a position that the list does not have"
    return ""


_KINDS = {
    "audit": _Kind(AUDIT_FORMAT, "src", "pull_access_audit", _references),
    "what_if": _Kind(WHAT_IF_FORMAT, "what_if", "pull_access_what_if", _changes_problem),
}


# --- the shape of a document

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
