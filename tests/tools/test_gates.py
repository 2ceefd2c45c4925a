# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates notice what they are for: what is wrong in a tarball, what galaxy-importer says, a run without tests."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import check
import galaxy
import prepare
import pytest
import tarball
import units

IMPORTED = [
    "Importing with galaxy-importer 0.4.44",
    "Getting doc strings via ansible-doc",
    "Finding content inside collection",
    "Loading role a",
    "Collection loading complete",
    "Importer processing completed successfully",
]


class TestTarball:
    KNOWN = frozenset(
        {"README.md", "plugins/modules/a.py", "docs/a.md", "tests/unit/test_a.py", "changelogs/fragments/a.yml"}
    )
    GOOD = frozenset({"README.md", "plugins/modules/a.py", "docs/a.md", "MANIFEST.json", "FILES.json"})

    def test_what_users_need_and_nothing_else(self) -> None:
        assert list(tarball.wrong_files({*self.GOOD}, {*self.KNOWN})) == []

    @pytest.mark.parametrize(
        "name", ["tests/unit/test_a.py", "changelogs/fragments/a.yml", "plugins/a.pyc", ".cache/a"]
    )
    def test_a_file_too_many(self, name: str) -> None:
        assert list(tarball.wrong_files({*self.GOOD, name}, {*self.KNOWN})) == [
            f"{name}: is in the tarball, and no user needs it"
        ]

    @pytest.mark.parametrize("name", ["README.md", "docs/a.md", "MANIFEST.json"])
    def test_one_that_is_missing(self, name: str) -> None:
        assert list(tarball.wrong_files(self.GOOD - {name}, {*self.KNOWN})) == [f"{name}: is missing in the tarball"]

    @pytest.mark.parametrize(
        ("page", "text", "dead"),
        [
            ("README.md", "[a](docs/a.md#there) ![b](docs/b.svg) [c](docs) [d](https://example.com/x) [e](#here)", []),
            ("docs/a.md", "[up](../README.md) [beside](b.svg)", []),
            ("README.md", "[a](tests/README.md)", ["tests/README.md, which is not in the tarball"]),
            ("docs/a.md", "[a](README.md)", ["README.md, which is not in the tarball"]),
            ("docs/a.md", "```\n[a](nowhere.md)\n```\n", []),
            ("docs/a.rst", "`a <nowhere.rst>`_ and `b <https://example.com>`_", ["nowhere.rst, which is not"]),
            ("docs/a.rst", ".. image:: nowhere.svg\n", ["nowhere.svg, which is not"]),
            ("README.md", f"{'https://github.com'}/openshift-ops/image_pull/blob/main/docs/a.md", []),
            (
                "README.md",
                f"{'https://github.com'}/openshift-ops/image_pull/blob/main/docs/no.md.",
                ["docs/no.md of the"],
            ),
        ],
    )
    def test_links(self, tmp_path: Path, page: str, text: str, dead: list[str]) -> None:
        names = {"README.md", "docs/a.md", "docs/b.svg", page}
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text if name == page else "")
        found = list(tarball.dead_links(names, tmp_path))
        assert len(found) == len(dead)
        for line, part in zip(found, dead, strict=True):
            assert part in line


class TestGalaxyImporter:
    def test_nothing_to_say(self) -> None:
        assert galaxy.judged("\n".join(IMPORTED)) == []

    @pytest.mark.parametrize("line", ["WARNING: roles/a:1: no-changed-when", "ERROR: no", "  of several lines"])
    def test_a_line_of_another_kind(self, line: str) -> None:
        assert galaxy.judged("\n".join([*IMPORTED, line])) == [line]

    @pytest.mark.parametrize("part", galaxy.DONE)
    def test_a_part_that_was_left_out(self, part: str) -> None:
        left = [line for line in IMPORTED if line != part]
        assert galaxy.judged("\n".join(left)) == [f"missing in what it says: {part}"]


class TestCheck:
    def test_make_test_is_part_of_make_test_all(self) -> None:
        some, everything = check.chosen([]), check.chosen(["--all"])
        assert everything == [step for step in check.STEPS if step.environment != "next"]
        assert some == [step for step in everything if not step.only_all]
        assert 0 < len(some) < len(everything)

    def test_words_choose_among_all(self) -> None:
        assert [step.title for step in check.chosen(["units, 2.1"])] == [
            f"ansible-test units, {core}" for core in ("2.17", "2.18", "2.19")
        ]

    def test_pre_releases_are_tested_only_when_asked_for(self) -> None:
        following = [step for step in check.STEPS if step.environment == "next"]
        assert len(following) >= 2
        assert check.chosen(["next"]) == following
        assert not {*check.chosen(["units", "modules"])} & {*following}

    def test_titles_are_different(self) -> None:
        titles = [step.title for step in check.STEPS]
        assert len({*titles}) == len(titles)

    def test_each_environment_exists(self) -> None:
        assert {step.environment for step in check.STEPS} <= {*prepare.PYTHONS, *prepare.NO_PYTHON}

    @pytest.mark.parametrize(
        ("suites", "status", "result"),
        [
            ([{"tests": 3}], 0, (3, 0)),
            ([{"tests": 3}, {"tests": 4, "failures": 1}], 1, (6, 1)),
            ([{"tests": 3, "skipped": 1}], 0, (2, 1)),
            ([{"tests": 3, "errors": 2}], 1, (1, 2)),
            ([{"tests": 3}], 1, (2, 1)),
            ([{"tests": 0}], 0, (0, 1)),
            ([], 0, (0, 1)),
        ],
    )
    def test_reports_are_summed(
        self, tmp_path: Path, suites: list[dict[str, int]], status: int, result: tuple[int, int]
    ) -> None:
        reports = []
        for number, counts in enumerate(suites):
            suite = ElementTree.Element("testsuite", {name: str(count) for name, count in counts.items()})
            root = ElementTree.Element("testsuites")
            root.append(suite)
            reports.append(tmp_path / f"{number}.xml")
            ElementTree.ElementTree(root).write(reports[-1])
        assert check.judged(ElementTree.fromstring(units.joined(reports)), status) == result


def test_next_follows_pre_releases_with_all_else_as_in_newest() -> None:
    following, newest = (
        (prepare.ROOT / "tests/requirements" / f"{name}.txt").read_text("utf-8").splitlines()[1:]
        for name in (prepare.FOLLOWS, "newest")
    )
    (core,) = {*following} - {*newest}
    assert re.fullmatch(r"ansible-core>=\d+\.\d+\.\d+(a|b|rc)\d+", core)


def test_the_oldest_client_that_users_may_have_is_tested() -> None:
    wanted = [line for line in (prepare.ROOT / "requirements.txt").read_text("utf-8").splitlines() if line[0] != "#"]
    oldest = (prepare.ROOT / "tests/requirements/oldest.txt").read_text("utf-8").splitlines()
    assert wanted
    assert {line.replace(">=", "==") for line in wanted} <= {*oldest}
    builder = (prepare.ROOT / "meta/execution-environment.yml").read_text("utf-8")
    assert "  python: requirements.txt\n" in builder
