# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of an auth file: which spellings name the same registry or repository path.

Grammar and behaviour: kubelet `pkg/credentialprovider/keyring.go`, containers/image `pkg/docker/config`, docker/cli
`cli/config/configfile`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from ..core.errors import OptionError

__all__ = ["check_key", "matches", "may_be_shown", "registry_of", "same_path", "shown", "without_user"]

_DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_API_PREFIXES = ("v1/", "v2/")


def check_key(where: str, key: str) -> None:
    """Refuse what no client reads as a registry. `where` it stands is said, such as an option.

    :raises OptionError: when the key is empty, has no host, or holds white space, a control character or a user name.
    """
    if not key or not key.isprintable() or " " in key:
        raise OptionError(
            f"{where}: registry {without_user(key)!r} is not host[:port][/path]: it is empty, or has white space or a control character"
        )
    if not _without_scheme(key).partition("/")[0] or "@" in key:
        raise OptionError(
            f"{where}: registry {without_user(key)!r} is not host[:port][/path]: it has no host, or an '@'; "
            "give the user in 'username', and no digest"
        )


def without_user(key: str) -> str:
    """The key as it may be shown: a user and password before an `@`, and a query, which may hold a token, are left out."""
    _user, at, rest = key.rpartition("@")
    registry = registry_of(key)
    return f"{'***@' if at else ''}{registry}{'' if registry == rest else '?***'}"


def may_be_shown(key: str) -> bool:
    """Whether no credential stands in it."""
    return without_user(key) == key


def shown(keys: Iterable[str]) -> list[str]:
    """The keys as they may be shown, in order."""
    return sorted({*map(without_user, keys)})


def registry_of(key: str) -> str:
    """The key without a user and password before an `@`, and without a query."""
    return _without_query(key.rpartition("@")[2])


def same_path(key: str) -> str:
    """The one spelling under which all keys for the same registry path are equal.

    `https://quay.io/`, `quay.io` and `quay.io/v2/` are one; `quay.io/team` is another; so is `quay.io:443`, since
    every client compares ports as text. All forms of Docker Hub's own host are `docker.io`. A user before an `@` and a query
    do not count: the kubelet drops them.
    """
    host, _slash, path = _without_query(_without_scheme(key)).partition("/")
    host = host.rpartition("@")[2].lower()
    if path + "/" in _API_PREFIXES or path in _API_PREFIXES:
        path = ""
    elif path.startswith(_API_PREFIXES):
        path = path.split("/", 1)[1]
    path = path.rstrip("/")
    if host in _DOCKER_HUB:
        host = "docker.io"
    return f"{host}/{path}" if path else host


def matches(key: str, pattern: str) -> bool:
    """Whether a name or glob means the key, as it is written or in its one spelling: `quay.io` means `https://quay.io/`."""
    return fnmatchcase(key, pattern) or fnmatchcase(same_path(key), pattern)


def _without_scheme(key: str) -> str:
    for scheme in ("https://", "http://"):
        if key.lower().startswith(scheme):
            return key[len(scheme) :]
    return key


def _without_query(key: str) -> str:
    return re.split(r"[?#]", key, maxsplit=1)[0]
