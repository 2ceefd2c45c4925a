# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Suggests the correct spelling of a misspelled name. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

__all__ = ["find_similar", "format_suggestion", "unknown_options"]


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
