# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parses YAML that an object of the cluster contains."""

from __future__ import annotations

from ...core.objects import Json, as_dict
from .libraries import load_yaml, load_yaml_documents, yaml

__all__ = ["parse_objects", "parse_yaml"]

#: Maximum number of characters of a text. A kubelet's file has a few thousand.
_MOST_TEXT = 256 * 1024


def parse_yaml(text: str) -> Json:
    """Return the mapping in a text.

    :raises ValueError: when the text is too long, is not YAML, or is not a mapping. The message does not quote it.
    """
    if len(text) > _MOST_TEXT:
        raise ValueError("it is too long")
    try:
        content = load_yaml(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ValueError("it is not valid YAML") from None
    if not isinstance(content, dict):
        raise ValueError("it is not a mapping")
    return as_dict(content)


def parse_objects(text: str) -> list[Json]:
    """Return the objects in the documents of a file, which can be lists of objects. Empty documents are left out.

    :raises ValueError: when the text is not YAML, or a document is not an object. The message does not quote it.
    """
    try:
        documents = [each for each in load_yaml_documents(text) if each is not None]
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ValueError("it is not valid YAML") from None
    found: list[Json] = []
    for document in documents:
        items = document.get("items") if isinstance(document, dict) and document.get("kind") == "List" else [document]
        if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
            raise ValueError("it has a document that is not an object")
        found += items
    return found
