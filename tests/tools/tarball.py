# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection's tarball, check its contents, and run a command with the collection that it installs.

usage: prepare.py NAME python tests/tools/tarball.py [COMMAND [ARGUMENT ...]]

COMMAND tests the collection as users install it: it runs in this checkout, but Ansible and Python find the collection in a
separate folder, installed by `ansible-galaxy collection install`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import processes
from sanity import copy_to, known_files

#: The shipped files: these files, and all files that git knows in these folders.
FILES = {
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "MAINTAINERS.md",
    "README.md",
    "SECURITY.md",
    "requirements.txt",
    "tests/config.yml",
}
FOLDERS = ("changelogs", "docs", "extensions", "meta", "playbooks", "plugins", "roles", "tests/lab")
#: Files that ansible-galaxy adds, and files in these folders that no user needs.
ADDED = {"FILES.json", "MANIFEST.json"}
LEFT_OUT = re.compile(r"changelogs/fragments/|tests/lab/.*_test\.go$")


def main() -> int:
    command = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        tarball = build(Path(directory))
        names = names_in(tarball)
        problems = [*wrong_files(names, known_files())]
        print("\n".join([*problems, f"{tarball.name}: {len(names)} files, {len(problems)} problems"]), flush=True)
        status = 0
        if command:
            collections = install(tarball, Path(directory) / "installed")
            status = processes.run(command, Path.cwd(), where(collections))
        return status or (1 if problems else 0)


def build(directory: Path) -> Path:
    """Build the tarball from the files that git knows or would add, without any other files of the checkout."""
    source = directory / "source"
    copy_to(source)
    call(["ansible-galaxy", "collection", "build", "--output-path", str(directory)], cwd=source)
    (tarball,) = directory.glob("*.tar.gz")
    return tarball


def install(tarball: Path, directory: Path) -> Path:
    """Install the tarball. Return the folder in which Ansible finds the collection."""
    path = where(directory)  # Ansible also searches PYTHONPATH, which contains the checkout
    call(["ansible-galaxy", "collection", "install", "--offline", "-p", str(directory), str(tarball)], **path)
    call(["ansible-galaxy", "collection", "verify", "--offline", "openshift_ops.image_pull"], **path)
    return directory


def where(collections: Path) -> dict[str, str]:
    return {
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "PYTHONPATH": str(collections),
        "IMAGE_PULL_INSTALLED": str(collections / "ansible_collections" / "openshift_ops" / "image_pull"),
    }


def names_in(tarball: Path) -> set[str]:
    with tarfile.open(tarball) as archive:
        return {member.name for member in archive if member.isfile()}


def shipped(known: set[str]) -> set[str]:
    """The known files that belong in the tarball."""
    wanted = {name for name in known if name in FILES or name.startswith(tuple(f"{each}/" for each in FOLDERS))}
    return {name for name in wanted if not LEFT_OUT.match(name)}


def wrong_files(names: set[str], known: set[str]) -> Iterator[str]:
    """Unexpected and missing files of the tarball."""
    wanted = shipped(known) | ADDED
    yield from (f"{name}: is in the tarball, and no user needs it" for name in sorted(names - wanted))
    yield from (f"{name}: is missing in the tarball" for name in sorted(wanted - names))


def call(command: list[str], cwd: Path | None = None, **variables: str) -> None:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"tarball.py: this failed: {' '.join(command)}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    processes.command_line(main)
