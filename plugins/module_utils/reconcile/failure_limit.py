# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many namespaces of a task may fail before the rest is not attempted."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..core.errors import OptionError

__all__ = ["FailureLimit"]


@dataclass(frozen=True)
class FailureLimit:
    """A number of namespaces, or a share of all of them in percent; without either there is no limit."""

    number: int | None = None
    percent: float | None = None

    @classmethod
    def parse(cls, text: str | None) -> FailureLimit:
        """:raises OptionError: unless `text` is a whole number, or a percentage from 0 to 100."""
        if text is None:
            return cls()
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", text)
        if found and found.group(2) and float(found.group(1)) <= 100:
            return cls(percent=float(found.group(1)))
        if found and not found.group(2) and found.group(1).isdigit():
            return cls(number=int(found.group(1)))
        raise OptionError(f"option 'max_failures': {text!r} is neither a whole number nor a percentage such as '5%'")

    def of(self, total: int) -> int | None:
        """How many of `total` may fail; None for any number."""
        return self.number if self.percent is None else int(total * self.percent / 100)
