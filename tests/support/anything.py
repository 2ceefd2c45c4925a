# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any JSON value, and answers of an API server with such a value at one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

__all__ = ["ANYTHING", "CHANGES", "Changed"]

_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
#: The keys that the modules read.
_KEYS = st.sampled_from(
    [
        "metadata",
        "name",
        "namespace",
        "resourceVersion",
        "uid",
        "labels",
        "annotations",
        "ownerReferences",
        "managedFields",
        "deletionTimestamp",
        "kind",
        "type",
        "data",
        ".dockerconfigjson",
        "imagePullSecrets",
        "secrets",
        "subjects",
        "roleRef",
        "items",
        "continue",
        "status",
        "reason",
        "message",
        "details",
        "causes",
    ]
)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
_LIKE_KUBERNETES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=6), max_leaves=20
)
ANYTHING: st.SearchStrategy[Any] = _JSON | _LIKE_KUBERNETES


@dataclass(frozen=True)
class Changed:
    """An answer with `value` at one place, which depends on the actual answer. The place is at most `depth` levels deep, and
    `choice` selects the path down.
    """

    value: Any
    depth: int
    choice: int

    def __call__(self, answer: Any) -> Any:
        return _replaced(answer, self.value, self.depth, self.choice)


CHANGES = st.builds(Changed, ANYTHING, st.integers(1, 6), st.integers(0, 1000))


def _replaced(answer: Any, value: Any, depth: int, choice: int) -> Any:
    places = sorted(answer) if isinstance(answer, dict) else range(len(answer)) if isinstance(answer, list) else ()
    if not places or depth == 0:
        return value
    place: Any = places[choice % len(places)]
    answer[place] = _replaced(answer[place], value, depth - 1, choice // len(places))
    return answer
