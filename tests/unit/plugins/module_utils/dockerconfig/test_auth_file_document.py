# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of a stored auth file are found in its text, and other documents are refused."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import (
    Document,
    auths_of,
    is_bare_map,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.json_text import (
    EMPTY,
    InvalidContent,
    Object,
)
from support.objects import raised

ENTRY = '{"auth": "YTpi"}'


def refusal(text: str, *, legacy: bool = False) -> str:
    return raised(InvalidContent, lambda: Document.parse(text, legacy=legacy))


class TestParse:
    @pytest.mark.parametrize(
        ("text", "before", "auths", "after"),
        [
            (' {"x": 1 , "auths" : { } ,"y": 2 }\n', ' {"x": 1 , "auths" : ', "{ }", ' ,"y": 2 }\n'),
            ('{"\\u0041uths":{"a.io":{}}}', '{"\\u0041uths":', '{"a.io":{}}', "}"),
            ('{"auths": null, "y": 2}', '{"auths": ', "{}", ', "y": 2}'),
            ("{}", '{"auths": ', "{}", "}"),
            ("null\n", '{"auths": ', "{}", "}\n"),
            ('\t{ "x": 1\n} ', '\t{ "x": 1, "auths": ', "{}", "\n} "),
            ('{"a.io": {"email": "e"}}', '{"a.io": {"email": "e"}, "auths": ', "{}", "}"),
        ],
    )
    def test_the_text_around_the_entries_is_kept(self, text: str, before: str, auths: str, after: str) -> None:
        found = Document.parse(text, legacy=False)
        assert (found.before, found.auths.text, found.after) == (before, auths, after)
        assert found.having(Object.parse('{"b.io":{}}')) == f'{before}{{"b.io":{{}}}}{after}'

    @pytest.mark.parametrize(
        "text", [' {"a.io": {} }\n', '{"auths": {}}', '{"auths": {"auth": "YTpi"}}', '{"auths": 1}']
    )
    def test_a_legacy_file_holds_only_entries(self, text: str) -> None:
        found = Document.parse(text, legacy=True)
        assert found.auths.text == text.strip()
        assert found.having(found.auths) == text

    def test_a_legacy_null_is_empty(self) -> None:
        assert Document.parse(" null ", legacy=True) == Document(" ", EMPTY, " ")

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("x", "is not valid JSON at line 1, column 1"),
            ("[]", "is a list, not an object"),
            ('{"auths": []}', "is not an auth file: 'auths' is a list, not an object"),
            ('{"auths": "x"}', "is not an auth file: 'auths' is a string, not an object"),
            ('{"auths": {}, "auths": {}}', "is not an auth file: it has 'auths' twice"),
            ('{"auths": {}, "Auth\u017f": {}}', "is not an auth file: it has 'auths' twice"),
            ('{"auths": {}, "\\u0061uths": null}', "is not an auth file: it has 'auths' twice"),
            (
                f'{{"a.io": {ENTRY}, "b.io": {{}}}}',
                "is a .dockercfg, without 'auths', which no node reads from a secret of this type",
            ),
        ],
    )
    def test_an_invalid_auth_file_is_refused_with_the_reason(self, text: str, why: str) -> None:
        assert refusal(text) == why

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("{", "is not valid JSON at line 1, column 2"),
            ("1", "is a number, not an object"),
            (
                f'{{"b.io": {{}}, "Auths": {{"x": 1, "a.io": {ENTRY}}}}}',
                "is a config.json, with 'auths', which no node reads from a secret of this type",
            ),
        ],
    )
    def test_an_invalid_legacy_file_is_refused_with_the_reason(self, text: str, why: str) -> None:
        assert refusal(text, legacy=True) == why


class TestForms:
    @pytest.mark.parametrize(
        ("text", "at"), [("{}", None), ('{"x": 1}', None), ('{"x": 1, "AUTHS": {}}', 1), ('{"auths": null, "x": 1}', 0)]
    )
    def test_auths_of_returns_the_position_of_auths(self, text: str, at: int | None) -> None:
        assert auths_of(Object.parse(text)) == at

    @pytest.mark.parametrize(
        ("text", "bare"),
        [
            ("{}", False),
            ('{"a.io": {}}', False),
            ('{"a.io": {"email": "e"}}', False),
            ('{"a.io": {}, "b.io": {"auth": "YTpi"}}', True),
            ('{"a.io": {"Username": "u"}}', True),
            ('{"a.io": {"identitytoken": "t"}}', True),
            ('{"a.io": {"auth": "YTpi"}, "credsStore": "x"}', False),
            ('{"a.io": {"auth": "YTpi"}, "b.io": null}', False),
        ],
    )
    def test_a_bare_map_of_entries_is_recognised(self, text: str, bare: bool) -> None:
        assert is_bare_map(Object.parse(text)) is bare

    def test_the_repr_shows_no_credential(self) -> None:
        assert "canary" not in repr(Document.parse('{"auths": {"a.io": {"password": "canary"}}}', legacy=False))
