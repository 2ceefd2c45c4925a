# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Equal pods are explained once, and each failing pod is reported with its own message."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    POD,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Kind,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.listed_evidence import (
    ContainerExplanations,
    ListedLookup,
    explanation_key,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    Lookup,
    ReadRequired,
    UnreadableObject,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import (
    ContainerPull,
    StreamSource,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import (
    CRIO_AUDIENCE,
    CRIO_PROVIDER,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import IMAGE_POLICY
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import (
    SUBJECT_ACCESS_REVIEW,
    secrets_review,
    token_review,
)
from support.pull_evidence import mirrored, node
from support.surveyed import auth, binding, deployment, place, pod, replica_set, secret, stream, survey


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
    failed = made | {
        "status": {"conditions": [{"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}]}
    }
    assert survey(place(pods=[going, ended], workloads=[(kind, done), (kind, failed)])).accesses["a"] == []
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
        keys = {name: explanation_key(replace(self.POD, node=name), evidence, asks=True) for name, _arch in nodes}
        assert keys["a"] == keys["b"] != keys["z"]

    @pytest.mark.parametrize("names", [("old", "new"), ("new", "old")])
    def test_pods_on_nodes_with_other_versions_are_not_alike(self, names: tuple[str, str]) -> None:
        """Only the newer node reads the files of CRI-O's credential provider, which has the only login for the mirror."""
        condition = {"type": "MachineConfigRendered", "status": "True"}
        config = {"spec": {"matchImages": ["q.io"]}, "status": {"conditions": [condition]}}
        rights = (secrets_review("a", "default"), token_review("a", "default", CRIO_AUDIENCE))
        nodes = [node("old"), node("new", "cri-o://1.36.1", "v1.36.1")]
        objects = {**mirrored(only=True), CRIO_PROVIDER[0]: config, NODES: {"items": nodes}}
        pods = [pod(name=f"on-{name}", nodeName=name) for name in names]
        seen = survey(
            place(secrets=[secret("s", {"m.io": auth()})], pods=pods),
            objects={**objects, **{right: {"allowed": True} for right in rights}},
        )
        found = {access.subject.ref.name: access.verdict for access in seen.accesses["a"]}
        assert found == {"on-old": "unknown", "on-new": "pulls"}

    def test_the_node_resolves_a_name_without_a_registry(self) -> None:
        short = replace(self.POD, image="app:v1")
        assert explanation_key(replace(short, node="n")) != explanation_key(short)


# --- Explanations find their objects in the lists. A right is proven by a binding, or the API server is asked for it

REVIEW = ObjectRef(SUBJECT_ACCESS_REVIEW, "a", "b/default")


def listed(seen=None, *, cluster=(), has_streams=True) -> ListedLookup:
    return ListedLookup(
        {"a": seen or place(secrets=[secret("s")], streams=[stream()])}, cluster, has_streams=has_streams
    )


def test_a_lookup_finds_listed_objects_and_knows_missing_ones() -> None:
    evidence = listed()
    assert evidence.look(ObjectRef(SECRET, "a", "s"))["type"] == "kubernetes.io/dockerconfigjson"
    assert evidence.look(ObjectRef(SECRET, "a", "none")) is None
    assert evidence.look(ObjectRef(SERVICE_ACCOUNT, "a", "default"))["metadata"]["name"] == "default"
    assert evidence.look(ObjectRef(IMAGE_STREAM, "a", "app"))["metadata"]["name"] == "app"
    assert evidence.look(ObjectRef(IMAGE_STREAM, "a", "none")) is None
    assert listed(has_streams=False).look(ObjectRef(IMAGE_STREAM, "a", "app")) == {}
    assert evidence.take_wanted() == []


@pytest.mark.parametrize(("kind", "name"), [(SECRET, "s"), (SERVICE_ACCOUNT, "default"), (IMAGE_STREAM, "app")])
def test_a_reference_without_a_name_is_the_whole_list(kind: Kind, name: str) -> None:
    items = listed().look(ObjectRef(kind, "a", ""))["items"]
    assert [item["metadata"]["name"] for item in items] == [name]


def test_role_bindings_are_found_in_their_list() -> None:
    given = binding("x", {"kind": "Group", "name": "system:authenticated"})
    evidence = listed(place(bindings=[given]))
    assert evidence.look(ObjectRef(ROLE_BINDING, "a", "")) == {"items": [given]}
    assert evidence.look(ObjectRef(ROLE_BINDING, "a", "x")) == given
    assert evidence.look(ObjectRef(ROLE_BINDING, "a", "none")) is None
    with pytest.raises(UnreadableObject, match="no right"):
        listed(place(unread={"role bindings": "no right"})).look(ObjectRef(ROLE_BINDING, "a", ""))


def test_an_image_policy_is_found_by_its_name_and_not_by_that_of_an_image_stream() -> None:
    policy = {"metadata": {"name": "app"}, "spec": {}}
    seen = replace(place(streams=[stream("app"), stream("other")]), policies=[policy])
    evidence = listed(seen)
    assert evidence.look(ObjectRef(IMAGE_POLICY, "a", "app")) == policy
    assert evidence.look(ObjectRef(IMAGE_POLICY, "a", "other")) is None
    assert listed(seen, has_streams=False).look(ObjectRef(IMAGE_POLICY, "a", "app")) == policy


def test_an_unreadable_list_is_not_taken_for_absence() -> None:
    with pytest.raises(UnreadableObject, match="no right"):
        listed(place(unread={"secrets": "no right"})).look(ObjectRef(SECRET, "a", "s"))


@pytest.mark.parametrize("ref", [ObjectRef(SECRET, "elsewhere", "s"), NODE_SECRET, REVIEW])
def test_an_object_outside_the_lists_is_requested(ref) -> None:
    evidence = listed()
    with pytest.raises(ReadRequired):
        evidence.look(ref)
    assert evidence.take_wanted() == [ref]


GROUPS = ["system:serviceaccounts:b", "system:serviceaccounts", "system:authenticated"]

SUBJECTS = [{"kind": "Group", "name": name} for name in GROUPS] + [
    {"kind": "ServiceAccount", "name": "default", "namespace": "b"}
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_binding_proves_a_right(subject) -> None:
    assert listed(place(bindings=[binding("x", subject)])).look(REVIEW) == {"allowed": True}
    assert listed(cluster=[binding("x", subject, namespace="")]).look(REVIEW) == {"allowed": True}


@pytest.mark.parametrize(
    "other",
    [
        binding("x", SUBJECTS[0], role="edit"),
        binding("x", {"kind": "Group", "name": "system:serviceaccounts:c"}),
        binding("x", SUBJECTS[3] | {"name": "other"}),
    ],
)
def test_another_role_or_subject_proves_no_right(other) -> None:
    with pytest.raises(ReadRequired):
        listed(place(bindings=[other])).look(REVIEW)


def test_a_grant_proves_nothing_about_secrets() -> None:
    with pytest.raises(ReadRequired):
        listed(place(bindings=[binding("x", SUBJECTS[0])])).look(secrets_review("a", "default"))
