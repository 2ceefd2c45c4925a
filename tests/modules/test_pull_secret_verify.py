# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is written with a login that does not work, as the lab's registries judge it."""

from __future__ import annotations

import os
from typing import Any

import pytest
from support.lab import Lab

CANARY = "Canary-wrong-77"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def entry(lab: Lab, name: str, password: str = "") -> dict[str, str]:
    registry = lab.registry(name)
    account = registry["accounts"][1]
    return {
        "registry": registry["host"],
        "username": account["username"],
        "password": password or account["password"],
    }


@pytest.fixture
def write(lab, run, namespace):
    def call(*registries: dict[str, str], **options: Any) -> dict[str, Any]:
        usual = {"verify": True, "verify_ca_cert": lab.data["ca_cert"], "name": "pull", "namespaces": [namespace]}
        result = run("pull_secret", registries=list(registries), **{**usual, **options})
        assert CANARY not in result["_output"]
        return result

    return call


@pytest.mark.parametrize("check", [False, True])
def test_a_refused_login_is_not_written(lab, run, write, namespace, check):
    audit = lab.audit()
    result = write(entry(lab, "private", CANARY), check=check)
    assert result["failed"]
    host = lab.registry("private")["host"]
    assert (
        f"nothing was written, because a login does not work: registry key {host}: {host} refuses the login"
        in result["msg"]
    )
    assert audit.ours() == [], "the cluster was not asked for anything"
    assert lab.get(namespace, "secrets", "pull") is None


def test_one_that_works_is_written_once(lab, write):
    image = f"{lab.registry('private')['host']}/team/app"
    written = write(entry(lab, "private"), verify_repositories=[image, f"{image}:v1"])
    assert (written["changed"], written["verified_logins"]) == (True, 1)
    again = write(entry(lab, "private"), verify_repositories=[image])
    assert (again["changed"], again["verified_logins"]) == (False, 1)
    assert "verified_logins" not in write(entry(lab, "private"), verify=False)


def test_an_image_that_is_not_there(lab, write, namespace):
    image = f"{lab.registry('private')['host']}/team/app:none"
    result = write(entry(lab, "private"), verify_repositories=[image])
    assert result["failed"]
    assert f"has no {image}, or hides it" in result["msg"]
    assert lab.get(namespace, "secrets", "pull") is None


def test_a_login_goes_to_another_host_only_when_that_is_named(lab, write, namespace):
    registry = lab.registry("delegated")
    refused = write(entry(lab, "delegated"))
    assert refused["failed"]
    assert f"wants logins sent to {registry['realm_host']}, another host; not sent" in refused["msg"]
    assert lab.get(namespace, "secrets", "pull") is None
    assert write(entry(lab, "delegated"), verify_realm_hosts=[registry["realm_host"]])["changed"]


def test_a_registry_that_cannot_be_asked_is_said(write):
    silent = {"registry": "127.0.0.9:1", "username": "u", "password": CANARY}
    result = write(silent)
    assert result["changed"], result
    assert "the login for 127.0.0.9:1 was not verified: " in str(result["warnings"])


def test_one_entry_that_is_refused_stops_all(lab, run, namespaces):
    """A list is written as a whole or not at all: what is verified is what is known before."""
    one, two = namespaces(2)
    audit = lab.audit()
    result = run(
        "pull_secret",
        verify=True,
        verify_ca_cert=lab.data["ca_cert"],
        secrets=[
            {"name": "good", "namespaces": [one], "registries": [entry(lab, "private")]},
            {"name": "bad", "namespaces": [two], "registries": [entry(lab, "private", CANARY)]},
        ],
    )
    assert result["failed"]
    assert "secrets[1]" in result["msg"]
    assert audit.writes() == []
    assert CANARY not in result["_output"]
