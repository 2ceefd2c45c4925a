# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restrict the text of events. Pure.

An event becomes variables of a playbook, and Ansible evaluates text that looks like a template. Project users choose names of role
bindings, labels, and much more. So an event contains only text that Kubernetes itself restricts. Other text is encoded or left out.
At the end every text passes through `escape_templates`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import accumulate, islice
from typing import Any

from ...core.names import is_object_name

__all__ = ["encode_name", "escape_templates", "first_labels", "valid_labels", "valid_time"]

#: Maximum number of labels of one object that an event shows, and of characters in them: Kubernetes has no such limit.
_MOST_LABELS, _MOST_LABEL_TEXT = 100, 4000
#: Maximum number of bytes of an encoded name.
_LONGEST_NAME = 253

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_PREFIX = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
#: Keys and values of labels as the API server validates them (apimachinery pkg/util/validation).
_LABEL_KEY = re.compile(rf"(?:{_PREFIX}/)?{_NAME}\Z")
_LABEL_VALUE = re.compile(rf"(?:{_NAME})?\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z\Z")
#: Characters outside this set: a template, or its header, cannot be written without them.
_UNSAFE = re.compile(r"""[^A-Za-z0-9 ._/:@+,;=()'"\[\]*?&<>|~-]""")


def encode_name(name: str) -> str:
    """Return the name as an event shows it. A name that is not plain becomes `hex/`, which no name starts with, and its UTF-8 bytes."""
    if is_object_name(name):
        return name
    return f"hex/{name.encode('utf-8', 'surrogatepass')[:_LONGEST_NAME].hex()}"


def valid_labels(labels: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels that Kubernetes allows, in order of their keys."""
    return {
        key: value
        for key, value in sorted(labels.items())
        if isinstance(value, str) and _LABEL_KEY.match(key) and _LABEL_VALUE.match(value)
    }


def valid_time(text: str) -> str:
    """Return the time, or an empty text if it is not in the API server's format."""
    return text if _TIME.match(text) else ""


def escape_templates(value: Any) -> Any:
    """Return the JSON-like value with a question mark for each character of its texts that could be part of a template."""
    if isinstance(value, str):
        return _UNSAFE.sub("?", value)
    if isinstance(value, Mapping):
        return {escape_templates(name): escape_templates(part) for name, part in value.items()}
    return [escape_templates(part) for part in value] if isinstance(value, (list, tuple)) else value


def first_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of one object that an event shows."""
    first = dict(islice(labels.items(), _MOST_LABELS))
    ends = accumulate(len(key) + len(value) for key, value in first.items())
    return {key: first[key] for key, end in zip(first, ends, strict=True) if end <= _MOST_LABEL_TEXT}
