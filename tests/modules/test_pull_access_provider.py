# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pull_access_info names the secret that nodes use for a mirror through CRIOCredentialProviderConfig, or the right that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.lab import Lab
from support.modules import run_module
from support.registry_settings import auth_file, pull_secret, registry_settings

RBAC = "/apis/rbac.authorization.k8s.io/v1"
CONFIG = "/apis/config.openshift.io/v1/criocredentialproviderconfigs"
AUDIENCE = "https://kubernetes.default.svc"
IMAGE, MIRROR = "source.example.com/team/app:v1", "mirror.example.com/z"
NODES = {"kind": "Group", "name": "system:nodes", "apiGroup": "rbac.authorization.k8s.io"}


@pytest.fixture
def cluster(lab: Lab) -> Iterator[Lab]:
    """A cluster whose nodes contact only the mirror, and have the provider for the image."""
    item = {"source": "source.example.com", "mirrors": [MIRROR], "mirrorSourcePolicy": "NeverContactSource"}
    body = {
        "apiVersion": "config.openshift.io/v1",
        "kind": "CRIOCredentialProviderConfig",
        "metadata": {"name": "cluster"},
        "spec": {"matchImages": ["source.example.com"]},
        "status": {"conditions": [{"type": "MachineConfigRendered", "status": "True"}]},
    }
    with registry_settings(lab, tag=[item]):
        lab.api("POST", CONFIG, body)
        yield lab
        lab.api("DELETE", f"{CONFIG}/cluster")


def asked(lab: Lab, namespace: str) -> dict[str, Any]:
    result = run_module(
        "pull_access_info", kubeconfig=lab.kubeconfig, namespaces=[namespace], service_account="default", image=IMAGE
    )
    (access,) = result["namespaces"][0]["access"]
    return dict(access)


def grant(lab: Lab, path: str, kind: str, rule: dict[str, Any], subject: dict[str, Any]) -> None:
    """Create a role with one rule, and bind it."""
    group = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "provider-test"}}
    lab.api("POST", f"{path}/{kind.lower()}s", {**group, "kind": kind, "rules": [rule]})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "provider-test"}
    binding = {**group, "kind": f"{kind}Binding", "roleRef": role, "subjects": [subject]}
    lab.api("POST", f"{path}/{kind.lower()}bindings", binding)


def test_the_secret_for_a_mirror_is_named_once_all_rights_exist(cluster: Lab) -> None:
    name = cluster.namespace("provider-a")
    cluster.create(name, "secrets", pull_secret("unlinked", auth_file({"mirror.example.com": ("u", "p")})))

    first = asked(cluster, name)
    assert first["verdict"] == "unknown"
    assert f"the nodes may not request a token of service account {name}/default for {AUDIENCE}" in first["reason"]

    tokens = {"apiGroups": [""], "resources": [AUDIENCE], "verbs": ["request-serviceaccounts-token-audience"]}
    grant(cluster, RBAC, "ClusterRole", tokens, NODES)
    account = {"kind": "ServiceAccount", "name": "default", "namespace": name}
    cluster.until(
        lambda: "may not list the secrets of its namespace" in asked(cluster, name)["reason"], "nodes may ask"
    )

    grant(
        cluster,
        f"{RBAC}/namespaces/{name}",
        "Role",
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]},
        account,
    )
    cluster.until(lambda: asked(cluster, name)["verdict"] == "pulls", "the account may list")
    assert asked(cluster, name)["reason"] == (
        f"secret {name}/unlinked has the key mirror.example.com for {MIRROR}/team/app:v1, which the nodes use through CRI-O credential "
        "provider config cluster, but the mirror was not asked whether it accepts the login"
    )


def test_an_image_that_a_node_pulled_without_a_login_of_the_kubelet_is_free_for_all_its_pods(lab: Lab) -> None:
    """The provider gives its logins to CRI-O only, so the kubelet sees the same as here, where CRI-O finds the login in the node's file."""
    registry = lab.registry("private")
    login, (host, _slash, path) = registry["accounts"][1], registry["image"].partition("/")
    mirror = {"source": "mirrored.example.com", "mirrors": [host], "mirrorSourcePolicy": "NeverContactSource"}
    container = {"name": "app", "image": f"mirrored.example.com/{path}", "imagePullPolicy": "IfNotPresent"}
    names = [lab.namespace(name) for name in ("provider-first", "provider-second")]
    for name in names:
        lab.create(name, "pods", {"metadata": {"name": "app"}, "spec": {"containers": [container]}})
    checks = ("--node", "provider-node", "--recheck")
    with registry_settings(lab, node={host: (login["username"], login["password"])}, tag=[mirror]):
        first = lab.pull(names[0], "app", *checks)
        assert [(image["pulled"], image["present"]) for image in first["images"]] == [(True, False)]
    with registry_settings(lab, node={}, tag=[mirror]):
        second = lab.pull(names[1], "app", *checks)
        assert [(image["pulled"], image["present"]) for image in second["images"]] == [(True, True)]
        other = lab.pull(names[1], "app", "--node", "another-node", "--recheck")
        assert not other["pulled"]
