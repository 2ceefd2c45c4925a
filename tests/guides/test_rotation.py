# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on rotations replaces the old login by the new one in two projects."""

from __future__ import annotations

import pytest
from support.guided import inventory, pull_secret


@pytest.fixture(scope="module")
def own_lab(untouched_lab):
    """The guide disables an account of the registry."""
    return untouched_lab


@pytest.mark.slow
def test_the_rotation_guide_works_as_written(installed, own_lab, pulls):
    own_lab.registry_set("private", "--add", "robot-2")
    registry = own_lab.registry("private")
    old, new = (
        next(one for one in registry["accounts"] if one["username"] == name) for name in (first(registry), "robot-2")
    )
    installed.stand_ins |= {"robot-1": old["username"], "the old one": old["password"], "the new one": new["password"]}
    for name in ("project-a", "project-b"):
        own_lab.namespace(name)
        pull_secret(own_lab, name, "pull", registry["host"], old)
        own_lab.set_account(name, imagePullSecrets=["pull"])
    inventory(installed, credential_rotation_probe=False)
    installed.follow("rotation")
    own_lab.registry_set("private", "--disable", old["username"])
    assert pulls("project-a", registry["image"])
    assert pulls("project-b", registry["image"])


def first(registry):
    return registry["accounts"][0]["username"]
