# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export a cluster's pull access as inventory variables, and verify for each part that applying it changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...clients.kube.client import Cluster
from ...core.changes import ALL, Related
from ...core.errors import ImagePullError
from ...core.files import Write
from ...core.namespaces import Targets
from ...core.objects import ROLE_BINDING, SECRET, SERVICE_ACCOUNT, ObjectRef
from ...dockerconfig.json_text import InvalidContent
from ...engine.fetching import Answer, look_up
from ...engine.namespaces import require_namespace
from ...engine.result import Outcome
from ...engine.run import RunSettings, evaluate_each, read_each, with_failures
from ...features.image_puller_grant.plan import DEFAULT_BINDING
from ...platform.protected import RESERVED_BINDINGS
from ...rbac.subjects import IMAGE_PULLER
from ...secrets.content import StoredSecret
from .entries import (
    ExportCheck,
    ExportedGrant,
    ExportedSecret,
    Findings,
    Grants,
    NamespaceObjects,
    NamespaceQuestion,
    arrange_links,
    doubtful_secrets,
    further_data,
    secret_of,
)
from .inventory import VAULT_FILE, Export, inventory_of


@dataclass(frozen=True)
class ExportOutput:
    """Where the findings go. `write`: writes files, None for none. `hide` receives each text with credentials, then `show` the names
    that stay visible."""

    hide: Callable[[str], None] = field(default=lambda _text: None)
    write: Write | None = None
    show: Callable[[Iterable[str]], None] = field(default=lambda _names: None)


def export_inventory(
    cluster: Cluster, wanted: Export, meant: Targets, settings: RunSettings, out: ExportOutput
) -> Outcome:
    """Return the outcome with the inventory of the namespaces that could be read. Users write the objects in a namespace, so one that fails
    stops no other one. Without any, or if the task stopped, there is no inventory and no file."""
    cluster.forbid_writes()
    outcome, seen = _read_namespaces(cluster, meant.namespaces, settings)
    secrets = (secret for each in seen.values() for secret in each.secrets.values())
    for text in dict.fromkeys(_content(StoredSecret.of(secret)) for secret in secrets):
        out.hide(text)
    out.show(name for place, each in seen.items() for name in (place, *each.secrets, *each.accounts))
    grants = Grants(wanted.roles, IMAGE_PULLER, DEFAULT_BINDING, RESERVED_BINDINGS)
    outcome, found = _read_referenced(cluster, grants, seen, outcome, settings)
    readable = _without_failed(seen, outcome)
    outcome, findings = evaluate_each(outcome, readable, lambda name, each: _findings(name, each, found, grants))
    if outcome.stopped or (outcome.has_failed and not findings):
        return outcome
    inventory = inventory_of(findings)
    protected = {"platform_namespaces": len(meant.left_out)} if meant.left_out else {}
    report = inventory.report()
    extra = {**report, "left_out": {**report["left_out"], **protected}, "files": []}
    if out.write is not None and wanted.files is not None:
        missing = [result.name for result in outcome.failed]
        files = inventory.files(cluster.name, missing, encrypted=VAULT_FILE in wanted.files.encrypted)
        extra = {**extra, "files": list(out.write(files)), "changed": True}
    return replace(outcome, extra=extra)


def _content(held: StoredSecret) -> str:
    try:
        return held.text
    except InvalidContent:
        return held.value


def _read_namespaces(
    cluster: Cluster, namespaces: Sequence[str], settings: RunSettings
) -> tuple[Outcome, dict[str, NamespaceObjects]]:
    """Return the objects of each namespace that can be read."""
    question = NamespaceQuestion()
    outcome, seen = read_each(cluster, question, namespaces, settings, question.objects)
    with settings.workers() as workers:
        empty = [name for name, each in seen.items() if not each.accounts]
        reasons = dict(zip(empty, workers.map(lambda name: _why_missing(cluster, name), empty), strict=True))
    return with_failures(outcome, {name: why for name, why in reasons.items() if why is not None}), seen


def _why_missing(cluster: Cluster, namespace: str) -> ImagePullError | None:
    """Whether a namespace has no service account. Each has one, so such a namespace may not exist."""
    try:
        require_namespace(cluster, namespace)
    except ImagePullError as error:
        return error
    return None


def _read_referenced(
    cluster: Cluster, grants: Grants, seen: Mapping[str, NamespaceObjects], outcome: Outcome, settings: RunSettings
) -> tuple[Outcome, Related]:
    """Return the referenced objects. A namespace with unreadable ones fails."""
    outcome, refs = evaluate_each(
        outcome,
        _without_failed(seen, outcome),
        lambda name, each: [*doubtful_secrets(name, each), *grants.refs_to_read(name, each)],
    )
    known: dict[ObjectRef, Answer] = {
        ObjectRef(SERVICE_ACCOUNT, name, account): obj
        for name, each in seen.items()
        for account, obj in each.accounts.items()
    }
    known |= {ref: None for every in refs.values() for ref in every if _is_gone(ref, seen)}
    if not outcome.stopped:
        unknown = dict.fromkeys(ref for every in refs.values() for ref in every if ref not in known)
        with settings.workers() as workers:
            known |= look_up(cluster, workers, unknown, {SERVICE_ACCOUNT: ALL})
    failures = {
        name: error
        for name, every in refs.items()
        for ref in every
        if isinstance(error := known.get(ref), ImagePullError)
    }
    readable = {ref: answer for ref, answer in known.items() if not isinstance(answer, ImagePullError)}
    return with_failures(outcome, failures), readable


def _without_failed(seen: Mapping[str, NamespaceObjects], outcome: Outcome) -> dict[str, NamespaceObjects]:
    failed = {result.name for result in outcome.failed}
    return {name: each for name, each in seen.items() if name not in failed}


def _is_gone(ref: ObjectRef, seen: Mapping[str, NamespaceObjects]) -> bool:
    """Whether a complete list shows that the account does not exist."""
    return ref.kind == SERVICE_ACCOUNT and ref.namespace in seen and ref.name not in seen[ref.namespace].accounts


def _findings(namespace: str, seen: NamespaceObjects, found: Related, grants: Grants) -> Findings:
    """Return the findings of one namespace, without parts that would change it when applied."""
    findings, proof = Findings(), ExportCheck(namespace, seen, found)
    for name, secret in sorted(seen.secrets.items()):
        ref = ObjectRef(SECRET, namespace, name)
        what = secret_of(ref, secret, seen.accounts.values())
        if isinstance(what, ExportedSecret):
            what = proof.of_secret(what) or what
        if not isinstance(what, ExportedSecret):
            findings.note(ref, what)
            continue
        findings.secrets.append(what)
        if rest := further_data(secret):
            findings.note(ref, rest)
    arrange_links(namespace, seen, found, findings)
    findings.secrets = [_with_proven_links(proof, secret, findings) for secret in findings.secrets]
    grants.find(namespace, seen, found, findings)
    findings.grants = [grant for grant in findings.grants if _is_proven(proof, grant, findings)]
    return findings


def _with_proven_links(proof: ExportCheck, secret: ExportedSecret, findings: Findings) -> ExportedSecret:
    why = proof.of_links(secret)
    if not why:
        return secret
    findings.note(ObjectRef(SECRET, proof.namespace, secret.name), f"its links are not in the entry: {why}")
    return replace(secret, links=())


def _is_proven(proof: ExportCheck, grant: ExportedGrant, findings: Findings) -> bool:
    why = proof.of_grant(grant)
    if why:
        findings.note(ObjectRef(ROLE_BINDING, proof.namespace, grant.binding_name), why)
    return not why
