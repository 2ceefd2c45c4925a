# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account without a stored secret pulls exactly if the plan is ready. Each missing part is named before, and then fails so.

The API server issues the tokens, the kubelet's own code reads the configuration and runs the provider, an executable that returns the token
as the password. The private registry checks the tokens as zot does, and the integrated registry asks the API server about them.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import pytest
import yaml
from support.lab import Lab, path_of
from support.modules import run_module
from support.objects import auth_file, pull_secret
from support.provider import RBAC
from support.provider_configs import config

AUDIENCE, ISSUER = "lab-registry", "https://kubernetes.default.svc"
ECHO = f"""#!{sys.executable}
import json, sys
request = json.load(sys.stdin)
host = request["image"].partition("/")[0]
login = {{"username": "token", "password": request["serviceAccountToken"]}}
json.dump({{"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderResponse",
           "cacheKeyType": "Registry", "auth": {{host: login}}}}, sys.stdout)
"""


class Node:
    """A node with the provider, and the plan for an account on it."""

    def __init__(self, lab: Lab, folder: Path, namespace: str, account: str, image: str) -> None:
        self.lab, self.folder, self.namespace, self.account, self.image = lab, folder, namespace, account, image
        self.pods = 0
        programs = folder / "bin"
        programs.mkdir()
        echo = programs / "echo"
        echo.write_text(ECHO, encoding="utf-8")
        echo.chmod(0o700)
        lab.api("POST", path_of(namespace, "serviceaccounts"), {"metadata": {"name": account}})
        self.annotate("arn")

    def annotate(self, role: str | None) -> None:
        path = path_of(self.namespace, "serviceaccounts", self.account)
        self.lab.api("PATCH", path, {"metadata": {"annotations": {"example.com/role": role}}})

    def configure(self, entry: str = "", audience: str = AUDIENCE, cache_type: str = "Token") -> None:
        given = config(
            matchImages=[entry or self.image.partition("/")[0]],
            tokens={"serviceAccountTokenAudience": audience, "cacheType": cache_type},
        )
        (self.folder / "providers.json").write_text(json.dumps(given), encoding="utf-8")

    def plan(self) -> tuple[str, list[tuple[str, bool | None]], list[str]]:
        """The verdict, the checks that do not succeed, and their fixes."""
        result = run_module(
            "pull_access_info",
            kubeconfig=self.lab.kubeconfig,
            namespaces=[self.namespace],
            service_account=self.account,
            image=self.image,
            secretless=True,
            credential_provider_config=str(self.folder / "providers.json"),
        )
        assert not result["failed"], result["msg"]
        (row,) = result["namespaces"][0]["access"]
        plan = row["secretless"]
        # The lab has no nodes, and no object shows whether its registry reaches the API server.
        unseen = ("versions", "issuer")
        wrong = [each for each in plan["checks"] if each["ok"] is not True and each["check"] not in unseen]
        return plan["verdict"], [(each["check"], each["ok"]) for each in wrong], [each["fix"] for each in wrong]

    def pulls(self, *secrets: str) -> bool:
        """Whether a new pod of the account pulls. Its list names no secret that exists, so it has no copy of the account's."""
        self.pods += 1
        name = f"pod-{self.pods}"
        spec = {
            "serviceAccountName": self.account,
            "containers": [{"name": "app", "image": self.image}],
            "imagePullSecrets": [{"name": each} for each in secrets or ("absent",)],
        }
        self.lab.create(self.namespace, "pods", {"metadata": {"name": name}, "spec": spec})
        found = self.lab.pull(self.namespace, name, *self.flags())
        return bool(found["pulled"])

    def flags(self) -> list[str]:
        option = "--image-credential-provider"
        return [f"{option}-config={self.folder / 'providers.json'}", f"{option}-bin-dir={self.folder / 'bin'}"]

    def apply(self, text: str) -> None:
        """Apply the objects of a fix."""
        for obj in yaml.safe_load_all(text):
            place = f"namespaces/{self.namespace}/rolebindings" if obj["kind"] == "RoleBinding" else "clusterroles"
            self.lab.api("POST", f"{RBAC}/{place}", obj, expect=(201, 409))


_NUMBERS = itertools.count(1)


@pytest.fixture
def node(lab: Lab, tmp_path: Path) -> Node:
    found = Node(
        lab, tmp_path, lab.namespace(f"secretless-{next(_NUMBERS)}"), "robot", lab.registry("private")["image"]
    )
    subject = f"system:serviceaccount:{found.namespace}:robot"
    lab.run("registry", "--dir", str(lab.dir), "--trust", f"{AUDIENCE}={subject}", "private")
    found.configure()
    return found


def test_each_missing_part_is_named_before_and_fails_so(node: Node) -> None:
    _verdict, wrong, (grant,) = node.plan()
    assert wrong == [("right", False)]
    assert not node.pulls()

    node.apply(grant)
    node.lab.until(lambda: node.plan()[1] == [], "the nodes have the right")
    assert node.pulls()

    node.annotate(None)
    assert node.plan()[1] == [("annotations", False)]
    assert not node.pulls()
    node.annotate("arn")

    node.configure(entry=f"{node.image.partition('/')[0]}/*")
    assert node.plan()[1] == [("entry", False), ("provider", False)]
    assert not node.pulls()

    node.configure(cache_type="Pod")
    assert node.plan()[1] == [("configuration", False)]
    refused = node.lab.run("pull", "--dir", str(node.lab.dir), *node.flags(), node.namespace, "pod-1", check=False)
    assert refused.returncode == 2
    assert "the kubelet does not start: Failed to register CRI auth plugins" in refused.stderr

    node.configure(audience="other")
    assert node.plan()[1] == [("right", False)]
    assert not node.pulls()

    node.configure()
    assert node.pulls()


def test_a_second_reader_of_the_secret_is_named_and_still_needs_it(node: Node) -> None:
    lab, host = node.lab, node.image.partition("/")[0]
    login = lab.registry("private")["accounts"][1]
    lab.create(
        node.namespace, "secrets", pull_secret("robot-pull", auth_file({host: (login["username"], login["password"])}))
    )
    lab.set_account(node.namespace, "robot", imagePullSecrets=["robot-pull"])
    node.apply(node.plan()[2][0])
    lab.until(lambda: node.plan()[1] == [], "only the kubelet reads the secret")

    spec = {"strategy": {"dockerStrategy": {"pullSecret": {"name": "robot-pull"}}}}
    body = {"apiVersion": "build.openshift.io/v1", "kind": "BuildConfig", "metadata": {"name": "b"}, "spec": spec}
    lab.api("POST", f"/apis/build.openshift.io/v1/namespaces/{node.namespace}/buildconfigs", body)
    assert node.plan()[:2] == ("not_ready", [("readers", False)])

    # A reader without a token of the account, such as a build, pulls with the secret, and without it no more.
    plain = {"serviceAccountName": "default", "containers": [{"name": "app", "image": node.image}]}
    for name, pulled in (("with", True), ("without", False)):
        pod = {**plain, "imagePullSecrets": [{"name": "robot-pull"}]}
        lab.create(node.namespace, "pods", {"metadata": {"name": name}, "spec": pod})
        assert lab.pull(node.namespace, name)["pulled"] is pulled
        lab.api("DELETE", path_of(node.namespace, "secrets", "robot-pull"), expect=(200, 404))


def test_the_integrated_registry_takes_only_tokens_for_the_api_server(lab: Lab, tmp_path: Path) -> None:
    name = lab.namespace("secretless-own")
    lab.run("push", "--dir", str(lab.dir), f"{name}/app:v1")
    image = f"{lab.registry('integrated')['host']}/{name}/app:v1"
    node = Node(lab, tmp_path, name, "robot", image)
    puller = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:image-puller"}
    robot = {"kind": "ServiceAccount", "name": "robot", "namespace": name}
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "robot"}}
    lab.api("POST", f"{RBAC}/namespaces/{name}/rolebindings", {**head, "roleRef": puller, "subjects": [robot]})

    node.configure(audience="other")
    node.apply(next(fix for fix in node.plan()[2] if fix))
    lab.until(lambda: node.plan()[1] == [("audience", False)], "the nodes have the right")
    assert not node.pulls()

    node.configure(audience=ISSUER)
    node.apply(next(fix for fix in node.plan()[2] if fix))
    lab.until(lambda: node.plan()[1] == [], "the nodes have the right")
    assert node.pulls()
