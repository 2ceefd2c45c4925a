# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers a what-if question about one cluster. It reads the cluster as an audit does, and never writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...clients.kube.client import Cluster
from ...clients.kube.errors import ClusterError
from ...core.objects import SERVICE_ACCOUNT
from ...core.phrases import pluralize
from ...core.protocols import ALL
from ...discovery.lookup_reader import read_lookups
from ...engine.result import NamespaceResult, Outcome
from ...engine.run import Run, RunSettings, open_run
from ...explain.lookup import ReadRequired
from ...features.pull_audit.checks import Audit
from ...features.pull_audit.forecast import FORECASTS
from ...features.pull_audit.options import PullAudit
from ...features.pull_audit.rules_verification import VERIFICATION
from ...features.pull_audit.run import AuditReader
from ...features.pull_audit.survey import ClusterSnapshot, NamespaceSnapshot
from .document import Findings, document_of
from .effects import patches_of
from .evaluation import Evaluator
from .options import WhatIfQuestion
from .rows import WhatIfRow, rows_of
from .text import lines_of
from .timing import NodeCaches

__all__ = ["answer_what_if"]

#: Writes the document to its destination.
Write = Callable[[Mapping[str, Any]], None]
_LISTED_BY = {SERVICE_ACCOUNT: ALL}


def answer_what_if(
    cluster: Cluster,
    asked: WhatIfQuestion,
    namespaces: Sequence[str],
    settings: RunSettings,
    *,
    write: Write | None = None,
    now: Callable[[], float] = time.time,
) -> Outcome:
    """Return the outcome with the document in `what_if` (or, with `write`, only its counts) and the answer as `text`."""
    cluster.forbid_writes()
    with open_run(cluster, len(namespaces), settings) as run:
        try:
            found = _WhatIfRun(run, asked, namespaces).find(now())
        except ClusterError as error:
            run.stop(error)
            return run.outcome([run.result_of_skip(name) for name in namespaces])
        outcome = run.outcome([NamespaceResult(name, "unchanged") for name in namespaces])
    document = document_of(found, cluster.name)
    extra = {"counts": document["counts"], "text": lines_of(document)}
    if write is None:
        extra["what_if"] = document
    else:
        write(document)
        extra.update(dest=asked.dest, changed=True)
    return replace(outcome, extra=extra, refused=_refusal(found, asked))


def _refusal(found: Findings, asked: WhatIfQuestion) -> str:
    """Why the task fails. Empty if no answer is one of `fail_on`."""
    rows = [row for answer in asked.failing for row in found.having(answer)]
    if not rows:
        return ""
    first = rows[0]
    reason = f"{first.ref} ({first.location}): {first.deciding.after.reason}"
    return f"found {pluralize(len(rows), 'container')} with an answer of option 'fail_on', such as {reason}"


class _WhatIfRun:
    """The reading and evaluation of one question."""

    def __init__(self, run: Run, asked: WhatIfQuestion, namespaces: Sequence[str]) -> None:
        self._run, self._asked = run, asked
        self._audit = PullAudit(rules=(*VERIFICATION, *FORECASTS), target_version=asked.target_version)
        self._reader = AuditReader(run, self._audit, namespaces)

    def find(self, now: float) -> Findings:
        """Read the cluster, and answer.

        :raises ClusterError: when the cluster fails.
        """
        survey = self._reader.survey(now)
        rows = self._evaluate(survey)
        audit = Audit(self._audit, survey)
        forecasts = [f"{finding.rule}: {finding.message}" for finding in audit.findings if finding.rule in FORECASTS]
        return Findings(self._asked.changes, rows, list(audit.unread_sentences()), now, forecasts)

    def _evaluate(self, survey: ClusterSnapshot) -> list[WhatIfRow]:
        asks = self._asked.registries is not None
        patches = [patches_of(change, survey) for change in self._asked.changes]
        evaluator = Evaluator(survey.evidence, patches, asks=asks)
        caches = NodeCaches(survey.nodes_by_name, is_empty=self._asked.has_new_nodes)
        found: dict[str, list[WhatIfRow]] = {}
        waiting = list(survey.places.values())
        while waiting:
            waiting = [place for place in waiting if not self._answer(place, evaluator, caches, found)]
            for lookup in evaluator.lookups:
                lookup.add(
                    read_lookups(self._run.cluster, self._run.workers, lookup, _LISTED_BY, self._asked.registries)
                )
        return [row for name in survey.places for row in found[name]]

    def _answer(
        self, place: NamespaceSnapshot, evaluator: Evaluator, caches: NodeCaches, found: dict[str, list[WhatIfRow]]
    ) -> bool:
        """Find the rows of a namespace. Return whether they are complete."""
        try:
            found[place.namespace] = rows_of(place, evaluator.compare, caches)
        except ReadRequired:
            return False
        return True
