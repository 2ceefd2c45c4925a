# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set the policy of a machine config pool, and estimate the pulls that it causes. Everything is read before the one write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Union

from ...clients.kube.client import Cluster, list_api_groups
from ...clients.kube.errors import Forbidden
from ...core.errors import ImagePullError, Refusal, describe_missing
from ...core.objects import POD, SECRET, Json, ObjectRef, as_dict, as_str, metadata, trim_object, without_managed_fields
from ...core.text import summarize
from ...declarations.batch import Batch
from ...discovery.lookup_reader import read_objects
from ...engine.reconciliation import reconcile
from ...engine.run import RunSettings
from ...engine.workers import Workers
from ...explain.lookup import Lookup, ReadRequired, UnreadableObject
from ...images.image_verification import VerificationPolicy
from ...images.kubelet_settings import KUBELET_CONFIGS, KUBELET_FILE, NODES, POOLS, pool_for
from ...images.nodes import NodeVersions, nodes_of
from ...secrets.content import DATA_KEYS
from .estimate import estimate_pulls, repositories_of, trim_pod_images
from .plan import VerificationPlan, VerificationRequest, pools_with

__all__ = ["set_verification"]

_GROUP = "machineconfiguration.openshift.io"
#: KubeletConfigs and pools are in no namespace.
_NOWHERE = ""
_SHOWN = 10


def set_verification(
    cluster: Cluster, request: VerificationRequest, settings: RunSettings
) -> tuple[dict[str, Any], Sequence[str]]:
    """Set the policy or remove it. Return the module's result, and its warnings.

    :raises ImagePullError: when the cluster has no machine config operator, or something cannot be read. Nothing was changed then.
    """
    if _GROUP not in list_api_groups(cluster):
        raise Refusal(
            f"{cluster.name} has no API group {_GROUP}, by which OpenShift configures its kubelets. On a hosted cluster, set the fields in a "
            "KubeletConfig that the node pool names in spec.config, on the management cluster. Elsewhere, set them in the file of each kubelet"
        )
    pools = list(cluster.list(POOLS.kind))
    pool = _find_pool(cluster, request.pool, pools)
    nodes = _nodes_by_pool(cluster, pools)
    policy, estimated, notes = request.verification, dict[str, Any](), list[str]()
    if policy is not None:
        reached = pools_with(request.name, pools, list(cluster.list(KUBELET_CONFIGS.kind)), new_for=pool)
        members = [node for name in reached for node in nodes.get(name, ())]
        pods = list(cluster.list(POD, keep=trim_pod_images))
        policy = _with_images_in_use(policy, request, pods)
        with Workers(settings.concurrency) as workers:
            # The pools show which configurations have the credential providers of the kubelets.
            evidence = Lookup({POOLS: {"items": pools}})
            estimate, notes = _estimate(cluster, workers, members, pods, policy, evidence=evidence)
        estimate = {"pools": reached, **estimate}
        estimated = {"policy": policy.name, "allow_list": [*policy.allow_list], "estimate": estimate}
    plan = VerificationPlan(request.name, pool, policy, pools, nodes)
    written, remarks = _write(cluster, plan, settings)
    return {"server": cluster.name, **written, **estimated}, [*remarks, *notes]


def _write(cluster: Cluster, plan: VerificationPlan, settings: RunSettings) -> tuple[dict[str, Any], list[str]]:
    """Carry out the plan. Return its part of the result, and its warnings. :raises Refusal: when it fails."""
    outcome = reconcile(cluster, Batch.of_one(plan, [_NOWHERE]), settings)
    (result,) = outcome.namespaces
    if why := outcome.stopped or result.error:
        raise Refusal(why)
    changes = [change.report() for change in result.changes]
    return {"changed": bool(changes), "changes": changes, "diff": outcome.report()["diff"]}, outcome.notes


def _find_pool(cluster: Cluster, name: str, pools: list[Json]) -> Json:
    found = {as_str(metadata(pool).get("name")): pool for pool in pools}
    if name not in found:
        raise Refusal(
            f"machine config pool {name} does not exist on {cluster.name}: set option 'pool' to one of {summarize(sorted(found), _SHOWN)}"
        )
    return found[name]


def _nodes_by_pool(cluster: Cluster, pools: list[Json]) -> Mapping[str, Sequence[NodeVersions]]:
    kind = NODES.kind
    found: dict[str, list[Json]] = defaultdict(list)
    for node in cluster.list(kind, keep=lambda node: trim_object(kind, node)):
        if pool := pool_for(_labels(node), pools):
            found[as_str(metadata(pool).get("name"))].append(node)
    return {name: [*nodes_of(members).values()] for name, members in found.items()}


def _labels(obj: Json) -> Json:
    return as_dict(metadata(obj).get("labels"))


def _with_images_in_use(
    policy: VerificationPolicy, request: VerificationRequest, pods: list[Json]
) -> VerificationPolicy:
    if request.trusted is None:
        return policy
    listed = dict.fromkeys([*policy.allow_list, *repositories_of(pods, request.trusted)])
    return replace(policy, allow_list=tuple(listed))


def _estimate(
    cluster: Cluster,
    workers: Workers,
    nodes: list[NodeVersions],
    pods: list[Json],
    policy: VerificationPolicy,
    *,
    evidence: Lookup,
) -> tuple[dict[str, Any], list[str]]:
    """Return the estimate, and a note for each kind that could not be read."""
    while True:
        try:
            estimated = estimate_pulls(nodes, pods, policy, evidence)
        except ReadRequired:
            wanted = evidence.take_wanted()
            secrets = [ref for ref in wanted if ref.kind == SECRET]
            evidence.add(read_objects(cluster, workers, [ref for ref in wanted if ref.kind != SECRET], {}))
            evidence.add(_read_secrets(cluster, secrets) if secrets else {})
        else:
            return estimated, [*dict.fromkeys(_note(ref, why) for ref, why in evidence.unread.items())]


def _note(ref: ObjectRef, why: str) -> str:
    if ref.kind == SECRET:
        return why
    if ref.kind == KUBELET_FILE:
        return f"{why}. Whether the nodes have a credential provider for images without another login is not known"
    return (
        f"the {ref.kind.resource} could not be read: {why}. The registries and logins of mirrored images are not known"
    )


def _read_secrets(
    cluster: Cluster, wanted: Sequence[ObjectRef]
) -> Mapping[ObjectRef, Union[Json, ImagePullError, None]]:
    """Return the wanted secrets, from the lists of the types that nodes read. A secret of another type has no login for a node."""
    names = frozenset(wanted)
    found: dict[ObjectRef, Union[Json, ImagePullError, None]] = dict.fromkeys(wanted)

    def keep(secret: Json) -> Json | None:
        return without_managed_fields(secret) if _ref(secret) in names else None

    try:
        for kind in DATA_KEYS:
            listed = cluster.list(SECRET, field_selector=f"type={kind}", keep=keep)
            found.update((_ref(secret), secret) for secret in listed)
    except Forbidden as error:
        why = "; ".join(describe_missing([error.need] if error.need else [])) or str(error)
        return dict.fromkeys(wanted, UnreadableObject(why))
    return found


def _ref(secret: Json) -> ObjectRef:
    return ObjectRef(SECRET, as_str(metadata(secret).get("namespace")), as_str(metadata(secret).get("name")))
