# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only writers of YAML, JUnit XML and Markdown. No text of a cluster becomes a template or markup. Pure.

Text is written in three forms. Plain text (`cluster_text`) means the same to every reader. A `TemplateText` or a `Sentence` is
text of our own code. Every other text gets the tag `!unsafe`, so that Ansible does not evaluate it. The type decides which text is a
template, never the text itself. The output is ASCII, so that no character in it can end a line.

At most one failure in a case, correct counts, and elements in order.

Sites turn more than Markdown into links and messages: names of users, numbers of issues, addresses, hashes of commits. Some look for them
in the text that the Markdown gives, so no escape sequence is safe. All of them leave code alone, so a text of a cluster is only shown as
code. Within code, an escape sequence means nothing, so the two characters that could end the code or a cell of a table are replaced by
their code points.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from .text import escape_invisible, is_plain, truncate


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


#: Characters that XML 1.0 cannot contain, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_xml(title: str, suites: Sequence[Element]) -> str:
    """Return the text of a file with these suites, which are numbered here."""
    for number, suite in enumerate(suites):
        suite.set("id", str(number))
    root = Element("testsuites", {"name": _sanitize(title), **_counts([case for suite in suites for case in suite])})
    root.extend(suites)
    indent(root, space="")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def make_suite(name: str, server: str, made: str, cases: Sequence[Element], output: str) -> Element:
    """Return a suite. `server` is an address or empty, `made` a time such as 2026-11-25T17:10:00Z."""
    attributes = {
        "id": "",
        "package": _sanitize(name),
        "name": _sanitize(name),
        "hostname": _sanitize(server or "localhost"),
        "timestamp": made.rstrip("Z"),
        **_counts(cases),
        "time": "0",
    }
    suite = Element("testsuite", attributes)
    SubElement(suite, "properties")
    suite.extend(cases)
    add_element(suite, "system-out", output)
    SubElement(suite, "system-err")
    return suite


def make_case(name: str, classname: str) -> Element:
    """Return a case without a result, which means that it passed."""
    return Element("testcase", name=_sanitize(name), classname=_sanitize(classname), time="0")


def add_element(parent: Element, tag: str, text: str = "", **attributes: str) -> None:
    """Add an element with a text and attributes, such as the failure of a case."""
    SubElement(parent, tag, {name: _sanitize(value) for name, value in attributes.items()}).text = _sanitize(text)


def _counts(parts: Sequence[Element]) -> dict[str, str]:
    """Return the counts of the cases among these elements."""
    cases = [part for part in parts if part.tag == "testcase"]
    tags = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    counts = {name: sum(case.find(tag) is not None for case in cases) for name, tag in tags.items()}
    return {"tests": str(len(cases)), **{name: str(count) for name, count in counts.items()}}


def _sanitize(text: str) -> str:
    """Replace characters that XML cannot contain, before `escape_invisible` would write them as numbers: a reader may rely on that."""
    return escape_invisible(_NOT_XML.sub("\ufffd", text))


#: Maximum number of characters of one text.
_MOST = 300
_ENDS = {"`": "⟨U+0060⟩", "|": "⟨U+007C⟩"}


def as_code(text: str, most: int = _MOST) -> str:
    """Return the text as code in a line or a cell, cut after `most` characters. A dash stands for an empty text."""
    # One character more than shown is enough to see that the text is cut.
    shown = escape_invisible(" ".join(text.split())[: most + 1])
    for letter, code_point in _ENDS.items():
        shown = shown.replace(letter, code_point)
    cut = truncate(shown, most) if len(shown) > most else shown
    # `truncate` cuts between words. A text without a space would become empty.
    shown = f"{shown[:most]} ..." if cut == "..." else cut
    return f"`{shown}`" if shown else "-"


def as_code_block(text: str, language: str) -> list[str]:
    """Return the lines of a text of our own with several lines, such as a task, as a block of code."""
    lines = [escape_invisible(line).replace("`", _ENDS["`"]) for line in text.splitlines()]
    return [f"```{language}", *lines, "```"]


def as_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table. A head that ends with a colon belongs to a column of numbers. Cells are already Markdown."""
    titles = [title.removesuffix(":") for title in head]
    edges = ["---:" if title.endswith(":") else "---" for title in head]
    return [f"| {' | '.join(cells)} |" for cells in (titles, edges, *rows)]
