# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pull_secret_info needs few requests, writes nothing, and its result contains no part of a login."""

from __future__ import annotations

import os
from typing import Any

import pytest
from support.lab import Lab
from support.objects import auth_file, b64, pull_secret
from support.playbooks import forms, leaks
from support.surveyed import token

CANARY = "Canary-held-77"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def account(lab: Lab, name: str) -> tuple[str, str]:
    found = lab.registry(name)["accounts"][1]
    return found["username"], found["password"]


def put(lab: Lab, namespace: str, name: str, entries: dict[str, tuple[str, str]], **parts: Any) -> None:
    lab.create(namespace, "secrets", {**pull_secret(name, auth_file(entries)), **parts})


@pytest.fixture
def told(lab, run):
    """Return the result after checking that it contains nothing of the lab's logins."""

    def call(*namespaces: str, **options: Any) -> dict[str, Any]:
        result = run(
            "pull_secret_info", **{"namespaces": list(namespaces), "registry_ca_cert": lab.data["ca_cert"], **options}
        )
        logins = [account(lab, name) for name in ("private", "delegated")]
        known = {form for user, password in (*logins, ("robot", CANARY)) for form in forms(password, user)}
        assert leaks(result["_output"], known) == []
        assert not result["failed"], result
        return result

    return call


def secrets(result: dict[str, Any], at: int = 0) -> dict[str, dict[str, Any]]:
    return {secret["name"]: secret for secret in result["namespaces"][at]["secrets"]}


def outcomes(secret: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    return {
        row["key"]: [(proof["repository"], proof["outcome"]) for proof in row["proofs"]] for row in secret["registries"]
    }


def test_pull_secrets_are_listed_with_registries_and_expiry(lab, told, namespace):
    put(lab, namespace, "pull", {"quay.io/team": ("robot", CANARY), "r.example.com": ("robot", token(exp=60))})
    put(lab, namespace, "fixed", {"quay.io": ("robot", CANARY)}, immutable=True)
    content = b64(b'{"auths": {"quay.io": {"auth": "cm9ib3Q6eA=="}}}')
    lab.create(namespace, "secrets", {"metadata": {"name": "opaque"}, "data": {"config.json": content}})
    lab.create(namespace, "secrets", {"metadata": {"name": "other"}, "data": {"password": content[:4]}})
    found = secrets(told(namespace))
    assert sorted(found) == ["fixed", "opaque", "pull"], "neither what is no pull secret nor what is generated"
    assert [(row["key"], row["expires"]) for row in found["pull"]["registries"]] == [
        ("quay.io/team", ""),
        ("r.example.com", "1970-01-01T00:01:00Z"),
    ]
    assert (found["opaque"]["read_by_nodes"], found["pull"]["read_by_nodes"]) == (False, True)
    assert (found["fixed"]["immutable"], found["pull"]["immutable"]) == (True, False)
    generated = secrets(told(namespace, names=["*-dockercfg-*"]))
    assert generated
    assert all(secret["generated"] and secret["registries"] for secret in generated.values())


def test_stored_logins_are_verified(lab, told, namespace):
    private, delegated = lab.registry("private"), lab.registry("delegated")
    user = account(lab, "private")[0]
    entries = {private["host"]: account(lab, "private"), delegated["host"]: account(lab, "delegated")}
    put(lab, namespace, "good", entries)
    put(lab, namespace, "bad", {private["host"]: (user, CANARY), f"{private['host']}/team": (user, token(exp=60))})
    image = f"{private['host']}/team/app:v1"
    options = {"verify_repositories": [image, f"{private['host']}/team/none:v1"]}
    result = told(namespace, **options, realm_hosts=lab.registry_hosts)
    none = f"{private['host']}/team/none:v1"
    found = secrets(result)
    assert outcomes(found["good"]) == {
        private["host"]: [("", "logs_in"), (image, "pulls"), (none, "not_found")],
        delegated["host"]: [("", "logs_in")],
    }
    assert outcomes(found["bad"]) == {
        private["host"]: [("", "bad_login")],
        f"{private['host']}/team": [("", "expired"), (image, "expired"), (none, "expired")],
    }
    assert result["works"] is False
    assert result["outcomes"] == {"bad_login": 1, "expired": 3, "logs_in": 2, "not_found": 1, "pulls": 1}
    for named in ([], [delegated["host"]], [delegated["realm_host"]]):
        unsent = secrets(told(namespace, **options, realm_hosts=named))["good"]
        assert outcomes(unsent)[delegated["host"]] == [("", "not_sent")]


def test_many_namespaces_need_few_requests_and_no_write(lab, told, namespaces):
    names = namespaces(40)
    host = lab.registry("private")["host"]
    for name in names:
        put(lab, name, "pull", {host: account(lab, "private")})
    log = lab.dir / "logs" / "registry-private.log"
    before, audit = log.stat().st_size, lab.audit()
    result = told(*names, verify=True, realm_hosts=lab.registry_hosts)
    assert audit.writes() == []
    assert audit.verbs() == ["list"]
    assert 0 < len(log.read_bytes()[before:].splitlines()) <= 4, "each different login is asked about once"
    assert (result["works"], result["outcomes"]) == (True, {"logs_in": 40})
    audit = lab.audit()
    assert len(told(*names, names=["pull", "none"])["namespaces"]) == 40
    assert audit.verbs() == ["list"]


def test_missing_and_forbidden_namespaces_are_reported(lab, run, namespace):
    gone = run("pull_secret_info", namespaces=[namespace, "not-there"])
    assert gone["failed"]
    assert "not-there: the namespace does not exist on " in gone["msg"]
    assert [row["status"] for row in gone["namespaces"]] == ["unchanged", "failed"]
    refused = run("pull_secret_info", namespaces=[namespace], impersonate_user="nobody@example.com")
    assert refused["failed"]
    assert "secrets" in refused["msg"]
