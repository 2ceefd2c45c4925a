# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule of pull_access_audit finds its problem and offers a fix that works. The audit writes nothing and reports unreadable objects."""

from __future__ import annotations

import json
import stat
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules import RULES
from support.audited import COUNTS, PLAIN, REFUSED, SCENARIOS, Scene, token
from support.fixes import carry_out
from support.lab import Lab, path_of
from support.modules import run_module
from support.objects import b64
from support.openshift import allow, allow_in
from support.owner_chains import create_chain
from support.playbooks import forms, leaks


def audited(run: Any, names: list[str], **options: Any) -> dict[str, Any]:
    """Return the document's part for the cluster, with the module's output."""
    result = run("pull_access_audit", namespaces=names, **options)
    assert not result["failed"], result["msg"]
    assert not result["changed"]
    (cluster,) = result["audit"]["clusters"]
    return {**cluster, "output": result["_output"]}


def of_rule(cluster: dict[str, Any], rule: str) -> list[dict[str, Any]]:
    return [finding for finding in cluster["findings"] if finding["rule"] == rule]


@pytest.fixture
def lab(request: pytest.FixtureRequest, usual_lab: Callable[[], Lab]) -> Lab:
    """OpenShift, or plain Kubernetes for the scenarios of its rules."""
    is_plain = "rule" in request.fixturenames and request.getfixturevalue("rule") in PLAIN
    return request.getfixturevalue("plain_lab") if is_plain else usual_lab()


#: The pod of these scenarios. Once they are fixed, the lab's node must pull its image.
PULLED_AFTERWARDS = (
    "pod-cannot-pull",
    "pod-secret-missing",
    "pod-hides-account-list",
    "pod-older-than-link",
    "image-unsigned",
)


def test_each_rule_has_a_scenario() -> None:
    assert sorted(SCENARIOS) == sorted(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_the_scenario_causes_the_finding_and_the_fix_resolves_it(lab, run, namespaces, rule):
    it = Scene(lab, namespaces(COUNTS.get(rule, 1)))
    SCENARIOS[rule](it)
    with it.context:
        audit = lab.audit()
        found = of_rule(audited(run, it.names, **it.options), rule)
        assert set(audit.verbs()) <= {"get", "list", "create"}
        assert {write[1] for write in audit.writes()} <= {"subjectaccessreviews"}
        assert len(found) == 1, found
        assert it.says in found[0]["message"]
        assert found[0]["severity"] == RULES[rule].severity
        if it.fixed is None:
            assert found[0]["fix"] == []
            return
        if rule in PULLED_AFTERWARDS:
            assert not lab.pull(it.name, "app")["pulled"]
        if rule == "account-not-provisioned":
            it.fixed()
        if found[0]["fix"]:
            carry_out(run, it.login, found[0]["fix"])
        if rule != "account-not-provisioned":
            it.fixed()
        assert of_rule(audited(run, it.names, **it.options), rule) == []
        if rule in PULLED_AFTERWARDS:
            assert lab.pull(it.name, "app")["pulled"]


@pytest.mark.parametrize("name", ["usual_lab", "legacy_lab"])
def test_the_token_of_a_deleted_account_is_found_in_the_list_of_a_new_one(request, name):
    """The account was created again under its name, and its list still has the old secret, as after a restore."""
    found = request.getfixturevalue(name)
    lab = found() if callable(found) else found
    namespace = f"again-{name.partition('_')[0]}"
    lab.namespace(namespace)
    lab.until(lambda: lab.provisioned(namespace), "the account has its secret")
    old = lab.account(namespace)
    lab.run("set", "--dir", str(lab.dir), "--provision-delay", "60s")
    try:
        lab.api("DELETE", path_of(namespace, "serviceaccounts", "default"))
        lab.until(
            lambda: (
                (lab.get(namespace, "serviceaccounts", "default") or old)["metadata"]["uid"] != old["metadata"]["uid"]
            ),
            "the account is created again",
        )
        lab.set_account(namespace, imagePullSecrets=[each["name"] for each in old["imagePullSecrets"]])
        result = run_module("pull_access_audit", namespaces=[namespace], kubeconfig=lab.kubeconfig)
    finally:
        lab.run("set", "--dir", str(lab.dir), "--provision-delay", "0s")
    (finding,) = of_rule(result["audit"]["clusters"][0], "account-not-provisioned")
    assert "still holds the token of a deleted account of the same name" in finding["message"]


CANARY = "canary-of-an-audit"
IN_A_MESSAGE = "canary-in-a-message"


@pytest.fixture
def everything(lab, namespaces) -> Scene:
    """A namespace with a credential in every place that can hold one."""
    it = Scene(lab, namespaces(2))
    jwt = token(exp=1, sub=CANARY)
    for at in range(2):
        it.secret(
            {it.host: it.entry(CANARY), "quay.io:443": it.entry(CANARY), "expired.example.com": it.entry(jwt)}, at=at
        )
    it.secret({it.host: it.entry(CANARY)}, name="copy")
    it.secret({it.host: it.entry(CANARY + "-2")}, name="other")
    it.secret({it.host: it.entry(CANARY), "bad.example.com": {"auth": CANARY}}, name="broken")
    it.secret({f"{CANARY}@user.example.com": it.entry(CANARY)}, name="key")
    it.secret({it.host: it.entry(CANARY)}, name="opaque", kind="Opaque")
    it.secret({it.host: it.entry(CANARY)}, name="podman", kind="kubernetes.io/podmanconfigjson")
    content = b64(f"token {CANARY}")
    lab.create(it.name, "secrets", {"metadata": {"name": "plain"}, "data": {"token": content}})
    it.link("pull", "copy", "other", "opaque")
    it.pod(own=["pull"])
    it.node_says(f'Get "https://user:{IN_A_MESSAGE}@quay.io/v2/?account={IN_A_MESSAGE}": unauthorized')
    it.stream(f"Internal error occurred: https://u:{IN_A_MESSAGE}@quay.io/v2/?x={IN_A_MESSAGE}: denied")
    return it


class TestNoCredential:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"target_version": "5.0", "fingerprint_key": "canary-of-the-key-that-is-long"},
            {"search_credential": {"password": CANARY, "username": "somebody"}},
            {"search_credential": {"token": CANARY}},
        ],
        ids=["all rules", "forecast", "find a password", "find a token"],
    )
    def test_no_credential_is_in_any_output(self, run, everything, tmp_path, options):
        dest = tmp_path / "audit.json"
        found = audited(run, everything.names, **options)
        written = run("pull_access_audit", namespaces=everything.names, dest=str(dest), **options)
        secrets = forms(CANARY, everything.login["username"]) | {IN_A_MESSAGE, "canary-of-the-key"}
        for text in (found["output"], written["_output"], dest.read_text()):
            assert leaks(text, secrets) == []
        assert stat.S_IMODE(dest.stat().st_mode) == 0o600

    def test_a_searched_credential_is_found_in_every_place(self, run, everything):
        found = audited(run, everything.names, rules=["credential-found"], search_credential={"password": CANARY})
        assert {(finding["name"]) for finding in found["findings"]} == {
            "pull", "copy", "other", "broken", "key", "opaque", "podman", "plain",
        }  # fmt: skip

    def test_fingerprints_are_equal_within_a_run_and_differ_in_the_next(self, run, everything):
        first, second = (audited(run, everything.names)["logins"] for _run in range(2))
        labels = {row["password"] for row in first if row["registry"] == everything.host}
        assert len(labels) == 2
        assert labels & {row["password"] for row in second} == set()
        key = {"fingerprint_key": "k" * 16}
        assert audited(run, everything.names, **key)["logins"] == audited(run, everything.names, **key)["logins"]


class TestFile:
    def test_the_document_is_written_to_a_file(self, run, everything, tmp_path):
        dest = tmp_path / "audit.json"
        dest.write_text("old")
        result = run("pull_access_audit", namespaces=everything.names, dest=str(dest))
        assert (result["changed"], result["dest"], "audit" in result) == (True, str(dest), False)
        document = json.loads(dest.read_text())
        assert result["top_findings"] == document["clusters"][0]["findings"][:100]
        assert sum(result["counts"]["severities"].values()) == len(document["clusters"][0]["findings"])
        assert [path.name for path in tmp_path.iterdir()] == ["audit.json"]


class TestClean:
    def test_a_healthy_namespace_has_no_finding(self, lab, run, namespace):
        it = Scene(lab, [namespace])
        it.secret()
        it.link("pull")
        account = it.lab.account(namespace)
        it.pod(own=[entry["name"] for entry in account["imagePullSecrets"]])
        it.deployment(it.image)
        found = audited(run, [namespace], target_version="5.0")
        assert (found["findings"], found["unreadable"]) == ([], [])
        assert found["verdicts"] == {"pulls": 0, "untested": 2, "will_not_pull": 0, "unknown": 0}
        assert (found["counts"]["pods"], found["counts"]["workloads"], found["logins"]) == (1, 1, [])
        assert found["version"].startswith("OpenShift 4.")
        (row,) = [row for row in found["matrix"]["accounts"] if row["name"] == "default"]
        assert it.host in [found["matrix"]["registries"][at] for at in row["registries"]]

    def test_an_audit_without_namespaces_covers_all_except_the_platforms(self, lab, run, everything, namespaces):
        namespaces(4)
        audit = lab.audit()
        result = run("pull_access_audit")
        (cluster,) = result["audit"]["clusters"]
        assert {finding["namespace"] for finding in cluster["findings"]} >= {everything.name}
        assert not {finding["namespace"] for finding in cluster["findings"]} & {"kube-system", "default"}
        lists = [event["requestURI"].partition("?")[0] for event in audit.ours() if event["verb"] == "list"]
        assert len(lists) == len(set(lists))
        assert not [path for path in lists if "/namespaces/" in path]


#: The rights of an auditor who may not read secrets.
READER = (
    {"namespaces": ["get", "list"]}, {"pods": ["list"]}, {"serviceaccounts": ["list", "get"]},
    {"rolebindings.rbac.authorization.k8s.io": ["list"]}, {"clusterrolebindings.rbac.authorization.k8s.io": ["list"]},
    {"deployments.apps": ["list"]}, {"statefulsets.apps": ["list"]}, {"daemonsets.apps": ["list"]}, {"replicasets.apps": ["list"]},
    {"jobs.batch": ["list"]}, {"cronjobs.batch": ["list"]}, {"imagestreams.image.openshift.io": ["list"]},
    {"images.config.openshift.io": ["get", "list"]}, {"clusterversions.config.openshift.io": ["get"]},
    {"clusteroperators.config.openshift.io": ["get"]},
)  # fmt: skip


class TestRights:
    def test_an_audit_without_the_right_to_secrets_names_the_skipped_rules(self, lab, run, everything):
        user = allow(lab, f"{everything.name}-auditor", *READER)
        found = audited(run, everything.names, impersonate_user=user)
        (sentence,) = [each for each in found["unreadable"] if each.startswith("the secrets of")]
        assert "all 2 namespaces could not be read: the caller may not list them" in sentence
        for rule in ("secret-unused", "link-dangling", "credential-expired", "pod-secret-missing"):
            assert rule in sentence
        assert {RULES[finding["rule"]].needs for finding in found["findings"]} >= {("image streams",)}
        assert not [finding for finding in found["findings"] if "secrets" in RULES[finding["rule"]].needs]
        assert found["matrix"]["accounts"] == []

    def test_an_audit_with_the_rights_of_one_project_finds_its_problems(self, lab, run, everything):
        reads = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["list", "get"]}
        user = allow_in(lab, everything.name, f"{everything.name}-developer", reads)
        found = audited(run, everything.names, impersonate_user=user)
        assert {finding["namespace"] for finding in found["findings"]} == {everything.name}
        assert any(finding["rule"] == "secret-unparsable" for finding in found["findings"])
        unread = [each for each in found["unreadable"] if f"namespace {everything.names[1]} could not be read" in each]
        assert any(each.startswith("the secrets") for each in unread)
        assert (
            "the cluster role bindings could not be read: the caller may not list them. It is not known who may pull from all projects"
            in found["unreadable"]
        )


def test_registries_test_the_login_of_each_container(lab, run, namespaces):
    """A project with another password, one that was not allowed to log in, and equal pods that share an answer."""
    it = Scene(lab, namespaces(3))
    for at, password in enumerate((None, "old", None)):
        it.secret({it.host: it.entry(password)}, at=at)
        it.pod(own=["pull"], at=at)
        it.pod(own=["pull"], at=at, name="second")
    silent = "127.0.0.1:9/team/app:v1"
    it.secret({silent.partition("/")[0]: it.entry()}, name="other", at=2)
    it.pod(silent, ["other"], name="third", at=2)
    told = lab.reached
    assert audited(run, it.names, **told)["verdicts"]["untested"] == 7
    found = audited(run, it.names, ask_registries=True, **told)
    assert found["verdicts"] == {"pulls": 4, "untested": 0, "will_not_pull": 2, "unknown": 1}
    cannot = of_rule(found, "pod-cannot-pull")
    assert {finding["namespace"] for finding in cannot} == {it.names[1]}
    assert "refuses the login" in cannot[0]["message"]
    explained = run("pull_access_info", namespaces=it.names, ask_registries=True, **told)
    rows = [row for place in explained["namespaces"] for row in place["access"]]
    assert Counter(row["verdict"] for row in rows) == {"pulls": 4, "will_not_pull": 2, "unknown": 1}


def test_a_template_with_failing_pods_does_not_count_as_pulling(lab, run, namespaces):
    """A pod counts only if its chain of owners leads to the template, by UID and in the template's own namespace."""
    it = Scene(lab, namespaces(2))
    for at in range(2):
        it.secret(at=at)
        it.link("pull", at=at)
    owners = create_chain(lab, it.names[1], "Deployment", it.image)
    waiting = {"reason": "ErrImagePull", "message": REFUSED}
    forged = {"name": "app", "ownerReferences": owners}
    spec = {"containers": [{"name": "app", "image": it.image}]}
    lab.create(it.names[0], "pods", {"metadata": forged, "spec": spec})
    it.status({"waiting": waiting})
    found = audited(run, it.names)
    assert (found["verdicts"]["untested"], of_rule(found, "workload-cannot-pull")) == (2, [])
    it.status({"waiting": waiting}, at=1)
    found = audited(run, it.names)
    assert found["verdicts"] == {"pulls": 0, "untested": 0, "will_not_pull": 3, "unknown": 0}
    (finding,) = of_rule(found, "workload-cannot-pull")
    cannot = f"deployment {it.names[1]}/web cannot pull {it.image}: pod {it.names[1]}/app does not get its image"
    assert finding["message"].startswith(cannot)
    assert [each["namespace"] for each in of_rule(found, "pod-cannot-pull")] == [it.names[0]]
