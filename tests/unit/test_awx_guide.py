# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each snippet in the guide for AWX is in its file, and each name in the guide exists."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from support.awx_rules import EXTENSION, configuration
from support.guides import Guide

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/docsite/rst/awx.rst").read_text()
SNIPPETS = [(block.title, block.text) for block in Guide("awx").blocks if block.language == "yaml"]


def lines(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def stands_in(snippet: str, text: str) -> bool:
    """Return whether the text contains the lines as one block, with any indentation."""
    wanted = lines(snippet).splitlines()
    there = text.splitlines()
    parts = ("\n".join(there[start : start + len(wanted)]) for start in range(len(there) - len(wanted) + 1))
    return any(lines(part) == "\n".join(wanted) for part in parts)


def test_the_guide_has_snippets() -> None:
    assert len(SNIPPETS) == GUIDE.count("code-block:: yaml") == 10
    assert all(path.startswith("extensions/") for path, _snippet in SNIPPETS)


@pytest.mark.parametrize(("path", "snippet"), SNIPPETS)
def test_each_snippet_is_in_its_file(path: str, snippet: str) -> None:
    assert stands_in(snippet, (ROOT / path).read_text())


def test_a_snippet_that_differs_is_noticed() -> None:
    path, snippet = SNIPPETS[0]
    assert not stands_in(snippet.replace("1.0.0", "9.0.0"), (ROOT / path).read_text())


def test_names_and_files_in_the_guide_exist() -> None:
    """Check the names of AWX objects such as templates and credentials, and the paths of files."""
    found = configuration()
    names = {one["name"] for kind, objects in found.items() if kind.startswith("controller_") for one in objects}
    shown = {" ".join(name.split()) for name in re.findall(r"``(Image pull: [^`]+)``", GUIDE)}
    assert shown and shown <= names
    for path in re.findall(r"``(extensions/[^`]+)``", GUIDE):
        assert (ROOT / path).exists(), path


def test_the_readme_names_all_files_of_the_extension() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", (EXTENSION / "README.md").read_text(), re.MULTILINE)
    there = {path.name for path in EXTENSION.iterdir()} - {"README.md", "tasks"}
    assert {row.partition("/")[0] for row in rows} == there and all((EXTENSION / row).exists() for row in rows)
