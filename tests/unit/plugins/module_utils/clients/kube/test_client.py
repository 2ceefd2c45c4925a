# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client reads, lists, watches and writes objects over scripted HTTP. Every answer is an object or one error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.client import Cluster
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import (
    NO_API_SERVER,
    AlreadyExists,
    ApiError,
    Conflict,
    ConnectError,
    Expired,
    Forbidden,
    NoApiServer,
    Unanswered,
    Unauthorized,
    UnknownResource,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Change, create
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    NAMESPACE,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Kind,
    ObjectRef,
)
from hypothesis import given
from hypothesis import strategies as st
from support.anything import ANYTHING
from support.kube_requests import (
    CREATE,
    CUT,
    DELETE,
    DOWN,
    FAILING,
    FOUND,
    GET,
    GONE,
    HANGS,
    MISSING,
    PATH,
    REF,
    REFUSED,
    REVIEW,
    UPDATE,
    WRITES,
    cluster_of,
)
from support.objects import raised
from support.scripted_pool import HOST, Answer, Clock, ScriptedConnection, status_object

#: Responses that no API server gives for a core kind.
FOREIGN = [Answer(404, b"<html>"), Answer(200, b"<html>"), Answer(302, b"")]


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
        get = "GET /apis/example.com/v1/namespaces/a/widgets/b"
        cluster, _pool, _clock = cluster_of((get, Answer(404, b"404 page not found\n")))
        ref = ObjectRef(Kind("example.com/v1", "Widget", "widgets", "widget"), "a", "b")
        with pytest.raises(UnknownResource, match=f"^reading widget a/b on {HOST} was refused: 404 page not"):
            cluster.get(ref)

    @pytest.mark.parametrize("foreign", FOREIGN)
    def test_one_foreign_response_of_a_known_api_server_is_not_a_failure_of_the_cluster(self, foreign: Answer) -> None:
        cluster, pool, _clock = cluster_of((GET, FOUND), (GET, foreign), (GET, FOUND))
        assert cluster.get(REF)
        with pytest.raises(NoApiServer, match="'oc whoami --show-server'"):
            cluster.get(REF)
        assert cluster.get(REF)
        pool.done()

    @pytest.mark.parametrize("foreign", [*FOREIGN, Answer(404, b"404 page not found\n")])
    def test_a_foreign_first_response_ends_all_requests(self, foreign: Answer) -> None:
        """A registry or a proxy answers like that. Otherwise each object would seem to be missing."""
        cluster, pool, _clock = cluster_of((GET, foreign))
        first, second = (raised(ConnectError, lambda: cluster.get(REF)) for _attempt in range(2))
        assert first == second
        assert NO_API_SERVER in first
        pool.done()

    @pytest.mark.parametrize(
        ("ref", "path"),
        [
            (ObjectRef(NAMESPACE, "", "a"), "/api/v1/namespaces/a"),
            (
                ObjectRef(ROLE_BINDING, "a", "system:x?y=ü#\n"),
                "/apis/rbac.authorization.k8s.io/v1/namespaces/a/rolebindings/system%3Ax%3Fy%3D%C3%BC%23%0A",
            ),
        ],
    )
    def test_every_name_becomes_one_part_of_the_path(self, ref: ObjectRef, path: str) -> None:
        cluster, pool, _clock = cluster_of((f"GET {path}", MISSING))
        assert cluster.get(ref) is None
        pool.done()

    @pytest.mark.parametrize("name", [".", "..", "a/b", "../x", "50%off", "%2e%2e", "\ud800"])
    @pytest.mark.parametrize("kind", [SECRET, ROLE_BINDING])
    def test_an_object_with_an_impossible_name_does_not_exist(self, kind: Kind, name: str) -> None:
        """No request is sent: an escaped name would be another path for some proxies, and `..` cannot be escaped."""
        cluster, _pool, _clock = cluster_of()
        assert cluster.get(ObjectRef(kind, "a", name)) is None
        assert cluster.get(ObjectRef(kind, name, "a")) is None
        assert list(cluster.list(kind, namespace=name)) == []
        for ref in (ObjectRef(kind, "a", name), ObjectRef(kind, name, "a")):
            with pytest.raises(
                ApiError, match="no request was sent: .* cannot be the name of a (secret|role binding|namespace)"
            ):
                cluster.write(Change("delete", ref, {}))
        with pytest.raises(ApiError, match="no request was sent"):
            cluster.token(ObjectRef(SERVICE_ACCOUNT, "a", name), 600)

    @pytest.mark.parametrize("name", ["", "a" * 254, "Upper", "a b", "a\nb", "?x=y", "#", "ü"])
    def test_a_secret_has_the_name_of_a_domain(self, name: str) -> None:
        cluster, _pool, _clock = cluster_of()
        assert not name or cluster.get(ObjectRef(SECRET, "a", name)) is None
        with pytest.raises(ApiError, match="no request was sent"):
            cluster.write(Change("delete", ObjectRef(SECRET, "a", name), {}))

    def test_an_object_without_a_name_is_not_read(self) -> None:
        """Its path would be that of a list."""
        cluster, _pool, _clock = cluster_of()
        with pytest.raises(ApiError, match="no request was sent: '' cannot be the name of a secret"):
            cluster.get(ObjectRef(SECRET, "a", ""))

    @pytest.mark.parametrize(
        ("body", "kind", "instead"),
        [
            (b"", ConnectError, f"something that is not JSON. {NO_API_SERVER}"),
            ([], ApiError, "something that is not a Secret. Check the address and the proxy"),
        ],
        ids=["empty", "a list"],
    )
    def test_an_answer_that_is_not_the_object_is_reported(self, body: Any, kind: type[Exception], instead: str) -> None:
        cluster, _pool, _clock = cluster_of((GET, Answer(200, body)))
        assert raised(kind, lambda: cluster.get(REF)) == f"reading secret a/pull on {HOST} returned {instead}"

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

    @pytest.mark.parametrize("body", [None, {}, {"status": None}, {"status": []}], ids=str)
    def test_a_review_without_a_status_is_an_error(self, body: Any) -> None:
        cluster, _pool, _clock = cluster_of(
            ("POST /apis/authorization.k8s.io/v1/subjectaccessreviews", Answer(201, body))
        )
        with pytest.raises((ApiError, ConnectError), match=f"^asking whether u may pull on {HOST} returned"):
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
        assert raised(ConnectError, lambda: cluster.write(change)) == (
            f"{word} secret a/pull on {HOST} returned something that is not JSON. {NO_API_SERVER}. It may have been carried out"
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
        assert raised(Unanswered, lambda: cluster.write(CREATE)) == (
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
            match=r"Correct the label selector .* \('namespace_selector.labels', or 'label_selector' of the event source\)",
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
        assert raised(Expired, lambda: list(cluster.list(SECRET, namespace="a"))) == (
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
        assert raised(ApiError, lambda: list(cluster.list(SECRET, namespace="a"))) == (
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
        assert raised(ApiError, lambda: list(cluster.list(SECRET, namespace="a"))) == (
            f"listing secrets in namespace a on {HOST} returned {instead}. Check the address and the proxy"
        )

    def test_a_list_that_fails_later_yields_no_object(self) -> None:
        cluster, _pool, _clock = cluster_of(
            (LIST, page("x", token="1")), (f"{LIST}&continue=1", status_object(403, "Forbidden"))
        )
        with pytest.raises(Forbidden):
            next(cluster.list(SECRET, namespace="a"))


METADATA = ANYTHING | st.fixed_dictionaries(
    {},
    optional={
        "name": ANYTHING | st.sampled_from(["pull", "other"]),
        "namespace": ANYTHING | st.just("a"),
        "uid": ANYTHING,
        "continue": ANYTHING | st.sampled_from(["1", ""]),
        "managedFields": ANYTHING,
    },
)
OBJECTS = st.fixed_dictionaries(
    {}, optional={"kind": ANYTHING | st.sampled_from(["Secret", "Status"]), "metadata": METADATA, "status": ANYTHING}
)
LISTS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.just("SecretList") | ANYTHING,
        "metadata": METADATA,
        "items": ANYTHING | st.lists(ANYTHING | OBJECTS, max_size=3),
    },
)
STATUS_OBJECTS = st.fixed_dictionaries(
    {"kind": st.just("Status")},
    optional={
        "reason": ANYTHING,
        "message": ANYTHING,
        "details": ANYTHING
        | st.fixed_dictionaries(
            {}, optional={"causes": ANYTHING | st.lists(ANYTHING), "kind": ANYTHING, "name": ANYTHING}
        ),
    },
)
BODIES = st.binary(max_size=20) | (ANYTHING | OBJECTS | LISTS | STATUS_OBJECTS).map(
    lambda value: json.dumps(value).encode()
)
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
        found = cluster.list_metadata(SECRET, keep=lambda obj: obj["metadata"]["name"])
        assert (found.items, found.version) == (["x", "y"], "9")
        assert {request.headers["Accept"] for request in pool.requests} == {LIST_OF_METADATA}

    def test_survey_selects_by_labels_and_keeps_the_wanted_objects(self) -> None:
        cluster, pool, _clock = cluster_of(
            ("GET /api/v1/secrets?labelSelector=a%3Db&limit=1000", metadata_list("x", "y"))
        )
        found = cluster.list_metadata(
            SECRET, label_selector="a=b", keep=lambda obj: obj if obj["metadata"]["name"] == "y" else None
        )
        assert [obj["metadata"]["name"] for obj in found.items] == ["y"]
        pool.done()

    def test_whole_objects_in_a_survey_are_an_error(self) -> None:
        whole = {"kind": "SecretList", "metadata": {"resourceVersion": "9"}, "items": [{"data": {"k": "c2VjcmV0"}}]}
        cluster, _pool, _clock = cluster_of((SURVEY, Answer(200, whole)))
        with pytest.raises(ApiError, match="more than the requested metadata") as error:
            cluster.list_metadata(SECRET, keep=lambda obj: obj)
        assert "c2VjcmV0" not in str(error.value)


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
