# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab reproduces unusual cases of OpenShift's controllers: long names, other annotations, a missing Service, overwritten lists."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from support.lab import Lab, mount_names, path_of, pull_names
from support.openshift import CLUSTER_VERSION, IMAGE_REGISTRY_OPERATOR, REGISTRY_SERVICE, allow, described
from support.overwriter import Overwriter

REFERENCE = "openshift.io/internal-registry-pull-secret-ref"
OWNER = "openshift.io/internal-registry-auth-token.service-account"
BINDING = "openshift.io/internal-registry-auth-token.binding"
CONTROLLER = "openshift.io/image-registry-pull-secrets_service-account-controller"

#: The prefixes of generated names, as library-go's GetName(account, "dockercfg-" or "token-", 58) returns them.
NAMES = {
    "builder2": ("builder2-dockercfg-", "builder2-token-"),
    "a" * 47: ("a" * 47 + "-dockercfg-", "a" * 47 + "-token-"),
    "an-account-with-a-name-of-forty-seven-characters": (
        "an-account-with-a-name-of-forty-seven--a88091fd-dockercfg-",
        "an-account-with-a-name-of-forty-seven-characters-token-",
    ),
    "an-account-with-a-name-of-fifty-two-characters-xxxxx": (
        "an-account-with-a-name-of-fifty-two-ch-dda19367-dockercfg-",
        "an-account-with-a-name-of-fifty-two-charac-dda19367-token-",
    ),
    "a" * 200: ("a" * 38 + "-4e48052d-dockercfg-", "a" * 42 + "-4e48052d-token-"),
}


@pytest.fixture(scope="module")
def old(lab_factory) -> Lab:
    return lab_factory("--provisioner", "legacy", "--no-registries")


def made(lab: Lab, namespace: str, account: str) -> dict[str, Any]:
    """Create an account and wait until it has its pull secret."""
    lab.create(namespace, "serviceaccounts", {"metadata": {"name": account}})
    lab.until(lambda: lab.provisioned(namespace, account), f"{account} is provisioned")
    return lab.account(namespace, account)


def content_of(lab: Lab, namespace: str, secret: str) -> Any:
    found = lab.get(namespace, "secrets", secret)
    return found and json.loads(base64.b64decode(found["data"][".dockercfg"]))


class TestNames:
    """A name consists of account, kind and five random characters. In all releases, a long account name is cut and marked with a hash."""

    @pytest.mark.parametrize("account", NAMES)
    def test_a_bound_secret_is_named_after_its_account(self, lab, namespace, account):
        found = made(lab, namespace, account)
        name = found["metadata"]["annotations"][REFERENCE]
        assert (name[:-5], len(name[-5:])) == (NAMES[account][0], 5)
        assert name in pull_names(found)
        assert name in mount_names(found)

    @pytest.mark.parametrize("account", NAMES)
    def test_a_legacy_secret_is_named_after_its_account(self, old, account):
        namespace = f"names-{list(NAMES).index(account)}"
        old.namespace(namespace)
        (name,) = pull_names(made(old, namespace, account))
        assert name[:-5] == NAMES[account][0]
        secret = old.get(namespace, "secrets", name)
        assert secret["metadata"]["annotations"]["openshift.io/token-secret.name"][:-5] == NAMES[account][1]
        (owner,) = secret["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["controller"], owner["blockOwnerDeletion"]) == ("Secret", True, False)


class TestAnnotation:
    """Only the annotation identifies the secret of the account, whatever its name. Without it, the controller finds the existing secret."""

    def test_an_annotation_with_another_name_replaces_the_managed_secret(self, lab, namespace):
        (former,) = pull_names(lab.account(namespace))
        body = {"metadata": {"annotations": {REFERENCE: "default-dockercfg-other"}}}
        lab.api("PATCH", path_of(namespace, "serviceaccounts", "default"), body)
        lab.until(lambda: bool(content_of(lab, namespace, "default-dockercfg-other")), "the other one is filled")
        assert pull_names(lab.account(namespace)) == [former, "default-dockercfg-other"]
        # The controller checks the former secret when it changes, or at its next full resync, every ten minutes.
        lab.api("PATCH", path_of(namespace, "secrets", former), {"metadata": {"labels": {"touched": "true"}}})
        lab.until(lambda: lab.get(namespace, "secrets", former) is None, "the former secret is deleted")
        assert pull_names(lab.account(namespace)) == mount_names(lab.account(namespace)) == ["default-dockercfg-other"]

    def test_a_user_secret_with_a_name_like_a_managed_one_is_left_alone(self, lab, namespace):
        (managed,) = pull_names(lab.account(namespace))
        data = {".dockercfg": base64.b64encode(b'{"quay.io": {}}').decode()}
        theirs = {"metadata": {"name": "default-dockercfg-quay"}, "type": "kubernetes.io/dockercfg", "data": data}
        lab.create(namespace, "secrets", theirs)
        lab.set_account(namespace, imagePullSecrets=["default-dockercfg-quay"])
        lab.api("PATCH", path_of(namespace, "serviceaccounts", "default"), {"metadata": {"annotations": None}})

        def annotation() -> Any:
            return (lab.account(namespace)["metadata"].get("annotations") or {}).get(REFERENCE)

        lab.until(lambda: annotation() is not None, "the annotation is back")
        assert annotation() == managed
        assert pull_names(lab.account(namespace)) == [managed, "default-dockercfg-quay"]
        assert content_of(lab, namespace, "default-dockercfg-quay") == {"quay.io": {}}


@pytest.fixture(scope="module")
def upgraded(lab_factory) -> Lab:
    lab = lab_factory("--provisioner", "legacy", "--no-registries")
    lab.namespace("before")
    lab.run("set", "--dir", str(lab.dir), "--provisioner", "bound")
    return lab


class TestUpgraded:
    """A secret of an older release is recognized by name and content, marked and kept, without the properties of a bound secret."""

    def test_the_old_secret_is_kept_and_marked(self, upgraded):
        (name,) = pull_names(upgraded.account("before"))

        def marked() -> bool:
            return BINDING in upgraded.get("before", "secrets", name)["metadata"]["annotations"]

        upgraded.until(marked, "the secret is marked")
        metadata = upgraded.get("before", "secrets", name)["metadata"]
        assert metadata["annotations"][BINDING] == "legacy"
        assert metadata["finalizers"] == ["openshift.io/legacy-token"]
        assert OWNER not in metadata["annotations"]
        assert upgraded.account("before")["metadata"]["annotations"][REFERENCE] == name
        token = upgraded.get("before", "secrets", metadata["annotations"]["openshift.io/token-secret.name"])
        assert token["metadata"]["labels"]["openshift.io/legacy-token"] == "true"

    def test_a_new_account_gets_a_bound_secret(self, upgraded):
        account = made(upgraded, "before", "later")
        upgraded.until(
            lambda: (
                upgraded.get("before", "secrets", pull_names(account)[0])["metadata"]["annotations"].get(BINDING)
                == "bound"
            ),
            "it is bound",
        )


class TestRegistryService:
    """Controllers that have never seen the registry's Service know none of its names, so the secret stays empty."""

    def test_the_secret_stays_empty_until_the_registry_service_exists(self, lab, namespaces):
        with described(lab, without=[REGISTRY_SERVICE]):
            audit = lab.audit()
            first, second = namespaces(2, wait=False)
            name = named(lab, first)
            lab.until(lambda: lab.get(first, "secrets", name) is not None, "the secret is made")
            lab.until(lambda: lab.get(second, "secrets", named(lab, second)) is not None, "and that of another account")
            assert content_of(lab, first, name) == {}
            assert "token" not in {event["objectRef"].get("subresource") for event in audit.requests()}
        lab.until(lambda: "10.0.0.48:5000" in content_of(lab, first, name), "the secret is filled")


def named(lab: Lab, namespace: str) -> str:
    """Return the pull secret that a new account names."""

    def found() -> list[str]:
        return pull_names(lab.get(namespace, "serviceaccounts", "default") or {})

    lab.until(lambda: bool(found()), f"the account of {namespace} names its secret")
    return found()[0]


class TestDescription:
    """The cluster reports the version and capabilities that a test sets, and its real ones afterwards."""

    def test_the_cluster_reports_the_given_version_and_capabilities(self, lab):
        before = lab.api("GET", CLUSTER_VERSION)["status"]
        assert before["desired"]["version"] == "4.20.0"
        assert "ImageRegistry" in before["capabilities"]["enabledCapabilities"]
        assert "ImageRegistry" in before["capabilities"]["knownCapabilities"]
        with described(lab, version="5.0.0", capabilities={"enabledCapabilities": None}):
            now = lab.api("GET", CLUSTER_VERSION)["status"]
        assert now["desired"]["version"] == "5.0.0"
        assert "enabledCapabilities" not in now["capabilities"]
        assert now["capabilities"]["knownCapabilities"] == before["capabilities"]["knownCapabilities"]
        assert lab.api("GET", CLUSTER_VERSION)["status"] == before

    @pytest.mark.parametrize("path", [CLUSTER_VERSION, IMAGE_REGISTRY_OPERATOR])
    def test_a_hidden_object_is_not_found_and_comes_back(self, lab, path):
        with described(lab, without=[path]):
            assert lab.api("GET", path, expect=(404,))["reason"] == "NotFound"
        assert lab.api("GET", path)["status"]

    def test_a_caller_without_the_right_cannot_read_the_cluster_operator(self, lab):
        user = allow(
            lab, "no-operators", {"serviceaccounts": ["get"]}, {"clusterversions.config.openshift.io": ["get"]}
        )
        assert lab.api("GET", IMAGE_REGISTRY_OPERATOR, user=user, expect=(403,))["reason"] == "Forbidden"
        assert lab.api("GET", CLUSTER_VERSION, user=user)["status"]


class TestOverwritten:
    """After another client overwrites the whole list, the controller soon appends its own entry again."""

    @pytest.mark.parametrize("way", ["put", "patch", "apply"])
    def test_the_controller_is_the_last_writer(self, lab, namespace, way):
        managed = lab.account(namespace)["metadata"]["annotations"][REFERENCE]
        with Overwriter(lab, namespace, "ours", names=["theirs"], delay=0.01, way=way) as other:
            lab.set_account(namespace, imagePullSecrets=["ours"])
            lab.until(lambda: pull_names(lab.account(namespace)) == ["theirs", managed], "overwritten and put back")
        assert other.has_written
        assert owners(lab.account(namespace), "f:imagePullSecrets") == [CONTROLLER]
        assert owners(lab.account(namespace), "f:secrets") == [CONTROLLER]

    def test_a_careful_writer_stays_the_last_writer(self, lab, namespace):
        lab.set_account(namespace, imagePullSecrets=["ours"])
        assert owners(lab.account(namespace), "f:imagePullSecrets") == ["tests"]


def owners(account: dict[str, Any], field: str) -> list[str]:
    return [entry["manager"] for entry in account["metadata"]["managedFields"] if field in entry["fieldsV1"]]
