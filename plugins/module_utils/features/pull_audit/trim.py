# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trims objects to the parts that the rules use, because an audit holds all objects of a cluster in memory. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from ...core.objects import Json, as_dict, as_list, as_str, metadata, pick
from ...explain.subjects import CONTAINERS, STATUSES, template_of, trim_token_volumes
from ...explain.workload_pods import REVISION_LABELS, TEMPLATE_GENERATION
from ...images.nodes import trim_placement
from ...secrets.content import TYPES, can_be_auth_file

__all__ = [
    "MATCHES",
    "MOUNTS",
    "Search",
    "trim_binding",
    "trim_build",
    "trim_pod",
    "trim_secret",
    "trim_stream",
    "trim_to_name",
    "trim_workload",
]

#: The members of a trimmed object for the secrets that its containers use in addition to pull secrets, and for matches of a search.
MOUNTS, MATCHES = "mounts", "matches"

#: Returns the places of the searched credential in a secret.
Search = Callable[[Json], Sequence[Any]]

_META = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def trim_pod(pod: Json) -> Json:
    """Keep the containers, their states, the volumes of images and tokens, the lists of secrets and the references to other secrets."""
    spec, status = as_dict(pod.get("spec")), as_dict(pod.get("status"))
    states: dict[str, Any] = {
        part: [pick(as_dict(each), "name", "state", "imageID") for each in as_list(status.get(part))]
        for part in STATUSES
    }
    return {
        "metadata": {**_meta(pod), "labels": pick(as_dict(metadata(pod).get("labels")), *REVISION_LABELS)},
        "spec": {**_pod_spec(spec, trim_token_volumes(spec)), **pick(spec, "nodeName")},
        "status": {**pick(status, "phase"), **states},
        MOUNTS: sorted(set(_mounted_secrets(spec))),
    }


def trim_workload(workload: Json) -> Json:
    """Trim an object of any kind that creates pods from a template."""
    spec, status = as_dict(workload.get("spec")), as_dict(workload.get("status"))
    job = as_dict(as_dict(spec.get("jobTemplate")).get("spec"))
    template = template_of(workload)
    kept = {
        "metadata": pick(_meta(template), "annotations"),
        "spec": _pod_spec(as_dict(template.get("spec"))),
    }
    return {
        "metadata": _meta(workload),
        "spec": {
            **pick(spec, "triggers"),
            **({"jobTemplate": {"spec": {"template": kept}}} if job else {"template": kept}),
        },
        "status": pick(status, "completionTime", "updateRevision"),
        MOUNTS: sorted(set(_mounted_secrets(as_dict(template.get("spec"))))),
    }


def trim_secret(secret: Json, search: Search | None = None) -> Json:
    """Keep the data only if it may be an auth file, and `managedFields` only of the managers that wrote the data."""
    meta = metadata(secret)
    kept: dict[str, Any] = {
        "metadata": {
            **pick(meta, *_META, "ownerReferences"),
            "annotations": {
                key: value for key, value in as_dict(meta.get("annotations")).items() if key != _LAST_APPLIED
            },
            "managedFields": [
                {**pick(as_dict(each), "manager", "time"), "fieldsV1": {"f:data": {}}}
                for each in as_list(meta.get("managedFields"))
                if "f:data" in as_dict(as_dict(each).get("fieldsV1"))
            ],
        },
        "type": secret.get("type"),
    }
    if kept["type"] in TYPES or can_be_auth_file(secret.get("data")):
        kept["data"] = secret.get("data")
    if search is not None:
        kept[MATCHES] = search(secret)
    return kept


def trim_binding(binding: Json) -> Json:
    """Keep the role, the subjects and the metadata of a role binding."""
    meta = metadata(binding)
    return {**pick(binding, "roleRef", "subjects"), "metadata": pick(meta, *_META, "labels", "annotations")}


def trim_stream(stream: Json) -> Json:
    """Keep the tags with their sources, conditions and images, the lookup policy and the external repository of an image stream."""
    spec, status = as_dict(stream.get("spec")), as_dict(stream.get("status"))
    tags = [
        {
            **pick(tag, "tag", "conditions"),
            "items": [pick(as_dict(item), "image", "dockerImageReference") for item in as_list(tag.get("items"))],
        }
        for tag in map(as_dict, as_list(status.get("tags")))
    ]
    wanted = [
        pick(as_dict(tag), "name", "from", "referencePolicy", "importPolicy", "reference")
        for tag in as_list(spec.get("tags"))
    ]
    return {
        "metadata": _meta(stream),
        "spec": {**pick(spec, "lookupPolicy", "dockerImageRepository"), "tags": wanted},
        "status": {**pick(status, "dockerImageRepository"), "tags": tags},
    }


def trim_build(build: Json) -> Json:
    """Keep the names of the secrets that the builds of a build config use, and their output."""
    output = as_dict(as_dict(build.get("spec")).get("output"))
    return {
        "metadata": _meta(build),
        "spec": {"output": {"to": pick(as_dict(output.get("to")), "kind", "namespace", "name")}},
        MOUNTS: sorted(set(_secret_names(build.get("spec")))),
    }


def trim_to_name(obj: Json) -> Json:
    """Keep the name and namespace of an object whose existence is enough."""
    return {"metadata": pick(metadata(obj), "name", "namespace")}


def _meta(obj: Json) -> dict[str, Any]:
    meta = metadata(obj)
    annotations = as_dict(meta.get("annotations"))
    notes = {key: value for key, value in annotations.items() if "image" in key or key == TEMPLATE_GENERATION}
    owners = [pick(as_dict(each), "kind", "name", "controller", "uid") for each in as_list(meta.get("ownerReferences"))]
    return {**pick(meta, *_META), "annotations": notes, "ownerReferences": owners}


def _pod_spec(spec: Json, more_volumes: Iterable[Json] = ()) -> dict[str, Any]:
    volumes: list[Json] = [
        pick(each, "name", "image") for each in map(as_dict, as_list(spec.get("volumes"))) if "image" in each
    ]
    names = {as_str(each.get("name")) for each in volumes}
    volumes += more_volumes
    containers: dict[str, Any] = {
        part: [_container(as_dict(each), names) for each in as_list(spec[part])] for part in CONTAINERS if part in spec
    }
    kept = pick(spec, "serviceAccountName", "serviceAccount", "imagePullSecrets")
    return {**kept, **trim_placement(spec), **containers, **({"volumes": volumes} if volumes else {})}


def _container(container: Json, volumes: Collection[str]) -> dict[str, Any]:
    """Keep the mounts of these volumes only: most containers have none."""
    every = [as_str(as_dict(mount).get("name")) for mount in as_list(container.get("volumeMounts"))] if volumes else []
    mounts = [{"name": name} for name in every if name in volumes]
    return {**pick(container, "name", "image", "imagePullPolicy"), **({"volumeMounts": mounts} if mounts else {})}


def _mounted_secrets(spec: Json) -> Iterator[str]:
    """Yield the names of the secrets in volumes and environment variables."""
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
    """Yield the names in every member of a build whose own name contains "secret"."""
    pending = [("", spec)]
    while pending:
        name, part = pending.pop()
        if isinstance(part, dict):
            if "secret" in name.lower():
                yield as_str(part.get("name")) or as_str(part.get("secretName"))
            pending += part.items()
        elif isinstance(part, list):
            pending += [(name, each) for each in part]
