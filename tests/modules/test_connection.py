# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of login reaches the API server as the right user, and no output contains its credentials."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.lab import path_of
from support.modules import run_module
from support.objects import account_subject, b64, group_subject, role_binding
from support.playbooks import play
from support.tunnels import Tunnels

#: An address without a listener, whose port is given to no other program.
CLOSED = "127.0.0.1:1"
CANARY = "canary-5e1f:ä\"'\\" + "z" * 40
READER = "system:serviceaccount:connection:reader"
NAMESPACE = "connection"
#: One variable for each option. Options with two names for the variable are in SPELLINGS.
VARIABLES = {
    "kubeconfig": "KUBECONFIG",
    "context": "CONTEXT",
    "host": "HOST",
    "api_key": "API_KEY",
    "ca_cert": "SSL_CA_CERT",
    "client_cert": "CERT_FILE",
    "client_key": "KEY_FILE",
    "validate_certs": "VERIFY_SSL",
}
SPELLINGS = {
    "ca_cert": "CA_CERT",
    "client_cert": "CLIENT_CERT",
    "client_key": "CLIENT_KEY",
    "validate_certs": "VALIDATE_CERTS",
}


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch, tmp_path):
    for name in os.environ:
        if name.startswith("K8S_AUTH_") or name == "KUBECONFIG" or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(scope="module")
def token(lab) -> str:
    """The token of a service account that may only read the accounts of its own namespace."""
    lab.namespace(NAMESPACE)
    lab.create(NAMESPACE, "serviceaccounts", {"metadata": {"name": "reader"}})
    rules = [{"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get", "list"]}]
    lab.create(NAMESPACE, "roles", {"metadata": {"name": "reader"}, "rules": rules})
    subjects = account_subject(NAMESPACE, "reader"), group_subject("team-2")
    lab.create(NAMESPACE, "rolebindings", role_binding("reader", *subjects, role="reader", kind="Role"))
    return new_token(lab, "reader")


def new_token(lab, account: str) -> str:
    answer = lab.api("POST", path_of(NAMESPACE, "serviceaccounts", account) + "/token", {"spec": {}})
    return answer["status"]["token"]


@pytest.fixture
def config(lab) -> dict[str, Any]:
    """The administrator's kubeconfig as data, with one cluster, user and context."""
    return yaml.safe_load(Path(lab.kubeconfig).read_text())


@pytest.fixture
def ask(lab, token, config) -> Callable[..., tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Read once through a module and return the result and the API server's requests. The output is checked for credentials."""
    key = config["users"][0]["user"]["client-key-data"]
    pem = base64.b64decode(key).decode().splitlines()
    hidden = [token, key, pem[1], CANARY, json.dumps(CANARY)[1:-1], b64(CANARY)]

    def call(**options: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        audit = lab.audit()
        result = run_module("sa_link", **ask_options(), **options)
        assert not [text for text in hidden if text in result["_output"]], "a credential is shown"
        assert "\n" not in error_of(result)
        return result, audit.ours()

    return call


def ask_options() -> dict[str, Any]:
    return {"check": True, "namespaces": [NAMESPACE], "secrets": ["any"], "wait_timeout": 0, "require": "none"}


def error_of(result: dict[str, Any]) -> str:
    return result["msg"] if result["failed"] else ""


def users(requests: list[dict[str, Any]]) -> set[str]:
    return {event["user"]["username"] for event in requests}


def login_files(config: dict[str, Any], directory: Path) -> dict[str, str]:
    user = config["users"][0]["user"]
    for name in ("client-certificate", "client-key"):
        (directory / name).write_bytes(base64.b64decode(user[f"{name}-data"]))
    return {"client_cert": str(directory / "client-certificate"), "client_key": str(directory / "client-key")}


def written(config: Any, directory: Path, name: str = "config") -> str:
    """Write a kubeconfig file. Text is written unchanged."""
    file = directory / name
    file.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
    return str(file)


def two_contexts(config: dict[str, Any], token: str) -> dict[str, Any]:
    """Return a kubeconfig whose current context leads to a closed port, and whose context `good` leads to the lab as the reader."""
    cluster = config["clusters"][0]["name"]
    dead = {"name": "dead", "cluster": {"server": f"https://{CLOSED}"}}
    both = {"name": "reader", "user": {"token": token}}
    contexts = [
        {"name": "bad", "context": {"cluster": "dead", "user": "reader"}},
        {"name": "good", "context": {"cluster": cluster, "user": "reader"}},
    ]
    clusters = [*config["clusters"], dead]
    return {**config, "clusters": clusters, "users": [both], "contexts": contexts, "current-context": "bad"}


def joined(config: dict[str, Any], directory: Path) -> str:
    """Split the kubeconfig into two incomplete files. The first one holds the current context."""
    parts = [{**config, "contexts": [], "users": []}, {**config, "clusters": []}]
    return ":".join(written(part, directory, f"part{number}") for number, part in enumerate(parts))


WAYS = {
    "kubeconfig": lambda lab, config, token, tmp: {"kubeconfig": lab.kubeconfig},
    "several kubeconfigs": lambda lab, config, token, tmp: {"kubeconfig": joined(config, tmp)},
    "context": lambda lab, config, token, tmp: {
        "kubeconfig": written(two_contexts(config, token), tmp),
        "context": "good",
    },
    "token": lambda lab, config, token, tmp: {
        "host": lab.data["server"],
        "api_key": token,
        "ca_cert": lab.data["ca_cert"],
    },
    "token, unverified": lambda lab, config, token, tmp: {
        "host": lab.data["server"] + "/",
        "api_key": token,
        "validate_certs": False,
    },
    "certificate": lambda lab, config, token, tmp: {
        "host": lab.data["server"],
        "ca_cert": lab.data["ca_cert"],
        **login_files(config, tmp),
    },
}


@pytest.fixture(params=WAYS)
def way(request, lab, config, token, tmp_path) -> tuple[dict[str, Any], str]:
    """Options that lead to the lab, and the user that they log in."""
    options = WAYS[request.param](lab, config, token, tmp_path)
    return options, READER if "token" in request.param or "context" in request.param else "lab-admin"


class TestWays:
    """Options, variables and files have the same meaning as in kubernetes.core."""

    def test_options_reach_the_server(self, ask, way):
        options, user = way
        result, requests = ask(**options)
        assert not result["failed"], result
        assert users(requests) == {user}
        assert result["changed"]

    @pytest.mark.parametrize("spellings", [{}, SPELLINGS], ids=["first names", "second names"])
    def test_variables_alone_reach_the_server(self, ask, way, monkeypatch, spellings):
        options, user = way
        names = {**VARIABLES, **spellings}
        for name, value in options.items():
            monkeypatch.setenv(f"K8S_AUTH_{names[name]}", str(value))
        result, requests = ask()
        assert not result["failed"], result
        assert users(requests) == {user}


class TestImpersonation:
    """The module acts as another user with several groups, and RBAC and the audit log see that user."""

    @pytest.mark.parametrize("by_variable", [False, True])
    def test_the_server_sees_user_and_groups(self, ask, lab, monkeypatch, by_variable):
        options: dict[str, Any] = {"impersonate_user": "alice", "impersonate_groups": ["team-1", "team-2"]}
        if by_variable:
            monkeypatch.setenv("K8S_AUTH_IMPERSONATE_USER", "alice")
            monkeypatch.setenv("K8S_AUTH_IMPERSONATE_GROUPS", "team-1,team-2")
            options = {}
        result, requests = ask(kubeconfig=lab.kubeconfig, **options)
        assert not result["failed"], result
        (seen,) = [event["impersonatedUser"] for event in requests]
        assert seen["username"] == "alice"
        assert {"team-1", "team-2"} <= set(seen["groups"])

    def test_a_caller_who_may_not_impersonate_gets_an_explanation(self, ask, lab, token):
        options = {"host": lab.data["server"], "api_key": token, "ca_cert": lab.data["ca_cert"]}
        result, requests = ask(**options, impersonate_user="alice")
        assert f'User "{READER}" cannot impersonate' in result["msg"], result
        assert "Give the caller the right to impersonate" in result["msg"]
        assert len(requests) == 1

    def test_the_rights_of_the_impersonated_user_apply(self, ask, lab):
        result, _requests = ask(kubeconfig=lab.kubeconfig, impersonate_user="mallory", impersonate_groups=["team-1"])
        assert result["failed"]
        assert 'User "mallory" cannot get resource "serviceaccounts"' in result["failures"][0]["error"]


@pytest.fixture
def proxy() -> Iterator[Tunnels]:
    with Tunnels().running() as server:
        yield server


@pytest.mark.newest_core  # older cores show no warning of a censored result
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_the_kubeconfig_of_an_account_reaches_the_server_as_its_task_did(lab, namespace, proxy, tmp_path):
    """Only the proxy knows the address of the API server, whose certificate has another name."""
    proxy.upstream = lab.data["server"].removeprefix("https://")
    own = yaml.safe_load(Path(lab.kubeconfig).read_text(encoding="utf-8"))
    named = {"certificate-authority": lab.data["ca_cert"], "tls-server-name": "kubernetes"}
    tasks = []
    for number, trust in enumerate((named, {"insecure-skip-tls-verify": True})):
        login = proxy.url.replace("://", "://user:canary-proxy@")
        cluster = {"server": "https://api.example.com:6443", "proxy-url": login, **trust}
        given = tmp_path / f"given-{number}"
        given.touch(mode=0o600)
        given.write_text(json.dumps({**own, "clusters": [{**own["clusters"][0], "cluster": cluster}]}))
        options = {
            "kubeconfig": str(given),
            "namespace": namespace,
            "name": f"robot-{number}",
            "namespaces": [namespace],
        }
        options |= {"jobs": ["wait"], "token_seconds": 600, "kubeconfig_dest": str(tmp_path / f"made-{number}")}
        tasks.append({"name": "Make an account", "openshift_ops.image_pull.automation_account": options})
    here = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    book = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": here, "tasks": tasks}
    (tmp_path / "book.yml").write_text(yaml.safe_dump([book]))
    done = play(tmp_path / "book.yml", "localhost,")
    assert done.status == 0, done.output
    assert done.output.count("add the login of the file's user to 'proxy-url'") == 1  # Ansible shows it once
    for number in range(2):
        made = tmp_path / f"made-{number}"
        assert "canary-proxy" not in made.read_text(encoding="utf-8")
        proxy.seen.clear()
        result = run_module("sa_wait", kubeconfig=str(made), namespaces=[namespace], timeout=0)
        assert not result["failed"], result
        assert {target for target, _headers in proxy.seen} == {"api.example.com:6443"}


class TestProxy:
    """The API server is reached through a configured proxy, which does not get the login."""

    @pytest.mark.parametrize("by_variable", [False, True])
    def test_the_proxy_is_used(self, ask, lab, proxy, monkeypatch, by_variable):
        monkeypatch.setenv("K8S_AUTH_PROXY", proxy.url if by_variable else "http://127.0.0.1:1")
        result, requests = ask(kubeconfig=lab.kubeconfig, **({} if by_variable else {"proxy": proxy.url}))
        assert not result["failed"], result
        assert {target for target, _headers in proxy.seen} == {lab.data["server"].removeprefix("https://")}
        assert users(requests) == {"lab-admin"}

    @pytest.mark.parametrize("by_variable", [False, True])
    def test_proxy_headers_reach_the_proxy_and_are_not_shown(self, ask, lab, proxy, monkeypatch, by_variable):
        login = f"proxyuser:{CANARY}"
        headers = {"proxy_basic_auth": login, "user_agent": "the-proxy-agent"}
        if by_variable:
            for name, value in headers.items():
                monkeypatch.setenv(f"K8S_AUTH_PROXY_HEADERS_{name.upper()}", value)
        result, _requests = ask(
            kubeconfig=lab.kubeconfig, proxy=proxy.url, **({} if by_variable else {"proxy_headers": headers})
        )
        assert not result["failed"], result
        expected = b64(login)
        assert {seen["Proxy-Authorization"] for _target, seen in proxy.seen} == {f"Basic {expected}"}
        assert {seen["User-Agent"] for _target, seen in proxy.seen} == {"the-proxy-agent"}
        assert expected not in result["_output"]


def test_a_variable_that_disables_verification_is_reported_once_with_the_fix(ask, token, config, monkeypatch, tmp_path):
    """The variables are set as AWX's credential sets them, without a certificate authority and with one."""
    cluster = config["clusters"][0]["cluster"]
    for name, value in (("HOST", cluster["server"]), ("API_KEY", token), ("VERIFY_SSL", "False")):
        monkeypatch.setenv(f"K8S_AUTH_{name}", value)
    result, requests = ask()
    assert users(requests) == {READER}
    (warning,) = result["warnings"]
    said = str(warning)  # not a string from ansible-core 2.19 on
    assert f"the certificate of {cluster['server']} is not verified" in said
    assert "K8S_AUTH_VERIFY_SSL" in said and "paste the authority into the credential" in said

    (tmp_path / "ca.pem").write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    monkeypatch.setenv("K8S_AUTH_SSL_CA_CERT", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("K8S_AUTH_VERIFY_SSL", "True")
    result, requests = ask()
    assert users(requests) == {READER} and "warnings" not in result
