# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads one audit document from the bytes of its file. Pure.

The format is docs/audit.schema.json. A returned document is valid in all its parts, so no other code has to validate it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...core import what_if_format
from ...core.audit_format import FORMAT, SEVERITIES
from ...core.errors import OptionError
from .shape import Check, count, flag, list_of, mapping_of, members, one_of, tasks, text, text_matching, text_or_null

__all__ = ["LARGEST_BYTES", "describe_format", "from_bytes", "parse_document", "replace_unwritable"]

#: Maximum number of bytes of a document. A report over 100 clusters with 1,000 namespaces each has about a tenth.
LARGEST_BYTES = 1 << 30

#: The option for files of each format.
_OPTIONS = {"src": FORMAT, "what_if": what_if_format.FORMAT}
#: Unpaired surrogates, which no written file may contain.
_UNWRITABLE = re.compile("[\ud800-\udfff]")
_MAY_BE_UNWRITABLE = re.compile(r"\\u[dD][89a-fA-F]")


def _members_with(names: str, check: Check) -> dict[str, Check]:
    return dict.fromkeys(names.split(), check)


_TIME = text_matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "a time in UTC such as 2026-11-25T17:10:00Z")
_SEVERITY = one_of(SEVERITIES)
_RULES = mapping_of(members({"severity": _SEVERITY, **_members_with("title meaning fix", text)}))
_FINDING = members(
    {
        "id": text_matching("[0-9a-f]{16}", "an id of 16 hexadecimal digits"),
        "severity": _SEVERITY,
        "fix": tasks,
        **_members_with("rule namespace kind name location message", text),
    },
    {"new": flag, "fix_effects": list_of(text), "fix_refusal": text},
)
_MATRIX = members(
    {
        "registries": list_of(text),
        "accounts": list_of(members({**_members_with("namespace name", text), "registries": list_of(count)})),
    }
)
_CLUSTER = members(
    {
        **_members_with("name server version", text),
        "target_version": text_or_null,
        "counts": members(_members_with("namespaces pods workloads service_accounts secrets", count)),
        "verdicts": members(_members_with("pulls will_not_pull unknown", count)),
        "findings": list_of(_FINDING),
        "unreadable": list_of(text),
        "matrix": _MATRIX,
        "pullers": list_of(members(_members_with("project subject namespace binding", text))),
        "logins": list_of(members(_members_with("registry login password namespace secret", text))),
    },
    {"made": _TIME},
)
_COMPARED = members(
    {
        "made": _TIME,
        "gone": list_of(members({"cluster": text, "finding": _FINDING})),
        "rules": _RULES,
        **_members_with("only_before only_now", list_of(text)),
    }
)
_DOCUMENT = members(
    {"format": text, "made": _TIME, "rules": _RULES, "clusters": list_of(_CLUSTER)},
    {
        "findings": list_of(_FINDING),
        "missing": list_of(members(_members_with("name error", text))),
        "compared": _COMPARED,
    },
)


def from_bytes(path: str, content: bytes) -> dict[str, Any]:
    """Return the document in a file.

    :raises OptionError: when it is not a valid document, with the file's path and the problem.
    """
    document: dict[str, Any] = parse_document(path, content)
    problem = _problem(document)
    if problem:
        raise OptionError(
            f"file {path} is not a readable audit document: {problem}. Write it again with pull_access_audit. Nothing was written"
        )
    return document


def parse_document(path: str, content: bytes) -> Any:
    """Return the JSON value in a file.

    :raises OptionError: when it is not JSON, or JSON that this collection never writes, with the file's path and the problem.
    """
    try:
        return _parse_json(content)
    except _DocumentProblem as error:
        raise OptionError(f"file {path} {error}. Nothing was written") from None


def describe_format(document: Any, wanted: str) -> str:
    """Return why the document has another format than the wanted one, as a part of a sentence, or an empty text."""
    found = document.get("format") if isinstance(document, dict) else None
    if not isinstance(found, str) or found == wanted:
        return ""
    shown = found if re.fullmatch(r"[\w./-]{1,60}", found) else "another one"
    option = next((f". Name it in option {name!r}" for name, known in _OPTIONS.items() if known == found), "")
    return f"its format is {shown}, but this version reads {wanted}{option}"


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


def _problem(document: Any) -> str:
    if other := describe_format(document, FORMAT):
        return other
    shape = _DOCUMENT(document)
    if shape:
        return f"it{shape}" if shape.startswith(" ") else shape.lstrip(".")
    return _references(document)


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
