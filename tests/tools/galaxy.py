# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run galaxy-importer on the tarball, as Automation Hub does for an uploaded collection. A warning is a failure.

usage: prepare.py galaxy|partner python tests/tools/galaxy.py import|lint

`lint` is the importer's ansible-lint. It runs separately, because the importer stops it after three minutes even on a busy
machine. `make test` lints the checkout with the same rules, so only `make test-all` runs this. The environment `partner` has the versions
with which Red Hat checks certified collections.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import processes
from tarball import build, install

#: Stricter than the importer's defaults: the requirements of the Hub.
SETTINGS = {
    "GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "True",
    "GALAXY_IMPORTER_REQUIRE_V1_OR_GREATER": "True",
    "GALAXY_IMPORTER_RUN_ANSIBLE_LINT": "False",
}
#: Lines that the importer prints only after it has done that part. Without the tool it warns, and on an error it stops.
DONE = ("Getting doc strings via ansible-doc", "Importer processing completed successfully")
#: The importer's exclusions, without leaving out a rule.
LINT = "ansible-lint --offline --profile production --exclude tests/integration/ --exclude tests/unit/ --format=pep8 --nocolor"


def main() -> int:
    if sys.argv[1:] not in (["import"], ["lint"]):
        sys.exit("usage: galaxy.py import|lint")
    with tempfile.TemporaryDirectory() as directory:
        tarball = build(Path(directory))
        collections = install(tarball, Path(directory) / "installed")
        os.environ.update({**SETTINGS, "ANSIBLE_COLLECTIONS_PATH": str(collections)})
        os.environ.pop("PYTHONPATH", None)  # only the collection from the tarball is checked
        if sys.argv[1] == "lint":
            installed = collections / "ansible_collections" / "openshift_ops" / "image_pull"
            return processes.run(LINT.split(), installed)
        command = [sys.executable, "-m", "galaxy_importer.main", str(tarball)]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    problems = judged(output)
    print("\n".join(problems) or output.splitlines()[-1])
    return done.returncode or (1 if problems else 0)


def judged(output: str) -> list[str]:
    """The lines that report a problem, and the skipped parts. A message of several lines is complete."""
    lines = output.splitlines()
    plain = re.compile(r"(Importing with|Getting|Finding|Loading|Collection loading|Importer processing)")
    problems = [line for line in lines if line and not plain.match(line)]
    return problems + [f"missing in what it says: {part}" for part in DONE if part not in lines]


if __name__ == "__main__":
    processes.command_line(main)
