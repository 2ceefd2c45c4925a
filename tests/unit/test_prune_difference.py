# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prune removes exactly the difference between two inventories of an owner, whoever else works on the same cluster."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import INSTANCE, MANAGED_BY
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_api import FakeApi
from support.in_memory import InMemory, in_memory

NAMESPACES = ("ns1", "ns2", "ns3")
ACCOUNTS = ("default", "build-1", "build-2")
LISTS = {"pull": "imagePullSecrets", "mount": "secrets"}
ROLES = ("system:image-puller", "view")
REGISTRY = {"registry": "quay.io", "username": "robot", "password": "long-password"}


@dataclass(frozen=True)
class Inventory:
    """`secrets`: names, namespaces. `links`: secret, accounts, list, namespaces. `grants`: user, role, namespaces."""

    secrets: dict[str, frozenset[str]]
    links: frozenset[tuple[str, str, str, frozenset[str]]]
    grants: frozenset[tuple[str, str, frozenset[str]]]

    def declares_link(self, namespace: str, account: str, key: str, secret: str) -> bool:
        return any(
            secret == name and namespace in places and LISTS[purpose] == key and fnmatchcase(account, pattern)
            for name, pattern, purpose, places in self.links
        )

    def lists(self) -> dict[str, list[dict[str, Any]]]:
        """Return the lists in the form of the modules. Several namespaces are selected by a label."""
        return {
            "secrets": [
                {"name": name, "registries": [REGISTRY], **where(places)}
                for name, places in sorted(self.secrets.items())
            ],
            "links": [
                {
                    "secrets": [name],
                    "service_accounts": [pattern],
                    "link_for": [purpose],
                    "require": "none",
                    **where(places),
                }
                for name, pattern, purpose, places in sorted(self.links, key=str)
            ],
            "grants": [
                {"users": [user], "role": role, **where(places)} for user, role, places in sorted(self.grants, key=str)
            ],
        }


def where(places: frozenset[str]) -> dict[str, Any]:
    names = sorted(places)
    return (
        {"namespaces": names} if len(names) == 1 else {"namespace_selector": {"labels": f"name in ({','.join(names)})"}}
    )


PLACES = st.frozensets(st.sampled_from(NAMESPACES), min_size=1)


def inventories(prefix: str) -> st.SearchStrategy[Inventory]:
    names = st.sampled_from([f"{prefix}1", f"{prefix}2", f"{prefix}3"])
    accounts = st.sampled_from([*ACCOUNTS, "*", "build-*"])
    links = st.tuples(names, accounts, st.sampled_from(sorted(LISTS)), PLACES)
    grants = st.tuples(st.sampled_from(["jane", "joe", "ann"]), st.sampled_from(ROLES), PLACES)
    secrets = st.dictionaries(names, PLACES, max_size=3)
    return st.builds(consistent, secrets, st.frozensets(links, max_size=4), st.frozensets(grants, max_size=4))


def consistent(secrets: dict[str, frozenset[str]], links: frozenset[Any], grants: frozenset[Any]) -> Inventory:
    """Remove the links to secrets that are not declared."""
    there = (
        (name, pattern, purpose, places & secrets.get(name, frozenset())) for name, pattern, purpose, places in links
    )
    return Inventory(secrets, frozenset(link for link in there if link[3]), grants)


def cluster() -> FakeApi:
    """Create namespaces with objects that others made by hand or with this collection without an owner. The accounts list them."""
    api = FakeApi()
    for role in ROLES:
        api.put("clusterroles", "", role)
    for namespace in NAMESPACES:
        api.put("namespaces", "", namespace, metadata={"labels": {"name": namespace}})
        for account in ACCOUNTS:
            lists = [{"name": "by-hand"}, {"name": "unowned"}]
            api.put("serviceaccounts", namespace, account, imagePullSecrets=lists, secrets=lists)
        for name, labels in (("by-hand", {INSTANCE: "a"}), ("unowned", MANAGED_BY)):
            role = {"kind": "ClusterRole", "name": ROLES[0]}
            api.put("rolebindings", namespace, name, metadata={"labels": labels}, roleRef=role, subjects=[])
            api.put("secrets", namespace, name, metadata={"labels": labels}, type="kubernetes.io/dockerconfigjson")
    return api


def bring_about(runner: InMemory, owner: str, inventory: Inventory) -> None:
    for module, option in (("pull_secret", "secrets"), ("sa_link", "links"), ("image_puller_grant", "grants")):
        items = inventory.lists()[option]
        if items:
            result = runner.run(module, owner=owner, **{option: items})
            assert not result["failed"], result["msg"]


def owned(objects: dict[Any, Any], resource: str, owner: str) -> set[tuple[str, str]]:
    labels = {**MANAGED_BY, INSTANCE: owner}
    return {
        (namespace, name)
        for (kind, namespace, name), obj in objects.items()
        if kind == resource and labels.items() <= (obj["metadata"].get("labels") or {}).items()
    }


def expected(before: dict[Any, Any], owner: str, new: Inventory) -> dict[Any, Any]:
    """Return the objects as a prune must leave them."""
    after = copy.deepcopy(before)
    secrets = owned(before, "secrets", owner)
    kept = {(namespace, name) for namespace, name in secrets if namespace in new.secrets.get(name, ())}
    for namespace, name in secrets - kept:
        del after["secrets", namespace, name]
    for (kind, namespace, name), obj in after.items():
        for key in LISTS.values() if kind == "serviceaccounts" else ():
            obj[key] = [
                entry
                for entry in obj[key]
                if (namespace, entry["name"]) not in secrets
                or ((namespace, entry["name"]) in kept and new.declares_link(namespace, name, key, entry["name"]))
            ]
    for namespace, name in owned(before, "rolebindings", owner):
        obj = after["rolebindings", namespace, name]
        granted = {user for user, role, places in new.grants if namespace in places and role == obj["roleRef"]["name"]}
        obj["subjects"] = [entry for entry in obj["subjects"] if entry["name"] in granted]
        if not obj["subjects"]:
            del after["rolebindings", namespace, name]
    return after


def contents(objects: dict[Any, Any]) -> dict[Any, Any]:
    """Return the objects without the parts that every write changes."""
    found = copy.deepcopy(objects)
    for obj in found.values():
        obj["metadata"] = {"labels": obj["metadata"].get("labels") or {}}
    return found


def difference(before: dict[Any, Any], after: dict[Any, Any]) -> Iterable[Any]:
    return {key for key in before if before[key] != after.get(key)}


@settings(max_examples=20)
@given(old=inventories("a"), new=inventories("a"), other=inventories("b"))
def test_a_prune_removes_exactly_the_difference_of_two_inventories(
    old: Inventory, new: Inventory, other: Inventory
) -> None:
    api = cluster()
    with in_memory(api) as runner:
        bring_about(runner, "b", other)
        bring_about(runner, "a", old)
        bring_about(runner, "a", new)
        before = copy.deepcopy(api.objects)
        after = contents(expected(before, "a", new))
        written = len(api.writes)
        options = {"owner": "a", **new.lists(), "prune_everything": True, "max_prune": "100%"}
        checked = runner.run("pull_access_prune", check=True, **options)
        assert len(api.writes) == written
        real = runner.run("pull_access_prune", **options)
        assert checked == real
        assert not real["failed"], real["msg"]
        assert contents(api.objects) == after
        assert len(api.writes) - written == len(difference(contents(before), after))
        written = len(api.writes)
        bring_about(runner, "a", new)
        assert not runner.run("pull_access_prune", **options)["changed"]
        bring_about(runner, "b", other)
        assert len(api.writes) == written
