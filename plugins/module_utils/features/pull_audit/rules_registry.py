# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds images that cannot be pulled any more once the integrated registry is removed. Pure.

cluster-image-registry-operator pkg/resource/generator.go (Remove): with managementState Removed, the operator deletes the registry and its storage.
Image streams then resolve tags to their source, whatever their referencePolicy is (openshift-apiserver, dockerImageRepository).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ...core.objects import ObjectRef, as_dict, as_list, as_str, as_strs, metadata
from ...core.text import summarize
from ...explain.lookup import ReadRequired, UnreadableObject
from ...images.image_streams import IMAGE_STREAM
from ...images.references import reference_of
from ...images.registry_sources import IMAGE_CONFIG
from ...platform.cluster import REGISTRY_CONFIG, is_registry_removed
from .findings import Finding
from .survey import BUILD_CONFIG, ClusterSnapshot, NamespaceSnapshot

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
#: The annotation of a generated pull secret that names its token, until 4.15, and the annotation of that token.
_TOKEN, _CREATED_BY = "openshift.io/token-secret.name", "kubernetes.io/created-by"
_CONTROLLER = "openshift.io/create-dockercfg-secrets"
#: Maximum number of tags in a message.
_SHOWN = 5


def find_images_of_removed_registry(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find the images, tags, builds and tokens of the namespace that depend on the registry."""
    if _is_removed(survey):
        yield from _find_images(place, survey)
        yield from _find_tags(place)
        yield from _find_builds(place, survey)
        yield from _find_tokens(place)


def _find_images(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    hosts, is_status_empty = _hosts(survey)
    for access in survey.accesses.get(place.namespace, ()):
        subject, reference = access.subject, reference_of(access.subject.image)
        if reference is None or (subject.is_pod and subject.ref.name in place.templated):
            continue
        if reference.host in hosts:
            text = " of the integrated registry, whose images are deleted with it"
        elif is_status_empty and reference.host.startswith(_DEFAULT_ROUTE):
            text = ", whose host is the default route of an integrated registry: if it is the one of this cluster, its images are deleted with it"
        else:
            continue
        yield Finding(REGISTRY_REMOVED, subject.ref, subject.location, f"{subject.ref} has image {subject.image}{text}")


def _find_tags(place: NamespaceSnapshot) -> Iterator[Finding]:
    """Find image streams whose tags are pulled through the registry."""
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


def _find_builds(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find builds whose output is an image stream without a repository elsewhere."""
    for build in place.builds:
        to = as_dict(as_dict(as_dict(build.get("spec")).get("output")).get("to"))
        namespace, name = as_str(to.get("namespace")) or place.namespace, as_str(to.get("name"))
        if to.get("kind") != "ImageStreamTag" or _is_external(survey.places.get(namespace), name.partition(":")[0]):
            continue
        ref = place.ref_of(BUILD_CONFIG, build)
        message = f"{ref} pushes to image stream tag {namespace}/{name} of the integrated registry: its builds fail without it"
        yield Finding(REGISTRY_REMOVED, ref, "output", message)


def _is_external(place: NamespaceSnapshot | None, name: str) -> bool:
    """Whether an image stream has a repository of another registry."""
    streams = () if place is None else place.streams
    return any(
        metadata(stream).get("name") == name and as_dict(stream.get("spec")).get("dockerImageRepository")
        for stream in streams
    )


def _find_tokens(place: NamespaceSnapshot) -> Iterator[Finding]:
    """Find tokens that something uses, and that the platform deletes together with the generated pull secrets that have them.

    openshift-controller-manager cleanup_controller.go. Uses outside the cluster cannot be seen.
    """
    users: dict[str, ObjectRef] = {}
    for ref, name in place.mounting():
        users.setdefault(name, ref)
    for secret in place.secrets.values():
        token = place.secrets.get(as_str(as_dict(metadata(secret.obj).get("annotations")).get(_TOKEN)))
        if token is None or token.name not in users:
            continue
        if as_dict(metadata(token.obj).get("annotations")).get(_CREATED_BY) == _CONTROLLER:
            message = (
                f"{token.ref}, which {users[token.name]} uses, is deleted together with the generated pull secret {secret.name}, as soon as no "
                "pod lists that"
            )
            yield Finding(REGISTRY_REMOVED, token.ref, "", message)


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
