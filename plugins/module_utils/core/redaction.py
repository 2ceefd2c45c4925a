# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hides credentials, in any encoding, in results and in the options of a task. Pure.

There are two methods, because neither is enough alone. `hide` knows which options contain credentials, and shows a constant
instead. `mask` replaces the credentials of a task wherever they appear: in the message of a server that repeats its request, or in
a traceback.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from itertools import takewhile
from typing import Any
from urllib.parse import quote, quote_plus, unquote


def texts_of(value: Any) -> Iterator[str]:
    """Yield all strings, including the keys of mappings."""
    pending = [value]
    while pending:  # not by recursion: another user may choose the depth
        part = pending.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, Mapping):
            pending += part
            pending += part.values()
        elif isinstance(part, (list, tuple)):
            pending += part


def rewrite_texts(value: Any, rewrite: Callable[[str], str]) -> Any:
    """Return the value with each string rewritten. Keys that are identifiers, such as `changes`, are kept: they belong to the result."""
    if isinstance(value, str):
        return rewrite(value)
    if isinstance(value, Mapping):
        return {
            key if _is_own_key(key) else rewrite_texts(key, rewrite): rewrite_texts(item, rewrite)
            for key, item in value.items()
        }
    return [rewrite_texts(item, rewrite) for item in value] if isinstance(value, (list, tuple)) else value


def _is_own_key(key: Any) -> bool:
    return isinstance(key, str) and key.isidentifier()


#: Ansible's replacement for the value of an option with `no_log`, and for a part of a text.
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
MASKED = "********"

#: Minimum length of a masked string. Shorter strings occur in ordinary words: `n********mesp********ce` would reveal that the
#: password is an `a`, which the unmasked text does not.
SHORTEST = 4

#: Up to this number of secrets, searching for each one separately is fastest.
_FEW = 256

#: Keys whose value is always a credential: in options, auth files and kubeconfigs.
_SECRET_MEMBERS = frozenset(
    {
        "accesstoken",
        "apikey",
        "auth",
        "basicauth",
        "clientkeydata",
        "clientsecret",
        "fingerprintkey",
        "identitytoken",
        "idtoken",
        "offlinetoken",
        "password",
        "proxybasicauth",
        "refreshtoken",
        "registrytoken",
        "token",
    }
)
#: Options that are auth files.
CONTAINERS = frozenset({"auth_config"})
#: Options that are URLs, hosts or images, or lists of them. Some users write a login in them.
_ADDRESSES = frozenset(
    {
        *("host", "realmhost", "realmhosts", "verifyrealmhosts"),
        *("registry", "registries", "dropplatformregistries", "merge", "include"),
        *("image", "images", "repositories", "verifyrepositories"),
    }
)
_PROXIES = frozenset({"proxy", "proxyurl"})
#: A digest, which may follow an `@` in an image instead of a host.
_DIGEST = re.compile(r"@sha(256|384|512):[0-9a-fA-F]+\Z")

#: `name: value` in a line of YAML or JSON: in quotes, between brackets, or at the end of a line. A name begins where no name goes on, so a
#: long word is examined once: users of a cluster choose the texts of its secrets.
_MEMBER = r"""(?<![A-Za-z_-])([A-Za-z_-]+)["']?\s*:\s*"""
_QUOTED = re.compile(_MEMBER + r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')""")
_IN_BRACKETS = re.compile(_MEMBER + r"""([^\s"'{[,}\]][^,}\]]*)""")
_AT_END = re.compile(r"""[\s-]*(?:["']-*)?([A-Za-z_][A-Za-z_-]*|(?<=-))["']?\s*:\s*([^\s"'].*)""")


def collect_credentials(options: Mapping[str, Any], no_log_values: Iterable[str]) -> set[str]:
    """Return all strings to mask in a task's output: the credentials among its options, in every possible form.

    `no_log_values` are the values that Ansible found. `CONTAINERS` are not among them: Ansible would mask each string in them, so a user
    named `app` would mask every "app" in the output. A container that is text is also masked as a whole, because it may be unreadable.
    """
    decoded = {name: _decode_text(value) for name, value in options.items()}
    texts = {one[name] for one in _mappings(options) for name in CONTAINERS if isinstance(one.get(name), str)}
    return _all_forms({*no_log_values, *texts} | _secrets_in([decoded, *map(_decode_text, texts)]))


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """All mappings in a value. Entries of a list of declarations have the same keys as the options of a task, at any depth."""
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, Mapping):
            yield part
            pending += part.values()
        elif isinstance(part, (list, tuple)):
            pending += part


def credentials_in_text(text: str) -> set[str]:
    """Return all strings to mask for the text of an auth file."""
    return _all_forms(_secrets_in(_decode_text(text)))


def secret_forms(secret: str) -> set[str]:
    """Return a credential in plain form, and as JSON, Python, a URL and base64 would contain it, including within longer base64."""
    raw = _bytes(secret)
    if _SAME_EVERYWHERE.match(secret):  # most passwords: only base64 changes them
        return {secret, *_encoded_forms(secret, raw)}
    written = {json.dumps(secret, ensure_ascii=only_ascii)[1:-1] for only_ascii in (True, False)}
    written |= {repr(secret)[1:-1], repr(raw)[2:-1], quote(raw, safe=""), quote(raw), quote_plus(raw)}
    return {secret, *written, *_encoded_forms(secret, raw)}


#: Text that JSON, Python and a URL do not change.
_SAME_EVERYWHERE = re.compile(r"[A-Za-z0-9_.~-]*\Z")


def _encoded_forms(secret: str, raw: bytes) -> set[str]:
    encoded = {_base64(secret), _base64(secret).rstrip("="), *_base64_forms(raw)}
    return encoded | {text.translate(_URL_SAFE) for text in encoded}


_URL_SAFE = str.maketrans("+/", "-_")


def _base64_forms(raw: bytes) -> Iterator[str]:
    """The base64 characters that depend on `raw` alone if other bytes surround it, for each of the three possible offsets."""
    for shift, mixed in enumerate((0, 2, 3)):
        encoded = base64.b64encode(b"\0" * shift + raw).decode("ascii")
        yield encoded[mixed : (shift + len(raw)) * 8 // 6]


def _all_forms(secrets: Iterable[str]) -> set[str]:
    long_enough = {secret for secret in secrets if len(secret) >= SHORTEST}
    return {form for secret in long_enough for form in secret_forms(secret)}


def mask(value: Any, secrets: Collection[str]) -> Any:
    """Return the JSON-like value with each of the `secrets` replaced in all strings.

    Keys that are identifiers, such as `changes`, are kept, because they belong to the result. Numbers are kept, because they are counts.
    A value without a secret is returned unchanged.
    """
    present = find_secrets(texts_of(value), secrets)
    return _mask_texts(value, present) if present else value


def find_secrets(texts: Iterable[str], secrets: Collection[str]) -> list[str]:
    """Return the secrets that one of the texts contains."""
    return _find_present("\n".join({*texts}), {secret for secret in secrets if len(secret) >= SHORTEST})


def _find_present(text: str, secrets: Collection[str]) -> list[str]:
    """The secrets that a text contains.

    For thousands of secrets, one pass over the text selects candidates by their last characters. (The first characters are
    unsuitable, because all logins of one user begin with the same ones.)
    """
    if len(secrets) > _FEW:
        ends = {text[at : at + SHORTEST] for at in range(len(text) - SHORTEST + 1)}
        secrets = [secret for secret in secrets if secret[-SHORTEST:] in ends]
    return [secret for secret in secrets if secret in text]


def _mask_texts(value: Any, secrets: Collection[str]) -> Any:
    @cache  # most strings of a large result are the same for all namespaces
    def without(text: str) -> str:
        return _mask_text(text, _find_present(text, secrets))

    return rewrite_texts(value, without)


def _mask_text(text: str, secrets: Collection[str]) -> str:
    """The text without the secrets, even if two of them overlap."""
    if text in secrets:
        return HIDDEN
    parts, masked_to = [], 0
    for start, end in sorted(place for secret in secrets for place in _find_places(text, secret)):
        if start >= masked_to:
            parts += [text[masked_to:start], MASKED]
        masked_to = max(masked_to, end)
    return "".join([*parts, text[masked_to:]])


def _find_places(text: str, secret: str) -> Iterator[tuple[int, int]]:
    start = text.find(secret)
    while start >= 0:
        yield start, start + len(secret)
        start = text.find(secret, start + 1)


def hide(options: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with credentials hidden, by their argument spec. Unknown options are hidden: they may be misspelled passwords."""
    shown = {str(name): value for name, value in options.items() if not str(name).startswith("_ansible_")}
    return {name: _hide(name, value, known[name]) if name in known else HIDDEN for name, value in shown.items()}


def _hide(name: str, value: Any, spec: Mapping[str, Any]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if spec.get("no_log") or _is_secret(name) or name in CONTAINERS or (name == "kubeconfig" and not is_path(value)):
        return HIDDEN
    if "options" in spec:
        return _hide_within(value, spec)
    if isinstance(value, str) and _password_in_url(name, value):
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: _hide(str(key), part, {}) for key, part in value.items()}
    return value


def _hide_within(value: Any, spec: Mapping[str, Any]) -> Any:
    """The value of an option with suboptions: a mapping, or a list of mappings."""
    if spec["type"] == "list" and isinstance(value, list):
        return [hide(item, spec["options"]) if isinstance(item, Mapping) else HIDDEN for item in value]
    return hide(value, spec["options"]) if spec["type"] == "dict" and isinstance(value, Mapping) else HIDDEN


def _secrets_in(value: Any) -> set[str]:
    found: set[str] = set()
    for text, name, is_secret in _strings(value):
        if is_secret:
            found.update((text, *_decode_auth(text)))
        if _is_header(name):
            found.add(text.partition(":")[2])
        password = _password_in_url(name, text)
        found.update((password, unquote(password)))
    return found


def _strings(value: Any) -> Iterator[tuple[str, str, bool]]:
    """Each string, its key, and whether its value is a credential. Keys are yielded as registries."""
    pending: list[tuple[Any, str, bool]] = [(value, "", False)]
    while pending:  # not by recursion: the caller chooses the depth
        part, name, inside = pending.pop()
        if isinstance(part, Mapping):
            pending += ((item, str(key), inside or _is_secret_member(str(key), part)) for key, item in part.items())
            pending += ((str(key), "registry", False) for key in part)
            if part.get("username") and part.get("password"):
                login = f"{part['username']}:{part['password']}"
                pending += ((login, "auth", True), (_base64(login), "auth", True))
        elif isinstance(part, (list, tuple)):
            pending += ((item, name, inside) for item in part)
            pending += ((item, name, True) for item in _values_of_flags(part))
        elif isinstance(part, str):
            yield part, name, inside


def _is_secret_member(name: str, siblings: Mapping[str, Any]) -> bool:
    """Whether a key has a credential as its value, or possibly the value of an environment variable (a kubeconfig's login plugin)."""
    return _is_secret(name) or (name == "value" and "name" in siblings)


def _values_of_flags(arguments: Sequence[Any]) -> Iterator[Any]:
    """The values of arguments for a kubeconfig's login plugin, such as `--client-secret VALUE` or `--client-secret=VALUE`."""
    for argument, following in zip(arguments, [*arguments, None][1:], strict=True):
        if isinstance(argument, str) and argument.startswith("-"):
            name, is_joined, value = argument.partition("=")
            if _normalize_name(name).endswith(tuple(_SECRET_MEMBERS)):
                yield value if is_joined else following


def _decode_auth(value: str) -> Iterator[str]:
    """The decoded base64: user and password of an `auth` field, which may lack padding or contain a line end, or a key."""
    text = "".join(value.split()).rstrip("=")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return
    decoded = raw.decode("utf-8", "surrogateescape")
    password = decoded.partition(":")[2]
    if password:
        yield from (decoded, password)
    elif decoded.startswith("-----BEGIN"):
        yield decoded


def _is_secret(name: str) -> bool:
    return _normalize_name(name) in _SECRET_MEMBERS


def _is_header(name: str) -> bool:
    """Whether a name is that of a header with a user and a password."""
    return _normalize_name(name).endswith("basicauth")


def _has_login(name: str) -> bool:
    """Whether the value of a name may contain a login."""
    return _is_header(name) or _normalize_name(name) in _ADDRESSES | _PROXIES


@lru_cache(maxsize=1024)
def _normalize_name(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def is_path(kubeconfig: Any) -> bool:
    """Whether a kubeconfig is one path or several, and not the content."""
    return isinstance(kubeconfig, str) and not re.match(r"\s*\{|.*:\s|.*\n", kubeconfig)


def _decode_text(value: Any) -> Any:
    """JSON or YAML text, decoded far enough to find values by their keys. Other values are returned unchanged."""
    if not isinstance(value, str) or is_path(value):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        # In the form of an environment variable: a name and a value.
        return [value, *({"name": "", name: part} for name, part in _find_members(value))]


def _find_members(text: str) -> Iterator[tuple[str, str]]:
    """Find names and values in a text that no JSON parser takes.

    A YAML parser would miss some: in comments, in YAML within a string, after an error, and all of them on a host without PyYAML.
    """
    lines = text.splitlines()
    ends: dict[tuple[bool, bool], int] = {}
    for number, line in enumerate(lines):
        for name, value in _QUOTED.findall(line):
            yield name, value[1:-1].replace("''", "'")
            with suppress(ValueError):
                yield name, json.loads(value)
        for name, value in _IN_BRACKETS.findall(line):
            yield name, value.strip()
        if found := _AT_END.match(line):
            name, value = found.groups()
            yield name, value.partition(" #")[0].strip()
            kind = _is_secret(name) or name == "value", _has_login(name)
            if number >= ends.get(kind, 0):  # not within a text of the same kind, which has these lines
                below = _lines_below(lines, number)
                ends[kind] = number + 1 + len(below)
                joined = {joint.join(below) for joint in ("\n", " ", "")}
                yield from ((name, part) for part in (*below, *joined) if part)


def _lines_below(lines: Sequence[str], number: int) -> list[str]:
    """The lines below a line with deeper indentation: a text of several lines."""
    edge = _indentation(lines[number])
    below = takewhile(lambda at: _indentation(lines[at]) > edge, range(number + 1, len(lines)))
    return [lines[at].strip() for at in below]


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" -"))


def _password_in_url(name: str, url: str) -> str:
    """The text between the first colon and the last `@`, even if the URL is invalid. Empty if there is none."""
    if "@" not in url:
        return ""
    if _normalize_name(name) in _PROXIES:
        login = url.rpartition("@")[0].rpartition("://")[2]
    elif _normalize_name(name) in _ADDRESSES or "://" in url:
        # A password may contain a slash. It is then in the position of an image's path.
        reference = _DIGEST.sub("", url.rpartition("://")[2])
        login = reference.partition("/")[0].rpartition("@")[0] or reference.rpartition("@")[0]
    else:
        return ""
    return login.partition(":")[2]


def _base64(text: str) -> str:
    return base64.b64encode(_bytes(text)).decode("ascii")


def _bytes(text: str) -> bytes:
    """The original bytes of a file that is not valid UTF-8. An unpaired surrogate from JSON is kept."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
