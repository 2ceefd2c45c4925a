# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README has its sections in order, a correct table of contents, and a line for each playbook, role, module and guide."""

from __future__ import annotations

import re

import pytest
import yaml
from support.github_pages import ROOT, read_markdown, slug

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST = ["Description", "Requirements", "Installation", "Five minutes on your own cluster", "Use cases"]
#: Maximum number of rows in the two tables of jobs, so that all are visible at once.
SCREEN = 20


def headings() -> list[str]:
    return re.findall(r"^## (.+)$", TEXT, re.MULTILINE)


def rows(title: str) -> list[str]:
    """The first cells of a table with that title, as plain names."""
    (table,) = re.findall(rf"^\| {title} \|.*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    return [re.sub(r"\[?`([^`]+)`.*", r"\1", line.split("|")[1].strip()) for line in table.splitlines()]


def test_the_description_is_first_and_leads_to_the_demo() -> None:
    assert headings()[: len(FIRST)] == FIRST
    description = TEXT.partition("## Description\n")[2].partition("## ")[0]
    prose, command, _rest = description.partition("make demo\n")
    assert command
    assert len(prose.split()) < 120


def test_testing_has_both_commands() -> None:
    testing = TEXT.partition("## Testing\n")[2].partition("\n## ")[0]
    assert "\nmake demo\nmake test\n" in testing


def test_the_table_of_contents_has_every_heading_between_it_and_the_end() -> None:
    contents = set(re.findall(r"\]\(#([^)]+)\)", TEXT.partition("## Requirements")[0]))
    assert {slug(title) for title in headings()} - contents == {
        "description",
        "release-notes",
        "related-information",
        "license-information",
    }


@pytest.mark.parametrize(
    ("title", "pattern"),
    [("playbook", "playbooks/*.yml"), ("module", "plugins/modules/[!_]*.py"), ("role", "roles/*/meta")],
)
def test_each_playbook_module_and_role_has_a_line(title: str, pattern: str) -> None:
    there = [path.parent.name if title == "role" else path.stem for path in ROOT.glob(pattern)]
    assert sorted(rows(title)) == sorted(there)


def test_the_five_jobs_of_everybody_are_first_and_all_fit_on_a_screen() -> None:
    assert rows("job")[0].startswith("give pods") and len(rows("job")) == 5
    assert 5 < len(rows("also")) <= SCREEN - 5


def test_each_guide_is_linked() -> None:
    sections = yaml.safe_load((ROOT / "docs/docsite/extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    links = {link.target.rpartition("/")[2] for link in read_markdown(TEXT).links}
    assert {f"{name}.rst" for section in sections for name in section["toctree"]} <= links
