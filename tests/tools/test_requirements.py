# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each environment for the unit tests pins the packages that they import. `make test` runs them in one of the environments only."""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prepare import PYTHONS

ROOT = Path(__file__).resolve().parents[2]
#: Packages of this repository, and packages that ansible-core and the modules need.
PRESENT = {"ansible_collections", "support", "unit", "ansible", "jinja2", "urllib3", "yaml"}
NAMES = {"markdown_it": "markdown-it-py"}


@functools.cache
def imported_packages() -> set[str]:
    modules = (name for path in (ROOT / "tests" / "unit").rglob("*.py") for name in imported_modules(path))
    found = {name.partition(".")[0] for name in modules}
    return {NAMES.get(name, name) for name in found - PRESENT - sys.stdlib_module_names}


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("name", ["newest", "oldest", "next", "core-2.17", "core-2.18", "core-2.19", "core-2.20"])
def test_an_environment_has_the_packages_of_the_unit_tests(name: str) -> None:
    text = (ROOT / "tests" / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    pinned = {*re.findall(r"^([\w-]+)[=>]=", text, re.MULTILINE)}
    assert imported_packages() - pinned == set()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_a_page_names_the_pythons_of_the_newest_environment(page: str) -> None:
    versions = " or ".join(f"3.{minor}" for minor in sorted(PYTHONS["newest"]))
    assert f"git, and Python {versions}." in (ROOT / page).read_text(encoding="utf-8")
