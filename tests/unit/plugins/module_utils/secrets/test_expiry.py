# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a token says of its end, and which kinds of credentials are known to live a short time."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.expiry import (
    KINDS,
    claims_of,
    expiry_of,
    is_legacy_token,
    kind_of,
)
from hypothesis import given
from hypothesis import strategies as st
from support.surveyed import token


@pytest.mark.parametrize(
    ("password", "expires"),
    [
        (token(exp=1.5), 1.5),
        (token(exp=-1), -1.0),
        (token(iat=1), None),
        (token(exp="1"), None),
        (token(exp=True), None),
        (token(exp=10**400), None),
        (token(exp=float("nan")), None),
        ("a.b.c", None),
        ("a.b", None),
        ("", None),
        (f"e30.{base64.urlsafe_b64encode(b'[1]').decode()}.x", None),
    ],
)
def test_when_a_token_expires(password, expires) -> None:
    assert expiry_of(password) == expires


@given(st.text(max_size=60) | st.builds(lambda *parts: ".".join(parts), *[st.text(max_size=20)] * 3))
def test_whatever_a_password_is(password: str) -> None:
    expiry_of(password)
    claims_of(password)
    is_legacy_token(password)


def test_a_token_of_the_old_kind() -> None:
    assert is_legacy_token(token(iss="kubernetes/serviceaccount"))
    assert not is_legacy_token(token(iss="kubernetes/serviceaccount", exp=1))
    assert not is_legacy_token(token(iss=["kubernetes/serviceaccount"]))
    assert not is_legacy_token("password")


#: One of each kind, by its id.
SAMPLES: dict[str, Any] = {
    "ecr": ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "AWS", "eyJw"),
    "ecr-public": ("public.ecr.aws", "AWS", "eyJw"),
    "google": ("europe-docker.pkg.dev", "oauth2accesstoken", "ya29.x"),
    "acr": ("team.azurecr.io", "00000000-0000-0000-0000-000000000000", "x"),
    "github-app": ("ghcr.io", "anybody", "ghs_abc"),
    "gitlab-job": ("registry.gitlab.example.com", "gitlab-ci-token", "x"),
    "ibm": ("de.icr.io", "iambearer", "x"),
}


@pytest.mark.parametrize("kind", KINDS, ids=[kind.id for kind in KINDS])
def test_each_kind_is_told_from_host_user_and_password(kind) -> None:
    assert kind_of(*SAMPLES[kind.id]) is kind
    assert kind.lifetime == 0 or 3600 <= kind.lifetime <= 12 * 3600


@pytest.mark.parametrize(
    "login",
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com.example.com", "AWS", "x"),
        ("q.io", "AWS", "x"),
        ("gcr.io", "_json_key", "{}"),
        ("ghcr.io", "user", "ghp_abc"),
        ("notgcr.io", "oauth2accesstoken", "x"),
        ("icr.io", "iamapikey", "x"),
        ("quay.io", "team+robot", "x"),
    ],
)
def test_what_lives_longer_is_none_of_them(login) -> None:
    assert kind_of(*login) is None
