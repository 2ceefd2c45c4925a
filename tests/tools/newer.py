# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command if this environment's ansible-core is newer than the newest supported one. If not, say so and succeed.

usage: prepare.py next python tests/tools/newer.py COMMAND [ARGUMENT ...]
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version

from packaging.version import Version
from prepare import ROOT
from release import core


def main() -> None:
    found, newest = version("ansible-core"), core(ROOT).rpartition("=")[2]
    if Version(found) > Version(newest):
        print(f"newer.py: ansible-core {found}, which is newer than {newest}", flush=True)
        os.execvp(sys.argv[1], sys.argv[1:])
    print(f"newer.py: nothing was tested: ansible-core {newest} is the newest, and there is no newer pre-release")


if __name__ == "__main__":
    main()
