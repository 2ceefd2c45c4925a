# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a while the links are looked at again; who removed one is said only where it can be known."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.batch import Batch
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Change
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.desired import SaLink
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.reconcile.clock import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.reconcile.result import NamespaceResult, Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.reconcile.run import Settings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.verify_links import verify_links
from support.fake_api import FakeApi
from support.scripted_pool import Clock, status_object

HOST = "https://api.example.com:6443"
PLATFORM = "openshift.io/image-registry-pull-secrets_service-account-controller"
LISTS = ("imagePullSecrets",)
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
    settings = Settings(check, concurrency=1, clock=EngineClock(clock.now, clock.sleep))
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
    def test_after_the_time_that_was_asked_for(self, api: FakeApi) -> None:
        put(api, "platform", "mine")
        clock = Clock()
        outcome = verify(api, changed("a"), clock=clock)
        assert not outcome.has_failed
        assert clock.slept == [5.0]
        assert api.asked == ["GET /api/v1/namespaces/a/serviceaccounts/default"]

    @pytest.mark.parametrize(
        "given", [{"verify_after": 0.0}, {"check": True}, {"present": False}, {"stopped": "the cluster failed"}]
    )
    def test_not_at_all(self, api: FakeApi, given: Any) -> None:
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
    def test_only_at_accounts_that_were_written(self, api: FakeApi, result: NamespaceResult) -> None:
        clock = Clock()
        assert verify(api, result, clock=clock).namespaces == [result]
        assert (clock.slept, api.asked) == ([], [])

    def test_the_other_results_stay_as_they_are(self, api: FakeApi) -> None:
        put(api, "mine")
        other = NamespaceResult("b", "unchanged", notes=("noted",))
        assert verify(api, changed("a"), other).namespaces == [changed("a"), other]


class TestSays:
    def lost(self, api: FakeApi, *managers: tuple[str, int]) -> str:
        put(api, "platform", managers=managers)
        (result,) = verify(api, changed("a")).namespaces
        assert result.status == "failed"
        assert result.changes == changed("a").changes
        text = f"service account a/default lost mine from imagePullSecrets again within 5 s on {HOST}: "
        assert result.error.startswith(text)
        return result.error.removeprefix(text)

    def test_who_wrote_it_last(self, api: FakeApi) -> None:
        said = self.lost(api, ("old", 1), ("pipeline", 3), ("openshift_ops.image_pull", 4))
        assert said == "by its managedFields 'pipeline' wrote that list last; add the secret there, or stop it"

    @pytest.mark.parametrize("platform", [PLATFORM, "openshift-controller-manager"])
    def test_that_it_cannot_be_known_once_the_platform_has_repaired_its_entry(
        self, api: FakeApi, platform: str
    ) -> None:
        """The platform writes last in any case: within milliseconds it puts its own entry back (traces)."""
        assert self.lost(api, ("pipeline", 2), (platform, 3)) == (
            "by whom is not known: the platform put its own entry back afterwards, so its managedFields name only "
            f"'{platform}'; {WATCH}"
        )

    def test_that_there_is_no_record(self, api: FakeApi) -> None:
        assert self.lost(api) == f"its managedFields do not say by whom; {WATCH}"

    def test_that_the_account_was_deleted(self, api: FakeApi) -> None:
        (result,) = verify(api, changed("a")).namespaces
        assert result.error == f"service account a/default was deleted on {HOST} after it was linked"

    def test_that_it_could_not_be_read(self, api: FakeApi) -> None:
        api.fail("GET", status_object(403, "Forbidden", "no"))
        (result,) = verify(api, changed("a")).namespaces
        assert result.status == "failed"
        assert result.error.startswith("whether service account a/default still has its links was not verified: ")

    def test_each_list_that_lost_something(self, api: FakeApi) -> None:
        put(api, "platform")
        (result,) = verify(
            api, changed("a"), secrets=("mine", "other"), lists=("imagePullSecrets", "secrets")
        ).namespaces
        assert result.error.count(" lost mine, other from ") == 2
        assert "; service account a/default lost mine, other from secrets" in result.error
