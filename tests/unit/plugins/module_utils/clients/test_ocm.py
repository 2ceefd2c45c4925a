# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service of OpenShift Cluster Manager: its options, its requests over TLS on 127.0.0.1, and its answers. Errors show no credential."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.exchange import HttpResponse
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.ocm import (
    API_URL,
    TOKEN_URL,
    OcmError,
    OcmOptions,
    fetch_pull_secret,
    normalize_options,
    parse_access_token,
    parse_pull_secret,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from hypothesis import given
from hypothesis import strategies as st
from support.objects import raised
from support.ocm import (
    ACCESS_TOKEN,
    API_PATH,
    CLIENT_ID,
    CLIENT_SECRET,
    OFFLINE_TOKEN,
    TOKEN_PATH,
    Ocm,
    account,
    answer,
    error,
    login,
    ocm_service,
    secrets,
)

# --- Requests go to the service and its token service over TLS on 127.0.0.1. Errors show no credential


@pytest.fixture(autouse=True)
def netrc(no_outside_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login canary-user password canary-netrc")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@pytest.fixture
def ocm(certificate: str) -> Iterator[Ocm]:
    with ocm_service(certificate) as service:
        yield service


@pytest.fixture
def offline(ocm: Ocm, certificate: str) -> OcmOptions:
    return OcmOptions(OFFLINE_TOKEN, ca_cert=certificate, timeout=10, **ocm.options)


def fetched(options: OcmOptions) -> Any:
    return json.loads(fetch_pull_secret(options, lambda token: None))


def refusal(options: OcmOptions) -> str:
    text = raised(OcmError, lambda: fetch_pull_secret(options, lambda token: None))
    assert text.isprintable()
    assert [secret for secret in secrets() if secret in text] == []
    return text


class TestSent:
    def test_an_offline_token_fetches_the_pull_secret(self, ocm: Ocm, offline: OcmOptions) -> None:
        hidden: list[str] = []
        assert json.loads(fetch_pull_secret(offline, hidden.append)) == account()
        token, secret = ocm.asked
        assert (token.path, secret.path) == (TOKEN_PATH, API_PATH)
        assert token.form == {
            "grant_type": "refresh_token",
            "client_id": "cloud-services",
            "refresh_token": OFFLINE_TOKEN,
        }
        assert token.headers["content-type"] == "application/x-www-form-urlencoded"
        assert "authorization" not in token.headers
        assert secret.headers["authorization"] == f"Bearer {ACCESS_TOKEN}"
        assert (secret.headers["content-type"], secret.body) == ("application/json", "{}")
        assert hidden == [ACCESS_TOKEN]

    def test_a_client_id_and_secret_fetch_the_pull_secret(self, ocm: Ocm, offline: OcmOptions) -> None:
        client = replace(offline, offline_token="", client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        assert fetched(client) == account()
        token = ocm.asked[0]
        assert token.form == {"grant_type": "client_credentials", "client_id": CLIENT_ID, "scope": "openid"}
        assert token.headers["authorization"] == f"Basic {login(CLIENT_ID, CLIENT_SECRET)}"

    def test_another_public_client_id_can_be_given(self, ocm: Ocm, offline: OcmOptions) -> None:
        refusal(replace(offline, client_id="console-dot"))
        assert ocm.asked[0].form["client_id"] == "console-dot"

    def test_the_url_can_have_a_path(self, ocm: Ocm, offline: OcmOptions) -> None:
        ocm.answers[f"/ocm{API_PATH}"] = answer(201, account())
        assert fetched(replace(offline, api_url=f"{offline.api_url}/ocm")) == account()

    def test_no_request_is_sent_without_a_valid_timeout(self, ocm: Ocm, offline: OcmOptions) -> None:
        with pytest.raises(OptionError, match="'ocm_timeout'"):
            fetch_pull_secret(replace(offline, timeout=0), lambda token: None)
        assert ocm.asked == []

    def test_no_request_is_sent_to_an_untrusted_server(self, ocm: Ocm, offline: OcmOptions) -> None:
        found = refusal(replace(offline, ca_cert=None))
        assert "Give the certificate of the authority that signed it: 'ocm_ca_cert: /path/to/ca.crt'" in found
        assert ocm.asked == []


class TestRefused:
    def test_a_lapsed_offline_token_is_reported(self, ocm: Ocm, offline: OcmOptions) -> None:
        found = refusal(replace(offline, offline_token="an.other.token"))
        assert found.startswith(
            f"asking {ocm.host} for an access token was answered 400 (invalid_grant: Offline user session not found). The offline "
            "token is invalid or has expired"
        )
        assert [asked.path for asked in ocm.asked] == [TOKEN_PATH]

    def test_a_wrong_client_secret_is_reported(self, offline: OcmOptions) -> None:
        found = refusal(replace(offline, offline_token="", client_id=CLIENT_ID, client_secret="wrong-secret"))
        assert "answered 401 (unauthorized_client: Invalid client or Invalid client credentials)" in found
        assert "wrong-secret" not in found

    def test_a_refused_access_token_is_reported_and_hidden(self, ocm: Ocm, offline: OcmOptions) -> None:
        ocm.answers[API_PATH] = error(401, f"Bearer token can't be verified: {ACCESS_TOKEN}")
        found = refusal(offline)
        assert found.startswith(
            f"fetching the account's pull secret from {ocm.host} was answered 401 (ACCT-MGMT-401: Bearer token can't be verified: "
            "********). The token is not valid there"
        )

    def test_an_opaque_access_token_is_hidden_in_errors(self, ocm: Ocm, offline: OcmOptions) -> None:
        ocm.answers[TOKEN_PATH] = answer(200, {"access_token": "opaque-canary"})
        ocm.answers[API_PATH] = error(401, "not opaque-canary")
        assert "(ACCT-MGMT-401: not ********)" in refusal(offline)

    @pytest.mark.parametrize("path", [TOKEN_PATH, API_PATH])
    def test_a_client_secret_is_hidden_in_errors(self, ocm: Ocm, offline: OcmOptions, path: str) -> None:
        ocm.answers[path] = error(401, f"not {CLIENT_SECRET}")
        client = replace(offline, offline_token="", client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        assert "(ACCT-MGMT-401: not ********)" in refusal(client)

    def test_a_missing_registry_account_is_reported(self, ocm: Ocm, offline: OcmOptions) -> None:
        ocm.answers[API_PATH] = error(404, "Registry account not found")
        assert "(ACCT-MGMT-404: Registry account not found). The account has no registry account" in refusal(offline)


#: More bytes than any answer of the service has.
HUGE = 2 * 1024 * 1024


@pytest.mark.parametrize("path", [TOKEN_PATH, API_PATH])
class TestHostile:
    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ((200, {}, b"<html>canary</html>"), "was answered 200 without a"),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{",
                "the connection was closed in the middle of the response",
            ),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % HUGE + b" " * HUGE,
                "the response is too large for a service",
            ),
            (b"SSH-2.0-canary\r\n", ". Check the name and the port"),
            (
                lambda asked: answer(400, {"code": "no", "reason": f"{asked.body} {asked.headers}"}),
                "answered 400 (no: ",
            ),
        ],
        ids=["no JSON", "half", "huge", "no HTTP", "the whole request"],
    )
    def test_a_hostile_answer_is_reported(
        self, ocm: Ocm, offline: OcmOptions, path: str, given: Any, words: str
    ) -> None:
        ocm.answers[path] = given
        assert words in refusal(offline)

    def test_a_missing_answer_is_reported_after_the_timeout(self, ocm: Ocm, offline: OcmOptions, path: str) -> None:
        ocm.answers[path] = ocm.hang
        started = time.monotonic()
        assert "there was no complete response in time" in refusal(replace(offline, timeout=0.5))
        assert time.monotonic() - started < 10

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_a_redirect_gets_no_credential(self, ocm: Ocm, offline: OcmOptions, path: str, status: int) -> None:
        ocm.answers[path] = (status, {"Location": f"https://{ocm.host}/stolen"}, b"")
        assert f"A redirect to {ocm.host} is not followed with a credential" in refusal(offline)
        assert "/stolen" not in [asked.path for asked in ocm.asked]


# --- The options decide who may ask and where credentials may be sent. No message repeats a given value

CANARY = "Canary77"

NONE = "there is no login: give option 'offline_token', or 'client_id' with 'client_secret'"

HALF = "without 'offline_token', give options 'client_id' and 'client_secret' together"

BOTH = "give either option 'offline_token' or 'client_secret', not both"


def option_refusal(**options: Any) -> str:
    with pytest.raises(OptionError) as error:
        normalize_options(OcmOptions(**options))
    assert CANARY not in str(error.value)
    return str(error.value)


class TestLogin:
    @pytest.mark.parametrize(
        "given",
        [
            {"offline_token": CANARY},
            {"offline_token": CANARY, "client_id": "console-dot"},
            {"client_id": "a", "client_secret": CANARY},
        ],
    )
    def test_one_login_is_enough(self, given: dict[str, Any]) -> None:
        assert normalize_options(OcmOptions(**given)) == OcmOptions(**given)

    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ({}, NONE),
            ({"offline_token": " \n"}, NONE),
            ({"offline_token": CANARY, "client_secret": "x", "client_id": "a"}, BOTH),
            ({"offline_token": CANARY, "client_secret": "x"}, BOTH),
            ({"client_id": "a"}, HALF),
            ({"client_secret": CANARY}, HALF),
        ],
    )
    def test_a_missing_half_or_double_login_is_refused(self, given: dict[str, Any], problem: str) -> None:
        assert option_refusal(**given) == (
            f"{problem}. Environment variables OCM_TOKEN, OCM_CLIENT_ID and OCM_CLIENT_SECRET also count"
        )

    @pytest.mark.parametrize("form", ["{}\n", "\r\n{}\r\n", "  {}\t"])
    def test_a_line_end_around_a_token_is_dropped(self, form: str) -> None:
        assert normalize_options(OcmOptions(form.format("a.b.c"))).offline_token == "a.b.c"

    @pytest.mark.parametrize("option", ["offline_token", "client_id", "client_secret"])
    @pytest.mark.parametrize("within", ["\n", " ", "\0", "ä", "\u2028"])
    def test_white_space_within_a_login_is_refused(self, option: str, within: str) -> None:
        assert option_refusal(**{option: f"{CANARY}{within}b"}) == (
            f"option {option!r} contains white space, a control character or a character that is not ASCII. Copy it again, as one "
            "line"
        )

    def test_a_colon_in_the_client_id_is_refused(self) -> None:
        assert option_refusal(client_id=f"a:{CANARY}", client_secret="b").startswith(
            "option 'client_id' contains a ':'"
        )

    def test_the_repr_of_the_options_hides_the_secrets(self) -> None:
        assert OcmOptions("a", "b", "").secrets == ("a",)
        assert OcmOptions("", "b", "c").secrets == ("c",)
        assert CANARY not in repr(OcmOptions(CANARY))


class TestUrls:
    def test_the_default_urls_are_those_of_red_hat(self) -> None:
        found = normalize_options(OcmOptions("a"))
        assert (found.api_url, found.token_url) == (API_URL, TOKEN_URL)
        assert found.https.words.of("{server} {prefix}timeout") == "service ocm_timeout"

    @pytest.mark.parametrize(
        ("given", "meant"),
        [
            ("https://api.example.com/", "https://api.example.com"),
            (" https://api.example.com:8443/ocm// ", "https://api.example.com:8443/ocm"),
            ("HTTPS://api.example.com", "HTTPS://api.example.com"),
        ],
    )
    def test_a_slash_at_the_end_of_the_api_is_dropped(self, given: str, meant: str) -> None:
        assert normalize_options(OcmOptions("a", api_url=given)).api_url == meant

    def test_a_slash_at_the_end_of_the_token_url_stays(self) -> None:
        assert (
            normalize_options(OcmOptions("a", token_url=" https://sso.example.com/ ")).token_url
            == "https://sso.example.com/"
        )

    @pytest.mark.parametrize("option", ["api_url", "token_url"])
    @pytest.mark.parametrize(
        "url",
        [
            "",
            "api.example.com",
            "https://",
            "ftp://a",
            f"https://user:{CANARY}@api.example.com",
            f"https://{CANARY}@api.example.com",
            f"https://user:{CANARY}/x@api.example.com",
            f"https://api.example.com?token={CANARY}",
            f"https://api.example.com/#{CANARY}",
            f"https://api.example.com:{CANARY}",
            f"https://api.example.com/{CANARY}\nx",
            "https://api.example.com/ä",
            "https://[::1",
            f"https://{CANARY} x",
        ],
    )
    def test_an_invalid_url_is_refused(self, option: str, url: str) -> None:
        assert option_refusal(**{"offline_token": "a", option: url}) == (
            f"option {option!r} is not a valid URL of a host, such as {API_URL}"
        )

    @pytest.mark.parametrize("option", ["api_url", "token_url"])
    def test_a_url_without_tls_is_refused(self, option: str) -> None:
        assert option_refusal(**{"offline_token": "a", option: "http://api.example.com"}) == (
            f"option {option!r}: only https is supported, because others can read a token that is sent without TLS: give https://"
        )


# --- Each answer has its meaning. An error quotes a code and a reason, but no credential

SECRET = "canary-token-4711"

LATER = "The service is overloaded or out of order: try again later, for example with 'until' and 'retries'"

REFUSED = (
    "The token is not valid there, or has expired: check that 'api_url' and 'token_url' belong to the same service"
)


def answered(status: int, body: Any = None, *headers: tuple[str, str]) -> HttpResponse:
    return HttpResponse(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def token_error(answer: HttpResponse, *, offline: bool = True) -> str:
    return raised(OcmError, lambda: parse_access_token("asking", answer, offline=offline, secrets=[SECRET]))


def api_error(answer: HttpResponse) -> str:
    return raised(OcmError, lambda: parse_pull_secret("fetching", answer, [SECRET]))


class TestToken:
    def test_access_token_is_read_from_the_answer(self) -> None:
        answer = answered(200, {"access_token": "a.b", "refresh_token": "c"})
        assert parse_access_token("asking", answer, offline=True, secrets=[]) == "a.b"

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>",
            b"\xff",
            b"[" * 100_000,
            [],
            None,
            {},
            {"access_token": None},
            {"access_token": ""},
            {"access_token": 1},
            {"access_token": "a\nb"},
            {"access_token": "a b"},
            {"access_token": "ä"},
        ],
    )
    def test_a_missing_access_token_is_reported(self, body: Any) -> None:
        assert token_error(answered(200, body)) == (
            "asking was answered 200 without an access token. Check 'token_url', and any proxy before the service"
        )

    @pytest.mark.parametrize("status", [400, 401])
    def test_a_refused_offline_token_is_reported_with_its_fix(self, status: int) -> None:
        body = {"error": "invalid_grant", "error_description": "Offline user session not found"}
        assert token_error(answered(status, body)) == (
            f"asking was answered {status} (invalid_grant: Offline user session not found). The offline token is invalid or has "
            "expired (it does after 30 days without use): get a new one, for example at "
            "https://console.redhat.com/openshift/token, and check that it belongs to 'token_url'"
        )

    @pytest.mark.parametrize("status", [400, 401])
    def test_a_refused_client_is_reported_with_its_fix(self, status: int) -> None:
        found = token_error(answered(status, {"error": "unauthorized_client"}), offline=False)
        assert found.startswith(
            f"asking was answered {status} (unauthorized_client). The client id or its secret is invalid: check both"
        )

    @pytest.mark.parametrize(
        ("status", "what_to_do"),
        [
            (
                403,
                "The token service gives this account no token: check whether the account is blocked, and any proxy before",
            ),
            (404, "There is no token service at this URL: check 'token_url'"),
            (429, LATER),
            (500, LATER),
            (503, LATER),
            (201, "It is not the expected service: check 'token_url'"),
            (418, "It is not the expected service: check 'token_url'"),
        ],
    )
    def test_token_errors_of_other_statuses_are_reported_with_their_fix(self, status: int, what_to_do: str) -> None:
        assert token_error(answered(status, b"<html>")).startswith(f"asking was answered {status}. {what_to_do}")


class TestPullSecret:
    @pytest.mark.parametrize("status", [200, 201])
    def test_pull_secret_is_returned_unchanged(self, status: int) -> None:
        body = b'{"auths": { "quay.io":{"auth":"dTpw"}} }'
        assert parse_pull_secret("fetching", answered(status, body), []) == body.decode()

    @pytest.mark.parametrize(
        "body",
        [b"", b"<html>", b"\xff", b'{"auths": ', [], {}, {"auths": None}, {"auths": ["x"]}, {"access_token": "x"}],
    )
    def test_a_missing_pull_secret_is_reported(self, body: Any) -> None:
        assert api_error(answered(200, body)) == (
            "fetching was answered 200 without a pull secret. Check 'api_url', and any proxy before the service"
        )

    @pytest.mark.parametrize(
        ("status", "what_to_do"),
        [
            (400, REFUSED),
            (401, REFUSED),
            (
                403,
                "The account is not allowed to have a pull secret: log in with it once at the service's console, where you",
            ),
            (
                404,
                "The account has no registry account yet, or 'api_url' is wrong: log in with it once at the service's console",
            ),
            (429, LATER),
            (500, LATER),
            (504, LATER),
            (204, "It is not the expected service: check 'api_url'"),
            (405, "It is not the expected service: check 'api_url'"),
        ],
    )
    def test_each_api_error_names_its_fix(self, status: int, what_to_do: str) -> None:
        body = {"kind": "Error", "id": str(status), "code": "ACCT-MGMT-7", "reason": "Why", "operation_id": "op"}
        assert api_error(answered(status, body)).startswith(
            f"fetching was answered {status} (ACCT-MGMT-7: Why). {what_to_do}"
        )

    @pytest.mark.parametrize(
        ("location", "target"),
        [
            (f"https://elsewhere.example.com/x?token={SECRET}", " to elsewhere.example.com"),
            (f"https://u:{SECRET}@elsewhere.example.com/", " to elsewhere.example.com"),
            ("/login", ""),
            ("", ""),
        ],
    )
    def test_a_redirect_is_not_followed(self, location: str, target: str) -> None:
        assert api_error(answered(302, b"", ("location", location))) == (
            f"fetching was answered 302. A redirect{target} is not followed with a credential: correct 'api_url'"
        )


class TestQuoted:
    @pytest.mark.parametrize(
        "reason",
        [
            SECRET,
            f"Bearer {SECRET} is not valid",
            "canary-token-47112",
            "the header was Y2FuYXJ5LXRva2VuLTQ3MTE=",
            'token "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnktdG9rZW4tNDcxMSJ9.c2lnbmF0dXJl" is not valid',
            '{"auths": {"quay.io": {"auth": "Y2FuYXJ5"}}}',
            "https://user:canary-token@example.com",
        ],
    )
    def test_a_quoted_error_holds_no_credential(self, reason: str) -> None:
        found = api_error(answered(401, {"code": "C", "reason": reason}))
        assert "********" in found
        for part in (SECRET, "Y2FuYXJ5", "canary-token", "eyJ"):
            assert part not in found

    def test_a_quoted_error_is_one_short_line(self) -> None:
        found = api_error(answered(500, {"code": "C", "reason": f"a\n\t\x1b[31mb {'x' * 300}"}))
        assert found == f"fetching was answered 500 (C: a [31mb {'x' * 189}...). {LATER}"

    @pytest.mark.parametrize(
        "body", [{"code": 1, "reason": ["x"]}, {"message": "m"}, {"code": None}, ["code"], b"text", b'{"code": "x"']
    )
    def test_an_unknown_error_body_is_not_quoted(self, body: Any) -> None:
        assert api_error(answered(500, body)) == f"fetching was answered 500. {LATER}"

    @given(st.integers(202, 599), st.binary() | st.dictionaries(st.text(), st.text() | st.none() | st.integers()))
    def test_any_answer_becomes_one_line(self, status: int, body: Any) -> None:
        for read in (token_error, api_error):
            assert read(answered(status, body)).isprintable()
