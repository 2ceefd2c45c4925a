# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks for our collection in the guide for users of kubernetes.core work as written."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

#: Only the benchmark's environment has kubernetes.core. tests/bench/kubernetes_core.yml runs the same tasks.
THEIRS = "kubernetes.core is not installed here; the benchmark runs the same tasks"


def test_the_kubernetes_core_guide_works_as_written(installed, own_lab, pulls):
    for name in ("project-a", "project-b"):
        own_lab.namespace(name)
    installed.follow(
        "kubernetes_core", only_shown={"kubernetes.core.k8s:": THEIRS, "kubernetes.core.k8s_info:": THEIRS}
    )
    assert pulls("project-b", own_lab.registry("private")["image"])
    assert pulls("project-a", own_lab.registry("integrated")["image"], name="second")
