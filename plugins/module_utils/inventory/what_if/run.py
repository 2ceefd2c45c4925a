# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers a what-if question about one cluster. It reads the cluster as an audit does, and never writes.

Each step of an inventory is planned as the check mode of the module that would carry it out, on the objects that the steps before would leave:
secrets, links, grants, and then the prune. The objects are read whole for it, because an audit keeps only parts of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, Union

from ...clients.kube.client import Cluster, list_api_groups
from ...clients.kube.errors import ClusterError, Forbidden, UnknownResource
from ...core.changes import Desired
from ...core.documents import NOT_ASKED, NOT_KNOWN, describe_unplanned, describe_unread, idle_of
from ...core.errors import ImagePullError
from ...core.objects import ROLE_BINDING, SECRET, Json, Kind, ObjectRef
from ...core.text import pluralize
from ...declarations.batch import Batch
from ...discovery.cluster_reader import ClusterReader, namespace_result
from ...discovery.lookup_reader import settle, settle_each
from ...discovery.proofs import NamespaceQuestions
from ...engine.fetching import View
from ...engine.reconciliation import reconcile
from ...engine.result import NamespaceResult, Outcome
from ...engine.run import Run, RunSettings, open_run
from ...explain.snapshot import BUILD_CONFIG, NODES_READ, PODS, WORKLOADS_READ, ClusterSnapshot
from ...explain.subjects import ContainerPull, pulls_of_pod
from ...explain.workload_pods import can_pull
from ...features.pull_audit.checks import Audit, snapshot_question
from ...features.pull_audit.findings import PullAudit
from ...features.pull_audit.forecast import FORECASTS
from ...features.pull_audit.rules_verification import VERIFICATION
from ...images.image_verification import KUBELET_CONFIGS
from ...images.platform_images import NO_COPIES, OPERATOR_KINDS
from ...platform.cluster import CLUSTER_VERSION
from .access import LIMITS, compare_inventories, review_access
from .declared import AGAINST, KEPT, LISTS, InventoryLists, PlannedObjects, UnplannedEntry
from .document import WhatIfAnswers, document_of, find_changes_without_effect
from .effects import patches_of, patches_of_objects
from .evaluation import Comparison, PresentPulls, PullEvaluator
from .moves import Moves
from .options import WhatIfQuestion
from .outputs import lines_of
from .overlay import ChangedLookup
from .rows import WhatIfRow, row_of_image, rows_of, subjects_of, trim_platform_object
from .timing import NodeCaches, count_pulls

# --- the plan of an inventory

_NOT_APPLIED = "it is declared, but would not be applied. A prune keeps its objects"

_Views = Mapping[str, Union[View, ImagePullError]]
_Batches = Mapping[str, Batch[Any]]


class OwnedObjects(Protocol):
    """The objects of an owner, and their prune. `left_out` has the reason for each namespace that it leaves out."""

    @property
    def desired(self) -> Desired:
        """The prune."""

    @property
    def views(self) -> Mapping[str, View]:
        """The objects that its plan needs, for each namespace in which the owner has objects."""

    @property
    def left_out(self) -> Mapping[str, str]:
        """The reasons."""

    def find_refusals(self, views: Mapping[str, View]) -> Mapping[str, str]:
        """Return the namespaces in which the limit of the prune allows no removal, with the reasons."""


#: Reads the objects of the owner of an inventory in namespaces, except in the excluded ones.
OwnedReader = Callable[[Run, InventoryLists, _Batches, Sequence[str], Collection[str]], OwnedObjects]


@dataclass(frozen=True)
class Inventories:
    """The declarations for each namespace: by the position of the change, and by list. `namespaces` are those of the cluster.

    `read_owned` is needed for a prune.
    """

    batches: Mapping[int, _Batches]
    namespaces: Sequence[str] = ()
    read_owned: OwnedReader | None = None


NO_INVENTORIES = Inventories({})


def plan_inventory(run: Run, inventory: InventoryLists, inventories: Inventories, position: int) -> PlannedObjects:
    """Return the objects that the inventory of the change at `position` would leave.

    :raises ClusterError: when the cluster fails.
    """
    planned, batches = PlannedObjects(), inventories.batches[position]
    for batch in (batches[name] for name in LISTS if name in batches):
        views = run.read(batch, list(batch.namespaces))
        if run.stopped:
            raise ClusterError(run.stopped)
        _plan_step(run, batch, _update_views(batch.kind, views, planned), planned)
    if inventory.prunes and inventories.read_owned is not None:
        # As the playbook does: nothing is pruned in a namespace where a step failed.
        failed = {each.namespace for each in planned.unplanned}
        places = inventories.namespaces
        owned = inventories.read_owned(run, inventory, batches, places, failed)
        _plan_prune(run, inventory.owner, owned, planned, {*places} - failed)
    planned.unplanned += [
        UnplannedEntry(namespace, str(one.entry), _NOT_APPLIED)
        for batch in (batches[name] for name in KEPT if name in batches)
        for namespace, declared in batch.namespaces.items()
        for one in declared
    ]
    return planned


def _plan_prune(run: Run, owner: str, owned: OwnedObjects, planned: PlannedObjects, places: Collection[str]) -> None:
    """Plan the prune, within its limit. What the steps before would create counts as declared, also where the owner has nothing yet."""
    title = f"prune of owner {owner}"
    new = planned.namespaces.intersection(places) - owned.left_out.keys()
    empty = {
        name: View({}, {ObjectRef(kind, name, ""): {"items": []} for kind in (SECRET, ROLE_BINDING)}) for name in new
    }
    views = {**empty, **owned.views}
    seen = _update_views(owned.desired.kind, views, planned)
    refused = owned.find_refusals({name: view for name, view in seen.items() if isinstance(view, View)})
    planned.unplanned += [
        UnplannedEntry(name, title, why) for name, why in sorted({**owned.left_out, **refused}.items())
    ]
    batch = Batch.of_one(owned.desired, [name for name in seen if name not in refused])
    _plan_step(run, batch, seen, planned, title)


def _plan_step(run: Run, batch: Batch[Any], views: _Views, planned: PlannedObjects, title: str = "") -> None:
    """Plan one step in check mode, on the objects that the steps before would leave. `title` names it if no entry does."""
    known = {name: view for name, view in views.items() if name in batch.namespaces}
    settings = replace(run.settings, check_mode=True, wait_timeout=0.0, max_failures=None, say=None)
    outcome = reconcile(run.cluster, batch, settings, known)
    if outcome.stopped:
        raise ClusterError(outcome.stopped)
    for result in outcome.namespaces:
        view = known.get(result.name)
        if isinstance(view, View):
            planned.keep(batch, result.name, result.changes, (view.objects, view.related), title)
        planned.unplanned += _unplanned(result, title)


def _update_views(kind: Kind, views: _Views, planned: PlannedObjects) -> _Views:
    return {
        name: view if isinstance(view, ImagePullError) else _update_view(kind, name, view, planned)
        for name, view in views.items()
    }


def _update_view(kind: Kind, namespace: str, view: View, planned: PlannedObjects) -> View:
    objects, related = planned.update(kind, namespace, view.objects, view.related)
    return replace(view, objects=objects, related=related)


def _unplanned(result: NamespaceResult, title: str) -> list[UnplannedEntry]:
    own = [UnplannedEntry(result.name, str(failure.entry), failure.error) for failure in result.failures]
    is_whole = result.status in ("failed", "skipped") and result.error
    return [UnplannedEntry(result.name, title, result.error), *own] if is_whole else own


# --- the answer

#: Writes the files for a document.
Write = Callable[[Mapping[str, Any]], None]


def answer_what_if(
    cluster: Cluster,
    asked: WhatIfQuestion,
    namespaces: Sequence[str],
    settings: RunSettings,
    *,
    write: Write | None = None,
    inventories: Inventories = NO_INVENTORIES,
    now: Callable[[], float] = time.time,
) -> Outcome:
    """Return the outcome with the counts, the answer as `text`, and the document in `what_if` unless it is written to a file."""
    cluster.forbid_writes()
    with open_run(cluster, len(namespaces), settings) as run:
        try:
            work = _WhatIfRun(run, asked.limit_removals(namespaces), namespaces, inventories)
            found = work.find(now())
        except ClusterError as error:
            run.stop(error)
            return run.outcome([run.result_of_skip(name) for name in namespaces])
        outcome = run.outcome(work.results)
    document = document_of(found, cluster.name, asked.access_options)
    remarks = (*outcome.remarks, *idle_of(document["changes"]))
    return replace(
        outcome, extra=_report(document, found, asked, write), refused=_refusal(found, asked), remarks=remarks
    )


def answer_comparison(
    asked: WhatIfQuestion,
    before: Mapping[str, Batch[Any]],
    after: Mapping[str, Batch[Any]],
    *,
    write: Write | None = None,
    now: Callable[[], float] = time.time,
) -> Outcome:
    """Return the outcome for two inventories, without a cluster: the document has only the access review."""
    found = WhatIfAnswers(
        asked.change_set, (), LIMITS, now(), access=compare_inventories(before, after), against=asked.against
    )
    return Outcome([], extra=_report(document_of(found, ""), found, asked, write), refused=_refusal(found, asked))


def _report(
    document: dict[str, Any], found: WhatIfAnswers, asked: WhatIfQuestion, write: Write | None
) -> dict[str, Any]:
    """The parts of the result. The document is among them unless it is written to a file."""
    idle = [{"number": at, "kind": each["kind"]} for at, each in enumerate(document["changes"], 1) if each["no_effect"]]
    gaps = {
        "not_asked": document["not_asked"],
        "not_applied": len(document["access"]["unplanned"]),
        "without_effect": idle,
    }
    extra = {"counts": document["counts"], **gaps, "text": lines_of(document), **asked.outputs}
    if "dest" not in asked.outputs:
        extra["what_if"] = document
    if write is not None:
        write(document)
        extra["changed"] = True
    return extra


def _refusal(found: WhatIfAnswers, asked: WhatIfQuestion) -> str:
    """Why the task fails. Empty if no answer is one of `fail_on`. A part of an inventory that is not applied always counts, and with
    `unknown` everything that has no answer."""
    reasons = []
    if rows := [row for row in found.affected if row.answer in asked.failing]:
        reasons.append(
            f"found {pluralize(len(rows), 'container')} with an answer of option 'fail_on', such as {_describe(rows[0])}"
        )
    if NOT_ASKED in asked.failing and (rows := [row for row in found.affected if row.deciding.not_asked]):
        reasons.append(
            f"the registries of {pluralize(len(rows), 'container')} were not asked, and may decide whether they break, such as "
            f"{_describe(rows[0])}. Set 'ask_registries: true' or 'fail_on: certain_break'"
        )
    for entry in found.access.unplanned[:1] if asked.failing else ():
        title = f"{entry.title} in namespace {entry.namespace}" if entry.title else f"namespace {entry.namespace}"
        number = describe_unplanned(len(found.access.unplanned))
        reasons.append(f"{number}, so the effect is not known, such as {title}: {entry.reason}")
    if NOT_KNOWN in asked.failing:
        reasons += _describe_gaps(found)
    return "; ".join(reasons)


def _describe(row: WhatIfRow) -> str:
    return f"{row.ref} ({row.location}): {row.deciding.after.reason}"


def _describe_gaps(found: WhatIfAnswers) -> Iterator[str]:
    """Yield a sentence for everything that has no answer: containers without a row, forecasts, and access."""
    for namespace, why in sorted(found.unread_workloads.items())[:1]:
        yield f"{describe_unread([*found.unread_workloads])}, so their containers are not known, such as in namespace {namespace}: {why}"
    if found.unread_images:
        yield f"images of the platform are not known, such as: {found.unread_images[0]}"
    if found.forecasts:
        number = pluralize(len(found.forecasts), "forecast")
        yield f"the audit has {number} for the upgrade, which no answer for a container includes, such as {found.forecasts[0]}"
    if found.access.unknown:
        number = pluralize(len(found.access.unknown), "part of the access review is", "parts of the access review are")
        yield f"{number} not known, such as: {found.access.unknown[0]}"


def unread_workloads(survey: ClusterSnapshot) -> dict[str, str]:
    """Return the reason for each namespace that may have containers without a row."""
    return {
        name: f"{kind} could not be read ({place.unread[kind]})"
        for name, place in survey.places.items()
        for kind in (PODS, WORKLOADS_READ)
        if kind in place.unread
    }


def _builds_with_changed_secrets(survey: ClusterSnapshot, after: ChangedLookup) -> Iterator[ObjectRef]:
    """Yield the build configs that name a secret which the changes touch, once for each."""
    for name, place in survey.places.items():
        for ref, secret in place.mounting():
            if ref.kind == BUILD_CONFIG and after.changes(ObjectRef(SECRET, name, secret)):
                yield ref


def _describe_unread(audit: Audit) -> Iterator[str]:
    yield from audit.unread_sentences()
    if why := audit.survey.unread.get(NODES_READ):
        yield f"the nodes could not be read: {why}. It is not known when a pull that breaks is missed"


class _WhatIfRun:
    """The reading and evaluation of one question."""

    def __init__(self, run: Run, asked: WhatIfQuestion, namespaces: Sequence[str], inventories: Inventories) -> None:
        self._run, self._asked, self._inventories = run, asked, inventories
        self._audit = PullAudit(rules=(*VERIFICATION, *FORECASTS), target_version=asked.target_version)
        # Only forecasts need the verdicts of an audit: each pull is explained before and after the changes anyway.
        self._reader = ClusterReader(
            run, snapshot_question(self._audit, verdicts=self._audit.target is not None), namespaces
        )
        self._unread_images: list[str] = []
        #: The result of each namespace, after `find`.
        self.results: Sequence[NamespaceResult] = ()

    def find(self, now: float) -> WhatIfAnswers:
        """Read the cluster, and answer.

        :raises ClusterError: when the cluster fails.
        """
        survey = self._reader.read(now)
        self.results = [namespace_result(self._run, name, place) for name, place in survey.places.items()]
        gone = {result.name for result in self.results if result.status == "failed"}
        survey = replace(survey, places={name: place for name, place in survey.places.items() if name not in gone})
        planned = self._plan()
        earlier = planned.pop(AGAINST, None)
        registries = self._asked.registries
        evaluator = settle(self._run, lambda: self._evaluator(survey, planned, earlier), [survey.evidence], registries)
        rows = self._evaluate(survey, evaluator, self._platform_subjects() if self._asked.is_about_network else ())
        if earlier is not None:
            planned = {at: each.instead_of(earlier) for at, each in planned.items()}
        access = settle(
            self._run, lambda: review_access(evaluator.states, survey, planned), evaluator.lookups, registries
        )
        entries = {
            row.key: [
                title
                for at in row.deciding.causes
                if at in planned
                for title in planned[at].titles_for_pull(row.deciding.read)
            ]
            for row in rows
        }
        idle = find_changes_without_effect(
            self._asked.change_set, evaluator.states, survey, rows, asks=self._asked.registries is not None
        )
        audit = Audit(replace(self._audit, rules=tuple(FORECASTS) if self._audit.target else ()), survey)
        forecasts = [f"{finding.rule}: {finding.message}" for finding in audit.findings]
        return WhatIfAnswers(
            self._asked.change_set,
            rows,
            [*_describe_unread(audit), *self._unread_images],
            now,
            forecasts,
            access,
            unread_workloads(survey),
            self._unread_images,
            self._asked.against,
            idle,
            self._asked.registries is not None,
            entries,
            len({*_builds_with_changed_secrets(survey, evaluator.after)}),
            self._count_pulls(survey, evaluator) if evaluator.after.changes(KUBELET_CONFIGS) else (),
        )

    def _count_pulls(self, survey: ClusterSnapshot, evaluator: PullEvaluator) -> Sequence[Mapping[str, Any]]:
        """Return the pulls that a change of kubelets can cause, because their nodes start again."""
        pods = ((name, pod) for name, place in survey.places.items() for pod in filter(can_pull, place.pods))
        running = [pull for name, pod in pods for pull in pulls_of_pod(pod, name)]
        return settle(
            self._run,
            lambda: count_pulls(running, evaluator.changed_nodes, evaluator.after),
            evaluator.lookups,
            self._asked.registries,
        )

    def _plan(self) -> dict[int, PlannedObjects]:
        """Return the objects that each inventory leaves, by the position of its change."""
        return {
            at: plan_inventory(self._run, inventory, self._inventories, at)
            for at, inventory in self._asked.inventories.items()
        }

    def _evaluator(
        self, survey: ClusterSnapshot, planned: Mapping[int, PlannedObjects], earlier: PlannedObjects | None
    ) -> PullEvaluator:
        patches = [
            patches_of_objects(planned[at].objects, survey) if at in planned else patches_of(change, survey)
            for at, change in enumerate(self._asked.change_set)
        ]
        before = [] if earlier is None else patches_of_objects(earlier.objects, survey)
        present = PresentPulls(survey.evidence, asks=self._asked.registries is not None)
        moves = (Moves(each.value, at) for at, each in enumerate(self._asked.change_set) if each.kind == "moved")
        return PullEvaluator(present, patches, before, new_nodes=self._asked.new_nodes, moves=next(moves, None))

    def _platform_subjects(self) -> Sequence[ContainerPull]:
        """Return the pulls of images that the platform and its operators name. Unreadable kinds are reported."""
        found: list[ContainerPull] = []
        reads: dict[Kind, Callable[[], Iterable[Json]]] = {
            CLUSTER_VERSION.kind: lambda: filter(None, [self._run.cluster.get(CLUSTER_VERSION)]),
            **{
                kind: partial(self._run.cluster.list, kind, label_selector=NO_COPIES, keep=trim_platform_object)
                for kind in OPERATOR_KINDS
            },
        }
        for kind, read in reads.items():
            try:
                found += [subject for obj in read() for subject in subjects_of(kind, obj)]
            except UnknownResource:
                continue
            except ClusterError:
                raise
            except ImagePullError as error:
                if isinstance(error, Forbidden):
                    if not self._is_served(kind):
                        continue
                    if error.need:  # no other request replaces this list
                        self._run.cluster.needs.add(error.need)
                self._unread_images.append(
                    f"the {kind.resource} could not be read, so their images are not part of the answer: {error}"
                )
        return found

    def _is_served(self, kind: Kind) -> bool:
        """Whether the cluster may have the kind: a server also refuses access to kinds that it does not know."""
        try:
            return kind.api_version.partition("/")[0] in list_api_groups(self._run.cluster)
        except ClusterError:
            raise
        except ImagePullError:
            return True

    def _evaluate(
        self, survey: ClusterSnapshot, evaluator: PullEvaluator, more: Sequence[ContainerPull]
    ) -> list[WhatIfRow]:
        registries = self._asked.registries
        caches = settle(
            self._run,
            lambda: NodeCaches.of(
                evaluator.after,
                [*survey.places],
                are_nodes_read=NODES_READ not in survey.unread,
                is_empty=self._asked.new_nodes is not None,
            ),
            evaluator.lookups,
            registries,
        )
        questions = None if registries is None else NamespaceQuestions.of_task(registries)
        rows = read_rows(self._run, survey, evaluator, caches, questions)
        items = [(subject.namespace, subject) for subject in more]
        compare = partial(evaluator.compare, is_reported=True)
        compared = settle_each(self._run, items, compare, evaluator.lookups, questions)
        return [*rows, *(row_of_image(each, caches) for each in compared)]


def read_rows(
    run: Run,
    survey: ClusterSnapshot,
    evaluator: PullEvaluator,
    caches: NodeCaches,
    questions: NamespaceQuestions | None,
) -> list[WhatIfRow]:
    """Return the rows of all namespaces.

    :raises ClusterError: when the cluster fails.
    """
    places = [place for place in survey.places.values() if place.pods or place.workloads]
    found = settle_each(
        run,
        [(place.namespace, place) for place in places],
        lambda place: rows_of(place, evaluator.compare, caches),
        evaluator.lookups,
        questions,
    )
    return [row for rows in found for row in rows]


def compare_subjects(
    run: Run, evaluator: PullEvaluator, subjects: Sequence[ContainerPull], questions: NamespaceQuestions | None
) -> list[Comparison]:
    """Return the comparison for each subject.

    :raises ClusterError: when the cluster fails.
    """
    items = [(subject.namespace, subject) for subject in subjects]
    return settle_each(run, items, evaluator.compare, evaluator.lookups, questions)
