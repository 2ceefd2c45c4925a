# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify a grant: ask the API server, for each subject and namespace, whether the subject is allowed to pull, and by which binding."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from ...clients.kube.client import Cluster
from ...clients.kube.errors import Forbidden
from ...core.changes import Entry
from ...core.errors import ImagePullError
from ...core.objects import ROLE_BINDING
from ...declarations.batch import Batch
from ...engine.result import NamespaceResult, Outcome
from ...engine.run import RunSettings
from ...rbac.subjects import SUBJECT_ACCESS_REVIEW, MayPull, Subject, parse_review, review_spec
from .plan import ImagePullerGrant

#: Seconds during which an answer can be outdated: the authorizer sees a binding through a watch, milliseconds after the write.
_NEWS_SECONDS = 2.0


@dataclass(frozen=True)
class _AccessAnswer:
    """`outdated`: the answer names a binding that this task has changed, so it may predate the change."""

    access: MayPull
    outdated: bool


def verify_access(
    cluster: Cluster, declared: Batch[ImagePullerGrant], outcome: Outcome, settings: RunSettings
) -> Outcome:
    """Return the outcome with `may_pull` for each namespace: after writing, or in check mode for the current state."""
    if outcome.stopped:
        return outcome

    def verified(result: NamespaceResult) -> NamespaceResult:
        failed = {failure.entry for failure in result.failures}
        for one in declared.declared(result.name):
            if one.desired.verify_access and one.entry not in failed:
                result = _Verifier(cluster, one.desired, settings, one.entry).verify(result)
        return result

    if not any(desired.verify_access for desired in declared.every):
        return outcome
    with settings.workers() as workers:
        return replace(outcome, namespaces=workers.map(verified, outcome.namespaces))


@dataclass(frozen=True)
class _Verifier:
    cluster: Cluster
    desired: ImagePullerGrant
    settings: RunSettings
    entry: Entry | None

    def verify(self, result: NamespaceResult) -> NamespaceResult:
        """Return the result of one namespace with the answers for each subject."""
        if result.error:
            return result
        edited = frozenset() if self.settings.check_mode else _written_bindings(result)
        try:
            answers = [self._ask(subject, result.name, edited) for subject in self.desired.subjects]
        except Forbidden as error:
            unknown = [parse_review(subject, None) for subject in self.desired.subjects]
            return self._with(result, unknown, [f"whether they may pull was not verified: {error}"])
        except ImagePullError as error:
            return result.failing(self.entry, f"whether they may pull was not verified: {error}")
        notes = [] if self.settings.check_mode else self._find_contradicted(result.name, answers)
        return self._with(result, [answer.access for answer in answers], list(notes))

    def _with(self, result: NamespaceResult, answers: Sequence[MayPull], notes: Sequence[str]) -> NamespaceResult:
        whose = {"entry": self.entry.position} if self.entry else {}
        known = [*result.extra.get("may_pull", ()), *({**answer, **whose} for answer in answers)]
        return replace(result, notes=(*result.notes, *notes), extra={**result.extra, "may_pull": known})

    def _ask(self, subject: Subject, namespace: str, edited: Collection[str]) -> _AccessAnswer:
        """Return the answer. Ask again while the answer may predate the write."""
        asked, about = review_spec(subject, namespace), f"{subject} may pull from {namespace}"
        clock = self.settings.clock
        given_up_at, pause = clock.now() + _NEWS_SECONDS, 0.01
        while True:
            answer = parse_review(subject, self.cluster.review(SUBJECT_ACCESS_REVIEW, asked, about))
            outdated = bool(edited) and self._is_outdated(answer, edited)
            if not outdated or clock.now() >= given_up_at:
                return _AccessAnswer(answer, outdated)
            clock.sleep(pause)
            pause = min(pause * 2, 0.5)

    def _is_outdated(self, answer: MayPull, edited: Collection[str]) -> bool:
        """Whether the answer may predate the write: the grant is missing, or a binding that was just edited still allows it."""
        return answer["binding"] in edited if not self.desired.present else not answer["allowed"]

    def _find_contradicted(self, namespace: str, answers: Sequence[_AccessAnswer]) -> Iterator[str]:
        """Yield a note for each subject that cannot pull after a grant, or still can after a revocation."""
        for answer in answers:
            access = answer.access
            if access["allowed"] is self.desired.present:
                continue
            if self.desired.present:
                yield (
                    f"{access['subject']} may not pull from {namespace}, although it was granted: cluster role "
                    f"{self.desired.role} does not allow 'get' on imagestreams/layers"
                )
            elif answer.outdated:
                yield (
                    f"the API server still names {access['binding']}, from which this task removed {access['subject']} "
                    f"{_NEWS_SECONDS:g} s ago: run again to see whether it may still pull from {namespace}"
                )
            else:
                yield f"{access['subject']} may still pull from {namespace}, by {access['binding']}"


def _written_bindings(result: NamespaceResult) -> frozenset[str]:
    """Return the bindings that the task has written, in the form in which an answer names them."""
    refs = (change.ref for change in result.changes if change.ref.kind == ROLE_BINDING)
    return frozenset(f"RoleBinding {ref.namespace}/{ref.name}" for ref in refs)
