# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON as text, valid exactly when Go's `encoding/json` accepts it. Pure.

Every reader of a stored secret is a Go program: the API server, the kubelet, CRI-O. Python's `json` accepts more (`NaN`) and less (deep
nesting, numbers of many digits), and it does not reproduce the original text. So this module splits objects into their members, and
an unchanged member keeps its text. Bytes that are not UTF-8 appear in the text as lone surrogates (`surrogateescape`). Go reads each
as U+FFFD, and so does `string`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

#: Maximum nesting depth: Go refuses deeper values (encoding/json scanner.go, `maxNestingDepth`).
_DEPTH = 10_000

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*)*"'
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_SCALAR = re.compile(rf"{_STRING}|{_NUMBER}|true|false|null")
_NUMBERS = re.compile(rf"{_STRING}|({_NUMBER})")
_HEAD = re.compile(rf"({_STRING})[ \t\n\r]*:[ \t\n\r]*")
_CLOSING = {"{": "}", "[": "]"}

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
#: Surrogates that represent no byte, so that the text cannot be encoded.
_NO_BYTE = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")

_KINDS = {"{": "an object", "[": "a list", '"': "a string", "t": "true or false", "f": "true or false", "n": "null"}


class InvalidContent(ValueError):
    """The reason why content cannot be read, as the rest of a sentence: `is not valid JSON at line 1, column 2`. Never contains a value."""


@dataclass(frozen=True, repr=False)
class Member:
    """One member of an object.

    `name` is as Go reads it. `head` is the name with its colon, `value` the value, and `before` the separator from the previous member,
    all three as they are written.
    """

    name: str
    head: str
    value: str
    before: str = ""


@dataclass(frozen=True, repr=False)
class Object:
    """A JSON object: the text before its first member, the members (including duplicates), and the text after the last."""

    opening: str
    members: tuple[Member, ...]
    closing: str

    @classmethod
    def parse(cls, value: str) -> Object:
        """Return the object from a valid JSON value. `null` is the empty object, as in Go.

        :raises InvalidContent: for any other type of value.
        """
        if value == "null":
            return EMPTY
        if kind_name(value) != "an object":
            raise InvalidContent(f"is {kind_name(value)}, not an object")
        at = _skip(value, 1)
        opening, members, before = value[:at], [], ""
        while value[at] != "}":
            head = _head(value, at)
            stop = _value_end(value, head.end())
            members.append(Member(decode_string(head[1]), head[0], value[head.end() : stop], before))
            comma = _skip(value, stop)
            if value[comma] == "}":
                return cls(opening, tuple(members), value[stop:])
            at = _skip(value, comma + 1)
            before = value[stop:at]
        return cls(opening, (), "}")

    @property
    def text(self) -> str:
        return self.opening + join_members(self.members) + self.closing

    def having(self, members: Iterable[Member]) -> Object:
        """Return the object with other members. A new member gets the separator of the last member that has one."""
        separator = next((item.before for item in reversed(self.members) if item.before), ", ")
        parted = (replace(item, before=(item.before or separator) if at else "") for at, item in enumerate(members))
        return replace(self, members=tuple(parted))


EMPTY = Object("{", (), "}")


def join_members(members: Iterable[Member]) -> str:
    """Return the text of consecutive members."""
    return "".join(f"{item.before}{item.head}{item.value}" for item in members)


def value_of(text: str) -> str:
    """Return the value of a JSON text, without the white space around it.

    :raises InvalidContent: when Go would not read the text, with the position of the error.
    """
    if text.startswith("\ufeff"):
        raise InvalidContent("is not valid JSON: it begins with a byte order mark")
    if _NO_BYTE.search(text):
        raise InvalidContent("is not valid Unicode")
    start = _skip(text, 0)
    end = _value_end(text, start)
    if _skip(text, end) != len(text):
        raise _invalid(text, _skip(text, end))
    return text[start:end]


def kind_name(value: str) -> str:
    """Return the type of a valid JSON value, in words."""
    return _KINDS.get(value[0], "a number")


def decode_string(value: str) -> str:
    """Return the text of a JSON string, as Go reads it."""
    return _LONE_SURROGATE.sub("\ufffd", json.loads(value))


def has_bad_text(value: str) -> bool:
    """Whether Go would alter a JSON string: it contains a byte that is not UTF-8, or an unpaired surrogate."""
    return bool(_LONE_SURROGATE.search(json.loads(value)))


def has_huge_number(value: str) -> bool:
    """Whether a number at any depth exceeds a 64-bit float, so that the API server refuses the secret."""
    return any(math.isinf(float(number)) for number in _NUMBERS.findall(value) if number)


def member(name: str, value: str) -> Member:
    """Return a new member."""
    return Member(name, f"{json.dumps(name)}: ", value)


def fold_name(name: str) -> str:
    """Return the normal spelling of a field name. Go ignores case, and accepts one non-ASCII letter in place of an ASCII one."""
    return name.lower().replace("\u017f", "s")


def _value_end(text: str, at: int) -> int:
    """The offset after the value that begins at `at`."""
    closing: list[str] = []
    while True:
        scalar = _SCALAR.match(text, at)
        if scalar:
            at = scalar.end()
        else:
            at = _open(text, at, closing)
            if text[at : at + 1] != closing[-1]:
                at = _next_value(text, at, closing)
                continue
        at = _close(text, at, closing)
        if not closing:
            return at


def _open(text: str, at: int, closing: list[str]) -> int:
    """Enter the object or list at `at` and return the offset of its content. `closing` holds the end of each open one."""
    if text[at : at + 1] not in _CLOSING:
        raise _invalid(text, at)
    if len(closing) == _DEPTH:
        raise InvalidContent(f"is not valid JSON: it is nested more than {_DEPTH} levels deep")
    closing.append(_CLOSING[text[at]])
    return _skip(text, at + 1)


def _close(text: str, at: int, closing: list[str]) -> int:
    """Leave each object or list that ends after a value. Return the offset of the next value, or of the end when none is open."""
    while closing:
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            return _next_value(text, _skip(text, at + 1), closing)
        if text[at : at + 1] != closing[-1]:
            raise _invalid(text, at)
        closing.pop()
        at += 1
    return at


def _next_value(text: str, at: int, closing: list[str]) -> int:
    return _head(text, at).end() if closing[-1] == "}" else at


def _head(text: str, at: int) -> re.Match[str]:
    """The name and the colon at `at`."""
    found = _HEAD.match(text, at)
    if not found:
        raise _invalid(text, at)
    return found


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _invalid(text: str, at: int) -> InvalidContent:
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return InvalidContent(f"is not valid JSON at line {line}, column {column}")
