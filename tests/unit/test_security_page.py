# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The security page names an existing test for each attacker and each writer."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "docsite" / "rst" / "security.rst"
TEST = re.compile(r"``(tests/[^`]+)``")
#: The headings of the two tables with the number of their rows, because a table that is not found must not pass.
TABLES = {"Threat model": 12, "Who controls each write": 17}


def rows(heading: str) -> list[str]:
    """Return the rows of the table below a heading, without the row of column titles."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n{heading}\n{'-' * len(heading)}\n", 1)[1]
    table = re.split(r"\n[^\n]+\n-{4,}\n", section)[0]
    return table.split("\n   * - ")[2:]


@pytest.mark.parametrize("heading", TABLES)
def test_each_row_of_a_table_names_a_test(heading: str) -> None:
    found = rows(heading)
    assert len(found) >= TABLES[heading]
    assert [row for row in found if not TEST.search(row.rpartition("\n     - ")[2])] == []


@pytest.mark.parametrize("test", sorted({*TEST.findall(PAGE.read_text(encoding="utf-8"))}))
def test_each_named_test_exists(test: str) -> None:
    path, *names = test.split("::")
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    for name in names:
        (found,) = [node for node in body if getattr(node, "name", "") == name]
        body = getattr(found, "body", [])
