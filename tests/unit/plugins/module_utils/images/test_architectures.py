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


@given(CHANGES)
def test_malformed_nodes_raise_no_error(change: Changed) -> None:
    for each in change(NODES) or ():
        if isinstance(each, dict):
            architectures_of([each])
