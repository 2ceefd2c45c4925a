# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario that other projects copy, as they do: from the built tarball, in an empty folder, with a playbook of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.lab import Lab
from support.playbooks import ROOT, forms, leaks

SITE = """
- name: The playbook of another project
  hosts: all
  gather_facts: false
  roles:
    - role: openshift_ops.image_pull.private_registry
"""
#: What molecule itself leaves in a project.
MOLECULES_OWN = {".ansible"}


def environment(collections: Path) -> dict[str, str]:
    """That of somebody who has the collection there, and nothing of this repository but for the cached lab."""
    ours = ("IMAGE_PULL_LAB", "K8S_AUTH_", "KUBECONFIG", "PYTHONPATH", "ANSIBLE_", "MOLECULE_", "TEST_")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return {**clean, "ANSIBLE_COLLECTIONS_PATH": str(collections), "NO_COLOR": "1"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collections path with the tarball and nothing else."""
    built, path = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("collections")
    galaxy = ["ansible-galaxy", "collection"]
    subprocess.run([*galaxy, "build", ROOT, "--output-path", built], check=True, capture_output=True)
    (tarball,) = built.iterdir()
    command = [*galaxy, "install", "--offline", tarball, "-p", path]
    subprocess.run(command, check=True, capture_output=True, env=environment(path))
    return path


@pytest.fixture
def project(installed: Path, tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path / "shop", installed)
    yield made
    if (made.scenario / ".lab").exists():
        made.molecule("destroy")


class Project:
    """Another project, with the scenario copied as the page says."""

    def __init__(self, directory: Path, collections: Path) -> None:
        self.directory, self.collections = directory, collections
        self.scenario = directory / "molecule" / "image_pull"
        self.collection = collections / "ansible_collections" / "openshift_ops" / "image_pull"
        shutil.copytree(self.collection / "extensions" / "for_your_project" / "molecule", directory / "molecule")
        (directory / "site.yml").write_text(SITE)
        self.files = self.now()

    def molecule(self, command: str, **variables: str) -> tuple[int, str]:
        """Runs a command of molecule in the project."""
        done = subprocess.run(
            ["molecule", command, "-s", "image_pull"],
            cwd=self.directory,
            env={**environment(self.collections), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,  # the machine may be busy
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def now(self) -> set[str]:
        found = (path.relative_to(self.directory) for path in self.directory.rglob("*") if path.is_file())
        return {str(path) for path in found if path.parts[0] not in MOLECULES_OWN}

    def left(self) -> list[str]:
        """Files, and processes, that a test leaves in the project."""
        until = time.monotonic() + 30
        while (running := self.running()) and time.monotonic() < until:
            time.sleep(0.1)
        return sorted(self.now() - self.files) + running

    def running(self) -> list[str]:
        lines = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                line = (process / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue  # it has ended
            if str(self.directory) in line:
                lines.append(line.replace("\0", " "))
        return lines

    def passed(self, output: str) -> list[str]:
        return re.findall(r"image_pull > (\w+): Executed: Successful", output.partition("DETAILS")[2])


def test_the_copied_scenario_passes_and_leaves_nothing(project: Project) -> None:
    status, output = project.molecule("test")
    assert status == 0, output
    assert project.passed(output) == ["destroy", "create", "prepare", "converge", "idempotence", "verify", "destroy"]
    assert project.left() == []


def test_the_tarball_has_all_that_the_lab_is_built_of(project: Project) -> None:
    program = [sys.executable, project.collection / "extensions" / "molecule" / "shared" / "lab.py", "path"]
    found = subprocess.run(program, env=environment(project.collections), check=True, capture_output=True, text=True)
    assert found.stdout.strip() == os.environ["IMAGE_PULL_LAB"]  # found in the cache by what it is built of
    assert found.stderr == ""


def test_a_wrong_password_fails_the_verification(project: Project) -> None:
    yours = project.scenario / "inventory" / "group_vars" / "all" / "yours.yml"
    yours.write_text(yours.read_text().replace('"{{ test.password }}"', "not-the-password"))
    status, output = project.molecule("test")
    assert status != 0
    assert project.passed(output) == ["destroy", "create", "prepare", "converge", "idempotence", "destroy"]
    assert "bad_credentials" in output
    assert project.left() == []


def test_a_cluster_of_your_own(project: Project, lab: Lab, installed: Path) -> None:
    registry = lab.registry("private")
    login = registry["accounts"][0]
    own = {"IMAGE_PULL_KUBECONFIG": lab.kubeconfig, "TEST_REGISTRY": registry["host"], "TEST_IMAGE": registry["image"]}
    own |= {"TEST_USERNAME": login["username"], "TEST_PASSWORD": login["password"]}
    with lab.following("--status"):
        status, output = project.molecule("test", **own)
    assert status == 0, output
    assert leaks(output, forms(login["password"], login["username"])) == []
    assert lab.api("GET", "/api/v1/namespaces/project-a", expect=(404,))


def test_a_project_that_others_made_is_left_alone(project: Project, lab: Lab) -> None:
    lab.namespace("project-a")
    own = {"IMAGE_PULL_KUBECONFIG": lab.kubeconfig}
    assert project.molecule("create", **own)[0] == 0
    status, output = project.molecule("prepare", **own)
    assert status != 0
    assert "exists and was not created by a test" in output
    assert project.molecule("destroy", **own)[0] == 0
    assert lab.api("GET", "/api/v1/namespaces/project-a")["status"]["phase"] == "Active"
