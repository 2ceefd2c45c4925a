# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account's pull secret is copied from the OCM service to the cluster, and the cluster's other logins stay."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from support.certificates import write_certificate
from support.objects import b64
from support.ocm import (
    CLIENT_ID,
    CLIENT_SECRET,
    OFFLINE_TOKEN,
    PASSWORDS,
    account,
    entry,
    error,
    ocm_service,
    secrets,
)

NODES = ("openshift-config", "pull-secret")


@pytest.fixture(autouse=True)
def no_outside_settings(monkeypatch):
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("OCM_", "REQUESTS_CA", "CURL_CA")):
            monkeypatch.delenv(name)


@pytest.fixture
def ocm(tmp_path):
    with ocm_service(write_certificate(tmp_path / "server.pem")) as service:
        yield service


@pytest.fixture
def fetch(ocm, run, tmp_path):
    """Return the module's result. In its output, only `auth_config` holds a credential."""

    def call(**options: Any) -> dict[str, Any]:
        login = {} if "client_id" in options else {"offline_token": OFFLINE_TOKEN}
        usual = {**login, "ocm_ca_cert": str(tmp_path / "server.pem"), **ocm.options}
        result = run("ocm_pull_secret_info", **{**usual, **options})
        rest = json.dumps({name: value for name, value in result.items() if name not in ("auth_config", "_output")})
        assert [secret for secret in secrets() if secret in rest] == []
        return result

    return call


@pytest.fixture
def node_secret(lab):
    """The pull secret of the nodes, with an old login for quay.io and one for a registry of the cluster."""
    held = account()["auths"]
    held["quay.io"] = entry("quay.io", "canary-old-password")
    held["mine.example.com"] = entry("quay.io", "canary-mine")
    lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": NODES[0]}}, expect=(201, 409))
    path = f"/api/v1/namespaces/{NODES[0]}/secrets"
    content = b64(json.dumps({"auths": held}))
    body = {
        "metadata": {"name": NODES[1]},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": content},
    }
    lab.api("POST", path, body)
    yield held
    lab.api("DELETE", f"{path}/{NODES[1]}")


def statuses(result: dict[str, Any]) -> dict[str, str]:
    return {row["registry"]: row["status"] for row in result["registries"]}


@pytest.mark.parametrize("check", [False, True])
def test_no_cluster_is_queried_without_compare(lab, fetch, check):
    audit = lab.audit()
    result = fetch(check=check)
    assert result["auth_config"] == account()
    assert (result["changed"], audit.ours()) == (False, [])


def test_the_fetched_secret_renews_the_nodes_logins_and_keeps_the_rest(lab, run, fetch, node_secret):
    before = fetch(compare=True)
    assert statuses(before) == {
        **dict.fromkeys(PASSWORDS, "same"),
        "quay.io": "differs",
        "mine.example.com": "only_there",
    }
    options = {"name": NODES[1], "namespaces": [NODES[0]], "mode": "merge", "auth_config": before["auth_config"]}
    written = run("pull_secret", **options)
    assert written["namespaces"][0]["changes"][0]["registries"] == {
        "added": [],
        "changed": {"quay.io": ["password"]},
        "removed": [],
    }
    assert [secret for secret in secrets() if secret in written["_output"]] == []
    held = lab.entries(*NODES)
    assert held == {**account()["auths"], "mine.example.com": node_secret["mine.example.com"]}
    audit = lab.audit()
    after = fetch(compare=True, include=list(PASSWORDS))
    assert after["compared"] == {"namespace": NODES[0], "secret": NODES[1], "exists": True, "same": True}
    assert audit.verbs() == ["get"]
    assert not run("pull_secret", **options)["changed"]


def test_the_login_of_one_registry_is_written_to_a_project(lab, run, fetch, namespace):
    client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    found = fetch(**client, include=["registry.redhat.io"])
    options = {"name": "redhat", "namespaces": [namespace], "auth_config": found["auth_config"]}
    assert run("pull_secret", **options)["changed"]
    assert lab.entries(namespace, "redhat") == {"registry.redhat.io": entry("registry.redhat.io")}
    compared = fetch(**client, include=["registry.redhat.io"], compare=True, namespace=namespace, secret="redhat")
    assert compared["compared"]["same"]
    assert not run("pull_secret", **options)["changed"]


def test_an_entry_that_is_not_a_registry_is_written_without_verification(lab, run, fetch, namespace):
    """This applies even if all logins must be verified, because otherwise the entry's host would get the token for the cluster's reports."""
    found = fetch(include=["cloud.openshift.com"])
    options = {"name": "all", "namespaces": [namespace], "auth_config": found["auth_config"], "verify": True}
    result = run("pull_secret", **options)
    assert (result["changed"], result.get("warnings", [])) == (True, [])
    assert "cloud.openshift.com" in lab.entries(namespace, "all")


def test_a_failure_shows_the_fix_and_no_token(lab, fetch, ocm):
    ocm.answers["/api/accounts_mgmt/v1/access_token"] = error(404, f"no account for {OFFLINE_TOKEN}")
    result = fetch(compare=False)
    assert result["failed"]
    assert "(ACCT-MGMT-404: no account for ********). The account has no registry account yet" in result["msg"]


def test_a_caller_who_may_not_read_the_secret_gets_an_error(fetch, ocm, namespace):
    result = fetch(compare=True, namespace=namespace, secret="any", impersonate_user="nobody")
    assert result["failed"]
    assert "403" in result["msg"]
    assert f"{namespace}/any" in result["msg"]
    assert ocm.asked == []
