# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks names as the API server does, so that no request is sent for a name that cannot exist. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .errors import OptionError
from .text import is_plain

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*\Z")
_NAMESPACE = re.compile(rf"{_LABEL}\Z")
#: The digest of an image has one of three algorithms, and the whole length of it (opencontainers/go-digest algorithm.go).
DIGEST = r"sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})"
#: Maximum length of an object's name, and of a namespace's.
LONGEST_NAME, _LONGEST_NAMESPACE = 253, 63

#: Characters that no name contains: control characters, and unpaired surrogates, which the API server would replace.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

#: Characters that the API server accepts in no name.
_NO_SEGMENT = re.compile("[/%\ud800-\udfff]")

#: Maximum number of characters of an invalid name in a message.
_SHOWN = 80


def is_name(name: str) -> bool:
    """Whether `name` is a DNS subdomain of at most 253 characters."""
    return len(name) <= LONGEST_NAME and bool(_SUBDOMAIN.match(name))


def is_namespace(name: str) -> bool:
    """Whether `name` is a DNS label of at most 63 characters."""
    return len(name) <= _LONGEST_NAMESPACE and bool(_NAMESPACE.match(name))


def is_object_name(text: str) -> bool:
    """Whether the text is plain and can name an object, including names of roles and role bindings such as `system:image-pullers`."""
    return len(text) <= LONGEST_NAME and "/" not in text and is_plain(text)


def is_path_segment(name: str) -> bool:
    """Whether an object of any kind can have the name (kubernetes apimachinery pkg/api/validation/path). The JSON of a cluster has no unpaired
    surrogate."""
    return name not in ("", ".", "..") and not _NO_SEGMENT.search(name)


def check_name(option: str, name: str) -> None:
    """Check the name of an object.

    :raises OptionError: unless `is_name`.
    """
    if not is_name(name):
        raise OptionError(
            f"option {option!r}: {quote_name(name)} cannot be an object's name: use lower-case letters, digits, '-' and '.', "
            f"at most {LONGEST_NAME}, beginning and ending with a letter or digit{_write_instead(name, is_name)}"
        )


def check_names(option: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, each once.

    :raises OptionError: if there is none, or one cannot be an object's name.
    """
    unique = tuple(dict.fromkeys(names))
    if not unique:
        raise OptionError(f"option {option!r} is empty: give at least one")
    for name in unique:
        check_name(option, name)
    return unique


def check_namespace(option: str, name: str) -> None:
    """Check the name of a namespace.

    :raises OptionError: unless `is_namespace`.
    """
    if not is_namespace(name):
        raise OptionError(
            f"option {option!r}: {quote_name(name)} cannot be a namespace: use lower-case letters, digits and '-', "
            f"at most {_LONGEST_NAMESPACE}, beginning and ending with a letter or digit{_suggest_name(name)}"
        )


def _suggest_name(name: str) -> str:
    """The name that was probably meant. Empty if that is unclear."""
    if is_pattern(name) and len(name) <= _SHOWN:
        return f". To select namespaces by a pattern, write 'namespace_selector: {{include: [\"{name}\"]}}' instead"
    several = re.split(r"[\s,]+", name.strip(" ,"))
    if len(several) > 1 and len(name) <= _SHOWN and all(is_namespace(each) for each in several):
        return f". Write a list: [{', '.join(several)}]"
    return _write_instead(name, is_namespace)


def _write_instead(name: str, is_valid: Callable[[str], bool]) -> str:
    meant = re.sub(r"[\s_]+", "-", name.lower()).strip("-")
    return f". Write {meant!r}" if is_valid(meant) and len(name) <= _SHOWN else ""


def check_path_segment(option: str, name: str) -> None:
    """Check the name of a role or role binding (kubernetes apimachinery pkg/api/validation/path).

    :raises OptionError: if the name is empty or not allowed in the path of a URL.
    """
    if not name.strip() or not is_path_segment(name) or _UNPRINTABLE.search(name):
        raise OptionError(
            f"option {option!r}: {quote_name(name)} cannot be an object's name: it must not be empty, '.' or '..', nor contain "
            "'/', '%' or control characters"
        )


def check_free_name(option: str, name: str) -> None:
    """Check the name of a user or group, which is not an object.

    :raises OptionError: if the name is empty or not printable.
    """
    if not name.strip():
        raise OptionError(f"option {option!r} contains an empty name")
    if _UNPRINTABLE.search(name):
        raise OptionError(f"option {option!r}: {quote_name(name)} contains control characters or an unpaired surrogate")


def is_pattern(name: str) -> bool:
    """Whether `name` is a glob and not a name."""
    return any(character in name for character in "*?[")


def quote_name(name: str) -> str:
    """Return an invalid name for a message, with bounded length."""
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")
