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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.lab import Lab, path_of
from support.lab_nodes import ROOT
from support.modules import run_module
from support.objects import account_subject, auth_file, pull_secret, role_binding
from support.provider import RBAC
from support.provider_configs import config, write_echo

AUDIENCE, ISSUER = "lab-registry", "https://kubernetes.default.svc"


class Node:
    """A node with the provider, and the plan for an account on it."""

    def __init__(self, lab: Lab, folder: Path, namespace: str, account: str, image: str) -> None:
        self.lab, self.folder, self.namespace, self.account, self.image = lab, folder, namespace, account, image
        self.pods = 0
        write_echo(folder / "bin" / "echo")
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
        self.write(given)

    def write(self, given: Any) -> None:
        (self.folder / "providers.json").write_text(json.dumps(given), encoding="utf-8")

    def ask(self) -> dict[str, Any]:
        """The whole plan."""
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
        plan: dict[str, Any] = row["secretless"]
        return plan

    def messages(self, check: str) -> list[str]:
        return [each["message"] for each in self.ask()["checks"] if each["check"] == check]

    def plan(self) -> tuple[str, list[tuple[str, bool | None]], list[str]]:
        """The verdict, the checks that do not succeed, and their fixes."""
        plan = self.ask()
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


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest, usual_lab: Callable[[], Lab], lab_factory: Callable[..., Lab]) -> Lab:
    """The usual lab, or one with these options."""
    return lab_factory(*request.param) if hasattr(request, "param") else usual_lab()


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

    # No object shows which audience the registry takes, so the plan is not ready, and names the one that it gets.
    node.configure(audience="other")
    assert node.plan()[1] == [("right", False)]
    node.apply(node.plan()[2][0])
    node.lab.until(lambda: node.plan()[1] == [], "the nodes have the right")
    assert node.plan()[0] == "unknown"
    (issuer,) = node.messages("issuer")
    accepts = f"must accept it, with system:serviceaccount:{node.namespace}:robot and"
    assert issuer.endswith(f"{accepts} other")
    assert not node.pulls()

    node.configure()
    assert node.messages("issuer")[0].endswith(f"{accepts} {AUDIENCE}")
    assert node.pulls()


def test_a_second_reader_of_the_secret_is_named_and_still_needs_it(node: Node) -> None:
    """Without the secret, the account pulls, but not the image stream and the other workload of its namespace."""
    lab, host, namespace = node.lab, node.image.partition("/")[0], node.namespace
    login = lab.registry("private")["accounts"][1]
    content = auth_file({host: (login["username"], login["password"])})
    lab.create(namespace, "secrets", pull_secret("robot-pull", content))
    lab.set_account(namespace, "robot", imagePullSecrets=["robot-pull"])
    node.apply(node.plan()[2][0])
    lab.until(lambda: node.plan()[1] == [], "only the kubelet reads the secret")

    source = {"kind": "DockerImage", "name": node.image}
    create(lab, namespace, "image", "ImageStream", {"tags": [{"name": "v1", "from": source}]})
    container = {"name": "app", "image": node.image}
    spec = {"imagePullSecrets": [{"name": "robot-pull"}], "serviceAccountName": "default", "containers": [container]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    body = {"metadata": {"name": "web"}, "spec": {"replicas": 0, "selector": {"app": "web"}, "template": template}}
    lab.create(namespace, "replicationcontrollers", body)
    create(lab, namespace, "build", "BuildConfig", {"output": {"pushSecret": {"name": "robot-pull"}}})
    verdict, wrong, _fixes = node.plan()
    assert (verdict, wrong) == ("not_ready", [("readers", False)] * 3)
    assert [each.removeprefix("secret robot-pull has another reader: ") for each in node.messages("readers")] == [
        f"replication controller {namespace}/web lists it: ask about it as well",
        f"image stream {namespace}/it imports images of the registry with the pull secrets of its namespace",
        f"build config {namespace}/it names it",
    ]

    def imports() -> bool:
        asked = {"import": True, "images": [{"from": source, "to": {"name": "v1"}}]}
        (image,) = create(lab, namespace, "image", "ImageStreamImport", asked)["status"]["images"]
        return bool(image["status"]["status"] == "Success")

    def web_pulls(name: str) -> bool:
        lab.create(namespace, "pods", {"metadata": {"name": name}, "spec": spec})
        return bool(lab.pull(namespace, name)["pulled"])

    assert (node.pulls(), imports(), web_pulls("with")) == (True, True, True)
    lab.api("DELETE", path_of(namespace, "secrets", "robot-pull"))
    assert (node.pulls(), imports(), web_pulls("without")) == (True, False, False)


def create(lab: Lab, namespace: str, group: str, kind: str, spec: Any) -> Any:
    """Create an object of OpenShift with the name `it`, and return the answer."""
    path = f"/apis/{group}.openshift.io/v1"
    body = {"apiVersion": path.removeprefix("/apis/"), "kind": kind, "metadata": {"name": "it"}, "spec": spec}
    return lab.api("POST", f"{path}/namespaces/{namespace}/{kind.lower()}s", body)


@pytest.mark.parametrize("lab", [["--platform", "standalone"]], indirect=True)
def test_a_file_that_drops_another_provider_is_named_with_one_that_has_both(node: Node) -> None:
    """The merged file is the next given one, and a kubelet runs both providers with it. Confidential arguments are not shown."""
    node.apply(node.plan()[2][0])
    node.lab.until(lambda: node.plan()[1] == [], "the nodes have the right")
    other = {
        **config(tokenAttributes=..., args=["--key=canary"])["providers"][0],
        "name": "other",
        "matchImages": ["other.example.com"],
    }
    notes = {"lab.openshift-ops.example.com/credential-providers": json.dumps({"providers": [other]})}
    node.lab.api("PATCH", f"{ROOT}/machineconfigpools/worker", {"metadata": {"annotations": notes}})
    node.lab.until(lambda: node.plan()[1] == [("file", False)], "the pool has the other provider")
    (text,) = node.messages("file")
    assert text == "the given configuration drops other of pool worker: a kubelet has one file for all"

    merged = yaml.safe_load(node.plan()[2][0])
    assert "canary" not in str(node.ask())
    assert [each["name"] for each in merged["providers"]] == ["other", "echo"]
    node.write(merged)
    write_echo(node.folder / "bin" / "other")
    assert node.plan()[1] == []
    assert node.pulls()


@pytest.mark.parametrize("lab", [["--platform", "standalone"]], indirect=True)
def test_what_if_tells_accounts_with_the_right_from_others(node: Node) -> None:
    """After the secret is gone, the account whose tokens the nodes may request pulls, and the other one does not."""
    lab, namespace = node.lab, node.namespace
    login = lab.registry("private")["accounts"][1]
    content = auth_file({node.image.partition("/")[0]: (login["username"], login["password"])})
    lab.create(namespace, "secrets", pull_secret("robot-pull", content))
    lab.create(namespace, "serviceaccounts", {"metadata": {"name": "other", "annotations": {"example.com/role": ""}}})
    for account in ("robot", "other"):
        lab.set_account(namespace, account, imagePullSecrets=["robot-pull"])
        lab.pod(namespace, account, node.image, account)
    (fix,) = [each["fix"] for each in node.ask()["checks"] if each["check"] == "right"]
    node.apply(fix)
    file = (node.folder / "providers.json").read_text(encoding="utf-8")
    notes = {"lab.openshift-ops.example.com/credential-providers": file}
    lab.api("PATCH", f"{ROOT}/machineconfigpools/worker", {"metadata": {"annotations": notes}})

    def answers() -> dict[str, str]:
        result = run_module(
            "pull_access_what_if",
            kubeconfig=lab.kubeconfig,
            namespaces=[namespace],
            changes=[{"remove_secrets": {"name": "robot-pull"}}],
            **lab.asking,
        )
        assert not result["failed"], result["msg"]
        return {each["name"]: each["answer"] for each in result["what_if"]["containers"]}

    lab.until(lambda: answers() == {"robot": "unknown", "other": "would_break"}, "the pool has the provider")
    lab.api("DELETE", path_of(namespace, "secrets", "robot-pull"))
    pulled = {name: lab.pull(namespace, name, *node.flags())["pulled"] for name in ("robot", "other")}
    assert pulled == {"robot": True, "other": False}


def test_the_integrated_registry_takes_only_tokens_for_the_api_server(lab: Lab, tmp_path: Path) -> None:
    name = lab.namespace("secretless-own")
    lab.run("push", "--dir", str(lab.dir), f"{name}/app:v1")
    image = f"{lab.registry('integrated')['host']}/{name}/app:v1"
    node = Node(lab, tmp_path, name, "robot", image)
    lab.create(name, "rolebindings", role_binding("robot", account_subject(name, "robot")))

    node.configure(audience="other")
    node.apply(next(fix for fix in node.plan()[2] if fix))
    lab.until(lambda: node.plan()[1] == [("audience", False)], "the nodes have the right")
    assert not node.pulls()

    node.configure(audience=ISSUER, cache_type="ServiceAccount")
    node.apply(next(fix for fix in node.plan()[2] if fix))
    node.lab.until(lambda: node.plan()[1] == [("configuration", False)], "the nodes have the right")
    assert not node.pulls()

    node.configure(audience=ISSUER)
    lab.until(lambda: node.plan()[1] == [], "the nodes have the right")
    assert node.pulls()
