# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README is short and has its sections in order. The page of contents has a line for each playbook, role, module and guide."""

from __future__ import annotations

import re

import pytest
import yaml
from support.github_pages import ROOT, read_markdown, slug

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST = ["Description", "Requirements", "Installation", "Five minutes on your own cluster", "Use cases"]
#: Maximum number of words, so that the page can be read in five minutes.
WORDS = 1300
CONTENTS = (ROOT / "docs/docsite/rst/contents.rst").read_text(encoding="utf-8")


def headings() -> list[str]:
    return re.findall(r"^## (.+)$", TEXT, re.MULTILINE)


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


@pytest.mark.parametrize("pattern", ["playbooks/*.yml", "plugins/modules/[!_]*.py", "roles/*/meta"])
def test_each_playbook_module_and_role_has_a_line_in_the_contents(pattern: str) -> None:
    for path in ROOT.glob(pattern):
        name = path.parent.name if path.name == "meta" else path.stem
        assert f"``{name}``" in CONTENTS or f"`{name} <" in CONTENTS, name


def test_the_page_is_short_and_has_five_questions() -> None:
    assert len(TEXT.split()) <= WORDS
    questions = TEXT.partition("## Use cases\n")[2].partition("\n## ")[0]
    assert re.findall(r"image_pull\.(\w+) -i", questions) == ["site", "explain", "audit", "what_if", "rotate", "rotate"]
    assert (
        len(re.findall(r"^\*\*.*\?\*\*", questions, re.MULTILINE))
        == len(re.findall(r"^> ", questions, re.MULTILINE))
        == 5
    )


def test_each_guide_is_linked_from_the_page_or_the_contents() -> None:
    sections = yaml.safe_load((ROOT / "docs/docsite/extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    links = {link.target.rpartition("/")[2] for link in read_markdown(TEXT).links}
    links |= set(re.findall(r"<(\w+\.rst)", CONTENTS))
    assert {f"{name}.rst" for section in sections for name in section["toctree"]} <= links
