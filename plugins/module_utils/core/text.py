# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of other people, made safe: plain, visible, on one line, without credentials. Sentences that list or count several things. Pure.

Users of a cluster choose names and texts that the API server does not check: the name of a role binding, a subject, a key of an auth file,
an annotation. An escape sequence could change the operator's terminal, a character that changes the text direction could display another
name, and a text of a megabyte would fill the log of the job.

Errors of container runtimes quote invalid input: containerd the decoded login, containers/image the start of a token response. All of
them quote URLs, whose query may be a signature and which may contain a password. So an expression also consumes the text that it has
examined, and a function decides whether to hide it: no input makes it examine a character more than a few times.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from .redaction import MASKED, rewrite_texts, texts_of

#: Maximum number of characters of one text in a result.
MOST = 65_536
#: Characters that are not printable but allowed: they structure a text of several lines.
_KEPT = "\n\t"
#: None of these characters begins a template, a tag, an anchor, a comment or a quoted text.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]*\Z")

#: An `@` that does not begin the digest of an image.
_AT = re.compile(r"@(?![a-z0-9]{1,16}:[0-9a-f]{32})", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?P<user>[^/?#:]*)(?P<rest>[^/?#]*)")
#: The host after a login, so that `user:12/34@a.example.com` differs from `registry:5000/app@v1`.
_HOST = re.compile(r"localhost\b|\[|[a-z0-9-]+\.[a-z0-9]", re.IGNORECASE)


def _hide_user(address: re.Match[str]) -> str:
    """Hide the login in the text after `://`. A password that is not encoded may contain any delimiter, so the last `@` ends it."""
    text = address[0]
    ends = [at.start() for at in _AT.finditer(text)]
    starts = (0, *(found.end() for found in re.finditer("://", text))) if ends else ()
    start = next((start for start in starts if start <= ends[-1] and _has_login(text, start, ends[-1])), None)
    return text if start is None else f"{text[:start]}{MASKED}{text[ends[-1] :]}"


def _has_login(text: str, start: int, end: int) -> bool:
    """Whether the text until the last `@` begins with a login, and not with a host and its port."""
    found = _AUTHORITY.match(text, start, end)
    if found is None or found.end() == end or "@" in found[0]:
        return True
    user, rest = found["user"], found["rest"]
    if not rest or user.startswith("["):
        return False
    is_host = "." in user or user.lower() == "localhost" or not _HOST.match(text, end + 1)
    return not (is_host and (rest[1:].isdecimal() or rest == ":"))


def _hide_basic(login: re.Match[str]) -> str:
    """Hide a word after `basic` if it is the encoded form of user and password, and not a word of a sentence."""
    word = login[2].rstrip("=").replace("-", "+").replace("_", "/")
    with suppress(ValueError):
        if ":" in base64.b64decode(word + "=" * (-len(word) % 4)).decode():
            return f"{login[1]}{MASKED}"
    return login[0]


_MEMBER = r"(?:identity|registry|access_|refresh_|id_)?token|passw(?:or)?d|(?:client_)?secret|auth|api_?key"
_QUOTES = r"""\s"'\\"""
_PATTERNS: Sequence[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), kept)
    for pattern, kept in (
        # containerd internal/cri ParseAuth; a quote in it is escaped, and the text after it is never needed.
        (r"(invalid decoded auth:).*", rf"\1 {MASKED}"),
        # containers/image docker_client.go: `decoding bearer token (last URL "...", body start "...")`.
        # Go's net/url quotes the part of a password after a colon: `invalid port ":..." after host`.
        (r'((?:body start|invalid port) ")(?:[^"\\]|\\.)*("?)', rf"\1{MASKED}\2"),
        (r"(?<=[a-z0-9+.-]://)[^\s\"']+", _hide_user),
        (
            r"((?<=[a-z0-9+.-])://[^\s?#\"']*)([?#][^\s\"']*?(?=:?(?:[\s\"']|\Z)))?",
            lambda url: f"{url[1]}?{MASKED}" if url[2] else url[0],
        ),
        (
            rf"(authorization[{_QUOTES}]*[:=][{_QUOTES}>\[({{]*(?:basic|bearer|negotiate|token)[{_QUOTES}]+)"
            rf"(?!(?:auth(?:entication|orization)?|credentials?)(?![\w+/=]))[^{_QUOTES},;\])}}]+",
            rf"\1{MASKED}",
        ),
        (rf"\b(basic[{_QUOTES}]+)(?!(?:basic|bearer)\b)([a-z0-9+/_-]{{2,}}={{0,2}})", _hide_basic),
        (r"\b((?:bearer|basic)[ \t]+)(?=[^\s,;]{16}|[^\s,;]*[0-9=])[a-z0-9._~+/=-]{8,}", rf"\1{MASKED}"),
        # A JSON Web Token: its header begins like this in base64.
        (r"\beyj[a-z0-9_-]{5,}((?:\.[a-z0-9_-]*){0,4})", lambda token: MASKED if token[1] else token[0]),
        (
            rf"""(["'])({_MEMBER})(\\*)\1(\s*:\s*)(?:\\+"[^"]*"?|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,}}]+)""",
            rf"\1\2\3\1\4{MASKED}",
        ),
        (rf"""\b({_MEMBER})=(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,;&]+)""", rf"\1={MASKED}"),
        # The login of a command, such as `curl -u user:password`, and not the IDs of a user and a group.
        (
            r"""((?<!\S)(?:-u|--(?:proxy-)?user)(?:\s+|=))(?!\d+:\d+(?!\S))(?:"[^\s":]+:[^"]*"?|'[^\s':]+:[^']*'?|[^\s:"']+:[^\s"']+)""",
            rf"\1{MASKED}",
        ),
    )
)


def is_plain(text: str) -> bool:
    """Whether the text has only ASCII letters, digits and `._/:@+-`, and begins with a letter or a digit. Empty text is not plain.

    It means the same to YAML, Jinja, Ansible and a terminal. Ansible must not evaluate any other text: it is written with the tag `!unsafe`,
    or left out. A list of possible templates would never be complete: Ansible reads other delimiters from the first line of a text.
    """
    return bool(_PLAIN.match(text))


def make_printable(text: str) -> str:
    """Return the text for one line of a terminal: each control character becomes a space."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else " " for letter in text)


def escape_invisible(text: str) -> str:
    """Return the text with each unprintable character replaced by its code point, such as `⟨U+202E⟩`. Line ends and tabs are kept."""
    if _is_visible(text):
        return text
    return "".join(letter if letter.isprintable() or letter in _KEPT else f"⟨U+{ord(letter):04X}⟩" for letter in text)


def _is_visible(text: str) -> bool:
    return text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable()


def make_visible(value: Any) -> Any:
    """Return the JSON-like value with visible strings of bounded length. Mask credentials first: a cut credential would not be found."""
    if all(len(text) <= MOST and _is_visible(text) for text in {*texts_of(value)}):
        return value
    return rewrite_texts(value, cache(_truncate))


def _truncate(text: str) -> str:
    if len(text) <= MOST:
        return escape_invisible(text)
    return f"{escape_invisible(text[:MOST])} ... ({len(text) - MOST:,} more characters)"


def redact_text(text: str) -> str:
    """Return the text with credentials hidden, as far as their position or form identifies them."""
    for pattern, kept in _PATTERNS:
        text = pattern.sub(kept, text)
    return text


def redact_line(text: str, most: int | None = None) -> str:
    """Return the redacted text in one line, cut after `most` characters. Cutting first could hide the form of a credential."""
    line = redact_text(" ".join(text.split()))
    return line if most is None else truncate(line, most)


def truncate(text: str, most: int) -> str:
    """Cut the text between words. A part of a credential would not be found when the text is masked later."""
    return text if len(text) <= most else f"{text[:most].rpartition(' ')[0]} ...".lstrip()


def join_and(parts: Sequence[str]) -> str:
    """Join the parts, for example as `a, b and c`."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def pluralize(number: int, one: str, many: str = "") -> str:
    """Return the number with its noun, such as `1 pod` or `2,000 pods`. `many` is an irregular plural."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


#: Maximum number of other names of one sentence.
_ALIKE = 20


def join_alike(sentences: Iterable[tuple[str, str]]) -> list[str]:
    """Return the sentences, of which each is about a registry or an image. If some differ only in that name, the first one has the other names."""
    groups: dict[str, tuple[str, dict[str, None]]] = {}
    for name, sentence in sentences:
        form = sentence.replace(name, "\0").replace(name.partition("/")[0], "\0")
        groups.setdefault(form, (sentence, {}))[1][name] = None
    others = ((sentence, [*names][1:]) for sentence, names in groups.values())
    return [f"{sentence} (the same for {summarize(more, _ALIKE)})" if more else sentence for sentence, more in others]


def summarize(parts: Sequence[str], most: int, joint: str = ", ", *, listed: str = "") -> str:
    """Join the first `most` parts and count the others: `a, b and 3 more` or, for sentences, `a; b; and 3 more`.

    `listed` is the field of the result that contains all parts.
    """
    shown = joint.join(parts[:most])
    if len(parts) <= most:
        return shown
    where = f", listed under {listed!r}" if listed else ""
    return f"{shown}{' ' if joint == ', ' else joint}and {len(parts) - most} more{where}"
