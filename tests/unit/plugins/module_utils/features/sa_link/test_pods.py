# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that were created before the link never receive it, and the module names the pods that a restart would help."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import trim_object
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.pods import (
    TRIMMED_POD,
    AccountPullList,
    PodMissingSecrets,
    pods_missing_secrets,
)

PLATFORM = "default-dockercfg-x7k2p"
MIRROR = "kubernetes.io/config.mirror"


def waiting(reason: Any) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason}}}


def pod(name: str, *listed: str, waits: str = "", owner: str = "ReplicaSet", **status: Any) -> dict[str, Any]:
    owners = [{"kind": "Node", "name": "n"}, {"kind": owner, "name": "app", "controller": True}] if owner else []
    state = {"containerStatuses": [{"state": {"running": {}}}, waiting(waits)]}
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "9", "ownerReferences": owners},
        "spec": {"serviceAccountName": "default", "imagePullSecrets": [{"name": entry} for entry in listed]},
        "status": {"phase": "Pending", **(state if waits else {}), **status},
    }


def find(*pods: Any, known: tuple[str, ...] = (), wanted: tuple[str, ...] = ("quay",)) -> list[PodMissingSecrets]:
    lists = {"default": AccountPullList(frozenset({PLATFORM, *wanted, *known}), frozenset({PLATFORM}))}
    return pods_missing_secrets(wanted, lists, pods)


def of(found: Any, part: str, **members: Any) -> Any:
    """Return the pod with members of one part replaced."""
    return {**found, part: {**found[part], **members}}


class TestAccountPullList:
    @pytest.mark.parametrize(
        ("listed", "copied"),
        [
            ([], True),
            (["platform"], True),
            (["platform", "team"], True),
            (["team", "platform"], True),
            (["platform", "team", "quay"], True),
            (["team"], False),
            (["platform", "other"], False),
            ([""], False),
        ],
    )
    def test_a_pull_list_is_compared_with_that_of_the_account(self, listed: list[str], copied: bool) -> None:
        """The platform's entry exists from the creation of the account."""
        pull_list = AccountPullList(frozenset({"platform", "team", "quay"}), frozenset({"platform"}))
        assert pull_list.may_have_been_copied_as(listed) is copied


class TestPodsMissingSecrets:
    def test_pods_are_sorted_by_name_and_list_their_missing_secrets(self) -> None:
        found = find(pod("b", PLATFORM), pod("a", "quay"), pod("has-both", "quay", "sso"), wanted=("quay", "sso"))
        assert [(pod.name, pod.account, pod.missing_secrets) for pod in found] == [
            ("a", "default", ("sso",)),
            ("b", "default", ("quay", "sso")),
        ]

    @pytest.mark.parametrize(
        ("found", "own"),
        [
            (pod("a"), False),
            (pod("a", PLATFORM), False),
            (pod("a", PLATFORM, "team"), True),
            (pod("a", "team"), True),
            (of(pod("a"), "spec", imagePullSecrets=None), False),
            (of(pod("a"), "spec", imagePullSecrets="text"), True),
            (of(pod("a"), "spec", imagePullSecrets=[{}]), True),
            (of(pod("a"), "spec", imagePullSecrets=[None]), True),
            ({**pod("a"), "spec": None}, False),
        ],
    )
    def test_a_pull_list_of_the_pods_own_is_distinguished(self, found: Any, own: bool) -> None:
        (missing,) = find(found)
        assert missing.has_own_list is own

    @pytest.mark.parametrize("account", [None, "", "default"])
    def test_a_pod_without_an_account_belongs_to_the_default_one(self, account: Any) -> None:
        assert len(find(of(pod("a"), "spec", serviceAccountName=account))) == 1

    @pytest.mark.parametrize(
        "found",
        [
            pod("a", "quay"),
            pod("a", PLATFORM, "quay"),
            pod("a", phase="Succeeded"),
            pod("a", phase="Failed"),
            of(pod("a"), "spec", serviceAccountName="other"),
            of(pod("a"), "metadata", deletionTimestamp="now"),
            of(pod("a"), "metadata", annotations={MIRROR: "x"}),
            # A pod without a name must never lead to a request to delete all pods.
            of(pod("a"), "metadata", name=None),
            of(pod("a"), "metadata", name=["a"]),
            {**pod("a"), "metadata": None},
            {},
            None,
            "text",
        ],
        ids=repr,
    )
    def test_an_unaffected_or_invalid_pod_is_left_out(self, found: Any) -> None:
        assert find(found) == []

    @pytest.mark.parametrize("phase", ["Running", "Pending", "Unknown", None])
    def test_a_pod_that_has_not_finished_counts(self, phase: Any) -> None:
        assert len(find(of(pod("a"), "metadata", annotations={"other": "x"}), pod("b", phase=phase))) == 2


class TestPod:
    def one(self, found: Any) -> PodMissingSecrets:
        return PodMissingSecrets(found, "default", ("quay",), has_own_list=False)

    @pytest.mark.parametrize(
        ("owners", "owner"),
        [
            (
                [{"kind": "Node", "name": "n"}, {"kind": "ReplicaSet", "name": "app", "controller": True}],
                "ReplicaSet app",
            ),
            ([{"kind": "Node", "name": "n", "controller": False}], ""),
            ([], ""),
            (None, ""),
            ("text", ""),
            ([None, "text", {}], ""),
        ],
    )
    def test_the_owner_of_a_pod_is_its_controller(self, owners: Any, owner: str) -> None:
        assert self.one(of(pod("a"), "metadata", ownerReferences=owners)).owner == owner

    @pytest.mark.parametrize(
        ("status", "reason"),
        [
            ({"containerStatuses": [waiting("ErrImagePull")]}, "ErrImagePull"),
            ({"containerStatuses": [{"state": {"running": {}}}, waiting("ImagePullBackOff")]}, "ImagePullBackOff"),
            ({"initContainerStatuses": [waiting("ErrImagePull")]}, "ErrImagePull"),
            ({"initContainerStatuses": [waiting("ImagePullBackOff")], "containerStatuses": [waiting("ErrImagePull")]},
             "ImagePullBackOff"),
            ({"containerStatuses": [waiting("CrashLoopBackOff")]}, ""),
            ({"containerStatuses": [waiting("PodInitializing"), waiting("ErrImagePull")]}, "ErrImagePull"),
            ({"containerStatuses": [{"state": {"terminated": {"reason": "ErrImagePull"}}}]}, ""),
            ({"containerStatuses": None}, ""),
            ({"containerStatuses": "text"}, ""),
            ({"containerStatuses": [None, "text", {}, {"state": None}, {"state": {"waiting": []}}, waiting(["x"])]},
             ""),
            (None, ""),
        ],
    )  # fmt: skip
    def test_the_waiting_reason_is_that_of_the_pull(self, status: Any, reason: str) -> None:
        assert self.one({**pod("a"), "status": status}).waiting_reason == reason

    @pytest.mark.parametrize(
        ("found", "own", "recovers"),
        [
            (pod("a", waits="ErrImagePull"), False, True),
            (pod("a", waits="ImagePullBackOff"), False, True),
            (pod("a", waits="ErrImagePull"), True, False),
            (pod("a", waits="ErrImagePull", owner=""), False, False),
            (pod("a", waits="CrashLoopBackOff"), False, False),
            (pod("a"), False, False),
        ],
    )
    def test_a_restart_helps_a_pod_that_its_controller_replaces(self, found: Any, own: bool, recovers: bool) -> None:
        assert PodMissingSecrets(found, "default", ("quay",), own).recovers_by_restart is recovers

    def test_a_pod_is_reported(self) -> None:
        assert PodMissingSecrets(pod("a", waits="ErrImagePull"), "app", ("b", "a"), True).report() == {
            "name": "a",
            "service_account": "app",
            "missing_secrets": ["b", "a"],
            "owner": "ReplicaSet app",
            "waiting_reason": "ErrImagePull",
            "has_own_list": True,
        }
        alone = self.one(pod("a", owner="")).report()
        assert (alone["owner"], alone["waiting_reason"], alone["has_own_list"]) == (None, None, False)

    def test_a_pod_is_deleted_only_as_it_was_seen(self) -> None:
        change = self.one(pod("a", PLATFORM, "team", waits="ErrImagePull")).restart("project-a")
        details = {"service_account": "default", "owner": "ReplicaSet app", "waiting_reason": "ErrImagePull"}
        assert (change.action, str(change.ref), change.details) == ("delete", "pod project-a/a", details)
        assert change.body["preconditions"] == {"uid": "uid-a", "resourceVersion": "9"}
        assert change.before == {**details, "imagePullSecrets": [PLATFORM, "team"]}
        assert change.after == {}


class TestKind:
    def test_the_kind_has_the_names_of_the_api_server(self) -> None:
        assert TRIMMED_POD.api_version == "v1"
        assert TRIMMED_POD.kind == "Pod"
        assert TRIMMED_POD.resource == "pods"
        assert TRIMMED_POD.title == "pod"
        assert TRIMMED_POD.namespaced is True


class TestTrimmed:
    """Thousands of pods are kept in memory, so each one is reduced to the fields in use."""

    FULL = {
        "apiVersion": "v1",
        "metadata": {**pod("a")["metadata"], "namespace": "project-a", "labels": {"app": "web"},
                     "annotations": {MIRROR: "x", "other": "y" * 9000}, "deletionTimestamp": "now",
                     "managedFields": [{"manager": "kubelet"}]},
        "spec": {**pod("a", PLATFORM)["spec"], "containers": [{"name": "app", "env": ["x" * 9000]}]},
        "status": {"phase": "Pending", "podIP": "10.0.0.1", "conditions": [{"type": "Ready"}],
                   "initContainerStatuses": [{"name": "init", **waiting("ErrImagePull")}],
                   "containerStatuses": [{"name": "app", "image": "quay.io/app", **waiting("PodInitializing")}]},
    }  # fmt: skip

    def test_a_trimmed_pod_keeps_the_fields_in_use(self) -> None:
        assert trim_object(TRIMMED_POD, self.FULL) == {
            "metadata": {
                **pod("a")["metadata"],
                "namespace": "project-a",
                "annotations": {MIRROR: "x"},
                "deletionTimestamp": "now",
            },
            "spec": pod("a", PLATFORM)["spec"],
            "status": {
                "phase": "Pending",
                "initContainerStatuses": [waiting("ErrImagePull")],
                "containerStatuses": [waiting("PodInitializing")],
            },
        }

    @pytest.mark.parametrize(
        "found",
        [
            pod("a", PLATFORM, waits="ErrImagePull"),
            pod("a", "team"),
            pod("a"),
            of(pod("a"), "spec", imagePullSecrets="text"),
            of(pod("a"), "spec", imagePullSecrets=None),
            of(pod("a"), "metadata", annotations={MIRROR: "x"}),
            FULL,
            {"metadata": {"name": "a"}},
        ],
    )
    def test_a_trimmed_pod_gives_the_same_result(self, found: Any) -> None:
        whole, part = find(found), find(trim_object(TRIMMED_POD, found))
        assert [(pod.report(), pod.recovers_by_restart) for pod in part] == [
            (pod.report(), pod.recovers_by_restart) for pod in whole
        ]

    @pytest.mark.parametrize("odd", [{}, {"metadata": None, "spec": "text", "status": []}], ids=str)
    def test_an_odd_pod_is_trimmed_without_an_error(self, odd: Any) -> None:
        empty = {"initContainerStatuses": [], "containerStatuses": []}
        assert trim_object(TRIMMED_POD, odd) == {"metadata": {"annotations": {}}, "spec": {}, "status": empty}
