# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a release: version, changelog, commit, tag, tarball, trial, gate, provenance and checksums.

usage: prepare.py docs python tests/tools/release.py VERSION [--dry-run] [--directory DIRECTORY]

All of it happens in a clone. The trial installs the tarball into a new environment with nothing but ansible-core, and types the
commands of the README there, on a lab. The gate is `make test` in a clean checkout of the commit. `make test-all` comes before: it takes
two hours, and after a correction its failed steps are run again by their words. Only after everything has passed, the commit and the tag
are brought into this checkout, and the tarball with its provenance and SHA256SUMS into DIRECTORY. A failed release leaves nothing behind
and can be tried again. --dry-run shows the commit, the changelog and the files, skips the gate, and leaves nothing. Nothing is pushed and
nothing is uploaded: these steps are printed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
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
    "README.md": r"(openshift_ops-image_pull-)(\d+\.\d+\.\d+)(?=\.tar\.gz)",
    "plugins/module_utils/module/task.py": r'^(VERSION = ")([^"]+)',
}
#: Words that are wrong in a released version.
UNRELEASED = r"not(hing is)? (yet )?released|unreleased|before the first release"
REPOSITORY = "https://github.com/openshift-ops/image_pull"


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
        tarball = prepared(clone, options.version, is_gated=not options.dry_run)
        if options.dry_run:
            show(clone, tarball, options.version)
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


def prepared(clone: Path, version: str, *, is_gated: bool) -> Path:
    """Return the tarball. The clone then has the release's commit and tag, and has passed the gate."""
    for place in PLACES:
        set_version(clone, place, version)
    run(["antsibull-changelog", "lint"], clone)
    run(["antsibull-changelog", "release", "--version", version], clone)
    for setting, value in maker(ROOT).items():
        run(["git", "config", setting, value], clone)
    run(["git", "add", "--all"], clone)
    run(["git", "commit", "--quiet", "--message", f"Release {version}"], clone)
    run(["git", "tag", "--annotate", version, "--message", f"Release {version}"], clone)
    wrong = unreleased(clone)
    if wrong:
        sys.exit(f"release.py: the texts of {version} must not contain these words:\n{wrong}")
    run(["ansible-galaxy", "collection", "build", "--output-path", str(clone.parents[2])], clone)
    tarball = clone.parents[2] / tarball_name(version)
    try_out(clone, tarball)
    if is_gated:
        checkout = clone.parents[2] / "checkout"
        run(["git", "clone", "--quiet", str(clone), str(checkout)], clone)
        run(["make", "test"], checkout)
    return tarball


def unreleased(checkout: Path) -> str:
    """The lines for users that say that this version is not released."""
    return output(["git", "grep", "-n", "-i", "-E", UNRELEASED, "--", "*.md", "docs", "extensions", "roles"], checkout)


def try_out(clone: Path, tarball: Path) -> None:
    """Type the README's commands in an environment that has only ansible-core, with the collection from the tarball."""
    fresh = clone.parents[2] / "fresh"
    run([sys.executable, "-m", "venv", str(fresh)], clone)
    run([str(fresh / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", core(clone)], clone)
    given = [f"IMAGE_PULL_TARBALL={tarball}", f"IMAGE_PULL_ANSIBLE={fresh / 'bin'}"]
    tests = ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/guides/test_readme.py"]
    run([sys.executable, "tests/tools/prepare.py", "newest", "env", *given, *tests], clone)


def core(checkout: Path) -> str:
    """The newest supported ansible-core, with its version."""
    text = (checkout / "tests" / "requirements" / "newest.txt").read_text(encoding="utf-8")
    return re.findall(r"^ansible-core==\S+", text, re.MULTILINE)[0]


def provenance(clone: Path, tarball: Path, version: str) -> dict[str, object]:
    """What the tarball is made of and by which program, as an in-toto statement. It names no host and no folder, and nobody has signed it."""
    commit = output(["git", "rev-parse", "HEAD"], clone)
    program = f"{REPOSITORY}/blob/{version}/tests/tools/release.py"
    source = {"uri": f"git+{REPOSITORY}@refs/tags/{version}", "digest": {"gitCommit": commit}}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": tarball.name, "digest": {"sha256": checksum(tarball)}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": program,
                "externalParameters": {"version": version},
                "resolvedDependencies": [source, {"uri": f"pkg:pypi/{core(clone).replace('==', '@')}"}],
            },
            "runDetails": {"builder": {"id": program}},
        },
    }


def show(clone: Path, tarball: Path, version: str) -> None:
    print(output(["git", "show", "--stat", "--patch", "--no-color", "HEAD"], clone))
    with tarfile.open(tarball) as archive:
        print("\n".join(sorted(member.name for member in archive if member.isfile())))
    print(json.dumps(provenance(clone, tarball, version), indent=2))
    print(f"{checksum(tarball)}  {tarball.name}")
    print("release.py: dry run: the gate was skipped, and no file was kept")


def bring(clone: Path, tarball: Path, version: str, directory: Path) -> None:
    """Bring the commit first. If another commit was made in the meantime, this fails before anything else has changed."""
    run(["git", "fetch", "--quiet", "--no-tags", str(clone), "HEAD"], ROOT)
    run(["git", "merge", "--quiet", "--ff-only", "FETCH_HEAD"], ROOT)
    run(["git", "fetch", "--quiet", str(clone), "tag", version], ROOT)
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy2(tarball, directory / tarball.name)
    statement = directory / f"{tarball.name}.provenance.json"
    statement.write_text(json.dumps(provenance(clone, tarball, version), indent=2) + "\n", encoding="utf-8")
    sums = "".join(f"{checksum(path)}  {path.name}\n" for path in (directory / tarball.name, statement))
    (directory / "SHA256SUMS").write_text(sums, encoding="utf-8")
    print(f"release.py: {version} is ready in {directory}. Only a person with the accounts can publish it:")
    print("  git push --follow-tags")
    print(f"  ansible-galaxy collection publish {directory / tarball.name} --token THE_TOKEN_OF_GALAXY")
    print(
        f"  attach the files of {directory} to the release that GitHub shows at {REPOSITORY}/releases/new?tag={version}"
    )
    print("  announce it with the tag image_pull on forum.ansible.com")


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
