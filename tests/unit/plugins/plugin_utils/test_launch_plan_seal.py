# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only a job with the key, for the same host and in the same run of a workflow, accepts a plan."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.launch import PlanSeal

SEAL = PlanSeal(b"key of the rotation", "17", "east-1")
ROW = {"namespace": "0123", "name": "pull", "uid": "1", "declared": False, "é": None}
PLAN = {"server": "https://a", "registries": ["quay.io"], "secrets": [ROW]}


def test_a_sealed_plan_arrives_unchanged() -> None:
    assert SEAL.unseal(SEAL.seal(PLAN)) == PLAN


def test_a_sealed_plan_contains_no_key() -> None:
    assert "key of the rotation" not in SEAL.seal(PLAN)


@pytest.mark.parametrize("other", [{"key": b"another"}, {"workflow": "18"}, {"workflow": ""}, {"host": "east-2"}])
def test_a_plan_for_another_job_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="seal is not that|another run of the workflow or for another host"):
        SEAL.unseal(replace(SEAL, **other).seal(PLAN))


def test_a_job_outside_a_workflow_accepts_no_plan() -> None:
    alone = replace(SEAL, workflow="")
    with pytest.raises(ValueError, match="another run of the workflow"):
        alone.unseal(alone.seal(PLAN))


@pytest.mark.parametrize("key", [b"", b"key of the rotation"])
def test_a_job_without_the_key_accepts_no_plan(key: bytes) -> None:
    with pytest.raises(ValueError, match="no key: add the credential 'Image pull: seal of plans' to its template"):
        replace(SEAL, key=b"").unseal(replace(SEAL, key=key).seal(PLAN))


TEXT = SEAL.seal(PLAN)


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("0123", "0124"),
        TEXT + " ",
        TEXT[1:],
        TEXT.partition(" ")[2],
        f" {TEXT}",
        f"{TEXT.partition(' ')[0]} {json.dumps({'workflow': '17', 'host': 'east-1', 'plan': PLAN})}",
        "",
        "\udcff {}",
        "é {}",
        None,
        PLAN,
        "/etc/passwd",
    ],
)
def test_a_forged_plan_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="seal is not that of a job of the rotation"):
        SEAL.unseal(text)
