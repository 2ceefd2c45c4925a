# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which image a container gets from an image stream, whether the integrated registry has it, and whether the account may pull it. Pure.

An import uses the first matching entry of all pull secrets in the stream's project, linked or not
(openshift-apiserver pkg/image/apiserver/importer).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...core.objects import NAMESPACE, SECRET, Json, ObjectRef, as_dict, as_list, as_str, metadata
from ...dockerconfig.registry_keys import without_user
from ...images.image_streams import IMAGE_STREAM, StreamTag, is_looked_up, origin_of, tag_of, why_image_missing
from ...images.references import Reference, reference_of
from ...images.registry_sources import IMAGE_CONFIG
from ...rbac.subjects import pull_review
from .. import fixes
from ..credentials import Credentials, logins_of, secret_status
from ..fixes import Fix
from ..lookup import Lookup, items_of, require_all, try_lookup
from ..subjects import ContainerPull, StreamSource
from ..verdict import StepResult, failure, info, unknown
from .mirrors import find_lost, mirrors_of


def why_not_imported(tag: StreamTag, evidence: Lookup) -> tuple[str, Sequence[Fix]]:
    """Return the reason why a tag has no image, and the fix that gives the import a login.

    :raises ReadRequired: when the secrets of the project have to be read first.
    """
    if not tag.problem:
        return f"{tag} has no image: build or import it, or correct the tag", []
    begin, project = f"{tag} was never imported: {tag.problem}", tag.stream.namespace
    again = _import_advice(tag)
    if tag.source is None or not tag.meaning:
        return f"{begin}. Fix that in project {project}. {again}", []
    listed, unread = try_lookup(evidence, ObjectRef(SECRET, project, ""))
    which, fix = _explain_secrets(project, tag.source, listed, unread)
    repeated = [] if tag.is_scheduled else fixes.import_again(project, tag.stream.name)
    said = f"{begin}. The import uses all pull secrets of project {project}, linked or not: {which}. {again}"
    return said, [*fix, *repeated]


def _explain_secrets(project: str, source: Reference, listed: Json | None, unread: str) -> tuple[str, Sequence[Fix]]:
    if unread:
        because = f"whether one of them is for {source.repository} is not known: {unread}"
        return because, fixes.import_secret(project, source.host)
    secrets = [secret_status(as_str(metadata(each).get("name")), each) for each in items_of(listed)]
    found = logins_of([secret for secret in secrets if secret.state == "usable"], source.repository)
    if not found:
        return f"none of them is for {source.repository}", fixes.import_secret(project, source.host)
    first = found[0]
    fix = fixes.add_registry(project, first.secret, first.key)
    return f"secret {first.secret} has the key {without_user(first.key)}, and its login does not give the image", fix


def _import_advice(tag: StreamTag) -> str:
    if tag.is_scheduled:
        return "The cluster repeats the import every 15 minutes"
    return "Then import it again with image_stream_import, because the cluster does not repeat the import"


@dataclass(frozen=True)
class StreamImage:
    """The image to trace further, and the results of the step."""

    image: str
    seen: Sequence[StepResult] = ()

    @property
    def is_closed(self) -> bool:
        """Whether there is no image to trace further."""
        return any(seen.verdict for seen in self.seen) and reference_of(self.image) is None


def resolve_image(subject: ContainerPull, evidence: Lookup, *, has_failed: bool = False) -> StreamImage:
    """Return the image of the stream tag if there is one, otherwise the image in the pod. `has_failed`: a node has tried to pull that.

    OpenShift does not resolve the names of image streams in volumes (its admission imagepolicy, podSpecV1Mutator).

    :raises ReadRequired: when the stream has to be read first.
    """
    if subject.volume:
        return StreamImage(subject.image)
    if subject.source is not None:
        return _image_from_trigger(subject, subject.source, evidence)
    reference = reference_of(subject.image)
    if reference is None or not reference.is_short or reference.digest:
        return StreamImage(subject.image)
    ref = _stream_of(subject, reference)
    return (
        StreamImage(subject.image)
        if ref is None
        else _image_from_name(subject, ref, reference, evidence, has_failed=has_failed)
    )


def _image_from_trigger(subject: ContainerPull, source: StreamSource, evidence: Lookup) -> StreamImage:
    """The image in the template is the last one that the trigger wrote, or a placeholder until it does."""
    stream, unread = try_lookup(evidence, source.stream)
    named = reference_of(subject.image)
    is_placeholder = named is None or named.is_short
    about = f"the image is set from tag {source.tag} of {source.stream}"
    if unread or stream == {}:
        why = unread or "the cluster has no image streams"
        seen = (unknown if is_placeholder else _inform)("stream", f"{about}, but its content is not known: {why}")
        return StreamImage(subject.image, [seen])
    if stream is None:
        return StreamImage(
            subject.image, [_explain_missing(f"{about}, which does not exist", is_placeholder=is_placeholder)]
        )
    tag = tag_of(source.stream, stream, source.tag)
    if not tag.image:
        reason, fix = why_not_imported(tag, evidence)
        return StreamImage(subject.image, [_explain_missing(f"{about}: {reason}", fix, is_placeholder=is_placeholder)])
    if is_placeholder and source.is_paused:
        text = f"{about}, but its trigger is paused, so the container keeps {subject.image!r}"
        return StreamImage(subject.image, [failure("stream", text)])
    followed = tag.image if is_placeholder else subject.image
    return StreamImage(followed, [info("stream", f"{about}, which is {tag.image}"), *_last_import(tag)])


def _image_from_name(
    subject: ContainerPull, ref: ObjectRef, reference: Reference, evidence: Lookup, *, has_failed: bool
) -> StreamImage:
    """A name without a registry may be that of an image stream, which is resolved when the pod or workload is created."""
    stream, unread = try_lookup(evidence, ref)
    if unread:
        return StreamImage(subject.image, [info("stream", f"whether {ref} is meant is not known: {unread}", ok=None)])
    if not stream:
        return StreamImage(subject.image)
    if not (is_looked_up(stream) or subject.resolves_names):
        return StreamImage(subject.image, [_explain_no_lookup(subject, ref, has_failed=has_failed)])
    if subject.is_pod:
        text = f"the name is that of {ref}, but it was not resolved when the pod was created: delete the pod, so that it is resolved for the next one"
        return StreamImage(subject.image, [failure("stream", text) if has_failed else info("stream", text, ok=None)])
    return _image_from_tag(subject, ref, stream, reference.tag or "latest", evidence)


def _image_from_tag(subject: ContainerPull, ref: ObjectRef, stream: Json, name: str, evidence: Lookup) -> StreamImage:
    tag = tag_of(ref, stream, name)
    if tag.image:
        return StreamImage(
            tag.image, [info("stream", f"the name refers to {tag}, which is {tag.image}"), *_last_import(tag)]
        )
    reason, fix = why_not_imported(tag, evidence)
    return StreamImage(subject.image, [failure("stream", f"the name refers to {tag}: {reason}", fix)])


def _stream_of(subject: ContainerPull, reference: Reference) -> ObjectRef | None:
    """The stream of that name: in the pod's project, or in the project before the slash if names are resolved there, too."""
    path = reference.path.removeprefix("library/") if "/" not in subject.image else reference.path
    first, slash, rest = path.partition("/")
    if not slash:
        return ObjectRef(IMAGE_STREAM, subject.namespace, first)
    return ObjectRef(IMAGE_STREAM, first, rest) if subject.resolves_names and "/" not in rest else None


def _explain_no_lookup(subject: ContainerPull, ref: ObjectRef, *, has_failed: bool) -> StepResult:
    text = (
        f"there is an {ref}, but nothing says that {subject.image} refers to it, so nodes ask a registry. Run "
        f"'oc set image-lookup {ref.name} -n {ref.namespace}', then create the pod again"
    )
    return failure("stream", text) if has_failed else info("stream", text, ok=None)


def _explain_missing(text: str, fix: Sequence[dict[str, object]] = (), *, is_placeholder: bool) -> StepResult:
    """A missing image is a failure only if the template has no image of its own."""
    return failure("stream", text, fix) if is_placeholder else info("stream", text, ok=False)


def _inform(name: str, seen: str) -> StepResult:
    return info(name, seen, ok=None)


def _last_import(tag: StreamTag) -> Sequence[StepResult]:
    """A failed import keeps the previous image."""
    return (
        [info("stream", f"the last import of {tag} failed, so it may be an old image: {tag.problem}", ok=None)]
        if tag.problem
        else []
    )


#: The name of the integrated registry, if the image config has no other.
_HOSTS = (
    "image-registry.openshift-image-registry.svc:5000",
    "image-registry.openshift-image-registry.svc.cluster.local:5000",
)


def explain_project(
    subject: ContainerPull, reference: Reference, credentials: Credentials, evidence: Lookup
) -> Iterator[StepResult]:
    """Yield the results for the integrated registry, and nothing for an image of another registry."""
    if not is_integrated(reference, credentials, evidence):
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
    return is_integrated(reference, credentials, evidence) and reference.host not in _routes(evidence)


def is_integrated(reference: Reference, credentials: Credentials, evidence: Lookup) -> bool:
    """Whether the image is one of the integrated registry, by any of its names."""
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
    # A grant there would fail. If the namespace cannot be read, the task names the problem.
    place, unread = try_lookup(evidence.unrecorded, ObjectRef(NAMESPACE, "", project))
    if place is None and not unread:
        return failure("project", f"project {project} does not exist")
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
    """The registry or path from which the image was imported, if it and all its mirrors are out of reach. Empty otherwise."""
    origin = reference_of(origin_of(stream, reference))
    if origin is None or origin.host in hosts:
        return ""
    found = mirrors_of(origin, evidence)
    return find_lost(evidence, origin.repository) if found is not None and not found.mirrors else ""


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
