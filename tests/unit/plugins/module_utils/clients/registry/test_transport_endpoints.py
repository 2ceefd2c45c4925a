# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A text is read as the host and port of a registry, equal registries are recognized, and invalid texts are refused."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.connections import Endpoint
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.transport import (
    is_token_service_of,
    option_host,
    registry_endpoint,
    url_host,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.registry_keys import same_path
from hypothesis import given
from hypothesis import strategies as st
from support.objects import raised

NO_NAME = "the host is not a DNS name or an IP address"
HUB = Endpoint("registry-1.docker.io", 443)


class TestEndpoint:
    """The tests of clients/https cover the validity of a host."""

    @pytest.mark.parametrize("name", ["docker.io", "index.docker.io", "registry-1.docker.io"])
    @pytest.mark.parametrize("form", ["{}", "{}:443", "{}."])
    def test_all_names_of_docker_hub_are_one_endpoint(self, name: str, form: str) -> None:
        assert registry_endpoint(form.format(name)) == HUB
        assert registry_endpoint(form.format(name.upper())) == HUB
        assert same_path(name) == "docker.io", "the same names are Docker Hub's as in auth files"

    @pytest.mark.parametrize("text", ["docker.io:5000", "auth.docker.io", "hub.docker.com", "docker.io.example.com"])
    def test_a_host_other_than_docker_hub_keeps_its_name(self, text: str) -> None:
        assert registry_endpoint(text).host == text.partition(":")[0]

    def test_the_default_port_is_that_of_the_scheme(self) -> None:
        assert registry_endpoint("a.io", "http") == Endpoint("a.io", 80)
        assert registry_endpoint("docker.io", "http") == Endpoint("docker.io", 80)

    def test_an_empty_endpoint_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"^there is no host$"):
            registry_endpoint("")


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
    def test_option_host_is_the_part_before_the_path(self, text: str, host: str) -> None:
        assert option_host("registry", text) == host

    @pytest.mark.parametrize("scheme", ["http", "HTTP", "docker", "ftp", ""])
    def test_another_scheme_in_an_option_is_refused(self, scheme: str) -> None:
        assert raised(OptionError, lambda: option_host("realm_host", f"{scheme}://a.io")) == (
            "option 'realm_host': only https is supported, because others can read a login that is sent without TLS. Give "
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
        assert (
            raised(OptionError, lambda: option_host("registry", text.format("Canary")))
            == "option 'registry': give host[:port] without a user or password, such as 'a.io'"
        )

    @pytest.mark.parametrize("text", ["alice:Canary@sha1:00", "alice:Canary@sha256:0g", "alice:Canary@sha256:"])
    def test_an_invalid_digest_is_refused_as_a_login(self, text: str) -> None:
        with pytest.raises(OptionError, match="without a user or password") as error:
            option_host("registry", text)
        assert "Canary" not in str(error.value)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "",
                "option 'registry': '' does not begin with host[:port]: there is no host",
            ),
            (
                "https:///team",
                "option 'registry': '/team' does not begin with host[:port]: there is no host",
            ),
            (
                "a b/team",
                f"option 'registry': 'a b/team' does not begin with host[:port]: {NO_NAME}",
            ),
        ],
    )
    def test_an_option_without_a_host_is_refused(self, text: str, message: str) -> None:
        assert raised(OptionError, lambda: option_host("registry", text)) == message

    @given(st.text() | st.text("a.:/@[]1 \n"))
    def test_any_text_is_a_host_or_is_refused(self, text: str) -> None:
        try:
            registry_endpoint(option_host("registry", text))
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
    def test_url_host_returns_the_host_as_written_and_its_endpoint(self, url: str, host: str, found: Endpoint) -> None:
        assert url_host(url) == (host, found)

    @pytest.mark.parametrize(
        "url",
        ["", "/token", "//a.io/token", "a.io", "ftp://a.io", "https://", "https:///token", "https://[x", "https://a℀b"],
    )
    def test_a_text_that_is_not_a_url_of_a_host_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError):
            url_host(url)

    @pytest.mark.parametrize("character", ["\0", "\t", "\n", " ", "\x7f", "\u2028"])
    def test_a_url_with_white_space_or_a_control_character_is_refused(self, character: str) -> None:
        assert (
            raised(ValueError, lambda: url_host(f"https://a{character}.io/"))
            == "a URL must not contain white space or control characters"
        )

    def test_another_scheme_in_a_url_is_refused_with_a_reason(self) -> None:
        assert raised(ValueError, lambda: url_host("ftp://a.io")) == "it is not an http or https URL"


@pytest.mark.parametrize(
    ("registry", "service", "is_one"),
    [
        ("q.io", "q.io:443", True),
        ("docker.io", "auth.docker.io", True),
        ("registry-1.docker.io", "auth.docker.io:443", True),
        ("docker.io:5000", "auth.docker.io", False),
        ("docker.io", "auth.docker.io:8443", False),
        ("q.io", "auth.docker.io", False),
        ("q.io", "auth.q.io", False),
        ("q.io", "q.io:5000", False),
        ("auth.docker.io", "docker.io", False),
    ],
)
def test_a_token_service_belongs_to_its_registry_only(registry: str, service: str, is_one: bool) -> None:
    assert is_token_service_of(registry_endpoint(registry), registry_endpoint(service)) is is_one
