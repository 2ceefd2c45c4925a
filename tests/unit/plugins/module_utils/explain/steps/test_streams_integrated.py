# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pulling from another project requires a right to it. `test_chain.py` tests the complete verdict."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.credentials import Credentials
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.streams import explain_project
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    network_ref,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import SUBJECT_ACCESS_REVIEW
from support.pull_evidence import DIGEST, DIGEST_SETS, known, pod


@pytest.mark.parametrize("domain", ["svc", "svc.cluster.local"])
def test_the_right_and_the_stream_are_wanted_together(domain: str) -> None:
    evidence = Lookup({IMAGE_CONFIG: None})
    reference = reference_of(f"image-registry.openshift-image-registry.{domain}:5000/b/app:v1")
    assert reference is not None
    with pytest.raises(ReadRequired):
        list(explain_project(pod(), reference, Credentials([], []), evidence))
    wanted = [ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "ns/default"), ObjectRef(IMAGE_STREAM, "b", "app")]
    assert evidence.take_wanted() == wanted


INTEGRATED = "image-registry.openshift-image-registry.svc:5000"
STREAM = {
    "status": {
        "tags": [
            {"tag": "old", "items": [{"image": f"sha256:{'1' * 64}", "dockerImageReference": "old.io/app:1"}]},
            {
                "tag": "v1",
                "items": [
                    {"image": DIGEST, "dockerImageReference": f"q.io/app@{DIGEST}"},
                    {"image": f"sha256:{'2' * 64}", "dockerImageReference": f"{INTEGRATED}/b/app@sha256:{'2' * 64}"},
                ],
            },
        ]
    },
}


def told_about(image: str, **more: Any) -> tuple[str, str]:
    """The verdict and the reason for an image of the stream, with the registries that the nodes do not reach."""
    review, stream = ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "ns/default"), ObjectRef(IMAGE_STREAM, "b", "app")
    lost = {network_ref(host): {"reached": False} for host in more.get("unreachable", ())}
    evidence = Lookup(known(more={review: {"allowed": True}, stream: STREAM, **lost, **more.get("sets", {})}))
    reference = reference_of(f"{INTEGRATED}/b/app{image}")
    assert reference is not None
    _right, seen = explain_project(pod(), reference, Credentials([], []), evidence)
    return seen.verdict, seen.reason


class TestLayersOfOtherRegistries:
    @pytest.mark.parametrize("image", [":v1", f"@{DIGEST}"])
    def test_an_imported_image_is_unknown_if_its_origin_is_out_of_reach(self, image: str) -> None:
        assert told_about(image) == ("", "")
        assert told_about(image, unreachable=["old.io"]) == ("", "")
        assert told_about(image, unreachable=["q.io"]) == (
            "unknown",
            "image stream b/app has the image, but the nodes do not reach q.io, from where the registry gets the layers that it has not "
            "stored: whether it has stored them is not known",
        )

    def test_a_mirror_that_is_reached_has_the_layers(self) -> None:
        items = [{"source": "q.io", "mirrors": ["m.io"]}]
        sets = {
            ObjectRef(DIGEST_SETS, "", ""): {
                "items": [{"metadata": {"name": "m"}, "spec": {"imageDigestMirrors": items}}]
            }
        }
        assert told_about(":v1", unreachable=["q.io"], sets=sets) == ("", "")
        assert told_about(":v1", unreachable=["q.io", "m.io"], sets=sets)[0] == "unknown"

    def test_an_image_that_was_pushed_has_no_other_origin(self) -> None:
        assert told_about(f"@sha256:{'2' * 64}", unreachable=[INTEGRATED]) == ("", "")


@pytest.mark.parametrize("is_openshift", [True, False])
def test_a_grant_is_offered_only_on_openshift(is_openshift: bool) -> None:
    review, image = ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "ns/default"), ObjectRef(IMAGE_STREAM, "b", "app")
    evidence = Lookup({IMAGE_CONFIG: None, review: {"allowed": False}, image: None if is_openshift else {}})
    reference = reference_of("image-registry.openshift-image-registry.svc:5000/b/app:v1")
    assert reference is not None
    right, _stream = explain_project(pod(), reference, Credentials([], []), evidence)
    assert right.reason.startswith("service account ns/default may not pull from project b")
    assert bool(right.fix) is is_openshift
