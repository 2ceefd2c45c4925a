# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registries for which nodes may have credentials of their own."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import (
    cloud_of,
    crio_matches,
    crio_problem,
    platform_of,
)
from hypothesis import given
from support.anything import CHANGES, Changed

CONFIG: dict[str, Any] = {
    "spec": {"matchImages": ["*.example.com", "q.io/team", 5]},
    "status": {
        "conditions": [
            {"type": "MachineConfigRendered", "status": "False", "message": "no"},
            {
                "type": "Validated",
                "status": "False",
                "reason": "ValidationFailed",
                "message": "a\nhttps://u:geheim@q.io/",
            },
        ]
    },
}


@pytest.mark.parametrize(
    ("repository", "cloud"),
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/app", "AWS"),
        ("team.azurecr.io/app", "Azure"),
        ("gcr.io/team/app", "GCP"),
        ("eu.gcr.io/team/app", "GCP"),
        ("europe-docker.pkg.dev/team/app", "GCP"),
        ("public.ecr.aws/x/app", ""),
        ("azurecr.io/app", ""),
        ("q.io/team/app", ""),
        ("gcr.io.example.com/app", ""),
    ],
)
def test_the_cloud_of_a_registry(repository: str, cloud: str) -> None:
    assert cloud_of(repository) == cloud


def test_where_a_cluster_runs() -> None:
    assert platform_of({"status": {"platformStatus": {"type": "AWS"}}}) == "AWS"
    assert platform_of(None) == platform_of({"status": {"platformStatus": {"type": 5}}}) == ""


@pytest.mark.parametrize(
    ("repository", "match"),
    [("r.example.com/a", "*.example.com"), ("q.io/team/app", "q.io/team"), ("q.io/a", ""), ("example.com/a", "")],
)
def test_the_images_of_crios_provider(repository: str, match: str) -> None:
    assert crio_matches(CONFIG, repository) == match


def test_what_is_said_against_it() -> None:
    assert crio_problem(CONFIG).startswith("a https://")
    assert "geheim" not in crio_problem(CONFIG)
    assert crio_problem({"status": {"conditions": [{"type": "Validated", "status": "True", "message": "x"}]}}) == ""
    assert crio_problem({"status": {"conditions": [{"type": "Validated", "status": "False"}]}}) == "no reason is given"
    assert crio_problem(None) == ""


@given(CHANGES)
def test_whatever_they_hold(change: Changed) -> None:
    found = change(
        {"spec": {"matchImages": ["*.io"]}, "status": {"conditions": [{"type": "Validated", "status": "False"}]}}
    )
    if isinstance(found, dict):
        crio_matches(found, "q.io/a")
        crio_problem(found)
        platform_of(found)
