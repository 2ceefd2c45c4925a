# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on pulls without pull secrets sets up the provider for mirrors, and finds a secret that nothing references."""

from __future__ import annotations

from typing import Any

import pytest
from support.guided import inventory
from support.provider import PROVIDERS
from support.registry_settings import auth_file, pull_secret

pytestmark = pytest.mark.slow


def test_the_guide_without_pull_secrets_works_as_written(installed: Any, own_lab: Any) -> None:
    own_lab.namespace("project-a")
    own_lab.create("project-a", "secrets", pull_secret("old-pull", auth_file({"registry.example.com": ("u", "p")})))
    inventory(installed)
    installed.follow("no_pull_secret")
    host = own_lab.registry("private")["host"]  # stands in for registry.example.com
    assert own_lab.api("GET", f"{PROVIDERS}/cluster")["spec"] == {"matchImages": [host]}
    own_lab.api("GET", "/api/v1/namespaces/project-a/secrets", user="system:serviceaccount:project-a:default")
    own_lab.api("DELETE", f"{PROVIDERS}/cluster")
