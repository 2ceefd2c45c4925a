# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options, variables and kubeconfigs decide where requests go and with which login. Invalid ones are refused before."""

from __future__ import annotations

import json
import os
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.connection import (
    _SERVICE_ACCOUNT,
    Connection,
    SharedConnections,
    connect,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ConnectError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.login import ConnectionOptions
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.requester import (
    NotSent,
    Unusable,
    send_api_request,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError, OptionError
from support.certificates import server_context, write_certificate
from support.client_certificates import Issued, authority, issue, server_side
from support.hostile_registry import answer, proxy_by_tls, served
from support.objects import b64
from support.tunnels import Tunnels

V1 = "client.authentication.k8s.io/v1"


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("KUBE") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


class Echo(ThreadingHTTPServer):
    """Answers each request with a description of it. `seen` holds the same descriptions."""

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.seen: list[dict[str, Any]] = []
        self.url = f"https://127.0.0.1:{self.server_port}"

    def handle_error(self, *_arguments: object) -> None:
        """Clients that do not trust the certificate are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Echo

    def do_GET(self) -> None:
        certificate: Any = self.connection.getpeercert()  # type: ignore[attr-defined]
        subject = dict(part[0] for part in certificate["subject"]) if certificate else {}
        headers = [[name, value] for name, value in self.headers.items()]
        self.server.seen.append({"path": self.path, "headers": headers, "client": subject.get("commonName")})
        data = json.dumps(self.server.seen[-1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments: object) -> None:
        """Write nothing to stderr."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:
    tls = server_side(tmp_path_factory.mktemp("server"), issue("api.example.com"), clients=authority())
    with Echo(tls) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def server(running: Echo) -> Echo:
    running.seen.clear()
    return running


@contextmanager
def opened(directory: Path, **options: Any) -> Iterator[Connection]:
    """A connection that looks for the service account in the directory."""
    more = {"service_account": directory / "service-account"}
    temporary = directory / "temporary"
    temporary.mkdir(exist_ok=True)
    with connect(ConnectionOptions(**options), connections=2, temporary_directory=str(temporary), **more) as connection:
        yield connection
    assert list(temporary.iterdir()) == []


def test_tasks_with_the_same_options_share_a_connection_until_the_last_one_ends(tmp_path: Path) -> None:
    options = {"host": "https://api.example.com", "api_key": "token"}
    with ExitStack() as stack:
        shared = SharedConnections(stack, str(tmp_path))

        def connection(count: int = 2, **other: Any) -> Connection:
            given = ConnectionOptions(**{**options, **other})
            with shared.connect(given, environment=ConnectionOptions(), connections=count) as found:
                return found

        first = connection()
        assert first.namespaces == {}
        assert connection() is first
        others = [connection(3), connection(api_key="other"), connection(impersonate_user="ann")]
        assert len({first, *others}) == 4
    assert list(tmp_path.iterdir()) == []


def ask(connection: Connection) -> dict[str, Any]:
    """The server's description of one request."""
    answer = json.loads(
        send_api_request(connection.pool, "GET", connection.host + "/x", connection.headers(), None).body
    )
    names = {"authorization", "impersonate-user", "impersonate-group"}
    return {
        "client": answer["client"],
        "path": answer["path"],
        "login": [[name, value] for name, value in answer["headers"] if name.lower() in names],
    }


def asked(directory: Path, **options: Any) -> dict[str, Any]:
    with opened(directory, **options) as connection:
        return ask(connection)


def bearer(token: str) -> list[list[str]]:
    return [["Authorization", f"Bearer {token}"]]


def basic(login: str) -> list[list[str]]:
    return [["Authorization", "Basic " + b64(login)]]


def in_file(content: bytes, path: Path) -> str:
    path.write_bytes(content)
    return str(path)


def ca_file(directory: Path) -> str:
    return in_file(authority().certificate, directory / "ca.pem")


def config(at: Echo | None, user: Any = None, **cluster: Any) -> dict[str, Any]:
    """A kubeconfig with one context, `c`."""
    trusted = {
        "server": at.url if at else "https://127.0.0.1:1",
        "certificate-authority-data": b64(authority().certificate),
    }
    return {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [
            {"name": "c", "cluster": {name: v for name, v in {**trusted, **cluster}.items() if v is not None}}
        ],
        "users": [{"name": "u", "user": {"token": "kubeconfig"} if user is None else user}],
    }


def without_user(server: str) -> dict[str, Any]:
    data = config(None, server=server)
    del data["contexts"][0]["context"]["user"]
    return data


def with_certificate(issued: Issued) -> dict[str, str]:
    return {"client-certificate-data": b64(issued.certificate), "client-key-data": b64(issued.key)}


def refusal_of(directory: Path, **options: Any) -> str:
    with pytest.raises(ImagePullError) as caught, opened(directory, **options):
        pass
    assert str(caught.value).isprintable()
    assert "secret" not in str(caught.value)
    return str(caught.value)


class TestOptionsAlone:
    @pytest.mark.parametrize("slash", ["", "/", "//"])
    def test_a_token_by_option_is_sent(self, tmp_path: Path, server: Echo, slash: str) -> None:
        found = asked(tmp_path, host=server.url + slash, api_key=" token\n", ca_cert=ca_file(tmp_path))
        assert found == {"client": None, "path": "/x", "login": bearer("token")}

    def test_a_path_in_the_host_precedes_the_path_of_the_request(self, tmp_path: Path, server: Echo) -> None:
        assert (
            asked(tmp_path, host=f"{server.url}/k8s/c-1", api_key="t", ca_cert=ca_file(tmp_path))["path"]
            == "/k8s/c-1/x"
        )

    def test_a_password_by_option_is_sent(self, tmp_path: Path, server: Echo) -> None:
        options = {"host": server.url, "username": "ü", "password": "p:ä", "ca_cert": ca_file(tmp_path)}
        assert asked(tmp_path, **options)["login"] == basic("ü:p:ä")

    def test_a_token_wins_over_a_password(self, tmp_path: Path, server: Echo) -> None:
        options = {"host": server.url, "username": "u", "password": "p", "api_key": "t", "ca_cert": ca_file(tmp_path)}
        assert asked(tmp_path, **options)["login"] == bearer("t")

    def test_a_certificate_by_option_is_shown(self, tmp_path: Path, server: Echo) -> None:
        client = issue("client")
        files = {
            "client_cert": in_file(client.certificate, tmp_path / "cert"),
            "client_key": in_file(client.key, tmp_path / "key"),
        }
        found = asked(tmp_path, host=server.url, ca_cert=ca_file(tmp_path), **files)
        assert found == {"client": "client", "path": "/x", "login": []}
        assert Path(files["client_key"]).exists()

    def test_the_certificate_of_the_server_is_verified(self, tmp_path: Path, server: Echo) -> None:
        for options in ({}, {"validate_certs": True}):
            with (
                opened(tmp_path, host=server.url, api_key="t", **options) as connection,
                pytest.raises(Unusable, match=r"certificate verify failed: .*. Give .* 'ca_cert'"),
            ):
                ask(connection)
        assert server.seen == []

    @pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
    def test_the_certificate_of_the_server_is_not_verified_if_verification_is_off(
        self, tmp_path: Path, server: Echo
    ) -> None:
        assert asked(tmp_path, host=server.url, api_key="t", validate_certs=False)["login"] == bearer("t")

    def test_no_kubeconfig_is_read_if_host_and_login_are_options(self, tmp_path: Path, server: Echo) -> None:
        options = {"host": server.url, "api_key": "t", "ca_cert": ca_file(tmp_path)}
        assert asked(tmp_path, kubeconfig="/none", context="none", **options)["login"] == bearer("t")

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"username": "u"}, "option 'username' also needs 'password': add the line 'password: VALUE'"),
            ({"password": "secret"}, "option 'password' also needs 'username': add the line 'username: VALUE'"),
            ({"client_key": "k"}, "option 'client_key' also needs 'client_cert': add the line 'client_cert: VALUE'"),
            (
                {"host": "https://a", "username": "u", "api_key": "secret"},
                "option 'username' also needs 'password': add the line 'password: VALUE'",
            ),
            (
                {"host": "https://a", "api_key": "a secret"},
                "option 'api_key' is not a token: it contains a space, a line end or a character outside ASCII",
            ),
            (
                {"host": "https://a", "api_key": "x", "ca_cert": "/none"},
                "'ca_cert' /none cannot be read on the host that runs "
                "the task: No such file or directory. Correct the path, or create the file there",
            ),
            (
                {"host": "https://a", "client_cert": "/none"},
                "'client_cert' /none cannot be read on the host that runs "
                "the task: No such file or directory. Correct the path, or create the file there",
            ),
            (
                {"host": "https://a", "api_key": "x", "impersonate_groups": ("g",)},
                "'impersonate_groups', or 'as-groups' in a "
                "kubeconfig, needs a user to act as: also give 'impersonate_user'",
            ),
        ],
    )
    def test_an_invalid_combination_of_login_options_is_refused(
        self, tmp_path: Path, options: Any, problem: str
    ) -> None:
        assert refusal_of(tmp_path, **options) == problem

    def test_an_invalid_combination_of_options_is_an_option_error(self, tmp_path: Path) -> None:
        with pytest.raises(OptionError), opened(tmp_path, username="u"):
            pass


NO_LOGIN = (
    "option 'host' needs a login for that host: give 'api_key', which 'oc whoami --show-token' prints, 'client_cert' with 'client_key', 'username' with "
    "'password', or the 'kubeconfig' whose login is for that host"
)


@pytest.fixture
def pod(tmp_path: Path, server: Echo, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The service account of a pod that uses the test's API server."""
    directory = tmp_path / "service-account"
    directory.mkdir()
    (directory / "token").write_text("pod\n")
    (directory / "ca.crt").write_bytes(authority().certificate)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.server_port))
    return directory


@pytest.fixture
def default_config(tmp_path: Path, server: Echo) -> Path:
    (tmp_path / "home/.kube").mkdir(parents=True)
    file = tmp_path / "home/.kube/config"
    file.write_text(yaml.safe_dump(config(server, {"token": "default"})))
    return file


class TestHostWithoutLogin:
    """A login is sent only to the host that it was given for."""

    def test_the_login_of_the_pod_is_not_sent_to_another_host(self, tmp_path: Path, server: Echo, pod: Path) -> None:
        assert refusal_of(tmp_path, host=server.url, ca_cert=ca_file(tmp_path)) == NO_LOGIN
        assert server.seen == []

    @pytest.mark.parametrize("empty", [{}, {"kubeconfig": "", "context": "", "api_key": "", "client_cert": ""}])
    def test_the_login_of_the_default_kubeconfig_is_not_sent_to_another_host(
        self, tmp_path: Path, server: Echo, default_config: Path, empty: Any
    ) -> None:
        assert refusal_of(tmp_path, host=server.url, **empty) == NO_LOGIN
        assert server.seen == []

    def test_the_login_of_a_named_kubeconfig_is_sent_to_the_host(self, tmp_path: Path, server: Echo) -> None:
        assert asked(tmp_path, host=server.url, kubeconfig=config(None))["login"] == bearer("kubeconfig")

    def test_the_login_of_a_context_of_the_default_kubeconfig_stays_with_its_server(
        self, tmp_path: Path, server: Echo, default_config: Path
    ) -> None:
        default_config.write_text(yaml.safe_dump(config(None)))
        assert "belongs to its own server" in refusal_of(tmp_path, host=server.url, context="c")
        assert server.seen == []

    def test_the_login_of_a_context_is_sent_if_it_belongs_to_the_host(
        self, tmp_path: Path, server: Echo, default_config: Path
    ) -> None:
        assert asked(tmp_path, host=f"{server.url}/", context="c")["login"] == bearer("default")


class TestPod:
    def test_the_service_account_of_the_pod_is_used(self, tmp_path: Path, pod: Path, default_config: Path) -> None:
        assert asked(tmp_path) == {"client": None, "path": "/x", "login": bearer("pod")}

    def test_the_token_of_the_pod_is_read_again_after_a_refusal(self, tmp_path: Path, pod: Path) -> None:
        """The token is replaced every hour."""
        with opened(tmp_path) as connection:
            stale = connection.headers()
            assert not connection.renew(stale)
            (pod / "token").write_text("rotated")
            assert ask(connection)["login"] == bearer("pod")
            later = connection.headers()
        with opened(tmp_path) as connection:
            stale = connection.headers()
            (pod / "token").write_text("rotated again")
            (pod / "token").write_text("again")
            assert connection.renew(stale)
            assert ask(connection)["login"] == bearer("again")
        assert later["Authorization"] == "Bearer pod"

    def test_a_missing_token_file_is_reported_at_the_renewal(self, tmp_path: Path, pod: Path) -> None:
        with opened(tmp_path) as connection:
            stale = connection.headers()
            (pod / "token").unlink()
            assert connection.headers()["Authorization"] == "Bearer pod"
            with pytest.raises(ConnectError) as caught:
                connection.renew(stale)
        assert (
            str(caught.value)
            == f"the service account's token {pod / 'token'} cannot be read: No such file or directory"
        )

    def test_options_win_over_the_service_account_of_the_pod(self, tmp_path: Path, pod: Path) -> None:
        assert asked(tmp_path, api_key="t")["login"] == bearer("t")

    def test_a_named_kubeconfig_wins_over_the_service_account_of_the_pod(
        self, tmp_path: Path, server: Echo, pod: Path
    ) -> None:
        assert asked(tmp_path, kubeconfig=config(server))["login"] == bearer("kubeconfig")

    @pytest.mark.parametrize("missing", ["token", "ca.crt", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"])
    def test_an_incomplete_service_account_of_the_pod_is_ignored(
        self, tmp_path: Path, pod: Path, default_config: Path, monkeypatch: pytest.MonkeyPatch, missing: str
    ) -> None:
        if missing.startswith("K"):
            monkeypatch.setenv(missing, "")
        else:
            (pod / missing).unlink()
        assert asked(tmp_path)["login"] == bearer("default")

    def test_an_ipv6_address_of_the_pod_is_put_in_brackets(
        self, tmp_path: Path, pod: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
        with opened(tmp_path) as connection:
            assert connection.host == "https://[fd00::1]:443"

    def test_an_invalid_certificate_authority_of_the_pod_is_named(self, tmp_path: Path, pod: Path) -> None:
        (pod / "ca.crt").write_text("")
        assert refusal_of(tmp_path) == (
            f"the service account's certificate authority {pod / 'ca.crt'} contains no certificate in PEM format"
            ": give the file with that of the server's authority, which begins with -----BEGIN CERTIFICATE-----"
        )

    def test_an_invalid_host_of_the_pod_is_named(
        self, tmp_path: Path, pod: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "a b")
        assert refusal_of(tmp_path) == "variable KUBERNETES_SERVICE_HOST is not a valid URL. Correct it"

    def test_the_service_account_is_in_the_directory_of_kubernetes(self) -> None:
        assert str(_SERVICE_ACCOUNT) == "/var/run/secrets/kubernetes.io/serviceaccount"


class TestKubeconfig:
    def test_the_token_and_the_authority_of_the_kubeconfig_are_used(self, tmp_path: Path, server: Echo) -> None:
        assert asked(tmp_path, kubeconfig=config(server))["login"] == bearer("kubeconfig")

    def test_the_default_kubeconfig_is_used(self, tmp_path: Path, default_config: Path) -> None:
        assert asked(tmp_path)["login"] == bearer("default")

    def test_the_certificate_of_the_kubeconfig_is_shown(self, tmp_path: Path, server: Echo) -> None:
        found = asked(tmp_path, kubeconfig=config(server, with_certificate(issue("client"))))
        assert found == {"client": "client", "path": "/x", "login": []}

    def test_files_of_the_kubeconfig_are_found_relative_to_it(self, tmp_path: Path, server: Echo) -> None:
        in_file(issue("client").certificate, tmp_path / "cert")
        in_file(issue("client").key, tmp_path / "key")
        ca_file(tmp_path)
        user = {"client-certificate": "cert", "client-key": "key", "tokenFile": "token"}
        (tmp_path / "token").write_text("from-file")
        file = tmp_path / "config"
        data = config(server, user, **{"certificate-authority": "ca.pem", "certificate-authority-data": None})
        file.write_text(yaml.safe_dump(data))
        assert asked(tmp_path, kubeconfig=str(file)) == {"client": "client", "path": "/x", "login": bearer("from-file")}

    def test_a_context_without_a_user_sends_no_login(self, tmp_path: Path, server: Echo) -> None:
        data = config(server)
        del data["contexts"][0]["context"]["user"]
        assert asked(tmp_path, kubeconfig=data) == {"client": None, "path": "/x", "login": []}

    @pytest.mark.parametrize("options", [{"api_key": "t"}, {"username": "u", "password": "p"}], ids=str)
    @pytest.mark.parametrize("user", ["certificate", "token", "plugin"])
    def test_a_login_by_options_replaces_the_login_of_the_kubeconfig(
        self, tmp_path: Path, server: Echo, options: Any, user: str
    ) -> None:
        """The certificate, which the API server would check first, is not sent, and the plugin is not run."""
        users: dict[str, Any] = {
            "certificate": with_certificate(issue("client")),
            "token": {"token": "kubeconfig"},
            "plugin": {"exec": {"command": "false", "apiVersion": V1}},
        }
        found = asked(tmp_path, kubeconfig=config(server, users[user]), **options)
        assert found["client"] is None
        assert found["login"] == (bearer("t") if "api_key" in options else basic("u:p"))

    def test_a_certificate_by_option_replaces_the_login_of_the_kubeconfig(self, tmp_path: Path, server: Echo) -> None:
        both = in_file(issue("other").certificate + issue("other").key, tmp_path / "both")
        user = {**with_certificate(issue("client")), "token": "t"}
        found = asked(tmp_path, kubeconfig=config(server, user), client_cert=both)
        assert found == {"client": "other", "path": "/x", "login": []}

    def test_an_authority_by_option_wins_over_the_kubeconfig(self, tmp_path: Path, server: Echo) -> None:
        data = config(server, **{"certificate-authority-data": b64(authority("other").certificate)})
        assert asked(tmp_path, kubeconfig=data, ca_cert=ca_file(tmp_path))["login"] == bearer("kubeconfig")

    @pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
    def test_the_kubeconfig_can_switch_verification_off(self, tmp_path: Path, server: Echo) -> None:
        data = config(server, **{"certificate-authority-data": None, "insecure-skip-tls-verify": True})
        assert asked(tmp_path, kubeconfig=data)["login"] == bearer("kubeconfig")
        with opened(tmp_path, kubeconfig=data, validate_certs=True) as connection, pytest.raises(Unusable):
            ask(connection)

    def test_the_server_name_of_the_kubeconfig_is_verified(self, tmp_path: Path, server: Echo) -> None:
        asked(tmp_path, kubeconfig=config(server, **{"tls-server-name": "api.example.com"}))
        data = config(server, **{"tls-server-name": "other.example.com"})
        with opened(tmp_path, kubeconfig=data) as connection, pytest.raises(Unusable, match=r"other\.example\.com"):
            ask(connection)

    @pytest.mark.parametrize(
        ("part", "problem"),
        [
            ({"server": None}, "'server' of cluster 'c' in the kubeconfig given as data is missing: give 'host'"),
            ({"server": "a:6443"},
             "'server' of cluster 'c' in the kubeconfig given as data is not a URL. Put https:// before it, such as https://api.example.com:6443"),
            ({"certificate-authority-data": "c2VjcmV0"},
             "'certificate-authority-data' of cluster 'c' in the kubeconfig given as data contains no certificate in PEM format"
             ": give the file with that of the server's authority, which begins with -----BEGIN CERTIFICATE-----"),
        ],
    )  # fmt: skip
    def test_an_invalid_cluster_of_the_kubeconfig_is_refused(self, tmp_path: Path, part: Any, problem: str) -> None:
        assert refusal_of(tmp_path, kubeconfig=config(None, **part)) == problem


class TestImpersonation:
    BOB = {"token": "t", "as": "bob", "as-groups": ["one", "two"]}
    ODD = {"as-uid": "7", "as-user-extra": {"a": ["b"]}}
    BOTH = {"impersonate_user": "alice", "impersonate_groups": ("one", "two")}

    @pytest.mark.parametrize(
        ("user", "options", "login"),
        [
            ({"token": "t"}, BOTH, ["t", "alice", "one", "two"]),
            (BOB, {}, ["t", "bob", "one", "two"]),
            (BOB, {"api_key": "other"}, ["other", "bob", "one", "two"]),
            ({**BOB, **ODD}, {"impersonate_user": "alice"}, ["t", "alice"]),
            (BOB, {"impersonate_groups": ("three",)}, ["t", "bob", "three"]),
        ],
        ids=["options", "kubeconfig", "with another login", "another user", "other groups"],
    )
    def test_options_replace_the_impersonation_of_the_kubeconfig(
        self, tmp_path: Path, server: Echo, user: Any, options: Any, login: list[str]
    ) -> None:
        found = asked(tmp_path, kubeconfig=config(server, user), **options)["login"]
        token, name, *groups = login
        assert found == [
            *bearer(token),
            ["Impersonate-User", name],
            *(["Impersonate-Group", group] for group in groups),
        ]

    def test_impersonated_names_are_sent_in_utf_8(self, tmp_path: Path, server: Echo) -> None:
        found = asked(tmp_path, kubeconfig=config(server), impersonate_user="jürgen漢", impersonate_groups=("é",))
        sent = [value.encode("latin-1").decode("utf-8") for _name, value in found["login"][1:]]
        assert sent == ["jürgen漢", "é"]

    @pytest.mark.parametrize(
        ("user", "problem"),
        [
            ({"as-groups": ["g"]},
             "'impersonate_groups', or 'as-groups' in a kubeconfig, needs a user to act as: also give "
             "'impersonate_user'"),
            ({"as": "b", "as-uid": "7"},
             "user 'u' in the kubeconfig given as data cannot be used: 'as-uid' is not supported: "
             "remove it, or give 'impersonate_user', which replaces it"),
            ({"as": "b", "as-user-extra": {"a": ["b"]}}, "user 'u' in the kubeconfig given as data cannot be used: "
             "'as-user-extra' is not supported: remove it, or give 'impersonate_user', which replaces it"),
            ({"as": "a\nb"}, "'impersonate_user' or 'impersonate_groups' contains a line end or a control character"),
            ({"as": "a", "as-groups": ["\x00"]},
             "'impersonate_user' or 'impersonate_groups' contains a line end or a control character"),
        ],
    )  # fmt: skip
    def test_an_invalid_impersonation_is_refused(self, tmp_path: Path, user: Any, problem: str) -> None:
        assert refusal_of(tmp_path, kubeconfig=config(None, user)) == problem


class TestHost:
    @pytest.mark.parametrize(
        ("host", "problem"),
        [
            ("api.example.com:6443", "is not a URL. Put https:// before it, such as https://api.example.com:6443"),
            (
                "user:secret@api.example.com",
                "is not a URL. Put https:// before it, such as https://api.example.com:6443",
            ),
            ("ftp://a", "is not a valid URL. Correct it"),
            ("https://", "is not a valid URL. Correct it"),
            ("https://[::1", "is not a valid URL. Correct it"),
            ("https://a:port", "is not a valid URL. Correct it"),
            ("https://a:99999", "is not a valid URL. Correct it"),
            ("https://a/\nb", "is not a valid URL. Correct it"),
            ("https://a/ b", "is not a valid URL. Correct it"),
            ("https://user:secret@a", "contains a login. Give it in 'username' and 'password'"),
            ("https://a?token=secret", "contains a '?' or '#'. Remove it and the rest"),
            ("https://a#secret", "contains a '?' or '#'. Remove it and the rest"),
        ],
    )
    def test_an_invalid_host_is_refused(self, tmp_path: Path, host: str, problem: str) -> None:
        assert refusal_of(tmp_path, host=host, api_key="t") == f"option 'host' {problem}"

    def test_the_host_is_the_name_of_the_cluster_in_messages(self, tmp_path: Path) -> None:
        with opened(tmp_path, host="https://a:8080/b/", api_key="t") as connection:
            assert connection.host == "https://a:8080/b"

    @pytest.mark.parametrize("host", ["http://a", "HTTP://a:8080/b", "http://10.0.0.1", "http://[fd00::1]:80"])
    def test_a_host_without_tls_is_refused(self, tmp_path: Path, host: str) -> None:
        assert refusal_of(tmp_path, kubeconfig=without_user(host)).startswith(
            "'server' of cluster 'c' in the kubeconfig given as data begins with http://, so all credentials would"
        )

    @pytest.mark.parametrize("host", ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"])
    def test_a_local_host_is_reached_without_tls_only_without_a_login(self, tmp_path: Path, host: str) -> None:
        with opened(tmp_path, kubeconfig=without_user(host)) as connection:
            assert dict(connection.headers()) == {}
        for user in ({"token": "t"}, {"username": "u", "password": "p"}, with_certificate(issue("client"))):
            with (
                opened(tmp_path, kubeconfig=config(None, user, server=host)) as connection,
                pytest.raises(
                    ConnectError, match=r"begins with http://, so the login would .* Give the https:// address"
                ),
            ):
                connection.headers()

    def test_a_local_host_without_tls_is_refused_if_a_proxy_is_set(self, tmp_path: Path) -> None:
        assert "begins with http://" in refusal_of(
            tmp_path, kubeconfig=without_user("http://127.0.0.1:1"), proxy="http://b:1"
        )


@pytest.fixture
def proxy() -> Iterator[Tunnels]:
    with Tunnels(refuses=True).running() as server:
        yield server


class TestClusterSection:
    """A kubeconfig for another account leads to the same server in the same way."""

    def section(self, directory: Path, **options: Any) -> dict[str, Any]:
        with opened(directory, **options) as connection:
            return connection.cluster_section

    def reached(self, directory: Path, section: dict[str, Any]) -> list[list[str]]:
        login: list[list[str]] = asked(
            directory, kubeconfig={**config(None), "clusters": [{"name": "c", "cluster": section}]}
        )["login"]
        return login

    def test_the_certificate_authorities_are_taken_over(self, tmp_path: Path, server: Echo) -> None:
        found = self.section(tmp_path, host=server.url, api_key="t", ca_cert=ca_file(tmp_path))
        assert found == {"server": server.url, "certificate-authority-data": b64(authority().certificate)}
        assert self.reached(tmp_path, found) == bearer("kubeconfig")

    def test_the_authorities_of_the_system_need_no_entry(self, tmp_path: Path) -> None:
        assert self.section(tmp_path, host="https://a:1/x/", api_key="t") == {"server": "https://a:1/x"}

    def test_the_server_name_is_taken_over(self, tmp_path: Path, server: Echo) -> None:
        data = config(server, **{"tls-server-name": "api.example.com"})
        found = self.section(tmp_path, kubeconfig=data)
        assert found == data["clusters"][0]["cluster"]
        assert self.reached(tmp_path, found) == bearer("kubeconfig")
        with (
            opened(
                tmp_path, kubeconfig=config(None, **{**found, "tls-server-name": "other.example.com"})
            ) as connection,
            pytest.raises(Unusable, match=r"other\.example\.com"),
        ):
            ask(connection)

    @pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
    @pytest.mark.parametrize("authorities", [True, False])
    @pytest.mark.parametrize("by_option", [True, False])
    def test_a_connection_without_verification_stays_one(
        self, tmp_path: Path, server: Echo, by_option: bool, authorities: bool
    ) -> None:
        """Other clients refuse a file with certificate authorities that are not used."""
        data = config(server, **({} if authorities else {"certificate-authority-data": None}))
        if not by_option:
            data["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True
        found = self.section(tmp_path, kubeconfig=data, **({"validate_certs": False} if by_option else {}))
        assert found == {"server": server.url, "insecure-skip-tls-verify": True}
        assert self.reached(tmp_path, found) == bearer("kubeconfig")

    def test_the_option_to_verify_wins_over_the_kubeconfig(self, tmp_path: Path, server: Echo) -> None:
        data = config(server, **{"insecure-skip-tls-verify": True})
        found = self.section(tmp_path, kubeconfig=data, validate_certs=True)
        assert found == {"server": server.url, "certificate-authority-data": b64(authority().certificate)}

    @pytest.mark.parametrize("by_option", [True, False])
    def test_the_proxy_is_taken_over_without_its_login(
        self, tmp_path: Path, server: Echo, proxy: Tunnels, by_option: bool
    ) -> None:
        url = proxy.url.replace("://", "://user:secret@")
        options = {"proxy": url} if by_option else {}
        with opened(
            tmp_path, kubeconfig=config(server, **({} if by_option else {"proxy-url": url})), **options
        ) as connection:
            found, has_login = connection.cluster_section, connection.has_proxy_login
        assert (found["proxy-url"], has_login) == (proxy.url, True)
        with opened(tmp_path, kubeconfig=config(None, **found)) as connection, pytest.raises(NotSent, match="407"):
            ask(connection)
        assert [target for target, _headers in proxy.seen] == [server.url.removeprefix("https://")]

    @pytest.mark.parametrize(
        ("options", "has_login"),
        [
            ({"proxy_headers": {"proxy_basic_auth": "a:b"}}, True),
            ({"proxy_headers": {"user_agent": "a"}}, False),
            ({}, False),
        ],
    )
    def test_a_login_of_the_proxy_is_known(self, tmp_path: Path, options: Any, has_login: bool) -> None:
        with opened(tmp_path, kubeconfig=config(None), proxy="http://127.0.0.1:1", **options) as connection:
            assert (connection.cluster_section["proxy-url"], connection.has_proxy_login) == (
                "http://127.0.0.1:1",
                has_login,
            )

    def test_a_proxy_that_is_not_used_is_left_out(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        headers = {"proxy_headers": {"proxy_basic_auth": "a:b"}}
        around = {"proxy": "http://127.0.0.1:1", "no_proxy": "127.0.0.1"}
        with opened(tmp_path, kubeconfig=config(None), **around, **headers) as connection:
            assert ("proxy-url" in connection.cluster_section, connection.has_proxy_login) == (False, False)
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
        with opened(tmp_path, kubeconfig=config(None), **headers) as connection:
            assert ("proxy-url" in connection.cluster_section, connection.has_proxy_login) == (False, False)


class TestProxy:
    def through(self, directory: Path, **options: Any) -> None:
        with opened(directory, **options) as connection, pytest.raises(NotSent, match="407"):
            ask(connection)

    def test_the_proxy_by_option_wins_over_the_kubeconfig(self, tmp_path: Path, server: Echo, proxy: Tunnels) -> None:
        self.through(tmp_path, kubeconfig=config(server, **{"proxy-url": "http://127.0.0.1:1"}), proxy=proxy.url)
        ((target, _headers),) = proxy.seen
        assert target == server.url.removeprefix("https://")

    def test_the_proxy_of_the_kubeconfig_is_used(self, tmp_path: Path, server: Echo, proxy: Tunnels) -> None:
        self.through(tmp_path, kubeconfig=config(server, **{"proxy-url": proxy.url}))
        assert len(proxy.seen) == 1

    def test_hosts_in_no_proxy_are_reached_without_the_proxy(
        self, tmp_path: Path, server: Echo, proxy: Tunnels
    ) -> None:
        assert asked(tmp_path, kubeconfig=config(server), proxy=proxy.url, no_proxy="example.com,127.0.0.0/8")
        assert proxy.seen == []

    def test_proxy_headers_are_sent_to_the_proxy(self, tmp_path: Path, server: Echo, proxy: Tunnels) -> None:
        headers = {"proxy_basic_auth": "ü:ä", "user_agent": "agent"}
        self.through(tmp_path, kubeconfig=config(server), proxy=proxy.url, proxy_headers=headers)
        ((_target, seen),) = proxy.seen
        assert {name.lower(): value for name, value in seen.items() if name.lower() != "host"} == {
            "proxy-authorization": basic("ü:ä")[0][1],
            "user-agent": "agent",
        }

    @pytest.mark.parametrize(
        ("headers", "login"),
        [({}, "us@er:p ß"), ({"user_agent": "agent"}, "us@er:p ß"), ({"proxy_basic_auth": "a:b"}, "a:b")],
    )
    def test_a_login_in_the_address_of_the_proxy_is_sent(
        self, tmp_path: Path, server: Echo, proxy: Tunnels, headers: dict[str, str], login: str
    ) -> None:
        """Every other client does the same. A login that is given separately takes precedence."""
        url = proxy.url.replace("://", "://us%40er:p%20%C3%9F@")
        self.through(tmp_path, kubeconfig=config(server, **{"proxy-url": url}), proxy_headers=headers)
        ((_target, seen),) = proxy.seen
        assert seen["proxy-authorization"] == basic(login)[0][1]

    @pytest.mark.parametrize(
        "url", ["ftp://user:secret@a", "http://user:secret@[::1", "127.0.0.1:secret", "socks9://secret"]
    )
    def test_an_invalid_proxy_is_refused_without_repeating_its_address(self, tmp_path: Path, url: str) -> None:
        text = refusal_of(tmp_path, kubeconfig=config(None), proxy=url)
        assert text.startswith(
            "'proxy', or proxy-url of the kubeconfig, cannot be used, because it must begin with http:// or"
        )
        assert "set 'proxy: http://HOST:PORT'" in text
        assert "secret" not in text

    @pytest.mark.parametrize("verify", [True, False])
    def test_a_proxy_by_tls_is_used(self, tmp_path: Path, verify: bool) -> None:
        """The proxy has an IP address, which urllib3 1.26 does not pass to the TLS layer."""
        file = write_certificate(tmp_path / "server.pem")
        context = server_context(file)
        trusted: dict[str, Any] = {"ca_cert": file} if verify else {"validate_certs": False}
        with (
            served(answer("HTTP/1.1 204 No Content"), context) as behind,
            proxy_by_tls(behind.host, context) as url,
            opened(tmp_path, host="https://127.0.0.1:1", api_key="t", proxy=url, **trusted) as connection,
        ):
            assert send_api_request(connection.pool, "GET", f"{connection.host}/", {}, None).status == 204

    def test_a_proxy_by_tls_with_an_untrusted_certificate_is_refused(self, tmp_path: Path) -> None:
        context = server_context(write_certificate(tmp_path / "server.pem"))
        other = write_certificate(tmp_path / "other.pem")
        with (
            served(answer("HTTP/1.1 204 No Content"), context) as behind,
            proxy_by_tls(behind.host, context) as url,
            opened(tmp_path, host="https://127.0.0.1:1", api_key="t", proxy=url, ca_cert=other) as connection,
            pytest.raises((NotSent, Unusable), match="certificate"),
        ):
            send_api_request(connection.pool, "GET", f"{connection.host}/", {}, None)


def printing(token: str | None = None, **more: str) -> dict[str, Any]:
    """A user whose plugin prints this credential."""
    status = {**({"token": token} if token else {}), **more}
    text = json.dumps({"kind": "ExecCredential", "apiVersion": V1, "status": status})
    return {"exec": {"command": "sh", "args": ["-c", f"echo x >>count; cat <<'END'\n{text}\nEND\n"], "apiVersion": V1}}


def as_file(directory: Path, data: Any) -> str:
    file = directory / "config"
    file.write_text(yaml.safe_dump(data))
    return str(file)


def certificate_of(issued: Issued) -> dict[str, str]:
    return {"clientCertificateData": issued.certificate.decode(), "clientKeyData": issued.key.decode()}


class TestPlugin:
    def test_the_token_of_the_plugin_is_sent(self, tmp_path: Path, server: Echo) -> None:
        with opened(tmp_path, kubeconfig=as_file(tmp_path, config(server, printing("printed")))) as connection:
            assert not (tmp_path / "count").exists()
            assert [ask(connection)["login"] for _request in range(3)] == [bearer("printed")] * 3
        assert (tmp_path / "count").read_text() == "x\n"

    def test_the_certificate_of_the_plugin_is_shown(self, tmp_path: Path, server: Echo) -> None:
        user = printing(**certificate_of(issue("client")))
        with opened(tmp_path, kubeconfig=as_file(tmp_path, config(server, user))) as connection:
            assert [ask(connection) for _request in range(2)] == [{"client": "client", "path": "/x", "login": []}] * 2

    def test_another_certificate_is_shown_once_the_first_was_refused(self, tmp_path: Path, server: Echo) -> None:
        """Threads that were refused with the first certificate do not run the plugin again."""
        for name in ("first", "second"):
            status = {"kind": "ExecCredential", "apiVersion": V1, "status": certificate_of(issue(name))}
            (tmp_path / name).write_text(json.dumps(status))
        script = "echo x >>count; if [ $(wc -l <count) -eq 1 ]; then cat first; else cat second; fi"
        user = {"exec": {"command": "sh", "args": ["-c", script], "apiVersion": V1}}
        with opened(tmp_path, kubeconfig=as_file(tmp_path, config(server, user))) as connection:
            stale = [connection.headers() for _thread in range(4)]
            assert ask(connection)["client"] == "first"
            with ThreadPoolExecutor(4) as pool:
                assert list(pool.map(connection.renew, stale)) == [True] * 4
                assert set(pool.map(lambda _n: ask(connection)["client"], range(8))) == {"second"}
            assert not connection.renew(connection.headers())
        assert (tmp_path / "count").read_text() == "x\n" * 3

    def test_an_invalid_certificate_of_the_plugin_is_reported(self, tmp_path: Path, server: Echo) -> None:
        user = printing(clientCertificateData="secret", clientKeyData="secret")
        with (
            opened(tmp_path, kubeconfig=as_file(tmp_path, config(server, user))) as connection,
            pytest.raises(ConnectError, match=r"^the certificate of login plugin 'sh' .* cannot be used: not in PEM"),
        ):
            connection.headers()


class TestConnection:
    def test_each_request_gets_its_own_headers(self, tmp_path: Path) -> None:
        for more in ({}, {"impersonate_user": "u", "impersonate_groups": ("g",)}):
            with opened(tmp_path, host="https://a", api_key="t", **more) as connection:
                first, second = connection.headers(), connection.headers()
                first["Authorization"] = "changed"
                assert second["Authorization"] == "Bearer t"
                assert not connection.renew(second)

    def test_the_pool_keeps_as_many_connections_as_there_are_threads(self, tmp_path: Path) -> None:
        with opened(tmp_path, host="https://a", api_key="t") as connection:
            assert connection.pool.connection_pool_kw["maxsize"] == 2

    def test_all_pools_are_closed_at_the_end(self, tmp_path: Path, server: Echo) -> None:
        with opened(tmp_path, kubeconfig=config(server)) as connection:
            ask(connection)
            assert len(connection.pool.pools) == 1
        assert len(connection.pool.pools) == 0

    def test_the_repr_of_the_options_hides_the_login(self) -> None:
        assert "secret" not in repr(ConnectionOptions(api_key="secret"))


class TestUnverifiedByTheEnvironment:
    """AWX's credential disables verification if no authority was pasted. The collection obeys, with a warning."""

    def warnings(self, **options: Any) -> tuple[str, ...]:
        given = {"host": "https://api.example.com:6443/", "api_key": "token", "validate_certs": False, **options}
        with connect(ConnectionOptions(**given), connections=1, temporary_directory="/nowhere") as found:
            return found.warnings

    @pytest.mark.parametrize("name", ["K8S_AUTH_VERIFY_SSL", "K8S_AUTH_VALIDATE_CERTS"])
    def test_the_warning_names_the_variable_and_the_fix(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv(name, "False")
        (said,) = self.warnings()
        assert said.startswith(
            f"the certificate of https://api.example.com:6443 is not verified, because the environment variable {name} "
        )
        assert "paste the authority into the credential" in said and "token" not in said

    def test_the_warning_names_the_variable_that_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("K8S_AUTH_VALIDATE_CERTS", "no")
        monkeypatch.setenv("K8S_AUTH_VERIFY_SSL", "True")
        assert "variable K8S_AUTH_VALIDATE_CERTS disables" in self.warnings()[0]

    @pytest.mark.parametrize(
        ("word", "options"),
        [
            *((word, {}) for word in ("True", "yes", "1", "", None)),
            ("False", {"host": "http://127.0.0.1:1"}),
            ("False", {"validate_certs": True}),
        ],
    )
    def test_an_option_alone_no_tls_or_a_verified_connection_gives_no_warning(
        self, monkeypatch: pytest.MonkeyPatch, word: str | None, options: dict[str, Any]
    ) -> None:
        monkeypatch.delenv("K8S_AUTH_VERIFY_SSL", raising=False)
        if word is not None:
            monkeypatch.setenv("K8S_AUTH_VERIFY_SSL", word)
        assert self.warnings(**options) == ()
