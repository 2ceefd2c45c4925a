# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of options: the correct spelling of a misspelled name, and limits. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from .errors import OptionError

__all__ = [
    "USUAL_LIMIT",
    "Limit",
    "find_similar",
    "format_suggestion",
    "unknown_options",
]


def find_similar(name: str, known: Collection[str]) -> str:
    """Return the known name that was probably meant. Empty if none is similar."""
    longer = [one for one in known if len(name) > 2 and one.startswith(name)]
    found = get_close_matches(name, known, 1, 0.7) or sorted(longer, key=len)
    return found[0] if found else ""


def format_suggestion(name: str, known: Collection[str]) -> str:
    """Return the end of a sentence that suggests the similar name. Empty if none is similar."""
    found = find_similar(name, known)
    return f": did you mean {found!r}?" if found else ""


def unknown_options(arguments: Mapping[str, Any], given: Mapping[Any, Any], where: str = "") -> Iterator[str]:
    """Yield a sentence for each option that the argument spec does not have, including suboptions, with the valid options."""
    names = [*arguments, *(alias for spec in arguments.values() for alias in spec.get("aliases", ()))]
    for name, value in given.items():
        if name not in names:
            if not str(name).startswith("_ansible_"):
                yield f"{where}{name} is unknown{format_suggestion(str(name), names) or ';'} it takes {', '.join(sorted(arguments))}"
            continue
        options = arguments.get(name, {}).get("options")
        if not options:
            continue
        for position, item in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(item, Mapping):
                index = f"[{position}]" if isinstance(value, list) else ""
                yield from unknown_options(options, item, f"{where}{name}{index}.")


#: The default of the options that limit a prune.
USUAL_LIMIT = "10%"

#: Maximum number of characters of an invalid text in a message.
_SHOWN_LENGTH = 40

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
            f"option {option!r}: {text[:_SHOWN_LENGTH]!r} is neither a whole number nor a percentage from 0% to 100%, such as '5%'"
        )

    def of(self, total: int) -> Fraction:
        """Return the exact share of `total`, or the number itself."""
        return total * self.amount / 100 if self.is_share else self.amount
