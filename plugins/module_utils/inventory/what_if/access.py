# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The access that accounts and workloads gain and lose: the logins that they reach, and the projects that they may pull from. Pure.

This is about reachability, not about images in use. A login counts if the kubelet would use it: in a secret that it can read, with a user
and a password, for a key that names a registry. Whether the login works is not part of it.

Two inventories are compared without a cluster: each is planned on a cluster that has only the accounts that one of them names. A selector
counts as a namespace there, and a pattern of account names as an account, because only a cluster knows more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import ImagePullError
from ...core.objects import (
    CLUSTER_ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Json,
    Kind,
    ObjectRef,
    as_dict,
    as_list,
    as_str,
    metadata,
)
from ...core.text import make_printable
from ...declarations.batch import Batch
from ...dockerconfig.registry_keys import registry_of, same_path
from ...explain.credentials import refused_logins
from ...explain.lookup import Lookup, ReadRequired, UnreadableObject
from ...explain.snapshot import ClusterSnapshot, NamespaceSnapshot
from ...explain.subjects import template_of
from ...features.sa_link.plan import SaLink
from ...platform.account_lists import names_in
from ...rbac.subjects import ROLE, is_pull_binding, pullers_of
from ...secrets.content import DATA_KEYS, StoredSecret
from .declared import LISTS, PlannedObjects, UnplannedEntry
from .overlay import ChangedLookup
from .patches import ObjectPatch, ProjectGrants

_PULL = "imagePullSecrets"


@dataclass(frozen=True, order=True)
class Reach:
    """A login for a registry, as `host[:port]`, or for a repository path of it; empty for all paths. Or the right to pull from a `project`."""

    registry: str = ""
    repository: str = ""
    username: str = ""
    project: str = ""


@dataclass(frozen=True)
class AccessRow:
    """One gain or loss. `who` is an account, a workload that lists secrets itself, or a subject of a grant.

    `through`: the secrets or role bindings. `workloads` use the account. `changes` are positions, `entries` titles of the inventory.
    """

    namespace: str
    kind: str
    name: str
    reach: Reach
    through: Sequence[str]
    workloads: Sequence[str] = ()
    changes: Sequence[int] = ()
    entries: Sequence[str] = ()

    def report(self) -> dict[str, Any]:
        """Return the row for a result. Users of the cluster choose the names of subjects, user names and keys."""
        return {
            "how": "grant" if self.reach.project else "login",
            "namespace": make_printable(self.namespace),
            "kind": make_printable(self.kind),
            "name": make_printable(self.name),
            "registry": make_printable(self.reach.registry),
            "repository": make_printable(self.reach.repository),
            "username": make_printable(self.reach.username),
            "project": make_printable(self.reach.project),
            "through": list(map(make_printable, self.through)),
            "workloads": list(map(make_printable, self.workloads)),
            "changes": list(self.changes),
            "entries": list(map(make_printable, self.entries)),
        }


@dataclass(frozen=True)
class AccessReview:
    """The gains and losses. `unknown` are sentences. `unplanned` are entries of an inventory that would not be applied."""

    gained: Sequence[AccessRow] = ()
    lost: Sequence[AccessRow] = ()
    unknown: Sequence[str] = ()
    unplanned: Sequence[UnplannedEntry] = ()

    def report(self) -> dict[str, Any]:
        """Return the review for a result."""
        return {
            "gained": [row.report() for row in sorted(self.gained, key=_order)],
            "lost": [row.report() for row in sorted(self.lost, key=_order)],
            "unknown": list(map(make_printable, dict.fromkeys(self.unknown))),
            "unplanned": [
                {name: make_printable(text) for name, text in each.report().items()} for each in self.unplanned
            ],
        }


NO_ACCESS = AccessReview()


def reach_of(secret: Json | None) -> frozenset[Reach]:
    """Return the logins of a secret that the kubelet would use. None if it rejects the secret, or the secret does not exist."""
    stored = StoredSecret.of(as_dict(secret))
    if secret is None or stored.type not in DATA_KEYS or stored.for_kubelet.problems:
        return frozenset()
    refused, logins = refused_logins(secret), stored.for_kubelet.logins.items()
    return frozenset(
        Reach(host, path, user)
        for key, (user, password) in logins
        if user and password and registry_of(key)
        for host, _slash, path in [same_path(registry_of(key)).partition("/")]
        if (key, host) not in refused
    )


def review_access(
    lookups: Sequence[Lookup],
    survey: ClusterSnapshot,
    planned: Mapping[int, PlannedObjects],
) -> AccessReview:
    """Return the review. `lookups` are the evidence before the changes, after all of them, and after each of them alone.

    `planned` are the objects of changes that apply an inventory, by position.

    :raises ReadRequired: when more objects must be read first. All of them are then requested.
    """
    return _Reviewer(lookups[0], lookups[1], lookups[2:], survey, planned).review()


#: Finds the access of one holder in some evidence, each with the secrets or bindings that give it.
_Find = Callable[[Lookup], Mapping[Reach, Sequence[str]]]


@dataclass
class _Reviewer:
    base: Lookup
    after: Lookup
    each: Sequence[Lookup]
    survey: ClusterSnapshot
    planned: Mapping[int, PlannedObjects]
    gained: list[AccessRow] = field(default_factory=list)
    lost: list[AccessRow] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    waits: bool = False

    def review(self) -> AccessReview:
        more = sorted({name for each in self.planned.values() for name in each.namespaces} - {*self.survey.places})
        for namespace in (*self.survey.places, *more):
            if self._is_touched(ObjectRef(SECRET, namespace, ""), ObjectRef(SERVICE_ACCOUNT, namespace, "")):
                self._try(f"the accounts of namespace {namespace}", self._review_accounts, namespace)
                self._try(f"the workloads of namespace {namespace}", self._review_workloads, namespace)
            if self._is_touched(ObjectRef(ROLE_BINDING, namespace, "")):
                self._try(f"the grants of project {namespace}", self._review_grants, namespace)
        if self.waits:
            raise ReadRequired
        unplanned = [entry for each in self.planned.values() for entry in each.unplanned]
        doubts = [doubt for each in self.planned.values() for doubt in each.doubts]
        return AccessReview(self.gained, self.lost, [*self.unknown, *doubts], unplanned)

    def _is_touched(self, *refs: ObjectRef) -> bool:
        return isinstance(self.after, ChangedLookup) and any(map(self.after.touches, refs))

    def _try(self, what: str, review: Callable[..., None], *arguments: Any) -> None:
        """Do one part. That it cannot be read stays its own doubt."""
        try:
            review(*arguments)
        except ReadRequired:
            self.waits = True
        except UnreadableObject as error:
            self.unknown.append(f"it is not known whether {what} gain or lose access: {error}")

    # --- logins

    def _review_accounts(self, namespace: str) -> None:
        whole = ObjectRef(SERVICE_ACCOUNT, namespace, "")
        used = _workloads_by_account(self.survey.places.get(namespace))
        for name in dict.fromkeys([*_names(self.base.look(whole)), *_names(self.after.look(whole))]):
            ref = ObjectRef(SERVICE_ACCOUNT, namespace, name)

            def find(evidence: Lookup, ref: ObjectRef = ref) -> Mapping[Reach, Sequence[str]]:
                return _logins(evidence, namespace, names_in(evidence.look(ref) or {}, _PULL))

            secrets = names_in(self.base.look(ref) or {}, _PULL)
            if self._is_touched(ref, *(ObjectRef(SECRET, namespace, secret) for secret in secrets)):
                holder = _Holder(namespace, SERVICE_ACCOUNT.kind, name, used.get(name, ()), (ref,))
                self._try(str(ref), self._compare, holder, find)

    def _review_workloads(self, namespace: str) -> None:
        """Workloads that list secrets themselves: their pods do not get those of the account."""
        for kind, obj in _templates(self.survey.places.get(namespace)):
            names = names_in(as_dict(template_of(obj).get("spec")), _PULL)
            if not self._is_touched(*(ObjectRef(SECRET, namespace, name) for name in names)):
                continue

            def find(evidence: Lookup, names: Sequence[str] = names) -> Mapping[Reach, Sequence[str]]:
                return _logins(evidence, namespace, names)

            name = as_str(metadata(obj).get("name"))
            self._try(f"{kind} {namespace}/{name}", self._compare, _Holder(namespace, kind, name), find)

    def _compare(self, holder: _Holder, find: _Find) -> None:
        before, after = find(self.base), find(self.after)
        for kept, reaches in ((self.gained, _without(after, before)), (self.lost, _without(before, after))):
            if not reaches:
                continue
            alone = [find(evidence) for evidence in self.each]
            for reach, through in reaches.items():
                refs = (*holder.refs, *(ObjectRef(SECRET, holder.namespace, name) for name in through))
                gains = kept is self.gained
                kept.append(self._row(holder, reach, through, refs, [(reach in each) is gains for each in alone]))

    def _row(
        self, holder: _Holder, reach: Reach, through: Sequence[str], refs: Sequence[ObjectRef], alone: Sequence[bool]
    ) -> AccessRow:
        """`alone`: whether each change has this effect without the others. If none has, all that touch the objects cause it."""
        touching = [
            at for at, each in enumerate(self.each) if isinstance(each, ChangedLookup) and any(map(each.touches, refs))
        ]
        changes = [at for at in touching if alone[at]] or touching
        parts = (holder.subject,) if holder.subject else through
        entries = [title for at in changes if at in self.planned for title in self.planned[at].titles(refs, parts)]
        return AccessRow(
            holder.namespace,
            holder.kind,
            holder.name,
            reach,
            through,
            holder.workloads,
            changes,
            list(dict.fromkeys(entries)),
        )

    # --- grants

    def _review_grants(self, project: str) -> None:
        whole = ObjectRef(ROLE_BINDING, project, "")
        found = [_bindings(evidence.look(whole)) for evidence in (self.base, self.after)]
        before, after = (ProjectGrants.of(each, self.base) for each in found)
        everywhere = frozenset(s for _name, s in pullers_of(filter(is_pull_binding, self.survey.cluster_bindings)))
        alone = [ProjectGrants.of(_bindings(evidence.look(whole)), self.base).pullers for evidence in self.each]
        for kept, ours, others in (
            (self.gained, after.pullers, before.pullers),
            (self.lost, before.pullers, after.pullers),
        ):
            for subject in sorted({*ours} - {*others}):
                if subject.identities & ({*others} | everywhere):
                    continue
                through = ours[subject]
                holder = _Holder(subject.namespace, subject.kind, subject.name, subject=str(subject))
                refs = [ObjectRef(ROLE_BINDING, project, name) for name in through]
                is_gain = kept is self.gained
                effects = [(subject in each) is is_gain for each in alone]
                kept.append(self._row(holder, Reach(project=project), through, refs, effects))
        for role, subject in sorted(before.others ^ after.others, key=str):
            self.unknown.append(
                f"it is not known whether {subject} gains or loses the right to pull from project {project}: {role} is "
                f"{'granted' if (role, subject) in after.others else 'revoked'}, and could not be read"
            )


@dataclass(frozen=True)
class _Holder:
    """The holder of an access. `refs` are its own objects. `subject`: the subject of a grant, as titles of entries name it."""

    namespace: str
    kind: str
    name: str
    workloads: Sequence[str] = ()
    refs: Sequence[ObjectRef] = ()
    subject: str = ""


def _logins(evidence: Lookup, namespace: str, secrets: Sequence[str]) -> dict[Reach, list[str]]:
    """The logins of the secrets, each with the secrets that have it."""
    found: dict[Reach, list[str]] = {}
    for name in dict.fromkeys(secrets):
        for reach in evidence.derive(ObjectRef(SECRET, namespace, name), reach_of):
            found.setdefault(reach, []).append(name)
    return found


def _without(ours: Mapping[Reach, Sequence[str]], others: Iterable[Reach]) -> dict[Reach, Sequence[str]]:
    known = frozenset(others)
    return {reach: ours[reach] for reach in sorted(ours) if reach not in known}


def _names(listed: Json | None) -> Iterator[str]:
    return (as_str(metadata(as_dict(obj)).get("name")) for obj in as_list(as_dict(listed).get("items")))


def _bindings(listed: Json | None) -> list[Json]:
    return list(map(as_dict, as_list(as_dict(listed).get("items"))))


def _templates(place: NamespaceSnapshot | None) -> Iterator[tuple[str, Json]]:
    """Yield each workload whose template the next pods have, with its kind."""
    for kind, obj in place.owners.creators if place else ():
        yield kind.kind, obj


def _workloads_by_account(place: NamespaceSnapshot | None) -> Mapping[str, Sequence[str]]:
    """The workloads whose pods get the secrets of an account."""
    found: dict[str, list[str]] = {}
    for kind, obj in _templates(place):
        spec = as_dict(template_of(obj).get("spec"))
        if not names_in(spec, _PULL):
            account = as_str(spec.get("serviceAccountName")) or as_str(spec.get("serviceAccount")) or "default"
            found.setdefault(account, []).append(f"{kind} {as_str(metadata(obj).get('name'))}")
    return found


def _order(row: AccessRow) -> tuple[Any, ...]:
    return row.reach.project or row.namespace, row.kind, row.namespace, row.name, row.reach


# --- the comparison of two inventories

#: The facts that such a comparison cannot know.
LIMITS = (
    "no cluster was read, so a 'namespace_selector' counts as a namespace of its own, and a pattern of service accounts as an account",
    "objects that the inventories do not declare, or that an entry would only change, count as missing before and after",
)

_Batches = Mapping[str, Batch[Any]]


class _ClosedLookup(Lookup):
    """Evidence that is complete: nothing else exists."""

    def look(self, ref: ObjectRef) -> Json | None:
        """See `Lookup.look`. The rules of a role are not known."""
        if ref.kind in (CLUSTER_ROLE, ROLE):
            raise UnreadableObject("no cluster was read")
        return self._known.get(ref)  # type: ignore[return-value]


def compare_inventories(before: _Batches, after: _Batches) -> AccessReview:
    """Return the access that `after` gives and `before` does not, and the other way round. The batches are by list, in their order."""
    accounts = _accounts_of(before, after)
    earlier = _plan(before, accounts)
    later = _plan(after, accounts).instead_of(earlier)
    evidence = _ClosedLookup(_as_evidence({**accounts, **earlier.objects}))
    changed = ChangedLookup(evidence, [ObjectPatch(later.objects)])
    return review_access([evidence, changed, changed], ClusterSnapshot({}, 0.0), {0: later})


def _accounts_of(*inventories: _Batches) -> dict[ObjectRef, Json]:
    found: dict[ObjectRef, Json] = {}
    for batches in inventories:
        for batch in batches.values():
            for namespace, declared in batch.namespaces.items():
                for link in (one.desired for one in declared if isinstance(one.desired, SaLink)):
                    refs = (ObjectRef(SERVICE_ACCOUNT, namespace, name) for name in link.service_accounts)
                    found.update({ref: _account(ref) for ref in refs})
    return found


def _account(ref: ObjectRef) -> Json:
    return {"metadata": {"name": ref.name, "namespace": ref.namespace, "resourceVersion": "1"}}


def _plan(batches: _Batches, accounts: Mapping[ObjectRef, Json]) -> PlannedObjects:
    planned, known = PlannedObjects(), _by_place(accounts)
    for batch in (batches[name] for name in LISTS if name in batches):
        for namespace in batch.namespaces:
            objects = {ref.name: obj for ref, obj in known.get((batch.kind, namespace), {}).items() if obj is not None}
            state = planned.update(batch.kind, namespace, objects, {})
            try:
                plan = batch.plan(namespace, *state)
            except ImagePullError as error:
                planned.unplanned.append(UnplannedEntry(namespace, "", str(error)))
                continue
            planned.keep(batch, namespace, plan.changes, state)
            planned.unplanned += [UnplannedEntry(namespace, str(each.entry), each.error) for each in plan.failures]
    return planned


def _as_evidence(objects: Mapping[ObjectRef, Json | None]) -> dict[ObjectRef, Json | None]:
    """The objects, and the lists of their namespaces."""
    lists: dict[ObjectRef, Json | None] = {
        ObjectRef(kind, namespace, ""): {"items": [obj for obj in each.values() if obj is not None]}
        for (kind, namespace), each in _by_place(objects).items()
    }
    return {**objects, **lists}


def _by_place(objects: Mapping[ObjectRef, Json | None]) -> dict[tuple[Kind, str], dict[ObjectRef, Json | None]]:
    """The objects by kind and namespace."""
    found: dict[tuple[Kind, str], dict[ObjectRef, Json | None]] = {}
    for ref, obj in objects.items():
        found.setdefault((ref.kind, ref.namespace), {})[ref] = obj
    return found
