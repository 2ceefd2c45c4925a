# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard of removals: its options, its judgement before the first removal, and its sentences about the workloads that one would break.

The evaluation of pulls (`run_guard.py`) is the larger part of this collection, and few tasks remove something. So it is imported by those only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Union

from ...clients.kube.client import Cluster
from ...core.changes import Change, Entry
from ...core.documents import WOULD_BREAK
from ...core.errors import ImagePullError, Refusal
from ...core.objects import ObjectRef, as_str, metadata
from ...core.text import make_printable, pluralize, summarize
from ...engine.namespaces import list_namespaces
from ...engine.reconciliation import Judge, PlannedChanges
from ...engine.result import Outcome
from ...engine.run import RunSettings
from ...images.image_questions import RegistryAccess

if TYPE_CHECKING:
    from .rows import WhatIfRow


#: The objects that each removal changes, by a key of the caller.
Removals = Mapping[Hashable, Collection[ObjectRef]]
#: Returns all writes without those of the removals that are refused: in the given namespaces, or with None in all.
MakePlan = Callable[[Collection[Hashable], Union[Collection[str], None]], Sequence[Change]]

#: Maximum number of containers in one sentence.
_SHOWN = 3
_WHAT_IF, _STRICT = "what_if", "what_if_strict"
ARGUMENTS: dict[str, Any] = {"guard": {"type": "str", "choices": ["false", _WHAT_IF, _STRICT], "default": "false"}}


@dataclass(frozen=True)
class GuardAccess:
    """How the guard reaches registries. `is_strict`: it also refuses removals that affect workloads that are not known."""

    registries: RegistryAccess
    is_strict: bool = False


def guard_access_of(options: Mapping[str, Any]) -> GuardAccess | None:
    """Return the settings of the guard, or None without it."""
    access = RegistryAccess.of(options)
    return None if options["guard"] == "false" else GuardAccess(access, is_strict=options["guard"] == _STRICT)


def has_removal(change: Change) -> bool:
    """Whether a pull can depend on something that the change removes or replaces: an object, a login, a link or a subject."""
    details = change.details
    registries = details.get("registries", {})
    lists = details.get("lists", {}).values()
    return (
        change.action in ("delete", "replace")
        or bool(registries.get("removed") or registries.get("changed") or details.get("revoked"))
        or any(names.get("removed") for names in lists)
    )


@dataclass(frozen=True)
class GuardJudgement:
    """The result of the guard. `refused` are the removals that must not be made, each with the rows that it would break. Those of a strict
    guard also have rows that are not known.

    `unknown` are rows of the other removals that are not known. `unread` are the namespaces whose workloads could not be read, with the
    reasons. `unlisted` is the refusal to list all namespaces. It is empty if all were listed.
    """

    refused: Mapping[Hashable, Sequence[WhatIfRow]] = field(default_factory=dict)
    unknown: Sequence[WhatIfRow] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    unlisted: str = ""

    def join(self, later: GuardJudgement) -> GuardJudgement:
        """Return this judgement with a later one, each container that is not known once."""
        refused = {
            key: [*self.refused.get(key, ()), *later.refused.get(key, ())] for key in {**self.refused, **later.refused}
        }
        unknown = {row.key: row for row in (*self.unknown, *later.unknown)}
        unread, unlisted = {**self.unread, **later.unread}, later.unlisted or self.unlisted
        return GuardJudgement(refused, list(unknown.values()), unread, unlisted)

    @property
    def remarks(self) -> tuple[str, ...]:
        """The warnings about workloads that are not known, if there are any."""
        return (*self._about_unknown(), *self._about_unread())

    def _about_unknown(self) -> Iterator[str]:
        if not self.unknown:
            return
        shown = [f"{_name(row)}: {_reason(row)}" for row in self.unknown[:_SHOWN]]
        more = len(self.unknown) - len(shown)
        yield (
            "it is not known whether the removals break "
            f"{pluralize(len(self.unknown), 'container')}, and option 'guard' refuses nothing because of that: "
            f"{'; '.join(shown)}{f'; and {more:,} more' if more else ''}"
        )

    def _about_unread(self) -> Iterator[str]:
        if self.unread:
            names, reasons = sorted(self.unread), "; ".join(dict.fromkeys(self.unread.values()))
            yield (
                f"the workloads of {pluralize(len(names), 'namespace')} are not known, and option 'guard' refuses nothing because of that: "
                f"{summarize(names, _SHOWN)}: {reasons}"
            )
        if self.unlisted:
            yield (
                "option 'guard' judged only the caller's own projects and the changed namespaces, and refuses nothing because of others: "
                f"{self.unlisted}"
            )

    def report(self) -> dict[str, Any]:
        """Return the part of the result: the rows that would break, each once, and the number of unknown ones."""
        refused = [row for rows in self.refused.values() for row in rows]
        broken = {row.key: row for row in refused if row.answer == WOULD_BREAK}
        unknown = {row.key for row in (*refused, *self.unknown) if row.answer != WOULD_BREAK}
        return {"would_break": [_report(row) for row in broken.values()], "unknown": len(unknown)}


def _report(row: WhatIfRow) -> dict[str, Any]:
    found = row.report()
    names = ("namespace", "kind", "name", "container", "volume", "image", "fix")
    return {**{name: found[name] for name in names}, "step": row.failing_step, "reason": _reason(row)}


def describe_broken(refusal: str, rows: Sequence[WhatIfRow]) -> str:
    """Return the sentence for one removal that was not made. `refusal` is its beginning: the object was not removed."""
    broken = [row for row in rows if row.answer == WOULD_BREAK]
    shown = summarize([_name(row) for row in broken or rows], _SHOWN, "; ", listed="containers")
    if not broken:
        return (
            f"{refusal}, because of option 'guard': it is not known whether these would still get their image: {shown}. The reason for the "
            f"first one is: {_reason(rows[0])}. To do it anyway, set 'guard: what_if'"
        )
    first = broken[0]
    step = f"at step {first.failing_step}: " if first.failing_step else ""
    return (
        f"{refusal}, because option 'guard' found that these would no longer get their image: {shown}. The first one "
        f"fails {step}{_reason(first)}. Give these workloads another way to their image (guard.would_break in the result has a task wherever one helps), or "
        "set 'guard: false' to do it anyway"
    )


def _name(row: WhatIfRow) -> str:
    part = row.location if row.deciding.subject.volume else f"container {row.location}"
    return make_printable(f"{row.ref}, {part}, image {row.image}")


def _reason(row: WhatIfRow) -> str:
    return make_printable(row.deciding.after.reason)


@dataclass(frozen=True)
class GuardScope:
    """The workloads that are judged: those of the namespaces of a cluster.

    `unlisted` is the refusal to list all namespaces. It is empty if `namespaces` are all.
    """

    cluster: Cluster
    namespaces: Sequence[str]
    access: GuardAccess
    settings: RunSettings
    unlisted: str = ""

    @classmethod
    def read(cls, cluster: Cluster, access: GuardAccess, settings: RunSettings) -> GuardScope:
        """Return the scope with all namespaces that the caller can list.

        :raises Refusal: when it cannot list any.
        """
        try:
            namespaces, unlisted = list_namespaces(cluster)
        except ImagePullError as error:
            raise _refusal(error) from None
        return cls(cluster, [as_str(metadata(each).get("name")) for each in namespaces], access, settings, unlisted)


def judge_effects(scope: GuardScope, removals: Removals, plan: MakePlan) -> GuardJudgement:
    """Find the removals that would break a workload. The others break none.

    :raises Refusal: when the cluster failed. Nothing was written.
    """
    if not removals:
        return GuardJudgement()
    from .run_guard import judge_workloads  # noqa: PLC0415

    try:
        if scope.unlisted and scope.access.is_strict:
            raise ImagePullError(f"the workloads of other namespaces could not be read: {scope.unlisted}")
        found = judge_workloads(
            scope.cluster, scope.settings, scope.access, scope.namespaces, removals=removals, plan=plan
        )
    except ImagePullError as error:
        raise _refusal(error) from None
    return replace(found, unlisted=scope.unlisted)


class ChangeGuard:
    """The judge of the changes that a module has planned. Nothing is read if no change removes anything."""

    def __init__(self, cluster: Cluster, access: GuardAccess | None, settings: RunSettings) -> None:
        self._cluster, self._access, self._settings = cluster, access, settings
        self.judgement = GuardJudgement()
        self._approved: Mapping[str, Sequence[Change]] = {}

    @property
    def judge(self) -> Judge | None:
        """The judge of the engine, None without the option. `judgement` has all its judgements together."""
        return None if self._access is None else partial(self._judge, self._access)

    def _judge(self, access: GuardAccess, planned: PlannedChanges) -> Mapping[Union[ObjectRef, tuple[str, Entry]], str]:
        """The reason for each entry, or without entries for each object, whose change would break a workload.

        :raises Refusal: when the cluster failed.
        """
        removals: dict[Hashable, dict[ObjectRef, None]] = {}
        for change in filter(has_removal, planned):
            for key in _keys_of(change):
                removals.setdefault(key, {})[change.ref] = None
        if not removals or _by_place(planned) == self._approved:
            return {}
        scope = GuardScope.read(self._cluster, access, self._settings)
        plan = partial(_plan_without, planned)
        found = judge_effects(scope, removals, plan)
        rest = plan(found.refused, None)
        # Without the refused entries, another one may remove something that they would have removed.
        is_judged = all(key in removals for change in filter(has_removal, rest) for key in _keys_of(change))
        self._approved = _by_place(rest) if is_judged else {}
        self.judgement = self.judgement.join(found)
        return {
            key: describe_broken(f"{_broken_part(refs, found.refused[key])} was not changed", found.refused[key])
            for key, refs in removals.items()
            if key in found.refused and isinstance(key, (ObjectRef, tuple))
        }

    def add_to(self, outcome: Outcome) -> Outcome:
        """Return the outcome with the judgement."""
        if self._access is None:
            return outcome
        remarks = (*outcome.remarks, *self.judgement.remarks)
        return replace(outcome, remarks=remarks, extra={**outcome.extra, "guard": self.judgement.report()})


def _by_place(changes: Sequence[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.ref.namespace, []).append(change)
    return found


def _keys_of(change: Change) -> Sequence[Hashable]:
    """Its entries in its namespace, or without entries the object. One write can be that of several entries."""
    return [(change.ref.namespace, entry) for entry in change.entries] or [change.ref]


def _plan_without(
    planned: PlannedChanges, refused: Collection[Hashable], places: Collection[str] | None
) -> Sequence[Change]:
    """The planned changes without the refused ones: in the given namespaces, or with None in all."""
    entries: dict[str, list[Entry]] = {}
    for key in refused:
        if isinstance(key, tuple):
            entries.setdefault(key[0], []).append(key[1])
    made = [change for change in planned if places is None or change.ref.namespace in places]
    rest = [change for change in made if change.ref.namespace not in entries and change.ref not in refused]
    again = [name for name in entries if places is None or name in places]
    return [*rest, *(change for name in again for change in planned.plan(name, entries[name]))]


def _broken_part(refs: Collection[ObjectRef], rows: Sequence[WhatIfRow]) -> ObjectRef:
    """The first of the changed objects that a broken pull needs."""
    needed = (ref for ref in refs if any(ref in row.deciding.read for row in rows))
    return next(needed, next(iter(refs)))


def _refusal(error: ImagePullError) -> Refusal:
    return Refusal(
        f"no removal was made, because option 'guard' could not check the removals: {error}. Run it again, or set 'guard: false' to "
        "remove without this check"
    )
