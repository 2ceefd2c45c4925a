# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that the kubelet and CRI-O read differently, or that neither uses: which client uses them, and what to write instead. Pure.

A plain host or path gets no warning, although the kubelet also takes the path `quay.io/team` for `quay.io/teammates`: no spelling
avoids that for one client and still works for the other. A warning is given only if the same file has a key for an affected image.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable
from functools import lru_cache

from ..core.errors import OptionError
from .key_matching import containers_keys, kubelet_keys, repository_of
from .key_urls import without_any_scheme
from .registry_keys import can_be_shown, registry_of, same_path, without_user

__all__ = ["key_warnings", "portable_key", "refuse_unused", "why_never_used"]

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
