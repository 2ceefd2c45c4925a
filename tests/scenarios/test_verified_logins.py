# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With `verify`, the roles never write a login that a registry refuses, and a verified login can pull the image."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
import yaml
from support.lab import Lab, pull_names
from support.playbooks import play

CANARY = "Canary-wrong-77"


def inventory(lab: Lab, directory: Path, **variables: Any) -> Path:
    path = directory / "hosts.yml"
    path.write_text(yaml.dump({"all": {"hosts": {"east": {"image_pull_kubeconfig": lab.kubeconfig, **variables}}}}))
    return path


def declared(lab: Lab, role: str, namespace: str, password: str = "") -> dict[str, Any]:
    """Return the role's variable with a suitable login for the lab's registry."""
    registry = lab.registry("private" if role == "private_registry" else "delegated")
    account = registry["accounts"][0]
    login = {"username": account["username"], "password": password or account["password"]}
    proof = {"verify": True, "verify_repositories": [f"{registry['host']}/team/app"], "namespaces": [namespace]}
    if role == "private_registry":
        registries = [{"registry": registry["host"], **login}]
        return {"private_registry_secrets": [{"name": "pull", "registries": registries, **proof}]}
    entry = {"registry": registry["host"], "realm_host": registry["realm_host"], **login, **proof}
    return {"delegated_auth_registries": [entry]}


@pytest.mark.parametrize("role", ["private_registry", pytest.param("delegated_auth", marks=pytest.mark.slow)])
def test_a_login_is_proven_before_it_is_written(lab, namespace, namespaces, tmp_path, role):
    (other,) = namespaces(1)
    access = {"image_pull_registry_ca_cert": lab.data["ca_cert"]}
    teams = declared(lab, role, namespace, CANARY), declared(lab, role, other)
    grant = {"namespaces": [namespace], "projects": [other]}
    (variable,) = teams[0]
    both = {variable: teams[0][variable], f"{variable}_other": teams[1][variable], "cross_project_pull_grants": [grant]}
    refused = play("site", inventory(lab, tmp_path, **access, **both), no_proxy="*")
    assert refused.status == 2
    assert "nothing was written because a login does not work" in refused.output
    assert CANARY not in refused.output
    secrets = {
        one: {name for name in ("pull", "private-registry", "redhat-connect-sso") if lab.get(one, "secrets", name)}
        for one in (namespace, other)
    }
    assert secrets[namespace] == set()
    assert secrets[other] == ({"pull"} if role == "private_registry" else {"private-registry", "redhat-connect-sso"})
    assert secrets[other] & set(pull_names(lab.account(other))) == secrets[other], "one team does not stop another"
    assert lab.get(namespace, "rolebindings", "image-puller-grant"), "nor another role"
    # Relative paths of files begin in the directory of the command.
    copyfile(lab.kubeconfig, tmp_path / "config")
    copyfile(lab.data["ca_cert"], tmp_path / "ca.crt")
    access = {"image_pull_kubeconfig": "config", "image_pull_registry_ca_cert": "ca.crt"}
    hosts = inventory(lab, tmp_path, **access, **declared(lab, role, namespace))
    play("site", hosts, cwd=tmp_path, no_proxy="*").succeeded()
    name = "private" if role == "private_registry" else "delegated"
    lab.pod(namespace, "app", lab.registry(name)["image"])
    assert lab.pull(namespace, "app")["pulled"]
