# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the old login in a secret, and plan one secret with the new login instead of the old one. Pure.

Secrets are changed in place: the object, its UID, the keys, the other entries and their e-mail addresses stay. From Kubernetes 1.35 on,
the kubelet lets a pod use a cached image without a registry check if the secret has the same UID or the same login (KEP-2535). The UID
counts only below 100 recorded secrets (`SECRET_LIMIT` in images/image_verification.py). A recreated secret has neither. An immutable
secret gets a second secret next to it instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, ClassVar

from ...core.changes import NO_SELECTORS, NOTHING_RELATED, Change, Desired, ListedBy, Plan, Related, create, update
from ...core.errors import Refusal
from ...core.names import is_name, is_namespace
from ...core.objects import SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, Objects, as_dict, as_list, as_str, metadata
from ...core.ownership import OWNERSHIP_LABELS
from ...core.text import join_and, pluralize, summarize
from ...dockerconfig.auth_file import parse_stored
from ...dockerconfig.editing import LoginKeys, UserPassword, find_logins, old_logins, replace_logins
from ...dockerconfig.json_text import InvalidContent
from ...platform.account_lists import (
    LISTS,
    Entries,
    changes_of,
    entries_of,
    entry_names,
    is_marked_generated,
    view_lists,
)
from ...platform.hosted import ADDITIONAL_SECRET, MERGED_SECRET, objection
from ...platform.protected import NODE_SECRET, BuildSecrets, check_size, external_manager_of
from ...secrets.content import (
    TYPES,
    StoredSecret,
    can_be_auth_file,
    encode_content,
    no_changes,
    registry_changes,
    view_secret,
)
from .options import Rotation

#: Maximum number of rows of a kind in the result.
SHOWN = 100
#: Maximum number of secrets in a warning, and of keys of one secret in a reason.
NAMED = 5

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

    @classmethod
    def of(cls, secret: Json, rotation: Rotation) -> Copy:
        """Return the copy of a listed secret."""
        meta = metadata(secret)
        return cls(ObjectRef(SECRET, as_str(meta.get("namespace")), as_str(meta.get("name"))), secret, rotation)

    @property
    def is_wanted(self) -> bool:
        """Whether to keep it in memory."""
        return bool(self.found.other_passwords) or self.has_only_other_users or self.is_involved

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
                "its content",
                f"it {self.unreadable}, so the login to replace may be in it: correct it or delete it by hand",
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
            return f"its content {self.unreadable}, so the login to replace may be in it"
        return f"the password of the login to replace is in {join_and(places)}" if (places := self.elsewhere()) else ""

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
                f"the secret is immutable, so {second_name(self.ref.name)} replaces it and is linked as well: delete this one once no "
                "pod and no template names it"
            )
        return ""

    def _row(self, about: str, why: str) -> dict[str, Any]:
        return {"namespace": self.ref.namespace, "secret": self.ref.name, "location": about, "reason": why}


_WHY_ELSEWHERE = "it contains the password of the login to replace, but not as a login for the registries of this rotation: change or remove it by hand"


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


#: Annotation of a second secret: the name of the immutable secret that it replaces.
ROTATED_FROM = "image-pull.openshift-ops/rotated-from"
#: Excludes a secret from imports and builds: they use the first matching login, which would be the old one
#: (openshift/image-registry and openshift-apiserver, pkg/image/apiserver/importer).
EXCLUDED = "openshift.io/image.excludeSecret"
#: `kubectl apply` stores the whole object there, including the old login.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def account_list_ref(namespace: str) -> ObjectRef:
    return ObjectRef(SERVICE_ACCOUNT, namespace, "")


@dataclass(frozen=True, repr=False)
class CredentialRotation(Desired):
    """The rotation of the secret with this name, in any namespace."""

    rotation: Rotation
    name: str

    kind: ClassVar[Kind] = SECRET
    listed_by: ClassVar[ListedBy] = NO_SELECTORS
    objection = staticmethod(objection)

    def names(self, _namespace: str) -> tuple[str, ...]:
        return (self.name, second_name(self.name))

    def related(self, namespace: str, objects: Objects) -> Sequence[ObjectRef]:
        return (account_list_ref(namespace),) if as_dict(objects.get(self.name)).get("immutable") else ()

    def plan(self, namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Plan:
        """Return the changes. :raises Refusal: when the secret cannot be changed, and a second one cannot be created."""
        secret = objects.get(self.name)
        copy = None if secret is None else Copy(ObjectRef(SECRET, namespace, self.name), secret, self.rotation)
        if copy is None or not copy.is_to_change:
            return Plan(notes=() if copy is None else tuple(_notes_on_skipped(copy)))
        if copy.is_immutable and copy.is_of_nodes:
            raise Refusal(
                f"{copy.ref} was not changed, because it is immutable, and no second secret can replace it, since nodes read no other name: save it, "
                "delete it, and create it again at once with the login of option 'new'"
            )
        if copy.is_immutable:
            return Plan(tuple(_create_beside(copy, objects, found)), notes=(_immutable_note(copy),))
        return Plan((_update_in_place(copy),), notes=tuple(_notes(copy)))


def _notes_on_skipped(copy: Copy) -> Iterator[str]:
    """Note a secret that was recreated after its confirmation, or changed after its login was accepted: the engine reads it again."""
    if copy.rotation.confirmed.names(copy.ref) and not copy.is_confirmed and copy.found.old:
        yield f"{copy.ref} was recreated after it was confirmed, so it was not changed: confirm the new one, and run again"
    if copy.found.old and copy.is_confirmed and copy.is_unproven:
        yield f"{copy.ref} was changed after its login was verified, and has another one now, so it was not changed: run again"


def _update_in_place(copy: Copy) -> Change:
    data = copy.data_after
    check_size(str(copy.ref), *{**copy.data, **data}.values())
    details, before, after = _difference(copy)
    return update(copy.ref, copy.obj, {"data": data}, details, before=before, after=after)


def _difference(copy: Copy) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the details of the change, and the views of the secret for a diff, before and after."""
    held: dict[str, None] = {}
    changed: dict[str, list[str]] = {}
    for file, text_after in copy.new_texts:
        changes = registry_changes(file.auth_file, parse_stored(text_after, legacy=file.legacy))
        held.update(dict.fromkeys(file.auth_file.registries))
        changed.update(changes["changed"])
    # Entries that nodes do not use, because of their key or of another entry under the same key, are changed as well.
    changed = {**dict.fromkeys(copy.found.old, copy.rotation.differing), **changed}
    every = {**no_changes(), "changed": dict(sorted(changed.items()))}
    return {"registries": every}, view_secret(copy.held.type, held), view_secret(copy.held.type, held, every)


def _notes(copy: Copy) -> Iterator[str]:
    if copy.found.tokens:
        yield (
            f"{copy.ref} has an identity token in addition to the login to replace, for {', '.join(copy.found.tokens)}. CRI-O sends it instead of the "
            "login. It was kept: remove it by hand if it belongs to the same account"
        )


def _immutable_note(copy: Copy) -> str:
    return (
        f"{copy.ref} is immutable, so it is not changed: {second_name(copy.ref.name)} replaces it and is linked as well. Pods that "
        "name the old one keep it until they are recreated. From Kubernetes 1.35 on, their cached images are checked with the registry "
        "once for the new secret. Delete the old secret when no pod and no template names it"
    )


def _create_beside(copy: Copy, objects: Objects, found: Related) -> Iterator[Change]:
    """Yield a second secret, a link to it wherever the first is linked, and the exclusion of the first from imports and builds."""
    second = ObjectRef(SECRET, copy.ref.namespace, second_name(copy.ref.name))
    seen = objects.get(second.name)
    if seen is None:
        yield _create_second(copy, second)
    elif not _is_second_of(copy, Copy(second, seen, copy.rotation)):
        raise Refusal(
            f"{copy.ref} is immutable, and {second}, the name of its replacement, already exists with other content: rename or delete that one"
        )
    yield from _link_second(copy, second.name, found)
    if as_str(as_dict(metadata(copy.obj).get("annotations")).get(EXCLUDED)) != "true":
        patch = {"metadata": {"annotations": {EXCLUDED: "true"}}}
        shown = {"annotations": {EXCLUDED: "as requested"}}
        yield update(copy.ref, copy.obj, patch, {"annotations": [EXCLUDED]}, before={}, after=shown)


def _is_second_of(copy: Copy, second: Copy) -> bool:
    """Whether `second` was created to replace `copy`, and has the new login wherever `copy` has the old one, or is confirmed to get it."""
    from_name = as_dict(metadata(second.obj).get("annotations")).get(ROTATED_FROM)
    held = {*second.found.new, *(second.found.old if second.is_confirmed else ())}
    return from_name == copy.ref.name and {*copy.found.old} <= held


def _create_second(copy: Copy, ref: ObjectRef) -> Change:
    meta = metadata(copy.obj)
    notes = {name: value for name, value in as_dict(meta.get("annotations")).items() if name != _LAST_APPLIED}
    # No inventory declares the secret: with the label of an owner, a prune would remove it.
    labels = {name: value for name, value in as_dict(meta.get("labels")).items() if name not in OWNERSHIP_LABELS}
    parts = {"labels": labels, "annotations": {**notes, ROTATED_FROM: copy.ref.name}}
    body = {"metadata": parts, "type": copy.held.type, "data": {**copy.data, **copy.data_after}}
    details, _before, after = _difference(copy)
    return create(ref, body, {**details, "rotated_from": copy.ref.name}, after)


def _link_second(copy: Copy, second: str, found: Related) -> Iterator[Change]:
    listed = found.get(account_list_ref(copy.ref.namespace))
    if listed is None:
        raise Refusal(
            f"{copy.ref} was not changed: it is immutable, so {second} must be linked as well, but the service accounts of namespace "
            f"{copy.ref.namespace} were not read. Allow the caller to list them, and run again"
        )
    for account in map(as_dict, as_list(listed.get("items"))):
        ref = ObjectRef(SERVICE_ACCOUNT, copy.ref.namespace, as_str(metadata(account).get("name")))
        lists = {key: entries_of(ref, account, key) for key in LISTS.values()}
        after = {key: _insert_second(entries, copy.ref.name, second) for key, entries in lists.items()}
        changed = {key: entries for key, entries in after.items() if entries != lists[key]}
        if changed:
            details = {"lists": {key: changes_of(lists[key], after[key]) for key in changed}}
            views = {"before": view_lists(lists, changed), "after": view_lists(after, changed)}
            yield update(ref, account, changed, details, **views)


def _insert_second(entries: Entries, first: str, second: str) -> list[Any]:
    """Return the entries with the second name after the first. Unchanged if the first is missing or the second is present."""
    held = entry_names(entries)
    if first not in held or second in held:
        return list(entries)
    at = held.index(first) + 1
    return [*entries[:at], {"name": second}, *entries[at:]]


def other_password_row(copy: Copy) -> dict[str, Any]:
    why = f"the user of the login to replace, but another password, for {summarize(copy.found.old_user, NAMED)}"
    return row_with_reason(copy, why)


def other_user_row(copy: Copy) -> dict[str, Any]:
    return row_with_reason(copy, f"a login of another user, for {summarize(copy.found.other_users, NAMED)}")


def row_with_reason(copy: Copy, why: str) -> dict[str, Any]:
    return {"namespace": copy.ref.namespace, "secret": copy.ref.name, "reason": why}


def first_per_namespace(copies: Iterable[Copy], most: int) -> Iterator[Copy]:
    """Yield the first copies of each namespace, so that a user who plants many in one namespace does not hide those of others."""
    counts: Counter[str] = Counter()
    for copy in copies:
        counts[copy.ref.namespace] += 1
        if counts[copy.ref.namespace] <= most:
            yield copy


def confirmed_row(copy: Copy, *, declared: bool, is_accepted: bool) -> dict[str, Any]:
    row = {"namespace": copy.ref.namespace, "name": copy.ref.name, "uid": copy.uid}
    return {**row, "declared": declared, "is_accepted": is_accepted}


def undeclared_row(copy: Copy, why: str) -> dict[str, Any]:
    """Return a row. `fix` is the entry that would confirm the secret, with names that the API server has validated, in quotes."""
    row = {"namespace": copy.ref.namespace, "name": copy.ref.name, "uid": copy.uid, "reason": why}
    is_usual = is_namespace(copy.ref.namespace) and is_name(copy.ref.name)
    line = f'- {{namespace: "{copy.ref.namespace}", name: "{copy.ref.name}"}}'
    return {**row, "fix": line if copy.could_be_confirmed and is_usual else ""}


def undeclared_note(told: Mapping[str, Any]) -> Iterator[str]:
    if told["not_declared"]:
        rows = [f"{row['namespace']}/{row['name']} ({row['reason']})" for row in told["not_declared"][:NAMED]]
        count, left = told["not_declared_count"], told["not_declared_count"] - len(rows)
        more = f"; and {left:,} more, see 'rotation.not_declared'" if left else ""
        yield (
            f"{pluralize(count, 'secret')} in {pluralize(told['not_declared_namespaces'], 'namespace')} that contain or may contain the old login "
            f"are not confirmed and were not changed: {'; '.join(rows)}{more}"
        )


def row_of_nodes(copy: Copy, keys: Iterable[str]) -> dict[str, Any]:
    return {"namespace": copy.ref.namespace, "secret": copy.ref.name, "registries": list(keys)}


def describe_absence(rotation: Rotation, told: Mapping[str, Any], namespaces: Sequence[str]) -> str:
    """Return the error if no secret has one of the two logins: the search, similar logins, and the options to correct."""
    old = "with the user and password" if rotation.exchange.old.password else "with the user"
    rows = [f"{row['namespace']}/{row['secret']} has {row['reason']}" for row in told["similar"]]
    return " ".join(
        (
            f"changed nothing: no secret in {pluralize(len(namespaces), 'namespace')} has an entry for {', '.join(rotation.exchange.registries)} "
            f"{old} of option 'old', or with the login of option 'new'.",
            *([f"{summarize(rows, NAMED, '; ', listed='rotation.similar')}."] if rows else []),
            *(f"{sentence[:1].upper()}{sentence[1:]}." for sentence in told["unreadable_secrets"]),
            "Correct 'registries', 'old' or 'new'. If these namespaces do not need the login, set 'allow_absent: true'",
        )
    )
