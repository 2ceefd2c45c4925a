# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The expiry time of a token is read from the token itself, and short-lived kinds of credentials are recognized."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.expiry import (
    KINDS,
    claims_of,
    ends_at,
    expiry_of,
    is_legacy_token,
    kind_of,
    lifetime_of,
    why_expired,
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
def test_the_expiry_is_read_from_a_token(password, expires) -> None:
    assert expiry_of(password) == expires


@given(st.text(max_size=60) | st.builds(lambda *parts: ".".join(parts), *[st.text(max_size=20)] * 3))
def test_arbitrary_passwords_raise_no_error(password: str) -> None:
    expiry_of(password)
    claims_of(password)
    is_legacy_token(password)


def test_a_legacy_token_is_recognized() -> None:
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
def test_each_kind_is_recognized_by_host_user_and_password(kind) -> None:
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
def test_a_long_lived_login_has_no_kind(login) -> None:
    assert kind_of(*login) is None


HOUR = 3600.0
ECR = SAMPLES["ecr"]


@pytest.mark.parametrize(
    ("login", "written", "ends"),
    [
        (("q.io", "u", token(exp=7)), 0.0, 7.0),
        ((*ECR[:2], token(exp=7)), 100.0, 7.0),
        (ECR, 100.0, 100.0 + 12 * HOUR),
        (ECR, 0.0, None),
        (SAMPLES["gitlab-job"], 100.0, None),
        (("q.io", "u", "p"), 100.0, None),
    ],
)
def test_the_end_comes_from_the_token_or_from_its_kind_and_age(login, written, ends) -> None:
    assert ends_at(*login, written) == ends


@pytest.mark.parametrize(("now", "is_over"), [(59.0, False), (60.0, True), (1e9, True)])
def test_a_token_is_expired_from_its_end_on(now: float, is_over: bool) -> None:
    said = why_expired("q.io", "u", token(exp=60), now)
    assert bool(said) is is_over
    if said:
        assert said == (
            "has expired at 1970-01-01T00:01:00Z, as its token says: get a new one from its issuer, and write it instead of this one"
        )


def test_the_fix_depends_on_the_kind_of_token() -> None:
    assert "'oc create token'" in why_expired("q.io", "u", token(exp=1, **{"kubernetes.io": {}}), 2.0)
    said = why_expired(*ECR, 12 * HOUR + 60, 60.0)
    assert said.startswith(
        "has expired, because it is an Amazon ECR token with a lifetime of 12 hours and was written at 1970-01-01T00:01:00Z"
    )
    assert "'aws ecr get-login-password'" in said
    assert why_expired(*ECR, 12 * HOUR + 59, 60.0) == ""
    assert why_expired(*ECR, 1e9) == "", "the time of writing is unknown"
    assert lifetime_of(next(kind for kind in KINDS if kind.id == "google")) == "one hour"


@given(st.text(max_size=40), st.text(max_size=20), st.text(max_size=60))
def test_arbitrary_logins_raise_no_error(host: str, username: str, password: str) -> None:
    assert why_expired(host, username, password, 1e12, 1.0) == "" or kind_of(host, username, password)
