# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tag of an image stream is resolved, and the message of its last import is read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef, trim_object
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import (
    IMAGE_STREAM,
    StreamTag,
    is_looked_up,
    tag_of,
)
from hypothesis import given
from support.anything import CHANGES, Changed
from support.pull_evidence import DIGEST, failed, stream

REF = ObjectRef(IMAGE_STREAM, "b", "app")


def tag(obj: dict[str, Any], name: str = "v1") -> StreamTag:
    return tag_of(REF, obj, name)


class TestImage:
    def test_the_image_has_the_name_of_its_source_repository(self) -> None:
        assert tag(stream()).image == f"quay.io/team/app@{DIGEST}"

    def test_a_local_tag_uses_the_integrated_registry(self) -> None:
        assert tag(stream(policy="Local")).image == f"r.svc:5000/b/app@{DIGEST}"
        without = stream(policy="Local")
        del without["status"]["dockerImageRepository"]
        assert tag(without).image == f"quay.io/team/app@{DIGEST}"

    def test_a_tag_without_an_image_has_an_empty_image(self) -> None:
        assert tag(stream(), "v2").image == ""
        assert tag(stream(has_image=False)).image == ""
        assert tag({}).image == ""


class TestImport:
    @pytest.mark.parametrize(
        ("condition", "meaning"),
        [
            (failed('you may not have access to the container image "q.io/a:1"', "Unauthorized"), "credentials"),
            (
                failed(
                    'you may not have access to the container image "q.io/a:1" and did not have credentials to the repository'
                ),
                "no_credentials",
            ),
            (failed('incorrect username or password for image "q.io/a:1"'), "bad_credentials"),
            (failed('you may not have access to the container image "q.io/a:1"'), "credentials"),
            (failed("x", "Unauthorized"), "credentials"),
            (failed('dockerimage.image.openshift.io "q.io/a:1" not found', "NotFound"), "not_found"),
            (failed("registry q.io blocked", "Forbidden"), ""),
        ],
    )
    def test_an_import_message_has_a_meaning(self, condition: dict[str, Any], meaning: str) -> None:
        found = tag(stream(condition, has_image=False))
        assert (found.problem, found.meaning) == (condition["message"], meaning)

    @pytest.mark.parametrize("condition", [{**failed("x"), "status": "True"}, {**failed("x"), "type": "Other"}])
    def test_another_condition_is_not_a_failure(self, condition: dict[str, Any]) -> None:
        assert (tag(stream(condition)).problem, tag(stream(condition)).meaning) == ("", "")

    def test_a_credential_in_a_message_is_hidden(self) -> None:
        assert "geheim" not in tag(stream(failed("https://u:geheim@q.io/ failed"))).problem
        assert tag(stream(failed(5))).problem == "no reason is given"

    def test_the_source_of_an_import_is_found(self) -> None:
        assert str(tag(stream()).source) == "quay.io/team/app:v1"
        without = stream(failed('no access to "q.io/a/b:1"'))
        without["spec"]["tags"][0]["from"] = {"kind": "ImageStreamTag", "name": "x:y"}
        assert str(tag(without).source) == "q.io/a/b:1"
        assert tag({}).source is None

    def test_a_scheduled_import_is_recognized(self) -> None:
        assert not tag(stream()).is_scheduled
        assert tag(stream(scheduled=True)).is_scheduled


def test_local_lookup_decides_whether_short_names_mean_the_stream() -> None:
    assert is_looked_up(stream(local=True))
    assert not is_looked_up(stream())
    assert not is_looked_up({"spec": {"lookupPolicy": {"local": "true"}}})


def test_a_trimmed_list_keeps_the_fields_of_a_tag() -> None:
    full = stream(failed("x"), policy="Local")
    full["metadata"] |= {"labels": {"a": "b"}, "managedFields": []}
    kept = trim_object(IMAGE_STREAM, full)
    assert kept["metadata"] == {"name": "app", "namespace": "b"}
    assert tag(dict(kept)) == tag(full)


@given(CHANGES)
def test_a_malformed_stream_raises_no_error(change: Changed) -> None:
    found = change(stream(failed("x")))
    if isinstance(found, dict):
        is_looked_up(found)
        str(tag(dict(trim_object(IMAGE_STREAM, found))))
