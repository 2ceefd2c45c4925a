# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""audit.yml reports on several clusters, writes to none of them and prints no credential."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from support.lab import Lab
from support.objects import b64, group_subject, pull_secret, role_binding
from support.playbooks import Play, forms, leaks, play

CANARY = "Canary-77-audited"
DECLARED = "Canary-77-declared"


@pytest.fixture
def project(lab: Lab, namespace: str) -> str:
    """A project with a pull secret of a type that no node reads."""
    login = b64(f"user:{CANARY}")
    content = b64({"auths": {"quay.io": {"auth": login}}})
    body = {"metadata": {"name": "dead"}, "type": "kubernetes.io/podmanconfigjson", "data": {"auth.json": content}}
    lab.create(namespace, "secrets", body)
    return namespace


class Auditing:
    """Runs of the playbook in their own directory, whose folder for temporary files must be empty afterwards."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.temporary = directory, directory / "temporary"
        self.temporary.mkdir()
        self.report = directory / "pull-access"

    def run(self, hosts: dict[str, dict[str, Any]], *options: str, **variables: Any) -> Play:
        inventory = self.directory / "hosts.yml"
        inventory.write_text(yaml.dump({"all": {"hosts": hosts, "vars": variables}}))
        # In a container without a shell, PWD is unset or another directory.
        elsewhere = {"TMPDIR": str(self.temporary), "PWD": str(self.temporary / "another")}
        found = play("audit", inventory, *options, cwd=self.directory, **elsewhere)
        written = "".join(path.read_text() for path in self.report.glob("*")) if self.report.exists() else ""
        assert not leaks(found.output + written, forms(CANARY, "user") | forms(DECLARED, "user"))
        assert [path.name for path in self.temporary.iterdir() if path.name.startswith("pull-access-")] == []
        return found

    @property
    def document(self) -> dict[str, Any]:
        return json.loads((self.report / "pull-access.json").read_text())

    def findings(self, cluster: str = "east") -> list[tuple[str, str, str]]:
        (found,) = (each for each in self.document["clusters"] if each["name"] == cluster)
        return [(row["rule"], row["namespace"], row["name"]) for row in found["findings"]]


@pytest.fixture
def auditing(tmp_path: Path) -> Auditing:
    return Auditing(tmp_path)


@pytest.fixture
def east(lab: Lab, project: str) -> dict[str, Any]:
    return {"image_pull_kubeconfig": lab.kubeconfig, "pull_access_audit_namespaces": [project]}


def test_an_audit_reports_a_broken_secret_and_writes_nothing_to_the_cluster(lab, project, auditing, east):
    with lab.no_writes():
        found = auditing.run({"east": east}).succeeded()
    assert found.recap["changed"] == 2, "the directory of the report, and its files"
    assert ("secret-type-unread", project, "dead") in auditing.findings()
    assert (auditing.report / "pull-access.html").read_text().startswith("<!DOCTYPE html>")
    suites = ElementTree.parse(auditing.report / "pull-access.xml").getroot()
    assert suites.find(".//failure") is not None
    auditing.report.chmod(0o700)
    again = auditing.run({"east": east}, pull_access_audit_fail_on="warning")
    assert "; failed because fail_on selects findings of " in again.output
    assert (again.status, again.recap["changed"]) == (2, 0), "nothing has changed, and the finding fails the play"
    assert auditing.report.stat().st_mode & 0o777 == 0o700


@pytest.mark.slow
def test_a_declared_object_that_is_missing_is_a_finding(lab, project, auditing, east):
    registries = [{"registry": "quay.io", "username": "user", "password": DECLARED}]
    declared = [{"name": "declared", "namespaces": [project], "registries": registries}]
    grants = [{"namespaces": [project], "projects": ["elsewhere"]}]
    with lab.no_writes():
        auditing.run({"east": east}, private_registry_secrets=declared, cross_project_pull_grants=grants).succeeded()
        assert {("declared-differs", project, "declared"), ("declared-differs", project, "default")} <= {
            *auditing.findings()
        }
        assert any(
            rule == "declared-differs" and name not in ("declared", "default")
            for rule, _project, name in auditing.findings()
        )
    auditing.run({"east": east}, private_registry_secrets=declared, pull_access_audit_drift=False)
    assert not any(rule == "declared-differs" for rule, *_place in auditing.findings())


def test_an_object_of_another_owner_differs_if_the_inventory_adopts_it(lab, project, auditing, east):
    labels = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/instance": "others"}
    body = {"metadata": {"name": "declared", "labels": labels}, "type": "kubernetes.io/dockerconfigjson"}
    lab.create(project, "secrets", {**body, "stringData": {".dockerconfigjson": '{"auths": {}}'}})
    registries = [{"registry": "quay.io", "username": "user", "password": DECLARED}]
    declared = [{"name": "declared", "namespaces": [project], "registries": registries}]
    hosts = {"east": east, "north": {**east, "image_pull_adopt": True}}
    auditing.run(hosts, private_registry_secrets=declared, image_pull_owner="us").succeeded()
    drift = ("declared-differs", project, "declared")
    assert drift not in auditing.findings("east")
    assert any(rule == "declared-cannot-be-applied" for rule, *_place in auditing.findings("east"))
    assert drift in auditing.findings("north")
    assert not any(rule == "declared-cannot-be-applied" for rule, *_place in auditing.findings("north"))


def test_a_declared_object_that_another_tool_changed_names_the_tool(lab, project, auditing, east):
    """Each tool writes as it does on a cluster: by its field manager, its annotation or its label."""
    registries = [{"registry": "quay.io", "username": "user", "password": DECLARED}]
    declared = [{"name": "declared", "namespaces": [project], "registries": registries}]
    tracked = {"argocd.argoproj.io/tracking-id": f"app:/Secret:{project}/declared"}
    body = {"metadata": {"name": "declared", "annotations": tracked}, "type": "kubernetes.io/dockerconfigjson"}
    lab.create(project, "secrets", {**body, "stringData": {".dockerconfigjson": '{"auths": {}}'}})
    lab.set_account(project, imagePullSecrets=["theirs"])
    group, flux = group_subject("system:serviceaccounts:elsewhere"), {"kustomize.toolkit.fluxcd.io/name": "apps"}
    lab.create(project, "rolebindings", role_binding("image-puller-grant", group, labels=flux))
    grants = [{"namespaces": [project], "projects": ["another"]}]
    auditing.run({"east": east}, private_registry_secrets=declared, cross_project_pull_grants=grants).succeeded()
    rows = auditing.document["clusters"][0]["findings"]
    said = {row["kind"]: row["message"].rpartition(", and ")[2] for row in rows if row["rule"] == "declared-differs"}
    advice = "Run the playbook site, or correct the inventory"
    assert said == {
        "Secret": f"Argo CD manages it. {advice}",
        "ServiceAccount": f"tests last wrote its imagePullSecrets. {advice}",
        "RoleBinding": f"Flux manages it. {advice}",
    }


def test_the_removal_of_a_declared_secret_is_not_offered(lab, project, auditing, east):
    """Somebody emptied the list of the account. Another secret, which nothing declares, has the labels of this collection."""
    auths = {"quay.io": {"auth": b64(f"user:{DECLARED}")}}
    lab.create(project, "secrets", pull_secret("declared", {"auths": auths}))
    labels = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/instance": "us"}
    theirs = pull_secret("theirs", {"auths": {"example.com": auths["quay.io"]}}, metadata={"labels": labels})
    lab.create(project, "secrets", theirs)
    lab.set_account(project, imagePullSecrets=[])
    registries = [{"registry": "quay.io", "username": "user", "password": DECLARED}]
    declared = [{"name": "declared", "namespace_selector": {"include": [project]}, "registries": registries}]
    east = {**east, "pull_access_audit_rules": ["secret-unused", "declared-differs", "declared-cannot-be-applied"]}
    hosts = {"east": east, "north": {**east, "pull_access_audit_drift": False}}
    auditing.run(hosts, private_registry_secrets=declared, image_pull_owner="us").succeeded()
    dead, ours, theirs = (("secret-unused", project, name) for name in ("dead", "declared", "theirs"))
    assert auditing.findings("east") == [("declared-differs", project, "default"), dead, theirs]
    assert auditing.findings("north") == [dead, ours, theirs]


@pytest.mark.slow
def test_a_selector_that_users_can_join_is_a_finding(lab, project, auditing, east):
    """The lab has no project requests, so the test sets the annotation that OpenShift sets."""
    annotations = {"openshift.io/requester": "mallory"}
    lab.api("PATCH", f"/api/v1/namespaces/{project}", {"metadata": {"annotations": annotations}})
    registries = [{"registry": "quay.io", "username": "user", "password": DECLARED}]
    declared = {"name": "declared", "namespace_selector": {"include": [project]}, "registries": registries}
    closed = {**declared["namespace_selector"], "requesters": ["ann"]}
    found = auditing.run(
        {"east": east}, private_registry_secrets=[declared, {**declared, "namespace_selector": closed}]
    ).succeeded()
    rows = auditing.document["clusters"][0]["findings"]
    (message,) = (row["message"] for row in rows if row["rule"] == "selector-open-to-users")
    assert message.startswith(
        "private_registry_secrets[0] selects namespaces by their names alone, among them 1 project"
    )
    assert project in message
    assert DECLARED not in found.output


@pytest.mark.slow
def test_an_invalid_declaration_is_a_finding(project, auditing, east):
    auditing.run(
        {"east": east}, private_registry_secrets=[{"name": "x", "namespaces": [project], "nonsense": 1}]
    ).succeeded()
    assert any(rule == "declared-cannot-be-applied" for rule, *_place in auditing.findings())
    assert ("secret-type-unread", project, "dead") in auditing.findings(), "the rest is audited"


@pytest.mark.slow
def test_a_registry_that_does_not_answer_hides_no_drift_of_others(project, auditing, east):
    registries = [{"registry": "quay.io", "username": "user", "password": DECLARED}]
    declared = [{"name": "declared", "namespaces": [project], "registries": registries}]
    delegated = [{"registry": "127.0.0.1:1", "namespaces": [project], "username": "user", "password": DECLARED}]
    auditing.run({"east": east}, private_registry_secrets=declared, delegated_auth_registries=delegated).succeeded()
    assert ("declared-differs", project, "declared") in auditing.findings()
    (finding,) = (
        row
        for each in auditing.document["clusters"]
        for row in each["findings"]
        if row["rule"] == "declared-cannot-be-applied"
    )
    assert "delegated_auth_registries[0]: asking registry 127.0.0.1:1" in finding["message"]


def test_a_cluster_that_cannot_be_read_is_named_and_the_others_are_reported(project, auditing, east):
    west = {"image_pull_host": "https://127.0.0.9:1", "image_pull_api_key": "x"}
    east = {**east, "pull_access_audit_namespaces": [project, "nowhere"]}
    found = auditing.run({"west": west, "east": east}, pull_access_audit_fail_on="error")
    assert found.status == 2
    assert "127.0.0.9:1" in found.output
    assert (
        "namespace nowhere was not audited: the namespace does not exist"
        in (auditing.report / "pull-access.html").read_text()
    )
    assert ("secret-type-unread", project, "dead") in auditing.findings()
    assert "west" in (auditing.report / "pull-access.html").read_text()
    assert [row["name"] for row in auditing.document["missing"]] == ["west"]


@pytest.mark.slow
def test_findings_of_a_lower_severity_do_not_fail_the_play(auditing, east):
    assert auditing.run({"east": east}, pull_access_audit_fail_on="error").status == 0


@pytest.mark.slow
def test_a_login_that_is_on_two_clusters_is_reported(project, auditing, east):
    """Both names refer to the same lab, so each cluster has the login once."""
    auditing.run({"east": east, "north": east}).succeeded()
    messages = [row["message"] for row in auditing.document["findings"]]
    assert messages == ["the same login for quay.io is in 2 secrets of 2 clusters (login 1)"]


@pytest.mark.slow
def test_registries_are_asked_on_request(lab, auditing, east):
    """An operator of AWX answers with yes or no."""
    how = {
        "image_pull_realm_hosts": lab.registry_hosts,
        "image_pull_registry_ca_cert": lab.data["ca_cert"],
    }
    for answer, is_applied in (("yes", True), ("no", False)):
        auditing.run({"east": east}, pull_access_audit_ask_registries=answer, **how).succeeded()
        assert ("image-unsigned" in auditing.document["rules"]) is is_applied


@pytest.mark.slow
def test_two_reports_are_compared(lab, project, auditing, east):
    auditing.run({"east": east})
    old = auditing.directory / "old.json"
    (auditing.report / "pull-access.json").rename(old)
    lab.api("DELETE", f"/api/v1/namespaces/{project}/secrets/dead")
    found = auditing.run({"east": east}, "-e", f"compare_with={old.name}").succeeded()
    assert "0 infos, 0 new and 2 gone since the older audit, report: " in found.output
    gone = auditing.document["compared"]["gone"]
    assert ("secret-type-unread", "dead") in [(row["finding"]["rule"], row["finding"]["name"]) for row in gone]
    again = auditing.run({"east": east}, pull_access_audit_compare_with=str(old), pull_access_audit_fail_on="info",
                         pull_access_audit_fail_on_new=True)  # fmt: skip
    assert again.status == 0, "no finding is new"


@pytest.mark.slow
def test_check_mode_reads_and_writes_no_file(auditing, east):
    auditing.run({"east": east}, "--check").succeeded()
    assert not auditing.report.exists()
