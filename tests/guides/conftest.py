# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reader of a guide: an empty folder, a home with nothing but a kubeconfig, a lab of their own, and the tarball."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.guides import Reader, environment, stand_ins
from support.lab import Lab

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as it is published, built from this checkout."""
    output = tmp_path_factory.mktemp("tarball")
    command = ["ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(output)]
    subprocess.run(command, check=True, capture_output=True)
    (found,) = output.glob("*.tar.gz")
    return found


@pytest.fixture(scope="session")
def kubectl() -> Path:
    """A real kubectl: the machine's, or the one that the benchmark is compared with."""
    if on_path := shutil.which("kubectl"):
        return Path(on_path)
    spec = importlib.util.spec_from_file_location("prepare", ROOT / "tests" / "tools" / "prepare.py")
    assert spec and spec.loader
    prepare = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(prepare)
    found: Path = prepare.kubectl()
    return found


@pytest.fixture(scope="module")
def own_lab(lab_factory: Callable[..., Lab]) -> Lab:
    """A cluster that nothing else has touched."""
    found = lab_factory()
    for user in ("team-a", "team-b"):
        found.registry_set("private", "--add", user)
    return found


@pytest.fixture
def reader(own_lab: Lab, tarball: Path, kubectl: Path, tmp_path: Path) -> Reader:
    folder, home = tmp_path / "folder", tmp_path / "home"
    folder.mkdir()
    return Reader(folder, stand_ins(own_lab, tarball), environment(own_lab, home, kubectl))


@pytest.fixture
def installed(reader: Reader) -> Reader:
    """A reader who has the collection and a vault password already, as the first guide says."""
    password = Path(reader.environment["HOME"]) / ".vault-password"
    password.write_text("the password of the vault")
    reader.environment["ANSIBLE_VAULT_PASSWORD_FILE"] = str(password)
    reader.type("conftest", "ansible-galaxy collection install openshift_ops.image_pull", [], 0)
    return reader


@pytest.fixture
def pulls(own_lab: Lab) -> Callable[..., bool]:
    """Whether a node pulls for a pod that is made anew."""

    def judge(namespace: str, image: str, account: str = "default", name: str = "judged") -> bool:
        own_lab.run("run", "--dir", str(own_lab.dir), "--service-account", account, namespace, name, image)
        verdict: dict[str, Any] = own_lab.pull(namespace, name)
        return bool(verdict["pulled"])

    return judge
