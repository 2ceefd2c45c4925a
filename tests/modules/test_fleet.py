# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A caller who may not list namespaces gets its own projects, and a long task prints its progress."""

from __future__ import annotations

import pytest
from support.openshift import allow
from support.playbooks import play


def link(run, selector, **options):
    return run("sa_link", **{"secrets": ["mine"], "namespace_selector": selector, "require": "none", **options})


def named(result):
    return sorted(entry["name"] for entry in result["namespaces"])


class TestSelector:
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
