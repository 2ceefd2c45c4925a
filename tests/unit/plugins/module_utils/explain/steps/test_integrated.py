# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pulling from another project requires a right to it. `test_chain.py` tests the complete verdict."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.credentials import Credentials
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.integrated import explain_project
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import IMAGE_CONFIG
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.access_reviews import SUBJECT_ACCESS_REVIEW
from support.pull_evidence import pod


def test_the_right_and_the_stream_are_wanted_together() -> None:
    evidence = Lookup({IMAGE_CONFIG: None})
    reference = reference_of("image-registry.openshift-image-registry.svc:5000/b/app:v1")
    assert reference is not None
    with pytest.raises(ReadRequired):
        list(explain_project(pod(), reference, Credentials([], []), evidence))
    wanted = [ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "ns/default"), ObjectRef(IMAGE_STREAM, "b", "app")]
    assert evidence.take_wanted() == wanted


@pytest.mark.parametrize("is_openshift", [True, False])
def test_a_grant_is_offered_only_on_openshift(is_openshift: bool) -> None:
    review, image = ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "ns/default"), ObjectRef(IMAGE_STREAM, "b", "app")
    evidence = Lookup({IMAGE_CONFIG: None, review: {"allowed": False}, image: None if is_openshift else {}})
    reference = reference_of("image-registry.openshift-image-registry.svc:5000/b/app:v1")
    assert reference is not None
    right, _stream = explain_project(pod(), reference, Credentials([], []), evidence)
    assert right.reason.startswith("service account ns/default may not pull from project b")
    assert bool(right.fix) is is_openshift
