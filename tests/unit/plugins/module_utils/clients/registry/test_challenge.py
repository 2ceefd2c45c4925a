# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a registry's 401 says, however it is written: RFC 9110, facts 9.1 and 9.2, traces of the integrated registry."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.challenge import (
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
            (
                SCOPE,
                [
                    (
                        "bearer",
                        {
                            "realm": "https://a.example.com/token",
                            "service": "s",
                            "scope": "repository:team/app:pull,push",
                        },
                    )
                ],
            ),
            (r'Basic realm="a \"quoted\", \\ name"', [("basic", {"realm": 'a "quoted", \\ name'})]),
            (
                'Basic realm=openshift,error="access denied"',
                [("basic", {"realm": "openshift", "error": "access denied"})],
            ),
            ('Basic realm = "a" , charset = UTF-8', [("basic", {"realm": "a", "charset": "UTF-8"})]),
            ('Basic realm="a",,  ,charset="b"', [("basic", {"realm": "a", "charset": "b"})]),
            ('Basic realm="a",realm="b"', [("basic", {"realm": "a"})]),
            ('Basic realm="", x=', [("basic", {"realm": "", "x": ""})]),
            (
                'Negotiate, Basic realm="a", Bearer realm="b",service="c"',
                [("negotiate", {}), ("basic", {"realm": "a"}), ("bearer", {"realm": "b", "service": "c"})],
            ),
            (', Basic realm="a"', [("basic", {"realm": "a"})]),
            ('Basic realm="never closed', [("basic", {"realm": ""})]),
            ('"junk" Basic realm="a"', []),
        ],
    )
    def test_table(self, header: str, challenges: Any) -> None:
        assert parse_challenges(header) == [Challenge(scheme, parameters) for scheme, parameters in challenges]

    @given(TOKENS, st.dictionaries(TOKENS.map(str.lower), VALUES, min_size=1, max_size=4))
    def test_reads_back_any_quoted_value(self, scheme: str, parameters: dict[str, str]) -> None:
        quoted = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in parameters.items()}
        header = f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in quoted.items())
        assert parse_challenges(header) == [Challenge(scheme.lower(), parameters)]


class TestAuthInfo:
    @pytest.mark.parametrize(
        ("host", "headers", "info"),
        [
            (
                "registry-1.docker.io",
                ['Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'],
                AuthInfo(
                    "bearer", "https://auth.docker.io/token", "auth.docker.io", "registry.docker.io", delegated=True
                ),
            ),
            (
                "quay.io",
                ['Bearer realm="https://quay.io/v2/auth",service="quay.io"'],
                AuthInfo("bearer", "https://quay.io/v2/auth", "quay.io", "quay.io"),
            ),
            (
                "registry.svc:5000",
                ['Bearer realm="https://registry.svc:5000/openshift/token"'],
                AuthInfo("bearer", "https://registry.svc:5000/openshift/token", "registry.svc:5000"),
            ),
            ("a.io", ['Basic realm=openshift,error="access denied"'], AuthInfo("basic", "openshift", "a.io")),
            (
                "a.io",
                ['Negotiate, bearer realm="https://b.io/t"'],
                AuthInfo("bearer", "https://b.io/t", "b.io", "", True),
            ),
            ("a.io", ['Basic realm="a"', 'Bearer realm="https://b.io"'], AuthInfo("basic", "a", "a.io")),
            ("a.io", ['Bearer service="s"', 'Basic realm="a"'], AuthInfo("basic", "a", "a.io")),
            ("a.io", ['Bearer realm="/token"'], AuthInfo("bearer", "/token", "a.io")),
            ("a.io", ['Bearer realm="https://["', 'Basic realm="a"'], AuthInfo("basic", "a", "a.io")),
            ("a.io", ["Negotiate"], None),
            ("a.io", [], None),
        ],
    )
    def test_the_first_scheme_that_a_node_knows(self, host: str, headers: list[str], info: AuthInfo | None) -> None:
        assert auth_info(host, headers) == info

    @pytest.mark.parametrize(
        ("host", "realm_host", "delegated"),
        [
            ("a.io", "A.IO", False),
            ("a.io", "a.io:443", False),
            ("a.io:5000", "a.io", True),
            ("[::1]:5000", "[::1]:5000", False),
        ],
    )
    def test_delegated_means_another_host_or_port(self, host: str, realm_host: str, delegated: bool) -> None:
        info = auth_info(host, [f'Bearer realm="https://{realm_host}/token"'])
        assert info is not None
        assert info.delegated is delegated

    @given(
        st.text()
        | st.text().map(lambda text: f'Bearer realm="{text}"')
        | st.text().map(lambda text: f"Bearer realm={text}")
    )
    @example('Bearer realm="https://[x"')
    @example('Bearer realm="https://a℀b"')
    def test_junk_never_raises(self, header: str) -> None:
        auth_info("a.io", [header])
