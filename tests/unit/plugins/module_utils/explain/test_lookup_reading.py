# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step gets the object, its absence or the reason why it cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    Lookup,
    ReadRequired,
    items_of,
    nodes_for,
    refs_of_nodes,
    require_all,
    try_lookup,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from support.pull_evidence import REFUSED, node, pod

A, B, C = (ObjectRef(SECRET, "ns", name) for name in "abc")


def test_look_distinguishes_an_answer_an_absence_and_a_refusal() -> None:
    evidence = Lookup({A: {"x": 1}, B: None, C: REFUSED})
    assert try_lookup(evidence, A) == ({"x": 1}, "")
    assert try_lookup(evidence, B) == (None, "")
    assert try_lookup(evidence, C) == (None, "the caller may not read it")


def test_all_unknown_objects_are_wanted_at_once() -> None:
    evidence = Lookup({B: REFUSED})
    with pytest.raises(ReadRequired):
        require_all(evidence, (A, B, C))
    assert evidence.take_wanted() == [A, C]
    require_all(Lookup({A: None}), (A,))


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
