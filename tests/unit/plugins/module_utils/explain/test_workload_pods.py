# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of a workload are found, and their verdicts change the verdict for its template."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import POD, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import WORKLOADS, ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict, Step
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.workload_pods import (
    PodOwners,
    added_containers,
    can_pull,
    explain_together,
    is_controlled,
    with_pods,
)

IMAGE = "q.io/app:1"
#: The status of a job that creates no other pod. One that has failed has no completion time (pkg/controller/job enactJobFinished).
ENDED = pytest.mark.parametrize(
    "status",
    [
        {"completionTime": "t"},
        {"conditions": [{"type": "Suspended", "status": "False"}, {"type": "Failed", "status": "True"}]},
    ],
    ids=["complete", "failed"],
)
CHAINS = [
    ("Deployment", "ReplicaSet"),
    ("DeploymentConfig", "ReplicationController"),
    ("CronJob", "Job"),
    ("ReplicaSet",),
    ("ReplicationController",),
    ("StatefulSet",),
    ("DaemonSet",),
    ("Job",),
]


def spec(image: str = IMAGE, *own: str, account: str = "default") -> dict[str, Any]:
    listed = [{"name": name} for name in own]
    return {"containers": [{"name": "app", "image": image}], "imagePullSecrets": listed, "serviceAccountName": account}


def obj(name: str, owner: str = "", **parts: Any) -> dict[str, Any]:
    """An object whose uid is its name. `owner` is the uid of the controller."""
    owners = [{"uid": "other"}, {"uid": owner, "controller": True}] if owner else []
    meta = {"name": name, "uid": name, "ownerReferences": owners, **parts.pop("metadata", {})}
    return {"metadata": meta, **parts}


def workload(kind: str, name: str = "top", owner: str = "", template: Any = None, **parts: Any) -> Any:
    body: dict[str, Any] = {"template": {"spec": template or spec()}}
    if kind == "CronJob":
        body = {"jobTemplate": {"spec": body}}
    return WORKLOADS[kind.lower()], obj(name, owner, spec=body, **parts)


def pod(owner: str, name: str = "p", template: Any = None, **parts: Any) -> dict[str, Any]:
    return obj(name, owner, spec=template or spec(), **parts)


def names(pods: list[dict[str, Any]], *workloads: Any) -> list[str]:
    """The names of the first workload's pods."""
    return [each["metadata"]["name"] for each in PodOwners("ns", pods, workloads).pods_of(*workloads[0])]


class TestPodsOfAWorkload:
    @pytest.mark.parametrize("chain", CHAINS, ids="-".join)
    def test_pods_at_the_end_of_the_owner_chain_belong_to_the_workload(self, chain: tuple[str, ...]) -> None:
        workloads = [workload(chain[0]), *(workload(kind, kind, "top") for kind in chain[1:])]
        pods = [pod(workloads[-1][1]["metadata"]["uid"]), pod("another", "q"), pod("", "r")]
        assert names(pods, *workloads) == ["p"]

    def test_a_name_and_a_kind_without_the_uid_are_not_enough(self) -> None:
        forged = pod("x")
        forged["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "top", "controller": True}]
        assert names([forged], workload("ReplicaSet")) == []

    def test_an_owner_that_is_not_a_controller_does_not_count(self) -> None:
        owned = obj("p", spec=spec(), metadata={"ownerReferences": [{"uid": "top"}]})
        assert names([owned], workload("ReplicaSet")) == []

    def test_a_workload_without_a_uid_has_no_pods(self) -> None:
        kind, nameless = workload("ReplicaSet")
        nameless["metadata"]["uid"] = ""
        assert names([pod(""), obj("q", metadata={"ownerReferences": [{"controller": True}]})], (kind, nameless)) == []

    def test_a_deployment_owns_pods_only_through_replica_sets(self) -> None:
        assert names([pod("top"), pod("job", "q")], workload("Deployment"), workload("Job", "job", "top")) == []

    def test_a_circle_of_owners_ends(self) -> None:
        circle = [workload("Deployment", "top", "rs"), workload("ReplicaSet", "rs", "top")]
        assert names([pod("rs")], *circle) == ["p"]
        owners = PodOwners("ns", [pod("rs")], circle)
        assert owners.templated == {"p"}
        assert [owners.is_made(*each) for each in circle] == [False, True]

    @pytest.mark.parametrize(
        "parts",
        [{"status": {"phase": "Failed"}}, {"status": {"phase": "Succeeded"}}, {"metadata": {"deletionTimestamp": "t"}}],
    )
    def test_a_finished_or_terminating_pod_pulls_no_image(self, parts: Any) -> None:
        assert not can_pull(pod("top", **parts))
        assert names([pod("top", **parts)], workload("ReplicaSet")) == []

    @pytest.mark.parametrize(
        "older", [spec("q.io/app:0"), spec(IMAGE, "s"), spec(account="b"), {"containers": [{"name": "b"}]}]
    )
    def test_a_replica_set_of_an_older_template_does_not_count(self, older: Any) -> None:
        made = [workload("ReplicaSet", "old", "top", older), workload("ReplicaSet", "new", "top")]
        assert names([pod("old", "o", older), pod("new", "n")], workload("Deployment"), *made) == ["n"]

    @pytest.mark.parametrize("older", [spec("q.io/app:0"), spec(account="b"), {"containers": []}])
    def test_a_pod_of_an_older_template_does_not_count(self, older: Any) -> None:
        assert names([pod("top", "o", older), pod("top", "n")], workload("StatefulSet")) == ["n"]

    def test_the_list_of_the_template_decides_and_that_of_the_account_does_not(self) -> None:
        pods = [pod("top", "x", spec(IMAGE, "x")), pod("top", "y", spec(IMAGE, "y"))]
        assert names(pods, workload("ReplicaSet")) == ["x", "y"]
        assert names(pods, workload("ReplicaSet", template=spec(IMAGE, "x"))) == ["x"]

    def test_the_template_of_a_job_never_changes(self) -> None:
        assert names([pod("top", template=spec("mirror.io/app:1"))], workload("Job")) == ["p"]

    def test_a_name_without_a_registry_is_completed_on_admission(self) -> None:
        pods = [pod("top", template=spec("q.io/ns/app@sha256:0")), pod("top", "q", spec("app:2"))]
        assert names(pods, workload("ReplicaSet", template=spec("app:1"))) == ["p"]

    @pytest.mark.parametrize(
        ("kind", "label", "parts"),
        [
            ("StatefulSet", "controller-revision-hash", {"status": {"updateRevision": "2"}}),
            (
                "DaemonSet",
                "pod-template-generation",
                {"metadata": {"annotations": {"deprecated.daemonset.template.generation": "2"}}},
            ),
        ],
    )
    def test_the_mark_of_the_controller_decides_for_any_pod(self, kind: str, label: str, parts: Any) -> None:
        new = pod("top", "n", spec("rewritten.io/app"), metadata={"labels": {label: "2"}})
        old = pod("top", "o", metadata={"labels": {label: "1"}})
        assert names([new, old], workload(kind, **parts)) == ["n"]


class TestTemplated:
    def test_templated_pods_have_a_chain_that_leads_to_a_known_template(self) -> None:
        workloads = [
            workload("Deployment"),
            workload("ReplicaSet", "rs", "top"),
            workload("ReplicaSet", "of-another", "a custom resource"),
        ]
        pods = [pod("rs", "a"), pod("of-another", "b"), pod("nothing", "c"), pod("", "d"), pod("top", "forged")]
        owners = PodOwners("ns", pods, workloads)
        assert owners.templated == {"a", "b"}
        assert [is_controlled(each) for _kind, each in workloads] == [False, True, True]
        assert [owners.is_made(*each) for each in workloads] == [False, True, False]

    @ENDED
    def test_a_pod_of_an_ended_job_has_no_template(self, status: dict[str, Any]) -> None:
        workloads = [workload("Job", status=status), workload("Job", "other")]
        assert PodOwners("ns", [pod("top"), pod("other", "q")], workloads).templated == {"q"}


class TestCreators:
    """A workload without an answer of its own has an owner whose answer covers it."""

    @pytest.mark.parametrize(("kind", "made"), [chain for chain in CHAINS if len(chain) == 2], ids="-".join)
    def test_a_workload_is_made_by_a_known_one_of_the_right_kind(self, kind: str, made: str) -> None:
        of_top = workload(made, "made", "top")
        assert PodOwners("ns", [], [workload(kind), of_top]).is_made(*of_top)
        assert not PodOwners("ns", [], [of_top]).is_made(*of_top)
        assert not PodOwners("ns", [], [workload("StatefulSet"), of_top]).is_made(*of_top)
        other = workload("StatefulSet", "other", "top")
        assert not PodOwners("ns", [], [workload(kind), other]).is_made(*other)

    def test_circles_of_forged_references_hide_nothing(self) -> None:
        kinds = ("ReplicaSet", "StatefulSet", "Job")
        circle = [workload(kind, str(at), str((at + 1) % 3)) for at, kind in enumerate(kinds)]
        own = workload("Deployment", "own", "own")
        owners = PodOwners("ns", [], [*circle, own])
        assert [each[1]["metadata"]["name"] for each in owners.creators] == ["0", "1", "2", "own"]

    def test_an_earlier_replica_set_with_pods_creates_pods_as_well(self) -> None:
        made = [
            workload("ReplicaSet", "new", "top"),
            workload("ReplicaSet", "old", "top", spec("q.io/app:0")),
            workload("ReplicaSet", "older", "top", spec("q.io/app:0")),
        ]
        owners = PodOwners(
            "ns", [pod("new", "n"), pod("old", "o", spec("q.io/app:0"))], [workload("Deployment"), *made]
        )
        assert [each[1]["metadata"]["name"] for each in owners.creators] == ["top", "old"]

    @ENDED
    def test_an_ended_job_creates_no_pod(self, status: dict[str, Any]) -> None:
        assert PodOwners("ns", [], [workload("Job", status=status)]).creators == []

    @pytest.mark.parametrize(
        "condition", [{"type": "Failed", "status": "False"}, {"type": "Suspended", "status": "True"}]
    )
    def test_a_job_that_can_go_on_creates_pods(self, condition: dict[str, str]) -> None:
        job = workload("Job", status={"conditions": [condition]})
        assert PodOwners("ns", [], [job]).creators == [job]

    def test_pods_of_an_earlier_template_are_found(self) -> None:
        top = workload("StatefulSet")
        owners = PodOwners("ns", [pod("top", "o", spec("q.io/app:0")), pod("top", "n")], [top])
        assert [each["metadata"]["name"] for each in owners.earlier_pods_of(*top)] == ["o"]
        assert (
            PodOwners("ns", [pod("top")], [workload("Job", template=spec("x.io/a"))]).earlier_pods_of(
                *workload("Job", template=spec("x.io/a"))
            )
            == []
        )
        assert owners.earlier_pods_of(*workload("Deployment")) == []


def answer(verdict: str, *, name: str = "", container: str = "app", image: str = IMAGE, **more: Any) -> PullVerdict:
    """The verdict for a pod with this name, or for the template."""
    ref = ObjectRef(POD, "ns", name) if name else ObjectRef(WORKLOADS["deployment"], "ns", "top")
    cause, pulled = more.get("cause", ""), more.get("is_pulled", False)
    subject = ContainerPull(ref, "default", (), container, image, bool(name), is_pulled=pulled)
    return PullVerdict(subject, verdict, f"why {verdict}", [Step("keys", "seen")], more.get("fix", ()), cause)


PULLS, BREAKS, DOUBT = "pulls", "will_not_pull", "unknown"


class TestAnswer:
    @pytest.mark.parametrize(
        ("template", "of_pod", "verdict"),
        [
            (PULLS, answer(BREAKS, name="p"), BREAKS),
            (PULLS, answer(DOUBT, name="p", cause="node_limit"), DOUBT),
            (PULLS, answer(DOUBT, name="p"), PULLS),
            (PULLS, answer(PULLS, name="p"), PULLS),
            (DOUBT, answer(BREAKS, name="p"), BREAKS),
            (DOUBT, answer(PULLS, name="p", is_pulled=True), DOUBT),
            (BREAKS, answer(PULLS, name="p", is_pulled=True), BREAKS),
            (BREAKS, answer(DOUBT, name="p", cause="unknown"), BREAKS),
            (PULLS, answer(BREAKS, name="p", is_pulled=True), PULLS),
        ],
    )
    def test_a_failed_pod_outweighs_a_template_without_an_error(
        self, template: str, of_pod: PullVerdict, verdict: str
    ) -> None:
        (found,) = with_pods([answer(template)], [of_pod])
        assert found.verdict == verdict
        assert found.subject == answer(template).subject

    def test_the_answer_has_the_reason_the_steps_and_the_fix_of_the_pod(self) -> None:
        bad = replace(answer(BREAKS, name="q", cause="denied"), fix=["fix"])
        (found,) = with_pods([answer(PULLS)], [answer(DOUBT, name="p", cause="dns"), bad, answer(PULLS, name="r")])
        assert found.reason == "pod ns/q does not get its image: why will_not_pull"
        assert (found.fix, found.cause) == (["fix"], "denied")
        assert found.steps == [Step("pods", "failed pulls: 2 of 3 pods, such as pod ns/p", ok=False), *bad.steps]

    def test_an_image_that_differs_from_the_template_is_named(self) -> None:
        (found,) = with_pods([answer(PULLS)], [answer(BREAKS, name="p", image="evil.io/x")])
        assert found.reason.startswith("pod ns/p, which has image evil.io/x, does not get its image: ")

    def test_an_image_on_the_node_proves_nothing(self) -> None:
        (found,) = with_pods([answer(DOUBT)], [answer(PULLS, name="p", is_pulled=True), answer(DOUBT, name="q")])
        assert found.steps[-1] == Step(
            "pods", "pods with the image: 1 of 2, which does not mean that the next pod can pull it"
        )
        (none,) = with_pods([answer(DOUBT)], [answer(DOUBT, name="q")])
        assert none.steps[-1].seen == "pods with the image: 0 of 1"

    def test_each_container_has_its_own_answer(self) -> None:
        template = [answer(PULLS), answer(PULLS, container="init")]
        assert with_pods(template, []) == template
        found = with_pods(template, [answer(BREAKS, name="p", container="init")])
        assert [each.verdict for each in found] == [PULLS, BREAKS]
        assert found[0] == template[0]

    def test_a_volume_has_its_own_answer(self) -> None:
        def of(verdict: str, **more: Any) -> PullVerdict:
            found = answer(verdict, container="", **more)
            return replace(found, subject=replace(found.subject, volume="app"))

        template = [answer(PULLS), of(PULLS)]
        found = with_pods(template, [answer(PULLS, name="p"), of(BREAKS, name="p")])
        assert [each.verdict for each in found] == [PULLS, BREAKS]
        assert [each.subject.location for each in added_containers([answer(PULLS)], [of(BREAKS, name="p")])] == [
            "volume app"
        ]

    def test_a_pod_with_another_image_in_a_volume_has_another_template(self) -> None:
        old, new = ({**spec(), "volumes": [{"name": "m", "image": {"reference": f"q.io/m:{tag}"}}]} for tag in "12")
        pods = [pod("top", "o", old), pod("top", "n", new)]
        assert names(pods, workload("ReplicaSet", template=new)) == ["n"]

    def test_a_failed_injected_container_fails_the_workload(self) -> None:
        of_pods = [
            answer(PULLS, name="p"),
            answer(PULLS, name="p", container="well"),
            answer(PULLS, name="p", container="proxy", image="q.io/proxy", is_pulled=True),
            answer(BREAKS, name="q", container="proxy", image="q.io/proxy"),
        ]
        (found,) = added_containers([answer(PULLS)], of_pods)
        subject = found.subject
        assert (subject.ref.name, subject.container, subject.image) == ("top", "proxy", "q.io/proxy")
        assert (found.verdict, found.reason) == (BREAKS, "pod ns/q does not get its image: why will_not_pull")
        assert [*added_containers([], of_pods)] == []


class TestTogether:
    def test_pods_come_first_and_decide(self) -> None:
        workloads = [workload("Deployment"), workload("ReplicaSet", "rs", "top")]
        pods = [pod("rs"), pod("", "q")]

        def explain(subject: ContainerPull) -> PullVerdict:
            return PullVerdict(subject, BREAKS if subject.ref.name == "p" else PULLS, "", [])

        found = explain_together(PodOwners("ns", pods, workloads), pods, workloads[:1], explain)
        assert [(each.subject.ref.name, each.verdict) for each in found] == [
            ("p", BREAKS),
            ("q", PULLS),
            ("top", BREAKS),
        ]

    def test_all_needed_objects_are_wanted_before_the_explanation_stops(self) -> None:
        asked = []

        def explain(subject: ContainerPull) -> PullVerdict:
            asked.append(subject.ref.name)
            raise ReadRequired

        workloads, pods = [workload("ReplicaSet")], [pod("top"), pod("top", "q")]
        with pytest.raises(ReadRequired):
            explain_together(PodOwners("ns", pods, workloads), pods, workloads, explain)
        assert asked == ["p", "q", "top"]
