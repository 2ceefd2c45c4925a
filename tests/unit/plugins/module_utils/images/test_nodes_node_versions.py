# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions that nodes report are read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import trim_object
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import (
    NodeVersions,
    format_version,
    kinds_of,
    nodes_of,
    release_in,
    version_in,
)
from hypothesis import given
from support.anything import CHANGES, Changed
from support.pull_evidence import node


def of(*nodes: Any) -> list[NodeVersions]:
    return list(nodes_of([*nodes]).values())


def test_kubelet_and_runtime_versions_of_a_node_are_read() -> None:
    assert of(node()) == [NodeVersions("n", (1, 34), "cri-o", (1, 34, 1))]
    assert of(node(runtime="containerd://2.1.0-rc.1", kubelet="v1.35.0+k3s1")) == [
        NodeVersions("n", (1, 35), "containerd", (2, 1, 0))
    ]
    assert of({}, None) == [NodeVersions("", None, "", None)]
    assert nodes_of([]) == {}


def test_nodes_with_equal_versions_are_listed_once() -> None:
    nodes = of(node("a"), node("b"), node("c", kubelet="v1.35.1"), node("d", kubelet="v1.35.3"))
    assert [each.kubelet for each in kinds_of(nodes)] == [(1, 34), (1, 35)]


def test_runtimes_that_differ_in_the_patch_number_are_different_kinds() -> None:
    nodes = of(node("a", "cri-o://1.35.1"), node("b", "cri-o://1.35.2"))
    assert [each.runtime_version for each in kinds_of(nodes)] == [(1, 35, 1), (1, 35, 2)]


@pytest.mark.parametrize(
    ("given", "version"),
    [("1.34.1", (1, 34)), ("v1.35.0-x", (1, 35)), ("1", None), ("", None), ("x1.2", None), ("1.23456", None)],
)
def test_the_major_and_minor_version_is_read(given: str, version: Any) -> None:
    assert version_in(given) == version


@pytest.mark.parametrize(
    ("given", "release"),
    [
        ("1.35.2-3.rhaos4.22.git1a2b3c4.el9", (1, 35, 2)),
        ("1.36.0-rc.0", (1, 36, 0)),
        ("1.35", (1, 35)),
        ("1.35.12345", (1, 35)),
        ("1.35.x", (1, 35)),
        ("1", None),
    ],
)
def test_the_patch_number_of_a_runtime_is_read(given: str, release: Any) -> None:
    assert release_in(given) == release


def test_a_trimmed_list_keeps_only_the_versions() -> None:
    kept = trim_object(NODES.kind, node())
    assert of(kept) == of(node())
    assert "images" not in kept["status"]


@given(CHANGES)
def test_malformed_nodes_raise_no_error(change: Changed) -> None:
    for each in change([node(), node()]) or ():
        if isinstance(each, dict):
            kinds_of(of(trim_object(NODES.kind, each)))


@pytest.mark.parametrize(("version", "text"), [((1, 36, 0), "1.36.0"), ((1, 34), "1.34"), (None, "")])
def test_a_version_is_written_with_its_parts(version: tuple[int, ...] | None, text: str) -> None:
    assert format_version(version) == text
