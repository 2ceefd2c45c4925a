# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that an explanation needs are read, and unreadable ones are reported."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ClusterError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import NO_SELECTORS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.lookup_reader import read_lookups
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.workers import Workers
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    Lookup,
    ReadRequired,
    UnreadableObject,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.secretless import ISSUER
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    ImageQuestion,
    RegistryAccess,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_messages import POD_EVENTS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    MIRROR_KINDS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import SUBJECT_ACCESS_REVIEW
from support.fake_api import FakeApi
from support.scripted_pool import Answer, status_object

ALWAYS = 10**9
MIRRORS = ObjectRef(next(iter(MIRROR_KINDS)), "", "")
REVIEW = ObjectRef(SUBJECT_ACCESS_REVIEW, "project", "team/default")
NO_KIND = status_object(404, "NotFound", "404 page not found")


def read(api: FakeApi, *refs: ObjectRef):  # type: ignore[no-untyped-def]
    return read_with(api, None, *refs)


def read_with(api: FakeApi, registries: RegistryAccess | None, *refs: ObjectRef):  # type: ignore[no-untyped-def]
    evidence = Lookup()
    for ref in refs:
        with pytest.raises(ReadRequired):
            evidence.look(ref)
    with Workers(1) as workers:
        return read_lookups(api.cluster(), workers, evidence, NO_SELECTORS, registries)


def test_objects_configuration_and_rights_are_read_together() -> None:
    api = FakeApi()
    api.put("secrets", "a", "pull", type="Opaque")
    api.put("images", "", "cluster", spec={})
    asked = []
    api.review = lambda spec: asked.append(spec["user"]) or {"allowed": True}  # type: ignore[func-returns-value]
    there, gone = ObjectRef(SECRET, "a", "pull"), ObjectRef(SECRET, "a", "none")
    found = read(api, there, gone, IMAGE_CONFIG, MIRRORS, REVIEW)
    assert found[there]["type"] == "Opaque"
    assert found[gone] is None
    assert (found[IMAGE_CONFIG]["spec"], found[MIRRORS], found[REVIEW]["allowed"]) == ({}, {"items": []}, True)
    assert asked == ["system:serviceaccount:team:default"]


def test_an_object_of_an_unknown_kind_is_missing() -> None:
    api = FakeApi()
    api.fail("GET", NO_KIND, times=ALWAYS)
    stream = ObjectRef(IMAGE_STREAM, "a", "app")
    assert read(api, stream, IMAGE_CONFIG, MIRRORS) == {stream: {}, IMAGE_CONFIG: None, MIRRORS: None}


def test_a_forbidden_read_is_an_error_and_not_an_absence() -> None:
    api = FakeApi()
    api.fail("", status_object(403, "Forbidden", "no right"), times=ALWAYS)
    found = read(api, ObjectRef(SECRET, "a", "pull"), IMAGE_CONFIG, MIRRORS, REVIEW)
    assert all(isinstance(answer, ImagePullError) for answer in found.values())
    assert isinstance(found[ObjectRef(SECRET, "a", "pull")], UnreadableObject)


def test_a_cluster_that_fails_ends_the_reading() -> None:
    api = FakeApi()
    api.fail("", status_object(401, "Unauthorized", "no"), times=ALWAYS)
    with pytest.raises(ClusterError):
        read(api, IMAGE_CONFIG)


def test_the_events_of_a_pod_are_requested_by_its_name() -> None:
    api = FakeApi()
    api.put("events", "a", "app.1", reason="Pulling", involvedObject={"kind": "Pod", "name": "app"})
    api.put("events", "a", "web.1", reason="Pulled", involvedObject={"kind": "Pod", "name": "web"})
    events = ObjectRef(POD_EVENTS, "a", "app")
    assert [event["reason"] for event in read(api, events)[events]["items"]] == ["Pulling"]
    assert api.asked[0].startswith("GET /api/v1/namespaces/a/events?")
    assert "fieldSelector=involvedObject.kind%3DPod%2CinvolvedObject.name%3Dapp" in api.asked[0]


def test_a_list_of_secrets_keeps_the_time_of_their_content() -> None:
    api = FakeApi()
    owners = [{"time": "t", "fieldsV1": {"f:data": {"f:x": {}}}}, {"time": "u", "fieldsV1": {"f:metadata": {}}}]
    api.put("secrets", "a", "pull", metadata={"managedFields": owners})
    every = ObjectRef(SECRET, "a", "")
    (secret,) = read(api, every)[every]["items"]
    assert secret["metadata"]["managedFields"] == [{"time": "t", "fieldsV1": {"f:data": {}}}]


def test_a_list_of_nodes_keeps_only_the_versions() -> None:
    api = FakeApi()
    api.put("nodes", "", "n", status={"nodeInfo": {"kubeletVersion": "v1.35.0"}, "images": [{}]})
    assert read(api, NODES)[NODES]["items"] == [
        {"metadata": {"name": "n"}, "status": {"nodeInfo": {"kubeletVersion": "v1.35.0"}}}
    ]


def test_each_of_many_nodes_is_read_whole() -> None:
    api, refs = FakeApi(), [ObjectRef(NODES.kind, "", f"n{number}") for number in range(30)]
    for ref in refs:
        api.put("nodes", "", ref.name, status={"images": [{"names": ["q.io/a:1"]}]})
    found = read(api, NODES, *refs)
    assert all(found[ref]["status"]["images"] == [{"names": ["q.io/a:1"]}] for ref in refs)
    assert len(found[NODES]["items"]) == 30


class TestRefused:
    """A server refuses unknown resources as well. Its list of API groups shows whether it knows them."""

    STREAM = ObjectRef(IMAGE_STREAM, "a", "app")

    def told(self, *groups: str, answer: Answer | None = None) -> tuple[FakeApi, Any]:
        api = FakeApi()
        listed = Answer(200, {"groups": [{"name": name} for name in groups]})
        api.fail("GET /apis$", answer or listed, times=ALWAYS)
        api.fail("", status_object(403, "Forbidden", "no right"), times=ALWAYS)
        return api, read(api, self.STREAM, IMAGE_CONFIG, MIRRORS, ObjectRef(SECRET, "a", "pull"), NODES)

    def test_an_object_of_an_api_group_that_the_server_lacks_is_missing(self) -> None:
        api, found = self.told("apps", "batch")
        assert (found[self.STREAM], found[IMAGE_CONFIG], found[MIRRORS]) == ({}, None, None)
        assert isinstance(found[ObjectRef(SECRET, "a", "pull")], UnreadableObject)
        assert isinstance(found[NODES], UnreadableObject)
        assert [request for request in api.asked if request.endswith("/apis")] == ["GET /apis"]

    def test_an_object_of_an_api_group_that_the_server_has_is_unread(self) -> None:
        _api, found = self.told("image.openshift.io", "config.openshift.io")
        assert all(isinstance(found[ref], UnreadableObject) for ref in (self.STREAM, IMAGE_CONFIG, MIRRORS))

    @pytest.mark.parametrize(
        "answer", [status_object(403, "Forbidden", "no"), status_object(500, "Odd", "odd"), Answer(200, {})]
    )
    def test_refused_objects_are_unread_if_the_api_groups_are_unknown(self, answer: Answer) -> None:
        _api, found = self.told(answer=answer)
        assert all(isinstance(found[ref], UnreadableObject) for ref in (self.STREAM, IMAGE_CONFIG, MIRRORS))

    def test_a_cluster_that_fails_while_its_api_groups_are_read_is_reported(self) -> None:
        with pytest.raises(ClusterError):
            self.told(answer=status_object(401, "Unauthorized", "no"))

    def test_api_groups_are_read_only_after_a_refusal(self) -> None:
        api = FakeApi()
        read(api, self.STREAM, ObjectRef(SECRET, "a", "pull"))
        api.fail("", status_object(403, "Forbidden", "no right"), times=ALWAYS)
        read(api, ObjectRef(SECRET, "a", "pull"))
        assert not any(request.endswith("/apis") for request in api.asked)


def test_a_registry_is_asked_only_on_request() -> None:
    question = ImageQuestion("127.0.0.1:1/team/app", "v1").ref
    assert read_with(FakeApi(), None, question) == {}
    (answer,) = read_with(FakeApi(), RegistryAccess(timeout=20.0, named="127.0.0.1:1"), question).values()
    assert answer["outcome"] == "unanswered"


class TestIssuer:
    """The API server reports the issuer of tokens. On OpenShift, an object configures it."""

    PATH = r"GET /\.well-known/openid-configuration"
    REFUSAL = status_object(403, "Forbidden", 'forbidden: User "u" cannot get path "/.well-known/openid-configuration"')

    def test_the_answer_of_the_api_server_counts(self) -> None:
        api = FakeApi()
        api.put("authentications", "", "cluster", spec={"serviceAccountIssuer": "https://other.example.com"})
        api.fail(self.PATH, Answer(200, {"issuer": "https://keys.example.com"}))
        assert read(api, ISSUER)[ISSUER] == {"issuer": "https://keys.example.com"}

    @pytest.mark.parametrize(
        ("spec", "issuer"),
        [
            ({"serviceAccountIssuer": "https://keys.example.com"}, "https://keys.example.com"),
            ({"serviceAccountIssuer": ""}, "https://kubernetes.default.svc"),
            ({}, "https://kubernetes.default.svc"),
            (None, "https://kubernetes.default.svc"),
        ],
    )
    def test_the_object_of_openshift_counts_if_the_caller_may_not_ask(self, spec: Any, issuer: str) -> None:
        api = FakeApi()
        api.put("authentications", "", "cluster", spec=spec)
        api.fail(self.PATH, self.REFUSAL)
        assert read(api, ISSUER)[ISSUER] == {"issuer": issuer}

    def test_without_both_it_is_unreadable(self) -> None:
        api = FakeApi()
        api.fail(self.PATH, self.REFUSAL)
        found = read(api, ISSUER)[ISSUER]
        assert isinstance(found, UnreadableObject)
        assert str(found) == "the caller may not read /.well-known/openid-configuration"
        api.fail(self.PATH, self.REFUSAL)
        api.fail("GET .*authentications", status_object(403, "Forbidden", "forbidden"))
        assert str(read(api, ISSUER)[ISSUER]) == "the caller may not read it"

    def test_a_server_without_discovery_has_no_answer(self) -> None:
        assert isinstance(read(FakeApi(), ISSUER)[ISSUER], ImagePullError)
