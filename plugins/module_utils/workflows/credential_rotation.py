# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a new login in the place of an old one, wherever that stands: finds all copies, proves the new login, and only then writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from ..clients.kube.client import Cluster
from ..clients.kube.errors import UnknownResource
from ..core.batch import Batch, Declared
from ..core.entries import Entry
from ..core.enumeration import first_of
from ..core.errors import ImagePullError, Refusal
from ..core.objects import SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, metadata, trimmed
from ..core.protocols import Related
from ..features.credential_rotation.copies import Copy, is_wanted, kept
from ..features.credential_rotation.desired import CredentialRotation, whole_accounts
from ..features.credential_rotation.options import Rotation
from ..features.credential_rotation.uses import READ, Use, failing, in_use, kept_uses, secret_for, used_images
from ..nodes.references import Reference
from ..reconcile.engine import reconcile
from ..reconcile.listing import Listed, list_in
from ..reconcile.reader import View
from ..reconcile.result import NamespaceResult, Outcome
from ..reconcile.run import Settings
from ..reconcile.workers import Workers
from .rotation_proof import Proven, proven

__all__ = ["rotate"]

#: Up to so many namespaces are listed one by one.
_FEW = 4
#: What brings most of a list of secrets, and cannot hold the login: Helm's charts are compressed, the platform's tokens are its own.
_NOT_SEARCHED = "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token"
#: So many rows of a kind are in the result.
_SHOWN = 100


@dataclass
class _Seen:
    """What was read. `unsearched` and `unread` say, by sentence, which secrets and which pods and workloads could not be."""

    copies: dict[str, list[Copy]] = field(default_factory=dict)
    uses: dict[str, list[Use]] = field(default_factory=dict)
    accounts: dict[str, list[Json]] = field(default_factory=dict)
    unsearched: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def every(self) -> list[Copy]:
        return [copy for copies in self.copies.values() for copy in copies]


def rotate(
    cluster: Cluster,
    rotation: Rotation,
    namespaces: Sequence[str],
    settings: Settings,
    *,
    prove: Callable[[Rotation, Mapping[str, Sequence[Reference]]], Proven] = proven,
) -> Outcome:
    """The outcome: what was changed in each namespace, and what is known of the login besides.

    :raises Refusal: when a secret could not be looked for, or the new login does not work; nothing was written then.
    """
    with Workers(settings.concurrency) as workers:
        try:
            seen = _Reading(cluster, workers, rotation, namespaces).read()
        except ImagePullError as error:
            raise Refusal(f"nothing was written, since not all secrets could be searched: {error}") from None
    images = used_images(seen.uses, _keys(seen.every))
    changing = {namespace: found for namespace in seen.copies if (found := _to_change(seen, rotation, namespace))}
    proof = prove(rotation, images) if changing and rotation.verify else Proven()
    outcome = reconcile(cluster, _batch(rotation, changing), list(changing), settings, _views(seen, changing))
    return _told(outcome, seen, changing, images, proof)


@dataclass
class _Reading:
    cluster: Cluster
    workers: Workers
    rotation: Rotation
    namespaces: Sequence[str]
    seen: _Seen = field(default_factory=_Seen)

    def read(self) -> _Seen:
        """:raises ImagePullError: when a list fails for another reason than that the caller may not have it."""
        self._read_secrets()
        self._read_uses()
        places = [name for name, copies in self.seen.copies.items() if any(map(_needs_accounts, copies))]
        if places:
            found = self._list(SERVICE_ACCOUNT, places, lambda account: trimmed(SERVICE_ACCOUNT, account))
            self.seen.accounts = {name: found.objects.get(name, []) for name in places if name not in found.forbidden}
        return self.seen

    def _read_secrets(self) -> None:
        rotation = self.rotation

        def keep(secret: Json) -> Json | None:
            return kept(secret) if is_wanted(secret, rotation) else None

        found = self._list(SECRET, self.namespaces, keep, _NOT_SEARCHED)
        for namespace, secrets in found.objects.items():
            refs = ((ObjectRef(SECRET, namespace, metadata(secret)["name"]), secret) for secret in secrets)
            self.seen.copies[namespace] = [Copy(ref, secret, rotation) for ref, secret in refs]
        self.seen.unsearched += _forbidden(SECRET, found)

    def _read_uses(self) -> None:
        """Which images are used. What cannot be read is said: then the new login is proven for less."""
        for kind in READ:
            try:
                found = self._list(kind, self.namespaces, self._keep_uses(kind))
            except UnknownResource:
                continue
            for namespace, objects in found.objects.items():
                self.seen.uses.setdefault(namespace, []).extend(in_use(objects))
            self.seen.unread += _forbidden(kind, found)

    def _keep_uses(self, kind: Kind) -> Callable[[Json], Json | None]:
        return lambda obj: kept_uses(kind, obj, self.rotation.exchange)

    def _list(
        self, kind: Kind, places: Sequence[str], keep: Callable[[Json], Json | None], selector: str = ""
    ) -> Listed:
        return list_in(self.cluster, self.workers, kind, places, keep, few=_FEW, field_selector=selector)


def _forbidden(kind: Kind, found: Listed) -> list[str]:
    if not found.forbidden:
        return []
    places = first_of(found.forbidden, 1)
    return [f"the caller may not list {kind.resource} in namespace {places}, so what is there is not known"]


def _to_change(seen: _Seen, rotation: Rotation, namespace: str) -> list[Copy]:
    """The copies of a namespace for which something is left to do: an immutable one stays as it is, also once it has its second."""
    view = _view(seen, namespace)
    return [copy for copy in seen.copies[namespace] if copy.is_to_change and not _has_second(copy, view, rotation)]


def _has_second(copy: Copy, view: View, rotation: Rotation) -> bool:
    if not copy.is_immutable:
        return False
    try:
        return (
            not CredentialRotation(rotation, copy.ref.name).plan(copy.ref.namespace, view.objects, view.related).changes
        )
    except ImagePullError:
        return False


def _needs_accounts(copy: Copy) -> bool:
    return copy.is_to_change and copy.is_immutable


def _keys(copies: Iterable[Copy]) -> dict[str, list[str]]:
    """The keys of the old login by namespace; those in the nodes' secrets, which are good for all pods, under ""."""
    found: dict[str, dict[str, None]] = {}
    for copy in copies:
        place = "" if copy.is_of_nodes else copy.ref.namespace
        found.setdefault(place, {}).update(dict.fromkeys(copy.found.old))
    return {place: list(keys) for place, keys in found.items()}


def _batch(rotation: Rotation, changing: Mapping[str, Sequence[Copy]]) -> Batch[CredentialRotation]:
    """A declaration for each secret, so that one that fails is the failure of itself alone."""
    return Batch(SECRET, {namespace: _declared(rotation, copies) for namespace, copies in changing.items()})


def _declared(rotation: Rotation, copies: Sequence[Copy]) -> list[Declared[CredentialRotation]]:
    names = [copy.ref.name for copy in copies]
    if len(names) == 1:
        return [Declared(CredentialRotation(rotation, names[0]))]
    entries = [Entry("secrets", position, title=f"secret {name}") for position, name in enumerate(names)]
    return [Declared(CredentialRotation(rotation, name), entry) for name, entry in zip(names, entries, strict=True)]


def _views(seen: _Seen, changing: Mapping[str, Sequence[Copy]]) -> dict[str, View]:
    return {namespace: _view(seen, namespace) for namespace in changing}


def _view(seen: _Seen, namespace: str) -> View:
    objects = {copy.ref.name: copy.obj for copy in seen.copies[namespace]}
    related: Related = (
        {whole_accounts(namespace): {"items": seen.accounts[namespace]}} if namespace in seen.accounts else {}
    )
    return View(objects, related)


def _told(
    outcome: Outcome,
    seen: _Seen,
    changing: Mapping[str, Sequence[Copy]],
    images: Mapping[str, Sequence[Reference]],
    proof: Proven,
) -> Outcome:
    """The outcome with what is known of the login: counted after the writes, or in check mode after those that are planned."""
    remaining = [row for copy in seen.every for row in copy.remaining()]
    copies = {
        "old": sum(1 for copy in seen.every if copy.found.old),
        "new": sum(1 for copy in seen.every if copy.found.new and not copy.found.old),
        "to_change": sum(map(len, changing.values())),
        "failed": sum(len(_failed(result, changing[result.name])) for result in outcome.namespaces),
    }
    waiting = [_of_nodes(copy) for copy in seen.every if copy.waits and copy.found.old]
    unreadable = [f"{copy.ref}: its content {copy.unreadable}" for copy in seen.every if copy.unreadable]
    told = {
        "copies": copies,
        "remaining": remaining[:_SHOWN],
        "remaining_count": len(remaining),
        "nodes": waiting,
        "unsearched": [*seen.unsearched, *unreadable[:_SHOWN]],
        "unread": seen.unread,
        "old_login": proof.old_login,
        "repositories": list(proof.rows),
        "probes": _probes(seen, images),
        "failing": list(failing(seen.uses)),
    }
    return replace(outcome, remarks=(*outcome.remarks, *proof.notes), extra={**outcome.extra, "rotation": told})


def _failed(result: NamespaceResult, copies: Sequence[Copy]) -> set[str]:
    """The secrets of a namespace that failed, or that were not attempted."""
    if result.status in ("changed", "unchanged"):
        return set()
    names = [copy.ref.name for copy in copies]
    done = {change.ref.name for change in result.changes if change.ref.kind == SECRET}
    left = {*names} - done if result.error else set()
    return left | {names[failure.entry.position] for failure in result.failures}


def _of_nodes(copy: Copy) -> dict[str, Any]:
    return {"namespace": copy.ref.namespace, "secret": copy.ref.name, "registries": list(copy.found.old)}


def _probes(seen: _Seen, images: Mapping[str, Sequence[Reference]]) -> list[dict[str, str]]:
    """One image for each of the first namespaces, with the secret whose login is for it: what a forced pull there asks for."""
    every = ((name, secret_for(used, seen.copies.get(name, ()))) for name, used in sorted(images.items()))
    rows = (
        {"namespace": name, "image": str(found[0]), "secret": found[1]} for name, found in every if found is not None
    )
    return [*islice(rows, _SHOWN)]
