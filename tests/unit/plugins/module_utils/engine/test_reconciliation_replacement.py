# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A replacement is complete or, as far as possible, does not happen at all, and the report says which."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import (
    Conflict,
    Forbidden,
    Unanswered,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    Change,
    create,
    delete,
    read_copy,
    replace,
    store_copy,
    update,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.reconciliation import apply_change
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from support.fake_api import LOST, FakeApi
from support.objects import b64
from support.scripted_pool import Answer, Clock, Request, status_object

REF = ObjectRef(SECRET, "a", "pull")
NEW = {"type": "new", "data": {"k": "bmV3"}}
OLD = {"type": "Opaque", "data": {"k": "b2xk"}}
DENIED = status_object(403, "Forbidden", "denied")
BROKEN = status_object(500, "InternalError", "etcd")
ALWAYS = 10**9


@pytest.fixture
def api() -> FakeApi:
    found = FakeApi()
    found.put("secrets", "a", "pull", metadata={"labels": {"a": "b"}, "annotations": {"n": "m"}}, **OLD)
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


def planned(api: FakeApi) -> Change:
    return replace(REF, stored(api), NEW, {}, before={}, after={})


def do(api: FakeApi, clock: Clock, change: Change | None = None) -> Any:
    return apply_change(api.cluster(clock), change or planned(api), EngineClock(clock.now, clock.sleep))


def stored(api: FakeApi) -> Any:
    return api.get("secrets", "a", "pull")


def verbs(api: FakeApi) -> list[str]:
    return ["DRY" if "dryRun" in line else line.split()[0] for line in api.asked]


#: The create after the deletion. Another one, of the copy, comes before it.
REAL: dict[str, Any] = {"pattern": r"POST /api/v1/namespaces/a/secrets$", "after": 1}


class TestCopy:
    def test_the_copy_of_a_killed_run_is_used_again(self, api: FakeApi, clock: Clock) -> None:
        api.put("secrets", "a", "pull.replaced", **store_copy(planned(api)).body)
        assert do(api, clock)["type"] == "new"
        assert [*api.objects] == [("secrets", "a", "pull")]

    def test_the_copy_of_an_earlier_version_is_replaced(self, api: FakeApi, clock: Clock) -> None:
        api.put("secrets", "a", "pull.replaced", **{**store_copy(planned(api)).body, "data": {"k": "b3RoZXI="}})
        api.fail(**REAL, answer=DENIED, times=ALWAYS)
        api.faults[0].after = 2
        with pytest.raises(Refusal):
            do(api, clock)
        assert read_copy(REF, api.get("secrets", "a", "pull.replaced")).items() >= OLD.items()

    def test_the_copy_of_a_later_version_stays(self, api: FakeApi, clock: Clock) -> None:
        change, later = planned(api), {"k": "bGF0ZXI="}
        api.put("secrets", "a", "pull", type="Opaque", data=later)
        api.put("secrets", "a", "pull.replaced", **store_copy(planned(api)).body)
        with pytest.raises(Conflict):
            do(api, clock, change)
        assert read_copy(REF, api.get("secrets", "a", "pull.replaced"))["data"] == later

    def test_without_a_copy_the_secret_stays(self, api: FakeApi, clock: Clock) -> None:
        """Another run deletes the copy after it has kept this one from creating it."""
        taken = status_object(409, "AlreadyExists", 'secrets "pull.replaced" already exists')
        api.fail(r"POST /api/v1/namespaces/a/secrets$", taken)
        with pytest.raises(Conflict, match=r"^copy a/pull.replaced was deleted in the meantime$"):
            do(api, clock)
        assert stored(api)["type"] == "Opaque"
        assert do(api, clock)["type"] == "new"

    def test_another_secret_of_that_name_is_neither_written_nor_used(self, api: FakeApi, clock: Clock) -> None:
        before = api.put("secrets", "a", "pull.replaced", **{**store_copy(planned(api)).body, "type": "Opaque"})
        with pytest.raises(
            Refusal, match=r"^copy a/pull.replaced, which must hold .* Check it, delete it, then run again$"
        ):
            do(api, clock)
        assert (stored(api)["type"], api.get("secrets", "a", "pull.replaced")) == ("Opaque", before)

    @pytest.mark.parametrize("head", ["", "!", "W10=", b64("[1")])
    def test_a_copy_that_cannot_be_read_is_an_error(self, api: FakeApi, head: str) -> None:
        copy = store_copy(planned(api)).body
        with pytest.raises(
            Refusal, match=r"^copy a/pull.replaced cannot be read: check it, delete it, then run again$"
        ):
            read_copy(REF, {**copy, "data": {".object": head}})

    def test_a_copy_holds_only_what_its_own_secret_can_have(self, api: FakeApi) -> None:
        head = {"metadata": {"name": "x", "namespace": "b", "finalizers": ["f"]}, "stringData": {"k": "v"}, "type": "t"}
        found = read_copy(REF, {**store_copy(planned(api)).body, "data": {".object": b64(head)}})
        meta = {"name": "pull", "namespace": "a", "resourceVersion": "unwritten"}
        assert found == {"type": "t", "metadata": meta, "data": {}}


class TestOtherChanges:
    def test_changes_other_than_replacements_are_one_write(self, api: FakeApi, clock: Clock) -> None:
        observed = stored(api)
        assert (
            do(api, clock, update(REF, observed, {"data": NEW["data"]}, {}, before={}, after={}))["data"] == NEW["data"]
        )
        assert do(api, clock, delete(REF, stored(api), {}, {})) is None
        assert do(api, clock, create(REF, NEW, {}, {}))["data"] == NEW["data"]
        assert verbs(api) == ["PATCH", "DELETE", "POST"]


class TestWhole:
    def test_a_replacement_is_a_dry_run_a_deletion_and_a_create(self, api: FakeApi, clock: Clock) -> None:
        assert do(api, clock)["type"] == "new"
        assert verbs(api) == ["DRY", "POST", "DELETE", "POST", "DELETE"]
        assert [*api.objects] == [("secrets", "a", "pull")]
        assert stored(api)["metadata"]["labels"] == {
            "a": "b",
            "app.kubernetes.io/managed-by": "openshift_ops.image_pull",
        }
        assert stored(api)["metadata"]["annotations"] == {"n": "m"}
        assert clock.slept == []

    def test_the_deletion_is_bound_to_the_version_that_was_read(self, api: FakeApi, clock: Clock) -> None:
        meta = stored(api)["metadata"]
        do(api, clock)
        assert api.requests[2].body["preconditions"] == {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}

    def test_a_lost_answer_to_the_deletion_does_not_stop_the_replacement(self, api: FakeApi, clock: Clock) -> None:
        api.fail("DELETE", LOST, carried_out=True)
        assert do(api, clock)["type"] == "new"

    @pytest.mark.parametrize("carried_out", [False, True])
    def test_a_lost_answer_to_the_create_does_not_stop_the_replacement(
        self, api: FakeApi, clock: Clock, carried_out: bool
    ) -> None:
        api.fail(**REAL, answer=LOST, carried_out=carried_out)
        assert do(api, clock)["type"] == "new"
        assert verbs(api) == ["DRY", "POST", "DELETE", "POST", "POST", *(["GET"] if carried_out else []), "DELETE"]
        assert clock.slept == [0.25]

    def test_a_server_that_fails_for_a_while_is_asked_again(self, api: FakeApi, clock: Clock) -> None:
        api.fail(**REAL, answer=BROKEN, times=20)
        assert do(api, clock)["type"] == "new"
        assert clock.slept == [0.25] * 20


class TestNotAtAll:
    @pytest.mark.parametrize(
        ("pattern", "answer", "error"),
        [
            ("dryRun", DENIED, Forbidden),
            ("DELETE", status_object(409, "Conflict", "changed"), Conflict),
            ("DELETE", LOST, Unanswered),
        ],
        ids=["judged by the dry run", "changed meanwhile", "deletion not carried out"],
    )
    def test_the_old_object_stays_if_the_dry_run_or_the_deletion_fails(
        self, api: FakeApi, clock: Clock, pattern: str, answer: Any, error: Any
    ) -> None:
        api.fail(pattern, answer)
        with pytest.raises(error):
            do(api, clock)
        assert stored(api)["type"] == "Opaque"
        assert verbs(api).count("POST") <= 1


class TestPutBack:
    @pytest.mark.parametrize(
        "then",
        [[], [(DENIED, 3, False)], [(LOST, 1, True)], [(LOST, 1, False)]],
        ids=["at once", "late", "unanswered", "not carried out"],
    )
    def test_the_old_object_is_restored_after_a_failed_create(
        self, api: FakeApi, clock: Clock, then: list[Any]
    ) -> None:
        api.fail(**REAL, answer=DENIED)
        for answer, times, carried_out in then:
            api.fail(**REAL, answer=answer, times=times, carried_out=carried_out)
        with pytest.raises(Refusal, match=r"^creating secret a/pull .*. The old secret a/pull was restored$"):
            do(api, clock)
        assert (stored(api)["type"], stored(api)["data"]) == ("Opaque", OLD["data"])
        assert stored(api)["metadata"]["labels"] == {"a": "b"}

    def test_an_object_that_cannot_be_restored_is_reported_as_gone(self, api: FakeApi, clock: Clock) -> None:
        api.fail(**REAL, answer=DENIED, times=ALWAYS)
        started = clock.seconds
        with pytest.raises(
            Refusal,
            match=r"^secret a/pull is gone: .*the old one also failed.*Run again to restore it from copy a/pull.replaced$",
        ):
            do(api, clock)
        assert read_copy(REF, api.get("secrets", "a", "pull.replaced")).items() >= OLD.items()
        assert 15 < clock.seconds - started < 16

    def test_an_object_is_reported_as_possibly_gone_if_the_answers_are_lost(self, api: FakeApi, clock: Clock) -> None:
        api.fail(**REAL, answer=DENIED)
        api.fail(**REAL, answer=BROKEN, times=ALWAYS)
        with pytest.raises(Refusal, match=r"^secret a/pull may be gone: "):
            do(api, clock)

    def test_an_object_of_another_client_is_not_mistaken_for_the_restored_one(self, api: FakeApi, clock: Clock) -> None:
        api.fail(**REAL, answer=DENIED)
        api.fail(**REAL, answer=put_by_another(api))
        with pytest.raises(
            Refusal, match=". In the meantime, another secret a/pull was created: check it, then run again"
        ):
            do(api, clock)
        assert stored(api)["data"] == {"k": "dGhlaXJz"}

    def test_an_unreadable_object_is_not_mistaken_for_the_restored_one(self, api: FakeApi, clock: Clock) -> None:
        api.fail(**REAL, answer=DENIED)
        api.fail(**REAL, answer=LOST, carried_out=True)
        api.fail("GET", DENIED, times=ALWAYS)
        with pytest.raises(
            Refusal, match=". In the meantime, another secret a/pull was created: check it, then run again"
        ):
            do(api, clock)


def put_by_another(api: FakeApi) -> Any:
    def answer(_request: Request) -> Answer:
        api.put("secrets", "a", "pull", type="new", data={"k": "dGhlaXJz"})
        raise LOST

    return answer


class TestSomebodyElseCreatesOne:
    """The old object was deleted, so the write was at least begun."""

    def test_an_object_created_by_another_client_is_unknown(self, api: FakeApi, clock: Clock) -> None:
        api.fail(**REAL, answer=status_object(409, "AlreadyExists", "exists"))
        with pytest.raises(Unanswered):
            do(api, clock)

    def test_another_object_is_unknown_even_after_a_lost_answer(self, api: FakeApi, clock: Clock) -> None:
        api.fail(**REAL, answer=put_by_another(api))
        with pytest.raises(Unanswered, match="^secret a/pull was created by another client in the meantime$"):
            do(api, clock)
        assert stored(api)["data"] == {"k": "dGhlaXJz"}


class TestNobodyKnows:
    def test_an_unreadable_new_object_is_reported_as_existing(self, api: FakeApi, clock: Clock) -> None:
        """The create succeeded, but its answer and the next read were lost. The report must not call it «gone»."""
        api.fail(**REAL, answer=LOST, carried_out=True)
        api.fail("GET", DENIED, times=ALWAYS)
        with pytest.raises(
            Unanswered, match="^secret a/pull exists, and may be the new one or another client's: .*. Run again$"
        ):
            do(api, clock)
        assert stored(api)["type"] == "new"


class TestNotBoundToAVersion:
    """A write without the version that was read would undo the changes of another client."""

    @pytest.mark.parametrize("meta", [{}, {"resourceVersion": None}, {"resourceVersion": ""}, {"resourceVersion": 7}])
    def test_an_object_without_a_version_is_refused(self, meta: Any) -> None:
        observed = {"metadata": {"name": "pull", "uid": "u", **meta}, **OLD}
        for make in (
            lambda: update(REF, observed, NEW, {}, before={}, after={}),
            lambda: delete(REF, observed, {}, {}),
        ):
            with pytest.raises(ImagePullError, match="^secret a/pull was read without a resourceVersion, so"):
                make()
