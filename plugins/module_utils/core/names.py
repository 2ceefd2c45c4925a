# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names as the API server accepts them; refused here so that no request is sent for one that cannot exist. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .errors import OptionError

__all__ = [
    "LONGEST_NAME",
    "check_free_name",
    "check_name",
    "check_names",
    "check_namespace",
    "check_path_segment",
    "is_name",
    "is_namespace",
    "is_pattern",
    "quoted",
]

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*\Z")
_NAMESPACE = re.compile(rf"{_LABEL}\Z")
#: Maximum length of an object's name, and of a namespace's.
LONGEST_NAME, _LONGEST_NAMESPACE = 253, 63

#: No name holds these: control characters, and halves of a character, which the API server would replace.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

#: So many characters of a refused name are shown.
_SHOWN = 80


def is_name(name: str) -> bool:
    """Whether `name` is a DNS subdomain of at most 253 characters."""
    return len(name) <= LONGEST_NAME and bool(_SUBDOMAIN.match(name))


def is_namespace(name: str) -> bool:
    """Whether `name` is a DNS label of at most 63 characters."""
    return len(name) <= _LONGEST_NAMESPACE and bool(_NAMESPACE.match(name))


def check_name(option: str, name: str) -> None:
    """:raises OptionError: unless `is_name`."""
    if not is_name(name):
        raise OptionError(
            f"option {option!r}: {quoted(name)} cannot be an object's name: use lower-case letters, digits, '-' and '.', "
            f"at most {LONGEST_NAME}, beginning and ending with a letter or digit"
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
    """:raises OptionError: unless `is_namespace`."""
    if not is_namespace(name):
        raise OptionError(
            f"option {option!r}: {quoted(name)} cannot be a namespace: use lower-case letters, digits and '-', "
            f"at most {_LONGEST_NAMESPACE}, beginning and ending with a letter or digit{_instead(name)}"
        )


def _instead(name: str) -> str:
    """What was most likely meant; empty where that is not clear."""
    if is_pattern(name) and len(name) <= _SHOWN:
        return f"; to select namespaces by a pattern, write in place of it namespace_selector: {{include: [{name!r}]}}"
    return f"; write {name.lower()!r}" if is_namespace(name.lower()) else ""


def check_path_segment(option: str, name: str) -> None:
    """The rule for names of roles and role bindings (kubernetes apimachinery pkg/api/validation/path).

    :raises OptionError: for a name that is empty or cannot stand in a URL's path.
    """
    if not name.strip() or name in (".", "..") or re.search("[/%]", name) or _UNPRINTABLE.search(name):
        raise OptionError(
            f"option {option!r}: {quoted(name)} cannot be an object's name: it must not be empty, '.' or '..', nor hold "
            "'/', '%' or control characters"
        )


def check_free_name(option: str, name: str) -> None:
    """The rule for users and groups, which are no objects. :raises OptionError: for one that is empty or not printable."""
    if not name.strip():
        raise OptionError(f"option {option!r} holds an empty name")
    if _UNPRINTABLE.search(name):
        raise OptionError(f"option {option!r}: {quoted(name)} holds control characters or half a character")


def is_pattern(name: str) -> bool:
    """Whether `name` is a glob rather than a name."""
    return any(character in name for character in "*?[")


def quoted(name: str) -> str:
    """A refused name in a message, of bounded length."""
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")
