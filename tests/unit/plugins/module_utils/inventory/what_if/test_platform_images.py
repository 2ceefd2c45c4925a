# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of the platform count in a disconnected site even if no workload names them yet."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.platform_images import (
    CATALOG,
    OPERATOR,
    OPERATOR_KINDS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.rows import (
    subjects_of,
    trim_platform_object,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import CLUSTER_VERSION

RELEASE = {
    "metadata": {"name": "version"},
    "status": {"desired": {"image": "quay.io/release@sha256:0", "version": "4.22"}},
}
CATALOG_SOURCE = {
    "metadata": {"name": "operators", "namespace": "market"},
    "spec": {"image": "registry.example.com/index:v1", "secrets": ["index"], "displayName": "all"},
}
INSTALLED = {
    "metadata": {"name": "etcd.v1", "namespace": "ops"},
    "spec": {"relatedImages": [{"name": "operand", "image": "quay.io/operand:1"}, {"name": "again",
                                                                                   "image": "quay.io/operand:1"}, {"image": "quay.io/other:1"}, "no object"]},
}  # fmt: skip


def test_a_release_is_pulled_without_a_pod_secret() -> None:
    (subject,) = subjects_of(CLUSTER_VERSION.kind, trim_platform_object(RELEASE))
    assert subject.image == "quay.io/release@sha256:0"
    assert subject.container == "release"
    assert subject.own == ()
    assert subject.is_pod is True
    assert str(subject.ref) == "ClusterVersion openshift-cluster-version/version"


def test_a_catalog_is_pulled_with_its_secrets() -> None:
    (subject,) = subjects_of(CATALOG, trim_platform_object(CATALOG_SOURCE))
    assert (subject.image, subject.own, subject.namespace) == ("registry.example.com/index:v1", ("index",), "market")


def test_an_operator_names_each_related_image_once() -> None:
    found = subjects_of(OPERATOR, trim_platform_object(INSTALLED))
    assert [(each.container, each.image) for each in found] == [
        ("operand", "quay.io/operand:1"),
        ("image", "quay.io/other:1"),
    ]


@pytest.mark.parametrize("kind", (CLUSTER_VERSION.kind, *OPERATOR_KINDS))
def test_objects_without_images_name_none(kind) -> None:
    assert subjects_of(kind, trim_platform_object({"metadata": {}, "spec": {"image": None}, "status": "?"})) == []
