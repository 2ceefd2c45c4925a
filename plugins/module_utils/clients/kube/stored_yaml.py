# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parses YAML that an object of the cluster contains."""

from __future__ import annotations

from ...core.json_types import as_dict
from ...core.objects import Json
from .libraries import yaml

__all__ = ["parse_yaml"]

#: Maximum number of characters of a text. A kubelet's file has a few thousand.
_MOST_TEXT = 256 * 1024


def parse_yaml(text: str) -> Json:
    """Return the mapping in a text.

    :raises ValueError: when the text is too long, is not YAML, or is not a mapping. The message does not quote it.
    """
    if len(text) > _MOST_TEXT:
        raise ValueError("it is too long")
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ValueError("it is not valid YAML") from None
    if not isinstance(content, dict):
        raise ValueError("it is not a mapping")
    return as_dict(content)
