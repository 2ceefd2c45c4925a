# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on leaving a registry works as written, and the pods then pull with the node's code from the new place alone."""

from __future__ import annotations

import pytest
import yaml
from support.guided import deployment, inventory, pull_secret
from support.playbooks import Unsafe, variables_file

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def own_lab(untouched_lab):
    """The new registry is the delegated one. The test closes the path of the old one."""
    return untouched_lab


def test_the_guide_on_leaving_a_registry_works_as_written(installed, own_lab, pulls):
    old, new = own_lab.registry("private"), own_lab.registry("delegated")
    for project in ("project-a", "project-b"):
        own_lab.namespace(project)
        pull_secret(own_lab, project, "old-pull", old["host"], old["accounts"][0])
        own_lab.set_account(project, imagePullSecrets=["old-pull"])
        deployment(own_lab, project, "web")
    installed.inventory = "inventory/hosts.yml"
    (installed.folder / "inventory").mkdir()
    inventory(installed)
    installed.inventory = "inventory"
    passwords = {
        f"vaulted_{name}_password": Unsafe(registry["accounts"][0]["password"])
        for name, registry in (("registry", old), ("new", new))
    }
    (installed.folder / "inventory" / "group_vars" / "all").mkdir(parents=True)
    (installed.folder / "inventory" / "group_vars" / "all" / "vault.yml").write_text(variables_file(passwords))
    installed.stand_ins |= {
        "quay.example.com": new["host"],
        "puller@example.com": new["accounts"][0]["username"],
        "developer@example.com": old["accounts"][0]["username"],
    }
    installed.follow("leave_a_registry", only_shown={"regsync once": "both registries of the lab have the image"})
    copies = yaml.safe_load((installed.folder / "regsync.yml").read_text(encoding="utf-8"))
    image = f"{new['host']}/team/app:v1"
    assert copies["sync"] == [{"source": old["image"], "target": image, "type": "image"}]
    own_lab.registry_set("private", "--hide", "team/app")
    for project in ("project-a", "project-b"):
        assert not pulls(project, old["image"], name="old")
        assert pulls(project, image, name="new")
