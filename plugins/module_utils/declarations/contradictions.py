# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations that cannot hold together in one namespace. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Contradiction"]


@dataclass(frozen=True)
class Contradiction:
    """`first` and `second` are positions among the declarations for a namespace; `what` says what they disagree about."""

    first: int
    second: int
    what: str
