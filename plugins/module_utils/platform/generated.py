# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entries of a service account the platform generated: the one place where that is decided. Pure.

- Pull secrets stand in both lists of the account. From OpenShift 4.16 on an annotation of the account names the one, and what
  it names is put back when it is removed (openshift-controller-manager pkg/internalregistry/controllers). Before, the
  controller knows its own by the name alone (pkg/serviceaccounts/controllers/create_dockercfg_secrets.go).
- Token secrets stand in `secrets` only; Kubernetes put them there until 1.23 (kubernetes pkg/controller/serviceaccount), and
  they stay on a cluster that was upgraded.
- Names end in five random characters (apiserver pkg/storage/names). Account names that are too long for that are cut, and
  OpenShift shortens them and adds a hash (library-go pkg/build/naming).

So a name that looks generated is not proof: the account decides where it can, the secret itself where it cannot.
"""

from __future__ import annotations

import re
from enum import Enum

from ..core.json_types import as_dict, as_list, as_str
from ..core.objects import Json, metadata

__all__ = ["REFERENCE", "Origin", "fnv", "generated_names", "is_generated", "origin_of"]

#: The account's annotation that names its generated pull secret, from OpenShift 4.16 on.
REFERENCE = "openshift.io/internal-registry-pull-secret-ref"

PULL, MOUNT = "imagePullSecrets", "secrets"

#: Annotations and types of generated secrets.
_MANAGED_FOR = "openshift.io/internal-registry-auth-token.service-account"
_LEGACY_TOKEN = "openshift.io/token-secret.name"
_ACCOUNT = "kubernetes.io/service-account.name"
_DOCKERCFG = "kubernetes.io/dockercfg"
_TOKEN = "kubernetes.io/service-account-token"

#: A generated name has 63 characters at most, the last five of them random.
_LONGEST_PREFIX = 58
_RANDOM = re.compile("[bcdfghjklmnpqrstvwxz2456789]{5}")


class Origin(Enum):
    """What an account tells of one entry of its lists."""

    #: The annotation names it: the platform puts it back.
    GENERATED = "generated"
    #: Nothing names it, and all that can be seen fits a generated entry.
    PRESUMED = "presumed"
    #: The name fits, the rest does not: only the secret itself can tell.
    UNCERTAIN = "uncertain"
    #: Not generated for this account, or no longer in use.
    OTHER = "other"


def origin_of(account: Json, key: str, name: str) -> Origin:
    """Where the entry `name` in the list `key` of the account comes from, as far as the account tells."""
    if name and name == _referenced(account):
        return Origin.GENERATED
    if _is_formed(name, _dockercfg_prefixes(account)):
        return _origin_of_pull_secret(account, name)
    if key == MOUNT and _is_formed(name, _token_prefixes(account)):
        alone = _formed(account, MOUNT, _token_prefixes(account)) == {name}
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
    """The names in the account's pull list that may be its generated secret, the likeliest first.

    For reading only, so any ending is taken: a secret proves itself by its content.
    """
    referenced, prefixes = _referenced(account), tuple(_dockercfg_prefixes(account))
    listed = _listed(account, PULL)
    first = [name for name in listed if name == referenced]
    return list(dict.fromkeys([*first, *(name for name in listed if name.startswith(prefixes))]))


def _origin_of_pull_secret(account: Json, name: str) -> Origin:
    """Of a name that looks like a generated pull secret, and that no annotation names."""
    pulled, mounted = _listed(account, PULL), _listed(account, MOUNT)
    referenced = _referenced(account)
    if referenced and referenced in (*pulled, *mounted):
        return Origin.OTHER
    prefixes = _dockercfg_prefixes(account)
    alike = _formed(account, PULL, prefixes) | _formed(account, MOUNT, prefixes)
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


def _referenced(account: Json) -> str:
    return as_str(as_dict(metadata(account).get("annotations")).get(REFERENCE))


def _listed(account: Json, key: str) -> list[str]:
    names = (as_str(as_dict(entry).get("name")) for entry in as_list(account.get(key)))
    return [name for name in names if name]


def _formed(account: Json, key: str, prefixes: set[str]) -> set[str]:
    return {name for name in _listed(account, key) if _is_formed(name, prefixes)}


def _is_formed(name: str, prefixes: set[str]) -> bool:
    """Whether it is one of the prefixes and five random characters."""
    return any(name.startswith(prefix) and _RANDOM.fullmatch(name, len(prefix)) for prefix in prefixes)


def _dockercfg_prefixes(account: Json) -> set[str]:
    return {_shortened(_name(account), "dockercfg-")}


def _token_prefixes(account: Json) -> set[str]:
    """OpenShift's for the tokens behind its pull secrets, and that of Kubernetes, which only cuts."""
    name = _name(account)
    return {_shortened(name, "token-"), f"{name}-token-"[:_LONGEST_PREFIX]}


def _shortened(name: str, suffix: str) -> str:
    """`GetName(name, suffix, 58)` of library-go: as it is, or cut and marked with a hash of the whole name."""
    whole = f"{name}-{suffix}"
    if len(whole) <= _LONGEST_PREFIX:
        return whole
    mark = f"-{fnv(name):08x}-{suffix}"
    return name[: _LONGEST_PREFIX - len(mark)] + mark


def fnv(value: str) -> int:
    """The 32-bit FNV-1a hash."""
    result = 0x811C9DC5
    for byte in value.encode("utf-8", "surrogatepass"):
        result = (result ^ byte) * 0x01000193 % 2**32
    return result
