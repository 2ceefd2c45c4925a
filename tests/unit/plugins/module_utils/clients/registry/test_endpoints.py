# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host and port a text means, which two mean the same place, and what is refused."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.endpoints import (
    Endpoint,
    endpoint,
    option_host,
    url_host,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.registry_keys import same_path
from hypothesis import given
from hypothesis import strategies as st

BRACKETS = "it is more than host and port; an IPv6 address stands in brackets, such as [::1]:5000"
NO_NAME = "the host is not a DNS name or an IP address"
HUB = Endpoint("registry-1.docker.io", 443)
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
    def test_one_spelling_for_each_place(self, text: str, host: str, port: int) -> None:
        assert endpoint(text) == Endpoint(host, port)

    def test_an_ipv6_address_with_a_dotted_end(self) -> None:
        assert endpoint("[::ffff:10.0.0.1]") == endpoint("[::ffff:a00:1]")

    @pytest.mark.parametrize("name", ["docker.io", "index.docker.io", "registry-1.docker.io"])
    @pytest.mark.parametrize("form", ["{}", "{}:443", "{}."])
    def test_docker_hub_is_one_place(self, name: str, form: str) -> None:
        assert endpoint(form.format(name)) == HUB
        assert endpoint(form.format(name.upper())) == HUB
        assert same_path(name) == "docker.io", "the same names are Docker Hub's as in auth files"

    @pytest.mark.parametrize("text", ["docker.io:5000", "auth.docker.io", "hub.docker.com", "docker.io.example.com"])
    def test_what_is_not_docker_hubs_registry(self, text: str) -> None:
        assert endpoint(text).host == text.partition(":")[0]

    def test_the_default_port_is_that_of_the_scheme(self) -> None:
        assert endpoint("a.io", "http") == Endpoint("a.io", 80)
        assert endpoint("a.io:443", "http") == endpoint("a.io")
        assert endpoint("docker.io", "http") == Endpoint("docker.io", 80)

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
            ("a.io:", "port '' is not a number from 1 to 65535"),
            ("a.io:0", "port '0' is not a number from 1 to 65535"),
            ("a.io:65536", "port '65536' is not a number from 1 to 65535"),
            ("a.io:-1", "port '-1' is not a number from 1 to 65535"),
            ("a.io:100000", "port '100000' is not a number from 1 to 65535"),
            ("a.io:\u0661", "port '\u0661' is not a number from 1 to 65535"),
            ("a.io:1\n", "port '1\\n' is not a number from 1 to 65535"),
            ("bücher.example.com", "a host in an image name is ASCII; give its ASCII form, which begins with xn--"),
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
    def test_refuses(self, text: str, reason: str) -> None:
        with pytest.raises(ValueError) as error:
            endpoint(text)
        assert str(error.value) == reason

    @pytest.mark.parametrize(
        ("found", "text"),
        [
            (Endpoint("a.io", 443), "a.io"),
            (Endpoint("a.io", 80), "a.io:80"),
            (Endpoint("::1", 443), "[::1]"),
            (Endpoint("::1", 5000), "[::1]:5000"),
        ],
    )
    def test_as_text_in_a_url(self, found: Endpoint, text: str) -> None:
        assert str(found) == text
        assert endpoint(text) == found


class TestOptionHost:
    @pytest.mark.parametrize(
        ("text", "host"),
        [
            ("A.io", "A.io"),
            (" a.io:5000 ", "a.io:5000"),
            ("https://a.io", "a.io"),
            ("HTTPS://a.io/", "a.io"),
            ("a.io/team/app:v1", "a.io"),
            ("https://a.io:5000/v2/", "a.io:5000"),
            ("a.io:5000/app@sha256:0123456789abcdefABCDEF", "a.io:5000"),
            ("a.io/app:v1@sha384:00", "a.io"),
            ("a.io/app@sha512:00", "a.io"),
            ("[::1]:5000/app", "[::1]:5000"),
        ],
    )
    def test_is_what_stands_before_the_path(self, text: str, host: str) -> None:
        assert option_host("registry", text) == host

    @pytest.mark.parametrize("scheme", ["http", "HTTP", "docker", "ftp", ""])
    def test_another_scheme(self, scheme: str) -> None:
        with pytest.raises(OptionError) as error:
            option_host("realm_host", f"{scheme}://a.io")
        assert str(error.value) == (
            "option 'realm_host': only https is supported, since others can read a login that is sent without TLS; give "
            "host[:port] without a scheme"
        )

    @pytest.mark.parametrize(
        "text",
        [
            "alice:{}@a.io",
            "https://alice:{}@a.io",
            "alice:{}/with-a-slash@a.io",
            "alice:{}@sha256:00@a.io",
            "alice:1/{}@a.io",
        ],
    )
    def test_a_login_is_refused_and_never_shown(self, text: str) -> None:
        with pytest.raises(OptionError) as error:
            option_host("registry", text.format("Canary"))
        assert str(error.value) == "option 'registry': give host[:port] without a user or password, such as 'a.io'"

    @pytest.mark.parametrize("text", ["alice:Canary@sha1:00", "alice:Canary@sha256:0g", "alice:Canary@sha256:"])
    def test_only_a_digest_is_a_digest(self, text: str) -> None:
        with pytest.raises(OptionError, match="without a user or password") as error:
            option_host("registry", text)
        assert "Canary" not in str(error.value)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "option 'registry': '' does not begin with host[:port]: there is no host"),
            ("https:///team", "option 'registry': '/team' does not begin with host[:port]: there is no host"),
            ("a b/team", f"option 'registry': 'a b/team' does not begin with host[:port]: {NO_NAME}"),
        ],
    )
    def test_no_host(self, text: str, message: str) -> None:
        with pytest.raises(OptionError) as error:
            option_host("registry", text)
        assert str(error.value) == message

    @given(st.text() | st.text("a.:/@[]1 \n"))
    def test_anything_is_a_host_or_refused(self, text: str) -> None:
        try:
            endpoint(option_host("registry", text))
        except OptionError as error:
            assert str(error).isprintable()


class TestUrlHost:
    @pytest.mark.parametrize(
        ("url", "host", "found"),
        [
            ("https://A.io/token?x=y", "A.io", Endpoint("a.io", 443)),
            ("HTTPS://a.io:443", "a.io:443", Endpoint("a.io", 443)),
            ("http://a.io/token", "a.io", Endpoint("a.io", 80)),
            ("https://alice:x@[::1]:5000/", "[::1]:5000", Endpoint("::1", 5000)),
        ],
    )
    def test_the_host_as_it_stands_and_what_it_means(self, url: str, host: str, found: Endpoint) -> None:
        assert url_host(url) == (host, found)

    @pytest.mark.parametrize(
        "url",
        ["", "/token", "//a.io/token", "a.io", "ftp://a.io", "https://", "https:///token", "https://[x", "https://a℀b"],
    )
    def test_what_is_no_url_of_a_host(self, url: str) -> None:
        with pytest.raises(ValueError):
            url_host(url)

    @pytest.mark.parametrize("character", ["\0", "\t", "\n", " ", "\x7f", "\u2028"])
    def test_what_urlsplit_would_drop_is_refused(self, character: str) -> None:
        with pytest.raises(ValueError) as error:
            url_host(f"https://a{character}.io/")
        assert str(error.value) == "a URL holds no white space or control character"

    def test_another_scheme_has_a_reason(self) -> None:
        with pytest.raises(ValueError) as error:
            url_host("ftp://a.io")
        assert str(error.value) == "it is no http or https URL"
