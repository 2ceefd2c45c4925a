# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch an account's pull secret from OpenShift Cluster Manager, and compare it with that of a cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ..clients.kube.client import Cluster
from ..clients.kube.kubeconfig import IMPORT_ERROR as KUBERNETES_MISSING
from ..clients.ocm import OcmOptions, fetch_pull_secret, normalize_options
from ..core.errors import OptionError, Refusal
from ..core.names import check_name, check_namespace
from ..core.objects import SECRET, ObjectRef
from ..dockerconfig.auth_file import NOTHING, AuthFile, parse_text
from ..dockerconfig.credential_entry import CredentialEntry, changed_fields
from ..dockerconfig.registry_keys import is_match, same_path, without_user
from ..engine.namespaces import require_namespace
from ..platform.protected import NO_REGISTRIES
from ..secrets.content import StoredSecret


def list_registries(account: AuthFile) -> list[dict[str, Any]]:
    """Return the registries of the account's pull secret by name. `is_registry` is false for entries that serve no images."""
    return [_row(path) for path in sorted(_group_by_path(account.entries))]


def compare_registries(account: AuthFile, held: AuthFile, include: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the same rows with their differences, plus the registries that only the cluster has.

    `status` is `same`, `differs` (with the names of the differing parts), `missing` on the cluster, or `only_there`. With `include`,
    other registries of the cluster are ignored. Different spellings of a key are one row; each of them counts.
    """
    ours = _group_by_path(account.entries)
    theirs = _group_by_path({key: entry for key, entry in held.entries.items() if _is_wanted(key, include)})
    return [{**_row(path), **_status(ours.get(path, ()), theirs.get(path, ()))} for path in sorted({*ours, *theirs})]


def _row(path: str) -> dict[str, Any]:
    return {
        "registry": without_user(path.removeprefix("/")),
        "is_registry": path.partition("/")[0] not in NO_REGISTRIES,
    }


def _status(ours: Sequence[CredentialEntry], theirs: Sequence[CredentialEntry]) -> dict[str, Any]:
    if not theirs:
        return {"status": "missing", "differs": []}
    if not ours:
        return {"status": "only_there", "differs": []}
    parts = sorted({part for entry in theirs for part in changed_fields(entry, ours[0])})
    return {"status": "differs" if parts else "same", "differs": parts}


def _group_by_path(entries: Mapping[str, CredentialEntry]) -> dict[str, list[CredentialEntry]]:
    found: dict[str, list[CredentialEntry]] = {}
    for key, entry in entries.items():
        found.setdefault(same_path(key), []).append(entry)
    return found


def _is_wanted(key: str, include: Iterable[str] | None) -> bool:
    return include is None or any(is_match(key, pattern) for pattern in include)


_SOURCE = "the account's pull secret"


def ocm_pull_secret(
    params: Mapping[str, Any],
    hide: Callable[[str], None],
    cluster: Callable[[], AbstractContextManager[Cluster]],
) -> dict[str, Any]:
    """Return the result. `hide` receives each text with credentials, `cluster` opens the cluster to compare with.

    :raises OptionError: for invalid options. Nothing has been sent.
    :raises ImagePullError: when there is no pull secret, or the cluster's cannot be read.
    """
    options = _options(params)
    ref = _secret_to_compare(params)
    include = params["include"]
    # Read first: if that fails, no token is requested.
    held = None if ref is None else _read_cluster_file(ref, cluster, hide)
    text = fetch_pull_secret(options, lambda token: hide(json.dumps({"token": token})))
    hide(text)
    account = parse_text(text, _SOURCE, include)
    content = {"auth_config": json.loads(account.text(legacy=False))} if params["return_content"] else {}
    if ref is None:
        return {"changed": False, "registries": list_registries(account), **content}
    rows = compare_registries(account, held or NOTHING, include)
    comparison = {
        "namespace": ref.namespace,
        "secret": ref.name,
        "exists": held is not None,
        "same": all(row["status"] == "same" for row in rows),
    }
    return {"changed": False, "registries": rows, "compared": comparison, **content}


def _options(params: Mapping[str, Any]) -> OcmOptions:
    if params["include"] is not None and not params["include"]:
        raise OptionError("option 'include' is empty: name at least one registry, or leave it out")
    return normalize_options(
        OcmOptions(
            offline_token=params["offline_token"] or "",
            client_id=params["client_id"] or "",
            client_secret=params["client_secret"] or "",
            api_url=params["api_url"],
            token_url=params["token_url"],
            ca_cert=params["ocm_ca_cert"],
            validate_certs=params["ocm_validate_certs"],
            timeout=params["ocm_timeout"],
        )
    )


def _secret_to_compare(params: Mapping[str, Any]) -> ObjectRef | None:
    """Return the secret to compare with; None for none."""
    if not params["compare"]:
        return None
    check_namespace("namespace", params["namespace"])
    check_name("secret", params["secret"])
    if KUBERNETES_MISSING:
        raise OptionError(
            "option 'compare' needs the Python package PyYAML on the host that runs the task: install it, or leave the option out"
        )
    return ObjectRef(SECRET, params["namespace"], params["secret"])


def _read_cluster_file(
    ref: ObjectRef, open_cluster: Callable[[], AbstractContextManager[Cluster]], hide: Callable[[str], None]
) -> AuthFile | None:
    """Return the auth file of the cluster's secret; None when the secret does not exist.

    :raises Refusal: when its content cannot be read.
    """
    with open_cluster() as cluster:
        found = cluster.get(ref)
        if found is None:
            require_namespace(cluster, ref.namespace)
            return None
        held = StoredSecret.of(found)
        if held.unreadable:
            raise Refusal(
                f"{ref} on {cluster.name} cannot be compared, because its content {held.unreadable}: repair the content, or name another secret"
            )
        hide(held.text)
        return held.auth_file
