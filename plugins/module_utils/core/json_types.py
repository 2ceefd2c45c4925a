# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads values of a server's response by type. A value of another type counts as missing. Pure.

Only for values that are read. Values that are written back are read strictly, so that nothing is lost: see `listed` of each feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .objects import Json

__all__ = ["as_dict", "as_int", "as_list", "as_str", "as_strs"]


def as_dict(value: Any) -> Json:
    """Return `value` if it is a JSON object, otherwise an empty one."""
    # Most values are dictionaries or missing, and Python needs much longer for the question about an abstract class.
    if isinstance(value, dict):
        return value
    return value if value is not None and isinstance(value, Mapping) else {}


def as_list(value: Any) -> Sequence[Any]:
    """Return `value` if it is a JSON array, otherwise an empty one."""
    return value if isinstance(value, (list, tuple)) else ()


def as_str(value: Any) -> str:
    """Return `value` if it is a string, otherwise an empty one."""
    return value if isinstance(value, str) else ""


def as_strs(value: Any) -> list[str]:
    """Return the non-empty strings in `value` if it is a JSON array."""
    return [each for each in map(as_str, as_list(value)) if each]


def as_int(value: Any) -> int | None:
    """Return `value` if it is an integer, otherwise None. Unlike in Python, true and false are not integers."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
