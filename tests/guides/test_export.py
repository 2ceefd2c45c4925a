# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on exports takes over a secret and a link that were created by hand into the inventory."""

from __future__ import annotations

import base64
import json

import pytest

pytestmark = pytest.mark.slow


def test_the_export_guide_works_as_written(installed, own_lab):
    registry = own_lab.registry("private")
    own_lab.namespace("project-a")
    login = f"{registry['accounts'][0]['username']}:{registry['accounts'][0]['password']}"
    auths = {registry["host"]: {"auth": base64.b64encode(login.encode()).decode()}}
    data = {".dockerconfigjson": base64.b64encode(json.dumps({"auths": auths}).encode()).decode()}
    body = {"metadata": {"name": "by-hand"}, "type": "kubernetes.io/dockerconfigjson", "data": data}
    own_lab.create("project-a", "secrets", body)
    own_lab.set_account("project-a", imagePullSecrets=["by-hand"])

    installed.follow("export")

    written = installed.folder / "inventory" / "host_vars" / "my-cluster"
    assert "by-hand" in (written / "image_pull.yml").read_text()
    assert (written / "image_pull_vault.yml").read_text().startswith("$ANSIBLE_VAULT")
