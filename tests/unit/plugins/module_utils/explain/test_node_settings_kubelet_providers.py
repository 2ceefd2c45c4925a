# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The providers for an image are known only if the configurations of all pools with machines show them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.node_settings import (
    KubeletProviders,
    find_providers,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import (
    KubeletProvider,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    KUBELET_FILE,
    POOLS,
)
from support.pull_evidence import REFUSED

SEEN, OTHER = (KubeletProvider(name, ("*.example.com",)) for name in ("seen", "other"))


def pool(name: str, current: str = "", target: str = "", machines: int = 1) -> dict[str, Any]:
    status = {"machineCount": machines, "configuration": {"name": current}}
    return {"metadata": {"name": name}, "spec": {"configuration": {"name": target or current}}, "status": status}


def settings(*providers: KubeletProvider) -> dict[str, Any]:
    return {"credentialProviders": [{"name": each.name, "matchImages": [*each.images]} for each in providers]}


def evidence(*pools: Any, **files: Any) -> Lookup:
    """`files` are the settings in each rendered configuration."""
    return Lookup(
        {POOLS: {"items": [*pools]}, **{ObjectRef(KUBELET_FILE, "", name): each for name, each in files.items()}}
    )


def test_a_provider_has_the_names_of_its_pools() -> None:
    pools = pool("infra", "a"), pool("worker", "b"), pool("master", "c")
    known = evidence(*pools, a=settings(SEEN), b=settings(OTHER, SEEN), c=settings())
    assert find_providers("q.example.com/app", known).found == {SEEN: ["infra", "worker"], OTHER: ["worker"]}
    assert find_providers("q.io/app", known).found == {}


def test_a_pool_that_is_being_updated_has_both_configurations() -> None:
    known = evidence(pool("worker", "old", "new"), old=settings(SEEN), new=settings(SEEN, OTHER))
    found = find_providers("q.example.com/app", known)
    assert found == KubeletProviders({SEEN: ["worker"], OTHER: ["worker"]}, [], is_complete=False)


def test_the_provider_of_crio_is_not_among_them() -> None:
    crio = KubeletProvider("crio-credential-provider", SEEN.images)
    found = find_providers("q.example.com/app", evidence(pool("worker", "a"), a=settings(crio)))
    assert found == KubeletProviders({}, [], is_complete=True)


def test_the_provider_of_crio_is_found_alone() -> None:
    crio = KubeletProvider("crio-credential-provider", SEEN.images)
    known = evidence(pool("worker", "a"), a=settings(crio, SEEN))
    assert find_providers("q.example.com/app", known, of_crio=True).found == {crio: ["worker"]}
    assert find_providers("q.io/app", known, of_crio=True).found == {}


def test_a_pool_without_machines_does_not_count() -> None:
    known = evidence(pool("worker", "a"), pool("empty", "b", machines=0), a=settings(SEEN), b=None)
    assert find_providers("q.example.com/app", known) == KubeletProviders({SEEN: ["worker"]}, [], is_complete=True)
    alone = evidence(pool("empty", "b", machines=0))
    assert find_providers("q.example.com/app", alone) == KubeletProviders({}, [], is_complete=False)


@pytest.mark.parametrize("unknown", [None, {}, {"credentialProviders": []}], ids=str)
def test_a_pool_without_known_providers_leaves_those_of_the_others(unknown: Any) -> None:
    known = evidence(pool("worker", "a"), pool("infra", "b"), a=settings(SEEN), b=unknown)
    assert find_providers("q.example.com/app", known) == KubeletProviders({SEEN: ["worker"]}, [], is_complete=False)


def test_a_configuration_that_cannot_be_read_is_a_doubt_with_its_reason() -> None:
    known = evidence(pool("worker", "a"), pool("infra", "b"), a=settings(SEEN), b=REFUSED)
    found = find_providers("q.example.com/app", known)
    assert found == KubeletProviders({SEEN: ["worker"]}, [], is_complete=False, unread=str(REFUSED))
    assert find_providers("q.io/app", known, of_crio=True).unread == str(REFUSED)


def test_pools_that_cannot_be_listed_are_a_doubt_with_their_name() -> None:
    found = find_providers("q.example.com/app", Lookup({POOLS: REFUSED}))
    assert found == KubeletProviders(unread=f"the machineconfigpools could not be read: {REFUSED}")


def test_a_pool_whose_providers_no_object_shows_is_named() -> None:
    known = evidence(pool("worker", "a"), pool("infra", "b"), a=settings(SEEN), b={"credentialProviders": None})
    found = find_providers("q.example.com/app", known)
    assert found == KubeletProviders({SEEN: ["worker"]}, ["infra"], is_complete=False)


@pytest.mark.parametrize("pools", [REFUSED, None, {"items": []}, {"items": [pool("worker")]}])
def test_a_cluster_without_known_pools_shows_none(pools: Any) -> None:
    found = find_providers("q.example.com/app", Lookup({POOLS: pools}))
    assert (found.found, [*found.hidden], found.is_complete) == ({}, [], False)
    assert bool(found.unread) is (pools is REFUSED)


def test_all_configurations_are_requested_together() -> None:
    lookup = evidence(pool("worker", "a", "b"), pool("infra", "c"))
    with pytest.raises(ReadRequired):
        find_providers("q.example.com/app", lookup)
    assert {ref.name for ref in lookup.take_wanted()} == {"a", "b", "c"}
