# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tag of an image stream stands for, and what its last import says."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef, trimmed
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.stream_tags import (
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
    def test_is_named_as_it_is_outside(self) -> None:
        assert tag(stream()).image == f"quay.io/team/app@{DIGEST}"

    def test_comes_through_the_integrated_registry_where_the_tag_says_so(self) -> None:
        assert tag(stream(policy="Local")).image == f"r.svc:5000/b/app@{DIGEST}"
        without = stream(policy="Local")
        del without["status"]["dockerImageRepository"]
        assert tag(without).image == f"quay.io/team/app@{DIGEST}"

    def test_none(self) -> None:
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
            (failed("x", "Unauthorized"), "credentials"),
            (failed('dockerimage.image.openshift.io "q.io/a:1" not found', "NotFound"), "not_found"),
            (failed("registry q.io blocked", "Forbidden"), ""),
        ],
    )
    def test_what_a_message_means(self, condition: dict[str, Any], meaning: str) -> None:
        found = tag(stream(condition, has_image=False))
        assert (found.problem, found.meaning) == (condition["message"], meaning)

    @pytest.mark.parametrize("condition", [{**failed("x"), "status": "True"}, {**failed("x"), "type": "Other"}])
    def test_no_failure(self, condition: dict[str, Any]) -> None:
        assert (tag(stream(condition)).problem, tag(stream(condition)).meaning) == ("", "")

    def test_a_credential_in_a_message_is_hidden(self) -> None:
        assert "geheim" not in tag(stream(failed("https://u:geheim@q.io/ failed"))).problem
        assert tag(stream(failed(5))).problem == "no reason is given"

    def test_what_is_imported(self) -> None:
        assert str(tag(stream()).source) == "quay.io/team/app:v1"
        without = stream(failed('no access to "q.io/a/b:1"'))
        without["spec"]["tags"][0]["from"] = {"kind": "ImageStreamTag", "name": "x:y"}
        assert str(tag(without).source) == "q.io/a/b:1"
        assert tag({}).source is None

    def test_whether_it_happens_by_itself(self) -> None:
        assert not tag(stream()).is_scheduled
        assert tag(stream(scheduled=True)).is_scheduled


def test_whether_short_names_mean_it() -> None:
    assert is_looked_up(stream(local=True))
    assert not is_looked_up(stream())
    assert not is_looked_up({"spec": {"lookupPolicy": {"local": "true"}}})


def test_a_list_keeps_all_of_this() -> None:
    full = stream(failed("x"), policy="Local")
    full["metadata"] |= {"labels": {"a": "b"}, "managedFields": []}
    kept = trimmed(IMAGE_STREAM, full)
    assert kept["metadata"] == {"name": "app", "namespace": "b"}
    assert tag(dict(kept)) == tag(full)


@given(CHANGES)
def test_whatever_it_holds(change: Changed) -> None:
    found = change(stream(failed("x")))
    if isinstance(found, dict):
        is_looked_up(found)
        str(tag(dict(trimmed(IMAGE_STREAM, found))))
