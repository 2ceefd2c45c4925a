# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An entry is read as each client reads it, written, and compared."""

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
    file_key,
    from_file,
    from_option,
    is_login_for,
    is_undecodable,
    kubelet_reading,
    login_of,
    provider_logins,
    stored_entry,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.json_text import (
    InvalidContent,
    Object,
)
from hypothesis import given
from hypothesis import strategies as st
from support.objects import b64, raised

from unit.canaries import CANARIES, shown

# --- One entry is read and written, unusable entries are refused, and differences between two entries are found

SOURCE = "the file"

QUOTES = "put it in quotes where it is defined, because YAML changes a value such as 0123 without quotes"

WHERE = "the file: the entry for 'quay.io'"

TOKEN_ONLY = "holds only an identity token, which the kubelet does not read: use a robot or service account of the registry, with user and password"

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
            (
                {"registry": "robot:canary@quay.io"},
                "option 'registries': registry '***@quay.io' is not host[:port][/path]: remove the '@' and the part before it, or a digest, "
                "and give the user in 'username'",
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
        for each in ({"registry": "u:canary@quay.io"}, {"registry": "u:canary@quay.io", "password": []}):
            assert "canary" not in refusal(from_option, item(**each))


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
            ({"auth": b64("robot:")}, "has no password: log in to it again with user and password"),
            ({"auth": b64(":")}, "has no user and no password: log in to it again with user and password"),
            ({"username": "robot"}, "has no password: log in to it again with user and password"),
            ({"password": "canary"}, "has no user: log in to it again with user and password"),
            *((token, TOKEN_ONLY) for token in ({"identitytoken": "canary"}, {"IdentityToken": "canary"})),
            ({"email": "e"}, "has no user and no password: log in to it again with user and password"),
            ({"auth": b64("robot:"), "identitytoken": "canary"}, TOKEN_ONLY),
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


# --- The logins that crio-credential-provider takes from pull secrets are those of its own code (v0.1.2)


def read(**auths: Any) -> dict[str, tuple[str, str]]:
    return dict(provider_logins(json.dumps({"auths": auths})))


@pytest.mark.parametrize(
    ("entry", "login"),
    [
        ({"auth": b64("u:p")}, ("u", "p")),
        ({"auth": b64("u:p:q\0")}, ("u", "p:q")),
        ({"Auth": b64("u:p")}, ("u", "p")),
        ({"auth": b64("u:p").replace("O", "O\n")}, ("u", "p")),
        ({"auth": b64("u")}, ("", "")),
        ({"auth": None}, ("", "")),
        ({"username": "u", "password": "p"}, ("", "")),
        ({"username": 5, "auth": b64("u:p")}, ("u", "p")),
        (None, ("", "")),
    ],
)
def test_only_the_auth_of_an_entry_counts(entry: Any, login: tuple[str, str]) -> None:
    assert read(a=entry) == {"a": login}


@pytest.mark.parametrize("auth", ["?", "dTpw=", "dTpwcA", "dTp-"])
def test_an_entry_that_is_not_base64_is_skipped_alone(auth: str) -> None:
    assert read(a={"auth": auth}, b={"auth": b64("u:p")}) == {"b": ("u", "p")}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "5",
        '{"auths": []}',
        '{"auths": {"a": 5}}',
        '{"auths": {"a": {"auth": 5}, "b": {"auth": "dTpw"}}}',
    ],
)
def test_a_part_of_a_wrong_type_skips_the_whole_secret(text: str) -> None:
    assert provider_logins(text) == {}


def test_objects_with_the_same_name_are_read_as_in_go() -> None:
    assert provider_logins('{"auths": {"a": {"auth": "dTpw"}}, "AUTHS": {"b": {"auth": "dTpw"}}}') == {
        "a": ("u", "p"),
        "b": ("u", "p"),
    }
    assert provider_logins('{"auths": {"a": {"auth": "dTpw"}}, "auths": null}') == {}
    assert provider_logins("null") == {}


@pytest.mark.parametrize(
    ("key", "taken"),
    [
        ("m.io", True),
        ("https://m.io/z", True),
        ("http://m.io", True),
        ("m.io/z/te", False),  # longer than the location
        ("m.i", True),  # a beginning of the text
        ("q.io/team", True),
        ("q.io/team/app/x", False),
        ("x.io", False),
        ("https://index.docker.io/v1/", False),
        ("*.io", False),
    ],
)
def test_a_key_is_compared_as_text(key: str, taken: bool) -> None:
    assert is_login_for(key, "q.io/team/app", ["n.io", "m.io/z"]) is taken


@pytest.mark.parametrize(
    ("key", "stored"), [("https://m.io/v1/", "m.io/v1/"), ("http://https://m.io", "https://m.io"), ("m.io", "m.io")]
)
def test_the_file_has_the_key_without_its_scheme(key: str, stored: str) -> None:
    assert file_key(key) == stored


@given(st.text())
def test_any_content_is_read(text: str) -> None:
    provider_logins(text)
    provider_logins(json.dumps({"auths": {"a": {"auth": text}}}))


# --- A secret gives the same logins as in the kubelet, or is rejected as a whole. tests/oracle runs the kubelet's code

GOOD = {"auth": b64("robot:canary")}


def problems(text: str, *, legacy: bool = False) -> tuple[str, ...]:
    return kubelet_reading(text, legacy=legacy).problems


class TestLoginOf:
    @pytest.mark.parametrize(
        ("entry", "login"),
        [
            ("null", ("", "")),
            ("{}", ("", "")),
            ('{"auth": null, "username": null}', ("", "")),
            ('{"username": "u", "password": "p", "email": "e"}', ("u", "p")),
            ('{"USERNAME": "u", "Pa\u017fsword": "p"}', ("u", "p")),
            ('{"username": "u", "username": "v", "password": "p"}', ("v", "p")),
            ('{"username": "u", "Username": null, "password": "p"}', ("u", "p")),
            ('{"username": "u", "password": "p", "auth": ""}', ("u", "p")),
            ('{"username": "u", "password": "p", "auth": "YTpi"}', ("a", "b")),
            ('{"auth": "%", "AUTH": "YTpi"}', ("a", "b")),
            ('{"auth": "YTpi", "AUTH": ""}', ("", "")),
            ('{"auth": "YTpi", "identitytoken": 1, "serveraddress": [], "registrytoken": {}, "x": 1e999}', ("a", "b")),
            ('{"auth": "Og=="}', ("", "")),
            ('{"auth": "YTo="}', ("a", "")),
            ('{"auth": "OmI="}', ("", "b")),
            ('{"auth": "YTpiOmM="}', ("a", "b:c")),
            ('{"auth": "dTpwcA=="}', ("u", "pp")),
            ('{"auth": "dTpwcA"}', ("u", "pp")),
            ('{"auth": "dTpwcHA="}', ("u", "ppp")),
            ('{"auth": "dTpwcHA"}', ("u", "ppp")),
            ('{"auth": "\\ndT\\r\\npw\\n"}', ("u", "p")),
            ('{"auth": "dTpwcA=\\n=\\n"}', ("u", "pp")),
            ('{"auth": "dTpwcB"}', ("u", "pp")),
            ('{"auth": "dTrp"}', ("u", "\udce9")),
            ('{"username": "u", "password": "\udce9\\udce9"}', ("u", "\ufffd\ufffd")),
        ],
    )
    def test_login_of_returns_the_login_that_the_kubelet_uses(self, entry: str, login: tuple[str, str]) -> None:
        assert login_of(entry) == login

    @pytest.mark.parametrize(
        "auth",
        [
            "%%%", "dTpwcA=", "dTpw=", "dTpw==", "dTpw====", "dT=pw", "dTpwc===", "=", "==", "====", "d", "dTpwc", "dTpw ", " dTpw", "dTpw\t",
            "_-8=", "dTpwcA==x", "dTpwcA==dTpw", "dTpé", "dTpw\ufffd", "dTpw\x00",
        ],
    )  # fmt: skip
    def test_base64_must_be_whole_or_without_padding(self, auth: str) -> None:
        with pytest.raises(InvalidContent, match="^has an 'auth' that is not standard base64$"):
            login_of(json.dumps({"auth": auth}))

    @pytest.mark.parametrize("auth", ["YQ==", "YQ", "\n", "\r\n\r\n", b64("canary")])
    def test_a_decoded_auth_field_must_have_a_colon(self, auth: str) -> None:
        with pytest.raises(InvalidContent, match="^has an 'auth' that is not base64 of USER:PASSWORD$"):
            login_of(json.dumps({"auth": auth}))

    @pytest.mark.parametrize("name", ["username", "password", "email", "auth"])
    @pytest.mark.parametrize(
        ("value", "kind"), [(5, "a number"), (True, "true or false"), ([], "a list"), ({}, "an object")]
    )
    def test_each_decoded_field_must_be_a_string(self, name: str, value: Any, kind: str) -> None:
        for written in (name, name.upper()):
            with pytest.raises(InvalidContent, match=f"^has a '{name}' that is {kind}, not a string$"):
                login_of(json.dumps({written: value, "x": 1}))

    @pytest.mark.parametrize(("entry", "kind"), [('"robot:canary"', "a string"), ("[]", "a list"), ("5", "a number")])
    def test_an_entry_must_be_an_object(self, entry: str, kind: str) -> None:
        with pytest.raises(InvalidContent, match=f"^is {kind}, not an object$"):
            login_of(entry)

    @pytest.mark.parametrize(
        ("field", "wrong"),
        [
            ('{"auth": 1}', True), ('{"Email": []}', True), ('{"auth": null}', False), ('{"auth": ""}', False), ('{"identitytoken": 1}', False),
        ],
    )  # fmt: skip
    def test_a_field_that_the_kubelet_cannot_decode_is_recognised(self, field: str, wrong: bool) -> None:
        (item,) = Object.parse(field).members
        assert is_undecodable(item) is wrong


class TestReading:
    @pytest.mark.parametrize(
        ("text", "logins"),
        [
            ("", {}),
            ("null", {}),
            ("{}", {}),
            (' {"auths": null} ', {}),
            ('{"auths": {}}', {}),
            ('{"auths": {"a.io": {"auth": "YTpi"}, "b.io": null}}', {"a.io": ("a", "b"), "b.io": ("", "")}),
            ('{"Auth\u017f": {"a.io": {"auth": "YTpi"}}}', {"a.io": ("a", "b")}),
            ('{"auths": {"a.io": {"auth": "YTpi"}, "a.io": {"auth": "YTpj"}}}', {"a.io": ("a", "c")}),
            ('{"auths": {"a.io": {"auth": "YTpi"}}, "AUTHS": {"b.io": {}}}', {"a.io": ("a", "b"), "b.io": ("", "")}),
            ('{"auths": {"a.io": {"auth": "YTpi"}}, "AUTHS": null}', {}),
            ('{"auths": null, "AUTHS": {"b.io": {}}}', {"b.io": ("", "")}),
            ('{"auths": {"r\udce9.io": {"auth": "YTpi"}}}', {"r\ufffd.io": ("a", "b")}),
            ('{"HttpHeaders": null, "auths": {}}', {}),
            ('{"HttpHeaders": {"a": "b", "c": null}, "auths": {}}', {}),
            ('{"credsStore": 1, "x": [], "a.io": {"auth": 1}}', {}),
        ],
    )
    def test_the_reading_has_the_logins_by_key(self, text: str, logins: dict[str, tuple[str, str]]) -> None:
        found = kubelet_reading(text, legacy=False)
        assert (found.logins, found.problems) == (logins, ())

    @pytest.mark.parametrize(
        ("text", "logins"),
        [
            ("null", {}),
            ("{}", {}),
            ('{"a.io": {"auth": "YTpi"}, "HttpHeaders": {"a": 1}}', {"a.io": ("a", "b"), "HttpHeaders": ("", "")}),
            ('{"auths": {"a.io": {"auth": 1}}}', {"auths": ("", "")}),
        ],
    )
    def test_a_legacy_file_holds_only_entries(self, text: str, logins: dict[str, tuple[str, str]]) -> None:
        found = kubelet_reading(text, legacy=True)
        assert (found.logins, found.problems) == (logins, ())

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (" ", ["it is not valid JSON at line 1, column 2"]),
            ("[]", ["it is a list, not an object"]),
            ('{"auths": NaN}', ["it is not valid JSON at line 1, column 11"]),
            ('{"auths": []}', ["'auths' is a list, not an object"]),
            ('{"auths": {}, "Auths": "x"}', ["'auths' is a string, not an object"]),
            ('{"HttpHeaders": []}', ["'HttpHeaders' is a list, not an object"]),
            ('{"httpHEADERS": "x"}', ["'HttpHeaders' is a string, not an object"]),
            ('{"HttpHeaders": {"a": "b", "c": ["d"], "e": 1}}', ["'HttpHeaders' has a value that is a list, not a string"]),
            ('{"HttpHeaders": {"a": 1}, "HttpHeaders": {}}', ["'HttpHeaders' has a value that is a number, not a string"]),
            (
                '{"auths": {"a.io": {"auth": "%"}, "a.io": {"auth": "YTpi"}, "u:canary@b.io": "x"}}',
                [
                    "the entry for 'a.io' has an 'auth' that is not standard base64",
                    "the entry for '***@b.io' is a string, not an object",
                ],
            ),
        ],
    )  # fmt: skip
    def test_one_wrong_part_stops_every_pull(self, text: str, expected: list[str]) -> None:
        assert list(problems(text)) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("[]", "'auths' is a list, not an object"),
            ('{"a.io": "x"}', "the entry for 'a.io' is a string, not an object"),
            ("x", "it is not valid JSON at line 1, column 1"),
        ],
    )
    def test_one_wrong_part_of_a_legacy_file_stops_every_pull(self, text: str, expected: str) -> None:
        assert problems(text, legacy=True) == (expected,)

    def test_problems_show_no_credential(self) -> None:
        text = json.dumps({"auths": {"a.io": {"auth": b64("canary")}, "u:canary@b.io": {"password": ["canary"]}}})
        assert shown("".join(problems(text)), "canary") == []

    def test_the_repr_shows_no_credential(self) -> None:
        assert "canary" not in repr(kubelet_reading(json.dumps({"auths": {"a.io": GOOD}}), legacy=False))
