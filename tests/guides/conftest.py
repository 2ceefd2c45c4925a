# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for a reader of a guide: an empty folder, a home with only a kubeconfig, a lab, and the tarball."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fleet import delete_namespaces
from support.guides import Reader, environment, stand_ins
from support.lab import Lab
from tools import prepare
from tools.tarball import build, install

#: Accounts of the registry that guides name.
TEAMS = ("team-a", "team-b")


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as it is published: the release's own, or built from this checkout."""
    given = os.environ.get("IMAGE_PULL_TARBALL")
    return Path(given) if given else build(tmp_path_factory.mktemp("tarball"))


@pytest.fixture(scope="session")
def kubectl() -> Path:
    """A real kubectl: the machine's own, or the benchmark's."""
    on_path = shutil.which("kubectl")
    return Path(on_path) if on_path else prepare.kubectl()


@pytest.fixture(scope="session")
def collections(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as ansible-galaxy installs it."""
    return install(tarball, tmp_path_factory.mktemp("collections"))


@pytest.fixture(scope="module")
def teams_lab(lab: Lab) -> Lab:
    known = {account["username"] for account in lab.registry("private")["accounts"]}
    for user in TEAMS:
        if user not in known:
            lab.registry_set("private", "--add", user)
    return lab


@pytest.fixture(scope="module")
def own_lab(teams_lab: Lab) -> Iterator[Lab]:
    """A cluster without objects of other guides, which create objects only in their own namespaces."""
    before = namespaces_of(teams_lab)
    yield teams_lab
    delete_namespaces(teams_lab, namespaces_of(teams_lab) - before)
    teams_lab.until(lambda: namespaces_of(teams_lab) == before, "the namespaces of the guide are gone", timeout=60)


@pytest.fixture(scope="module")
def untouched_lab(lab_factory: Callable[..., Lab]) -> Lab:
    """A new lab, for a guide that changes more than namespaces."""
    found = lab_factory()
    for user in TEAMS:
        found.registry_set("private", "--add", user)
    return found


def namespaces_of(lab: Lab) -> set[str]:
    return {item["metadata"]["name"] for item in lab.api("GET", "/api/v1/namespaces")["items"]}


@pytest.fixture
def reader(own_lab: Lab, tarball: Path, kubectl: Path, tmp_path: Path) -> Reader:
    folder, home = tmp_path / "folder", tmp_path / "home"
    folder.mkdir()
    return Reader(folder, stand_ins(own_lab, tarball), environment(own_lab, home, kubectl))


@pytest.fixture
def installed(reader: Reader, collections: Path) -> Reader:
    """A reader who already has the collection and a vault password, as the first guide describes. Another test follows that guide."""
    home = Path(reader.environment["HOME"])
    shutil.copytree(collections, home / ".ansible" / "collections")
    password = home / ".vault-password"
    password.write_text("the password of the vault")
    reader.environment["ANSIBLE_VAULT_PASSWORD_FILE"] = str(password)
    return reader


@pytest.fixture
def pulls(own_lab: Lab) -> Callable[..., bool]:
    """Whether a node pulls for a newly created pod."""

    def judge(namespace: str, image: str, account: str = "default", name: str = "judged") -> bool:
        own_lab.run("run", "--dir", str(own_lab.dir), "--service-account", account, namespace, name, image)
        verdict: dict[str, Any] = own_lab.pull(namespace, name)
        return bool(verdict["pulled"])

    return judge
