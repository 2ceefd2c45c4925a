# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of an auth file: which spellings name the same place, which keys a client uses for an image, and which keys clients read differently. Pure.

Grammar: Go 1.26 `net/url`, `Parse`. tests/oracle compares it with that code on generated keys.

Mirrors of kubelet `pkg/credentialprovider/keyring.go` and containers/image `pkg/docker/config/config.go`, quirks
included; tests/oracle compares them with that code on thousands of generated files and images.

Grammar and behaviour: kubelet `pkg/credentialprovider/keyring.go`, containers/image `pkg/docker/config`, docker/cli
`cli/config/configfile`.

A plain host or path gets no warning, although the kubelet also takes the path `quay.io/team` for `quay.io/teammates`: no spelling
avoids that for one client and still works for the other. A warning is given only if the same file has a key for an affected image.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
import string
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from urllib.parse import unquote

from ..core.errors import OptionError
from ..core.names import DIGEST

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
_IMAGE = re.compile(rf"(?P<name>[^@]+?)(:[\w][\w.-]{{0,127}})?(@{DIGEST})?\Z", re.ASCII)
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


class KeyIndex:
    """The keys of one secret by their place, because users choose the number of keys, and of the images for which keys are searched."""

    def __init__(self, keys: Collection[str]) -> None:
        self.keys = frozenset(keys)
        self._places: dict[tuple[tuple[str, str], str], list[str]] = {}
        #: Those with stars.
        self._globs: list[tuple[KeyUrl, str]] = []
        for key in keys:
            stored = keyring_key(key)
            url = None if stored is None else parse_url(stored)
            if url is not None and "*" in url.host:
                self._globs.append((url, key))
            elif url is not None:
                self._places.setdefault((url.name_and_port, url.path), []).append(key)

    def find(self, repository: str) -> list[str]:
        """Return the keys that `kubelet_keys` may choose for the repository: those that match, and that of its fallback."""
        image = parse_url(repository)
        if image is None:
            return []
        places = [(image.name_and_port, image.path[:end]) for end in range(len(image.path) + 1)]
        found = [key for place in [*places, ((_HUB_FALLBACK, ""), "")] for key in self._places.get(place, ())]
        return [
            *found,
            *(key for url, key in self._globs if image.path.startswith(url.path) and _is_host_match(url, image)),
        ]


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
    host = without_any_scheme(key).partition("/")[0]
    if not host or "@" in key:
        why = (
            "it has no host"
            if not host
            else "remove the '@' and the part before it, or a digest, and give the user in 'username'"
        )
        raise OptionError(f"{where}: registry {without_user(key)!r} is not host[:port][/path]: {why}")


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
    return _is_read_by_kubelet(without_scheme(key)) or (bare != key and _is_host_of_images(bare.partition("/")[0]))


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
    why = ", because names of images have no upper-case letters" if key.lower() == instead else ""
    return f"registry {key!r}: {_describe_clients(*users)} for images of {instead}{why}. Write {instead!r} instead"


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
            "Write the registry's full host name instead, such as registry.example.com"
        )
    name, colon, port = host.partition(":")
    if colon and can_be_shown(key) and not port.isdecimal() and "[" not in host:
        alone = f", or {name!r} instead" if "." in name else ""
        return f"registry {key!r}: {who}, because {port!r} is not a port. Write a number as the port{alone}"
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
    if path and containers_keys([key], f"{host}/elsewhere"):
        return (
            f"registry {key!r}: the kubelet uses it for images below {instead}, but {_OTHERS} for all of {host}. "
            f"Write {instead!r} or {host!r} instead"
        )
    if key.lower().startswith("http://"):
        return f"registry {key!r}: http:// has no effect, because a client's own settings decide about TLS. Write {instead!r} instead"
    return ""


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
