# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots for audits, made from objects in the API server's format, without a server."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import Kind, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import snapshot as trim
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.listed_evidence import (
    ContainerExplanations,
    ListedLookup,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import (
    AuditedSecret,
    ClusterSnapshot,
    NamespaceSnapshot,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import WORKLOADS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.checks import Audit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import (
    Finding,
    PullAudit,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import PROXY, bundle_refs
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import IMAGE_CONFIG
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET

from support.objects import b64

from .pull_evidence import known

__all__ = [
    "DEPLOYMENT", "NOW", "account", "auth", "binding", "deployment", "found_by", "place", "pod", "replica_set", "secret", "stream", "survey", "token",
]  # fmt: skip

#: 2026-01-01 in UTC.
NOW = 1767225600.0
DEPLOYMENT = WORKLOADS["deployment"]
GENERATED = {"openshift.io/internal-registry-auth-token.service-account": "default"}


def auth(password: str = "a-password", username: str = "user") -> dict[str, str]:
    return {"auth": b64(f"{username}:{password}")}


def token(**claims: Any) -> str:
    """A JSON Web Token with these claims."""
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{part}.c2ln"


def secret(
    name: str,
    auths: Any = None,
    kind: str = "kubernetes.io/dockerconfigjson",
    *,
    key: str = "",
    generated: bool = False,
    managers: Mapping[str, str] | None = None,
    created: str = "2025-12-31T00:00:00Z",
    **metadata: Any,
) -> dict[str, Any]:
    """`managers`: the writers of the data, with the time of each."""
    own = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}
    auths = {"q.io": auth()} if auths is None else auths
    content = auths if isinstance(auths, str) else json.dumps(auths if kind.endswith("cfg") else {"auths": auths})
    fields = [{"manager": who, "time": time, "fieldsV1": {"f:data": {}}} for who, time in (managers or {}).items()]
    notes = GENERATED if generated else {}
    meta = {"name": name, "creationTimestamp": created, "annotations": notes, "managedFields": fields, **metadata}
    return {"metadata": meta, "type": kind, "data": {key or own.get(kind, ".dockerconfigjson"): b64(content)}}


def account(*names: str, name: str = "default", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "imagePullSecrets": [{"name": each} for each in names], **more}


def pod(
    *own: str,
    name: str = "app",
    image: str = "q.io/team/app:v1",
    says: str = "",
    runs: bool = False,
    policy: str = "IfNotPresent",
    made: bool = False,
    **spec: Any,
) -> dict[str, Any]:
    """`says`: the node's message about the image. `made`: whether `replica_set()` owns the pod."""
    container = {"name": "c", "image": image, "imagePullPolicy": policy}
    waiting = {"waiting": {"reason": "ErrImagePull", "message": says}}
    state = {"running": {"startedAt": "2025-12-01T00:00:00Z"}} if runs else waiting if says else {}
    statuses = [{"name": "c", "state": state, "imageID": "sha256:0" if runs else ""}]
    owners = [{"kind": "ReplicaSet", "name": "web-1", "uid": "uid-of-web-1", "controller": True}] if made else []
    return {
        "metadata": {"name": name, "ownerReferences": owners},
        "spec": {"containers": [container], "imagePullSecrets": [{"name": each} for each in own], **spec},
        "status": {"containerStatuses": statuses},
    }


def deployment(
    *own: str, name: str = "web", image: str = "q.io/team/app:v1", annotations: Any = None, **spec: Any
) -> tuple[Kind, dict[str, Any]]:
    listed = [{"name": each} for each in own]
    template = {"spec": {"containers": [{"name": "c", "image": image}], "imagePullSecrets": listed, **spec}}
    meta = {"name": name, "uid": f"uid-of-{name}", "annotations": annotations or {}}
    return DEPLOYMENT, {"metadata": meta, "spec": {"template": template}}


def replica_set(*own: str, **template: Any) -> tuple[Kind, dict[str, Any]]:
    """The replica set of the deployment `web` with this template."""
    _kind, made = deployment(*own, name="web-1", **template)
    owner = {"kind": "Deployment", "name": "web", "uid": "uid-of-web", "controller": True}
    return WORKLOADS["replicaset"], {**made, "metadata": {**made["metadata"], "ownerReferences": [owner]}}


def binding(name: str, *subjects: Any, role: str = "system:image-puller", namespace: str = "a") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"kind": "ClusterRole", "name": role},
        "subjects": list(subjects),
    }


def stream(name: str = "app", why: str = "", image: str = "q.io/team/app:v1", **spec: Any) -> dict[str, Any]:
    tag = {"name": "v1", "from": {"kind": "DockerImage", "name": image}}
    conditions = [{"type": "ImportSuccess", "status": "False", "message": why}] if why else []
    return {
        "metadata": {"name": name},
        "spec": {"tags": [tag], **spec},
        "status": {"tags": [{"tag": "v1", "conditions": conditions}]},
    }


def place(
    namespace: str = "a",
    *,
    secrets: Iterable[Any] = (),
    accounts: Iterable[Any] | None = None,
    pods: Iterable[Any] = (),
    workloads: Iterable[tuple[Kind, Any]] = (),
    bindings: Sequence[Any] = (),
    streams: Iterable[Any] = (),
    builds: Iterable[Any] = (),
    unread: Mapping[str, str] | None = None,
) -> NamespaceSnapshot:
    """A namespace as read from the cluster's lists. By default it has one account that lists nothing."""
    held = [AuditedSecret.of(namespace, trim.trim_secret(each)) for each in secrets]
    listed = [account()] if accounts is None else list(accounts)
    return NamespaceSnapshot(
        namespace,
        {each.name: each for each in held},
        {each["metadata"]["name"]: each for each in listed},
        [trim.trim_pod(each) for each in pods],
        [(kind, trim.trim_workload(each)) for kind, each in workloads],
        [trim.trim_binding(each) for each in bindings],
        [trim.trim_stream(each) for each in streams],
        [trim.trim_build(each) for each in builds],
        unread or {},
    )


def survey(
    *places: NamespaceSnapshot, config: Any = None, objects: Mapping[ObjectRef, Any] | None = None, **more: Any
) -> ClusterSnapshot:
    """The snapshot of a cluster with these namespaces. `config` is the image config, `objects` are other evidence."""
    by_name = {each.namespace: each for each in places}
    evidence: Lookup = ListedLookup(by_name, more.get("cluster_bindings", ()), has_streams=True)
    of_cluster = {ref: answer for ref, answer in known().items() if not ref.kind.namespaced}
    authorities = dict.fromkeys((PROXY, *bundle_refs(None)))
    evidence.add({**of_cluster, **authorities, IMAGE_CONFIG: config, NODE_SECRET: None, **(objects or {})})
    explained = ContainerExplanations(evidence)
    more = {"now": NOW, **more}
    return ClusterSnapshot(
        by_name, evidence=evidence, accesses={each.namespace: explained.of(each) for each in places}, **more
    )


def found_by(rule: str, seen: NamespaceSnapshot | ClusterSnapshot, **asked: Any) -> list[Finding]:
    """The findings of that rule."""
    whole = seen if isinstance(seen, ClusterSnapshot) else survey(seen)
    audit = Audit(PullAudit(rules=(rule,), **asked), whole)
    assert not [sentence for sentence in audit.unread_sentences() if "internal error" in sentence]
    return audit.findings
