# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of clusters are distinguished by the manager of their nodes' pull secret."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import (
    HOSTED,
    KUBERNETES,
    MANAGED,
    MANAGEMENT,
    MICROSHIFT,
    STANDALONE,
    cluster_kind_of,
    has_openshift_config,
    platform_of,
    why_unsupported,
)

OPENSHIFT = ("apps", "config.openshift.io")


def infrastructure(topology: str = "HighlyAvailable", **platform: Any) -> dict[str, Any]:
    return {"status": {"controlPlaneTopology": topology, "platformStatus": platform}}


def tags(name: str, key: str = "resourceTags") -> dict[str, Any]:
    return {key: [{"key": "other", "value": "x"}, {"key": name, "value": "true"}]}


@pytest.mark.parametrize(
    ("groups", "object_", "nature"),
    [
        (OPENSHIFT, infrastructure(), STANDALONE),
        (OPENSHIFT, infrastructure("SingleReplica", type="AWS", aws=tags("owner")), STANDALONE),
        (OPENSHIFT, infrastructure("External"), HOSTED),
        # ROSA HCP has the tags of managed clusters as well.
        (OPENSHIFT, infrastructure("External", aws=tags("red-hat-managed")), HOSTED),
        (OPENSHIFT, infrastructure(aws=tags("red-hat-managed")), MANAGED),
        (OPENSHIFT, infrastructure(gcp=tags("red-hat-managed", "resourceLabels")), MANAGED),
        ((*OPENSHIFT, "upgrade.managed.openshift.io"), infrastructure(), MANAGED),
        ((*OPENSHIFT, "managed.openshift.io"), infrastructure(), MANAGED),
        ((*OPENSHIFT, "unmanaged.openshift.io"), infrastructure(), STANDALONE),
        (("apps",), None, KUBERNETES),
    ],
)
def test_the_kind_of_cluster_is_recognized(groups: tuple[str, ...], object_: Any, nature: str) -> None:
    assert cluster_kind_of(groups, object_, microshift=False) == nature


def test_microshift_identifies_itself() -> None:
    assert cluster_kind_of(("apps", "route.openshift.io"), None, microshift=True) == MICROSHIFT
    assert cluster_kind_of(OPENSHIFT, infrastructure(), microshift=True) == STANDALONE


@pytest.mark.parametrize(
    "odd",
    [None, {}, {"status": None}, {"status": {"platformStatus": {"aws": None, "gcp": {"resourceTags": [None, 1, {}]}}}}],
)
def test_a_malformed_infrastructure_object_means_a_standalone_cluster(odd: Any) -> None:
    assert cluster_kind_of(OPENSHIFT, odd, microshift=False) == STANDALONE


def test_openshift_config_exists_only_on_openshift() -> None:
    assert has_openshift_config(OPENSHIFT)
    assert not has_openshift_config(("route.openshift.io",))


def test_kubernetes_and_microshift_have_no_cluster_pull_secret() -> None:
    assert "is not OpenShift" in why_unsupported(KUBERNETES)
    assert "/etc/crio/openshift-pull-secret" in why_unsupported(MICROSHIFT)
    assert {why_unsupported(each) for each in (STANDALONE, MANAGED, HOSTED, MANAGEMENT)} == {""}


@pytest.mark.parametrize(
    ("given", "platform"),
    [
        (infrastructure(type="KubeVirt"), "KubeVirt"),
        (infrastructure(), ""),
        (infrastructure(type=5), ""),
        (None, ""),
        ({"status": []}, ""),
    ],
)
def test_the_platform_is_that_of_the_status(given: Any, platform: str) -> None:
    assert platform_of(given) == platform
