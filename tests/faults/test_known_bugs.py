# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests of this folder find the faults that this project had: known_bugs.md brings each one back into a copy, where its tests must fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.playbooks import ROOT

#: Faults whose tests are quick. `make test` tries these, `make test-all` tries all.
QUICK = ("An import whose answer was lost is reported as failed", "An update carries no version")
_NEEDED = ("plugins", "playbooks", "roles", "meta", "extensions", "tests", "galaxy.yml", "pyproject.toml")
_SECONDS = 900
_LINES = re.compile(r"^```diff\n(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Bug:
    """A fault. `edits`: file, today's text and the faulty text. `tests` are the tests that must fail with it."""

    title: str
    tests: tuple[str, ...]
    edits: tuple[tuple[str, str, str], ...]

    def put_into(self, root: Path) -> None:
        for name, old, new in self.edits:
            text = (root / name).read_text()
            assert text.count(old) == 1, f"{self.title}: these lines are {text.count(old)} times in {name}:\n{old}"
            (root / name).write_text(text.replace(old, new))

    def take_from(self, root: Path) -> None:
        for name, _old, _new in self.edits:
            shutil.copy(ROOT / name, root / name)
            # Python compares the time of a file in seconds.
            os.utime(root / name, (time.time() - 10**6,) * 2)


def read_bugs() -> list[Bug]:
    """Return the faults of the page. The lines of an edit begin with a blank, a minus or a plus."""
    _head, *sections = re.split(r"^##+ ", (Path(__file__).parent / "known_bugs.md").read_text(), flags=re.MULTILINE)
    return [_bug_of(section) for section in sections]


def _bug_of(section: str) -> Bug:
    edits = []
    for name, lines in _LINES.findall(section):
        old, new = (
            "".join(f"{line[1:]}\n" for line in lines.splitlines() if line[:1] in (" ", "", sign)) for sign in "-+"
        )
        edits.append((name, old, new))
    return Bug(
        section.partition("\n")[0], tuple(re.findall(r"^- `(tests/\S+::.*)`$", section, re.MULTILINE)), tuple(edits)
    )


BUGS = read_bugs()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the collection, at a path where Ansible finds it."""
    root = tmp_path_factory.mktemp("bugs") / "ansible_collections" / "openshift_ops" / "image_pull"
    root.mkdir(parents=True)
    for name in _NEEDED:
        source = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__", "lab", "bench", ".*_cache", "node_modules")
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=ignored)
        else:
            shutil.copy(source, root / name)
    return root


def run_tests(root: Path, tests: tuple[str, ...]) -> str:
    """Return what the tests print in the copy."""
    place = str(root.parents[2])
    variables: dict[str, Any] = {"PYTHONPATH": place, "ANSIBLE_COLLECTIONS_PATH": place, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "--tb=short", *tests]
    done = subprocess.run(
        command,
        cwd=root,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return done.stdout + done.stderr


def test_each_fault_can_be_brought_back(copy: Path) -> None:
    assert len({bug.title for bug in BUGS}) == len(BUGS)
    assert {*QUICK} <= {bug.title for bug in BUGS}
    for bug in BUGS:
        assert bug.edits and bug.tests, bug.title
        bug.put_into(copy)
        bug.take_from(copy)


@pytest.mark.parametrize(
    "bug",
    [pytest.param(bug, id=bug.title, marks=[] if bug.title in QUICK else [pytest.mark.slow]) for bug in BUGS],
)
def test_the_tests_of_a_fault_find_it(copy: Path, bug: Bug) -> None:
    bug.put_into(copy)
    try:
        printed = run_tests(copy, bug.tests)
    finally:
        bug.take_from(copy)
    failed = re.findall(r"^FAILED (\S+)", printed, re.MULTILINE)
    for test in bug.tests:
        assert any(test.startswith(name) or name.startswith(test) for name in failed), printed[-5000:]


@pytest.mark.slow
def test_the_copy_without_a_fault_passes(copy: Path) -> None:
    """A test that always fails in the copy would find every fault."""
    printed = run_tests(copy, tuple({test for bug in BUGS for test in bug.tests}))
    assert re.search(r"^\d+ passed", printed.splitlines()[-1]), printed[-5000:]
