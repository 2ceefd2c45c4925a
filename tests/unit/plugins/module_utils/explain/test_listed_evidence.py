# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Equal pods are explained once, and each failing pod is reported with its own message."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import POD, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.listed_evidence import (
    ContainerExplanations,
    ListedLookup,
    explanation_key,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import (
    ContainerPull,
    StreamSource,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from support.surveyed import deployment, place, pod, replica_set, secret, survey


class Counting(ListedLookup):
    """Count the look-ups."""

    looks = 0

    def look(self, ref: ObjectRef):
        Counting.looks += 1
        return super().look(ref)


def looks(seen) -> int:
    evidence = Counting({"a": seen}, (), has_streams=True)
    known = survey(seen).evidence
    evidence._known = known._known
    Counting.looks = 0
    ContainerExplanations(evidence).of(seen)
    return Counting.looks


def test_a_thousand_pods_that_are_alike_cost_as_much_as_one() -> None:
    def pods(count: int, **more):
        return place(secrets=[secret("s")], pods=[pod("s", name=f"p{number}", **more) for number in range(count)])

    assert looks(pods(1000)) == looks(pods(1))
    assert looks(pods(10, says="denied")) > looks(pods(1, says="denied"))


def test_each_failing_pod_is_named() -> None:
    seen = place(secrets=[secret("s", "no JSON")], pods=[pod("s", name="one"), pod("s", name="two")])
    accesses = survey(seen).accesses["a"]
    assert [access.subject.ref.name for access in accesses] == ["one", "two"]
    assert [access.verdict for access in accesses] == ["will_not_pull"] * 2


def test_pods_are_alike_only_with_the_same_account_list_image_and_state() -> None:
    others = [
        pod("s"),
        pod("s", image="other.io/a"),
        pod(),
        pod("s", serviceAccountName="b"),
        pod("s", image="other.io/a", runs=True),
    ]
    accesses = survey(place(secrets=[secret("s")], pods=others)).accesses["a"]
    assert [access.verdict for access in accesses] == ["pulls", "unknown", "unknown", "pulls", "pulls"]


def test_the_pull_policy_and_the_stream_decide_too() -> None:
    never = pod("s", name="b", policy="Never")
    accesses = survey(place(secrets=[secret("s")], pods=[pod("s"), never])).accesses["a"]
    assert [access.verdict for access in accesses] == ["pulls", "unknown"]


def test_volumes_are_alike_but_not_like_containers() -> None:
    subject = ContainerPull(ObjectRef(POD, "a", "p"), "default", (), "c", "app:v1", is_pod=True)
    volume = replace(subject, container="", volume="model")
    assert explanation_key(volume) == explanation_key(replace(volume, volume="data"))
    assert explanation_key(volume) != explanation_key(subject)


def test_a_working_pull_keeps_only_its_verdict() -> None:
    (access,) = survey(place(secrets=[secret("s")], pods=[pod("s")])).accesses["a"]
    assert (access.steps, access.reason) == ((), "")


def test_finished_terminating_and_made_objects_are_left_out() -> None:
    going = {**pod(), "metadata": {"name": "g", "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    ended = {**pod(), "status": {"phase": "Failed"}}
    kind, made = deployment()
    done = made | {"status": {"completionTime": "2026-01-01T00:00:00Z"}}
    assert survey(place(pods=[going, ended], workloads=[(kind, done)])).accesses["a"] == []
    found = survey(place(workloads=[(kind, made), replica_set()])).accesses["a"]
    assert [str(each.subject.ref) for each in found] == ["deployment a/web"]


def test_a_workload_of_a_custom_resource_is_explained_with_its_pods() -> None:
    kind, made = replica_set()
    made["metadata"]["ownerReferences"] = [{"kind": "Rollout", "name": "x", "uid": "x", "controller": True}]
    found = survey(place(pods=[pod(made=True)], workloads=[(kind, made)]))
    assert [str(each.subject.ref) for each in found.accesses["a"]] == ["pod a/app", "replica set a/web-1"]
    assert found.places["a"].templated == {"app"}


def test_all_needed_objects_are_requested_at_once() -> None:
    evidence = Lookup()
    with pytest.raises(ReadRequired):
        ContainerExplanations(evidence).of(place(pods=[pod("s"), pod("t")]))
    assert {ref.name for ref in evidence.take_wanted()} >= {"s", "t"}


class TestAlike:
    POD = ContainerPull(ObjectRef(POD, "ns", "p"), "default", ("a",), "app", "q.io/app:v1", is_pod=True)

    def test_names_and_nodes_do_not_matter(self) -> None:
        other = replace(self.POD, ref=ObjectRef(POD, "ns", "other"), container="x", node="n", created="t", uid="u")
        assert explanation_key(other) == explanation_key(self.POD)
        assert hash(explanation_key(other)) == hash(explanation_key(self.POD))

    @pytest.mark.parametrize(
        "change",
        [
            {"ref": ObjectRef(POD, "b", "p")},
            {"account": "x"},
            {"own": ["b"]},
            {"image": "q.io/other"},
            {"is_pod": False},
            {"is_pulled": True},
            {"pull_policy": "Never"},
            {"source": StreamSource(ObjectRef(IMAGE_STREAM, "ns", "app"), "v1")},
            {"resolves_names": True},
        ],
    )
    def test_each_deciding_field_makes_pods_different(self, change: dict[str, Any]) -> None:
        assert explanation_key(replace(self.POD, **change)) != explanation_key(self.POD)

    def test_registries_are_asked_for_the_architecture_of_the_node(self) -> None:
        evidence = Lookup()
        nodes = [("a", "amd64"), ("b", "amd64"), ("z", "s390x")]
        listed = [{"metadata": {"name": name}, "status": {"nodeInfo": {"architecture": arch}}} for name, arch in nodes]
        evidence.add({NODES: {"items": listed}})
        keys = {name: explanation_key(replace(self.POD, node=name), evidence) for name, _arch in nodes}
        assert keys["a"] == keys["b"] != keys["z"]

    def test_the_node_resolves_a_name_without_a_registry(self) -> None:
        short = replace(self.POD, image="app:v1")
        assert explanation_key(replace(short, node="n")) != explanation_key(short)
