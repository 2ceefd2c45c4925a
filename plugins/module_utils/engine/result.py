# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of a task by namespace, and its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..core.changes import Change, Entry, Failure, NamespaceNote
from ..core.namespaces import name_missing
from ..core.text import make_printable, pluralize, summarize

#: Up to this number of namespaces, a result lists all of them.
_SMALL = 100
#: Maximum number of reasons, and of namespaces per reason, in a message. The result lists all.
_SPOKEN = 20

Status = Literal["changed", "unchanged", "failed", "skipped"]


@dataclass(frozen=True)
class NamespaceResult:
    """The result of one namespace. `changes` were carried out or, in check mode, would be. A failed namespace may have some.

    `error` is the reason why the namespace failed or was skipped, `failures` are the failures of single entries in it. `extra` is also
    listed in a large result, unless it is `unremarkable`.
    """

    name: str
    status: Status
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    unremarkable: bool = False

    def report(self) -> dict[str, Any]:
        reason = {"reason": self.error} if self.status == "skipped" else {}
        changes = [change.report() for change in self.changes]
        return {
            "name": self.name,
            "changed": bool(changes),
            "status": self.status,
            "changes": changes,
            **reason,
            **self.extra,
        }

    def failing(self, entry: Entry | None, error: str) -> NamespaceResult:
        """Return the result with a failure of the entry, or of the namespace if the task has only one declaration."""
        if entry is None:
            return replace(self, status="failed", error=error)
        return replace(self, status="failed", failures=(*self.failures, Failure(entry, error)))

    def report_failures(self) -> Iterator[dict[str, Any]]:
        """Yield one row for each failure, with the entry if there is one."""
        if self.error:
            yield {"namespace": self.name, "error": self.error}
        for failure in self.failures:
            entry = {"entry": failure.entry.position, "name": failure.entry.name, "title": str(failure.entry)}
            yield {"namespace": self.name, **entry, "error": failure.error}

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """The reasons for the failure, each with its entry, or with an empty text for the whole namespace."""
        own = [(str(failure.entry), failure.error) for failure in self.failures]
        return [("", self.error), *own] if self.error else own


@dataclass(frozen=True)
class Outcome:
    """The result of one task.

    `refused` is the reason why nothing was attempted at all. `remarks` are for the user, in addition to the notes of the namespaces.
    `extra` is added to the result. `retries` counts repeated requests, and objects that were read and planned again after a conflict
    or a lost response. `stopped` is the reason why the task ended before all namespaces were attempted, and empty if it did not.
    """

    namespaces: Sequence[NamespaceResult]
    retries: int = 0
    stopped: str = ""
    refused: str = ""
    remarks: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def with_skipped(self, names: Sequence[str], reason: str) -> Outcome:
        """Return the outcome with more skipped namespaces."""
        skipped = [NamespaceResult(name, "skipped", error=reason) for name in names]
        return replace(self, namespaces=[*self.namespaces, *skipped])

    @property
    def failed(self) -> list[NamespaceResult]:
        return [result for result in self.namespaces if result.status == "failed"]

    @property
    def notes(self) -> list[str]:
        places: dict[str, list[str]] = {note: [] for note in self.remarks}
        for result in self.namespaces:
            for note in result.notes:
                names = places.setdefault(note, [])
                names += [result.name] if isinstance(note, NamespaceNote) else []
        return list(dict.fromkeys(make_printable(_with_namespaces(note, names)) for note, names in places.items()))

    def report(self, *, unchanged: bool | None = None, diff: bool = True) -> dict[str, Any]:
        """Return the module's result, without a credential.

        `unchanged`: whether unchanged namespaces are listed and not only counted. None lists them in a small result. `diff`: whether a
        large result contains the diff. A small one always does.
        """
        small = len(self.namespaces) <= _SMALL
        all_listed = small if unchanged is None else unchanged
        changes = [change for result in self.namespaces for change in result.changes]
        return {
            "changed": bool(changes),
            "diff": [_diff(change) for change in changes] if small or diff else [],
            "namespaces": [
                result.report()
                for result in self.namespaces
                if all_listed or result.status != "unchanged" or (result.extra and not result.unremarkable)
            ],
            "failures": [row for result in self.failed for row in result.report_failures()],
            "summary": {**_summary(self.namespaces), "retries": self.retries},
            **self.extra,
        }

    @property
    def has_failed(self) -> bool:
        return bool(self.failed or self.stopped or self.refused)

    def message(self, task: str) -> str:
        """Return one line for a failed task: the reason for stopping, then each failure with its namespaces. Of many, the first ones."""
        return make_printable(f"{task} {self.refused or self._reasons()}")

    def _reasons(self) -> str:
        own = [result for result in self.failed if result.reasons != [("", self.stopped)]]
        places: dict[tuple[str, str], list[str]] = {}
        for result in own:
            for reason in result.reasons:
                places.setdefault(reason, []).append(result.name)
        entries: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for (entry, error), names in places.items():
            entries.setdefault((error, tuple(names)), []).extend([entry] if entry else [])
        told = [
            ": ".join([*filter(None, (summarize_names(names), summarize_names(which))), name_missing(error, names)])
            for (error, names), which in entries.items()
        ]
        reasons = summarize(told, _SPOKEN, "; ", listed="failures")
        failures = (
            f"failed in {len(self.failed):,} of {pluralize(len(self.namespaces), 'namespace')}: {reasons}"
            if own
            else ""
        )
        return "; ".join(part for part in (self._why_stopped(), failures) if part)

    def _why_stopped(self) -> str:
        if not self.stopped:
            return ""
        count = _summary(self.namespaces)
        if count["skipped"] == count["total"]:
            return f"stopped: {self.stopped}"
        end = ". Run it again to finish" if count["changed"] else ""
        return (
            f"stopped: {self.stopped}. Of {pluralize(count['total'], 'namespace')}: {count['changed']:,} changed, {count['unchanged']:,} "
            f"needed no change, {count['failed']:,} failed, {count['skipped']:,} not attempted{end}"
        )


def _with_namespaces(note: str, names: Sequence[str]) -> str:
    return f"{'namespace' if len(names) == 1 else 'namespaces'} {summarize_names(names)}: {note}" if names else note


def summarize_names(names: Sequence[str]) -> str:
    """Return the names for a message: the first ones, and the number of the others."""
    return summarize(names, _SPOKEN)


def _summary(results: Iterable[NamespaceResult]) -> dict[str, int]:
    results = list(results)
    count = Counter(result.status for result in results)
    return {
        "total": len(results),
        **{status: count[status] for status in ("changed", "unchanged", "failed", "skipped")},
    }


def _diff(change: Change) -> dict[str, Any]:
    header = make_printable(f"{change.ref.kind.kind} {change.ref.namespace}/{change.ref.name}")
    return {"before_header": header, "after_header": header, "before": dict(change.before), "after": dict(change.after)}
