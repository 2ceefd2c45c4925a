# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries: the declarations of one task, with their failures and prerequisites. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Entry", "Failure", "Prerequisite"]


@dataclass(frozen=True)
class Entry:
    """One item of a list of declarations: the option, the position from 0, and the name that the item gives, if any.

    `title` names the entry in messages, for example the variable that it comes from. If it is empty, messages use option and position.
    """

    option: str
    position: int
    name: str = ""
    title: str = ""

    def __str__(self) -> str:
        return f"{self.place} ({self.name})" if self.name else self.place

    @property
    def place(self) -> str:
        """Return the title or, without one, the option and the position."""
        return self.title or f"{self.option}[{self.position}]"


@dataclass(frozen=True)
class Failure:
    """The error of one entry in a namespace. The other entries were carried out."""

    entry: Entry
    error: str


@dataclass(frozen=True)
class Prerequisite:
    """An object that a plan waits for, up to `within` seconds. `entry` is the entry that needs it, None in a task with one declaration."""

    what: str
    within: float = 0.0
    entry: Entry | None = None
