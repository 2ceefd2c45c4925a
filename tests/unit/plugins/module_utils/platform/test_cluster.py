# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When no pull secret will ever come: facts 7.5 as a table."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform import cluster
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import ClusterFacts

NOT_OPENSHIFT = "this cluster is not OpenShift, so nothing generates pull secrets"
OPENSHIFT = {"apps", "config.openshift.io", "image.openshift.io"}
OFF = "the ImageRegistry capability of this cluster is off, so nothing generates pull secrets"
REMOVED = "the image registry of this cluster is Removed, so nothing generates pull secrets"


def version(desired: str | None = "4.20.1", enabled: Any = ("ImageRegistry",), known: Any = ("ImageRegistry",)) -> Any:
    capabilities = {"enabledCapabilities": enabled, "knownCapabilities": known}
    return {"status": {"desired": {"version": desired}, "capabilities": capabilities}}


def operator(*reasons: str) -> Any:
    return {"status": {"conditions": [{"type": "Available", "reason": reason} for reason in reasons]}}


class TestWhyNoneWillCome:
    @pytest.mark.parametrize(
        ("facts", "reason"),
        [
            (ClusterFacts({"apps", "rbac.authorization.k8s.io"}), NOT_OPENSHIFT),
            (ClusterFacts({"apps", "route.openshift.io"}), NOT_OPENSHIFT),
            (ClusterFacts(None), ""),
            (ClusterFacts(OPENSHIFT), ""),
            (ClusterFacts(OPENSHIFT, version(), operator("Ready")), ""),
            (ClusterFacts(OPENSHIFT, version(enabled=["Build"])), OFF),
            (ClusterFacts(OPENSHIFT, version(enabled=[], known=None)), OFF),
            (ClusterFacts(OPENSHIFT, version(enabled=["Build"], known=["Build"])), ""),
            (ClusterFacts(OPENSHIFT, version(enabled=None)), ""),
            (ClusterFacts(OPENSHIFT, {}, {}), ""),
            (ClusterFacts(OPENSHIFT, version("4.14.9"), operator("Removed")), ""),
            (ClusterFacts(OPENSHIFT, version("4.15.0-rc.1"), operator("Removed")), REMOVED),
            (ClusterFacts(OPENSHIFT, version("4.20.1"), operator("Removed")), REMOVED),
            (ClusterFacts(OPENSHIFT, version(None), operator("Removed")), REMOVED),
            (ClusterFacts(OPENSHIFT, version("unknown"), operator("Removed")), REMOVED),
            (ClusterFacts(OPENSHIFT, None, operator("Removed")), REMOVED),
            (ClusterFacts(OPENSHIFT, version(), operator("Ready", "Removed")), ""),
            (ClusterFacts(OPENSHIFT, version(), operator()), ""),
        ],
    )
    def test_table(self, facts: ClusterFacts, reason: str) -> None:
        """What is unknown proves nothing: then the task waits, with a limit."""
        assert cluster.why_none_will_come(facts) == reason
