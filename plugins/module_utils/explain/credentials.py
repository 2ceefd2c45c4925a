# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the logins for an image, and the logins to verify: those that a task will write, and those that secrets hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property

from ..core.objects import SECRET, Json, ObjectRef, as_dict, as_list, as_str, as_strs, metadata
from ..dockerconfig.registry_keys import KeyIndex, host_of, kubelet_keys, without_user
from ..images.references import PUBLIC_REGISTRIES
from ..platform.account_lists import is_marked_generated
from ..secrets.content import DATA_KEYS, StoredSecret
from .lookup import Lookup, ReadRequired, UnreadableObject

#: Maximum number of keys that are compared with a name, and their maximum length: the author of a secret chooses both.
_COMPARED, _LONGEST = 20, 100
#: Minimum similarity of names of which one may be a typing error: that of gcr.io and gcr.oi.
_SIMILAR = 0.83
#: Member of a secret in the evidence, not of the API: pairs of a key and of a registry that is known to refuse its login.
REFUSED = "refusedLogins"
_PORT = re.compile(r":[0-9]*\Z")
_ADDRESS = re.compile(r"[0-9.]+|\[.*\]")


@dataclass(frozen=True)
class KubeletLogin:
    """A login that the kubelet tries. `is_empty`: it has no user or no password, so the runtime pulls without a login.

    `is_refused`: the registry is known to refuse it. `is_nameless`: it has no user, so CRI-O looks for a login in the nodes' file instead
    (server/image_pull.go).
    """

    secret: str
    key: str
    is_empty: bool
    is_refused: bool = False
    is_nameless: bool = False


@dataclass(frozen=True)
class PullSecretStatus:
    """`state`: `usable`, `missing`, `wrong_type`, `unparsable`, `unread`. `detail` adds to it, as the rest of a sentence.

    `keys` are those that nodes read or, of an unparsable secret, the `bad_keys` of its content. `nameless_keys` are those of the `empty_keys`
    that have no user. `is_generated`: the platform generated the secret and would restore it. `has_logins`: an unparsable one has other logins.
    `refused`: as `refused_logins` returns them.
    """

    name: str
    state: str
    detail: str = ""
    keys: Sequence[str] = ()
    empty_keys: Collection[str] = frozenset()
    is_generated: bool = False
    refused: frozenset[tuple[str, str]] = frozenset()
    nameless_keys: Collection[str] = frozenset()
    has_logins: bool = False

    @cached_property
    def index(self) -> KeyIndex:
        return KeyIndex(self.keys)


@dataclass(frozen=True)
class Credentials:
    """`secrets` are in the order of the list, `logins` in the order in which the kubelet tries them.

    If a secret is unparsable, the kubelet tries none and stops.
    """

    secrets: Sequence[PullSecretStatus]
    logins: Sequence[KubeletLogin]

    @property
    def usable_logins(self) -> list[KubeletLogin]:
        """The logins with user and password, without those that the registry is known to refuse."""
        return [login for login in self.logins if not (login.is_empty or login.is_refused)]

    @property
    def refused_logins(self) -> list[KubeletLogin]:
        """The logins that the registry is known to refuse."""
        return [login for login in self.logins if login.is_refused]

    def in_state(self, state: str) -> list[PullSecretStatus]:
        return [secret for secret in self.secrets if secret.state == state]


def credentials_of(
    namespace: str, names: Iterable[str], repository: str, evidence: Lookup, hosts: Sequence[str] = ()
) -> Credentials:
    """Return the credentials for a repository. `hosts` are the registries that get them, by default that of the repository.

    :raises ReadRequired: when some of the secrets have to be read first. All of these are requested then.
    """
    secrets, waits = [], False
    for name in names:
        try:
            secrets.append(_read_secret(ObjectRef(SECRET, namespace, name), evidence))
        except ReadRequired:
            waits = True
    if waits:
        raise ReadRequired
    return Credentials(secrets, logins_of(secrets, repository, hosts))


def nearest_key(secrets: Iterable[PullSecretStatus], repository: str) -> str:
    """Return the key that was probably meant for the image: one for the same host, or one with a similar name. Empty when there is none."""
    name = _name_of(repository)
    keys = [(_name_of(host_of(key)), key) for secret in secrets for key in secret.keys]
    found = next((key for other, key in keys if other == name), "")
    similar = {other: key for other, key in keys[:_COMPARED] if _is_comparable(name, other)}
    return without_user(found or next((similar[other] for other in get_close_matches(name, similar, 1, _SIMILAR)), ""))


def _name_of(repository: str) -> str:
    """The host without its port, which can differ between an image and a key."""
    return _PORT.sub("", repository.partition("/")[0])


def _is_comparable(name: str, other: str) -> bool:
    """Whether one name may be a typing error of the other. Two addresses, or two well-known registries, are not."""
    are_known = {name, other} <= PUBLIC_REGISTRIES
    are_addresses = all(_ADDRESS.fullmatch(each) for each in (name, other))
    return not are_known and not are_addresses and max(len(name), len(other)) <= _LONGEST


def _read_secret(ref: ObjectRef, evidence: Lookup) -> PullSecretStatus:
    try:
        found = evidence.derive(ref, _status_of)
    except UnreadableObject as error:
        return PullSecretStatus(ref.name, "unread", str(error))
    if found.state == "missing":
        return PullSecretStatus(ref.name, found.state)
    return found if found.name == ref.name else replace(found, name=ref.name)


def _status_of(secret: Json | None) -> PullSecretStatus:
    return (
        PullSecretStatus("", "missing")
        if secret is None
        else secret_status(as_str(metadata(secret).get("name")), secret)
    )


def secret_status(name: str, secret: Json) -> PullSecretStatus:
    """Return the status of an existing secret, as a node reads it."""
    held = StoredSecret.of(secret)
    if held.type not in DATA_KEYS:
        return PullSecretStatus(name, "wrong_type", held.type)
    reading = held.for_kubelet
    if reading.problems:
        bad, has_logins = tuple(held.bad_keys), bool(reading.logins)
        return PullSecretStatus(name, "unparsable", reading.problems[0], bad, has_logins=has_logins)
    empty = frozenset(key for key, (user, password) in reading.logins.items() if not (user and password))
    nameless = frozenset(key for key in empty if not reading.logins[key][0])
    generated, refused = is_marked_generated(secret), refused_logins(secret)
    return PullSecretStatus(name, "usable", "", tuple(reading.logins), empty, generated, refused, nameless)


def refused_logins(secret: Json | None) -> frozenset[tuple[str, str]]:
    """Return the keys of a secret whose login a registry is known to refuse, each with the `host[:port]` of the registry."""
    pairs = (as_strs(each) for each in as_list(as_dict(secret).get(REFUSED)))
    return frozenset((pair[0], pair[1]) for pair in pairs if len(pair) == 2)


def logins_of(secrets: Sequence[PullSecretStatus], repository: str, hosts: Sequence[str] = ()) -> list[KubeletLogin]:
    """Return the logins for an image, in the order in which the kubelet tries them. `hosts`: see `credentials_of`."""
    usable = [secret for secret in secrets if secret.state == "usable"]
    getting = hosts or [repository.partition("/")[0]]
    every = dict.fromkeys(key for secret in usable for key in secret.index.find(repository))
    return [
        KubeletLogin(
            secret.name,
            key,
            key in secret.empty_keys,
            all((key, host) in secret.refused for host in getting),
            key in secret.nameless_keys,
        )
        for key in kubelet_keys(every, repository)
        for secret in usable
        if key in secret.index.keys
    ]
