# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The uses of a login are the images that it must be able to pull, with failing pods and pulls that may still use the old login."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import POD, SECRET, Kind, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.editing import (
    LoginReplacement,
    UserPassword,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import WORKLOADS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.options import (
    Rotation,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.plan import Copy
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.uses import (
    READ,
    PendingPull,
    PullState,
    Use,
    collect_uses,
    event_counts,
    filter_pending,
    find_failing_images,
    find_pending,
    find_undecided_images,
    secret_for,
    trim_event,
    trim_to_uses,
    used_images,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_rules import RULES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import Reference, reference_of
from hypothesis import given
from support.anything import ANYTHING, CHANGES, Changed
from support.objects import b64

EXCHANGE = LoginReplacement(("quay.io", "r.example.com/team"), UserPassword("a", "b"), UserPassword("c", "d"))
IMAGE = "quay.io/team/app:v1"
REFUSED = "unable to retrieve auth token: invalid username/password: unauthorized: authentication required"


def reference(image: str) -> Reference:
    found = reference_of(image)
    assert found is not None
    return found


def pod(*images: str, message: str = "", reason: str = "ImagePullBackOff", **status: Any) -> dict[str, Any]:
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    waiting = {"waiting": {"reason": reason, "message": message}} if message else {"running": {}}
    states = [{"name": each["name"], "state": waiting} for each in containers]
    return {
        "metadata": {"name": "p", "namespace": "a", "uid": "u"},
        "spec": {"containers": containers},
        "status": {"containerStatuses": states, **status},
    }


def workload(kind: Kind, image: str = IMAGE, **more: Any) -> dict[str, Any]:
    spec = {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}
    whole = {"jobTemplate": {"spec": spec}} if kind.kind == "CronJob" else spec
    return {"metadata": {"name": "w", "namespace": "a", **more.pop("metadata", {})}, "spec": whole, **more}


def uses(kind: Kind, obj: dict[str, Any]) -> list[Use]:
    kept = trim_to_uses(kind, obj, EXCHANGE)
    return [] if kept is None else collect_uses([kept])


class TestKept:
    def test_images_of_other_registries_are_left_out(self) -> None:
        images = [IMAGE, "b.io/app", "r.example.com/team/x", "r.example.com/teams/x", "app", "quay.io/Bad", ""]
        found = uses(POD, pod(*images))
        assert [(str(use.image), use.what, use.container, use.cause) for use in found] == [
            (IMAGE, "p", "c0", ""),
            ("r.example.com/team/x:latest", "p", "c2", ""),
        ]

    def test_an_object_without_such_images_is_not_kept(self) -> None:
        assert trim_to_uses(POD, pod("b.io/app"), EXCHANGE) is None

    def test_a_kept_object_has_only_its_namespace_and_name(self) -> None:
        kept = trim_to_uses(POD, pod(IMAGE), EXCHANGE) or {}
        assert kept["metadata"] == {"namespace": "a", "name": "p"}
        assert {*kept} == {"metadata", "uses"}

    @pytest.mark.parametrize("kind", WORKLOADS.values(), ids=lambda kind: kind.kind)
    def test_workloads_count_before_they_have_pods(self, kind: Kind) -> None:
        assert kind in READ
        assert [(str(use.image), use.what) for use in uses(kind, workload(kind))] == [(IMAGE, "w")]

    def test_pods_are_read_first(self) -> None:
        assert [*READ] == [POD, *WORKLOADS.values()]

    @pytest.mark.parametrize(
        ("phase", "count"), [("Succeeded", 0), ("Failed", 0), ("Running", 1), ("Pending", 1), (None, 1)]
    )
    def test_a_finished_pod_pulls_nothing(self, phase: Any, count: int) -> None:
        assert len(uses(POD, pod(IMAGE, phase=phase))) == count

    @pytest.mark.parametrize(
        ("parts", "count"),
        [
            ({"metadata": {"ownerReferences": [{"kind": "Deployment", "controller": True}]}}, 0),
            ({"metadata": {"ownerReferences": [None, {"kind": "Deployment"}]}}, 1),
            ({"status": {"completionTime": "2026-01-01T00:00:00Z"}}, 0),
            ({"status": {"phase": "Succeeded"}}, 1),
        ],
    )
    def test_a_controlled_or_completed_workload_has_no_uses(self, parts: dict[str, Any], count: int) -> None:
        assert len(uses(WORKLOADS["job"], workload(WORKLOADS["job"], **parts))) == count

    def test_a_pod_of_a_workload_counts(self) -> None:
        obj = pod(IMAGE)
        obj["metadata"]["ownerReferences"] = [{"controller": True}]
        assert len(uses(POD, obj)) == 1

    @given(CHANGES)
    def test_arbitrary_pod_content_gives_at_most_one_use(self, change: Changed) -> None:
        obj = change(pod(IMAGE, message=REFUSED))
        if isinstance(obj, dict):
            assert len(uses(POD, obj)) <= 1

    @given(ANYTHING)
    def test_arbitrary_workload_content_raises_no_error(self, value: Any) -> None:
        for kind in WORKLOADS.values():
            for part in ("metadata", "spec", "status"):
                uses(kind, {**workload(kind), part: value})


class TestCause:
    @pytest.mark.parametrize(
        ("message", "cause"),
        [
            (REFUSED, "bad_credentials"),
            ("authorization failed: no basic auth credentials", "no_credentials"),
            ("reading manifest v1: requested access to the resource is denied", "denied"),
            ("reading manifest v1: unauthorized: authentication required", "unauthorized"),
            ("manifest unknown", ""),
            ("dial tcp: i/o timeout", ""),
            ("something else", ""),
        ],
    )
    def test_a_cause_is_given_only_for_errors_that_another_login_may_fix(self, message: str, cause: str) -> None:
        assert [use.cause for use in uses(POD, pod(IMAGE, message=message))] == [cause]

    def test_each_cause_is_a_known_rule(self) -> None:
        assert {"bad_credentials", "denied", "no_credentials", "unauthorized"} <= {rule.id for rule in RULES}

    def test_a_container_that_fails_for_another_reason_has_no_cause(self) -> None:
        assert [use.cause for use in uses(POD, pod(IMAGE, message=REFUSED, reason="CrashLoopBackOff"))] == [""]


def with_volume(obj: dict[str, Any], image: str) -> dict[str, Any]:
    """Return the pod with an image volume that its first container mounts."""
    obj["spec"]["volumes"] = [{"name": "model", "image": {"reference": image}}]
    obj["spec"]["containers"][0]["volumeMounts"] = [{"name": "model", "mountPath": "/model"}]
    return obj


class TestImageVolumes:
    MODEL = "quay.io/team/model:v1"

    def test_the_image_of_a_volume_is_used(self) -> None:
        found = uses(POD, with_volume(pod("b.io/app"), self.MODEL))
        assert [(str(use.image), use.what, use.container, use.volume) for use in found] == [
            (self.MODEL, "p", "c0", "model")
        ]

    @pytest.mark.parametrize("kind", WORKLOADS.values(), ids=lambda kind: kind.kind)
    def test_workloads_have_volumes_too(self, kind: Kind) -> None:
        obj = workload(kind, "b.io/app")
        spec = obj["spec"]["jobTemplate"]["spec"] if kind.kind == "CronJob" else obj["spec"]
        spec["template"]["spec"]["volumes"] = [{"name": "model", "image": {"reference": self.MODEL}}]
        assert [str(use.image) for use in uses(kind, obj)] == [self.MODEL]

    @pytest.mark.parametrize("named", ["model", "app"])
    def test_an_error_is_about_the_image_that_it_names(self, named: str) -> None:
        image = {"model": self.MODEL, "app": IMAGE}[named]
        message = f'Back-off pulling image "{image}": ErrImagePull: initializing source docker://{image}: {REFUSED}'
        found = uses(POD, with_volume(pod(IMAGE, message=message), self.MODEL))
        assert {str(use.image): use.cause for use in found if use.cause} == {image: "bad_credentials"}

    def test_an_error_that_names_no_image_counts_for_all(self) -> None:
        found = uses(POD, with_volume(pod(IMAGE, message="unauthorized: authentication required"), self.MODEL))
        assert [use.cause for use in found] == ["unauthorized", "unauthorized"]

    def test_a_started_container_has_the_images_of_its_volumes(self) -> None:
        obj = with_volume(pod("b.io/app", "b.io/other"), self.MODEL)
        for state, has_image in (({"running": {}}, True), ({"waiting": {"reason": "ContainerCreating"}}, False)):
            obj["status"] = {"containerStatuses": [{"name": "c0", "imageID": "i", "state": state}]}
            (found,) = uses(POD, obj)
            assert found.state is not None
            assert found.state.has_image is has_image


def taken(*images: str, init: list[dict[str, Any]] | None = None, **parts: Any) -> dict[str, Any]:
    """Return a pod on a node, with states of its init containers."""
    obj = pod(*images, **parts)
    obj["spec"]["nodeName"] = "node-1"
    if not parts.get("message"):
        obj["status"] = {}
    for each in init or []:
        name = f"i{each['number']}"
        obj["spec"].setdefault("initContainers", []).append({"name": name, "image": IMAGE, **each.get("spec", {})})
        status = {"name": name, "state": each["state"], "imageID": "i"}
        obj["status"].setdefault("initContainerStatuses", []).append(status)
    return obj


def under_way(obj: dict[str, Any]) -> list[str]:
    return [use.container for use in uses(POD, obj) if use.state is not None and use.state.may_be_under_way]


class TestUnderWay:
    def test_all_containers_of_a_pod_without_a_status_are_under_way(self) -> None:
        assert under_way(taken(IMAGE, "quay.io/b")) == ["c0", "c1"]

    def test_a_pod_without_a_node_or_in_deletion_is_not_under_way(self) -> None:
        waiting, ending = taken(IMAGE), taken(IMAGE)
        del waiting["spec"]["nodeName"]
        ending["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        assert (under_way(waiting), under_way(ending)) == ([], [])

    def test_a_container_whose_image_is_on_the_node_is_not_under_way(self) -> None:
        obj = taken(IMAGE)
        obj["status"] = {"containerStatuses": [{"name": "c0", "imageID": "i", "state": {"running": {}}}]}
        assert under_way(obj) == []

    @pytest.mark.parametrize(
        ("message", "waits"),
        [
            *(("pull QPS exceeded", True), ("dial tcp: i/o timeout", True), (REFUSED, False), ("manifest unknown",
                                                                                               False)),
            *((rule.sample, False) for rule in RULES if rule.id in ("never_pull", "invalid_name", "blocked_by_config",
                                                                    "policy_rejected", "signature", "volume_mount")),
        ],
    )  # fmt: skip
    def test_a_temporary_error_is_under_way_and_a_lasting_one_is_not(self, message: str, waits: bool) -> None:
        assert under_way(taken(IMAGE, message=message)) == (["c0"] if waits else [])

    @pytest.mark.parametrize(
        ("states", "containers"),
        [
            ([{"terminated": {}}], ["c0"]),
            ([{"running": {}}], []),
            ([{"terminated": {}}, {"running": {}}], []),
            ([{"waiting": {}}], ["i0"]),
        ],
    )
    def test_containers_begin_when_the_init_containers_have_ended(
        self, states: list[dict[str, Any]], containers: list[str]
    ) -> None:
        obj = taken(IMAGE, init=[{"number": number, "state": state} for number, state in enumerate(states)])
        for status in obj["status"]["initContainerStatuses"]:
            status["imageID"] = "" if "waiting" in status["state"] else "i"
        assert under_way(obj) == containers

    @pytest.mark.parametrize(
        ("policy", "own", "code", "restarts"),
        [
            ("Always", None, 0, True),
            (None, None, 0, True),
            ("OnFailure", None, 0, False),
            ("OnFailure", None, 1, True),
            ("Never", None, 1, False),
            ("Never", "Always", 0, True),
            ("Always", "Never", 1, False),
        ],
    )
    @pytest.mark.parametrize("pulls", ["Always", "IfNotPresent"])
    def test_a_restart_that_pulls_again_is_under_way(
        self, policy: str | None, own: str | None, code: int, restarts: bool, pulls: str
    ) -> None:
        """The kubelet shows the state of the ended container until the new one starts."""
        obj = taken(IMAGE)
        obj["spec"]["restartPolicy"] = policy
        obj["spec"]["containers"][0] |= {"imagePullPolicy": pulls, "restartPolicy": own}
        ended = {"name": "c0", "imageID": "i", "state": {"terminated": {"exitCode": code}}}
        obj["status"] = {"containerStatuses": [ended]}
        assert under_way(obj) == (["c0"] if restarts and pulls == "Always" else [])
        assert [use.state and use.state.has_image for use in uses(POD, obj)] == [True]

    @pytest.mark.parametrize(
        ("policy", "code", "containers"),
        [("Always", 1, ["i0"]), ("OnFailure", 1, ["i0"]), ("Never", 1, ["c0"]), ("Always", 0, ["c0"])],
    )
    def test_a_failed_init_container_is_pulled_again(self, policy: str, code: int, containers: list[str]) -> None:
        first = {"number": 0, "state": {"terminated": {"exitCode": code}}, "spec": {"imagePullPolicy": "Always"}}
        obj = taken(IMAGE, init=[first])
        obj["spec"]["restartPolicy"] = policy
        assert under_way(obj) == containers

    def test_a_volume_is_pulled_again_with_its_container(self) -> None:
        obj = with_volume(taken("b.io/app"), IMAGE)
        obj["spec"]["volumes"][0]["image"]["pullPolicy"] = "Always"
        obj["status"] = {
            "containerStatuses": [{"name": "c0", "imageID": "i", "state": {"terminated": {"exitCode": 0}}}]
        }
        assert under_way(obj) == ["c0"]

    def test_a_sidecar_blocks_no_container(self) -> None:
        sidecar = {"number": 0, "state": {"running": {}}, "spec": {"restartPolicy": "Always"}}
        assert under_way(taken(IMAGE, init=[sidecar])) == ["c0"]

    def test_containers_after_a_sidecar_that_restarts_are_under_way(self) -> None:
        """They may have begun before it failed."""
        for state in ({"terminated": {"exitCode": 1}}, {"waiting": {"reason": "CrashLoopBackOff"}}):
            spec = {"restartPolicy": "Always", "imagePullPolicy": "IfNotPresent"}
            assert under_way(taken(IMAGE, init=[{"number": 0, "state": state, "spec": spec}])) == ["c0"]

    def test_a_container_of_a_pod_with_an_image_volume_is_under_way(self) -> None:
        assert under_way(with_volume(taken("b.io/app"), IMAGE)) == ["c0"]

    def test_a_volume_of_no_container_is_under_way_until_a_container_has_started(self) -> None:
        obj = taken("b.io/app", "b.io/other")
        obj["spec"]["volumes"] = [{"name": "model", "image": {"reference": IMAGE}}]
        assert under_way(obj) == [""]
        obj["status"] = {"containerStatuses": [{"name": "c1", "imageID": "i", "state": {"running": {}}}]}
        assert under_way(obj) == []

    def test_a_container_that_may_not_start_with_its_image_is_not_under_way(self) -> None:
        text = f'checking signature of "{IMAGE}": verifying signatures: SignatureValidationFailed: x'
        assert under_way(taken(IMAGE, message=text, reason="CreateContainerError")) == []

    @pytest.mark.parametrize("pulls", ["Always", "IfNotPresent"])
    @pytest.mark.parametrize("reason", ["CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError"])
    def test_a_container_that_waits_for_something_else_pulls_only_with_always(self, reason: str, pulls: str) -> None:
        obj = taken(IMAGE, message='configmap "x" not found', reason=reason)
        obj["spec"]["containers"][0]["imagePullPolicy"] = pulls
        assert under_way(obj) == (["c0"] if pulls == "Always" else [])
        assert [use.state and use.state.has_image for use in uses(POD, obj)] == [True]

    def test_an_init_container_that_fails_again_and_again_pulls_nothing(self) -> None:
        loop = {"waiting": {"reason": "CrashLoopBackOff"}}
        obj = taken(IMAGE, init=[{"number": 0, "state": loop, "spec": {"imagePullPolicy": "IfNotPresent"}}])
        assert under_way(obj) == []

    def test_volumes_of_a_container_that_waits_for_something_else_are_not_under_way(self) -> None:
        obj = with_volume(taken("b.io/app", message="x", reason="CrashLoopBackOff"), IMAGE)
        obj["spec"]["volumes"].append({"name": "unmounted", "image": {"reference": IMAGE}})
        assert under_way(obj) == []


class TestUndecided:
    def places(self, *pods: dict[str, Any]) -> list[str]:
        found = []
        for each in pods:
            each["spec"]["imagePullSecrets"] = [{"name": "x"}]
            found += uses(POD, each)
        return list(find_undecided_images({"a": found, "b": found}, {"a": [copy_of("x")]}))

    def test_a_pod_that_has_not_pulled_its_image_is_undecided(self) -> None:
        for each in (taken(IMAGE), pod(IMAGE, message="pull QPS exceeded"), pod(IMAGE, message=REFUSED)):
            assert self.places(each) == [f"a {IMAGE}"]

    def test_an_image_that_a_pod_already_has_is_not_undecided(self) -> None:
        there = taken(IMAGE)
        there["status"] = {"containerStatuses": [{"name": "c0", "imageID": "i", "state": {"running": {}}}]}
        assert self.places(taken(IMAGE), there) == []
        assert self.places(taken(IMAGE, message="x", reason="CrashLoopBackOff")) == []

    def test_foreign_images_and_workloads_are_not_undecided(self) -> None:
        assert self.places(taken("b.io/app")) == []
        found = uses(WORKLOADS["job"], workload(WORKLOADS["job"]))
        assert list(find_undecided_images({"a": found}, {"a": [copy_of("x")]})) == []


class TestUsedImages:
    def test_images_are_used_only_where_a_login_of_the_namespace_covers_them(self) -> None:
        found = {
            "a": [Use(reference(image), "p", "c") for image in (IMAGE, "quay.io/other/x", IMAGE, "quay.io/a/b")],
            "b": [Use(reference(IMAGE), "p", "c")],
            "c": [Use(reference("quay.io/other/x"), "p", "c")],
        }
        images = used_images(found, {"a": ["quay.io"], "c": ["quay.io/team"]})
        assert {name: [str(each) for each in every] for name, every in images.items()} == {
            "a": ["quay.io/a/b:latest", "quay.io/other/x:latest", IMAGE]
        }

    @pytest.mark.parametrize("key", ["***@quay.io", "https://quay.io/v2/", "*.io", "quay.io/team"])
    def test_the_spelling_of_the_key_does_not_matter(self, key: str) -> None:
        found = {"a": [Use(reference(IMAGE), "p", "c")]}
        assert used_images(found, {"a": [key]}) == {"a": [reference(IMAGE)]}

    def test_the_login_of_the_nodes_counts_for_all_namespaces(self) -> None:
        found = {name: [Use(reference(IMAGE), "p", "c")] for name in ("a", "b")}
        assert used_images(found, {"": ["quay.io"]}) == {name: [reference(IMAGE)] for name in ("a", "b")}

    def test_no_image_is_used_without_a_login(self) -> None:
        assert used_images({"a": [Use(reference(IMAGE), "p", "c")]}, {}) == {}
        assert used_images({}, {"a": ["quay.io"]}) == {}


def copy_of(name: str, *keys: str, place: str = "a", login: str = "a:b", **parts: Any) -> Copy:
    entries = {key: {"auth": b64(login)} for key in keys or ("quay.io",)}
    obj = {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": b64({"auths": entries})}, **parts}
    return Copy(ObjectRef(SECRET, place, name), obj, Rotation(EXCHANGE))


class TestSecretFor:
    IMAGE, OTHER = reference(IMAGE), reference("quay.io/other/x")

    def created(self, name: str, time: str, *keys: str, **parts: Any) -> Copy:
        return copy_of(name, *keys, metadata={"creationTimestamp": time}, **parts)

    def test_the_secret_with_a_key_for_the_image_is_chosen(self) -> None:
        copies = [copy_of("z"), copy_of("y", "quay.io/team"), copy_of("x", "quay.io/elsewhere")]
        assert secret_for(self.IMAGE, copies) == ("", "y")
        assert secret_for(self.OTHER, copies) == ("", "z")
        assert secret_for(self.OTHER, copies[1:]) is None

    def test_the_oldest_secret_and_then_the_first_by_name_is_chosen(self) -> None:
        """No user can create an older secret."""
        old, new = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
        copies = [self.created("a", new), self.created("c", old), self.created("b", old), self.created("d", new)]
        assert secret_for(self.IMAGE, copies) == (old, "b")
        specific = [self.created("a", old), self.created("b", new, "quay.io/team")]
        assert secret_for(self.IMAGE, specific) in ((old, "a"), (new, "b"))

    def test_the_second_secret_of_an_immutable_one_is_chosen(self) -> None:
        assert secret_for(self.IMAGE, [copy_of("x", immutable=True)]) == ("", "x-rotated")

    def test_the_secret_of_the_nodes_is_never_chosen(self) -> None:
        assert secret_for(self.IMAGE, [copy_of("pull-secret", place="openshift-config")]) is None
        assert secret_for(self.IMAGE, []) is None


class TestFailing:
    def use(self, pod: str, image: str = IMAGE, secrets: tuple[str, ...] = ("x",), cause: str = "denied") -> Use:
        return Use(reference(image), pod, "c", secrets, cause)

    def test_failing_pods_are_grouped_by_namespace_and_image(self) -> None:
        found = {"b": [self.use("q")], "a": [self.use("a", cause=""), self.use("q"), self.use("p")]}
        row = {"image": IMAGE, "repository": "quay.io/team/app", "cause": "denied", "container": "c"}
        assert list(find_failing_images(found, {name: [copy_of("x", place=name)] for name in ("a", "b")})) == [
            {"place": f"a {IMAGE}", "namespace": "a", "pod": "p", "containers": 2, **row},
            {"place": f"b {IMAGE}", "namespace": "b", "pod": "q", "containers": 1, **row},
        ]

    @pytest.mark.parametrize("login", ["a:b", "c:d"])
    def test_a_failing_pod_with_the_old_or_the_new_login_is_reported(self, login: str) -> None:
        assert len(list(find_failing_images({"a": [self.use("p")]}, {"a": [copy_of("x", login=login)]}))) == 1

    @pytest.mark.parametrize(
        ("uses", "copies"),
        [
            ({"secrets": ()}, {}),
            ({"secrets": ("mine", "y")}, {}),
            ({"image": "quay.io/other/x"}, {"keys": ("quay.io/team",)}),
            ({}, {"login": "x:y"}),
        ],
    )
    def test_a_pod_that_does_not_pull_with_a_confirmed_secret_is_not_reported(
        self, uses: dict[str, Any], copies: dict[str, Any]
    ) -> None:
        held = copy_of("x", *copies.pop("keys", ()), **copies)
        assert list(find_failing_images({"a": [self.use("p", **uses)]}, {"a": [held]})) == []
        assert list(find_failing_images({"b": [self.use("p")]}, {"a": [held]})) == []

    def test_the_secrets_are_those_of_the_pods_list(self) -> None:
        obj = pod(IMAGE, message=REFUSED)
        obj["spec"]["imagePullSecrets"] = [{"name": "x"}, None, {"name": "y"}]
        assert [use.secrets for use in uses(POD, obj)] == [("x", "y")]


ROTATION = Rotation(LoginReplacement(("quay.io",), UserPassword("a", "b"), UserPassword("c", "d")))
PULL = PendingPull("a", "p", "u", "c", "", IMAGE)


def waiting_copy(name: str, place: str = "a", login: str = "c:d") -> Copy:
    content = {"auths": {"quay.io": {"auth": b64(login)}}}
    data = {".dockerconfigjson": b64(json.dumps(content))}
    return Copy(ObjectRef(SECRET, place, name), {"type": "kubernetes.io/dockerconfigjson", "data": data}, ROTATION)


def use(uid: str = "u", *, secret: str = "x", waits: bool = True, said: str = "") -> Use:
    image = reference_of(IMAGE)
    assert image is not None
    return Use(image, "p", "c", (secret,), state=PullState(uid, not waits, said, waits))


def event(reason: str, container: str = "c", count: int = 1, uid: str = "u", **more: Any) -> dict[str, Any]:
    about = {"uid": uid, "fieldPath": f"spec.containers{{{container}}}"} if container else {"uid": uid}
    return {"metadata": {"namespace": "a"}, "involvedObject": about, "reason": reason, "count": count, **more}


class TestPending:
    def test_a_pod_that_waits_with_a_confirmed_secret_is_pending(self) -> None:
        found = {"a": [use(), use("v", secret="mine"), use("w", waits=False)], "b": [use("z")]}
        assert find_pending(found, {"a": [waiting_copy("x")], "b": [waiting_copy("x", "b", "other:login")]}) == [PULL]

    def test_the_pull_secret_of_the_nodes_counts_for_all_pods(self) -> None:
        found = {"b": [use(secret="mine")]}
        assert find_pending(found, {"": [waiting_copy("pull-secret", "openshift-config")]}) == [
            replace(PULL, namespace="b")
        ]

    def test_workloads_pull_nothing(self) -> None:
        assert find_pending({"a": [replace(use(), state=None)]}, {"a": [waiting_copy("x")]}) == []


class TestStillPending:
    @pytest.mark.parametrize(
        ("now", "ended"),
        [
            ([PULL], False),
            ([], True),
            ([replace(PULL, uid="v")], True),
            ([replace(PULL, said="ErrImagePull: pull QPS exceeded")], True),
        ],
    )
    def test_a_pull_ends_when_its_status_changes(self, now: list[PendingPull], ended: bool) -> None:
        assert filter_pending([PULL], now, {}, {}) == ([] if ended else [PULL])

    def test_an_error_that_stays_the_same_ends_nothing(self) -> None:
        """The next attempt may be queued while the status still shows the previous error."""
        failed = replace(PULL, said="ImagePullBackOff: pull QPS exceeded")
        assert filter_pending([failed], [failed], {}, {}) == [failed]
        assert filter_pending([failed], [replace(failed, said="")], {}, {}) == [failed]

    @pytest.mark.parametrize(
        ("after", "ended"),
        [
            (event("BackOff", count=2), True),
            (event("Failed"), True),
            (event("FailedMount", container=""), True),
            (event("FailedAttachVolume", container=""), True),
            (event("FailedCreatePodSandBox", container=""), True),
            (event("BackOff"), False),
            (event("Pulling", count=9), False),
            (event("Failed", container="other"), False),
            (event("Failed", uid="v"), False),
        ],
    )
    def test_a_later_failure_event_ends_a_pull(self, after: dict[str, Any], ended: bool) -> None:
        before = event_counts([event("BackOff")])
        assert filter_pending([PULL], [PULL], before, event_counts([event("BackOff"), after][1:])) == (
            [] if ended else [PULL]
        )


class TestEvents:
    def test_events_of_one_reason_are_counted_together(self) -> None:
        series = {"series": {"count": 5, "lastObservedTime": "2026-01-01T00:00:02.000000Z"}, "count": None}
        found = event_counts([event("Failed", lastTimestamp="2026-01-01T00:00:01Z"), event("Failed", **series)])
        assert found == {("u", "c", "Failed"): (6, "2026-01-01T00:00:02.000000Z")}

    @given(CHANGES)
    def test_any_changed_event_is_counted(self, change: Changed) -> None:
        changed = change(event("Failed", series={"count": 1}))
        if isinstance(changed, dict):
            assert len(event_counts([trim_event(changed)])) == 1
