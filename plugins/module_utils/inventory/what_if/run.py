# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers a what-if question about one cluster. It reads the cluster as an audit does, and never writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from ...clients.kube.client import Cluster
from ...clients.kube.errors import ClusterError, UnknownResource
from ...core.errors import ImagePullError
from ...core.objects import SERVICE_ACCOUNT
from ...core.phrases import pluralize
from ...core.protocols import ALL
from ...discovery.lookup_reader import read_lookups
from ...engine.result import NamespaceResult, Outcome
from ...engine.run import Run, RunSettings, open_run
from ...explain.lookup import ReadRequired
from ...explain.subjects import ContainerPull
from ...features.pull_audit.checks import Audit
from ...features.pull_audit.forecast import FORECASTS
from ...features.pull_audit.options import PullAudit
from ...features.pull_audit.rules_verification import VERIFICATION
from ...features.pull_audit.run import AuditReader, namespace_result
from ...features.pull_audit.survey import NODES_READ, ClusterSnapshot
from .document import WhatIfAnswers, document_of
from .effects import patches_of
from .evaluation import PullEvaluator
from .options import WhatIfQuestion
from .platform_images import PLATFORM_KINDS, subjects_of, trim_platform_object
from .rows import WhatIfRow, row_of_image, rows_of
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
            work = _WhatIfRun(run, asked, namespaces)
            found = work.find(now())
        except ClusterError as error:
            run.stop(error)
            return run.outcome([run.result_of_skip(name) for name in namespaces])
        outcome = run.outcome(work.results)
    document = document_of(found, cluster.name)
    extra = {"counts": document["counts"], "text": lines_of(document)}
    if write is None:
        extra["what_if"] = document
    else:
        write(document)
        extra.update(dest=asked.dest, changed=True)
    return replace(outcome, extra=extra, refused=_refusal(found, asked))


def _refusal(found: WhatIfAnswers, asked: WhatIfQuestion) -> str:
    """Why the task fails. Empty if no answer is one of `fail_on`."""
    rows = [row for answer in asked.failing for row in found.having(answer)]
    if not rows:
        return ""
    first = rows[0]
    reason = f"{first.ref} ({first.location}): {first.deciding.after.reason}"
    return f"found {pluralize(len(rows), 'container')} with an answer of option 'fail_on', such as {reason}"


def _describe_unread(audit: Audit) -> Iterator[str]:
    yield from audit.unread_sentences()
    if why := audit.survey.unread.get(NODES_READ):
        yield f"the nodes could not be read: {why}. It is unknown when a pull that breaks is missed"


class _WhatIfRun:
    """The reading and evaluation of one question."""

    def __init__(self, run: Run, asked: WhatIfQuestion, namespaces: Sequence[str]) -> None:
        self._run, self._asked = run, asked
        self._audit = PullAudit(rules=(*VERIFICATION, *FORECASTS), target_version=asked.target_version)
        self._reader = AuditReader(run, self._audit, namespaces)
        self._unread: list[str] = []
        #: The result of each namespace, after `find`.
        self.results: Sequence[NamespaceResult] = ()

    def find(self, now: float) -> WhatIfAnswers:
        """Read the cluster, and answer.

        :raises ClusterError: when the cluster fails.
        """
        survey = self._reader.survey(now)
        self.results = [namespace_result(self._run, name, place) for name, place in survey.places.items()]
        gone = {result.name for result in self.results if result.status == "failed"}
        survey = replace(survey, places={name: place for name, place in survey.places.items() if name not in gone})
        rows = self._evaluate(survey, self._platform_subjects() if self._asked.is_about_network else ())
        audit = Audit(replace(self._audit, rules=tuple(FORECASTS) if self._audit.target else ()), survey)
        forecasts = [f"{finding.rule}: {finding.message}" for finding in audit.findings]
        return WhatIfAnswers(self._asked.supposed, rows, [*_describe_unread(audit), *self._unread], now, forecasts)

    def _platform_subjects(self) -> Sequence[ContainerPull]:
        """Return the pulls of images that the platform and its operators name. What cannot be read is reported."""
        found: list[ContainerPull] = []
        for kind in PLATFORM_KINDS:
            try:
                for obj in self._run.cluster.list(kind, keep=trim_platform_object):
                    found += subjects_of(kind, obj)
            except UnknownResource:
                continue
            except ClusterError:
                raise
            except ImagePullError as error:
                self._unread.append(
                    f"the {kind.resource} could not be read, so their images are not part of the answer: {error}"
                )
        return found

    def _evaluate(self, survey: ClusterSnapshot, more: Sequence[ContainerPull]) -> list[WhatIfRow]:
        asks = self._asked.registries is not None
        patches = [patches_of(change, survey) for change in self._asked.supposed]
        evaluator = PullEvaluator(survey.evidence, patches, asks=asks)
        caches = NodeCaches(survey.nodes_by_name, is_empty=self._asked.has_new_nodes)
        works: list[Callable[[], list[WhatIfRow]]] = [
            *(partial(rows_of, place, evaluator.compare, caches) for place in survey.places.values()),
            *(partial(_rows_of_image, subject, evaluator, caches) for subject in more),
        ]
        found: dict[int, list[WhatIfRow]] = {}
        while waiting := [at for at in range(len(works)) if at not in found]:
            for at in waiting:
                with suppress(ReadRequired):  # More objects must be read first.
                    found[at] = works[at]()
            for lookup in evaluator.lookups:
                lookup.add(
                    read_lookups(self._run.cluster, self._run.workers, lookup, _LISTED_BY, self._asked.registries)
                )
        return [row for at in range(len(works)) for row in found[at]]


def _rows_of_image(subject: ContainerPull, evaluator: PullEvaluator, caches: NodeCaches) -> list[WhatIfRow]:
    return [row_of_image(subject, evaluator.compare, caches)]
