# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a cluster for a list of its images in use, and asks registries about their copies. It writes nothing to the cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...clients.kube.client import Cluster
from ...clients.kube.errors import ClusterError
from ...discovery.cluster_reader import ClusterReader, namespace_result
from ...discovery.lookup_reader import settle_each
from ...discovery.proofs import NamespaceQuestions, check_access
from ...engine.result import Outcome
from ...engine.run import Run, RunSettings, open_run
from ...explain.snapshot import ClusterSnapshot, SnapshotQuestion
from .copies import compare_copy
from .outputs import document_of, lines_of
from .owners import take_note
from .rows import ImageListQuestion, ImageUse, uses_of

_QUESTION = SnapshotQuestion(
    verdicts=False, nodes=True, take_note=take_note, node_images=True, bindings=False, operators=True
)
#: Writes the files for a document.
Write = Callable[[Mapping[str, Any]], None]


def list_images_in_use(
    cluster: Cluster,
    asked: ImageListQuestion,
    namespaces: Sequence[str],
    settings: RunSettings,
    *,
    write: Write | None = None,
    now: Callable[[], float] = time.time,
) -> Outcome:
    """Return the outcome with the counts, the list as `text`, and the document in `images_in_use` unless it is written to a file.

    :raises OptionError: if an option about registries is invalid. Nothing has been read.
    """
    if asked.registries is not None:
        check_access(asked.registries)
    cluster.forbid_writes()
    with open_run(cluster, len(namespaces), settings) as run:
        try:
            survey = ClusterReader(run, _QUESTION, namespaces).read(now())
            results = [namespace_result(run, name, place) for name, place in survey.places.items()]
            uses = _read_uses(run, survey, asked)
        except ClusterError as error:
            run.stop(error)
            return run.outcome([run.result_of_skip(name) for name in namespaces])
        outcome = run.outcome(results)
    document = document_of(uses, asked, survey, cluster.name)
    outcome.extra.update({"counts": document["counts"], "text": [*lines_of(document)], **asked.outputs})
    if "dest" not in asked.outputs:
        outcome.extra["images_in_use"] = document
    if write is not None:
        write(document)
        outcome.extra["changed"] = True
    return outcome


def _read_uses(run: Run, survey: ClusterSnapshot, asked: ImageListQuestion) -> Sequence[ImageUse]:
    items, evidence = [*survey.places.items()], [survey.evidence]
    found = settle_each(run, items, lambda place: uses_of(place, survey, asked), evidence)
    uses = [use for each in found for use in each]
    if asked.registries is None:
        return uses
    questions = NamespaceQuestions.of_task(asked.registries)
    of_places = [(use.ref.namespace, use) for use in uses]
    return settle_each(run, of_places, lambda use: compare_copy(use, survey.evidence), evidence, questions)
