# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes' files are made of all objects that can be read."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.node_settings import (
    read_mirror_sets,
    registries_of,
    why_release_unknown,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    MIRROR_KINDS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import CLUSTER_VERSION
from support.pull_evidence import DIGEST_SETS, REFUSED, TAG_SETS, known, mirrored

BLOCKED = {IMAGE_CONFIG: {"spec": {"registrySources": {"blockedRegistries": ["b.io"]}}}}


def test_all_objects_are_requested_at_once() -> None:
    evidence = Lookup()
    with pytest.raises(ReadRequired):
        registries_of(evidence)
    assert {*evidence.take_wanted()} == {IMAGE_CONFIG, *(ObjectRef(kind, "", "") for kind in MIRROR_KINDS)}


def test_sets_that_cannot_be_read_are_left_out() -> None:
    evidence = Lookup(known(more={**mirrored(), ObjectRef(DIGEST_SETS, "", ""): REFUSED}))
    assert [item.source for each in read_mirror_sets(evidence) for item in each.items] == ["q.io"]
    assert [*registries_of(evidence).entries] == ["q.io"]


def test_the_files_are_made_once_for_the_same_objects() -> None:
    evidence = Lookup(known(more=mirrored()))
    first = registries_of(evidence)
    assert registries_of(evidence) is first
    evidence.add({ObjectRef(TAG_SETS, "", ""): {"items": []}})
    assert registries_of(evidence) is not first


def test_the_release_is_read_only_if_registries_are_blocked() -> None:
    refused = {CLUSTER_VERSION: REFUSED}
    assert why_release_unknown(Lookup(known(more=refused))) == ""
    doubt = "An entry around the repository of the release has no effect without a mirror of it, and this repository is not known"
    assert why_release_unknown(Lookup(known(more={**BLOCKED, **refused}))) == f"{doubt}: the caller may not read it"
    assert why_release_unknown(Lookup(known(more=BLOCKED))) == ""
    unusual = {CLUSTER_VERSION: {"status": {"desired": {"image": "?"}}}}
    text = f"status.desired.image of {CLUSTER_VERSION} is not the name of an image"
    assert why_release_unknown(Lookup(known(more={**BLOCKED, **unusual}))) == f"{doubt}: {text}"
