# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `pull_secret_info`, report the content of pull secrets in many namespaces, and check their logins, each different login once.

A report contains only the key, the kind and the expiry time of a login, never the user or the password.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from ..clients.kube.client import Cluster
from ..clients.registry.proof import RegistryProof
from ..core.changes import MANAGED_BY, NOTHING_RELATED, ListedBy, Related
from ..core.errors import OptionError, Refusal
from ..core.names import check_name, is_pattern
from ..core.namespaces import missing_sentence
from ..core.objects import NAMESPACE, SECRET, Json, Kind, ObjectRef, Objects, as_dict, as_str, metadata
from ..core.ownership import owner_of
from ..core.text import redact_text
from ..core.times import content_change, format_utc, with_time_of_content
from ..discovery.proofs import LoginCheck, collect_proofs, explain_refusal
from ..dockerconfig.registry_keys import host_of, without_user
from ..engine.fetching import FEW_UNFILTERED
from ..engine.result import NamespaceResult, Outcome
from ..engine.run import RunSettings, read_each
from ..images.image_questions import VERIFY_ARGUMENTS, LoginQuestion, Verification
from ..platform.account_lists import is_marked_generated
from ..platform.protected import controller_of
from ..secrets.content import DATA_KEYS, TYPES, StoredSecret, can_be_auth_file
from ..secrets.expiry import ends_at, kind_of

ARGUMENTS: dict[str, Any] = {
    "names": {"type": "list", "elements": "str"},
    **VERIFY_ARGUMENTS,
}


@dataclass(frozen=True)
class PullSecrets:
    """The question. `names` are names or globs; without any, it is about all secrets with an auth file, except generated ones.

    `verification` is how their logins are checked, None for no check.
    """

    names: tuple[str, ...] = ()
    verification: Verification | None = None

    @property
    def exact(self) -> tuple[str, ...]:
        """The names if there is no glob among them, otherwise empty: only these secrets must be read."""
        return () if any(map(is_pattern, self.names)) else self.names

    def named(self, name: str) -> bool:
        """Whether a name or glob matches the name."""
        return any(fnmatchcase(name, pattern) for pattern in self.names)


def from_options(options: Mapping[str, Any]) -> PullSecrets:
    """Return the question that the options ask.

    :raises OptionError: for an empty list, invalid names, and checks that cannot work.
    """
    names = options["names"]
    if names is not None and not names:
        raise OptionError("option 'names' is empty: give at least one name or glob, or leave it out for all")
    for name in names or ():
        if not is_pattern(name):
            check_name("names", name)
    return PullSecrets(tuple(dict.fromkeys(names or ())), Verification.of(options))


#: Types of secrets without auth files. The server leaves them out: a Helm release is often larger than all pull secrets.
_OTHERS = (
    "helm.sh/release.v1",
    "kubernetes.io/service-account-token",
    "kubernetes.io/tls",
    "bootstrap.kubernetes.io/token",
)
_SELECTOR = ",".join(f"type!={each}" for each in _OTHERS)
_MANAGER = next(iter(MANAGED_BY))


def _trim_secret(secret: Json) -> Json:
    """Trim a listed secret: keep the data only if it may be an auth file."""
    kept = with_time_of_content(secret)
    return kept if secret.get("type") in TYPES or can_be_auth_file(secret.get("data")) else {**kept, "data": {}}


def _trim_generated(secret: Json) -> Json:
    """Trim a listed secret, and drop the data of generated secrets, of which each namespace of a cluster has three."""
    return {**secret, "data": {}} if is_marked_generated(secret) else _trim_secret(secret)


_NAMED, _BY_HAND = replace(SECRET, trim=_trim_secret), replace(SECRET, trim=_trim_generated)


@dataclass(frozen=True, repr=False)
class SecretReport:
    """One secret. `report` is its row in the result, with a row for each of `keys`. `logins` are user and password by key.

    `written`: when its content was last written, in seconds since 1970, 0 if that is unknown.
    """

    report: Mapping[str, Any]
    keys: Sequence[str]
    logins: Mapping[str, tuple[str, str]]
    written: float
    is_generated: bool

    @classmethod
    def of(cls, secret: Json) -> SecretReport:
        """Return the report on a secret. Its keys are sorted."""
        stored = StoredSecret.of(secret)
        reading = stored.for_kubelet
        shown = {*reading.logins, *map(without_user, reading.logins)}
        rest = (key for key in stored.known.entries if key not in shown)
        keys = sorted((*reading.logins, *rest), key=without_user)
        changed = content_change(secret)
        written = float(changed.at) if changed and changed.is_exact else 0.0
        rows = [_login_row(key, *reading.logins.get(key, ("", "")), written) for key in keys]
        report = _report(secret, stored, reading.problems, rows)
        return cls(report, keys, reading.logins, written, is_marked_generated(secret))


@dataclass(frozen=True)
class SecretQuestion:
    """The question. `where` is the name of the cluster, for messages. `by_name`: exact names are read one by one."""

    asked: PullSecrets
    where: str = ""
    by_name: bool = True

    listed_by: ClassVar[ListedBy] = {SECRET: (_SELECTOR,)}

    @property
    def kind(self) -> Kind:
        return _NAMED if self.asked.names else _BY_HAND

    def names(self, _namespace: str) -> tuple[str, ...]:
        return self.asked.exact if self.by_name else ()

    def related(self, namespace: str, objects: Objects) -> Sequence[ObjectRef]:
        """Return the namespace if no secret was found, because it may not exist."""
        return () if objects else (ObjectRef(NAMESPACE, "", namespace),)

    def reports(self, namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> list[SecretReport]:
        """Return the reports on the secrets that are asked about.

        :raises Refusal: when the namespace does not exist.
        """
        if not objects and found.get(ObjectRef(NAMESPACE, "", namespace), {}) is None:
            raise Refusal(missing_sentence(self.where, only_reads=True))
        meant = [secret for name, secret in sorted(objects.items()) if self._matches(name, secret)]
        return [SecretReport.of(_trim_secret(secret)) for secret in meant]

    def _matches(self, name: str, secret: Json) -> bool:
        if name in self.asked.exact:
            return True
        if self.asked.names and not self.asked.named(name):
            return False
        if not self.asked.names and is_marked_generated(secret):
            return False
        if secret.get("type") in TYPES:
            return True
        return can_be_auth_file(secret.get("data")) and bool(StoredSecret.of(secret).known.entries)


def _report(secret: Json, stored: StoredSecret, of_kubelet: Sequence[str], rows: Sequence[Json]) -> dict[str, Any]:
    meta, is_read = metadata(secret), stored.type in DATA_KEYS
    unreadable = (f"it {stored.unreadable}",) if stored.unreadable else ()
    problems = of_kubelet if is_read else unreadable
    return {
        "name": as_str(meta.get("name")),
        "type": stored.type,
        "read_by_nodes": is_read,
        "immutable": secret.get("immutable") is True,
        "generated": is_marked_generated(secret),
        "managed_by": controller_of(secret) or as_str(as_dict(meta.get("labels")).get(_MANAGER)),
        "owner": owner_of(secret),
        "problems": [redact_text(problem) for problem in problems],
        "registries": list(rows),
    }


def _login_row(key: str, username: str, password: str, written: float) -> dict[str, Any]:
    host = host_of(key)
    ends, kind = ends_at(host, username, password, written), kind_of(host, username, password)
    return {
        "key": redact_text(without_user(key)),
        "has_login": bool(username and password),
        "kind": kind.title if kind else "",
        "expires": "" if ends is None else format_utc(ends),
    }


def inspect_secrets(cluster: Cluster, wanted: PullSecrets, namespaces: Sequence[str], settings: RunSettings) -> Outcome:
    """Return the outcome with `secrets` for each namespace and, with a verification, the number of each answer in `outcomes`.

    :raises OptionError: when the certificate authorities of registries cannot be read.
    """
    count = len(wanted.exact)
    # One name is always read by name, because the server selects it in a list of many namespaces.
    by_name = count == 1 or count * len(namespaces) <= FEW_UNFILTERED
    question = SecretQuestion(wanted, cluster.name, by_name)
    outcome, found = read_each(cluster, question, namespaces, settings, question.reports)
    secrets = (secret for reports in found.values() for secret in reports)
    proven = _LoginVerdicts.of(wanted.verification, secrets) if wanted.verification else None
    results = [_finish_result(result, found.get(result.name), proven) for result in outcome.namespaces]
    if proven is None:
        return replace(outcome, namespaces=results)
    return replace(
        outcome,
        namespaces=results,
        extra=_count_outcomes(results),
        remarks=(*outcome.remarks, *proven.unasked_warnings()),
    )


@dataclass(frozen=True)
class _LoginVerdicts:
    how: Verification
    answers: Mapping[LoginCheck, RegistryProof]

    @classmethod
    def of(cls, how: Verification, secrets: Iterable[SecretReport]) -> _LoginVerdicts:
        questions = (question for secret in secrets for question in _questions(how, secret))
        return cls(how, collect_proofs(_attempt(how, question) for question in questions))

    def of_secret(self, secret: SecretReport) -> dict[str, list[dict[str, str]]]:
        """Return the results of the checks by registry key."""
        rows: dict[str, list[dict[str, str]]] = {key: [] for key in secret.keys}
        for question in _questions(self.how, secret):
            attempt = _attempt(self.how, question)
            proof = explain_refusal(self.answers[attempt], attempt.wanted.host, attempt.login, secret.written)
            repository = str(attempt.wanted) if question.image else ""
            rows[question.key].append({"repository": repository, "outcome": proof.outcome, "message": proof.said})
        return rows

    def unasked_warnings(self) -> Iterator[str]:
        """Yield a warning for each repository for which no secret has a login."""
        hosts = {(attempt.wanted.host, attempt.wanted.path) for attempt in self.answers}
        for text, image in self.how.images:
            if (image.host, image.path) not in hosts:
                yield f"{text} was not checked: none of the secrets has a login for it"


def _attempt(how: Verification, question: LoginQuestion) -> LoginCheck:
    """Return the check. Only the registries in options count as named, because anyone who may write a secret chooses its keys."""
    is_named = question.host in {image.host for _text, image in how.images}
    return LoginCheck.of(question, how.access, is_named=is_named)


def _questions(how: Verification, secret: SecretReport) -> Sequence[LoginQuestion]:
    """Return the questions, or none for a generated secret: the platform renews it, and mostly only the cluster reaches its registry."""
    return () if secret.is_generated else how.of_logins(secret.logins)


def _finish_result(
    result: NamespaceResult, secrets: Sequence[SecretReport] | None, proven: _LoginVerdicts | None
) -> NamespaceResult:
    """Return the result with a row for each secret. `secrets`: None if they could not be read."""
    if secrets is None:
        return result
    rows = [_row(secret, proven) for secret in secrets]
    return replace(result, extra={"secrets": rows}, unremarkable=not rows)


def _row(secret: SecretReport, proven: _LoginVerdicts | None) -> dict[str, Any]:
    if proven is None:
        return dict(secret.report)
    proofs = proven.of_secret(secret)
    rows = [{**row, "proofs": proofs[key]} for key, row in zip(secret.keys, secret.report["registries"], strict=True)]
    return {**secret.report, "registries": rows}


def _count_outcomes(results: Sequence[NamespaceResult]) -> dict[str, Any]:
    counts = Counter(
        proof["outcome"]
        for result in results
        for secret in result.extra.get("secrets", ())
        for registry in secret["registries"]
        for proof in registry["proofs"]
    )
    return {"outcomes": dict(sorted(counts.items())), "works": {*counts} <= {"logs_in", "pulls"}}
