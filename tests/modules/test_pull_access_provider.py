# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pull_access_info names the secret that nodes use for a mirror through CRIOCredentialProviderConfig, or the right that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.rights import Right
from support.lab import Lab, path_of
from support.modules import run_module
from support.objects import auth_file, pull_secret, role_binding
from support.provider import PROVIDERS, create_provider, token_rights
from support.registry_settings import credential_provider, registry_settings
from support.rights import allowed, each_right, granted

AUDIENCE = "https://kubernetes.default.svc"
IMAGE, MIRROR = "source.example.com/team/app:v1", "mirror.example.com/z"


@pytest.fixture
def cluster(lab: Lab) -> Iterator[Lab]:
    """A cluster whose nodes contact only the mirror, and have the provider for the image."""
    item = {"source": "source.example.com", "mirrors": [MIRROR], "mirrorSourcePolicy": "NeverContactSource"}
    with registry_settings(lab, tag=[item]):
        create_provider(lab, "source.example.com")
        yield lab
        lab.api("DELETE", f"{PROVIDERS}/cluster")


def asked(lab: Lab, namespace: str) -> dict[str, Any]:
    result = run_module(
        "pull_access_info", kubeconfig=lab.kubeconfig, namespaces=[namespace], service_account="default", image=IMAGE
    )
    (access,) = result["namespaces"][0]["access"]
    return dict(access)


def let_list_secrets(lab: Lab, namespace: str, subject: dict[str, Any]) -> None:
    """Let the subject read secrets by a role of the namespace, as an administrator of the namespace would."""
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}
    lab.create(namespace, "roles", {"metadata": {"name": "provider-test"}, "rules": [rule]})
    lab.create(namespace, "rolebindings", role_binding("provider-test", subject, role="provider-test", kind="Role"))


def test_the_secret_for_a_mirror_is_named_once_all_rights_exist(cluster: Lab) -> None:
    name = cluster.namespace("provider-a")
    cluster.create(name, "secrets", pull_secret("unlinked", auth_file({"mirror.example.com": ("u", "p")})))

    first = asked(cluster, name)
    assert first["verdict"] == "unknown"
    assert f"the nodes may not request a token of service account {name}/default for {AUDIENCE}" in first["reason"]

    account = {"kind": "ServiceAccount", "name": "default", "namespace": name}
    with token_rights(cluster):
        cluster.until(
            lambda: "may not list the secrets of its namespace" in asked(cluster, name)["reason"], "nodes may ask"
        )
        let_list_secrets(cluster, name, account)
        cluster.until(lambda: asked(cluster, name)["verdict"] == "pulls", "the account may list")
        assert asked(cluster, name)["reason"] == (
            f"secret {name}/unlinked has the key mirror.example.com for {MIRROR}/team/app:v1, which the nodes use through CRI-O credential "
            "provider config cluster, but the mirror was not asked whether it accepts the login"
        )


def test_an_image_that_a_node_pulled_with_a_login_of_the_provider_is_free_for_all_its_pods(lab: Lab) -> None:
    """The provider gives the login of the first namespace to CRI-O only, so the kubelet records a pull without a login."""
    registry, source = lab.registry("private"), "mirrored.example.com"
    login, (host, _slash, path) = registry["accounts"][1], registry["image"].partition("/")
    mirror = {"source": source, "mirrors": [host], "mirrorSourcePolicy": "NeverContactSource"}
    container = {"name": "app", "image": f"{source}/{path}", "imagePullPolicy": "IfNotPresent"}
    names = [lab.namespace(name) for name in ("provider-first", "provider-second")]
    for name in names:
        lab.create(name, "pods", {"metadata": {"name": "app"}, "spec": {"containers": [container]}})
    lab.create(names[0], "secrets", pull_secret("far", auth_file({host: (login["username"], login["password"])})))

    def pull(name: str, node: str) -> list[tuple[bool, bool]]:
        found = lab.pull(name, "app", "--node", node, "--recheck")
        return [(image["pulled"], image["present"]) for image in found["images"]]

    with registry_settings(lab, node={}, tag=[mirror]), credential_provider(lab, [source], names):
        assert pull(names[1], "provider-other-node") == [(False, False)]
        assert pull(names[0], "provider-node") == [(True, False)]
        assert pull(names[1], "provider-node") == [(True, True)]


def test_only_the_first_login_that_the_kubelet_sends_uses_the_file_of_the_provider(lab: Lab) -> None:
    """CRI-O uses the file for one pull. The provider gives a wrong login for the mirror here, and the nodes have the right one."""
    registry, name, source = lab.registry("private"), lab.namespace("provider-turns"), "turns.example.com"
    login, (host, _slash, path) = registry["accounts"][1], registry["image"].partition("/")
    lab.create(name, "secrets", pull_secret("wrong", auth_file({host: ("somebody", "wrong")})))
    for pod, keys in (("one", [source]), ("two", [source, f"{source}/team"])):
        lab.create(name, "secrets", pull_secret(pod, auth_file(dict.fromkeys(keys, ("any", "login")))))
        container = {"name": "app", "image": f"{source}/{path}", "imagePullPolicy": "Always"}
        spec = {"containers": [container], "imagePullSecrets": [{"name": pod}]}
        lab.create(name, "pods", {"metadata": {"name": pod}, "spec": spec})
    mirror = {"source": source, "mirrors": [host], "mirrorSourcePolicy": "NeverContactSource"}
    with (
        registry_settings(lab, node={host: (login["username"], login["password"])}, tag=[mirror]),
        credential_provider(lab, [source], [name]),
    ):
        pulled = {pod: lab.pull(name, pod)["pulled"] for pod in ("one", "two")}
        result = run_module("pull_access_info", kubeconfig=lab.kubeconfig, namespaces=[name], **lab.asking)
    assert not result["failed"], result["msg"]
    verdicts = {row["name"]: row["verdict"] for row in result["namespaces"][0]["access"]}
    assert pulled == {"one": False, "two": True}
    assert verdicts == {"one": "will_not_pull", "two": "pulls"}


POOLS = "/apis/machineconfiguration.openshift.io/v1/machineconfigpools"
PROVIDER_FILE = """
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: token-provider
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  matchImages: ["*.example.com"]
  defaultCacheDuration: 1m
  env: [{name: KEY, value: canary}]
  tokenAttributes:
    serviceAccountTokenAudience: registry.example.com
    cacheType: Token
    requireServiceAccount: true
    requiredServiceAccountAnnotationKeys: [example.com/role]
"""


@pytest.fixture(scope="module")
def standalone(lab_factory: Any) -> Lab:
    """A lab with machine configs."""
    found: Lab = lab_factory("--platform", "standalone")
    return found


def test_providers_that_the_caller_may_not_see_are_a_doubt(standalone: Lab) -> None:
    lab, name = standalone, standalone.namespace("provider-unseen")
    rights = [right for job in ("explain", "nodes_secret") for right in each_right(job)]
    (hidden,) = (right for right in rights if right.plural == "machineconfigs")

    def verdict(held: list[Right]) -> tuple[str, str]:
        user = granted(lab, held, [name])
        lab.until(lambda: all(allowed(lab, user, right, name) for right in held), "the rights are known")
        result = run_module(
            "pull_access_info",
            kubeconfig=lab.kubeconfig,
            namespaces=[name],
            service_account="default",
            image=lab.registry("private")["image"],
            impersonate_user=user,
            **lab.asking,
        )
        assert not result["failed"], result["msg"]
        (access,) = result["namespaces"][0]["access"]
        return access["verdict"], access["reason"]

    assert verdict(rights)[0] == "will_not_pull"
    found, reason = verdict([right for right in rights if right != hidden])
    assert found == "unknown"
    assert "is not known: the caller may not read machine config rendered-" in reason


def test_the_machine_configs_show_the_providers_of_the_kubelets(standalone: Lab) -> None:
    lab = standalone
    name, host = lab.namespace("provider-files"), "source.example.com"

    def seen() -> list[str]:
        return [step["message"] for step in asked(lab, name)["steps"] if step["step"] == "providers"]

    def annotate(pool: str, text: str) -> None:
        annotations = {"lab.openshift-ops.example.com/credential-providers": text}
        lab.api("PATCH", f"{POOLS}/{pool}", {"metadata": {"annotations": annotations}})

    assert seen() == []
    annotate("master", "providers: []")
    annotate("worker", PROVIDER_FILE)
    begin = "the nodes of worker have the credential provider token-provider for *.example.com"
    lacks = f"service account {name}/default lacks example.com/role, so the kubelet does not run it for this pod"
    lab.until(lambda: seen() == [f"{begin}: {lacks}"], "the pools have the configuration")

    lab.api(
        "PATCH",
        f"{path_of(name, 'serviceaccounts', 'default')}",
        {"metadata": {"annotations": {"example.com/role": "r"}}},
    )
    (text,) = seen()
    assert text.startswith(
        f"{begin}, with tokens of service accounts: the nodes may not request its tokens for registry.example.com"
    )
    result = asked(lab, name)
    assert (result["verdict"], host in result["image"]) == ("unknown", True)
    assert "canary" not in str(result)

    # The API server adds a volume with a token for itself to each pod.
    tokens = {"serviceAccountToken": {"audience": "registry.example.com", "path": "token"}}
    volumes = {"without": [], "with": [{"name": "tokens", "projected": {"sources": [tokens]}}]}
    for pod, given in volumes.items():
        spec = {"containers": [{"name": "app", "image": IMAGE}], "volumes": given}
        lab.create(name, "pods", {"metadata": {"name": pod}, "spec": spec})
    result = run_module("pull_access_info", kubeconfig=lab.kubeconfig, namespaces=[name])
    ends = {
        row["name"]: step["message"].removeprefix(f"{begin}, with tokens of service accounts: ").partition(". ")[0]
        for row in result["namespaces"][0]["access"]
        for step in row["steps"]
        if step["step"] == "providers"
    }
    right = "request its tokens for registry.example.com"
    assert ends == {
        "without": f"the nodes may not {right}, and no volume of the pod has such a token, so it gives no login",
        "with": f"the nodes may {right}, because a volume of the pod has such a token",
    }

    annotate("worker", PROVIDER_FILE.replace("token-provider", "crio-credential-provider"))
    begin = (
        "the nodes of worker have the credential provider crio-credential-provider for *.example.com, but there is no "
    )
    mirror = {"source": host, "mirrors": [MIRROR], "mirrorSourcePolicy": "NeverContactSource"}
    with registry_settings(lab, tag=[mirror]):
        lab.until(lambda: [text.startswith(begin) for text in seen()] == [True], "the pools have the configuration")
