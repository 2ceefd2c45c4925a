# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sa_wait detects whether an account is ready, is not ready yet, or will never get a pull secret, in each mode of the lab's provisioner."""

from __future__ import annotations

import base64
import time

import pytest
from support.lab import path_of
from support.modules import run_module
from support.openshift import allow_in


def account_of(result, number: int = 0) -> dict:
    return result["namespaces"][0]["service_accounts"][number]


class TestProvisioned:
    def test_provisioned_accounts_are_reported_at_once_without_a_write(self, lab, run, namespaces):
        names = namespaces(50)
        audit = lab.audit()
        result = run("sa_wait", namespaces=names)
        assert not result["failed"]
        assert result["summary"]["unchanged"] == 50
        verbs = audit.verbs()
        assert verbs.count("list") == 1
        assert set(verbs) == {"list", "get"}
        assert len(verbs) == 51, "one list of accounts, and only the secrets that they refer to"

    @pytest.mark.parametrize("check", [False, True])
    def test_the_module_waits_for_a_slow_platform(self, lab, run, namespaces, check):
        """The platform writes first the name, then an empty secret and finally its content. Only the content counts."""
        lab.run("set", "--dir", str(lab.dir), "--provision-delay", "1500ms")
        try:
            (name,) = namespaces(1, wait=False)
            result = run("sa_wait", namespaces=[name], timeout=20, check=check)
        finally:
            lab.run("set", "--dir", str(lab.dir), "--provision-delay", "0s")
        assert not result["failed"]
        assert lab.provisioned(name)

    def test_new_namespaces_are_usable_when_the_module_returns(self, lab, run, namespaces):
        names = namespaces(30, wait=False)
        assert not run("sa_wait", namespaces=names)["failed"]
        assert [name for name in names if not lab.provisioned(name)] == []


class TestNotProvisioned:
    def test_the_error_names_the_missing_parts(self, lab, run, namespace):
        account = {"metadata": {"name": "odd", "annotations": {}}}
        lab.run("set", "--dir", str(lab.dir), "--provision-delay", "30s")
        try:
            lab.create(namespace, "serviceaccounts", account)
            result = run("sa_wait", namespaces=[namespace], service_accounts=["odd", "never"], timeout=1)
        finally:
            lab.run("set", "--dir", str(lab.dir), "--provision-delay", "0s")
        assert result["failed"]
        assert "service account odd: no generated pull secret in imagePullSecrets" in result["msg"]
        assert "service account never does not exist" in result["msg"]
        assert "\n" not in result["msg"]

    def test_a_caller_who_may_not_read_secrets_gets_a_note_on_unverified_content(self, lab, run, namespace):
        user = allow_in(lab, namespace, "limited", {"serviceaccounts": ["get", "list"]})
        result = run("sa_wait", namespaces=[namespace], impersonate_user=user)
        assert not result["failed"]
        assert "not verified" in str(result["warnings"])


@pytest.fixture
def removed_lab(lab_factory):
    return lab_factory("--provisioner", "removed", "--no-registries")


class TestNoneWillCome:
    """The module succeeds at once and reports the reason."""

    @pytest.mark.parametrize(
        ("name", "reason"),
        [("plain_lab", "not OpenShift"), ("removed_lab", "the image registry of this cluster is Removed")],
    )
    def test_a_cluster_without_generated_secrets_succeeds_with_the_reason(self, request, name, reason):
        other = request.getfixturevalue(name)
        other.namespace("fresh")
        started = time.monotonic()
        result = run_module("sa_wait", namespaces=["fresh"], timeout=300, kubeconfig=other.kubeconfig)
        assert not result["failed"]
        assert time.monotonic() - started < 60
        assert account_of(result)["provisioned"] is True
        assert account_of(result)["pull_secret"] is None
        assert "no pull secret is expected, because" in account_of(result)["reason"]
        assert reason in account_of(result)["reason"]

    def test_plain_kubernetes_has_no_role_to_grant(self, plain_lab):
        options = {"namespaces": ["default"], "projects": ["a"], "kubeconfig": plain_lab.kubeconfig}
        assert "cluster role system:image-puller does not exist" in run_module("image_puller_grant", **options)["msg"]

    def test_legacy_secrets_count_as_provisioned(self, legacy_lab):
        legacy_lab.namespace("fresh")
        result = run_module("sa_wait", namespaces=["fresh"], timeout=30, kubeconfig=legacy_lab.kubeconfig)
        assert not result["failed"]
        assert account_of(result)["pull_secret"].startswith("default-dockercfg-")
        secret = legacy_lab.get("fresh", "secrets", account_of(result)["pull_secret"])
        assert base64.b64decode(secret["data"][".dockercfg"]) not in (b"", b"{}")


class TestAccountMadeAgain:
    def test_the_old_accounts_token_does_not_count(self, lab, run, namespace):
        """An account that was recreated under its name keeps the old secret, which looks valid but holds a dead token."""
        old = lab.account(namespace)["metadata"]["uid"]
        lab.api("DELETE", path_of(namespace, "serviceaccounts", "default"))
        lab.until(
            lambda: (lab.get(namespace, "serviceaccounts", "default") or {}).get("metadata", {}).get("uid", old) != old,
            "made again",
        )
        result = run("sa_wait", namespaces=[namespace], timeout=2)
        assert result["failed"]
        assert "the token of a deleted account" in result["msg"]
        (stale,) = [row["stale_secret"] for row in result["namespaces"][0]["service_accounts"]]
        assert f"delete it with 'oc delete secret {stale} -n {namespace}'" in result["msg"]
        assert "wait longer" not in result["msg"]
        lab.api("DELETE", path_of(namespace, "secrets", stale))
        assert not run("sa_wait", namespaces=[namespace], timeout=30)["failed"]
