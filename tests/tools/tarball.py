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
from pathlib import Path, PurePosixPath

import processes
from prepare import ROOT
from sanity import copy_to, known_files

#: The shipped files: these files, and all files that git knows in these folders.
FILES = {
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "requirements.txt",
}
FOLDERS = ("changelogs", "docs", "extensions", "meta", "playbooks", "plugins", "roles", "tests/lab")
#: Files that ansible-galaxy adds, and files in these folders that no user needs.
ADDED = {"FILES.json", "MANIFEST.json"}
LEFT_OUT = re.compile(r"changelogs/fragments/|tests/lab/.*_test\.go$")
#: Addresses of files of this repository.
OURS = re.compile(
    r"https://(?:github\.com|raw\.githubusercontent\.com)/openshift-ops/image_pull/(?:blob/|tree/|raw/)?main/([^\s)>`#\"]+)"
)


def main() -> int:
    command = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        tarball = build(Path(directory))
        names = names_in(tarball)
        problems = [*wrong_files(names, known_files()), *dead_links(names)]
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


def wrong_files(names: set[str], known: set[str]) -> Iterator[str]:
    """Unexpected and missing files of the tarball."""
    wanted = {name for name in known if name in FILES or name.startswith(tuple(f"{each}/" for each in FOLDERS))}
    wanted = {name for name in wanted if not LEFT_OUT.match(name)} | ADDED
    yield from (f"{name}: is in the tarball, and no user needs it" for name in sorted(names - wanted))
    yield from (f"{name}: is missing in the tarball" for name in sorted(wanted - names))


def dead_links(names: set[str], root: Path = ROOT) -> Iterator[str]:
    """Dead links of the shipped pages. A link must lead to a shipped file, or be the full address of an existing file."""
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    for page in sorted(name for name in names if name.endswith((".md", ".rst"))):
        text = (root / page).read_text(encoding="utf-8")
        for link in relative_links(text, page):
            target = os.path.normpath(PurePosixPath(page).parent / link)
            if target not in names and target not in folders:
                yield f"{page}: links to {link}, which is not in the tarball. Use the full address"
        for path in (found.rstrip(".,/") for found in OURS.findall(text)):
            if not (root / path).exists():
                yield f"{page}: links to {path} of the repository, which does not exist"


def relative_links(text: str, page: str) -> Iterator[str]:
    if page.endswith(".rst"):
        found = re.findall(r"`[^`<]+<([^`>]+)>`_", text) + re.findall(
            r"^\.\. (?:image|figure|include|literalinclude):: (\S+)", text, re.MULTILINE
        )
    else:
        found = re.findall(r"\]\(([^)\s]+)", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    for link in found:
        path = link.partition("#")[0]
        if path and "://" not in link and not link.startswith("mailto:"):
            yield path


def call(command: list[str], cwd: Path | None = None, **variables: str) -> None:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"tarball.py: this failed: {' '.join(command)}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    processes.command_line(main)
