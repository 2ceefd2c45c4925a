# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of an auth file: which spellings name the same registry or repository path.

Grammar and behaviour: kubelet `pkg/credentialprovider/keyring.go`, containers/image `pkg/docker/config`, docker/cli
`cli/config/configfile`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..core.errors import OptionError
from .key_urls import is_image_host, parse_url, without_any_scheme

__all__ = ["check_key", "host_of", "matches", "may_be_shown", "registry_of", "same_path", "shown", "without_user"]

_DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_API_PREFIXES = ("v1/", "v2/")
#: Python's `lower` also makes an ASCII letter of the Kelvin sign, which is not a letter of any registry's host.
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_HIDDEN = "***"


def check_key(where: str, key: str) -> None:
    """Refuse what no client reads as a registry. `where` it stands is said, such as an option.

    :raises OptionError: when the key is empty, has no host, or holds white space, a control character or a user name.
    """
    if not key or not key.isprintable() or " " in key:
        raise OptionError(
            f"{where}: registry {without_user(key)!r} is not host[:port][/path]: it is empty, or has white space or a control character"
        )
    if not without_any_scheme(key).partition("/")[0] or "@" in key:
        raise OptionError(
            f"{where}: registry {without_user(key)!r} is not host[:port][/path]: it has no host, or an '@'; "
            "give the user in 'username', and no digest"
        )


def without_user(key: str) -> str:
    """The key as it may be shown, for the registry that a node uses it for.

    A user and password before an `@` are left out, and a query or fragment, which may hold a token. An `@` in the path may end a
    password that holds a slash, so the path and the port are left out too. A key with one of these signs is `***` when it names no
    registry, or when its host may be a user.
    """
    parts, registry = _parts(key), registry_of(key)
    if registry:
        return f"{_HIDDEN + '@' if parts.has_user else ''}{registry}{'?' + _HIDDEN if parts.query else ''}"
    if not set("@?#") & set(key):
        return key
    name, colon, _port = parts.host.partition(":")
    return f"{name}{colon and ':' + _HIDDEN}/{_HIDDEN}" if "." in name and _is_read(key) else _HIDDEN


def may_be_shown(key: str) -> bool:
    """Whether no credential stands in it."""
    return without_user(key) == key


def shown(keys: Iterable[str]) -> list[str]:
    """The keys as they may be shown, in order."""
    return sorted({*map(without_user, keys)})


def registry_of(key: str) -> str:
    """The registry or path that nodes use the key for, without a user and password before it and without a query.

    Empty when no client reads the key as that of a registry, and when an `@` behind the host may end a password.
    """
    parts = _parts(key)
    if not _is_read(key) or "@" in parts.path or ("@" in parts.query and "." not in parts.host):
        return ""
    return parts.host + parts.path if parts.has_user else re.split(r"[?#]", key, maxsplit=1)[0]


def host_of(key: str) -> str:
    """The `host[:port]` that nodes use the key for, in the spelling of `same_path`; empty where `registry_of` is."""
    return same_path(registry_of(key)).partition("/")[0]


def same_path(key: str) -> str:
    """The one spelling under which all keys for the same registry path are equal.

    `https://quay.io/`, `quay.io` and `quay.io/v2/` are one; `quay.io/team` is another; so is `quay.io:443`, since
    every client compares ports as text. All forms of Docker Hub's own host are `docker.io`. A user before an `@` and a query
    do not count: the kubelet drops them. A key that no client reads has no host before its slash, and is equal to itself only.
    """
    if not _is_read(key):
        return f"/{key.removeprefix('/')}"
    parts = _parts(key)
    host, path = parts.host.translate(_LOWER).removesuffix(":"), parts.path.removeprefix("/")
    if path + "/" in _API_PREFIXES or path in _API_PREFIXES:
        path = ""
    elif path.startswith(_API_PREFIXES):
        path = path.split("/", 1)[1]
    path = path.rstrip("/")
    if host in _DOCKER_HUB:
        host = "docker.io"
    return f"{host}/{path}" if path else host


def matches(key: str, pattern: str) -> bool:
    """Whether a name or glob means the key, as it is written or in its one spelling: `quay.io` means `https://quay.io/`.

    The user and the query of a key do not count, as for `same_path`.
    """
    return fnmatchcase(registry_of(key) or key, pattern) or fnmatchcase(same_path(key), pattern)


@dataclass(frozen=True)
class _Parts:
    """A key as it is written. `path` begins with its slash, `query` with its sign; a fragment counts as one."""

    host: str
    path: str
    query: str
    has_user: bool


def _parts(key: str) -> _Parts:
    bare = _without_schemes(key)
    address = re.split(r"[?#]", bare, maxsplit=1)[0]
    authority, slash, path = address.partition("/")
    _user, at, host = authority.rpartition("@")
    return _Parts(host, slash + path, bare[len(address) :], bool(at))


def _is_read(key: str) -> bool:
    """Whether a client reads the key as that of a host: the kubelet or, of a URL the host alone, CRI-O and Podman."""
    bare = _without_schemes(key)
    return _is_read_by_kubelet(bare) or (bare != key and is_image_host(bare.partition("/")[0]))


def _is_read_by_kubelet(bare: str) -> bool:
    """The kubelet reads a key twice: as it is written, and as it keeps it. A scheme that it does not drop is not the host of an image."""
    url = parse_url(bare)
    kept = parse_url(url.host + url.path) if url else None
    return kept is not None and bool(kept.name_and_port[0]) and kept.host.lower() not in ("http:", "https:")


def _without_schemes(key: str) -> str:
    """CRI-O and Podman drop both schemes. The kubelet drops one, and what is left then has no host that an image could have."""
    return key.removeprefix("http://").removeprefix("https://")
