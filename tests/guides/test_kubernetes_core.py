# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide for those who come from kubernetes.core: our half of each pair is run."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

#: kubernetes.core is in the benchmark's environment only; the same tasks are run in tests/bench/kubernetes_core.yml.
THEIRS = "kubernetes.core is not installed here; the benchmark runs the same tasks"


def test_the_kubernetes_core_guide_works_as_written(installed, own_lab, pulls):
    for name in ("project-a", "project-b"):
        own_lab.namespace(name)
    installed.follow(
        "kubernetes_core", only_shown={"kubernetes.core.k8s:": THEIRS, "kubernetes.core.k8s_info:": THEIRS}
    )
    assert pulls("project-b", own_lab.registry("private")["image"])
    assert pulls("project-a", own_lab.registry("integrated")["image"], name="second")
