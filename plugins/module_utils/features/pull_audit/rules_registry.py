# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds images that cannot be pulled any more once the integrated registry is removed. Pure.

cluster-image-registry-operator pkg/resource/generator.go (Remove): with managementState Removed, the operator deletes the registry and its storage.
Image streams then resolve tags to their source, whatever their referencePolicy is (openshift-apiserver, dockerImageRepository).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ...core.json_types import as_dict, as_list, as_str, as_strs
from ...core.phrases import summarize
from ...explain.lookup import ReadRequired, UnreadableObject
from ...images.image_streams import IMAGE_STREAM
from ...images.references import reference_of
from ...images.registry_sources import IMAGE_CONFIG
from ...platform.cluster import REGISTRY_CONFIG, is_registry_removed
from .findings import Finding
from .survey import ClusterSnapshot, NamespaceSnapshot

__all__ = ["REGISTRY_REMOVED", "find_images_of_removed_registry"]

REGISTRY_REMOVED = "forecast-registry-removed"

#: The names of the registry's service. They do not depend on the image config, which loses them when the registry is removed.
_HOSTS = frozenset(
    {
        "image-registry.openshift-image-registry.svc:5000",
        "image-registry.openshift-image-registry.svc.cluster.local:5000",
    }
)
#: The beginning of the host of the default route, in each cluster. The operator deletes routes and empties the status of the image config.
_DEFAULT_ROUTE = "default-route-openshift-image-registry."
#: Maximum number of tags in a message.
_SHOWN = 5


def find_images_of_removed_registry(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find containers with images of the registry, and image streams whose tags are pulled through it."""
    if not _is_removed(survey):
        return
    hosts, is_status_empty = _hosts(survey)
    for access in survey.accesses.get(place.namespace, ()):
        subject, reference = access.subject, reference_of(access.subject.image)
        if reference is None or (subject.is_pod and subject.ref.name in place.templated):
            continue
        if reference.host in hosts:
            text = " of the integrated registry, whose images are deleted with it"
        elif is_status_empty and reference.host.startswith(_DEFAULT_ROUTE):
            text = (
                ", whose host is the default route of an integrated registry: if it is the one of this cluster, its images are deleted with it"
            )
        else:
            continue
        yield Finding(
            REGISTRY_REMOVED, subject.ref, subject.location, f"{subject.ref} has image {subject.image}{text}"
        )
    for stream in place.streams:
        tags = [
            as_str(tag.get("name"))
            for tag in map(as_dict, as_list(as_dict(stream.get("spec")).get("tags")))
            if _is_local(tag)
        ]
        if tags:
            ref = place.ref_of(IMAGE_STREAM, stream)
            message = (
                f"{ref} has referencePolicy Local for tags {summarize(tags, _SHOWN)}: workloads that use them will pull from the source of the "
                "tag, with logins of their own"
            )
            yield Finding(REGISTRY_REMOVED, ref, "", message)


def _is_local(tag: object) -> bool:
    return as_dict(as_dict(tag).get("referencePolicy")).get("type") == "Local"


def _is_removed(survey: ClusterSnapshot) -> bool:
    try:
        return is_registry_removed(survey.evidence.look(REGISTRY_CONFIG))
    except (ReadRequired, UnreadableObject):
        return False


def _hosts(survey: ClusterSnapshot) -> tuple[Collection[str], bool]:
    """Return the known hosts of the registry, and whether no object names its routes."""
    try:
        config = as_dict(survey.evidence.look(IMAGE_CONFIG))
    except (ReadRequired, UnreadableObject):
        return _HOSTS, True
    spec, status = as_dict(config.get("spec")), as_dict(config.get("status"))
    routes = as_strs(status.get("externalRegistryHostnames"))
    named = as_strs(spec.get("externalRegistryHostnames"))
    return {*_HOSTS, as_str(status.get("internalRegistryHostname")), *routes, *named}, not routes
