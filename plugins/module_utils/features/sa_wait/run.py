# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until service accounts are provisioned: they exist and, if the cluster generates one, have a usable pull secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...clients.kube.client import Cluster
from ...core.errors import ImagePullError
from ...core.objects import SERVICE_ACCOUNT, metadata
from ...discovery.cluster import facts_of, with_objects
from ...engine.inspection import inspect
from ...engine.result import NamespaceResult, Outcome
from ...engine.run import RunSettings
from ...platform.cluster import REGISTRY_SERVICE, ClusterFacts, hint, why_not_generated
from .question import ProvisionedAccounts

__all__ = ["wait_for_provisioned"]

#: Maximum number of namespaces in which accounts are listed to find the intended name of a mistyped one.
_MOST_LISTED = 3


def wait_for_provisioned(cluster: Cluster, accounts: Mapping[str, Sequence[str]], settings: RunSettings) -> Outcome:
    """Wait for the accounts, given by namespace.

    Looks once if all are provisioned; otherwise again until they are, or until `settings.wait_timeout` seconds have passed.
    """
    waiting = _ProvisioningWait(cluster)
    return inspect(
        cluster, ProvisionedAccounts(accounts), list(accounts), settings, refine=waiting.refine, hint=waiting.hint
    )


@dataclass
class _ProvisioningWait:
    """The facts about the cluster during a wait. `facts` are those of the last look."""

    cluster: Cluster
    facts: ClusterFacts = field(default_factory=lambda: ClusterFacts(None))

    def refine(self, asked: ProvisionedAccounts) -> ProvisionedAccounts:
        """Return the question with the information whether the cluster generates pull secrets at all."""
        self.facts = facts_of(self.cluster)
        return replace(asked, none_will_come=why_not_generated(self.facts))

    def hint(self, left: Sequence[NamespaceResult]) -> str:
        """Return the fix for accounts that were not provisioned in time."""
        accounts = [account for result in left for account in result.extra["service_accounts"]]
        missing = sorted({account["name"] for account in accounts if not account["exists"]})
        unfinished = any(
            account["exists"] and not (account["provisioned"] or account.get("stale_secret")) for account in accounts
        )
        if not (missing or unfinished):
            return ""  # Each failure has its own fix.
        facts = with_objects(self.cluster, self.facts, REGISTRY_SERVICE) if unfinished else self.facts
        existing = self._accounts_of(left[:_MOST_LISTED]) if missing else set()
        return hint(facts, missing=missing, existing=existing, unfinished=unfinished)

    def _accounts_of(self, results: Sequence[NamespaceResult]) -> set[str]:
        """Return the names of all accounts in the namespaces that can be listed."""
        found: set[str] = set()
        for result in results:
            try:
                found.update(metadata(obj)["name"] for obj in self.cluster.list(SERVICE_ACCOUNT, namespace=result.name))
            except ImagePullError:
                continue
        return found
