# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A probe pod asks for no privileges. Its status proves that its image can be pulled, that it cannot, or neither."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef, trim_object
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_probe.pods import (
    Judgement,
    PullProbe,
    complaint,
    from_options,
    judge_deleted,
    judge_pod,
    judge_unknown,
    judge_without_nodes,
    pod_for,
    result_row,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.probe_pods import LABELS, PROBE_POD
from hypothesis import given
from support.anything import ANYTHING, CHANGES, Changed

REF = ObjectRef(PROBE_POD, "a", "pull-probe-1")


def spec_of(asked: PullProbe, selector: Any = None) -> dict[str, Any]:
    change = pod_for(REF, asked, "q.io/a:1", selector or {})
    assert change.body["metadata"] == {"name": "pull-probe-1", "namespace": "a", "labels": LABELS}
    return dict(change.body["spec"])


class TestPod:
    def test_the_pod_forces_the_pull_and_does_nothing_else(self) -> None:
        spec = spec_of(PullProbe(("q.io/a:1",), timeout=30))
        (container,) = spec.pop("containers")
        assert {name: container[name] for name in ("name", "image", "imagePullPolicy", "command")} == {
            "name": "probe",
            "image": "q.io/a:1",
            "imagePullPolicy": "Always",
            "command": ["true"],
        }
        assert spec == {
            "serviceAccountName": "default",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": 90,
            "tolerations": [{"operator": "Exists"}],
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        }

    def test_a_restricted_namespace_accepts_the_pod(self) -> None:
        """The pod meets the restricted Pod Security Standard of Kubernetes. OpenShift chooses the user."""
        (container,) = spec_of(PullProbe(("q.io/a:1",)))["containers"]
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "runAsUser" not in context
        assert container["resources"]["requests"].keys() == container["resources"]["limits"].keys()

    def test_the_account_the_pull_list_and_the_node_labels_are_the_given_ones(self) -> None:
        asked = PullProbe(("q.io/a:1",), "builder", ("x", "y"))
        spec = spec_of(asked, {"pool": "gpu"})
        assert spec["serviceAccountName"] == "builder"
        assert spec["imagePullSecrets"] == [{"name": "x"}, {"name": "y"}]
        assert spec["nodeSelector"] == {"pool": "gpu"}


GIVEN: dict[str, Any] = {
    "images": ["q.io/a:1"],
    "service_account": "default",
    "image_pull_secrets": None,
    "node_selectors": None,
    "timeout": 120,
    "keep_failed": False,
}


def test_one_pod_on_any_node_is_the_default() -> None:
    asked = from_options(GIVEN)
    assert asked == PullProbe(("q.io/a:1",))
    assert asked.pods == [("q.io/a:1", {})]


def test_each_pair_of_image_and_selector_gets_one_pod() -> None:
    digest = "q.io/b@sha256:" + "0" * 64
    selectors = [{"node-role.kubernetes.io/worker": ""}, {"pool": "gpu"}, {"pool": "gpu"}]
    asked = from_options({**GIVEN, "images": ["q.io/a:1", digest, "q.io/a:1"], "node_selectors": selectors})
    assert asked.pods == [(image, selector) for image in ("q.io/a:1", digest) for selector in selectors[:2]]


def test_the_names_of_the_pods_own_list_are_given_once() -> None:
    assert from_options({**GIVEN, "image_pull_secrets": ["b", "a", "b"]}).image_pull_secrets == ("b", "a")
    assert from_options({**GIVEN, "image_pull_secrets": []}).image_pull_secrets == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"images": []}, "option 'images' is empty"),
        ({"images": ["q.io/UPPER"]}, "option 'images': 'q.io/UPPER' is not the name of an image"),
        ({"images": ["https://q.io/a"]}, "is not the name of an image"),
        ({"images": ["q.io/a:1", ""]}, "option 'images': '' is not the name of an image"),
        ({"images": ["x" * 300]}, f"option 'images': '{'x' * 120}...'"),
        ({"images": ["team/app:1"]}, "'team/app:1' names no registry.* such as docker.io/team/app:1"),
        ({"service_account": "A"}, "option 'service_account': 'A' cannot be an object's name"),
        ({"image_pull_secrets": ["a/b"]}, "option 'image_pull_secrets': 'a/b' cannot be an object's name"),
        ({"node_selectors": []}, "option 'node_selectors' is empty: give at least one, or leave it out"),
        (
            {"node_selectors": [{"a": "b"}, {"a": True}]},
            "the value of a is True, which is not a string: put it in quotes",
        ),
        ({"node_selectors": [{"a": None}]}, "the value of a is None, which is not a string"),
        ({"node_selectors": [{"a": "b c"}]}, "'b c' cannot be the value of label a"),
        ({"node_selectors": [{"a": "b" * 64}]}, "cannot be the value of label a"),
        ({"node_selectors": [{"": "b"}]}, "'' cannot be the key of a label"),
        ({"node_selectors": [{"A_B/c": "b"}]}, "'A_B/c' cannot be the key of a label"),
        ({"node_selectors": [{"/c": "b"}]}, "'/c' cannot be the key of a label"),
        ({"node_selectors": [{"x/y/c": "b"}]}, "'x/y/c' cannot be the key of a label"),
        ({"node_selectors": [{7: "b"}]}, "7 cannot be the key of a label"),
    ],
)
def test_invalid_options_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        from_options({**GIVEN, **given})


IMAGE = "q.io/a:1"
FRAME = f"unable to pull image or OCI artifact: pull image err: initializing source docker://{IMAGE}: "
BAD = "unable to retrieve auth token: invalid username/password: unauthorized: authentication required"
ASKED = PullProbe((IMAGE,))


def pod(state: Any = None, *, node: str = "n1", image_id: str = "", phase: str = "Pending", **status: Any) -> Any:
    containers = [{"name": "sidecar", "imageID": "i", "state": {"running": {}}}]
    if state is not None:
        containers.append({"name": "probe", "imageID": image_id, "state": state})
    return {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "probe", "image": IMAGE}], **({"nodeName": node} if node else {})},
        "status": {"phase": phase, "containerStatuses": containers, **status},
    }


#: The text of CRI-O for an artifact that it has pulled: it is in no image store.
NO_IMAGE = f'reading image "{"1" * 64}": locating image with ID "{"1" * 64}": image not known'


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


class TestPulled:
    @pytest.mark.parametrize(
        "state",
        [
            {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
            {"terminated": {"reason": "Completed", "exitCode": 0}},
            {"terminated": {"reason": "StartError", "exitCode": 128}},
            {"terminated": {"exitCode": 1}},
            waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
            waiting("CreateContainerError", "executable file not found"),
            waiting("CreateContainerError", f"container create failed: {NO_IMAGE}"),
            waiting("RunContainerError"),
        ],
    )
    def test_a_state_after_the_pull_proves_it(self, state: Any) -> None:
        assert judge_pod(pod(state)) == Judgement("pulled", node="n1")

    def test_the_id_of_the_image_proves_it(self) -> None:
        assert judge_pod(pod(waiting("ContainerCreating"), image_id="sha256:1")).outcome == "pulled"

    def test_a_pod_that_is_being_deleted_or_has_failed_proves_the_pull_too(self) -> None:
        done = pod({"terminated": {"reason": "Error"}}, phase="Failed", reason="DeadlineExceeded")
        done["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        assert judge_pod(done).outcome == "pulled"

    def test_a_container_of_unknown_status_proves_no_pull_without_an_image_id(self) -> None:
        lost = {"terminated": {"reason": "ContainerStatusUnknown", "exitCode": 137}}
        assert judge_pod(pod(lost, phase="Failed", reason="Evicted")).outcome == "unknown"
        assert judge_pod(pod(lost, image_id="i")).outcome == "pulled"

    def test_another_container_proves_no_pull(self) -> None:
        assert judge_pod(pod()).outcome == "unknown"


class TestRefused:
    @pytest.mark.parametrize(
        ("reason", "message", "cause"),
        [
            ("ErrImagePull", FRAME + BAD, "bad_credentials"),
            ("ImagePullBackOff", f'Back-off pulling image "{IMAGE}": ErrImagePull: {FRAME}{BAD}', "bad_credentials"),
            ("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"', "unknown"),
            ("ErrImagePull", "", "unknown"),
            ("InvalidImageName", 'Failed to apply default image tag "X": couldn\'t parse image name', "invalid_name"),
            ("illegal base64 data at input byte 8", "illegal base64 data at input byte 8", "secret_unparsable"),
            ("something new", "no rule knows it", "unknown"),
            ("RegistryUnavailable", "", "unknown"),
            ("CreateContainerError", f'checking signature of "{IMAGE}": verifying signatures: x', "signature_at_start"),
            ("CreateContainerError", NO_IMAGE, "not_an_image"),
            ("CreateContainerError", f"rpc error: code = Unknown desc = {NO_IMAGE}", "not_an_image"),
        ],
    )
    def test_any_other_reason_is_an_error_of_the_pull(self, reason: str, message: str, cause: str) -> None:
        found = judge_pod(pod(waiting(reason, message)))
        assert (found.outcome, found.cause, found.node, found.is_final) == ("refused", cause, "n1", True)
        assert found.message
        assert found.meaning

    def test_a_host_to_which_the_registry_redirects_is_named(self) -> None:
        text = 'parsing image configuration: Get "https://store.example.com/x": dial tcp: lookup store.example.com: no such host'
        found = judge_pod(pod(waiting("ErrImagePull", f"unable to pull image: {text}")))
        assert found.meaning == "The node cannot resolve the name of store.example.com"

    def test_a_credential_in_the_text_is_hidden(self) -> None:
        found = judge_pod(pod(waiting("ErrImagePull", 'invalid decoded auth: "robot:hunter2-canary"')))
        assert "canary" not in found.message
        assert "canary" not in complaint(ASKED, [(IMAGE, {}, found)])

    def test_a_long_text_is_cut_between_words(self) -> None:
        found = judge_pod(pod(waiting("ErrImagePull", "word " * 2000)))
        assert len(found.message) <= 1004
        assert found.message.endswith("word ...")

    def test_the_pull_limit_of_the_kubelet_is_temporary(self) -> None:
        found = judge_pod(pod(waiting("ErrImagePull", "pull QPS exceeded")))
        assert (found.outcome, found.cause, found.is_final) == ("unknown", "node_limit", False)
        assert found.advice == "run again, and raise 'timeout'"


class TestUnknown:
    def test_the_scheduler_explains_a_pod_without_a_node(self) -> None:
        said = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available: 3 node(s) didn't match"}
        found = judge_pod(pod(node="", conditions=[{"type": "Ready", "message": "no"}, said]))
        assert (found.cause, found.message, found.is_final) == ("not_scheduled", said["message"], False)
        assert judge_pod(pod(node="")).cause == "not_scheduled"

    def test_a_node_without_an_answer_leaves_the_pull_unknown(self) -> None:
        for state in (None, {}, waiting("ContainerCreating"), waiting("PodInitializing"), waiting("")):
            found = judge_pod(pod(state))
            assert (found.outcome, found.cause, found.node, found.is_final) == ("unknown", "no_answer", "n1", False)
        assert judge_pod(pod(waiting("ContainerCreating"))).message == "ContainerCreating"

    def test_a_pod_that_ended_before_the_pull_was_not_run(self) -> None:
        found = judge_pod(pod(phase="Failed", reason="OutOfcpu", message="not  enough\ncpu"))
        assert (found.cause, found.message, found.is_final) == ("not_run", "OutOfcpu: not enough cpu", True)
        assert judge_pod(pod(phase="Succeeded")).cause == "not_run"

    def test_a_credential_in_a_message_of_the_cluster_is_hidden(self) -> None:
        said = "webhook https://robot:canary@policy.example.com/ says no"
        condition = {"type": "PodScheduled", "message": said}
        found = [
            judge_unknown("not_created", "No", said),
            judge_pod(pod(node="", conditions=[condition])),
            judge_pod(pod(waiting("ContainerCreating", said))),
            judge_pod(pod(phase="Failed", reason="Rejected", message=said)),
        ]
        assert ["policy.example.com" in each.message for each in found] == [True] * 4
        assert not [each for each in found if "canary" in each.message]

    def test_a_pod_that_another_client_deletes_is_unknown(self) -> None:
        going = pod(waiting("ContainerCreating"))
        going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        assert judge_pod(going) == judge_deleted("n1")
        assert judge_deleted().is_final

    @given(CHANGES, ANYTHING)
    def test_arbitrary_pod_content_is_judged(self, change: Changed, anything: Any) -> None:
        whole = pod(waiting("ErrImagePull", FRAME + BAD), conditions=[{"type": "PodScheduled"}])
        for each in (change(whole), {"status": anything}):
            if isinstance(each, dict):
                found = judge_pod(trim_object(PROBE_POD, each))
                assert found.outcome in ("pulled", "refused", "unknown")
                assert isinstance(result_row(IMAGE, {}, found, 0.0, "")["message"], str)
                assert bool(complaint(ASKED, [(IMAGE, {}, found)])) == (found.outcome != "pulled")


class TestReport:
    def test_a_row_describes_the_judgement(self) -> None:
        found = judge_pod(pod(waiting("ErrImagePull", FRAME + BAD)))
        assert result_row(IMAGE, {"a": "b"}, found, 1.2345, "") == {
            "image": IMAGE,
            "node_selector": {"a": "b"},
            "node": "n1",
            "outcome": "refused",
            "cause": "bad_credentials",
            "message": BAD,
            "seconds": 1.2,
            "pod": None,
        }
        assert result_row(IMAGE, {}, judge_unknown("check_mode", "Only that"), 0, "p")["message"] == "Only that"
        assert result_row(IMAGE, {}, judge_unknown("x", "Y"), 0, "p")["pod"] == "p"
        assert result_row(IMAGE, {}, Judgement("pulled"), 0, "")["message"] == ""

    def test_a_pulled_image_causes_no_complaint(self) -> None:
        assert complaint(ASKED, [(IMAGE, {}, Judgement("pulled", node="n1"))]) == ""

    def test_a_refusal_names_the_place_the_reason_and_the_next_command(self) -> None:
        found = judge_pod(pod(waiting("ErrImagePull", FRAME + BAD)))
        assert complaint(ASKED, [("q.io/b", {}, Judgement("pulled")), (IMAGE, {}, found)]) == (
            f"image {IMAGE} was not pulled on node n1: bad_credentials, a credential was sent, but the registry refused it ({BAD}): "
            f"renew the login in the pull secret; to see why, run pull_access_info with 'image: {IMAGE}', 'service_account: default' "
            "and 'ask_registries: true'"
        )

    def test_a_pod_with_its_own_pull_list_needs_a_question_about_the_pod(self) -> None:
        found = judge_pod(pod(waiting("ErrImagePull", FRAME + BAD)))
        said = complaint(PullProbe((IMAGE,), image_pull_secrets=("x",)), [(IMAGE, {}, found)])
        assert said.endswith(
            "to see why, run it with 'keep_failed: true', then pull_access_info with 'pod: NAME' of the pod that is kept"
        )

    def test_an_unproven_pull_names_the_requested_nodes(self) -> None:
        found = judge_pod(pod(node="", conditions=[{"type": "PodScheduled", "message": "none fits"}]))
        assert complaint(ASKED, [(IMAGE, {"pool": "gpu"}, found)]) == (
            f"image {IMAGE} was neither pulled nor refused on a node with pool=gpu: not_scheduled, no node was found for the pod in time "
            "(none fits): correct 'node_selectors', or look at the nodes ('oc get nodes'). A rotation needs no probe: credential_rotation_probe: false"
        )

    def test_an_option_that_is_not_set_is_not_to_be_corrected(self) -> None:
        said = complaint(ASKED, [(IMAGE, {}, judge_without_nodes())])
        assert said == (
            f"image {IMAGE} was neither pulled nor refused: not_scheduled, the cluster has no ready node: look at the nodes ('oc get nodes'). A "
            "rotation needs no probe: credential_rotation_probe: false"
        )

    def test_the_first_of_many_images_are_named(self) -> None:
        said = complaint(ASKED, [(f"q.io/{at}", {}, judge_deleted()) for at in range(7)])
        assert said.count("was neither pulled nor refused") == 5
        assert said.endswith("; and 2 more, listed under 'pulls'")

    def test_the_answer_of_the_api_server_is_reported_whole_with_its_advice(self) -> None:
        long = "creating pod failed: " + "x " * 200 + "; do this"
        assert "; do this)" in complaint(
            ASKED, [(IMAGE, {}, judge_unknown("not_created", "The pod could not be created", long))]
        )
