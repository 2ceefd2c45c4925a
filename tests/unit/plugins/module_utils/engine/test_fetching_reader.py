# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading uses as few requests as possible, and a failure affects only the namespaces that it concerns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ApiError, Forbidden
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import ALL, NO_SELECTORS, ListedBy
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    Kind,
    ObjectRef,
    Objects,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.fetching import (
    View,
    look_up,
    observe,
    read_views,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.workers import Workers
from support.fake_api import FakeApi
from support.scripted_pool import status_object

FORBIDDEN = status_object(403, "Forbidden", "secrets is forbidden")
ODD = status_object(400, "BadRequest", "odd")
ALWAYS = 10**9
BY_TYPE: ListedBy = {SECRET: ("type=own",)}


@dataclass(frozen=True)
class Asks:
    """Asks for the secrets with these names, then for accounts."""

    named: tuple[str, ...] = ("keep",)
    listed_by: ListedBy = field(default_factory=lambda: NO_SELECTORS)
    refers: tuple[str, ...] = ()
    kind: ClassVar[Kind] = SECRET

    def names(self, _namespace: str) -> tuple[str, ...]:
        return self.named

    def related(self, namespace: str, objects: Objects) -> Sequence[ObjectRef]:
        return [ObjectRef(SERVICE_ACCOUNT, namespace, name) for name in self.refers if objects]


ONE = Asks()
TWO = Asks(("keep", "more"), {SECRET: ALL})
TYPED = Asks(("keep", "more"), BY_TYPE)
WHOLE = Asks(())


def names(count: int) -> list[str]:
    return [f"n{number:03}" for number in range(count)]


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(4) as found:
        yield found


class TestObserve:
    @pytest.mark.parametrize(
        ("asks", "count", "requests"),
        [
            (ONE, 1, 1),
            (ONE, 4, 4),
            (ONE, 5, 1),
            (TWO, 16, 32),
            (TWO, 17, 17),
            (TWO, 32, 32),
            (TWO, 33, 1),
            (WHOLE, 5, 5),
            (WHOLE, 32, 32),
            (WHOLE, 33, 1),
        ],
    )
    def test_namespaces_are_observed_by_one_list_if_that_needs_fewer_requests(
        self, api: FakeApi, workers: Workers, asks: Asks, count: int, requests: int
    ) -> None:
        wanted = names(count)
        for name in wanted:
            api.put("secrets", name, "keep")
        api.put("secrets", "elsewhere", "keep")
        found, _unread = observe(api.cluster(), workers, asks, wanted)
        assert {name: sorted(objects) for name, objects in found.items()} == {name: ["keep"] for name in wanted}  # type: ignore[arg-type]
        assert len(api.asked) == requests

    def test_observe_keeps_only_the_given_names_of_a_list(self, api: FakeApi, workers: Workers) -> None:
        for name in ("keep", "more", "other"):
            api.put("secrets", "n000", name)
        found, _unread = observe(api.cluster(), workers, TWO, names(40))
        assert sorted(found["n000"]) == ["keep", "more"]  # type: ignore[arg-type]
        assert found["n001"] == {}
        assert api.asked == ["GET /api/v1/secrets?limit=1000"]

    def test_observe_keeps_all_objects_without_names(self, api: FakeApi, workers: Workers) -> None:
        for namespace in ("n000", "n001"):
            api.put("secrets", namespace, "any")
        for count in (2, 40):
            found, _unread = observe(api.cluster(), workers, WHOLE, names(count))
            assert list(found["n001"]) == ["any"]  # type: ignore[arg-type]

    @pytest.mark.parametrize(("count", "requests"), [(2, 4), (40, 2)])
    def test_a_whole_namespace_is_listed_by_the_selectors_of_its_kind(
        self, api: FakeApi, workers: Workers, count: int, requests: int
    ) -> None:
        for kind in ("own", "mine", "other"):
            api.put("secrets", "n001", kind, type=kind)
        asks = Asks((), {SECRET: ("type=own", "type=mine")})
        found, _unread = observe(api.cluster(), workers, asks, names(count))
        assert sorted(found["n001"]) == ["mine", "own"]  # type: ignore[arg-type]
        assert (found["n000"], len(api.asked)) == ({}, requests)

    @pytest.mark.parametrize("asks", [ONE, WHOLE])
    def test_a_failed_read_is_the_failure_of_its_namespace(self, api: FakeApi, workers: Workers, asks: Asks) -> None:
        api.fail("GET /api/v1/namespaces/n001/", ODD, times=ALWAYS)
        found, _unread = observe(api.cluster(), workers, asks, names(3))
        assert isinstance(found["n001"], ApiError)
        assert (found["n000"], found["n002"]) == ({}, {})

    def test_listed_objects_lack_field_managers_and_read_objects_have_them(
        self, api: FakeApi, workers: Workers
    ) -> None:
        for name in names(5):
            api.put("secrets", name, "keep", metadata={"managedFields": [1]}, data={"a": "b"})
        listed = observe(api.cluster(), workers, ONE, names(5))[0]["n000"]["keep"]  # type: ignore[index]
        assert "managedFields" not in listed["metadata"]
        assert listed["data"] == {"a": "b"}
        assert "managedFields" in observe(api.cluster(), workers, ONE, names(1))[0]["n000"]["keep"]["metadata"]  # type: ignore[index]


class TestLookUp:
    def refs(self, count: int, name: str = "robot") -> list[ObjectRef]:
        return [ObjectRef(SERVICE_ACCOUNT, namespace, name) for namespace in names(count)]

    def test_different_names_are_never_listed(self, api: FakeApi, workers: Workers) -> None:
        """A list of secrets would return the tokens of the whole cluster."""
        refs = [ObjectRef(SECRET, namespace, f"token-{namespace}") for namespace in names(80)]
        found = look_up(api.cluster(), workers, refs)
        assert len(api.asked) == 80
        assert set(found.values()) == {None}

    def test_look_up_leaves_out_forbidden_objects(self, api: FakeApi, workers: Workers) -> None:
        api.fail("n001", FORBIDDEN, times=ALWAYS)
        assert [ref.namespace for ref in look_up(api.cluster(), workers, self.refs(3))] == ["n000", "n002"]

    def test_a_failed_read_is_the_failure_of_its_object(self, api: FakeApi, workers: Workers) -> None:
        api.fail("n001", ODD, times=ALWAYS)
        found = look_up(api.cluster(), workers, self.refs(3))
        assert [type(answer).__name__ for answer in found.values()] == ["NoneType", "ApiError", "NoneType"]

    def test_listed_and_read_objects_are_trimmed_by_their_kind(self, api: FakeApi, workers: Workers) -> None:
        kind = Kind("v1", "Pod", "pods", "pod", trim=lambda obj: {"metadata": obj["metadata"], "kept": True})
        for name in names(65):
            api.put("pods", name, "p", spec={"large": True})
        for count in (1, 65):
            found = look_up(api.cluster(), workers, [ObjectRef(kind, name, "") for name in names(count)])
            (pod,) = found[ObjectRef(kind, "n000", "")]["items"]  # type: ignore[index]
            assert sorted(pod) == ["kept", "metadata"]
        listed = look_up(api.cluster(), workers, [ObjectRef(kind, name, "p") for name in names(65)])
        assert sorted(listed[ObjectRef(kind, "n000", "p")]) == ["kept", "metadata"]  # type: ignore[arg-type]


class TestRead:
    def ask(self, api: FakeApi, workers: Workers, count: int = 3) -> dict[str, Any]:
        return read_views(api.cluster(), workers, Asks(refers=("robot", "other")), names(count))

    def test_each_namespace_has_its_own_share(self, api: FakeApi, workers: Workers) -> None:
        keep = api.put("secrets", "n000", "keep", kind="Secret", apiVersion="v1")
        robot = api.put("serviceaccounts", "n000", "robot", kind="ServiceAccount", apiVersion="v1")
        found = self.ask(api, workers)
        refs = [ObjectRef(SERVICE_ACCOUNT, "n000", name) for name in ("robot", "other")]
        assert found["n000"] == View({"keep": keep}, {refs[0]: robot, refs[1]: None})
        assert found["n001"] == View({}, {})

    def test_a_failure_is_that_of_the_namespace_that_needs_the_object(self, api: FakeApi, workers: Workers) -> None:
        for name in names(3):
            api.put("secrets", name, "keep")
        api.fail("n000/secrets", ODD)
        api.fail("n001/serviceaccounts/other", ODD)
        api.fail("n002/serviceaccounts/robot", FORBIDDEN)
        found = self.ask(api, workers)
        assert isinstance(found["n000"], ImagePullError)
        assert isinstance(found["n001"], ImagePullError)
        assert not isinstance(found["n000"], Forbidden)
        assert found["n002"].related == {ObjectRef(SERVICE_ACCOUNT, "n002", "other"): None}
