# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebook new_namespaces serves all namespaces in spite of failures, and serves none of them twice without need."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.guides import Guide
from support.lab import Lab, pull_names
from support.playbooks import COLLECTION, forms, leaks
from support.rulebooks import Rulebook, running
from support.second_api_server import SecondApiServer, second_api_server

PASSWORD = "Kx7-correct-horse-battery"
#: Texts of the guide, and their replacements here.
STAND_INS = {
    "- name: private-registry": '- name: pulls\n    service_accounts: [default, "robot-*"]',
    "team-a-*": "eda-*",
    "developer@example.com": "developer",
    "the password of the registry": PASSWORD,
}


@dataclass
class Served:
    """A cluster with a running rulebook."""

    lab: Lab
    server: SecondApiServer
    rulebook: Rulebook

    def make(self, *names: str) -> None:
        """Create namespaces at the lab's own API server."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: self.lab.namespace(name, wait=False), names))

    def linked(self, account: str = "default") -> set[str]:
        """The namespaces whose account has the pull secret."""
        found = self.lab.api("GET", f"/api/v1/serviceaccounts?fieldSelector=metadata.name%3D{account}")["items"]
        return {one["metadata"]["namespace"] for one in found if "pulls" in pull_names(one)}


@pytest.fixture(scope="module")
def served(lab_factory: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The rulebook and its playbooks use an API server that can be killed. Two namespaces exist before the start."""
    lab, directory = lab_factory("--no-registries"), tmp_path_factory.mktemp("eda")
    for name in ("eda-before", "eda-before-too"):
        lab.namespace(name)
    with second_api_server(lab, directory / "second") as server:
        password = directory / ".vault-password"
        password.write_text("the password of the vault")
        environment = {"ANSIBLE_VAULT_PASSWORD_FILE": str(password)}
        inventory = inventory_of_the_guide(directory, {**STAND_INS, "/home/eda/kubeconfig": server.kubeconfig})
        vault = ["ansible-vault", "encrypt", str(inventory / "group_vars/all/vault.yml")]
        subprocess.run(vault, env={**os.environ, **environment}, check=True, capture_output=True)
        with running(
            f"{COLLECTION}.new_namespaces",
            inventory,
            directory / "rulebook.log",
            environment,
            image_pull_kubeconfig=server.kubeconfig,
            image_pull_exclude_namespaces=["eda-left-out-*"],
        ) as rulebook:
            yield Served(lab, server, rulebook)


def inventory_of_the_guide(directory: Path, stand_ins: Mapping[str, str]) -> Path:
    """Write the files of the guide's inventory."""
    for block in Guide("events").blocks:
        if block.title.startswith("inventory/"):
            text = block.text
            for name, real in stand_ins.items():
                text = text.replace(name, real)
            path = directory / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return directory / "inventory"


def test_existing_namespaces_are_served_first(served: Served) -> None:
    served.rulebook.until(lambda: {"eda-before", "eda-before-too"} <= served.linked(), "what exists is served")
    first, second, *_more = served.rulebook.events
    assert (first["type"], first["state"], first["cluster"]) == ("health", "connected", served.server.url)
    assert second["namespaces"] == ["eda-before", "eda-before-too"]
    assert "The cluster is watched" in served.rulebook.output


def test_a_new_service_account_is_served_alone(served: Served) -> None:
    served.rulebook.until(lambda: "eda-before" in served.linked(), "what exists is served")
    before = len(served.rulebook.told())
    served.lab.create("eda-before", "serviceaccounts", {"metadata": {"name": "robot-1"}})
    served.rulebook.until(lambda: served.linked("robot-1") == {"eda-before"}, "the account is served")
    assert served.rulebook.told()[before:] == ["eda-before"]


@pytest.mark.slow
def test_200_namespaces_are_served_while_the_api_server_restarts(served: Served) -> None:
    served.rulebook.until(lambda: "eda-before" in served.linked(), "what exists is served")
    names = [f"eda-{number:03}" for number in range(200)]
    served.make(*names[:50])
    served.server.kill()
    served.make(*names[50:150], "eda-left-out-1")
    # This namespace is created and deleted while the rulebook cannot watch.
    served.make("eda-gone")
    served.lab.api("DELETE", "/api/v1/namespaces/eda-gone")
    served.rulebook.until(lambda: any(event.get("state") == "lost" for event in served.rulebook.events), "it is missed")
    served.server.start()
    served.make(*names[150:])
    served.rulebook.until(lambda: {*names} <= served.linked(), "all are served")

    told = Counter(served.rulebook.told())
    assert {name: told[name] for name in names} == dict.fromkeys(names, 1), "each is told once"
    runs = [event for event in served.rulebook.events if event.get("count") and {*event["namespaces"]} & {*names}]
    assert len(runs) <= 6, "they are grouped"
    writes = Counter(write for write in served.server.writes() if write[2] in names)
    assert set(writes.values()) == {1}, "nothing is written twice"
    assert {write[:2] for write in writes} == {("create", "secrets"), ("patch", "serviceaccounts")}
    assert len(writes) == 400
    assert "eda-left-out-1" not in told
    assert not {"eda-left-out-1", "eda-gone"} & served.linked()
    states = [event["state"] for event in served.rulebook.events if event["type"] == "health"]
    assert states == ["connected", "lost", "connected"], "one failure stays one"
    (lost,) = [event for event in served.rulebook.events if event.get("state") == "lost"]
    assert served.server.url in lost["message"]


def test_no_event_and_no_line_shows_a_credential(served: Served) -> None:
    served.rulebook.until(served.rulebook.told, "something is told")
    assert leaks(served.rulebook.output, forms(PASSWORD, "developer")) == []
    assert "password" not in json.dumps(served.rulebook.events)
