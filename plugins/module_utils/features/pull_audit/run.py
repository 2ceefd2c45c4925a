# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a cluster and asks registries for an audit, with an equal share of questions for each namespace. It writes nothing to the cluster."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...clients.kube.client import Cluster
from ...clients.kube.errors import ClusterError
from ...discovery.cluster_reader import ClusterReader, namespace_result
from ...discovery.lookup_reader import settle_each
from ...discovery.proofs import NamespaceQuestions, check_access
from ...engine.result import Outcome
from ...engine.run import Run, RunSettings, open_run
from ...explain.lookup import Lookup, UnreadableObject, items_of, try_lookup
from ...explain.snapshot import ClusterSnapshot, ImageSignature, SignedImage
from ...images.image_questions import RegistryAccess
from ...images.node_registries import CLUSTER_POLICIES
from ...images.nodes import parse_version
from .checks import Audit, count_findings, document_of, snapshot_question
from .findings import PullAudit
from .forecast import RELEASE_SIGNATURE, release_mirrors
from .rules_images import IMAGE_UNSIGNED, MOST_IMAGES, answer_of, share_evenly, signed_images

#: Maximum number of findings in a result whose document is written to a file.
_WORST = 100

#: Writes the document to its destination.
Write = Callable[[Mapping[str, Any]], None]


def audit_cluster(
    cluster: Cluster,
    asked: PullAudit,
    namespaces: Sequence[str],
    settings: RunSettings,
    *,
    write: Write | None = None,
    now: Callable[[], float] = time.time,
) -> Outcome:
    """Return the outcome with the document in `audit` or, with `write`, with the counts and the worst findings in `top_findings`.

    :raises OptionError: if an option about registries is invalid. Nothing has been read.
    """
    if asked.registries is not None:
        check_access(asked.registries)
    cluster.forbid_writes()
    with open_run(cluster, len(namespaces), settings) as run:
        try:
            questions = None if asked.registries is None else NamespaceQuestions.of_task(asked.registries)
            survey = ClusterReader(run, snapshot_question(asked), namespaces, questions).read(now())
            survey = _ask_for_signatures(run, asked, survey)
        except ClusterError as error:
            run.stop(error)
            return run.outcome([run.result_of_skip(name) for name in namespaces])
        results = [namespace_result(run, name, survey.places[name]) for name in namespaces]
        outcome = run.outcome(results)
        gone = {result.name: result.error for result in results if result.status == "failed"}
    survey = replace(survey, places={name: place for name, place in survey.places.items() if name not in gone})
    if gone and not survey.places:
        return outcome  # a document would say that nothing is wrong
    document = document_of(Audit(asked, survey, gone), cluster.name, asked.key or os.urandom(32))
    return replace(outcome, extra=_extra(document, asked, write))


def _ask_for_signatures(run: Run, asked: PullAudit, survey: ClusterSnapshot) -> ClusterSnapshot:
    """Ask registries for the signatures of images in use, and for those that the images will need after the upgrade, as the options say."""
    access = asked.registries
    if access is not None and IMAGE_UNSIGNED in asked.rules:
        survey = replace(survey, signatures=_ask_for(run, _read_images(run, survey), survey.evidence, access))
    if access is None or asked.target is None or RELEASE_SIGNATURE not in asked.rules:
        return survey
    current = parse_version(survey.version.rpartition(" ")[2])
    found = release_mirrors(survey.evidence, current, asked.target, is_openshift=survey.is_openshift)
    scopes = list(dict.fromkeys(scope for mirror in found for scope in mirror.scopes))
    coming = _ask_for_coming(run, survey, access, scopes) if scopes else {}
    return replace(survey, release_signatures=coming)


def _extra(document: dict[str, Any], asked: PullAudit, write: Write | None) -> dict[str, Any]:
    (found,) = document["clusters"]
    brief = {"counts": count_findings(document), "verdicts": found["verdicts"], "unreadable": found["unreadable"]}
    if write is None:
        return {**brief, "audit": document}
    write(document)
    return {**brief, "top_findings": found["findings"][:_WORST], "dest": asked.dest, "changed": True}


def _ask_for_coming(
    run: Run, survey: ClusterSnapshot, access: RegistryAccess, scopes: Sequence[str]
) -> Mapping[str, Sequence[ImageSignature]]:
    """The images in these scopes, as if the policy of the next version existed already."""
    evidence = survey.evidence
    listed, unread = try_lookup(evidence, CLUSTER_POLICIES)
    policy = {"metadata": {"name": "openshift"}, "spec": {"scopes": [*scopes]}}
    evidence.add({CLUSTER_POLICIES: {"items": [*items_of(listed), policy]}})
    try:
        every = _read_images(run, survey)
        images = {
            namespace: [each for each in of_namespace if each.required.requirement.scope in scopes]
            for namespace, of_namespace in every.items()
        }
        return _ask_for(run, images, evidence, access)
    finally:
        evidence.add({CLUSTER_POLICIES: UnreadableObject(unread) if unread else listed})


def _ask_for(
    run: Run, images: Mapping[str, Sequence[SignedImage]], evidence: Lookup, access: RegistryAccess
) -> Mapping[str, Sequence[ImageSignature]]:
    chosen = share_evenly(images, MOST_IMAGES)
    questions = NamespaceQuestions(access)
    found = settle_each(run, chosen, lambda image: answer_of(image, evidence), [evidence], questions)
    answers = {id(image): answer for (_namespace, image), answer in zip(chosen, found, strict=True)}
    return {
        namespace: [ImageSignature(each, answers.get(id(each))) for each in of_namespace]
        for namespace, of_namespace in images.items()
    }


def _read_images(run: Run, survey: ClusterSnapshot) -> dict[str, Sequence[SignedImage]]:
    accesses, evidence = survey.accesses, survey.evidence
    found = settle_each(run, [*accesses.items()], lambda verdicts: signed_images(verdicts, evidence), [evidence])
    return dict(zip(accesses, found, strict=True))
