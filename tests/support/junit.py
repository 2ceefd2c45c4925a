# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks JUnit XML against the common schema of Ant's JUnit task."""

from __future__ import annotations

import re
from xml.etree import ElementTree

__all__ = ["check"]


def check(text: str) -> ElementTree.Element:
    """Check the required attributes and elements, their order, and the counts."""
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    for at, suite in enumerate(root):
        assert suite.tag == "testsuite"
        assert {"name", "timestamp", "hostname", "tests", "failures", "errors", "time", "package"} <= {*suite.keys()}
        assert suite.get("id") == str(at)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", ""))
        tags = [child.tag for child in suite]
        cases = suite.findall("testcase")
        assert tags == ["properties", *["testcase"] * len(cases), "system-out", "system-err"]
        for case in cases:
            assert {"name", "classname", "time"} == set(case.keys())
            assert len(case) <= 1
            assert {child.tag for child in case} <= {"failure", "skipped", "error"}
            assert all(failure.get("type") for failure in case.findall("failure"))
        counted = {
            "tests": len(cases),
            "failures": len(suite.findall("*/failure")),
            "errors": len(suite.findall("*/error")),
            "skipped": len(suite.findall("*/skipped")),
        }
        assert {name: int(suite.get(name, "-1")) for name in counted} == counted
    for name in ("tests", "failures", "errors", "skipped"):
        assert int(root.get(name, "-1")) == sum(int(suite.get(name, "-1")) for suite in root)
    return root
