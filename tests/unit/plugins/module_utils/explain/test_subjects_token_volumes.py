# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node may request tokens for the audiences in the volumes of a pod, and CSI drivers may add others."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import (
    audiences_of,
    trim_token_volumes,
)

#: The volume that the API server adds to each pod.
OF_ALL = {
    "name": "kube-api-access-x",
    "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "ca"}}]},
}


def projected(*audiences: Any) -> dict[str, Any]:
    sources = [{"serviceAccountToken": {"audience": each, "path": "t"}} for each in audiences]
    return {"name": "tokens", "projected": {"defaultMode": 420, "sources": sources}}


CASES = [
    ((), ()),
    ((OF_ALL, {"name": "a", "emptyDir": {}}, {"name": "b", "secret": {"secretName": "s"}}), ()),
    # Kinds whose content the kubelet itself provides.
    (tuple({"name": "a", kind: {}} for kind in ("configMap", "downwardAPI", "hostPath", "image", "nfs")), ()),
    ((OF_ALL, projected("vault", "sts"), projected("sts")), ("sts", "vault")),
    ((projected(5, None), "odd", {"name": "a", "projected": {"sources": "odd"}}), ()),
    ((projected("sts"), {"name": "a", "csi": {"driver": "d"}}), None),
    (({"name": "a", "persistentVolumeClaim": {"claimName": "c"}},), None),
    (({"name": "a", "ephemeral": {}},), None),
    (({"name": "a", "azureFile": {}},), None),
]


@pytest.mark.parametrize(("volumes", "audiences"), CASES)
def test_the_audiences_of_projected_tokens_count_unless_a_driver_may_request_others(
    volumes: Any, audiences: Any
) -> None:
    assert audiences_of({"volumes": [*volumes]}) == audiences


@pytest.mark.parametrize(("volumes", "audiences"), CASES)
def test_trimmed_volumes_have_the_same_audiences(volumes: Any, audiences: Any) -> None:
    assert audiences_of({"volumes": [*trim_token_volumes({"volumes": [*volumes]})]}) == audiences


def test_only_the_audiences_and_the_kinds_with_a_driver_are_kept() -> None:
    volumes = [OF_ALL, projected("sts"), {"name": "a", "csi": {"driver": "d", "volumeAttributes": {"p": "secret"}}}]
    assert [*trim_token_volumes({"volumes": volumes})] == [
        {"projected": {"sources": [{"serviceAccountToken": {"audience": "sts"}}]}},
        {"csi": None},
    ]
