# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attacker of the security tests has exactly the rights of a project user, because otherwise an attack would prove nothing."""

from __future__ import annotations

import pytest
from support.lab import path_of
from support.project_user import ProjectUser, auth_file

ELSEWHERE = [
    ("GET", "/api/v1/secrets"),
    ("GET", "/api/v1/namespaces"),
    ("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"),
]


@pytest.fixture
def mallory(lab, namespace):
    return ProjectUser.create(lab, "mallory", namespace)


def test_project_user_writes_secrets_of_the_own_project(mallory):
    mallory.secret("planted", auth_file({"registry.example.com": ("robot", "guess")}))
    assert "registry.example.com" in mallory.read_secret("planted")


@pytest.mark.parametrize(("method", "path"), ELSEWHERE)
def test_project_user_has_no_right_in_the_cluster(mallory, method, path):
    assert mallory.request(method, path, {} if method == "POST" else None, expect=(403,))["reason"] == "Forbidden"


def test_project_user_has_no_right_in_another_project(mallory, namespaces):
    (victim,) = namespaces(1)
    assert mallory.request("GET", path_of(victim, "secrets"), expect=(403,))["reason"] == "Forbidden"
