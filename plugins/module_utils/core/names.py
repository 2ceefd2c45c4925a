# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names as the API server accepts them; refused here so that no request is sent for one that cannot exist."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .errors import OptionError

__all__ = ["check_name", "check_names", "check_namespace", "is_pattern"]

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*\Z")
_NAMESPACE = re.compile(rf"{_LABEL}\Z")


def check_name(option: str, name: str) -> None:
    """:raises OptionError: unless `name` is a DNS subdomain of at most 253 characters."""
    if len(name) > 253 or not _SUBDOMAIN.match(name):
        raise OptionError(
            f"option {option!r}: {name!r} cannot be an object's name: lower-case letters, digits, '-' and '.', at most 253, "
            "beginning and ending with a letter or digit"
        )


def check_names(option: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once. :raises OptionError: when there is none, or one cannot be an object's name."""
    unique = tuple(dict.fromkeys(names))
    if not unique:
        raise OptionError(f"option {option!r} is empty: give at least one")
    for name in unique:
        check_name(option, name)
    return unique


def check_namespace(option: str, name: str) -> None:
    """:raises OptionError: unless `name` is a DNS label of at most 63 characters."""
    if len(name) > 63 or not _NAMESPACE.match(name):
        raise OptionError(
            f"option {option!r}: {name!r} cannot be a namespace: lower-case letters, digits and '-', at most 63, "
            "beginning and ending with a letter or digit"
        )


def is_pattern(name: str) -> bool:
    """Whether `name` is a glob rather than a name."""
    return any(character in name for character in "*?[")
