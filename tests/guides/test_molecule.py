# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to the Molecule scenario for other projects works in an empty folder, with the tarball and the project's own playbook."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.guides import Guide, Reader
from support.lab import Lab
from support.playbooks import forms, leaks

pytestmark = pytest.mark.slow

SITE = """
- name: The playbook of another project
  hosts: all
  gather_facts: false
  roles:
    - role: openshift_ops.image_pull.private_registry
"""
COPY, TEST, KIND, OWN = (
    command for block in Guide("molecule").blocks if block.language == "console" for command in block.commands()
)
PLACE = "molecule.rst"
#: Folders that molecule itself leaves in a project.
MOLECULES_OWN = {".ansible"}
STEPS = ["destroy", "create", "prepare", "converge", "idempotence", "verify", "destroy"]


class Project:
    """Another project, with a copy of the scenario as in the guide."""

    def __init__(self, reader: Reader, cluster: Lab) -> None:
        # The lab's program is already in the cache. The reader's sources must be the sources that it was built from.
        cache = Path(os.environ["IMAGE_PULL_LAB"]).parents[1]
        reader.environment |= {"IMAGE_PULL_CACHE": str(cache), "NO_COLOR": "1"}
        self.reader, self.cluster, self.folder = reader, cluster, reader.folder
        self.scenario = self.folder / "molecule" / "image_pull"
        self.login = cluster.registry("private")["accounts"][0]
        (self.folder / "site.yml").write_text(SITE)
        reader.type(PLACE, *COPY, 0)
        self.files = self.now()

    def on_kind(self) -> None:
        """Put a program `kind` into PATH, whose cluster is another lab, and the password into the environment."""
        programs = self.folder.parent / "programs"
        programs.mkdir()
        (programs / "kind").write_text(f'#!/bin/sh\n[ "$*" = "get kubeconfig" ] && cat {self.cluster.kubeconfig}\n')
        (programs / "kind").chmod(0o755)
        path = f"{programs}{os.pathsep}{self.reader.environment['PATH']}"
        self.reader.environment |= {"PATH": path, "TEST_PASSWORD": self.login["password"]}
        self.reader.type(PLACE, *KIND, 0)
        self.files = self.now()

    def left(self) -> list[str]:
        """Files and processes that a test leaves in the project."""
        until = time.monotonic() + 30
        while (running := self.running()) and time.monotonic() < until:
            time.sleep(0.1)
        return sorted(self.now() - self.files) + running

    def now(self) -> set[str]:
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return {str(path) for path in found if path.parts[0] not in MOLECULES_OWN}

    def running(self) -> list[str]:
        lines = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                line = (process / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue  # it has ended
            if str(self.folder) in line:
                lines.append(line.replace("\0", " "))
        return lines


@pytest.fixture(scope="module")
def own_lab(untouched_lab: Lab) -> Lab:
    """The tests of the scenario create a namespace of the same name."""
    return untouched_lab


@pytest.fixture
def project(installed: Reader, own_lab: Lab) -> Iterator[Project]:
    made = Project(installed, own_lab)
    yield made
    if (made.scenario / ".lab").exists():
        made.reader.type(PLACE, "molecule destroy -s image_pull", [], 0)


def test_the_molecule_guide_works_as_written(project: Project) -> None:
    project.reader.type(PLACE, *TEST, 0)
    assert project.left() == []


def test_a_wrong_password_fails_the_verification(project: Project) -> None:
    yours = project.scenario / "inventory" / "group_vars" / "all" / "yours.yml"
    yours.write_text(yours.read_text().replace('"{{ test.password }}"', "not-the-password"))
    steps = [f"image_pull > {step}: Executed: Successful" for step in STEPS]
    steps[-2:] = ["image_pull > verify: Executed: Failed ...", "...", steps[-1], "..."]
    printed = project.reader.type(PLACE, f"! {TEST[0]}", ["...", "DETAILS", *steps], 0)
    assert "bad_credentials" in printed
    assert project.left() == []


def test_the_molecule_guide_works_on_your_own_cluster(project: Project) -> None:
    project.on_kind()
    with project.cluster.following("--status"):
        printed = project.reader.type(PLACE, *OWN, 0)
    assert leaks(printed, forms(project.login["password"], project.login["username"])) == []
    assert project.left() == []
    project.cluster.api("GET", "/api/v1/namespaces/project-a", expect=(404,))


def test_a_namespace_that_no_test_created_is_left_alone(project: Project) -> None:
    project.on_kind()
    project.cluster.namespace("project-a")
    create, prepare, destroy = (
        OWN[0].replace("molecule test", f"molecule {one}") for one in ("create", "prepare", "destroy")
    )
    assert "Run 'molecule create' first" in project.reader.type(PLACE, f"! {prepare}", [], 0)
    refused = project.reader.type(PLACE, f"! {create}", [], 0)  # `create` also runs `prepare`
    assert "namespace project-a exists and was not created by a test" in refused
    project.reader.type(PLACE, destroy, [], 0)
    assert project.cluster.api("GET", "/api/v1/namespaces/project-a")["status"]["phase"] == "Active"
    assert project.left() == []


def test_the_tarball_contains_all_sources_of_the_lab(project: Project) -> None:
    shared = "~/.ansible/collections/ansible_collections/openshift_ops/image_pull/extensions/molecule/shared"
    printed = project.reader.type(PLACE, f"{sys.executable} {shared}/lab.py path", [], 0)
    assert printed == os.environ["IMAGE_PULL_LAB"] + "\n"  # found in the cache by its sources
