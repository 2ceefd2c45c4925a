# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks as YAML to be pasted into a playbook. Pure.

Only the variables that stand for a registry and its login are templates. Every other text may have come from a cluster: where it looks
like a template it gets the tag with which Ansible takes it as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["as_yaml"]

#: Members of an entry of a pull secret, and the variables that stand in them.
_TEMPLATES = {
    "registry": "{{ registry }}",
    "username": "{{ registry_username }}",
    "password": "{{ registry_password }}",
}
_TEMPLATE_MARKS = ("{{", "{%", "{#")
#: Text that YAML reads as itself without quotes: it begins with a letter, and holds nothing that has a meaning.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@-]*(?: [A-Za-z0-9_./@-]+)*\Z")
#: What begins with a letter and is no text for YAML 1.1 or 1.2.
_NO_TEXT = re.compile(r"(?:y|n|yes|no|on|off|true|false|null|nan|inf)\Z", re.IGNORECASE)
_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def as_yaml(tasks: Sequence[Mapping[str, Any]]) -> str:
    """The list of tasks in block style; empty without one."""
    return "".join(f"{line}\n" for line in _list(tasks, "")) if tasks else ""


def _block(value: Any, edge: str) -> list[str] | None:
    """The lines of a list or mapping that holds something; None for what stands in one line."""
    if isinstance(value, Mapping) and value:
        return _mapping(value, edge)
    return _list(value, edge) if isinstance(value, (list, tuple)) and value else None


def _list(items: Sequence[Any], edge: str) -> list[str]:
    lines = []
    for item in items:
        below = _block(item, f"{edge}  ")
        if below is None:
            lines.append(f"{edge}- {_scalar(item, '')}")
        else:
            lines += [f"{edge}- {below[0].lstrip(' ')}", *below[1:]]
    return lines


def _mapping(members: Mapping[str, Any], edge: str) -> list[str]:
    lines = []
    for name, value in members.items():
        below = _block(value, f"{edge}  ")
        if below is None:
            lines.append(f"{edge}{_text(name)}: {_scalar(value, name)}")
        else:
            lines += [f"{edge}{_text(name)}:", *below]
    return lines


def _scalar(value: Any, name: str) -> str:
    if isinstance(value, str):
        if any(mark in value for mark in _TEMPLATE_MARKS) and value != _TEMPLATES.get(name):
            return f"!unsafe {_quoted(value)}"
        return _text(value)
    return json.dumps(value)


def _text(text: str) -> str:
    return text if _PLAIN.match(text) and not _NO_TEXT.match(text) else _quoted(text)


def _quoted(text: str) -> str:
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{"".join(map(_letter, text))}"'


def _letter(letter: str) -> str:
    if letter in _ESCAPED:
        return _ESCAPED[letter]
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
