# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The links are checked again after a while. The client that removed a link is named only if it can be known."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Change
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.entry import Entry, Failure
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import Batch, Declaration
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.clock import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import NamespaceResult, Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.plan import SaLink
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.run import verify_links
from support.fake_api import FakeApi
from support.scripted_pool import Clock, status_object

HOST = "https://api.example.com:6443"
PLATFORM = "openshift.io/image-registry-pull-secrets_service-account-controller"
LISTS = ("imagePullSecrets",)
OURS = "openshift_ops.image_pull"
OTHER = {"manager": "labeller", "time": "2026-01-04", "fieldsV1": {"f:metadata": {}}}
WATCH = (
    "run the task again while 'oc get serviceaccount default -n a -o yaml --show-managed-fields -w' shows each write"
)


def changed(namespace: str, kind: Any = SERVICE_ACCOUNT) -> NamespaceResult:
    return NamespaceResult(namespace, "changed", (Change("update", ObjectRef(kind, namespace, "default"), {}),))


def verify(
    api: FakeApi,
    *results: NamespaceResult,
    clock: Clock | None = None,
    check: bool = False,
    stopped: str = "",
    **more: Any,
) -> Outcome:
    clock = clock or Clock()
    given = {
        "secrets": ("mine",),
        "service_accounts": ("default",),
        "lists": LISTS,
        "present": True,
        "verify_after": 5.0,
    }
    settings = RunSettings(check, concurrency=1, clock=EngineClock(clock.now, clock.sleep))
    outcome = Outcome(list(results), stopped=stopped)
    return verify_links(
        api.cluster(clock),
        Batch.of_one(SaLink(**{**given, **more}), [result.name for result in outcome.namespaces]),
        outcome,
        settings,
    )


def put(api: FakeApi, *names: str, managers: Any = ()) -> None:
    fields = [
        {"manager": manager, "time": f"2026-01-01T00:00:0{second}Z", "fieldsV1": {"f:imagePullSecrets": {}}}
        for manager, second in managers
    ]
    entries = [{"name": name} for name in names]
    api.put("serviceaccounts", "a", "default", imagePullSecrets=entries, metadata={"managedFields": fields})


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


class TestLooks:
    def test_the_links_are_read_again_after_the_requested_time(self, api: FakeApi) -> None:
        put(api, "platform", "mine")
        clock = Clock()
        outcome = verify(api, changed("a"), clock=clock)
        assert not outcome.has_failed
        assert clock.slept == [5.0]
        assert api.asked == ["GET /api/v1/namespaces/a/serviceaccounts/default"]

    @pytest.mark.parametrize(
        "given", [{"verify_after": 0.0}, {"check": True}, {"present": False}, {"stopped": "the cluster failed"}]
    )
    def test_the_links_are_not_read_again_if_no_check_is_needed(self, api: FakeApi, given: Any) -> None:
        clock = Clock()
        verify(api, changed("a"), clock=clock, **given)
        assert (clock.slept, api.asked) == ([], [])

    @pytest.mark.parametrize(
        "result",
        [
            NamespaceResult("a", "unchanged"),
            NamespaceResult("a", "failed", changed("a").changes, error="no"),
            changed("a", SECRET),
        ],
    )
    def test_accounts_that_were_not_written_are_not_read_again(self, api: FakeApi, result: NamespaceResult) -> None:
        clock = Clock()
        assert verify(api, result, clock=clock).namespaces == [result]
        assert (clock.slept, api.asked) == ([], [])

    @pytest.mark.parametrize(("uid", "is_another"), [("another", True), ("uid-1", False), ("", False)])
    def test_an_account_that_was_created_again_is_known_by_its_uid(
        self, api: FakeApi, uid: str, *, is_another: bool
    ) -> None:
        put(api, "platform")
        change = Change("update", ObjectRef(SERVICE_ACCOUNT, "a", "default"), {}, uid=uid)
        (result,) = verify(api, NamespaceResult("a", "changed", (change,))).namespaces
        again = f"was deleted and recreated on {HOST} after it was linked: its UID is different, and it does not list mine. Run"
        assert (again in result.error, "lost mine" in result.error) == (is_another, not is_another)

    def test_the_other_results_stay_as_they_are(self, api: FakeApi) -> None:
        put(api, "mine")
        other = NamespaceResult("b", "unchanged", notes=("noted",))
        assert verify(api, changed("a"), other).namespaces == [changed("a"), other]


class TestSays:
    def lost(self, api: FakeApi, *managers: tuple[str, int], fields: Any = ()) -> str:
        put(api, "platform", managers=managers)
        if not managers:
            api.put("serviceaccounts", "a", "default", metadata={"managedFields": fields})
        (result,) = verify(api, changed("a")).namespaces
        assert result.status == "failed"
        assert result.changes == changed("a").changes
        text = f"service account a/default lost mine from imagePullSecrets again within 5 s on {HOST}: "
        assert result.error.startswith(text)
        return result.error.removeprefix(text)

    def test_the_last_writer_of_the_list_is_named(self, api: FakeApi) -> None:
        said = self.lost(api, ("old", 1), ("pipeline", 3), (OURS, 4))
        assert (
            said == "according to its managedFields, 'pipeline' wrote that list last: add the secret there, or stop it"
        )

    @pytest.mark.parametrize("platform", [PLATFORM, "openshift-controller-manager"])
    def test_the_writer_is_unknown_once_the_platform_has_repaired_its_entry(self, api: FakeApi, platform: str) -> None:
        """The platform's write is always the last one, because it restores its own entry within milliseconds."""
        assert self.lost(api, ("pipeline", 2), (platform, 3)) == (
            "by whom is not known, because the platform restored its own entry afterwards and its managedFields name only "
            f"'{platform}': {WATCH}"
        )

    @pytest.mark.parametrize(
        "fields", [None, [], "text", {"manager": "x"}, [None, "text", {}, {"fieldsV1": None}], [OTHER]]
    )
    def test_a_missing_record_of_writers_is_reported(self, api: FakeApi, fields: Any) -> None:
        assert self.lost(api, fields=fields) == f"its managedFields do not show by whom, so {WATCH}"

    @pytest.mark.parametrize(
        ("first", "second", "writer"),
        [
            (("a", "2026-01-01"), ("b", None), "a"),
            (("a", None), ("b", None), "a"),
            (("a", 5), ("b", "2026-01-01"), "a"),
            ((None, ""), (OURS, "2026-01-01"), "None"),
        ],
    )
    def test_a_record_without_a_time_or_manager_is_read(
        self, api: FakeApi, first: Any, second: Any, writer: str
    ) -> None:
        lists = {"f:imagePullSecrets": {}, "f:secrets": {}}
        fields = [{"manager": manager, "time": time, "fieldsV1": lists} for manager, time in (first, second)]
        assert f"'{writer}' wrote that list last" in self.lost(api, fields=[OTHER, *fields])

    def test_a_deleted_account_is_reported(self, api: FakeApi) -> None:
        (result,) = verify(api, changed("a")).namespaces
        assert result.error == f"service account a/default was deleted on {HOST} after it was linked"

    def test_an_unreadable_account_is_reported(self, api: FakeApi) -> None:
        api.fail("GET", status_object(403, "Forbidden", "no"))
        (result,) = verify(api, changed("a")).namespaces
        assert result.status == "failed"
        assert result.error.startswith("whether service account a/default still has its links was not verified: ")

    def test_each_list_that_lost_a_secret_is_reported(self, api: FakeApi) -> None:
        put(api, "platform")
        (result,) = verify(
            api, changed("a"), secrets=("mine", "other"), lists=("imagePullSecrets", "secrets")
        ).namespaces
        assert result.error.count(" lost mine, other from ") == 2
        assert "; service account a/default lost mine, other from secrets" in result.error


class TestEntries:
    """Links of one namespace that have written and ask for a check are all checked by a single request."""

    def entry(self, number: int) -> Entry:
        return Entry("links", number)

    def link(self, *secrets: str, after: float = 5.0, **more: Any) -> SaLink:
        given = {"service_accounts": ("default",), "lists": LISTS, "present": True, "verify_after": after}
        return SaLink(secrets=secrets, **{**given, **more})

    def written(self, *numbers: int, account: str = "default") -> Change:
        entries = tuple(self.entry(number) for number in numbers)
        return Change("update", ObjectRef(SERVICE_ACCOUNT, "a", account), {}, entries=entries)

    def verify(
        self, api: FakeApi, changes: Any, *links: SaLink, clock: Clock | None = None, **more: Any
    ) -> NamespaceResult:
        clock = clock or Clock()
        declared = [Declaration(link, self.entry(number)) for number, link in enumerate(links)]
        settings = RunSettings(False, concurrency=1, clock=EngineClock(clock.now, clock.sleep))
        result = NamespaceResult("a", more.pop("status", "changed"), tuple(changes), **more)
        batch = Batch(SERVICE_ACCOUNT, {"a": declared})
        return verify_links(api.cluster(clock), batch, Outcome([result]), settings).namespaces[0]

    def test_each_link_fails_alone_after_one_look_and_the_longest_time(self, api: FakeApi) -> None:
        put(api, "two")
        clock = Clock()
        links = (self.link("one"), self.link("two", after=9.0), self.link("three", after=2.0))
        result = self.verify(api, [self.written(0, 1, 2)], *links, clock=clock)
        assert clock.slept == [9.0]
        assert api.asked == ["GET /api/v1/namespaces/a/serviceaccounts/default"]
        assert (result.status, result.error) == ("failed", "")
        assert [failure.entry.position for failure in result.failures] == [0, 2]
        assert "default lost one from imagePullSecrets again within 9 s" in result.failures[0].error
        assert "default lost three from " in result.failures[1].error

    @pytest.mark.parametrize(
        "link",
        [{"after": 0.0}, {"present": False}, {"service_accounts": ("builder",)}],
        ids=["asks for none", "unlinks", "of another account"],
    )
    def test_links_that_ask_for_no_check_are_not_checked(self, api: FakeApi, link: Any) -> None:
        put(api, "one")
        result = self.verify(api, [self.written(0, 1)], self.link("one"), self.link("two", **link))
        assert (result.status, result.failures) == ("changed", ())

    def test_links_that_wrote_nothing_are_not_checked(self, api: FakeApi) -> None:
        put(api, "one")
        clock = Clock()
        result = self.verify(api, [self.written(0)], self.link("one"), self.link("two", after=9.0), clock=clock)
        assert (result.status, clock.slept) == ("changed", [5.0])

    def test_a_link_that_has_failed_is_not_checked(self, api: FakeApi) -> None:
        put(api, "one")
        failures = (Failure(self.entry(1), "no"),)
        result = self.verify(
            api, [self.written(0, 1)], self.link("one"), self.link("two"), failures=failures, status="failed"
        )
        assert result.failures == failures

    def test_no_account_is_read_if_no_link_asks_for_a_check(self, api: FakeApi) -> None:
        clock = Clock()
        self.verify(api, [self.written(0)], self.link("one", after=0.0), clock=clock)
        assert (clock.slept, api.asked) == ([], [])

    def test_each_account_is_read_once(self, api: FakeApi) -> None:
        put(api, "one", "two")
        api.put("serviceaccounts", "a", "builder", imagePullSecrets=[])
        changes = [self.written(0, 1), self.written(1, account="builder")]
        result = self.verify(api, changes, self.link("one"), self.link("two", service_accounts=("default", "builder")))
        assert [line.rpartition("/")[2] for line in api.asked] == ["default", "builder"]
        (failure,) = result.failures
        assert failure.entry == self.entry(1)
        assert failure.error.startswith("service account a/builder lost two from ")

    def test_an_account_that_cannot_be_read_fails_each_link(self, api: FakeApi) -> None:
        api.fail("GET", status_object(403, "Forbidden", "no"))
        result = self.verify(api, [self.written(0, 1)], self.link("one"), self.link("two"))
        assert [failure.entry.position for failure in result.failures] == [0, 1]
        assert len(api.asked) == 1
