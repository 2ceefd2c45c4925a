# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on pulls without pull secrets gives the right that the provider needs, and finds a secret that nothing references."""

from __future__ import annotations

import pytest
from support.registry_settings import auth_file, pull_secret

pytestmark = pytest.mark.slow


def test_the_guide_without_pull_secrets_works_as_written(installed, own_lab):
    own_lab.namespace("project-a")
    own_lab.create("project-a", "secrets", pull_secret("old-pull", auth_file({"registry.example.com": ("u", "p")})))
    installed.follow("no_pull_secret")
    deleted = own_lab.api("DELETE", "/apis/config.openshift.io/v1/criocredentialproviderconfigs/cluster")
    assert deleted["status"] == "Success"
    attributes = {"namespace": "project-a", "verb": "list", "resource": "secrets"}
    spec = {"user": "system:serviceaccount:project-a:default", "resourceAttributes": attributes}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    answer = own_lab.api("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    assert answer["status"]["allowed"] is True
