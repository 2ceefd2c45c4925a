# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on pulls without pull secrets sets up the provider for mirrors, takes it back, and finds a secret that nothing references."""

from __future__ import annotations

from typing import Any

import pytest
from support.provider import PROVIDERS, remove_provider
from support.registry_settings import auth_file, pull_secret

pytestmark = pytest.mark.slow


def test_the_guide_without_pull_secrets_works_as_written(installed: Any, own_lab: Any) -> None:
    remove_provider(own_lab)
    own_lab.namespace("project-a")
    own_lab.create("project-a", "secrets", pull_secret("old-pull", auth_file({"registry.example.com": ("u", "p")})))

    def may_list() -> bool:
        user = "system:serviceaccount:project-a:default"
        answer = own_lab.api("GET", "/api/v1/namespaces/project-a/secrets", user=user, expect=(200, 403))
        return bool(answer["kind"] == "SecretList")

    def is_shown_only() -> None:
        own_lab.api("GET", f"{PROVIDERS}/cluster", expect=(404,))
        assert not may_list()

    def is_set_up() -> None:
        host = own_lab.registry("private")["host"]  # stands in for registry.example.com
        assert own_lab.api("GET", f"{PROVIDERS}/cluster")["spec"] == {"matchImages": [host]}
        own_lab.until(may_list, "the account may list")

    installed.follow("no_pull_secret", before={"apply=true --diff": is_shown_only, "state=absent": is_set_up})
    own_lab.api("GET", f"{PROVIDERS}/cluster", expect=(404,))
    own_lab.until(lambda: not may_list(), "the account may no longer list")
    remove_provider(own_lab)
