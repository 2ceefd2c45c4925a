# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A missing object is requested once, and a known object is returned."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, Json, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    Lookup,
    ReadRequired,
    UnreadableObject,
    items_of,
    nodes_for,
    refs_of_nodes,
    require_all,
    try_lookup,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    KNOWN_IMAGE_POLICIES,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import network_ref
from support.pull_evidence import REFUSED, node, pod

A, B = (ObjectRef(SECRET, "ns", name) for name in "ab")


def test_an_unknown_object_is_wanted_once() -> None:
    evidence = Lookup()
    for ref in (A, B, A):
        with pytest.raises(ReadRequired):
            evidence.look(ref)
    assert evidence.take_wanted() == [A, B]
    assert evidence.take_wanted() == []


def test_an_object_that_is_only_peeked_at_is_not_wanted() -> None:
    evidence = Lookup({A: {"data": {}}})
    assert (evidence.peek(A), evidence.peek(B), evidence.take_wanted()) == ({"data": {}}, None, [])
    with pytest.raises(ReadRequired):
        evidence.look(B)
    assert (evidence.peek(B), evidence.take_wanted()) == (None, [B])
    assert Lookup({A: REFUSED}).peek(A) is None


def test_a_known_object_is_not_wanted() -> None:
    evidence = Lookup({A: {"data": {}}})
    evidence.add({B: None})
    assert (evidence.look(A), evidence.look(B)) == ({"data": {}}, None)
    assert evidence.take_wanted() == []


def test_facts_that_no_caller_has_to_read_are_not_wanted() -> None:
    evidence = Lookup()
    assert (evidence.look(network_ref("q.io")), evidence.look(KNOWN_IMAGE_POLICIES)) == (None, None)
    assert evidence.take_wanted() == []


def test_an_unreadable_object_raises_its_reason() -> None:
    with pytest.raises(UnreadableObject, match="^refused$"):
        Lookup({A: ImagePullError("refused")}).look(A)


def test_a_derived_value_is_computed_once_until_its_object_is_read_again() -> None:
    asked: list[Json | None] = []

    def length(obj: Json | None) -> int:
        asked.append(obj)
        return len(obj or {})

    evidence = Lookup({A: {"data": {}}, B: ImagePullError("refused")})
    assert (evidence.derive(A, length), evidence.derive(A, length)) == (1, 1)
    assert len(asked) == 1
    evidence.add({B: None})
    assert (evidence.derive(A, length), evidence.derive(B, length), len(asked)) == (1, 0, 2)
    evidence.add({A: None})
    assert evidence.derive(A, length) == 0
    with pytest.raises(ReadRequired):
        Lookup().derive(A, length)
    with pytest.raises(UnreadableObject):
        Lookup({A: ImagePullError("refused")}).derive(A, length)


def test_an_unreadable_object_is_listed_with_its_reason() -> None:
    evidence = Lookup({A: ImagePullError("refused"), B: None})
    assert evidence.unread == {A: "refused"}
    evidence.add({A: None})
    assert evidence.unread == {}


# --- A step gets the object, its absence or the reason why it cannot be read

ONE, TWO, THREE = (ObjectRef(SECRET, "ns", name) for name in "abc")


def test_look_distinguishes_an_answer_an_absence_and_a_refusal() -> None:
    evidence = Lookup({ONE: {"x": 1}, TWO: None, THREE: REFUSED})
    assert try_lookup(evidence, ONE) == ({"x": 1}, "")
    assert try_lookup(evidence, TWO) == (None, "")
    assert try_lookup(evidence, THREE) == (None, "the caller may not read it")


def test_all_unknown_objects_are_wanted_at_once() -> None:
    evidence = Lookup({TWO: REFUSED})
    with pytest.raises(ReadRequired):
        require_all(evidence, (ONE, TWO, THREE))
    assert evidence.take_wanted() == [ONE, THREE]
    require_all(Lookup({ONE: None}), (ONE,))


@pytest.mark.parametrize(
    ("listed", "items"), [({"items": [{"a": 1}, 5]}, [{"a": 1}, {}]), (None, []), ({"items": "x"}, [])]
)
def test_items_of_returns_the_items_of_a_list(listed: Any, items: Any) -> None:
    assert items_of(listed) == items


class TestNodes:
    ALL = Lookup({NODES: {"items": [node("a"), node("b"), node("c", kubelet="v1.35.0")]}})

    def test_nodes_are_those_of_the_pod_or_one_of_each_kind(self) -> None:
        assert [each.name for each in nodes_for(pod(node="b"), self.ALL)[0]] == ["b"]
        assert [each.kubelet for each in nodes_for(pod(), self.ALL)[0]] == [(1, 34), (1, 35)]
        assert len(nodes_for(pod(node="gone"), self.ALL)[0]) == 2
        assert nodes_for(pod(node="a"), Lookup({NODES: REFUSED})) == ([], "the caller may not read it")
        assert nodes_for(pod(node="a"), Lookup({NODES: None})) == ([], "")

    def test_a_single_pod_needs_only_its_own_node(self) -> None:
        subject = pod(node="a", is_asked_alone=True)
        ref = ObjectRef(NODES.kind, "", "a")
        assert (refs_of_nodes(subject), refs_of_nodes(pod(node="a"))) == ([ref], [NODES])
        assert refs_of_nodes(pod(is_asked_alone=True)) == [NODES]
        assert [each.name for each in nodes_for(subject, Lookup({ref: node("a")}))[0]] == ["a"]
        assert nodes_for(subject, Lookup({ref: None})) == ([], "")
        assert nodes_for(subject, Lookup({ref: REFUSED})) == ([], "the caller may not read it")
