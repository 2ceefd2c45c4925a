# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes possible credentials from text that a cluster, a node or a registry wrote. Pure.

Errors of container runtimes quote invalid input: containerd the decoded login, containers/image the start of a token response. All of
them quote URLs, whose query may be a signature and which may contain a password.

Anyone who is allowed to annotate an object or write an event chooses the text and its length. So an expression also consumes the text
that it has examined, and a function decides whether to hide it: no input makes it examine a character more than a few times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .redaction import MASKED

__all__ = ["redact_line", "redact_text", "truncate"]

_MEMBER = r"(?:identity|registry|access_|refresh_|id_)?token|passw(?:or)?d|(?:client_)?secret|auth|api_?key"
_PATTERNS: Sequence[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), kept)
    for pattern, kept in (
        # containerd internal/cri ParseAuth; a quote in it is escaped, and the text after it is never needed.
        (r"(invalid decoded auth:).*", rf"\1 {MASKED}"),
        # containers/image docker_client.go: `decoding bearer token (last URL "...", body start "...")`.
        (r'(body start ")(?:[^"\\]|\\.)*("?)', rf"\1{MASKED}\2"),
        (r"(?<=[a-z0-9+.-]://)[^\s/?#\"']*@", f"{MASKED}@"),
        (
            r"((?<=[a-z0-9+.-])://[^\s?#\"']*)([?#][^\s\"']*?(?=:?(?:[\s\"']|\Z)))?",
            lambda url: f"{url[1]}?{MASKED}" if url[2] else url[0],
        ),
        (r"\b(bearer|basic) +(?=[^\s,;]{16}|[^\s,;]*[0-9=])[a-z0-9._~+/=-]{8,}", rf"\1 {MASKED}"),
        # A JSON Web Token: its header begins like this in base64.
        (r"\beyj[a-z0-9_-]{5,}((?:\.[a-z0-9_-]*){0,4})", lambda token: MASKED if token[1] else token[0]),
        (rf"""(["'])({_MEMBER})\1(\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,}}]+)""", rf"\1\2\1\3{MASKED}"),
        (rf"""\b({_MEMBER})=(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,;&]+)""", rf"\1={MASKED}"),
    )
)


def redact_text(text: str) -> str:
    """Return the text with credentials hidden, as far as their position or form identifies them."""
    for pattern, kept in _PATTERNS:
        text = pattern.sub(kept, text)
    return text


def redact_line(text: str, most: int | None = None) -> str:
    """Return the redacted text in one line, cut after `most` characters. Cutting first could hide the form of a credential."""
    line = " ".join(redact_text(text).split())
    return line if most is None else truncate(line, most)


def truncate(text: str, most: int) -> str:
    """Cut the text between words. A part of a credential would not be found when the text is masked later."""
    return text if len(text) <= most else f"{text[:most].rpartition(' ')[0]} ...".lstrip()
