# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a successful answer must look like. What does not look so is an error, never an empty answer. Pure.

Between the task and the API server there may be anything: a login page, a proxy's own JSON, another API.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.json_types import as_int
from ...core.objects import Json, Kind, ObjectRef

__all__ = [
    "METADATA",
    "METADATA_LIST",
    "Page",
    "UnexpectedResponse",
    "WatchEvent",
    "decoded",
    "deletion",
    "found",
    "mapping",
    "metadata_page",
    "page",
    "watch_event",
]

#: Asks for the metadata of objects alone. There is nothing else that would do: a whole object may hold what nobody asked for.
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_PARTIAL = "PartialObjectMetadata"


class UnexpectedResponse(Exception):
    """What the answer is instead, in words that go on from `was answered with`."""


@dataclass(frozen=True)
class Page:
    """A page of a list. `token` asks for the next one, empty on the last. `version` is the list's, as the API server names it."""

    items: Sequence[Json]
    token: str
    version: str = ""


@dataclass(frozen=True)
class WatchEvent:
    """What a watch says: `type` is that of the API, `obj` the object's metadata alone, `version` where it stands."""

    type: str
    obj: Json
    version: str


def decoded(data: bytes) -> Any:
    """The JSON in a body.

    :raises Unintelligible: also for letters that no text can hold (halves of surrogate pairs): they could not be sent back.
    """
    try:
        # Strictly: json itself would take halves of surrogate pairs that are encoded as bytes.
        text = data.decode("utf-8")
        answer = json.loads(text)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(answer, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise UnexpectedResponse("something that is not JSON") from None
    return answer


def mapping(answer: Any) -> Json:
    """A JSON object of any kind."""
    if not isinstance(answer, Mapping):
        raise UnexpectedResponse("something that is not a JSON object")
    return answer


def found(answer: Any, ref: ObjectRef) -> Json:
    """The object that was asked for, and no other."""
    if not _is_object(answer, ref.kind, ref.namespace) or answer["metadata"]["name"] != ref.name:
        raise UnexpectedResponse(f"something that is not {_article(ref.kind)}")
    return mapping(answer)


def deletion(answer: Any, ref: ObjectRef) -> None:
    """A deletion is answered with a Status or with the object as it was."""
    if not isinstance(answer, Mapping) or answer.get("kind") not in ("Status", ref.kind.kind):
        raise UnexpectedResponse("something that is not a Status")


@dataclass(frozen=True, repr=False)
class Token:
    """A token, when it expires, and after how many seconds; empty and None where that is not said."""

    text: str
    expires: str = ""
    seconds: int | None = None


def token(answer: Any) -> Token:
    status = mapping(mapping(answer).get("status"))
    value, expires = status.get("token"), status.get("expirationTimestamp")
    if not _is_text(value):
        raise UnexpectedResponse("something without a token")
    spec = mapping(answer).get("spec")
    seconds = spec.get("expirationSeconds") if isinstance(spec, dict) else None
    return Token(str(value), expires if isinstance(expires, str) else "", as_int(seconds))


def page(answer: Any, kind: Kind, namespace: str) -> Page:
    """A page of a list of one namespace or, without `namespace`, of the cluster."""
    return _page(answer, kind, namespace, kind.kind)


def metadata_page(answer: Any, kind: Kind) -> Page:
    """A page of the metadata of the cluster's objects of a kind, and nothing else of them."""
    if mapping(answer).get("kind") != f"{_PARTIAL}List":
        raise UnexpectedResponse("more than the metadata that was asked for")
    found = _page(answer, kind, "", _PARTIAL)
    if not found.version:
        raise UnexpectedResponse("a list without a version")
    return found


def watch_event(answer: Any, kind: Kind) -> WatchEvent:
    """One line of a watch of metadata. Of type `ERROR` is what the API server has to say of itself: `obj` is its Status."""
    event = mapping(answer)
    name, obj = event.get("type"), event.get("object")
    if name not in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR") or not isinstance(obj, Mapping):
        raise UnexpectedResponse("something that is not an event of a watch")
    if name == "ERROR":
        return WatchEvent(name, obj, "")
    if obj.get("kind") != _PARTIAL:
        raise UnexpectedResponse("more than the metadata that was asked for")
    if name != "BOOKMARK" and not _is_object(obj, kind, "", _PARTIAL):
        raise UnexpectedResponse(f"an event of something that is not {_article(kind)}")
    meta = obj.get("metadata")
    version = meta.get("resourceVersion") if isinstance(meta, Mapping) else None
    if not _is_text(version):
        raise UnexpectedResponse("an event without a version")
    return WatchEvent(name, obj, str(version))


def _page(answer: Any, kind: Kind, namespace: str, title: str) -> Page:
    answer = mapping(answer)
    if answer.get("kind", f"{title}List") != f"{title}List" or not isinstance(answer.get("metadata"), Mapping):
        raise UnexpectedResponse(f"something that is not a {title}List")
    # Go writes what was never filled as null, or not at all.
    items, token = answer.get("items", ""), answer["metadata"].get("continue")
    if not isinstance(items, (list, type(None))) or not isinstance(token, (str, type(None))):
        raise UnexpectedResponse(f"something that is not a {title}List")
    if not all(_is_object(item, kind, namespace, title) for item in items or ()):
        raise UnexpectedResponse(f"a list with something in it that is not {_article(kind)}")
    version = answer["metadata"].get("resourceVersion")
    return Page(items or [], token or "", version if isinstance(version, str) else "")


def _is_object(value: Any, kind: Kind, namespace: str, title: str = "") -> bool:
    """Whether it has what every object has. An item of a list does not repeat its kind. `title` is that of its form."""
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
