# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many of all may be concerned: a number, or a share of them in percent. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from .errors import OptionError

__all__ = ["Limit"]

#: So much of a text that is none is shown.
_SHOWN = 40

#: Longer numbers mean nothing, and Python refuses to read very long ones.
_FORM = re.compile(r"\s*([0-9]{1,15})(\.[0-9]{1,15})?\s*(%?)\s*")


@dataclass(frozen=True)
class Limit:
    """`text` is how it was given. Whoever asks rounds."""

    text: str
    amount: Fraction
    is_share: bool = False

    @classmethod
    def parse(cls, option: str, text: str) -> Limit:
        """:raises OptionError: unless `text` is a whole number, or a percentage from 0 to 100."""
        found = _FORM.fullmatch(text)
        if found:
            amount, is_share = Fraction(found[1] + (found[2] or "")), bool(found[3])
            if amount <= 100 if is_share else not found[2]:
                return cls(text.strip(), amount, is_share)
        raise OptionError(
            f"option {option!r}: {text[:_SHOWN]!r} is neither a whole number nor a percentage from 0% to 100%, such as '5%'"
        )

    def of(self, total: int) -> Fraction:
        """How many of `total`, exactly."""
        return total * self.amount / 100 if self.is_share else self.amount
