# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login that does not work at the lab's registries is never written."""

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
    found = {"registry": lab.registry(name)["host"], **lab.login(1, name)}
    return {**found, "password": password} if password else found


@pytest.fixture
def write(lab, run, namespace):
    def call(*registries: dict[str, str], **options: Any) -> dict[str, Any]:
        usual = {"verify": True, "registry_ca_cert": lab.data["ca_cert"], "name": "pull", "namespaces": [namespace]}
        result = run("pull_secret", registries=list(registries), **{**usual, **options})
        assert CANARY not in result["_output"]
        return result

    return call


@pytest.mark.parametrize("check", [False, True])
def test_a_refused_login_is_not_written(lab, run, write, namespace, check):
    with lab.no_requests():
        result = write(entry(lab, "private", CANARY), check=check)
        assert result["failed"]
        host = lab.registry("private")["host"]
    assert (
        f"nothing was written because a login does not work or could not be verified: registry key {host}: {host} refuses the login"
        in result["msg"]
    )
    assert lab.get(namespace, "secrets", "pull") is None


def test_a_working_login_is_written_once(lab, write):
    image = f"{lab.registry('private')['host']}/team/app"
    written = write(entry(lab, "private"), verify_repositories=[image, f"{image}:v1"])
    assert (written["changed"], written["verified_logins"]) == (True, 1)
    again = write(entry(lab, "private"), verify_repositories=[image])
    assert (again["changed"], again["verified_logins"]) == (False, 1)
    assert "verified_logins" not in write(entry(lab, "private"), verify=False)


def test_a_login_is_sent_to_another_host_only_if_it_is_named(lab, write, namespace):
    registry = lab.registry("delegated")
    refused = write(entry(lab, "delegated"))
    assert refused["failed"]
    assert f"wants logins sent to {registry['realm_host']}, another host. Nothing was sent" in refused["msg"]
    assert lab.get(namespace, "secrets", "pull") is None
    assert write(entry(lab, "delegated"), realm_hosts=[registry["realm_host"]])["changed"]


@pytest.mark.parametrize("why", ["silent", "unknown name", "unknown authority"])
def test_an_unverified_login_is_not_written(lab, write, namespace, why):
    """`verify` gives certainty. `warn` is for a registry that only the nodes can reach."""
    hosts = {"silent": "127.0.0.9:1", "unknown name": "registry.invalid"}
    login = {"registry": hosts.get(why, lab.registry("private")["host"]), "username": "u", "password": CANARY}
    trust = {"registry_ca_cert": None} if why == "unknown authority" else {}
    refused = write(login, **trust)
    assert refused["failed"]
    assert f"the login for {login['registry']} was not verified: " in refused["msg"]
    assert "set 'verify: warn'" in refused["msg"]
    assert lab.get(namespace, "secrets", "pull") is None
    warned = write(login, **trust, verify="warn")
    assert warned["changed"], warned
    assert f"the login for {login['registry']} was not verified: " in str(warned["warnings"])


@pytest.mark.parametrize("check", [False, True])
def test_a_refused_entry_fails_alone(lab, run, namespaces, check):
    """The other entries are written, and the task fails at the end. An entry with the title of the refused one fails with it."""
    one, two, three = namespaces(3)
    result = run(
        "pull_secret",
        check=check,
        verify=True,
        registry_ca_cert=lab.data["ca_cert"],
        secrets=[
            {"name": "refused", "namespaces": [two], "registries": [entry(lab, "private", CANARY)], "title": "team-b"},
            {
                "name": "silent",
                "namespaces": [three],
                "registries": [{**entry(lab, "private"), "registry": "127.0.0.9:1"}],
            },
            {
                "name": "part",
                "namespaces": [two],
                "registries": [entry(lab, "private")],
                "verify": False,
                "title": "team-b",
            },
            {"name": "good", "namespaces": [one, two], "registries": [entry(lab, "private")]},
        ],
    )
    assert result["failed"]
    assert CANARY not in result["_output"]
    rows = {(row["namespace"], row["name"]) for row in result["failures"]}
    assert rows == {(two, "refused"), (two, "part"), (three, "silent")}
    assert (
        "team-b (refused), team-b (part): nothing was written because a login does not work or could not be verified: registry key"
        in result["msg"]
    )
    written = {
        (space, name)
        for space in (one, two, three)
        for name in ("refused", "silent", "part", "good")
        if lab.get(space, "secrets", name)
    }
    assert written == (set() if check else {(one, "good"), (two, "good")})
    assert result["summary"]["changed"] == 1


def test_a_refused_login_without_a_namespace_is_reported(lab, run):
    """The login has no namespace that could fail."""
    result = run(
        "pull_secret",
        verify=True,
        registry_ca_cert=lab.data["ca_cert"],
        secrets=[
            {"name": "x", "namespace_selector": {"include": ["none-*"]}, "registries": [entry(lab, "private", CANARY)]}
        ],
    )
    assert "refuses the login" in str(result["warnings"])
