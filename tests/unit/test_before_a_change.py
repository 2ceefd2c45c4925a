# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on changes lists, for each kind of change, exactly the facts that no object shows."""

from __future__ import annotations

import re

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.options import (
    CANNOT_KNOW,
    CHANGE_ARGUMENTS,
    DECLARED,
)
from support.guides import GUIDES

HEADING = "Facts that no object shows"


def table_of(page: str) -> dict[str, list[str]]:
    """Return the facts of each change in the table below the heading."""
    section = page.split(f"\n{HEADING}\n{'-' * len(HEADING)}\n", 1)[1]
    rows = section.partition("     - not known\n")[2].split("   * - ")[1:]
    return {
        row.partition("``\n")[0].strip("`"): re.findall(r"^ +(?:- )+(.+)$", row.partition("\n")[2], re.MULTILINE)
        for row in rows
    }


def test_the_guide_lists_the_unknown_facts_of_each_change() -> None:
    found = table_of((GUIDES / "before_a_change.rst").read_text(encoding="utf-8"))
    assert {*found} == {*CANNOT_KNOW} == {*CHANGE_ARGUMENTS, DECLARED}, (
        f"write the rows below {HEADING!r} in docs/docsite/rst/before_a_change.rst"
    )
    assert found == {kind: list(facts) for kind, facts in CANNOT_KNOW.items()}
