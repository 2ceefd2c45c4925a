# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers to what-if questions about snapshots, without a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import ClusterSnapshot
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.document import (
    WhatIfAnswers,
    document_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.effects import patches_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.evaluation import (
    PresentPulls,
    PullEvaluator,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.moves import Moves
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.options import (
    CHANGE_ARGUMENTS,
    WhatIfChange,
    parse_changes,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.rows import WhatIfRow, rows_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.timing import NodeCaches

__all__ = ["changes_of", "document_about", "moves_of", "rows_about", "supposed_change"]

#: A mirror set for every image of q.io, by tag.
MIRRORS = {
    "apiVersion": "config.openshift.io/v1",
    "kind": "ImageTagMirrorSet",
    "metadata": {"name": "site"},
    "spec": {"imageTagMirrors": [{"source": "q.io", "mirrors": ["mirror.example.com"]}]},
}


def changes_of(*given: Mapping[str, Any]) -> list[WhatIfChange]:
    """Return the changes of the option, with the defaults of their suboptions."""
    return parse_changes([_with_defaults(each) for each in given], lambda _path: [MIRRORS])


def supposed_change(**given: Any) -> WhatIfChange:
    (change,) = changes_of(given)
    return change


def moves_of(*given: Mapping[str, Any]) -> Moves | None:
    """Return the new names of images in the changes, if there are any."""
    return (
        next((Moves(each.value, at) for at, each in enumerate(changes_of(*given)) if each.kind == "moved"), None)
        if given
        else None
    )


def rows_about(survey: ClusterSnapshot, *given: Mapping[str, Any]) -> list[WhatIfRow]:
    """Return the rows of all namespaces."""
    patches = [patches_of(each, survey) for each in changes_of(*given)]
    new_nodes = next((at for at, each in enumerate(given) if "new_nodes" in each), None)
    evaluator = PullEvaluator(
        PresentPulls(survey.evidence, asks=False), patches, new_nodes=new_nodes, moves=moves_of(*given)
    )
    caches = NodeCaches.of(evaluator.after, [*survey.places], is_empty=new_nodes is not None)
    return [row for place in survey.places.values() for row in rows_of(place, evaluator.compare, caches)]


def document_about(survey: ClusterSnapshot, *given: Mapping[str, Any]) -> dict[str, Any]:
    answers = WhatIfAnswers(changes_of(*given), rows_about(survey, *given), [], survey.now)
    return document_of(answers, "https://api.example.com:6443")


def _with_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given.items():
        options = CHANGE_ARGUMENTS[name].get("options", {})
        found[name] = {**dict.fromkeys(options), **value} if options else value
    return found
