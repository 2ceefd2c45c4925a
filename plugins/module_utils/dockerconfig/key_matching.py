# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of an auth file a client uses for an image: the rules of the kubelet, and those of CRI-O, Podman and Buildah. Pure.

Grammar: Go 1.26 `net/url`, `Parse`. tests/oracle compares it with that code on generated keys.

Mirrors of kubelet `pkg/credentialprovider/keyring.go` and containers/image `pkg/docker/config/config.go`, quirks
included; tests/oracle compares them with that code on thousands of generated files and images.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import unquote

__all__ = [
    "KeyUrl",
    "containers_keys",
    "has_registry_host",
    "is_glob_match",
    "is_host_match",
    "is_image_host",
    "is_url_match",
    "keyring_key",
    "kubelet_keys",
    "parse_url",
    "repository_of",
    "without_any_scheme",
    "without_scheme",
]

#: The host of an image (distribution/reference, regexp.go).
_PART = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_IMAGE_HOST = re.compile(rf"{_PART}(?:\.{_PART})*(?::[0-9]+)?\Z")

#: Characters that a host cannot contain: escaped ASCII characters other than the percent sign, and the delimiters of other parts.
_NO_HOST = re.compile(r"%(?![89A-Fa-f][0-9A-Fa-f]|25)|[\x00-\x20\x7f#/?@\\^`{|}]")
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USER = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*")


@dataclass(frozen=True)
class KeyUrl:
    """`host` and `path` are unescaped. `has_user`: the URL has a user before the host."""

    host: str
    path: str
    has_user: bool = False

    @cached_property
    def name_and_port(self) -> tuple[str, str]:
        """The name and the port of the host. The port is empty where there is none."""
        name, colon, port = self.host.rpartition(":")
        return (name, port) if colon and "]" not in port else (self.host, "")


def without_scheme(key: str) -> str:
    """Return the key without one lower-case scheme. The kubelet does not recognize other spellings of a scheme."""
    for scheme in ("https://", "http://"):
        if key.startswith(scheme):
            return key[len(scheme) :]
    return key


def without_any_scheme(key: str) -> str:
    """Return the key without one scheme in any case: the registry that its author meant."""
    return re.sub(r"\Ahttps?://", "", key, flags=re.IGNORECASE)


def is_image_host(text: str) -> bool:
    """Whether `text` is a valid `host[:port]` of an image."""
    return bool(_IMAGE_HOST.match(text))


@lru_cache(maxsize=4096)
def parse_url(schemeless: str) -> KeyUrl | None:
    """Return the text as Go parses it after `https://`, or None when Go refuses it. An audit compares few keys with many images."""
    before, _sign, fragment = schemeless.partition("#")
    rest, _sign, _query = before.partition("?")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    if _CONTROL.search(before) or not _USER.fullmatch(user) or any(map(_NO_ESCAPE.search, (user, path, fragment))):
        return None
    if not _is_host(host):
        return None
    return KeyUrl(_unescape(host), _unescape(slash + path), bool(at))


def _is_host(host: str) -> bool:
    """Whether the host is valid: brackets hold an IPv6 address, and a port follows the first colon."""
    if host.startswith("["):
        address, bracket, rest = host[1:].rpartition("]")
        return bool(bracket) and _is_ipv6(address) and bool(re.fullmatch(r"(:[0-9]*)?", rest, re.ASCII))
    name, colon, port = host.partition(":")
    is_port = not colon or bool(re.fullmatch(r"[0-9]*", port, re.ASCII))
    return is_port and "[" not in host and not _NO_HOST.search(name)


def _is_ipv6(text: str) -> bool:
    """Refuse an address with a zone, too: Go parses it once, but not in the form in which the kubelet stores it."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return text.isascii() and "%" not in text


def _unescape(text: str) -> str:
    return unquote(text, errors="surrogateescape")


_HUB = "docker.io"
#: Where the kubelet looks for Docker Hub's credential when no other key matches.
_HUB_FALLBACK = "index.docker.io"
_HUB_ALIASES = {_HUB: _HUB_FALLBACK, "registry-1.docker.io": _HUB_FALLBACK}

#: An image in the reference grammar (distribution/reference regexp.go): name, tag, digest, and the host and path of a name.
_IMAGE = re.compile(
    r"(?P<name>[^@]+?)(:[\w][\w.-]{0,127})?(@[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?\Z",
    re.ASCII,
)
_SEGMENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*\Z")
#: Maximum length of a repository name: distribution/reference, `RepositoryNameTotalLengthMax`.
_LONGEST_PATH = 255


def repository_of(image: str) -> str | None:
    """Return the full repository name of an image, without tag and digest, with Docker Hub's host and `library` added.

    Return None when `image` is not an image name.
    """
    found = _IMAGE.match(image)
    name = found["name"] if found else ""
    if re.fullmatch(r"[a-f0-9]{64}", name):
        return None
    host, path = _split_host(name)
    host = _HUB if host == _HUB_FALLBACK else host
    path = f"library/{path}" if host == _HUB and "/" not in path else path
    is_image = len(path) <= _LONGEST_PATH and is_image_host(host) and _PATH.match(path)
    return f"{host}/{path}" if is_image else None


def kubelet_keys(keys: Iterable[str], repository: str) -> list[str]:
    """Return the keys that the kubelet uses for a repository, in the order in which it tries them, without those that it cannot parse."""
    indexed = {key: stored for key in keys if (stored := keyring_key(key)) is not None}
    matching = [key for key, stored in indexed.items() if is_url_match(stored, repository)]
    if not matching and _is_default_registry(repository):
        matching = [key for key, stored in indexed.items() if stored == _HUB_FALLBACK]
    return sorted(
        matching, key=indexed.__getitem__, reverse=True
    )  # matching keys are ASCII: this is byte order, as in Go


@lru_cache(maxsize=4096)  # in a fleet, most secrets have the same keys
def keyring_key(key: str) -> str | None:
    """Return the key as the kubelet's keyring keeps it: host and path. None when it ignores the entry."""
    url = parse_url(without_scheme(key))
    if url is None:
        return None
    path = url.path[3:] if url.path.startswith(("/v1/", "/v2/")) else url.path
    return url.host + (path if path != "/" else "")


def containers_keys(keys: Iterable[str], repository: str) -> list[str]:
    """Return the key that CRI-O, Podman, Buildah and Skopeo use. If there are several, they may use any one of them."""
    present = set(keys)
    candidate = repository
    while candidate:
        if candidate in present:
            return [candidate]
        candidate = candidate.rpartition("/")[0]
    host = repository.partition("/")[0]
    return sorted(key for key in present if _host_of(key) == _HUB_ALIASES.get(host, host))


def _host_of(key: str) -> str:
    """The host to compare, for a key without an exact match: that of a URL, otherwise the key itself."""
    stripped = key.removeprefix("http://").removeprefix("https://")
    stripped = stripped.partition("/")[0] if stripped != key else stripped
    return _HUB_ALIASES.get(stripped, stripped)


def has_registry_host(name: str) -> bool:
    """Whether an image name begins with a registry host. A name without one belongs to Docker Hub."""
    host, slash, _path = name.partition("/")
    return bool(slash) and bool(set(".:") & set(host) or host == "localhost" or host != host.lower())


def _split_host(name: str) -> tuple[str, str]:
    host, _slash, path = name.partition("/")
    return (host, path) if has_registry_host(name) else (_HUB, name)


def is_url_match(stored: str, repository: str) -> bool:
    """Return the result of the kubelet's `URLsMatchStr` for a key as the keyring keeps it, or an entry of a credential provider."""
    key, image = parse_url(stored), parse_url(repository)
    if key is None or image is None or not image.path.startswith(key.path):
        return False
    return _is_host_match(key, image)


def is_host_match(pattern: str, host: str) -> bool:
    """Whether the kubelet uses a key with the host `pattern`, which may contain stars, for `host`, the `host[:port]` of an image."""
    key, image = parse_url(pattern), parse_url(host)
    return key is not None and image is not None and _is_host_match(key, image)


def _is_host_match(key: KeyUrl, image: KeyUrl) -> bool:
    """Compare the parts between dots with globs, and the port literally."""
    if "*" not in key.host:
        return key.name_and_port == image.name_and_port
    (pattern, key_port), (name, image_port) = key.name_and_port, image.name_and_port
    globs, labels = pattern.split("."), name.split(".")
    same_shape = key_port == image_port and len(globs) == len(labels)
    return same_shape and all(is_glob_match(glob, label) for glob, label in zip(globs, labels, strict=True))


def is_glob_match(glob: str, label: str) -> bool:
    """Return the result of Go's `filepath.Match`. Of its special characters, only the star can occur in a valid host.

    Compared part by part: a regular expression would backtrack, and whoever writes the secret chooses the number of stars.
    """
    first, *parts = glob.split("*")
    if not parts:
        return glob == label
    at, end = len(first), len(label) - len(parts[-1])
    for part in parts[:-1]:
        found = label.find(part, at, max(at, end))
        if found < 0:
            return False
        at = found + len(part)
    return at <= end and label.startswith(first) and label.endswith(parts[-1])


def _is_default_registry(repository: str) -> bool:
    """Whether the kubelet treats the repository as Docker Hub's. This includes `localhost/app`, whose host has neither dot nor colon."""
    host, slash, _path = repository.partition("/")
    return bool(host) and (not slash or host in (_HUB, _HUB_FALLBACK) or not set(".:") & set(host))
