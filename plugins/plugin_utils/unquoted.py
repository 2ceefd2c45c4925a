# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials that YAML read as a number, a truth value or a date. Pure.

What was typed is lost then: `0123` is 83, `1e3` is 1000.0, `on` is true. A wrong credential is not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.redaction import CONTAINERS

__all__ = ["unquoted", "unquoted_value"]

#: What is a part of a login, and no secret.
_NAMES = frozenset({"username", "client_id"})

_KINDS = ((bool, "true or false"), ((int, float), "a number"), (date, "a date"))


def unquoted_value(where: str, value: object) -> str:
    """Why a credential cannot be taken as it is; empty for a text, and for what is not there. `where` it stands is said."""
    kind = next((name for type_, name in _KINDS if isinstance(value, type_)), "")
    if not kind:
        return ""
    return f"{where} is {kind} and not a text: YAML has changed it, so put it in quotes, where it is defined"


def unquoted(arguments: Mapping[str, Any], options: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """A sentence for each credential and user name among the options of a module. No value is repeated."""
    for name, value in options.items():
        spec = arguments.get(name)
        if not isinstance(spec, Mapping):
            continue
        if "options" in spec:
            for position, item in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(item, Mapping):
                    index = f"[{position}]" if isinstance(value, list) else ""
                    yield from unquoted(spec["options"], item, f"{where}{name}{index}.")
        elif spec.get("no_log") or name in _NAMES or name in CONTAINERS:
            yield from _in_value(f"{where}{name}", value)


def _in_value(where: str, value: object) -> Iterator[str]:
    """Of a structure, such as the content of an auth file, only what JSON could not say: numbers are judged where it is read."""
    if isinstance(value, (Mapping, list)):
        parts = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, part in parts:
            if isinstance(part, (Mapping, list, date)):
                yield from _in_value(f"{where}.{name}" if isinstance(value, Mapping) else f"{where}[{name}]", part)
    elif why := unquoted_value(where, value):
        yield why
