# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that consist of one variable, and the values of these variables, not evaluated. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes

__all__ = ["follow_variable", "is_used", "variable_of"]

#: A template that consists of one variable. Any other text may be a password.
_VARIABLE = re.compile(r"\{\{-?\s*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)\s*-?\}\}\Z")
_MISSING = object()
#: The keys that every registered result of a task has. Such a variable is not from the inventory, and may hold a new token.
_RESULT = ("changed", "failed")
#: Maximum number of variables that refer to each other.
_DEEPEST = 20


def variable_of(value: Any) -> str:
    """Return the name of the variable if a value consists of one, such as a vaulted variable; empty otherwise."""
    if not isinstance(value, str) or hasattr(value, "_ciphertext"):
        return ""
    found = _VARIABLE.match(value.strip())
    return found[1] if found else ""


def follow_variable(value: Any, variables: Mapping[str, Any]) -> Any:
    """Return the value as it is written in the last variable that it refers to. `variables` are not evaluated."""
    for _step in range(_DEEPEST):
        found: Any = variables
        for name in variable_of(value).split("."):
            is_known = isinstance(found, Mapping) and not all(key in found for key in _RESULT)
            found = found.get(name, _MISSING) if is_known else _MISSING
        if found is _MISSING:
            break
        value = found
    return value


def is_used(name: str, variables: Mapping[str, Any]) -> bool:
    """Whether the template of another variable contains a variable. Variables that begin with an underscore are ours, and do not count."""
    return any(_has_name(name, variables[other]) for other in variables if other != name and not other.startswith("_"))


def _has_name(name: str, value: Any) -> bool:
    if isinstance(value, (dict, list)):
        return any(_has_name(name, item) for item in (value.values() if isinstance(value, dict) else value))
    with suppress(TemplateSyntaxError):
        is_template = isinstance(value, str) and name in value and "{" in value
        return is_template and name in {
            found.name for found in Environment(autoescape=True).parse(value).find_all(nodes.Name)
        }
    return False
