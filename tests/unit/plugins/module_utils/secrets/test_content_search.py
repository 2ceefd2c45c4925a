# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A credential is found in every form, and nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import CredentialSearch, Match
from hypothesis import given
from support.anything import ANYTHING
from support.objects import b64
from support.surveyed import auth, secret

PASSWORD = "canary-of-a-leak"
SEARCH = CredentialSearch(PASSWORD)


def opaque(value: str, **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "o", **metadata},
        "type": "Opaque",
        "data": {"key": b64(value)},
    }


@pytest.mark.parametrize(
    "value",
    [
        PASSWORD,
        f"line\npassword: {PASSWORD}\n",
        json.dumps({"auths": {"q.io": {"identitytoken": PASSWORD}}}),
        json.dumps({"a": b64(f"user:{PASSWORD}")}),
        b64(f"x{PASSWORD}y"),
        b64(f"xy{PASSWORD}"),
        f"https://u:{PASSWORD}@q.io",
    ],
)
def test_a_credential_is_found_in_every_form(value) -> None:
    assert SEARCH.matches(opaque(value)) == [Match("data key key", True)]


@pytest.mark.parametrize("entry", [auth(PASSWORD), {"username": "u", "password": PASSWORD}])
def test_an_entry_is_named_by_its_registry(entry) -> None:
    for kind in ("kubernetes.io/dockerconfigjson", "kubernetes.io/podmanconfigjson", "Opaque"):
        assert SEARCH.matches(secret("s", {"q.io": entry, "other.io": auth()}, kind)) == [Match("q.io", True)]


def test_a_token_in_an_auth_file_is_found() -> None:
    assert SEARCH.matches(secret("s", {"q.io": {"identitytoken": PASSWORD}})) == [
        Match("data key .dockerconfigjson", True)
    ]


@pytest.mark.parametrize(
    ("search", "as_asked"),
    [
        (CredentialSearch(PASSWORD, "https://q.io/v1/"), True),
        (CredentialSearch(PASSWORD, "q.io", "user"), True),
        (CredentialSearch(PASSWORD, "other.io"), False),
        (CredentialSearch(PASSWORD, username="other"), False),
    ],
)
def test_registry_and_user_decide_whether_a_match_is_exact(search, as_asked) -> None:
    assert search.matches(secret("s", {"q.io/team": auth(PASSWORD)})) == [Match("q.io/team", as_asked)]
    if search.registry or search.username:
        assert search.matches(opaque(PASSWORD)) == [Match("data key key", False)]


def test_a_key_with_a_user_is_one_for_its_registry() -> None:
    """Nodes use it, so the login is still in use."""
    search = CredentialSearch(PASSWORD, "q.io", "user")
    assert search.matches(secret("s", {"robot@q.io": auth(PASSWORD)})) == [Match("***@q.io", True)]


def test_a_credential_in_a_kubectl_annotation_is_found() -> None:
    applied = json.dumps({"data": {"key": b64(f"user:{PASSWORD}")}})
    found = SEARCH.matches(opaque("other", annotations={"last-applied": applied, "other": "x"}))
    assert found == [Match("annotation last-applied", True)]


@pytest.mark.parametrize("value", ["", "canary-of-a-lea", PASSWORD.upper(), b64(PASSWORD[:-1])])
def test_a_different_value_is_not_found(value) -> None:
    assert SEARCH.matches(opaque(value)) == []


def test_the_searched_credential_is_never_shown() -> None:
    assert PASSWORD not in repr(SEARCH)
    assert PASSWORD not in str(SEARCH.matches(secret("s", {f"{PASSWORD}@q.io": auth(PASSWORD)})))


@given(ANYTHING, ANYTHING)
def test_arbitrary_secrets_raise_no_error(data: Any, meta: Any) -> None:
    SEARCH.matches({"metadata": meta, "data": data, "type": "Opaque"})
