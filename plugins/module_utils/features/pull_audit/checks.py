# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies the rules to the objects that were read, and makes the document of plugins/plugin_utils/pull_report/audit.schema.json. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from ...core.documents import AUDIT_FORMAT, SEVERITIES, VERDICT_TITLES
from ...core.errors import ImagePullError, describe_unexpected
from ...core.objects import NAMESPACE, Kind, ObjectRef
from ...core.text import make_printable, summarize
from ...core.times import format_utc
from ...dockerconfig.registry_keys import registry_of, same_path, without_user
from ...explain.snapshot import (
    ACCOUNTS,
    CLUSTER_BINDINGS,
    NAMESPACES_READ,
    NODES_READ,
    PROVIDERS,
    SECRETS,
    ClusterSnapshot,
    NamespaceSnapshot,
    SnapshotQuestion,
)
from ...images.image_verification import SETTINGS_KINDS
from ...images.nodes import parse_version
from ...platform.cluster import REGISTRY_CONFIG
from ...platform.protected import MACHINE_OS_CONFIG, RESERVED_BINDINGS, describe_keeper
from ...rbac.subjects import PROJECT_GROUPS, SUBJECT_ACCESS_REVIEW, Subject, is_pull_binding, is_pull_review, pullers_of
from . import forecast, rules_access, rules_images, rules_pods, rules_secrets, rules_verification
from .findings import DIFFERS, DRIFT, Finding, PullAudit, find_drift, sort_findings
from .forecast import RELEASE_REFS, RELEASE_SIGNATURE
from .rules import RULES
from .rules_access import NODE_RULES, node_refs
from .rules_images import (
    IMAGE_UNSIGNED,
    REGISTRY_REMOVED,
    find_images_of_removed_registry,
    find_unsigned_images,
    unknown_signatures,
)
from .rules_secrets import BUILD_RULES, SEARCH, group_logins, label_logins
from .rules_verification import VERIFICATION

Check = Callable[[NamespaceSnapshot, ClusterSnapshot], Iterable[Finding]]
#: A rule's id, the place where it is applied as a message names it, and the function that applies it.
_Work = tuple[str, str, Callable[[], Iterable[Finding]]]

#: The rules that check one namespace and need no option.
CHECKS: Mapping[str, Check] = {
    "secret-type-unread": rules_secrets.find_unread_types,
    "secret-unparsable": rules_secrets.find_unparsable_secrets,
    "secret-key-never-matches": rules_secrets.find_unmatched_keys,
    "secret-key-matches-too-much": rules_secrets.find_broad_keys,
    "link-dangling": rules_access.find_dangling_links,
    "link-duplicate": rules_access.find_duplicate_links,
    "account-not-provisioned": rules_access.find_unprovisioned_accounts,
    "pod-secret-missing": rules_pods.find_missing_secrets,
    "pod-hides-account-list": rules_pods.find_hidden_account_lists,
    "pod-older-than-link": rules_pods.find_pods_older_than_link,
    "workload-cannot-pull": rules_pods.find_failing_workloads,
    "pod-pull-unknown": rules_pods.find_unknown_pulls,
    "pull-not-known": rules_pods.find_not_known_pulls,
    "credential-breaks-public-pull": rules_pods.find_broken_public_pulls,
    "grant-dead-subject": rules_access.find_dead_subjects,
    "grant-duplicate-bindings": rules_access.find_duplicate_bindings,
    "grant-to-everybody": rules_access.find_grants_to_everybody,
    "stream-import-fails": rules_images.find_failing_imports,
    "stream-import-stale-secret": rules_images.find_stale_secrets,
    "credential-expired": rules_secrets.find_expired_logins,
    "credential-short-lived": rules_secrets.find_short_lived_logins,
    rules_secrets.SEARCH: rules_secrets.find_searched_credential,
    "forecast-recreated-secret": forecast.find_recreated_secrets,
    "forecast-legacy-token": forecast.find_legacy_tokens,
    "forecast-image-name": forecast.find_renamed_images,
    REGISTRY_REMOVED: find_images_of_removed_registry,
    IMAGE_UNSIGNED: find_unsigned_images,
}


@dataclass(frozen=True)
class Audit:
    """The options of an audit and the objects that were read, with the findings that follow from them.

    `failed`: the reason of each namespace without an audit.
    """

    asked: PullAudit
    survey: ClusterSnapshot
    failed: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def rules(self) -> list[str]:
        """The ids of the rules to apply: a forecast only if the upgrade passes its version, a search only if a credential is given."""
        return [rule for rule in self.asked.rules if self._is_applied(rule)]

    def _is_applied(self, rule: str) -> bool:
        if rule in forecast.FORECASTS:
            return self._is_forecast(rule)
        if rule in DRIFT:
            return bool(self.asked.drift)
        if rule == rules_access.OPEN_TO_USERS:
            return bool(self.asked.open_selectors)
        if rule == IMAGE_UNSIGNED:
            return self.asked.registries is not None
        return rule != rules_secrets.SEARCH or self.asked.search is not None

    def _is_forecast(self, rule: str) -> bool:
        target, current = self.asked.target, self._version
        if target is None:
            return False
        if rule == "forecast-cached-image" and forecast.begins_to_verify(self.survey, current, target):
            return True
        return forecast.is_due(rule, current, target)

    @property
    def _version(self) -> tuple[int, int] | None:
        """Major and minor version of the cluster, or None if unknown."""
        return parse_version(self.survey.version.rpartition(" ")[2])

    @cached_property
    def copies(self) -> rules_secrets.Copies:
        """The logins that are in more than one secret, by host and user."""
        return rules_secrets.find_copies(self.survey)

    @property
    def findings(self) -> list[Finding]:
        """The findings, the worst first, without duplicates and without ignored ones."""
        return self._outcome[0]

    @cached_property
    def _outcome(self) -> tuple[list[Finding], list[str]]:
        """The findings, and a sentence for each rule that failed with an unexpected exception."""
        found: dict[str, Finding] = {}
        problems = []
        for rule, where, check in (*self._namespace_checks(), *self._cluster_checks()):
            try:
                found.update((finding.id, finding) for finding in check())
            except Exception as error:  # an object may hold anything
                problems.append(
                    f"rule {rule} was not applied to {where} because of an internal error: {describe_unexpected(error)}. Please report it"
                )
        kept = [each for each in found.values() if not any(one.matches(each) for one in self.asked.ignore)]
        return sort_findings(kept), problems

    @cached_property
    def repositories(self) -> frozenset[str]:
        """The repositories for which some pod has its own login."""
        return rules_pods.repositories_with_login(self.survey)

    def unread_sentences(self) -> Iterator[str]:
        """Yield a sentence for each kind that could not be read, with the namespaces and the rules that were not applied there."""
        yield from self._describe_failed()
        places: dict[tuple[str, str], list[str]] = defaultdict(list)
        for place in self.survey.places.values():
            for what, why in place.unread.items():
                places[what, why].append(place.namespace)
        for (what, why), names in places.items():
            rules = [rule for rule in self.rules if what in RULES[rule].needs]
            without = f". Not applied there: {', '.join(rules)}" if rules else ""
            yield f"the {what} of {_describe_namespaces(names, len(self.survey.places))} could not be read: {why}{without}"
        yield from self._unread_evidence()
        if "grant-dead-subject" in self.rules:
            errors = {ref: str(seen) for ref, seen in self.survey.known.items() if isinstance(seen, ImagePullError)}
            yield from _describe_unread(errors, "It is not known whether a grant to it is dead")
        for what, why in self.survey.unread.items():
            if result := self._effect_of_missing(what):
                yield f"the {what} could not be read: {why}. {result}"
        if self.survey.none_will_come is None and "account-not-provisioned" in self.rules:
            yield "it is not known whether this cluster generates pull secrets. Not applied: account-not-provisioned"
        yield from self._outcome[1]

    def _describe_failed(self) -> Iterator[str]:
        names: dict[str, list[str]] = defaultdict(list)
        for name, why in self.failed.items():
            names[why].append(name)
        for why, of_reason in names.items():
            yield f"{_describe_namespaces(of_reason)} {'were' if of_reason[1:] else 'was'} not audited: {why}"

    def _unread_evidence(self) -> Iterator[str]:
        for place in self.survey.searched.values():
            for what, why in place.unread.items():
                yield f"the {what} of namespace {place.namespace} could not be read: {why}. The credential was not searched for there"
        if why := self.survey.build_secrets.unread:
            yield f"the {MACHINE_OS_CONFIG.resource} could not be read: {why}. It is not known which secrets they name"
        # A namespace only decides whether a grant in it is offered.
        unread = {ref: why for ref, why in self.survey.evidence.unread.items() if ref.kind != NAMESPACE}
        if why := unread.pop(REGISTRY_CONFIG, ""):
            yield f"{REGISTRY_CONFIG} could not be read: {why}. Not applied: {REGISTRY_REMOVED}"
        of_nodes = {ref: why for ref, why in unread.items() if ref.kind in SETTINGS_KINDS}
        pulls = {ref: why for ref, why in unread.items() if ref not in of_nodes}
        yield from _describe_unread(pulls, "Pulls that depend on it are not known")
        yield from _describe_unread(
            of_nodes,
            "It may not be known which nodes verify access to images, and which credential providers they have",
        )
        if IMAGE_UNSIGNED in self.rules:
            yield from unknown_signatures(self.survey)

    def _effect_of_missing(self, what: str) -> str:
        """Return a sentence on how the audit is incomplete without this cluster-wide kind, or an empty text if it is not."""
        if what == CLUSTER_BINDINGS:
            return "It is not known who may pull from all projects"
        of_nodes = () if self.survey.is_openshift else ("forecast-short-name",)
        rules = {
            NODES_READ: (*of_nodes, *rules_verification.VERIFICATION),
            PROVIDERS: ("forecast-credential-provider",),
            NAMESPACES_READ: (rules_access.OPEN_TO_USERS,),
        }[what]
        missing = [rule for rule in rules if rule in self.rules]
        return f"Not applied: {', '.join(missing)}" if missing else ""

    def _namespace_checks(self) -> Iterator[_Work]:
        checks = self._checks()
        for place in self.survey.places.values():
            for rule in self.rules:
                if rule in checks and self._is_applied_in(rule, place):
                    yield rule, f"namespace {place.namespace}", partial(checks[rule], place, self.survey)

    def _is_applied_in(self, rule: str, place: NamespaceSnapshot) -> bool:
        return rule in self.rules and not any(what in place.unread for what in RULES[rule].needs)

    def _checks(self) -> Mapping[str, Check]:
        """Add the rules that need an option or other namespaces."""
        days, target = self.asked.expires_within, self.asked.target or (0, 0)
        return {
            **CHECKS,
            "secret-unused": partial(rules_secrets.find_unused_secrets, declares=self.asked.declares),
            "secret-duplicate": partial(rules_secrets.find_duplicate_secrets, declares=self.asked.declares),
            "credential-expires": lambda place, survey: rules_secrets.find_expiring_logins(place, survey, days),
            "forecast-cached-image": lambda place, survey: forecast.find_cached_images(
                place, survey, self.repositories, target
            ),
            rules_verification.REFUSED_PODS: lambda place, survey: rules_verification.find_refused_pods(
                place, survey, lambda: self.repositories
            ),
            "forecast-short-name": lambda place, survey: forecast.find_short_names(place, survey, self.asked.target),
            "pod-cannot-pull": lambda place, survey: rules_pods.find_failing_pods(
                place, survey, with_workloads=self._is_applied_in("workload-cannot-pull", place)
            ),
        }

    def _cluster_checks(self) -> Iterator[_Work]:
        checks: Mapping[str, Callable[[], Iterable[Finding]]] = {
            "grant-to-everybody": lambda: rules_access.find_cluster_grants(self.survey),
            "credential-in-many-places": lambda: rules_secrets.find_widespread_logins(
                self.copies, self.survey.build_secrets
            ),
            "credential-copies-differ": lambda: rules_secrets.find_differing_copies(self.copies),
            rules_secrets.SEARCH: self._find_elsewhere,
            "forecast-credential-provider": lambda: forecast.find_credential_providers(self.survey),
            "node-secret-unusable": lambda: rules_access.find_unusable_node_secret(self.survey),
            "node-secret-unlinked": lambda: rules_access.find_unlinked_cluster(self.survey),
            forecast.RELEASE_SIGNATURE: self._find_release_mirrors,
            rules_access.OPEN_TO_USERS: lambda: rules_access.find_open_selectors(self.survey),
            **{rule: partial(self._find_in_nodes, check) for rule, check in rules_verification.CLUSTER_RULES.items()},
            **{rule: partial(self._find_drift, rule) for rule in DRIFT},
        }
        for rule, check in checks.items():
            if rule in self.rules:
                yield rule, "the cluster", check

    def _find_in_nodes(self, check: rules_verification.NodeCheck) -> Iterable[Finding]:
        return check(self.survey, lambda: self.repositories)

    def _find_elsewhere(self) -> Iterator[Finding]:
        """Find the searched credential in namespaces that are not audited."""
        for place in self.survey.searched.values():
            yield from rules_secrets.find_searched_credential(place, self.survey)

    def _find_release_mirrors(self) -> Iterator[Finding]:
        target = self.asked.target
        return iter(()) if target is None else forecast.find_release_mirrors(self.survey, self._version, target)

    def _find_drift(self, rule: str) -> Iterator[Finding]:
        advice = f". {RULES[rule].fix[:-1]}" if rule == DIFFERS else ""
        for finding in find_drift(self.asked.drift):
            if finding.rule == rule:
                place = self.survey.places.get(finding.ref.namespace)
                keeper = describe_keeper(finding.ref.kind, (place and place.find(finding.ref)) or {})
                who = f", and {keeper}" if keeper else ""
                yield replace(finding, message=f"{finding.message}{who}{advice}")


def _describe_unread(unread: Mapping[ObjectRef, str], result: str) -> Iterator[str]:
    """Yield a sentence for each kind of the unread objects: without them, containers are `unknown`."""
    topics: dict[tuple[Kind, str], list[ObjectRef]] = defaultdict(list)
    for ref in unread:
        topics[ref.kind, _right_of(ref)].append(ref)
    for (kind, right), refs in topics.items():
        what = right or (str(refs[0]) if refs[0].name else f"the {kind.resource}")
        more = f" (and {len(refs) - 1} more)" if len(refs) > 1 else ""
        yield f"{what} could not be read{more}: {unread[refs[0]]}. {result}"


def _right_of(ref: ObjectRef) -> str:
    """The right that an access review is about. Empty for an object."""
    if ref.kind != SUBJECT_ACCESS_REVIEW:
        return ""
    purpose = "to pull from other projects" if is_pull_review(ref) else "that a credential provider needs"
    return f"the right of accounts {purpose}"


def _describe_namespaces(names: list[str], total: int = 0) -> str:
    if len(names) == total and total > 1:
        return f"all {total} namespaces"
    return f"namespace{'s' if len(names) > 1 else ''} {summarize(names, _SHOWN)}"


_SHOWN = 10


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
        "findings": [finding.report(asked.access_options) for finding in audit.findings],
        "unreadable": [make_printable(sentence) for sentence in audit.unread_sentences()],
        "matrix": _matrix(survey),
        "pullers": list(_pullers(survey)),
        # With the same fingerprint_key, another cluster may have a copy of a login that occurs here only once.
        "logins": label_logins(audit.copies if asked.key is None else group_logins(survey), key),
    }
    made = format_utc(survey.now)
    rules = {rule: RULES[rule].report() for rule in audit.rules}
    return {"format": AUDIT_FORMAT, "made": made, "rules": rules, "clusters": [cluster]}


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
    found = Counter(access.title for accesses in survey.accesses.values() for access in accesses)
    return {verdict: found[verdict] for verdict in VERDICT_TITLES}


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


def snapshot_question(asked: PullAudit, *, verdicts: bool = True) -> SnapshotQuestion:
    """Return the parts of a cluster that the rules need. `verdicts`: whether they need verdicts about the containers."""
    rules, is_upgrade = {*asked.rules}, asked.target is not None
    more = [*node_refs()] if rules & {*NODE_RULES} else []
    if is_upgrade and REGISTRY_REMOVED in rules:
        more.append(REGISTRY_CONFIG)
    if is_upgrade and RELEASE_SIGNATURE in rules:
        more += RELEASE_REFS
    return SnapshotQuestion(
        verdicts,
        nodes=is_upgrade or bool(rules & {*VERIFICATION}),
        node_settings=bool(rules & {*VERIFICATION, "forecast-cached-image", "forecast-image-name"}),
        providers=is_upgrade,
        build_secrets=bool(rules & {*BUILD_RULES}),
        grant_subjects="grant-dead-subject" in rules,
        platform_secrets=asked.search is not None and SEARCH in rules,
        search=None if asked.search is None else asked.search.matches,
        open_selectors=asked.open_selectors,
        more=more,
    )
