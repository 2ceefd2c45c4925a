# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit: a number of items, or a percentage of all items. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from .errors import OptionError

__all__ = ["USUAL_LIMIT", "Limit"]

#: The default of the options that limit a prune.
USUAL_LIMIT = "10%"

#: Maximum number of characters of an invalid text in a message.
_SHOWN = 40

#: Longer numbers are meaningless, and Python refuses to read very long ones.
_FORM = re.compile(r"\s*([0-9]{1,15})(\.[0-9]{1,15})?\s*(%?)\s*")


@dataclass(frozen=True)
class Limit:
    """A number or, if `is_share`, a percentage. `text` is the option's value. The caller of `of` rounds."""

    text: str
    amount: Fraction
    is_share: bool = False

    @classmethod
    def parse(cls, option: str, text: str) -> Limit:
        """Return the limit that the text of an option gives.

        :raises OptionError: unless `text` is a whole number, or a percentage from 0 to 100.
        """
        found = _FORM.fullmatch(text)
        if found:
            amount, is_share = Fraction(found[1] + (found[2] or "")), bool(found[3])
            if amount <= 100 if is_share else not found[2]:
                return cls(text.strip(), amount, is_share)
        raise OptionError(
            f"option {option!r}: {text[:_SHOWN]!r} is neither a whole number nor a percentage from 0% to 100%, such as '5%'"
        )

    def of(self, total: int) -> Fraction:
        """Return the exact share of `total`, or the number itself."""
        return total * self.amount / 100 if self.is_share else self.amount
