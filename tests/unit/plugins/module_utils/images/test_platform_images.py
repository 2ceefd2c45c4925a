# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release, catalogs and operators name images, each in a field of its own. Users may write anything into the objects."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import POD
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.platform_images import (
    CATALOG,
    OPERATOR,
    OPERATOR_KINDS,
    NamedImage,
    images_of_platform,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import CLUSTER_VERSION

RELEASE = CLUSTER_VERSION.kind


@pytest.mark.parametrize(
    ("kind", "obj", "found"),
    [
        (
            RELEASE,
            {"status": {"desired": {"image": "q.io/r"}}},
            [NamedImage("release", "status.desired.image", "q.io/r")],
        ),
        (
            CATALOG,
            {"spec": {"image": "q.io/index", "secrets": ["a", None, "b"]}},
            [NamedImage("catalog", "spec.image", "q.io/index", ("a", "b"))],
        ),
        (
            OPERATOR,
            {"spec": {"relatedImages": [{"name": "db", "image": "q.io/db"}, {"image": "q.io/x"}, None, "?"]}},
            [
                NamedImage("db", "spec.relatedImages[db].image", "q.io/db"),
                NamedImage("image", "spec.relatedImages[image].image", "q.io/x"),
                *[NamedImage("image", "spec.relatedImages[image].image", "")] * 2,
            ],
        ),
        (POD, {"spec": {"image": "q.io/x", "relatedImages": [{"image": "q.io/x"}]}}, []),
    ],
)
def test_each_kind_names_its_images(kind: Any, obj: Any, found: list[NamedImage]) -> None:
    assert [*images_of_platform(kind, obj)] == found


@pytest.mark.parametrize("kind", [RELEASE, *OPERATOR_KINDS])
@pytest.mark.parametrize(
    "value", [None, 5, "text", [], [[]], {"image": 5, "secrets": 5, "relatedImages": {}, "desired": []}]
)
def test_other_content_names_none(kind: Any, value: Any) -> None:
    assert not any(each.image for each in images_of_platform(kind, {"spec": value, "status": value}))
