# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers of a registry and its token service prove a login, which goes only to its host. TLS on 127.0.0.1."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.proof import (
    RegistryImage,
    RegistryLogin,
    RegistryProof,
    prove_login,
    prove_pull,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.transport import (
    RegistryOptions,
    advise_realm_host,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from support.certificates import server_context, write_certificate
from support.hostile_registry import HostileRegistry, served
from support.objects import b64

DIGEST = f"sha256:{'a' * 64}"
PASSWORD = "Canary-77 ünïcode"
TOKEN = "Canary-token"
LOGIN = RegistryLogin("alice", PASSWORD)
BASIC = "Basic " + b64(f"alice:{PASSWORD}")
FORBIDDEN = (PASSWORD, TOKEN, BASIC)
RATE_LIMIT = "HOST allows no more requests for now: try again later, or with another login"

#: An answer by the first line of the request, such as `HEAD /v2/team/app/manifests/v1`.
Answers = Callable[[str, dict[str, str]], tuple[int, dict[str, str], bytes]]
Serve = Callable[[Answers], HostileRegistry]


pytestmark = pytest.mark.usefixtures("no_outside_settings")


def read(request: bytes) -> tuple[str, dict[str, str]]:
    lines = request.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    return lines[0].removesuffix(" HTTP/1.1"), dict(line.split(": ", 1) for line in lines[1:])


@pytest.fixture
def serve(certificate: str) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(answers: Answers) -> HostileRegistry:
            def script(server: HostileRegistry) -> Iterable[bytes]:
                status, headers, body = answers(*read(server.requests[-1]))
                head = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items())]
                yield "\r\n".join([*head, f"Content-Length: {len(body)}", "Connection: close", "", ""]).encode()
                yield body

            return stack.enter_context(served(script, server_context(certificate)))

        yield start


@pytest.fixture
def proof(certificate: str) -> Callable[..., RegistryProof]:
    def call(host: str, login: RegistryLogin | None = LOGIN, **more: Any) -> RegistryProof:
        realm_hosts, is_named = more.pop("realm_hosts", ()), more.pop("is_named", True)
        insecure = more.pop("is_insecure", False)
        options = RegistryOptions(host, **{"ca_cert": certificate, "timeout": 2.0, **more})
        wanted = RegistryImage(host, "team/app", "v1")
        found = prove_pull(options, wanted, login, realm_hosts, is_named=is_named, is_insecure=insecure)
        assert not any(secret in str(found) for secret in FORBIDDEN)
        assert found.said.isprintable()
        return found

    return call


def registry(realm: str, *, manifest: int = 200, token: int = 200, body: Any = None) -> Answers:
    """A registry with a token service. `realm` is the service's URL, where `self` means the registry's host."""

    def answers(line: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if "/manifests/" not in line:
            content = {"token": TOKEN} if body is None else body
            return token, {}, content if isinstance(content, bytes) else json.dumps(content).encode()
        if headers.get("Authorization") == f"Bearer {TOKEN}":
            return manifest, {"Docker-Content-Digest": DIGEST}, b""
        where = realm.replace("self", headers["Host"])
        return 401, {"WWW-Authenticate": f'Bearer realm="{where}",service="s"'}, b""

    return answers


class TestToken:
    def test_a_returned_manifest_is_the_proof(self, serve: Serve, proof: Any) -> None:
        server = serve(registry("https://self/token"))
        found = proof(server.host)
        assert (found.outcome, found.digest, found.realm_host) == ("pulls", DIGEST, server.host)
        lines = [read(request) for request in server.requests]
        assert [line for line, _headers in lines] == [
            "HEAD /v2/team/app/manifests/v1",
            "GET /token?service=s&scope=repository%3Ateam%2Fapp%3Apull",
            "HEAD /v2/team/app/manifests/v1",
        ]
        assert [headers.get("Authorization") for _line, headers in lines] == [None, BASIC, f"Bearer {TOKEN}"]

    def test_a_realm_can_be_a_path_with_a_query(self, serve: Serve, proof: Any) -> None:
        server = serve(registry("/token?a=b"))
        assert proof(server.host).outcome == "pulls"
        assert read(server.requests[1])[0].startswith("GET /token?a=b&service=s&scope=")

    @pytest.mark.parametrize(
        ("manifest", "outcome"), [(401, "no_right"), (403, "no_right"), (404, "not_found"), (429, "rate_limited")]
    )
    def test_a_token_alone_proves_nothing(self, serve: Serve, proof: Any, manifest: int, outcome: str) -> None:
        assert proof(serve(registry("https://self/token", manifest=manifest)).host).outcome == outcome

    @pytest.mark.parametrize("status", [400, 401, 403])
    def test_a_login_that_the_token_service_refuses_is_bad(self, serve: Serve, proof: Any, status: int) -> None:
        host = serve(registry("https://self/token", token=status)).host
        assert proof(host).outcome == "bad_login"
        assert proof(host, None).outcome == "no_login"

    @pytest.mark.parametrize(
        ("answer", "outcome", "words"),
        [
            ({"token": 429}, "rate_limited", ""),
            ({"token": 503}, "unanswered", "was answered 503"),
            ({"body": b" " * 100_000}, "unanswered", "too large for a registry"),
        ],
        ids=["limited", "out of order", "overlong"],
    )
    def test_an_answer_of_the_token_service_that_says_nothing_of_the_login_has_its_outcome(
        self, serve: Serve, proof: Any, answer: Any, outcome: str, words: str
    ) -> None:
        found = proof(serve(registry("https://self/token", **answer)).host)
        assert (found.outcome, words in found.said) == (outcome, True)

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"[]", b"null", b"\xff", b"[" * 20_000, {"token": None}, {"token": 1}, {"token": ""},
         {"token": "a\r\nX: y"}, {"token": "\ud800"}, {"access_token": ["x"]},
         {"token": "", "access_token": ""}],
    )  # fmt: skip
    def test_an_answer_without_a_token_is_unanswered(self, serve: Serve, proof: Any, body: Any) -> None:
        found = proof(serve(registry("https://self/token", body=body)).host)
        assert (found.outcome, "without a token" in found.said) == ("unanswered", True)

    def test_a_token_can_be_named_access_token(self, serve: Serve, proof: Any) -> None:
        assert proof(serve(registry("https://self/token", body={"access_token": TOKEN})).host).outcome == "pulls"


class TestWhoGetsTheLogin:
    def test_the_login_is_not_sent_to_another_host_unless_an_option_names_it(self, serve: Serve, proof: Any) -> None:
        elsewhere = serve(registry("unused"))
        host = serve(registry(f"https://{elsewhere.host}/token")).host
        found = proof(host)
        assert found.outcome == "not_sent"
        assert (
            f"sent to {elsewhere.host}, another host. Nothing was sent. {advise_realm_host(elsewhere.host)}"
            in found.said
        )
        assert elsewhere.requests == []
        assert proof(host, realm_hosts=[elsewhere.host]).outcome == "pulls"

    def test_another_host_is_not_contacted_without_a_login_unless_an_option_names_it(
        self, serve: Serve, proof: Any
    ) -> None:
        """A request reveals its sender's host: a registry must not choose the addresses that the controller fetches."""
        elsewhere = serve(registry("unused"))
        host = serve(registry(f"https://{elsewhere.host}/token")).host
        refused = proof(host, None)
        assert (refused.outcome, refused.realm_host) == ("not_sent", elsewhere.host)
        assert elsewhere.requests == []
        assert proof(host, None, realm_hosts=[elsewhere.host]).outcome == "pulls"
        assert "Authorization" not in read(elsewhere.requests[0])[1]

    @pytest.mark.parametrize("login", [LOGIN, None])
    def test_a_token_service_without_tls_is_never_contacted(
        self, serve: Serve, proof: Any, login: RegistryLogin | None
    ) -> None:
        server = serve(registry("http://self/token"))
        found = proof(server.host, login, realm_hosts=["127.0.0.1", server.host])
        assert len(server.requests) == 1
        assert (found.outcome, "without TLS" in found.said) == ("not_sent", True)

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_no_redirect_is_followed(self, serve: Serve, proof: Any, status: int) -> None:
        elsewhere = serve(registry("unused"))
        where = {"Location": f"https://{elsewhere.host}/v2/team/app/manifests/v1?signature={TOKEN}"}
        found = proof(serve(lambda _line, _headers: (status, where, b"")).host)
        assert (found.outcome, f"was answered {status}, a redirect to {elsewhere.host}. It is not" in found.said) == (
            "unanswered",
            True,
        )
        assert elsewhere.requests == []

    def test_a_redirect_of_the_token_service_is_not_followed(self, serve: Serve, proof: Any) -> None:
        elsewhere = serve(registry("unused"))

        def answers(line: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
            if line.startswith("GET /token"):
                return 307, {"Location": f"https://{elsewhere.host}/token"}, b""
            return registry("https://self/token")(line, headers)

        found = proof(serve(answers).host)
        assert (found.outcome, f"a redirect to {elsewhere.host}. It is not followed" in found.said) == (
            "unanswered",
            True,
        )
        assert elsewhere.requests == []

    @pytest.mark.parametrize("login", [None, RegistryLogin("", "x"), RegistryLogin("x", "")])
    def test_half_a_login_counts_as_no_login(self, serve: Serve, proof: Any, login: RegistryLogin | None) -> None:
        server = serve(registry("https://self/token", manifest=401))
        assert proof(server.host, login).outcome == "no_login"
        assert "Authorization" not in read(server.requests[1])[1]

    def test_a_user_in_the_realm_does_not_replace_the_login(self, serve: Serve, proof: Any) -> None:
        server = serve(lambda line, headers: registry(f"https://mallory:pw@{headers['Host']}/token")(line, headers))
        assert proof(server.host).outcome == "pulls"
        assert read(server.requests[1])[1]["Authorization"] == BASIC
        assert proof(server.host, None).outcome == "pulls"
        assert "Authorization" not in read(server.requests[4])[1]

    @pytest.mark.parametrize("realm", ["/token\r\n X: y", "/token\\\r\n\tX: y", "/to ken", "https://self/\r\n X: y"])
    def test_a_realm_cannot_add_a_header(self, serve: Serve, proof: Any, realm: str) -> None:
        server = serve(registry(realm))
        assert proof(server.host).outcome == "unanswered"
        assert len(server.requests) == 1

    def test_a_service_cannot_add_a_header(self, serve: Serve, proof: Any) -> None:
        def answers(line: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
            status, found, body = registry("https://self/token")(line, headers)
            return (
                status,
                {
                    **found,
                    **(
                        {"WWW-Authenticate": 'Bearer realm="/token",service="a&b=c d\r\n X: y"'}
                        if status == 401
                        else {}
                    ),
                },
                body,
            )

        server = serve(answers)
        assert proof(server.host).outcome == "pulls"
        line, headers = read(server.requests[1])
        assert re.fullmatch(
            r"GET /token\?service=a%26b%3Dc\+d[%0DA+]*X%3A\+y&scope=repository%3Ateam%2Fapp%3Apull", line
        )
        assert "X" not in headers

    def test_the_repr_of_a_login_hides_the_password(self) -> None:
        assert PASSWORD not in repr(LOGIN)


class TestWhereARegistryIs:
    """A registry named only by the cluster is not contacted at an address that only the task's host can reach."""

    @pytest.mark.parametrize("login", [LOGIN, None])
    def test_a_registry_on_loopback_is_not_contacted(
        self, serve: Serve, proof: Any, login: RegistryLogin | None
    ) -> None:
        server = serve(registry("https://self/token"))
        found = proof(server.host, login, is_named=False)
        assert found.outcome == "not_sent"
        assert found.said == (
            f"asking registry {server.host} for the manifest of {server.host}/team/app:v1 was not attempted: the server is at a loopback address, "
            f"where only hosts that an option names are contacted. {advise_realm_host(server.host)}"
        )
        assert server.requests == []

    @pytest.mark.parametrize(
        "host",
        ["localhost", "127.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]", "a.localhost", "0.0.0.0"],
    )
    def test_a_registry_on_loopback_is_not_contacted_in_any_form_of_its_address(
        self, serve: Serve, proof: Any, host: str
    ) -> None:
        server = serve(registry("https://self/token"))
        port = server.host.rpartition(":")[2]
        assert proof(f"{host}:{port}", is_named=False).outcome == "not_sent"
        assert server.requests == []

    def test_a_registry_at_an_inside_address_is_not_contacted_by_a_proxy(
        self, serve: Serve, proof: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = serve(registry("https://self/token"))
        monkeypatch.setenv("https_proxy", f"http://{server.host}")
        assert proof("169.254.169.254", is_named=False).outcome == "not_sent"
        assert server.requests == []

    def test_a_registry_on_loopback_is_contacted_if_an_option_names_it(self, serve: Serve, proof: Any) -> None:
        server = serve(registry("https://self/token"))
        assert proof(server.host, is_named=False, realm_hosts=[server.host]).outcome == "pulls"

    def test_a_named_registry_does_not_name_its_realm(self, serve: Serve, proof: Any) -> None:
        elsewhere = serve(registry("unused"))
        assert proof(serve(registry(f"https://{elsewhere.host}/token")).host, None, is_named=True).outcome == "not_sent"
        assert elsewhere.requests == []


def basic(*, right: int = 200) -> Answers:
    def answers(_line: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if headers.get("Authorization") == BASIC:
            return right, {}, b""
        return 401, {"WWW-Authenticate": 'Basic realm="r"'}, b""

    return answers


class TestBasic:
    def test_each_answer_to_a_basic_login_has_its_outcome(self, serve: Serve, proof: Any) -> None:
        host = serve(basic()).host
        assert proof(host).outcome == "pulls"
        assert proof(host, RegistryLogin("alice", "wrong")).outcome == "bad_login"
        assert proof(host, None).outcome == "no_login"
        assert proof(serve(basic(right=403)).host).outcome == "no_right"


class TestWithoutLogin:
    def test_an_open_registry_is_asked_once(self, serve: Serve, proof: Any) -> None:
        server = serve(lambda _line, _headers: (200, {}, b""))
        assert proof(server.host).outcome == "pulls"
        assert len(server.requests) == 1

    @pytest.mark.parametrize(("status", "outcome"), [(404, "not_found"), (429, "rate_limited"), (500, "unanswered")])
    def test_answers_other_than_success_have_their_outcome_without_a_login(
        self, serve: Serve, proof: Any, status: int, outcome: str
    ) -> None:
        assert proof(serve(lambda _line, _headers: (status, {}, b"")).host).outcome == outcome

    def test_a_registry_without_head_support_is_asked_with_get(self, serve: Serve, proof: Any) -> None:
        server = serve(lambda line, _headers: (405 if line.startswith("HEAD") else 200, {}, b""))
        assert proof(server.host).outcome == "pulls"

    @pytest.mark.parametrize("challenge", ["", "Negotiate", 'Bearer realm="ftp://x"'])
    def test_a_challenge_that_no_node_can_meet_is_unanswered(self, serve: Serve, proof: Any, challenge: str) -> None:
        found = proof(serve(lambda _line, _headers: (401, {"WWW-Authenticate": challenge}, b"")).host)
        assert (found.outcome, "login challenge" in found.said) == ("unanswered", True)


def test_an_impossible_timeout_is_refused_before_any_request(proof: Any) -> None:
    with pytest.raises(OptionError):
        proof("127.0.0.1:1", timeout=0.0)


class TestWithoutTag:
    def test_the_tags_of_a_repository_need_the_same_right(self, serve: Serve, certificate: str) -> None:
        server = serve(tags)
        options = RegistryOptions(server.host, ca_cert=certificate, timeout=20.0)
        assert prove_pull(options, RegistryImage(server.host, "team/app"), LOGIN, is_named=True).outcome == "pulls"
        assert [read(request)[0] for request in server.requests] == [
            "GET /v2/team/app/tags/list?n=1",
            "GET /token?service=s&scope=repository%3Ateam%2Fapp%3Apull",
            "GET /v2/team/app/tags/list?n=1",
        ]


def tags(line: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """A registry with a token service, for every kind of request."""
    if line.startswith("GET /token"):
        return (
            (200, {}, json.dumps({"token": TOKEN}).encode())
            if headers.get("Authorization") == BASIC
            else (401, {}, b"")
        )
    if headers.get("Authorization") == f"Bearer {TOKEN}":
        return 200, {}, b""
    return 401, {"WWW-Authenticate": f'Bearer realm="https://{headers["Host"]}/token",service="s"'}, b""


class TestLoginAlone:
    @pytest.mark.parametrize("answers", [tags, basic()], ids=["token", "basic"])
    def test_a_login_alone_is_accepted_or_refused(self, serve: Serve, certificate: str, answers: Answers) -> None:
        server = serve(answers)
        options = RegistryOptions(server.host, ca_cert=certificate, timeout=20.0)
        right = prove_login(options, server.host, LOGIN, is_named=True)
        assert (right.outcome, right.realm_host) == ("logs_in", server.host)
        assert prove_login(options, server.host, RegistryLogin("alice", "wrong"), is_named=True).outcome == "bad_login"
        assert all("scope" not in read(request)[0] for request in server.requests)

    def test_a_token_without_a_scope_that_the_registry_refuses_still_logs_in(
        self, serve: Serve, certificate: str
    ) -> None:
        """The token service has checked the login. The registry's answer to a token without a scope adds nothing."""

        def answers(line: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
            status, found, body = tags(line, headers)
            return (403, {}, b"") if "Bearer" in headers.get("Authorization", "") else (status, found, body)

        server = serve(answers)
        options = RegistryOptions(server.host, ca_cert=certificate, timeout=20.0)
        assert prove_login(options, server.host, LOGIN, is_named=True).outcome == "logs_in"

    def test_a_registry_without_authentication_accepts_any_login(self, serve: Serve, certificate: str) -> None:
        server = serve(lambda _line, _headers: (200, {}, b""))
        found = prove_login(
            RegistryOptions(server.host, ca_cert=certificate, timeout=20.0), server.host, LOGIN, is_named=True
        )
        assert (found.outcome, "requires no login" in found.said) == ("logs_in", True)


def test_an_image_by_digest_is_written_as_one() -> None:
    assert str(RegistryImage("h", "a/b", "sha256:1")) == "h/a/b@sha256:1"
    assert str(RegistryImage("h", "a/b", "v1")) == "h/a/b:v1"


class TestEachHasItsOwnSentence:
    """Each obstacle between a login and an image has its own message."""

    @pytest.fixture
    def said(self, serve: Serve, proof: Any) -> Callable[..., str]:
        def call(answers: Answers, login: RegistryLogin = LOGIN, **more: Any) -> str:
            host = serve(answers).host
            found: str = proof(host, login, **more).said
            return found.replace(host, "HOST")

        return call

    def test_a_wrong_password_has_its_own_sentence(self, said: Any) -> None:
        assert said(basic(), RegistryLogin("alice", "wrong")) == "registry HOST refuses the login"

    @pytest.mark.parametrize(
        ("statuses", "sentence"),
        [
            ({"token": 401}, "HOST refuses the login"),
            ({"manifest": 403}, "the login works, but has no right to pull HOST/team/app:v1"),
            ({"manifest": 404}, "registry HOST has no HOST/team/app:v1, or hides it"),
            ({"manifest": 429}, RATE_LIMIT),
            ({"token": 429}, RATE_LIMIT),
        ],
        ids=str,
    )
    def test_each_status_has_its_own_sentence(self, said: Any, statuses: dict[str, int], sentence: str) -> None:
        assert said(registry("https://self/token", **statuses)) == sentence

    @pytest.mark.parametrize("host", ["q.io:99999", "q io", "", "[::1", "\ud800.example.com", "q.io\x1b[31m", "*.q.io"])
    def test_an_invalid_registry_host_has_its_own_sentence(self, certificate: str, host: str) -> None:
        found = prove_pull(RegistryOptions(host, ca_cert=certificate, timeout=20.0), RegistryImage(host), LOGIN)
        assert (found.outcome, "is not a valid host of a registry" in found.said) == ("unanswered", True)
        assert found.said.isprintable()


class TestInsecure:
    """For a registry in the cluster's list of insecure registries, only its own certificate is not verified."""

    @pytest.fixture
    def other_authority(self, tmp_path: Any) -> str:
        return write_certificate(tmp_path / "other.pem")

    @pytest.mark.parametrize("is_insecure", [True, False])
    def test_the_certificate_of_an_insecure_registry_is_not_verified(
        self, serve: Serve, proof: Any, other_authority: str, is_insecure: bool
    ) -> None:
        server = serve(registry("https://self/token"))
        found = proof(server.host, ca_cert=other_authority, is_insecure=is_insecure)
        assert found.outcome == ("pulls" if is_insecure else "unanswered")
        assert bool(server.requests) is is_insecure, "nothing is sent before the certificate is known"
        assert (BASIC in str([read(request) for request in server.requests])) is is_insecure

    def test_the_certificate_of_a_proxy_is_verified_for_an_insecure_registry(
        self, serve: Serve, proof: Any, other_authority: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The proxy's login goes to no other server, even if the cluster lists the registry as insecure."""
        proxy = serve(lambda _server: [b"HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n"])
        for name in ("https_proxy", "http_proxy"):
            monkeypatch.setenv(name, f"https://user:password@{proxy.host}")
        monkeypatch.setenv("no_proxy", "")
        found = proof("registry.example.com", None, ca_cert=other_authority, is_insecure=True)
        assert found.outcome == "unanswered"
        assert [read(request) for request in proxy.requests if request] == []

    def test_the_certificate_of_another_host_is_verified_for_an_insecure_registry(
        self, serve: Serve, proof: Any, other_authority: str
    ) -> None:
        service = serve(registry("https://self/token"))
        server = serve(registry(f"https://{service.host}/token"))
        found = proof(server.host, ca_cert=other_authority, is_insecure=True, realm_hosts=[service.host])
        assert found.outcome == "unanswered"
        assert service.requests == []

    @pytest.mark.parametrize(
        ("status", "login", "outcome"),
        [
            (200, LOGIN, "pulls"),
            (200, None, "pulls"),
            (401, LOGIN, "not_sent"),
            (404, LOGIN, "not_sent"),
            (401, None, "no_login"),
            (404, None, "not_found"),
        ],
    )
    def test_an_insecure_registry_without_tls_gets_no_login(
        self, proof: Any, status: int, login: RegistryLogin | None, outcome: str
    ) -> None:
        def script(_server: HostileRegistry) -> Iterable[bytes]:
            challenge = 'WWW-Authenticate: Basic realm="r"\r\n' if status == 401 else ""
            yield f"HTTP/1.1 {status} X\r\n{challenge}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()

        with served(script, None) as server:
            found = proof(server.host, login, is_insecure=True)
            assert found.outcome == outcome
            assert "Nothing was sent" not in found.said or "without TLS" in found.said
            assert not any(b"uthorization" in request for request in server.requests)

    def test_a_registry_without_tls_is_not_contacted_unless_it_is_listed_as_insecure(self, proof: Any) -> None:
        with served(lambda _server: [b"HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n"], None) as server:
            assert proof(server.host, None).outcome == "unanswered"
            assert not any(b"HTTP/1.1" in request for request in server.requests)

    def test_an_unreachable_insecure_registry_is_reported_with_the_tls_failure(self, proof: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            host = f"127.0.0.1:{listener.getsockname()[1]}"
        found = proof(host, is_insecure=True)
        assert (found.outcome, found.said) == (proof(host).outcome, proof(host).said)

    @pytest.mark.parametrize("is_insecure", [True, False])
    def test_an_inside_address_is_not_contacted_for_an_insecure_registry(self, proof: Any, is_insecure: bool) -> None:
        with served(lambda _server: [b"HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n"], None) as server:
            assert proof(server.host, is_named=False, is_insecure=is_insecure).outcome == "not_sent"
            assert server.requests == []
