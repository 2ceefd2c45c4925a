# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With the role delegated_auth and max_failures, neither a registry nor a project user affects the logins of others."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.certificates import server_context, write_certificate
from support.hostile_registry import answer, served
from support.lab import Lab
from support.playbooks import play, variables_file
from support.project_user import ProjectUser

PASSWORD = "canary-of-the-delegated"
SECRETS = ("private-registry", "redhat-connect-sso")


@pytest.fixture
def project(namespaces) -> str:
    (name,) = namespaces(1)
    return name


@contextmanager
def registry(directory: Path, challenge: str) -> Iterator[dict[str, Any]]:
    """Return the entry for a registry that answers with this challenge."""
    certificate = write_certificate(directory / "server.pem")
    script = answer("HTTP/1.1 401 No", f"WWW-Authenticate: {challenge}", "Content-Length: 0", "Connection: close")
    with served(script, server_context(certificate)) as server:
        yield {"registry": server.host, "registry_ca_cert": certificate, "username": "robot", "password": PASSWORD}


def apply(lab: Lab, directory: Path, *entries: dict[str, Any], **more: Any) -> Any:
    inventory = directory / "inventory.yml"
    hosts = {"lab": {"image_pull_kubeconfig": lab.kubeconfig, "delegated_auth_registries": [*entries], **more}}
    inventory.write_text(variables_file({"all": {"hosts": hosts}}))
    done = play("site", inventory, no_proxy="*")
    assert PASSWORD not in done.output
    return done


def keys(lab: Lab, project: str) -> dict[str, list[str]]:
    """Return the hosts for which the secrets of the role have a login."""
    found = {name: lab.get(project, "secrets", name) for name in SECRETS}
    return {
        name: [*json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]]
        for name, secret in found.items()
        if secret is not None
    }


def linked(lab: Lab, project: str) -> set[str]:
    return {each["name"] for each in lab.account(project)["imagePullSecrets"]} & {*SECRETS}


def test_no_registry_decides_for_which_host_a_login_is_written(lab: Lab, project: str, tmp_path: Path):
    """One registry names a foreign host, one an address without TLS, and one does not answer. All other entries are written."""
    (tmp_path / "other").mkdir()
    good = {"registry": "r.example.com", "realm_host": "sso.example.com", "username": "robot", "password": PASSWORD}
    grants = [{"namespaces": [project], "users": ["alice"]}]
    mine = {"registry_secret_name": "one", "realm_secret_name": "two", "namespaces": [project]}
    third = {"registry_secret_name": "five", "realm_secret_name": "six", "namespaces": [project]}
    with (
        registry(tmp_path, 'Bearer realm="https://QUAY.io/token"') as hostile,
        registry(tmp_path / "other", 'Bearer realm="http://quay.io/token"') as plain,
    ):
        gone = {**good, "registry": "127.0.0.1:1"}
        del gone["realm_host"]
        entries = [
            {**hostile, **mine},
            {**plain, **third},
            {**gone, "registry_secret_name": "three", "realm_secret_name": "four", "namespaces": [project]},
            {**good, "namespaces": [project]},
        ]
        done = apply(lab, tmp_path, *entries, cross_project_pull_grants=grants)
    assert done.status == 2, done.output
    assert done.recap["failed"] == 1, done.output
    assert keys(lab, project) == {"private-registry": ["r.example.com"], "redhat-connect-sso": ["sso.example.com"]}
    assert linked(lab, project) == {*SECRETS}, done.output
    assert lab.get(project, "rolebindings", "image-puller-grant") is not None
    for name in ("one", "two", "three", "four", "five", "six"):
        assert lab.get(project, "secrets", name) is None
    said = done.text
    assert (
        f"delegated_auth_registries[0]: registry {hostile['registry']} wants logins sent to quay.io, another host"
        in said
    )
    assert 'realm_host: \\"quay.io\\"' in said
    assert f"delegated_auth_registries[1]: registry {plain['registry']} wants logins sent to an unusual host" in said
    assert "delegated_auth_registries[2]: asking registry 127.0.0.1:1" in said


def test_a_registry_that_takes_its_logins_itself_gets_one_secret(lab: Lab, project: str, tmp_path: Path):
    with registry(tmp_path, 'Basic realm="any"') as own:
        done = apply(lab, tmp_path, {**own, "namespaces": [project]})
    assert done.status == 0, done.output
    assert keys(lab, project) == {"private-registry": [own["registry"]]}
    assert linked(lab, project) == {"private-registry"}


def test_a_project_user_does_not_stop_the_work_in_other_projects(lab: Lab, run, namespaces):
    """Three of her projects fail a task that ends after the first failure. In one, she planted an object, in one she removed the
    caller's right, and one was deleted."""
    planted, refused, victim = sorted(namespaces(3))
    ProjectUser.create(lab, "mallory", planted).secret("pull", "{}", key="config.json", immutable=True)
    ProjectUser.create(lab, "operator", victim)
    login = {"registry": "registry.example.com", "username": "robot", "password": PASSWORD}
    options = {"name": "pull", "registries": [login], "max_failures": 0, "concurrency": 1}
    for more, hers in (({}, [planted, "mallory-is-gone"]), ({"impersonate_user": "operator"}, [refused])):
        result = run("pull_secret", namespaces=[*hers, victim], **options, **more)
        statuses = {each["name"]: each["status"] for each in result["namespaces"]}
        assert {name: statuses.pop(name) for name in hers} == dict.fromkeys(hers, "failed")
        assert statuses[victim] in ("changed", "unchanged"), result["msg"]
    assert [*lab.entries(victim, "pull")] == ["registry.example.com"]
