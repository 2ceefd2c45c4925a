# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""registry_auth_info reports the URL to which a registry wants logins sent, and sends no login itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.lab import path_of
from support.modules import run_module
from support.objects import account_subject, role_binding

CANARY = "Canary-netrc-77"
REGISTRIES = ["private", "delegated", "integrated"]
ANSWER = ("scheme", "realm", "realm_host", "service", "delegated")


@pytest.fixture(autouse=True)
def no_outside_settings(monkeypatch):
    for name in os.environ:
        if name.lower().endswith("_proxy") or name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name)


@pytest.fixture
def ask(lab) -> Callable[..., dict[str, Any]]:
    """Run the module on a registry, trusting the lab's certificate authority."""

    def call(registry: str, **options: Any) -> dict[str, Any]:
        result = run_module(
            "registry_auth_info", **{"registry": registry, "registry_ca_cert": lab.data["ca_cert"], **options}
        )
        assert not result.get("changed")
        assert CANARY not in result["_output"]
        assert "\n" not in result.get("msg", "")
        return result

    return call


def answer(result: dict[str, Any]) -> dict[str, Any]:
    assert not result["failed"], result["msg"]
    return {name: result[name] for name in ANSWER}


def expected(registry: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the lab's data about its own registry. The integrated registry has a realm on its own host and no service."""
    realm = registry.get("realm", f"https://{registry['host']}/openshift/token")
    return {
        "scheme": "bearer",
        "realm": realm,
        "realm_host": registry.get("realm_host", registry["host"]),
        "service": registry.get("service", ""),
        "delegated": name == "delegated",
    }


class TestLabRegistries:
    """Three kinds of real registries: with its own token server, with one on another host, and OpenShift's."""

    @pytest.mark.parametrize("check", [False, True])
    @pytest.mark.parametrize("name", REGISTRIES)
    def test_each_registry_of_the_lab_names_its_login_host(self, lab, ask, name, check):
        registry = lab.registry(name)
        result = ask(registry["host"], check=check)
        assert answer(result) == expected(registry, name)
        assert result["registry"] == registry["host"]

    @pytest.mark.parametrize("name", REGISTRIES)
    def test_no_login_is_sent_and_one_request_is_enough(self, lab, ask, monkeypatch, tmp_path, name):
        """A login for that host in a .netrc file is not sent either."""
        registry = lab.registry(name)
        netrc(monkeypatch, tmp_path, registry["host"])
        logs = sorted((lab.dir / "logs").glob("registry-*.log"))
        before = {log: log.stat().st_size for log in logs}
        ask(registry["host"])
        lines = [line for log in logs for line in log.read_bytes()[before[log] :].decode().splitlines()]
        assert [line.partition(" GET ")[2] for line in lines] == ["/v2/ authorization=none status=401"]


class TestLogin:
    """The module reports whether a login works at the lab's registries."""

    @pytest.mark.parametrize("name", ["private", "delegated"])
    def test_a_working_login_is_reported_with_its_repositories(self, lab, ask, name):
        registry = lab.registry(name)
        result = ask(registry["host"], realm_host=registry.get("realm_host"), repositories=["team/app", "team/app:v1"],
                     **lab.login(1, name))  # fmt: skip
        assert result["works"], result
        assert result["login"]["outcome"] == "logs_in"
        assert [row["outcome"] for row in result["repositories"]] == ["pulls", "pulls"]
        assert [row["repository"] for row in result["repositories"]] == [
            f"{registry['host']}/team/app", f"{registry['host']}/team/app:v1"
        ]  # fmt: skip
        assert lab.login(1, name)["password"] not in result["_output"]

    def test_a_login_is_not_sent_to_an_unnamed_host(self, lab, ask):
        registry = lab.registry("delegated")
        logs = lab.dir / "logs"
        before = {log: log.stat().st_size for log in logs.glob("registry-*.log")}
        result = ask(registry["host"], **lab.login(1, "delegated"))
        assert (result["works"], result["login"]["outcome"]) == (False, "not_sent")
        assert (
            f"wants logins sent to {registry['realm_host']}, another host. Nothing was sent"
            in result["login"]["message"]
        )
        lines = [line for log, size in before.items() for line in log.read_bytes()[size:].decode().splitlines()]
        assert lines
        assert all("authorization=none" in line for line in lines)

    def test_the_integrated_registry_accepts_a_token_of_an_account(self, lab, ask, namespace):
        lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": "project-b"}}, expect=(201, 409))
        host = lab.registry("integrated")["host"]
        request = {"spec": {"expirationSeconds": 3600}}
        made = lab.api("POST", f"{path_of(namespace, 'serviceaccounts', 'default')}/token", request)
        login = {"username": "serviceaccount", "password": made["status"]["token"]}
        assert ask(host, repositories=["project-b/app:v1"], **login)["repositories"][0]["outcome"] == "no_right"
        lab.create("project-b", "rolebindings", role_binding(namespace, account_subject(namespace)))
        lab.until(lambda: ask(host, repositories=["project-b/app:v1"], **login)["works"], "the grant is seen")

    def test_the_pull_rate_limit_of_a_login_is_reported(self, lab, ask):
        registry = lab.registry("private")
        asked = {"repositories": ["team/app:v1", "team/app"], **lab.login(1)}
        assert not any("rate_limit" in row for row in ask(registry["host"], **asked)["repositories"])
        lab.registry_set("private", "--quota", "76")
        try:
            manifest, tags = ask(registry["host"], **asked)["repositories"]
        finally:
            lab.registry_set("private", "--quota=-1")
        assert manifest["rate_limit"] == {"limit": 100, "remaining": 76, "window": 21600}
        assert "rate_limit" not in tags


def netrc(monkeypatch, directory: Path, host: str) -> None:
    text = f"machine {host.partition(':')[0]} login alice password {CANARY}\ndefault login alice password {CANARY}\n"
    for name in (".netrc", "other"):
        (directory / name).write_text(text)
        (directory / name).chmod(0o600)
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("NETRC", str(directory / "other"))
