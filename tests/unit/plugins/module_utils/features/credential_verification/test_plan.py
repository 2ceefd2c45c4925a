# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A policy is added to the KubeletConfig that counts for a pool, and nothing else of that object changes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import MANAGED_BY, Plan
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_verification.plan import (
    VerificationPlan,
    pools_with,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    VerificationPolicy,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import NodeVersions
from support.node_configs import kubelet_config, pool

ALWAYS = VerificationPolicy("AlwaysVerify")
LISTED = VerificationPolicy("NeverVerifyAllowlistedImages", ("quay.io/a", "quay.io/b"))
WORKER, INFRA = pool("worker"), pool("infra")
NAME = "verification"


def node(name: str, *kubelet: int) -> NodeVersions:
    return NodeVersions(name, (kubelet[0], kubelet[1]) if kubelet else None, "cri-o", (1, 36, 0))


def planned(policy: VerificationPolicy | None, *configs: dict[str, Any], **more: Any) -> Plan:
    """The plan. `nodes` are those of the pool worker, or lists by pool."""
    facts = {"pool": WORKER, "pools": [WORKER, INFRA], "nodes": [node("a", 1, 36)], **more}
    if isinstance(facts["nodes"], list):
        facts["nodes"] = {"worker": facts["nodes"]}
    objects = {config["metadata"]["name"]: config for config in configs}
    for config in configs:
        config["metadata"]["resourceVersion"] = "7"
    return VerificationPlan(facts.pop("name", NAME), policy=policy, **facts).plan("", objects)


def refused(*given: Any, **more: Any) -> str:
    with pytest.raises(Refusal) as error:
        planned(*given, **more)
    return str(error.value)


def ours(settings: Any = None, name: str = NAME, of: str = "worker") -> dict[str, Any]:
    found = kubelet_config(name, of, settings)
    found["metadata"]["labels"] = dict(MANAGED_BY)
    return found


class TestPresent:
    def test_a_missing_object_is_created_for_the_pool(self) -> None:
        (change,) = planned(LISTED).changes
        assert (change.action, change.ref.name) == ("create", NAME)
        assert change.body["spec"] == {
            "machineConfigPoolSelector": {"matchLabels": {"pools.operator.machineconfiguration.openshift.io/worker": ""}},
            "kubeletConfig": {
                "imagePullCredentialsVerificationPolicy": LISTED.name,
                "preloadedImagesVerificationAllowlist": ["quay.io/a", "quay.io/b"],
            },
        }  # fmt: skip
        assert change.details == {"policy": LISTED.name, "added": ["quay.io/a", "quay.io/b"]}

    def test_a_reboot_is_announced(self) -> None:
        (note,) = planned(ALWAYS, kubelet_config("own", "infra")).notes
        assert "drains and reboots the nodes of machine config pool worker (1)" in note

    def test_the_nodes_of_custom_pools_with_the_settings_of_worker_are_counted(self) -> None:
        nodes = {"worker": [node("a", 1, 36)], "infra": [node("b", 1, 36), node("c", 1, 36)]}
        assert planned(ALWAYS, nodes=nodes).notes == (
            "the machine config operator drains and reboots the nodes of machine config pools worker (1) and infra (2) one after the other "
            "for this change",
        )

    def test_a_policy_that_stops_the_kubelets_of_a_custom_pool_is_refused(self) -> None:
        nodes = {"worker": [node("new", 1, 36)], "infra": [node("old", 1, 34)]}
        told = refused(ALWAYS, nodes=nodes)
        assert told.startswith("the kubelets of machine config pool infra would not start with this policy")
        assert "off in kubelet 1.34 (node old)" in told
        assert len(planned(ALWAYS, kubelet_config("own", "infra"), nodes=nodes).changes) == 1

    def test_other_settings_of_the_object_stay(self) -> None:
        before = {
            "maxPods": 500,
            "imagePullCredentialsVerificationPolicy": LISTED.name,
            "preloadedImagesVerificationAllowlist": ["x/*"],
        }
        (change,) = planned(ALWAYS, ours(before)).changes
        assert change.action == "update"
        assert change.body["spec"]["kubeletConfig"] == {
            "imagePullCredentialsVerificationPolicy": "AlwaysVerify",
            "preloadedImagesVerificationAllowlist": None,
        }
        assert change.details == {"policy": "AlwaysVerify", "removed": ["x/*"]}

    @pytest.mark.parametrize("listed", [["quay.io/a", "quay.io/b"], ["quay.io/b", "quay.io/a"]])
    def test_nothing_is_written_if_the_policy_is_set(self, listed: list[str]) -> None:
        settings = {
            "imagePullCredentialsVerificationPolicy": LISTED.name,
            "preloadedImagesVerificationAllowlist": listed,
        }
        assert planned(LISTED, ours(settings)) == Plan()

    def test_the_operators_refusal_is_reported(self) -> None:
        config = kubelet_config(
            NAME, "worker", {"imagePullCredentialsVerificationPolicy": "AlwaysVerify"}, refused="no\nway"
        )
        assert planned(ALWAYS, config).notes == (
            f"the machine config operator does not apply kubelet config {NAME}: no way",
        )

    def test_a_second_config_for_the_pool_is_refused(self) -> None:
        told = refused(ALWAYS, kubelet_config("other", "worker", {"maxPods": 500}, suffix=""))
        assert "kubelet config other has the settings" in told
        assert "set option 'name' to other, so that the policy is added to it" in told

    def test_a_config_of_worker_is_not_replaced_for_a_custom_pool(self) -> None:
        """Each advice of the refusal works."""
        settings = {"maxPods": 500}
        other = kubelet_config("other", "worker", settings, suffix="")
        told = (
            "kubelet config other has the settings of the kubelets of machine config pool infra, which has no kubelet config of its own, and "
            "a new one would replace all of them: set option 'pool' to worker and option 'name' to other, so that the policy is for machine "
            "config pools worker and infra, or create a kubelet config with the spec of other (oc get kubeletconfig other -o yaml) and the "
            "machineConfigPoolSelector {matchLabels: {pools.operator.machineconfiguration.openshift.io/infra: ''}}, and set option 'name' to "
            "its name"
        )
        assert refused(ALWAYS, other, pool=INFRA) == told
        assert refused(ALWAYS, other, pool=INFRA, name="other") == told
        assert refused(ALWAYS, other, ours(of="gpu"), pool=INFRA) == told
        (change,) = planned(ALWAYS, other, pool=WORKER, name="other").changes
        assert (change.action, change.ref.name) == ("update", "other")
        own = kubelet_config("own", "infra", settings, suffix="")
        (change,) = planned(ALWAYS, other, own, pool=INFRA, name="own").changes
        assert (change.action, change.ref.name) == ("update", "own")

    def test_a_custom_pool_without_its_label_gets_the_command_for_it_first(self) -> None:
        bare = {**INFRA, "metadata": {"name": "infra"}}
        other = kubelet_config("other", "worker", {"maxPods": 500}, suffix="")
        command = "oc label machineconfigpool infra pools.operator.machineconfiguration.openshift.io/infra="
        assert refused(ALWAYS, other, pool=bare, pools=[WORKER, bare]).endswith(command)

    def test_a_config_that_does_not_count_is_refused(self) -> None:
        configs = [ours(), kubelet_config("later", "worker", {}, suffix="1")]
        configs[0]["metadata"]["annotations"]["machineconfiguration.openshift.io/mc-name-suffix"] = ""
        assert "set option 'name' to later" in refused(ALWAYS, *configs)

    def test_a_config_for_another_pool_is_refused(self) -> None:
        assert refused(ALWAYS, ours(of="infra")) == (
            f"kubelet config {NAME} exists and is not for machine config pool worker: set option 'name' to another name"
        )

    def test_a_pool_without_its_label_is_refused_with_the_command(self) -> None:
        bare = {**WORKER, "metadata": {"name": "worker"}}
        command = "oc label machineconfigpool worker pools.operator.machineconfiguration.openshift.io/worker="
        assert refused(ALWAYS, pool=bare, pools=[bare]).endswith(command)

    def test_a_policy_with_which_a_kubelet_does_not_start_is_refused(self) -> None:
        told = refused(ALWAYS, nodes=[node("new", 1, 36), node("old", 1, 34)])
        assert "would not start with this policy" in told
        assert "off in kubelet 1.34 (node old)" in told
        assert "new" not in told

    def test_exact_entries_are_warned_of_on_kubelet_1_35(self) -> None:
        full = VerificationPolicy(LISTED.name, ("quay.io/team/a", "quay.io/team/*"))
        notes = planned(full, nodes=[node("a", 1, 35)]).notes
        assert ["compares 1 entry" in note for note in notes] == [False, True]


class TestPools:
    """A KubeletConfig reaches the pools that it selects, and of worker's also the custom pools without one."""

    POOLS = (pool("master"), WORKER, INFRA, pool("gpu"))

    @pytest.mark.parametrize(
        ("configs", "new_for", "reached"),
        [
            ([], None, []),
            ([], WORKER, ["worker", "infra", "gpu"]),
            ([], INFRA, ["infra"]),
            ([kubelet_config("own", "gpu")], WORKER, ["worker", "infra"]),
            ([kubelet_config(NAME, "worker")], None, ["worker", "infra", "gpu"]),
            ([kubelet_config(NAME, "worker")], INFRA, ["worker", "infra", "gpu"]),
            ([kubelet_config(NAME, "worker", suffix=""), kubelet_config("later", "worker", suffix="1")], None, []),
            ([kubelet_config("other", "worker")], None, []),
        ],
    )
    def test_the_config_that_counts_decides(self, configs: Any, new_for: Any, reached: list[str]) -> None:
        assert pools_with(NAME, self.POOLS, configs, new_for=new_for) == reached

    def test_a_config_can_select_several_pools(self) -> None:
        config = kubelet_config(NAME, "worker")
        config["spec"]["machineConfigPoolSelector"] = {"matchLabels": {"kubelets": "large"}}
        large = [pool("master"), pool("infra")]
        for each in large:
            each["metadata"]["labels"]["kubelets"] = "large"
        assert pools_with(NAME, [*large, WORKER, pool("gpu")], [config]) == ["master", "infra"]


class TestAbsent:
    def test_the_nodes_of_all_pools_with_the_settings_are_counted(self) -> None:
        nodes = {"worker": [node("a", 1, 36)], "infra": [node("b", 1, 34)]}
        config = ours({"imagePullCredentialsVerificationPolicy": "AlwaysVerify"})
        (note,) = planned(None, config, nodes=nodes).notes
        assert "drains and reboots the nodes of machine config pools worker (1) and infra (1)" in note

    def test_a_config_that_does_not_count_reboots_no_node(self) -> None:
        settings = {"imagePullCredentialsVerificationPolicy": "AlwaysVerify"}
        first = kubelet_config(NAME, "worker", settings, suffix="")
        found = planned(None, first, kubelet_config("later", "worker", suffix="1"))
        assert (len(found.changes), found.notes) == (1, ())

    def test_an_object_of_this_module_is_deleted(self) -> None:
        (change,) = planned(None, ours({"imagePullCredentialsVerificationPolicy": "AlwaysVerify"})).changes
        assert (change.action, change.body["preconditions"]["resourceVersion"]) == ("delete", "7")

    @pytest.mark.parametrize("config", [ours({"maxPods": 1, "imagePullCredentialsVerificationPolicy": "x"}),
                                        kubelet_config(NAME, "worker", {"imagePullCredentialsVerificationPolicy": "x"})])  # fmt: skip
    def test_only_the_fields_are_removed_from_other_objects(self, config: dict[str, Any]) -> None:
        (change,) = planned(None, config).changes
        assert change.body["spec"] == {"kubeletConfig": {"imagePullCredentialsVerificationPolicy": None}}

    def test_an_object_without_the_fields_or_no_object_is_left_alone(self) -> None:
        assert planned(None, kubelet_config(NAME, "worker", {"maxPods": 1})) == planned(None) == Plan()
