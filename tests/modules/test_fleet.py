# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module selects namespaces, limits failures and shortens its output in the same way for a fleet of namespaces."""

from __future__ import annotations

import pytest
from support.lab import pull_names
from support.openshift import allow
from support.playbooks import play


def label(lab, names, **labels):
    for name in names:
        lab.api("PATCH", f"/api/v1/namespaces/{name}", {"metadata": {"labels": labels}})


def link(run, selector, **options):
    return run("sa_link", **{"secrets": ["mine"], "namespace_selector": selector, "require": "none", **options})


def named(result):
    return sorted(entry["name"] for entry in result["namespaces"])


class TestSelector:
    def test_labels_include_and_exclude_select_the_namespaces(self, lab, run, namespaces):
        names = namespaces(4)
        label(lab, names[:3], team="red")
        audit = lab.audit()
        result = link(run, {"labels": "team=red", "exclude": [names[1]]})
        assert named(result) == sorted([names[0], names[2]])
        assert sorted(audit.verbs()) == ["get", "get", "list", "patch", "patch"]
        assert named(link(run, {"include": [f"{names[3]}*"]})) == [names[3]]

    def test_system_namespaces_are_selected_only_on_request(self, run):
        everything = link(run, {"include": ["*"]}, check=True)
        assert not {"default", "kube-system", "openshift-config"} & set(named(everything))
        assert "kube-public" in named(link(run, {"include": ["kube-p*"], "system_namespaces": True}, check=True))

    def test_namespaces_that_are_being_deleted_are_skipped_and_reported(self, lab, run, namespaces):
        names = namespaces(2)
        label(lab, names, team="going")
        lab.create(names[0], "configmaps", {"metadata": {"name": "hold", "finalizers": ["example.com/hold"]}})
        lab.api("DELETE", f"/api/v1/namespaces/{names[0]}")
        try:
            result = link(run, {"labels": "team=going"})
        finally:
            path = f"/api/v1/namespaces/{names[0]}/configmaps/hold"
            lab.api("PATCH", path, {"metadata": {"finalizers": None}})
        assert {entry["name"]: entry["status"] for entry in result["namespaces"]} == {
            names[0]: "skipped",
            names[1]: "changed",
        }
        assert result["summary"]["total"] == 2

    def test_a_selector_without_a_namespace_is_reported(self, run):
        result = link(run, {"labels": "no=such"})
        assert result["summary"]["total"] == 0
        assert "selects no namespace" in str(result["warnings"])

    def test_a_caller_who_may_not_list_namespaces_gets_its_projects(self, lab, run, namespaces):
        """OpenShift shows users only their own projects. The lab has no such view, so the test creates the projects itself."""
        names = namespaces(2)
        rights = (
            {"projects.project.openshift.io": ["list"]},
            {"serviceaccounts": ["get", "list", "patch"]},
            {"secrets": ["get"]},
        )
        user = allow(lab, f"owner-{names[0]}", *rights)
        meta = {"name": names[0], "annotations": {"openshift.io/requester": "ann"}}
        project = {"apiVersion": "project.openshift.io/v1", "kind": "Project", "metadata": meta}
        lab.api("POST", "/apis/project.openshift.io/v1/projects", project)
        result = link(run, {"include": ["test-*"]}, impersonate_user=user)
        assert named(result) == [names[0]]
        assert result["changed"]
        requested = {"include": ["test-*"], "requesters": ["ann"]}
        assert named(link(run, requested, impersonate_user=user)) == [names[0]]
        assert named(link(run, {**requested, "requesters": ["mallory"]}, impersonate_user=user)) == []


class TestProgress:
    """ansible-playbook prints the progress of a long task while it runs."""

    @pytest.fixture(params=["in Ansible's process", pytest.param("in one of its own", marks=pytest.mark.slow)])
    def python(self, request, other_python) -> str:
        return other_python if request.param == "in one of its own" else "{{ ansible_playbook_python }}"

    @pytest.mark.parametrize("wanted", [True, pytest.param(False, marks=pytest.mark.slow)])
    def test_progress_lines_appear_in_the_job_output_unless_switched_off(
        self, lab, namespace, tmp_path, python, wanted
    ):
        playbook = tmp_path / "wait.yml"
        playbook.write_text(
            f"- hosts: all\n  gather_facts: false\n  tasks:\n    - openshift_ops.image_pull.sa_wait:\n"
            f"        namespaces: [{namespace}, kube-public]\n        service_accounts: [default, never]\n"
            f"        timeout: 5\n        progress: {wanted}\n"
        )
        inventory = tmp_path / "hosts.yml"
        inventory.write_text(
            "all:\n  hosts: {east: {}, west: {}}\n"
            f"  vars: {{ansible_connection: local, ansible_python_interpreter: '{python}'}}\n"
        )
        done = play(playbook, inventory, K8S_AUTH_KUBECONFIG=lab.kubeconfig)
        assert done.status == 2
        for host in ("east", "west"):
            waits = f"0 failed; in {namespace}: service account never does not exist"
            assert (f"[{host}] sa_wait 0/2 namespaces, 0 changed, {waits}" in done.output) is wanted


class TestMemory:
    def test_listed_accounts_are_written_without_another_read(self, lab, run, namespaces):
        """The accounts of a list are written without another read, although most of the list's content is dropped."""
        names = namespaces(6)
        audit = lab.audit()
        assert run("sa_link", namespaces=names, secrets=["mine"], require="none")["summary"]["changed"] == 6
        assert sorted(audit.verbs()) == ["list"] + ["patch"] * 6
        assert all("mine" in pull_names(lab.account(name)) for name in names)
        assert run("sa_link", namespaces=names, secrets=["mine"], require="none")["changed"] is False
