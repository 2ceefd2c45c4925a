# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify written service accounts: whether the links are still there, and if not, who removed them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...clients.kube.client import Cluster
from ...core.errors import ImagePullError
from ...core.json_types import as_dict, as_list, as_str
from ...core.objects import SERVICE_ACCOUNT, Json, ObjectRef, metadata
from ...declarations.batch import Batch, Declaration
from ...engine.result import NamespaceResult, Outcome
from ...engine.run import RunSettings
from ...engine.workers import Workers
from .plan import SaLink

__all__ = ["verify_links"]

_OURS = "openshift_ops.image_pull"
#: OpenShift's controllers restore their own entry within milliseconds after another client has overwritten a list, by server-side
#: apply with force. They then own the whole list, and the record of who overwrote it is gone (traces: «server-side apply»).
_REPAIRING = ("openshift.io/image-registry-pull-secrets_", "openshift-controller-manager")


def verify_links(cluster: Cluster, declared: Batch[SaLink], outcome: Outcome, settings: RunSettings) -> Outcome:
    """Return the outcome. A namespace fails if a link is gone again `verify_after` seconds after it was written.

    Of several entries, the longest `verify_after` counts: the task waits once.
    """
    verified = {result.name: _declarations_to_verify(declared, result) for result in outcome.namespaces}
    longest = max((one.desired.verify_after for every in verified.values() for one in every), default=0.0)
    if not longest or settings.check_mode or outcome.stopped:
        return outcome
    settings.clock.sleep(longest)

    def look(result: NamespaceResult) -> NamespaceResult:
        uids = _written_accounts(result) if verified[result.name] else {}
        accounts = {ref: _read_account(cluster, ref) for ref in uids}
        for one in verified[result.name]:
            meant = {ref: account for ref, account in accounts.items() if one.desired.concerns(ref.name)}
            reasons = [
                why
                for ref, account in meant.items()
                for why in _describe_losses(cluster, one.desired, _LinkedAccount(ref, uids[ref]), account, longest)
            ]
            result = result.failing(one.entry, "; ".join(reasons)) if reasons else result
        return result

    with Workers(settings.concurrency) as workers:
        return replace(outcome, namespaces=workers.map(look, outcome.namespaces))


def _declarations_to_verify(declared: Batch[SaLink], result: NamespaceResult) -> list[Declaration[SaLink]]:
    """Return the declarations to verify in a namespace: those with `verify_after` that have written there."""
    if result.error or not _written_accounts(result):
        return []
    wrote = {entry for change in result.changes for entry in change.entries} - {
        failure.entry for failure in result.failures
    }
    return [
        one
        for one in declared.declared(result.name)
        if one.desired.verify_after and one.desired.present and (one.entry is None or one.entry in wrote)
    ]


def _read_account(cluster: Cluster, ref: ObjectRef) -> Json | ImagePullError | None:
    try:
        return cluster.get(ref)
    except ImagePullError as error:
        return error


def _written_accounts(result: NamespaceResult) -> dict[ObjectRef, str]:
    """Return the written accounts, each with its UID, which is empty if unknown."""
    return {change.ref: change.uid for change in result.changes if change.ref.kind == SERVICE_ACCOUNT}


@dataclass(frozen=True)
class _LinkedAccount:
    ref: ObjectRef
    uid: str

    def is_another(self, account: Json) -> bool:
        """Whether the account was deleted and recreated."""
        return bool(self.uid) and as_str(metadata(account).get("uid")) not in ("", self.uid)


def _describe_losses(
    cluster: Cluster, desired: SaLink, written: _LinkedAccount, account: Json | ImagePullError | None, seconds: float
) -> list[str]:
    ref = written.ref
    if isinstance(account, ImagePullError):
        return [f"whether {ref} still has its links was not verified: {account}"]
    if account is None:
        return [f"{ref} was deleted on {cluster.name} after it was linked"]
    found = desired.find_lost_links(account)
    if found and written.is_another(account):
        names = ", ".join(dict.fromkeys(name for lost in found.values() for name in lost))
        return [
            f"{ref} was deleted and recreated on {cluster.name} after it was linked: its UID is different, and it does not list "
            f"{names}. Run the task again"
        ]
    return [
        f"{ref} lost {', '.join(lost)} from {key} again within {seconds:g} s on {cluster.name}: "
        + _describe_writer(ref, _last_writer(account, key))
        for key, lost in found.items()
    ]


def _describe_writer(ref: ObjectRef, manager: str) -> str:
    """Return who removed the link by the record of field managers, or how to find out."""
    watch = f"run the task again while 'oc get serviceaccount {ref.name} -n {ref.namespace} -o yaml --show-managed-fields -w' shows each write"
    if not manager:
        return f"its managedFields do not show by whom, so {watch}"
    if manager.startswith(_REPAIRING):
        return (
            f"by whom is not known, because the platform restored its own entry afterwards and its managedFields name only {manager!r}: "
            + watch
        )
    return f"according to its managedFields, {manager!r} wrote that list last: add the secret there, or stop it"


def _last_writer(account: Json, key: str) -> str:
    """Return the latest other owner of a list of the account, from its record of field managers. Empty if it has none."""
    entries = [
        entry
        for entry in map(as_dict, as_list(metadata(account).get("managedFields")))
        if f"f:{key}" in as_dict(entry.get("fieldsV1")) and entry.get("manager") != _OURS
    ]
    last = max(entries, key=lambda entry: str(entry.get("time") or ""), default=None)
    return "" if last is None else str(last.get("manager"))
