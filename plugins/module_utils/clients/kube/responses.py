# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the form of successful responses. An unexpected form is an error, never an empty result. Pure.

The response may come from something other than the API server: a login page, a proxy with its own JSON, another API.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.objects import Json, Kind, ObjectRef, as_int

__all__ = [
    "METADATA",
    "METADATA_LIST",
    "Page",
    "UnexpectedResponse",
    "WatchEvent",
    "check_deletion",
    "decode_json",
    "parse_metadata_page",
    "parse_object",
    "parse_page",
    "parse_watch_event",
    "require_object",
]

#: Media types that request only the metadata of objects. No other type is accepted, because a whole object may contain secrets.
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_PARTIAL = "PartialObjectMetadata"


class UnexpectedResponse(Exception):
    """The actual response, in words that follow `returned`."""


@dataclass(frozen=True)
class Page:
    """A page of a list. `token` requests the next page and is empty on the last. `version` is the resourceVersion of the list."""

    items: Sequence[Json]
    token: str
    version: str = ""


@dataclass(frozen=True)
class WatchEvent:
    """An event of a watch: `type` as in the API, `obj` with only the object's metadata, `version` is its resourceVersion."""

    type: str
    obj: Json
    version: str


def decode_json(data: bytes) -> Any:
    """Return the JSON value of a body.

    :raises UnexpectedResponse: also for unpaired surrogates, which could not be sent back.
    """
    try:
        # Strictly: json itself would accept unpaired surrogates that are encoded as bytes.
        text = data.decode("utf-8")
        answer = json.loads(text)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(answer, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise UnexpectedResponse("something that is not JSON") from None
    return answer


def require_object(answer: Any) -> Json:
    """Return the response if it is a JSON object."""
    if not isinstance(answer, Mapping):
        raise UnexpectedResponse("something that is not a JSON object")
    return answer


def parse_object(answer: Any, ref: ObjectRef) -> Json:
    """Return the response if it is the requested object."""
    if not _is_object(answer, ref.kind, ref.namespace) or answer["metadata"]["name"] != ref.name:
        raise UnexpectedResponse(f"something that is not {_article(ref.kind)}")
    return require_object(answer)


def check_deletion(answer: Any, ref: ObjectRef) -> None:
    """Check the response to a deletion: a Status, or the deleted object."""
    if not isinstance(answer, Mapping) or answer.get("kind") not in ("Status", ref.kind.kind):
        raise UnexpectedResponse("something that is not a Status")


@dataclass(frozen=True, repr=False)
class Token:
    """A token, its expiry time, and its lifetime in seconds. Empty and None if the server does not say."""

    text: str
    expires: str = ""
    seconds: int | None = None


def parse_token(answer: Any) -> Token:
    status = require_object(require_object(answer).get("status"))
    value, expires = status.get("token"), status.get("expirationTimestamp")
    if not _is_text(value):
        raise UnexpectedResponse("something without a token")
    spec = require_object(answer).get("spec")
    seconds = spec.get("expirationSeconds") if isinstance(spec, dict) else None
    return Token(str(value), expires if isinstance(expires, str) else "", as_int(seconds))


def parse_page(answer: Any, kind: Kind, namespace: str) -> Page:
    """Return a page of a list of one namespace or, without `namespace`, of the cluster."""
    return _parse_list(answer, kind, namespace, kind.kind)


def parse_metadata_page(answer: Any, kind: Kind) -> Page:
    """Return a page with only the metadata of the cluster's objects of a kind."""
    if require_object(answer).get("kind") != f"{_PARTIAL}List":
        raise UnexpectedResponse("more than the requested metadata")
    found = _parse_list(answer, kind, "", _PARTIAL)
    if not found.version:
        raise UnexpectedResponse("a list without a version")
    return found


def parse_watch_event(answer: Any, kind: Kind) -> WatchEvent:
    """Return the event in one line of a watch of metadata. For type `ERROR`, `obj` is the Status of the API server."""
    event = require_object(answer)
    name, obj = event.get("type"), event.get("object")
    if name not in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR") or not isinstance(obj, Mapping):
        raise UnexpectedResponse("something that is not an event of a watch")
    if name == "ERROR":
        return WatchEvent(name, obj, "")
    if obj.get("kind") != _PARTIAL:
        raise UnexpectedResponse("more than the requested metadata")
    if name != "BOOKMARK" and not _is_object(obj, kind, "", _PARTIAL):
        raise UnexpectedResponse(f"an event of something that is not {_article(kind)}")
    meta = obj.get("metadata")
    version = meta.get("resourceVersion") if isinstance(meta, Mapping) else None
    if not _is_text(version):
        raise UnexpectedResponse("an event without a version")
    return WatchEvent(name, obj, str(version))


def _parse_list(answer: Any, kind: Kind, namespace: str, title: str) -> Page:
    answer = require_object(answer)
    if answer.get("kind", f"{title}List") != f"{title}List" or not isinstance(answer.get("metadata"), Mapping):
        raise UnexpectedResponse(f"something that is not a {title}List")
    # Go writes an empty field as null, or omits it.
    items, token = answer.get("items", ""), answer["metadata"].get("continue")
    if not isinstance(items, (list, type(None))) or not isinstance(token, (str, type(None))):
        raise UnexpectedResponse(f"something that is not a {title}List")
    if not all(_is_object(item, kind, namespace, title) for item in items or ()):
        raise UnexpectedResponse(f"a list with an item that is not {_article(kind)}")
    version = answer["metadata"].get("resourceVersion")
    return Page(items or [], token or "", version if isinstance(version, str) else "")


def _is_object(value: Any, kind: Kind, namespace: str, title: str = "") -> bool:
    """Whether it has the fields of every object. An item of a list does not repeat its kind. `title` is the kind of its form."""
    title = title or kind.kind
    if not isinstance(value, Mapping) or value.get("kind", title) != title:
        return False
    meta = value.get("metadata")
    if not isinstance(meta, Mapping) or not _is_text(meta.get("name")):
        return False
    if not kind.namespaced:
        return True
    return bool(meta.get("namespace") == namespace if namespace else _is_text(meta.get("namespace")))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _article(kind: Kind) -> str:
    return f"{'an' if kind.kind[0] in 'AEIOU' else 'a'} {kind.kind}"
