# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read reST and Markdown files as GitHub shows them, and list the parts that GitHub drops or shows raw.

GitHub renders reST with docutils alone (`lib/github/commands/rest2html` of github/markup): directives, options and roles of Sphinx are
unknown there. Errors are hidden, and their text is lost.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from docutils.core import publish_doctree

ROOT = Path(__file__).resolve().parents[2]
#: GitHub's settings, except that raw HTML is off (GitHub removes most of it) and that problems are reported.
SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "syntax_highlight": "none",
    "math_output": "latex",
    "doctitle_xform": True,
    "report_level": 2,
    "halt_level": 5,
    "_disable_config": True,
}
#: Addresses of files of this repository.
OURS = re.compile(
    r"https://(?:github\.com|raw\.githubusercontent\.com)/openshift-ops/image_pull/(?:(?:blob|tree|raw)/)?main/"
)


@dataclass(frozen=True)
class Link:
    line: int
    target: str
    is_picture: bool = False


@dataclass(frozen=True)
class Page:
    """A page as GitHub shows it. `problems` are the lost or raw parts, each with its line."""

    problems: tuple[str, ...]
    links: tuple[Link, ...]
    anchors: frozenset[str]


def read_page(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    return read_rst(text) if path.suffix == ".rst" else read_markdown(text)


def read_rst(text: str) -> Page:
    reported = io.StringIO()
    tree = publish_doctree(text, source_path="page", settings_overrides={**SETTINGS, "warning_stream": reported})
    problems = [f"{line}: {message}" for line, message in _reports(reported.getvalue())]
    problems += [f"{line}: {message}" for line, message in _lost(tree)]
    return Page(tuple(problems), tuple(_links(tree)), frozenset(_anchors(tree)))


def _reports(text: str) -> Iterator[tuple[int, str]]:
    for line, message in re.findall(r"^page:(\d+): \(\w+/\d\) (.*)$", text, re.MULTILINE):
        yield int(line), message


def _lost(tree: nodes.document) -> Iterator[tuple[int, str]]:
    """Text that docutils parses without an error, but that GitHub shows wrongly."""
    for comment in tree.findall(nodes.comment):
        lines = comment.astext().splitlines()
        if lines and re.match(r"[\w-]+ ?:", lines[0]):
            yield (comment.line or 0) - len(lines) + 1, f"a directive that reads as a comment: {lines[0]}"
    for reference in tree.findall(nodes.title_reference):
        yield _line(reference), f"single backticks: {reference.astext()}"


def _links(tree: nodes.document) -> Iterator[Link]:
    for reference in tree.findall(nodes.reference):
        if "refuri" in reference:
            yield Link(_line(reference), reference["refuri"])
    for picture in tree.findall(nodes.image):
        yield Link(_line(picture), picture["uri"], is_picture=True)


def _anchors(tree: nodes.document) -> Iterator[str]:
    for node in tree.findall(nodes.Element):
        yield from node.get("ids", [])


def _line(node: nodes.Node) -> int:
    """The line of the nearest block around the node. docutils records lines only for blocks."""
    place: nodes.Node | None = node
    while place is not None and not place.line:
        place = place.parent
    return (place.line or 0) if place is not None else 0


def read_markdown(text: str) -> Page:
    links, anchors, fence = [], set[str](), ""
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r" *(```+|~~~+)", line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        elif not fence:
            heading = re.match(r"#{1,6} +(.*?)(?: +#+)?$", line)
            if heading:
                anchors.add(_unused(slug(heading[1]), anchors))
            plain = re.sub(r"`[^`]*`", "", line)
            links += [Link(number, target, is_picture=True) for target in re.findall(r"!\[[^\]]*\]\(([^)\s]+)", plain)]
            without = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", plain)
            links += [Link(number, target) for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)", without)]
            anchors |= {*re.findall(r'<a (?:id|name)="([^"]+)"', line)}
    problems = [f"{len(text.splitlines())}: a code block without an end"] if fence else []
    return Page(tuple(problems), tuple(links), frozenset(anchors))


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def _unused(name: str, taken: set[str]) -> str:
    names = (name, *(f"{name}-{number}" for number in range(1, 1000)))
    return next(one for one in names if one not in taken)


def dead_links(
    path: Path, page: Page, anchors_of: dict[Path, frozenset[str]], shipped: Set[Path] = frozenset()
) -> Iterator[str]:
    """Links of a page to files of this repository, or to places in them, that do not exist. Pictures must be such files.

    `shipped` are the files of the tarball and their folders: a relative link between pages of the tarball must work in it.
    """
    for link in page.links:
        address = OURS.sub(f"{os.path.relpath(ROOT, path.parent)}/", link.target)
        if re.match(r"[a-z]+:", address):
            if link.is_picture:
                yield f"{link.line}: {link.target} is a picture of another server"
            continue
        name, _hash, anchor = address.partition("#")
        target = Path(os.path.normpath(path.parent / name)) if name else path
        if not target.exists():
            yield f"{link.line}: {link.target} does not exist"
        elif path in shipped and target not in shipped and address == link.target:
            yield f"{link.line}: {link.target} is not in the tarball. Use the full address"
        elif anchor and target in anchors_of and anchor not in anchors_of[target]:
            yield f"{link.line}: {link.target}: the page has no such place"
