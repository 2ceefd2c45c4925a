# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only writer of YAML: variables and tasks in block style, in which no text of a cluster is a template. Pure.

Text is written in three forms. Plain text (`cluster_text`) means the same to every reader. A `TemplateText` or a `Sentence` is
text of our own code. Every other text gets the tag `!unsafe`, so that Ansible does not evaluate it. The type decides which text is a
template, never the text itself. The output is ASCII, so that no character in it can end a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .text import is_plain

__all__ = ["Sentence", "TemplateText", "as_comments", "as_yaml"]


class TemplateText(str):
    """A template of our own code, such as `{{ registry_password }}`. Ansible evaluates it."""

    __slots__ = ()


class Sentence(str):
    """A fixed sentence of our own code, such as the title of a task. It contains no text of a cluster."""

    __slots__ = ()


#: Text that YAML 1.1 and 1.2 read unchanged without quotes: words that begin with a letter.
_BARE = re.compile(r"[A-Za-z](?:[A-Za-z0-9._/:@+-]*[A-Za-z0-9._/@+-])?(?: [A-Za-z0-9][A-Za-z0-9._/@+-]*)*\Z")
#: Text that PyYAML reads as a boolean, a number, a time, null, a default value or a merge key (yaml/resolver.py), without a line
#: break at the end. From ansible-core 2.19 on, the tag `!unsafe` does not make it a string, not even in quotes. None of it can be a template.
_RESOLVED = re.compile(
    r"""(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF
    |[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*
    |[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)
    |[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+
    |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)?
    |~|null|Null|NULL|=|<<|[!&*]|)\n?\Z""",
    re.VERBOSE,
)
#: Text that begins with a letter and that some YAML reader does not take as a string.
_NOT_TEXT = re.compile(r"(?:y|n|yes|no|on|off|true|false|null|nan|inf)\Z", re.IGNORECASE)
_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_TO_ESCAPE = re.compile(r"[^ !#-\[\]-~]")
#: Maximum length of a key before its colon. YAML takes 1,024 characters.
_LONGEST_KEY = 1000

_Scalar = Callable[[Any], str]


def as_yaml(value: Mapping[Any, Any] | list[Any], *, for_ansible: bool = True) -> str:
    """Return a mapping or a list as YAML. Without `for_ansible`, the text has no tags, because another program reads it."""
    scalar = _format_tagged if for_ansible else _format_untagged
    lines = _block(value, "", scalar)
    return "".join(f"{line}\n" for line in lines) if lines else f"{scalar(value)}\n"


def as_comments(lines: Iterable[str]) -> str:
    """Return each text as a comment line. Characters that are not printable ASCII are replaced."""
    return "".join(f"# {re.sub(r'[^ -~]', '?', line)}\n" for line in lines)


def _block(value: Any, edge: str, scalar: _Scalar) -> list[str]:
    """The lines of a list or mapping. Empty for an empty one and for other values, which fit in one line."""
    if isinstance(value, Mapping):
        return [line for name, item in value.items() for line in _member(name, item, edge, scalar)]
    if isinstance(value, (list, tuple)):
        return [line for item in value for line in _item(item, edge, scalar)]
    return []


def _item(item: Any, edge: str, scalar: _Scalar) -> list[str]:
    below = _block(item, f"{edge}  ", scalar)
    return [f"{edge}- {below[0].lstrip(' ')}", *below[1:]] if below else [f"{edge}- {scalar(item)}"]


def _member(name: Any, item: Any, edge: str, scalar: _Scalar) -> list[str]:
    key = scalar(name)
    head = [f"{edge}{key}:"] if len(key) <= _LONGEST_KEY else [f"{edge}? {key}", f"{edge}:"]
    below = _block(item, f"{edge}  ", scalar)
    return [*head, *below] if below else [*head[:-1], f"{head[-1]} {scalar(item)}"]


def _format_tagged(value: Any) -> str:
    is_text = isinstance(value, str) and not isinstance(value, (TemplateText, Sentence))
    return (
        f"!unsafe {_quote(value)}"
        if is_text and not (is_plain(value) or _RESOLVED.match(value))
        else _format_untagged(value)
    )


def _format_untagged(value: Any) -> str:
    if isinstance(value, str):
        return str(value) if _BARE.match(value) and not _NOT_TEXT.match(value) else _quote(value)
    if isinstance(value, float):
        return _number(value)
    if value is None or isinstance(value, int):
        return "null" if value is None else str(value).lower()
    return "{}" if isinstance(value, Mapping) else "[]"


def _number(value: float) -> str:
    """As YAML 1.1 reads it: with a point, even in front of an exponent."""
    digits = repr(value)
    if digits.lstrip("-")[0].isalpha():
        return digits.replace("inf", ".inf").replace("nan", ".nan")
    return digits if "." in digits else digits.replace("e", ".0e")


def _quote(text: str) -> str:
    return f'"{_TO_ESCAPE.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xD800 <= code <= 0xDFFF:  # an unpaired surrogate, which YAML cannot contain
        code = 0xFFFD
    known = _ESCAPED.get(found[0])
    return known or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
