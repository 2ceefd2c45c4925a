# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""automation_account grants exactly the rights of the given jobs in the given namespaces, and removes all of them again."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import RIGHTS_PAGE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import LABELS
from support.lab import Lab
from support.modules import run_module
from support.openshift import allow

Run = Callable[..., dict[str, Any]]
RBAC = "/apis/rbac.authorization.k8s.io/v1"
KINDS = ("clusterroles", "clusterrolebindings", "rolebindings")
LOGIN = {"registry": "quay.io", "username": "user", "password": "Canary-account-1"}
_numbers = itertools.count()


@pytest.fixture
def name() -> str:
    return f"account-{next(_numbers)}"


@pytest.fixture
def account(run: Run, namespace: str, name: str) -> Run:
    """Run the module for an account in the test's namespace."""
    return lambda **options: run("automation_account", **{"namespace": namespace, "name": name, **options})


def ours(lab: Lab, name: str) -> list[str]:
    """Return the kind, namespace and name of each object that was created for an account."""
    labels = ",".join(f"{key}={value}" for key, value in LABELS.items())
    return sorted(
        "/".join(filter(None, (kind, found["metadata"].get("namespace"), found["metadata"]["name"])))
        for kind in KINDS
        for found in lab.api("GET", f"{RBAC}/{kind}?labelSelector={labels}")["items"]
        if name in found["metadata"]["name"].split(":")
    )


def may(lab: Lab, user: str, verb: str, resource: str, namespace: str = "", *, name: str = "") -> bool:
    attributes = {"verb": verb, "resource": resource, "namespace": namespace, "name": name}
    body = {"spec": {"user": user, "resourceAttributes": attributes}}
    return lab.api("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)["status"]["allowed"]


class TestPresent:
    def test_rights_are_granted_only_in_the_namespaces_of_the_jobs(self, lab, account, namespaces, namespace, name):
        here, there = namespaces(2)
        user = f"system:serviceaccount:{namespace}:{name}"
        found = account(jobs=["secrets", "wait"], namespaces=[here])
        assert not found["failed"], found["msg"]
        assert found["changed"]
        role = f"image-pull:{namespace}:{name}"
        assert ours(lab, name) == sorted(
            [
                f"clusterroles/{role}",
                f"clusterroles/{role}:cluster",
                f"clusterroles/{role}:openshift-image-registry",
                f"clusterrolebindings/{role}:cluster",
                f"rolebindings/{here}/{role}",
                f"rolebindings/openshift-image-registry/{role}:openshift-image-registry",
            ]
        )
        lab.until(lambda: may(lab, user, "patch", "secrets", here), "the rights are known")
        assert not may(lab, user, "get", "secrets", there)
        assert not may(lab, user, "list", "secrets")
        assert not may(lab, user, "patch", "serviceaccounts", here)

    def test_a_second_run_writes_nothing_and_check_mode_predicts_the_first(self, lab, account, namespaces):
        (here,) = namespaces(1)
        given = {"jobs": ["secrets", "grants"], "namespaces": [here]}
        with lab.no_writes():
            planned = account(**given, check=True)
        done = account(**given)
        assert [row["changes"] for row in planned["namespaces"]] == [row["changes"] for row in done["namespaces"]]
        assert planned["diff"] == done["diff"]
        audit = lab.audit()
        again = account(**given)
        assert (again["failed"], again["changed"], audit.writes()) == (False, False, [])

    def test_rights_that_are_no_longer_needed_are_revoked_everywhere(self, lab, account, namespaces, namespace, name):
        first, second = namespaces(2)
        account(jobs=["secrets", "wait"], namespaces=[first, second])
        found = account(jobs=["links"], namespaces=[second])
        assert not found["failed"], found["msg"]
        role = f"image-pull:{namespace}:{name}"
        assert ours(lab, name) == sorted([f"clusterroles/{role}", f"rolebindings/{second}/{role}"])
        (change,) = (change for row in found["namespaces"] for change in row["changes"] if change["action"] == "update")
        assert "get, list, create, patch, delete on secrets" in change["revoked"]
        assert "get, list, patch on serviceaccounts" in change["granted"]

    def test_the_longest_names_are_accepted(self, lab, run, namespaces):
        (here,), home, name = namespaces(1), lab.namespace("n" * 63), f"{200 * 'a'}.{52 * 'b'}"
        given = {"namespace": home, "name": name}
        found = run("automation_account", **given, jobs=["secrets", "wait"], namespaces=[here, home], token_seconds=600)
        assert not found["failed"], found["msg"]
        assert [row["name"] for row in found["namespaces"]] == [home, "openshift-image-registry", here]
        again = run("automation_account", **given, jobs=["secrets", "wait"], namespaces=[here, home])
        assert (again["failed"], again["changed"]) == (False, False)
        assert not run("automation_account", **given, state="absent")["failed"]
        assert ours(lab, name) == []
        lab.api("DELETE", f"/api/v1/namespaces/{home}")


class TestAbsent:
    def test_absent_removes_all_objects_and_a_second_run_writes_nothing(
        self, lab, account, namespaces, namespace, name
    ):
        account(jobs=["secrets", "wait", "global_pull_secret"], namespaces=namespaces(2))
        found = account(state="absent")
        assert not found["failed"], found["msg"]
        assert ours(lab, name) == []
        assert lab.get(namespace, "serviceaccounts", name) is None
        audit = lab.audit()
        again = account(state="absent")
        assert (again["failed"], again["changed"], audit.writes()) == (False, False, [])


class TestWithoutOpenShift:
    """MicroShift and plain Kubernetes lack the namespaces of the OpenShift platform."""

    @pytest.fixture
    def lab(self, plain_lab):
        return plain_lab

    def test_an_account_does_the_jobs_that_the_cluster_supports(self, lab, account, namespaces):
        (here,) = namespaces(1)
        found = account(jobs=["secrets", "links", "wait"], namespaces=[here], token_seconds=600)
        assert not found["failed"], found["msg"]
        assert "no rights were granted in namespace openshift-image-registry, which does not exist" in json.dumps(
            found["warnings"]
        )
        login = {"host": lab.data["server"], "ca_cert": lab.data["ca_cert"], "api_key": found["token"]}

        def done(module: str, **options: Any) -> bool:
            result = run_module(module, **login, namespaces=[here], **options)
            assert RIGHTS_PAGE not in json.dumps([result.get("msg"), result.get("warnings")])
            return not result["failed"]

        lab.until(lambda: done("pull_secret", name="pull", registries=[LOGIN]), "the rights are known")
        assert done("sa_link", secrets=["pull"])
        assert done("sa_wait", timeout=0)
        assert account(jobs=["secrets", "links", "wait"], namespaces=[here])["changed"] is False
        assert account(state="absent")["changed"]


class TestRendered:
    def test_rendered_manifests_equal_the_applied_objects(self, lab, account, namespaces):
        (here,) = namespaces(1)
        given = {"jobs": ["secrets", "wait"], "namespaces": [here]}
        with lab.no_requests():
            rendered = account(**given, state="rendered")["manifests"]
        assert account(**given)["manifests"] == rendered
        for manifest in rendered:
            meta = manifest["metadata"]
            kind = manifest["kind"].lower() + "s"
            root = "/api/v1" if manifest["apiVersion"] == "v1" else RBAC
            where = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
            found = lab.api("GET", f"{root}{where}/{kind}/{meta['name']}")
            for part in ("rules", "roleRef", "subjects"):
                assert found.get(part) == manifest.get(part)

    def test_an_administrator_can_apply_the_rendered_manifests(self, lab, account, namespaces, namespace, name):
        (here,) = namespaces(1)
        for manifest in account(jobs=["secrets", "wait"], namespaces=[here], state="rendered")["manifests"]:
            meta = manifest["metadata"]
            root = "/api/v1" if manifest["apiVersion"] == "v1" else RBAC
            where = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
            lab.api("POST", f"{root}{where}/{manifest['kind'].lower()}s", manifest)
        audit = lab.audit()
        found = account(jobs=["secrets", "wait"], namespaces=[here])
        assert (found["failed"], found["changed"], audit.writes()) == (False, False, [])


class TestHostedClusters:
    def test_rights_cover_only_the_named_pull_secrets(self, lab, account, namespaces, namespace, name):
        (here,) = namespaces(1)
        user = f"system:serviceaccount:{namespace}:{name}"
        found = account(jobs=["management_pull_secret"], namespaces=[here], hosted_pull_secrets=["prod-pull"])
        assert not found["failed"], found["msg"]
        lab.until(lambda: may(lab, user, "patch", "secrets", here, name="prod-pull"), "the rights are known")
        assert may(lab, user, "get", "secrets", here, name="prod-pull")
        for verb, secret in (("get", "prod-etcd-encryption-key"), ("get", ""), ("list", ""), ("create", "prod-pull")):
            assert not may(lab, user, verb, "secrets", here, name=secret)


class TestToken:
    def test_the_token_allows_exactly_its_jobs(self, lab, account, namespaces, namespace):
        (here,), name = namespaces(1), "robot"
        found = account(name=name, jobs=["secrets"], namespaces=[here], token_seconds=600)
        assert not found["failed"], found["msg"]
        assert found["token_expires"] > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 300))
        login = {"host": lab.data["server"], "ca_cert": lab.data["ca_cert"], "api_key": found["token"]}
        user = f"system:serviceaccount:{namespace}:{name}"
        lab.until(lambda: may(lab, user, "create", "secrets", here), "the rights are known")

        def as_account(module: str, **options: Any) -> dict[str, Any]:
            return run_module(module, **login, **options)

        assert as_account("pull_secret", namespaces=[here], name="pull", registries=[LOGIN])["changed"]
        refused = as_account("pull_secret", namespaces=[namespace], name="pull", registries=[LOGIN])
        assert f"on secrets pull in namespace {namespace}" in refused["msg"]
        assert RIGHTS_PAGE in refused["msg"]
        widened = as_account("automation_account", namespace=namespace, name=name, jobs=["audit"], everywhere=True)
        assert widened["failed"]
        assert "list on rolebindings.rbac.authorization.k8s.io" in widened["msg"] + json.dumps(widened.get("warnings"))

    def test_the_token_appears_once_in_the_output(self, account, namespaces):
        found = account(jobs=["secrets"], namespaces=namespaces(1), token_seconds=600)
        assert found["_output"].count(found["token"]) == 1


class TestOptions:
    def test_a_caller_who_may_not_grant_rights_gets_an_explanation(self, lab, account, namespaces, name):
        rbac = "rbac.authorization.k8s.io"
        user = allow(
            lab,
            f"{name}-admin",
            {"serviceaccounts": ["get", "create"]},
            {f"clusterroles.{rbac}": ["get", "create"]},
            {f"clusterrolebindings.{rbac}": ["get", "create"]},
            {f"rolebindings.{rbac}": ["get", "list", "create"]},
        )
        found = account(jobs=["secrets"], namespaces=namespaces(1), impersonate_user=user)
        assert "is attempting to grant RBAC permissions not currently held" in found["msg"]
        assert f"see {RIGHTS_PAGE}" in found["msg"]
