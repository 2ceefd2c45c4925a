# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A missing permission counts only if the cluster has the API group."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import MissingPermission
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module import task
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import (
    describe_unreported,
    job_sentence,
    missing_permissions,
)
from support.fake_api import FakeApi
from support.scripted_pool import Answer

from unit.registered import HAS_REGISTRY, forget_registered, masked_by_ansible

PODS = MissingPermission("list", "pods", "", "a")

STREAMS = MissingPermission("list", "imagestreams", "image.openshift.io", "a")


def groups(*names: object) -> Answer:
    return Answer(200, {"groups": [{"name": name} for name in names]})


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


def found(api: FakeApi, *needs: MissingPermission) -> set[MissingPermission]:
    cluster = api.cluster()
    cluster.needs.update(needs)
    return missing_permissions(cluster)


def test_kinds_that_every_server_has_need_no_request(api: FakeApi) -> None:
    assert found(api, PODS) == {PODS}
    assert api.asked == []


def test_a_kind_that_the_cluster_has_counts_as_missed(api: FakeApi) -> None:
    api.fail("GET /apis", groups("apps", "image.openshift.io"))
    assert found(api, PODS, STREAMS) == {PODS, STREAMS}


def test_a_kind_that_the_cluster_lacks_does_not_count_as_missed(api: FakeApi) -> None:
    api.fail("GET /apis", groups("apps", None))
    assert found(api, PODS, STREAMS) == {PODS}


def test_a_kind_counts_as_missed_if_the_groups_are_unknown(api: FakeApi) -> None:
    assert found(api, STREAMS) == {STREAMS}


def test_a_right_that_was_reported_is_not_reported_again() -> None:
    assert describe_unreported([PODS], ["listing pods was refused; list on pods in namespace a, or"]) == []
    (sentence,) = describe_unreported([PODS, STREAMS], ["list on pods in namespace a"])
    assert "list on imagestreams.image.openshift.io in namespace a" in sentence
    assert "pods" not in sentence


@pytest.mark.parametrize(
    ("needs", "module", "added"),
    [
        ({MissingPermission("get", "secrets")}, "pull_secret", "secrets to automation_account_jobs"),
        (
            {MissingPermission("list", "serviceaccounts", "", "a")},
            "sa_link",
            "links to automation_account_jobs, and namespace a to automation_account_namespaces",
        ),
        (
            {MissingPermission("patch", "rolebindings", "rbac.authorization.k8s.io", name) for name in "ab"},
            "image_puller_grant",
            "grants to automation_account_jobs, and namespace a, b to automation_account_namespaces",
        ),
        (
            {MissingPermission("delete", "pods", "", "a"), MissingPermission("list", "namespaces")},
            "sa_link",
            "restart_pods and namespace_selector to automation_account_jobs, and namespace a to automation_account_namespaces",
        ),
        ({MissingPermission("list", "pods")}, "pull_access_export", "restart_pods to automation_account_jobs"),
        (
            {MissingPermission("get", "secrets", namespace="openshift-config", name="pull-secret")},
            "pull_access_info",
            "nodes_secret to automation_account_jobs",
        ),
        # The job has the right in that namespace only.
        (
            {MissingPermission("get", "secrets", "", "openshift-config", "pull-secret")},
            "global_pull_secret",
            "global_pull_secret to automation_account_jobs",
        ),
    ],
)
def test_the_job_of_an_account_with_the_right_is_added(needs: set[MissingPermission], module: str, added: str) -> None:
    """The account can have the job, in other namespaces only."""
    assert (
        job_sentence(needs, module)
        == f"for an account of the role automation_account, add {added}, unless already there, and run: "
        "ansible-playbook openshift_ops.image_pull.automation_account -i INVENTORY"
    )


def test_a_right_without_a_job_has_no_sentence() -> None:
    assert (
        job_sentence({MissingPermission("create", "clusterroles", "rbac.authorization.k8s.io")}, "automation_account")
        == ""
    )
    assert job_sentence(set(), "sa_link") == ""


# --- Registered secrets are masked if Ansible has a registry of secrets. Without one, nothing happens


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_registered(monkeypatch)


def test_ansible_masks_registered_secrets() -> None:
    text = "it was sent canary-1 and canary-2"
    task.mask_output({"canary-1", "canary-2"})
    assert masked_by_ansible(text) == ("it was sent $REDACTED$ and $REDACTED$" if HAS_REGISTRY else text)


def test_a_short_secret_is_not_registered() -> None:
    """A short secret may be part of a word."""
    task.mask_output(["", "a", "pul"])
    assert masked_by_ansible("namespace a pulls") == "namespace a pulls"


def test_registering_without_a_registry_has_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "register_secrets", None)
    task.mask_output(["canary"])
    assert masked_by_ansible("canary") == "canary"
