# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options and environment variables decide through which proxy a server is reached."""

from __future__ import annotations

import os

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.connections import (
    encode_header,
    environment_proxy,
    find_proxy,
    has_tls,
    proxy_host,
    proxy_login_headers,
)
from support.objects import b64

PROXY = "http://proxy.example.com:3128"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


class TestChoice:
    def test_no_proxy_is_used_by_default(self) -> None:
        assert (find_proxy("https://a"), environment_proxy("https://a")) == ("", "")

    @pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
    def test_the_variable_for_the_scheme_names_the_proxy(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv(name, PROXY)
        assert find_proxy("https://a") == environment_proxy("https://a") == PROXY
        assert find_proxy("http://a") == (PROXY if name == "all_proxy" else "")

    def test_the_given_proxy_takes_precedence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("https_proxy", "http://other.example.com")
        assert find_proxy("https://a", PROXY) == PROXY

    def test_only_a_proxy_of_the_environment_needs_no_scheme(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("https_proxy", "proxy.example.com:3128")
        assert find_proxy("https://a") == PROXY
        with pytest.raises(ValueError, match="^it does not begin with http:// or https://$"):
            find_proxy("https://a", "proxy.example.com:3128")

    @pytest.mark.parametrize(
        "proxy",
        ["ftp://u:secret@a", "socks5://u:secret@a", "http://u:secret@[::1", "http://u:secret@", "http://a:secret"],
    )
    def test_an_invalid_proxy_is_refused(self, proxy: str) -> None:
        with pytest.raises(ValueError, match="^(it|there|port|the host) "):
            find_proxy("https://a", proxy)


class TestExceptions:
    @pytest.mark.parametrize(
        ("no_proxy", "host", "excepted"),
        [
            ("a.example.com", "a.example.com", True),
            ("A.example.com", "a.EXAMPLE.com", True),
            ("example.com", "a.example.com", True),
            (".example.com", "a.example.com", True),
            (".example.com", "example.com", True),
            ("ample.com", "a.example.com", False),
            ("x, a.example.com:5000 ,y", "a.example.com:5000", True),
            ("a.example.com:5000", "a.example.com", False),
            ("a.example.com", "a.example.com:5000", True),
            ("x,*", "a.example.com", True),
            ("*.example.com", "a.example.com", False),
            ("", "a.example.com", False),
            (",", "a.example.com", False),
            ("10.0.0.0/8", "10.1.2.3:6443", True),
            ("10.0.0.5/8", "10.1.2.3", True),
            ("10.0.0.0/8", "11.1.2.3", False),
            ("10.1.2.3", "10.1.2.3", True),
            ("fd00::/8", "[fd00::1]:6443", True),
            ("fd00::/8", "10.1.2.3", False),
            ("10.0.0.0/8", "a.example.com", False),
        ],
    )
    def test_hosts_domains_and_networks_are_excepted(
        self, monkeypatch: pytest.MonkeyPatch, no_proxy: str, host: str, excepted: bool
    ) -> None:
        assert (find_proxy(f"https://{host}/", PROXY, no_proxy) == "") is excepted
        monkeypatch.setenv("no_proxy", no_proxy)
        assert (find_proxy(f"https://{host}/", PROXY) == "") is excepted

    def test_given_exceptions_replace_those_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("no_proxy", "a")
        assert find_proxy("https://a", PROXY, "") == PROXY


class TestUrl:
    @pytest.mark.parametrize(
        ("proxy", "host"), [(PROXY, "proxy.example.com"), ("https://u:p@[::1]:3128/", "::1"), ("http://A", "a")]
    )
    def test_the_host_of_a_proxy_is_found(self, proxy: str, host: str) -> None:
        assert proxy_host(proxy) == host

    def test_a_proxy_with_tls_is_recognized(self) -> None:
        assert [has_tls(proxy) for proxy in ("HTTPS://a", PROXY, "")] == [True, False, False]


class TestHeaders:
    @staticmethod
    def basic(login: str) -> str:
        return f"Basic {b64(login)}"

    def test_a_login_in_the_url_is_sent_in_utf8(self) -> None:
        found = proxy_login_headers("http://us%40er:%E2%82%AC@a")
        assert found == {"proxy-authorization": self.basic("us@er:€")}

    def test_given_headers_take_precedence_and_empty_ones_do_not_count(self) -> None:
        given = {"proxy_basic_auth": "a:b", "user_agent": "agent", "basic_auth": None}
        assert proxy_login_headers("http://u:p@a", given) == {
            "proxy-authorization": self.basic("a:b"),
            "user-agent": "agent",
        }

    def test_a_proxy_without_a_login_gets_no_headers(self) -> None:
        assert proxy_login_headers("") == proxy_login_headers(PROXY) == {}

    def test_a_header_is_encoded_for_latin_1(self) -> None:
        assert encode_header("€").encode("latin-1") == "€".encode()
