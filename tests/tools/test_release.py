# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release refuses a wrong start, and a failed release or a dry run leaves nothing behind."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import pytest
import release

GALAXY = "namespace: openshift_ops\nname: image_pull\nversion: {}\n"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small collection at version 1.1.0, with a released version 1.0.0."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    found = tmp_path / "checkout"
    for name, text in {
        "galaxy.yml": GALAXY.format("1.1.0"),
        "README.md": "A file (`openshift_ops-image_pull-1.1.0.tar.gz`)\n",
        "tests/requirements/newest.txt": "# The newest.\nansible-core==2.21.5\n",
        "plugins/module_utils/module/task.py": 'VERSION = "1.1.0"\n',
        "changelogs/fragments/one.yml": "bugfixes: [one]\n",
    }.items():
        (found / name).parent.mkdir(parents=True, exist_ok=True)
        (found / name).write_text(text)
    git(found, "init", "--quiet", "--initial-branch=main")
    git(found, "config", "user.name", "Somebody")
    git(found, "config", "user.email", "somebody@example.com")
    git(found, "add", "--all")
    git(found, "commit", "--quiet", "--message", "All")
    git(found, "tag", "1.0.0")
    return found


def git(checkout: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=checkout, check=True, capture_output=True, text=True).stdout


def refused(checkout: Path, version: str) -> list[str]:
    return release.refusals(checkout, version, checkout.parent / "release")


class TestRefusals:
    @pytest.mark.parametrize("version", ["1.1.0", "1.2.0", "1.10.0", "2.0.0"])
    def test_a_newer_version_is_accepted(self, checkout: Path, version: str) -> None:
        assert refused(checkout, version) == []

    @pytest.mark.parametrize("version", ["", "1", "1.1", "v1.1.0", "1.1.0-rc1", "01.1.0", "1.1.0\n", "latest"])
    def test_an_invalid_version_is_refused(self, checkout: Path, version: str) -> None:
        assert refused(checkout, version) == [f"VERSION={version} is not like 1.2.3"]

    def test_a_version_that_is_not_newer_is_refused(self, checkout: Path) -> None:
        assert refused(checkout, "1.0.0") == [
            "1.0.0 is released already, and 1.0.0 is not newer",
            "galaxy.yml is at 1.1.0 already, and 1.0.0 is older",
        ]

    def test_versions_are_compared_as_numbers(self, checkout: Path) -> None:
        git(checkout, "tag", "1.10.0")
        git(checkout, "tag", "not-a-version")
        assert refused(checkout, "1.9.0") == ["1.10.0 is released already, and 1.9.0 is not newer"]

    def test_all_problems_are_reported_at_once(self, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        git(checkout, "checkout", "--quiet", "--detach")
        git(checkout, "config", "--unset", "user.name")
        git(checkout, "config", "user.useConfigOnly", "true")
        (checkout / "changelogs/fragments/one.yml").unlink()
        directory = checkout.parent / "release"
        directory.mkdir()
        (directory / "openshift_ops-image_pull-1.1.0.tar.gz").touch()
        assert refused(checkout, "1.1.0") == [
            "the work tree has changes: commit or stash them",
            "no branch is checked out, so the release's commit would belong to none",
            "changelogs/fragments is empty, so there is nothing to say about it",
            "git does not know who makes it: set user.name and user.email",
            f"{directory / 'openshift_ops-image_pull-1.1.0.tar.gz'} exists",
        ]


class TestVersion:
    @pytest.mark.parametrize("place", release.PLACES)
    def test_the_version_is_written_in_each_place(self, checkout: Path, place: str) -> None:
        release.set_version(checkout, place, "1.2.0")
        assert release.version_in(checkout, place) == "1.2.0"
        assert git(checkout, "diff", "--numstat").split() == ["1", "1", place]

    @pytest.mark.parametrize("place", release.PLACES)
    def test_the_version_is_in_each_real_place(self, place: str) -> None:
        assert release.version_in(release.ROOT, place) == release.version_in(release.ROOT, "galaxy.yml") != ""

    def test_a_place_without_a_version_is_reported(self, checkout: Path) -> None:
        (checkout / "galaxy.yml").write_text("name: image_pull\n")
        with pytest.raises(SystemExit, match=r"galaxy\.yml names its version 0 times, not once"):
            release.set_version(checkout, "galaxy.yml", "1.2.0")


class TestWords:
    @pytest.mark.parametrize(
        ("text", "is_wrong"),
        [
            ("Nothing is released yet.", True),
            ("This version is not yet released", True),
            ("An unreleased version", True),
            ("The lock is released", False),
        ],
    )
    def test_a_page_that_says_not_released_is_found(self, checkout: Path, text: str, is_wrong: bool) -> None:
        (checkout / "CHANGELOG.md").write_text(f"{text}\n")
        git(checkout, "add", "--all")
        assert release.unreleased(checkout) == (f"CHANGELOG.md:1:{text}" if is_wrong else "")

    def test_no_page_of_this_checkout_says_it(self) -> None:
        assert release.unreleased(release.ROOT) == ""


class TestBring:
    @pytest.fixture
    def clone(self, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A clone with the commit and the tag of 1.1.0."""
        monkeypatch.setattr(release, "ROOT", checkout)
        found = checkout.parent / "clone"
        git(checkout, "clone", "--quiet", str(checkout), str(found))
        for name, value in release.maker(checkout).items():
            git(found, "config", name, value)
        git(found, "commit", "--quiet", "--allow-empty", "--message", "Release 1.1.0")
        git(found, "tag", "--annotate", "1.1.0", "--message", "Release 1.1.0")
        return found

    @pytest.fixture
    def tarball(self, tmp_path: Path) -> Path:
        found = tmp_path / "openshift_ops-image_pull-1.1.0.tar.gz"
        found.write_bytes(b"a tarball")
        return found

    def test_commit_tag_tarball_and_checksum_arrive(self, checkout: Path, clone: Path, tarball: Path) -> None:
        directory = checkout.parent / "release"
        release.bring(clone, tarball, "1.1.0", directory)
        assert git(checkout, "rev-parse", "main", "1.1.0^{commit}") == git(clone, "rev-parse", "HEAD", "HEAD")
        statement = f"{tarball.name}.provenance.json"
        assert sorted(path.name for path in directory.iterdir()) == ["SHA256SUMS", tarball.name, statement]
        subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=directory, check=True)

    def test_the_provenance_names_the_tarball_and_the_commit_and_no_machine(self, clone: Path, tarball: Path) -> None:
        found = release.provenance(clone, tarball, "1.1.0")
        assert found["_type"] == "https://in-toto.io/Statement/v1"
        assert found["subject"] == [{"name": tarball.name, "digest": {"sha256": release.checksum(tarball)}}]
        text = json.dumps(found)
        assert f'{{"gitCommit": "{git(clone, "rev-parse", "1.1.0^{commit}").strip()}"}}' in text
        assert "pkg:pypi/ansible-core@2.21.5" in text
        assert not [word for word in (str(clone.parent), socket.gethostname()) if word in text]

    def test_no_release_arrives_after_another_commit(self, checkout: Path, clone: Path, tarball: Path) -> None:
        git(checkout, "commit", "--quiet", "--allow-empty", "--message", "Another")
        before = git(checkout, "rev-parse", "main")
        with pytest.raises(SystemExit, match="this failed"):
            release.bring(clone, tarball, "1.1.0", checkout.parent / "release")
        assert git(checkout, "rev-parse", "main") == before
        assert git(checkout, "tag", "--list").split() == ["1.0.0"]
        assert not (checkout.parent / "release").exists()
