# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory is planned with whole objects of the cluster, step by step, without any write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import INSTANCE, MANAGED_BY
from support.fake_api import FakeApi
from support.in_memory import InMemory, in_memory
from support.objects import b64
from support.scripted_pool import Answer, status_object

PASSWORD = "Canary-Word-7"
QUAY = {"registry": "quay.io", "username": "u", "password": PASSWORD}
OWNED = {"labels": {**MANAGED_BY, INSTANCE: "team"}}


@pytest.fixture
def api() -> FakeApi:
    api = FakeApi()
    for path, answer in (("/apis ", {"groups": [{"name": "apps"}]}), ("/version ", {"gitVersion": "v1.36.3"})):
        api.fail(f"GET {path.strip()}$", Answer(200, answer), times=10**9)
    api.put("clusterroles", "", "system:image-puller")
    for name in ("a", "b"):
        api.put("namespaces", "", name)
        api.put("serviceaccounts", name, "default", imagePullSecrets=[])
    return api


@pytest.fixture
def cluster(api: FakeApi) -> Iterator[InMemory]:
    with in_memory(api) as found:
        yield found


def content(*keys: str) -> dict[str, str]:
    auth = b64(b"u:p")
    text = json.dumps({"auths": {key: {"auth": auth} for key in keys}})
    return {".dockerconfigjson": b64(text)}


def put_secret(api: FakeApi, namespace: str, name: str, *keys: str, **more: Any) -> None:
    api.put("secrets", namespace, name, type="kubernetes.io/dockerconfigjson", data=content(*keys), **more)


def access(cluster: InMemory, **declared: Any) -> dict[str, Any]:
    result = cluster.run("pull_access_what_if", changes=[{"declared": declared}])
    assert not result["failed"], result["msg"]
    assert PASSWORD not in json.dumps(result)
    assert not [line for line in cluster.api.asked if not line.startswith("GET") and "accessreviews" not in line]
    found: dict[str, Any] = result["what_if"]["access"]
    return found


def facts(rows: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {(row["namespace"], row["name"], row["registry"] or row["project"]) for row in rows}


def everything(*namespaces: str) -> dict[str, Any]:
    where = {"namespaces": [*namespaces]}
    return {
        "secrets": [{"name": "quay", "registries": [QUAY], **where}],
        "links": [{"secrets": ["quay"], **where}],
        "grants": [{"service_accounts": [{"namespace": "b"}], **where}],
    }


def test_a_link_is_planned_with_the_secret_of_the_step_before(cluster: InMemory) -> None:
    found = access(cluster, **everything("a"))
    assert facts(found["gained"]) == {("a", "default", "quay.io"), ("b", "default", "a")}
    assert (found["lost"], found["unplanned"], found["unknown"]) == ([], [], [])


def test_a_merge_keeps_what_the_whole_object_has(api: FakeApi, cluster: InMemory) -> None:
    put_secret(api, "a", "quay", "ghcr.io")
    api.put("serviceaccounts", "a", "default", imagePullSecrets=[{"name": "quay"}])
    merged = {**everything("a")["secrets"][0], "mode": "merge"}
    assert facts(access(cluster, secrets=[merged])["gained"]) == {("a", "default", "quay.io")}
    replaced = access(cluster, secrets=everything("a")["secrets"])
    assert facts(replaced["lost"]) == {("a", "default", "ghcr.io")}


def test_a_prune_removes_what_the_owner_no_longer_declares(api: FakeApi, cluster: InMemory) -> None:
    for name in ("a", "b"):
        put_secret(api, name, "old", "ghcr.io", metadata=OWNED)
        put_secret(api, name, "theirs", "docker.io")
        api.put("serviceaccounts", name, "default", imagePullSecrets=[{"name": "old"}, {"name": "theirs"}])
    assert access(cluster, **everything("a"), owner="team")["lost"] == []
    pruned = access(cluster, **everything("a"), owner="team", prune=True, max_prune="100%")
    assert facts(pruned["lost"]) == {("a", "default", "ghcr.io"), ("b", "default", "ghcr.io")}
    assert {title for row in pruned["lost"] for title in row["entries"]} == {"prune of owner team"}
    assert facts(pruned["gained"]) == {("a", "default", "quay.io"), ("b", "default", "a")}


def test_a_prune_stays_within_its_limit(api: FakeApi, cluster: InMemory) -> None:
    """What the entries create counts as declared: two of four secrets would go, or one of three."""
    for name in ("a", "b"):
        put_secret(api, name, "old", "ghcr.io", metadata=OWNED)
        api.put("serviceaccounts", name, "default", imagePullSecrets=[{"name": "old"}])
    given = {"secrets": everything("a", "b")["secrets"], "owner": "team", "prune": True}
    for limit in ("0", "0%"):
        found = access(cluster, **given, max_prune=limit)
        assert found["lost"] == []
        assert {(each["namespace"], each["entry"]) for each in found["unplanned"]} == {
            ("a", "prune of owner team"),
            ("b", "prune of owner team"),
        }
    assert [each["namespace"] for each in access(cluster, **given)["lost"]] == ["b"], "the default allows a third"
    assert "'max_prune: 0%' is exceeded: 2 secrets are no longer declared, 2 are" in found["unplanned"][0]["reason"]
    found = access(cluster, **given, max_prune="50%")
    assert facts(found["lost"]) == {("a", "default", "ghcr.io"), ("b", "default", "ghcr.io")}
    assert found["unplanned"] == []
    # The namespace with the most removals is held back.
    put_secret(api, "b", "older", "ghcr.io", metadata=OWNED)
    found = access(cluster, **given, max_prune="1")
    assert facts(found["lost"]) == {("a", "default", "ghcr.io")}
    (held,) = found["unplanned"]
    assert (held["namespace"], "more than 'max_prune: 1' allows" in held["reason"]) == ("b", True)


def test_a_prune_without_any_declaration_needs_a_confirmation(api: FakeApi, cluster: InMemory) -> None:
    put_secret(api, "a", "old", "ghcr.io", metadata=OWNED)
    api.put("serviceaccounts", "a", "default", imagePullSecrets=[{"name": "old"}])
    given = {"secrets": [], "owner": "team", "prune": True, "max_prune": "100%"}
    found = access(cluster, **given)
    (refused,) = found["unplanned"]
    assert "owner team declares nothing for any namespace" in refused["reason"]
    assert found["lost"] == []
    found = access(cluster, **given, prune_everything=True)
    assert (facts(found["lost"]), found["unplanned"]) == ({("a", "default", "ghcr.io")}, [])


def test_objects_that_are_only_kept_stay_and_are_reported(api: FakeApi, cluster: InMemory) -> None:
    """An entry of delegated_auth_registries whose registry does not answer is not applied."""
    for name in ("sso", "old"):
        put_secret(api, "a", name, f"{name}.example.com", metadata=OWNED)
    api.put("serviceaccounts", "a", "default", imagePullSecrets=[{"name": "sso"}, {"name": "old"}])
    kept = {
        "kept_secrets": [{"name": "sso", "namespaces": ["a"]}],
        "kept_links": [{"secrets": ["sso"], "namespaces": ["a"]}],
    }
    given = {**everything("a"), "owner": "team", "prune": True, "max_prune": "100%"}
    found = access(cluster, **given, **kept)
    assert facts(found["lost"]) == {("a", "default", "old.example.com")}
    assert [(each["namespace"], each["entry"]) for each in found["unplanned"]] == [
        ("a", "kept_secrets[0] (sso)"),
        ("a", "kept_links[0] (sso)"),
    ]
    assert facts(access(cluster, **given)["lost"]) == {
        ("a", "default", f"{name}.example.com") for name in ("sso", "old")
    }


def test_an_invalid_limit_is_refused_before_any_request(api: FakeApi, cluster: InMemory) -> None:
    changes = [{"declared": {**everything("a"), "owner": "team", "prune": True, "max_prune": "many"}}]
    result = cluster.run("pull_access_what_if", changes=changes)
    assert "declared.max_prune" in result["msg"]
    assert api.asked == []


def test_nothing_is_pruned_where_an_entry_fails(api: FakeApi, cluster: InMemory) -> None:
    for name in ("a", "b"):
        put_secret(api, name, "old", "ghcr.io", metadata=OWNED)
        api.put("serviceaccounts", name, "default", imagePullSecrets=[{"name": "old"}])
    api.put("secrets", "a", "quay", type="Opaque", data={"x": "eA=="})
    found = access(cluster, secrets=everything("a")["secrets"], owner="team", prune=True, max_prune="100%")
    assert facts(found["lost"]) == {("b", "default", "ghcr.io")}
    (failed,) = found["unplanned"]
    assert (failed["namespace"], failed["entry"]) == ("a", "secrets[0] (quay)")


def test_a_namespace_whose_objects_cannot_be_listed_is_not_pruned(api: FakeApi, cluster: InMemory) -> None:
    for name in ("a", "b"):
        put_secret(api, name, "old", "ghcr.io", metadata=OWNED)
        api.put("serviceaccounts", name, "default", imagePullSecrets=[{"name": "old"}])
    forbidden = status_object(403, "Forbidden", "no right")
    for path in ("/api/v1/secrets", "/api/v1/namespaces/b/secrets"):
        api.fail(rf"GET {path}\?.*labelSelector", forbidden, times=10**9)
    found = access(cluster, **everything("a"), owner="team", prune=True, max_prune="100%")
    assert facts(found["lost"]) == {("a", "default", "ghcr.io")}
    (left_out,) = [row for row in found["unplanned"] if row["namespace"] == "b"]
    assert left_out["entry"] == "prune of owner team"
    assert left_out["reason"] == "the caller may not list secrets in it"


def test_missing_namespaces_and_accounts_fail_their_own_entries(cluster: InMemory) -> None:
    declared = everything("a", "gone")
    declared["links"].append(
        {"secrets": ["quay"], "service_accounts": ["robot"], "namespaces": ["b"], "require": "none"}
    )
    found = access(cluster, **declared)
    assert facts(found["gained"]) == {("a", "default", "quay.io"), ("b", "default", "a")}
    reasons = {(each["namespace"], each["entry"]) for each in found["unplanned"]}
    assert {("b", "links[1] (quay)"), ("gone", "")} <= reasons


@pytest.mark.parametrize("fail_on", ["never", "certain_break", "would_break", "unknown"])
def test_an_entry_that_would_not_be_applied_fails_every_gate(cluster: InMemory, fail_on: str) -> None:
    changes = [{"declared": everything("a", "gone")}]
    result = cluster.run("pull_access_what_if", changes=changes, fail_on=fail_on)
    assert result["not_applied"] == len(result["what_if"]["access"]["unplanned"]) > 0
    assert "of the inventory would not be applied" in result["text"][0]
    assert result["failed"] == (fail_on != "never")
    if result["failed"]:
        says = "of the inventory would not be applied, so the effect is not known, such as namespace gone: "
        assert says in result["msg"]


def test_a_prune_above_its_limit_fails_a_gate(api: FakeApi, cluster: InMemory) -> None:
    """The merge request removes namespace b, whose pod needs the secret."""
    for name in ("a", "b"):
        put_secret(api, name, "quay", "quay.io", metadata=OWNED)
        api.put("serviceaccounts", name, "default", imagePullSecrets=[{"name": "quay"}])
        put_workload(api, name)
    old, new = ({**everything(*names), "owner": "team", "grants": []} for names in (("a", "b"), ("a",)))
    changes, against = [{"declared": {**new, "prune": True}}], {**old, "on_cluster": True}
    result = cluster.run("pull_access_what_if", changes=changes, against=against, fail_on="certain_break")
    assert (result["failed"], result["not_applied"], result["counts"]["would_break"]) == (True, 1, 0)
    assert "prune of owner team in namespace b: 'max_prune: 10%' is exceeded" in result["msg"]


def test_a_namespace_that_cannot_be_read_is_one_failure(api: FakeApi, cluster: InMemory) -> None:
    api.fail("GET /api/v1/namespaces/a/secrets/quay", status_object(403, "Forbidden", "no"), times=10**9)
    found = access(cluster, **everything("a", "b"))
    assert ("b", "default", "quay.io") in facts(found["gained"])
    assert {each["namespace"] for each in found["unplanned"]} == {"a"}


def test_a_cluster_that_fails_ends_the_task(api: FakeApi, cluster: InMemory) -> None:
    api.fail("GET .*/rolebindings", status_object(401, "Unauthorized", "no"), times=10**9)
    result = cluster.run("pull_access_what_if", changes=[{"declared": everything("a")}])
    assert result["failed"]
    assert "what_if" not in result


def test_contradictory_entries_are_refused(cluster: InMemory) -> None:
    secrets = [everything("a")["secrets"][0], {"name": "quay", "namespaces": ["a"], "state": "absent"}]
    result = cluster.run("pull_access_what_if", changes=[{"declared": {"secrets": secrets}}])
    assert result["failed"]
    assert "contradict each other" in result["msg"]


class TestComparisonOnCluster:
    """Both inventories start from the present cluster."""

    def compared(self, cluster: InMemory, old: dict[str, Any], new: dict[str, Any], **options: Any) -> dict[str, Any]:
        against = {**old, "on_cluster": True}
        result = cluster.run("pull_access_what_if", changes=[{"declared": new}], against=against, **options)
        assert "what_if" in result, result["msg"]
        assert PASSWORD not in json.dumps(result)
        assert not [line for line in cluster.api.asked if not line.startswith("GET") and "accessreviews" not in line]
        return dict(result)

    def test_the_difference_of_two_inventories_is_reviewed(self, cluster: InMemory) -> None:
        result = self.compared(cluster, everything("a"), everything("b"))
        found = result["what_if"]["access"]
        assert facts(found["gained"]) == {("b", "default", "quay.io"), ("b", "default", "b")}
        assert facts(found["lost"]) == {("a", "default", "quay.io"), ("b", "default", "a")}
        assert {title for row in found["lost"] for title in row["entries"]} == {
            "links[0] (quay)",
            "secrets[0] (quay)",
            "grants[0]",
        }
        assert result["what_if"]["against"] == "1 entry of secrets, 1 entry of links, 1 entry of grants"

    def test_equal_inventories_touch_nothing(self, api: FakeApi, cluster: InMemory) -> None:
        put_workload(api, "a")
        result = self.compared(cluster, everything("a"), everything("a"))
        assert result["what_if"]["access"] == {"gained": [], "lost": [], "unknown": [], "unplanned": []}
        assert result["what_if"]["containers"] == []

    def test_existing_objects_stay_unless_they_are_pruned(self, api: FakeApi, cluster: InMemory) -> None:
        put_secret(api, "a", "quay", "quay.io", metadata=OWNED)
        api.put("serviceaccounts", "a", "default", imagePullSecrets=[{"name": "quay"}])
        old = {**everything("a"), "owner": "team", "adopt": True, "grants": []}
        new = {"secrets": [], "links": [], "grants": [], "owner": "team"}
        kept = self.compared(cluster, old, new)["what_if"]["access"]
        assert (kept["gained"], kept["lost"]) == ([], [])
        limited = self.compared(cluster, old, {**new, "prune": True, "prune_everything": True})["what_if"]["access"]
        assert (limited["lost"], [row["namespace"] for row in limited["unplanned"]]) == ([], ["a"])
        unlimited = {"prune": True, "prune_everything": True, "max_prune": "100%"}
        pruned = self.compared(cluster, old, {**new, **unlimited})["what_if"]["access"]
        assert facts(pruned["lost"]) == {("a", "default", "quay.io")}

    def test_a_workload_breaks_that_only_the_earlier_inventory_serves(self, api: FakeApi, cluster: InMemory) -> None:
        put_workload(api, "a")
        nothing: dict[str, Any] = {"secrets": []}
        result = self.compared(cluster, everything("a"), nothing, fail_on="unknown")
        (row,) = result["what_if"]["containers"]
        assert (row["before"]["verdict"], row["answer"]) == ("pulls", "unknown")
        assert result["failed"]
        back = self.compared(cluster, nothing, everything("a"))["what_if"]["containers"]
        assert [(each["before"]["verdict"], each["after"]["verdict"]) for each in back] == [("unknown", "pulls")]

    def test_a_selector_selects_the_namespaces_of_the_cluster(self, cluster: InMemory) -> None:
        everywhere = {"namespace_selector": {"include": ["*"]}}
        new = {
            "secrets": [{"name": "quay", "registries": [QUAY], **everywhere}],
            "links": [{"secrets": ["quay"], **everywhere}],
        }
        found = self.compared(cluster, {"secrets": []}, new)["what_if"]["access"]
        assert facts(found["gained"]) == {("a", "default", "quay.io"), ("b", "default", "quay.io")}

    def test_entries_of_both_inventories_that_would_fail_are_named(self, cluster: InMemory) -> None:
        found = self.compared(cluster, everything("a", "gone"), everything("b", "lost"))["what_if"]["access"]
        assert {each["namespace"] for each in found["unplanned"]} == {"lost"}
        assert any("'against', all entries of namespace gone would not be applied" in each for each in found["unknown"])

    def test_an_entry_that_only_the_earlier_inventory_cannot_apply_is_no_break(self, cluster: InMemory) -> None:
        """The merge request removes the entries of a deleted namespace."""
        old, new = everything("a", "gone"), everything("a")
        assert not self.compared(cluster, old, new, fail_on="would_break")["failed"]
        assert self.compared(cluster, old, new, fail_on="unknown")["failed"]


def put_workload(api: FakeApi, namespace: str) -> None:
    spec = {"containers": [{"name": "c", "image": "quay.io/a:1"}]}
    api.put("deployments", namespace, "web", spec={"template": {"spec": spec}})
