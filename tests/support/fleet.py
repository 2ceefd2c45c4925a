# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates and reads many namespaces in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from support.lab import Lab, pull_names

RBAC = "/apis/rbac.authorization.k8s.io/v1"


def make_namespaces(lab: Lab, names: Sequence[str], *, timeout: float = 60.0) -> list[str]:
    """Create namespaces in parallel. Wait until each default account has the secrets that the lab gives it."""
    with ThreadPoolExecutor(max_workers=12) as pool:
        list(pool.map(lambda name: lab.namespace(name, wait=False), names))
    wanted = set(names)
    lab.until(lambda: wanted <= set(_provisioned(lab)), f"{len(names)} namespaces are provisioned", timeout)
    return list(names)


def delete_namespaces(lab: Lab, names: Iterable[str]) -> None:
    with ThreadPoolExecutor(max_workers=12) as pool:
        list(pool.map(lambda name: lab.api("DELETE", f"/api/v1/namespaces/{name}", expect=(200, 202, 404, 409)), names))


def by_namespace(lab: Lab, collection: str, name: str) -> dict[str, dict[str, Any]]:
    """The objects with one name, by namespace."""
    found = selected(lab, collection, f"fieldSelector=metadata.name%3D{name}")
    return {item["metadata"]["namespace"]: item for item in found}


def selected(lab: Lab, collection: str, selector: str) -> list[dict[str, Any]]:
    """The objects of all namespaces that match a selector."""
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        page = lab.api("GET", f"{collection}?{selector}&limit=1000&continue={token}")
        found += page["items"]
        token = page["metadata"].get("continue", "")
        if not token:
            return found


def default_accounts(lab: Lab) -> dict[str, dict[str, Any]]:
    return by_namespace(lab, "/api/v1/serviceaccounts", "default")


def _provisioned(lab: Lab) -> list[str]:
    accounts = default_accounts(lab)
    if lab.data["provisioner"] not in ("bound", "legacy"):
        return list(accounts)
    return [name for name, account in accounts.items() if any("-dockercfg-" in entry for entry in pull_names(account))]
