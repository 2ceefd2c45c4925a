# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The security guide's playbook and its search for a leaked password work, and neither shows a credential."""

from __future__ import annotations

import yaml
from support.guided import inventory, written


def test_the_security_guide_works_as_written(installed, own_lab):
    account = own_lab.registry("private")["accounts"][0]
    own_lab.namespace("project-a")
    inventory(installed, leaked_password=account["password"])
    installed.stand_ins["developer@example.com"] = account["username"]
    installed.write("vault.yml", yaml.dump({"registry_password": account["password"]}))
    installed.follow("security")
    assert written(own_lab, "project-a", "private-registry")[own_lab.registry("private")["host"]] == (
        account["username"],
        account["password"],
    )
