# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan which tags of the image streams to import again, and read the result of each tag. Pure.

An import replaces the import policy of a tag, and removes the condition of the last failure (openshift-apiserver
pkg/image/apiserver/registry/imagestreamimport/rest.go), so the request repeats all settings of a tag. It contains the version of the
stream, because without one the server would recreate a stream that was deleted in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ...core.changes import ALL, Change, ListedBy
from ...core.errors import OptionError, Refusal
from ...core.names import check_path_segment
from ...core.objects import Json, Kind, ObjectRef, Objects, as_dict, as_list, as_str, metadata
from ...core.text import redact_line, redact_text
from ...dockerconfig.registry_keys import check_key, same_path
from ...images.image_streams import IMAGE_STREAM, MENDED_BY_A_LOGIN, StreamTag, cause_of, fix_for, tag_of
from ...images.references import Reference, reference_of


@dataclass(frozen=True)
class ImportOptions:
    """Which tags to import. `registries`, in canonical form: only tags imported from one of them; empty for any. `only_failed`: only tags
    whose last import failed for a cause that a login can fix. `streams`: only image streams with these names; empty for all."""

    registries: frozenset[str] = frozenset()
    only_failed: bool = True
    streams: tuple[str, ...] = ()

    def wants(self, source: Reference | None) -> bool:
        """Whether a tag with this source matches. A tag without a source matches only if any registry does."""
        return not self.registries or (source is not None and same_path(source.host) in self.registries)


def from_options(options: Mapping[str, Any]) -> ImportOptions:
    """Return the validated options. :raises OptionError: for an empty list, an invalid registry, or an invalid image stream name."""
    registries = _require_items(options, "registries")
    for registry in registries:
        _check_host(registry)
    streams = tuple(dict.fromkeys(_require_items(options, "streams")))
    for name in streams:
        check_path_segment("streams", name)
    return ImportOptions(frozenset(map(same_path, registries)), bool(options.get("only_failed")), streams)


def _require_items(options: Mapping[str, Any], name: str) -> Iterable[str]:
    found: Sequence[str] | None = options.get(name)
    if found is not None and not found:
        raise OptionError(f"option {name!r} is empty: give at least one, or leave it out for all")
    return found or ()


def _check_host(registry: str) -> None:
    check_key("option 'registries'", registry)
    if "/" in same_path(registry):
        raise OptionError(
            f"option 'registries': {registry!r} has a path: give the host alone, with its port if it has one"
        )


IMAGE_STREAM_IMPORT = Kind("image.openshift.io/v1", "ImageStreamImport", "imagestreamimports", "import of image stream")

_INSECURE = "openshift.io/image.insecureRepository"


def _trim_stream(stream: Json) -> Json:
    """Return the parts of a stream that an import needs, with only the newest image of each tag."""
    meta, status = metadata(stream), as_dict(stream.get("status"))
    kept: dict[str, Any] = {
        key: meta[key] for key in ("name", "namespace", "resourceVersion", "deletionTimestamp") if key in meta
    }
    insecure = as_dict(meta.get("annotations")).get(_INSECURE)
    tags = [{**tag, "items": as_list(tag.get("items"))[:1]} for tag in map(as_dict, as_list(status.get("tags")))]
    spec = {"tags": as_dict(stream.get("spec")).get("tags")}
    return {"metadata": {**kept, "annotations": {_INSECURE: insecure}}, "spec": spec, "status": {"tags": tags}}


@dataclass(frozen=True)
class TagImport:
    """One tag to import. `image` is its source. `cause` and `problem` are the class and the message of the last import error, both empty
    if it succeeded. `digest` is the current image. `item` is its part of the request."""

    stream: str
    tag: str
    image: str
    cause: str
    problem: str
    digest: str
    item: Json


@dataclass(frozen=True)
class LeftTag:
    """A tag whose last import failed and that is not imported again, with the reason."""

    stream: str
    tag: str
    image: str
    cause: str
    reason: str


@dataclass(frozen=True)
class StreamImport:
    """The import of some tags of one stream, with the resourceVersion `version`."""

    ref: ObjectRef
    version: str
    tags: tuple[TagImport, ...]

    def change(self, after: Mapping[str, str]) -> Change:
        """Return the request as a change. `after`: the reported text of each changed tag."""
        where = ObjectRef(IMAGE_STREAM_IMPORT, self.ref.namespace, self.ref.name)
        body = {
            "apiVersion": IMAGE_STREAM_IMPORT.api_version,
            "kind": IMAGE_STREAM_IMPORT.kind,
            "metadata": {"name": self.ref.name, "namespace": self.ref.namespace, "resourceVersion": self.version},
            "spec": {"import": True, "images": [dict(tag.item) for tag in self.tags]},
        }
        before = {tag.tag: _describe_current(tag) for tag in self.tags if tag.tag in after}
        return Change("create", where, body, {"tags": [*after]}, {"tags": before}, {"tags": dict(after)})

    def parts(self, most: int) -> Iterator[StreamImport]:
        """Yield the import in pieces of at most `most` tags."""
        for start in range(0, len(self.tags), most):
            yield replace(self, tags=self.tags[start : start + most])


def _describe_current(tag: TagImport) -> str:
    return f"import failed: {tag.cause}" if tag.cause else tag.digest or "no image"


def tag_row(tag: TagImport | LeftTag, status: str, *, digest: str = "", reason: str = "", cause: str = "") -> Json:
    """Return a tag as the result lists it."""
    return {
        "stream": tag.stream,
        "tag": tag.tag,
        "image": redact_text(tag.image),
        "cause": cause or tag.cause,
        "status": status,
        "digest": digest,
        "reason": reason,
    }


@dataclass(frozen=True)
class Imports:
    """The selected image streams, and the plan for them. `any_cause`: also import tags that failed for a cause that no login fixes."""

    asked: ImportOptions
    any_cause: bool = False

    kind: ClassVar[Kind] = replace(IMAGE_STREAM, trim=_trim_stream)
    listed_by: ClassVar[ListedBy] = {IMAGE_STREAM: ALL}

    def names(self, _namespace: str) -> tuple[str, ...]:
        return self.asked.streams

    def related(self, _namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return ()

    def plan(self, namespace: str, objects: Objects) -> tuple[list[StreamImport], list[LeftTag]]:
        """Return the imports, and the tags with a failed import that are not imported again.

        :raises Refusal: when a stream was read without a version.
        """
        imports: list[StreamImport] = []
        left: list[LeftTag] = []
        for name in sorted(objects):
            planned, others = self.plan_of(ObjectRef(IMAGE_STREAM, namespace, name), objects[name])
            imports += [planned] if planned.tags else []
            left += others
        return imports, left

    def plan_of(self, ref: ObjectRef, stream: Json) -> tuple[StreamImport, list[LeftTag]]:
        """Return the same for one stream. The import has no tags if there is nothing to import."""
        if metadata(stream).get("deletionTimestamp"):
            return StreamImport(ref, "", ()), []
        judged = [found for name in _tag_names(stream) if (found := self._classify(ref, stream, name))]
        tags = tuple(each for each in judged if isinstance(each, TagImport))
        version = as_str(metadata(stream).get("resourceVersion"))
        if tags and not version:
            raise Refusal(
                f"{ref} has no resourceVersion, so nothing was imported, because an import could recreate a deleted stream: check for a proxy "
                "between this host and the API server"
            )
        return StreamImport(ref, version, tags), [each for each in judged if isinstance(each, LeftTag)]

    def _classify(self, ref: ObjectRef, stream: Json, name: str) -> TagImport | LeftTag | None:
        found, spec = tag_of(ref, stream, name), _spec_of(stream, name)
        if not (found.problem or not self.asked.only_failed) or not self.asked.wants(found.source):
            return None
        image = as_str(as_dict(spec.get("from")).get("name"))
        refusal = "Unauthorized" if found.meaning == "credentials" else ""
        cause = cause_of(found.problem, refusal, image) if found.problem else ""
        reason = _why_not(spec) or (self._other_cause(cause) if found.problem else "")
        if reason:
            return LeftTag(ref.name, name, image, cause, reason) if found.problem else None
        item = {
            "from": {"kind": "DockerImage", "name": image},
            "to": {"name": name},
            "importPolicy": _import_policy(stream, spec),
            **({"referencePolicy": policy} if (policy := as_dict(spec.get("referencePolicy"))) else {}),
        }
        return TagImport(ref.name, name, image, cause, found.problem, _newest_image(stream, found), item)

    def _other_cause(self, cause: str) -> str:
        if not self.asked.only_failed or self.any_cause or cause in MENDED_BY_A_LOGIN:
            return ""
        return f"its import failed for another cause than a login: {cause}. 'only_failed: false' imports it again"


def _why_not(spec: Json) -> str:
    """Return why a tag itself is not imported; empty when it is."""
    origin = as_dict(spec.get("from"))
    kind, name = as_str(origin.get("kind")), as_str(origin.get("name"))
    if spec.get("reference") is True:
        return "it is a reference, for which nothing is imported (reference: true)"
    if kind in ("ImageStreamTag", "ImageStreamImage"):
        return f"it follows {kind} {redact_text(name)}, which is imported instead"
    if kind != "DockerImage":
        return "the stream has no source image for it (spec.tags.from)"
    if reference_of(name) is None:
        return "its source is not an image name (spec.tags.from)"
    return ""


def _import_policy(stream: Json, spec: Json) -> Json:
    """Return the import policy of the tag. The annotation of the stream applies to all its tags."""
    policy = as_dict(spec.get("importPolicy"))
    if as_dict(metadata(stream).get("annotations")).get(_INSECURE) == "true":
        return {**policy, "insecure": True}
    return dict(policy)


def _tag_names(stream: Json) -> list[str]:
    """Yield each tag once: the tags of the spec, then those that only the status has."""
    parts = (("spec", "name"), ("status", "tag"))
    tags = ((as_dict(tag), key) for part, key in parts for tag in as_list(as_dict(stream.get(part)).get("tags")))
    return [name for name in dict.fromkeys(as_str(tag.get(key)) for tag, key in tags) if name]


def _spec_of(stream: Json, name: str) -> Json:
    tags = map(as_dict, as_list(as_dict(stream.get("spec")).get("tags")))
    return next((tag for tag in tags if tag.get("name") == name), {})


def _newest_image(stream: Json, tag: StreamTag) -> str:
    tags = map(as_dict, as_list(as_dict(stream.get("status")).get("tags")))
    known = next((each for each in tags if each.get("tag") == tag.name), {})
    return as_str(as_dict(next(iter(as_list(known.get("items"))), None)).get("image"))


#: Maximum number of characters of a message.
_LONGEST = 16_384


@dataclass(frozen=True)
class TagResult:
    """`digest` is the imported image, possibly unknown. `problem` is the error, empty on success; `cause` is its class."""

    tag: TagImport
    digest: str = ""
    problem: str = ""
    cause: str = ""

    @property
    def is_new(self) -> bool:
        """Whether the tag has changed."""
        return not self.problem and bool(self.tag.cause or self.digest != self.tag.digest)


def read_results(answer: Json | None, tags: Sequence[TagImport]) -> list[TagResult]:
    """Return the result of each tag, in the order of the request, which the answer has as well."""
    images = as_list(as_dict(as_dict(answer).get("status")).get("images"))
    # If the number of images differs, they cannot be assigned to tags.
    known = images if len(images) == len(tags) else [None] * len(tags)
    return [_read_result(tag, as_dict(image)) for tag, image in zip(tags, known, strict=True)]


def resource_version_of(answer: Json | None) -> str:
    """Return the resourceVersion of the stream after the import; empty if the answer has none."""
    return as_str(metadata(as_dict(as_dict(as_dict(answer).get("status")).get("import"))).get("resourceVersion"))


def _read_result(tag: TagImport, found: Json) -> TagResult:
    if not found:
        return TagResult(
            tag, problem="the response of the API server does not say whether it was imported", cause="unknown"
        )
    image, status = as_dict(found.get("image")), as_dict(found.get("status"))
    if image and status.get("status") == "Success":
        named = as_str(image.get("dockerImageReference")).partition("@")[2]
        return TagResult(tag, as_str(metadata(image).get("name")) or named)
    message = redact_line(as_str(status.get("message")), _LONGEST)
    cause = cause_of(message, as_str(status.get("reason")), tag.image)
    return TagResult(tag, problem=message or "no reason is given", cause=cause)


def advice(cause: str, namespace: str) -> str:
    """Return the fix for a failed import, empty if none is known."""
    if cause in MENDED_BY_A_LOGIN:
        return (
            f"an import reads all pull secrets of namespace {namespace}, linked or not, and uses the first login for the image: "
            "run pull_access_info to find that login, and correct it with pull_secret"
        )
    return fix_for(cause)
