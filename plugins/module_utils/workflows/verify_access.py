# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof of a grant: asks the API server, for each subject and namespace, whether it may pull, and by which binding."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ..clients.kube.client import Cluster
from ..clients.kube.errors import Forbidden
from ..core.errors import ImagePullError
from ..features.image_puller_grant.desired import ImagePullerGrant
from ..rbac.access_reviews import SUBJECT_ACCESS_REVIEW, MayPull, may_pull, question
from ..rbac.subjects import Subject
from ..reconcile.engine import Settings
from ..reconcile.result import NamespaceResult, Outcome

__all__ = ["verify_access"]

#: The authorizer learns of a binding by a watch, milliseconds after it was written: so long an old answer is not believed.
_NEWS_SECONDS = 2.0


def verify_access(cluster: Cluster, desired: ImagePullerGrant, outcome: Outcome, settings: Settings) -> Outcome:
    """The outcome with `may_pull` for each namespace: after writing, in check mode for what stands now."""
    if not desired.verify_access:
        return outcome

    def ask(result: NamespaceResult) -> NamespaceResult:
        if result.status not in ("changed", "unchanged"):
            return result
        wrote = result.status == "changed" and not settings.check_mode
        try:
            answers = [_answer(cluster, desired, subject, result.name, wrote) for subject in desired.subjects]
            notes = [] if settings.check_mode else _disproved(desired, result.name, answers)
        except Forbidden as error:
            answers, notes = [may_pull(subject, None) for subject in desired.subjects], [f"not proved: {error}"]
        except ImagePullError as error:
            return replace(result, status="failed", error=str(error))
        return replace(result, notes=(*result.notes, *notes), extra={**result.extra, "may_pull": answers})

    with ThreadPoolExecutor(settings.concurrency) as pool:
        return replace(outcome, namespaces=list(pool.map(ask, outcome.namespaces)))


def _answer(cluster: Cluster, desired: ImagePullerGrant, subject: Subject, namespace: str, wrote: bool) -> MayPull:
    asked, about = question(subject, namespace), f"{subject} may pull from {namespace}"
    given_up_at, pause = time.monotonic() + _NEWS_SECONDS, 0.01
    while True:
        answer = may_pull(subject, cluster.review(SUBJECT_ACCESS_REVIEW, asked, about))
        if not (wrote and _is_old_news(desired, answer, namespace)) or time.monotonic() > given_up_at:
            return answer
        time.sleep(pause)
        pause = min(pause * 2, 0.5)


def _is_old_news(desired: ImagePullerGrant, answer: MayPull, namespace: str) -> bool:
    """Whether the answer may be from before what was written: not yet granted, or by a binding that was just edited."""
    if desired.present:
        return not answer["allowed"]
    return bool(answer["binding"] == f"RoleBinding {namespace}/{desired.binding_name}")


def _disproved(desired: ImagePullerGrant, namespace: str, answers: Sequence[MayPull]) -> list[str]:
    """What a grant did not bring, or taking back did not end."""
    wrong = [answer for answer in answers if answer["allowed"] is not desired.present]
    if desired.present:
        why = f"cluster role {desired.role} does not allow 'get' on imagestreams/layers"
        return [f"{answer['subject']} may not pull from {namespace}, though it was granted: {why}" for answer in wrong]
    return [f"{answer['subject']} may still pull from {namespace}, by {answer['binding']}" for answer in wrong]
