# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must pass, in steps; a step that fails does not stop the others.

usage: check.py [--all] [WORD ...]

`make test` is what every change has to pass. What is slow and rarely breaks is for --all, which is `make test-all`. With words, the
steps whose title holds one of them, whichever of the two they belong to. The steps on pre-releases of ansible-core belong to neither, so
that no change fails because of a new one: they are for `check.py next`, which is `make check-next`. Ends with one line for each step and the sum of what passed
and failed. A step without tests of its own counts as one.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from lanes import Commands, Output, side_by_side
from prepare import command_line

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = "ansible_collections.openshift_ops.image_pull.plugins"
PACKAGES = [
    part
    for room in ("module_utils", "plugin_utils", "modules", "action", "lookup", "filter")
    for part in ("-p", f"{PLUGINS}.{room}")
]
PACKAGES += ["-p", "ansible_collections.openshift_ops.image_pull.extensions.eda.plugins.event_source"]
#: So many steps run side by side: most of them wait for a cluster half of the time.
LANES = 2
#: The longest step of make test takes about a quarter of an hour on two cores, of make test-all half an hour.
LONGEST_SECONDS, LONGEST_SECONDS_OF_ALL = 3600, 7200
#: ansible-runner is not among what the oldest core is tested with.
NO_RUNNER = ("--deselect", "tests/scenarios/test_ocm.py::test_no_job_event_and_no_artifact_holds_it")
#: Tests that have an environment of their own.
OF_OTHERS = ("awx", "documentation", "eda", "report")
PYTEST = ["python", "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"]


@dataclass(frozen=True)
class Step:
    title: str
    environment: str
    command: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()
    only_all: bool = False

    @property
    def counts_tests(self) -> bool:
        """Whether it writes a report of its tests. Other steps count as one test."""
        runs_tests = "pytest" in self.command or UNITS[1] in self.command
        return runs_tests and "--collect-only" not in self.command


#: The environment that follows pre-releases.
NEXT = "next"
#: The supported cores between the oldest and the newest.
CORES = ("2.17", "2.18", "2.19", "2.20")
SANITY = ("python", "tests/tools/sanity.py")
UNITS = ("python", "tests/tools/units.py")
#: The command after it finds the collection that the tarball installs.
TARBALL = ("python", "tests/tools/tarball.py")

STEPS = (
    Step("ruff check", "newest", ("ruff", "check", ".")),
    Step("ruff format", "newest", ("ruff", "format", "--check", ".")),
    Step("mypy, strict", "newest", ("mypy", *PACKAGES)),
    Step("yamllint", "newest", ("yamllint", "--strict", ".")),
    Step(
        "every test can be collected",
        "newest",
        (*PYTEST, "--collect-only", "-qqq", *(f"--ignore=tests/{name}" for name in OF_OTHERS), "tests"),
    ),
    # The longest begin first, so that none is left alone at the end.
    Step("playbooks of the tarball, newest", "newest", (*TARBALL, *PYTEST, "tests/scenarios")),
    Step("modules on the lab, newest", "newest", (*PYTEST, "tests/modules")),
    Step("security, newest", "newest", (*PYTEST, "tests/security")),
    Step("security, oldest", "oldest", (*PYTEST, "tests/security")),
    Step("the guides, as they are written", "newest", (*PYTEST, "tests/guides")),
    Step(
        "the main job of the tarball, oldest",
        "oldest",
        (*TARBALL, *PYTEST, "tests/scenarios/test_site.py", "tests/scenarios/test_in_process.py"),
    ),
    Step("molecule, all scenarios", "newest", ("molecule", "test", "--all")),
    Step("ansible-lint, profile production", "newest", ("ansible-lint", "--offline", "--profile", "production")),
    Step("ansible-test sanity, newest", "newest", SANITY),
    Step("ansible-test sanity, oldest", "oldest", SANITY),
    *(Step(f"ansible-test sanity, {core}", f"core-{core}", SANITY, only_all=True) for core in CORES),
    Step("galaxy-importer, as the Hub runs it", "galaxy", ("python", "tests/tools/galaxy.py", "import")),
    Step("ansible-lint of the tarball", "galaxy", ("python", "tests/tools/galaxy.py", "lint"), only_all=True),
    Step("changelog fragments", "docs", ("python", "tests/tools/changelog.py")),
    Step("documentation, checked", "docs", ("python", "tests/tools/docs.py", "lint")),
    Step("documentation, rendered", "docs", ("python", "tests/tools/docs.py", "build")),
    Step("documentation, on GitHub and as a site", "docs", (*PYTEST, "tests/documentation")),
    Step("the lab's and the benchmark's Go", "go", ("sh", "tests/tools/check_go.sh")),
    # Forks cost more than the tests: those of the cores between prove that no test needs another.
    Step("ansible-test units, newest", "newest", (*UNITS, "--in-one-process")),
    Step("ansible-test units, oldest", "oldest", (*UNITS, "--in-one-process")),
    *(Step(f"ansible-test units, {core}", f"core-{core}", UNITS, only_all=True) for core in CORES),
    Step("ansible-test units, next", NEXT, (*UNITS, "--in-one-process")),
    Step("modules on the lab, next", NEXT, (*PYTEST, "tests/modules")),
    Step("one process or two, next", NEXT, (*PYTEST, "tests/scenarios/test_in_process.py")),
    Step("the tools of these tests", "newest", (*PYTEST, "tests/tools")),
    Step("the lab against the recordings", "newest", (*PYTEST, "tests/lab_fidelity")),
    Step("matching against the real readers", "newest", (*PYTEST, "tests/oracle")),
    Step("verdicts against the node", "newest", (*PYTEST, "tests/verdicts")),
    Step(
        "20,000 verdicts against the node",
        "newest",
        (*PYTEST, "tests/verdicts"),
        variables=(("IMAGE_PULL_PODS", "20000"),),
        only_all=True,
    ),
    Step("modules on the lab, oldest", "oldest", (*PYTEST, "tests/modules"), only_all=True),
    Step("the tarball and kubernetes.core", "bench", (*TARBALL, *PYTEST, "tests/installed")),
    Step(
        "a rotation of 1,000 namespaces",
        "newest",
        (*PYTEST, "tests/scenarios/test_rotate.py"),
        variables=(("IMAGE_PULL_ROTATED", "1000"),),
        only_all=True,
    ),
    Step(
        "playbooks of the tarball, oldest",
        "oldest",
        (*TARBALL, *PYTEST, "tests/scenarios", *NO_RUNNER),
        only_all=True,
    ),
    Step("faults and killed runs", "newest", (*PYTEST, "tests/faults")),
    Step(
        "100 killed runs, 1,000 namespaces",
        "newest",
        (*PYTEST, "tests/faults"),
        variables=(("IMAGE_PULL_FAULT_NAMESPACES", "1000"), ("IMAGE_PULL_FAULT_KILLS", "100")),
        only_all=True,
    ),
    Step("a job of ansible-runner", "newest", (*PYTEST, "tests/runner")),
    Step("what AWX and Automation Platform say", "awx", (*PYTEST, "tests/awx"), only_all=True),
    Step("events on the lab", "eda", (*PYTEST, "tests/eda")),
    Step("the report in a browser", "browser", (*PYTEST, "tests/report")),
)


class Outcome(NamedTuple):
    passed: int
    failed: int
    seconds: float


def main() -> int:
    steps = chosen(sys.argv[1:])
    outcomes: dict[Step, Outcome] = {}
    started = time.monotonic()
    with closing(side_by_side(steps, timed, LANES)) as done:
        for step, outcome, printed in done:
            outcomes[step] = outcome
            print(f"\n=== {len(outcomes)}/{len(steps)} {step.title}", flush=True)
            sys.stdout.buffer.write(printed)
            sys.stdout.flush()
    print()
    for step in steps:
        passed, failed, seconds = outcomes[step]
        print(f"{step.title:<40}{passed:>6} passed {failed:>4} failed {seconds:>7.0f} s")
    print(f"{time.monotonic() - started:.0f} s for all, {LANES} side by side")
    total = sum(outcome.failed for outcome in outcomes.values())
    print(f"\n{sum(outcome.passed for outcome in outcomes.values())} passed, {total} failed")
    return 1 if total else 0


def timed(step: Step, commands: Commands, output: Output) -> Outcome:
    started = time.monotonic()
    if output:  # what it prints is shown when it has ended
        print(f"--- {step.title} begins", flush=True)
    passed, failed = run(step, commands, output)
    return Outcome(passed, failed, time.monotonic() - started)


def chosen(arguments: list[str]) -> list[Step]:
    wanted = [argument for argument in arguments if argument != "--all"]
    steps = [step for step in STEPS if step.environment != NEXT or NEXT in wanted]
    if wanted:
        return [step for step in steps if any(word in step.title for word in wanted)]
    return [step for step in steps if "--all" in arguments or not step.only_all]


def run(step: Step, commands: Commands, output: Output) -> tuple[int, int]:
    """How many tests of the step passed and failed."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.xml"
        command = [sys.executable, str(ROOT / "tests" / "tools" / "prepare.py"), step.environment]
        command += [*step.command, *([f"--junit-xml={report}"] if step.counts_tests else [])]
        longest = LONGEST_SECONDS_OF_ALL if step.only_all else LONGEST_SECONDS
        status = commands.run(command, {"NO_COLOR": "1", **dict(step.variables)}, longest, output)
        if not report.exists():
            return (0, 1) if status or step.counts_tests else (1, 0)
        return judged(ElementTree.parse(report).getroot(), status)


def judged(report: ElementTree.Element, status: int) -> tuple[int, int]:
    """How many passed and failed; ansible-test makes a suite for each of its kinds of tests."""
    names = ("tests", "failures", "errors", "skipped")
    counts = {name: sum(int(suite.get(name, 0)) for suite in report.iter("testsuite")) for name in names}
    failed = counts["failures"] + counts["errors"]
    # A run that was ended, found no test or skipped one has not passed.
    failed += counts["skipped"] + (1 if (status or not counts["tests"]) and not failed else 0)
    return max(counts["tests"] - failed, 0), failed


if __name__ == "__main__":
    command_line(main)
