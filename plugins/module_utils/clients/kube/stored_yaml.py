# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only place that imports YAML, and the YAML that an object of the cluster contains."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

from ...core.objects import Json, as_dict
from ..https import libraries

__all__ = [
    "IMPORT_ERROR",
    "load_yaml",
    "load_yaml_documents",
    "parse_objects",
    "parse_yaml",
    "yaml",
]

try:
    import yaml

    IMPORT_ERROR = libraries.IMPORT_ERROR
    #: The safe loader. With libyaml it takes 4 to 7 percent of the time: 16 instead of 480 ms for a kubeconfig of 100 clusters.
    _LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
except ImportError:
    yaml = None
    IMPORT_ERROR = traceback.format_exc()


def load_yaml(text: str) -> Any:
    """Return the document in a text, as `yaml.safe_load` does.

    :raises yaml.YAMLError, ValueError, RecursionError: when the text is not YAML.
    """
    return yaml.load(text, Loader=_LOADER)


def load_yaml_documents(text: str) -> Iterator[Any]:
    """Return all documents in a text. The errors are those of `load_yaml`."""
    yield from yaml.load_all(text, Loader=_LOADER)


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
