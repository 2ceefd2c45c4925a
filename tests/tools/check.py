# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the checks that every change must pass, in steps. A failed step does not stop the others.

usage: check.py [--all] [WORD ...]
       check.py --files NAME [NAME ...]

`make test` is the check that every change must pass. Slow steps that rarely fail are for --all, which is `make test-all`. A word selects
the steps of both with the word in their title. Of steps that differ only in the core, it selects the newest core, unless the word
contains another: `units` and `units,oldest`, `units,` for every core. Pre-releases of ansible-core run only in `make test-all` and as
`next`, so that a new one fails no change. --files runs the tests that belong to these modules, rooms and files (see selection.py).

The run begins with its steps and their usual durations. It ends with the slowest test files, one line for each step, and the number of
tests that passed and failed. A step without a test report counts as one.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import durations
from lanes import Commands, Output, side_by_side
from prepare import command_line
from selection import existing_tests, select_tests

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = "ansible_collections.openshift_ops.image_pull.plugins"
PACKAGES = [
    part
    for room in ("module_utils", "plugin_utils", "modules", "action", "lookup", "filter")
    for part in ("-p", f"{PLUGINS}.{room}")
]
PACKAGES += ["-p", "ansible_collections.openshift_ops.image_pull.extensions.eda.plugins.event_source"]
#: Number of steps that run in parallel. On two cores, two steps leave a fifth of the processor idle, because tests wait for a cluster.
LANES = 3
#: The longest step of make test takes about ten minutes on two cores, of make test-all half an hour.
LONGEST_SECONDS, LONGEST_SECONDS_OF_ALL = 3600, 7200
#: ansible-runner is not tested with the oldest core.
NO_RUNNER = ("--deselect", "tests/scenarios/test_ocm.py::test_no_job_event_and_no_artifact_contains_the_pull_secret")
#: Test folders that need their own environment, with the name of that environment.
ENVIRONMENTS = {"awx": "awx", "documentation": "docs", "eda": "eda", "installed": "bench", "report": "browser"}
#: Folders that no other step of `make test` collects.
COLLECTED = ("tests/installed", "tests/lab_fidelity", "tests/oracle")
#: The number of slowest test files that a run prints.
SLOWEST = 25
PYTEST = ["python", "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"]


#: The markers of tests that only `make test-all` and words run, and of those that also `make test` runs. Both only with the newest core and
#: pre-releases: older cores run the other tests.
SLOW, NEWEST_CORE = "slow", "newest_core"


@dataclass(frozen=True)
class Step:
    title: str
    environment: str
    command: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()
    only_all: bool = False
    #: The titles of steps of `make test-all` that run all of this step, and more. `make test-all` leaves this one out.
    larger: tuple[str, ...] = ()
    #: The test files of a run for some files.
    files: tuple[str, ...] = ()

    @property
    def timed_by(self) -> tuple[str, ...]:
        """The names whose durations add up to that of the step."""
        return self.files or (self.title,)

    @property
    def core(self) -> str:
        """The core in its title. Empty for a step that has the same title on no other core."""
        core = self.title.rpartition(", ")[2]
        return core if core in ("newest", "oldest", NEXT, *CORES) else ""

    @property
    def name(self) -> str:
        """The title without the core."""
        return self.title.removesuffix(f", {self.core}")

    def arguments(self, everything: bool) -> tuple[str, ...]:
        """The command. It leaves out the tests for the newest core and, without --all, those that only `make test-all` runs."""
        if self.core in ("oldest", *CORES):
            left_out = [SLOW, NEWEST_CORE]
        else:
            left_out = [] if everything or self.only_all else [SLOW]
        if not left_out or not self.counts_tests or "pytest" not in self.command:
            return self.command
        return (*self.command, "-m", " and ".join(f"not {marker}" for marker in left_out))

    @property
    def counts_tests(self) -> bool:
        """Whether it writes a report of its tests. Other steps count as one test."""
        runs_tests = "pytest" in self.command or UNITS[1] in self.command
        return runs_tests and "--collect-only" not in self.command


#: The environment that follows pre-releases.
NEXT = "next"
#: The supported cores between the oldest and the newest.
CORES = ("2.17", "2.18", "2.19", "2.20")
#: The cores with which certified collections are checked, and their environments. These steps check the tarball.
CERTIFIED = {"oldest": "oldest", "2.18": "core-2.18", "2.20": "core-2.20", "newest": "newest"}
SANITY = ("python", "tests/tools/sanity.py")
CHANGELOG = ("python", "tests/tools/changelog.py")
DOCUMENTATION = ("python", "tests/tools/docs.py", "lint")
#: Tests of ansible-test sanity that only `make test-all` runs, with the tarball.
SLOW_SANITY = ("import", "pep8", "pylint")
ANSIBLE_LINT = ("ansible-lint", "--offline", "--profile", "production")
#: Forks take longer than the tests: the step of one core shows that no test depends on another one.
FORKED_UNITS = ("python", "tests/tools/units.py")
UNITS = (*FORKED_UNITS, "--in-one-process")
#: A run that was ended leaves the files of its lab, and Molecule's state that the lab runs.
MOLECULE = ("sh", "-c", 'molecule destroy -s default >/dev/null 2>&1; exec molecule test "$@"', "molecule")
#: The command after it runs only with an ansible-core that is newer than the newest supported one.
NEWER = ("python", "tests/tools/newer.py")
#: The command after it finds the collection that the tarball installs.
TARBALL = ("python", "tests/tools/tarball.py")

#: The tests of what-if answers on generated pods and changes.
SUPPOSED = ("tests/verdicts/test_what_if.py", "tests/verdicts/test_what_if_moments.py")

STEPS = (
    Step("ruff check", "newest", ("ruff", "check", ".")),
    Step("ruff format", "newest", ("ruff", "format", "--check", ".")),
    Step("mypy, strict", "newest", ("mypy", *PACKAGES)),
    Step("words of the texts for users", "newest", ("python", "tests/tools/words.py")),
    Step("yamllint", "newest", ("yamllint", "--strict", ".")),
    Step(
        "every test can be collected",
        "newest",
        (*PYTEST, "--collect-only", "-qqq", *COLLECTED),
    ),
    # The longest steps begin first, so that none of them runs alone at the end.
    Step(
        "100 killed runs, 1,000 namespaces",
        "newest",
        (*PYTEST, "tests/faults"),
        variables=(("IMAGE_PULL_FAULT_NAMESPACES", "1000"), ("IMAGE_PULL_FAULT_KILLS", "100")),
        only_all=True,
    ),
    Step(
        "60,000 verdicts against the node",
        "newest",
        (*PYTEST, "tests/verdicts", *(f"--ignore={each}" for each in SUPPOSED)),
        variables=(("IMAGE_PULL_PODS", "4000"), ("IMAGE_PULL_WORKLOADS", "200")),
        only_all=True,
    ),
    Step(
        "5,000 supposed changes against the node",
        "newest",
        (*PYTEST, *SUPPOSED, "tests/unit/test_what_if_node.py"),
        variables=(("IMAGE_PULL_SUPPOSED", "5000"), ("IMAGE_PULL_RESTARTED", "230"), ("IMAGE_PULL_WORLDS", "2500")),
        only_all=True,
    ),
    Step(
        "playbooks of the tarball, oldest",
        "oldest",
        (*TARBALL, *PYTEST, "tests/scenarios", *NO_RUNNER),
        only_all=True,
    ),
    Step("playbooks of the tarball, newest", "newest", (*TARBALL, *PYTEST, "tests/scenarios")),
    Step("modules on the lab, newest", "newest", (*PYTEST, "tests/modules")),
    Step("modules on the lab, oldest", "oldest", (*PYTEST, "tests/modules"), only_all=True),
    Step("security, newest", "newest", (*PYTEST, "tests/security")),
    Step("security, oldest", "oldest", (*PYTEST, "tests/security"), only_all=True),
    Step("the guides, as they are written", "newest", (*PYTEST, "tests/guides")),
    Step(
        "the main job of the tarball, oldest",
        "oldest",
        (*TARBALL, *PYTEST, "tests/scenarios/test_site.py::TestMainJob"),
        larger=("playbooks of the tarball, oldest",),
    ),
    Step(
        "molecule, secrets and the default scenario",
        "newest",
        (*MOLECULE, "-s", "default", "-s", "private_registry"),
        larger=("molecule, all scenarios",),
    ),
    Step("molecule, all scenarios", "newest", (*MOLECULE, "--all"), only_all=True),
    # Molecule runs its own playbooks.
    Step(
        "ansible-lint, profile production",
        "newest",
        (*ANSIBLE_LINT, "--exclude", "extensions/molecule/"),
        larger=("ansible-lint of everything",),
    ),
    Step("ansible-lint of everything", "newest", ANSIBLE_LINT, only_all=True),
    # The imports take two thirds of the time. mypy, ruff and the unit tests, which import every file with ansible-test, find almost all of it.
    Step("ansible-test sanity, newest", "newest", (*SANITY, *(f"--skip-test={name}" for name in SLOW_SANITY))),
    # With the oldest core, pylint reads the tests too.
    Step("ansible-test sanity, oldest", "oldest", SANITY, only_all=True),
    *(
        Step(f"ansible-test sanity, {core}", f"core-{core}", (*SANITY, "--skip-test=pylint"), only_all=True)
        for core in CORES
        if core not in CERTIFIED
    ),
    *(
        Step(f"sanity for certification, {core}", CERTIFIED[core], (*TARBALL, *SANITY), only_all=True)
        for core in CERTIFIED
    ),
    *(
        Step(f"{program} {words}", environment, ("python", "tests/tools/galaxy.py", job), only_all=True)
        for program, job in (("galaxy-importer", "import"), ("ansible-lint", "lint"))
        for words, environment in (("for certification", "galaxy"), ("of partners for certification", "partner"))
    ),
    Step("changelog for certification", "docs", (*TARBALL, *CHANGELOG), only_all=True),
    Step("documentation for certification", "docs", (*TARBALL, *DOCUMENTATION), only_all=True),
    Step("changelog fragments", "docs", CHANGELOG),
    Step("documentation, checked", "docs", DOCUMENTATION),
    Step("documentation, rendered", "docs", ("python", "tests/tools/docs.py", "build")),
    Step("documentation, on GitHub and as a site", "docs", (*PYTEST, "tests/documentation")),
    Step("the lab's and the benchmark's Go", "go", ("sh", "tests/tools/check_go.sh"), only_all=True),
    Step("ansible-test units, newest", "newest", UNITS),
    Step("ansible-test units, oldest", "oldest", UNITS, only_all=True),
    *(
        Step(f"ansible-test units, {core}", f"core-{core}", FORKED_UNITS if core == CORES[0] else UNITS, only_all=True)
        for core in CORES
    ),
    Step("ansible-test units, next", NEXT, (*NEWER, *UNITS)),
    Step("modules on the lab, next", NEXT, (*NEWER, *PYTEST, "tests/modules")),
    Step(
        "playbooks, next",
        NEXT,
        (*NEWER, *PYTEST, *(f"tests/scenarios/test_{name}.py" for name in ("in_process", "explain", "audit"))),
    ),
    Step("the tools of these tests", "newest", (*PYTEST, "tests/tools")),
    Step("the lab against the recordings", "newest", (*PYTEST, "tests/lab_fidelity"), only_all=True),
    Step("matching against the real readers", "newest", (*PYTEST, "tests/oracle"), only_all=True),
    Step(
        "present images against the kubelet",
        "newest",
        (*PYTEST, "tests/oracle/test_image_verification.py"),
        larger=("matching against the real readers",),
    ),
    Step(
        "verdicts against the node",
        "newest",
        (*PYTEST, "tests/verdicts"),
        variables=(("IMAGE_PULL_PODS", "50"), ("IMAGE_PULL_RESTARTED", "23")),
        larger=("60,000 verdicts against the node", "5,000 supposed changes against the node"),
    ),
    Step("the tarball and kubernetes.core", "bench", (*TARBALL, *PYTEST, "tests/installed"), only_all=True),
    Step(
        "a rotation of 1,000 namespaces",
        "newest",
        (*PYTEST, "tests/scenarios/test_rotate.py::TestUnderFire"),
        variables=(("IMAGE_PULL_ROTATED", "1000"),),
        only_all=True,
    ),
    Step("faults and killed runs", "newest", (*PYTEST, "tests/faults"), larger=("100 killed runs, 1,000 namespaces",)),
    Step("a job of ansible-runner", "newest", (*PYTEST, "tests/runner")),
    Step("what AWX and Automation Platform say", "awx", (*PYTEST, "tests/awx"), only_all=True),
    Step("events on the lab", "eda", (*PYTEST, "tests/eda")),
    Step("the report in a browser", "browser", (*PYTEST, "tests/report")),
)


@dataclass(frozen=True)
class Outcome:
    passed: int
    failed: int
    seconds: float
    #: Seconds of each test file.
    files: Counter[str] = field(default_factory=Counter)


def main() -> int:
    request = requested(sys.argv[1:])
    print("\n".join(durations.announced({step.title: step.timed_by for step in request.steps}, LANES)), flush=True)
    outcomes: dict[Step, Outcome] = {}
    started = time.monotonic()

    def work(step: Step, commands: Commands, output: Output) -> Outcome:
        return timed(step, request.everything, commands, output)

    with closing(side_by_side(request.steps, work, LANES)) as done:
        for step, outcome, printed in done:
            outcomes[step] = outcome
            if not outcome.failed:
                durations.remember({**outcome.files, **({} if step.files else {step.title: outcome.seconds})})
            print(f"\n=== {len(outcomes)}/{len(request.steps)} {step.title}", flush=True)
            sys.stdout.buffer.write(printed)
            sys.stdout.flush()
    print("\n".join(summary([(step, outcomes[step]) for step in request.steps], time.monotonic() - started)))
    return 1 if any(outcome.failed for outcome in outcomes.values()) else 0


def summary(outcomes: list[tuple[Step, Outcome]], seconds: float) -> list[str]:
    """The lines at the end: the slowest files, each step, and the sums."""
    lines = slowest(outcome.files for _step, outcome in outcomes)
    lines += ["", *(line_of(step, outcome) for step, outcome in outcomes)]
    lanes = sum(outcome.seconds for _step, outcome in outcomes)
    lines.append(f"{seconds:.0f} s for all, {LANES} side by side; {lanes:.0f} s is the sum of the steps")
    passed, failed = (sum(getattr(outcome, name) for _step, outcome in outcomes) for name in ("passed", "failed"))
    return [*lines, "", f"{passed} passed, {failed} failed"]


def line_of(step: Step, outcome: Outcome) -> str:
    return f"{step.title:<40}{outcome.passed:>6} passed {outcome.failed:>4} failed {outcome.seconds:>7.0f} s"


def slowest(files: Iterable[Counter[str]]) -> list[str]:
    """The slowest test files over all steps, the slowest first."""
    total = sum(files, Counter[str]())
    if not total:
        return []
    shown = total.most_common(SLOWEST)
    lines = [f"{seconds:>7.0f} s  {name}" for name, seconds in shown]
    return ["", f"the {len(shown)} slowest of {len(total)} test files, all steps together:", *lines]


def timed(step: Step, everything: bool, commands: Commands, output: Output) -> Outcome:
    started = time.monotonic()
    print(f"--- {step.title} begins\n", end="", flush=True)  # one write: another lane prints too
    passed, failed, files = run(step, everything, commands, output)
    return Outcome(passed, failed, time.monotonic() - started, files)


class Request(NamedTuple):
    steps: list[Step]
    everything: bool


def requested(arguments: list[str]) -> Request:
    """The steps that the command line asks for."""
    if arguments[:1] == ["--files"]:
        return Request(steps_of_files(arguments[1:]), everything=True)
    return Request(chosen(arguments), everything=bool(arguments))


def chosen(arguments: list[str]) -> list[Step]:
    words = [argument for argument in arguments if argument != "--all"]
    if not words:
        everything = "--all" in arguments
        return [
            step for step in STEPS if not (step.larger if everything else step.only_all or step.environment == NEXT)
        ]
    steps = [step for step in STEPS if any(selects(word, step) for word in words)]
    if not steps:
        titles = "\n".join(f"  {step.title}" for step in STEPS)
        sys.exit(f"check.py: {', '.join(words)} is in the title of none of these steps:\n{titles}")
    return steps


def selects(word: str, step: Step) -> bool:
    """Whether the title has the word. A word without a core means the newest core that has the step, but not a pre-release."""
    word, title, name = (text.replace(" ", "") for text in (word, step.title, step.name))
    if word not in title:
        return False
    if word not in name:
        return step.core != NEXT or NEXT in word
    return not step.core or step.core == newest_core(step.name)


def newest_core(name: str) -> str:
    cores = {step.core for step in STEPS if step.name == name}
    return next((core for core in ("newest", *reversed(CORES), "oldest") if core in cores), "")


def steps_of_files(files: list[str]) -> list[Step]:
    """A step for each environment that the tests of these files need."""
    if not files:
        sys.exit("check.py: name a module, a room or a file: make t T=sa_link, T='explain README.md'")
    environments: dict[str, list[str]] = {}
    for test in sorted({test for name in files for path in paths_of(name) for test in found_tests(name, path)}):
        folder = Path(test).parts[1]
        environments.setdefault(ENVIRONMENTS.get(folder, "newest"), []).append(test)
    return [
        Step(f"tests in the {name} environment", name, (*PYTEST, *tests), files=tuple(tests))
        for name, tests in environments.items()
    ]


def paths_of(name: str) -> list[Path]:
    """The files that a name stands for: a file, a module, or a room or feature."""
    utils = ROOT / "plugins" / "module_utils"
    module = ROOT / "plugins" / "modules" / f"{name}.py"
    if Path(name).exists() or "/" in name:
        return [Path(name).resolve()]
    inside = [path for folder in (name, f"*/{name}") for path in utils.glob(f"{folder}/**/*.py")]
    found = [module] if module.is_file() else [*inside, *utils.glob(f"*/{name}.py")]
    return sorted(set(found)) or [Path(name).resolve()]


def found_tests(name: str, path: Path) -> list[str]:
    if not path.is_relative_to(ROOT) or not path.exists():
        sys.exit(f"check.py: {name} does not exist in this checkout")
    tests = select_tests(path.relative_to(ROOT).as_posix(), existing_tests(ROOT))
    if not tests:
        sys.exit(f"check.py: no test belongs to {name}: run make test")
    print(f"{path.relative_to(ROOT)}: {' '.join(tests)}", flush=True)
    return tests


def run(step: Step, everything: bool, commands: Commands, output: Output) -> tuple[int, int, Counter[str]]:
    """Run the step. Return the numbers of passed and failed tests, and the seconds of each test file."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.xml"
        command = [sys.executable, str(ROOT / "tests" / "tools" / "prepare.py"), step.environment]
        command += [*step.arguments(everything), *([f"--junit-xml={report}"] if step.counts_tests else [])]
        longest = LONGEST_SECONDS_OF_ALL if step.only_all else LONGEST_SECONDS
        status = commands.run(command, {"NO_COLOR": "1", **dict(step.variables)}, longest, output)
        if not report.exists():
            # Without a newer core, the steps for pre-releases print this, and run no test.
            return (*((0, 1) if status or (step.counts_tests and step.core != NEXT) else (1, 0)), Counter())
        root = ElementTree.parse(report).getroot()
        return (*judged(root, status), seconds_of_files(root))


def seconds_of_files(report: ElementTree.Element) -> Counter[str]:
    """The seconds of each test file. pytest names a test by its module and class, such as `tests.tools.test_gates.TestCheck`."""
    total = Counter[str]()
    for case in report.iter("testcase"):
        parts = case.get("classname", "").split(".")
        end = next((at for at, part in enumerate(parts) if part.startswith("test_")), len(parts) - 1)
        total["/".join(parts[: end + 1]) + ".py"] += float(case.get("time", 0))
    return total


def judged(report: ElementTree.Element, status: int) -> tuple[int, int]:
    """The numbers of passed and failed tests. ansible-test writes a suite for each of its kinds of tests."""
    names = ("tests", "failures", "errors", "skipped")
    counts = {name: sum(int(suite.get(name, 0)) for suite in report.iter("testsuite")) for name in names}
    failed = counts["failures"] + counts["errors"]
    # A run that was interrupted, found no test, or skipped a test has not passed.
    failed += counts["skipped"] + (1 if (status or not counts["tests"]) and not failed else 0)
    return max(counts["tests"] - failed, 0), failed


if __name__ == "__main__":
    command_line(main)
