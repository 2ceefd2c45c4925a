# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins that stand in many places: their labels, and what is found over several clusters. Pure.

A label is a fingerprint with a key of one run. Nobody can use it, and it is replaced by a running number all the same: what is written
then holds nothing that was made of a credential, and is the same in each run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...core.audit_format import INFO, WARNING
from ...core.phrases import pluralize

__all__ = ["MANY_PLACES", "across", "numbered"]

MANY_PLACES = "credential-in-many-places"

Cluster = dict[str, Any]
Login = Mapping[str, str]


def numbered(clusters: Sequence[Cluster]) -> list[Cluster]:
    """The clusters with `login 1`, `password 2` in place of labels: equal ones where the labels were equal.

    A login that stands in one secret only, over all clusters, is left out.
    """
    places: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for cluster in clusters:
        for row in cluster["logins"]:
            places[row["login"]].add((cluster["name"], row["namespace"], row["secret"]))
    numbers: dict[str, dict[str, str]] = {"login": {}, "password": {}}

    def number(kind: str, label: str) -> str:
        return numbers[kind].setdefault(label, f"{kind} {len(numbers[kind]) + 1}")

    # In the order of what they are for, so that the numbers do not depend on the labels.
    found = {}
    for cluster in sorted(clusters, key=lambda cluster: str(cluster["name"])):
        rows = sorted((row for row in cluster["logins"] if len(places[row["login"]]) > 1), key=_place)
        found[cluster["name"]] = [{**row, **{kind: number(kind, row[kind]) for kind in numbers}} for row in rows]
    return [{**cluster, "logins": found[cluster["name"]]} for cluster in clusters]


def across(clusters: Sequence[Cluster], judged: Collection[str] = ()) -> list[dict[str, Any]]:
    """Findings for the logins of several secrets. One of a single cluster that is in `judged` is that cluster's own."""
    places: dict[str, list[tuple[str, Login]]] = defaultdict(list)
    for cluster in clusters:
        for row in cluster["logins"]:
            places[row["login"]].append((cluster["name"], row))
    found = []
    seen: Counter[tuple[str, ...]] = Counter()
    for label, rows in places.items():
        names = {name for name, _row in rows}
        if len(_secrets(rows)) > 1 and not (len(names) == 1 and names <= set(judged)):
            first = min(_secrets(rows))
            seen[first] += 1
            found.append(_finding(label, rows, "/".join(first) + (f", login {seen[first]}" if seen[first] > 1 else "")))
    return found


def _place(row: Login) -> tuple[str, str, str]:
    return row["registry"], row["namespace"], row["secret"]


def _secrets(rows: Sequence[tuple[str, Login]]) -> set[tuple[str, str, str]]:
    return {(name, row["namespace"], row["secret"]) for name, row in rows}


def _finding(label: str, rows: Sequence[tuple[str, Login]], first: str) -> dict[str, Any]:
    registry = rows[0][1]["registry"]
    clusters = Counter(name for name, _namespace, _secret in _secrets(rows))
    (usual, _number), *_others = Counter(row["password"] for _name, row in rows).most_common(1)
    differ = len(_secrets([place for place in rows if place[1]["password"] != usual]))
    places = f"{pluralize(len(_secrets(rows)), 'secret')} of {pluralize(len(clusters), 'cluster')}"
    message = f"the same login for {registry} stands in {places}"
    if differ:
        message += f", {differ} of them with another password"
    return {
        "id": "",
        "rule": MANY_PLACES,
        "severity": WARNING if differ else INFO,
        "namespace": "",
        "kind": "Login",
        "name": registry,
        # Not the label: its number changes with the logins before it.
        "location": f"first in {first}",
        "message": f"{message} ({label})",
        "fix": [],
    }
