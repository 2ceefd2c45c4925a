# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long registry credentials are valid: the expiry time in a token, and the known lifetime of its kind. Pure.

The signature of a token is not verified, so its claims are only reported, never trusted. Its content does not leave this module.
"""

from __future__ import annotations

import base64
import json
import math
import re
from dataclasses import dataclass

from ..core.objects import Json, as_dict, as_str
from ..core.times import format_utc

#: Maximum difference between clocks, in seconds.
SKEW = 60.0
_HOUR = 3600.0


@dataclass(frozen=True)
class CredentialKind:
    """A kind of short-lived credential. `lifetime` is in seconds, or 0 where it varies.

    `host`, `username` and `password` are regular expressions that must all match. `renewal` is an imperative: how to get a new credential.
    """

    id: str
    title: str
    host: str
    username: str
    password: str
    lifetime: float
    renewal: str

    def fits(self, host: str, username: str, password: str) -> bool:
        parts = ((self.host, host), (self.username, username), (self.password, password))
        return all(re.fullmatch(expression, part, re.DOTALL) for expression, part in parts)


_ANY = ".*"
#: The first match counts. Sources: AWS API AuthorizationData, and the documentation of Artifact Registry and GitHub.
KINDS = (
    CredentialKind(
        "ecr",
        "an Amazon ECR token",
        r"[0-9]+\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?",
        "AWS",
        _ANY,
        12 * _HOUR,
        "get a new one with 'aws ecr get-login-password'",
    ),
    CredentialKind(
        "ecr-public",
        "an Amazon ECR Public token",
        r"public\.ecr\.aws",
        "AWS",
        _ANY,
        12 * _HOUR,
        "get a new one with 'aws ecr-public get-login-password'",
    ),
    CredentialKind(
        "google",
        "a Google access token",
        r"(.+\.)?(gcr\.io|pkg\.dev)",
        "oauth2accesstoken",
        _ANY,
        _HOUR,
        "get a new one with 'gcloud auth print-access-token'",
    ),
    CredentialKind(
        "acr",
        "an Azure token of a signed-in user",
        r".+\.azurecr\.io",
        "00000000-0000-0000-0000-000000000000",
        _ANY,
        3 * _HOUR,
        "get a new one with 'az acr login --expose-token', or use a token of the registry",
    ),
    CredentialKind(
        "github-app",
        "a token of a GitHub app",
        r"ghcr\.io|.*\.pkg\.github\.com",
        _ANY,
        r"ghs_.+",
        _HOUR,
        "have the app make a new one",
    ),
    CredentialKind(
        "gitlab-job",
        "a token of one GitLab job",
        _ANY,
        "gitlab-ci-token",
        _ANY,
        0,
        "use a deploy token of the project",
    ),
    CredentialKind(
        "ibm",
        "an IBM Cloud access token",
        r"(.+\.)?icr\.io",
        "iambearer",
        _ANY,
        _HOUR,
        "get a new one with 'ibmcloud iam oauth-tokens', or use an API key",
    ),
)

_RENEWAL = "get a new one from its issuer"
#: A claim in the service account tokens that the API server issues.
_OF_ACCOUNT = "kubernetes.io"


#: User names that are the same for many passwords, so that two logins with one of them need not be the same login.
_SHARED_USERS = frozenset(
    {
        "<token>", "unused", "serviceaccount", "token", "oauth2", "oauth2accesstoken", "_json_key", "_json_key_base64", "_token", "aws",
        "00000000-0000-0000-0000-000000000000", "iamapikey", "iambearer", "gitlab-ci-token", "x-access-token", "$oauthtoken", "$app",
    }
)  # fmt: skip


def has_user_name(username: str, password: str) -> bool:
    """Whether the user name identifies the owner of the login. It does not if it only says that the password is a token."""
    return username.lower() not in _SHARED_USERS and not claims_of(password)


def kind_of(host: str, username: str, password: str) -> CredentialKind | None:
    """Return the kind of a short-lived credential, or None for any other."""
    return next((kind for kind in KINDS if kind.fits(host, username, password)), None)


def expiry_of(password: str) -> float | None:
    """Return the expiry time in seconds since 1970 if the password is a JSON Web Token that contains it, otherwise None."""
    found = claims_of(password).get("exp")
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    return float(found) if abs(found) < 1e15 and math.isfinite(found) else None


def ends_at(host: str, username: str, password: str, written: float = 0.0) -> float | None:
    """Return the latest possible expiry time, in seconds since 1970, or None when it is unknown.

    It comes from the token itself, or from the lifetime of its kind and `written`, the time of writing (0: unknown).
    """
    ends = expiry_of(password)
    if ends is not None:
        return ends
    kind = kind_of(host, username, password)
    return written + kind.lifetime if kind and kind.lifetime and written else None


def why_expired(host: str, username: str, password: str, now: float, written: float = 0.0) -> str:
    """Return that the login has expired, when, and how to renew it, as the rest of a sentence. Empty if it has not, or if that is unknown.

    `now` and `written` are in seconds since 1970. `written` is 0 when it is unknown.
    """
    ends = ends_at(host, username, password, written)
    if ends is None or ends > now:
        return ""
    kind = kind_of(host, username, password)
    if expiry_of(password) is not None:
        when = f"has expired at {format_utc(ends)}, as its token says"
    else:
        title, lives = (kind.title, lifetime_of(kind)) if kind else ("", "")
        when = f"has expired, because it is {title} with a lifetime of {lives} and was written at {format_utc(written)}"
    return f"{when}: {_renewal(kind, password)}, and write it instead of this one"


def lifetime_of(kind: CredentialKind) -> str:
    """Return the lifetime of credentials of this kind, in words."""
    hours = round(kind.lifetime / _HOUR)
    return "one hour" if hours == 1 else f"{hours} hours"


def _renewal(kind: CredentialKind | None, password: str) -> str:
    if kind is not None:
        return kind.renewal
    return "get a new one with 'oc create token'" if _OF_ACCOUNT in claims_of(password) else _RENEWAL


def is_legacy_token(password: str) -> bool:
    """Whether it is a legacy service account token, which is stored in a secret and has no expiry time."""
    claims = claims_of(password)
    return as_str(claims.get("iss")) == "kubernetes/serviceaccount" and "exp" not in claims


def claims_of(token: str) -> Json:
    """Return the claims of a JSON Web Token, unverified. Empty when the text is not one."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        return as_dict(json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))))
    except (ValueError, RecursionError):
        return {}
