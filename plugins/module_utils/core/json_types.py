# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server sent, in the shape that was expected: anything else counts as not there. Pure.

For what is only looked at. What is written back is read strictly, so that nothing is lost: see `listed` of each feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .objects import Json

__all__ = ["as_dict", "as_int", "as_list", "as_str", "as_strs"]


def as_dict(value: Any) -> Json:
    """`value` if it is a JSON object, an empty one otherwise."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> Sequence[Any]:
    """`value` if it is a JSON array, an empty one otherwise."""
    return value if isinstance(value, (list, tuple)) else ()


def as_str(value: Any) -> str:
    """`value` if it is a string, an empty one otherwise."""
    return value if isinstance(value, str) else ""


def as_strs(value: Any) -> list[str]:
    """The strings in `value` if it is a JSON array, without empty ones."""
    return [each for each in map(as_str, as_list(value)) if each]


def as_int(value: Any) -> int | None:
    """`value` if it is a whole number, none otherwise: true and false are none, although Python counts with them."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
