# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Constants that a what-if answer shares with the report that shows it, and their words for people. Pure.

plugins/plugin_utils/pull_report/what_if.schema.json describes the document.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "ACCESS_EFFECTS",
    "ADDED",
    "ANSWERS",
    "ANSWER_TITLES",
    "AT_ONCE",
    "AT_RESTART",
    "AT_ROLLOUT",
    "DECLARED",
    "FORMAT",
    "LISTED_ANSWERS",
    "MOMENTS",
    "MOMENT_TITLES",
    "NOT_AFFECTED",
    "NOT_ASKED",
    "NOT_KNOWN",
    "ON_ANOTHER_NODE",
    "STILL_BROKEN",
    "STILL_PULLS",
    "WOULD_BREAK",
    "WOULD_WORK",
]

#: The value of `format` in a what-if document. The number increases when a reader of the previous format would misread the new one.
FORMAT = "openshift_ops.image_pull/what_if/1"
#: The kinds of changes that apply an inventory, and that add objects.
DECLARED, ADDED = "declared", "add_objects"

WOULD_BREAK, NOT_KNOWN, STILL_BROKEN, WOULD_WORK, STILL_PULLS, NOT_AFFECTED = (
    "would_break",
    "unknown",
    "still_broken",
    "would_work",
    "still_pulls",
    "not_affected",
)
#: The answers of containers in a document, the worst first.
LISTED_ANSWERS = (WOULD_BREAK, NOT_KNOWN, STILL_BROKEN, WOULD_WORK, STILL_PULLS)
#: The last one is only counted.
ANSWERS = (*LISTED_ANSWERS, NOT_AFFECTED)
#: Among the answers that fail a gate: one that registries may decide which were not asked.
NOT_ASKED = "not_asked"
ANSWER_TITLES: Mapping[str, str] = {
    WOULD_BREAK: "would break",
    NOT_KNOWN: "not known",
    STILL_BROKEN: "still broken",
    WOULD_WORK: "would work",
    STILL_PULLS: "still pulls",
    NOT_AFFECTED: "not affected",
}

#: The parts of an access review.
ACCESS_EFFECTS = ("gained", "lost")

AT_ONCE, AT_RESTART, ON_ANOTHER_NODE, AT_ROLLOUT = ("at_once", "at_restart", "on_another_node", "at_rollout")
#: The moments at which a pull that breaks is missed, the earliest first.
MOMENTS = (AT_ONCE, AT_RESTART, ON_ANOTHER_NODE, AT_ROLLOUT)
MOMENT_TITLES: Mapping[str, str] = {
    AT_ONCE: "at once",
    AT_RESTART: "at the next start of the container",
    ON_ANOTHER_NODE: "when a pod starts on another node",
    AT_ROLLOUT: "when the next pod is created",
}
