# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a release: version, changelog, gates, commit, tag, tarball and checksums.

usage: prepare.py docs python tests/tools/release.py VERSION [--dry-run] [--directory DIRECTORY]

All of it happens in a clone. Only after everything has passed, the commit and the tag are brought into this checkout, and the
tarball with SHA256SUMS into DIRECTORY. A failed release leaves nothing behind and can be tried again. --dry-run shows the commit,
the changelog and the files of the tarball, skips the gates, and leaves nothing. Nothing is pushed and nothing is uploaded.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import processes
import yaml
from prepare import ROOT

#: Semantic versions with major, minor and patch, without pre-releases: Automation Hub accepts only these.
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
#: The files that contain the version. galaxy.yml is authoritative, and the modules need the version in the code.
PLACES = {
    "galaxy.yml": r"^(version: )(\S+)$",
    "plugins/module_utils/module/task.py": r'^(VERSION = ")([^"]+)',
}


def main() -> int:
    parser = argparse.ArgumentParser(usage="release.py VERSION [--dry-run] [--directory DIRECTORY]")
    parser.add_argument("version")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--directory", type=Path, default=ROOT / "release")
    options = parser.parse_args()
    problems = refusals(ROOT, options.version, options.directory)
    if problems:
        sys.exit("\n".join(["release.py: nothing was changed, because", *(f"- {problem}" for problem in problems)]))
    with tempfile.TemporaryDirectory() as directory:
        clone = Path(directory) / "ansible_collections" / "openshift_ops" / "image_pull"
        run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], ROOT)
        tarball = prepared(clone, options.version, gates=not options.dry_run)
        if options.dry_run:
            show(clone, tarball)
        else:
            bring(clone, tarball, options.version, options.directory)
    return 0


def refusals(checkout: Path, version: str, directory: Path) -> list[str]:
    """Every reason not to start the release."""
    if not VERSION.fullmatch(version):
        return [f"VERSION={version} is not like 1.2.3"]
    current, tarball = version_in(checkout, "galaxy.yml"), directory / tarball_name(version)
    tags = filter(VERSION.fullmatch, output(["git", "tag", "--list"], checkout).split())
    newest = max(tags, key=ordered, default="")
    reasons = {
        "the work tree has changes: commit or stash them": output(["git", "status", "--porcelain"], checkout),
        "no branch is checked out, so the release's commit would belong to none": not output(
            ["git", "branch", "--show-current"], checkout
        ),
        f"{newest} is released already, and {version} is not newer": newest and ordered(version) <= ordered(newest),
        f"galaxy.yml is at {current} already, and {version} is older": ordered(version) < ordered(current),
        "changelogs/fragments is empty, so there is nothing to say about it": not any(
            (checkout / "changelogs" / "fragments").glob("*.y*ml")
        ),
        "git does not know who makes it: set user.name and user.email": not maker(checkout),
        f"{tarball} exists": tarball.exists(),
    }
    return [reason for reason, holds in reasons.items() if holds]


def prepared(clone: Path, version: str, *, gates: bool) -> Path:
    """Return the tarball. The clone then has the release's commit and tag, and has passed the gates."""
    for place in PLACES:
        set_version(clone, place, version)
    run(["antsibull-changelog", "lint"], clone)
    run(["antsibull-changelog", "release", "--version", version], clone)
    for setting, value in maker(ROOT).items():
        run(["git", "config", setting, value], clone)
    run(["git", "add", "--all"], clone)
    run(["git", "commit", "--quiet", "--message", f"Release {version}"], clone)
    run(["git", "tag", "--annotate", version, "--message", f"Release {version}"], clone)
    run(["ansible-galaxy", "collection", "build", "--output-path", str(clone.parents[2])], clone)
    if gates:
        run(["make", "test-all"], clone)
    return clone.parents[2] / tarball_name(version)


def show(clone: Path, tarball: Path) -> None:
    print(output(["git", "show", "--stat", "--patch", "--no-color", "HEAD"], clone))
    with tarfile.open(tarball) as archive:
        print("\n".join(sorted(member.name for member in archive if member.isfile())))
    print(f"{checksum(tarball)}  {tarball.name}")
    print("release.py: dry run: the gates were skipped, and no file was kept")


def bring(clone: Path, tarball: Path, version: str, directory: Path) -> None:
    """Bring the commit first. If another commit was made in the meantime, this fails before anything else has changed."""
    run(["git", "fetch", "--quiet", "--no-tags", str(clone), "HEAD"], ROOT)
    run(["git", "merge", "--quiet", "--ff-only", "FETCH_HEAD"], ROOT)
    run(["git", "fetch", "--quiet", str(clone), "tag", version], ROOT)
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy2(tarball, directory / tarball.name)
    (directory / "SHA256SUMS").write_text(f"{checksum(tarball)}  {tarball.name}\n", encoding="utf-8")
    print(f"release.py: {version} is ready in {directory}. To publish it:")
    print("  git push --follow-tags")
    print(f"  ansible-galaxy collection publish {directory / tarball.name}")


def maker(checkout: Path) -> dict[str, str]:
    """The committer of this checkout, as git settings, from any source that git knows."""
    found = re.match(r"(.+) <(.+)> \d+ ", output(["git", "var", "GIT_COMMITTER_IDENT"], checkout))
    return {"user.name": found[1], "user.email": found[2]} if found else {}


def set_version(checkout: Path, place: str, version: str) -> None:
    path = checkout / place
    text, count = re.subn(PLACES[place], rf"\g<1>{version}", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if count != 1:
        sys.exit(f"release.py: {place} names its version {count} times, not once")
    path.write_text(text, encoding="utf-8")


def version_in(checkout: Path, place: str) -> str:
    found = re.search(PLACES[place], (checkout / place).read_text(encoding="utf-8"), re.MULTILINE)
    return found[2] if found else ""


def tarball_name(version: str) -> str:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    return f"{galaxy['namespace']}-{galaxy['name']}-{version}.tar.gz"


def ordered(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(command: list[str], cwd: Path) -> None:
    sys.stdout.flush()
    status = processes.run(command, cwd)
    if status:
        sys.exit(f"release.py: this failed with status {status}: {' '.join(command)}")


def output(command: list[str], cwd: Path) -> str:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    processes.command_line(main)
