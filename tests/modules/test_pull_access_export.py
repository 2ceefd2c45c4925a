# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pull_access_export returns the declarations of a cluster, sends few requests and needs only the documented rights."""

from __future__ import annotations

import json

import pytest
from support.objects import b64
from support.openshift import allow
from support.playbooks import forms, leaks

PASSWORD = "canary of a module"
AUTH = b64(f"u:{PASSWORD}")
DATA = {".dockerconfigjson": b64(json.dumps({"auths": {"quay.io": {"auth": AUTH}}}))}
SECRET = {"metadata": {"name": "one"}, "type": "kubernetes.io/dockerconfigjson", "data": DATA}
ENTRY = {
    "registries": [{"registry": "quay.io", "username": "u", "password": "{{ vaulted_quay_io_u | string }}"}],
    "service_accounts": ["default"],
    "link_for": ["pull"],
}


@pytest.fixture
def two(lab, run, namespaces):
    """Two namespaces with the same secret, one of them created by our own modules."""
    first, second = namespaces(2)
    lab.create(first, "secrets", SECRET)
    registries = [{"registry": "quay.io", "username": "u", "password": PASSWORD}]
    assert run("pull_secret", name="one", namespaces=[second], registries=registries)["changed"]
    assert run("sa_link", secrets=["one"], namespaces=[first, second])["changed"]
    assert run("image_puller_grant", namespaces=[second], projects=[first])["changed"]
    return [first, second]


def test_an_export_returns_secrets_grants_and_left_out_objects(lab, run, two):
    audit = lab.audit()
    found = run("pull_access_export", namespaces=two)
    assert not found["failed"], found
    assert found["private_registry_secrets"] == [{"name": "one", "namespaces": two, **ENTRY}]
    assert found["cross_project_pull_grants"] == [{"namespaces": [two[1]], "projects": [two[0]]}]
    assert (found["vaulted_variables"], found["not_exported"]) == (["vaulted_quay_io_u"], [])
    assert (found["changed"], found["files"], found["diff"]) == (False, [], [])
    assert found["left_out"] == {"generated_links": 4, "generated_pull_secrets": 2, "platform_bindings": 2}
    assert set(audit.verbs()) <= {"list", "get"}
    assert leaks(found["_output"], forms(PASSWORD, "u")) == []


def test_a_selector_excludes_the_platforms_namespaces(run, two):
    found = run("pull_access_export", namespace_selector={"include": ["kube-*", *two]})
    assert found["left_out"]["platform_namespaces"] >= 2
    assert [row["name"] for row in found["namespaces"]] == two


def test_the_right_to_list_is_enough(lab, run, two):
    rules = [{"secrets": ["list"]}, {"serviceaccounts": ["list"]}, {"rolebindings.rbac.authorization.k8s.io": ["list"]}]
    user = allow(lab, f"{two[0]}-reader", *rules)
    found = run("pull_access_export", namespaces=two, impersonate_user=user)
    assert not found["failed"], found["msg"]
    assert [entry["name"] for entry in found["private_registry_secrets"]] == ["one"]


def test_a_caller_who_may_not_list_gets_the_missing_right(lab, run, two):
    user = allow(lab, f"{two[0]}-blind", {"serviceaccounts": ["list"]}, {"secrets": ["get"]})
    found = run("pull_access_export", namespaces=two, impersonate_user=user)
    assert found["failed"]
    assert f"the caller may not list secrets in namespace {two[0]}" in found["msg"]
    assert "private_registry_secrets" not in found


def test_writing_files_in_a_separate_process_is_refused(lab, run, two, tmp_path):
    with lab.no_requests():
        found = run("pull_access_export", namespaces=two, dest=str(tmp_path / "d"))
    assert "must run in Ansible's own process" in found["msg"]
    assert list(tmp_path.iterdir()) == []
