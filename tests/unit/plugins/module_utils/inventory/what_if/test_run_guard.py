# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only the removals that a workload needs are refused. tests/modules/test_guard.py has the judgements about other changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.certificates import loopback_certificate
from support.fake_api import FakeApi
from support.guarded_prunes import guarded_prune, make_api, put_account, put_deployment, put_secret
from support.in_memory import in_memory
from support.scripted_pool import Answer, Request, status_object
from support.small_registry import SmallRegistry, small_registry


@pytest.fixture
def registry() -> Iterator[SmallRegistry]:
    with small_registry() as found:
        yield found


def left(api: FakeApi, namespace: str = "a") -> tuple[list[str], list[str]]:
    """Return the secrets, and those that the account default lists."""
    account = api.get("serviceaccounts", namespace, "default") or {}
    secrets = [name for kind, place, name in api.objects if (kind, place) == ("secrets", namespace)]
    return sorted(secrets), [each["name"] for each in account.get("imagePullSecrets", ())]


class TestEntries:
    def test_only_the_entry_of_a_needed_link_fails_although_one_write_has_several(
        self, registry: SmallRegistry
    ) -> None:
        api = make_api("a")
        for name in ("one", "two", "three"):
            put_secret(api, "a", name, f"{registry.host}/{name}")
        put_account(api, "a", "one", "two", "three")
        put_deployment(api, "a", "web", f"{registry.host}/two/app:v1")
        links = [{"secrets": [name], "state": "absent", "namespaces": ["a"]} for name in ("one", "two", "three")]
        access = {"registry_ca_cert": loopback_certificate(), "realm_hosts": [registry.host]}
        with in_memory(api) as cluster:
            result = cluster.run("sa_link", links=links, guard="what_if", **access)
        assert left(api)[1] == ["two"]
        (failure,) = result["failures"]
        assert (failure["entry"], failure["namespace"]) == (1, "a")
        assert failure["error"].startswith("service account a/default was not changed, because option 'guard' found")
        assert "deployment a/web" in failure["error"]
        lists = [line for line in api.asked if "/deployments" in line]
        assert len(lists) == 1, "the plan without the entry was read and judged once more"

    def test_an_entry_that_removes_something_only_without_a_refused_one_is_judged(
        self, registry: SmallRegistry
    ) -> None:
        """The first entry also takes the old secret of the builder, and gives it a new one."""
        api = make_api("a")
        for name, path in (("pull", "web"), ("old", "build"), ("new", "build")):
            put_secret(api, "a", name, f"{registry.host}/{path}")
        put_account(api, "a", "pull")
        put_account(api, "a", "old", name="builder")
        put_deployment(api, "a", "web", f"{registry.host}/web/app:v1")
        put_deployment(api, "a", "build", f"{registry.host}/build/app:v1", account="builder")
        both = {"service_accounts": ["default", "builder"], "secrets": ["new"], "exclusive": True, "require": "none"}
        old = {"service_accounts": ["builder"], "secrets": ["old"], "state": "absent"}
        access = {"registry_ca_cert": loopback_certificate(), "realm_hosts": [registry.host]}
        links = [{**each, "namespaces": ["a"]} for each in (both, old)]
        with in_memory(api) as cluster:
            result = cluster.run("sa_link", links=links, guard="what_if", **access)
        assert (result["changed"], [row["entry"] for row in result["failures"]]) == (False, [0, 1])
        assert [row["name"] for row in result["guard"]["would_break"]] == ["web", "build"]


class TestQuestions:
    """A project user has 20 deployments with images of her own."""

    @pytest.fixture
    def api(self, registry: SmallRegistry) -> FakeApi:
        api = make_api("a", "hers")
        for name in ("pull", "unused"):
            put_secret(api, "a", name, registry.host)
        put_account(api, "a", "pull", "unused")
        put_deployment(api, "a", "web", f"{registry.host}/team/app:v1")
        for number in range(20):
            put_deployment(api, "hers", f"d{number}", f"{registry.host}/hers/{number}:v1")
        return api

    def test_a_guard_asks_registries_only_about_pulls_that_a_removal_affects(
        self, api: FakeApi, registry: SmallRegistry
    ) -> None:
        access = {"registry_ca_cert": loopback_certificate(), "realm_hosts": [registry.host]}
        with in_memory(api) as cluster:
            result = cluster.run(
                "sa_link", namespaces=["a"], secrets=["unused"], state="absent", guard="what_if", **access
            )
        assert (result["changed"], left(api)[1]) == (True, ["pull"])
        assert registry.asked, "the affected pull is judged"
        assert {path.split("/")[2] for path in registry.asked if path.count("/") > 2} == {"team"}

    @pytest.mark.parametrize(
        ("change", "paths"),
        [
            ({"remove_secrets": {"name": "pull"}}, {"team"}),
            ({"remove_secrets": {"name": "mistyped"}}, set()),
            ({"new_nodes": True}, {"team", "hers"}),
        ],
    )
    def test_a_question_asks_registries_only_about_what_the_changes_affect(
        self, api: FakeApi, registry: SmallRegistry, change: dict[str, Any], paths: set[str]
    ) -> None:
        access = {"registry_ca_cert": loopback_certificate(), "realm_hosts": [registry.host]}
        with in_memory(api) as cluster:
            result = cluster.run("pull_access_what_if", changes=[change], ask_registries=True, **access)
        assert not result["failed"], result["msg"]
        assert {path.split("/")[2] for path in registry.asked if path.count("/") > 2} == paths
        assert result["counts"]["not_affected"] == 21 - len(result["what_if"]["containers"])


class TestProjects:
    """On OpenShift, a caller who cannot list namespaces can list its own projects."""

    @pytest.fixture
    def api(self, registry: SmallRegistry) -> FakeApi:
        """The caller has rights in namespace a, which is not one of its projects."""
        api = make_api("a", "b")
        put_secret(api, "a", "pull", registry.host)
        put_account(api, "a", "pull")
        put_deployment(api, "a", "web", f"{registry.host}/team/app:v1")
        api.put("projects", "", "b")
        api.fail(r"GET /api/v1/namespaces(\?.*)?$", status_object(403, "Forbidden", "no list for you"), times=100)
        return api

    @pytest.mark.parametrize("kind", ["what_if", "what_if_strict"])
    def test_a_needed_link_is_not_removed(self, api: FakeApi, registry: SmallRegistry, kind: str) -> None:
        access = {"registry_ca_cert": loopback_certificate(), "realm_hosts": [registry.host]}
        with in_memory(api) as cluster:
            result = cluster.run("sa_link", namespaces=["a"], secrets=["pull"], state="absent", guard=kind, **access)
        assert (result["failed"], left(api)) == (True, (["pull"], ["pull"]))

    def test_a_link_that_is_not_needed_is_removed_with_a_warning_about_other_namespaces(self, api: FakeApi) -> None:
        del api.objects["deployments", "a", "web"]
        with in_memory(api) as cluster:
            result = cluster.run("sa_link", namespaces=["a"], secrets=["pull"], state="absent", guard="what_if")
        assert (result["failed"], left(api)) == (False, (["pull"], []))
        (warning,) = result["warnings"]
        assert warning.startswith("option 'guard' judged only the caller's own projects and the changed namespaces")
        assert "no list for you" in warning

    def test_a_strict_guard_does_not_remove_it_and_names_the_refusal(self, api: FakeApi) -> None:
        del api.objects["deployments", "a", "web"]
        with in_memory(api) as cluster:
            result = cluster.run("sa_link", namespaces=["a"], secrets=["pull"], state="absent", guard="what_if_strict")
        assert (result["failed"], left(api)) == (True, (["pull"], ["pull"]))
        assert "the workloads of other namespaces could not be read: listing namespaces" in result["msg"]


class TestPrune:
    """Each secret has the login for the repositories below its own name, and all secrets are linked to one account."""

    NAMES = ("one", "two", "three", "four")

    @pytest.fixture
    def apps(self, registry: SmallRegistry) -> FakeApi:
        api = make_api("a", "b")
        for place in ("a", "b"):
            for name in self.NAMES:
                put_secret(api, place, name, f"{registry.host}/{name}")
            put_account(api, place, *self.NAMES)
        return api

    def test_only_the_needed_one_of_many_secrets_of_an_account_is_kept(
        self, apps: FakeApi, registry: SmallRegistry
    ) -> None:
        put_deployment(apps, "a", "web", f"{registry.host}/three/app:v1")
        with in_memory(apps) as cluster:
            result = guarded_prune(cluster, registry.host)
        assert [each["name"] for each in result["guard"]["would_break"]] == ["web"]
        assert left(apps) == (["three"], ["three"])
        assert left(apps, "b") == ([], [])

    def test_only_the_needed_one_of_many_links_of_an_account_is_kept(
        self, apps: FakeApi, registry: SmallRegistry
    ) -> None:
        put_deployment(apps, "a", "web", f"{registry.host}/two/app:v1")
        stay = [{"name": name, "namespaces": ["a", "b"]} for name in self.NAMES]
        with in_memory(apps) as cluster:
            result = guarded_prune(cluster, registry.host, secrets=stay)
        assert "the link of service account a/default to secret two was not removed" in result["msg"]
        assert left(apps) == (sorted(self.NAMES), ["two"])
        assert left(apps, "b") == (sorted(self.NAMES), [])
        assert [(row["kind"], row["lists"]["imagePullSecrets"]["removed"]) for row in result["prune"]["refused"]] == [
            ("ServiceAccount", ["two"])
        ]

    def test_secrets_that_a_workload_needs_one_of_are_kept_and_the_others_removed(
        self, apps: FakeApi, registry: SmallRegistry
    ) -> None:
        put_secret(apps, "a", "four", f"{registry.host}/one")
        put_deployment(apps, "a", "web", f"{registry.host}/one/app:v1")
        put_deployment(apps, "a", "open", f"{registry.host}/public/app:v1")
        with in_memory(apps) as cluster:
            result = guarded_prune(cluster, registry.host)
        assert left(apps) == (["four", "one"], ["one", "four"])
        assert [each["name"] for each in result["guard"]["would_break"]] == ["web"]
        assert result["guard"]["unknown"] == 0

    @pytest.mark.parametrize("appears", [False, True])
    def test_a_removal_is_judged_again_after_another_client_has_changed_the_account(
        self, apps: FakeApi, registry: SmallRegistry, appears: bool
    ) -> None:
        """A workload that needs a secret is created after the first judgement, or none is."""

        def overwrite(_request: Request) -> Answer:
            if appears:
                put_deployment(apps, "a", "web", f"{registry.host}/two/app:v1")
            put_account(apps, "a", *self.NAMES, "theirs")
            return status_object(409, "Conflict", "changed")

        apps.fail("PATCH .*/a/serviceaccounts/default", overwrite)
        with in_memory(apps) as cluster:
            result = guarded_prune(cluster, registry.host)
        assert left(apps, "b") == ([], [])
        if not appears:
            assert (result["failed"], left(apps)) == (False, ([], ["theirs"]))
            return
        assert "option 'guard' found that these would no longer get their image: deployment a/web" in result["msg"]
        assert [each["name"] for each in result["guard"]["would_break"]] == ["web"]
        assert {"two"} <= {*left(apps)[0]} & {*left(apps)[1]}


class TestStrict:
    """The secret `one` has a login for a registry that is not reached, and `two` one for another registry."""

    @pytest.fixture
    def apps(self, registry: SmallRegistry) -> FakeApi:
        api = make_api("a")
        put_secret(api, "a", "one", "127.0.0.9:1/one")
        put_secret(api, "a", "two", f"{registry.host}/two")
        for name in ("one", "two"):
            put_account(api, "a", name, name=name)
        put_deployment(api, "a", "web", "127.0.0.9:1/one/app:v1", account="one")
        return api

    @pytest.mark.parametrize("guard", ["what_if", "what_if_strict"])
    def test_only_the_removal_that_affects_an_unknown_container_is_refused(
        self, apps: FakeApi, registry: SmallRegistry, guard: str
    ) -> None:
        with in_memory(apps) as cluster:
            result = guarded_prune(cluster, registry.host, guard=guard)
        is_strict = guard == "what_if_strict"
        assert (result["failed"], left(apps)[0]) == (is_strict, ["one"] if is_strict else [])
        assert (result["guard"]["would_break"], result["guard"]["unknown"]) == ([], 1)
        assert ("it is not known whether these would still get their image" in result.get("msg", "")) == is_strict
        assert bool(result["warnings"]) != is_strict

    def test_workloads_that_cannot_be_read_stop_everything(self, apps: FakeApi, registry: SmallRegistry) -> None:
        apps.fail("GET .*/deployments", status_object(403, "Forbidden", "no right"), times=100)
        with in_memory(apps) as cluster:
            result = guarded_prune(cluster, registry.host, guard="what_if_strict")
        assert result["failed"]
        assert "no removal was made, because option 'guard' could not check the removals" in result["msg"]
        assert left(apps)[0] == ["one", "two"]
