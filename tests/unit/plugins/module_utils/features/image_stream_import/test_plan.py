# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan imports only the selected tags again, in requests of limited size, and their answers give the result of each tag."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef, trim_object
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_stream_import.plan import (
    ImportOptions,
    Imports,
    LeftTag,
    StreamImport,
    TagImport,
    TagResult,
    advice,
    from_options,
    read_results,
    resource_version_of,
    tag_row,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from hypothesis import given
from support.anything import CHANGES, Changed
from support.objects import raised
from support.pull_evidence import DIGEST, failed, stream

UNAUTHORIZED = failed('you may not have access to the container image "quay.io/team/app:v1"', "Unauthorized")
FAILED = ImportOptions()
ALL = ImportOptions(only_failed=False)


def app(*conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = stream(*conditions, **more)
    made["metadata"]["resourceVersion"] = "7"
    return made


def plan(obj: dict[str, Any], asked: ImportOptions = FAILED) -> tuple[list[StreamImport], list[LeftTag]]:
    return Imports(asked).plan("b", {"app": trim_object(Imports.kind, obj)})


def planned(obj: dict[str, Any], asked: ImportOptions = FAILED) -> list[str]:
    return [tag.tag for each in plan(obj, asked)[0] for tag in each.tags]


def left(obj: dict[str, Any], asked: ImportOptions = FAILED) -> dict[str, str]:
    return {tag.tag: tag.reason for tag in plan(obj, asked)[1]}


class TestWhich:
    def test_a_failed_tag_is_imported_again(self) -> None:
        assert planned(app(UNAUTHORIZED)) == ["v1"]
        assert planned(app(UNAUTHORIZED, has_image=False)) == ["v1"]
        assert planned(app()) == []

    def test_all_tags_with_a_source_are_imported_on_request(self) -> None:
        assert planned(app(), ALL) == ["v1"]
        assert planned(app(failed("toomanyrequests")), ALL) == ["v1"], "whatever it failed by"

    def test_a_tag_that_failed_for_another_cause_is_left(self) -> None:
        obj = app(failed("toomanyrequests: slow down"))
        assert planned(obj) == []
        assert left(obj) == {
            "v1": "its import failed for another cause than a login: rate_limited. 'only_failed: false' imports it again"
        }

    @pytest.mark.parametrize(
        ("condition", "cause"),
        [
            (failed("new", "Unauthorized"), "unauthorized"),
            (failed("new", "NotFound"), "unknown"),
            (UNAUTHORIZED, "unauthorized"),
        ],
    )
    def test_each_condition_gives_its_cause(self, condition: dict[str, Any], cause: str) -> None:
        (found,), _left = plan(app(condition), ALL)
        assert found.tags[0].cause == cause

    def test_a_tag_from_another_registry_is_ignored(self) -> None:
        other = ImportOptions(frozenset({"registry.example.com"}))
        assert (planned(app(UNAUTHORIZED), other), left(app(UNAUTHORIZED), other)) == ([], {})
        assert planned(app(UNAUTHORIZED), ImportOptions(frozenset({"quay.io"}))) == ["v1"]

    @pytest.mark.parametrize(
        ("tag", "why"),
        [
            ({"reference": True}, "it is a reference, for which nothing is imported (reference: true)"),
            (
                {"from": {"kind": "ImageStreamTag", "name": "v2"}},
                "it follows ImageStreamTag v2, which is imported instead",
            ),
            (
                {"from": {"kind": "ImageStreamImage", "name": "app@sha256:1"}},
                "it follows ImageStreamImage app@sha256:1, which is imported instead",
            ),
            ({"from": None}, "the stream has no source image for it (spec.tags.from)"),
            ({"from": {"kind": "DockerImage", "name": "A B"}}, "its source is not an image name (spec.tags.from)"),
            ({"from": {"kind": "DockerImage"}}, "its source is not an image name (spec.tags.from)"),
        ],
    )
    def test_a_tag_that_is_not_imported_itself_is_left(self, tag: dict[str, Any], why: str) -> None:
        obj = app(UNAUTHORIZED)
        obj["spec"]["tags"][0].update(tag)
        assert (planned(obj), left(obj)) == ([], {"v1": why})
        well = app()
        well["spec"]["tags"][0].update(tag)
        assert (planned(well, ALL), left(well, ALL)) == ([], {}), "one that did not fail is not worth a word"

    def test_a_tag_that_only_the_status_has_is_left(self) -> None:
        obj = app()
        obj["status"]["tags"].append({"tag": "gone", "conditions": [UNAUTHORIZED]})
        assert left(obj) == {"gone": "the stream has no source image for it (spec.tags.from)"}

    def test_a_stream_that_is_being_deleted_is_ignored(self) -> None:
        obj = app(UNAUTHORIZED)
        obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        assert plan(obj) == ([], [])

    def test_a_trimmed_tag_keeps_one_of_its_images(self) -> None:
        obj = app(UNAUTHORIZED)
        obj["status"]["tags"][0]["items"] *= 50
        kept = trim_object(Imports.kind, obj)
        assert len(kept["status"]["tags"][0]["items"]) == 1
        assert Imports(FAILED).plan("b", {"app": kept}) == Imports(FAILED).plan("b", {"app": obj})

    def test_the_plan_reads_only_the_named_streams(self) -> None:
        assert Imports(ImportOptions(streams=("a", "b"))).names("x") == ("a", "b")
        assert Imports(FAILED).names("x") == ()
        assert Imports(FAILED).related("x", {}) == ()


class TestWhatIsSent:
    def test_an_import_sends_all_settings_of_the_tag(self) -> None:
        obj = app(UNAUTHORIZED, policy="Local")
        obj["spec"]["tags"][0]["importPolicy"] = {"scheduled": True, "insecure": True, "importMode": "PreserveOriginal"}
        ((found,), _left) = plan(obj)
        assert found.change({}).body == {
            "apiVersion": "image.openshift.io/v1",
            "kind": "ImageStreamImport",
            "metadata": {"name": "app", "namespace": "b", "resourceVersion": "7"},
            "spec": {
                "import": True,
                "images": [
                    {
                        "from": {"kind": "DockerImage", "name": "quay.io/team/app:v1"},
                        "to": {"name": "v1"},
                        "importPolicy": {"scheduled": True, "insecure": True, "importMode": "PreserveOriginal"},
                        "referencePolicy": {"type": "Local"},
                    }
                ],
            },
        }

    @pytest.mark.parametrize(
        ("said", "policy"), [("true", {"scheduled": False, "insecure": True}), ("True", {"scheduled": False})]
    )
    def test_the_annotation_insecure_repository_makes_an_import_insecure(
        self, said: str, policy: dict[str, Any]
    ) -> None:
        obj = app(UNAUTHORIZED)
        obj["metadata"]["annotations"] = {"openshift.io/image.insecureRepository": said}
        ((found,), _left) = plan(obj)
        assert found.tags[0].item["importPolicy"] == policy

    def test_an_import_sends_no_setting_that_the_tag_lacks(self) -> None:
        obj = app(UNAUTHORIZED)
        obj["spec"]["tags"][0].update(importPolicy=None, referencePolicy=None)
        ((found,), _left) = plan(obj)
        assert {*found.tags[0].item} == {"from", "to", "importPolicy"}
        assert found.tags[0].item["importPolicy"] == {}

    def test_a_stream_without_a_version_is_refused(self) -> None:
        obj = app(UNAUTHORIZED)
        del obj["metadata"]["resourceVersion"]
        with pytest.raises(Refusal, match="image stream b/app has no resourceVersion"):
            plan(obj)
        assert plan({**app(), "metadata": {}}) == ([], []), "where nothing is sent, none is needed"

    def test_an_import_reports_its_tags_before_and_after(self) -> None:
        ((found,), _left) = plan(app(UNAUTHORIZED))
        change = found.change({"v1": "sha256:2"})
        assert change.report() == {"action": "create", "kind": "ImageStreamImport", "name": "app", "tags": ["v1"]}
        assert change.before == {"tags": {"v1": "import failed: unauthorized"}}
        assert change.after == {"tags": {"v1": "sha256:2"}}
        ((well,), _left) = plan(app(), ALL)
        assert well.change({"v1": "x"}).before == {"tags": {"v1": DIGEST}}

    def test_a_large_import_is_split_into_parts(self) -> None:
        obj = app()
        tag, had = obj["spec"]["tags"][0], obj["status"]["tags"][0]
        obj["spec"]["tags"] = [{**tag, "name": f"v{number}"} for number in range(5)]
        obj["status"]["tags"] = [{**had, "tag": f"v{number}", "conditions": [UNAUTHORIZED]} for number in range(5)]
        ((found,), _left) = plan(obj)
        assert [[tag.tag for tag in part.tags] for part in found.parts(2)] == [["v0", "v1"], ["v2", "v3"], ["v4"]]
        assert {part.version for part in found.parts(2)} == {"7"}

    def test_a_credential_in_a_name_is_hidden(self) -> None:
        left_tag = LeftTag("app", "v1", "https://user:canary@quay.io/a", "dns", "why")
        assert "canary" not in str(tag_row(left_tag, "left"))


@given(CHANGES)
def test_arbitrary_content_is_planned_or_refused(change: Changed) -> None:
    found = change(app(UNAUTHORIZED))
    if isinstance(found, dict):
        ref = ObjectRef(IMAGE_STREAM, "b", "app")
        for asked in (FAILED, ALL):
            for obj in (found, trim_object(Imports.kind, found)):
                try:
                    imports, _left = Imports(asked).plan_of(ref, obj)
                except Refusal:
                    continue
                imports.change({}).report()


DEFAULTS = {"registries": None, "only_failed": True, "streams": None}


def asked(**options: Any) -> ImportOptions:
    return from_options({**DEFAULTS, **options})


def test_the_defaults_are_those_of_the_module() -> None:
    assert asked() == ImportOptions()


def test_all_options_are_taken() -> None:
    found = asked(registries=["https://Quay.io/"], only_failed=False, streams=["b", "a_1", "b"])
    assert found == ImportOptions(frozenset({"quay.io"}), False, ("b", "a_1"))


@pytest.mark.parametrize(
    ("registries", "image", "wanted"),
    [
        (["quay.io"], "quay.io/team/app:v1", True),
        (["quay.io"], "quay.io:443/team/app:v1", False),
        (["quay.io"], "", False),
        (["docker.io"], "app", True),
        (["https://index.docker.io/v1/"], "team/app", True),
        (["registry.example.com:5000"], "registry.example.com:5000/a/b@sha256:" + "0" * 64, True),
        (None, "", True),
    ],
)
def test_an_image_is_wanted_only_from_the_given_registries(
    registries: list[str] | None, image: str, wanted: bool
) -> None:
    assert asked(registries=registries).wants(reference_of(image) if image else None) is wanted


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"registries": []}, "option 'registries' is empty: give at least one, or leave it out for all"),
        ({"streams": []}, "option 'streams' is empty: give at least one, or leave it out for all"),
        ({"registries": ["quay.io/team"]}, "option 'registries': 'quay.io/team' has a path: give the host alone"),
        ({"registries": [" "]}, "option 'registries': registry ' ' is not host"),
        ({"registries": ["u:p@quay.io"]}, "option 'registries': registry '***@quay.io' is not host"),
        ({"streams": ["a/b"]}, "option 'streams': 'a/b' cannot be an object's name"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], message: str) -> None:
    assert raised(OptionError, partial(asked, **options)).startswith(message)


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
