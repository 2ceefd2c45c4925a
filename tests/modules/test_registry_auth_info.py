# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""registry_auth_info reports the URL to which a registry wants logins sent, and sends no login itself."""

from __future__ import annotations

import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.certificates import server_context, write_certificate
from support.lab import path_of
from support.modules import run_module
from support.surveyed import token

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

    @pytest.mark.parametrize(
        "spelling", ["https://{}", "HTTPS://{}/", "{}/", "{}/team/app:v1", "{}/app@sha256:00", "https://{}/v2/", " {} "]
    )
    def test_any_spelling_of_the_registry_is_accepted(self, lab, ask, spelling):
        registry = lab.registry("delegated")
        result = ask(spelling.format(registry["host"]))
        assert answer(result) == expected(registry, "delegated")
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


def login_of(registry: dict[str, Any], number: int = 1) -> dict[str, str]:
    """Return a login. The second account's password is long and contains characters that careless code mishandles."""
    account = registry["accounts"][number]
    return {"username": account["username"], "password": account["password"]}


class TestLogin:
    """The module reports whether a login works at the lab's registries."""

    @pytest.mark.parametrize("name", ["private", "delegated"])
    def test_a_working_login_is_reported_with_its_repositories(self, lab, ask, name):
        registry = lab.registry(name)
        result = ask(registry["host"], realm_host=registry.get("realm_host"), repositories=["team/app", "team/app:v1"],
                     **login_of(registry))  # fmt: skip
        assert result["works"], result
        assert result["login"]["outcome"] == "logs_in"
        assert [row["outcome"] for row in result["repositories"]] == ["pulls", "pulls"]
        assert [row["repository"] for row in result["repositories"]] == [
            f"{registry['host']}/team/app", f"{registry['host']}/team/app:v1"
        ]  # fmt: skip
        assert login_of(registry)["password"] not in result["_output"]

    def test_a_wrong_password_is_distinguished_from_a_missing_image(self, lab, ask):
        registry = lab.registry("private")
        result = ask(registry["host"], repositories=["team/app:none"], **login_of(registry))
        assert (result["works"], result["login"]["outcome"]) == (False, "logs_in")
        assert result["repositories"][0]["outcome"] == "not_found"
        result = ask(registry["host"], repositories=["team/app:v1"], **{**login_of(registry), "password": CANARY})
        assert (result["works"], result["login"]["outcome"]) == (False, "bad_login")
        assert result["repositories"][0]["outcome"] == "bad_login"

    @pytest.mark.parametrize("name", ["private", "delegated"])
    def test_an_expired_token_is_distinguished_from_a_wrong_password(self, lab, ask, name):
        registry = lab.registry(name)
        login = {"username": login_of(registry)["username"], "password": token(exp=60)}
        result = ask(registry["host"], realm_host=registry.get("realm_host"), repositories=["team/app:v1"], **login)
        assert (result["works"], result["login"]["outcome"]) == (False, "expired")
        assert (
            "refuses the login, which has expired at 1970-01-01T00:01:00Z, as its token says"
            in result["login"]["message"]
        )
        assert result["repositories"][0]["outcome"] == "expired"
        assert token(exp=60) not in result["_output"]

    def test_a_private_repository_without_a_login_is_reported_as_no_login(self, lab, ask):
        result = ask(lab.registry("private")["host"], repositories=["team/app:v1"])
        assert (result["works"], result["repositories"][0]["outcome"]) == (False, "no_login")
        assert "login" not in result

    def test_a_login_is_not_sent_to_an_unnamed_host(self, lab, ask):
        registry = lab.registry("delegated")
        logs = lab.dir / "logs"
        before = {log: log.stat().st_size for log in logs.glob("registry-*.log")}
        result = ask(registry["host"], **login_of(registry))
        assert (result["works"], result["login"]["outcome"]) == (False, "not_sent")
        assert (
            f"wants logins sent to {registry['realm_host']}, another host. Nothing was sent"
            in result["login"]["message"]
        )
        lines = [line for log, size in before.items() for line in log.read_bytes()[size:].decode().splitlines()]
        assert lines
        assert all("authorization=none" in line for line in lines)

    def test_one_list_of_realm_hosts_serves_several_registries(self, lab, ask):
        private, delegated = (lab.registry(name) for name in ("private", "delegated"))
        hosts = ["sso.example.com", delegated["realm_host"]]
        for registry in (private, delegated):
            result = ask(registry["host"], realm_hosts=hosts, **login_of(registry))
            assert (result["works"], result["login"]["outcome"]) == (True, "logs_in")
            assert result["realm_host"] == registry.get("realm_host", registry["host"])
        other = ask(delegated["host"], realm_hosts=hosts[:1], **login_of(delegated))
        assert (other["works"], other["login"]["outcome"]) == (False, "not_sent")

    def test_the_integrated_registry_accepts_a_token_of_an_account(self, lab, ask, namespace):
        lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": "project-b"}}, expect=(201, 409))
        host = lab.registry("integrated")["host"]
        request = {"spec": {"expirationSeconds": 3600}}
        made = lab.api("POST", f"{path_of(namespace, 'serviceaccounts', 'default')}/token", request)
        login = {"username": "serviceaccount", "password": made["status"]["token"]}
        assert ask(host, repositories=["project-b/app:v1"], **login)["repositories"][0]["outcome"] == "no_right"
        subject = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:image-puller"}
        lab.create(
            "project-b", "rolebindings", {"metadata": {"name": namespace}, "roleRef": role, "subjects": [subject]}
        )
        lab.until(lambda: ask(host, repositories=["project-b/app:v1"], **login)["works"], "the grant is seen")

    def test_the_pull_rate_limit_of_a_login_is_reported(self, lab, ask):
        registry = lab.registry("private")
        asked = {"repositories": ["team/app:v1", "team/app"], **login_of(registry)}
        assert not any("rate_limit" in row for row in ask(registry["host"], **asked)["repositories"])
        lab.registry_set("private", "--quota", "76")
        try:
            manifest, tags = ask(registry["host"], **asked)["repositories"]
        finally:
            lab.registry_set("private", "--quota=-1")
        assert manifest["rate_limit"] == {"limit": 100, "remaining": 76, "window": 21600}
        assert "rate_limit" not in tags

    def test_several_registries_are_queried_in_one_task(self, lab, ask):
        entries = [
            {"registry": lab.registry(name)["host"], "realm_host": lab.registry(name).get("realm_host"), "repositories": ["team/app"],
             **login_of(lab.registry(name))}
            for name in ("private", "delegated")
        ]  # fmt: skip
        wrong = {**entries[0], "password": CANARY}
        result = run_module("registry_auth_info", registry_ca_cert=lab.data["ca_cert"], registries=[*entries, wrong])
        assert [row["works"] for row in result["registries"]] == [True, True, False]

    @pytest.mark.parametrize(
        "options",
        [{"username": "u"}, {"password": CANARY}, {"repositories": ["UPPER/case"]}, {"repositories": [""]},
         {"repositories": ["https://x/y"]}],
    )  # fmt: skip
    def test_invalid_login_options_are_refused(self, ask, options):
        result = ask("registry.example.com", **options)
        assert result["failed"]
        assert "option" in result["msg"]


def netrc(monkeypatch, directory: Path, host: str) -> None:
    text = f"machine {host.partition(':')[0]} login alice password {CANARY}\ndefault login alice password {CANARY}\n"
    for name in (".netrc", "other"):
        (directory / name).write_text(text)
        (directory / name).chmod(0o600)
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("NETRC", str(directory / "other"))


class Server(ThreadingHTTPServer):
    """Gives the same answer to every request. `seen` holds the path and headers of each request."""

    daemon_threads = True

    def __init__(
        self, context: ssl.SSLContext | None, status: int, headers: list[tuple[str, str]], delay: float
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.headers, self.delay = status, headers, delay
        self.seen: list[tuple[str, Any]] = []
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_arguments: object) -> None:
        """Ignore clients that close the connection."""

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers))
        time.sleep(self.server.delay)
        self.send_response(self.server.status)
        for name, value in self.server.headers:
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Write nothing to stderr."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> str:
    return write_certificate(tmp_path_factory.mktemp("tls") / "server.pem")


@pytest.fixture
def serve(certificate) -> Iterator[Callable[..., Server]]:
    context = server_context(certificate)
    servers: list[Server] = []

    def start(status: int, *headers: tuple[str, str], tls: bool = True, delay: float = 0) -> Server:
        servers.append(Server(context if tls else None, status, list(headers), delay))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def challenge(value: str) -> tuple[str, str]:
    return ("WWW-Authenticate", value)


NONE = {"scheme": "none", "realm": "", "realm_host": "", "service": "", "delegated": False}
BASIC = {**NONE, "scheme": "basic", "realm": "Registry", "realm_host": "{host}"}
BEARER = {**NONE, "scheme": "bearer", "realm": "https://sso.example.com/auth", "realm_host": "sso.example.com"}
OTHER = {**BEARER, "service": "docker-registry", "delegated": True}
KINDS = {
    "open": ((200, []), NONE),
    "basic": ((401, ['Basic realm="Registry"']), BASIC),
    "basic, unquoted": ((401, ['Basic realm=Registry,error="access denied"']), BASIC),
    "bearer before basic": ((401, ['Bearer realm="{r}",service="docker-registry"', 'Basic realm="Registry"']), OTHER),
    "unknown scheme first": ((401, ["Negotiate", 'bearer Realm="{r}", Service="docker-registry"']), OTHER),
    "both in one header": ((401, ['Bearer service="docker-registry",realm="{r}", Basic realm="Registry"']), OTHER),
    "port of https": ((401, ['Bearer realm="https://SSO.example.com:443/auth"']), None),
}


class TestOtherRegistries:
    """Registries that are open or allow only Basic, and answers in every order that the standard allows."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_each_kind_of_challenge_names_its_login_host(self, ask, serve, certificate, kind):
        (status, challenges), wanted = KINDS[kind]
        server = serve(status, *[challenge(value.replace("{r}", BEARER["realm"])) for value in challenges])
        found = answer(ask(server.host, registry_ca_cert=certificate))
        if wanted:
            assert found == {**wanted, "realm_host": wanted["realm_host"].replace("{host}", server.host)}
        else:
            assert (found["realm_host"], found["delegated"]) == ("SSO.example.com:443", True)

    @pytest.mark.parametrize(
        "options", [{"registry_validate_certs": False}, {"registry_validate_certs": False, "registry_ca_cert": None}]
    )
    def test_certificate_verification_can_be_disabled(self, ask, serve, options):
        assert answer(ask(serve(200).host, **options)) == NONE

    def test_netrc_is_never_used(self, ask, serve, certificate, monkeypatch, tmp_path):
        server = serve(401, challenge('Basic realm="Registry"'))
        netrc(monkeypatch, tmp_path, server.host)
        ask(server.host, registry_ca_cert=certificate)
        assert [(path, headers["Authorization"]) for path, headers in server.seen] == [("/v2/", None)]


class TestRefusals:
    """An invalid request and an answer that is not one of a registry lead to a one-line error with the fix."""

    def test_plain_http_is_refused_without_a_request(self, ask, serve):
        server = serve(200, tls=False)
        assert "only https is supported" in ask(f"http://{server.host}")["msg"]
        assert not server.seen

    @pytest.mark.parametrize("registry", ["", "/", "https://", "https:///team", "two words", "host:port name"])
    def test_a_registry_without_a_host_is_refused(self, ask, registry):
        assert "option 'registry'" in ask(registry)["msg"]

    @pytest.mark.parametrize("login", ["alice:{}", "https://alice:{}", "http://alice:{}", "alice:1/{}", "alice:{}/1"])
    def test_a_login_in_a_host_is_refused_and_not_shown(self, ask, login):
        host = f"{login.format(CANARY)}@127.0.0.1:1"
        assert "option 'registry'" in ask(host)["msg"]
        assert "option 'realm_host'" in ask("127.0.0.1:1", realm_host=host)["msg"]
        assert "option 'realm_hosts'" in ask("127.0.0.1:1", realm_hosts=[host])["msg"]

    @pytest.mark.parametrize("port", ["99999", "port", "-1"])
    def test_an_invalid_port_is_refused(self, ask, port):
        result = ask(f"127.0.0.1:{port}")
        assert result["failed"]
        assert f"port '{port}' is not a number from 1 to 65535" in result["msg"]

    @pytest.mark.parametrize("trust", ["the system's", "another"])
    def test_an_untrusted_certificate_names_ca_cert(self, ask, lab, certificate, trust):
        registry = lab.registry("private")["host"]
        message = ask(registry, registry_ca_cert=None if trust == "the system's" else certificate)["msg"]
        assert registry in message
        assert "certificate verify failed" in message
        assert "'registry_ca_cert'" in message

    @pytest.mark.parametrize("content", [None, "no certificate"])
    def test_an_invalid_ca_cert_is_reported(self, ask, lab, tmp_path, content):
        file = tmp_path / "ca.pem"
        if content:
            file.write_text(content)
        message = ask(lab.registry("private")["host"], registry_ca_cert=str(file))["msg"]
        assert "ca_cert" in message
        assert content or str(file) in message

    def test_the_api_server_is_not_accepted_as_a_registry(self, ask, lab):
        host = lab.data["server"].removeprefix("https://")
        message = ask(host)["msg"]
        assert host in message
        assert "It is not a registry of API version 2" in message

    @pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
    @pytest.mark.parametrize("header", [None, "Negotiate", 'Bearer service="x"', 'Bearer realm="https://[/"', '=,;"'])
    def test_an_answer_without_a_usable_challenge_is_reported(self, ask, serve, certificate, status, header):
        server = serve(status, *([challenge(header)] if header else []))
        message = ask(server.host, registry_ca_cert=certificate)["msg"]
        assert f"was answered {status}" in message
        assert ("without a login challenge that a node can use" in message) is (status == 401)

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_no_redirect_is_followed(self, ask, serve, certificate, status):
        target = serve(200)
        server = serve(status, ("Location", f"https://{target.host}/v2/"))
        assert (
            f"answered {status}, a redirect to {target.host}" in ask(server.host, registry_ca_cert=certificate)["msg"]
        )
        assert not target.seen

    def test_a_closed_port_is_reported(self, ask):
        message = ask("127.0.0.1:1")["msg"]
        assert "127.0.0.1:1" in message
        assert "refused" in message
        assert "Check the port" in message

    def test_a_server_without_tls_fails(self, ask, serve):
        assert ask(serve(200, tls=False).host)["failed"]

    def test_a_server_that_never_answers_is_reported(self, ask, serve, certificate):
        server = serve(200, delay=10)
        message = ask(server.host, registry_ca_cert=certificate, registry_timeout=1)["msg"]
        assert server.host in message
        assert "there was no complete response in time" in message

    @pytest.mark.parametrize("timeout", [0, -1, 3601])
    def test_an_invalid_timeout_is_refused(self, ask, timeout):
        assert (
            ask("127.0.0.1:1", registry_timeout=timeout)["msg"]
            == "option 'registry_timeout' is in seconds, from 1 to 3600"
        )


class TestKnownRealm:
    def test_a_known_realm_host_needs_no_registry_request(self, ask):
        found = ask("docker.io/library/nginx", realm_host="auth.docker.io", registry_ca_cert=None)
        assert answer(found) == {**NONE, "scheme": "", "realm_host": "auth.docker.io", "delegated": True}
        assert found["registry"] == "docker.io"
