# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module creates, refuses, takes over and removes an object depending on its owner."""

from __future__ import annotations

import pytest
from support.lab import pull_names

MANAGED_BY, INSTANCE = "app.kubernetes.io/managed-by", "app.kubernetes.io/instance"
OURS = {MANAGED_BY: "openshift_ops.image_pull"}
QUAY = {"registry": "quay.io", "username": "reader", "password": "Secret-1"}
OTHER = {**QUAY, "password": "Secret-2"}


def secret(run, namespace, **options):
    return run("pull_secret", **{"name": "quay", "namespaces": [namespace], "registries": [QUAY], **options})


def grant(run, namespace, **options):
    return run("image_puller_grant", **{"namespaces": [namespace], "projects": ["consumer"], **options})


def labels(lab, namespace, resource, name):
    return lab.get(namespace, resource, name)["metadata"].get("labels") or {}


class TestSecrets:
    def test_a_secret_of_another_owner_is_refused_by_name_and_adopted_on_request(self, lab, run, namespace):
        assert secret(run, namespace, owner="team-a")["changed"]
        assert labels(lab, namespace, "secrets", "quay") == {**OURS, INSTANCE: "team-a"}
        audit = lab.audit()
        assert secret(run, namespace, owner="team-a")["changed"] is False
        for options in ({"registries": [OTHER]}, {}, {"state": "absent", "registries": None}):
            result = secret(run, namespace, owner="team-b", **options)
            assert result["failed"]
            assert f"secret {namespace}/quay belongs to owner team-a and not to team-b" in result["msg"]
        assert audit.writes() == []
        checked = secret(run, namespace, owner="team-b", adopt=True, check=True)
        adopted = secret(run, namespace, owner="team-b", adopt=True)
        assert checked["diff"] == adopted["diff"]
        assert adopted["namespaces"][0]["changes"][0]["labels"] == [INSTANCE]
        assert labels(lab, namespace, "secrets", "quay") == {**OURS, INSTANCE: "team-b"}
        assert secret(run, namespace, owner="team-b", adopt=True)["changed"] is False
        assert secret(run, namespace, owner="team-b", state="absent", registries=None)["changed"]

    @pytest.mark.parametrize("given", [None, OURS])
    def test_a_secret_without_an_owner_is_changed_and_not_labelled(self, lab, run, namespace, given):
        content = {".dockerconfigjson": "e30="}
        body = {
            "metadata": {"name": "quay", "labels": given},
            "type": "kubernetes.io/dockerconfigjson",
            "data": content,
        }
        lab.create(namespace, "secrets", body)
        assert secret(run, namespace, owner="team-a")["changed"]
        assert labels(lab, namespace, "secrets", "quay") == (given or {})
        assert secret(run, namespace, owner="team-a", adopt=True)["changed"]
        assert labels(lab, namespace, "secrets", "quay") == {**OURS, INSTANCE: "team-a"}

    def test_one_task_may_have_entries_of_several_owners(self, lab, run, namespaces):
        one, two = namespaces(2)
        entries = [
            {"name": "a", "namespaces": [one, two], "registries": [QUAY]},
            {"name": "b", "namespaces": [one], "registries": [QUAY], "owner": "team-b"},
        ]
        assert run("pull_secret", owner="team-a", secrets=entries)["changed"]
        found = [labels(lab, *place) for place in ((one, "secrets", "a"), (two, "secrets", "a"), (one, "secrets", "b"))]
        assert [each[INSTANCE] for each in found] == ["team-a", "team-a", "team-b"]
        entries[1] |= {"owner": "team-c"}
        result = run("pull_secret", owner="team-a", secrets=entries)
        assert [(row["entry"], row["namespace"]) for row in result["failures"]] == [(1, one)]


class TestAccounts:
    def test_only_a_created_account_gets_an_owner(self, lab, run, namespace):
        options = {"namespaces": [namespace], "secrets": ["x"], "require": "none"}
        assert run("sa_link", owner="team-a", service_accounts=["build", "default"], create=True, **options)["changed"]
        assert labels(lab, namespace, "serviceaccounts", "build") == {**OURS, INSTANCE: "team-a"}
        assert INSTANCE not in labels(lab, namespace, "serviceaccounts", "default")
        linked = run("sa_link", owner="team-b", service_accounts=["build"], **{**options, "secrets": ["y"]})
        assert linked["changed"]
        assert {"x", "y"} <= set(pull_names(lab.account(namespace, "build")))
        refused = run("sa_link", owner="team-b", service_accounts=["build"], create=True, **options)
        assert "belongs to owner team-a and not to team-b" in refused["msg"]
        adopted = run("sa_link", owner="team-b", service_accounts=["*"], create=True, adopt=True, **options)
        assert not adopted["changed"]
        accounts = {"service_accounts": ["build", "default"], "create": True, "adopt": True}
        assert run("sa_link", owner="team-b", **accounts, **options)["summary"]["changed"] == 1
        assert labels(lab, namespace, "serviceaccounts", "build")[INSTANCE] == "team-b"
        assert INSTANCE not in labels(lab, namespace, "serviceaccounts", "default")


class TestBindings:
    def test_a_binding_of_another_owner_is_refused_by_name_and_adopted_on_request(self, lab, run, namespace):
        named = {"binding_name": "shared"}
        assert grant(run, namespace, owner="team-a", **named)["changed"]
        for options in ({}, {"state": "absent"}, {"role": "view"}):
            result = grant(run, namespace, owner="team-b", **named, **options)
            assert f"role binding {namespace}/shared belongs to owner team-a and not to team-b" in result["msg"]
        assert grant(run, namespace, owner="team-b", adopt=True, **named)["changed"]
        assert labels(lab, namespace, "rolebindings", "shared") == {**OURS, INSTANCE: "team-b"}
        assert grant(run, namespace, owner="team-b", adopt=True, **named)["changed"] is False
