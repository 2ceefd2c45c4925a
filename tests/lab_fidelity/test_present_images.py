# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's node verifies present images as OpenShift's own test expects, and as the documentation of this collection says.

`TestOpenShift` has the five cases of openshift/origin, test/extended/node/kubelet_secret_pulled_images.go.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.lab import Lab, path_of
from support.registry_settings import auth_file, pull_secret, registry_settings

#: A host without a listener.
CLOSED = "127.0.0.9:9"
WRONG = ("somebody", "wrong")


def account_login(lab: Lab, namespace: str, account: str = "default") -> dict[str, tuple[str, str]]:
    """Return the login of a service account for the integrated registry."""
    return {lab.registry("integrated")["host"]: lab.integrated_login(namespace, account)}


def private_login(lab: Lab, number: int = 0) -> tuple[str, str]:
    account = lab.registry("private")["accounts"][number]
    return account["username"], account["password"]


def give_secret(lab: Lab, namespace: str, name: str, logins: dict[str, tuple[str, str]]) -> None:
    lab.create(namespace, "secrets", pull_secret(name, auth_file(logins)))


def let_pull(lab: Lab, owner: str, group: str) -> None:
    """Let a group pull all images of a project."""
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:image-puller"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}
    name = group.replace(":", "-")
    lab.create(owner, "rolebindings", {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]})


class Node:
    """A node with a name that verifies present images."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab, self.name = lab, name

    def preload(self, namespace: str, image: str, secret: str) -> None:
        """Pull an image with the check off, so that the node has no record of it."""
        spec = {"containers": [{"name": "app", "image": image}], "imagePullSecrets": [{"name": secret}]}
        self.lab.create(namespace, "pods", {"metadata": {"name": "before"}, "spec": spec})
        assert self.lab.pull(namespace, "before", "--node", self.name)["pulled"]

    def add_secrets(self, number: int) -> None:
        """Add secrets of other namespaces to each entry of the node's only record."""
        (path,) = (Path(self.lab.dir) / "nodes" / self.name / "kubelet/image_manager/pulled").iterdir()
        record = json.loads(path.read_text(encoding="utf-8"))
        for entry in record["credentialMapping"].values():
            entry["kubernetesSecrets"] += [
                {"uid": f"u{each}", "namespace": f"other-{each}", "name": "pull", "credentialHash": f"{each:064x}"}
                for each in range(number)
            ]
        path.write_text(json.dumps(record), encoding="utf-8")

    def run(
        self,
        namespace: str,
        pod: str,
        image: str,
        *secrets: str,
        pull: str = "IfNotPresent",
        policy: str = "",
        flags: Any = (),
    ) -> dict[str, Any]:
        """Create a pod with one container and return the result for its image. Without secrets, it gets those of its account."""
        spec: dict[str, Any] = {"containers": [{"name": "app", "image": image, "imagePullPolicy": pull}]}
        if secrets:
            spec["imagePullSecrets"] = [{"name": name} for name in secrets]
        self.lab.create(namespace, "pods", {"metadata": {"name": pod}, "spec": spec})
        return self.start(namespace, pod, policy=policy, flags=flags)

    def start(self, namespace: str, pod: str, *, policy: str = "", flags: Any = ()) -> dict[str, Any]:
        """Start the container of a pod once more."""
        with_policy = ["--verification-policy", policy] if policy else []
        (image,) = self.lab.pull(namespace, pod, "--node", self.name, "--recheck", *with_policy, *flags)["images"]
        return image


def result(image: dict[str, Any]) -> str:
    """Return how the pod got its image: from the node, by a pull, or not at all."""
    return "present" if image["present"] else "pulled" if image["pulled"] else image["waiting"]["reason"]


@pytest.fixture
def node(lab: Lab, namespace: str) -> Node:
    return Node(lab, namespace)


class TestOpenShift:
    @pytest.fixture
    def image(self, lab, namespaces) -> tuple[str, str]:
        """A project, and its image in the integrated registry."""
        (owner,) = namespaces(1)
        lab.run("push", "--dir", str(lab.dir), f"{owner}/app:v1")
        return owner, f"{lab.registry('integrated')['host']}/{owner}/app:v1"

    @pytest.fixture
    def tenant(self, lab, namespaces, image) -> str:
        """A project whose accounts may pull the image, with the login of the owner's account in a pull secret."""
        owner, _reference = image
        (name,) = namespaces(1)
        let_pull(lab, owner, f"system:serviceaccounts:{name}")
        give_secret(lab, name, "pull-secret", account_login(lab, owner))
        return name

    def test_case_1_tenants_are_isolated_for_private_images_and_share_public_ones(
        self, lab, node, namespaces, image, tenant
    ):
        _owner, private = image
        other, everyone = namespaces(2)
        lab.run("push", "--dir", str(lab.dir), f"{everyone}/tools:v1")
        let_pull(lab, everyone, "system:authenticated")
        public = f"{lab.registry('integrated')['host']}/{everyone}/tools:v1"
        assert result(node.run(tenant, "with-secret", private, "pull-secret")) == "pulled"
        assert result(node.run(other, "no-secret", private)) == "ErrImagePull"
        assert result(node.run(tenant, "public", public)) == "pulled"
        assert result(node.run(other, "public", public)) == "pulled"

    def test_case_2_a_renamed_secret_is_recognized_and_a_recreated_one_pulls(self, lab, node, image, tenant):
        owner, private = image
        give_secret(lab, tenant, "secret-v1", account_login(lab, owner))
        assert result(node.run(tenant, "initial", private, "secret-v1")) == "pulled"
        lab.api("DELETE", path_of(tenant, "secrets", "secret-v1"))
        give_secret(lab, tenant, "secret-v2", account_login(lab, owner))
        assert result(node.run(tenant, "same-login", private, "secret-v2")) == "present"
        lab.create(owner, "serviceaccounts", {"metadata": {"name": "rotated"}})
        lab.until(lambda: lab.provisioned(owner, "rotated"), "the account has its secret")
        lab.api("DELETE", path_of(tenant, "secrets", "secret-v2"))
        give_secret(lab, tenant, "secret-v2", account_login(lab, owner, "rotated"))
        # The name is the same, but the kubelet compares the UID too: OpenShift's test passes because the new login may pull.
        assert result(node.run(tenant, "same-name", private, "secret-v2")) == "pulled"
        assert (
            result(node.run(tenant, "later", private, "secret-v2")) == "present"
        )  # only the first start asks the registry

    def test_case_3_each_pull_policy_checks_the_credentials(self, node, image, tenant):
        _owner, private = image
        found = {
            policy: result(node.run(tenant, policy.lower(), private, "pull-secret", pull=policy))
            for policy in ("IfNotPresent", "Never", "Always")
        }
        assert found == {"IfNotPresent": "pulled", "Never": "present", "Always": "pulled"}

    def test_case_4_a_policy_opens_and_closes_the_images_of_a_node(self, node, image, tenant):
        _owner, private = image
        assert result(node.run(tenant, "seed", private, "pull-secret")) == "pulled"
        never = node.run(tenant, "no-check", private, "missing", pull="Never", policy="NeverVerify")
        assert result(never) == "present"
        assert result(node.start(tenant, "no-check", policy="AlwaysVerify")) == "ErrImageNeverPull"
        assert result(node.run(tenant, "secret", private, "pull-secret", policy="AlwaysVerify")) == "present"
        refused = node.run(tenant, "no-secret", private, "nonexistent-secret", policy="AlwaysVerify")
        assert result(refused) == "ErrImagePull"

    def test_case_5_only_recorded_credentials_work_without_the_registry(self, lab, node, namespaces):
        (name,) = namespaces(1)
        registry = lab.registry("private")
        image = f"{registry['host']}/team/app:v1"
        give_secret(lab, name, "pull-secret", {registry["host"]: private_login(lab)})
        give_secret(lab, name, "new-secret", {registry["host"]: ("dummy", "dummy")})
        assert result(node.run(name, "seed", image, "pull-secret")) == "pulled"
        lab.registry_set("private", "--close")
        try:
            assert result(node.run(name, "cached", image, "pull-secret")) == "present"
            assert result(node.run(name, "new", image, "new-secret")) == "RegistryUnavailable"
        finally:
            lab.registry_set("private", "--open")


class TestPolicies:
    @pytest.fixture
    def image(self, lab) -> str:
        return f"{lab.registry('private')['host']}/team/app:v1"

    @pytest.fixture
    def pods(self, lab, namespaces, image) -> tuple[str, str]:
        """A project with a good login and one with a wrong login."""
        first, second = namespaces(2)
        host = lab.registry("private")["host"]
        give_secret(lab, first, "pull", {host: private_login(lab)})
        give_secret(lab, second, "pull", {host: WRONG})
        return first, second

    def test_an_allow_list_frees_images_by_the_text_of_the_pod(self, lab, node, pods, image):
        first, second = pods
        assert result(node.run(first, "app", image, "pull")) == "pulled"
        repository = image.removesuffix(":v1")
        node.run(second, "app", image, "pull")
        found = {
            entry: result(
                node.start(
                    second, "app", policy="NeverVerifyAllowlistedImages", flags=["--verification-allow-list", entry]
                )
            )
            for entry in (repository, f"{repository.rpartition('/')[0]}/*", f"{repository}2", "quay.io/*")
        }
        assert list(found.values()) == ["present", "present", "ErrImagePull", "ErrImagePull"]

    def test_a_preloaded_image_is_free_until_the_kubelet_pulls_it(self, lab, node, pods, image):
        first, second = pods
        node.preload(first, image, "pull")
        assert result(node.run(second, "app", image, "pull")) == "present"
        assert result(node.run(first, "always", image, "pull", pull="Always")) == "pulled"
        assert result(node.start(second, "app")) == "ErrImagePull"
        assert result(node.start(second, "app", policy="NeverVerify")) == "present"

    def test_always_verify_pulls_a_preloaded_image_at_its_first_use(self, lab, node, pods, image):
        first, _second = pods
        node.preload(first, image, "pull")
        assert result(node.run(first, "app", image, "pull", policy="AlwaysVerify")) == "pulled"
        assert result(node.start(first, "app", policy="AlwaysVerify")) == "present"

    @pytest.mark.parametrize("others", [98, 99])
    def test_a_login_changed_in_place_asks_once_where_100_secrets_are_recorded(self, lab, node, pods, image, others):
        first, second = pods
        host = lab.registry("private")["host"]
        new = pull_secret("pull", auth_file({host: private_login(lab, 1)}))["data"]
        assert result(node.run(first, "app", image, "pull")) == "pulled"
        node.add_secrets(others)
        lab.api("PATCH", path_of(first, "secrets", "pull"), {"data": new})
        assert result(node.start(first, "app")) == {98: "present", 99: "pulled"}[others]
        assert result(node.start(first, "app")) == "present"
        # The login is recorded now, for every secret that holds it.
        lab.api("PATCH", path_of(second, "secrets", "pull"), {"data": new})
        assert result(node.run(second, "app", image, "pull")) == "present"

    def test_a_runtime_that_returns_a_digest_verifies_nothing_or_pulls_at_every_start(self, node, pods, image):
        """CRI-O before 1.35.2: the kubelet records a pull by another identity than the one by which it looks for the record."""
        first, second = pods
        old = ["--digest-refs"]
        assert result(node.run(first, "app", image, "pull", flags=old)) == "pulled"
        assert result(node.run(second, "app", image, "pull", flags=old)) == "present"
        assert [result(node.start(first, "app", policy="AlwaysVerify", flags=old)) for _start in range(2)] == [
            "pulled"
        ] * 2
        assert result(node.start(second, "app", policy="AlwaysVerify", flags=old)) == "ErrImagePull"

    @pytest.mark.parametrize("has_secret", [True, False], ids=["secret of the pod", "no secret"])
    def test_a_pull_through_a_mirror_on_another_host_records_the_secret_that_the_kubelet_sent(
        self, lab, node, namespaces, has_secret
    ):
        """CRI-O uses the login of the node there. Without a secret for the source, the image becomes free to all pods of the node."""
        first, second = namespaces(2)
        host, image = lab.registry("private")["host"], f"{CLOSED}/team/app:v1"
        give_secret(lab, first, "pull", {CLOSED if has_secret else "quay.io": WRONG})
        with registry_settings(
            lab, node={host: private_login(lab)}, tag=[{"source": f"{CLOSED}/team", "mirrors": [f"{host}/team"]}]
        ):
            assert result(node.run(first, "app", image, "pull")) == "pulled"
            assert result(node.run(second, "app", image, "missing", pull="Never")) == (
                "ErrImageNeverPull" if has_secret else "present"
            )
            assert result(node.start(first, "app")) == "present"

    @pytest.mark.parametrize(
        ("flags", "told"),
        [
            (
                ["--verification-policy", "Sometimes"],
                'option "Sometimes" specified for imagePullCredentialsVerificationPolicy',
            ),
            (["--verification-allow-list", "quay.io/*"], "can't set `preloadedImagesVerificationAllowlist`"),
            (
                ["--verification-policy", "NeverVerifyAllowlistedImages", "--verification-allow-list", "quay.io*"],
                "not a valid wildcard pattern",
            ),
        ],
    )
    def test_a_kubelet_does_not_start_with_an_invalid_policy(self, lab, namespace, flags, told):
        command = ["pull", "--dir", str(lab.dir), namespace, "app", "--node", namespace, "--recheck", *flags]
        done = lab.run(*command, check=False)
        assert done.returncode == 2
        assert "the kubelet does not start: invalid configuration: " in done.stderr
        assert told in done.stderr
