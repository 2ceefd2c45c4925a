# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this collection created an object. Pure."""

from __future__ import annotations

from .changes import MANAGED_BY
from .objects import Json, metadata
from .shapes import mapping

__all__ = ["is_managed"]


def is_managed(obj: Json) -> bool:
    """Whether the object carries our label, which every object has that this collection created."""
    labels = mapping(metadata(obj).get("labels"))
    return all(labels.get(key) == value for key, value in MANAGED_BY.items())
