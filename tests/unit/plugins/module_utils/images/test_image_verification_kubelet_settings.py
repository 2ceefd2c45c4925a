# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a kubelet, the pool of a node and the KubeletConfig that counts are found as the platform's operator finds them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    VerificationPolicy,
    config_for,
    parse_config,
    pool_for,
    refusal_of,
    trim_settings,
)
from support.node_configs import kubelet_config, pool

GATE = "KubeletEnsureSecretPulledImages"
POLICY = "imagePullCredentialsVerificationPolicy"
LISTED = "preloadedImagesVerificationAllowlist"


class TestSettings:
    def test_the_settings_are_read(self) -> None:
        found = parse_config({POLICY: "NeverVerify", LISTED: ["q.io/a"], "featureGates": {GATE: False, "Other": True}})
        assert found == VerificationPolicy("NeverVerify", ("q.io/a",), gate=False)

    @pytest.mark.parametrize(
        "empty", [{}, {"maxPods": 3}, {POLICY: None, LISTED: None, "featureGates": {"Other": True}}]
    )
    def test_unset_settings_are_the_defaults(self, empty: dict[str, Any]) -> None:
        assert parse_config(empty) == VerificationPolicy()

    @pytest.mark.parametrize("odd", [{POLICY: 3}, {LISTED: "q.io"}, {LISTED: ["a", 1]}, {"featureGates": {GATE: "no"}}])
    def test_settings_of_another_type_are_invalid(self, odd: dict[str, Any]) -> None:
        assert parse_config(odd) is None

    def test_only_the_settings_for_images_are_kept(self) -> None:
        assert trim_settings(
            {POLICY: "NeverVerify", "staticPodPath": "/x", "featureGates": {GATE: True, "Other": True}}
        ) == {POLICY: "NeverVerify", "featureGates": {GATE: True}}
        assert trim_settings({LISTED: [], "featureGates": {"Other": True}}) == {LISTED: []}


WORKER, MASTER, INFRA, GPU = pool("worker"), pool("master"), pool("infra"), pool("gpu")
POOLS = [GPU, INFRA, MASTER, WORKER]


def labels(*roles: str) -> dict[str, str]:
    return {f"node-role.kubernetes.io/{role}": "" for role in roles}


class TestPool:
    @pytest.mark.parametrize(
        ("roles", "expected"),
        [
            (("worker",), "worker"),
            (("worker", "infra"), "infra"),
            (("infra",), "infra"),
            (("worker", "master"), "master"),
            (("worker", "infra", "master"), "master"),
            (("worker", "infra", "gpu"), ""),
            ((), ""),
        ],
    )
    def test_the_pool_of_a_node_follows_from_its_labels(self, roles: tuple[str, ...], expected: str) -> None:
        found = pool_for(labels(*roles), POOLS)
        assert (found["metadata"]["name"] if found else "") == expected

    def test_an_arbiter_is_in_no_other_pool(self) -> None:
        arbiter = pool("arbiter")
        assert pool_for(labels("arbiter", "infra"), [INFRA, arbiter]) is arbiter

    def test_a_pool_without_a_selector_has_no_nodes(self) -> None:
        assert pool_for(labels("worker"), [{"metadata": {"name": "worker"}, "spec": {"nodeSelector": {}}}]) is None


class TestConfig:
    def test_the_last_machine_config_counts(self) -> None:
        first, second = kubelet_config("first", "worker", suffix=""), kubelet_config("second", "worker", suffix="2")
        newest, new = kubelet_config("newest", "worker", created="2"), kubelet_config("new", "worker", created="1")
        other = kubelet_config("other", "master", suffix="9")
        assert config_for(WORKER, POOLS, [second, first, other]) is second
        assert config_for(WORKER, POOLS, [newest, second, new, first]) is newest

    def test_a_custom_pool_has_its_own_or_that_of_worker(self) -> None:
        of_worker, own = kubelet_config("w", "worker", suffix="9"), kubelet_config("i", "infra", suffix="")
        assert config_for(INFRA, POOLS, [of_worker, own]) is own
        assert config_for(GPU, POOLS, [of_worker, own]) is of_worker
        assert config_for(MASTER, POOLS, [of_worker, own]) is None
        assert config_for(GPU, [GPU], [of_worker]) is None
        assert config_for(GPU, POOLS, []) is None

    @pytest.mark.parametrize(
        ("conditions", "why"),
        [
            ([], ""),
            ([{"type": "Failure", "message": "no"}, {"type": "Success"}], ""),
            ([{"type": "Success"}, {"type": "Failure", "message": "Error: bad"}], "Error: bad"),
            ([{"type": "Failure"}], "no reason is given"),
            ([{"type": "Accepted", "status": "False", "message": "Error: bad"}], "Error: bad"),
            ([{"type": "Failure", "message": "old"}, {"type": "Accepted", "status": "True"}], ""),
            ([{"type": "Accepted", "status": "False"}, {"type": "Failure", "message": "Error: bad"}], "Error: bad"),
        ],
    )
    def test_the_last_condition_shows_a_refused_config(self, conditions: Any, why: str) -> None:
        assert refusal_of({"status": {"conditions": conditions}}) == why
