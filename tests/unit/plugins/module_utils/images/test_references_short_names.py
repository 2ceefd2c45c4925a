# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names without a registry are recognized."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import (
    can_have_alias,
    candidates,
    search_registries,
)
from hypothesis import given
from support.anything import CHANGES, Changed


def config(registries: Any) -> dict[str, Any]:
    return {"spec": {"registrySources": {"containerRuntimeSearchRegistries": registries}}}


@pytest.mark.parametrize("given_", [None, {}, config(None), config([]), config([5, ""]), config("x")])
def test_openshifts_default_search_registries_are_used_without_a_setting(given_: Any) -> None:
    assert [*search_registries(given_)] == ["registry.access.redhat.com", "docker.io"]


def test_the_image_config_sets_the_search_registries() -> None:
    assert search_registries(config(["b.io", "a.io", "b.io"])) == ["b.io", "a.io"]


def test_candidates_lists_the_image_in_each_registry() -> None:
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
def test_short_names_that_nodes_may_know_are_recognized(image: str, found: bool) -> None:
    assert can_have_alias(image) is found


@given(CHANGES)
def test_a_malformed_config_raises_no_error(change: Changed) -> None:
    given_ = change(config(["a.io"]))
    candidates("app", search_registries(given_ if isinstance(given_, dict) else None))
