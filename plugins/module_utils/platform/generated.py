# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the platform generated an entry of a service account. Only this module decides that. Pure.

- Pull secrets are in both lists of the account. From OpenShift 4.16 on, an annotation of the account names the current one, and the
  platform restores it when it is removed (openshift-controller-manager pkg/internalregistry/controllers). Before, the
  controller recognizes its own by the name alone (pkg/serviceaccounts/controllers/create_dockercfg_secrets.go).
- Token secrets are only in `secrets`. Kubernetes added them until 1.23 (kubernetes pkg/controller/serviceaccount), and they
  remain on an upgraded cluster.
- Names end in five random characters (apiserver pkg/storage/names). Kubernetes cuts account names that are too long for that, and
  OpenShift shortens them and adds a hash (library-go pkg/build/naming).

So a name that looks generated is not proof: the account decides if possible, otherwise the secret itself.
"""

from __future__ import annotations

import re
from enum import Enum

from ..core.objects import Json, as_dict, as_list, as_str, metadata

__all__ = ["REFERENCE", "Origin", "fnv_hash", "generated_names", "is_generated", "origin_of"]

#: The account's annotation with the name of its generated pull secret, from OpenShift 4.16 on.
REFERENCE = "openshift.io/internal-registry-pull-secret-ref"

PULL, MOUNT = "imagePullSecrets", "secrets"

#: Annotations and types of generated secrets.
_MANAGED_FOR = "openshift.io/internal-registry-auth-token.service-account"
_LEGACY_TOKEN = "openshift.io/token-secret.name"
_ACCOUNT = "kubernetes.io/service-account.name"
_DOCKERCFG = "kubernetes.io/dockercfg"
_TOKEN = "kubernetes.io/service-account-token"

#: Maximum length of a generated name, whose last five characters are random.
_LONGEST_PREFIX = 58
_RANDOM = re.compile("[bcdfghjklmnpqrstvwxz2456789]{5}")


class Origin(Enum):
    """The origin of one entry, as far as the account shows it."""

    #: The annotation names it, so the platform restores it.
    GENERATED = "generated"
    #: Nothing names it, but everything visible fits a generated entry.
    PRESUMED = "presumed"
    #: Only the name fits, so the secret itself has to be checked.
    UNCERTAIN = "uncertain"
    #: Not generated for this account, or no longer in use.
    OTHER = "other"


def origin_of(account: Json, key: str, name: str) -> Origin:
    """Return the origin of the entry `name` in the list `key` of the account, as far as the account shows it."""
    if name and name == _referenced_secret(account):
        return Origin.GENERATED
    if _is_formed(name, _dockercfg_prefixes(account)):
        return _origin_of_pull_secret(account, name)
    if key == MOUNT and _is_formed(name, _token_prefixes(account)):
        alone = _formed_names(account, MOUNT, _token_prefixes(account)) == {name}
        return Origin.PRESUMED if alone else Origin.UNCERTAIN
    return Origin.OTHER


def is_generated(account: Json, secret: Json) -> bool:
    """Whether the platform generated the secret for this account, by type, annotations and owner."""
    meta, name = metadata(secret), _name(account)
    annotations = as_dict(meta.get("annotations"))
    if secret.get("type") == _TOKEN:
        return annotations.get(_ACCOUNT) == name
    if secret.get("type") != _DOCKERCFG:
        return False
    is_legacy = _LEGACY_TOKEN in annotations and annotations.get(_ACCOUNT, name) == name
    return is_legacy or annotations.get(_MANAGED_FOR) == name or _is_owned(account, meta)


def generated_names(account: Json) -> list[str]:
    """Return the names in the account's pull list that may be its generated secret, the most likely first.

    For reading only, so any suffix is accepted: the content of the secret proves its origin.
    """
    referenced, prefixes = _referenced_secret(account), tuple(_dockercfg_prefixes(account))
    listed = _listed_names(account, PULL)
    first = [name for name in listed if name == referenced]
    return list(dict.fromkeys([*first, *(name for name in listed if name.startswith(prefixes))]))


def _origin_of_pull_secret(account: Json, name: str) -> Origin:
    """The origin of a name that looks like a generated pull secret and that no annotation names."""
    pulled, mounted = _listed_names(account, PULL), _listed_names(account, MOUNT)
    referenced = _referenced_secret(account)
    if referenced and referenced in (*pulled, *mounted):
        return Origin.OTHER
    prefixes = _dockercfg_prefixes(account)
    alike = _formed_names(account, PULL, prefixes) | _formed_names(account, MOUNT, prefixes)
    is_alone = alike == {name} and name in pulled and name in mounted
    return Origin.PRESUMED if is_alone and not referenced else Origin.UNCERTAIN


def _is_owned(account: Json, meta: Json) -> bool:
    """Whether the owner is the account (from 4.16 on), or one of its token secrets (before)."""
    for entry in as_list(meta.get("ownerReferences")):
        owner = as_dict(entry)
        kind, name = owner.get("kind"), as_str(owner.get("name"))
        if kind == "ServiceAccount" and name == _name(account):
            return True
        if kind == "Secret" and _is_formed(name, _token_prefixes(account)):
            return True
    return False


def _name(account: Json) -> str:
    return as_str(metadata(account).get("name"))


def _referenced_secret(account: Json) -> str:
    return as_str(as_dict(metadata(account).get("annotations")).get(REFERENCE))


def _listed_names(account: Json, key: str) -> list[str]:
    names = (as_str(as_dict(entry).get("name")) for entry in as_list(account.get(key)))
    return [name for name in names if name]


def _formed_names(account: Json, key: str, prefixes: set[str]) -> set[str]:
    return {name for name in _listed_names(account, key) if _is_formed(name, prefixes)}


def _is_formed(name: str, prefixes: set[str]) -> bool:
    """Whether the name is one of the prefixes followed by five random characters."""
    return any(name.startswith(prefix) and _RANDOM.fullmatch(name, len(prefix)) for prefix in prefixes)


def _dockercfg_prefixes(account: Json) -> set[str]:
    return {_shorten(_name(account), "dockercfg-")}


def _token_prefixes(account: Json) -> set[str]:
    """The prefix of OpenShift for the tokens of its pull secrets, and that of Kubernetes, which only cuts the name."""
    name = _name(account)
    return {_shorten(name, "token-"), f"{name}-token-"[:_LONGEST_PREFIX]}


def _shorten(name: str, suffix: str) -> str:
    """`GetName(name, suffix, 58)` of library-go: unchanged, or cut and followed by a hash of the whole name."""
    whole = f"{name}-{suffix}"
    if len(whole) <= _LONGEST_PREFIX:
        return whole
    mark = f"-{fnv_hash(name):08x}-{suffix}"
    return name[: _LONGEST_PREFIX - len(mark)] + mark


def fnv_hash(value: str) -> int:
    """Return the 32-bit FNV-1a hash."""
    result = 0x811C9DC5
    for byte in value.encode("utf-8", "surrogatepass"):
        result = (result ^ byte) * 0x01000193 % 2**32
    return result
