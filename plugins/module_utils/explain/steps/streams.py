# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which image a container gets if it comes from the tag of an image stream. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.objects import Json, ObjectRef
from ...images.image_streams import IMAGE_STREAM, StreamTag, is_looked_up, tag_of
from ...images.references import Reference, reference_of
from ..lookup import Lookup, try_lookup
from ..subjects import ContainerPull, StreamSource
from ..verdict import StepResult, failure, info, unknown
from .imports import why_not_imported

__all__ = ["StreamImage", "resolve_image"]


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
