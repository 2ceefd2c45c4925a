# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of pods and workloads are found with their pull secrets and the nodes' messages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    POD,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import (
    WORKLOADS,
    ContainerPull,
    StreamSource,
    pull_of_account,
    pulls_of_pod,
    pulls_of_workload,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM

SPEC = {
    "serviceAccountName": "builder",
    "imagePullSecrets": [{"name": "a"}, {"name": "b"}, {"name": "a"}, {}],
    "containers": [{"name": "app", "image": "q.io/app"}],
    "initContainers": [{"name": "init", "image": "q.io/init"}],
    "ephemeralContainers": [{"name": "debug", "image": "q.io/debug"}],
}

ONE = {"containers": [{"name": "app", "image": "q.io/app"}]}


def waiting(reason: str, message: str = "m", **more: Any) -> dict[str, Any]:
    return {"name": "app", "state": {"waiting": {"reason": reason, "message": message}}, **more}


def app(status: Any, part: str = "containerStatuses") -> ContainerPull:
    pod = {"metadata": {"name": "p"}, "spec": SPEC, "status": {part: [status]}}
    return next(subject for subject in pulls_of_pod(pod, "ns") if subject.container == "app")


class TestPods:
    def test_a_trigger_sets_the_image_of_its_container(self) -> None:
        path = "spec.jobTemplate.spec.template.spec.containers[0].image"
        trigger = {"from": {"kind": "ImageStreamTag", "name": "app:v1"}, "fieldPath": path}
        meta = {"name": "c", "annotations": {"image.openshift.io/triggers": json.dumps([trigger])}}
        job = {"spec": {"template": {"spec": SPEC}}}
        found = pulls_of_workload(WORKLOADS["cronjob"], {"metadata": meta, "spec": {"jobTemplate": job}}, "ns")
        sources = {each.container: each.source for each in found}
        assert sources["app"] == StreamSource(ObjectRef(IMAGE_STREAM, "ns", "app"), "v1")
        assert (sources["init"], sources["debug"]) == (None, None)

    def test_every_container_of_a_pod_is_a_subject(self) -> None:
        found = pulls_of_pod({"metadata": {"name": "p"}, "spec": SPEC}, "ns")
        assert [(subject.container, subject.image) for subject in found] == [
            ("init", "q.io/init"),
            ("app", "q.io/app"),
            ("debug", "q.io/debug"),
        ]
        assert {(subject.ref, subject.account, subject.own, subject.is_pod) for subject in found} == {
            (ObjectRef(POD, "ns", "p"), "builder", ("a", "b"), True)
        }
        assert found[0].namespace == "ns"
        assert found[0].account_ref == ObjectRef(SERVICE_ACCOUNT, "ns", "builder")

    def test_a_static_pod_has_no_account(self) -> None:
        """Its node controls the mirror of it in the API server, to which admission adds nothing."""
        owners = [{"kind": "Node", "name": "n", "uid": "u", "controller": True}]
        (found,) = pulls_of_pod({"metadata": {"name": "p", "ownerReferences": owners}, "spec": ONE}, "ns")
        (other,) = pulls_of_pod({"metadata": {"name": "p"}, "spec": ONE}, "ns")
        assert (found.account, other.account) == ("", "default")

    def test_a_subject_has_the_properties_of_its_pod(self) -> None:
        meta = {"name": "p", "creationTimestamp": "t", "uid": "u"}
        container = {"name": "app", "image": "i", "imagePullPolicy": "Never"}
        (found,) = pulls_of_pod({"metadata": meta, "spec": {"nodeName": "n", "containers": [container]}}, "ns")
        assert (found.created, found.uid, found.node, found.pull_policy) == ("t", "u", "n", "Never")
        assert not found.is_asked_alone

    @pytest.mark.parametrize("part", ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"])
    def test_a_subject_has_the_reason_and_message_of_the_node(self, part: str) -> None:
        found = app(waiting("ImagePullBackOff", "Back-off"), part)
        assert (found.reason, found.message, found.is_pulled) == ("ImagePullBackOff", "Back-off", False)

    def test_resolved_names_are_recognised_by_their_annotation(self) -> None:
        marked = {"annotations": {"alpha.image.policy.openshift.io/resolve-names": "*"}}
        assert {each.resolves_names for each in pulls_of_pod({"metadata": marked, "spec": SPEC}, "ns")} == {True}
        assert {each.resolves_names for each in pulls_of_pod({"spec": SPEC}, "ns")} == {False}
        workload = {"spec": {"template": {"metadata": marked, "spec": SPEC}}}
        assert {each.resolves_names for each in pulls_of_workload(WORKLOADS["deployment"], workload, "ns")} == {True}

    def test_a_container_that_ran_or_waits_for_something_else_is_pulled(self) -> None:
        assert app({"name": "app", "state": {"running": {}}, "imageID": "x"}).is_pulled
        assert app(waiting("CrashLoopBackOff")).is_pulled
        assert not app(waiting("ErrImagePull")).is_pulled

    @pytest.mark.parametrize(
        "status", [None, 1, [], {"name": 1}, {"name": "app", "state": 1}, {"name": "app", "state": {"waiting": "x"}}]
    )
    def test_invalid_statuses_are_ignored(self, status: Any) -> None:
        assert (app(status).reason, app(status).is_pulled) == ("", False)

    def test_invalid_specs_get_default_values(self) -> None:
        assert pulls_of_pod({}, "ns") == []
        (found,) = pulls_of_pod({"spec": {"containers": [None], "imagePullSecrets": 1}}, "ns")
        assert (found.account, found.own, found.image) == ("default", (), "")

    def test_a_subject_has_the_architectures_to_which_its_pod_is_limited(self) -> None:
        spec = {"containers": [{"name": "a", "image": "x"}], "nodeSelector": {"kubernetes.io/arch": "arm64"}}
        assert [each.architectures for each in pulls_of_pod({"spec": spec}, "ns")] == [("arm64",)]

    def test_the_old_field_of_the_service_account_is_read(self) -> None:
        (found,) = pulls_of_pod({"spec": {"containers": [{}], "serviceAccount": "old"}}, "ns")
        assert found.account == "old"


MODEL = "q.io/model:v1"
NAMED = 'Back-off pulling image "{}": ErrImagePull: denied'


def with_volume(*mounting: str) -> dict[str, Any]:
    """The spec with an image volume that these containers mount."""
    containers = [
        {"name": name, "image": f"q.io/{name}", "volumeMounts": [{"name": "model"}] if name in mounting else []}
        for name in ("app", "other")
    ]
    volumes = [{"name": "model", "image": {"reference": MODEL}}, {"name": "later", "image": {"reference": ""}}]
    return {**SPEC, "containers": containers, "initContainers": [], "ephemeralContainers": [], "volumes": volumes}


def volume_of(*statuses: Any, mounting: tuple[str, ...] = ("app", "other"), **meta: Any) -> ContainerPull:
    pod = {"metadata": {"name": "p", **meta}, "spec": with_volume(*mounting), "status": {"containerStatuses": statuses}}
    (found,) = (subject for subject in pulls_of_pod(pod, "ns") if subject.volume)
    return found


def running(name: str) -> dict[str, Any]:
    return {"name": name, "state": {"running": {}}, "imageID": "x"}


class TestVolumes:
    def test_an_image_volume_is_a_subject_with_the_secrets_of_its_pod(self) -> None:
        found = volume_of(uid="u", creationTimestamp="t")
        assert (found.container, found.volume, found.image, found.pull_policy) == ("", "model", MODEL, "IfNotPresent")
        assert (found.own, found.account, found.is_pod, found.uid, found.created) == (
            ("a", "b"),
            "builder",
            True,
            "u",
            "t",
        )
        assert (found.location, app({}).location) == ("volume model", "app")

    def test_an_error_about_the_volume_is_not_an_error_of_the_container(self) -> None:
        status = {"containerStatuses": [waiting("ErrImagePull", NAMED.format(MODEL))]}
        found = pulls_of_pod({"spec": with_volume("app", "other"), "status": status}, "ns")
        assert [(each.location, each.reason, each.message) for each in found] == [
            ("app", "", ""),
            ("other", "", ""),
            ("volume model", "ErrImagePull", NAMED.format(MODEL)),
        ]
        assert not any(each.shares_error for each in found)

    def test_an_error_that_names_no_image_is_shared(self) -> None:
        status = {"containerStatuses": [waiting("ErrImagePull", "pull QPS exceeded")]}
        found = pulls_of_pod({"spec": with_volume("app"), "status": status}, "ns")
        assert [(each.location, each.message, each.shares_error) for each in found] == [
            ("app", "pull QPS exceeded", True),
            ("other", "", False),
            ("volume model", "pull QPS exceeded", True),
        ]

    def test_a_mounting_container_that_started_proves_that_the_image_is_there(self) -> None:
        assert volume_of(running("other")).is_pulled
        assert not volume_of(running("other"), mounting=("app",)).is_pulled
        assert volume_of(waiting("CreateContainerError", 'configmap "x" not found')).is_pulled
        assert not volume_of(waiting("CreateContainerError", "ImageVolumeMountFailed: x")).is_pulled
        assert not volume_of(waiting("ContainerCreating")).is_pulled
        shared = volume_of(running("other"), waiting("ErrImagePull", "pull QPS exceeded"))
        assert (shared.is_pulled, shared.reason) == (True, "")

    def test_a_later_error_about_the_volume_counts_more_than_a_started_container(self) -> None:
        found = volume_of(running("other"), waiting("ErrImagePull", NAMED.format(MODEL)))
        assert (found.is_pulled, found.reason) == (False, "ErrImagePull")

    def test_a_volume_that_no_container_mounts_has_no_status(self) -> None:
        found = volume_of(running("app"), running("other"), mounting=())
        assert (found.is_mounted, found.is_pulled, found.reason) == (False, False, "")
        assert volume_of().is_mounted
        assert app({}).is_mounted

    def test_the_platform_resolves_no_name_of_a_volume(self) -> None:
        notes = {"alpha.image.policy.openshift.io/resolve-names": "*"}
        assert not volume_of(annotations=notes).resolves_names
        trigger = {
            "type": "ImageChange",
            "imageChangeParams": {"containerNames": [""], "from": {"kind": "ImageStreamTag", "name": "a"}},
        }
        spec = {"template": {"metadata": {"annotations": notes}, "spec": with_volume()}, "triggers": [trigger]}
        found = pulls_of_workload(WORKLOADS["deploymentconfig"], {"spec": spec}, "ns")
        assert [(each.location, each.source, each.resolves_names) for each in found][-1] == (
            "volume model",
            None,
            False,
        )


class TestWorkloads:
    @pytest.mark.parametrize("name", WORKLOADS)
    def test_the_template_is_found(self, name: str) -> None:
        template = {"spec": {"template": {"spec": SPEC}}}
        spec = {"spec": {"jobTemplate": template}} if name == "cronjob" else template
        found = pulls_of_workload(WORKLOADS[name], {"metadata": {"name": "w"}, **spec}, "ns")
        assert [subject.container for subject in found] == ["init", "app", "debug"]
        assert {(subject.ref, subject.is_pod, subject.reason) for subject in found} == {
            (ObjectRef(WORKLOADS[name], "ns", "w"), False, "")
        }

    def test_a_workload_with_an_invalid_template_has_no_subject(self) -> None:
        assert pulls_of_workload(WORKLOADS["job"], {"spec": {"template": []}}, "ns") == []


def test_an_account_with_an_image_is_a_subject() -> None:
    found = pull_of_account("ns", "builder", "q.io/a")
    assert (found.ref, found.account, found.own, found.image, found.is_pod) == (
        ObjectRef(SERVICE_ACCOUNT, "ns", "builder"),
        "builder",
        (),
        "q.io/a",
        False,
    )
