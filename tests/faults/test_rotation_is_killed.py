# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The next run finishes a rotation that was killed at any moment, and a secret never holds anything but one of the two logins."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fleet import make_namespaces, selected
from support.killed_runs import KilledRuns
from support.lab import Lab
from support.modules import run_module

pytestmark = pytest.mark.slow

RUNS = 50
NAMESPACES = 40
NAMES = ("quay", "other")


def auth(login: dict[str, str]) -> str:
    return base64.b64encode(f"{login['username']}:{login['password']}".encode()).decode()


class Fleet:
    """Many namespaces with two secrets each, and two logins to exchange."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.host = lab.registry("private")["host"]
        self.logins = [
            {"username": account["username"], "password": account["password"]}
            for account in lab.registry("private")["accounts"]
        ]
        for namespace in make_namespaces(lab, [f"killed-{number}" for number in range(NAMESPACES)]):
            for name in NAMES:
                content = self.content(0)
                data = {".dockerconfigjson": base64.b64encode(content.encode()).decode()}
                body = {"metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson", "data": data}
                lab.create(namespace, "secrets", body)
        self.uids = self.read()[1]

    def content(self, login: int) -> str:
        entry = {"auth": auth(self.logins[login]), "email": "team@example.com"}
        return json.dumps({"auths": {self.host: entry, "other.example.com": {"auth": "dTpw"}}})

    def options(self, to: int) -> dict[str, Any]:
        return {
            "kubeconfig": self.lab.kubeconfig,
            "registries": [self.host],
            "old": self.logins[1 - to],
            "new": self.logins[to],
            "verify": False,
            "namespace_selector": {"include": ["killed-*"]},
            "secrets": [{"name": name, "namespace_selector": {"include": ["killed-*"]}} for name in NAMES],
        }

    def read(self) -> tuple[list[str], dict[tuple[str, str], str]]:
        """Return the content of all secrets, and their UIDs."""
        found = [
            each
            for each in selected(self.lab, "/api/v1/secrets", "fieldSelector=type%3Dkubernetes.io/dockerconfigjson")
            if each["metadata"]["namespace"].startswith("killed-")
        ]
        contents = [base64.b64decode(each["data"][".dockerconfigjson"]).decode() for each in found]
        return contents, {
            (each["metadata"]["namespace"], each["metadata"]["name"]): each["metadata"]["uid"] for each in found
        }


@pytest.fixture(scope="module")
def fleet(lab_factory: Callable[..., Lab]) -> Iterator[Fleet]:
    yield Fleet(lab_factory())


def test_the_next_run_finishes_a_killed_rotation(fleet: Fleet, tmp_path: Path) -> None:
    chance = random.Random(13)
    runs = KilledRuns(fleet.lab, tmp_path)
    for run in range(RUNS):
        to = 1 - run % 2
        runs.kill("credential_rotation", fleet.options(to), writes=chance.randrange(1, NAMESPACES * len(NAMES)))
        contents, uids = fleet.read()
        assert {*contents} == {fleet.content(0), fleet.content(1)}
        assert uids == fleet.uids
        finished = run_module("credential_rotation", **fleet.options(to))
        assert not finished["failed"], finished["msg"]
        contents, uids = fleet.read()
        assert {*contents} == {fleet.content(to)}
        assert uids == fleet.uids
        assert not run_module("credential_rotation", **fleet.options(to))["changed"]
