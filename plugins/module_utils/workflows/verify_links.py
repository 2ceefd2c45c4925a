# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks once more at service accounts that were written: is what was linked still there, and who removed it if not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..clients.kube.client import Cluster
from ..core.errors import ImagePullError
from ..core.objects import SERVICE_ACCOUNT, ObjectRef
from ..features.sa_link.desired import SaLink
from ..features.sa_link.writers import last_writers
from ..reconcile.result import NamespaceResult, Outcome
from ..reconcile.run import Settings
from ..reconcile.workers import Workers

__all__ = ["verify_links"]

_OURS = "openshift_ops.image_pull"
#: OpenShift's controllers put their own entry back within milliseconds after anybody has overwritten a list, by server-side
#: apply with force: then they own all of it, and the record of who overwrote it is gone (traces: «server-side apply»).
_REPAIRING = ("openshift.io/image-registry-pull-secrets_", "openshift-controller-manager")


def verify_links(cluster: Cluster, desired: SaLink, outcome: Outcome, settings: Settings) -> Outcome:
    """The outcome, a namespace failed where a link is gone again `verify_after` seconds after it was written."""
    written = {result.name for result in outcome.namespaces if result.status == "changed" and _accounts(result)}
    if not desired.verify_after or settings.check_mode or not written or not desired.present or outcome.stopped:
        return outcome
    settings.clock.sleep(desired.verify_after)

    def look(result: NamespaceResult) -> NamespaceResult:
        if result.name not in written:
            return result
        reasons = [reason for ref in _accounts(result) for reason in _what_is_lost(cluster, desired, ref)]
        return replace(result, status="failed", error="; ".join(reasons)) if reasons else result

    with Workers(settings.concurrency) as workers:
        return replace(outcome, namespaces=workers.map(look, outcome.namespaces))


def _accounts(result: NamespaceResult) -> list[ObjectRef]:
    return [change.ref for change in result.changes if change.ref.kind == SERVICE_ACCOUNT]


def _what_is_lost(cluster: Cluster, desired: SaLink, ref: ObjectRef) -> Iterable[str]:
    try:
        account = cluster.get(ref)
    except ImagePullError as error:
        return [f"whether {ref} still has its links was not verified: {error}"]
    if account is None:
        return [f"{ref} was deleted on {cluster.name} after it was linked"]
    return [
        f"{ref} lost {', '.join(lost)} from {key} again within {desired.verify_after:g} s on {cluster.name}: "
        + _by_whom(ref, last_writers(account, key, _OURS))
        for key, lost in desired.lost(account).items()
    ]


def _by_whom(ref: ObjectRef, managers: list[str]) -> str:
    """What the record of field managers says, and how to find out where it cannot say."""
    watch = f"run the task again while 'oc get serviceaccount {ref.name} -n {ref.namespace} -o yaml --show-managed-fields -w' shows each write"
    if not managers:
        return f"its managedFields do not say by whom; {watch}"
    if managers[0].startswith(_REPAIRING):
        return (
            f"by whom is not known: the platform put its own entry back afterwards, so its managedFields name only {managers[0]!r}; "
            + watch
        )
    return f"by its managedFields {managers[0]!r} wrote that list last; add the secret there, or stop it"
