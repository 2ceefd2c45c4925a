# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on explanations works for a pod whose only secret has a type that no node reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.guided import broken_pod, deployment, inventory, written

pytestmark = pytest.mark.slow


def test_the_explain_guide_works_as_written(installed, own_lab):
    own_lab.namespace("project-a")
    broken_pod(own_lab, "project-a")
    deployment(own_lab, "project-a")
    account = own_lab.registry("private")["accounts"][0]
    installed.stand_ins["developer@example.com"] = account["username"]
    # The play must not use the kubeconfig of the home.
    kubeconfig = installed.folder / "kubeconfig"
    (Path(installed.environment["HOME"]) / ".kube" / "config").rename(kubeconfig)
    inventory(installed, image_pull_kubeconfig=str(kubeconfig), vaulted_registry_password=account["password"])
    installed.follow("explain")
    host = own_lab.registry("private")["host"]
    assert written(own_lab, "project-a", "pull") == {host: (account["username"], account["password"])}
