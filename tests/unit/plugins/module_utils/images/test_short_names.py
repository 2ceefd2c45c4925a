# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names without a registry."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.short_names import (
    candidates,
    may_have_alias,
    search_registries,
)
from hypothesis import given
from support.anything import CHANGES, Changed


def config(registries: Any) -> dict[str, Any]:
    return {"spec": {"registrySources": {"containerRuntimeSearchRegistries": registries}}}


@pytest.mark.parametrize("given_", [None, {}, config(None), config([]), config([5, ""]), config("x")])
def test_openshifts_own_search_registries(given_: Any) -> None:
    assert [*search_registries(given_)] == ["registry.access.redhat.com", "docker.io"]


def test_those_of_the_image_config() -> None:
    assert search_registries(config(["b.io", "a.io", "b.io"])) == ["b.io", "a.io"]


def test_the_image_in_each_registry() -> None:
    assert [str(each) for each in candidates("app:v1", ["docker.io", "q.io:5000", "NO/"])] == [
        "docker.io/library/app:v1",
        "q.io:5000/app:v1",
    ]


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("ubi9/ubi:latest", True),
        ("ubi9", True),
        ("rhel7:1", True),
        ("openshift3/x", True),
        ("team/ubi9", False),
        ("ubix", False),
        ("app", False),
    ],
)
def test_names_that_the_nodes_may_know(image: str, found: bool) -> None:
    assert may_have_alias(image) is found


@given(CHANGES)
def test_whatever_the_config_holds(change: Changed) -> None:
    given_ = change(config(["a.io"]))
    candidates("app", search_registries(given_ if isinstance(given_, dict) else None))
