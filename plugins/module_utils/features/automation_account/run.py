# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grant an account the rights of its jobs, or revoke them: referenced objects are created before the bindings and deleted after them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from ...clients.kube.client import Cluster
from ...clients.kube.errors import Forbidden, NamespaceMissing, NamespaceTerminating
from ...core.files import VariableFile, Write
from ...core.objects import CLUSTER_ROLE_BINDING, ROLE_BINDING, Json, Kind, ObjectRef, metadata
from ...declarations.batch import Batch
from ...engine.namespaces import require_namespace
from ...engine.reconciliation import reconcile
from ...engine.result import Outcome, summarize_names
from ...engine.run import RunSettings
from ...rbac.subjects import has_account_labels, is_bound_to
from .plan import AccountPlan, AccountRequest, NamespaceBindings


@dataclass(frozen=True)
class TokenSink:
    """Where a token goes: `hide` receives it first, then `write` writes the kubeconfig; None if none is wanted."""

    hide: Callable[[str], None] = field(default=lambda _text: None)
    write: Write | None = None


def run_account(
    wanted: AccountRequest,
    namespaces: Sequence[str],
    handing: TokenSink,
    open_cluster: Callable[[], AbstractContextManager[Any]],
) -> dict[str, Any]:
    """Return the module's result. State rendered needs no cluster and uses the given `namespaces`.

    `open_cluster` opens the cluster for the work of the task (`ClusterRun`).
    """
    if wanted.state == "rendered":
        return {"changed": False, "manifests": wanted.parts.manifests(namespaces)}
    with open_cluster() as run:
        outcome = reconcile_account(run.cluster, wanted, run.namespaces, run.settings(), handing)
        result: dict[str, Any] = run.result(outcome)
        return result


def reconcile_account(
    cluster: Cluster, wanted: AccountRequest, namespaces: Sequence[str], settings: RunSettings, handing: TokenSink
) -> Outcome:
    """Return the outcome with the manifests and, if requested, the token.

    :raises ImagePullError: when the account's existing rights cannot be read, because they could not be revoked then.
    """
    parts, present, targets = wanted.parts, wanted.state == "present", frozenset(namespaces)
    bindings = _bindings(cluster, wanted)
    fixed = {name for name in parts.fixed_namespaces() if present} - targets - {parts.namespace}
    missing = sorted(name for name in fixed if not _is_there(cluster, name))
    places = sorted({*targets, *fixed, *bindings.places} - {parts.namespace, *missing})
    home: Batch[Any] = Batch.of_one(AccountPlan(parts, targets, present), [parts.namespace])
    away: Batch[Any] = Batch.of_one(NamespaceBindings(parts, targets, present), places)
    outcomes, again = list[Outcome](), 0
    for batch in [home, away] if present else [away, home]:
        if not any(_is_stopped(outcome, parts.namespace) for outcome in outcomes):
            outcomes.append(reconcile(cluster, batch, settings))
            again += outcomes[-1].retries - cluster.retries
    results = [result for each in outcomes for result in each.namespaces]
    outcome = Outcome(results, cluster.retries + again, outcomes[-1].stopped)
    remarks = [
        f"no rights were granted in namespace {name}, which does not exist on {cluster.name}" for name in missing
    ]
    if bindings.of_others:
        remarks.append(
            f"{parts.account} also has rights from bindings that this module did not create and does not remove: {summarize_names(bindings.of_others)}"
        )
    extra: dict[str, Any] = {"manifests": parts.manifests(namespaces)} if present else {}
    if wanted.token_seconds is not None and not _is_stopped(outcome, parts.namespace):
        handed, shortened = _create_token(cluster, wanted, handing, check_mode=settings.check_mode)
        extra.update(handed)
        remarks += shortened
    return replace(outcome, extra=extra, remarks=tuple(remarks))


def _is_stopped(outcome: Outcome, home: str) -> bool:
    """Whether to skip the rest. A failure in another namespace blocks neither the account's token nor the removal of its rights."""
    return bool(outcome.stopped or outcome.refused or any(result.name == home for result in outcome.failed))


@dataclass(frozen=True)
class _Bindings:
    """`places`: namespaces in which this module gave the account rights. `of_others`: further bindings that name it."""

    places: set[str]
    of_others: Sequence[str]


def _bindings(cluster: Cluster, wanted: AccountRequest) -> _Bindings:
    """Read the bindings. :raises ImagePullError: when role bindings cannot be read. Cluster role bindings are optional."""

    def is_ours(binding: Json) -> bool:
        return has_account_labels(binding) and wanted.parts.is_binding(metadata(binding)["name"])

    def found(kind: Kind) -> list[Json]:
        def keep(binding: Json) -> Json | None:
            return binding if is_ours(binding) or is_bound_to(binding, wanted.parts.account) else None

        return [*cluster.list(kind, keep=keep)]

    in_namespaces, in_cluster = found(ROLE_BINDING), list[Json]()
    with suppress(Forbidden):  # The client records the missing right.
        in_cluster = found(CLUSTER_ROLE_BINDING)
    by_kind = ((CLUSTER_ROLE_BINDING, in_cluster), (ROLE_BINDING, in_namespaces))
    return _Bindings(
        {metadata(each)["namespace"] for each in in_namespaces if is_ours(each)},
        [str(_ref(kind, each)) for kind, bindings in by_kind for each in bindings if not is_ours(each)],
    )


def _ref(kind: Kind, binding: Json) -> ObjectRef:
    return ObjectRef(kind, metadata(binding)["namespace"] if kind.namespaced else "", metadata(binding)["name"])


def _is_there(cluster: Cluster, namespace: str) -> bool:
    """Whether the namespace exists, or its existence is unknown."""
    try:
        with suppress(NamespaceTerminating):
            require_namespace(cluster, namespace)
    except NamespaceMissing:
        return False
    return True


def _create_token(
    cluster: Cluster, wanted: AccountRequest, handing: TokenSink, *, check_mode: bool
) -> tuple[dict[str, Any], Sequence[str]]:
    """Return the result keys of a new token, and notes. Check mode requests no token and only names the file."""
    told, remarks, content = dict[str, Any](), list[str](), dict[str, Any]()
    if not check_mode:
        asked = wanted.token_seconds or 0
        token = cluster.token(wanted.parts.account, asked)
        handing.hide(token.text)
        told = {"token": token.text, "token_expires": token.expires}
        content = _kubeconfig(cluster, wanted.parts.name, token.text)
        if token.seconds is not None and token.seconds < asked:
            remarks = [
                f"{cluster.name} does not issue tokens valid for {asked} s: this one expires after {token.seconds} s"
            ]
    if handing.write is None or wanted.kubeconfig_dest is None:
        return told, remarks
    if cluster.has_proxy_login:
        remarks.append(
            f"the kubeconfig names the proxy for {cluster.name} without a login: add the login of the file's user to 'proxy-url'"
        )
    files = handing.write([VariableFile(PurePath(wanted.kubeconfig_dest).name, content, for_ansible=False)])
    return {**told, "files": list(files), "changed": True}, remarks


def _kubeconfig(cluster: Cluster, name: str, token: str) -> dict[str, Any]:
    """Return a kubeconfig with the token that reaches the server as the caller does."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": cluster.cluster_section}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": "cluster", "user": name}}],
        "current-context": name,
    }
