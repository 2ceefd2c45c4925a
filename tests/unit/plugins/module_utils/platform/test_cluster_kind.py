# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters are told apart by who looks after their nodes' pull secret."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster_kind import (
    HOSTED,
    KUBERNETES,
    MANAGED,
    MANAGEMENT,
    MICROSHIFT,
    STANDALONE,
    has_openshift_config,
    nature_of,
    why_there_is_none,
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
        # ROSA HCP has the tags of managed clusters, too.
        (OPENSHIFT, infrastructure("External", aws=tags("red-hat-managed")), HOSTED),
        (OPENSHIFT, infrastructure(aws=tags("red-hat-managed")), MANAGED),
        (OPENSHIFT, infrastructure(gcp=tags("red-hat-managed", "resourceLabels")), MANAGED),
        ((*OPENSHIFT, "upgrade.managed.openshift.io"), infrastructure(), MANAGED),
        ((*OPENSHIFT, "managed.openshift.io"), infrastructure(), MANAGED),
        ((*OPENSHIFT, "unmanaged.openshift.io"), infrastructure(), STANDALONE),
        (("apps",), None, KUBERNETES),
    ],
)
def test_which_it_is(groups: tuple[str, ...], object_: Any, nature: str) -> None:
    assert nature_of(groups, object_, microshift=False) == nature


def test_microshift_says_so_itself() -> None:
    assert nature_of(("apps", "route.openshift.io"), None, microshift=True) == MICROSHIFT
    assert nature_of(OPENSHIFT, infrastructure(), microshift=True) == STANDALONE


@pytest.mark.parametrize(
    "odd",
    [None, {}, {"status": None}, {"status": {"platformStatus": {"aws": None, "gcp": {"resourceTags": [None, 1, {}]}}}}],
)
def test_what_is_not_understood_is_no_reason(odd: Any) -> None:
    assert nature_of(OPENSHIFT, odd, microshift=False) == STANDALONE


def test_has_openshift_config() -> None:
    assert has_openshift_config(OPENSHIFT)
    assert not has_openshift_config(("route.openshift.io",))


def test_two_have_none() -> None:
    assert "is not OpenShift" in why_there_is_none(KUBERNETES)
    assert "/etc/crio/openshift-pull-secret" in why_there_is_none(MICROSHIFT)
    assert {why_there_is_none(each) for each in (STANDALONE, MANAGED, HOSTED, MANAGEMENT)} == {""}
