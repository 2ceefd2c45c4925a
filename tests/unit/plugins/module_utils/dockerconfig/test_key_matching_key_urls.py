# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys are read the way Go reads URLs. tests/oracle compares all of this with Go itself."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.registry_keys import (
    KeyUrl,
    is_image_host,
    parse_url,
    without_any_scheme,
    without_scheme,
)
from hypothesis import given
from hypothesis import strategies as st


class TestParse:
    @pytest.mark.parametrize(
        ("text", "url"),
        [
            ("quay.io", KeyUrl("quay.io", "")),
            ("quay.io:5000/a//b/", KeyUrl("quay.io:5000", "/a//b/")),
            ("quay.io/%6frg", KeyUrl("quay.io", "/org")),
            ("%c3%a9.io", KeyUrl("\u00e9.io", "")),
            ("a:b@c@quay.io/x@y", KeyUrl("quay.io", "/x@y", has_user=True)),
            ("quay.io#a?b@c", KeyUrl("quay.io", "")),
            ("quay.io?%zz\x80", KeyUrl("quay.io", "")),
            ("quay.io#\x01", KeyUrl("quay.io", "")),
            ("[::1]:5000/a", KeyUrl("[::1]:5000", "/a")),
            ("", KeyUrl("", "")),
            ("*.io", KeyUrl("*.io", "")),
        ],
    )
    def test_parse_url_returns_host_and_path(self, text: str, url: KeyUrl) -> None:
        assert parse_url(text) == url

    @pytest.mark.parametrize(
        "text",
        [
            "quay.io\n", "quay.io?\x00", "a b", "a\\b", "a^b", "a:b:c", "a:5x", "a:\u0665", "[::1", "::1]", "a[", "[1.2.3.4]", "x[::1]", "[::1]x",
            "[::1%25eth0]", "%41.io", "%zz", "a/%", "a/%4", "a#%g0", "\u00e9@a", "a b@c", "%@c", "a/b\x7f",
        ],
    )  # fmt: skip
    def test_parse_url_refuses_an_invalid_key(self, text: str) -> None:
        assert parse_url(text) is None

    @given(st.text())
    def test_parse_url_accepts_any_text_without_an_error(self, text: str) -> None:
        parse_url(text)


class TestNameAndPort:
    @pytest.mark.parametrize(
        ("text", "name", "port"),
        [
            ("a.io:5000", "a.io", "5000"),
            ("a.io", "a.io", ""),
            ("a.io:", "a.io", ""),
            ("[::1]", "[::1]", ""),
            ("[::1]:80", "[::1]", "80"),
        ],
    )
    def test_name_and_port_are_separated_at_the_last_colon(self, text: str, name: str, port: str) -> None:
        url = parse_url(text)
        assert url is not None
        assert url.name_and_port == (name, port)


def test_one_scheme_in_lower_case_is_dropped() -> None:
    assert [without_scheme(key) for key in ("https://a", "http://https://a", "HTTPS://a", "a")] == [
        "a", "https://a", "HTTPS://a", "a",
    ]  # fmt: skip


def test_one_scheme_in_any_case_is_dropped() -> None:
    assert [without_any_scheme(key) for key in ("hTTps://a", "HTTP://a", "a://b")] == ["a", "a", "a://b"]


@pytest.mark.parametrize(
    ("host", "is_one"),
    [("a.io", True), ("a:5000", True), ("a_b", False), ("a.io\n", False), ("-a", False), ("", False), ("a:", False)],
)
def test_hosts_of_images_are_recognised(host: str, is_one: bool) -> None:
    assert is_image_host(host) is is_one
