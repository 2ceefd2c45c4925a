# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of an auth file, its credential helpers, and the options that give one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import (
    SOURCES,
    Document,
    Helpers,
    auth_file_from_options,
    auths_of,
    is_bare_map,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.json_text import (
    EMPTY,
    InvalidContent,
    Object,
)
from support.objects import raised

# --- The entries of a stored auth file are found in its text, and other documents are refused

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


# --- A credential that is kept by a helper program is not in the file, and no node can ask for it

SOURCE = "the file"


def helpers(**top: Any) -> Helpers:
    return Helpers.of(Object.parse(json.dumps(top)), SOURCE)


def helper_refusal(call: Any, *arguments: Any) -> str:
    return raised(OptionError, lambda: call(*arguments))


def elsewhere(registry: str, helper: str) -> str:
    return (
        f"the file holds no credential for {registry}: the credential helper 'docker-credential-{helper}' keeps it, "
        "and nodes cannot ask the helper. Log in with 'podman login --authfile FILE REGISTRY', or give 'registries' instead"
    )


class TestOf:
    @pytest.mark.parametrize(
        ("top", "store", "by_host"),
        [
            ({}, "", {}),
            ({"credsStore": None, "credHelpers": None}, "", {}),
            ({"credsStore": "", "credHelpers": {}}, "", {}),
            ({"CREDSSTORE": "desktop", "CREDHELPERS": {"https://GCR.io/": "gcloud"}}, "desktop", {"gcr.io": "gcloud"}),
            ({"credHelpers": {"u:p@quay.io": "x", "index.docker.io": "y"}}, "", {"quay.io": "x", "docker.io": "y"}),
        ],
    )
    def test_credential_helpers_are_read_in_any_case(
        self, top: dict[str, Any], store: str, by_host: dict[str, str]
    ) -> None:
        found = helpers(**top)
        assert (found.store, found.by_host) == (store, by_host)

    @pytest.mark.parametrize(
        ("top", "why"),
        [
            ({"credsStore": 1}, "'credsStore' is a number, not a string"),
            ({"credsStore": {"password": "canary"}}, "'credsStore' is an object, not a string"),
            ({"credHelpers": ["canary"]}, "'credHelpers' is a list, not an object"),
            ({"credHelpers": {"a": "b", "c": {"password": "canary"}}}, "'credHelpers' has a value that is an object, not a string"),
            ({"credHelpers": {"a": None}}, "'credHelpers' has a value that is null, not a string"),
        ],
    )  # fmt: skip
    def test_credential_helpers_of_a_wrong_type_are_refused(self, top: dict[str, Any], why: str) -> None:
        def make() -> Helpers:
            return helpers(**top)

        assert helper_refusal(make) == f"the file is not an auth file: {why}"


class TestRefusals:
    BOTH = {"credsStore": "desktop", "credHelpers": {"gcr.io": "gcloud", "eu.gcr.io": "gcloud"}}

    @pytest.mark.parametrize("value", ["{}", "null", "{ }"])
    @pytest.mark.parametrize(("key", "helper"), [("gcr.io/team", "gcloud"), ("https://quay.io/", "desktop")])
    def test_an_empty_entry_means_that_a_helper_keeps_the_credential(self, key: str, helper: str, value: str) -> None:
        assert helper_refusal(helpers(**self.BOTH).refuse_empty, key, value, SOURCE) == elsewhere(key, helper)

    @pytest.mark.parametrize(
        ("top", "value"),
        [(BOTH, '{"auth": "x"}'), (BOTH, '"x"'), (BOTH, "[]"), ({}, "{}"), ({"credHelpers": {"a.io": "x"}}, "{}")],
    )
    def test_an_entry_with_content_or_without_a_helper_is_not_refused(self, top: dict[str, Any], value: str) -> None:
        helpers(**top).refuse_empty("quay.io", value, SOURCE)

    def test_a_login_in_the_key_is_not_shown(self) -> None:
        assert "canary" not in helper_refusal(helpers(**self.BOTH).refuse_empty, "u:canary@quay.io", "{}", SOURCE)

    def test_a_chosen_registry_whose_credential_is_in_a_helper_is_refused(self) -> None:
        assert helper_refusal(helpers(**self.BOTH).refuse_chosen, "eu.*", SOURCE) == elsewhere("eu.gcr.io", "gcloud")
        helpers(**self.BOTH).refuse_chosen("quay.io", SOURCE)

    def test_registries_that_only_a_helper_has_are_refused(self) -> None:
        found = helpers(credHelpers={"b.io": "x", "a.io": "x", "c.io": "x"})
        assert helper_refusal(found.refuse_unreachable, ["https://c.io/v1/"], SOURCE) == elsewhere("a.io, b.io", "x")
        found.refuse_unreachable(["a.io", "b.io/team", "c.io"], SOURCE)

    def test_a_store_keeps_every_credential_if_the_file_is_empty(self) -> None:
        found = helpers(credsStore="desktop")
        assert helper_refusal(found.refuse_unreachable, [], SOURCE) == elsewhere("every registry", "desktop")
        found.refuse_unreachable(["quay.io"], SOURCE)
        helpers().refuse_unreachable([], SOURCE)


# --- Credentials are given by one of several options, and `include` selects the registries of a file

TEXT = '{"auths": {"quay.io": {"auth": "dTpw"}, "r.example.com": {"auth": "dTpw"}}}'


def registries(**options: Any) -> list[str]:
    return sorted(
        auth_file_from_options(
            {**dict.fromkeys(SOURCES), "include": None, **options}, lambda path: TEXT if path == "f" else ""
        ).registries
    )


def test_each_source_gives_its_registries() -> None:
    login = {"registry": "quay.io", "username": "u", "password": "p"}
    assert registries(registries=[login]) == ["quay.io"]
    for given in (
        {"auth_file": "f"},
        {"auth_config": TEXT},
        {"auth_config": {"auths": {"r.example.com": {"auth": "dTpw"}}}},
    ):
        assert "r.example.com" in registries(**given)


def test_include_selects_some_registries() -> None:
    assert registries(auth_file="f", include=["*.example.com"]) == ["r.example.com"]
    with pytest.raises(OptionError, match="none"):
        registries(auth_config=TEXT, include=["none"])


def test_errors_name_the_source() -> None:
    with pytest.raises(OptionError, match="option 'registries' is empty"):
        registries(registries=[])
    with pytest.raises(OptionError, match="auth file g"):
        registries(auth_file="g")
    with pytest.raises(OptionError, match="option 'auth_config'"):
        registries(auth_config="{")
