# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All objects of a kind in many namespaces are read with one list if the caller is allowed to."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ApiError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    metadata,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.fetching import (
    Listing,
    ListRequest,
    list_each_kind,
    list_in_namespaces,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.workers import Workers
from support.fake_api import FakeApi
from support.scripted_pool import status_object

FORBIDDEN = status_object(403, "Forbidden", "secrets is forbidden")
ALWAYS = 10**9


@pytest.fixture
def api() -> FakeApi:
    api = FakeApi()
    for namespace in ("a", "b", "c"):
        for name in ("one", "two"):
            api.put("secrets", namespace, name)
    return api


def listed(api: FakeApi, *namespaces: str, **options: Any) -> Listing:
    few = options.pop("few", 0)
    request = ListRequest(SECRET, options.pop("keep", lambda obj: obj), **options)
    with Workers(2) as workers:
        return list_in_namespaces(api.cluster(), workers, request, namespaces, few=few)


def listed_each(api: FakeApi, *namespaces: str, **options: Any) -> list[Listing]:
    requests = [ListRequest(kind, lambda obj: obj) for kind in (SECRET, SERVICE_ACCOUNT)]
    with Workers(2) as workers:
        return list_each_kind(api.cluster(), workers, requests, namespaces, **{"few": 0, **options})


def names(found: Listing) -> dict[str, list[str]]:
    return {place: [metadata(obj)["name"] for obj in objects] for place, objects in found.objects.items()}


def test_one_list_returns_the_wanted_objects_of_the_given_namespaces(api: FakeApi) -> None:
    found = listed(api, "c", "a", keep=lambda obj: obj if metadata(obj)["name"] == "one" else None)
    assert names(found) == {"c": ["one"], "a": ["one"]}
    assert list(found.objects) == ["c", "a"]
    assert (found.errors, found.is_whole) == ({}, True)
    assert api.asked == ["GET /api/v1/secrets?limit=1000"]


def test_a_few_namespaces_are_listed_one_by_one(api: FakeApi) -> None:
    assert names(listed(api, "a", "b", few=2)) == {"a": ["one", "two"], "b": ["one", "two"]}
    assert sorted(api.asked) == [f"GET /api/v1/namespaces/{name}/secrets?limit=1000" for name in "ab"]


def test_a_forbidden_list_is_replaced_by_lists_of_namespaces_and_gaps_are_reported(api: FakeApi) -> None:
    api.fail(r"GET /api/v1/secrets\?", FORBIDDEN, times=ALWAYS)
    api.fail("GET /api/v1/namespaces/b/secrets", FORBIDDEN, times=ALWAYS)
    found = listed(api, "a", "b")
    assert names(found) == {"a": ["one", "two"]}
    assert (list(found.errors), found.is_whole) == (["b"], False)


def test_objects_of_other_namespaces_are_kept_on_request(api: FakeApi) -> None:
    found = listed(api, "a", elsewhere=lambda obj: obj if metadata(obj)["name"] == "two" else None)
    assert names(found) == {"a": ["one", "two"], "b": ["two"], "c": ["two"]}


class TestSeveralKinds:
    def test_only_the_forbidden_list_is_replaced_by_lists_of_namespaces(self, api: FakeApi) -> None:
        api.put("serviceaccounts", "b", "robot")
        api.fail(r"GET /api/v1/secrets\?", FORBIDDEN, times=ALWAYS)
        secrets, accounts = listed_each(api, "a", "b")
        assert names(secrets) == {"a": ["one", "two"], "b": ["one", "two"]}
        assert (names(accounts), accounts.is_whole) == ({"b": ["robot"]}, True)
        assert len(api.asked) == 4

    @pytest.mark.parametrize(("few", "failed"), [(0, ["a", "b"]), (2, ["b"])], ids=str)
    def test_a_failed_list_is_the_error_of_its_namespaces(self, api: FakeApi, few: int, failed: list[str]) -> None:
        api.fail("GET /api/v1(/namespaces/b)?/secrets", status_object(400, "BadRequest", "odd"), times=ALWAYS)
        secrets, accounts = listed_each(api, "a", "b", few=few)
        assert (list(secrets.errors), secrets.is_whole) == (failed, not few)
        assert accounts.errors == {}


def test_any_other_failure_is_an_error(api: FakeApi) -> None:
    api.fail(r"GET /api/v1/secrets\?", status_object(400, "BadRequest", "odd"), times=ALWAYS)
    with pytest.raises(ApiError):
        listed(api, "a", "b")
