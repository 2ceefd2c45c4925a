# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A text is read as a host and port, equal endpoints are recognized, and invalid texts are refused."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.connections import (
    Endpoint,
    authority,
    endpoint,
)
from support.objects import raised

BRACKETS = "it is more than host and port. Write an IPv6 address in brackets, such as [::1]:5000"
NO_NAME = "the host is not a DNS name or an IP address"
LABEL = "a" * 63


class TestEndpoint:
    @pytest.mark.parametrize(
        ("text", "host", "port"),
        [
            ("quay.io", "quay.io", 443),
            ("QUAY.io", "quay.io", 443),
            ("quay.io.", "quay.io", 443),
            ("quay.io:443", "quay.io", 443),
            ("quay.io:0443", "quay.io", 443),
            ("Quay.IO.:5000", "quay.io", 5000),
            ("quay.io:1", "quay.io", 1),
            ("quay.io:65535", "quay.io", 65535),
            ("localhost", "localhost", 443),
            ("a", "a", 443),
            ("my_registry-1.example.com", "my_registry-1.example.com", 443),
            ("10.0.0.1:5000", "10.0.0.1", 5000),
            ("[::1]", "::1", 443),
            ("[::1]:5000", "::1", 5000),
            ("[2001:DB8:0::1]:443", "2001:db8::1", 443),
            (f"{LABEL}.{LABEL}.{LABEL}.{'a' * 61}", f"{LABEL}.{LABEL}.{LABEL}.{'a' * 61}", 443),
        ],
    )
    def test_endpoint_normalizes_host_and_port(self, text: str, host: str, port: int) -> None:
        assert endpoint(text) == Endpoint(host, port)

    def test_an_ipv6_address_with_a_dotted_end_equals_its_hexadecimal_form(self) -> None:
        assert endpoint("[::ffff:10.0.0.1]") == endpoint("[::ffff:a00:1]")

    def test_the_default_port_is_that_of_the_scheme(self) -> None:
        assert endpoint("a.io", "http") == Endpoint("a.io", 80)
        assert endpoint("a.io:443", "http") == endpoint("a.io")

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "there is no host"),
            (":5000", "there is no host"),
            ("[::1", BRACKETS),
            ("::1", BRACKETS),
            ("a.io:5000:1", BRACKETS),
            ("::1]", BRACKETS),
            ("[::1]5000", BRACKETS),
            ("[]", "'' is not an IPv6 address"),
            ("[a.io]", "'a.io' is not an IPv6 address"),
            ("[1:2]", "'1:2' is not an IPv6 address"),
            ("a.io:", "port '' is not a number from 1 to 65535, such as 443"),
            ("a.io:0", "port '0' is not a number from 1 to 65535, such as 443"),
            ("a.io:65536", "port '65536' is not a number from 1 to 65535, such as 443"),
            ("a.io:-1", "port '-1' is not a number from 1 to 65535, such as 443"),
            ("a.io:100000", "port '100000' is not a number from 1 to 65535, such as 443"),
            ("a.io:\u0661", "port '\u0661' is not a number from 1 to 65535, such as 443"),
            ("a.io:1\n", "port '1\\n' is not a number from 1 to 65535, such as 443"),
            (
                "bücher.example.com",
                "a host in an image name must be ASCII. Give its ASCII form, which begins with xn--",
            ),
            ("two words", NO_NAME),
            ("a.io\n", NO_NAME),
            ("a\0b", NO_NAME),
            ("a..b", NO_NAME),
            (".a", NO_NAME),
            ("a.io..", NO_NAME),
            (".", NO_NAME),
            ("-a.io", NO_NAME),
            ("a-.io", NO_NAME),
            ("a.-io", NO_NAME),
            ("a.io-", NO_NAME),
            (f"{LABEL}a.io", NO_NAME),
            (f"a.{LABEL}a", NO_NAME),
            (f"{LABEL}.{LABEL}.{LABEL}.{'a' * 62}", NO_NAME),
            ("a.io?x", NO_NAME),
            ("user@a.io", NO_NAME),
        ],
    )
    def test_an_invalid_endpoint_is_refused_with_its_reason(self, text: str, reason: str) -> None:
        assert raised(ValueError, lambda: endpoint(text)) == reason

    @pytest.mark.parametrize(
        ("found", "text"),
        [
            (Endpoint("a.io", 443), "a.io"),
            (Endpoint("a.io", 80), "a.io:80"),
            (Endpoint("::1", 443), "[::1]"),
            (Endpoint("::1", 5000), "[::1]:5000"),
        ],
    )
    def test_an_endpoint_is_written_as_in_a_url(self, found: Endpoint, text: str) -> None:
        assert str(found) == text
        assert endpoint(text) == found


class TestAuthority:
    @pytest.mark.parametrize(
        ("url", "scheme", "host"),
        [
            ("https://A.io/token?x=y", "https", "A.io"),
            ("HTTPS://a.io:443", "https", "a.io:443"),
            ("http://a.io/token", "http", "a.io"),
            ("https://alice:x@[::1]:5000/", "https", "[::1]:5000"),
        ],
    )
    def test_authority_returns_the_scheme_and_the_host_as_written(self, url: str, scheme: str, host: str) -> None:
        assert authority(url) == (scheme, host)

    @pytest.mark.parametrize("url", ["", "/token", "//a.io/token", "a.io", "ftp://a.io", "https://[x", "https://a℀b"])
    def test_a_text_that_is_not_an_http_url_of_a_host_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError):
            authority(url)

    @pytest.mark.parametrize("character", ["\0", "\t", "\n", " ", "\x7f", "\u2028"])
    def test_a_url_with_white_space_or_a_control_character_is_refused(self, character: str) -> None:
        assert (
            raised(ValueError, lambda: authority(f"https://a{character}.io/"))
            == "a URL must not contain white space or control characters"
        )

    def test_another_scheme_is_refused_with_a_reason(self) -> None:
        assert raised(ValueError, lambda: authority("ftp://a.io")) == "it is not an http or https URL"
