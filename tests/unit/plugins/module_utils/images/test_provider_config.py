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
    merge_providers,
    new_provider,
    trim_providers,
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


class TestOneFile:
    """The providers are shown without what can be confidential, and a kubelet starts with the file for all of them."""

    def test_arguments_and_variables_are_hidden_except_those_of_openshift(self) -> None:
        known = ["get-credentials", "--v=3", "/etc/kubernetes/cloud.conf"]
        env = [{"name": "KEY", "value": "canary"}, None]
        (found,) = trim_providers(config(args=[*known, "--key=canary", {"canary": 1}], env=env, extra="canary"))
        assert found == {
            **config()["providers"][0],
            "args": [*known, "VALUE", "VALUE"],
            "env": [{"name": "KEY", "value": "VALUE"}, {"name": "", "value": "VALUE"}],
        }

    @pytest.mark.parametrize("name", VALID)
    def test_a_provider_without_confidential_members_stays_as_it_is(self, name: str) -> None:
        given = config(**{**VALID[name], "args": ..., "env": ...})
        assert trim_providers(given) == given["providers"]

    @pytest.mark.parametrize("providers", [None, {}, "x", [1], [{}, "x"]], ids=str)
    def test_a_configuration_without_a_list_is_invalid(self, providers: Any) -> None:
        with pytest.raises(ValueError, match="it has no list of providers"):
            trim_providers({"providers": providers})

    @pytest.mark.parametrize(
        "odd", [{"name": None, "args": 3, "env": "x", "tokenAttributes": []}, {"args": [None], "env": [3]}]
    )
    def test_odd_members_raise_nothing(self, odd: Any) -> None:
        assert "VALUE" in str(trim_providers({"providers": [odd]})) or odd["args"] == 3

    def test_a_kubelet_starts_with_the_merged_file(self) -> None:
        present, given = config(name="ecr", tokenAttributes=...)["providers"], config()["providers"]
        merged = merge_providers([*present, *config(matchImages=["q.io"])["providers"]], given)
        assert [each["name"] for each in merged["providers"]] == ["ecr", "echo"]
        assert merged["providers"][1] == given[0]
        assert config_problems(merged) == []
        assert config_problems(merge_providers(present, [new_provider("q.io:5000")])) == []


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
