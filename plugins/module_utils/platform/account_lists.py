# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two lists of secrets on a service account, how to change them, and the platform's own entries in them. Pure.

`imagePullSecrets` is an atomic list for the API server (api/core/v1/types.go): every write replaces all of it. So the functions here
return the whole list with our own entries added or removed. All other entries keep their place, including those that name no secret.

- Pull secrets are in both lists of the account. From OpenShift 4.16 on, an annotation of the account names the current one, and the
  platform restores it when it is removed (openshift-controller-manager pkg/internalregistry/controllers). Before, the
  controller recognizes its own by the name alone (pkg/serviceaccounts/controllers/create_dockercfg_secrets.go).
- Token secrets are only in `secrets`. Kubernetes added them until 1.23 (kubernetes pkg/controller/serviceaccount), and they
  remain on an upgraded cluster.
- Names end in five random characters (apiserver pkg/storage/names). Kubernetes cuts account names that are too long for that, and
  OpenShift shortens them and adds a hash (library-go pkg/build/naming).

So a name that looks generated is not proof: the account decides if possible, otherwise the secret itself.

Sources: openshift-controller-manager pkg/internalregistry/controllers (4.16 on) and pkg/serviceaccounts/controllers (before).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..core.errors import Refusal
from ..core.objects import Json, ObjectRef, as_dict, as_list, as_str, metadata
from ..dockerconfig.credential_entry import CredentialEntry
from ..secrets.content import StoredSecret
from ..secrets.expiry import claims_of

#: The list of the service account for each purpose, as in `oc secrets link --for`.
LISTS = {"pull": "imagePullSecrets", "mount": "secrets"}

#: Annotations of the secrets that the platform generates. Sources: openshift-controller-manager pkg/internalregistry/controllers and, before 4.16,
#: pkg/serviceaccounts/controllers.
_GENERATED_ANNOTATIONS = ("openshift.io/internal-registry-auth-token.service-account", "openshift.io/token-secret.name")

#: Entries as the API server sent them. Each should be an object with a name.
Entries = Sequence[Any]


def entries_of(ref: ObjectRef, account: Json, key: str) -> Entries:
    """Return the list `key` of the account, for a change. :raises Refusal: when it is not a list."""
    entries = account.get(key)
    if entries is not None and not isinstance(entries, list):
        raise Refusal(f"{ref} cannot be read: its '{key}' are not a list. Nothing was changed in this namespace")
    return entries or []


def entry_names(entries: Entries) -> list[str]:
    """Return the name in each entry, or an empty text where an entry names no secret."""
    return [_name(entry) for entry in entries]


def names_in(holder: Json, key: str) -> list[str]:
    """Return the secrets in a list of an account or a pod, for reading only. Anything other than a list is treated as empty."""
    return [name for name in entry_names(as_list(holder.get(key))) if name]


def add_links(entries: Entries, wanted: Sequence[str]) -> list[Any]:
    """Return `entries` with each wanted name once: at its first position, or appended in the given order."""
    seen: set[str] = set()
    kept = []
    for entry in entries:
        name = _name(entry)
        if name not in wanted or name not in seen:
            kept.append(entry)
        seen.add(name)
    return kept + [{"name": name} for name in dict.fromkeys(wanted) if name not in seen]


def remove_links(entries: Entries, unwanted: Collection[str]) -> list[Any]:
    """Return `entries` without the unwanted names, including duplicates."""
    return [entry for entry in entries if _name(entry) not in unwanted]


def duplicate_names(entries: Entries) -> list[str]:
    """Return the names that occur more than once in the list."""
    found = entry_names(entries)
    return [name for name in dict.fromkeys(found) if name and found.count(name) > 1]


def changes_of(before: Entries, after: Entries) -> dict[str, list[str]]:
    """Return the reported changes of one list."""
    old, new = Counter(entry_names(before)), Counter(entry_names(after))
    changes = {
        "added": [name for name in entry_names(after) if name not in old],
        "removed": [name for name in old if name not in new],
    }
    cleaned = [name for name, count in old.items() if count > new[name] > 0]
    return {**changes, "deduplicated": cleaned} if cleaned else changes


def view_lists(lists: Mapping[str, Entries], shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the lists for a diff."""
    return {key: entry_names(lists[key]) for key in shown}


def _name(entry: Any) -> str:
    return as_str(as_dict(entry).get("name"))


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
    meta, name = metadata(secret), _account_name(account)
    annotations = as_dict(meta.get("annotations"))
    if secret.get("type") == _TOKEN:
        return annotations.get(_ACCOUNT) == name
    if secret.get("type") != _DOCKERCFG:
        return False
    is_legacy = _LEGACY_TOKEN in annotations and annotations.get(_ACCOUNT, name) == name
    return is_legacy or annotations.get(_MANAGED_FOR) == name or _is_owned(account, meta)


def is_marked_generated(observed: Json) -> bool:
    """Whether the secret is marked as generated by the platform, even for an account that no longer exists."""
    annotations = as_dict(metadata(observed).get("annotations"))
    return any(name in annotations for name in _GENERATED_ANNOTATIONS)


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
        if kind == "ServiceAccount" and name == _account_name(account):
            return True
        if kind == "Secret" and _is_formed(name, _token_prefixes(account)):
            return True
    return False


def _account_name(account: Json) -> str:
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
    return {_shorten(_account_name(account), "dockercfg-")}


def _token_prefixes(account: Json) -> set[str]:
    """The prefix of OpenShift for the tokens of its pull secrets, and that of Kubernetes, which only cuts the name."""
    name = _account_name(account)
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


_BINDING = "openshift.io/internal-registry-auth-token.binding"
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
    if secret.get("type") != _DOCKERCFG:
        return f"secret {name} has type {secret.get('type')} instead of {_DOCKERCFG}"
    has_token = annotations.get(_BINDING) in ("bound", "legacy")
    if _LEGACY_TOKEN not in annotations and not (
        has_token and annotations.get(_MANAGED_FOR) == metadata(account).get("name")
    ):
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
    return held.type == _DOCKERCFG and any(_is_for_other(account, entry) for entry in held.known.entries.values())


def _is_for_other(account: Json, entry: CredentialEntry) -> bool:
    """Whether the token contains another uid: after an account was deleted and recreated, the old secret remains for a moment."""
    claims = claims_of(entry.password)
    uid = as_dict(as_dict(claims.get("kubernetes.io")).get("serviceaccount")).get("uid", claims.get(_UID))
    return uid is not None and uid != metadata(account).get("uid")
