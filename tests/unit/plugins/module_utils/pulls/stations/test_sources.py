# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocked and allowed registries, mirrors. What is told in a whole answer is in `test_chain.py`."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.evidence import Evidence
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.nodes.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.nodes.registry_sources import IMAGE_CONFIG
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.pulls.stations.sources import registries

INTEGRATED = "image-registry.openshift-image-registry.svc:5000"


def why_not(image: str, **sources: Any) -> list[str]:
    reference = reference_of(image)
    assert reference is not None
    return [
        seen.reason for seen in registries(reference, Evidence({IMAGE_CONFIG: {"spec": {"registrySources": sources}}}))
    ]


def test_the_integrated_registry_must_be_allowed_too() -> None:
    image = f"{INTEGRATED}/a/b:c"
    assert "has no entry for it" in why_not(image, allowedRegistries=["q.io"])[0]
    assert why_not(image, allowedRegistries=["q.io", INTEGRATED]) == []


def test_what_is_insecure_is_allowed() -> None:
    assert why_not("q.io/a", insecureRegistries=["q.io"]) == []
