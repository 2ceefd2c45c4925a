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

from ...core.objects import Json, Kind, ObjectRef

__all__ = ["Page", "Unintelligible", "decoded", "deletion", "found", "mapping", "page"]


class Unintelligible(Exception):
    """What the answer is instead, in words that go on from `was answered with`."""


@dataclass(frozen=True)
class Page:
    """A page of a list. `token` asks for the next one, empty on the last."""

    items: Sequence[Json]
    token: str


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
        raise Unintelligible("something that is not JSON") from None
    return answer


def mapping(answer: Any) -> Json:
    """A JSON object of any kind."""
    if not isinstance(answer, Mapping):
        raise Unintelligible("something that is not a JSON object")
    return answer


def found(answer: Any, ref: ObjectRef) -> Json:
    """The object that was asked for, and no other."""
    if not _is_object(answer, ref.kind, ref.namespace) or answer["metadata"]["name"] != ref.name:
        raise Unintelligible(f"something that is not {_article(ref.kind)}")
    return mapping(answer)


def deletion(answer: Any, ref: ObjectRef) -> None:
    """A deletion is answered with a Status or with the object as it was."""
    if not isinstance(answer, Mapping) or answer.get("kind") not in ("Status", ref.kind.kind):
        raise Unintelligible("something that is not a Status")


def token(answer: Any) -> tuple[str, str]:
    """A token, and when it expires, empty where that is not said."""
    status = mapping(mapping(answer).get("status"))
    value, expires = status.get("token"), status.get("expirationTimestamp")
    if not isinstance(value, str) or not value:
        raise Unintelligible("something without a token")
    return value, expires if isinstance(expires, str) else ""


def page(answer: Any, kind: Kind, namespace: str) -> Page:
    """A page of a list of one namespace or, without `namespace`, of the cluster."""
    answer = mapping(answer)
    if answer.get("kind", f"{kind.kind}List") != f"{kind.kind}List" or not isinstance(answer.get("metadata"), Mapping):
        raise Unintelligible(f"something that is not a {kind.kind}List")
    # Go writes what was never filled as null, or not at all.
    items, token = answer.get("items", ""), answer["metadata"].get("continue")
    if not isinstance(items, (list, type(None))) or not isinstance(token, (str, type(None))):
        raise Unintelligible(f"something that is not a {kind.kind}List")
    if not all(_is_object(item, kind, namespace) for item in items or ()):
        raise Unintelligible(f"a list with something in it that is not {_article(kind)}")
    return Page(items or [], token or "")


def _is_object(value: Any, kind: Kind, namespace: str) -> bool:
    """Whether it has what every object has. An item of a list does not repeat its kind."""
    if not isinstance(value, Mapping) or value.get("kind", kind.kind) != kind.kind:
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
