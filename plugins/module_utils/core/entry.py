# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries: the declarations of one task, and what belongs to which of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Entry", "Failure", "Prerequisite"]


@dataclass(frozen=True)
class Entry:
    """One item of a list of declarations: the option, the position from 0, and the name that the item gives, if any.

    `title` is what it is called in messages, such as the variable that it comes from; empty for option and position.
    """

    option: str
    position: int
    name: str = ""
    title: str = ""

    def __str__(self) -> str:
        return f"{self.place} ({self.name})" if self.name else self.place

    @property
    def place(self) -> str:
        """The title, or the option and the position."""
        return self.title or f"{self.option}[{self.position}]"


@dataclass(frozen=True)
class Failure:
    """Why one entry was not carried out in a namespace; the others were."""

    entry: Entry
    error: str


@dataclass(frozen=True)
class Prerequisite:
    """What has to appear before a plan is complete, for up to `within` seconds; `entry` is whose it is, None in a task with one."""

    what: str
    within: float = 0.0
    entry: Entry | None = None
