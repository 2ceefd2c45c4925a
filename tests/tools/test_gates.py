# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates fail on problems in a tarball, on messages of galaxy-importer, and on a run without tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import check
import durations
import galaxy
import prepare
import pytest
import release
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

    def test_a_tarball_with_only_the_needed_files_is_accepted(self) -> None:
        assert list(tarball.wrong_files({*self.GOOD}, {*self.KNOWN})) == []

    @pytest.mark.parametrize(
        "name", ["tests/unit/test_a.py", "changelogs/fragments/a.yml", "plugins/a.pyc", ".cache/a"]
    )
    def test_a_superfluous_file_is_reported(self, name: str) -> None:
        assert list(tarball.wrong_files({*self.GOOD, name}, {*self.KNOWN})) == [
            f"{name}: is in the tarball, and no user needs it"
        ]

    @pytest.mark.parametrize("name", ["README.md", "docs/a.md", "MANIFEST.json"])
    def test_a_missing_file_is_reported(self, name: str) -> None:
        assert list(tarball.wrong_files(self.GOOD - {name}, {*self.KNOWN})) == [f"{name}: is missing in the tarball"]

    def test_an_installation_from_git_has_the_files_of_the_tarball(self, tmp_path: Path) -> None:
        folder = str(tmp_path)
        command = [
            "ansible-galaxy",
            "collection",
            "install",
            f"git+file://{prepare.ROOT},HEAD",
            "--no-deps",
            "-p",
            folder,
        ]
        environment = {**os.environ, "PYTHONPATH": folder, "ANSIBLE_COLLECTIONS_PATH": folder}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        installed = tmp_path / "ansible_collections" / "openshift_ops" / "image_pull"
        names = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
        listed = subprocess.run(
            ["git", "ls-tree", "-r", "--name-only", "HEAD"],
            cwd=prepare.ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert list(tarball.wrong_files(names, {*listed.stdout.splitlines()})) == []


class TestGalaxyImporter:
    def test_a_clean_import_is_accepted(self) -> None:
        assert galaxy.judged("\n".join(IMPORTED)) == []

    @pytest.mark.parametrize("line", ["WARNING: roles/a:1: no-changed-when", "ERROR: no", "  of several lines"])
    def test_an_unexpected_line_is_reported(self, line: str) -> None:
        assert galaxy.judged("\n".join([*IMPORTED, line])) == [line]

    @pytest.mark.parametrize("part", galaxy.DONE)
    def test_a_missing_part_of_the_import_is_reported(self, part: str) -> None:
        left = [line for line in IMPORTED if line != part]
        assert galaxy.judged("\n".join(left)) == [f"missing in what it says: {part}"]


class TestCheck:
    def test_make_test_is_part_of_make_test_all(self) -> None:
        some, everything = check.chosen([]), check.chosen(["--all"])
        assert some == [step for step in check.STEPS if step.environment != "next" and not step.only_all]
        assert everything == [step for step in check.STEPS if not step.larger]
        assert 0 < len(some) < len(everything)

    def test_make_test_all_leaves_out_only_steps_that_have_larger_ones(self) -> None:
        larger = {title for step in check.STEPS for title in step.larger}
        assert larger
        assert larger <= {step.title for step in check.STEPS if step.only_all}

    @pytest.mark.parametrize(
        ("word", "titles"),
        [
            ("unit", ["ansible-test units, newest"]),
            ("units,oldest", ["ansible-test units, oldest"]),
            ("units, 2.1", [f"ansible-test units, {core}" for core in ("2.17", "2.18", "2.19")]),
            ("units,next", ["ansible-test units, next"]),
            ("the main job", ["the main job of the tarball, oldest"]),
            ("playbooks", ["playbooks of the tarball, newest"]),
            ("ruff", ["ruff check", "ruff format"]),
            ("mypy, strict", ["mypy, strict"]),
        ],
    )
    def test_a_word_selects_the_newest_core_unless_it_names_another(self, word: str, titles: list[str]) -> None:
        assert [step.title for step in check.chosen([word])] == titles

    def test_a_comma_selects_every_supported_core(self) -> None:
        found = [step.core for step in check.chosen(["units,"])]
        assert sorted(found) == sorted(["newest", "oldest", *check.CORES])

    def test_an_unknown_word_is_refused_with_the_titles(self) -> None:
        with pytest.raises(SystemExit, match=r"unti is in the title of none of these steps:\n  ruff check\n"):
            check.chosen(["unti"])

    def test_pre_releases_are_tested_only_by_make_test_all_and_when_asked_for(self) -> None:
        following = [step for step in check.STEPS if step.environment == "next"]
        assert len(following) >= 2
        assert check.chosen(["next"]) == following
        assert not {*check.chosen(["units", "modules"]), *check.chosen([])} & {*following}

    @pytest.mark.parametrize(("core", "result"), [("next", (1, 0)), ("newest", (0, 1))])
    def test_only_a_step_for_pre_releases_may_test_nothing(self, core: str, result: tuple[int, int]) -> None:
        commands = SimpleNamespace(run=lambda *_: 0)
        step = check.Step(f"ansible-test units, {core}", core, check.UNITS)
        assert check.run(step, True, commands, None)[:2] == result

    def test_the_tarball_is_checked_for_certification_with_four_cores(self) -> None:
        steps = check.chosen(["certification", "certification,"])
        sanity = {step.core: step.environment for step in steps if step.name == "sanity for certification"}
        assert sanity == check.CERTIFIED
        assert {*sanity} == {"oldest", "2.18", "2.20", "newest"}
        assert {step.environment for step in steps} - {*sanity.values()} == {"galaxy", "partner", "docs"}

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

    def test_the_summary_has_the_slowest_files_of_all_steps_and_the_sum_of_the_steps(self) -> None:
        first, second = check.STEPS[0], check.STEPS[1]
        many = Counter({f"tests/test_{number}.py": 1.0 for number in range(30)})
        lines = check.summary(
            [
                (first, check.Outcome(31, 0, 70.0, many + Counter({"tests/test_7.py": 2.0}))),
                (second, check.Outcome(1, 1, 50.0, Counter({"tests/test_7.py": 4.0, "tests/test_8.py": 1.6}))),
            ],
            65.0,
        )
        assert lines[1:4] == [
            "the 25 slowest of 30 test files, all steps together:",
            "      7 s  tests/test_7.py",
            "      3 s  tests/test_8.py",
        ]
        assert lines[26] != "" == lines[27]
        assert lines[28:] == [
            f"{first.title:<40}    31 passed    0 failed      70 s",
            f"{second.title:<40}     1 passed    1 failed      50 s",
            "65 s for all, 3 side by side; 120 s is the sum of the steps",
            "",
            "32 passed, 1 failed",
        ]

    def test_seconds_belong_to_the_file_of_a_test(self) -> None:
        names = ("tests.unit.core.test_a", "tests.unit.core.test_a.TestB", "tests.unit.core.test_a.TestB.test_c")
        cases = "".join(f'<testcase classname="{name}" time="1.5"/>' for name in (*names, "tests.test_d"))
        found = check.seconds_of_files(ElementTree.fromstring(f"<a><testsuite>{cases}</testsuite></a>"))
        assert found == {"tests/unit/core/test_a.py": 4.5, "tests/test_d.py": 1.5}


class TestDurations:
    @pytest.fixture(autouse=True)
    def own_cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IMAGE_PULL_CACHE", str(tmp_path))

    def test_an_unknown_duration_is_printed_as_unknown(self) -> None:
        assert durations.announced({"a": ["a"]}, 2) == ["1 step, usual duration unknown:", f"  {'a':<40}  unknown"]

    @pytest.mark.parametrize("text", ["", "[]", "{", '{"a": "x"}', '{"a": null}', "\xff"])
    def test_a_damaged_file_has_no_duration(self, text: str) -> None:
        durations.file().write_bytes(text.encode("latin-1"))
        assert durations.known() == {}
        durations.remember({"b": 1.0})
        assert durations.known() == {"b": 1.0}

    def test_the_last_duration_is_remembered(self) -> None:
        durations.remember({"a": 30.0, "b": 100.0})
        durations.remember({"a": 400.0})
        steps = {"a": ["a"], "b": ["b"], "c": ["c"], "d": ["a", "c"], "e": ["b", "b"]}
        assert durations.announced(steps, 2) == [
            "5 steps, 2 side by side, usual duration 7 min, without 2 of unknown duration:",
            f"  {'a':<40}    7 min",
            f"  {'b':<40}    100 s",
            f"  {'c':<40}  unknown",
            f"  {'d':<40}  unknown",
            f"  {'e':<40}    3 min",
        ]


class TestMarkers:
    """`make test` leaves out slow tests, and each of them runs in a step of `make test-all`."""

    def test_make_test_leaves_slow_tests_out_and_older_cores_those_of_the_newest(self) -> None:
        newest, oldest, pre_release = (
            check.Step(f"a, {core}", core, ("python", "-m", "pytest", "tests/scenarios"))
            for core in (*ENVIRONMENTS, check.NEXT)
        )
        assert newest.arguments(False)[-2:] == ("-m", "not slow")
        assert oldest.arguments(False)[-2:] == ("-m", "not slow and not newest_core")
        assert oldest.arguments(True) == oldest.arguments(False)
        assert newest.arguments(True) == newest.command and pre_release.arguments(True) == pre_release.command

    def test_every_step_with_tests_leaves_them_out(self) -> None:
        for step in check.chosen([]):
            runs_pytest = "pytest" in step.command and "--collect-only" not in step.command
            assert (step.arguments(False) != step.command) is runs_pytest, step.title

    def test_words_and_files_run_them(self) -> None:
        assert check.requested(["--all"]).everything
        assert check.requested(["playbooks"]).everything
        assert check.requested(["--files", str(prepare.ROOT / "tests/scenarios/test_site.py")]).everything
        assert not check.requested([]).everything

    def test_each_marked_file_is_run_by_a_step_of_make_test_all(self) -> None:
        files = {name for marker in MARKERS for name in marked(marker)}
        assert files
        steps = [step for step in check.chosen(["--all"]) if "pytest" in step.command]
        ways = {part for step in steps for part in step.command if part.startswith("tests/")}
        assert [name for name in files if not any(Path(name).is_relative_to(way) for way in ways)] == []

    def test_each_newest_core_file_is_run_by_make_test(self) -> None:
        steps = [step for step in check.chosen([]) if step.environment == "newest" and step.counts_tests]
        ways = {part for step in steps for part in step.command if part.startswith("tests/")}
        missed = [name for name in marked(check.NEWEST_CORE) if not any(Path(name).is_relative_to(way) for way in ways)]
        assert missed == []

    def test_the_markers_are_registered(self) -> None:
        text = (prepare.ROOT / "pyproject.toml").read_text("utf-8")
        for marker in MARKERS:
            assert f'  "{marker}: ' in text


ENVIRONMENTS = ("newest", "oldest")
MARKERS = (check.SLOW, check.NEWEST_CORE)


def marked(marker: str) -> list[str]:
    """The test files that use a marker. ansible-test does not know our markers, so unit tests have none."""
    found = [
        path.relative_to(prepare.ROOT).as_posix()
        for path in (prepare.ROOT / "tests").rglob("test_*.py")
        if f"pytest.mark.{marker}\n" in path.read_text("utf-8")
        or f"marks=pytest.mark.{marker})" in path.read_text("utf-8")
    ]
    assert not any(name.startswith("tests/unit/") for name in found)
    return found


def test_the_next_environment_adds_only_pre_releases_of_ansible_core_after_the_newest() -> None:
    following, newest = (
        re.findall(r"^[^#].*$", (prepare.ROOT / "tests/requirements" / f"{name}.txt").read_text("utf-8"), re.MULTILINE)
        for name in (prepare.FOLLOWS, "newest")
    )
    (core,) = {*following} - {*newest}
    assert core == f"{release.core(prepare.ROOT).replace('==', '>=')}rc1"


def test_the_oldest_packages_that_users_may_have_are_tested() -> None:
    wanted = [line for line in (prepare.ROOT / "requirements.txt").read_text("utf-8").splitlines() if line[0] != "#"]
    oldest = (prepare.ROOT / "tests/requirements/oldest.txt").read_text("utf-8").splitlines()
    assert wanted
    assert {line.replace(">=", "==") for line in wanted} <= {*oldest}
    builder = (prepare.ROOT / "meta/execution-environment.yml").read_text("utf-8")
    assert "  python: requirements.txt\n" in builder


@pytest.mark.parametrize(
    "arguments", [["tests/unit/plugins/module_utils/core/test_times.py"], []], ids=["a file", "all"]
)
def test_plain_pytest_says_how_to_start(arguments: list[str]) -> None:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=prepare.ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "does not find: ansible_collections." in done.stderr
    for command_line in ("make test ", "make check-unit ", "make t T=", " ".join(["pytest", *command[3:]])):
        assert command_line in done.stderr
    assert "Traceback" not in done.stdout + done.stderr and "Error" not in done.stdout + done.stderr
