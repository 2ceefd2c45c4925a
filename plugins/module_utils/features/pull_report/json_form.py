# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JSON, in the format of plugins/plugin_utils/pull_report/audit.schema.json: a line for each finding, grant and login. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["as_json"]

_encoded = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
#: Maximum depth at which an object has a line for each member: down to the lists of a cluster.
_DEPTH = 4


def as_json(document: Mapping[str, Any]) -> str:
    """Return the text of the file."""
    return f"{_format_value(document, 0)}\n"


def _format_value(value: Any, depth: int) -> str:
    is_list = isinstance(value, list)
    parts = value if is_list else value.values() if isinstance(value, Mapping) else ()
    if depth == _DEPTH or not any(isinstance(part, (list, dict)) for part in parts):
        return _line(value)
    edge = " " * (depth + 1)
    if is_list:
        lines = [f"{edge}{_format_value(part, depth + 1)}" for part in value]
    else:
        lines = [f"{edge}{_line(name)}: {_format_value(part, depth + 1)}" for name, part in value.items()]
    opening, closing = "[]" if is_list else "{}"
    return "\n".join((opening, ",\n".join(lines), " " * depth + closing))


def _line(value: Any) -> str:
    """Return the value in one line. Unprintable characters are escaped, because the file may be shown on a terminal."""
    text = _encoded(value)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)
