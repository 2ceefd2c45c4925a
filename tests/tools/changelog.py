# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check each changelog fragment with antsibull-changelog's own lint, and check that CHANGELOG.md is its rendered output.

usage: prepare.py docs python tests/tools/changelog.py
"""

from __future__ import annotations

import subprocess

import processes
from prepare import ROOT
from sanity import copied

#: A tarball has no galaxy.yml.
NAMES = (
    "--is-collection",
    "--collection-namespace=openshift_ops",
    "--collection-name=image_pull",
    "--no-collection-flatmap",
)


def main() -> int:
    with copied() as collection:
        status = subprocess.run(["antsibull-changelog", "lint"], cwd=collection, check=False).returncode
        # Before the first release there is nothing to render.
        if status or not (collection / "changelogs" / "changelog.yaml").exists():
            return status
        status = subprocess.run(["antsibull-changelog", "generate", *NAMES], cwd=collection, check=False).returncode
        if status:
            return status
        if (collection / "CHANGELOG.md").read_text("utf-8") != (ROOT / "CHANGELOG.md").read_text("utf-8"):
            print("CHANGELOG.md was changed by hand. It is generated from changelogs/changelog.yaml")
            return 1
    return 0


if __name__ == "__main__":
    processes.command_line(main)
