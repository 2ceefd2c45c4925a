# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set up CRI-O's credential provider: the configuration of the cluster first, then the rights in the namespaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ...clients.kube.client import Cluster, list_api_groups
from ...clients.kube.errors import UnknownResource
from ...core.changes import ALL, ListedBy, Related
from ...core.errors import ImagePullError, Refusal
from ...core.objects import SECRET, SERVICE_ACCOUNT, Json, ObjectRef
from ...declarations.batch import Batch
from ...discovery.lookup_reader import read_lookups
from ...engine.fetching import View
from ...engine.reconciliation import reconcile
from ...engine.result import Outcome
from ...engine.run import RunSettings
from ...engine.workers import Workers
from ...explain.lookup import Lookup, ReadRequired
from ...images.credential_providers import CRIO_PROVIDER
from ...images.image_streams import IMAGE_STREAM
from ...images.node_registries import IMAGE_POLICY
from ...rbac.access_reviews import secrets_review
from ...rbac.subjects import READER_ROLE
from ...secrets.content import DATA_KEYS
from .options import ProviderRequest
from .plan import ProviderConfig, SecretReaders, explain_images, find_obstacles

__all__ = ["run_provider"]

#: The configuration and the cluster role are in no namespace.
_NOWHERE = ""
_GROUP = CRIO_PROVIDER[0].kind.api_version.partition("/")[0]
_LISTED_BY: ListedBy = {
    SECRET: tuple(f"type={each}" for each in DATA_KEYS),
    **dict.fromkeys((SERVICE_ACCOUNT, IMAGE_POLICY, IMAGE_STREAM), ALL),
}


@dataclass(frozen=True)
class _ClusterPart:
    """The plan for the objects of the cluster, and the objects that it was made for: `config` and `related`."""

    plan: ProviderConfig
    config: Json | None
    related: Related


@dataclass(frozen=True)
class _Written:
    """The writes of the cluster part, as the result lists them, and its notes."""

    changes: Sequence[Mapping[str, Any]] = ()
    diff: Sequence[Any] = ()
    notes: Sequence[str] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


def run_provider(request: ProviderRequest, open_cluster: Callable[[], AbstractContextManager[Any]]) -> dict[str, Any]:
    """Return the module's result. `open_cluster` opens the cluster with its target namespaces (`ClusterRun`).

    :raises ImagePullError: when the objects of the cluster cannot be set up. Nothing was changed in the namespaces then.
    """
    with open_cluster() as run:
        request.refuse_platform(run.namespaces)
        part = _read_part(run.cluster, request, has_targets=bool(run.namespaces))
        done = _Written() if part is None else _write_part(run.cluster, part, run.settings(1))
        outcome = _write_readers(run.cluster, request, run.namespaces, run.settings())
        if part is not None and request.present and not outcome.stopped:
            outcome = _add_checks(run.cluster, request, part, outcome, run.settings().concurrency)
        extra = {**done.extra, **outcome.extra}
        result: dict[str, Any] = run.result(replace(outcome, remarks=(*done.notes, *outcome.remarks), extra=extra))
    return {
        **result,
        "changed": result["changed"] or bool(done.changes),
        "diff": [*done.diff, *result["diff"]],
        "cluster_changes": [*done.changes],
    }


def _read_part(cluster: Cluster, request: ProviderRequest, *, has_targets: bool) -> _ClusterPart | None:
    """Read the objects of the cluster. None if the task only takes rights back, which needs none of them."""
    if not (request.present or request.match_images):
        return None
    ref, config = _find_config(cluster)
    needs_role = has_targets and request.present
    related = {READER_ROLE: cluster.get(READER_ROLE)} if needs_role else {}
    plan = ProviderConfig(ref, request.match_images, request.present, needs_role, request.create_role)
    return _ClusterPart(plan, config, related)


def _find_config(cluster: Cluster) -> tuple[ObjectRef, Json | None]:
    """Return the configuration in the newest version that the cluster serves. :raises Refusal: when it serves none."""
    for ref in CRIO_PROVIDER if _GROUP in list_api_groups(cluster) else ():
        with suppress(UnknownResource):
            return ref, cluster.get(ref)
    raise Refusal(
        f"{cluster.name} has no kind CRIOCredentialProviderConfig. OpenShift 4.22 has it only with the feature gate "
        "CRIOCredentialProviderConfig, in feature set TechPreviewNoUpgrade ('oc get featuregate cluster -o yaml' shows the set). OpenShift 4.23 "
        "and newer have it by default. Hosted clusters and other Kubernetes do not have it: give their pods pull secrets"
    )


def _write_part(cluster: Cluster, part: _ClusterPart, settings: RunSettings) -> _Written:
    """Carry out the plan. :raises Refusal: when it fails."""
    objects = {} if part.config is None else {part.plan.config.name: part.config}
    batch = Batch.of_one(part.plan, [_NOWHERE])
    outcome = reconcile(cluster, batch, settings, {_NOWHERE: View(objects, part.related)})
    (result,) = outcome.namespaces
    if why := outcome.stopped or result.error:
        raise Refusal(why)
    changes = [change.report() for change in result.changes]
    return _Written(changes, outcome.report()["diff"], outcome.notes, result.extra)


def _write_readers(
    cluster: Cluster, request: ProviderRequest, namespaces: Sequence[str], settings: RunSettings
) -> Outcome:
    if not namespaces:
        return Outcome([], cluster.retries)
    readers = SecretReaders(request.service_accounts, request.present)
    return reconcile(cluster, Batch.of_one(readers, namespaces), settings)


def _add_checks(
    cluster: Cluster, request: ProviderRequest, part: _ClusterPart, outcome: Outcome, concurrency: int
) -> Outcome:
    """Return the outcome with the obstacles as remarks, and with the explanations of the images."""
    done = [result.name for result in outcome.namespaces if result.status in ("changed", "unchanged")]
    accounts = [ObjectRef(SERVICE_ACCOUNT, name, account) for name in done for account in request.service_accounts]
    # What the task has just written, or would write in check mode, is not read again: the API server knows a new right only a moment later.
    config = part.plan.config_after(part.config)
    evidence = Lookup({ref: config if ref == part.plan.config else None for ref in CRIO_PROVIDER})
    evidence.add({secrets_review(account.namespace, account.name): {"allowed": True} for account in accounts})
    try:
        with Workers(concurrency) as workers:
            obstacles, rows = _check(cluster, workers, request, accounts, evidence)
    except ImagePullError as error:
        return replace(outcome, stopped=str(error))
    extra = {"access": rows} if request.images else {}
    return replace(outcome, remarks=(*outcome.remarks, *obstacles), extra={**outcome.extra, **extra})


def _check(
    cluster: Cluster, workers: Workers, request: ProviderRequest, accounts: Sequence[ObjectRef], evidence: Lookup
) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the obstacles, and a row for each account and image. :raises ImagePullError: when the cluster fails."""
    while True:
        with suppress(ReadRequired):
            obstacles = find_obstacles(request.match_images, accounts[0] if accounts else None, evidence)
            return obstacles, explain_images(request.images, accounts, evidence)
        evidence.add(read_lookups(cluster, workers, evidence, _LISTED_BY))
