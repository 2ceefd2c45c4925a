# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three clusters are handled in parallel as three hosts of one inventory, and the loss of one does not affect the others."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.lab import Lab, pull_names
from support.playbooks import Play, play

LOGIN = {"registry": "registry.example.com", "username": "user", "password": "password"}
PROJECTS = ["project-a", "project-b"]


@pytest.fixture(scope="module")
def clusters(lab_factory: Callable[..., Lab]) -> dict[str, Lab]:
    labs = {name: lab_factory("--no-registries") for name in ("east", "west", "north")}
    for lab in labs.values():
        for project in PROJECTS:
            lab.namespace(project)
    return labs


@pytest.fixture(scope="module")
def inventory(clusters: dict[str, Lab], tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("clusters")
    hosts = {}
    for name, lab in clusters.items():
        # A copy, because a lab that is stopped deletes its own kubeconfig.
        kubeconfig = directory / f".{name}.kubeconfig"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(Path(lab.kubeconfig).read_text())
        hosts[name] = {"image_pull_kubeconfig": str(kubeconfig)}
    connection = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    (directory / "hosts.yml").write_text(yaml.dump({"all": {"hosts": hosts, "vars": connection}}))
    return directory


def declare(inventory: Path, *secrets: str) -> None:
    """Declare the secrets for every cluster."""
    declared: dict[str, Any] = {
        "private_registry_secrets": [{"name": name, "namespaces": PROJECTS, "registries": [LOGIN]} for name in secrets],
        "cross_project_pull_grants": [{"namespaces": ["project-b"], "projects": ["project-a"]}],
    }
    path = inventory / "group_vars" / "all.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.dump(declared))


def recaps(done: Play) -> dict[str, dict[str, int]]:
    """Return the recap of each host."""
    lines = re.findall(r"^(\w+) +: (ok=.*)$", done.output.rpartition("PLAY RECAP")[2], re.MULTILINE)
    return {name: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", counts)} for name, counts in lines}


@pytest.mark.slow
def test_each_cluster_is_set_up_and_an_unreachable_one_does_not_stop_the_others(clusters, inventory):
    declare(inventory, "first")
    done = play("site", inventory).succeeded()
    assert {name: counts["changed"] for name, counts in recaps(done).items()} == dict.fromkeys(clusters, 1)
    for lab in clusters.values():
        assert "first" in pull_names(lab.account("project-a"))
        assert lab.get("project-b", "rolebindings", "image-puller-grant") is not None

    gone = clusters["north"]
    gone.run("down", "--dir", str(gone.dir))
    declare(inventory, "first", "second")
    done = play("site", inventory).failed()
    counts = recaps(done)
    assert {name: counts[name]["failed"] for name in clusters} == {"east": 0, "west": 0, "north": 1}
    assert counts["east"]["changed"] == counts["west"]["changed"] == 1
    failures = [line for line in done.output.splitlines() if line.startswith("fatal: ")]
    assert failures
    for line in failures:
        assert line.startswith("fatal: [north]")
        assert gone.data["server"] in line, "the cluster that cannot be reached is named"
    for name in ("east", "west"):
        for project in PROJECTS:
            assert {"first", "second"} <= set(pull_names(clusters[name].account(project)))

    again = recaps(play("site", inventory))
    assert (again["east"]["changed"], again["west"]["changed"], again["north"]["failed"]) == (0, 0, 1)
