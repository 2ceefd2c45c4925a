# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The logins that crio-credential-provider takes from pull secrets are those of its own code (v0.1.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.credential_entry import (
    file_key,
    is_login_for,
    provider_logins,
)
from hypothesis import given
from hypothesis import strategies as st
from support.objects import b64


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
