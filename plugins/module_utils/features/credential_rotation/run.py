# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace a login in all confirmed secrets: find all copies, verify the new login, and only then write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...clients.kube.client import Cluster
from ...clients.kube.errors import UnknownResource
from ...core.changes import Entry, Related
from ...core.errors import ImagePullError, Refusal
from ...core.namespaces import NamespaceSelector
from ...core.objects import POD, SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, metadata, trim_object
from ...core.text import make_printable, pluralize, summarize
from ...declarations.batch import Batch, Declaration
from ...discovery.cluster import has_ready_node, read_build_secrets
from ...discovery.probe_leftovers import delete_leftovers, is_leftover
from ...engine.fetching import Listing, ListRequest, View, list_in_namespaces
from ...engine.namespaces import resolve_targets
from ...engine.reconciliation import reconcile
from ...engine.result import NamespaceResult, Outcome
from ...engine.run import RunSettings
from ...engine.workers import Workers
from ...images.image_verification import SECRET_LIMIT
from ...images.probe_pods import PROBE_POD
from ...platform.protected import BUILD_NAMESPACE, BuildSecrets
from .confirmation import ConfirmedSecrets
from .options import Rotation, label_users
from .plan import (
    NAMED,
    SHOWN,
    Copy,
    CredentialRotation,
    account_list_ref,
    confirmed_row,
    describe_absence,
    first_per_namespace,
    other_password_row,
    other_user_row,
    row_of_nodes,
    row_with_reason,
    trim_managers,
    undeclared_note,
    undeclared_row,
)
from .run_proof import (
    ImagesInUse,
    Logins,
    ProofResult,
    PullWait,
    SecretLogins,
    check_secret_logins,
    choose_probes,
    prove_new_login,
    unanswered_note,
)
from .uses import (
    READ,
    Use,
    WaitResult,
    collect_uses,
    find_failing_images,
    find_undecided_images,
    keys_of,
    trim_to_uses,
    used_images,
    uses_in,
)

#: The field selector and the label selector of each list of secrets. Tokens of the platform and Helm's own releases make up most of all secrets.
#: The releases are compressed. Every user can choose the type of a secret, so one without Helm's label is searched.
_SEARCHED = (
    ("type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token", ""),
    ("type=helm.sh/release.v1", "owner!=helm"),
)
_NOT_SEARCHED = (
    "releases of Helm (type helm.sh/release.v1 with the label owner=helm): their content is compressed, and the values of a chart can contain "
    "the old login",
    "tokens of service accounts (type kubernetes.io/service-account-token)",
)
_HELD = "it has a login that this rotation replaces"
#: Maximum number of undeclared secrets of one namespace: in the rows for a plan, and in the displayed list.
_ROWS_OF_A_NAMESPACE, _SHOWN_OF_A_NAMESPACE = 100, 10
#: Maximum number of already rotated namespaces in which a node pulls before others are changed.
_PULLED_AGAIN = 3


@dataclass
class _RotationObjects:
    """The objects that were read. `unreadable_secrets` and `unread` are sentences about unreadable secrets, and pods and workloads.

    `searched`: for each listed secret, whether it has a login for the registries.
    `other_passwords` are the secrets with the user of one of the logins and another password, `other_users` the named ones with only other
    users.
    """

    copies: dict[str, list[Copy]] = field(default_factory=dict)
    searched: list[bool] = field(default_factory=list)
    uses: dict[str, list[Use]] = field(default_factory=dict)
    accounts: dict[str, list[Json]] = field(default_factory=dict)
    other_passwords: list[Copy] = field(default_factory=list)
    other_users: list[Copy] = field(default_factory=list)
    unreadable_secrets: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def every(self) -> list[Copy]:
        return [copy for copies in self.copies.values() for copy in copies]

    @property
    def confirmed(self) -> list[Copy]:
        return [copy for copy in self.every if copy.is_confirmed]

    @property
    def old_user(self) -> list[Copy]:
        """Return the confirmed secrets with the user of the old login and another password."""
        return [copy for copy in self.other_passwords if copy.is_confirmed and copy.found.old_user]

    @property
    def has_login(self) -> bool:
        """Whether a secret contains one of the two logins."""
        return any(copy.found.old or copy.found.new for copy in self.every)


#: Changed copies, by namespace.
_Changing = dict[str, list[Copy]]


def rotate(
    cluster: Cluster,
    rotation: Rotation,
    namespaces: Sequence[str],
    settings: RunSettings,
    *,
    unlisted: str = "",
    accept: Callable[[Rotation, Iterable[Copy]], SecretLogins] = check_secret_logins,
    prove: Callable[[Rotation, ImagesInUse, Logins], ProofResult] = prove_new_login,
) -> Outcome:
    """Return the outcome: the changes of each namespace, and the evidence about the login.

    `unlisted`: the refusal to list all namespaces, if `namespaces` are only the caller's projects.

    :raises Refusal: when not all secrets could be searched, or the new login does not work. Nothing was written then.
    """
    rotation = replace(rotation, confirmed=_resolve_confirmation(cluster, rotation))
    with settings.workers() as workers:
        reading = _RotationReader(cluster, workers, rotation, namespaces)
        try:
            seen = reading.read()
        except ImagePullError as error:
            raise Refusal(f"nothing was written, because not all secrets could be searched: {error}") from None
    if unlisted:
        seen.unreadable_secrets.append(f"only the secrets in the caller's own projects were searched: {unlisted}")
    found = {namespace: copies for namespace in seen.copies if (copies := _copies_to_change(seen, rotation, namespace))}
    own = (
        accept(rotation, [copy for copies in found.values() for copy in copies])
        if rotation.asks_copies
        else SecretLogins()
    )
    changing = _drop_refused(found, own.not_accepted)
    rotated = _rotated_copies(seen, changing)
    asked = _images_to_prove(seen, changing, rotated)
    is_asked = rotation.verify and (changing or (rotation.verifies_unchanged and seen.has_login))
    proof = prove(rotation, asked, own.logins) if is_asked else ProofResult()
    # The engine reads a secret again after a conflict, so its plan checks that the login is still one of these.
    proven = replace(rotation, accepted=frozenset(own.accepted)) if rotation.asks_copies else rotation
    outcome = reconcile(cluster, _batch(proven, changing), settings, _views(seen, changing))
    cleaned = _clean_up(reading, settings) if not settings.check_mode else ()
    waited = _wait_for_pulls(reading, settings) if rotation.pulls_timeout else WaitResult()
    told = {
        **_counts(outcome, seen, changing),
        **_confirmation(rotation, seen, own),
        **_evidence(seen, proof),
        **waited.members,
    }
    told["pending_pulls_unknown"] = waited.error or _describe_unlisted(reading)
    told["similar"] = _find_similar(seen)
    told["searched"] = {"secrets": len(seen.searched), "for_registries": sum(seen.searched)}
    told["registries"] = list(rotation.exchange.registries)
    told["users"] = label_users(rotation.exchange.old.username, rotation.exchange.new.username)
    told["probes"] = choose_probes(rotation, rotated, seen.uses, changing, proof if rotation.verify else None)
    # A plan. The pods of the canary need a node.
    plans = settings.check_mode and rotation.verify and changing and told["probes"]
    told["has_ready_node"] = has_ready_node(cluster) if plans else None
    remarks = [
        *outcome.remarks,
        *proof.notes,
        *([] if rotation.allows_absent else undeclared_note(told)),
        *unanswered_note(own),
        *lost_rows_note(rotation, seen, namespaces),
        *_other_users_note(seen),
        *_build_notes(changing),
        *_record_note(seen, changing),
        *cleaned,
        *waited.notes,
    ]
    absent = "" if rotation.allows_absent or seen.has_login else describe_absence(rotation, told, namespaces)
    if absent and seen.unreadable_secrets:  # An unreadable secret may contain the login.
        remarks.append(absent)
    refused = "" if seen.unreadable_secrets else absent
    return replace(outcome, refused=refused, remarks=tuple(remarks), extra={**outcome.extra, "rotation": told})


def _resolve_confirmation(cluster: Cluster, rotation: Rotation) -> ConfirmedSecrets:
    """Return the confirmed secrets. :raises Refusal: when the plan is for another cluster. :raises ApiError: when a selector fails."""
    if rotation.server and rotation.server.rstrip("/") != cluster.name.rstrip("/"):
        raise Refusal(
            f"nothing was written: option 'plan' is for the cluster {make_printable(rotation.server)}, but this one is {cluster.name}. Write a "
            "plan for this cluster"
        )
    selectors = list(dict.fromkeys(one.places for one in rotation.entries if isinstance(one.places, NamespaceSelector)))
    found = {
        selector: meant.namespaces
        for selector, meant in zip(selectors, resolve_targets(cluster, selectors), strict=True)
    }
    return ConfirmedSecrets.of(
        (one, found[one.places] if isinstance(one.places, NamespaceSelector) else one.places)
        for one in rotation.entries
    )


def _build_notes(changing: Mapping[str, Sequence[Copy]]) -> Iterator[str]:
    """Yield a note for each changed secret that builds of node images use."""
    for copy in (copy for copies in changing.values() for copy in copies if copy.builds.uses):
        if sentence := copy.builds.describe(copy.ref):
            yield f"{sentence}. A changed login starts no build"


def _record_note(seen: _RotationObjects, changing: Mapping[str, Sequence[Copy]]) -> Iterator[str]:
    """Yield a note if many secrets have the login. A node may then ask the registry again after a secret changes.

    Fewer secrets prove nothing, because a record also has secrets with other logins.
    """
    count = sum(bool(copy.found.old or copy.found.new) and not copy.is_of_cluster for copy in seen.confirmed)
    if changing and count >= SECRET_LIMIT:
        yield (
            f"{count} confirmed secrets have this login. A node that has recorded {SECRET_LIMIT} secrets or more for an image asks the registry "
            "when the next pod starts there with a changed secret, so keep the registry reachable"
        )


def _drop_refused(found: Mapping[str, Sequence[Copy]], refused: Mapping[ObjectRef, str]) -> _Changing:
    kept = {namespace: [copy for copy in copies if copy.ref not in refused] for namespace, copies in found.items()}
    return {namespace: copies for namespace, copies in kept.items() if copies}


def _images_to_prove(
    seen: _RotationObjects, changing: Mapping[str, Sequence[Copy]], rotated: Mapping[str, Sequence[Copy]]
) -> ImagesInUse:
    """Return the images of changed namespaces, and elsewhere those that use the nodes' pull secret or the new login."""
    keys = {namespace: _old_keys(copies) for namespace, copies in changing.items()}
    nodes = {"": _old_keys(copy for copy in seen.every if copy.is_of_nodes)}
    # The rotated namespaces come first: of each repository, the first images are tried.
    others = [namespace for namespace in seen.uses if namespace not in changing and namespace not in rotated]
    elsewhere = uses_in(seen.uses, (*rotated, *others))
    written = {namespace: seen.uses[namespace] for namespace in changing if namespace in seen.uses}
    return ImagesInUse(used_images(written, {**keys, **nodes}), used_images(elsewhere, {**keys_of(rotated), **nodes}))


def _old_keys(copies: Iterable[Copy]) -> list[str]:
    return list(dict.fromkeys(key for copy in copies for key in copy.found.old))


@dataclass
class _RotationReader:
    cluster: Cluster
    workers: Workers
    rotation: Rotation
    namespaces: Sequence[str]
    seen: _RotationObjects = field(default_factory=_RotationObjects)
    leftovers: list[Json] = field(default_factory=list)
    #: Namespaces whose pods could not be listed.
    unlisted: dict[str, None] = field(default_factory=dict)

    def read(self) -> _RotationObjects:
        """Read all objects. :raises ImagePullError: when a list fails for another reason than missing permissions."""
        self._read_secrets()
        self._read_uses()
        places = [name for name, copies in self.seen.copies.items() if any(map(_is_account_list_needed, copies))]
        if places:
            found = self._list(SERVICE_ACCOUNT, places, lambda account: trim_object(SERVICE_ACCOUNT, account))
            self.seen.accounts = {name: found.objects.get(name, []) for name in places if name not in found.errors}
        return self.seen

    def _read_secrets(self) -> None:
        rotation = self.rotation

        def keep(secret: Json) -> Json | None:
            copy = Copy.of(secret, rotation)
            found = copy.found
            self.seen.searched.append(any((found.old, found.new, found.other_passwords, found.other_users)))
            return trim_managers(secret) if copy.is_wanted else None

        first, *others = [self._list(SECRET, self.namespaces, keep, *selectors) for selectors in _SEARCHED]
        builds = read_build_secrets(self.cluster) if BUILD_NAMESPACE in self.namespaces else BuildSecrets()
        for namespace, secrets in (each for found in (first, *others) for each in found.objects.items()):
            refs = ((ObjectRef(SECRET, namespace, metadata(secret)["name"]), secret) for secret in secrets)
            copies = [Copy(ref, secret, rotation, builds) for ref, secret in refs]
            self.seen.copies.setdefault(namespace, []).extend(copy for copy in copies if copy.is_involved)
            self.seen.other_passwords += [copy for copy in copies if copy.found.other_passwords]
            self.seen.other_users += [copy for copy in copies if copy.has_only_other_users]
        self.seen.unreadable_secrets += _describe_forbidden(SECRET, first)

    def _read_uses(self) -> None:
        """Read which images are used. Unreadable kinds are reported, because the new login is then verified for fewer images."""
        for kind in READ:
            try:
                found = self._list(kind, self.namespaces, self._keep_uses(kind))
            except UnknownResource:
                continue
            for namespace, objects in found.objects.items():
                self.seen.uses.setdefault(namespace, []).extend(collect_uses(objects))
            self.seen.unread += _describe_forbidden(kind, found)
            if kind == POD:
                self.unlisted.update(dict.fromkeys(found.errors))

    def uses_of_pods(self, places: Sequence[str]) -> dict[str, list[Use]]:
        """Return the current uses of the pods in these namespaces."""
        found = self._list(POD, places, self._keep_uses(POD))
        self.unlisted.update(dict.fromkeys(found.errors))
        return {name: collect_uses(pods) for name, pods in found.objects.items()}

    def _keep_uses(self, kind: Kind) -> Callable[[Json], Json | None]:
        def keep(obj: Json) -> Json | None:
            if kind == POD and is_leftover(obj):
                self.leftovers.append(trim_object(PROBE_POD, obj))
                return None
            return trim_to_uses(kind, obj, self.rotation.exchange)

        return keep

    def _list(
        self, kind: Kind, places: Sequence[str], keep: Callable[[Json], Json | None], fields: str = "", labels: str = ""
    ) -> Listing:
        return list_in_namespaces(self.cluster, self.workers, ListRequest(kind, keep, (fields,), labels), places)


def _describe_forbidden(kind: Kind, found: Listing) -> list[str]:
    if not found.errors:
        return []
    places = summarize([*found.errors], 1)
    return [f"the caller may not list {kind.resource} in namespace {places}, so they were not checked"]


def _copies_to_change(seen: _RotationObjects, rotation: Rotation, namespace: str) -> list[Copy]:
    """Return the copies of a namespace that still need a change. An immutable one that has its second secret does not."""
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


def _is_account_list_needed(copy: Copy) -> bool:
    return copy.is_to_change and copy.is_immutable


def _batch(rotation: Rotation, changing: Mapping[str, Sequence[Copy]]) -> Batch[CredentialRotation]:
    """Return a declaration for each secret, so that each secret fails on its own."""
    return Batch(SECRET, {namespace: _declarations_for(rotation, copies) for namespace, copies in changing.items()})


def _declarations_for(rotation: Rotation, copies: Sequence[Copy]) -> list[Declaration[CredentialRotation]]:
    names = [copy.ref.name for copy in copies]
    if len(names) == 1:
        return [Declaration(CredentialRotation(rotation, names[0]))]
    entries = [Entry("secrets", position, title=f"secret {name}") for position, name in enumerate(names)]
    return [Declaration(CredentialRotation(rotation, name), entry) for name, entry in zip(names, entries, strict=True)]


def _views(seen: _RotationObjects, changing: Mapping[str, Sequence[Copy]]) -> dict[str, View]:
    return {namespace: _view(seen, namespace) for namespace in changing}


def _view(seen: _RotationObjects, namespace: str) -> View:
    objects = {copy.ref.name: copy.obj for copy in seen.copies[namespace]}
    related: Related = (
        {account_list_ref(namespace): {"items": seen.accounts[namespace]}} if namespace in seen.accounts else {}
    )
    return View(objects, related)


def _counts(outcome: Outcome, seen: _RotationObjects, changing: Mapping[str, Sequence[Copy]]) -> dict[str, Any]:
    """Return the number of copies after the writes, or in check mode after the planned ones."""
    held = {copy.ref: rows for copy in seen.confirmed if (rows := [*copy.remaining()])}
    remaining = [row for rows in held.values() for row in rows]
    to_change = {copy.ref: copy for copies in changing.values() for copy in copies}
    copies = {
        "old": sum(1 for copy in seen.every if copy.found.old),
        "new": sum(1 for copy in seen.every if copy.found.new and not copy.found.old),
        "to_change": len(to_change),
        "kept": len(held.keys() - to_change.keys()),
        "failed": sum(len(_failed_secrets(result, changing[result.name])) for result in outcome.namespaces),
    }
    of_nodes = [copy for copy in seen.every if copy.is_waiting]
    shown = first_per_namespace(to_change.values(), _SHOWN_OF_A_NAMESPACE)
    return {
        "copies": copies,
        "to_change": [row_with_reason(copy, _HELD) for copy in shown][:SHOWN],
        "remaining": remaining[:SHOWN],
        "remaining_count": len(remaining),
        "nodes": [row_of_nodes(copy, copy.found.old) for copy in of_nodes if copy.found.old],
        "nodes_changed": [row_of_nodes(copy, copy.found.new) for copy in of_nodes if copy.found.new],
    }


def _confirmation(rotation: Rotation, seen: _RotationObjects, own: SecretLogins) -> dict[str, Any]:
    """Return the confirmed secrets, the unconfirmed ones with the old login, and the confirmed ones whose own login is refused or other."""
    others = [(copy, why) for copy in seen.every if (why := copy.why_not_declared)]
    refused = [
        {"namespace": ref.namespace, "secret": ref.name, "reason": why, "is_refused": ref in own.refused}
        for ref, why in own.not_accepted.items()
    ]
    every = {copy.ref: copy for copy in (*seen.confirmed, *seen.old_user)}.values()
    confirmed = (copy for copy in every if not copy.is_of_cluster and copy.ref not in own.refused)
    candidates = first_per_namespace((copy for copy, _why in others if copy.could_be_confirmed), _ROWS_OF_A_NAMESPACE)
    shown = {copy.ref for copy in first_per_namespace((copy for copy, _why in others), _SHOWN_OF_A_NAMESPACE)}
    rows = [undeclared_row(copy, why) for copy, why in others if copy.ref in shown]
    return {
        "secrets": [
            *(
                confirmed_row(copy, declared=True, is_accepted=not copy.is_unaccepted and copy.ref not in own.unknown)
                for copy in confirmed
            ),
            *(confirmed_row(copy, declared=False, is_accepted=not rotation.asks_copies) for copy in candidates),
        ],
        "not_searched": list(_NOT_SEARCHED),
        "not_declared": rows[:SHOWN],
        "not_declared_count": len(others),
        "not_declared_namespaces": len({copy.ref.namespace for copy, _why in others}),
        "not_accepted": refused[:SHOWN],
        "not_accepted_count": len(refused),
        "other_passwords": [other_password_row(copy) for copy in seen.old_user[:SHOWN]],
        "other_passwords_count": len(seen.old_user),
        "other_users": [other_user_row(copy) for copy in seen.other_users[:SHOWN]],
        "other_users_count": len(seen.other_users),
    }


def _other_users_note(seen: _RotationObjects) -> Iterator[str]:
    if seen.other_users:
        rows = [
            f"{copy.ref.namespace}/{copy.ref.name} ({summarize(copy.found.other_users, NAMED)})"
            for copy in seen.other_users
        ]
        yield (
            f"{pluralize(len(rows), 'named secret')} with a login for the registries {'has' if len(rows) == 1 else 'have'} neither the old "
            f"user nor the new one: {summarize(rows, NAMED, '; ', listed='rotation.other_users')}"
        )


def _clean_up(reading: _RotationReader, settings: RunSettings) -> tuple[str, ...]:
    """Delete the pods that aborted probes of earlier rotations left. A failure does not fail the rotation."""
    with settings.workers() as workers:
        try:
            return delete_leftovers(reading.cluster, workers, reading.leftovers)
        except ImagePullError as error:
            return (f"pods that earlier probes left could not be deleted: {error}",)


def _wait_for_pulls(reading: _RotationReader, settings: RunSettings) -> WaitResult:
    """Wait for the pulls that nodes may have begun before the last write, and read the pods again."""
    seen = reading.seen
    held = _group_by_namespace(seen.confirmed)
    of_nodes = [copy for copy in seen.confirmed if copy.is_of_nodes]
    places = _pull_places(reading)
    with settings.workers() as workers:
        pods = replace(reading, workers=workers)
        wait = PullWait(reading.cluster, workers, settings.clock, pods.uses_of_pods, {**held, "": of_nodes})
        try:
            left = wait.wait(places, reading.rotation.pulls_timeout)
        except ImagePullError as error:
            return WaitResult(error=str(error))
    seen.uses = {name: [use for use in every if use.state is None] for name, every in seen.uses.items()}
    for name, every in wait.uses.items():
        seen.uses.setdefault(name, []).extend(every)
    return WaitResult(left, _describe_unlisted(reading), wait.no_events)


def _pull_places(reading: _RotationReader) -> Sequence[str]:
    """Return the namespaces whose pods pull with a confirmed secret: with one of the nodes, all."""
    confirmed = reading.seen.confirmed
    if any(copy.is_of_nodes for copy in confirmed):
        return reading.namespaces
    held = {copy.ref.namespace for copy in confirmed}
    return [name for name in reading.namespaces if name in held]


def _describe_unlisted(reading: _RotationReader) -> str:
    """Return the namespaces whose pods could not be listed although they may pull with the old login. Empty without one."""
    places = {*_pull_places(reading)}
    unlisted = summarize([name for name in reading.unlisted if name in places], NAMED)
    return f"the caller may not list pods in namespace {unlisted}" if unlisted else ""


def _group_by_namespace(copies: Iterable[Copy]) -> _Changing:
    found: _Changing = {}
    for copy in copies:
        found.setdefault(copy.ref.namespace, []).append(copy)
    return found


def _evidence(seen: _RotationObjects, proof: ProofResult) -> dict[str, Any]:
    held = _group_by_namespace(seen.confirmed)
    return {
        "unreadable_secrets": seen.unreadable_secrets,
        "unreadable_pods": seen.unread,
        "old_login": proof.old_login,
        "repositories": list(proof.rows),
        "failing": list(find_failing_images(seen.uses, held)),
        "undecided": list(find_undecided_images(seen.uses, held)),
    }


def _find_similar(seen: _RotationObjects) -> list[dict[str, Any]]:
    """Return secrets that contain a part of a login, if the old one was not found. They show a person which option is mistyped."""
    found = [] if any(copy.found.old for copy in seen.every) else [*_find_other_passwords(seen), *_find_elsewhere(seen)]
    return [row_with_reason(copy, why) for copy, why in found[:SHOWN]]


def _find_other_passwords(seen: _RotationObjects) -> Iterator[tuple[Copy, str]]:
    for copy in first_per_namespace(seen.other_passwords, _SHOWN_OF_A_NAMESPACE):
        yield (
            copy,
            f"the user of one of the logins with another password, for {summarize(copy.found.other_passwords, NAMED)}",
        )


def _find_elsewhere(seen: _RotationObjects) -> Iterator[tuple[Copy, str]]:
    for copy in first_per_namespace((copy for copy in seen.every if copy.elsewhere()), _SHOWN_OF_A_NAMESPACE):
        yield (
            copy,
            f"the password of the login to replace, with another user or for another registry, in {summarize(copy.elsewhere(), NAMED)}",
        )


def lost_rows_note(rotation: Rotation, seen: _RotationObjects, namespaces: Iterable[str]) -> Iterator[str]:
    """Yield a sentence about the secrets of a plan, or of `secrets` by namespace and name, that have none of the two logins."""
    known = {copy.ref for copy in (*seen.confirmed, *seen.other_passwords, *seen.other_users) if copy.is_confirmed}
    searched = {*namespaces}
    places = ((row, each) for row in rotation.entries if isinstance(row.places, tuple) for each in row.places)
    # A canary has the rows of all namespaces, by their UIDs.
    named = (ObjectRef(SECRET, each, row.name) for row, each in places if not row.uid or each in searched)
    lost = [f"{ref.namespace}/{ref.name}" for ref in dict.fromkeys(named) if ref not in known]
    if not lost:
        return
    of_plan, why = "", "missing, or without an entry for these registries with one of the two users"
    if rotation.server:
        of_plan, why = " of option 'plan'", "deleted, created again, changed or renamed since"
    yield f"{pluralize(len(lost), 'confirmed secret')}{of_plan} cannot get the new login ({why}): {summarize(lost, NAMED)}"


def _rotated_copies(seen: _RotationObjects, changing: Mapping[str, Sequence[Copy]]) -> _Changing:
    """Return the confirmed secrets with only the new login, in the namespaces that need no change and use images.

    If other namespaces are changed, only in the first ones. Otherwise, no other namespace can test the login.
    """
    every = {
        name: [copy for copy in copies if copy.is_confirmed and copy.found.new and not copy.found.old]
        for name, copies in seen.copies.items()
        if name not in changing
    }
    used = [name for name in used_images(uses_in(seen.uses, every), keys_of(every)) if every[name]]
    first = sorted(used, key=lambda name: (min(copy.created for copy in every[name]), name))
    return {name: every[name] for name in (first[:_PULLED_AGAIN] if changing else first)}


def _failed_secrets(result: NamespaceResult, copies: Sequence[Copy]) -> set[str]:
    """Return the secrets of a namespace that failed or were not attempted."""
    if result.status in ("changed", "unchanged"):
        return set()
    names = [copy.ref.name for copy in copies]
    done = {change.ref.name for change in result.changes if change.ref.kind == SECRET}
    left = {*names} - done if result.error else set()
    return left | {names[failure.entry.position] for failure in result.failures}
