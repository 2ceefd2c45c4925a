# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until service accounts are provisioned: they exist and, if the cluster generates one, have a usable pull secret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from ..clients.kube.client import Cluster
from ..core.changes import ALL, NOTHING_RELATED, Evaluation, ListedBy, Related
from ..core.errors import ImagePullError, OptionError
from ..core.names import check_name, check_names, check_namespace
from ..core.objects import SECRET, SERVICE_ACCOUNT, Kind, ObjectRef, Objects, metadata
from ..discovery.cluster import facts_of, with_objects
from ..engine.result import NamespaceResult, Outcome
from ..engine.run import RunSettings, inspect
from ..platform.account_lists import UNREADABLE, Verdict, generated_names, how_to_renew, judge_account
from ..platform.cluster import REGISTRY_SERVICE, ClusterFacts, hint, why_not_generated


@dataclass(frozen=True)
class Accounts:
    """The accounts to wait for: the same `names` in every namespace, or those that `given` lists for each."""

    names: tuple[str, ...] = ()
    given: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def namespaces(self) -> Sequence[str] | None:
        """Return the namespaces of the given accounts; None if the accounts are names only."""
        return list(self.given) if self.given else None

    def __call__(self, namespaces: Sequence[str]) -> dict[str, Sequence[str]]:
        """Return the account names for each of the namespaces."""
        return {namespace: self.given.get(namespace, self.names) for namespace in namespaces}


def from_options(options: Mapping[str, Any]) -> Accounts:
    """Return the accounts. :raises OptionError: when no account is given, or a name is invalid."""
    if options["accounts"] is None:
        return Accounts(check_names("service_accounts", options["service_accounts"]))
    return Accounts(given=_group_by_namespace(options["accounts"]))


def _group_by_namespace(accounts: Iterable[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for account in accounts:
        check_namespace("accounts", account["namespace"])
        check_name("accounts", account["name"])
        found.setdefault(account["namespace"], {})[account["name"]] = None
    if not found:
        raise OptionError("option 'accounts' is empty: give at least one")
    return {namespace: tuple(names) for namespace, names in found.items()}


@dataclass(frozen=True)
class ProvisionedAccounts:
    """`service_accounts` are the names by namespace.

    `none_will_come`: why this cluster generates no pull secrets; empty when it does, or while that is unknown.
    """

    service_accounts: Mapping[str, Sequence[str]]
    none_will_come: str = ""

    kind: ClassVar[Kind] = SERVICE_ACCOUNT
    listed_by: ClassVar[ListedBy] = {SERVICE_ACCOUNT: ALL}

    def names(self, namespace: str) -> tuple[str, ...]:
        return tuple(self.service_accounts[namespace])

    def related(self, namespace: str, objects: Objects) -> Sequence[ObjectRef]:
        """Return the secrets that the accounts refer to. They are read by name, because a list would fetch all tokens of the cluster."""
        chosen = (objects[name] for name in self.names(namespace) if name in objects)
        return [ObjectRef(SECRET, namespace, name) for account in chosen for name in generated_names(account)]

    def evaluate(self, namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Evaluation:
        verdicts = {name: self._verdict(namespace, name, objects, found) for name in self.names(namespace)}
        missing = (self._missing(namespace, name, verdict) for name, verdict in verdicts.items())
        return Evaluation(
            waiting_for=tuple(words for words in missing if words),
            notes=tuple(verdict.note for verdict in verdicts.values() if verdict and verdict.note),
            extra={"service_accounts": [self._report(name, verdict) for name, verdict in verdicts.items()]},
        )

    def _verdict(self, namespace: str, name: str, objects: Objects, found: Related) -> Verdict | None:
        account = objects.get(name)
        if account is None:
            return None
        secrets = {
            secret: found.get(ObjectRef(SECRET, namespace, secret), UNREADABLE) for secret in generated_names(account)
        }
        return judge_account(account, secrets)

    def _missing(self, namespace: str, name: str, verdict: Verdict | None) -> str:
        if verdict is None:
            return f"service account {name} does not exist"
        if not verdict.missing or self.none_will_come:
            return ""
        renew = f"; {how_to_renew(namespace, verdict.stale)}" if verdict.stale else ""
        return f"service account {name}: {verdict.missing}{renew}"

    def _report(self, name: str, verdict: Verdict | None) -> dict[str, Any]:
        report = {"name": name, "exists": verdict is not None, "provisioned": False, "pull_secret": None}
        if verdict is None:
            return report
        if not verdict.missing:
            return {**report, "provisioned": True, "pull_secret": verdict.secret}
        if self.none_will_come:
            return {
                **report,
                "provisioned": True,
                "reason": f"no pull secret is expected, because {self.none_will_come}",
            }
        return {**report, "stale_secret": verdict.stale} if verdict.stale else report


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
