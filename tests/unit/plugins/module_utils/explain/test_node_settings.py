# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of each node are found in the order of the evidence, and unknown ones have a reason."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.node_settings import (
    KubeletProviders,
    NodeSettings,
    can_verify,
    find_providers,
    group_nodes,
    read_mirror_sets,
    registries_of,
    settings_of_nodes,
    why_release_unknown,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import (
    KubeletProvider,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    KUBEADM_SETTINGS,
    KUBELET_CONFIGS,
    KUBELET_FILE,
    POOLS,
    VerificationPolicy,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    MIRROR_KINDS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import CLUSTER_VERSION
from support.node_configs import kubelet_config, node_in, pool
from support.pull_evidence import DIGEST_SETS, REFUSED, TAG_SETS, known, mirrored

ALWAYS = {"imagePullCredentialsVerificationPolicy": "AlwaysVerify"}

NEVER = {"imagePullCredentialsVerificationPolicy": "NeverVerify"}

DEFAULT = NodeSettings(VerificationPolicy())


def file(name: str) -> ObjectRef:
    return ObjectRef(KUBELET_FILE, "", name)


def found(node: Any, pools: Any = None, configs: Any = (), files: Any = None, kubeadm: Any = None) -> NodeSettings:
    listed = {"items": [*configs]} if isinstance(configs, (list, tuple)) else configs
    pools = {"items": pools} if isinstance(pools, list) else pools
    known = {POOLS: pools, KUBELET_CONFIGS: listed, KUBEADM_SETTINGS: kubeadm}
    known |= {file(name): answer for name, answer in (files or {}).items()}
    (settled,) = settings_of_nodes([node], Lookup(known))
    return settled.settings


class TestOpenShift:
    CONFIG = kubelet_config("strict", "worker", ALWAYS, suffix="")

    def test_the_rendered_file_decides(self) -> None:
        files = {"rendered-worker": NEVER}
        assert found(node_in("worker"), [pool("worker")], [self.CONFIG], files) == NodeSettings(
            VerificationPolicy("NeverVerify"), "machine config rendered-worker"
        )

    def test_a_rendered_file_without_settings_is_the_default(self) -> None:
        assert found(node_in("worker"), [pool("worker")], [self.CONFIG], {"rendered-worker": {}}) == DEFAULT

    def test_a_drop_in_file_is_named_as_the_source(self) -> None:
        files = {"rendered-worker": {**NEVER, "dropIns": True}}
        assert found(node_in("worker"), [pool("worker")], [self.CONFIG], files) == NodeSettings(
            VerificationPolicy("NeverVerify"), "a drop-in file of machine config rendered-worker"
        )

    def test_a_node_in_an_update_has_the_file_that_it_reports(self) -> None:
        rolling = pool("worker", "rendered-worker-1", "rendered-worker-2")
        files = {"rendered-worker-1": {}, "rendered-worker-2": ALWAYS}
        for current, policy in (("rendered-worker-1", ""), ("rendered-worker-2", "AlwaysVerify")):
            settings = found(node_in("worker", current=current), [rolling], [self.CONFIG], files).policy
            assert settings is not None
            assert settings.name == policy

    @pytest.mark.parametrize("unreadable", [REFUSED, None])
    def test_without_the_rendered_file_the_kubelet_config_decides(self, unreadable: Any) -> None:
        files = {"rendered-worker": unreadable}
        assert found(node_in("worker"), [pool("worker")], [self.CONFIG], files) == NodeSettings(
            VerificationPolicy("AlwaysVerify"), "kubelet config strict"
        )
        assert found(node_in("worker"), [pool("worker")], [], files) == DEFAULT

    def test_without_the_rendered_file_an_update_makes_the_settings_unknown(self) -> None:
        rolling = pool("worker", "rendered-worker-1", "rendered-worker-2")
        why = NodeSettings(None, why="machine config pool worker is being updated")
        assert found(node_in("worker"), [rolling], [self.CONFIG]) == why
        files = {"rendered-worker-1": REFUSED, "rendered-worker-2": REFUSED}
        old = node_in("worker", current="rendered-worker-1")
        assert found(old, [rolling], [self.CONFIG], files) == why
        new = node_in("worker", current="rendered-worker-2")
        assert found(new, [rolling], [self.CONFIG], files).source == "kubelet config strict"

    def test_a_refused_kubelet_config_makes_the_settings_unknown(self) -> None:
        refused = kubelet_config("strict", "worker", ALWAYS, refused="Error: no")
        assert found(node_in("worker"), [pool("worker")], [refused], {"rendered-worker": REFUSED}) == NodeSettings(
            None, why="the machine config operator does not apply kubelet config strict: Error: no"
        )

    def test_unreadable_lists_make_the_settings_unknown(self) -> None:
        unknown = NodeSettings(None, why="the caller may not read it")
        assert found(node_in("worker"), REFUSED) == unknown
        assert found(node_in("worker"), [pool("worker")], REFUSED, {"rendered-worker": REFUSED}) == unknown

    def test_a_node_without_a_pool_is_unknown(self) -> None:
        assert found(node_in("infra"), [pool("worker")]) == NodeSettings(
            None, why="node n is in no machine config pool, or in several"
        )
        assert found(node_in("infra"), [pool("worker")], kubeadm={}) == DEFAULT
        assert found(node_in("infra"), [pool("worker")], kubeadm=NEVER).policy == VerificationPolicy("NeverVerify")

    def test_nodes_of_different_pools_have_their_own_settings(self) -> None:
        known = {POOLS: {"items": [pool("worker"), pool("master")]}, KUBELET_CONFIGS: {"items": [self.CONFIG]}}
        known |= {file("rendered-worker"): REFUSED, file("rendered-master"): REFUSED}
        settled = settings_of_nodes([node_in("worker"), node_in("master")], Lookup(known))
        assert [(each.pool, each.settings.source) for each in settled] == [
            ("worker", "kubelet config strict"),
            ("master", ""),
        ]

    def test_a_group_has_the_settings_that_its_pool_will_get(self) -> None:
        pools = [pool("worker", "rendered-worker-1", "rendered-worker-2")]
        known = {POOLS: {"items": pools}, KUBELET_CONFIGS: {"items": [self.CONFIG]}, file("rendered-worker-1"): {}}
        known[file("rendered-worker-2")] = ALWAYS
        nodes = [node_in("worker", name=name, current="rendered-worker-1") for name in "ab"]
        (group,) = group_nodes(nodes, Lookup(known))
        assert (group.pool, [node.versions.name for node in group.nodes]) == ("worker", ["a", "b"])
        assert [node.settings for node in group.nodes] == [DEFAULT, DEFAULT]
        assert group.coming.source == "kubelet config strict"
        (group,) = group_nodes(nodes, Lookup({**known, KUBELET_CONFIGS: REFUSED}))
        assert group.coming == NodeSettings(None, why="the caller may not read it")
        known[file("rendered-worker-2")] = {**NEVER, "dropIns": True}
        (group,) = group_nodes(nodes, Lookup(known))
        source = "a drop-in file of machine config rendered-worker-2"
        assert group.coming == NodeSettings(VerificationPolicy("NeverVerify"), source)


def test_nodes_without_a_pool_keep_their_settings() -> None:
    (group,) = group_nodes([node_in()], Lookup({POOLS: None, KUBELET_CONFIGS: None, KUBEADM_SETTINGS: ALWAYS}))
    assert (group.pool, group.coming.policy) == ("", VerificationPolicy("AlwaysVerify"))


@pytest.mark.parametrize(
    ("versions", "expected"), [(("v1.32.9",), False), (("v1.32.9", "v1.33.0"), True), (("",), True), ((), False)]
)
def test_the_settings_matter_from_1_33_on(versions: tuple[str, ...], expected: bool) -> None:
    assert can_verify([node_in(kubelet=version) for version in versions]) is expected


class TestElsewhere:
    def test_the_file_of_kubeadm_decides(self) -> None:
        assert found(node_in(), kubeadm=ALWAYS) == NodeSettings(
            VerificationPolicy("AlwaysVerify"), "the config map of kubeadm for new nodes"
        )

    def test_without_any_setting_the_default_counts(self) -> None:
        assert found(node_in(), kubeadm={}) == DEFAULT

    def test_without_any_object_the_default_is_assumed(self) -> None:
        assert found(node_in()) == NodeSettings(VerificationPolicy(), is_assumed=True)

    def test_settings_of_a_wrong_type_are_unknown(self) -> None:
        why = "the settings in the config map of kubeadm for new nodes are invalid"
        assert found(node_in(), kubeadm={"imagePullCredentialsVerificationPolicy": 3}) == NodeSettings(None, why=why)

    def test_an_unreadable_file_makes_the_settings_unknown(self) -> None:
        assert found(node_in(), kubeadm=REFUSED) == NodeSettings(None, why="the caller may not read it")


class TestWanted:
    def test_all_files_are_requested_together(self) -> None:
        evidence = Lookup({POOLS: {"items": [pool("worker"), pool("master")]}, KUBELET_CONFIGS: {"items": []}})
        with pytest.raises(ReadRequired):
            settings_of_nodes([node_in("worker"), node_in("master")], evidence)
        assert evidence.take_wanted() == [file("rendered-worker"), file("rendered-master")]

    def test_kubeadm_is_asked_only_without_pools(self) -> None:
        evidence = Lookup({POOLS: None, KUBELET_CONFIGS: None})
        with pytest.raises(ReadRequired):
            settings_of_nodes([node_in()], evidence)
        assert evidence.take_wanted() == [KUBEADM_SETTINGS]


# --- The providers for an image are known only if the configurations of all pools with machines show them

SEEN, OTHER = (KubeletProvider(name, ("*.example.com",)) for name in ("seen", "other"))


def machine_pool(name: str, current: str = "", target: str = "", machines: int = 1) -> dict[str, Any]:
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
    pools = machine_pool("infra", "a"), machine_pool("worker", "b"), machine_pool("master", "c")
    known = evidence(*pools, a=settings(SEEN), b=settings(OTHER, SEEN), c=settings())
    assert find_providers("q.example.com/app", known).found == {SEEN: ["infra", "worker"], OTHER: ["worker"]}
    assert find_providers("q.io/app", known).found == {}


def test_a_pool_that_is_being_updated_has_both_configurations() -> None:
    known = evidence(machine_pool("worker", "old", "new"), old=settings(SEEN), new=settings(SEEN, OTHER))
    found = find_providers("q.example.com/app", known)
    assert found == KubeletProviders({SEEN: ["worker"], OTHER: ["worker"]}, [], is_complete=False)


def test_the_provider_of_crio_is_not_among_them() -> None:
    crio = KubeletProvider("crio-credential-provider", SEEN.images)
    found = find_providers("q.example.com/app", evidence(machine_pool("worker", "a"), a=settings(crio)))
    assert found == KubeletProviders({}, [], is_complete=True)


def test_the_provider_of_crio_is_found_alone() -> None:
    crio = KubeletProvider("crio-credential-provider", SEEN.images)
    known = evidence(machine_pool("worker", "a"), a=settings(crio, SEEN))
    assert find_providers("q.example.com/app", known, of_crio=True).found == {crio: ["worker"]}
    assert find_providers("q.io/app", known, of_crio=True).found == {}


def test_a_pool_without_machines_does_not_count() -> None:
    known = evidence(machine_pool("worker", "a"), machine_pool("empty", "b", machines=0), a=settings(SEEN), b=None)
    assert find_providers("q.example.com/app", known) == KubeletProviders({SEEN: ["worker"]}, [], is_complete=True)
    alone = evidence(machine_pool("empty", "b", machines=0))
    assert find_providers("q.example.com/app", alone) == KubeletProviders({}, [], is_complete=False)


@pytest.mark.parametrize("unknown", [None, {}, {"credentialProviders": []}], ids=str)
def test_a_pool_without_known_providers_leaves_those_of_the_others(unknown: Any) -> None:
    known = evidence(machine_pool("worker", "a"), machine_pool("infra", "b"), a=settings(SEEN), b=unknown)
    assert find_providers("q.example.com/app", known) == KubeletProviders({SEEN: ["worker"]}, [], is_complete=False)


def test_a_configuration_that_cannot_be_read_is_a_doubt_with_its_reason() -> None:
    known = evidence(machine_pool("worker", "a"), machine_pool("infra", "b"), a=settings(SEEN), b=REFUSED)
    found = find_providers("q.example.com/app", known)
    assert found == KubeletProviders({SEEN: ["worker"]}, [], is_complete=False, unread=str(REFUSED))
    assert find_providers("q.io/app", known, of_crio=True).unread == str(REFUSED)


def test_pools_that_cannot_be_listed_are_a_doubt_with_their_name() -> None:
    found = find_providers("q.example.com/app", Lookup({POOLS: REFUSED}))
    assert found == KubeletProviders(unread=f"the machineconfigpools could not be read: {REFUSED}")


def test_a_pool_whose_providers_no_object_shows_is_named() -> None:
    known = evidence(
        machine_pool("worker", "a"), machine_pool("infra", "b"), a=settings(SEEN), b={"credentialProviders": None}
    )
    found = find_providers("q.example.com/app", known)
    assert found == KubeletProviders({SEEN: ["worker"]}, ["infra"], is_complete=False)


@pytest.mark.parametrize("pools", [REFUSED, None, {"items": []}, {"items": [machine_pool("worker")]}])
def test_a_cluster_without_known_pools_shows_none(pools: Any) -> None:
    found = find_providers("q.example.com/app", Lookup({POOLS: pools}))
    assert (found.found, [*found.hidden], found.is_complete) == ({}, [], False)
    assert bool(found.unread) is (pools is REFUSED)


def test_all_configurations_are_requested_together() -> None:
    lookup = evidence(machine_pool("worker", "a", "b"), machine_pool("infra", "c"))
    with pytest.raises(ReadRequired):
        find_providers("q.example.com/app", lookup)
    assert {ref.name for ref in lookup.take_wanted()} == {"a", "b", "c"}


# --- The nodes' files are made of all objects that can be read

BLOCKED = {IMAGE_CONFIG: {"spec": {"registrySources": {"blockedRegistries": ["b.io"]}}}}


def test_all_objects_are_requested_at_once() -> None:
    evidence = Lookup()
    with pytest.raises(ReadRequired):
        registries_of(evidence)
    assert {*evidence.take_wanted()} == {IMAGE_CONFIG, *(ObjectRef(kind, "", "") for kind in MIRROR_KINDS)}


def test_sets_that_cannot_be_read_are_left_out() -> None:
    evidence = Lookup(known(more={**mirrored(), ObjectRef(DIGEST_SETS, "", ""): REFUSED}))
    assert [item.source for each in read_mirror_sets(evidence) for item in each.items] == ["q.io"]
    assert [*registries_of(evidence).entries] == ["q.io"]


def test_the_files_are_made_once_for_the_same_objects() -> None:
    evidence = Lookup(known(more=mirrored()))
    first = registries_of(evidence)
    assert registries_of(evidence) is first
    evidence.add({ObjectRef(TAG_SETS, "", ""): {"items": []}})
    assert registries_of(evidence) is not first


def test_the_release_is_read_only_if_registries_are_blocked() -> None:
    refused = {CLUSTER_VERSION: REFUSED}
    assert why_release_unknown(Lookup(known(more=refused))) == ""
    doubt = "An entry around the repository of the release has no effect without a mirror of it, and this repository is not known"
    assert why_release_unknown(Lookup(known(more={**BLOCKED, **refused}))) == f"{doubt}: the caller may not read it"
    assert why_release_unknown(Lookup(known(more=BLOCKED))) == ""
    unusual = {CLUSTER_VERSION: {"status": {"desired": {"image": "?"}}}}
    text = f"status.desired.image of {CLUSTER_VERSION} is not the name of an image"
    assert why_release_unknown(Lookup(known(more={**BLOCKED, **unusual}))) == f"{doubt}: {text}"
