# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers and cluster evidence for tests of pull explanations."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    NAMESPACE,
    POD,
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.chain import explain
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import WORKLOADS, ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import CRIO_PROVIDER
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    KUBEADM_SETTINGS,
    KUBELET_CONFIGS,
    NODES,
    POOLS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    CLUSTER_POLICIES,
    IMAGE_POLICY,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    MIRROR_KINDS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import (
    CLUSTER_VERSION,
    INFRASTRUCTURE,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET

from support.objects import b64

IMAGE = "q.io/team/app:v1"
AUTH = {"auth": b64(b"u:p")}
GENERATED = {"annotations": {"openshift.io/internal-registry-auth-token.service-account": "default"}}
BACK_OFF = 'Back-off pulling image "q.io/team/app:v1": ErrImagePull: {}'
DIGEST_SETS, TAG_SETS, OLD_SETS = MIRROR_KINDS
REFUSED = ImagePullError("the caller may not read it")


def secret(auths: Any, kind: str = "kubernetes.io/dockerconfigjson", **metadata: Any) -> dict[str, Any]:
    content = b64(json.dumps({"auths": auths}))
    return {"metadata": metadata, "type": kind, "data": {".dockerconfigjson": content}}


GOOD = secret({"q.io": AUTH})
#: `IMAGE` at the mirror `m.io/z` of its registry.
MIRROR_IMAGE = "m.io/z/team/app:v1"


def mirrored(*mirrors: str, source: str = "q.io", only: bool = False) -> dict[ObjectRef, Any]:
    """The evidence of mirrors for pulls by tag, by default `m.io/z`. `only`: the source is never contacted."""
    policy = "NeverContactSource" if only else "AllowContactingSource"
    item = {"source": source, "mirrors": [*mirrors] or ["m.io/z"], "mirrorSourcePolicy": policy}
    return {ObjectRef(TAG_SETS, "", ""): {"items": [{"metadata": {"name": "m"}, "spec": {"imageTagMirrors": [item]}}]}}


def mirror_says(text: str, mirror: str = MIRROR_IMAGE) -> str:
    """The error of a node at a mirror, if the source is unreachable."""
    down = "pinging container registry q.io: dial tcp: lookup q.io: no such host"
    return f"(Mirrors also failed: [{mirror}: {text}]): {IMAGE}: {down}"


def account(*names: str) -> dict[str, Any]:
    return {"imagePullSecrets": [{"name": name} for name in names]}


def pod(*own: str, says: str = "", image: str = IMAGE, pulled: bool = False, **more: Any) -> ContainerPull:
    reason, message = ("ImagePullBackOff", BACK_OFF.format(says)) if says else ("", "")
    subject = ContainerPull(ObjectRef(POD, "ns", "p"), "default", own, "app", image, True, reason, message, pulled)
    return replace(subject, **more)


def template(*own: str, image: str = IMAGE, **more: Any) -> ContainerPull:
    return replace(ContainerPull(ObjectRef(WORKLOADS["deployment"], "ns", "d"), "default", own, "app", image), **more)


def known(default: Any = None, more: dict[ObjectRef, Any] | None = None, **secrets: Any) -> dict[ObjectRef, Any]:
    """The evidence of a cluster without mirrors. Each secret is in namespace `ns`. Images can be in project `b`. `default` is the account's list."""
    base: dict[ObjectRef, Any] = {ObjectRef(kind, "", ""): {"items": []} for kind in MIRROR_KINDS}
    base |= {IMAGE_CONFIG: None, NODE_SECRET: None, CLUSTER_VERSION: None, NODES: {"items": []}}
    base[ObjectRef(NAMESPACE, "", "b")] = {}
    base |= {CLUSTER_POLICIES: None, ObjectRef(IMAGE_POLICY, "ns", ""): None, INFRASTRUCTURE: None}
    base |= dict.fromkeys([*CRIO_PROVIDER, POOLS, KUBELET_CONFIGS, KUBEADM_SETTINGS])
    base[ObjectRef(SERVICE_ACCOUNT, "ns", "default")] = account() if default is None else default
    named = [
        {**each, "metadata": {**each["metadata"], "name": name}}
        for name, each in secrets.items()
        if isinstance(each, dict)
    ]
    base[ObjectRef(SECRET, "ns", "")] = {"items": named}
    return {**base, **{ObjectRef(SECRET, "ns", name): each for name, each in secrets.items()}, **(more or {})}


def told(subject: ContainerPull, evidence: dict[ObjectRef, Any]) -> PullVerdict:
    return explain(subject, Lookup(evidence))


def summary(found: PullVerdict) -> tuple[str, str]:
    return found.verdict, found.reason


def steps(found: PullVerdict, *names: str) -> list[tuple[str, str, bool | None]]:
    """The results of these steps, or of all steps."""
    return [(step.name, step.seen, step.ok) for step in found.steps if not names or step.name in names]


def at(second: int) -> str:
    """A time, given in seconds since a fixed moment."""
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=second)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def changed(second: int | None, stored: dict[str, Any] | None = None) -> dict[str, Any]:
    """A secret whose content was changed at that time."""
    stored = GOOD if stored is None else stored
    if second is None:
        return stored
    written = [{"manager": "m", "time": at(second), "fieldsV1": {"f:data": {}, "f:type": {}}}]
    return {**stored, "metadata": {**stored["metadata"], "managedFields": written}}


def event(reason: str, message: str, second: int, pod: str = "p") -> dict[str, Any]:
    about = {"kind": "Pod", "name": pod, "fieldPath": "spec.containers{app}"}
    return {"involvedObject": about, "reason": reason, "message": message, "lastTimestamp": at(second)}


def pulling(second: int, pod: str = "p") -> dict[str, Any]:
    return event("Pulling", f'Pulling image "{IMAGE}"', second, pod)


def openshift(version: Any, *search: str) -> dict[ObjectRef, Any]:
    """The evidence of a cluster of that version, with search registries."""
    config = {"spec": {"registrySources": {"containerRuntimeSearchRegistries": [*search]}}}
    return {CLUSTER_VERSION: {"status": {"desired": {"version": version}}}, IMAGE_CONFIG: config}


def node(name: str = "n", runtime: str = "cri-o://1.34.1", kubelet: str = "v1.34.2") -> dict[str, Any]:
    info = {"containerRuntimeVersion": runtime, "kubeletVersion": kubelet}
    return {"metadata": {"name": name}, "status": {"nodeInfo": info, "images": []}}


DIGEST = "sha256:" + "0" * 64


def failed(message: Any, reason: str = "InternalError") -> dict[str, Any]:
    """The condition of a failed import."""
    return {"type": "ImportSuccess", "status": "False", "message": message, "reason": reason}


def stream(
    *conditions: dict[str, Any],
    policy: str = "Source",
    repository: str = "r.svc:5000/b/app",
    has_image: bool = True,
    scheduled: bool = False,
    local: bool = False,
) -> dict[str, Any]:
    """The image stream b/app, whose tag v1 is quay.io/team/app:v1."""
    image = {"image": DIGEST, "dockerImageReference": f"quay.io/team/app@{DIGEST}"}
    origin = {"kind": "DockerImage", "name": "quay.io/team/app:v1"}
    tag = {"name": "v1", "from": origin, "referencePolicy": {"type": policy}, "importPolicy": {"scheduled": scheduled}}
    had = {"tag": "v1", "items": [image] if has_image else None, "conditions": [*conditions]}
    return {
        "metadata": {"name": "app", "namespace": "b"},
        "spec": {"tags": [tag], "lookupPolicy": {"local": local}},
        "status": {"dockerImageRepository": repository, "tags": [had]},
    }
