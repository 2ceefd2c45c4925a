# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One entry is read and written, unusable entries are refused, and differences between two entries are found."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig import credential_entry as entries
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.credential_entry import (
    CredentialEntry,
    changed_fields,
    field_name,
    from_file,
    from_option,
    stored_entry,
)
from support.objects import b64, raised

from unit.canaries import CANARIES, shown

SOURCE = "the file"
QUOTES = "put it in quotes where it is defined, because YAML changes a value such as 0123 without quotes"
WHERE = "the file: the entry for 'quay.io'"
OPTION = "option 'registries': the entry for 'quay.io'"


def item(**given: Any) -> dict[str, Any]:
    return {"registry": "quay.io", "username": "robot", "password": "x", **given}


def refusal(call: Any, *arguments: Any) -> str:
    return raised(OptionError, lambda: call(*arguments))


def of_file(value: Any) -> CredentialEntry:
    return from_file("quay.io", json.dumps(value), SOURCE)


def of_secret(value: Any) -> CredentialEntry:
    return stored_entry("quay.io", json.dumps(value))


class TestFromOption:
    @pytest.mark.parametrize(
        ("given", "text"),
        [
            ({}, '{"username": "robot", "password": "x", "auth": "cm9ib3Q6eA=="}'),
            ({"email": None}, '{"username": "robot", "password": "x", "auth": "cm9ib3Q6eA=="}'),
            ({"email": ""}, '{"username": "robot", "password": "x", "auth": "cm9ib3Q6eA=="}'),
            ({"email": "\u00e4@b"}, '{"username": "robot", "password": "x", "auth": "cm9ib3Q6eA==", "email": "\\u00e4@b"}'),
            ({"password": 5}, '{"username": "robot", "password": "5", "auth": "cm9ib3Q6NQ=="}'),
            ({"password": "\udce9"}, '{"username": "robot", "password": "\\udce9", "auth": "cm9ib3Q66Q=="}'),
            ({"email": "\ud800"}, '{"username": "robot", "password": "x", "auth": "cm9ib3Q6eA==", "email": "\\ud800"}'),
        ],
    )  # fmt: skip
    def test_an_entry_from_options_is_written_in_plain_ascii(self, given: dict[str, Any], text: str) -> None:
        assert from_option(item(**given)).text == text

    def test_an_entry_from_options_has_its_key_and_login(self) -> None:
        found = from_option(item(registry="https://quay.io/a"))
        assert (found.key, found.username, found.password) == ("https://quay.io/a", "robot", "x")

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"username": None}, f"{OPTION} has no user: give both 'username' and 'password'"),
            ({"password": ""}, f"{OPTION} has no password: give both 'username' and 'password'"),
            ({"username": "", "password": None}, f"{OPTION} has no user and no password: give both 'username' and 'password'"),
            ({"username": "a:b"}, f"{OPTION} has a ':' in its user name, which the auth file format cannot express"),
            ({"username": "\ud800"}, f"{OPTION} has a user or password that is not valid Unicode"),
            (
                {"registry": "a b"},
                "option 'registries': registry 'a b' is not host[:port][/path]: it is empty, or has white space or a control character",
            ),
        ],
    )  # fmt: skip
    def test_an_impossible_login_is_refused(self, given: dict[str, Any], message: str) -> None:
        assert refusal(from_option, item(**given)) == message

    @pytest.mark.parametrize(
        ("password", "kind"),
        [
            ({"a": "canary"}, "an object"), (["canary"], "a list"), (True, "true or false"), (1.5, "a number"), (b"canary", "of another type"),
        ],
    )  # fmt: skip
    def test_a_password_must_be_text(self, password: Any, kind: str) -> None:
        assert refusal(from_option, item(password=password)) == (
            f"{OPTION} has a password that is {kind}, not a string: quote it, or keep a template's result text with the filter 'string'"
        )

    def test_a_login_in_the_key_is_never_shown(self) -> None:
        """This also holds if the password is refused first."""
        for given in ({"registry": "u:canary@quay.io"}, {"registry": "u:canary@quay.io", "password": []}):
            assert "canary" not in refusal(from_option, item(**given))


class TestFromFile:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ({"auth": "cm9ib3Q6eA=="}, '{"auth": "cm9ib3Q6eA=="}'),
            ({"AUTH": "cm9ib3Q6eA", "EMail": "e"}, '{"auth": "cm9ib3Q6eA==", "email": "e"}'),
            ({"email": None, "username": "robot", "password": "x", "auth": ""}, '{"username": "robot", "password": "x", "auth": "cm9ib3Q6eA=="}'),
            ({"auth": "%", "Auth": "cm9i\r\nb3Q6eA="}, '{"auth": "cm9ib3Q6eA=="}'),
            ({"auth": "cm9ib3Q6eA==", "Auth": None}, '{"auth": "cm9ib3Q6eA=="}'),
            ({"x": {"a": [1, 2]}, "X": None, "auth": "cm9ib3Q6eA=="}, '{"x": {"a": [1, 2]}, "auth": "cm9ib3Q6eA=="}'),
            ({"auth": "dTrp"}, '{"auth": "dTrp"}'),
            ({"auth": "cm9ib3Q6eA==", "identitytoken": "t"}, '{"auth": "cm9ib3Q6eA==", "identitytoken": "t"}'),
        ],
    )  # fmt: skip
    def test_an_entry_from_a_file_is_written_with_all_its_fields(self, value: Any, text: str) -> None:
        assert of_file(value).text == text

    def test_an_entry_from_a_file_keeps_the_text_of_unknown_fields(self) -> None:
        assert (
            from_file("a.io", '{"auth":"YTpi","n":1.50,"e":"r\udce9"}', SOURCE).text
            == '{"auth": "YTpi", "n": 1.50, "e": "r\udce9"}'
        )

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (None, "is empty: log in to it again"),
            ({}, "is empty: log in to it again"),
            ("canary", "is a string, not an object with 'auth'"),
            ([], "is a list, not an object with 'auth'"),
            ({"auth": 5}, f"has a 'auth' that is a number, not a string: {QUOTES}"),
            ({"username": "robot", "password": 83}, f"has a 'password' that is a number, not a string: {QUOTES}"),
            ({"username": True, "password": "canary"}, f"has a 'username' that is true or false, not a string: {QUOTES}"),
            ({"auth": "YTpi", "identitytoken": ["canary"]}, "has a 'identitytoken' that is a list, not a string"),
            ({"auth": "%"}, "has an 'auth' that is not standard base64: one such entry stops every pull of the pod. Log in to it again"),
            ({"auth": "cm9i=b3Q6eA"}, "has an 'auth' that is not standard base64: one such entry stops every pull of the pod. Log in to it again"),
            ({"auth": "cm9ib3Q6eA\u00e9"}, "has an 'auth' that is not standard base64: one such entry stops every pull of the pod. Log in to it again"),
            ({"auth": b64("canary")}, "has an 'auth' without a colon: it must be base64 of USER:PASSWORD. Log in to it again"),
            (
                {"auth": b64(b64("robot:canary"))},
                "has an 'auth' without a colon: it must be base64 of USER:PASSWORD and it was encoded twice. Log in to it again",
            ),
            ({"auth": b64(":canary")}, "has no user: log in to it again with user and password"),
            ({"email": "e"}, "has no user and no password: log in to it again with user and password"),
            (
                {"auth": b64("robot:"), "identitytoken": "canary"},
                "holds only an identity token, which the kubelet does not read: use a robot or service account of the registry, with user "
                "and password",
            ),
            ({"username": "r\udce9", "password": "x"}, "has a user or password that is not valid Unicode: save the file as UTF-8"),
            ({"username": "r", "password": "\ud800"}, "has a user or password that is not valid Unicode: save the file as UTF-8"),
        ],
    )  # fmt: skip
    def test_an_entry_that_no_node_can_use_is_refused(self, value: Any, message: str) -> None:
        assert refusal(of_file, value) == f"{WHERE} {message}"

    def test_a_number_that_the_api_server_refuses_is_refused(self) -> None:
        message = refusal(from_file, "quay.io", '{"auth": "YTpi", "x": [1e400]}', SOURCE)
        assert message == f"{WHERE} has a number that is too large for the API server: remove it"

    def test_an_entry_with_an_empty_key_is_refused_with_its_source(self) -> None:
        assert refusal(from_file, "", '{"auth": "YTpi"}', SOURCE).startswith("the file: registry '' is not host")

    @pytest.mark.parametrize("canary", CANARIES)
    def test_no_refusal_shows_a_credential(self, canary: str) -> None:
        for value in ({"auth": b64(canary.replace(":", ""))}, {"password": canary}, {"auth": [canary]}, canary):
            assert shown(refusal(of_file, value), canary) == []


class TestStoredEntry:
    @pytest.mark.parametrize(
        ("value", "login"),
        [
            ({"auth": "YTpi"}, ("a", "b")),
            ({"auth": "YTpi", "identitytoken": 5}, ("a", "b")),
            ({"username": "a", "password": "b"}, ("a", "b")),
            ({"auth": "YTpi="}, ("", "")),
            ({"auth": "YTpi", "email": 5}, ("", "")),
            ({"auth": "YTo="}, ("", "")),
            ({"auth": "OmI="}, ("", "")),
            ({}, ("", "")),
            (None, ("", "")),
            ("x", ("", "")),
        ],
    )
    def test_a_stored_entry_has_the_login_that_the_kubelet_reads(self, value: Any, login: tuple[str, str]) -> None:
        found = of_secret(value)
        assert (found.key, found.username, found.password) == ("quay.io", *login)
        assert bool(found.fields) is (login != ("", ""))

    @pytest.mark.parametrize(("key", "shown_as"), [("u:canary@a.io", "***@a.io"), ("a b", "a b"), ("", "")])
    def test_a_stored_entry_with_an_invalid_key_has_no_login(self, key: str, shown_as: str) -> None:
        assert stored_entry(key, '{"auth": "YTpi"}') == CredentialEntry(shown_as, "", "")


class TestMeaning:
    def test_the_meaning_of_an_entry_is_its_login_and_its_normalized_fields(self) -> None:
        found = from_file(
            "a.io", '{"auth":"YTpi","username":"x","password":"y","email":"r\udce9","n":{"b": [1.50]}}', SOURCE
        )
        assert found.meaning == {"username": "a", "password": "b", "email": "r\ufffd", "n": {"b": [1.5]}}

    @pytest.mark.parametrize("value", ["[" * 5000 + "]" * 5000, '{"a":' * 200 + "1" + "}" * 200, "9" * 5000])
    def test_a_value_that_python_cannot_read_or_compare_is_kept_as_text(self, value: str) -> None:
        assert CredentialEntry("a.io", "a", "b", {"n": value}).meaning["n"] == value

    def test_readable_values_are_compared_without_white_space_and_order(self) -> None:
        one, other = (
            CredentialEntry("a.io", "a", "b", {"n": value}) for value in ('{"a": 1, "b": [2]}', '{"b":[2],"a":1}')
        )
        assert changed_fields(one, other) == []

    @pytest.mark.parametrize(
        ("one", "other", "names"),
        [
            ({"auth": "YTpi"}, {"auth": "YTpj"}, ["password"]),
            ({"auth": "YTpi"}, {"auth": "YzpkCg"}, ["password", "username"]),
            ({"auth": "YTpi", "email": "e"}, {"auth": "YTpi"}, ["email"]),
            ({"auth": "YTpi"}, {"auth": "YTpi", "x": None, "email": ""}, []),
            ({"auth": "YTpi", "x": 1}, {"auth": "YTpi", "x": 2}, ["x"]),
            ({"auth": "YTpi"}, {"username": "a", "password": "b"}, []),
        ],
    )
    def test_changed_fields_names_the_different_fields(self, one: Any, other: Any, names: list[str]) -> None:
        assert changed_fields(of_secret(one), of_secret(other)) == names


class TestFieldName:
    @pytest.mark.parametrize(
        ("name", "field"),
        [
            ("auth", "auth"), ("AUTH", "auth"), ("UserName", "username"), ("pa\u017fsword", "password"), ("EMAIL", "email"),
            ("IdentityToken", "identitytoken"), ("RegistryToken", "registrytoken"), ("ServerAddress", "serveraddress"),
            ("X-Own", "X-Own"), ("auths", "auths"), ("Auths", "Auths"),
        ],
    )  # fmt: skip
    def test_field_name_accepts_known_names_in_any_case(self, name: str, field: str) -> None:
        assert field_name(name) == field


def test_the_repr_shows_no_credential() -> None:
    assert shown(repr(from_option(item(password="canary"))) + repr(entries), "canary") == []


def test_the_auth_field_holds_the_login() -> None:
    assert base64.b64decode(json.loads(from_option(item(password="a:b")).fields["auth"])) == b"robot:a:b"
