# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit XML in the form that all readers accept (JUnit's Ant task). Pure.

At most one failure in a case, correct counts, and elements in order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from .text import escape_invisible

__all__ = ["add_element", "as_xml", "make_case", "make_suite"]

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
