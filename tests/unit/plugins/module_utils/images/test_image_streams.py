# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image stream has an image, or the reason why it has none is reported."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import (
    IMAGE_STREAM,
    failed_imports,
    why_image_missing,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of

REF = ObjectRef(IMAGE_STREAM, "b", "app")
DIGEST = "sha256:" + "0" * 64


def failed(message: Any, status: str = "False", kind: str = "ImportSuccess") -> dict[str, Any]:
    return {"type": kind, "status": status, "message": message}


def why(image: str, *tags: dict[str, Any]) -> str:
    reference = reference_of(f"r.example.com/b/{image}")
    assert reference is not None
    return why_image_missing(REF, {"status": {"tags": [*tags]}}, reference)


def tag(name: str, *images: str, conditions: Any = ()) -> dict[str, Any]:
    return {"tag": name, "items": [{"image": image} for image in images], "conditions": list(conditions)}


@pytest.mark.parametrize("image", ["app:v1", f"app@{DIGEST}", f"app:other@{DIGEST}"])
def test_an_existing_image_is_found_by_tag_or_digest(image: str) -> None:
    assert why(image, tag("v0"), tag("v1", "sha256:1", DIGEST)) == ""


def test_an_image_without_a_tag_means_latest() -> None:
    assert why("app", tag("latest", DIGEST)) == ""
    assert (
        why("app", tag("v1", DIGEST)) == "image stream b/app has no tag latest: build or import it, or correct the tag"
    )


def test_an_image_from_before_a_failed_import_is_still_there() -> None:
    assert why("app:v1", tag("v1", DIGEST, conditions=[failed("x")])) == ""


def test_a_missing_image_stream_is_reported() -> None:
    reference = reference_of("r.example.com/b/app:v1")
    assert reference is not None
    assert (
        why_image_missing(REF, None, reference)
        == "image stream b/app does not exist: build or import the image, or correct the name"
    )


def test_a_missing_digest_is_reported() -> None:
    text = f"image stream b/app has no image {DIGEST}: build or import it, or correct the digest"
    assert why(f"app:v1@{DIGEST}", tag("v1", "sha256:1")) == text


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        (failed("you may not have access\nto it"), "you may not have access to it"),
        (failed("Get https://u:secret@r.example.com/?x=secret"), "Get https://********@r.example.com/?********"),
        (failed(None), "no reason is given"),
    ],
)
def test_a_failed_import_is_reported_with_its_reason(condition: dict[str, Any], shown: str) -> None:
    assert why("app:v1", tag("v1", conditions=[failed("x", "True"), failed("y", kind="Other"), condition])) == (
        f"tag v1 of image stream b/app was never imported: {shown}. Fix that in the stream's project, then import it again"
    )


@pytest.mark.parametrize(
    "status", [None, [], {"tags": 1}, {"tags": [None, {"tag": "v1", "items": 1, "conditions": [1]}]}]
)
def test_malformed_streams_have_no_tags(status: Any) -> None:
    reference = reference_of("r.example.com/b/app:v1")
    assert reference is not None
    assert why_image_missing(REF, {"status": status}, reference).startswith("image stream b/app has no tag v1")


class TestFailedImports:
    def spec(self, kind: str = "DockerImage") -> dict[str, Any]:
        return {"tags": [{"name": "v1", "from": {"kind": kind, "name": "q.io/a:1"}}]}

    def test_a_failed_import_is_listed_with_tag_source_and_reason(self) -> None:
        status = {"tags": [tag("v1", conditions=[failed("no: https://u:canary@q.io/")]), tag("v2", "x")]}
        ((name, source, said),) = failed_imports({"spec": self.spec(), "status": status})
        assert (name, source) == ("v1", "q.io/a:1")
        assert "canary" not in said

    @pytest.mark.parametrize("spec", [None, {}, "x", {"tags": [None]}], ids=str)
    def test_a_failed_import_without_a_known_source_has_an_empty_source(self, spec: Any) -> None:
        status = {"tags": [tag("v1", conditions=[failed("no")])]}
        assert list(failed_imports({"spec": spec, "status": status})) == [("v1", "", "no")]
        assert list(failed_imports({"spec": self.spec("ImageStreamTag"), "status": status})) == [("v1", "", "no")]

    @pytest.mark.parametrize("condition", [failed("no", status="True"), failed("no", kind="Other"), None])
    def test_successful_imports_are_not_listed_as_failed(self, condition: Any) -> None:
        assert list(failed_imports({"status": {"tags": [tag("v1", conditions=[condition])]}})) == []
