# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of a cluster in an event is text. Pure.

An event becomes variables of a playbook, and Ansible takes a text with two braces for a template. Whoever may annotate a namespace, or
name a role binding, could then run a program where the rulebook runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["plain"]

#: What begins a template of Jinja: an expression, a statement or a comment.
_BEGINS = re.compile(r"\{(?=[{%#])")


def plain(value: Any) -> Any:
    """The same JSON-like value in which no text begins a template."""
    if isinstance(value, str):
        return _BEGINS.sub("{ ", value)
    if isinstance(value, Mapping):
        return {plain(name): plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, (list, tuple)) else value
