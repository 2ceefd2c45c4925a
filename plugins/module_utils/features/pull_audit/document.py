# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of one audit, as plugins/plugin_utils/pull_report/audit.schema.json describes it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ...core.audit_format import FORMAT, SEVERITIES
from ...core.cluster_text import make_printable
from ...core.times import format_utc
from ...dockerconfig.registry_keys import registry_of, same_path, without_user
from ...explain.chain import PULLS, UNKNOWN, WILL_NOT_PULL
from ...platform.protected import RESERVED_BINDINGS
from ...rbac.subjects import PROJECT_GROUPS, Subject
from .checks import Audit
from .fingerprints import label_logins
from .rules import RULES
from .rules_credentials import group_logins
from .rules_grants import is_pull_binding, pullers_of
from .survey import ACCOUNTS, SECRETS, ClusterSnapshot, NamespaceSnapshot

__all__ = ["count_findings", "document_of"]


def document_of(audit: Audit, server: str, key: bytes) -> dict[str, Any]:
    """Return the audit document. `server` is the address of the API server, `key` the HMAC key of the labels of logins."""
    survey, asked = audit.survey, audit.asked
    cluster = {
        "name": asked.cluster_name,
        "server": server,
        "version": survey.version,
        "target_version": asked.target_version,
        "counts": _counts(survey),
        "verdicts": _verdicts(survey),
        "findings": [finding.report() for finding in audit.findings],
        "unreadable": [make_printable(sentence) for sentence in audit.unread_sentences()],
        "matrix": _matrix(survey),
        "pullers": list(_pullers(survey)),
        # With the same fingerprint_key, another cluster may have a copy of a login that occurs here only once.
        "logins": label_logins(audit.copies if asked.key is None else group_logins(survey), key),
    }
    made = format_utc(survey.now)
    rules = {rule: RULES[rule].report() for rule in audit.rules}
    return {"format": FORMAT, "made": made, "rules": rules, "clusters": [cluster]}


def count_findings(document: dict[str, Any]) -> dict[str, Any]:
    """Return the number of findings: `severities` by severity, each of them, and `rules` by rule id, only rules with findings."""
    findings = [finding for cluster in document["clusters"] for finding in cluster["findings"]]
    severities = Counter(finding["severity"] for finding in findings)
    rules = Counter(finding["rule"] for finding in findings)
    return {"severities": {each: severities[each] for each in SEVERITIES}, "rules": dict(sorted(rules.items()))}


def _counts(survey: ClusterSnapshot) -> dict[str, int]:
    places = survey.places.values()
    return {
        "namespaces": len(survey.places),
        "pods": sum(len(place.pods) for place in places),
        "workloads": sum(len(place.workloads) for place in places),
        "service_accounts": sum(len(place.accounts) for place in places),
        "secrets": sum(len(place.secrets) for place in places),
    }


def _verdicts(survey: ClusterSnapshot) -> dict[str, int]:
    found = Counter(access.verdict for accesses in survey.accesses.values() for access in accesses)
    return {verdict: found[verdict] for verdict in (PULLS, WILL_NOT_PULL, UNKNOWN)}


def _matrix(survey: ClusterSnapshot) -> dict[str, Any]:
    """Leave out accounts whose secrets could not be read: `unreadable` reports them."""
    rows = [row for place in survey.places.values() for row in _rows(place)]
    registries = sorted({key for _place, _account, keys in rows for key in keys})
    position = {key: at for at, key in enumerate(registries)}
    return {
        "registries": registries,
        "accounts": [
            {"namespace": place, "name": account, "registries": sorted(position[key] for key in keys)}
            for place, account, keys in rows
        ],
    }


def _rows(place: NamespaceSnapshot) -> Iterator[tuple[str, str, set[str]]]:
    if place.unread.keys() & {SECRETS, ACCOUNTS}:
        return
    for account, names in sorted(place.listed.items()):
        secrets = [place.secrets[name] for name in names if name in place.secrets]
        yield place.namespace, account, {_registry(key) for secret in secrets for key in secret.keys}


def _registry(key: str) -> str:
    registry = registry_of(key)
    return same_path(registry) if registry else without_user(key)


def _pullers(survey: ClusterSnapshot) -> Iterator[dict[str, str]]:
    for place in survey.places.values():
        bindings = [each for each in place.bindings if is_pull_binding(each)]
        for name, subject in dict.fromkeys(pullers_of(bindings)):
            if name not in RESERVED_BINDINGS and not _is_own(subject, place.namespace):
                yield _puller(place.namespace, subject, name)
    for name, subject in dict.fromkeys(pullers_of(filter(is_pull_binding, survey.cluster_bindings))):
        yield _puller("", subject, name)


def _is_own(subject: Subject, project: str) -> bool:
    return subject.namespace == project or (subject.kind, subject.name) == ("Group", PROJECT_GROUPS + project)


def _puller(project: str, subject: Subject, binding: str) -> dict[str, str]:
    group = subject.name.removeprefix(PROJECT_GROUPS) if subject.kind == "Group" else subject.name
    return {
        "project": project,
        "subject": str(subject),
        "namespace": subject.namespace or (group if group != subject.name else ""),
        "binding": binding,
    }
