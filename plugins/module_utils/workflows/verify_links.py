# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks once more at service accounts that were written: does what was linked still stand, and who took it out if not."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ..clients.kube.client import Cluster
from ..core.errors import ImagePullError
from ..core.objects import SERVICE_ACCOUNT, ObjectRef
from ..features.sa_link.desired import SaLink
from ..features.sa_link.writers import last_writers
from ..reconcile.engine import Settings
from ..reconcile.result import NamespaceResult, Outcome

__all__ = ["verify_links"]

#: How the API server calls us in its record of field managers: the user agent up to the slash.
_OURS = "openshift_ops.image_pull"


def verify_links(cluster: Cluster, desired: SaLink, outcome: Outcome, settings: Settings) -> Outcome:
    """The outcome, a namespace failed where a link is gone again `verify_after` seconds after it was written."""
    written = {result.name for result in outcome.namespaces if result.status == "changed" and _accounts(result)}
    if not desired.verify_after or settings.check_mode or not written or not desired.present:
        return outcome
    time.sleep(desired.verify_after)

    def look(result: NamespaceResult) -> NamespaceResult:
        if result.name not in written:
            return result
        reasons = [reason for ref in _accounts(result) for reason in _what_is_lost(cluster, desired, ref)]
        return replace(result, status="failed", error="; ".join(reasons)) if reasons else result

    with ThreadPoolExecutor(settings.concurrency) as pool:
        return replace(outcome, namespaces=list(pool.map(look, outcome.namespaces)))


def _accounts(result: NamespaceResult) -> list[ObjectRef]:
    return [change.ref for change in result.changes if change.ref.kind == SERVICE_ACCOUNT]


def _what_is_lost(cluster: Cluster, desired: SaLink, ref: ObjectRef) -> Iterable[str]:
    try:
        account = cluster.get(ref)
    except ImagePullError as error:
        return [str(error)]
    if account is None:
        return [f"{ref} was deleted on {cluster.name} after it was linked"]
    return [
        f"{ref} lost {', '.join(lost)} from {key} again within {desired.verify_after:g} s on {cluster.name}: "
        + _by_whom(last_writers(account, key, _OURS))
        for key, lost in desired.lost(account).items()
    ]


def _by_whom(managers: list[str]) -> str:
    if not managers:
        return "its managedFields do not say by whom; look for a controller or pipeline that writes the whole account"
    return f"by its managedFields {managers[0]!r} wrote that list last; tell it of the secret, or stop it"
