# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A successful answer must have the expected form. Any other answer is an error, never an empty result."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.client import (
    Page,
    UnexpectedResponse,
    WatchEvent,
    check_deletion,
    decode_json,
    list_api_groups,
    parse_metadata_page,
    parse_object,
    parse_page,
    parse_watch_event,
    require_object,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import Forbidden
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    NAMESPACE,
    SECRET,
    Kind,
    ObjectRef,
)
from support.fake_api import FakeApi
from support.scripted_pool import Answer, status_object

REF = ObjectRef(SECRET, "a", "pull")

IMAGE = Kind("config.openshift.io/v1", "Image", "images", "image configuration", namespaced=False)

META = {"name": "pull", "namespace": "a"}

NO_OBJECTS = [None, [], "text", 7, True, {}, {"metadata": None}, {"metadata": []}, {"metadata": {}}]


class TestDecoded:
    @pytest.mark.parametrize(
        ("data", "value"),
        [
            (b'{"a": 1}', {"a": 1}),
            (b"null", None),
            ('"é"'.encode(), "é"),
            (b'"\\ud83d\\ude00 \\uD83D\\uDE00"', "\U0001f600 \U0001f600"),
            (b'"\\\\ud800"', "\\ud800"),
        ],
    )
    def test_decoded_returns_the_json_value(self, data: bytes, value: Any) -> None:
        assert decode_json(data) == value

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"<html>",
            b"{",
            b'"\xff"',
            '{"a": 1}'.encode("utf-16"),
            b"\xef\xbb\xbf{}",
            b"[" * 200_000,
            b'{"a":' * 200_000,
            b'"\\ud800"',
            b'"\\uDfff"',
            b'"\xed\xa0\x80"',
            b"1" * 5000,
        ],
        ids=[
            "empty",
            "html",
            "cut",
            "latin-1",
            "utf-16",
            "mark",
            "deep",
            "deeper",
            "half",
            "other half",
            "raw half",
            "long",
        ],
    )
    def test_decoded_refuses_data_that_is_not_json(self, data: bytes) -> None:
        with pytest.raises(UnexpectedResponse, match=r"^something that is not JSON$"):
            decode_json(data)


class TestMapping:
    def test_mapping_returns_a_json_object(self) -> None:
        assert require_object({"groups": []}) == {"groups": []}

    @pytest.mark.parametrize("value", [None, [], "text", 7], ids=str)
    def test_mapping_refuses_values_that_are_not_json_objects(self, value: Any) -> None:
        with pytest.raises(UnexpectedResponse, match=r"^something that is not a JSON object$"):
            require_object(value)


class TestFound:
    @pytest.mark.parametrize("answer", [{"metadata": META}, {"kind": "Secret", "metadata": {**META, "uid": "u"}}])
    def test_found_returns_the_requested_object(self, answer: Any) -> None:
        assert parse_object(answer, REF) is answer

    def test_found_accepts_a_cluster_scoped_object_without_a_namespace(self) -> None:
        answer = {"kind": "Namespace", "metadata": {"name": "a"}}
        assert parse_object(answer, ObjectRef(NAMESPACE, "", "a")) is answer

    @pytest.mark.parametrize(
        "answer",
        [
            *NO_OBJECTS,
            {"metadata": {**META, "name": None}},
            {"metadata": {**META, "name": ""}},
            {"metadata": {**META, "name": "other"}},
            {"metadata": {"name": "pull"}},
            {"metadata": {**META, "namespace": "b"}},
            {"kind": "Status", "metadata": META},
            {"kind": None, "metadata": META},
        ],
    )
    def test_found_refuses_any_other_answer(self, answer: Any) -> None:
        with pytest.raises(UnexpectedResponse, match=r"^something that is not a Secret$"):
            parse_object(answer, REF)

    def test_the_kind_is_named_in_plain_english(self) -> None:
        with pytest.raises(UnexpectedResponse, match=r"^something that is not an Image$"):
            parse_object(None, ObjectRef(IMAGE, "", "cluster"))


class TestDeletion:
    @pytest.mark.parametrize("answer", [{"kind": "Status"}, {"kind": "Secret"}], ids=str)
    def test_deletion_accepts_a_status_or_the_object(self, answer: Any) -> None:
        check_deletion(answer, REF)

    @pytest.mark.parametrize("answer", [None, [], "Status", {}, {"kind": "Pod"}], ids=str)
    def test_deletion_refuses_any_other_answer(self, answer: Any) -> None:
        with pytest.raises(UnexpectedResponse, match=r"^something that is not a Status$"):
            check_deletion(answer, REF)


def listed(*items: Any, **more: Any) -> dict[str, Any]:
    return {"kind": "SecretList", "metadata": {"continue": "t"}, "items": list(items), **more}


class TestPage:
    @pytest.mark.parametrize("namespace", ["a", ""])
    def test_page_returns_items_and_token(self, namespace: str) -> None:
        items = [{"metadata": META}, {"kind": "Secret", "metadata": {**META, "name": "other"}}]
        assert parse_page(listed(*items), SECRET, namespace) == Page(items, "t")

    def test_page_accepts_cluster_scoped_items_without_a_namespace(self) -> None:
        items = [{"metadata": {"name": "a"}}]
        assert parse_page({"metadata": {}, "items": items}, NAMESPACE, "") == Page(items, "")

    @pytest.mark.parametrize("token", [{}, {"continue": None}, {"continue": ""}], ids=str)
    def test_the_last_page_has_no_token(self, token: Any) -> None:
        assert parse_page(listed(metadata=token), SECRET, "a") == Page([], "")

    def test_null_items_are_an_empty_page(self) -> None:
        assert parse_page(listed(items=None), SECRET, "a") == Page([], "t")

    @pytest.mark.parametrize(
        "answer",
        [
            listed(kind="PodList"),
            listed(kind="Secret"),
            listed(metadata=None),
            listed(metadata="x"),
            listed(metadata={"continue": 7}),
            listed(metadata={"continue": False}),
            listed(metadata={"continue": ["t"]}),
            listed(items={}),
            listed(items="x"),
            {"kind": "SecretList", "items": []},
            {"kind": "SecretList", "metadata": {}},
        ],
    )
    def test_page_refuses_an_answer_that_is_not_a_list(self, answer: Any) -> None:
        with pytest.raises(UnexpectedResponse, match=r"^something that is not a SecretList$"):
            parse_page(answer, SECRET, "a")

    @pytest.mark.parametrize("answer", [None, [], "x", 3], ids=str)
    def test_page_refuses_an_answer_that_is_not_an_object(self, answer: Any) -> None:
        with pytest.raises(UnexpectedResponse, match=r"^something that is not a JSON object$"):
            parse_page(answer, SECRET, "a")

    @pytest.mark.parametrize(
        "item", [*NO_OBJECTS, {"metadata": {**META, "namespace": "b"}}, {"metadata": {"name": "x"}}]
    )
    def test_page_refuses_items_that_are_not_of_the_kind(self, item: Any) -> None:
        with pytest.raises(UnexpectedResponse, match=r"^a list with an item that is not a Secret$"):
            parse_page(listed({"metadata": META}, item), SECRET, "a")

    @pytest.mark.parametrize("namespace", [None, "", 7])
    def test_items_of_all_namespaces_must_name_their_namespace(self, namespace: Any) -> None:
        with pytest.raises(UnexpectedResponse):
            parse_page(listed({"metadata": {**META, "namespace": namespace}}), SECRET, "")


PARTIAL = {"kind": "PartialObjectMetadata", "metadata": {**META, "resourceVersion": "7"}}

LIST = {"kind": "PartialObjectMetadataList", "metadata": {"resourceVersion": "9", "continue": "c"}, "items": [PARTIAL]}


class TestMetadataAlone:
    def test_a_metadata_page_returns_items_token_and_version(self) -> None:
        assert parse_metadata_page(LIST, SECRET) == Page([PARTIAL], "c", "9")
        bare = {"metadata": META}
        assert parse_metadata_page({**LIST, "items": [bare]}, SECRET).items == [bare]
        assert parse_metadata_page({**LIST, "items": None}, SECRET).items == []

    @pytest.mark.parametrize("kind", ["SecretList", "List", None, "Status"])
    def test_a_metadata_page_of_another_kind_is_refused(self, kind: Any) -> None:
        with pytest.raises(UnexpectedResponse, match="more than the requested metadata"):
            parse_metadata_page({**LIST, "kind": kind}, SECRET)

    @pytest.mark.parametrize("item", [{**PARTIAL, "kind": "Secret"}, *NO_OBJECTS])
    def test_a_metadata_page_with_an_item_of_another_kind_is_refused(self, item: Any) -> None:
        with pytest.raises(UnexpectedResponse):
            parse_metadata_page({**LIST, "items": [PARTIAL, item]}, SECRET)

    @pytest.mark.parametrize("version", [None, "", 7])
    def test_a_metadata_page_without_a_version_is_refused(self, version: Any) -> None:
        with pytest.raises(UnexpectedResponse, match="without a version"):
            parse_metadata_page({**LIST, "metadata": {"resourceVersion": version}}, SECRET)


class TestWatchEvents:
    @pytest.mark.parametrize("name", ["ADDED", "MODIFIED", "DELETED"])
    def test_a_watch_event_of_an_object_has_its_version(self, name: str) -> None:
        assert parse_watch_event({"type": name, "object": PARTIAL}, SECRET) == WatchEvent(name, PARTIAL, "7")

    def test_a_bookmark_event_has_a_version_only(self) -> None:
        bookmark = {"kind": "PartialObjectMetadata", "metadata": {"resourceVersion": "8"}}
        assert parse_watch_event({"type": "BOOKMARK", "object": bookmark}, SECRET) == WatchEvent(
            "BOOKMARK", bookmark, "8"
        )

    def test_an_error_event_holds_the_status_of_the_server(self) -> None:
        assert parse_watch_event({"type": "ERROR", "object": {"code": 410}}, SECRET) == WatchEvent(
            "ERROR", {"code": 410}, ""
        )

    @pytest.mark.parametrize(
        "event", [*NO_OBJECTS, {"type": "ADDED"}, {"type": "ODD", "object": PARTIAL}, {"type": ["ADDED"], "object": 1}]
    )
    def test_an_invalid_watch_event_is_refused(self, event: Any) -> None:
        with pytest.raises(UnexpectedResponse):
            parse_watch_event(event, SECRET)

    @pytest.mark.parametrize("kind", ["Secret", None, "Status"])
    def test_a_watch_event_with_a_whole_object_is_refused(self, kind: Any) -> None:
        for name in ("ADDED", "BOOKMARK"):
            with pytest.raises(UnexpectedResponse, match="more than the requested metadata"):
                parse_watch_event({"type": name, "object": {**PARTIAL, "kind": kind}}, SECRET)

    @pytest.mark.parametrize("meta", [None, [], {}, {"resourceVersion": 7}, {"resourceVersion": ""}], ids=str)
    def test_a_bookmark_without_a_version_is_refused(self, meta: Any) -> None:
        with pytest.raises(UnexpectedResponse):
            parse_watch_event(
                {"type": "BOOKMARK", "object": {"kind": "PartialObjectMetadata", "metadata": meta}}, SECRET
            )


# --- The API groups are read from the list of a server


def told(answer: Any) -> frozenset[str]:
    api = FakeApi()
    api.fail("GET /apis$", answer)
    return list_api_groups(api.cluster())


def test_api_groups_are_returned_by_their_names() -> None:
    assert told(Answer(200, {"groups": [{"name": "apps"}, {"name": 5}, None]})) == {"apps"}


@pytest.mark.parametrize("body", [{"groups": []}, {"groups": None}, {}, {"groups": "apps"}], ids=str)
def test_an_answer_without_api_groups_is_an_empty_set(body: Any) -> None:
    assert told(Answer(200, body)) == frozenset()


def test_a_forbidden_list_of_api_groups_raises_an_error() -> None:
    with pytest.raises(Forbidden):
        told(status_object(403, "Forbidden", "no"))
