# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prune objects that an owner no longer declares: read all of them, count, leave out removals that would break a workload, and only then remove.

Users of a project choose its workloads. So a workload stops the removals that it needs, and no other one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ...clients.kube.client import Cluster
from ...core.changes import INSTANCE, MANAGED_BY, Change
from ...core.errors import ImagePullError, Limit, OptionError, Refusal
from ...core.objects import ROLE_BINDING, SECRET, SERVICE_ACCOUNT, Json, Kind, as_dict, as_list, metadata, trim_object
from ...core.ownership import check_owner
from ...core.text import join_and, pluralize, summarize
from ...declarations.batch import Batch
from ...engine.fetching import ListRequest, View, list_in_namespaces
from ...engine.namespaces import is_terminating
from ...engine.reconciliation import reconcile
from ...engine.result import NamespaceResult, Outcome, Status, summarize_names
from ...engine.run import Run, RunSettings
from ...engine.workers import Workers
from ...features.image_puller_grant.plan import ImagePullerGrant
from ...features.pull_secret.plan import PullSecret
from ...features.sa_link.plan import SaLink
from ...platform.account_lists import LISTS, names_in
from ..what_if.declared import InventoryLists
from ..what_if.run_change_guard import (
    ChangeGuard,
    GuardAccess,
    GuardJudgement,
    GuardScope,
    describe_broken,
    guard_access_of,
    judge_effects,
)
from .plan import (
    KINDS,
    Balance,
    DeclaredObjects,
    Grant,
    Links,
    Prune,
    PruneVerdict,
    Removal,
    count_removals,
    judge_removals,
    keep_removals,
    list_ref,
    removals_of,
)


@dataclass(frozen=True)
class WorkloadGuard:
    """A prune whose removals are judged. `views` are the objects of its plans, and `planned` the changes, by namespace.

    `judgement` is None until they are judged.
    """

    prune: Prune
    views: Mapping[str, View]
    planned: Mapping[str, Sequence[Change]]
    judgement: GuardJudgement | None = field(default=None)

    def judge(self, scope: GuardScope) -> WorkloadGuard:
        """Return the guard with the judgement of the workloads.

        :raises Refusal: when the cluster failed. Nothing was removed.
        """
        return replace(self, judgement=judge_effects(scope, {each: each.refs for each in self.removals}, self._plan))

    @cached_property
    def removals(self) -> Sequence[Removal]:
        """All removals of the plans."""
        return [
            removal
            for name, changes in self.planned.items()
            for removal in removals_of(name, changes, self.views[name].related)
        ]

    def _plan(self, refused: Collection[Hashable], places: Collection[str] | None = None) -> Sequence[Change]:
        """The changes without these removals: in the given namespaces, or with None in all."""
        left_out: dict[str, list[Removal]] = {}
        for each in refused:
            if isinstance(each, Removal):
                left_out.setdefault(each.namespace, []).append(each)
        return [
            change
            for name in (self.planned if places is None else self.planned.keys() & places)
            for change in self._plan_namespace(name, left_out.get(name, ()))
        ]

    def _plan_namespace(self, namespace: str, kept: Sequence[Removal]) -> Sequence[Change]:
        if not kept:
            return self.planned[namespace]
        view = self.views[namespace]
        return keep_removals(self.prune, kept).plan(namespace, view.objects, view.related).changes

    @property
    def desired(self) -> Prune:
        """The prune without the refused removals."""
        return keep_removals(self.prune, self._refused)

    @property
    def _refused(self) -> Sequence[Removal]:
        return [] if self.judgement is None else [each for each in self.removals if each in self.judgement.refused]

    @property
    def refused(self) -> list[Change]:
        """The changes that were not made."""
        refused = frozenset(self._refused)
        places = {each.namespace for each in refused}
        others = [each for each in self.removals if each.namespace in places and each not in refused]
        return [*self._plan(others, places)]

    def add_to(self, outcome: Outcome, later: GuardJudgement) -> Outcome:
        """Return the outcome with the judgement, and with a later one of changed plans. A namespace with a refused removal has failed."""
        if self.judgement is None:
            return outcome
        judgement = self.judgement.join(later)
        reasons = {name: "; ".join(each) for name, each in _group(self._sentences())}
        results = [_fail(result, reasons.get(result.name, "")) for result in outcome.namespaces]
        extra: dict[str, Any] = {**outcome.extra, "guard": judgement.report()}
        return replace(outcome, namespaces=results, remarks=(*outcome.remarks, *judgement.remarks), extra=extra)

    def _sentences(self) -> Iterator[tuple[str, str]]:
        if self.judgement is not None:
            for removal in self._refused:
                yield (
                    removal.namespace,
                    describe_broken(f"{removal.title} was not removed", self.judgement.refused[removal]),
                )


def _group(sentences: Iterator[tuple[str, str]]) -> Iterator[tuple[str, Sequence[str]]]:
    found: dict[str, list[str]] = {}
    for name, sentence in sentences:
        found.setdefault(name, []).append(sentence)
    yield from found.items()


def _fail(result: NamespaceResult, reason: str) -> NamespaceResult:
    if not reason or result.status == "skipped":
        return result
    return replace(result, status="failed", error="; ".join(filter(None, (result.error, reason))))


#: Maximum number of objects or namespaces in a message. The result lists all.
_SHOWN = 20
_EXCLUDED = "'exclude_namespaces' names it"
_SAID_TWICE = "To remove everything, set 'prune_everything: true' and 'max_prune: 100%'"

_Feature = PullSecret | SaLink | ImagePullerGrant


@dataclass(frozen=True)
class PruneSettings:
    """The owner and the limit. `everything`: prune even if nothing is declared. Nothing is read or removed in `excluded` namespaces.

    `guard`: the settings of the guard of workloads, None without it.
    """

    owner: str
    most: Limit
    everything: bool = False
    excluded: frozenset[str] = frozenset()
    guard: GuardAccess | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> PruneSettings:
        """Return the settings. :raises OptionError: for an invalid owner, `max_prune` or timeout."""
        check_owner(options["owner"])
        most = Limit.parse("max_prune", options["max_prune"])
        excluded, guard = frozenset(options["exclude_namespaces"]), guard_access_of(options)
        return cls(options["owner"], most, options["prune_everything"], excluded, guard)

    def require_declared(self, every: Iterable[_Feature]) -> None:
        """Check the declarations. :raises OptionError: when none of them has state present for the owner."""
        if not (self.everything or any(_is_declared_by(desired, self.owner) for desired in every)):
            raise OptionError(
                f"owner {self.owner} declares nothing: no secret, link or grant has state present for it; "
                f"nothing was read or removed. {_SAID_TWICE}"
            )


@dataclass
class _PruneListing:
    """The objects, by kind and namespace. `left_out` are namespaces in which the caller cannot list a kind, with the reason."""

    objects: dict[Kind, dict[str, list[Json]]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def views(self) -> dict[str, View]:
        """Return the objects that a plan needs, for each namespace in which the owner has objects."""
        secrets, bindings = (self.objects.get(kind, {}) for kind in (SECRET, ROLE_BINDING))
        accounts = self.objects.get(SERVICE_ACCOUNT, {})
        return {
            namespace: View(
                {metadata(account)["name"]: account for account in accounts.get(namespace, ())},
                {
                    list_ref(SECRET, namespace): {"items": secrets.get(namespace, [])},
                    list_ref(ROLE_BINDING, namespace): {"items": bindings.get(namespace, [])},
                },
            )
            for namespace in sorted({*secrets, *bindings} - {*self.left_out})
        }


def _is_declared_by(desired: _Feature, owner: str) -> bool:
    """Whether it declares an object as present for that owner."""
    present = desired.mode != "absent" if isinstance(desired, PullSecret) else desired.present
    return present and desired.ownership.owner == owner


def prune_owner(
    cluster: Cluster,
    pruning: PruneSettings,
    batches: Mapping[str, Batch[Any]],
    namespaces: Sequence[Json],
    settings: Callable[[int], RunSettings],
    *,
    unlisted: str,
) -> Outcome:
    """Remove undeclared objects with the owner's labels in the given namespaces, which are objects as the API server sent them.

    `batches` are the given lists, by their options (`KINDS`). `unlisted` is the refusal to list all namespaces, or empty.

    :raises OptionError: when nothing is declared for any of them, without `everything`. `Refusal` when objects could not
    be read. Nothing was removed in either case.
    """
    places = [metadata(namespace)["name"] for namespace in namespaces if not is_terminating(dict(namespace))]
    desired = _make_prune(pruning.owner, batches)
    confirmed = _confirmed(batches)
    if not (pruning.everything or _has_declarations(pruning.owner, batches, [*confirmed.intersection(places)])):
        raise OptionError(
            f"owner {pruning.owner} declares nothing for any namespace of {cluster.name}, so nothing was removed. {_SAID_TWICE}"
        )
    read = [name for name in places if name not in pruning.excluded]
    try:
        with settings(len(read)).workers() as workers:
            seen = _Reader(cluster, workers, desired, read).read()
    except ImagePullError as error:
        raise Refusal(
            f"nothing was removed, because not all objects of owner {pruning.owner} could be read: {error}"
        ) from None
    views = seen.views()
    planned, guarded = _judge_plans(cluster.name, pruning, desired, views, confirmed)
    refused = [change for name, changes in planned.items() if name in guarded.verdict.held_back for change in changes]
    if guarded.verdict.is_refused:
        outcome = Outcome(guarded.results("skipped"), cluster.retries, refused=guarded.refusal(refused))
    else:
        left = {name: view for name, view in views.items() if name not in guarded.verdict.held_back}
        workloads = WorkloadGuard(desired, left, {name: planned[name] for name in left})
        if pruning.guard is not None:
            workloads = workloads.judge(GuardScope(cluster, places, pruning.guard, settings(len(places)), unlisted))
        again = ChangeGuard(cluster, pruning.guard, settings(len(places)))
        batch = Batch.of_one(workloads.desired, left)
        outcome = reconcile(cluster, batch, settings(len(left)), left, again.judge, is_judged=True)
        outcome = _unlink_late(cluster, workloads.desired, left, outcome, settings(len(left)))
        outcome = workloads.add_to(outcome, again.judgement)
        outcome = replace(outcome, namespaces=[*outcome.namespaces, *guarded.results("failed")])
        refused = [*refused, *workloads.refused]
    done = sum((count_removals(result.changes) for result in outcome.namespaces), Counter[str]())
    left_out = {**dict.fromkeys((name for name in places if name in pruning.excluded), _EXCLUDED), **seen.left_out}
    extra = {**outcome.extra, "prune": guarded.report(done, refused)}
    return _with_left_out(replace(outcome, extra=extra), left_out)


def _unlink_late(
    cluster: Cluster, desired: Prune, views: Mapping[str, View], outcome: Outcome, settings: RunSettings
) -> Outcome:
    """Remove the links to deleted secrets that the list of accounts did not have, because another client made them after it."""
    gone: dict[str, list[Json]] = {}
    for result in outcome.namespaces if not (settings.check_mode or outcome.stopped) else ():
        deleted = {change.ref.name for change in result.changes if change.ref.kind == SECRET}
        secrets = as_list(as_dict(views[result.name].related[list_ref(SECRET, result.name)])["items"])
        if found := [each for each in secrets if metadata(each)["name"] in deleted]:
            gone[result.name] = found
    try:
        with settings.workers() as workers:
            reader = _Reader(cluster, workers, desired, [*gone], _PruneListing({SECRET: gone}))
            reader.read_accounts()
        for name in reader.seen.objects.get(SERVICE_ACCOUNT, {}):
            refs = [replace(list_ref(SECRET, name), name=metadata(each)["name"]) for each in gone[name]]
            # Another client may have created one again, and linked that.
            gone[name] = [each for ref, each in zip(refs, gone[name], strict=True) if cluster.get(ref) is None]
    except ImagePullError as error:
        return replace(outcome, remarks=(*outcome.remarks, f"new links to deleted secrets are not known: {error}"))
    left = {name: view for name, view in reader.seen.views().items() if view.objects}
    late = {each.name: each for each in reconcile(cluster, Batch.of_one(desired, left), settings, left).namespaces}
    return replace(outcome, namespaces=[_join(each, late.get(each.name, each)) for each in outcome.namespaces])


def _join(first: NamespaceResult, second: NamespaceResult) -> NamespaceResult:
    base = second if second.status == "failed" else first
    return first if second is first else replace(base, changes=(*first.changes, *second.changes))


@dataclass(frozen=True)
class OwnedPrune:
    """The prune of an owner, and the objects that its plan needs, for each namespace in which the owner has objects.

    `left_out` has the reason for each namespace that it leaves out. `declares_nothing`: no entry declares anything for an existing namespace.
    """

    cluster: str
    pruning: PruneSettings
    desired: Prune
    views: Mapping[str, View]
    left_out: Mapping[str, str]
    confirmed: frozenset[str]
    declares_nothing: bool

    def find_refusals(self, views: Mapping[str, View]) -> dict[str, str]:
        """Return the namespaces in which the limit allows no removal of a plan for these objects, with the reasons."""
        _planned, guarded = _judge_plans(self.cluster, self.pruning, self.desired, views, self.confirmed)
        if self.declares_nothing and not self.pruning.everything:
            why = f"owner {self.pruning.owner} declares nothing for any namespace, so nothing is removed. {_SAID_TWICE}"
            return {name: why for name, balance in guarded.balances.items() if balance.removed}
        return guarded.reasons


def read_owned(
    run: Run,
    inventory: InventoryLists,
    batches: Mapping[str, Batch[Any]],
    namespaces: Sequence[str],
    excluded: Collection[str],
) -> OwnedPrune:
    """Return the prune of an inventory in these namespaces. `batches` are its lists, also those of the entries that are only kept. Nothing is
    read in `excluded` namespaces.

    :raises ImagePullError: when a list fails for another reason than missing permissions.
    """
    pruning = PruneSettings(inventory.owner, inventory.most, inventory.everything)
    desired, confirmed = _make_prune(inventory.owner, batches), _confirmed(batches)
    places = [name for name in namespaces if name not in excluded]
    seen = _Reader(run.cluster, run.workers, desired, places).read()
    has_declarations = _has_declarations(inventory.owner, batches, [*confirmed.intersection(namespaces)])
    return OwnedPrune(run.cluster.name, pruning, desired, seen.views(), seen.left_out, confirmed, not has_declarations)


def _confirmed(batches: Mapping[str, Batch[Any]]) -> frozenset[str]:
    return frozenset[str]().union(*(batch.confirmed for batch in batches.values()))


def _judge_plans(
    cluster: str, pruning: PruneSettings, desired: Prune, views: Mapping[str, View], confirmed: frozenset[str]
) -> tuple[dict[str, Sequence[Change]], _GuardReport]:
    """The changes of each namespace, and the verdict on their number."""
    planned = {namespace: _plan_namespace(desired, namespace, view) for namespace, view in views.items()}
    balances = {
        namespace: Balance(there, count_removals(changes), namespace in confirmed)
        for namespace, (changes, there) in planned.items()
    }
    guarded = _GuardReport(cluster, pruning, judge_removals(balances, pruning.most), balances)
    return {name: changes for name, (changes, _there) in planned.items()}, guarded


def _make_prune(owner: str, batches: Mapping[str, Batch[Any]]) -> Prune:
    """Return the declarations of all owners, because objects that another owner's entry declares are not removed either."""
    parts = (
        {
            namespace: DeclaredObjects.of([_declared_by(one.desired) for one in declared])
            for namespace, declared in batch.namespaces.items()
        }
        for batch in batches.values()
    )
    kinds = frozenset(KINDS[option] for option in batches if option in KINDS)
    return Prune(owner, DeclaredObjects.merge(parts), kinds)


def _declared_by(desired: _Feature) -> DeclaredObjects:
    if isinstance(desired, PullSecret):
        return DeclaredObjects(frozenset(() if desired.mode == "absent" else (desired.name,)))
    if not desired.present:
        return DeclaredObjects()
    if isinstance(desired, SaLink):
        links = Links(frozenset(desired.secrets), desired.service_accounts, frozenset(desired.lists))
        return DeclaredObjects(links=(links,))
    return DeclaredObjects(grants=(Grant(desired.role, desired.binding_name, frozenset(desired.subjects)),))


def _has_declarations(owner: str, batches: Mapping[str, Batch[Any]], places: Sequence[str]) -> bool:
    return any(
        _is_declared_by(one.desired, owner)
        for batch in batches.values()
        for namespace in places
        for one in batch.declared(namespace)
    )


@dataclass
class _Reader:
    """Lists all objects for a plan, each kind once, or by namespace if the caller is not allowed to list all of them."""

    cluster: Cluster
    workers: Workers
    desired: Prune
    places: Sequence[str]
    seen: _PruneListing = field(default_factory=_PruneListing)

    def read(self) -> _PruneListing:
        """Read the objects. :raises ImagePullError: when a list fails for another reason than missing permissions."""
        labels = ",".join(f"{name}={value}" for name, value in {**MANAGED_BY, INSTANCE: self.desired.owner}.items())
        if self.desired.kinds & {SECRET, SERVICE_ACCOUNT}:
            self._list(SECRET, self.places, self.desired.owns, labels)
            self.read_accounts()
        if ROLE_BINDING in self.desired.kinds:
            self._list(ROLE_BINDING, self.places, self.desired.owns, labels)
        return self.seen

    def read_accounts(self) -> None:
        """Read the accounts that may link the secrets."""
        if secrets := self.seen.objects[SECRET]:
            self._list(SERVICE_ACCOUNT, list(secrets), self._may_be_linked)

    def _may_be_linked(self, account: Json) -> bool:
        """Whether it names a secret of the owner, or is invalid, which the plan reports."""
        meta = metadata(account)
        owned = {metadata(secret)["name"] for secret in self.seen.objects[SECRET].get(meta.get("namespace", ""), ())}
        return bool(owned) and any(
            not isinstance(account.get(key), (list, type(None))) or owned & {*names_in(account, key)}
            for key in LISTS.values()
        )

    def _list(self, kind: Kind, places: Sequence[str], wanted: Callable[[Json], bool], labels: str = "") -> None:
        def keep(obj: Json) -> Json | None:
            return trim_object(kind, obj) if wanted(obj) else None

        # Namespaces that the caller cannot see are skipped, because their declarations are unknown.
        request = ListRequest(kind, keep, label_selector=labels)
        found = list_in_namespaces(self.cluster, self.workers, request, places, few=0)
        self.seen.objects[kind] = found.objects
        why = f"the caller may not list {kind.resource} in it"
        self.seen.left_out.update(dict.fromkeys(found.errors, why))


def _plan_namespace(desired: Prune, namespace: str, view: View) -> tuple[Sequence[Change], Counter[str]]:
    """Return the changes and the number of existing declared objects. A namespace that cannot be planned fails later, on its own."""
    try:
        plan = desired.plan(namespace, view.objects, view.related)
        return plan.changes, desired.count_existing(namespace, view.objects, view.related)
    except ImagePullError:
        return (), Counter()


@dataclass(frozen=True)
class _GuardReport:
    """The verdict of the guard, as text and numbers."""

    cluster: str
    pruning: PruneSettings
    verdict: PruneVerdict
    balances: Mapping[str, Balance]

    def report(self, done: Counter[str], refused: Sequence[Change]) -> dict[str, Any]:
        kinds = {
            kind: {
                "declared": self.verdict.declared[kind],
                "removed": done[kind],
                "allowed": self.verdict.allowed[kind],
            }
            for kind in KINDS
        }
        rows = [{"namespace": change.ref.namespace, **change.report()} for change in refused]
        return {**kinds, **({"refused": rows} if rows else {})}

    def refusal(self, refused: Sequence[Change]) -> str:
        """Return the error for a prune that exceeds the limit."""
        names = list(dict.fromkeys(_title(change) for change in refused))
        return (
            f"removed nothing: 'max_prune: {self.pruning.most.text}' is exceeded on {self.cluster}: of owner {self.pruning.owner}, "
            f"{self._too_much()}. Check the lists, or set {self._enough}. It would have changed: {summarize(names, _SHOWN)}. "
            "'prune.refused' lists all"
        )

    def _too_much(self) -> str:
        verdict = self.verdict
        told = [
            f"{_count(kind, verdict.removed[kind])} {_are(verdict.removed[kind])} no longer declared, {verdict.declared[kind]:,} "
            f"{_are(verdict.declared[kind])}, and {verdict.allowed[kind]:,} may go"
            for kind in verdict.exceeded
        ]
        return "; ".join(told)

    @property
    def _enough(self) -> str:
        """The smallest limit that allows all removals."""
        removed = sum((balance.removed for balance in self.balances.values()), Counter[str]())
        return f"'max_prune: {max(removed.values())}'"

    @property
    def reasons(self) -> dict[str, str]:
        """Why nothing is removed, by namespace."""
        limit = f"'max_prune: {self.pruning.most.text}' is exceeded: {self._too_much()}"
        return {
            name: limit if self.verdict.is_refused else self._why_held_back(name)
            for name in sorted(self.verdict.held_back)
        }

    def results(self, status: Status) -> list[NamespaceResult]:
        """Return the results of the namespaces in which nothing is removed."""
        why = self._why_held_back if status == "failed" else lambda _name: "not attempted: more than 'max_prune' allows"
        return [NamespaceResult(name, status, error=why(name)) for name in sorted(self.verdict.held_back)]

    def _why_held_back(self, name: str) -> str:
        balance = self.balances[name]
        removed = join_and([_count(kind, count) for kind, count in sorted(balance.removed.items())])
        number = sum(balance.removed.values())
        hint = "check them" if balance.is_confirmed else "an entry that names the namespace confirms that it was yours"
        return (
            f"nothing was removed here: {removed} {'has' if number == 1 else 'have'} the labels of owner {self.pruning.owner} and "
            f"{_are(number)} not declared, which together "
            f"with the other namespaces is more than 'max_prune: {self.pruning.most.text}' allows. Users of the namespace can write such "
            f"labels: {hint}, or set {self._enough}. 'prune.refused' lists them"
        )


def _count(kind: str, number: int) -> str:
    return pluralize(number, kind.removesuffix("s"))


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _title(change: Change) -> str:
    return f"{change.action} {change.ref}"


def _with_left_out(outcome: Outcome, left_out: Mapping[str, str]) -> Outcome:
    """Return the outcome with the namespaces in which the caller cannot list all kinds."""
    if not left_out:
        return outcome
    names = sorted(left_out)
    reasons = "; ".join(dict.fromkeys(left_out[name] for name in names))
    remark = f"nothing was removed in {summarize_names(names)}: {reasons}"
    skipped = [NamespaceResult(name, "skipped", error=f"not attempted: {left_out[name]}") for name in names]
    return replace(outcome, namespaces=[*outcome.namespaces, *skipped], remarks=(*outcome.remarks, remark))
