# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits until service accounts are provisioned: they exist and, where the cluster generates one, have a usable pull secret."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ..clients.kube.client import Cluster
from ..clients.kube.errors import ApiError, Forbidden
from ..core.errors import ImagePullError
from ..core.objects import SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, Objects
from ..core.protocols import Selection
from ..platform.cluster import ClusterFacts, why_none_will_come
from ..platform.generated import generated_names
from ..platform.provisioning import UNREADABLE, Verdict, judge
from ..reconcile.engine import Settings
from ..reconcile.polling import poll
from ..reconcile.progress import Progress
from ..reconcile.reader import Observed, missing_sentence, observe, terminating_sentence, what_is_wrong_with
from ..reconcile.result import NamespaceResult, Outcome

__all__ = ["wait_for_provisioned"]

_CLUSTER_VERSION = Kind(
    "config.openshift.io/v1", "ClusterVersion", "clusterversions", "cluster version", namespaced=False
)
_CLUSTER_OPERATOR = Kind(
    "config.openshift.io/v1", "ClusterOperator", "clusteroperators", "cluster operator", namespaced=False
)


@dataclass
class _Work:
    """One namespace on its way. `verdicts` is by account, None while the account does not exist."""

    namespace: str
    verdicts: dict[str, Verdict | None] = field(default_factory=dict)
    error: str = ""
    none_will_come: str = ""

    @property
    def missing(self) -> list[str]:
        words = []
        for account, verdict in self.verdicts.items():
            if verdict is None:
                words.append(f"service account {account} does not exist")
            elif verdict.missing and not self.none_will_come:
                words.append(f"service account {account}: {verdict.missing}")
        return words

    @property
    def pending(self) -> bool:
        return not self.error and bool(self.missing)


def wait_for_provisioned(
    cluster: Cluster, accounts: Sequence[str], namespaces: Sequence[str], settings: Settings
) -> Outcome:
    """One look when all is there; otherwise looks again until it is, or `settings.wait_timeout` has passed.

    Secrets are read by name, only those that the accounts refer to: a list would bring the tokens of the whole cluster.
    """
    works = [_Work(namespace, dict.fromkeys(accounts)) for namespace in namespaces]
    reader = _Reader(cluster, tuple(accounts), Progress(settings.task, len(works), settings.say))
    with ThreadPoolExecutor(settings.concurrency) as pool:
        poll(works, settings.wait_timeout, lambda pending: reader.look(pool, pending))
    return Outcome([_finished(work) for work in works], cluster.retries)


@dataclass
class _Reader:
    cluster: Cluster
    accounts: tuple[str, ...]
    progress: Progress
    none_will_come: str | None = None

    def look(self, pool: ThreadPoolExecutor, pending: Sequence[_Work]) -> None:
        first = self.none_will_come is None
        observed = observe(
            self.cluster, pool, Selection(SERVICE_ACCOUNT, self.accounts), [work.namespace for work in pending]
        )
        for _done in pool.map(lambda work: self._judge(work, observed[work.namespace], first), pending):
            pass
        if any(work.pending for work in pending):
            self.none_will_come = why_none_will_come(_cluster_facts(self.cluster))
        for work in pending:
            work.none_will_come = self.none_will_come or ""
            if not work.pending:
                self.progress.finished(changed=False, failed=bool(work.error))
        self.progress.tick()

    def _judge(self, work: _Work, observed: Observed, first: bool) -> None:
        try:
            if isinstance(observed, ImagePullError):
                raise observed
            work.verdicts = {name: self._verdict(work.namespace, name, observed) for name in self.accounts}
            if first and None in work.verdicts.values():
                work.error = _namespace_error(self.cluster, work.namespace)
        except ImagePullError as error:
            work.error = str(error)

    def _verdict(self, namespace: str, name: str, observed: Objects) -> Verdict | None:
        account = observed.get(name)
        if account is None:
            return None
        return judge(account, {secret: self._secret(namespace, secret) for secret in generated_names(account)})

    def _secret(self, namespace: str, name: str) -> Json | None:
        try:
            return self.cluster.get(ObjectRef(SECRET, namespace, name))
        except Forbidden:
            return UNREADABLE


def _namespace_error(cluster: Cluster, namespace: str) -> str:
    wrong = what_is_wrong_with(cluster, namespace)
    if wrong == "missing":
        return missing_sentence(cluster)
    return f"{terminating_sentence(cluster)}, so nothing is provisioned in it" if wrong else ""


def _cluster_facts(cluster: Cluster) -> ClusterFacts:
    """What the caller may see of the cluster's nature; what it may not see stays unknown."""
    try:
        groups = {group["name"] for group in cluster.get_path("/apis").get("groups") or []}
    except ApiError:
        return ClusterFacts(None)
    if "config.openshift.io" not in groups:
        return ClusterFacts(groups)
    version = _readable(cluster, ObjectRef(_CLUSTER_VERSION, "", "version"))
    return ClusterFacts(groups, version, _readable(cluster, ObjectRef(_CLUSTER_OPERATOR, "", "image-registry")))


def _readable(cluster: Cluster, ref: ObjectRef) -> Json | None:
    try:
        return cluster.get(ref)
    except ApiError:
        return None


def _finished(work: _Work) -> NamespaceResult:
    accounts: list[dict[str, Any]] = [_account_report(work, name, verdict) for name, verdict in work.verdicts.items()]
    error = work.error or "; ".join(work.missing)
    if error and not work.error:
        error += "; wait longer (timeout), or look at the cluster's openshift-controller-manager"
    notes = tuple(verdict.note for verdict in work.verdicts.values() if verdict and verdict.note)
    return NamespaceResult(
        work.namespace,
        "failed" if error else "unchanged",
        notes=notes,
        error=error,
        extra={"service_accounts": accounts},
    )


def _account_report(work: _Work, name: str, verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None or (verdict.missing and not work.none_will_come):
        return {"name": name, "provisioned": False, "pull_secret": None}
    if verdict.missing:
        return {
            "name": name,
            "provisioned": True,
            "pull_secret": None,
            "reason": f"none will come, because {work.none_will_come}",
        }
    return {"name": name, "provisioned": True, "pull_secret": verdict.secret}
