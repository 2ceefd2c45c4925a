# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds or rewrites the strings in a JSON-like value. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["rewrite_texts", "texts_of"]


def texts_of(value: Any) -> Iterator[str]:
    """Yield all strings, including the keys of mappings."""
    pending = [value]
    while pending:  # not by recursion: another user may choose the depth
        part = pending.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, Mapping):
            pending += part
            pending += part.values()
        elif isinstance(part, (list, tuple)):
            pending += part


def rewrite_texts(value: Any, rewrite: Callable[[str], str]) -> Any:
    """Return the value with each string rewritten. Keys that are identifiers, such as `changes`, are kept: they belong to the result."""
    if isinstance(value, str):
        return rewrite(value)
    if isinstance(value, Mapping):
        return {
            key if _is_own_key(key) else rewrite_texts(key, rewrite): rewrite_texts(item, rewrite)
            for key, item in value.items()
        }
    return [rewrite_texts(item, rewrite) for item in value] if isinstance(value, (list, tuple)) else value


def _is_own_key(key: Any) -> bool:
    return isinstance(key, str) and key.isidentifier()
