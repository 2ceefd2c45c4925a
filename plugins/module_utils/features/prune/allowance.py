# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much may be removed at once. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from ...core.errors import OptionError

__all__ = ["Allowance"]


@dataclass(frozen=True)
class Allowance:
    """A number of things, or a share in percent of all that an owner has; `text` is how it was given."""

    text: str
    number: int | None = None
    percent: Fraction = Fraction(0)

    @classmethod
    def parse(cls, text: str) -> Allowance:
        """:raises OptionError: unless `text` is a whole number, or a percentage from 0 to 100."""
        found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(%?)\s*", text)
        if found and found.group(2) and Fraction(found.group(1)) <= 100:
            return cls(text.strip(), percent=Fraction(found.group(1)))
        if found and not found.group(2) and found.group(1).isdigit():
            return cls(text.strip(), number=int(found.group(1)))
        raise OptionError(f"option 'max_prune': {text!r} is neither a whole number nor a percentage such as '10%'")

    def of(self, total: int) -> int:
        """How many of `total` may be removed; a share is rounded up."""
        return ceil(total * self.percent / 100) if self.number is None else self.number
