# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client sends and repeats requests over scripted HTTP, stops when the cluster fails, and reads the answers."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import BadStatusLine
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.client import Cluster
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import (
    AlreadyExists,
    ApiError,
    ClusterError,
    Conflict,
    ConnectError,
    Expired,
    Forbidden,
    Unanswered,
    Unauthorized,
    UnknownResource,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    Change,
    create,
    delete,
    update,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    NAMESPACE,
    ROLE_BINDING,
    SECRET,
    Kind,
    ObjectRef,
)
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_pool import HOST, Answer, Clock, ScriptedConnection, ScriptedPool, status_object
from urllib3.exceptions import NewConnectionError, ProtocolError, ProxyError, ReadTimeoutError, SSLError

REF = ObjectRef(SECRET, "a", "pull")
REVIEW = Kind("authorization.k8s.io/v1", "SubjectAccessReview", "subjectaccessreviews", "review", namespaced=False)
PATH = "/api/v1/namespaces/a/secrets"
GET = f"GET {PATH}/pull"
FOUND = Answer(200, {"kind": "Secret", "metadata": {"name": "pull", "namespace": "a", "uid": "u"}})
CREATE = create(REF, {"data": {"k": "é"}}, {}, {})
UPDATE = update(REF, {"metadata": {"resourceVersion": "7"}}, {"data": {}}, {}, before={}, after={})
DELETE = delete(REF, {"metadata": {"uid": "u", "resourceVersion": "7"}}, {}, {})
WRITES = [
    (CREATE, f"POST {PATH}", "creating"),
    (UPDATE, f"PATCH {PATH}/pull", "updating"),
    (DELETE, f"DELETE {PATH}/pull", "deleting"),
]

REFUSED = status_object(401, "Unauthorized")
MISSING = status_object(404, "NotFound", 'secrets "pull" not found', kind="secrets", name="pull")
BUSY = Answer(429, b"Too many requests, please try again later.", {"Retry-After": "1"})
FAILING = Answer(500, b"etcd")
STARTING = Answer(503, b"starting", {"Retry-After": "2"})
DOWN = NewConnectionError(None, "")  # type: ignore[arg-type]
DOWN.__cause__ = ConnectionRefusedError(111, "connection refused")
CUT = ProtocolError("Connection aborted.", ConnectionResetError(104, "reset by peer"))
HANGS = ReadTimeoutError(None, "", "timed out")  # type: ignore[arg-type]
GONE = status_object(410, "Expired", "The provided continue parameter is too old")


def untrusted(message: str) -> SSLError:
    """A certificate that is not accepted, with the message of OpenSSL."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = 18, message
    return SSLError(error)


def cluster_of(*script: tuple[str, Any], **connection: Any) -> tuple[Cluster, ScriptedPool, Clock]:
    pool, clock = ScriptedPool(*script), Clock()
    return Cluster(ScriptedConnection(pool, **connection), "tests/1", clock.sleep, clock.now), pool, clock


def after(clock: Clock, seconds: float, answer: Any) -> Callable[[Any], Any]:
    """Return the answer after this delay."""

    def wait(_request: Any) -> Any:
        clock.seconds += seconds
        if isinstance(answer, Exception):
            raise answer
        return answer

    return wait


class TestGet:
    def test_get_returns_the_object(self) -> None:
        cluster, pool, _clock = cluster_of((GET, FOUND))
        assert cluster.get(REF) == FOUND.body
        (request,) = pool.requests
        assert request.headers == {
            "Accept": "application/json",
            "User-Agent": "tests/1",
            "Authorization": "Bearer token-1",
        }
        assert request.body is None
        pool.done()

    def test_get_returns_none_if_the_object_does_not_exist(self) -> None:
        cluster, pool, _clock = cluster_of((GET, MISSING))
        assert cluster.get(REF) is None
        pool.done()

    def test_an_unknown_kind_is_not_a_missing_object(self) -> None:
        cluster, _pool, _clock = cluster_of((GET, Answer(404, b"404 page not found\n")))
        with pytest.raises(UnknownResource, match=f"^reading secret a/pull on {HOST} was refused: 404 404 page not"):
            cluster.get(REF)

    def test_a_404_from_a_proxy_is_not_a_missing_object(self) -> None:
        cluster, _pool, _clock = cluster_of((GET, Answer(404, b"<html>")))
        with pytest.raises(ApiError, match="not from a Kubernetes API server"):
            cluster.get(REF)

    @pytest.mark.parametrize(
        ("ref", "path"),
        [
            (ObjectRef(NAMESPACE, "", "a"), "/api/v1/namespaces/a"),
            (
                ObjectRef(ROLE_BINDING, "a", "system:x/y"),
                "/apis/rbac.authorization.k8s.io/v1/namespaces/a/rolebindings/system%3Ax%2Fy",
            ),
            (ObjectRef(SECRET, "a/../b", "\ud800"), "/api/v1/namespaces/a%2F..%2Fb/secrets/%3F"),
        ],
    )
    def test_every_name_becomes_one_part_of_the_path(self, ref: ObjectRef, path: str) -> None:
        cluster, pool, _clock = cluster_of((f"GET {path}", MISSING))
        assert cluster.get(ref) is None
        pool.done()

    @pytest.mark.parametrize(
        ("body", "instead"),
        [
            (b"<html>", "something that is not JSON"),
            (b"", "something that is not JSON"),
            ([], "something that is not a Secret"),
            (None, "something that is not JSON"),
            ({"kind": "Secret", "metadata": {"name": None}}, "something that is not a Secret"),
            ({"kind": "Pod", "metadata": {"name": "pull", "namespace": "a"}}, "something that is not a Secret"),
        ],
    )
    def test_an_answer_that_is_not_the_object_is_reported(self, body: Any, instead: str) -> None:
        cluster, _pool, _clock = cluster_of((GET, Answer(200, body)))
        with pytest.raises(ApiError) as caught:
            cluster.get(REF)
        assert str(caught.value) == (
            f"reading secret a/pull on {HOST} returned {instead}. Check the address and the proxy"
        )

    def test_an_endless_answer_is_refused(self) -> None:
        cluster, _pool, _clock = cluster_of((GET, Answer(200, bytes)))
        with pytest.raises(ApiError, match="returned more than any API server sends. Check the address"):
            cluster.get(REF)

    def test_a_404_with_the_kind_and_name_of_the_object_means_that_it_is_missing(self) -> None:
        """For a missing role binding, the answer could also be about the role that it grants."""
        ref = ObjectRef(ROLE_BINDING, "a", "b")
        answer = status_object(404, "NotFound", "not found", kind="rolebindings", name="b")
        path = "/apis/rbac.authorization.k8s.io/v1/namespaces/a/rolebindings/b"
        cluster, _pool, _clock = cluster_of((f"GET {path}", answer))
        assert cluster.get(ref) is None


class TestOtherReads:
    def test_get_path_returns_the_json_object(self) -> None:
        cluster, pool, _clock = cluster_of(("GET /apis", Answer(200, {"groups": []})))
        assert cluster.get_path("/apis") == {"groups": []}
        pool.done()

    def test_get_path_refuses_an_answer_that_is_not_a_json_object(self) -> None:
        cluster, _pool, _clock = cluster_of(("GET /apis", Answer(200, [])))
        with pytest.raises(ApiError, match=f"^reading /apis on {HOST} returned something that is not a JSON obj"):
            cluster.get_path("/apis")

    def test_a_review_returns_its_status(self) -> None:
        path = "POST /apis/authorization.k8s.io/v1/subjectaccessreviews"
        cluster, pool, _clock = cluster_of((path, Answer(201, {"status": {"allowed": True}})))
        assert cluster.review(REVIEW, {"user": "u"}, "u may pull") == {"allowed": True}
        (request,) = pool.requests
        assert request.body == {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": "u"},
        }
        assert request.headers["Content-Type"] == "application/json"

    @pytest.mark.parametrize("body", [None, {}, {"status": None}, {"status": []}])
    def test_a_review_without_a_status_is_an_error(self, body: Any) -> None:
        cluster, _pool, _clock = cluster_of(
            ("POST /apis/authorization.k8s.io/v1/subjectaccessreviews", Answer(201, body))
        )
        with pytest.raises(ApiError, match=f"^asking whether u may pull on {HOST} returned"):
            cluster.review(REVIEW, {}, "u may pull")

    def test_a_lost_review_is_repeated(self) -> None:
        path = "POST /apis/authorization.k8s.io/v1/subjectaccessreviews"
        cluster, pool, _clock = cluster_of((path, CUT), (path, Answer(201, {"status": {}})))
        assert cluster.review(REVIEW, {}, "u may pull") == {}
        pool.done()


class TestWrite:
    def test_create_sends_the_object_with_post(self) -> None:
        cluster, pool, _clock = cluster_of((f"POST {PATH}", Answer(201, FOUND.body)))
        assert cluster.write(CREATE) == FOUND.body
        (request,) = pool.requests
        assert request.body == CREATE.body
        assert request.headers["Content-Type"] == "application/json"

    def test_update_sends_a_merge_patch(self) -> None:
        cluster, pool, _clock = cluster_of((f"PATCH {PATH}/pull", FOUND))
        assert cluster.write(UPDATE) == FOUND.body
        (request,) = pool.requests
        assert request.body == UPDATE.body
        assert request.headers["Content-Type"] == "application/merge-patch+json"

    @pytest.mark.parametrize("body", [{"kind": "Status", "status": "Success"}, FOUND.body])
    def test_delete_returns_none(self, body: Any) -> None:
        cluster, pool, _clock = cluster_of((f"DELETE {PATH}/pull", Answer(200, body)))
        assert cluster.write(DELETE) is None
        assert pool.requests[0].body == DELETE.body

    @pytest.mark.parametrize(("change", "request_line", "word"), WRITES)
    def test_an_invalid_answer_to_a_write_is_reported_with_the_doubt(
        self, change: Change, request_line: str, word: str
    ) -> None:
        cluster, _pool, _clock = cluster_of((request_line, Answer(200, b"<html>")))
        with pytest.raises(ApiError) as caught:
            cluster.write(change)
        assert str(caught.value) == (
            f"{word} secret a/pull on {HOST} returned something that is not JSON. Check the address and the "
            "proxy. It may have been carried out"
        )

    def test_an_answer_of_a_proxy_is_not_a_deletion(self) -> None:
        cluster, _pool, _clock = cluster_of((f"DELETE {PATH}/pull", Answer(200, {"ok": True})))
        with pytest.raises(ApiError, match="something that is not a Status"):
            cluster.write(DELETE)

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (status_object(409, "AlreadyExists"), AlreadyExists),
            (status_object(409, "Conflict"), Conflict),
            (status_object(403, "Forbidden"), Forbidden),
        ],
    )
    def test_a_refused_write_raises_the_kind_of_error_of_its_status(
        self, answer: Answer, kind: type[Exception]
    ) -> None:
        cluster, pool, _clock = cluster_of((f"POST {PATH}", answer))
        with pytest.raises(kind, match=f"^creating secret a/pull on {HOST} was refused: {answer.status}"):
            cluster.write(CREATE)
        pool.done()

    @pytest.mark.parametrize(("name", "ref"), [("role", "b"), ("b", "b")])
    def test_a_missing_role_is_not_a_missing_binding(self, name: str, ref: str) -> None:
        """When a binding is created, no binding exists yet that could be missing."""
        change = create(ObjectRef(ROLE_BINDING, "a", ref), {}, {}, {})
        answer = status_object(404, "NotFound", "not found", kind="rolebindings", name=name)
        cluster, _pool, _clock = cluster_of(
            ("POST /apis/rbac.authorization.k8s.io/v1/namespaces/a/rolebindings", answer)
        )
        with pytest.raises(Forbidden, match="The role does not exist"):
            cluster.write(change)

    @pytest.mark.parametrize(("change", "request_line", "word"), WRITES)
    @pytest.mark.parametrize("answer", [CUT, HANGS, FAILING], ids=["cut", "hangs", "fails"])
    def test_a_write_with_a_lost_answer_is_not_sent_again(
        self, change: Change, request_line: str, word: str, answer: Any
    ) -> None:
        cluster, pool, clock = cluster_of((GET, FOUND), (request_line, answer))
        cluster.get(REF)
        with pytest.raises(Unanswered, match=f"^{word} secret a/pull on {HOST} .*. It may have been carried out"):
            cluster.write(change)
        assert clock.slept == []
        assert cluster.retries == 0
        pool.done()

    def test_a_lost_answer_is_reported_in_full(self) -> None:
        cluster, _pool, _clock = cluster_of((f"POST {PATH}", CUT))
        with pytest.raises(Unanswered) as caught:
            cluster.write(CREATE)
        assert str(caught.value) == (
            f"creating secret a/pull on {HOST} got no response: reset by peer. It may have been carried out: run again"
        )

    def test_a_dry_run_is_marked_in_the_request_and_is_repeated(self) -> None:
        line = f"POST {PATH}?dryRun=All"
        cluster, pool, _clock = cluster_of((line, CUT), (line, Answer(201, FOUND.body)))
        assert cluster.write(CREATE, dry_run=True) == FOUND.body
        pool.done()


def page(*names: str, token: Any = "", namespace: str = "a", version: str = "1") -> Answer:
    items = [
        {"metadata": {"name": name, "namespace": namespace, "resourceVersion": version, "managedFields": [1]}}
        for name in names
    ]
    return Answer(200, {"kind": "SecretList", "metadata": {"continue": token}, "items": items})


def names(objects: Iterator[Any]) -> list[tuple[str, str]]:
    return [(found["metadata"]["name"], found["metadata"]["resourceVersion"]) for found in objects]


LIST = f"GET {PATH}?limit=1000"


class TestList:
    def test_list_reads_page_by_page(self) -> None:
        cluster, pool, _clock = cluster_of(
            (LIST, page("x", "y", token="t 1")), (f"{LIST}&continue=t+1", page("z", version="2"))
        )
        assert names(cluster.list(SECRET, namespace="a")) == [("x", "1"), ("y", "1"), ("z", "2")]
        pool.done()

    def test_a_page_of_too_large_objects_is_requested_in_parts(self) -> None:
        """A user who creates large objects does not keep the objects of others from being read."""
        small, one = LIST.replace("1000", "100"), LIST.replace("1000", "10")
        cluster, pool, _clock = cluster_of(
            (LIST, Answer(200, bytes)),
            (small, page("x", token="t")),
            (f"{small}&continue=t", Answer(200, bytes)),
            (f"{one}&continue=t", page("y", token="u")),
            (f"{one}&continue=u", page("z")),
        )
        assert [name for name, _version in names(cluster.list(SECRET, namespace="a"))] == ["x", "y", "z"]
        pool.done()

    def test_a_single_object_that_is_too_large_is_an_error(self) -> None:
        lines = [LIST.replace("1000", limit) for limit in ("1000", "100", "10", "1")]
        cluster, pool, _clock = cluster_of(*((line, Answer(200, bytes)) for line in lines))
        with pytest.raises(ApiError, match="returned more than any API server sends"):
            list(cluster.list(SECRET, namespace="a"))
        pool.done()

    def test_list_drops_the_record_of_field_managers(self) -> None:
        cluster, _pool, _clock = cluster_of((LIST, page("x")))
        assert list(cluster.list(SECRET, namespace="a")) == [
            {"metadata": {"name": "x", "namespace": "a", "resourceVersion": "1"}}
        ]

    def test_list_returns_only_objects_that_the_caller_keeps(self) -> None:
        cluster, _pool, _clock = cluster_of((LIST, page("x", "y", token="2")), (f"{LIST}&continue=2", page("x")))
        kept = cluster.list(
            SECRET, namespace="a", keep=lambda found: found if found["metadata"]["name"] == "x" else None
        )
        assert [found["metadata"] for found in kept] == [
            {"name": "x", "namespace": "a", "resourceVersion": "1", "managedFields": [1]}
        ]

    def test_selectors_are_sent_in_the_query(self) -> None:
        line = "GET /api/v1/secrets?fieldSelector=metadata.name%3Dx&labelSelector=a+in+%28b%29&limit=1000"
        cluster, pool, _clock = cluster_of((line, page()))
        assert list(cluster.list(SECRET, field_selector="metadata.name=x", label_selector="a in (b)")) == []
        pool.done()

    def test_a_selector_with_half_a_letter_is_refused_with_a_fix(self) -> None:
        cluster, _pool, _clock = cluster_of(
            ("GET /api/v1/secrets?labelSelector=%3F&limit=1000", status_object(400, "BadRequest", "unable to parse"))
        )
        with pytest.raises(
            ApiError,
            match=r"Correct the label selector .* \(namespace_selector.labels, or label_selector of the event source\)",
        ):
            list(cluster.list(SECRET, label_selector="\udc00"))

    @pytest.mark.parametrize(("namespace", "where"), [("a", "in namespace a"), ("", "in all namespaces")])
    def test_a_refused_list_names_the_namespace(self, namespace: str, where: str) -> None:
        path = PATH if namespace else "/api/v1/secrets"
        cluster, _pool, _clock = cluster_of((f"GET {path}?limit=1000", status_object(403, "Forbidden")))
        with pytest.raises(Forbidden, match=f"^listing secrets {where} on {HOST} was refused: 403"):
            list(cluster.list(SECRET, namespace=namespace))

    def test_a_lost_list_is_read_from_its_start_and_its_earlier_pages_do_not_count(self) -> None:
        """Between the two reads, one object has changed, one has vanished and one is new."""
        cluster, pool, _clock = cluster_of(
            (LIST, page("changed", "vanished", token="1")),
            (f"{LIST}&continue=1", GONE),
            (LIST, page("changed", "new", token="1", version="2")),
            (f"{LIST}&continue=1", page("last", version="2")),
        )
        found = names(cluster.list(SECRET, namespace="a"))
        assert found == [("changed", "2"), ("new", "2"), ("last", "2")]
        pool.done()

    def test_an_object_that_appears_twice_counts_once_in_its_last_form(self) -> None:
        cluster, _pool, _clock = cluster_of(
            (LIST, page("x", "x", "y", token="1")), (f"{LIST}&continue=1", page("x", version="2"))
        )
        assert names(cluster.list(SECRET, namespace="a")) == [("x", "2"), ("y", "1")]

    def test_objects_with_the_same_name_in_two_namespaces_are_both_listed(self) -> None:
        line = "GET /api/v1/secrets?limit=1000"
        cluster, _pool, _clock = cluster_of(
            (line, page("x", token="1")), (f"{line}&continue=1", page("x", namespace="b"))
        )
        assert names(cluster.list(SECRET)) == [("x", "1"), ("x", "1")]

    def test_list_returns_cluster_scoped_objects(self) -> None:
        items = [{"metadata": {"name": "x"}}, {"metadata": {"name": "y"}}]
        cluster, _pool, _clock = cluster_of(
            ("GET /api/v1/namespaces?limit=1000", Answer(200, {"metadata": {}, "items": items}))
        )
        assert list(cluster.list(NAMESPACE)) == items

    def test_a_list_that_is_lost_four_times_is_given_up(self) -> None:
        passes = [(LIST, page("x", token="1")), (f"{LIST}&continue=1", GONE)] * 4
        cluster, pool, _clock = cluster_of(*passes)
        with pytest.raises(Expired) as caught:
            list(cluster.list(SECRET, namespace="a"))
        assert str(caught.value) == (
            f"listing secrets in namespace a on {HOST} failed: the API server dropped the list before its last page 4 times "
            "in a row. Run again when it is less busy"
        )
        pool.done()

    def test_a_list_that_is_lost_three_times_is_read_again(self) -> None:
        passes = [(LIST, page("x", token="1")), (f"{LIST}&continue=1", GONE)] * 3
        cluster, pool, _clock = cluster_of(*passes, (LIST, page("y")))
        assert names(cluster.list(SECRET, namespace="a")) == [("y", "1")]
        pool.done()

    def test_a_repeated_continue_token_is_an_error(self) -> None:
        cluster, pool, _clock = cluster_of(
            (LIST, page("x", token="1")),
            (f"{LIST}&continue=1", page("y", token="2")),
            (f"{LIST}&continue=2", page("x", token="1")),
        )
        with pytest.raises(ApiError) as caught:
            list(cluster.list(SECRET, namespace="a"))
        assert str(caught.value) == (
            f"listing secrets in namespace a on {HOST} failed: the list has no end. Check the API server and the proxy"
        )
        pool.done()

    def test_endless_new_continue_tokens_are_an_error(self) -> None:
        numbers = iter(range(1_000_000))

        class Endless:
            def request_encode_url(self, *_arguments: Any, **_keywords: Any) -> Answer:
                return page(token=str(next(numbers)))

        with pytest.raises(ApiError, match="the list has no end"):
            list(Cluster(ScriptedConnection(Endless()), "tests").list(SECRET, namespace="a"))
        assert next(numbers) == 10_001

    @pytest.mark.parametrize(
        ("body", "instead"),
        [
            ({"metadata": None, "items": []}, "something that is not a SecretList"),
            ({"metadata": {}, "items": [None]}, "a list with an item that is not a Secret"),
        ],
    )
    def test_an_answer_that_is_not_a_list_is_reported(self, body: Any, instead: str) -> None:
        cluster, _pool, _clock = cluster_of((LIST, Answer(200, body)))
        with pytest.raises(ApiError) as caught:
            list(cluster.list(SECRET, namespace="a"))
        assert str(caught.value) == (
            f"listing secrets in namespace a on {HOST} returned {instead}. Check the address and the proxy"
        )

    def test_a_list_that_fails_later_yields_no_object(self) -> None:
        cluster, _pool, _clock = cluster_of(
            (LIST, page("x", token="1")), (f"{LIST}&continue=1", status_object(403, "Forbidden"))
        )
        with pytest.raises(Forbidden):
            next(cluster.list(SECRET, namespace="a"))


class TestRepeating:
    """A request is repeated where that is safe, with growing pauses and for a limited time."""

    @pytest.mark.parametrize("answer", [DOWN, CUT, HANGS, FAILING, Answer(503, b""), STARTING, BUSY])
    def test_a_failed_read_is_repeated(self, answer: Any) -> None:
        cluster, pool, _clock = cluster_of((GET, FOUND), (GET, answer), (GET, answer), (GET, FOUND))
        cluster.get(REF)
        assert cluster.get(REF) == FOUND.body
        assert cluster.retries == 2
        pool.done()

    @pytest.mark.parametrize("answer", [DOWN, STARTING, BUSY, Answer(429, b""), Answer(429, b"", {"Retry-After": "x"})])
    def test_a_write_that_cannot_have_been_carried_out_is_repeated(self, answer: Any) -> None:
        line = f"POST {PATH}"
        cluster, pool, _clock = cluster_of((GET, FOUND), (line, answer), (line, Answer(201, FOUND.body)))
        cluster.get(REF)
        assert cluster.write(CREATE) == FOUND.body
        assert cluster.retries == 1
        pool.done()

    @pytest.mark.parametrize("status", [403, 404, 409, 422])
    def test_a_refusal_with_retry_after_is_not_repeated(self, status: int) -> None:
        answer = status_object(status, "X", kind="secrets", name="pull")
        answer.headers = {"Retry-After": "1"}
        cluster, pool, _clock = cluster_of((f"PATCH {PATH}/pull", answer))
        with pytest.raises(ApiError):
            cluster.write(UPDATE)
        pool.done()

    def test_the_pauses_grow_up_to_five_seconds(self) -> None:
        cluster, _pool, clock = cluster_of((GET, FOUND), *[(GET, CUT)] * 8, (GET, FOUND))
        cluster.get(REF)
        cluster.get(REF)
        assert len(clock.slept) == 8
        for pause, least in zip(clock.slept, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0], strict=True):
            assert least <= pause <= 1.25 * least

    def test_the_server_can_ask_for_longer_pauses(self) -> None:
        cluster, _pool, clock = cluster_of((GET, Answer(429, b"", {"Retry-After": "20"})), (GET, FOUND))
        cluster.get(REF)
        (pause,) = clock.slept
        assert 20.0 <= pause <= 25.0

    @pytest.mark.parametrize(("header", "repeated"), [("30", True), ("31", False), ("9" * 400, False)])
    def test_a_pause_of_more_than_thirty_seconds_is_not_waited_for(self, header: str, repeated: bool) -> None:
        busy = Answer(429, b"", {"Retry-After": header})
        cluster, pool, _clock = cluster_of((GET, busy), *[(GET, FOUND)] * repeated)
        if repeated:
            assert cluster.get(REF) == FOUND.body
        else:
            with pytest.raises(ApiError, match="429 no explanation. The API server is overloaded"):
                cluster.get(REF)
        pool.done()

    def test_a_request_is_repeated_for_half_a_minute_after_the_first_failure(self) -> None:
        """While other requests are answered, the client gives up only the request that always fails."""
        cluster, _pool, clock = cluster_of()
        sent: list[float] = []

        def fail(_request: Any) -> Any:
            clock.seconds += 7.0
            sent.append(clock.seconds)
            return BUSY

        cluster._connection.pool.script = [(GET, fail)] * 9
        with pytest.raises(ApiError, match="429"):
            cluster.get(REF)
        assert 30.0 <= sent[-1] - sent[0] < 40.0
        assert sent[-2] - sent[0] < 30.0

    def test_an_object_that_always_fails_does_not_stop_the_others(self) -> None:
        other = ObjectRef(SECRET, "a", "other")
        found = {"metadata": {"name": "other", "namespace": "a"}}
        clock = Clock()

        class Server:
            def request_encode_url(self, _method: str, url: str, **_keywords: Any) -> Answer:
                return Answer(200, found) if url.endswith("other") else Answer(500, b"cannot decrypt")

        cluster = Cluster(ScriptedConnection(Server()), "tests", clock.sleep, clock.now)

        def sleep(seconds: float) -> None:
            clock.sleep(seconds)
            assert cluster.get(other)

        cluster._sleep = sleep
        with pytest.raises(Unanswered) as caught:
            cluster.get(REF)
        assert str(caught.value) == (
            f"reading secret a/pull on {HOST} failed: 500 cannot decrypt. Check the API server and its dependencies, "
            "then run again"
        )
        assert cluster.get(other)


class TestLogin:
    def test_a_refused_login_is_renewed_once(self) -> None:
        cluster, pool, _clock = cluster_of((GET, REFUSED), (GET, FOUND), renewals=["token-2"])
        assert cluster.get(REF) == FOUND.body
        assert [request.headers["Authorization"] for request in pool.requests] == ["Bearer token-1", "Bearer token-2"]
        pool.done()

    def test_a_write_with_a_refused_login_is_sent_again_with_the_new_one(self) -> None:
        line = f"POST {PATH}"
        cluster, pool, _clock = cluster_of((line, REFUSED), (line, Answer(201, FOUND.body)), renewals=["token-2"])
        assert cluster.write(CREATE) == FOUND.body
        assert [request.body for request in pool.requests] == [CREATE.body] * 2

    @pytest.mark.parametrize(("script", "renewals"), [([(GET, REFUSED)], []), ([(GET, REFUSED)] * 2, ["2", "3"])])
    def test_a_login_that_stays_refused_stops_everything(self, script: Any, renewals: list[str]) -> None:
        cluster, pool, _clock = cluster_of(*script, renewals=renewals)
        for attempt in (lambda: cluster.get(REF), lambda: cluster.write(CREATE), lambda: cluster.get_path("/apis")):
            with pytest.raises(Unauthorized) as caught:
                attempt()
            assert str(caught.value) == (
                f"reading secret a/pull on {HOST} was refused: 401 Unauthorized. The login is invalid or has expired: "
                "log in again, for example with 'oc login', or give a valid token or certificate (api_key, kubeconfig, client_cert, in the "
                "playbooks with image_pull_ before the name)"
            )
            assert not caught.value.unanswered
        pool.done()

    @pytest.mark.parametrize(
        "answer",
        [
            status_object(403, "Forbidden", "Bearer token-1 may not"),
            Answer(500, b"GET / Authorization: Bearer token-1 failed"),
            ProtocolError("Connection aborted.", BadStatusLine("Bearer token-1")),
            untrusted("the certificate of token-1 is invalid"),
        ],
    )
    def test_a_server_that_repeats_the_login_does_not_reveal_it(self, answer: Any) -> None:
        cluster, _pool, _clock = cluster_of((f"POST {PATH}", answer))
        with pytest.raises(ImagePullError, match=r"\*{8}") as caught:
            cluster.write(CREATE)
        assert "token-1" not in str(caught.value)

    def test_a_proxy_that_repeats_the_login_does_not_reveal_it(self) -> None:
        refusing = ProxyError("no", OSError("Tunnel connection failed: 407 token-1"))
        cluster, _pool, _clock = cluster_of((GET, refusing))
        with pytest.raises(ConnectError, match=r"407 \*{8}"):
            cluster.get(REF)

    def test_the_refused_login_is_passed_to_the_renewal(self) -> None:
        cluster, _pool, _clock = cluster_of((GET, REFUSED), (GET, FOUND), renewals=["token-2"])
        connection: Any = cluster._connection
        stale: list[Any] = []
        renew = connection.renew
        connection.renew = lambda headers: stale.append(headers) or renew(headers)
        cluster.get(REF)
        assert [headers["Authorization"] for headers in stale] == ["Bearer token-1"]

    def test_a_refused_impersonation_stops_everything_without_a_renewal(self) -> None:
        answer = status_object(403, "Forbidden", 'User "u" cannot impersonate resource "users" in API group ""')
        cluster, pool, _clock = cluster_of((GET, answer), renewals=["token-2"])
        for _attempt in range(2):
            with pytest.raises(Unauthorized, match="403 .*Give the caller the right to impersonate"):
                cluster.get(REF)
        assert cluster._connection.renewed == 0  # type: ignore[attr-defined]
        pool.done()

    @pytest.mark.parametrize("where", ["headers", "renew"])
    def test_an_unavailable_login_stops_everything(self, where: str) -> None:
        def fail(*_arguments: Any) -> Any:
            calls.append(where)
            raise ConnectError("the plugin failed")

        calls: list[str] = []
        cluster, pool, _clock = cluster_of(*[(GET, REFUSED)] * (where == "renew"))
        setattr(cluster._connection, where, fail)
        for _attempt in range(3):
            with pytest.raises(ConnectError, match=r"^the plugin failed$"):
                cluster.get(REF)
        assert calls == [where]
        pool.done()


class TestStopping:
    """If the cluster as a whole fails, the client reports it once and sends nothing more."""

    def test_a_server_that_was_never_reached_is_not_waited_for(self) -> None:
        cluster, pool, clock = cluster_of((GET, DOWN))
        for _attempt in range(3):
            with pytest.raises(ConnectError) as caught:
                cluster.get(REF)
            assert str(caught.value) == (
                f"reading secret a/pull on {HOST} failed: connection refused. Check the address, the network and the proxy"
            )
        assert clock.slept == []
        pool.done()

    def test_an_untrusted_certificate_stops_everything(self) -> None:
        bad = untrusted("self-signed certificate")
        cluster, pool, _clock = cluster_of((GET, FOUND), (f"POST {PATH}", bad))
        cluster.get(REF)
        for attempt in (lambda: cluster.write(CREATE), lambda: cluster.get(REF)):
            with pytest.raises(ConnectError) as caught:
                attempt()
            assert str(caught.value) == (
                f"creating secret a/pull on {HOST} failed: certificate verify failed: self-signed certificate. Give the cluster's "
                "certificate authority in 'ca_cert' or the kubeconfig"
            )
            assert not caught.value.unanswered
        pool.done()

    def test_an_unforeseen_error_is_the_failure_of_one_request(self) -> None:
        cluster, pool, _clock = cluster_of(
            (GET, RuntimeError("Bearer token-1\nx")), (GET, FOUND), (f"POST {PATH}", RuntimeError())
        )
        assert cluster.get(REF) == FOUND.body, "a read is repeated"
        with pytest.raises(Unanswered) as caught:
            cluster.write(CREATE)
        assert str(caught.value) == (
            f"creating secret a/pull on {HOST} failed: the HTTP library failed with RuntimeError. Please report it"
        )
        pool.script.append((GET, FOUND))
        assert cluster.get(REF) == FOUND.body, "the others go on"
        pool.done()

    def test_an_unreadable_object_is_not_a_failure_of_the_cluster(self) -> None:
        cluster, pool, _clock = cluster_of((GET, FOUND), *[(GET, FAILING)] * 100)
        pool.probe = Answer(403, b"forbidden")
        cluster.get(REF)
        with pytest.raises(Unanswered, match=f"^reading secret a/pull on {HOST} failed: 500 etcd"):
            cluster.get(REF)
        (probe,) = pool.probes
        assert probe.headers["Authorization"] == "Bearer token-1"
        assert (probe.timeout.connect_timeout, probe.timeout.read_timeout) == (10.0, 5.0)
        pool.script[:] = [(GET, FOUND)]
        assert cluster.get(REF) == FOUND.body, "the others go on"

    @pytest.mark.parametrize("probe", [Answer(500), Answer(503), DOWN, CUT, HANGS, RuntimeError()])
    def test_a_cluster_without_any_healthy_answer_is_given_up(self, probe: Any) -> None:
        cluster, pool, _clock = cluster_of((GET, FOUND), *[(GET, FAILING)] * 100)
        pool.probe = probe
        cluster.get(REF)
        with pytest.raises(ClusterError, match="succeeded for"):
            cluster.get(REF)
        assert len(pool.probes) == 1

    @pytest.mark.parametrize("answer", [DOWN, CUT, FAILING, STARTING], ids=["down", "cut", "fails", "starting"])
    def test_a_lost_server_is_waited_for_once(self, answer: Any) -> None:
        cluster, pool, clock = cluster_of((GET, FOUND), *[(GET, answer)] * 100)
        cluster.get(REF)
        began = clock.seconds
        with pytest.raises(ClusterError, match=f"^no request to {HOST} succeeded for 3. s, so no further requests"):
            cluster.get(REF)
        assert 30.0 <= clock.seconds - began < 37.0
        left, now = len(pool.script), clock.seconds
        for attempt in (lambda: cluster.get(REF), lambda: cluster.write(CREATE)):
            with pytest.raises(ClusterError, match="succeeded for"):
                attempt()
        assert (len(pool.script), clock.seconds) == (left, now)

    @given(st.integers(0, 30), st.random_module())
    def test_a_server_that_keeps_sending_retry_after_is_given_up(self, seconds: int, _seed: Any) -> None:
        """For any header and any random pauses, the error is about the cluster, not about one object."""
        busy = Answer(503, b"starting", {"Retry-After": str(seconds)})
        cluster, _pool, clock = cluster_of((GET, FOUND), *[(GET, busy)] * 100)
        cluster.get(REF)
        began = clock.seconds
        with pytest.raises(ClusterError, match="succeeded for"):
            cluster.get(REF)
        assert 30.0 <= clock.seconds - began <= 30.0 + 1.25 * max(seconds, 5)

    @pytest.mark.parametrize(
        ("answer", "kind", "what"),
        [
            (DOWN, ConnectError, "failed: connection refused"),
            (HANGS, ClusterError, "got no response: None: timed out"),
            (FAILING, ClusterError, "failed: 500 etcd"),
        ],
    )
    def test_a_lost_server_is_reported_in_full(self, answer: Any, kind: type[Exception], what: str) -> None:
        cluster, pool, clock = cluster_of((GET, FOUND), (GET, CUT))
        pool.script.append((GET, after(clock, 60.0, answer)))
        cluster.get(REF)
        with pytest.raises(ClusterError) as caught:
            cluster.get(REF)
        assert caught.type is kind
        assert str(caught.value) == (
            f"no request to {HOST} succeeded for 60 s, so no further requests are sent. The last failure: reading "
            f"secret a/pull on {HOST} {what}. Check the API server, the network and the proxy"
        )

    def test_a_server_that_hangs_without_any_other_answer_is_given_up(self) -> None:
        cluster, pool, clock = cluster_of((GET, FOUND))
        pool.script.append((GET, after(clock, 60.0, HANGS)))
        cluster.get(REF)
        with pytest.raises(ClusterError, match="for 60 s"):
            cluster.get(REF)
        assert clock.slept == []
        pool.done()

    def test_a_slow_failure_is_an_answer(self) -> None:
        """A webhook that times out after thirty seconds, for all requests at once."""
        cluster, pool, clock = cluster_of((GET, FOUND))
        pool.script += [(f"POST {PATH}", after(clock, 30.0, FAILING)), (GET, FOUND)]
        cluster.get(REF)
        with pytest.raises(Unanswered):
            cluster.write(CREATE)
        assert cluster.get(REF) == FOUND.body
        pool.done()

    def test_a_first_request_is_given_five_seconds(self) -> None:
        cluster, pool, clock = cluster_of((GET, CUT))
        pool.script.append((GET, after(clock, 5.0, CUT)))
        with pytest.raises(ClusterError, match="for 5 s"):
            cluster.get(REF)
        pool.done()

    def test_an_unhealthy_answer_shows_that_there_is_a_server(self) -> None:
        cluster, pool, clock = cluster_of((GET, FAILING))
        pool.script += [(GET, after(clock, 6.0, DOWN)), (GET, FOUND)]
        assert cluster.get(REF) == FOUND.body
        pool.done()

    def test_a_restart_of_some_seconds_is_waited_for(self) -> None:
        cluster, pool, _clock = cluster_of((GET, FOUND), *[(GET, DOWN)] * 4, (GET, STARTING), (GET, FOUND))
        cluster.get(REF)
        assert cluster.get(REF) == FOUND.body
        pool.done()

    @pytest.mark.parametrize("answer", [CUT, HANGS, FAILING])
    def test_a_write_with_a_lost_answer_is_reported_as_possibly_carried_out(self, answer: Any) -> None:
        cluster, pool, clock = cluster_of((GET, FOUND), (f"PATCH {PATH}/pull", answer))
        pool.script.append((f"POST {PATH}", after(clock, 31.0, answer)))
        cluster.get(REF)
        with pytest.raises(Unanswered):
            cluster.write(UPDATE)
        with pytest.raises(ClusterError) as caught:
            cluster.write(CREATE)
        assert caught.value.unanswered
        assert str(caught.value).endswith(
            f". Check the API server, the network and the proxy. This may have been carried out: creating secret a/pull on {HOST}"
        )
        with pytest.raises(ClusterError) as caught:
            cluster.write(UPDATE)
        assert not caught.value.unanswered
        assert str(caught.value).endswith(". Check the API server, the network and the proxy")
        pool.done()

    def test_a_write_that_was_not_sent_has_no_doubt(self) -> None:
        cluster, pool, clock = cluster_of((GET, FOUND))
        pool.script.append((f"POST {PATH}", after(clock, 31.0, DOWN)))
        cluster.get(REF)
        with pytest.raises(ConnectError) as caught:
            cluster.write(CREATE)
        assert not caught.value.unanswered
        pool.done()

    def test_a_dry_run_with_a_lost_answer_has_no_doubt(self) -> None:
        cluster, pool, clock = cluster_of((GET, FOUND))
        pool.script.append((f"POST {PATH}?dryRun=All", after(clock, 31.0, CUT)))
        cluster.get(REF)
        with pytest.raises(ClusterError) as caught:
            cluster.write(CREATE, dry_run=True)
        assert not caught.value.unanswered


class TestThreads:
    def test_a_request_that_hangs_while_the_others_are_answered_stops_no_other(self) -> None:
        """Seven threads go on reading. The eighth waits for a webhook, and is cut off after a minute."""
        clock, hanging, others_done = Clock(), threading.Event(), threading.Event()

        class Server:
            def request_encode_url(self, method: str, _url: str, **_keywords: Any) -> Answer:
                if method == "POST":
                    hanging.set()
                    assert others_done.wait(10)
                    raise HANGS
                return Answer(200, FOUND.body)

        cluster = Cluster(ScriptedConnection(Server()), "tests", clock.sleep, clock.now)
        cluster.get(REF)
        with ThreadPoolExecutor(8) as pool:
            write = pool.submit(cluster.write, CREATE)
            assert hanging.wait(10)
            for _second in range(60):
                clock.seconds += 1.0
                assert list(pool.map(lambda _n: cluster.get(REF), range(7))) == [FOUND.body] * 7
            others_done.set()
            with pytest.raises(Unanswered):
                write.result(10)
        assert cluster.get(REF) == FOUND.body

    @pytest.mark.parametrize("stopped_by", ["failure", "close"])
    @pytest.mark.parametrize("answer", [CUT, DOWN, FAILING, FOUND, BUSY], ids=["cut", "down", "fails", "found", "busy"])
    def test_a_write_that_is_under_way_when_the_others_stop_is_not_sent_again(
        self, stopped_by: str, answer: Any
    ) -> None:
        """The lost answer is reported. An answer that arrives counts."""
        clock = Clock()

        class Server:
            def request_encode_url(self, method: str, _url: str, **_keywords: Any) -> Answer:
                if method == "GET":
                    return Answer(200, FOUND.body)
                writes.append(method)
                if stopped_by == "close":
                    cluster.close()
                else:
                    cluster._health.stop(ConnectError("the plugin failed"))
                if isinstance(answer, Exception):
                    raise answer
                return Answer(answer.status, answer.body, answer.headers)

        writes: list[str] = []
        cluster = Cluster(ScriptedConnection(Server()), "tests", clock.sleep, clock.now)
        cluster.get(REF)
        first = "stopped: the task has ended" if stopped_by == "close" else "the plugin failed"
        if answer is FOUND:
            assert cluster.write(CREATE) == FOUND.body
        else:
            with pytest.raises(ClusterError) as caught:
                cluster.write(CREATE)
            lost = answer in (CUT, FAILING)
            assert str(caught.value).startswith(first)
            assert caught.value.unanswered is lost
            assert str(caught.value).endswith("may have been carried out: creating secret a/pull on " + HOST) is lost
        assert writes == ["POST"]
        with pytest.raises(ClusterError, match=f"^{first}"):
            cluster.get(REF)

    def test_a_request_is_not_sent_if_the_client_closes_while_it_waits_for_the_login(self) -> None:
        cluster, pool, _clock = cluster_of()
        headers = cluster._connection.headers
        cluster._connection.headers = lambda: cluster.close() or headers()  # type: ignore[method-assign]
        with pytest.raises(ClusterError, match="^stopped"):
            cluster.write(CREATE)
        pool.done()


class TestClose:
    def test_a_closed_client_sends_no_request(self) -> None:
        cluster, pool, _clock = cluster_of()
        cluster.close()
        cluster.close()
        with pytest.raises(ClusterError) as caught:
            cluster.get(REF)
        assert caught.type is ClusterError
        assert str(caught.value) == f"stopped: the task has ended, so no further request is sent to {HOST}"
        pool.done()

    def test_an_earlier_failure_is_still_reported_after_close(self) -> None:
        cluster, _pool, _clock = cluster_of((GET, REFUSED))
        with pytest.raises(Unauthorized):
            cluster.get(REF)
        cluster.close()
        with pytest.raises(Unauthorized):
            cluster.get(REF)


def test_the_client_uses_real_time_by_default() -> None:
    cluster = Cluster(ScriptedConnection(ScriptedPool()), "tests")
    assert (cluster._sleep, cluster._now) == (time.sleep, time.monotonic)
    assert cluster.name == HOST


ODD: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
METADATA = ODD | st.fixed_dictionaries(
    {},
    optional={
        "name": ODD | st.sampled_from(["pull", "other"]),
        "namespace": ODD | st.just("a"),
        "uid": ODD,
        "continue": ODD | st.sampled_from(["1", ""]),
        "managedFields": ODD,
    },
)
OBJECTS = st.fixed_dictionaries(
    {}, optional={"kind": ODD | st.sampled_from(["Secret", "Status"]), "metadata": METADATA, "status": ODD}
)
LISTS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.just("SecretList") | ODD,
        "metadata": METADATA,
        "items": ODD | st.lists(ODD | OBJECTS, max_size=3),
    },
)
STATUS_OBJECTS = st.fixed_dictionaries(
    {"kind": st.just("Status")},
    optional={
        "reason": ODD,
        "message": ODD,
        "details": ODD | st.fixed_dictionaries({}, optional={"causes": ODD | st.lists(ODD), "kind": ODD, "name": ODD}),
    },
)
BODIES = st.binary(max_size=20) | (ODD | OBJECTS | LISTS | STATUS_OBJECTS).map(lambda value: json.dumps(value).encode())
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Retry-After": st.sampled_from(["-1", "9" * 99, "inf", "nan", "soon", "", "0"]) | st.text(max_size=5),
        "Location": st.text(max_size=20),
    },
)
ANSWERS = st.builds(
    Answer,
    st.sampled_from([200, 201, 202, 204, 301, 304, 400, 401, 403, 404, 409, 410, 429, 500, 503]),
    BODIES,
    HEADERS,
)
EXCEPTIONS = st.sampled_from([DOWN, CUT, HANGS, ValueError("x"), RuntimeError("x"), RecursionError("x")])
REQUESTS: list[Callable[[Cluster], Any]] = [
    lambda cluster: cluster.get(REF),
    lambda cluster: list(cluster.list(SECRET, namespace="a", label_selector="x")),
    lambda cluster: list(cluster.list(SECRET)),
    lambda cluster: cluster.get_path("/apis"),
    lambda cluster: cluster.review(REVIEW, {}, "x"),
    lambda cluster: cluster.write(CREATE),
    lambda cluster: cluster.write(UPDATE),
    lambda cluster: cluster.write(DELETE),
    lambda cluster: cluster.write(CREATE, dry_run=True),
]


class TestHostileServer:
    @given(answers=st.lists(ANSWERS | EXCEPTIONS, min_size=1, max_size=4), ask=st.sampled_from(REQUESTS))
    def test_any_answer_leads_to_an_object_or_to_one_error_in_one_line(self, answers: list[Any], ask: Any) -> None:
        """Any sequence of answers gives an object, a list of objects, or an error message of one line."""
        clock, sent = Clock(), iter(range(1_000_000))

        class Server:
            def request_encode_url(self, *_arguments: Any, **_keywords: Any) -> Answer:
                answer = answers[min(next(sent), len(answers) - 1)]
                if isinstance(answer, Exception):
                    raise answer
                return Answer(answer.status, answer.body, answer.headers)

        cluster = Cluster(ScriptedConnection(Server(), renewals=["2", "3"]), "tests", clock.sleep, clock.now)
        try:
            answer = ask(cluster)
        except ImagePullError as error:
            assert str(error).isprintable()
            assert HOST in str(error)
        else:
            for found in answer if isinstance(answer, list) else [answer]:
                assert found is None or isinstance(found, dict)
        assert next(sent) < 100


LIST_OF_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
METADATA = LIST_OF_METADATA.replace("MetadataList", "Metadata")
SURVEY = "GET /api/v1/secrets?limit=1000"
WATCH = "GET /api/v1/secrets?watch=true&allowWatchBookmarks=true&resourceVersion=9&timeoutSeconds=60"


def metadata_of(name: str, version: str = "7") -> dict[str, Any]:
    return {"kind": "PartialObjectMetadata", "metadata": {"name": name, "namespace": "a", "resourceVersion": version}}


def metadata_list(*names: str, token: str = "") -> Answer:
    meta = {"resourceVersion": "9", "continue": token}
    return Answer(
        200, {"kind": "PartialObjectMetadataList", "metadata": meta, "items": [metadata_of(name) for name in names]}
    )


def event(kind: str, obj: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


class TestSurvey:
    def test_survey_requests_metadata_only_page_by_page(self) -> None:
        cluster, pool, _clock = cluster_of(
            (SURVEY, metadata_list("x", token="t")), (f"{SURVEY}&continue=t", metadata_list("y"))
        )
        found = cluster.survey(SECRET, keep=lambda obj: obj["metadata"]["name"])
        assert (found.items, found.version) == (["x", "y"], "9")
        assert {request.headers["Accept"] for request in pool.requests} == {LIST_OF_METADATA}

    def test_survey_selects_by_labels_and_keeps_the_wanted_objects(self) -> None:
        cluster, pool, _clock = cluster_of(
            ("GET /api/v1/secrets?labelSelector=a%3Db&limit=1000", metadata_list("x", "y"))
        )
        found = cluster.survey(
            SECRET, label_selector="a=b", keep=lambda obj: obj if obj["metadata"]["name"] == "y" else None
        )
        assert [obj["metadata"]["name"] for obj in found.items] == ["y"]
        pool.done()

    def test_whole_objects_in_a_survey_are_an_error(self) -> None:
        whole = {"kind": "SecretList", "metadata": {"resourceVersion": "9"}, "items": [{"data": {"k": "c2VjcmV0"}}]}
        cluster, _pool, _clock = cluster_of((SURVEY, Answer(200, whole)))
        with pytest.raises(ApiError, match="more than the requested metadata") as error:
            cluster.survey(SECRET, keep=lambda obj: obj)
        assert "c2VjcmV0" not in str(error.value)

    def test_requests_other_than_a_survey_ask_for_whole_objects(self) -> None:
        cluster, pool, _clock = cluster_of((GET, FOUND))
        cluster.get(REF)
        assert pool.requests[0].headers["Accept"] == "application/json"


class TestWatch:
    def test_watch_yields_each_event(self) -> None:
        lines = [event("ADDED", metadata_of("x")) + event("DELETED", metadata_of("x", "8"))[:20]]
        lines.append(event("DELETED", metadata_of("x", "8"))[20:] + b"\n")
        cluster, pool, _clock = cluster_of((WATCH, Answer(200, lines)))
        with cluster.watch(SECRET, "9", seconds=60) as events:
            assert [(one.type, one.version) for one in events] == [("ADDED", "7"), ("DELETED", "8")]
        (request,) = pool.requests
        assert request.headers["Accept"] == METADATA
        assert request.timeout.read_timeout == 90.0, "its silence is bounded"

    @pytest.mark.parametrize(
        ("answer", "kind", "words"),
        [
            (
                GONE,
                Expired,
                "watching the metadata of secrets in all namespaces on https://api.example.com:6443 was refused: 410",
            ),
            (FAILING, Unanswered, "failed: 500"),
            (status_object(403, "Forbidden", 'User "u" cannot watch'), Forbidden, "Give the caller that right"),
            (DOWN, ConnectError, "connection refused"),
        ],
    )
    def test_a_watch_that_does_not_begin_raises_the_error(self, answer: Any, kind: type[Exception], words: str) -> None:
        cluster, _pool, _clock = cluster_of((WATCH, answer))
        with pytest.raises(kind) as error, cluster.watch(SECRET, "9", seconds=60):
            pytest.fail("it began")
        assert words in str(error.value)

    @pytest.mark.parametrize(
        ("parts", "kind", "words"),
        [
            ([event("ERROR", {"kind": "Status", "code": 410, "message": "too old"})], Expired, "410 too old"),
            ([event("ERROR", {"kind": "Status", "code": 500, "message": "etcd"})], Unanswered, "500 etcd"),
            ([event("ERROR", {"code": True})], Unanswered, "failed: 500"),
            ([event("ADDED", {"kind": "Secret", "data": {}})], ApiError, "more than the requested metadata"),
            ([b"<html>\n"], ApiError, "not JSON"),
            ([b"half"], Unanswered, "in the middle of a line"),
            ([CUT], Unanswered, "reset by peer"),
            ([HANGS], Unanswered, "timed out"),
        ],
    )
    def test_a_watch_that_ends_with_an_error_raises_it(
        self, parts: list[Any], kind: type[Exception], words: str
    ) -> None:
        cluster, _pool, _clock = cluster_of((WATCH, Answer(200, [event("ADDED", metadata_of("x")), *parts])))
        with cluster.watch(SECRET, "9", seconds=60) as events:
            assert next(events).type == "ADDED"
            with pytest.raises(kind) as error:
                next(events)
        assert words in str(error.value)
        assert "watching the metadata of secrets" in str(error.value)

    def test_a_watch_error_that_repeats_the_login_does_not_reveal_it(self) -> None:
        said = event("ERROR", {"kind": "Status", "code": 500, "message": "GET token-1 failed"})
        cluster, _pool, _clock = cluster_of((WATCH, Answer(200, [said])))
        with cluster.watch(SECRET, "9", seconds=60) as events, pytest.raises(Unanswered) as error:
            next(events)
        assert "500 GET ******** failed" in str(error.value)

    def test_watch_renews_a_refused_login_once(self) -> None:
        cluster, pool, _clock = cluster_of((WATCH, REFUSED), (WATCH, Answer(200, [])), renewals=["token-2"])
        with cluster.watch(SECRET, "9", seconds=60) as events:
            assert [*events] == []
        assert pool.requests[1].headers["Authorization"] == "Bearer token-2"

    def test_a_login_that_cannot_be_renewed_ends_the_connection(self) -> None:
        cluster, pool, _clock = cluster_of((WATCH, REFUSED))
        for _again in range(2):
            with pytest.raises(Unauthorized), cluster.watch(SECRET, "9", seconds=60):
                pytest.fail("it began")
        assert len(pool.requests) == 1
