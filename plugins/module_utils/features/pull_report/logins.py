# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins in many places: their labels, and findings over several clusters. Pure.

A label is a fingerprint with a key of one run. It cannot be used by anyone, but is replaced by a running number nevertheless: the written
files then contain nothing that was derived from a credential, and are the same in each run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...core.audit_format import INFO, WARNING
from ...core.text import pluralize

__all__ = ["MANY_PLACES", "find_shared_logins", "number_logins"]

MANY_PLACES = "credential-in-many-places"

Cluster = dict[str, Any]
Login = Mapping[str, str]


def number_logins(clusters: Sequence[Cluster]) -> list[Cluster]:
    """Return the clusters with texts such as `login 1` and `password 2` instead of labels. Equal labels get equal texts.

    A login that is in only one secret of all clusters is left out.
    """
    places: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for cluster in clusters:
        for row in cluster["logins"]:
            places[row["login"]].add((cluster["name"], row["namespace"], row["secret"]))
    numbers: dict[str, dict[str, str]] = {"login": {}, "password": {}}

    def number(kind: str, label: str) -> str:
        return numbers[kind].setdefault(label, f"{kind} {len(numbers[kind]) + 1}")

    # In the order of registry, namespace and secret, so that the numbers do not depend on the labels.
    found = {}
    for cluster in sorted(clusters, key=lambda cluster: str(cluster["name"])):
        rows = sorted((row for row in cluster["logins"] if len(places[row["login"]]) > 1), key=_place)
        found[cluster["name"]] = [{**row, **{kind: number(kind, row[kind]) for kind in numbers}} for row in rows]
    return [{**cluster, "logins": found[cluster["name"]]} for cluster in clusters]


def find_shared_logins(clusters: Sequence[Cluster], judged: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return findings for logins in several secrets, except logins of a single cluster in `judged`: its own audit reports them."""
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
    message = f"the same login for {registry} is in {places}"
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
