# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands the tarball to galaxy-importer, as Automation Hub does when a collection is uploaded; a warning is a failure.

usage: prepare.py galaxy python tests/tools/galaxy.py
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tarball import build

#: More than its own defaults: what the Hub asks for.
SETTINGS = {"GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "True", "GALAXY_IMPORTER_REQUIRE_V1_OR_GREATER": "True"}
#: What it says only when it has done the part; without the tool it would warn, and with an error stop.
DONE = (
    "Getting doc strings via ansible-doc",
    "...ansible-lint run complete",
    "Importer processing completed successfully",
)


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        tarball = build(Path(directory))
        command = [sys.executable, "-m", "galaxy_importer.main", str(tarball)]
        environment = {**os.environ, **SETTINGS, "ANSIBLE_COLLECTIONS_PATH": directory}
        environment.pop("PYTHONPATH", None)  # only the tarball's own collection is looked at
        done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    problems = judged(output)
    print("\n".join(problems) or output.splitlines()[-1])
    return done.returncode or (1 if problems else 0)


def judged(output: str) -> list[str]:
    """The lines that tell of a problem, and the parts that were not done. A message of several lines stands whole."""
    lines = output.splitlines()
    plain = re.compile(
        r"(Importing with|Getting|Finding|Loading|Linting|Collection loading|Importer processing|\.\.\.)"
    )
    problems = [line for line in lines if line and not plain.match(line)]
    return problems + [f"missing in what it says: {part}" for part in DONE if part not in lines]


if __name__ == "__main__":
    sys.exit(main())
