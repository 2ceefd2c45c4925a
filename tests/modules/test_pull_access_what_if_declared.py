# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The review of an inventory on the lab: it predicts the access that the modules really add and remove, from the objects themselves."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from support.audited import Scene
from support.objects import b64

PASSWORD = "Canary-Word-7"
ACCOUNTS = ("default", "builder")


def login(registry: str, username: str = "reader") -> dict[str, str]:
    return {"registry": registry, "username": username, "password": PASSWORD}


def secret(name: str, *registries: dict[str, str], places: Sequence[str], **more: Any) -> dict[str, Any]:
    return {"name": name, "namespaces": list(places), "registries": list(registries), **more}


def link(name: str, *, places: Sequence[str], **more: Any) -> dict[str, Any]:
    return {"secrets": [name], "namespaces": list(places), "title": f"link of {name}", **more}


def grant(*projects: str, places: Sequence[str], **more: Any) -> dict[str, Any]:
    return {"projects": list(projects), "namespaces": list(places), **more}


@pytest.fixture
def owner(namespace: str) -> str:
    return f"team-{namespace}"


@pytest.fixture
def scene_of(lab, namespaces) -> Any:
    return lambda: Scene(lab, namespaces(1))


def apply(run: Any, owner: str, declared: dict[str, Any], *, prunes: bool = False) -> None:
    """Do what the playbook `site` does."""
    for module, option in (("pull_secret", "secrets"), ("sa_link", "links"), ("image_puller_grant", "grants")):
        if declared.get(option):
            result = run(module, owner=owner, **{option: declared[option]})
            assert not result["failed"], result["msg"]
    if prunes:
        lists = {option: declared.get(option, []) for option in ("secrets", "links", "grants")}
        pruned = run("pull_access_prune", owner=owner, max_prune="100%", prune_everything=True, **lists)
        assert not pruned["failed"], pruned["msg"]


def review(run: Any, owner: str, declared: dict[str, Any], *, prune: bool = False, **options: Any) -> dict[str, Any]:
    change = {"declared": {**declared, "owner": owner, "prune": prune, "max_prune": "100%"}}
    result = run("pull_access_what_if", changes=[change], **options)
    assert not result["failed"], result["msg"]
    assert not {PASSWORD, b64(PASSWORD)} & {*json.dumps(result).split('"')}
    assert PASSWORD not in json.dumps(result)
    document: dict[str, Any] = result["what_if"]
    return document


def real_logins(lab: Any, names: Sequence[str]) -> set[tuple[str, ...]]:
    """The logins that the accounts reach, read from the objects without code of the collection."""
    found = set()
    for name in names:
        for account in lab.api("GET", f"/api/v1/namespaces/{name}/serviceaccounts")["items"]:
            for each in account.get("imagePullSecrets") or []:
                stored = lab.get(name, "secrets", each["name"])
                if stored is None or stored["type"] != "kubernetes.io/dockerconfigjson":
                    continue
                auths = json.loads(base64.b64decode(stored["data"][".dockerconfigjson"]))["auths"]
                for key, entry in auths.items():
                    user = base64.b64decode(entry["auth"]).decode().partition(":")[0]
                    registry, _slash, path = key.partition("/")
                    found.add((name, account["metadata"]["name"], registry, path, user))
    return found


def real_rights(lab: Any, names: Sequence[str]) -> set[tuple[str, str, str]]:
    """The accounts that the API server lets pull from other projects."""
    found = set()
    for namespace, account, project in itertools.product(names, ACCOUNTS, names):
        attributes = {
            "namespace": project,
            "verb": "get",
            "group": "image.openshift.io",
            "resource": "imagestreams",
            "subresource": "layers",
        }
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
        spec = {"user": f"system:serviceaccount:{namespace}:{account}", "groups": groups}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {**spec, "resourceAttributes": attributes},
        }
        if lab.api("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)["status"]["allowed"]:
            found.add((namespace, account, project))
    return found


def predicted_logins(rows: Sequence[dict[str, Any]]) -> set[tuple[str, ...]]:
    parts = ("namespace", "name", "registry", "repository", "username")
    return {
        tuple(row[part] for part in parts) for row in rows if row["how"] == "login" and row["kind"] == "ServiceAccount"
    }


def predicted_rights(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> set[tuple[str, str, str]]:
    found = set()
    for row in rows:
        for namespace, account in itertools.product(names, ACCOUNTS) if row["how"] == "grant" else ():
            is_group = (row["kind"], row["name"]) == ("Group", f"system:serviceaccounts:{namespace}")
            is_account = (row["kind"], row["namespace"], row["name"]) == ("ServiceAccount", namespace, account)
            if is_group or is_account:
                found.add((namespace, account, row["project"]))
    return found


def assert_predicted(
    lab: Any, run: Any, owner: str, names: Sequence[str], declared: dict[str, Any], *, prunes: bool = False
) -> dict[str, Any]:
    """Predict, make the change, and compare the gains and the losses with the real ones. Return the document."""
    before = real_logins(lab, names), real_rights(lab, names)
    audit = lab.audit()
    document = review(run, owner, declared, prune=prunes)
    assert {write[1] for write in audit.writes()} <= {"subjectaccessreviews"}
    assert document["access"]["unplanned"] == []
    assert document["access"]["unknown"] == []
    apply(run, owner, declared, prunes=prunes)
    changed = before[1] ^ predicted_rights([*document["access"]["gained"], *document["access"]["lost"]], names)
    lab.until(lambda: real_rights(lab, names) == changed, "the API server knows the changed bindings")
    after = real_logins(lab, names), real_rights(lab, names)
    for part, earlier, later in (("gained", before, after), ("lost", after, before)):
        rows = document["access"][part]
        assert predicted_logins(rows) == later[0] - earlier[0]
        assert predicted_rights(rows, names) == later[1] - earlier[1]
    return document


class TestPrediction:
    def test_a_first_run_gives_what_was_predicted(self, lab, run, namespaces, owner):
        first, second = names = namespaces(2)
        lab.create(first, "serviceaccounts", {"metadata": {"name": "build-1"}})
        declared = {
            "secrets": [
                secret("quay", login("quay.io/team"), login("registry.example.com:5000"), places=names),
                secret("unlinked", login("ghcr.io"), places=names),
            ],
            "links": [link("quay", places=names), link("quay", places=[first], service_accounts=["build*"])],
            "grants": [
                grant(first, places=[second]),
                {"service_accounts": [{"namespace": second}], "namespaces": [first]},
            ],
        }
        document = assert_predicted(lab, run, owner, names, declared)
        gained = document["access"]["gained"]
        assert len([row for row in gained if row["how"] == "login"]) == 6
        assert {row["kind"] for row in gained if row["how"] == "grant"} == {"Group", "ServiceAccount"}
        assert {row["entries"][-1] for row in gained if row["how"] == "grant"} == {"grants[0]", "grants[1]"}
        assert review(run, owner, declared)["access"] == {"gained": [], "lost": [], "unknown": [], "unplanned": []}

    def test_a_changed_inventory_with_a_prune_gives_what_was_predicted(self, lab, run, namespaces, owner):
        first, second, third = names = namespaces(3)
        old = {
            "secrets": [secret("quay", login("quay.io"), places=names), secret("old", login("ghcr.io"), places=names)],
            "links": [link("quay", places=names, service_accounts=["*"]), link("old", places=names)],
            "grants": [grant(first, second, places=[third]), grant(third, places=[first])],
        }
        apply(run, owner, old)
        new = {
            "secrets": [secret("quay", login("quay.io/team", "robot"), places=[first, second])],
            "links": [link("quay", places=[first, second])],
            "grants": [
                grant(first, places=[third]),
                {"service_accounts": [{"namespace": first, "name": "builder"}], "namespaces": [second]},
            ],
        }
        document = assert_predicted(lab, run, owner, names, new, prunes=True)
        lost = document["access"]["lost"]
        assert {row["entries"][0] for row in lost if row["namespace"] == third} == {f"prune of owner {owner}"}
        assert {row["project"] for row in lost if row["how"] == "grant"} == {first, third}

    def test_absent_and_exclusive_entries_give_what_was_predicted(self, lab, run, namespaces, owner):
        first, second = names = namespaces(2)
        lab.create(
            first,
            "secrets",
            {
                "metadata": {"name": "by-hand"},
                "type": "kubernetes.io/dockerconfigjson",
                "data": {".dockerconfigjson": b64(json.dumps({"auths": {"docker.io": {"auth": b64(b"u:p")}}}))},
            },
        )
        old = {
            "secrets": [secret("quay", login("quay.io"), login("ghcr.io"), places=names)],
            "links": [link("quay", places=names), link("by-hand", places=[first])],
            "grants": [grant(first, places=[second])],
        }
        apply(run, owner, old)
        gone = {"name": "quay", "namespaces": [second], "state": "absent"}
        new = {
            "secrets": [secret("quay", {"registry": "ghcr.io"}, places=[first], mode="remove"), gone],
            "links": [
                link("quay", places=[first], exclusive=True),
                {"secrets": ["quay"], "namespaces": [second], "state": "absent"},
            ],
            "grants": [{**grant(first, places=[second]), "state": "absent"}],
        }
        document = assert_predicted(lab, run, owner, names, new)
        assert {(row["registry"], row["project"]) for row in document["access"]["lost"]} == {
            ("ghcr.io", ""),
            ("quay.io", ""),
            ("docker.io", ""),
            ("", second),
        }


class TestRows:
    def test_a_new_secret_and_its_link_repair_a_workload(self, lab, run, scene_of):
        it = scene_of()
        it.pod()
        it.deployment(it.image)
        registry = {"registry": it.host, **it.login}
        declared = {
            "secrets": [secret("quay", registry, places=it.names)],
            "links": [link("quay", places=it.names)],
        }
        change = {"declared": declared}
        result = run("pull_access_what_if", namespaces=list(it.names), changes=[change], **it.lab.asking)
        document = result["what_if"]
        answers = {row["kind"]: row["answer"] for row in document["containers"]}
        assert answers == {"Deployment": "would_work"}, "the pod keeps its own list"
        assert it.login["password"] not in json.dumps(result)
        (row,) = document["access"]["gained"]
        assert row["workloads"] == ["Deployment web"]
        assert row["entries"] == ["link of quay (quay)", "secrets[0] (quay)"]
        assert any("Gained access:" in line for line in result["text"])


class TestOptions:
    def test_an_invalid_choice_is_not_repeated(self, lab, run):
        """Ansible before 2.21 also returns the options of a task as `invocation`, where it masks only those that are credentials."""
        with lab.no_requests():
            result = run("pull_access_what_if", changes=[{"declared": {"grants": [{"state": PASSWORD}]}}])
            assert result["failed"]
            assert "state" in result["msg"]
            # `_output` is the whole result as it was printed.
            for each in (result, json.loads(result["_output"])):
                assert PASSWORD not in json.dumps({**each, "invocation": {}, "_output": ""})


class TestComparison:
    """Two inventories are compared without a cluster."""

    def compared(self, run: Any, old: dict[str, Any], new: dict[str, Any], **options: Any) -> dict[str, Any]:
        result = run(
            "pull_access_what_if", changes=[{"declared": new}], against=old, host="https://127.0.0.1:1", **options
        )
        assert not result["failed"], result["msg"]
        assert PASSWORD not in json.dumps(result)
        return dict(result)

    def test_the_comparison_equals_the_review_on_a_cluster_that_has_the_earlier_inventory(
        self, lab, run, namespaces, owner
    ):
        first, second = names = namespaces(2)
        old = {
            "secrets": [secret("quay", login("quay.io"), login("ghcr.io"), places=names)],
            "links": [link("quay", places=names)],
            "grants": [grant(first, places=[second])],
        }
        new = {
            "secrets": [
                secret("quay", login("quay.io"), places=names),
                secret("more", login("docker.io"), places=names),
            ],
            "links": [link("quay", places=[first]), link("more", places=names)],
            "grants": [grant(second, places=[first])],
        }
        apply(run, owner, old)
        on_cluster = review(run, owner, new, prune=True)["access"]
        with lab.no_requests():
            result = self.compared(run, old, new)
        assert "server" not in result
        alone = result["what_if"]["access"]
        for part in ("gained", "lost"):
            assert facts(alone[part]) == facts(on_cluster[part])


class TestComparisonOnCluster:
    """The cluster with one inventory is compared with the same cluster with another one."""

    def compared(self, run: Any, old: dict[str, Any], new: dict[str, Any], **options: Any) -> dict[str, Any]:
        against = {**old, "on_cluster": True}
        result = run("pull_access_what_if", changes=[{"declared": new}], against=against, **options)
        assert "what_if" in result, result["msg"]
        assert PASSWORD not in json.dumps(result)
        return dict(result)

    def test_the_difference_is_that_of_the_clusters_after_each_inventory(self, lab, run, namespaces, owner):
        first, second = names = namespaces(2)
        for name in names:
            lab.api("PATCH", f"/api/v1/namespaces/{name}", {"metadata": {"labels": {"team": owner}}})
        auth = b64(b"u:p")
        content = b64(json.dumps({"auths": {"docker.io": {"auth": auth}}}))
        kept = {"metadata": {"name": "by-hand"}, "type": "kubernetes.io/dockerconfigjson"}
        lab.create(first, "secrets", {**kept, "data": {".dockerconfigjson": content}})
        lab.set_account(first, imagePullSecrets=["by-hand"])
        everywhere = {"namespace_selector": {"labels": f"team={owner}"}}
        old = {
            "secrets": [secret("quay", login("quay.io"), login("ghcr.io"), places=names)],
            "links": [link("quay", places=[first], service_accounts=["*"])],
            "grants": [grant(first, places=[second])],
        }
        new = {
            "secrets": [{"name": "quay", "registries": [login("quay.io")], **everywhere}],
            "links": [{"secrets": ["quay"], "exclusive": True, **everywhere}],
            "grants": [{"service_accounts": [{"namespace": second, "name": "builder"}], "namespaces": [first]}],
        }
        audit = lab.audit()
        result = self.compared(run, {**old, "owner": owner}, {**new, "owner": owner})
        assert {write[1] for write in audit.writes()} <= {"subjectaccessreviews"}
        access = result["what_if"]["access"]
        assert (access["unplanned"], access["unknown"]) == ([], [])
        rights = predicted_rights([*access["gained"], *access["lost"]], names)
        states = []
        for declared in (old, new):
            apply(run, owner, declared)
            lab.until(lambda: real_rights(lab, names) & rights, "the API server knows the bindings")
            states.append((real_logins(lab, names), real_rights(lab, names)))
            apply(run, owner, {"secrets": [], "links": [], "grants": []}, prunes=True)
            lab.until(lambda: not real_rights(lab, names) & rights, "the API server knows the bindings")
        before, after = states
        for part, earlier, later in (("gained", before, after), ("lost", after, before)):
            assert predicted_logins(access[part]) == later[0] - earlier[0] != set()
            assert predicted_rights(access[part], names) == later[1] - earlier[1] != set()
        assert (first, "default", "docker.io", "", "u") in predicted_logins(access["lost"])

    def test_a_workload_pulls_in_one_state_only_and_the_node_agrees(self, lab, run, scene_of, owner):
        it = scene_of()
        it.deployment(it.image)
        registry = {"registry": it.host, **it.login}
        with_login = {"secrets": [secret("quay", registry, places=it.names)], "links": [link("quay", places=it.names)]}
        without = {
            "secrets": [secret("other", login("quay.io"), places=it.names)],
            "links": [link("other", places=it.names)],
        }
        options = {
            "namespaces": list(it.names),
            **it.lab.asking,
        }
        broken = self.compared(run, with_login, without, fail_on="would_break", **options)
        assert broken["failed"]
        (row,) = broken["what_if"]["containers"]
        assert (row["before"]["verdict"], row["answer"], row["changes"]) == ("pulls", "would_break", [0])
        assert row["entries"] == ["secrets[0] (quay)", "link of quay (quay)"]
        assert any(
            "change: the inventory is applied: secrets[0] (quay), link of quay (quay)" in line
            for line in broken["text"]
        )
        repaired = self.compared(run, without, with_login, fail_on="unknown", **options)
        assert not repaired["failed"], repaired["msg"]
        assert [each["answer"] for each in repaired["what_if"]["containers"]] == ["would_work"]
        same = self.compared(run, with_login, with_login, fail_on="unknown", **options)["what_if"]
        assert (same["counts"]["not_affected"], same["containers"]) == (1, [])
        apply(run, owner, without)
        it.pod(name="without")
        assert not lab.pull(it.name, "without")["pulled"]
        apply(run, owner, with_login)
        it.pod(name="with")
        assert lab.pull(it.name, "with")["pulled"]


def facts(rows: Sequence[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {
        tuple(
            row[part] for part in ("how", "namespace", "kind", "name", "registry", "repository", "username", "project")
        )
        for row in rows
    }
