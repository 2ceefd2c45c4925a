# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives an account the rights of its jobs, or takes them back: what the bindings name first, and last when it goes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from ..clients.kube.client import Cluster
from ..core.changes import MANAGED_BY
from ..core.objects import ROLE_BINDING, Json, metadata
from ..core.protocols import Desired
from ..core.variable_files import VariableFile, Write
from ..features.automation_account.desired import AtHome, InNamespaces
from ..features.automation_account.options import AccountWanted
from ..rbac.accounts import is_of_an_account
from ..reconcile.engine import reconcile
from ..reconcile.result import Outcome
from ..reconcile.run import Settings
from ..reconcile.targets import Targets

__all__ = ["Handing", "carried_out", "reconcile_account"]


@dataclass(frozen=True)
class Handing:
    """What becomes of a token: `hide` is given it first, `write` writes the kubeconfig, None where none is wanted."""

    hide: Callable[[str], None] = field(default=lambda _text: None)
    write: Write | None = None


#: Does the work on the cluster and in the namespaces that the options mean, and returns the module's result.
OnCluster = Callable[[Callable[[Cluster, Targets, Settings], Outcome]], dict[str, Any]]


def carried_out(
    wanted: AccountWanted, namespaces: Sequence[str], handing: Handing, on_cluster: OnCluster
) -> dict[str, Any]:
    """The module's result. What is only rendered needs no cluster, and `namespaces` are those that are named."""
    if wanted.state == "rendered":
        return {"changed": False, "manifests": wanted.parts.manifests(namespaces)}
    return on_cluster(
        lambda cluster, meant, settings: reconcile_account(cluster, wanted, meant.namespaces, settings, handing)
    )


def reconcile_account(
    cluster: Cluster, wanted: AccountWanted, namespaces: Sequence[str], settings: Settings, handing: Handing
) -> Outcome:
    """The outcome, with the manifests, and the token where one is asked for.

    :raises ImagePullError: when it cannot be read where the account has rights: they could not be taken back.
    """
    parts, present = wanted.parts, wanted.state == "present"
    places = sorted({*namespaces, *(parts.fixed() if present else ()), *_bound(cluster, wanted)})
    home: tuple[Desired, Sequence[str]] = (AtHome(parts, present), [parts.namespace])
    away: tuple[Desired, Sequence[str]] = (InNamespaces(parts, frozenset(namespaces), present), places)
    outcomes = list[Outcome]()
    for desired, at in [home, away] if present else [away, home]:
        if at and not any(outcome.has_failed for outcome in outcomes):
            outcomes.append(reconcile(cluster, desired, at, settings))
    outcome = _joined(outcomes)
    extra: dict[str, Any] = {"manifests": parts.manifests(namespaces)} if present else {}
    if wanted.token_seconds is not None and not settings.check_mode and not outcome.has_failed:
        extra.update(_token(cluster, wanted, handing))
    return replace(outcome, extra=extra)


def _bound(cluster: Cluster, wanted: AccountWanted) -> set[str]:
    """The namespaces in which the account has rights by this module."""
    names = {*wanted.parts.role_names()}

    def keep(binding: Json) -> Json | None:
        return binding if metadata(binding)["name"] in names and is_of_an_account(binding) else None

    labels = ",".join(f"{name}={value}" for name, value in MANAGED_BY.items())
    return {metadata(found)["namespace"] for found in cluster.list(ROLE_BINDING, label_selector=labels, keep=keep)}


def _joined(outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome; a namespace that is in both has one result in each."""
    return Outcome(
        [result for outcome in outcomes for result in outcome.namespaces],
        max(outcome.retries for outcome in outcomes),
        "; ".join(dict.fromkeys(outcome.stopped for outcome in outcomes if outcome.stopped)),
    )


def _token(cluster: Cluster, wanted: AccountWanted, handing: Handing) -> dict[str, Any]:
    account = wanted.parts.account
    token, expires = cluster.token(account, wanted.token_seconds or 0)
    handing.hide(token)
    told = {"token": token, "token_expires": expires}
    if handing.write is None or wanted.kubeconfig_dest is None:
        return told
    file = VariableFile(PurePath(wanted.kubeconfig_dest).name, _kubeconfig(cluster, wanted.parts.name, token))
    return {**told, "files": list(handing.write([file])), "changed": True}


def _kubeconfig(cluster: Cluster, name: str, token: str) -> dict[str, Any]:
    """One with the login and the certificate authorities that the caller trusts."""
    trusted = base64.b64encode(cluster.authority).decode()
    server = {"server": cluster.name, **({"certificate-authority-data": trusted} if trusted else {})}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": server}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": "cluster", "user": name}}],
        "current-context": name,
    }
