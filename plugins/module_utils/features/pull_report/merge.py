# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merges several audit documents into one. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...core.audit_format import FORMAT, INFO, SEVERITIES
from ...core.errors import OptionError
from . import documents
from .logins import MANY_PLACES, find_shared_logins, number_logins

__all__ = ["finding_id", "merge_documents", "natural_key", "order_findings", "without_audits"]

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

    `missing` are the name and error of each cluster whose audit failed. Its time is that of the newest source. Labels of logins are
    replaced by running numbers.

    :raises OptionError: when a cluster has neither name nor server, or occurs twice.
    """
    theirs = _rules(sources.values())
    rules = {**_OWN_RULES, **theirs}
    clusters = _clusters(sources)
    found = [{**cluster, "findings": order_findings(cluster["findings"])} for cluster in clusters.values()]
    found = sorted(number_logins(found), key=lambda cluster: natural_key(cluster["name"]))
    everywhere = [
        {**finding, "id": finding_id(finding)} for finding in find_shared_logins(found, _audited_clusters(sources))
    ]
    used = {finding["rule"] for findings in (everywhere, *(each["findings"] for each in found)) for finding in findings}
    return {
        "format": FORMAT,
        "made": max(document["made"] for document in sources.values()),
        "rules": {name: rule for name, rule in sorted(rules.items()) if name in used or name in theirs},
        "clusters": found,
        "findings": order_findings(everywhere),
        **({"missing": documents.replace_unwritable(missing)} if missing else {}),
    }


def without_audits(made: str) -> dict[str, Any]:
    """Return a document without clusters, for a page that shows only what-if answers. `made` is its time."""
    return {"format": FORMAT, "made": made, "rules": {}, "clusters": [], "findings": []}


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
