# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For an image of the integrated registry: whether the account is allowed to pull from the project, and whether the image exists. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...core.objects import Json, ObjectRef, as_dict, as_list, as_str
from ...images.image_streams import IMAGE_STREAM, origin_of, tag_of, why_image_missing
from ...images.references import Reference, reference_of
from ...images.registry_sources import IMAGE_CONFIG
from ...rbac.access_reviews import pull_review
from .. import fixes
from ..credentials import Credentials
from ..lookup import Lookup, require_all, try_lookup
from ..subjects import ContainerPull
from ..verdict import StepResult, failure, info, unknown
from .imports import why_not_imported
from .mirrors import mirrors_of

__all__ = ["explain_project", "has_internal_name"]

#: The name of the integrated registry, if the image config has no other.
_HOSTS = (
    "image-registry.openshift-image-registry.svc:5000",
    "image-registry.openshift-image-registry.svc.cluster.local:5000",
)


def explain_project(
    subject: ContainerPull, reference: Reference, credentials: Credentials, evidence: Lookup
) -> Iterator[StepResult]:
    """Yield the results for the integrated registry, and nothing for an image of another registry."""
    if not _is_integrated(reference, credentials, evidence):
        return
    name, _slash, stream = reference.path.partition("/")
    review = pull_review(name, subject.namespace, subject.account)
    image = ObjectRef(IMAGE_STREAM, name, stream)
    require_all(evidence, (review, image))
    has_streams = try_lookup(evidence, image)[0] != {}
    yield _explain_right(subject, review, evidence, has_streams=has_streams)
    yield _explain_stream(image, reference, evidence, _hosts(credentials, evidence))


def has_internal_name(reference: Reference, credentials: Credentials, evidence: Lookup) -> bool:
    """Whether the image is one of an image stream, by the name of the registry inside the cluster."""
    return _is_integrated(reference, credentials, evidence) and reference.host not in _routes(evidence)


def _is_integrated(reference: Reference, credentials: Credentials, evidence: Lookup) -> bool:
    return bool(reference.path.partition("/")[2]) and reference.host in _hosts(credentials, evidence)


def _explain_right(subject: ContainerPull, review: ObjectRef, evidence: Lookup, *, has_streams: bool) -> StepResult:
    """Whether the account has the right. Without image streams, the cluster is not OpenShift, and a grant has no effect."""
    answer, unread = try_lookup(evidence, review)
    project = review.namespace
    if unread:
        return unknown("project", f"whether {subject.account_ref} may pull from {project} is not known: {unread}")
    if as_dict(answer).get("allowed") is True:
        return info("project", f"{subject.account_ref} may pull from project {project}")
    reason = f"{subject.account_ref} may not pull from project {project}"
    if not has_streams:
        return failure("project", f"{reason}: the cluster has no image streams, and so no internal registry")
    return failure("project", reason, fixes.grant(project, subject.namespace, subject.account))


def _explain_stream(ref: ObjectRef, reference: Reference, evidence: Lookup, hosts: Sequence[str]) -> StepResult:
    """Whether the registry has the image."""
    stream, unread = try_lookup(evidence, ref)
    if unread:
        return unknown("stream", f"whether {ref} has the image is not known: {unread}")
    if stream == {}:
        reason = f"whether {ref} has the image is not known: the cluster has no image streams"
        return info("stream", reason, ok=None)
    tag = tag_of(ref, as_dict(stream), reference.tag or "latest")
    if not (reference.digest or tag.image) and tag.problem:
        reason, fix = why_not_imported(tag, evidence)
        return failure("stream", reason, fix)
    if why := why_image_missing(ref, stream, reference):
        return failure("stream", why)
    if lost := _unreachable_origin(as_dict(stream), reference, evidence, hosts):
        text = f"{ref} has the image, but the nodes do not reach {lost}, from where the registry gets the layers that it has not stored"
        return unknown("stream", f"{text}: whether it has stored them is not known")
    return info("stream", f"{ref} has the image")


def _unreachable_origin(stream: Json, reference: Reference, evidence: Lookup, hosts: Sequence[str]) -> str:
    """The host from which the image was imported, if it and all its mirrors are out of reach. Empty otherwise."""
    origin = reference_of(origin_of(stream, reference))
    if origin is None or origin.host in hosts:
        return ""
    found = mirrors_of(origin, evidence)
    return origin.host if found is not None and origin.host in found.unreachable and not found.mirrors else ""


def _hosts(credentials: Credentials, evidence: Lookup) -> Sequence[str]:
    """The names of the integrated registry: from the image config, and from the keys of the pull secrets that it generates."""
    generated = [key for secret in credentials.in_state("usable") if secret.is_generated for key in secret.keys]
    internal = as_str(_status_of_config(evidence).get("internalRegistryHostname"))
    return [*_HOSTS, *filter(None, [internal, *_routes(evidence)]), *generated]


def _routes(evidence: Lookup) -> Sequence[str]:
    """The names of the integrated registry outside the cluster."""
    return [*map(as_str, as_list(_status_of_config(evidence).get("externalRegistryHostnames")))]


def _status_of_config(evidence: Lookup) -> Json:
    config, _unread = try_lookup(evidence, IMAGE_CONFIG)
    return as_dict(as_dict(config).get("status"))
