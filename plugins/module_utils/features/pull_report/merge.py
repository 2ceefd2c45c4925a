# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of a report: merged from audit documents, compared with an older one, and the counts of its findings. Pure.

The label of a login is a fingerprint with a key of one run. It cannot be used by anyone, but is replaced by a running number nevertheless: the
written files then contain nothing that was derived from a credential, and are the same in each run.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...core.documents import AUDIT_FORMAT, ERROR, INFO, SEVERITIES, WARNING
from ...core.errors import OptionError
from ...core.text import pluralize
from . import documents

Document = Mapping[str, Any]
Finding = Mapping[str, Any]
#: No severity fails the task.
NEVER = "never"


def all_findings(document: Mapping[str, Any]) -> Iterator[tuple[str, Finding]]:
    """Yield each finding with its cluster's name, empty for one over several clusters. Within a cluster, the worst comes first."""
    yield from (("", finding) for finding in document.get("findings", ()))
    for cluster in document["clusters"]:
        yield from ((cluster["name"], finding) for finding in cluster["findings"])


def count_by_severity(findings: Iterable[Finding]) -> dict[str, int]:
    """Return the number of findings by severity, including severities without findings."""
    found = dict.fromkeys(SEVERITIES, 0)
    for finding in findings:
        found[finding["severity"]] += 1
    return found


def severities_from(fail_on: str) -> tuple[str, ...]:
    """Return the severities that `fail_on` selects: this one and the worse ones, or none for `never`."""
    return () if fail_on == NEVER else SEVERITIES[: SEVERITIES.index(fail_on) + 1]


def select_failing(document: Mapping[str, Any], fail_on: str, *, only_new: bool) -> list[tuple[str, Finding]]:
    """Return the findings that fail the task, with their clusters, the worst first."""
    severities = severities_from(fail_on)
    found = [
        (cluster, finding)
        for cluster, finding in all_findings(document)
        if finding["severity"] in severities and (not only_new or finding.get("new"))
    ]
    return sorted(found, key=lambda place: severities.index(place[1]["severity"]))


def format_counts(number: Mapping[str, int], severities: Sequence[str] = SEVERITIES) -> str:
    """Return the numbers as a text such as `1 error, 3 infos`, without zeros, or `no finding`."""
    names = {ERROR: "error", WARNING: "warning"}
    found = [pluralize(number[severity], names.get(severity, "info")) for severity in severities if number[severity]]
    return ", ".join(found) or "no finding"


# --- logins in many places

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


# --- the comparison with an older report


def compare_documents(now: Document, before: Document) -> dict[str, Any]:
    """Return the document `now` with the member `new` (a bool) in each finding, and the gone findings in the member `compared`.

    A finding is identified by its cluster's name and its id. A cluster that only one of the documents has is listed in `only_before` or
    `only_now`, without new or gone findings. Findings over several clusters are compared if both documents have the member `findings`.
    """
    old, new = _group_by_cluster(before), _group_by_cluster(now)
    gone: list[dict[str, Any]] = [
        {"cluster": name, "finding": {key: value for key, value in finding.items() if key != "new"}}
        for name in sorted(old.keys() & new.keys())
        for known in [_ids(new[name])]
        for finding in old[name]
        if finding["id"] not in known
    ]
    result = {
        **now,
        "clusters": [
            {**cluster, "findings": _mark_new(cluster["findings"], old.get(cluster["name"]))}
            for cluster in now["clusters"]
        ],
        "findings": _mark_new(now.get("findings", ()), old.get("")),
    }
    result["compared"] = {
        "made": before["made"],
        "gone": gone,
        "rules": {
            entry["finding"]["rule"]: before["rules"][entry["finding"]["rule"]]
            for entry in gone
            if entry["finding"]["rule"] not in now["rules"]
        },
        "only_before": sorted(old.keys() - new.keys() - {""}),
        "only_now": sorted(new.keys() - old.keys() - {""}),
    }
    return result


def _group_by_cluster(document: Document) -> dict[str, Sequence[Finding]]:
    """Return the findings by the name of the cluster, with an empty name for findings over several clusters."""
    found = {cluster["name"] or cluster["server"]: cluster["findings"] for cluster in document["clusters"]}
    return {**found, "": document["findings"]} if "findings" in document else found


def _ids(findings: Sequence[Finding]) -> set[str]:
    return {finding["id"] for finding in findings}


def _mark_new(findings: Sequence[Finding], before: Sequence[Finding] | None) -> list[dict[str, Any]]:
    known = None if before is None else _ids(before)
    return [{**finding, "new": known is not None and finding["id"] not in known} for finding in findings]


# --- the document

#: The rules of findings that a report adds.
_OWN_RULES = {
    MANY_PLACES: {
        "severity": INFO,
        "title": "One login in many places",
        "meaning": "Anyone who can read one of these secrets has the login of all. When the login is renewed, all of them must be changed.",
        "fix": "Declare the login once in the inventory, so that one run renews it everywhere, or give each cluster a login of its own.",
    },
}
_DIGITS = re.compile(r"\d+")


def merge_documents(
    sources: Mapping[str, Mapping[str, Any]], missing: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """Return one document with the clusters of all `sources`, which are documents by the path of their file.

    `missing` are the name and error of each cluster whose audit failed. One whose audit failed only in some namespaces is in `sources`. The
    time of the document is that of the newest source. Labels of logins are replaced by running numbers.

    :raises OptionError: when a cluster has neither name nor server, or occurs twice.
    """
    theirs = _rules(sources.values())
    rules = {**_OWN_RULES, **theirs}
    clusters = _clusters(sources)
    found = [{**cluster, "findings": order_findings(cluster["findings"])} for cluster in clusters.values()]
    names = {cluster["name"] for cluster in found}
    missing = [each for each in missing if each["name"] not in names]
    found = sorted(number_logins(found), key=lambda cluster: natural_key(cluster["name"]))
    everywhere = [
        {**finding, "id": finding_id(finding)} for finding in find_shared_logins(found, _audited_clusters(sources))
    ]
    used = {finding["rule"] for findings in (everywhere, *(each["findings"] for each in found)) for finding in findings}
    return {
        "format": AUDIT_FORMAT,
        "made": max(document["made"] for document in sources.values()),
        "rules": {name: rule for name, rule in sorted(rules.items()) if name in used or name in theirs},
        "clusters": found,
        "findings": order_findings(everywhere),
        **({"missing": documents.replace_unwritable(missing)} if missing else {}),
    }


def without_audits(made: str) -> dict[str, Any]:
    """Return a document without clusters, for a page that shows only what-if answers. `made` is its time."""
    return {"format": AUDIT_FORMAT, "made": made, "rules": {}, "clusters": [], "findings": []}


def finding_id(finding: Mapping[str, Any]) -> str:
    """Return the id of a finding that has none: 16 hexadecimal digits of the hash of its rule, object and location."""
    parts = [finding[name] for name in ("rule", "namespace", "kind", "name", "location")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def order_findings(findings: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the findings, the worst first, then by rule and object."""

    def key(finding: Mapping[str, Any]) -> tuple[Any, ...]:
        names = (finding[name] for name in ("rule", "namespace", "kind", "name", "location", "id"))
        return (SEVERITIES.index(finding["severity"]), *names)

    return sorted(findings, key=key)


def natural_key(text: str) -> str:
    """Return a key for natural sorting: without case, and project-2 before project-10."""
    return _DIGITS.sub(lambda digits: digits[0].zfill(10), text.casefold())


def _rules(sources: Any) -> dict[str, Any]:
    """Return all rules, each with the description of the newest source."""
    return {
        name: rule
        for document in sorted(sources, key=lambda document: str(document["made"]))
        for name, rule in document["rules"].items()
    }


def _audited_clusters(sources: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return the clusters whose own audit applied the rule. A report may list the rule only for its own findings."""
    return {
        cluster["name"] or cluster["server"]
        for document in sources.values()
        if MANY_PLACES in document["rules"]
        for cluster in document["clusters"]
        if "findings" not in document or any(finding["rule"] == MANY_PLACES for finding in cluster["findings"])
    }


def _clusters(sources: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the clusters by name, without the results of an earlier comparison."""
    found: dict[str, dict[str, Any]] = {}
    origin: dict[str, str] = {}
    for path, document in sources.items():
        for cluster in document["clusters"]:
            name = cluster["name"] or cluster["server"]
            if not name:
                raise OptionError(f"file {path} contains a cluster without name and server: write it again with a name")
            if name in found:
                places = path if origin[name] == path else f"{origin[name]} and {path}"
                raise OptionError(f"cluster {name!r} occurs twice, in {places}: give each cluster once")
            origin[name] = path
            found[name] = {
                **cluster,
                "name": name,
                "made": cluster.get("made", document["made"]),
                "findings": [_drop_new(finding) for finding in cluster["findings"]],
                "logins": _logins(cluster["logins"], path),
            }
    return found


def _drop_new(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in finding.items() if name != "new"}


def _logins(logins: Sequence[Mapping[str, Any]], path: str) -> list[dict[str, Any]]:
    """Return the logins with comparable labels. A report's running numbers get the path, because other files use the same numbers."""

    def label(text: str) -> str:
        return f"{text} of {path}" if re.fullmatch(r"(?:login|password) \d+", text) else text

    return [{**login, "login": label(login["login"]), "password": label(login["password"])} for login in logins]
