# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In the playbooks site and teardown, a failure in the project of one user does not affect any step for the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.lab import Lab
from support.objects import role_binding
from support.playbooks import play, variables_file
from support.project_user import ProjectUser

HOST = "registry.example.com"


@pytest.fixture
def mallory(lab: Lab, namespace: str) -> ProjectUser:
    return ProjectUser.create(lab, "mallory", namespace)


@pytest.fixture
def victim(namespaces) -> str:
    (name,) = namespaces(1)
    return name


def inventory(lab: Lab, directory: Path, *projects: str, name: str = "pull", **more: Any) -> Path:
    """Write an inventory with a login, its link and a grant for all of the projects."""
    login = {"registry": HOST, "username": "robot", "password": "pw-1234567"}
    secret = {"name": name, "namespaces": [*projects], "registries": [login], "service_accounts": ["default"]}
    declared = {
        "image_pull_kubeconfig": lab.kubeconfig,
        "private_registry_secrets": [secret],
        "cross_project_pull_grants": [{"namespaces": [*projects], "users": ["alice"]}],
        **more,
    }
    place = directory / "inventory.yml"
    place.write_text(variables_file({"all": {"hosts": {"lab": declared}}}))
    return place


def state(lab: Lab, project: str) -> dict[str, Any]:
    """Return the existing parts of the inventory's declaration."""
    found = {kind: lab.get(project, kind, name) is not None for kind, name in PARTS.items()}
    return {**found, "link": "pull" in {each["name"] for each in lab.account(project)["imagePullSecrets"]}}


PARTS = {"secrets": "pull", "rolebindings": "image-puller-grant"}
ALL = {"secrets": True, "rolebindings": True, "link": True}
NONE = dict.fromkeys(ALL, False)


def test_planted_objects_keep_nothing_from_others(lab: Lab, mallory: ProjectUser, victim: str, tmp_path: Path):
    """An unchangeable secret with the declared name and a binding with our name and another role each fail a step."""
    mallory.secret("pull", "{}", key="config.json", immutable=True)
    mallory.create_object("roles", {"metadata": {"name": "own"}, "rules": []})
    mallory.create_object("rolebindings", role_binding("image-puller-grant", role="own", kind="Role"))
    declared = inventory(lab, tmp_path, mallory.namespace, victim)
    done = play("site", declared)
    assert done.status == 2, done.output
    assert f"secret {mallory.namespace}/pull has type Opaque" in done.output
    assert state(lab, victim) == ALL, done.output
    done = play("teardown", declared)
    assert done.status == 2, done.output
    assert f"role binding {mallory.namespace}/image-puller-grant has Role own" in done.output
    assert state(lab, victim) == NONE, done.output


def test_options_that_are_refused_end_the_run_before_the_next_step(lab: Lab, victim: str, tmp_path: Path):
    done = play("site", inventory(lab, tmp_path, victim, name="Not a name"))
    assert done.status == 2, done.output
    assert state(lab, victim) == NONE, done.output


def test_a_failure_in_one_project_does_not_stop_the_prune_of_others(
    lab: Lab, mallory: ProjectUser, victim: str, tmp_path: Path
):
    """Nothing is removed in her project, because it lacks the secret that replaces the undeclared one."""
    owner = {"image_pull_owner": "platform", "image_pull_prune": True, "image_pull_max_prune": "50%"}
    done = play("site", inventory(lab, tmp_path, mallory.namespace, victim, name="old", **owner)).succeeded()
    mallory.secret("pull", "{}", key="config.json", immutable=True)
    done = play("site", inventory(lab, tmp_path, mallory.namespace, victim, **owner))
    assert done.status == 2, done.output
    assert f"nothing was removed in {mallory.namespace}: 'exclude_namespaces' names it" in done.output
    old = {project: lab.get(project, "secrets", "old") is not None for project in (mallory.namespace, victim)}
    assert old == {mallory.namespace: True, victim: False}, done.output
    assert {each["name"] for each in lab.account(victim)["imagePullSecrets"]} >= {"pull"}
    done = play(
        "teardown", inventory(lab, tmp_path, mallory.namespace, victim, **owner), "-e", "image_pull_owner=platform"
    )
    assert lab.get(victim, "secrets", "pull") is None, done.output
    assert lab.get(mallory.namespace, "secrets", "old") is None, done.output
