# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of an auth file: which spellings name the same registry or repository path, and which keys clients read differently. Pure.

Grammar and behaviour: kubelet `pkg/credentialprovider/keyring.go`, containers/image `pkg/docker/config`, docker/cli
`cli/config/configfile`.

A plain host or path gets no warning, although the kubelet also takes the path `quay.io/team` for `quay.io/teammates`: no spelling
avoids that for one client and still works for the other. A warning is given only if the same file has a key for an affected image.
"""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from ..core.errors import OptionError
from .key_matching import (
    containers_keys,
    has_registry_host,
    is_image_host,
    kubelet_keys,
    parse_url,
    repository_of,
    without_any_scheme,
)

__all__ = [
    "DOCKER_HUB",
    "can_be_shown",
    "check_key",
    "host_of",
    "is_match",
    "key_warnings",
    "portable_key",
    "redact_keys",
    "refuse_unused",
    "registry_of",
    "same_path",
    "why_never_used",
    "without_user",
]

#: The hosts of Docker Hub, as images name it and as clients ask it.
DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_API_PREFIXES = ("v1/", "v2/")
#: Python's `lower` also turns the Kelvin sign into an ASCII letter, but no registry host contains that sign.
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_HIDDEN = "***"


def check_key(where: str, key: str) -> None:
    """Refuse a key that no client reads as a registry. `where` names its source, such as an option.

    :raises OptionError: when the key is empty, has no host, or contains white space, a control character or a user name.
    """
    if not key or not key.isprintable() or " " in key:
        raise OptionError(
            f"{where}: registry {without_user(key)!r} is not host[:port][/path]: it is empty, or has white space or a control character"
        )
    if not without_any_scheme(key).partition("/")[0] or "@" in key:
        raise OptionError(
            f"{where}: registry {without_user(key)!r} is not host[:port][/path]: it has no host, or it has an '@'. "
            "Give the user in 'username', and no digest"
        )


@lru_cache(maxsize=4096)  # an explanation of many pods shows the same keys
def without_user(key: str) -> str:
    """Return the key in a form that is safe to show: the registry or path that a node uses it for.

    A user and password before an `@` are replaced, and so is a query or fragment, which may hold a token. An `@` in the path may end
    a password that contains a slash, so the path and the port are hidden then. A key with `@`, `?` or `#` becomes `***` when it names no
    registry, or when its host may be a user.
    """
    parts, registry = _parts(key), registry_of(key)
    if registry:
        return f"{_HIDDEN + '@' if parts.has_user else ''}{registry}{'?' + _HIDDEN if parts.query else ''}"
    if not set("@?#") & set(key):
        return key
    name, colon, _port = parts.host.partition(":")
    return f"{name}{colon and ':' + _HIDDEN}/{_HIDDEN}" if "." in name and _is_read(key) else _HIDDEN


def can_be_shown(key: str) -> bool:
    """Whether the key contains nothing that may be a credential."""
    return without_user(key) == key


def redact_keys(keys: Iterable[str]) -> list[str]:
    """Return the keys in a form that is safe to show, sorted and without duplicates."""
    return sorted({*map(without_user, keys)})


def registry_of(key: str) -> str:
    """Return the registry or path that nodes use the key for, without a user, password or query.

    Empty when no client reads the key as a registry, and when an `@` after the host may end a password.
    """
    parts = _parts(key)
    if not _is_read(key) or "@" in parts.path or ("@" in parts.query and "." not in parts.host):
        return ""
    return parts.host + parts.path if parts.has_user else re.split(r"[?#]", key, maxsplit=1)[0]


def host_of(key: str) -> str:
    """Return the `host[:port]` that nodes use the key for, as `same_path` spells it. Empty where `registry_of` is empty."""
    return same_path(registry_of(key)).partition("/")[0]


def same_path(key: str) -> str:
    """Return the normal spelling, which is equal for all keys of the same registry path.

    `https://quay.io/`, `quay.io` and `quay.io/v2/` are equal. `quay.io/team` is different, and so is `quay.io:443`, because every
    client compares ports as text. All forms of Docker Hub's own host become `docker.io`. A user before an `@` and a query do not count:
    the kubelet drops them. A key that no client reads gets an empty host, so it equals only itself.
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
    if host in DOCKER_HUB:
        host = "docker.io"
    return f"{host}/{path}" if path else host


def is_match(key: str, pattern: str) -> bool:
    """Whether a name or glob matches the key, as written or in its normal spelling: `quay.io` matches `https://quay.io/`.

    The user and the query of a key do not count, as for `same_path`.
    """
    return fnmatchcase(registry_of(key) or key, pattern) or fnmatchcase(same_path(key), pattern)


@dataclass(frozen=True)
class _Parts:
    """A key as written. `path` begins with its slash, and `query` with its `?` or `#`."""

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
    """Whether a client reads the key as a host: the kubelet, or CRI-O and Podman, which use only the host of a URL."""
    bare = _without_schemes(key)
    return _is_read_by_kubelet(bare) or (bare != key and _is_host_of_images(bare.partition("/")[0]))


def _is_host_of_images(host: str) -> bool:
    """Whether images can be on the host. A name such as `v2/team` is on Docker Hub."""
    return is_image_host(host) and has_registry_host(f"{host}/")


def _is_read_by_kubelet(bare: str) -> bool:
    """The kubelet parses a key twice: as written, and as it stores it. A scheme that it does not drop is not the host of an image."""
    url = parse_url(bare)
    kept = parse_url(url.host + url.path) if url else None
    return kept is not None and bool(kept.name_and_port[0]) and kept.host.lower() not in ("http:", "https:")


def _without_schemes(key: str) -> str:
    """CRI-O and Podman drop both schemes. The kubelet drops one, and the rest is then not a valid host of an image."""
    return key.removeprefix("http://").removeprefix("https://")


#: Hosts of Docker Hub's website and logins. No image is pulled from them.
_HUB_PAGES = frozenset({"hub.docker.com", "registry.hub.docker.com", "auth.docker.io", "www.docker.com", "docker.com"})
_STANDARD_PORTS = re.compile(r":(443|80)\Z")
#: Maximum number of keys that are searched for those that one key also affects.
_SHOWN = 20
_OTHERS = "CRI-O, Podman and Skopeo"
_NOBODY = f"neither the kubelet nor {_OTHERS} use it"


def key_warnings(keys: Collection[str]) -> list[str]:
    """Return one line for each key that does less, or more, than it seems to."""
    return [warning for key in sorted(keys) if (warning := _warning(key))] + list(_overlaps(keys))


@lru_cache(maxsize=1024)  # in a fleet, most secrets have the same keys
def why_never_used(key: str) -> str:
    """Return the warning for a key that the kubelet uses for no image, or an empty text for a key that it uses."""
    warning = _warning(key)
    return "" if f", but {_OTHERS} do not" in warning or warning == _wider_warning(key) else warning


def refuse_unused(where: str, key: str) -> None:
    """Refuse a key that no client uses for any image, and say what to write instead. `where` names its source, such as an option.

    :raises OptionError: for such a key.
    """
    warning = _warning(key)
    if _NOBODY in warning:
        raise OptionError(f"{where}: {warning.replace(repr(key), repr(without_user(key)))}")


def portable_key(key: str) -> str | None:
    """Return the spelling that every client reads in the same way, or None when there is none."""
    bare = without_any_scheme(key)
    host, slash, path = same_path(bare).partition("/")
    host = _STANDARD_PORTS.sub("", host)
    host = "docker.io" if host in _HUB_PAGES else host
    path = re.sub(r":[^/]*\Z", "", path)
    if (
        not registry_of(bare)
        or re.search(r"[^a-z0-9.:_-]", host)
        or re.search(r"[^A-Za-z0-9._/-]", path)
        or "//" in path
    ):
        return None
    if not (set(".:") & set(host) or host == "localhost"):
        return None
    found = host + (slash + path.lower() if path else "")
    return found if all(_clients_using(found, f"{found}/image")) else None


def _warning(key: str) -> str:
    instead = portable_key(key)
    if instead is None:
        return _unportable_warning(key)
    users = _clients_using(key, f"{instead}/image")
    if users == (True, True):
        return _width_warning(key, instead)
    return f"registry {key!r}: {_describe_clients(*users)} for images of {instead}. Write {instead!r} instead"


def _unportable_warning(key: str) -> str:
    host = re.split(r"[/?#]", without_any_scheme(key))[0].rpartition("@")[2]
    kubelet, containers = _clients_using(key, same_path(key).replace("*", "x") + "/image")
    who = _describe_clients(kubelet, containers)
    if "*" in host:
        also = ", and a star matches one part between dots" if kubelet else ""
        return f"registry {key!r}: {who}{also}. Write one entry for each host instead"
    if can_be_shown(key) and not set(".:") & set(host) and host:
        return (
            f"registry {key!r}: {who}, because an image name that begins with {host!r} refers to Docker Hub. "
            "Write the registry's full host name instead"
        )
    name, colon, port = host.partition(":")
    if colon and can_be_shown(key) and not port.isdecimal() and "[" not in host:
        return (
            f"registry {key!r}: {who}, because {port!r} is not a port. Write a number as the port, or {name!r} instead"
        )
    return (
        f"registry {key!r}: {who}. Write host[:port], or host[:port]/path in lower case, instead, such as registry.example.com:5000/team, "
        "with letters, digits, '.' and '-' in the host"
    )


def _wider_warning(key: str) -> str:
    instead = portable_key(key)
    return "" if instead is None else _width_warning(key, instead)


def _width_warning(key: str, instead: str) -> str:
    if set("?#") & set(key):
        return f"registry {key!r}: no client reads what follows '?' or '#', and it may be a credential. Write {instead!r} instead"
    host, _slash, path = instead.partition("/")
    if not path or not containers_keys([key], f"{host}/elsewhere"):
        return ""
    return (
        f"registry {key!r}: the kubelet uses it for images below {instead}, but {_OTHERS} for all of {host}. "
        f"Write {instead!r} or {host!r} instead"
    )


def _overlaps(keys: Collection[str]) -> Iterable[str]:
    ordered = sorted(keys)
    for at, key in enumerate(ordered):
        hit = _find_prefixed(key, ordered[at + 1 : at + 1 + _SHOWN])
        if hit and not _warning(key):
            yield (
                f"registry {key!r}: the kubelet compares paths character by character, so it also tries this credential for images "
                f"of {', '.join(hit)}, after their own. {_OTHERS} do not. To prevent this, use secrets of different service accounts"
            )


def _find_prefixed(key: str, following: Iterable[str]) -> list[str]:
    below = itertools.takewhile(lambda other: other.startswith(key), following)
    return [other for other in below if other[len(key)] not in "/:"] if "/" in key else []


def _clients_using(key: str, image: str) -> tuple[bool, bool]:
    """Whether the kubelet, and whether the other clients, use the key for an image. Neither does if the key has no valid host."""
    repository = repository_of(image)
    if repository is None or repository.partition("/")[0] != image.partition("/")[0]:
        return False, False
    return bool(kubelet_keys([key], repository)), bool(containers_keys([key], repository))


def _describe_clients(kubelet: bool, containers: bool) -> str:
    if kubelet:
        return f"the kubelet uses it, but {_OTHERS} do not"
    return f"{_OTHERS} use it, but the kubelet does not" if containers else _NOBODY
