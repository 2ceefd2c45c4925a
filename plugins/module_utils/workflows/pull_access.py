# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what an explanation needs, all that is wanted at once, until nothing is. It writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Union

from ..clients.kube.client import Cluster
from ..core.errors import ImagePullError, Refusal
from ..core.evidence import Evidence, NotYet, Unread
from ..core.objects import SECRET, SERVICE_ACCOUNT, Json, ObjectRef, metadata
from ..core.protocols import ALL, ListedBy
from ..core.shapes import mapping, sequence
from ..features.pull_access.options import PullAccess
from ..nodes.image_policies import IMAGE_POLICY
from ..nodes.image_streams import IMAGE_STREAM
from ..pulls.chain import PULLS, UNKNOWN, WILL_NOT_PULL, Access, explain
from ..pulls.subjects import POD, WORKLOADS, Subject, of_account, of_pod, of_workload
from ..reconcile.result import NamespaceResult, Outcome
from ..reconcile.run import Run, Settings, internal_error, running
from ..secrets.content import DATA_KEYS
from .evidence import read_wanted

__all__ = ["explain_access"]

_LISTED_BY: ListedBy = {
    SECRET: tuple(f"type={each}" for each in DATA_KEYS),
    **dict.fromkeys((SERVICE_ACCOUNT, IMAGE_POLICY, IMAGE_STREAM, POD, *WORKLOADS.values()), ALL),
}


def explain_access(cluster: Cluster, asked: PullAccess, namespaces: Sequence[str], settings: Settings) -> Outcome:
    """The outcome with `access` for each namespace, and the count of each verdict."""
    with running(cluster, len(namespaces), settings) as run:
        asking = _Asking(run, asked, Evidence())
        found = asking.answers(namespaces)
        results = [asking.result(name, found.get(name)) for name in namespaces]
    counts = Counter(row["verdict"] for result in results for row in result.extra.get("access", ()))
    extra = {"verdicts": {name: counts.get(name, 0) for name in (PULLS, WILL_NOT_PULL, UNKNOWN)}}
    return replace(run.outcome(results), extra=extra)


@dataclass(frozen=True)
class _Asking:
    run: Run
    asked: PullAccess
    evidence: Evidence

    def answers(self, namespaces: Sequence[str]) -> dict[str, Union[list[Access], ImagePullError]]:
        """What is found in each namespace; nothing for those that were not looked at when the cluster failed."""
        found: dict[str, Union[list[Access], ImagePullError]] = {}
        waiting = list(namespaces)
        while waiting:
            for name in waiting:
                answer = self._answer(name)
                if answer is not None:
                    found[name] = answer
            waiting = [name for name in waiting if name not in found]
            try:
                self.evidence.add(
                    read_wanted(self.run.cluster, self.run.workers, self.evidence, _LISTED_BY, self.asked.registries)
                )
            except ImagePullError as error:
                self.run.stop(error)
                break
        return found

    def result(self, namespace: str, found: Union[list[Access], ImagePullError, None]) -> NamespaceResult:
        if found is None:
            return self.run.not_attempted(namespace)
        if isinstance(found, ImagePullError):
            return self.run.failed(namespace, found)
        if not found and (why := self.run.what_is_wrong_with(namespace, was_there=False)):
            return NamespaceResult(namespace, "failed", error=why)
        brief = self.asked.is_of_all
        rows = [access.report(brief=brief) for access in found]
        well = brief and all(access.verdict == PULLS for access in found)
        return NamespaceResult(namespace, "unchanged", extra={"access": rows}, unremarkable=well)

    def _answer(self, namespace: str) -> Union[list[Access], ImagePullError, None]:
        """None while something has to be read for it."""
        found: list[Access] = []
        waits = False
        try:
            subjects = list(self._subjects(namespace))
        except NotYet:
            return None
        except ImagePullError as error:
            return error
        except Exception as error:  # an object may hold anything
            return internal_error(error)
        for subject in subjects:
            try:
                found.append(explain(subject, self.evidence, asks=self.asked.registries is not None))
            except NotYet:
                waits = True
            except Exception as error:  # the same
                return internal_error(error)
        return None if waits else found

    def _subjects(self, namespace: str) -> Iterator[Subject]:
        """:raises Refusal: when what is asked about is not there or may not be read."""
        asked = self.asked
        if asked.image:
            yield of_account(namespace, asked.account, asked.image)
        elif asked.pod:
            pod = self._required(ObjectRef(POD, namespace, asked.pod))
            yield from (replace(subject, is_asked_alone=True) for subject in of_pod(pod, namespace))
        elif asked.pods_of:
            kind, name = asked.pods_of
            workload = self._required(ObjectRef(kind, namespace, name))
            yield from (replace(subject, is_asked_alone=True) for subject in of_workload(kind, workload, namespace))
        else:
            yield from self._all(namespace)

    def _required(self, ref: ObjectRef) -> Json:
        found = self._seen(ref)
        if found is None:
            raise Refusal(f"{ref} does not exist: correct the name or the namespace")
        return found

    def _seen(self, ref: ObjectRef) -> Json | None:
        try:
            return self.evidence.look(ref)
        except Unread as error:
            what = str(ref) if ref.name else f"the {ref.kind.resource} of namespace {ref.namespace}"
            raise Refusal(f"{what} could not be read, so nothing is known of it: {error}") from None

    def _all(self, namespace: str) -> Iterator[Subject]:
        """All pods, and the workloads that are not made by another one."""
        listed = {kind: self._looked(ObjectRef(kind, namespace, "")) for kind in (POD, *WORKLOADS.values())}
        if any(items is None for items in listed.values()):
            raise NotYet
        for kind, items in listed.items():
            for item in sequence(mapping(items).get("items")):
                if kind == POD:
                    yield from of_pod(item, namespace)
                elif not any(
                    mapping(owner).get("controller") for owner in sequence(metadata(item).get("ownerReferences"))
                ):
                    yield from of_workload(kind, item, namespace)

    def _looked(self, ref: ObjectRef) -> Json | None:
        """None while it is wanted."""
        try:
            return self._seen(ref) or {}
        except NotYet:
            return None
