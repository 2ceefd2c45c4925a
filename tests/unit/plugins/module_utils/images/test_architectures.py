# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The architectures of nodes are read from their status."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.architectures import architectures_of
from hypothesis import given
from support.anything import CHANGES, Changed


def node(name: str, architecture: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"nodeInfo": {"architecture": architecture}}}


NODES = {"items": [node("b", "arm64"), node("a", "amd64"), node("c", "amd64")]}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("", ["amd64", "arm64"]), ("a", ["amd64"]), ("b", ["arm64"]), ("gone", ["amd64", "arm64"])],
)
def test_the_architectures_of_one_node_or_of_all_are_returned(name: str, expected: list[str]) -> None:
    assert architectures_of(NODES, name) == expected


@pytest.mark.parametrize("odd", ["", "AMD64", "a/b", "x" * 21, None, 5, ["amd64"], "amd64\n"])
def test_an_odd_architecture_is_left_out(odd: Any) -> None:
    assert architectures_of({"items": [node("a", odd), node("b", "s390x")]}) == ["s390x"]


@pytest.mark.parametrize("listed", [None, {}, {"items": None}])
def test_unknown_nodes_have_no_architecture(listed: Any) -> None:
    assert list(architectures_of(listed)) == []


@given(CHANGES)
def test_malformed_nodes_raise_no_error(change: Changed) -> None:
    found = change(NODES)
    architectures_of(found if isinstance(found, dict) else None)
