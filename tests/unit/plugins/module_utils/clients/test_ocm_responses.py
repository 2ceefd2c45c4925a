# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each answer has its meaning. An error quotes a code and a reason, but no credential."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.exchange import HttpResponse
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.ocm import (
    OcmError,
    parse_access_token,
    parse_pull_secret,
)
from hypothesis import given
from hypothesis import strategies as st
from support.objects import raised

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
