# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login from the environment reaches only its own server, whatever options a task has.

The attacker chooses options of a task, such as variables of a job. She sees neither the job's environment nor its files. Her own
addresses listen without TLS, with TLS, and as a proxy that answers instead of the server.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.certificates import server_context, write_certificate
from support.hostile_registry import HostileRegistry, answer, served
from support.lab import Lab, path_of
from support.modules import run_module
from support.playbooks import play

TOKEN = "canary-token-of-the-environment"
PASSWORD = "canary-password-of-the-environment"
OWN = "own-token-of-the-task"
READ = {"namespaces": ["any"], "secrets": ["any"], "wait_timeout": 0, "require": "none", "progress": False}


@dataclass(frozen=True)
class Attacker:
    """`plain`, `tls` and `proxy` are listeners. `tls` and `proxy` present `certificate`."""

    plain: HostileRegistry
    tls: HostileRegistry
    proxy: HostileRegistry
    certificate: str

    @property
    def requests(self) -> list[bytes]:
        return [*self.plain.requests, *self.tls.requests, *self.proxy.requests]

    @property
    def heard(self) -> str:
        """Everything that the listeners received, with decoded logins of basic authentication."""
        text = b"\n".join(self.requests).decode("latin-1")
        logins = [word for word in text.split() if word.endswith("=")]
        return text + "".join(base64.b64decode(word).decode("latin-1") for word in logins)


@pytest.fixture
def attacker(tmp_path: Path) -> Iterator[Attacker]:
    certificate = write_certificate(tmp_path / "attacker.pem")
    context, said = server_context(certificate), answer("HTTP/1.1 200 OK", "Content-Length: 2", body=b"{}")
    with served(said, None) as plain, served(said, context) as tls, served(said, context, tunnel=True) as proxy:
        yield Attacker(plain, tls, proxy, certificate)


def kubeconfig(server: str, **user: str) -> dict[str, Any]:
    return {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "u", "user": user}],
    }


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HostileRegistry]:
    """The server that the environment names. It may receive the login, and refuses it."""
    context = server_context(write_certificate(tmp_path / "server.pem"))
    with served(answer("HTTP/1.1 401 Unauthorized", "Content-Length: 0"), context) as found:
        yield found


def environments(server: str, directory: Path) -> dict[str, dict[str, str]]:
    """Return the variables that provide a server and a login for it."""
    file = directory / "of-the-environment"
    file.write_text(yaml.safe_dump(kubeconfig(server, token=TOKEN)))
    password = {"K8S_AUTH_USERNAME": "user", "K8S_AUTH_PASSWORD": PASSWORD}
    return {
        "token": {"K8S_AUTH_HOST": server, "K8S_AUTH_API_KEY": TOKEN, "K8S_AUTH_VERIFY_SSL": "True"},
        "unverified": {"K8S_AUTH_HOST": server, "K8S_AUTH_API_KEY": TOKEN, "K8S_AUTH_VERIFY_SSL": "False"},
        "password": {"K8S_AUTH_HOST": server, **password},
        "kubeconfig": {"K8S_AUTH_KUBECONFIG": str(file)},
        "kubeconfig and token": {"K8S_AUTH_KUBECONFIG": str(file), "K8S_AUTH_API_KEY": TOKEN},
        "default kubeconfig": {"KUBECONFIG": str(file)},
    }


def attacks(attacker: Attacker, server: str) -> dict[str, dict[str, Any]]:
    """Return the options of a task that lead to the attacker."""
    plain, tls, proxy = f"http://{attacker.plain.host}", f"https://{attacker.tls.host}", f"http://{attacker.proxy.host}"
    trusted = {"ca_cert": attacker.certificate}
    return {
        "http": {"host": plain},
        "http and a context": {"host": plain, "context": "c"},
        "trusted": {"host": tls, **trusted},
        "unverified": {"host": tls, "validate_certs": False},
        "unverified and a context": {"host": tls, "validate_certs": False, "context": "c"},
        # URL parsers differ: some treat the text before the '@' as a login.
        "backslash": {"host": f"{tls}\\@{server.partition('://')[2]}", "validate_certs": False},
        "backslash and a context": {
            "host": f"{tls}\\@{server.partition('://')[2]}",
            "validate_certs": False,
            "context": "c",
        },
        "another path": {"host": f"{tls}/k8s", "validate_certs": False, "kubeconfig": ""},
        "half a login": {"host": tls, "validate_certs": False, "username": "mallory"},
        "kubeconfig": {"kubeconfig": kubeconfig(tls)},
        "kubeconfig with a login": {"kubeconfig": kubeconfig(tls, token=OWN)},
        "kubeconfig and host": {"kubeconfig": kubeconfig(tls), "host": tls, "validate_certs": False},
        "kubeconfig with a proxy": {"kubeconfig": kubeconfig(server), "proxy": proxy, "validate_certs": False},
        "proxy, unverified": {"proxy": proxy, "validate_certs": False},
        "proxy of an own authority": {"proxy": proxy, **trusted},
        "proxy": {"proxy": proxy},
        "own login": {"host": tls, "validate_certs": False, "api_key": OWN},
        "own password": {"host": tls, "validate_certs": False, "username": "mallory", "password": "own"},
    }


def assert_unheard(attacker: Attacker, output: str) -> None:
    for secret in (TOKEN, PASSWORD):
        assert secret not in attacker.heard, attacker.heard
        assert secret not in output


def test_login_of_environment_never_reaches_an_address_of_the_task(
    attacker: Attacker, server: HostileRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test combines each environment with each attack."""
    monkeypatch.setenv("HOME", str(tmp_path))
    outputs = []
    for variables in environments(f"https://{server.host}", tmp_path).values():
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            for options in attacks(attacker, f"https://{server.host}").values():
                result = run_module("sa_link", check=True, **READ, **options)
                assert result["failed"]
                outputs.append(result["_output"])
    assert_unheard(attacker, "".join(outputs))
    # The task's own login reaches the task's own address, so the attacks work.
    assert OWN in attacker.heard and "mallory:own" in attacker.heard


@pytest.mark.parametrize("way", ["in Ansible's process", "in a process of its own"])
def test_login_of_environment_stays_in_each_way_to_run_a_task(
    attacker: Attacker, server: HostileRegistry, tmp_path: Path, way: str
) -> None:
    """The variables belong to the job, as in AWX, or are set by a task's `environment`."""
    address = f"https://{server.host}"
    given, options = environments(address, tmp_path), attacks(attacker, address)
    tasks = [
        task(options["unverified"]),
        task(options["unverified and a context"], {**dict.fromkeys(given["token"], ""), **given["kubeconfig"]}),
        task(options["own login"]),
    ]
    book = tmp_path / "play.yml"
    book.write_text(json.dumps([{"hosts": "all", "connection": "local", "gather_facts": False, "tasks": tasks}]))
    more = {"ANSIBLE_KEEP_REMOTE_FILES": "1"} if way == "in a process of its own" else {}
    python = ("-e", "ansible_python_interpreter={{ ansible_playbook_python }}")
    done = play(book, "localhost,", *python, HOME=str(tmp_path), **given["token"], **more)
    assert done.recap["ignored"] == len(tasks), done.output[-3000:]
    assert_unheard(attacker, done.output)
    assert OWN in attacker.heard


def task(options: dict[str, Any], variables: dict[str, str] | None = None) -> dict[str, Any]:
    module = {"openshift_ops.image_pull.sa_link": {**READ, **options}}
    return {**module, "environment": variables or {}, "check_mode": True, "ignore_errors": True}


def test_login_of_environment_reaches_its_own_server(lab: Lab, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is set as AWX does, with a proxy from the inventory that carries TLS, and with another form of the same address."""
    account = lab.api("POST", f"{path_of(namespace, 'serviceaccounts', 'default')}/token", {"spec": {}})
    address = lab.data["server"]
    for name, value in (
        ("HOST", address),
        ("API_KEY", account["status"]["token"]),
        ("SSL_CA_CERT", lab.data["ca_cert"]),
    ):
        monkeypatch.setenv(f"K8S_AUTH_{name}", value)
    monkeypatch.setenv("K8S_AUTH_VERIFY_SSL", "True")
    user = f"system:serviceaccount:{namespace}:default"
    with served(answer("HTTP/1.1 502 Bad Gateway"), None) as proxy:
        allowed: list[dict[str, Any]] = [
            {},
            {"host": f"{address}/"},
            {"host": address.upper().replace("HTTPS", "https"), "context": "any"},
            {"validate_certs": False},
            {"impersonate_user": "alice"},
        ]
        for options in allowed:
            result = run_module("sa_link", check=True, **READ, **options)
            assert f'User "{user}" cannot' in result["msg"], result
        result = run_module("sa_link", check=True, **READ, proxy=f"http://{proxy.host}")
        assert "the proxy" in result["msg"] and proxy.requests, result


def test_a_login_never_crosses_the_network_in_the_clear(
    attacker: Attacker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This holds for every source of the address and the login, including loopback."""
    plain = f"http://{attacker.plain.host}"
    client = {"client_cert": attacker.certificate}
    for options in (
        {"host": plain, "api_key": OWN},
        {"host": plain.replace("http", "HTTP"), "api_key": OWN},
        {"host": plain, "username": "mallory", "password": "own"},
        {"host": plain, **client},
        {"kubeconfig": kubeconfig(plain, token=OWN)},
        {"kubeconfig": kubeconfig(plain, username="mallory", password="own")},
        {"kubeconfig": kubeconfig(plain), "api_key": OWN},
        {"host": plain.replace("127.0.0.1", "api.example.com"), "api_key": OWN},
        {"kubeconfig": kubeconfig("http://api.example.com")},
        {"kubeconfig": kubeconfig(plain), "proxy": f"http://{attacker.proxy.host}"},
    ):
        result = run_module("sa_link", check=True, **READ, **options)
        assert "begins with http://" in result["msg"] and "Give the https:// address" in result["msg"], result
    for name, value in (("HOST", plain), ("API_KEY", OWN)):
        monkeypatch.setenv(f"K8S_AUTH_{name}", value)
    assert "begins with http://" in run_module("sa_link", check=True, **READ)["msg"]
    assert attacker.requests == []


def test_a_redirect_takes_no_login_along(attacker: Attacker, tmp_path: Path) -> None:
    context = server_context(write_certificate(tmp_path / "server.pem"))
    for goal in (f"http://{attacker.plain.host}/", f"https://{attacker.tls.host}/"):
        with served(answer("HTTP/1.1 307 Temporary Redirect", f"Location: {goal}"), context) as server:
            options = {"host": f"https://{server.host}", "api_key": OWN, "validate_certs": False}
            assert "redirect" in run_module("sa_link", check=True, **READ, **options)["msg"]
    assert attacker.requests == []
