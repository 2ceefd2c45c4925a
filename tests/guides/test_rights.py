# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on rights creates an account that sets up two projects, its manifests for an administrator, and one for hosted clusters."""

from __future__ import annotations

import pytest
from support.guided import inventory, written
from support.hypershift import host_a_cluster

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def own_lab(untouched_lab):
    """The guide creates cluster roles."""
    return untouched_lab


def test_the_rights_guide_works_as_written(installed, own_lab, pulls):
    for name in ("project-a", "project-b", "image-pull-automation", "clusters"):
        own_lab.namespace(name)
    host_a_cluster(own_lab, "clusters")
    registry = own_lab.registry("private")
    login = registry["accounts"][0]
    inventory(
        installed,
        automation_account_namespace="image-pull-automation",
        automation_account_namespaces=["project-a", "project-b"],
        automation_account_jobs=["secrets", "links", "wait"],
        private_registry_secrets=[
            {
                "name": "team-registry",
                "namespaces": ["project-a", "project-b"],
                "registries": [{"registry": registry["host"], **login}],
            }
        ],
    )
    # The host of the inventory is named production.
    installed.stand_ins |= {"east.kubeconfig": "production.kubeconfig"}
    installed.follow("rights")
    for name in ("project-a", "project-b"):
        assert written(own_lab, name, "team-registry") == {registry["host"]: (login["username"], login["password"])}
        assert pulls(name, registry["image"])
