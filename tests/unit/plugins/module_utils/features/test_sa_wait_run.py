# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wait for service accounts ends with the accounts, or as soon as it is certain that they will never be ready."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_wait import wait_for_provisioned
from support.fake_api import FakeApi
from support.objects import b64
from support.scripted_pool import Answer, Clock, status_object

GENERATED = "default-dockercfg-x7k2p"
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
