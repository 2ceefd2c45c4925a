# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image streams: whether the integrated registry has an image, the tags, and why an import failed. Pure.

openshift/api image/v1: `status.tags[].items` are the images that a tag has had, `conditions` include the last failed import.

openshift/api image/v1, library-go imageutil (how a tag becomes an image) and openshift-apiserver pkg/image/apiserver/importer (the
messages of a failed import).

For errors that depend on a login, an import has its own messages (openshift-apiserver pkg/image/apiserver/importer/importer.go). The
others come from the registry or from Go's network library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_list, as_str, metadata, pick
from ..core.text import redact_line
from .pull_messages import without_names
from .pull_rules import RULES, UNKNOWN, rule_for
from .references import Reference, reference_of


def _trim_stream(stream: Json) -> Json:
    """The stream without managed fields and labels: a stream can have hundreds of tags, and a cluster thousands of streams."""
    return {
        "metadata": pick(metadata(stream), "name", "namespace"),
        "spec": as_dict(stream.get("spec")),
        "status": pick(as_dict(stream.get("status")), "dockerImageRepository", "tags"),
    }


IMAGE_STREAM = Kind("image.openshift.io/v1", "ImageStream", "imagestreams", "image stream", trim=_trim_stream)


def why_image_missing(ref: ObjectRef, stream: Json | None, reference: Reference) -> str:
    """Return why the registry does not have the image, and what to do. Empty when it has the image."""
    if stream is None:
        return f"{ref} does not exist: build or import the image, or correct the name"
    tags = {as_str(tag.get("tag")): tag for tag in _tags(stream)}
    if reference.digest:
        known = any(item.get("image") == reference.digest for tag in tags.values() for item in _items(tag))
        return "" if known else f"{ref} has no image {reference.digest}: build or import it, or correct the digest"
    name = reference.tag or "latest"
    tag = tags.get(name, {})
    if list(_items(tag)):
        return ""
    if why := next(_import_failures(tag), ""):
        return f"tag {name} of {ref} was never imported: {why}. Fix that in the stream's project, then import it again"
    return f"{ref} has no tag {name}: build or import it, or correct the tag"


def origin_of(stream: Json, reference: Reference) -> str:
    """Return where an image of the stream comes from: at another registry if it was imported. Empty if the stream does not have it."""
    for tag in _tags(stream):
        items = list(_items(tag))
        if not reference.digest:
            items = items[:1] if tag.get("tag") == (reference.tag or "latest") else []
        for item in items:
            if not reference.digest or item.get("image") == reference.digest:
                return as_str(item.get("dockerImageReference"))
    return ""


def failed_imports(stream: Json) -> Iterator[tuple[str, str, str]]:
    """Yield each tag whose last import failed: its name, the imported image (empty when unknown), and the reason."""
    sources = {
        as_str(tag.get("name")): as_str(as_dict(tag.get("from")).get("name"))
        for tag in map(as_dict, as_list(as_dict(stream.get("spec")).get("tags")))
        if as_dict(tag.get("from")).get("kind") == "DockerImage"
    }
    for tag in _tags(stream):
        name = as_str(tag.get("tag"))
        for why in _import_failures(tag):
            yield name, sources.get(name, ""), why


def _tags(stream: Json) -> Iterator[Json]:
    return map(as_dict, as_list(as_dict(stream.get("status")).get("tags")))


def _items(tag: Json) -> Iterator[Json]:
    return map(as_dict, as_list(tag.get("items")))


def _import_failures(tag: Json) -> Iterator[str]:
    for condition in map(as_dict, as_list(tag.get("conditions"))):
        if (condition.get("type"), condition.get("status")) == ("ImportSuccess", "False"):
            yield redact_line(as_str(condition.get("message"))) or "no reason is given"


_QUOTED = re.compile(r'"([^"]+)"')

#: Meanings of an import's messages. The first match counts.
_MEANINGS = (
    ("did not have credentials", "no_credentials"),
    ("incorrect username or password", "bad_credentials"),
    ("you may not have access", "credentials"),
    ("not found", "not_found"),
)


@dataclass(frozen=True)
class StreamTag:
    """`image` is the image that a pod gets, or empty. `problem` is the redacted reason of a failed last import, or empty. `meaning` is its
    class: `no_credentials`, `bad_credentials`, `credentials`, `not_found`, or empty. `source` is the image to import.
    `is_scheduled`: the cluster imports it periodically."""

    stream: ObjectRef
    name: str
    image: str
    problem: str
    meaning: str
    source: Reference | None
    is_scheduled: bool

    def __str__(self) -> str:
        return f"tag {self.name} of {self.stream}"


def tag_of(ref: ObjectRef, stream: Json, name: str) -> StreamTag:
    """Return a tag of an existing stream. A tag that does not exist has no image and no problem."""
    status, spec = as_dict(stream.get("status")), _find_named(as_dict(stream.get("spec")).get("tags"), "name", name)
    tag = _find_named(status.get("tags"), "tag", name)
    told = next(_failed_conditions(tag), None)
    problem = "" if told is None else redact_line(as_str(told.get("message"))) or "no reason is given"
    return StreamTag(
        ref,
        name,
        _image(status, spec, tag),
        problem,
        "" if told is None else _meaning(told),
        _source(spec, problem),
        is_scheduled=as_dict(spec.get("importPolicy")).get("scheduled") is True,
    )


def is_looked_up(stream: Json) -> bool:
    """Whether a short name in the stream's own project refers to the stream."""
    return as_dict(as_dict(stream.get("spec")).get("lookupPolicy")).get("local") is True


def _image(status: Json, spec: Json, tag: Json) -> str:
    """The reference in the integrated registry if the tag says so, otherwise the external one."""
    latest = as_dict(next(iter(as_list(tag.get("items"))), None))
    repository, digest = as_str(status.get("dockerImageRepository")), as_str(latest.get("image"))
    if as_str(as_dict(spec.get("referencePolicy")).get("type")) == "Local" and repository and digest:
        return f"{repository}@{digest}"
    return as_str(latest.get("dockerImageReference"))


def _source(spec: Json, problem: str) -> Reference | None:
    origin = as_dict(spec.get("from"))
    if origin.get("kind") == "DockerImage":
        return reference_of(as_str(origin.get("name")))
    named = _QUOTED.search(problem)
    return reference_of(named[1]) if named else None


def _meaning(condition: Json) -> str:
    message = as_str(condition.get("message")).lower()
    found = next((meaning for words, meaning in _MEANINGS if words in message), "")
    return found or ("credentials" if condition.get("reason") == "Unauthorized" else "")


def _find_named(values: object, key: str, name: str) -> Json:
    return next((value for value in map(as_dict, as_list(values)) if value.get(key) == name), {})


def _failed_conditions(tag: Json) -> Iterator[Json]:
    for condition in map(as_dict, as_list(tag.get("conditions"))):
        if (condition.get("type"), condition.get("status")) == ("ImportSuccess", "False"):
            yield condition


#: All possible causes of a failed import, as ids of `pull_rules`.
CAUSES = (
    "bad_credentials",
    "billing",
    "blocked_by_config",
    "connection_refused",
    "damaged_content",
    "denied",
    "dns",
    "invalid_name",
    "no_credentials",
    "not_found",
    "platform",
    "proxy",
    "rate_limited",
    "redirects",
    "registry_error",
    "timeout",
    "tls_client",
    "tls_expired",
    "tls_http",
    "tls_name",
    "tls_untrusted",
    "tls_version",
    "unauthorized",
    "unknown",
)
MENDED_BY_A_LOGIN = ("bad_credentials", "denied", "no_credentials", "unauthorized")

_ANY_QUOTED = re.compile(r'"[^"]*"')
_INTERNAL = re.compile(r"\A(?:internal error occurred: )?", re.IGNORECASE)
#: Messages of the import itself. The first match counts.
_OWN = (
    (re.compile(r"did not have credentials", re.IGNORECASE), "no_credentials"),
    (re.compile(r"you may not have access", re.IGNORECASE), "unauthorized"),
    (re.compile(r"registry \S+ blocked", re.IGNORECASE), "blocked_by_config"),
    (re.compile(r"requires the insecure flag", re.IGNORECASE), "tls_http"),
    (re.compile(r"invalid name:", re.IGNORECASE), "invalid_name"),
)
_REASONS = {"Unauthorized": "unauthorized", "NotFound": "not_found", "Invalid": "invalid_name"}
_FIXES = {rule.id: rule.fix for rule in (*RULES, UNKNOWN)}


def cause_of(message: str, reason: str = "", image: str = "") -> str:
    """Return one of `CAUSES`. `reason` is that of the Status or condition. `image` is the imported one: its name may look like a cause."""
    own = next((cause for expression, cause in _OWN if expression.search(message)), "")
    if own:
        return own
    text = without_names(" ".join(_INTERNAL.sub("", message).split()), [image])
    found = rule_for(_ANY_QUOTED.sub("*", text)).id
    if found not in CAUSES or found == UNKNOWN.id:
        return _REASONS.get(reason, UNKNOWN.id)
    return found


def fix_for(cause: str) -> str:
    """Return what to do about a cause, as the rest of a sentence."""
    fix = _FIXES.get(cause, UNKNOWN.fix)
    return fix[:1].lower() + fix[1:]
