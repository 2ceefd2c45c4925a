# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registries for which nodes may have their own credentials are recognized."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import (
    cloud_of,
    crio_match,
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
def test_the_cloud_of_a_registry_is_recognized(repository: str, cloud: str) -> None:
    assert cloud_of(repository) == cloud


def test_the_platform_of_a_cluster_is_read() -> None:
    assert platform_of({"status": {"platformStatus": {"type": "AWS"}}}) == "AWS"
    assert platform_of(None) == platform_of({"status": {"platformStatus": {"type": 5}}}) == ""


@pytest.mark.parametrize(
    ("repository", "match"),
    [("r.example.com/a", "*.example.com"), ("q.io/team/app", "q.io/team"), ("q.io/a", ""), ("example.com/a", "")],
)
def test_the_crio_provider_pattern_for_a_repository_is_found(repository: str, match: str) -> None:
    assert crio_match(CONFIG, repository) == match


def test_a_failed_validation_is_reported_without_credentials() -> None:
    assert crio_problem(CONFIG).startswith("a https://")
    assert "geheim" not in crio_problem(CONFIG)
    assert crio_problem({"status": {"conditions": [{"type": "Validated", "status": "True", "message": "x"}]}}) == ""
    assert crio_problem({"status": {"conditions": [{"type": "Validated", "status": "False"}]}}) == "no reason is given"
    assert crio_problem(None) == ""


@given(CHANGES)
def test_malformed_configurations_raise_no_error(change: Changed) -> None:
    found = change(
        {"spec": {"matchImages": ["*.io"]}, "status": {"conditions": [{"type": "Validated", "status": "False"}]}}
    )
    if isinstance(found, dict):
        crio_match(found, "q.io/a")
        crio_problem(found)
        platform_of(found)
