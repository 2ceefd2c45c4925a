# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Constants of the documents that the audit and what_if write and the report shows, and sentences about a what-if document. Pure.

plugins/plugin_utils/pull_report/audit.schema.json and what_if.schema.json describe the documents.

plugins/plugin_utils/pull_report/audit.schema.json describes the audit document, which the audit writes and the report reads.

plugins/plugin_utils/pull_report/what_if.schema.json describes the document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from .text import join_and, pluralize, summarize

#: The value of `format` in an audit document. The number increases when a reader of the previous format would misread the new one.
AUDIT_FORMAT = "openshift_ops.image_pull/audit/1"

#: `error`: a pull fails, or a credential is lost. `warning`: a pull will fail, or more is allowed than intended. `info`: worth checking.
ERROR, WARNING, INFO = "error", "warning", "info"
#: In order, most severe first.
SEVERITIES = (ERROR, WARNING, INFO)


#: The value of `format` in a what-if document. The number increases when a reader of the previous format would misread the new one.
WHAT_IF_FORMAT = "openshift_ops.image_pull/what_if/1"
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
#: The kinds of changes that name registries.
OF_REGISTRIES = ("unreachable_registries", "only_registries", "moved")
ANSWER_TITLES: Mapping[str, str] = {
    WOULD_BREAK: "would break",
    NOT_KNOWN: "not known",
    STILL_BROKEN: "still broken",
    WOULD_WORK: "would work",
    STILL_PULLS: "still pulls",
    NOT_AFFECTED: "not affected",
}

#: The words for people of each verdict about a pull, numbered in the page. The last one is `pulls` with a login that was not tested.
VERDICT_TITLES: Mapping[str, str] = {
    "pulls": "pulls",
    "unknown": "not known",
    "will_not_pull": "cannot pull",
    "untested": "has a login (not tested)",
}


def verdict_of(row: Mapping[str, Any]) -> str:
    """Return the name in `VERDICT_TITLES` for a result or a part of a document. Documents of earlier versions do not have `tested`."""
    return "untested" if row["verdict"] == "pulls" and not row.get("tested", True) else str(row["verdict"])


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


#: A question never sends a write, not even a dry run, which needs the right to write.
_UNTRIED = (
    "The API server was not asked whether it accepts the added objects: try them with 'oc apply --dry-run=server'."
)
#: Maximum number of entries that are named for a pull.
_ENTRIES = 3

Row = Mapping[str, Any]
Item = TypeVar("Item")


def outcome_of(answer: str, number: int) -> str:
    """Return the number of containers with an answer, and the answer, as a sentence without a full stop."""
    is_one = number == 1
    its = "its image" if is_one else "their image"
    outcomes = {
        WOULD_BREAK: f"would no longer get {its}",
        NOT_KNOWN: f"{'is' if is_one else 'are'} not known",
        STILL_BROKEN: f"{'does' if is_one else 'do'} not get {its} today, and not after the changes",
        WOULD_WORK: f"{'does' if is_one else 'do'} not get {its} today, and would after the changes",
        STILL_PULLS: f"still {'pulls' if is_one else 'pull'}",
        NOT_AFFECTED: f"{'is' if is_one else 'are'} not affected",
    }
    return f"{pluralize(number, 'container')} {outcomes[answer]}"


def headline(document: Mapping[str, Any]) -> str:
    """Return the answer in one sentence."""
    counts = document["counts"]
    total, broken, unknown = sum(counts.values()), counts[WOULD_BREAK], counts[NOT_KNOWN]
    unread, forecasts = describe_unread(document["unread_workloads"]), document["forecasts"]
    upgrade = f"the upgrade has {pluralize(len(forecasts), 'forecast')}" if forecasts else ""
    not_asked, unplanned = document["not_asked"], document["access"]["unplanned"]
    silent = f"the registries of {pluralize(not_asked, 'container')} were not asked" if not_asked else ""
    left_out = describe_unplanned(len(unplanned)) if unplanned else ""
    idle = describe_idle((at, each["kind"]) for at, each in enumerate(document["changes"], 1) if each["no_effect"])
    more = [*filter(None, (silent, left_out, idle, unread, _describe_unread_images(document), upgrade))]
    if broken:
        its = "its image" if broken == 1 else "their image"
        also = f", and {join_and(more)}" if more else ""
        return f"{broken:,} of {pluralize(total, 'container')} would no longer get {its}{also}."
    doubts = [f"{unknown:,} of {total:,} {'is' if unknown == 1 else 'are'} not known"] if unknown else []
    doubts += more
    if doubts:
        return f"No container is known to lose its image, but {join_and(doubts)}."
    if not total:
        return "There is no container to judge."
    return f"None of {pluralize(total, 'container')} would lose its image."


def hints_of(document: Mapping[str, Any]) -> list[str]:
    """Return sentences about questions that were not asked, objects that were not tried, builds, parts of an inventory that would not be
    applied, and changes without an effect."""
    hints = []
    if document["not_asked"]:
        hints.append("Registries were not asked, and their answers may decide: set 'ask_registries: true'.")
    if any(each["kind"] == ADDED for each in document["changes"]):
        hints.append(_UNTRIED)
    if builds := document["builds"]:
        named = pluralize(builds, "build config names", "build configs name")
        hints.append(f"{named} a secret that the changes touch. The pulls and pushes of builds are not evaluated.")
    if notes := notes_of(document["access"]["unplanned"][:1]):
        hints.append(f"Not applied, so its effect is not part of the answer: {notes[0]}")
    return [*hints, *idle_of(document["changes"])]


def describe_unplanned(number: int) -> str:
    """Return a sentence about the parts of an inventory that would not be applied, without a full stop."""
    return f"{pluralize(number, 'part')} of the inventory would not be applied"


def describe_unread(namespaces: Sequence[str]) -> str:
    """Return a sentence about the namespaces whose pods or workloads could not be read, without a full stop. Empty without one."""
    if not namespaces:
        return ""
    return f"the pods or workloads of {pluralize(len(namespaces), 'namespace')} could not be read"


def describe_idle(changes: Iterable[tuple[int, str]], ignore: Sequence[str] = OF_REGISTRIES) -> str:
    """Return a sentence about changes that affect nothing, each with its number and kind, without a full stop. Empty without one.

    Changes of the kinds `ignore` are not named. No image of a registry is a good answer, but an object that does not exist may be mistyped.
    """
    numbers = [f"{number}" for number, kind in changes if kind not in ignore]
    if not numbers:
        return ""
    them = f"change {numbers[0]} affects" if len(numbers) == 1 else f"changes {join_and(numbers)} affect"
    return f"{them} nothing that was read"


def _describe_unread_images(document: Mapping[str, Any]) -> str:
    return "images of the platform could not be read" if document["unread_images"] else ""


def count_moments(rows: Sequence[Row]) -> str:
    """Return when the pulls that break are missed, such as `1 at once, 2 when the next pod is created`. Empty without one."""
    counted = Counter(row["when"] for row in rows if row["answer"] == WOULD_BREAK)
    return ", ".join(f"{counted[moment]:,} {MOMENT_TITLES[moment]}" for moment in MOMENTS if counted[moment])


def name_of(row: Row) -> str:
    """Return the object and its part, such as `Deployment web, container app`."""
    return f"{row['kind']} {row['name']}, {part_of(row)}"


def part_of(row: Row) -> str:
    return f"volume {row['volume']}" if row["volume"] else f"container {row['container']}"


def moment_of(row: Row) -> str:
    """Return when a pull that breaks is missed, and the reason for that. Empty for other rows."""
    if not row["when"]:
        return ""
    possibly = f", possibly {MOMENT_TITLES[row['possibly']]}" if row["possibly"] else ""
    return f"{MOMENT_TITLES[row['when']]}{possibly}: {row['when_reason']}"


def causes_of(row: Row, changes: Sequence[Mapping[str, Any]]) -> str:
    """Return the titles of the changes that break a pull. The entries of an inventory are named instead of all that it declares.

    Empty for other rows, and if there is only one change without entries.
    """
    entries, causes = row["entries"], [changes[at] for at in row["changes"]]
    named = f"the inventory is applied: {summarize(entries, _ENTRIES)}"
    titles = [named if entries and each["kind"] == DECLARED else each["title"] for each in causes]
    return join_and(titles) if named in titles or len(changes) > 1 else ""


def idle_of(changes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each change that affects nothing."""
    return [
        f"Change {number} affects nothing that was read: {each['no_effect']}{'' if each['no_effect'].endswith('?') else '.'}"
        for number, each in enumerate(changes, 1)
        if each["no_effect"]
    ]


def place_of(row: Row) -> str:
    """Return the namespace of a container, or of an access. A grant belongs to its project."""
    return str(row.get("project") or row["namespace"])


def order_evenly(rows: Iterable[Item], place: Callable[[Any], str] = place_of) -> list[Item]:
    """Return the rows in turns: the first one of each namespace, then the second one of each, and so on.

    The users of a namespace decide how many rows it has, so a short list would otherwise have only theirs.
    """
    turns: Counter[str] = Counter()
    found: list[tuple[int, Item]] = []
    for row in rows:
        name = place(row)
        found.append((turns[name], row))
        turns[name] += 1
    return [row for _turn, row in sorted(found, key=lambda each: each[0])]


def pick_evenly(rows: Sequence[Item], most: int, place: Callable[[Any], str] = place_of) -> list[Item]:
    """Return at most `most` of the rows, in their order: the first ones of each namespace."""
    picked = order_evenly(range(len(rows)), lambda at: place(rows[at]))[:most]
    return [rows[at] for at in sorted(picked)]


def holder_of(row: Row) -> str:
    """Return the account, workload, group or user that gains or loses an access, such as `ServiceAccount default`."""
    outside = f"{row['namespace']}/" if row["project"] and row["namespace"] else ""
    return f"{row['kind']} {outside}{row['name']}"


def target_of(row: Row) -> str:
    """Return the registry and the user of an access, or the project."""
    if row["project"]:
        return f"image streams of project {row['project']}"
    path = f"/{row['repository']}" if row["repository"] else ""
    return f"{row['registry']}{path} as {row['username']}"


def notes_of(notes: Iterable[str | Mapping[str, str]]) -> list[str]:
    """Return the sentences of an access review: doubts, or entries of the inventory with the reason."""
    return [
        note if isinstance(note, str) else f"{note['namespace']}: {note['entry'] or 'all entries'}: {note['reason']}"
        for note in notes
    ]
