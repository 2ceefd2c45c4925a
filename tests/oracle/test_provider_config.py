# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our refusals of a CredentialProviderConfig, and our matches of its entries, agree with the kubelet's own code, as run by `lab oracle`."""

from __future__ import annotations

import random
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.provider_config import config_problems
from support.oracle import Oracle
from support.provider_configs import REFUSED, VALID, config

#: Members of a provider and of its tokens, with values of which some break a rule of the kubelet.
PROVIDER: dict[str, list[Any]] = {
    "name": ["echo", "a/b", "a b", ".", "..", "", None, 3, "a.b", "A"],
    "apiVersion": [f"credentialprovider.kubelet.k8s.io/{each}" for each in ("v1", "v1", "v1beta1", "v1alpha1", "v2")],
    "matchImages": [
        ["*.example.com"],
        [],
        None,
        "x",
        ["a:b"],
        ["%zz"],
        ["https://a"],
        ["a b"],
        [3],
        ["*"],
        ["[::1]:5000"],
        [""],
    ],
    "defaultCacheDuration": [
        "10m",
        "0",
        "0s",
        "-1s",
        "1",
        "",
        None,
        "1h2.5m",
        ".5s",
        "1.s",
        "+1m",
        "1d",
        5,
        "1µs",
        " 1s",
    ],
    "args": [[], ["-v"], "x", None],
    "env": [[], [{"name": "A", "value": "b"}], {}, None],
    "tokenAttributes": [..., None, {}, "x"],
}
TOKENS: dict[str, list[Any]] = {
    "serviceAccountTokenAudience": ["a", "", None, 3],
    "cacheType": ["Token", "ServiceAccount", "token", "", None],
    "requireServiceAccount": [True, False, None, "true", 1],
    "requiredServiceAccountAnnotationKeys": [
        ...,
        [],
        None,
        ["a/b"],
        ["a", "a"],
        ["A.b/C_d"],
        ["-a"],
        ["a/b/c"],
        ["a" * 64],
        "x",
    ],
    "optionalServiceAccountAnnotationKeys": [..., [], ["a/b"], ["example.com/role"], ["/a"], ["a/"], [""], ["b" * 63]],
}
FILE: dict[str, list[Any]] = {
    "apiVersion": [*(f"kubelet.config.k8s.io/{each}" for each in ("v1", "v1beta1", "v1alpha1", "v2")), "v1", None, 3],
    "kind": ["CredentialProviderConfig", "KubeletConfiguration", None],
    "more": [..., 1],
}


@pytest.mark.parametrize("name", VALID)
def test_the_kubelet_starts_with_each_valid_configuration(oracle: Oracle, name: str) -> None:
    assert oracle.provider_problems(config(**VALID[name])) == []


@pytest.mark.parametrize("name", REFUSED)
def test_the_kubelet_refuses_each_configuration_that_breaks_a_rule(oracle: Oracle, name: str) -> None:
    assert oracle.provider_problems(config(**REFUSED[name][0])) != []


def test_the_kubelet_refuses_a_name_that_is_used_twice(oracle: Oracle) -> None:
    twice = {**config(), "providers": [*config()["providers"] * 2]}
    assert "duplicate provider name" in str(oracle.provider_problems(twice))


def test_generated_configurations_are_refused_exactly_if_the_kubelet_refuses_them(oracle: Oracle) -> None:
    chance, wrong, refused = random.Random(20261201), [], 0
    for number in range(3000):
        given = _generate(chance, number)
        ours, theirs = config_problems(given), oracle.provider_problems(given)
        refused += bool(theirs)
        if bool(ours) is not bool(theirs):
            wrong.append((given, ours, theirs))
    assert wrong == []
    assert 500 < refused < 2900


def _generate(chance: random.Random, number: int) -> dict[str, Any]:
    """A configuration with at most three unusual members."""

    def some(members: dict[str, list[Any]]) -> dict[str, Any]:
        return {name: chance.choice(members[name]) for name in chance.sample([*members], min(number % 3, len(members)))}

    tokens = {"requiredServiceAccountAnnotationKeys": ["example.com/role"], **some(TOKENS)}
    own = some(PROVIDER) if number % 2 else {}
    return config(some(FILE) if number % 7 == 0 else None, tokens, **own)
