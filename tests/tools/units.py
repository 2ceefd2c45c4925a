# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the unit tests with `ansible-test units` of the ansible-core that runs this, without containers and without a download.

usage: prepare.py newest|oldest python tests/tools/units.py [--in-one-process] [--junit-xml=FILE] [OPTION OF ansible-test units ...] [FILE ...]

ansible-test runs on all processors and forks for each test, which proves that no test depends on another one. --in-one-process
does neither, tries fewer generated examples, takes half of the time, and proves that no test disturbs another one. Tests of
module_utils can only import Ansible's module_utils, as on a remote host. FILE gets the results of all tests, for check.py.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from xml.etree import ElementTree

import processes
from sanity import copied, home

JUNIT = "--junit-xml="
ONE_PROCESS = "--in-one-process"
#: ansible-test does not pass options or variables on to pytest. The runs with forks try the usual number of examples.
EXAMPLES, FEW_EXAMPLES = 100, 15
#: The number of worlds of tests/unit/test_what_if_node.py in one process. A step of `make test-all` has many more.
FEW_WORLDS = 100
NO_FORKS = 'assert config.pluginmanager.unregister(name="ansible_forked")'


def conftest(*, forks: bool) -> str:
    """The settings of pytest. In CI, hypothesis tries the same examples in each run, as tests/conftest.py says."""
    few = "" if forks else f'os.environ.setdefault("IMAGE_PULL_WORLDS", "{FEW_WORLDS}")\n'
    return f"""\
import os

from hypothesis import settings

{few}
def pytest_configure(config):
    {"" if forks else NO_FORKS}
    examples = {EXAMPLES if forks else FEW_EXAMPLES}
    in_ci = {bool(os.environ.get("CI"))}
    settings.register_profile("some", settings.get_profile("untimed"), max_examples=examples, derandomize=in_ci)
    settings.load_profile("some")
"""


def main() -> int:
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith((JUNIT, ONE_PROCESS))]
    reports = [Path(argument[len(JUNIT) :]) for argument in sys.argv[1:] if argument.startswith(JUNIT)]
    version = "{}.{}".format(*sys.version_info)
    command = ["ansible-test", "units", "--color", "no", "--python", version, *arguments]
    with copied() as collection:
        written = conftest(forks=ONE_PROCESS not in sys.argv)
        (collection / "tests" / "unit" / "conftest.py").write_text(written, encoding="utf-8")
        status = processes.run(command, collection, {"HOME": str(home())})
        for report in reports:
            report.write_text(joined(sorted((collection / "tests/output/junit").glob("*.xml"))), encoding="utf-8")
    return status


def joined(reports: list[Path]) -> str:
    """Join the suites of all files in one file."""
    suites = ElementTree.Element("testsuites")
    for report in reports:
        suites.extend(ElementTree.parse(report).getroot().iter("testsuite"))
    return ElementTree.tostring(suites, encoding="unicode")


if __name__ == "__main__":
    processes.command_line(main)
