# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the old login in a secret, and decide how to replace it there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from ...core.objects import SECRET, Json, ObjectRef, as_dict, as_list, as_str, metadata
from ...core.text import join_and
from ...dockerconfig.editing import LoginKeys, UserPassword, find_logins, old_logins, replace_logins
from ...dockerconfig.json_text import InvalidContent
from ...platform.hosted import ADDITIONAL_SECRET, MERGED_SECRET
from ...platform.protected import NODE_SECRET, BuildSecrets, external_manager_of, is_marked_generated
from ...secrets.content import TYPES, StoredSecret, can_be_auth_file, encode_content
from .options import Rotation

__all__ = ["NODES_SECRETS", "Copy", "is_wanted", "second_name", "trim_managers"]

#: The secrets from which the platform builds the pull secret of all nodes.
NODES_SECRETS = (NODE_SECRET, ADDITIONAL_SECRET)

#: The secret that the platform builds from these.
_FOLLOWS = (MERGED_SECRET,)
_OF_THE_CLUSTER = (*NODES_SECRETS, *_FOLLOWS)


@dataclass(frozen=True, repr=False)
class Copy:
    """A secret that contains one of the two logins, or the old password anywhere. `builds`: the secrets for builds of node images."""

    ref: ObjectRef
    obj: Json
    rotation: Rotation
    builds: BuildSecrets = field(default_factory=BuildSecrets)

    @cached_property
    def held(self) -> StoredSecret:
        return StoredSecret.of(self.obj)

    @property
    def data(self) -> dict[str, str]:
        """Return all data keys, including those that nodes do not read."""
        own = {self.held.key: self.held.value} if self.held.key else {}
        return {**own, **self.held.others}

    @cached_property
    def files(self) -> Sequence[tuple[StoredSecret, LoginKeys]]:
        """Return the auth files, each with the logins found in it. Tools read other ones than nodes do, or two of them."""
        return [*_files(self)]

    @cached_property
    def found(self) -> LoginKeys:
        """Return the logins of all its auth files. Unreadable files have none, see `unreadable`."""
        every = [found for _file, found in self.files]
        parts = ((key for found in every for key in getattr(found, part.name)) for part in fields(LoginKeys))
        return LoginKeys(*(tuple(dict.fromkeys(part)) for part in parts))

    @property
    def unreadable(self) -> str:
        """Return why its entries cannot be read, if the login may be among them. Empty otherwise."""
        if self.rotation.search is not None or is_marked_generated(self.obj):
            return ""
        if self.held.type in TYPES and self.held.unreadable:
            return self.held.unreadable
        keys = ", ".join(self.found.undecodable)
        return f"has entries that no node can decode, for {keys}" if keys else ""

    @property
    def is_of_nodes(self) -> bool:
        return self.ref in NODES_SECRETS

    @property
    def is_of_cluster(self) -> bool:
        """Whether no project user can write it: it is a pull secret of the nodes, or the platform builds it from one."""
        return self.ref in _OF_THE_CLUSTER

    @cached_property
    def external_manager(self) -> str:
        """Return the controller that would overwrite a change. Empty if none is known."""
        if self.ref in _FOLLOWS:
            return (
                f"the platform, which builds it from {NODE_SECRET.namespace}/{NODE_SECRET.name} and {ADDITIONAL_SECRET}"
            )
        return external_manager_of(self.obj)

    @property
    def is_immutable(self) -> bool:
        return bool(self.obj.get("immutable"))

    @property
    def is_waiting(self) -> bool:
        """Whether it is a pull secret of the nodes, and the rotation does not include those."""
        return self.is_of_nodes and not self.rotation.nodes

    @property
    def uid(self) -> str:
        return as_str(metadata(self.obj).get("uid"))

    @property
    def created(self) -> str:
        """Return the creation time, which the API server sets itself, in a form that sorts by time."""
        return as_str(metadata(self.obj).get("creationTimestamp"))

    @property
    def is_involved(self) -> bool:
        """Whether it contains one of the two logins, may contain the old one, or occupies the name of a second secret."""
        if self.found.old or self.found.new or self.unreadable or self.ref.name.endswith(_SECOND):
            return True
        return self.rotation.search is not None and bool(self.rotation.search.matches(self.obj))

    @property
    def is_confirmed(self) -> bool:
        """Whether a source outside the cluster names this object, or no project user can write it."""
        return self.is_of_cluster or self.rotation.confirmed.includes(self.ref, self.uid)

    @property
    def has_only_other_users(self) -> bool:
        """Whether an entry names it, and its logins for the registries are all of other users than those of the two logins."""
        is_named = self.rotation.confirmed.includes(self.ref, self.uid)
        others = self.found.old or self.found.new or self.found.other_passwords
        return is_named and bool(self.found.other_users) and not others

    @property
    def is_to_change(self) -> bool:
        """Whether to replace the old login in it: in place or, if it is immutable, in a second secret."""
        if not self.found.old or not self.is_confirmed or self.is_unaccepted:
            return False
        return not (self.external_manager or self.is_waiting or self.is_unproven)

    @property
    def is_unaccepted(self) -> bool:
        """Whether an earlier task found no registry that accepts its own login."""
        return (self.ref.namespace, self.ref.name) in self.rotation.confirmed.unaccepted

    @property
    def is_unproven(self) -> bool:
        """Whether this task needs the registries' consent to its own login, and has none."""
        return self.rotation.accepted is not None and self.rotation.accepted.isdisjoint(self.logins)

    @property
    def could_be_confirmed(self) -> bool:
        """Whether the rotation would change it if an entry named it."""
        return bool(self.found.old) and not (self.is_confirmed or self.external_manager)

    @cached_property
    def new_texts(self) -> Sequence[tuple[StoredSecret, str]]:
        """Return the auth files that contain the old login, each with its text after the replacement."""
        wanted = self.rotation.exchange
        return [
            (file, replace_logins(file.text, wanted, legacy=file.legacy)) for file, found in self.files if found.old
        ]

    @property
    def logins(self) -> list[tuple[str, UserPassword]]:
        """Return each distinct login that is replaced, with the host of its registry."""
        wanted = self.rotation.exchange
        every = (old_logins(file.text, wanted, legacy=file.legacy) for file, found in self.files if found.old)
        return list(dict.fromkeys(login for logins in every for login in logins))

    @property
    def data_after(self) -> dict[str, str]:
        """Return the changed data keys with their new values."""
        return {file.key: encode_content(text) for file, text in self.new_texts}

    def elsewhere(self) -> list[str]:
        """Return where the old password appears outside the replaced entries: registry keys, data keys, annotations."""
        search = self.rotation.search
        if search is None:
            return []
        obj = {**self.obj, "data": {**as_dict(self.obj.get("data")), **self.data_after}} if self.new_texts else self.obj
        return [match.location for match in search.matches(obj)]

    def remaining(self) -> Iterator[dict[str, Any]]:
        """Yield the places that keep the old login after the rotation, each with a fix."""
        for key in self.found.old:
            if why := self._why_left():
                yield self._row(key, why)
        for about in self.elsewhere():
            yield self._row(about, _WHY_ELSEWHERE)
        if self.unreadable:
            yield self._row(
                "its content", f"it {self.unreadable}, so the old login may be in it: correct it or delete it by hand"
            )

    @property
    def why_not_declared(self) -> str:
        """Return why it is not changed although it may contain the old login. Empty if it is confirmed or does not contain it."""
        if self.is_confirmed:
            return ""
        if self.found.old:
            why = _WHY_ANOTHER if self.rotation.confirmed.names(self.ref) else _WHY_NOT_DECLARED
            return self._manager_note() or ". ".join(filter(None, (why, self.builds.describe(self.ref))))
        if self.unreadable:
            return f"its content {self.unreadable}, so the old login may be in it"
        return f"the old password is in {join_and(places)}" if (places := self.elsewhere()) else ""

    def _manager_note(self) -> str:
        return (
            f"{self.external_manager} writes this secret: change the login at its source"
            if self.external_manager
            else ""
        )

    def _why_left(self) -> str:
        if self.external_manager:
            return self._manager_note()
        if self.is_waiting:
            return ""
        if self.is_unaccepted:
            return _WHY_UNACCEPTED
        if self.is_immutable and not self.is_of_nodes:
            return (
                f"the secret is immutable, so {second_name(self.ref.name)} has the new login and is linked as well: delete this one once no "
                "pod and no template names it"
            )
        return ""

    def _row(self, about: str, why: str) -> dict[str, Any]:
        return {"namespace": self.ref.namespace, "secret": self.ref.name, "location": about, "reason": why}


_WHY_ELSEWHERE = (
    "it contains the old password, but not as a login for the registries of this rotation: change or remove it by hand"
)


_WHY_UNACCEPTED = (
    "it is not known whether a registry accepts its own login, so it was not changed: run again when the registry answers, or remove this "
    "secret from the entries or from the plan"
)

_WHY_NOT_DECLARED = "nothing outside the cluster names it for this rotation"
_WHY_ANOTHER = "it was recreated after it was confirmed, so its UID is different"

_SECOND = "-rotated"


def second_name(name: str) -> str:
    """Return the name of the secret that replaces an immutable one."""
    return f"{name[:244].rstrip('.-')}{_SECOND}"


def is_wanted(secret: Json, rotation: Rotation) -> bool:
    """Whether to keep a secret in memory. Called for each secret of a cluster."""
    meta = metadata(secret)
    ref = ObjectRef(SECRET, as_str(meta.get("namespace")), as_str(meta.get("name")))
    copy = Copy(ref, secret, rotation)
    return bool(copy.found.other_passwords) or copy.has_only_other_users or copy.is_involved


def trim_managers(secret: Json) -> Json:
    """Return the secret with only the names of its field managers."""
    meta = metadata(secret)
    managers = [{"manager": as_dict(each).get("manager")} for each in as_list(meta.get("managedFields"))]
    return {**secret, "metadata": {**meta, "managedFields": managers}}


def _files(copy: Copy) -> Iterator[tuple[StoredSecret, LoginKeys]]:
    for key, value in copy.data.items():
        file = StoredSecret(copy.held.type, key, value)
        if (key == copy.held.key and file.type in TYPES) or can_be_auth_file({key: value}):
            try:
                yield file, find_logins(file.text, copy.rotation.exchange, legacy=file.legacy)
            except InvalidContent:
                continue
