# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts are ready, missing or not yet provisioned. The wait ends with them, or as soon as they will certainly never be ready."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Evaluation
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_wait import (
    ProvisionedAccounts,
    from_options,
    wait_for_provisioned,
)
from support.fake_api import FakeApi
from support.objects import b64, raised
from support.scripted_pool import Answer, Clock, status_object

GENERATED = "default-dockercfg-x7k2p"
REF = ObjectRef(SECRET, "a", GENERATED)
ASKS = ProvisionedAccounts({"a": ("default", "builder")})
ONE = ProvisionedAccounts({"a": ("default",)})


def account(*listed: str) -> dict[str, Any]:
    annotations = {"openshift.io/internal-registry-pull-secret-ref": GENERATED}
    return {
        "metadata": {"name": "default", "namespace": "a", "annotations": annotations},
        "imagePullSecrets": [{"name": name} for name in listed],
    }


READY = {
    "type": "kubernetes.io/dockercfg",
    "metadata": {
        "annotations": {
            "openshift.io/internal-registry-auth-token.service-account": "default",
            "openshift.io/internal-registry-auth-token.binding": "bound",
        }
    },
    "data": {".dockercfg": b64('{"registry.example.com": {"auth": "' + b64("u:p") + '"}}')},
}


class TestSees:
    def test_the_named_accounts_are_read(self) -> None:
        assert (ASKS.kind, ASKS.names("a")) == (SERVICE_ACCOUNT, ("default", "builder"))

    def test_the_secrets_that_the_accounts_refer_to_are_read(self) -> None:
        assert ASKS.related("a", {"default": account(GENERATED, "mine")}) == [REF]
        assert ASKS.related("a", {}) == []
        assert ASKS.related("a", {"other": account(GENERATED)}) == []


class TestEvaluates:
    def test_a_ready_account_is_not_waited_for(self) -> None:
        report = {"name": "default", "exists": True, "provisioned": True, "pull_secret": GENERATED}
        assert ONE.evaluate("a", {"default": account(GENERATED)}, {REF: READY}) == Evaluation(
            extra={"service_accounts": [report]}
        )

    def test_a_missing_account_is_waited_for(self) -> None:
        found = ASKS.evaluate("a", {"default": account(GENERATED)}, {REF: READY})
        assert found.waiting_for == ("service account builder does not exist",)
        assert found.extra["service_accounts"][1] == {
            "name": "builder",
            "exists": False,
            "provisioned": False,
            "pull_secret": None,
        }

    @pytest.mark.parametrize(
        ("listed", "secrets", "missing"),
        [
            ([], {}, "service account default: no generated pull secret in imagePullSecrets"),
            ([GENERATED], {REF: None}, f"service account default: secret {GENERATED} is listed but does not exist yet"),
        ],
    )
    def test_a_missing_secret_is_waited_for(self, listed: list[str], secrets: Any, missing: str) -> None:
        found = ONE.evaluate("a", {"default": account(*listed)}, secrets)
        assert found.waiting_for == (missing,)
        assert found.extra["service_accounts"] == [
            {"name": "default", "exists": True, "provisioned": False, "pull_secret": None}
        ]
        assert found.notes == ()

    def test_a_secret_that_may_not_be_read_is_reported(self) -> None:
        found = ONE.evaluate("a", {"default": account(GENERATED)}, {})
        assert found.waiting_for == ()
        assert len(found.notes) == 1
        assert GENERATED in found.notes[0]
        assert found.extra["service_accounts"][0]["pull_secret"] == GENERATED


class TestNoneExpected:
    ASKS = ProvisionedAccounts({"a": ("default", "builder")}, none_will_come="this is not OpenShift")

    def test_a_cluster_that_generates_no_secret_is_a_success_with_the_reason(self) -> None:
        found = ProvisionedAccounts({"a": ("default",)}, "this is not OpenShift").evaluate(
            "a", {"default": account()}, {}
        )
        reason = "no pull secret is expected, because this is not OpenShift"
        report = {"name": "default", "exists": True, "provisioned": True, "pull_secret": None, "reason": reason}
        assert found == Evaluation(extra={"service_accounts": [report]})

    def test_an_account_must_exist_even_if_no_secret_is_generated(self) -> None:
        found = self.ASKS.evaluate("a", {"default": account()}, {})
        assert found.waiting_for == ("service account builder does not exist",)

    def test_an_existing_secret_counts(self) -> None:
        found = self.ASKS.evaluate("a", {"default": account(GENERATED)}, {REF: READY})
        assert found.extra["service_accounts"][0] == {
            "name": "default",
            "exists": True,
            "provisioned": True,
            "pull_secret": GENERATED,
        }


def accounts(**options: Any) -> Any:
    return from_options({"service_accounts": ["default"], "accounts": None, **options})


def test_the_same_accounts_are_awaited_in_every_namespace() -> None:
    found = accounts(service_accounts=["b", "a", "b"])
    assert found(["x", "y"]) == {"x": ("b", "a"), "y": ("b", "a")}
    assert found.namespaces is None


def test_different_accounts_are_awaited_in_each_namespace() -> None:
    given = [{"namespace": "x", "name": "a"}, {"namespace": "y", "name": "b"}, {"namespace": "x", "name": "c"}]
    found = accounts(accounts=[*given, given[0]])
    assert found.namespaces == ["x", "y"]
    assert found(found.namespaces) == {"x": ("a", "c"), "y": ("b",)}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"accounts": []}, "option 'accounts' is empty"),
        ({"accounts": [{"namespace": "A", "name": "a"}]}, "option 'accounts': 'A' cannot be a namespace"),
        ({"accounts": [{"namespace": "a", "name": "a/b"}]}, "option 'accounts': 'a/b' cannot be an object's name"),
        ({"service_accounts": []}, "option 'service_accounts' is empty"),
        ({"service_accounts": ["a*"]}, "option 'service_accounts': 'a*' cannot be an object's name"),
    ],
)
def test_invalid_accounts_are_refused(given: dict[str, Any], message: str) -> None:
    assert raised(OptionError, partial(accounts, **given)).startswith(message)


OPENSHIFT = {"groups": [{"name": "apps"}, {"name": "config.openshift.io"}]}
KUBERNETES = {"groups": [{"name": "apps"}]}
FORBIDDEN = status_object(403, "Forbidden", "no")
ALWAYS = 10**9
VERSION = {
    "metadata": {"name": "version"},
    "status": {"desired": {"version": "4.20.1"}, "capabilities": {"enabledCapabilities": ["ImageRegistry"]}},
}
REMOVED = {"metadata": {"name": "image-registry"}, "status": {"conditions": [{"reason": "Removed"}]}}


@pytest.fixture
def api() -> FakeApi:
    found = FakeApi()
    found.put("namespaces", "", "a")
    return found


def serve(api: FakeApi, groups: Any, **objects: Any) -> None:
    """Let the cluster always answer with this `version`, by default VERSION, and this `operator`, if any."""
    version, operator = objects.get("version", VERSION), objects.get("operator")

    def answer(obj: Any) -> Answer:
        return Answer(200, obj) if obj is not None else status_object(404, "NotFound", "not found")

    api.fail("GET /apis$", groups if isinstance(groups, Answer) else Answer(200, groups), times=ALWAYS)
    for path, obj in (("clusterversions/version", version), ("clusteroperators/image-registry", operator)):
        api.fail(path, obj if isinstance(obj, Answer) else answer(obj), times=ALWAYS)


def put_account(api: FakeApi, *, ready: bool) -> None:
    annotations = {"openshift.io/internal-registry-pull-secret-ref": GENERATED} if ready else {}
    listed = [{"name": GENERATED}] if ready else []
    api.put("serviceaccounts", "a", "default", metadata={"annotations": annotations}, imagePullSecrets=listed)
    bound = {
        "openshift.io/internal-registry-auth-token.service-account": "default",
        "openshift.io/internal-registry-auth-token.binding": "bound",
    }
    content = b64('{"registry.example.com": {"auth": "' + b64("u:p") + '"}}')
    api.put(
        "secrets",
        "a",
        GENERATED,
        type="kubernetes.io/dockercfg",
        metadata={"annotations": bound},
        data={".dockercfg": content},
    )


def wait(api: FakeApi, clock: Clock | None = None, timeout: float = 0.0) -> Outcome:
    clock = clock or Clock()
    settings = RunSettings(False, concurrency=1, wait_timeout=timeout, clock=EngineClock(clock.now, clock.sleep))
    return wait_for_provisioned(api.cluster(clock), {"a": ["default"]}, settings)


class TestReady:
    def test_a_ready_account_costs_one_read_of_the_account_and_one_of_its_secret(self, api: FakeApi) -> None:
        put_account(api, ready=True)
        outcome = wait(api)
        assert not outcome.has_failed
        assert api.asked == [
            "GET /api/v1/namespaces/a/serviceaccounts/default",
            f"GET /api/v1/namespaces/a/secrets/{GENERATED}",
        ]

    def test_the_wait_ends_once_the_account_is_ready(self, api: FakeApi) -> None:
        serve(api, OPENSHIFT)
        put_account(api, ready=False)
        clock = Clock()

        def appear(_request: Any) -> None:
            if clock.slept:
                put_account(api, ready=True)

        api.before = appear
        assert not wait(api, clock, timeout=60).has_failed
        assert len(clock.slept) == 1


class TestNoneWillCome:
    @pytest.mark.parametrize(
        ("groups", "operator", "why"),
        [
            (KUBERNETES, None, "this cluster is not OpenShift"),
            (OPENSHIFT, REMOVED, "the image registry of this cluster is Removed"),
            # If the API groups do not give the answer, the operators may.
            (FORBIDDEN, REMOVED, "the image registry of this cluster is Removed"),
            ({"groups": None}, REMOVED, "the image registry of this cluster is Removed"),
            ({"groups": [None, "odd", {"name": None}]}, REMOVED, "the image registry of this cluster is Removed"),
        ],
    )
    def test_a_cluster_that_generates_no_secret_is_a_success_at_once(
        self, api: FakeApi, groups: Any, operator: Any, why: str
    ) -> None:
        serve(api, groups, operator=operator)
        put_account(api, ready=False)
        clock = Clock()
        outcome = wait(api, clock, timeout=600)
        (account,) = outcome.namespaces[0].extra["service_accounts"]
        assert (account["provisioned"], account["pull_secret"]) == (True, None)
        assert account["reason"].startswith(f"no pull secret is expected, because {why}")
        assert not outcome.has_failed
        assert clock.slept == []

    def test_operators_are_not_read_on_plain_kubernetes(self, api: FakeApi) -> None:
        serve(api, KUBERNETES)
        put_account(api, ready=False)
        wait(api)
        assert not [line for line in api.asked if "config.openshift.io" in line]


class TestStillMissing:
    HINT = "wait longer ('timeout: 300'); see 'oc describe clusteroperator openshift-controller-manager' and the pods of namespace "
    MISSING = "service account default: no generated pull secret in imagePullSecrets; "

    def told(self, api: FakeApi, *, retries: bool = False, **served: Any) -> str:
        serve(api, **{"groups": OPENSHIFT, **served})
        clock = Clock()
        outcome = wait(api, clock, timeout=5)
        # A failed request is repeated for a while.
        assert retries or sum(clock.slept) == pytest.approx(5)
        (failed,) = outcome.failed
        return failed.error

    def test_a_missing_secret_is_waited_for_and_then_reported(self, api: FakeApi) -> None:
        put_account(api, ready=False)
        api.put("services", "openshift-image-registry", "image-registry")
        assert self.told(api).startswith(self.MISSING + self.HINT)

    @pytest.mark.parametrize(
        ("version", "what"),
        [
            (VERSION, "ClusterOperator image-registry"),
            (FORBIDDEN, "ClusterVersion version and ClusterOperator image-registry"),
        ],
    )
    def test_objects_that_may_not_be_read_are_named(self, api: FakeApi, version: Any, what: str) -> None:
        put_account(api, ready=False)
        api.put("services", "openshift-image-registry", "image-registry")
        said = self.told(api, version=version, operator=FORBIDDEN)
        assert f"the caller is not allowed to read {what}, so it is not known whether" in said

    def test_a_registry_without_a_service_is_reported(self, api: FakeApi) -> None:
        put_account(api, ready=False)
        said = self.told(api)
        assert (
            "service openshift-image-registry/image-registry does not exist, and generated pull secrets stay empty"
            in said
        )

    def test_a_cluster_without_a_cluster_version_is_not_openshift(self, api: FakeApi) -> None:
        put_account(api, ready=False)
        said = self.told(api, version=None)
        assert said.endswith(
            "ClusterVersion version does not exist, so this is probably not OpenShift: nothing generates pull secrets here"
        )

    def test_a_misspelled_account_is_reported_with_a_similar_name(self, api: FakeApi) -> None:
        api.put("serviceaccounts", "a", "defaults")
        said = self.told(api)
        assert said.startswith(
            "service account default does not exist; correct the name default (there is a service account"
        )
        assert "defaults), or wait longer ('timeout: 300')" in said
        assert "controller-manager" not in said
        assert not [line for line in api.asked if "/services/" in line]

    def test_accounts_that_may_not_be_listed_give_no_similar_name(self, api: FakeApi) -> None:
        api.fail(r"GET /api/v1/namespaces/a/serviceaccounts\?", FORBIDDEN, times=ALWAYS)
        assert "correct the name default, create it, or wait" in self.told(api)

    @pytest.mark.parametrize("status", [400, 500])
    @pytest.mark.parametrize("what", ["groups", "version", "operator"])
    def test_an_error_of_the_server_is_not_an_answer_and_ends_no_wait(
        self, api: FakeApi, what: str, status: int
    ) -> None:
        put_account(api, ready=False)
        api.put("services", "openshift-image-registry", "image-registry")
        said = self.told(api, retries=status == 500, **{"operator": {}, what: status_object(status, "Odd", "odd")})
        assert said.startswith(f"{self.MISSING}wait longer ('timeout: 300'); ")
        assert f": {status} odd. " in said
        assert said.endswith("; so it is not known whether this cluster generates pull secrets at all")

    def test_an_error_about_the_registrys_service_is_not_reported_as_its_absence(self, api: FakeApi) -> None:
        put_account(api, ready=False)
        api.fail("services/image-registry", status_object(500, "Odd", "odd"), times=ALWAYS)
        assert self.told(api, retries=True).startswith(self.MISSING + self.HINT)
