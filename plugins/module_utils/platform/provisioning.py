# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a service account has the pull secret that OpenShift generates for it. Pure.

Sources: openshift-controller-manager pkg/internalregistry/controllers (4.16 on) and pkg/serviceaccounts/controllers (before).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.objects import Json, as_dict, metadata
from ..dockerconfig.credential_entry import CredentialEntry
from ..secrets.content import StoredSecret
from ..secrets.expiry import claims_of
from .generated import generated_names

__all__ = ["UNREADABLE", "Verdict", "how_to_renew", "judge_account"]

_ACCOUNT = "openshift.io/internal-registry-auth-token.service-account"
_BINDING = "openshift.io/internal-registry-auth-token.binding"
_LEGACY = "openshift.io/token-secret.name"
_TYPE = "kubernetes.io/dockercfg"
#: The claim of a token that does not end (kubernetes pkg/serviceaccount/legacy.go).
_UID = "kubernetes.io/serviceaccount/service-account.uid"

#: Placeholder for a secret that the caller is not allowed to read, so that its existence is unknown.
UNREADABLE: Json = {"unreadable": True}


@dataclass(frozen=True)
class Verdict:
    """`secret` is the name of the generated secret if known. `missing` names the missing part, and is empty when the account is ready.

    `stale`: name of a generated secret with the token of a deleted account of the same name. The platform only replaces it when it
    renews the token.
    """

    secret: str = ""
    missing: str = ""
    note: str = ""
    stale: str = ""


def judge_account(account: Json, secrets: Mapping[str, Json | None]) -> Verdict:
    """Return whether the account can pull from the integrated registry. `secrets` holds the read secrets by their `generated_names`."""
    missing, stale = "no generated pull secret in imagePullSecrets", ""
    for name in generated_names(account):
        secret = secrets.get(name)
        if secret is UNREADABLE:
            return Verdict(
                name,
                note=f"secret {name} is listed, but the caller is not allowed to read it: its content was not verified",
            )
        missing = _missing_part(account, name, secret)
        if not missing:
            return Verdict(name)
        stale = stale or (name if _is_stale(account, secret) else "")
    return Verdict(missing=missing, stale=stale)


def how_to_renew(namespace: str, secret: str) -> str:
    """Return how to renew a stale secret. Waiting takes up to 36 minutes (openshift-controller-manager: 60 % of a token's hour)."""
    return (
        f"the platform may keep it for up to 36 minutes, so delete it with 'oc delete secret {secret} -n {namespace}': the platform creates it "
        "again within seconds"
    )


def _missing_part(account: Json, name: str, secret: Json | None) -> str:
    if secret is None:
        return f"secret {name} is listed but does not exist yet"
    annotations = as_dict(metadata(secret).get("annotations"))
    if secret.get("type") != _TYPE:
        return f"secret {name} has type {secret.get('type')} instead of {_TYPE}"
    has_token = annotations.get(_BINDING) in ("bound", "legacy")
    if _LEGACY not in annotations and not (has_token and annotations.get(_ACCOUNT) == metadata(account).get("name")):
        return f"secret {name} has no token yet"
    held = StoredSecret.of(secret)
    if held.unreadable:
        return f"secret {name} cannot be read: its content {held.unreadable}"
    entries = held.auth_file.entries
    if not entries:
        return f"secret {name} holds no registry yet"
    if _is_stale(account, secret):
        return f"secret {name} still holds the token of a deleted account of the same name"
    return ""


def _is_stale(account: Json, secret: Json | None) -> bool:
    """Whether a usable secret holds a token for another account of the same name."""
    held = StoredSecret.of(secret or {})
    return held.type == _TYPE and any(_is_for_other(account, entry) for entry in held.known.entries.values())


def _is_for_other(account: Json, entry: CredentialEntry) -> bool:
    """Whether the token contains another uid: after an account was deleted and recreated, the old secret remains for a moment."""
    claims = claims_of(entry.password)
    uid = as_dict(as_dict(claims.get("kubernetes.io")).get("serviceaccount")).get("uid", claims.get(_UID))
    return uid is not None and uid != metadata(account).get("uid")
