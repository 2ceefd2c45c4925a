# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page is readable on GitHub, which renders reST without Sphinx: no text is lost or raw, and each link has a target."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from sanity import known_files
from support.github_pages import ROOT, Page, dead_links, read_markdown, read_page, read_rst, slug
from tarball import shipped

GUIDES = sorted((ROOT / "docs/docsite/rst").glob("*.rst"))


PAGES = sorted(ROOT / each for each in known_files() if each.endswith((".md", ".rst")))
#: The files of the tarball, and their folders.
SHIPPED = {place for each in shipped(known_files()) for place in (ROOT / each, *(ROOT / each).parents)}


@cache
def pages() -> dict[Path, Page]:
    return {path: read_page(path) for path in PAGES}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_pages_are_found() -> None:
    assert len(GUIDES) > 15
    assert {ROOT / "README.md", ROOT / "CONTRIBUTING.md", *GUIDES} <= set(PAGES)


@pytest.mark.parametrize("path", [path for path in PAGES if path.suffix == ".rst"], ids=name)
def test_github_shows_the_whole_guide(path: Path) -> None:
    assert [f"{name(path)}:{problem}" for problem in pages()[path].problems] == []


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_and_pictures_exist(path: Path) -> None:
    anchors = {one: page.anchors for one, page in pages().items()}
    assert [f"{name(path)}:{problem}" for problem in dead_links(path, pages()[path], anchors, SHIPPED)] == []


@pytest.mark.parametrize("path", GUIDES, ids=name)
def test_guides_link_to_neighbours_and_local_pictures_by_relative_paths(path: Path) -> None:
    """Such links lead to the same revision on GitHub, in a clone, in the tarball and on the site."""
    rest = ("https://github.com/openshift-ops/image_pull/blob/main/docs/docsite/", "https://raw.githubusercontent.com/")
    found = [
        link.target
        for link in pages()[path].links
        if link.target.startswith(rest) or (link.is_picture and ":" in link.target)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (".. code-block:: yaml\n   :caption: a.yml\n\n   a: 1\n", '1: Error in "code-block" directive:'),
        (".. code-block:: yaml\n   :emphasize-lines: 1\n\n   a: 1\n", '1: Error in "code-block" directive:'),
        ("See :ref:`this <label>`.\n", '1: Unknown interpreted text role "ref".'),
        ("See :ansopt:`a.b.c#module:d`.\n", '1: Unknown interpreted text role "ansopt".'),
        (":envvar:`A`\n", '1: Unknown interpreted text role "envvar".'),
        (".. glossary::\n\n   a\n     b\n", '1: Unknown directive type "glossary".'),
        (".. seealso:: a\n", '1: Unknown directive type "seealso".'),
        (".. versionadded:: 1.0.0\n", '1: Unknown directive type "versionadded".'),
        (".. toctree::\n\n   a\n", '1: Unknown directive type "toctree".'),
        (".. include:: a.rst\n", '1: "include" directive disabled.'),
        (".. raw:: html\n\n   <b>\n", '1: "raw" directive disabled.'),
        ("Text\n\n.. code-block: yaml\n\n   a: 1\n", "3: a directive that reads as a comment: code-block: yaml"),
        ("See `this`.\n", "1: single backticks: this"),
        ("See this_.\n", '1: Unknown target name: "this".'),
        ("A title\n====\n", "2: Title underline too short."),
    ],
)
def test_lost_and_raw_text_is_noticed(text: str, problem: str) -> None:
    assert problem in read_rst(text).problems


def test_the_forms_of_the_guides_are_whole() -> None:
    comments = ".. Copyright (c) 2026, me\n\n.. Made by a program.\n\n"
    text = (
        comments
        + ".. _label:\n\nA\n=\n\n**a.yml**\n\n.. code-block:: yaml+jinja\n\n   a: 1\n\nterm\n  It is `a <b.rst#c>`__.\n"
    )
    page = read_rst(text)
    assert page.problems == ()
    assert [(link.line, link.target) for link in page.links] == [(17, "b.rst#c")]
    assert {"label", "a"} <= page.anchors


def test_markdown_is_read_as_github_does() -> None:
    text = "# A `b` (c)\n## A b c\n[x](#a-b-c-1) ![y](p.svg)\n```\n[z](no)\n# no\n```\n`[q](no)` [![a](b.svg)](c)\n"
    page = read_markdown(text)
    assert page.anchors == {"a-b-c", "a-b-c-1"}
    assert [(link.target, link.is_picture) for link in page.links] == [
        ("p.svg", True),
        ("#a-b-c-1", False),
        ("b.svg", True),
        ("c", False),
    ]
    assert slug("What's [new](x), `k8s_auth`?") == "whats-new-k8s_auth"


def test_dead_links_are_noticed() -> None:
    text = "# A\n[x](#a) [x](#b) [x](nowhere.md) [x](README.md#speed) [x](https://example.com/x) ![x](https://example.com/x.svg)\n"
    text += "[x](https://github.com/openshift-ops/image_pull/blob/main/nowhere)\n"
    text += "[x](tests/unit) [x](plugins)\n"
    path = ROOT / "CHANGELOG.md"
    page = read_markdown(text)
    assert list(dead_links(path, page, {path: page.anchors, ROOT / "README.md": frozenset()}, SHIPPED)) == [
        "2: https://example.com/x.svg is a picture of another server",
        "2: #b: the page has no such place",
        "2: nowhere.md does not exist",
        "2: README.md#speed: the page has no such place",
        "3: https://github.com/openshift-ops/image_pull/blob/main/nowhere does not exist",
        "4: tests/unit is not in the tarball. Use the full address",
    ]
