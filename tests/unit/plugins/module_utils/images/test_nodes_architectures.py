# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The architectures of nodes are read from their status, and the limits of a pod from its spec."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import (
    architectures_of,
    limits_of_pod,
    nodes_by_architecture,
    trim_placement,
)
from hypothesis import given
from support.anything import CHANGES, Changed


def node(name: str, architecture: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"nodeInfo": {"architecture": architecture}}}


NODES = [node("b", "arm64"), node("a", "amd64"), node("c", "amd64")]


def test_the_different_architectures_of_the_nodes_are_returned() -> None:
    assert architectures_of(NODES) == ["amd64", "arm64"]
    assert architectures_of(NODES[1:]) == ["amd64"]


@pytest.mark.parametrize("odd", ["", "AMD64", "a/b", "x" * 21, None, 5, ["amd64"], "amd64\n"])
def test_an_odd_architecture_is_left_out(odd: Any) -> None:
    assert architectures_of([node("a", odd), node("b", "s390x")]) == ["s390x"]


def test_unknown_nodes_have_no_architecture() -> None:
    assert architectures_of([]) == []
    assert architectures_of([{}, {"status": None}]) == []


def test_the_nodes_are_grouped_by_their_architecture() -> None:
    assert nodes_by_architecture([*NODES, node("odd", "A")]) == {"amd64": ["a", "c"], "arm64": ["b"]}


def required(*terms: Any) -> dict[str, Any]:
    rule = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [*terms]}}
    return {"affinity": {"nodeAffinity": rule}}


def term(*values: str, key: str = "kubernetes.io/arch", operator: str = "In") -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": [*values]}]}


ZONE = term("a", key="zone")
SELECTED = {"nodeSelector": {"kubernetes.io/arch": "arm64", "zone": "a"}}


@pytest.mark.parametrize(
    ("spec", "limits"),
    [
        ({}, ()),
        ({"nodeSelector": {"zone": "a"}}, ()),
        (SELECTED, ("arm64",)),
        ({"nodeSelector": {"beta.kubernetes.io/arch": "amd64"}}, ("amd64",)),
        (required(term("arm64", "amd64")), ("amd64", "arm64")),
        (required(term("amd64"), term("s390x")), ("amd64", "s390x")),
        (required(term("amd64"), ZONE), ()),
        (required(ZONE), ()),
        (
            required({"matchExpressions": [*term("amd64", "arm64")["matchExpressions"], *ZONE["matchExpressions"]]}),
            ("amd64", "arm64"),
        ),
        (required(term("amd64", operator="NotIn")), ()),
        ({**SELECTED, **required(term("amd64", "arm64"))}, ("arm64",)),
    ],
)
def test_a_pod_is_limited_by_its_node_selector_and_its_required_affinity(spec: Any, limits: Any) -> None:
    assert limits_of_pod(spec) == limits
    assert limits_of_pod(trim_placement(spec)) == limits


def test_a_trimmed_placement_has_nothing_else() -> None:
    assert trim_placement({**SELECTED, "containers": []}) == {"nodeSelector": {"kubernetes.io/arch": "arm64"}}
    assert trim_placement({"affinity": {"podAffinity": {}}}) == {}


@given(CHANGES)
def test_malformed_placements_raise_no_error(change: Changed) -> None:
    spec = change({**SELECTED, **required(term("amd64"), ZONE)})
    if isinstance(spec, dict):
        limits_of_pod(spec)
        trim_placement(spec)


@given(CHANGES)
def test_malformed_nodes_raise_no_error(change: Changed) -> None:
    for each in change(NODES) or ():
        if isinstance(each, dict):
            architectures_of([each])
