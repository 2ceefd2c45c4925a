# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer to an import gives the result of each tag."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_stream_import.plan import (
    TagImport,
    TagResult,
    advice,
    read_results,
    resource_version_of,
)
from hypothesis import given
from support.anything import CHANGES, Changed

TAG = TagImport("app", "v1", "quay.io/team/app:v1", "unauthorized", "why", "sha256:1", {})
WELL = TagImport("app", "v2", "quay.io/team/app:v2", "", "", "sha256:1", {})
IMAGE = {"metadata": {"name": "sha256:2"}, "dockerImageReference": "quay.io/team/app@sha256:3"}
SUCCESS = {"status": {"status": "Success"}, "image": IMAGE}


def answer(*images: Any, **more: Any) -> dict[str, Any]:
    return {"status": {"images": [*images], **more}}


def one(image: Any, tag: TagImport = TAG) -> TagResult:
    (found,) = read_results(answer(image), [tag])
    return found


def test_each_tag_has_its_result_in_order() -> None:
    refused = {"status": {"status": "Failure", "reason": "Unauthorized", "message": "you may not  have access\nto it"}}
    first, second = read_results(answer(SUCCESS, refused), [TAG, WELL])
    assert first == TagResult(TAG, "sha256:2")
    assert second == TagResult(WELL, "", "you may not have access to it", "unauthorized")


def test_no_part_of_a_credential_is_left_where_a_long_message_is_cut() -> None:
    message = f"{'x' * 16_363} https://user:Canary-77@quay.io/v2/: denied"
    found = one({"status": {"status": "Failure", "message": message}})
    assert "Can" not in found.problem
    assert found.problem.startswith("xxx")


@pytest.mark.parametrize(
    ("image", "tag", "is_new"),
    [
        (SUCCESS, TAG, True),
        (SUCCESS, WELL, True),
        ({**SUCCESS, "image": {"metadata": {"name": "sha256:1"}}}, WELL, False),
        ({**SUCCESS, "image": {"metadata": {"name": "sha256:1"}}}, TAG, True),
        ({"status": {"status": "Failure"}}, TAG, False),
    ],
)
def test_an_import_is_new_if_the_tag_had_failed_or_has_another_image(image: Any, tag: TagImport, is_new: bool) -> None:
    assert one(image, tag).is_new is is_new


def test_an_image_without_a_name_is_known_by_its_reference() -> None:
    assert one({**SUCCESS, "image": {"dockerImageReference": "quay.io/a@sha256:3"}}).digest == "sha256:3"


@pytest.mark.parametrize(
    ("image", "problem", "cause"),
    [
        ({"status": {"status": "Failure"}}, "no reason is given", "unknown"),
        ({"status": {"status": "Success"}}, "no reason is given", "unknown"),
        ({"image": IMAGE}, "no reason is given", "unknown"),
        ({"image": IMAGE, "status": {"status": "Failure", "reason": "NotFound"}}, "no reason is given", "not_found"),
        (None, "the response of the API server does not say whether it was imported", "unknown"),
    ],
)
def test_an_image_without_a_success_counts_as_failed(image: Any, problem: str, cause: str) -> None:
    assert one(image) == TagResult(TAG, "", problem, cause)


@pytest.mark.parametrize("found", [None, {}, answer(), answer(SUCCESS), answer(SUCCESS, SUCCESS, SUCCESS)])
def test_a_wrong_number_of_images_makes_every_result_unknown(found: Any) -> None:
    assert [each.problem for each in read_results(found, [TAG, WELL])] == [
        "the response of the API server does not say whether it was imported"
    ] * 2


def test_a_credential_in_a_message_is_hidden() -> None:
    message = 'Internal error occurred: quay.io/a: Get "https://user:canary@quay.io/v2/": EOF'
    assert "canary" not in one({"status": {"message": message}}).problem


def test_the_version_of_the_stream_is_taken_from_the_answer() -> None:
    assert resource_version_of(answer(**{"import": {"metadata": {"resourceVersion": "8"}}})) == "8"
    assert [resource_version_of(found) for found in (None, {}, answer(**{"import": None}))] == ["", "", ""]


def test_the_advice_depends_on_the_cause() -> None:
    assert "reads all pull secrets of namespace b, linked or not" in advice("unauthorized", "b")
    assert advice("dns", "b") == "correct the name, or the DNS of the nodes"


@given(CHANGES)
def test_an_arbitrary_answer_gives_one_result_for_each_tag(change: Changed) -> None:
    found = change({**answer(SUCCESS), "metadata": {}})
    if isinstance(found, dict):
        assert len(read_results(found, [TAG])) == 1
        resource_version_of(found)
