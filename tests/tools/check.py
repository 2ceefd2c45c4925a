# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that must pass, step by step; a step that fails does not stop the others.

Ends with one line for each step and the sum of what passed and failed. A step without tests of its own counts as one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = "ansible_collections.openshift_ops.image_pull.plugins"
PACKAGES = [
    part
    for room in ("module_utils", "plugin_utils", "modules", "action", "lookup")
    for part in ("-p", f"{PLUGINS}.{room}")
]
PACKAGES += ["-p", "ansible_collections.openshift_ops.image_pull.extensions.eda.plugins.event_source"]
#: The longest step takes about five minutes on two cores.
LONGEST_SECONDS = 1800
#: ansible-runner is not among what the oldest core is tested with.
NO_RUNNER = ("--deselect", "tests/scenarios/test_ocm.py::test_no_job_event_and_no_artifact_holds_it")
PYTEST = ["python", "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"]


@dataclass(frozen=True)
class Step:
    title: str
    environment: str
    command: tuple[str, ...]


STEPS = (
    Step("ruff check", "newest", ("ruff", "check", ".")),
    Step("ruff format", "newest", ("ruff", "format", "--check", ".")),
    Step("mypy, strict", "newest", ("mypy", *PACKAGES)),
    Step("yamllint", "newest", ("yamllint", "--strict", ".")),
    Step("ansible-lint, profile production", "newest", ("ansible-lint", "--offline", "--profile", "production")),
    Step("ansible-test sanity, newest", "newest", ("python", "tests/tools/sanity.py")),
    Step("ansible-test sanity, oldest", "oldest", ("python", "tests/tools/sanity.py")),
    Step(
        "every test can be collected",
        "newest",
        (*PYTEST, "--collect-only", "-qqq", "--ignore=tests/report", "--ignore=tests/eda", "tests"),
    ),
    Step("the lab's and the benchmark's Go", "lab", ("sh", "tests/tools/check_go.sh")),
    Step("unit tests, newest", "newest", (*PYTEST, "tests/unit")),
    Step("unit tests, oldest", "oldest", (*PYTEST, "tests/unit")),
    Step("the tool that judges the tests", "newest", (*PYTEST, "tests/tools")),
    Step("the lab against the recordings", "newest", (*PYTEST, "tests/lab_fidelity")),
    Step("matching against the real readers", "newest", (*PYTEST, "tests/oracle")),
    Step("verdicts against the node", "newest", (*PYTEST, "tests/verdicts")),
    Step("modules on the lab, newest", "newest", (*PYTEST, "tests/modules")),
    Step("modules on the lab, oldest", "oldest", (*PYTEST, "tests/modules")),
    Step("playbooks on the lab, newest", "newest", (*PYTEST, "tests/scenarios")),
    Step(
        "the main job, oldest",
        "oldest",
        (*PYTEST, *(f"tests/scenarios/test_{name}.py" for name in ("site", "in_process", "ocm")), *NO_RUNNER),
    ),
    Step("faults and killed runs", "newest", (*PYTEST, "tests/faults")),
    Step("a job of ansible-runner", "newest", (*PYTEST, "tests/runner")),
    Step("events on the lab", "eda", (*PYTEST, "tests/eda")),
    Step("the report in a browser", "browser", (*PYTEST, "tests/report")),
    Step("molecule, all scenarios", "newest", ("molecule", "test", "--all")),
)


def main() -> int:
    wanted = sys.argv[1:]
    steps = [step for step in STEPS if not wanted or any(word in step.title for word in wanted)]
    results = []
    for number, step in enumerate(steps, 1):
        print(f"\n=== {number}/{len(steps)} {step.title}", flush=True)
        started = time.monotonic()
        passed, failed = run(step)
        results.append((step.title, passed, failed, time.monotonic() - started))
    print()
    for title, passed, failed, seconds in results:
        print(f"{title:<36}{passed:>6} passed {failed:>4} failed {seconds:>7.0f} s")
    total = sum(result[2] for result in results)
    print(f"\n{sum(result[1] for result in results)} passed, {total} failed")
    return 1 if total else 0


def run(step: Step) -> tuple[int, int]:
    """How many tests of the step passed and failed."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.xml"
        command = [sys.executable, str(ROOT / "tests" / "tools" / "prepare.py"), step.environment]
        counts_tests = "pytest" in step.command and "--collect-only" not in step.command
        command += [*step.command, *([f"--junit-xml={report}"] if counts_tests else [])]
        status = run_for_a_while(command)
        if not report.exists():
            return (0, 1) if status else (1, 0)
        suite = ElementTree.parse(report).getroot().find("testsuite")
    counts = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    failed = counts["failures"] + counts["errors"]
    # A run that was ended, found no test or skipped one has not passed.
    failed += counts["skipped"] + (1 if status and not failed else 0)
    return max(counts["tests"] - failed, 0), failed


def run_for_a_while(command: list[str]) -> int:
    """The exit status; a step that hangs is ended with all that it started and has failed."""
    environment = {**os.environ, "NO_COLOR": "1"}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment, start_new_session=True) as process:
        try:
            return process.wait(timeout=LONGEST_SECONDS)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise  # Ctrl-C
            print(f"ended after {LONGEST_SECONDS} s", flush=True)
            return 1


if __name__ == "__main__":
    sys.exit(main())
