# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about image streams, signatures, and images of the integrated registry. Pure.

cluster-image-registry-operator pkg/resource/generator.go (Remove): with managementState Removed, the operator deletes the registry and its storage.
Image streams then resolve tags to their source, whatever their referencePolicy is (openshift-apiserver, dockerImageRepository).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, zip_longest
from typing import TypeVar

from ...core.objects import ObjectRef, as_dict, as_list, as_str, as_strs, metadata
from ...core.text import pluralize, summarize
from ...dockerconfig.registry_keys import kubelet_keys, without_user
from ...explain import fixes
from ...explain.listed_evidence import explanation_key
from ...explain.lookup import Lookup, ReadRequired, UnreadableObject, node_objects_for
from ...explain.snapshot import (
    BUILD_CONFIG,
    AuditedSecret,
    ClusterSnapshot,
    ImageSignature,
    NamespaceSnapshot,
    SignedImage,
)
from ...explain.steps.sources import RegistrySignatures, RequiredSignature, find_signature, required_signature
from ...explain.subjects import ContainerPull
from ...explain.verdict import PULLS, PullVerdict
from ...images.image_streams import IMAGE_STREAM, failed_imports
from ...images.nodes import architectures_of
from ...images.references import Reference, reference_of
from ...images.registry_sources import IMAGE_CONFIG
from ...platform.cluster import REGISTRY_CONFIG, is_registry_removed
from .findings import Finding

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


#: openshift-apiserver pkg/image/apiserver/importer/importer.go.
_REFUSED = re.compile(r"incorrect username or password", re.IGNORECASE)
_NO_LOGIN = re.compile(r"did not have credentials|no basic auth credentials", re.IGNORECASE)


def find_failing_imports(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    for ref, tag, image, why in _failures(place):
        if _REFUSED.search(why):
            continue
        reference = reference_of(image) if image else None
        lacks = reference is not None and _NO_LOGIN.search(why) and not _secrets_for_image(place, reference)
        fix = _create_secret_tasks(ref, reference) if lacks and reference else []
        yield Finding("stream-import-fails", ref, tag, f"tag {tag} of {ref} cannot be imported: {why}", fix)


def find_stale_secrets(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    for ref, tag, image, why in _failures(place):
        if not _REFUSED.search(why):
            continue
        reference = reference_of(image) if image else None
        found = _secrets_for_image(place, reference) if reference else []
        named = summarize([f"secret {secret.name} with key {without_user(key)}" for secret, key in found], _SHOWN)
        uses = "the login of" if len(found) == 1 else "only the first of these logins:"
        which = f" (the import uses {uses} {named})" if found else ""
        fix = [task for secret, key in found for task in fixes.add_registry(place.namespace, secret.name, key)]
        fix += fixes.import_again(place.namespace, ref.name) if fix else []
        message = f"tag {tag} of {ref} cannot be imported: {why}{which}"
        yield Finding("stream-import-stale-secret", ref, tag, message, fix)


def _failures(place: NamespaceSnapshot) -> Iterator[tuple[ObjectRef, str, str, str]]:
    for stream in place.streams:
        ref = ObjectRef(IMAGE_STREAM, place.namespace, as_str(metadata(stream).get("name")))
        for tag, image, why in dict.fromkeys(failed_imports(stream)):
            yield ref, tag, image, why


def _secrets_for_image(place: NamespaceSnapshot, reference: Reference) -> Sequence[tuple[AuditedSecret, str]]:
    """Return the secrets of the namespace with a login for the image. An import uses them even if they are not linked."""
    return [
        (secret, key)
        for secret in place.secrets.values()
        if secret.is_read and not secret.is_generated
        for key in kubelet_keys([login.key for login in secret.logins], reference.repository)
    ]


def _create_secret_tasks(stream: ObjectRef, image: Reference) -> list[fixes.Fix]:
    """Return tasks that write a secret for the import, which needs no link, and import again."""
    written = fixes.import_secret(stream.namespace, image.host, "import")
    return [*written, *fixes.import_again(stream.namespace, stream.name)]


IMAGE_UNSIGNED = "image-unsigned"
#: Maximum number of images whose signatures one audit asks registries for.
MOST_IMAGES = 2000
#: Maximum number of namespaces in a message.
_SHOWN_IMAGES = 10


def find_unsigned_images(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Yield one finding for each image of the namespace that nodes refuse at the next pull."""
    for each in survey.signatures.get(place.namespace, ()):
        image, found = each.image, each.found
        if found is not None and found.fails:
            required = image.required
            others = f" and {pluralize(image.others, 'other object')}" if image.others else ""
            message = f"{required.reference} of {image.user}{others}: {required.requirement}, but {found.said}"
            yield Finding(IMAGE_UNSIGNED, image.user, image.location, message)


def unknown_signatures(survey: ClusterSnapshot) -> Iterator[str]:
    """Yield a sentence for the images that were not asked for, and one for those without a usable answer."""
    every = [(namespace, each) for namespace, found in survey.signatures.items() for each in found]
    left_out = [(namespace, each) for namespace, each in every if each.found is None]
    if left_out:
        yield (
            f"{_begin(left_out)}: one audit asks for {MOST_IMAGES:,} images, and shares them evenly among the namespaces. Audit these "
            "namespaces in a run of their own"
        )
    unknown = [(namespace, each) for namespace, each in every if _is_unknown(each)]
    if unknown:
        _namespace, first = unknown[0]
        why = "" if first.found is None else first.found.said
        yield f"{_begin(unknown)}. For {first.image.required.reference}: {why}"


def _is_unknown(each: ImageSignature) -> bool:
    return each.found is not None and each.found.fails is None


def _begin(found: Sequence[tuple[str, ImageSignature]]) -> str:
    namespaces = list(dict.fromkeys(namespace for namespace, _each in found))
    count = pluralize(len(found), "image")
    noun = "namespace" if len(namespaces) == 1 else "namespaces"
    verb = "has" if len(found) == 1 else "have"
    return f"whether {count} of {noun} {summarize(namespaces, _SHOWN_IMAGES)} {verb} the signature that a policy requires is not known"


_Item = TypeVar("_Item")


def signed_images(accesses: Sequence[PullVerdict], evidence: Lookup) -> list[SignedImage]:
    """Return the images of a namespace that need a signature, each once, sorted by name.

    :raises ReadRequired: when more objects have to be read first.
    """
    same: dict[str, list[tuple[PullVerdict, RequiredSignature]]] = defaultdict(list)
    known: dict[Hashable, RequiredSignature | None] = {}
    for access in accesses:
        key = explanation_key(access.subject)  # many pods are equal
        if key not in known:
            known[key] = required_signature(access.subject, evidence)
        if required := known[key]:
            same[str(required.reference)].append((access, replace(required, subject=access.subject)))
    return [_signed_image(same[name], evidence) for name in sorted(same)]


def _signed_image(found: Sequence[tuple[PullVerdict, RequiredSignature]], evidence: Lookup) -> SignedImage:
    """A workload represents its pods. Containers that can pull are asked for first: their login probably works."""
    subjects = sorted((access.subject for access, _required in found), key=_order)
    users = list(dict.fromkeys(subject.ref for subject in subjects))
    by_architecture: dict[Sequence[str], RequiredSignature] = {}
    for access, required in sorted(found, key=lambda each: (each[0].verdict != PULLS, _order(each[0].subject))):
        nodes, _unread = node_objects_for(access.subject, evidence)
        by_architecture.setdefault(tuple(architectures_of(nodes)), required)
    # A template can run on any node. Its pods show on which nodes it does.
    asked = [each for each in by_architecture.values() if each.subject.node] or list(by_architecture.values())
    return SignedImage(subjects[0].ref, subjects[0].location, len(users) - 1, asked)


def _order(subject: ContainerPull) -> tuple[bool, str, str, str]:
    return subject.is_pod, subject.ref.kind.kind, subject.ref.name, subject.location


def share_evenly(wanted: Mapping[str, Sequence[_Item]], most: int) -> list[tuple[str, _Item]]:
    """Return up to `most` items with their namespaces: the first item of each namespace, then the second of each, and so on.

    So a namespace with many items takes none from a namespace with few.
    """
    return list(islice(_in_rounds(wanted), most))


def _in_rounds(wanted: Mapping[str, Sequence[_Item]]) -> Iterator[tuple[str, _Item]]:
    some = {namespace: items for namespace, items in wanted.items() if items}
    for items in zip_longest(*some.values()):
        yield from ((namespace, item) for namespace, item in zip(some, items, strict=True) if item is not None)


def answer_of(image: SignedImage, evidence: Lookup) -> RegistrySignatures:
    """Return whether nodes refuse the image: it needs a signature on each architecture that its nodes have.

    :raises ReadRequired: when a registry has to be asked first.
    """
    found = [find_signature(each, evidence) for each in image.asked]
    refused = next((each for each in found if each.fails), None)
    return refused or next((each for each in found if each.fails is None), found[0])
