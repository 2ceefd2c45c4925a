# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find credentials that YAML read as a number, a boolean or a date. Pure.

The original text is lost then: `0123` is 83, `1e3` is 1000.0, `on` is true. The plugins do not guess the credential.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.redaction import CONTAINERS

__all__ = ["find_unquoted", "why_unquoted"]

#: Parts of a login that are not secret.
_NAMES = frozenset({"username", "client_id"})

_KINDS = ((bool, "true or false"), ((int, float), "a number"), (date, "a date"))


def why_unquoted(where: str, value: object) -> str:
    """Return why the value at `where` cannot be used as a credential; empty for a text or a missing value."""
    kind = next((name for type_, name in _KINDS if isinstance(value, type_)), "")
    if not kind:
        return ""
    return f"{where} is {kind} and not a text: YAML has changed it, so put it in quotes where it is defined"


def find_unquoted(arguments: Mapping[str, Any], options: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """Yield a sentence for each credential or user name in a module's options that YAML has changed. It never contains the value."""
    for name, value in options.items():
        spec = arguments.get(name)
        if not isinstance(spec, Mapping):
            continue
        if "options" in spec:
            for position, item in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(item, Mapping):
                    index = f"[{position}]" if isinstance(value, list) else ""
                    yield from find_unquoted(spec["options"], item, f"{where}{name}{index}.")
        elif spec.get("no_log") or name in _NAMES or name in CONTAINERS:
            yield from _find_unquoted_values(f"{where}{name}", value)


def _find_unquoted_values(where: str, value: object) -> Iterator[str]:
    """Check a value. In a structure, such as an auth file, check only dates: JSON has no dates, and numbers are checked later."""
    if isinstance(value, (Mapping, list)):
        parts = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, part in parts:
            if isinstance(part, (Mapping, list, date)):
                yield from _find_unquoted_values(
                    f"{where}.{name}" if isinstance(value, Mapping) else f"{where}[{name}]", part
                )
    elif why := why_unquoted(where, value):
        yield why
