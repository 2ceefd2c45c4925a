# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan the changes of a rotation: one secret with the new login instead of the old one. Pure.

Secrets are changed in place: the object, its UID, the keys, the other entries and their e-mail addresses stay. From Kubernetes 1.35 on,
the kubelet lets a pod use a cached image without a registry check if the secret has the same UID or the same login (KEP-2535). The UID
counts only below 100 recorded secrets (`SECRET_LIMIT` in images/image_verification.py). A recreated secret has neither. An immutable
secret gets a second secret next to it instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ...core.changes import Change, create, update
from ...core.errors import Refusal
from ...core.objects import SECRET, SERVICE_ACCOUNT, Kind, ObjectRef, Objects, as_dict, as_list, as_str, metadata
from ...core.ownership import OWNERSHIP_LABELS
from ...core.protocols import NO_SELECTORS, NOTHING_RELATED, Desired, ListedBy, Plan, Related
from ...dockerconfig.auth_file import parse_stored
from ...platform.account_lists import LISTS, Entries, changes_of, entries_of, entry_names, view_lists
from ...platform.hosted import objection
from ...platform.protected import check_size
from ...secrets.content import no_changes, registry_changes, view_secret
from .copies import Copy, second_name
from .options import Rotation

__all__ = ["EXCLUDED", "ROTATED_FROM", "CredentialRotation", "account_list_ref"]

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
                "delete it, and create it again at once with the new login"
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
            f"{copy.ref} has an identity token in addition to the old login, for {', '.join(copy.found.tokens)}. CRI-O sends it instead of the "
            "login. It was kept: remove it by hand if it belongs to the old account"
        )


def _immutable_note(copy: Copy) -> str:
    return (
        f"{copy.ref} is immutable, so it is not changed: {second_name(copy.ref.name)} has the new login and is linked as well. Pods that "
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
