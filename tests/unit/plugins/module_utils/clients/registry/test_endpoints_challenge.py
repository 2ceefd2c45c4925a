# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The challenge of a 401 is read in every form: RFC 9110, traces of the integrated registry."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.transport import (
    AuthInfo,
    Challenge,
    auth_info,
    parse_challenges,
)
from hypothesis import example, given
from hypothesis import strategies as st

SCOPE = 'Bearer realm="https://a.example.com/token",service="s",scope="repository:team/app:pull,push"'
TOKENS = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126))


class TestParseChallenges:
    @pytest.mark.parametrize(
        ("header", "challenges"),
        [
            ("", []),
            ("Basic", [("basic", {})]),
            ('Basic realm="r"', [("basic", {"realm": "r"})]),
            ('BEARER Realm="R",SERVICE="S"', [("bearer", {"realm": "R", "service": "S"})]),
            (SCOPE, [("bearer", {"realm": "https://a.example.com/token", "service": "s",
             "scope": "repository:team/app:pull,push"})]),
            (r'Basic realm="a \"quoted\", \\ name"', [("basic", {"realm": 'a "quoted", \\ name'})]),
            ('Basic realm=openshift,error="access denied"',
             [("basic", {"realm": "openshift", "error": "access denied"})]),
            ('Basic realm = "a" , charset = UTF-8', [("basic", {"realm": "a", "charset": "UTF-8"})]),
            ('Basic realm="a",,  ,charset="b"', [("basic", {"realm": "a", "charset": "b"})]),
            ('Basic realm="a",realm="b"', [("basic", {"realm": "a"})]),
            ('Basic realm="", x=', [("basic", {"realm": "", "x": ""})]),
            ('Negotiate, Basic realm="a", Bearer realm="b",service="c"',
             [("negotiate", {}), ("basic", {"realm": "a"}), ("bearer", {"realm": "b", "service": "c"})]),
            (', Basic realm="a"', [("basic", {"realm": "a"})]),
            ('Basic realm="never closed', [("basic", {"realm": ""})]),
            ('"junk" Basic realm="a"', []),
            ('Bearer realm="a" "junk", Basic realm="b"', [("bearer", {"realm": "a"})]),
            ("Basic@", []),
            ("Basic\trealm=a\t", [("basic", {"realm": "a"})]),
            ("Basic\0", []),
            ('Basic realm="a\0b"', [("basic", {"realm": "a\0b"})]),
            ('Basic realm="a\r\n b"', [("basic", {"realm": "a\r\n b"})]),
            ('Basic realm="a\\\nb"', [("basic", {"realm": "a\nb"})]),
            ('Basic realm="a\\"', [("basic", {"realm": ""})]),
            ('Basic realm="\\\\"', [("basic", {"realm": "\\"})]),
            ('Basic realm=ä,x="ö"', [("basic", {"realm": "ä", "x": "ö"})]),
            ("Negotiate YII==", [("negotiate", {"yii": "="})]),
        ],
    )  # fmt: skip
    def test_parse_challenges_reads_each_header_of_the_table(self, header: str, challenges: Any) -> None:
        assert parse_challenges(header) == [Challenge(scheme, parameters) for scheme, parameters in challenges]

    @given(TOKENS, st.dictionaries(TOKENS.map(str.lower), VALUES, min_size=1, max_size=4))
    def test_parse_challenges_reads_back_any_quoted_value(self, scheme: str, parameters: dict[str, str]) -> None:
        quoted = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in parameters.items()}
        header = f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in quoted.items())
        assert parse_challenges(header) == [Challenge(scheme.lower(), parameters)]


class TestLongHeaders:
    """A header can make a careless parser try every way to read it. Here, 100 kB are read within a second."""

    SIZE = 100_000
    REALM = [("basic", {"realm": "r"})]

    @pytest.mark.parametrize(
        ("tail", "challenges"),
        [
            ('"' * SIZE, REALM),
            ("\\" * SIZE, REALM),
            ('\\"' * (SIZE // 2), REALM),
            (',x="' + "\\" * SIZE, [("basic", {"realm": "r", "x": ""})]),
            (',x="' + '\\"' * (SIZE // 2), [("basic", {"realm": "r", "x": ""})]),
            (',x="' + "\\a" * (SIZE // 2), [("basic", {"realm": "r", "x": ""})]),
            (',x="' + "a" * SIZE, [("basic", {"realm": "r", "x": ""})]),
            (',x="' + "\\a" * (SIZE // 2) + '"', [("basic", {"realm": "r", "x": "a" * (SIZE // 2)})]),
            (" " * SIZE, REALM),
            ("," * SIZE, REALM),
            (", " * (SIZE // 2) + '"', REALM),
            (" " + "a" * SIZE + "@", REALM),
            (" a" * (SIZE // 2), REALM + [("a", {})] * (SIZE // 2)),
            ("," + "=" * SIZE, REALM),
            (",x" + " " * SIZE + "@", [*REALM, ("x", {})]),
            (",x=a" * (SIZE // 4), [("basic", {"realm": "r", "x": "a"})]),
        ],
        ids=lambda value: repr(value)[:12],
    )
    def test_parse_challenges_reads_long_headers_in_one_pass(self, tail: str, challenges: Any) -> None:
        started = time.process_time()
        found = parse_challenges('Basic realm="r"' + tail)
        assert time.process_time() - started < 1
        assert found == [Challenge(scheme, parameters) for scheme, parameters in challenges]


class TestAuthInfo:
    @pytest.mark.parametrize(
        ("host", "headers", "info"),
        [
            ("registry-1.docker.io", ['Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'],
             AuthInfo("bearer", "https://auth.docker.io/token", "auth.docker.io", "registry.docker.io",
             delegated=True)),
            ("quay.io", ['Bearer realm="https://quay.io/v2/auth",service="quay.io"'],
             AuthInfo("bearer", "https://quay.io/v2/auth", "quay.io", "quay.io")),
            ("registry.svc:5000", ['Bearer realm="https://registry.svc:5000/openshift/token"'],
             AuthInfo("bearer", "https://registry.svc:5000/openshift/token", "registry.svc:5000")),
            ("a.io", ['Basic realm=openshift,error="access denied"'], AuthInfo("basic", "openshift", "a.io")),
            ("a.io", ['Negotiate, bearer realm="https://b.io/t"'],
             AuthInfo("bearer", "https://b.io/t", "b.io", "", True)),
            ("a.io", ['Basic realm="a"', 'Bearer realm="https://b.io"'], AuthInfo("basic", "a", "a.io")),
            ("a.io", ['Bearer service="s"', 'Basic realm="a"'], AuthInfo("basic", "a", "a.io")),
            ("a.io", ['Bearer realm="/token",service="s"'], AuthInfo("bearer", "/token", "a.io", "s")),
            ("a.io", ['Digest realm="https://b.io/t"'], None),
            ("a.io", ['Bearer realm="https://["', 'Basic realm="a"'], AuthInfo("basic", "a", "a.io")),
            ("a.io", ['Bearer realm="b"'], None),
            ("a.io", ['Bearer realm="/token\r\n X: y"'], None),
            ("a.io", ['Bearer realm="/to ken"'], None),
            ("a.io", ['Bearer realm="//b.io/token"'], None),
            ("a.io", ['Bearer realm=""'], None),
            ("a.io", ['Bearer realm="ftp://b.io"'], None),
            ("a.io", ['Bearer realm="https://b.io:99999/"'], None),
            ("a.io", ['Bearer realm="https://b\0.io/"'], None),
            ("a.io", ['Bearer realm="https://bücher.example.com/"'], None),
            ("a.io", ['Bearer realm="https://b.io/t'], None),
            ("a.io", ["Basic"], AuthInfo("basic", "", "a.io")),
            ("a.io", ['Bearer realm="https://u:p@b.io/t", service="s"'],
             AuthInfo("bearer", "https://u:p@b.io/t", "b.io", "s", delegated=True)),
            ("a.io", ["Negotiate"], None),
            ("a.io", [], None),
        ],
    )  # fmt: skip
    def test_auth_info_uses_the_first_scheme_that_a_node_supports(
        self, host: str, headers: list[str], info: AuthInfo | None
    ) -> None:
        assert auth_info(host, headers) == info

    @pytest.mark.parametrize(
        ("host", "realm_host", "delegated"),
        [
            ("a.io", "A.IO", False),
            ("a.io", "a.io:443", False),
            ("a.io:443", "a.io", False),
            ("a.io.", "a.io", False),
            ("a.io", "a.io.:443", False),
            ("a.io:5000", "a.io", True),
            ("a.io", "a.io:80", True),
            ("a.io", "sub.a.io", True),
            ("[::1]:5000", "[::1]:5000", False),
            ("[::1]", "[0::1]:443", False),
            ("docker.io", "auth.docker.io", True),
            ("docker.io", "index.docker.io", False),
            ("index.docker.io", "registry-1.docker.io:443", False),
            ("docker.io:5000", "registry-1.docker.io:5000", True),
        ],
    )
    def test_delegated_means_another_host_or_port(self, host: str, realm_host: str, delegated: bool) -> None:
        info = auth_info(host, [f'Bearer realm="https://{realm_host}/token"'])
        assert info is not None
        assert info.delegated is delegated

    @pytest.mark.parametrize(("host", "delegated"), [("a.io:80", False), ("a.io", True)])
    def test_a_realm_without_tls_has_another_default_port(self, host: str, delegated: bool) -> None:
        info = auth_info(host, ['Bearer realm="http://a.io/token"'])
        assert info is not None
        assert info.delegated is delegated

    @given(
        st.text()
        | st.text().map(lambda text: f'Bearer realm="{text}"')
        | st.text().map(lambda text: f"Bearer realm={text}")
    )
    @example('Bearer realm="https://[x"')
    @example('Bearer realm="https://a℀b"')
    def test_a_malformed_header_never_raises_an_error(self, header: str) -> None:
        auth_info("a.io", [header])
