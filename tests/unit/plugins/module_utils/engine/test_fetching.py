# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of objects is read with the fewest requests that its size and the caller's rights allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import (
    ApiError,
    ClusterError,
    Forbidden,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import ALL, ListedBy
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    NAMESPACE,
    SECRET,
    SERVICE_ACCOUNT,
    Kind,
    ObjectRef,
    metadata,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.fetching import (
    Listing,
    ListRequest,
    fetch_objects,
    list_each_kind,
    list_in_namespaces,
    read_one,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.workers import Workers
from support.fake_api import FakeApi
from support.scripted_pool import status_object

FORBIDDEN = status_object(403, "Forbidden", "secrets is forbidden")

REFUSAL = 'namespaces is forbidden: User "a" cannot {} resource "namespaces" in API group "" at the cluster scope'

ODD = status_object(400, "BadRequest", "odd")

UNAUTHORIZED = status_object(401, "Unauthorized", "Unauthorized")

ALWAYS = 10**9

EVERYWHERE = r"GET /api/v1/secrets\?"

BY_TYPE: ListedBy = {SECRET: ("type=own",)}

BY_TYPES: ListedBy = {SECRET: ("type=own", "type=old")}

WHOLE: ListedBy = {SECRET: ALL}

OWN = "GET /api/v1/secrets?fieldSelector=type%3Down&limit=1000"


def places(count: int) -> list[str]:
    return [f"n{number:03}" for number in range(count)]


def different(count: int, *namespaces: str) -> list[ObjectRef]:
    """Secrets with different names, each in a namespace of its own, or spread over the given namespaces."""
    where = namespaces or places(count)
    return [ObjectRef(SECRET, where[number % len(where)], f"s{number:03}") for number in range(count)]


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(4) as found:
        yield found


def put(api: FakeApi, refs: list[ObjectRef], **parts: Any) -> None:
    for ref in refs:
        api.put("secrets", ref.namespace, ref.name, **{"type": "own", **parts})


class TestDifferentNames:
    @pytest.mark.parametrize(("count", "requests"), [(1, 1), (32, 32), (33, 1), (100, 1)])
    def test_different_names_are_listed_by_type_if_that_needs_fewer_requests(
        self, api: FakeApi, workers: Workers, count: int, requests: int
    ) -> None:
        refs = different(count)
        put(api, refs)
        put(api, [ObjectRef(SECRET, "elsewhere", "s000"), ObjectRef(SECRET, "n000", "another")])
        found, unread = fetch_objects(api.cluster(), workers, refs, BY_TYPE)
        assert len(api.asked) == requests
        assert {ref: obj["metadata"]["name"] for ref, obj in found.items()} == {ref: ref.name for ref in refs}  # type: ignore[index]
        assert unread == set()
        if requests == 1 < count:
            assert api.asked == [OWN]

    def test_an_object_that_the_list_lacks_is_unread_and_not_absent(self, api: FakeApi, workers: Workers) -> None:
        refs = different(40)
        put(api, refs[:3])
        put(api, refs[3:5], type="other")
        found, unread = fetch_objects(api.cluster(), workers, refs, BY_TYPE)
        assert sorted(found, key=str) == refs[:3]
        assert unread == set(refs[3:])
        assert api.asked == [OWN]

    def test_each_selector_needs_one_list(self, api: FakeApi, workers: Workers) -> None:
        refs = different(40)
        put(api, refs[:20])
        put(api, refs[20:39], type="old")
        found, unread = fetch_objects(api.cluster(), workers, refs, BY_TYPES)
        assert len(found) == 39
        assert unread == {refs[39]}
        assert api.asked == [OWN, OWN.replace("own", "old")]

    def test_a_list_of_all_is_complete(self, api: FakeApi, workers: Workers) -> None:
        refs = different(40)
        put(api, refs[:3])
        found, unread = fetch_objects(api.cluster(), workers, refs, WHOLE)
        assert unread == set()
        assert list(found) == refs
        assert [ref for ref, obj in found.items() if obj is not None] == refs[:3]
        assert api.asked == ["GET /api/v1/secrets?limit=1000"]

    def test_each_object_is_read_if_there_is_no_selector(self, api: FakeApi, workers: Workers) -> None:
        found, unread = fetch_objects(api.cluster(), workers, different(40), {SERVICE_ACCOUNT: ALL})
        assert (len(api.asked), set(found.values()), unread) == (40, {None}, set())

    @pytest.mark.parametrize(("names", "requests"), [(1, 1), (2, 10)])
    def test_one_name_is_listed_by_name_and_two_names_are_read_one_by_one(
        self, api: FakeApi, workers: Workers, names: int, requests: int
    ) -> None:
        refs = [ObjectRef(SECRET, place, f"s{number % names}") for number, place in enumerate(places(10))]
        fetch_objects(api.cluster(), workers, refs, BY_TYPE)
        assert len(api.asked) == requests

    def test_one_name_is_listed_by_name_even_if_there_is_a_selector(self, api: FakeApi, workers: Workers) -> None:
        refs = [ObjectRef(SECRET, place, "s") for place in places(40)]
        _found, unread = fetch_objects(api.cluster(), workers, refs, BY_TYPE)
        assert api.asked == ["GET /api/v1/secrets?fieldSelector=metadata.name%3Ds&limit=1000"]
        assert unread == set(), "a list by name brings all that there are"


class TestOneNamespace:
    def test_one_namespace_is_listed_alone(self, api: FakeApi, workers: Workers) -> None:
        refs = different(50, "a")
        put(api, refs[:49])
        found, unread = fetch_objects(api.cluster(), workers, refs, BY_TYPE)
        assert api.asked == ["GET /api/v1/namespaces/a/secrets?fieldSelector=type%3Down&limit=1000"]
        assert (len(found), unread) == (49, {refs[49]})

    def test_a_few_namespaces_are_listed_one_by_one(self, api: FakeApi, workers: Workers) -> None:
        refs = different(64, *places(32))
        fetch_objects(api.cluster(), workers, refs, WHOLE)
        assert sorted(api.asked) == [f"GET /api/v1/namespaces/{name}/secrets?limit=1000" for name in places(32)]

    def test_many_namespaces_are_listed_at_once(self, api: FakeApi, workers: Workers) -> None:
        fetch_objects(api.cluster(), workers, different(66, *places(33)), WHOLE)
        assert api.asked == ["GET /api/v1/secrets?limit=1000"]

    def test_namespaces_are_listed_alone_for_one_large_or_a_few_small_ones(
        self, api: FakeApi, workers: Workers
    ) -> None:
        refs = [ObjectRef(SERVICE_ACCOUNT, "a", f"s{number}") for number in range(33)]
        fetch_objects(api.cluster(), workers, refs, {SERVICE_ACCOUNT: ALL})
        fetch_objects(api.cluster(), workers, [*different(2), *different(31, "b")], WHOLE)
        assert api.asked[0] == "GET /api/v1/namespaces/a/serviceaccounts?limit=1000"
        assert sorted(api.asked[1:]) == [
            "GET /api/v1/namespaces/b/secrets?limit=1000",
            "GET /api/v1/namespaces/n000/secrets?limit=1000",
            "GET /api/v1/namespaces/n001/secrets?limit=1000",
        ]

    def test_a_forbidden_list_of_a_namespace_is_replaced_by_single_reads(self, api: FakeApi, workers: Workers) -> None:
        refs = different(40, "a", "b")
        put(api, refs)
        api.fail("GET /api/v1/namespaces/b/secrets[?]", FORBIDDEN, times=ALWAYS)
        found, unread = fetch_objects(api.cluster(), workers, refs, BY_TYPE)
        assert sorted(found, key=str) == sorted(refs, key=str)
        assert unread == set()
        assert len(api.asked) == 2 + 20

    @pytest.mark.parametrize("strict", [False, True])
    def test_a_failed_list_of_a_namespace_is_the_failure_of_its_objects(
        self, api: FakeApi, workers: Workers, strict: bool
    ) -> None:
        refs = different(40, "a", "b")
        put(api, refs)
        api.fail("GET /api/v1/namespaces/b/", ODD, times=ALWAYS)
        found, unread = fetch_objects(api.cluster(), workers, refs, BY_TYPE, strict=strict)
        assert {ref.namespace for ref, obj in found.items() if isinstance(obj, ApiError)} == {"b"}
        assert (len(found), unread) == (40, set())
        assert len(api.asked) == 2

    def test_a_cluster_that_fails_ends_the_lists_of_namespaces(self, api: FakeApi, workers: Workers) -> None:
        api.fail("GET", UNAUTHORIZED, times=ALWAYS)
        with pytest.raises(ClusterError):
            fetch_objects(api.cluster(), workers, different(40, "a", "b"), BY_TYPE)


class TestRefused:
    def test_a_forbidden_list_is_replaced_by_single_reads(self, api: FakeApi, workers: Workers) -> None:
        refs = different(40)
        put(api, refs[:1])
        api.fail(EVERYWHERE, FORBIDDEN, times=ALWAYS)
        found, unread = fetch_objects(api.cluster(), workers, refs, BY_TYPE)
        assert [ref for ref, obj in found.items() if obj is not None] == refs[:1]
        assert (len(found), unread, len(api.asked)) == (40, set(), 41)

    def test_a_forbidden_list_is_replaced_by_lists_of_namespaces_with_several_objects(
        self, api: FakeApi, workers: Workers
    ) -> None:
        refs = [*different(40), ObjectRef(SECRET, "n000", "more"), ObjectRef(SECRET, "n001", "more")]
        put(api, refs)
        api.fail(EVERYWHERE, FORBIDDEN, times=ALWAYS)
        found, unread = fetch_objects(api.cluster(), workers, refs, BY_TYPE)
        assert (len(found), unread) == (42, set())
        lists = [line for line in api.asked[1:] if "?" in line]
        assert sorted(lists) == [
            f"GET /api/v1/namespaces/{name}/secrets?fieldSelector=type%3Down&limit=1000" for name in places(2)
        ]
        assert len(api.asked) == 1 + 2 + 38

    def test_a_forbidden_object_is_answered_with_the_refusal(self, api: FakeApi, workers: Workers) -> None:
        api.fail("GET", FORBIDDEN, times=ALWAYS)
        found, _unread = fetch_objects(api.cluster(), workers, different(40), BY_TYPE, strict=True)
        assert {type(answer) for answer in found.values()} == {Forbidden}

    @pytest.mark.parametrize("listed_by", [BY_TYPE, WHOLE])
    def test_a_failed_list_is_the_answer_for_its_objects(
        self, api: FakeApi, workers: Workers, listed_by: ListedBy
    ) -> None:
        refs, account = different(40), ObjectRef(SERVICE_ACCOUNT, "a", "robot")
        api.fail(EVERYWHERE, ODD, times=ALWAYS)
        found, unread = fetch_objects(api.cluster(), workers, [*refs, account], listed_by)
        assert {type(found[ref]) for ref in refs} == {ApiError}
        assert (found[account], unread) == (None, set())
        assert len(api.asked) == 2

    def test_a_failed_list_raises_the_error_if_strict(self, api: FakeApi, workers: Workers) -> None:
        api.fail(EVERYWHERE, ODD, times=ALWAYS)
        with pytest.raises(ApiError, match="^listing secrets in all namespaces on "):
            fetch_objects(api.cluster(), workers, different(40), BY_TYPE, strict=True)

    @pytest.mark.parametrize("strict", [False, True])
    def test_a_cluster_that_fails_ends_the_fetching(self, api: FakeApi, workers: Workers, strict: bool) -> None:
        api.fail(EVERYWHERE, UNAUTHORIZED, times=ALWAYS)
        with pytest.raises(ClusterError):
            fetch_objects(api.cluster(), workers, different(40), BY_TYPE, strict=strict)


class TestWholeNamespaces:
    @pytest.mark.parametrize(("count", "requests"), [(32, 32), (33, 1)])
    def test_all_objects_of_each_whole_namespace_are_listed(
        self, api: FakeApi, workers: Workers, count: int, requests: int
    ) -> None:
        put(api, [ObjectRef(SECRET, "n000", "x"), ObjectRef(SECRET, "n000", "y"), ObjectRef(SECRET, "elsewhere", "z")])
        refs = [ObjectRef(SECRET, place, "") for place in places(count)]
        found, unread = fetch_objects(api.cluster(), workers, refs, BY_TYPE)
        assert [[item["metadata"]["name"] for item in found[ref]["items"]] for ref in refs[:2]] == [["x", "y"], []]  # type: ignore[index]
        assert (len(found), len(api.asked), unread) == (count, requests, set())

    def test_a_whole_namespace_and_a_single_object_are_fetched_together(self, api: FakeApi, workers: Workers) -> None:
        put(api, [ObjectRef(SECRET, "n000", "x")])
        whole, one = ObjectRef(SECRET, "n000", ""), ObjectRef(SECRET, "n000", "x")
        found, _unread = fetch_objects(api.cluster(), workers, [whole, one], WHOLE)
        assert [item["metadata"]["name"] for item in found[whole]["items"]] == ["x"]  # type: ignore[index]
        assert found[one]["metadata"]["name"] == "x"  # type: ignore[index]


class TestClusterScoped:
    def test_all_cluster_scoped_objects_are_listed_without_a_name(self, api: FakeApi, workers: Workers) -> None:
        api.put("namespaces", "", "a")
        api.put("namespaces", "", "b")
        ref = ObjectRef(NAMESPACE, "", "")
        found, unread = fetch_objects(api.cluster(), workers, [ref], {})
        answer = found[ref]
        assert isinstance(answer, dict)
        assert [item["metadata"]["name"] for item in answer["items"]] == ["a", "b"]
        assert (unread, api.asked) == (set(), ["GET /api/v1/namespaces?limit=1000"])

    @pytest.mark.parametrize(("count", "requests"), [(32, 32), (33, 1)])
    def test_many_cluster_scoped_objects_are_listed_at_once(
        self, api: FakeApi, workers: Workers, count: int, requests: int
    ) -> None:
        api.put("namespaces", "", "n001")
        refs = [ObjectRef(NAMESPACE, "", name) for name in places(count)]
        found, unread = fetch_objects(api.cluster(), workers, refs)
        assert [ref.name for ref, obj in found.items() if obj is not None] == ["n001"]
        assert (len(found), len(api.asked), unread) == (count, requests, set())

    def test_a_forbidden_list_of_cluster_scoped_objects_is_replaced_by_single_reads(
        self, api: FakeApi, workers: Workers
    ) -> None:
        api.fail(r"GET /api/v1/namespaces\?", status_object(403, "Forbidden", REFUSAL.format("list")), times=ALWAYS)
        refs = [ObjectRef(NAMESPACE, "", name) for name in places(33)]
        cluster = api.cluster()
        found, _unread = fetch_objects(cluster, workers, refs)
        assert (set(found.values()), len(api.asked)) == ({None}, 34)
        assert cluster.needs == set()

    def test_an_object_that_cannot_be_read_by_name_is_a_missing_right(self, api: FakeApi, workers: Workers) -> None:
        api.fail(r"GET /api/v1/namespaces\?", status_object(403, "Forbidden", REFUSAL.format("list")), times=ALWAYS)
        api.fail("GET /api/v1/namespaces/", status_object(403, "Forbidden", REFUSAL.format("get")), times=ALWAYS)
        cluster = api.cluster()
        found, _unread = fetch_objects(cluster, workers, [ObjectRef(NAMESPACE, "", name) for name in places(33)])
        assert all(isinstance(answer, Forbidden) for answer in found.values())
        assert {need.verb for need in cluster.needs} == {"get"}

    def test_a_forbidden_list_of_all_objects_is_a_missing_right(self, api: FakeApi, workers: Workers) -> None:
        """The objects that are also read by name do not replace it."""
        api.fail(r"GET /api/v1/namespaces\?", status_object(403, "Forbidden", REFUSAL.format("list")), times=ALWAYS)
        every = ObjectRef(NAMESPACE, "", "")
        cluster = api.cluster()
        refs = [*(ObjectRef(NAMESPACE, "", name) for name in places(33)), every]
        found, _unread = fetch_objects(cluster, workers, refs)
        assert isinstance(found[every], Forbidden)
        assert {need.verb for need in cluster.needs} == {"list"}


class TestReadOne:
    def test_read_one_returns_an_object_or_none(self, api: FakeApi) -> None:
        put(api, [ObjectRef(SECRET, "a", "x")], metadata={"managedFields": [1]})
        found = read_one(api.cluster(), ObjectRef(SECRET, "a", "x"))
        assert found["metadata"]["managedFields"] == [1]  # type: ignore[index]
        assert read_one(api.cluster(), ObjectRef(SECRET, "a", "y")) is None
        assert read_one(api.cluster(), ObjectRef(NAMESPACE, "", "y")) is None

    def test_read_one_returns_all_trimmed_objects_of_a_namespace(self, api: FakeApi) -> None:
        kind = Kind("v1", "Secret", "secrets", "secret", trim=lambda obj: {"name": obj["metadata"]["name"]})
        put(api, [ObjectRef(SECRET, "a", "x"), ObjectRef(SECRET, "a", "y"), ObjectRef(SECRET, "b", "x")])
        assert read_one(api.cluster(), ObjectRef(kind, "a", "")) == {"items": [{"name": "x"}, {"name": "y"}]}

    @pytest.mark.parametrize("name", ["x", ""])
    def test_read_one_returns_the_error_of_a_failed_read(self, api: FakeApi, name: str) -> None:
        api.fail("GET", ODD, times=ALWAYS)
        assert isinstance(read_one(api.cluster(), ObjectRef(SECRET, "a", name)), ApiError)


# --- All objects of a kind in many namespaces are read with one list if the caller is allowed to


@pytest.fixture
def filled() -> FakeApi:
    filled = FakeApi()
    for namespace in ("a", "b", "c"):
        for name in ("one", "two"):
            filled.put("secrets", namespace, name)
    return filled


def listed(filled: FakeApi, *namespaces: str, **options: Any) -> Listing:
    few = options.pop("few", 0)
    request = ListRequest(SECRET, options.pop("keep", lambda obj: obj), **options)
    with Workers(2) as workers:
        return list_in_namespaces(filled.cluster(), workers, request, namespaces, few=few)


def listed_each(filled: FakeApi, *namespaces: str, **options: Any) -> list[Listing]:
    requests = [ListRequest(kind, lambda obj: obj) for kind in (SECRET, SERVICE_ACCOUNT)]
    with Workers(2) as workers:
        return list_each_kind(filled.cluster(), workers, requests, namespaces, **{"few": 0, **options})


def names(found: Listing) -> dict[str, list[str]]:
    return {place: [metadata(obj)["name"] for obj in objects] for place, objects in found.objects.items()}


def test_one_list_returns_the_wanted_objects_of_the_given_namespaces(filled: FakeApi) -> None:
    found = listed(filled, "c", "a", keep=lambda obj: obj if metadata(obj)["name"] == "one" else None)
    assert names(found) == {"c": ["one"], "a": ["one"]}
    assert list(found.objects) == ["c", "a"]
    assert (found.errors, found.is_whole) == ({}, True)
    assert filled.asked == ["GET /api/v1/secrets?limit=1000"]


def test_a_few_namespaces_are_listed_one_by_one(filled: FakeApi) -> None:
    assert names(listed(filled, "a", "b", few=2)) == {"a": ["one", "two"], "b": ["one", "two"]}
    assert sorted(filled.asked) == [f"GET /api/v1/namespaces/{name}/secrets?limit=1000" for name in "ab"]


def test_a_forbidden_list_is_replaced_by_lists_of_namespaces_and_gaps_are_reported(filled: FakeApi) -> None:
    filled.fail(r"GET /api/v1/secrets\?", FORBIDDEN, times=ALWAYS)
    filled.fail("GET /api/v1/namespaces/b/secrets", FORBIDDEN, times=ALWAYS)
    found = listed(filled, "a", "b")
    assert names(found) == {"a": ["one", "two"]}
    assert (list(found.errors), found.is_whole) == (["b"], False)


def test_objects_of_other_namespaces_are_kept_on_request(filled: FakeApi) -> None:
    found = listed(filled, "a", elsewhere=lambda obj: obj if metadata(obj)["name"] == "two" else None)
    assert names(found) == {"a": ["one", "two"], "b": ["two"], "c": ["two"]}


class TestSeveralKinds:
    def test_only_the_forbidden_list_is_replaced_by_lists_of_namespaces(self, filled: FakeApi) -> None:
        filled.put("serviceaccounts", "b", "robot")
        filled.fail(r"GET /api/v1/secrets\?", FORBIDDEN, times=ALWAYS)
        secrets, accounts = listed_each(filled, "a", "b")
        assert names(secrets) == {"a": ["one", "two"], "b": ["one", "two"]}
        assert (names(accounts), accounts.is_whole) == ({"b": ["robot"]}, True)
        assert len(filled.asked) == 4

    @pytest.mark.parametrize(("few", "failed"), [(0, ["a", "b"]), (2, ["b"])], ids=str)
    def test_a_failed_list_is_the_error_of_its_namespaces(self, filled: FakeApi, few: int, failed: list[str]) -> None:
        filled.fail("GET /api/v1(/namespaces/b)?/secrets", status_object(400, "BadRequest", "odd"), times=ALWAYS)
        secrets, accounts = listed_each(filled, "a", "b", few=few)
        assert (list(secrets.errors), secrets.is_whole) == (failed, not few)
        assert accounts.errors == {}


def test_any_other_failure_is_an_error(filled: FakeApi) -> None:
    filled.fail(r"GET /api/v1/secrets\?", status_object(400, "BadRequest", "odd"), times=ALWAYS)
    with pytest.raises(ApiError):
        listed(filled, "a", "b")
