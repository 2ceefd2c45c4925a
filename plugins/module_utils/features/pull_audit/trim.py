# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit keeps of each object: it holds all of a cluster at once, so no more than the rules look at. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...core.json_types import as_dict, as_list, as_str
from ...core.objects import Json, metadata, only
from ...explain.subjects import CONTAINERS, STATUSES, template_of
from ...explain.workload_pods import REVISION_LABELS, TEMPLATE_GENERATION
from ...secrets.content import TYPES, may_be_auth_file

__all__ = [
    "MATCHES",
    "MOUNTS",
    "Search",
    "kept_binding",
    "kept_build",
    "kept_name",
    "kept_pod",
    "kept_secret",
    "kept_stream",
    "kept_workload",
]

#: Where a kept object says which secrets its containers take beside the pull secrets, and where a searched credential stands.
MOUNTS, MATCHES = "mounts", "matches"

#: Says where in a secret a credential stands that is searched for.
Search = Callable[[Json], Sequence[Any]]

_META = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def kept_pod(pod: Json) -> Json:
    spec, status = as_dict(pod.get("spec")), as_dict(pod.get("status"))
    states: dict[str, Any] = {
        part: [only(as_dict(each), "name", "state", "imageID") for each in as_list(status.get(part))]
        for part in STATUSES
    }
    return {
        "metadata": {**_meta(pod), "labels": only(as_dict(metadata(pod).get("labels")), *REVISION_LABELS)},
        "spec": {**_pod_spec(spec), **only(spec, "nodeName")},
        "status": {**only(status, "phase"), **states},
        MOUNTS: sorted(set(_mounted(spec))),
    }


def kept_workload(workload: Json) -> Json:
    """Of each kind that makes pods of a template."""
    spec, status = as_dict(workload.get("spec")), as_dict(workload.get("status"))
    job = as_dict(as_dict(spec.get("jobTemplate")).get("spec"))
    template = template_of(workload)
    kept = {
        "metadata": only(_meta(template), "annotations"),
        "spec": _pod_spec(as_dict(template.get("spec"))),
    }
    return {
        "metadata": _meta(workload),
        "spec": {
            **only(spec, "triggers"),
            **({"jobTemplate": {"spec": {"template": kept}}} if job else {"template": kept}),
        },
        "status": only(status, "completionTime", "updateRevision"),
        MOUNTS: sorted(set(_mounted(as_dict(template.get("spec"))))),
    }


def kept_secret(secret: Json, search: Search | None = None) -> Json:
    """With data only where it may be an auth file; `managedFields` only of who wrote the data."""
    meta = metadata(secret)
    kept: dict[str, Any] = {
        "metadata": {
            **only(meta, *_META, "ownerReferences"),
            "annotations": {
                key: value for key, value in as_dict(meta.get("annotations")).items() if key != _LAST_APPLIED
            },
            "managedFields": [
                {**only(as_dict(each), "manager", "time"), "fieldsV1": {"f:data": {}}}
                for each in as_list(meta.get("managedFields"))
                if "f:data" in as_dict(as_dict(each).get("fieldsV1"))
            ],
        },
        "type": secret.get("type"),
    }
    if kept["type"] in TYPES or may_be_auth_file(secret.get("data")):
        kept["data"] = secret.get("data")
    if search is not None:
        kept[MATCHES] = search(secret)
    return kept


def kept_binding(binding: Json) -> Json:
    meta = metadata(binding)
    return {**only(binding, "roleRef", "subjects"), "metadata": only(meta, *_META, "labels", "annotations")}


def kept_stream(stream: Json) -> Json:
    spec, status = as_dict(stream.get("spec")), as_dict(stream.get("status"))
    tags = [
        {
            **only(tag, "tag", "conditions"),
            "items": [only(as_dict(item), "image", "dockerImageReference") for item in as_list(tag.get("items"))],
        }
        for tag in map(as_dict, as_list(status.get("tags")))
    ]
    wanted = [
        only(as_dict(tag), "name", "from", "referencePolicy", "importPolicy", "reference")
        for tag in as_list(spec.get("tags"))
    ]
    return {
        "metadata": _meta(stream),
        "spec": {**only(spec, "lookupPolicy"), "tags": wanted},
        "status": {**only(status, "dockerImageRepository"), "tags": tags},
    }


def kept_build(build: Json) -> Json:
    """Of a build config, the names of the secrets that its builds take."""
    return {"metadata": _meta(build), MOUNTS: sorted(set(_secret_names(build.get("spec"))))}


def kept_name(obj: Json) -> Json:
    """For what is only looked for."""
    return {"metadata": only(metadata(obj), "name", "namespace")}


def _meta(obj: Json) -> dict[str, Any]:
    meta = metadata(obj)
    annotations = as_dict(meta.get("annotations"))
    notes = {key: value for key, value in annotations.items() if "image" in key or key == TEMPLATE_GENERATION}
    owners = [only(as_dict(each), "kind", "name", "controller", "uid") for each in as_list(meta.get("ownerReferences"))]
    return {**only(meta, *_META), "annotations": notes, "ownerReferences": owners}


def _pod_spec(spec: Json) -> dict[str, Any]:
    containers: dict[str, Any] = {
        part: [only(as_dict(each), "name", "image", "imagePullPolicy") for each in as_list(spec[part])]
        for part in CONTAINERS
        if part in spec
    }
    return {**only(spec, "serviceAccountName", "serviceAccount", "imagePullSecrets"), **containers}


def _mounted(spec: Json) -> Iterator[str]:
    """The secrets of volumes and of environment variables."""
    for volume in map(as_dict, as_list(spec.get("volumes"))):
        yield as_str(as_dict(volume.get("secret")).get("secretName"))
        for source in map(as_dict, as_list(as_dict(volume.get("projected")).get("sources"))):
            yield as_str(as_dict(source.get("secret")).get("name"))
    for part in CONTAINERS:
        for container in map(as_dict, as_list(spec.get(part))):
            for variable in map(as_dict, as_list(container.get("env"))):
                yield as_str(as_dict(as_dict(variable.get("valueFrom")).get("secretKeyRef")).get("name"))
            for source in map(as_dict, as_list(container.get("envFrom"))):
                yield as_str(as_dict(source.get("secretRef")).get("name"))


def _secret_names(spec: Any) -> Iterator[str]:
    """The names under every member of a build that is called after a secret."""
    pending = [("", spec)]
    while pending:
        name, part = pending.pop()
        if isinstance(part, dict):
            if "secret" in name.lower():
                yield as_str(part.get("name")) or as_str(part.get("secretName"))
            pending += part.items()
        elif isinstance(part, list):
            pending += [(name, each) for each in part]
