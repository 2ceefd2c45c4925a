# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each image of a namespace that needs a signature is found once, and no namespace uses up the questions of others."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import (
    ClusterSnapshot,
    SignedImage,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.sources import RegistrySignatures
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules_images import (
    answer_of,
    share_evenly,
    signed_images,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    SIGNATURE_QUESTION,
    SignatureQuestion,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import CLUSTER_POLICIES
from hypothesis import given
from hypothesis import strategies as st
from support.surveyed import deployment, place, pod, replica_set, survey

POLICY = {"metadata": {"name": "signed"}, "spec": {"scopes": ["q.io"]}}


def nodes(**architectures: str) -> dict[ObjectRef, Any]:
    infos = {name: {"nodeInfo": {"architecture": each}} for name, each in architectures.items()}
    return {NODES: {"items": [{"metadata": {"name": name}, "status": status} for name, status in infos.items()]}}


def seen(*pods: Any, workloads: Any = (), **architectures: str) -> ClusterSnapshot:
    more = {CLUSTER_POLICIES: {"items": [POLICY]}, **nodes(**architectures)}
    return survey(place(pods=pods, workloads=workloads), objects=more)


def images(whole: ClusterSnapshot) -> list[SignedImage]:
    return signed_images(whole.accesses["a"], whole.evidence)


def users(whole: ClusterSnapshot) -> list[tuple[str, str, int]]:
    return [(str(each.required.reference), str(each.user), each.others) for each in images(whole)]


def answered(whole: ClusterSnapshot, **outcomes: str) -> RegistrySignatures:
    """The answer for the only image, with these outcomes by architecture."""
    (image,) = images(whole)
    while True:
        try:
            return answer_of(image, whole.evidence)
        except ReadRequired:
            for ref in whole.evidence.take_wanted():
                wanted = SignatureQuestion.of(ref).architectures if ref.kind == SIGNATURE_QUESTION else ()
                rows = [{"outcome": outcomes[each], "message": f"{outcomes[each]} for {each}"} for each in wanted]
                whole.evidence.add({ref: {"outcome": "pulls", "message": "it is there", "platforms": rows}})


class TestImages:
    def test_an_image_is_found_once_with_the_number_of_its_users(self) -> None:
        whole = seen(pod(name="b"), pod(name="a"), pod(name="c", image="q.io/z:1"), pod(name="d", image="x.io/z:1"))
        assert users(whole) == [("q.io/team/app:v1", "pod a/a", 1), ("q.io/z:1", "pod a/c", 0)]

    def test_a_workload_represents_its_pods(self) -> None:
        whole = seen(pod(made=True), workloads=[deployment(), replica_set()])
        assert users(whole) == [("q.io/team/app:v1", "deployment a/web", 1)]

    def test_a_container_that_only_the_pods_have_is_found(self) -> None:
        more = pod(made=True)
        more["spec"]["containers"].append({"name": "injected", "image": "q.io/proxy:v1"})
        found = images(seen(more, workloads=[deployment(), replica_set()]))
        assert [(str(each.user), each.location) for each in found] == [
            ("pod a/app", "injected"),
            ("deployment a/web", "c"),
        ]

    def test_the_volumes_of_a_pod_are_found(self) -> None:
        (_container, volume) = images(seen(pod(volumes=[{"name": "data", "image": {"reference": "q.io/z:1"}}])))
        assert volume.location == "volume data"

    def test_a_cluster_without_policies_has_none(self) -> None:
        whole = survey(place(pods=[pod()]))
        assert images(whole) == []

    def test_a_container_that_can_pull_is_asked_for_first(self) -> None:
        (image,) = images(seen(pod(name="a", says="unauthorized"), pod(name="b", runs=True)))
        assert (str(image.user), str(image.required.subject.ref)) == ("pod a/a", "pod a/b")


class TestArchitectures:
    def test_pods_show_for_which_architectures_a_signature_is_needed(self) -> None:
        whole = seen(pod(name="a", nodeName="n"), workloads=[deployment()], n="amd64", m="arm64")
        assert answered(whole, amd64="signed").fails is False

    def test_a_template_without_pods_may_run_on_any_node(self) -> None:
        whole = seen(workloads=[deployment()], n="amd64", m="arm64")
        found = answered(whole, amd64="signed", arm64="unsigned")
        assert (found.fails, found.said) == (None, "it depends on the architecture of the node: unsigned for arm64")

    def test_pods_on_nodes_of_two_architectures_need_both_signatures(self) -> None:
        whole = seen(pod(name="a", nodeName="n"), pod(name="b", nodeName="m"), n="amd64", m="arm64")
        assert answered(whole, amd64="signed", arm64="unsigned") == RegistrySignatures(True, "unsigned for arm64")

    def test_an_unknown_answer_for_one_architecture_leaves_it_open(self) -> None:
        whole = seen(pod(name="a", nodeName="n"), pod(name="b", nodeName="m"), n="amd64", m="arm64")
        assert answered(whole, amd64="signed", arm64="unknown") == RegistrySignatures(None, "unknown for arm64")


class TestShare:
    def test_each_namespace_gets_its_first_item_before_another_gets_its_second(self) -> None:
        wanted = {"mallory": list(range(10_000)), "a": [1, 2], "empty": [], "b": [7]}
        taken = share_evenly(wanted, 100)
        assert taken[:3] == [("mallory", 0), ("a", 1), ("b", 7)]
        assert [item for namespace, item in taken if namespace == "a"] == [1, 2]
        assert len(taken) == 100

    @given(st.dictionaries(st.text(max_size=2), st.lists(st.integers(), max_size=9), max_size=6), st.integers(0, 30))
    def test_no_namespace_has_less_than_its_share_or_more_than_another_lacks(self, wanted: Any, most: int) -> None:
        taken = share_evenly(wanted, most)
        assert len(taken) == min(most, sum(map(len, wanted.values())))
        counts = {name: sum(namespace == name for namespace, _item in taken) for name in wanted}
        for name, items in wanted.items():
            assert [item for namespace, item in taken if namespace == name] == items[: counts[name]]
            if counts[name] < len(items):
                assert max(counts.values()) <= counts[name] + 1


@pytest.mark.parametrize("most", [0, 1])
def test_a_share_of_nothing_is_empty(most: int) -> None:
    assert share_evenly({}, most) == []
