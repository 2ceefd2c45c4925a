# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret gives the same logins as in the kubelet, or is rejected as a whole. tests/oracle runs the kubelet's code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.credential_entry import (
    is_undecodable,
    kubelet_reading,
    login_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.json_text import (
    InvalidContent,
    Object,
)
from support.objects import b64

from unit.canaries import shown

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
