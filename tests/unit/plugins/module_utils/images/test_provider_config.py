# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet's refusals of a CredentialProviderConfig, one by one, and entries that never match.

tests/oracle/test_provider_config.py compares the same configurations with the kubelet's own code.
"""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.provider_config import (
    config_problems,
    why_never,
)
from support.provider_configs import REFUSED, VALID, config


@pytest.mark.parametrize("changes", VALID.values(), ids=[*VALID])
def test_a_configuration_with_which_a_kubelet_starts_has_no_problem(changes: Any) -> None:
    assert config_problems(config(**changes)) == []


@pytest.mark.parametrize(("changes", "problem"), REFUSED.values(), ids=[*REFUSED])
def test_each_rule_of_the_kubelet_has_its_sentence(changes: Any, problem: str) -> None:
    assert config_problems(config(**changes)) == [problem]


def test_two_providers_of_one_name_are_refused() -> None:
    twice = {**config(), "providers": [*config()["providers"] * 2]}
    assert config_problems(twice) == ["two providers have the name echo"]


@pytest.mark.parametrize(
    "odd", [{}, {"kind": None}, {"providers": 3}, {"kind": "CredentialProviderConfig", "apiVersion": ["v1"]}]
)
def test_another_object_is_not_a_configuration(odd: Any) -> None:
    assert config_problems(odd) == ["it is not a CredentialProviderConfig of kubelet.config.k8s.io/v1"]


@pytest.mark.parametrize(
    "providers",
    [None, 3, "x", [None], ["x"], [{"name": 5}], [{"name": None, "matchImages": [None, 3], "tokenAttributes": []}]],
)
def test_odd_providers_are_problems_and_no_error(providers: Any) -> None:
    assert config_problems({**config(), "providers": providers})


def test_values_of_variables_and_arguments_are_never_in_a_problem() -> None:
    found = config_problems(config(env=[{"name": "KEY", "value": "canary"}], args="canary", extra="canary"))
    assert found and "canary" not in str(found)


class TestEntries:
    IMAGE = "registry.example.com/team/app"

    @pytest.mark.parametrize(
        ("entry", "write"),
        [
            ("registry.example.com/*", "registry.example.com"),
            ("registry.example.com/team/*", "registry.example.com/team"),
            ("registry.example.com/team/app:v1", "registry.example.com/team/app"),
            ("registry.example.com/team/app@sha256:0", "registry.example.com/team/app"),
            ("https://registry.example.com", "registry.example.com"),
            ("registry.example.com:5000", "registry.example.com"),
            ("registry.example.com:*", "registry.example.com"),
            ("*.com", "registry.example.com"),
            ("Registry.example.com", "registry.example.com"),
        ],
    )  # fmt: skip
    def test_an_entry_that_seems_to_be_for_the_image_has_its_correction(self, entry: str, write: str) -> None:
        assert why_never(entry, self.IMAGE).endswith(f": write {write}")
        assert why_never(write, self.IMAGE) == ""

    @pytest.mark.parametrize(
        "entry",
        [
            "registry.example.com",
            "*.example.com/team",
            "other.example.com/*",
            "registry.example.com/other",
            "",
            "*.org",
            "registry.example.com/other/*",
        ],
    )
    def test_an_entry_that_matches_or_is_for_other_images_has_no_problem(self, entry: str) -> None:
        assert why_never(entry, self.IMAGE) == ""

    def test_the_port_of_the_image_is_named(self) -> None:
        assert why_never("registry.example.com", "registry.example.com:5000/app").endswith(
            "write registry.example.com:5000"
        )
