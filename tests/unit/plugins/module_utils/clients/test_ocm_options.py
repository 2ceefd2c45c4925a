# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options decide who may ask and where credentials may be sent. No message repeats a given value."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.ocm import (
    API_URL,
    TOKEN_URL,
    OcmOptions,
    normalize_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError

CANARY = "Canary77"
NONE = "there is no login: give option 'offline_token', or 'client_id' with 'client_secret'"
HALF = "without 'offline_token', give options 'client_id' and 'client_secret' together"
BOTH = "give either option 'offline_token' or 'client_secret', not both"


def refusal(**options: Any) -> str:
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
        assert refusal(**given) == (
            f"{problem}. Environment variables OCM_TOKEN, OCM_CLIENT_ID and OCM_CLIENT_SECRET also count"
        )

    @pytest.mark.parametrize("form", ["{}\n", "\r\n{}\r\n", "  {}\t"])
    def test_a_line_end_around_a_token_is_dropped(self, form: str) -> None:
        assert normalize_options(OcmOptions(form.format("a.b.c"))).offline_token == "a.b.c"

    @pytest.mark.parametrize("option", ["offline_token", "client_id", "client_secret"])
    @pytest.mark.parametrize("within", ["\n", " ", "\0", "ä", "\u2028"])
    def test_white_space_within_a_login_is_refused(self, option: str, within: str) -> None:
        assert refusal(**{option: f"{CANARY}{within}b"}) == (
            f"option {option!r} contains white space, a control character or a character that is not ASCII. Copy it again, as one "
            "line"
        )

    def test_a_colon_in_the_client_id_is_refused(self) -> None:
        assert refusal(client_id=f"a:{CANARY}", client_secret="b").startswith("option 'client_id' contains a ':'")

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
        assert refusal(**{"offline_token": "a", option: url}) == (
            f"option {option!r} is not a valid URL of a host, such as {API_URL}"
        )

    @pytest.mark.parametrize("option", ["api_url", "token_url"])
    def test_a_url_without_tls_is_refused(self, option: str) -> None:
        assert refusal(**{"offline_token": "a", option: "http://api.example.com"}) == (
            f"option {option!r}: only https is supported, because others can read a token that is sent without TLS: give https://"
        )
