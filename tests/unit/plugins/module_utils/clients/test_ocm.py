# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests go to the service and its token service over TLS on 127.0.0.1. Errors show no credential."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.ocm import (
    OcmError,
    OcmOptions,
    fetch_pull_secret,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
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


@pytest.mark.parametrize("path", [TOKEN_PATH, API_PATH])
class TestHostile:
    def test_an_answer_that_is_not_json_is_reported(self, ocm: Ocm, offline: OcmOptions, path: str) -> None:
        ocm.answers[path] = (200, {}, b"<html>canary</html>")
        assert "was answered 200 without a" in refusal(offline)

    def test_a_half_answer_is_reported(self, ocm: Ocm, offline: OcmOptions, path: str) -> None:
        ocm.answers[path] = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"
        assert "the connection was closed in the middle of the response" in refusal(offline)

    def test_a_missing_answer_is_reported_after_the_timeout(self, ocm: Ocm, offline: OcmOptions, path: str) -> None:
        ocm.answers[path] = ocm.hang
        started = time.monotonic()
        assert "there was no complete response in time" in refusal(replace(offline, timeout=0.5))
        assert time.monotonic() - started < 10

    def test_a_huge_answer_is_refused(self, ocm: Ocm, offline: OcmOptions, path: str) -> None:
        size = 2 * 1024 * 1024
        ocm.answers[path] = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b" " * size
        assert "the response is too large for a service" in refusal(offline)

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_a_redirect_gets_no_credential(self, ocm: Ocm, offline: OcmOptions, path: str, status: int) -> None:
        ocm.answers[path] = (status, {"Location": f"https://{ocm.host}/stolen"}, b"")
        assert f"A redirect to {ocm.host} is not followed with a credential" in refusal(offline)
        assert "/stolen" not in [asked.path for asked in ocm.asked]

    def test_an_answer_that_is_not_http_is_reported(self, ocm: Ocm, offline: OcmOptions, path: str) -> None:
        ocm.answers[path] = b"SSH-2.0-canary\r\n"
        assert ". Check the name and the port" in refusal(offline)

    def test_an_error_that_repeats_the_whole_request_is_reported(
        self, ocm: Ocm, offline: OcmOptions, path: str
    ) -> None:
        ocm.answers[path] = lambda asked: answer(400, {"code": "no", "reason": f"{asked.body} {asked.headers}"})
        assert "answered 400 (no: " in refusal(offline)
