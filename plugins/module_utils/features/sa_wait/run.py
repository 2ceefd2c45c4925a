# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits until service accounts are provisioned: they exist and, where the cluster generates one, have a usable pull secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...clients.kube.client import Cluster
from ...core.errors import ImagePullError
from ...core.objects import SERVICE_ACCOUNT, metadata
from ...discovery.cluster_facts import facts_of, with_objects
from ...engine.inspection import inspect
from ...engine.result import NamespaceResult, Outcome
from ...engine.run import RunSettings
from ...platform.cluster import REGISTRY_SERVICE, ClusterFacts, hint, why_none_will_come
from .question import ProvisionedAccounts

__all__ = ["wait_for_provisioned"]

#: In so many namespaces, accounts are listed to find the one that a misspelt name means.
_MOST_LISTED = 3


def wait_for_provisioned(cluster: Cluster, accounts: Mapping[str, Sequence[str]], settings: RunSettings) -> Outcome:
    """Waits for the accounts, given by namespace.

    One look when all is there; otherwise looks again until it is, or `settings.wait_timeout` seconds have passed.
    """
    waiting = _ProvisioningWait(cluster)
    return inspect(
        cluster, ProvisionedAccounts(accounts), list(accounts), settings, refine=waiting.refine, hint=waiting.hint
    )


@dataclass
class _ProvisioningWait:
    """What is known of the cluster while something is awaited. `facts` are those of the last look."""

    cluster: Cluster
    facts: ClusterFacts = field(default_factory=lambda: ClusterFacts(None))

    def refine(self, asked: ProvisionedAccounts) -> ProvisionedAccounts:
        """The same question, knowing whether a pull secret will come at all."""
        self.facts = facts_of(self.cluster)
        return replace(asked, none_will_come=why_none_will_come(self.facts))

    def hint(self, left: Sequence[NamespaceResult]) -> str:
        """What to do about what did not come."""
        accounts = [account for result in left for account in result.extra["service_accounts"]]
        missing = sorted({account["name"] for account in accounts if not account["exists"]})
        unfinished = any(
            account["exists"] and not (account["provisioned"] or account.get("stale_secret")) for account in accounts
        )
        if not (missing or unfinished):
            return ""  # each failure has its own way out
        facts = with_objects(self.cluster, self.facts, REGISTRY_SERVICE) if unfinished else self.facts
        existing = self._accounts_of(left[:_MOST_LISTED]) if missing else set()
        return hint(facts, missing=missing, existing=existing, unfinished=unfinished)

    def _accounts_of(self, results: Sequence[NamespaceResult]) -> set[str]:
        """The names of all accounts in the namespaces, as far as they can be listed."""
        found: set[str] = set()
        for result in results:
            try:
                found.update(metadata(obj)["name"] for obj in self.cluster.list(SERVICE_ACCOUNT, namespace=result.name))
            except ImagePullError:
                continue
        return found
