# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contradictions between declarations for one namespace. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Contradiction"]


@dataclass(frozen=True)
class Contradiction:
    """A contradiction. `first` and `second` are positions among the declarations for a namespace. `what` describes it in messages."""

    first: int
    second: int
    what: str
