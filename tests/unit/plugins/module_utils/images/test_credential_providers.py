# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registries for which nodes may have their own credentials are recognized."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import (
    KubeletProvider,
    cloud_of,
    crio_doubt,
    crio_match,
    node_problem,
    skipped_entries,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import NodeVersions
from hypothesis import given
from support.anything import CHANGES, Changed

CONFIG: dict[str, Any] = {
    "spec": {"matchImages": ["*.example.com", "q.io/team", 5]},
    "status": {
        "conditions": [
            {"type": "MachineConfigRendered", "status": "False", "message": "no"},
            {
                "type": "Validated",
                "status": "False",
                "reason": "ValidationFailed",
                "message": "a\nhttps://u:geheim@q.io/",
            },
        ]
    },
}


@pytest.mark.parametrize(
    ("repository", "cloud"),
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/app", "AWS"),
        ("team.azurecr.io/app", "Azure"),
        ("gcr.io/team/app", "GCP"),
        ("eu.gcr.io/team/app", "GCP"),
        ("europe-docker.pkg.dev/team/app", "GCP"),
        ("public.ecr.aws/x/app", ""),
        ("azurecr.io/app", ""),
        ("q.io/team/app", ""),
        ("gcr.io.example.com/app", ""),
    ],
)
def test_the_cloud_of_a_registry_is_recognized(repository: str, cloud: str) -> None:
    assert cloud_of(repository) == cloud


@pytest.mark.parametrize(
    ("repository", "match"),
    [("r.example.com/a", "*.example.com"), ("q.io/team/app", "q.io/team"), ("q.io/a", ""), ("example.com/a", "")],
)
def test_the_crio_provider_pattern_for_a_repository_is_found(repository: str, match: str) -> None:
    assert crio_match(CONFIG, repository) == match


def condition(name: str, status: str, reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": name, "status": status, "reason": reason, "message": message}


RENDERED = condition("MachineConfigRendered", "True")
PARTLY = condition(
    "Validated",
    "False",
    "ConfigurationPartiallyApplied",
    "CRIOCredentialProviderConfig has one or multiple entries that overlap with the original credential provider config. Skip rendering "
    "entries: [q.io q.io/team].",
)


def config(*conditions: Any, images: Any = ("q.io/team", "q.io", "*.io")) -> dict[str, Any]:
    return {"spec": {"matchImages": [*images]}, "status": {"conditions": [*conditions]}}


def test_a_failed_validation_is_reported_without_credentials() -> None:
    assert crio_doubt(CONFIG).startswith("its condition Validated is False: a https://")
    assert "geheim" not in crio_doubt(CONFIG)


@pytest.mark.parametrize(
    ("conditions", "doubt"),
    [
        ([RENDERED], ""),
        ([RENDERED, PARTLY], ""),
        ([RENDERED, condition("Validated", "True")], ""),
        (
            [condition("MachineConfigRendered", "False", "Failed")],
            "its condition MachineConfigRendered is False: Failed",
        ),
        (
            [condition("MachineConfigRendered", "False")],
            "its condition MachineConfigRendered is False: no reason is given",
        ),
        ([RENDERED, condition("Validated", "False", message="no")], "its condition Validated is False: no"),
        ([], "it has no condition MachineConfigRendered, so nothing reports that the nodes have it"),
        ([PARTLY], "it has no condition MachineConfigRendered, so nothing reports that the nodes have it"),
    ],
)
def test_the_conditions_show_whether_the_nodes_have_it(conditions: list[Any], doubt: str) -> None:
    assert crio_doubt(config(*conditions)) == doubt


def test_entries_that_overlap_with_the_provider_of_the_cloud_are_skipped() -> None:
    assert skipped_entries(config(PARTLY)) == {"q.io", "q.io/team"}
    assert skipped_entries(config({**PARTLY, "reason": "Other"})) == skipped_entries(None) == frozenset()
    assert crio_match(config(PARTLY), "q.io/team/app") == "*.io"
    assert crio_match(config(), "q.io/team/app") == "q.io/team"
    assert crio_match(config(PARTLY, images=["q.io"]), "q.io/team/app") == "q.io"


@given(CHANGES)
def test_malformed_configurations_raise_no_error(change: Changed) -> None:
    found = change(
        {"spec": {"matchImages": ["*.io"]}, "status": {"conditions": [{"type": "Validated", "status": "False"}]}}
    )
    if isinstance(found, dict):
        crio_match(found, "q.io/a")
        crio_doubt(found)


@pytest.mark.parametrize(
    ("kubelet", "runtime", "version", "problem"),
    [
        ((1, 35), "cri-o", (1, 35, 0), ""),
        ((1, 34), "cri-o", (1, 34, 11), ""),
        (None, "", None, ""),
        ((1, 33), "cri-o", (1, 33, 4), "kubelet 1.33 does not have the feature gate KubeletServiceAccountToken"),
        ((1, 34), "cri-o", (1, 34, 1), "CRI-O 1.34.1 does not read the files of the provider"),
        ((1, 35), "containerd", (2, 1, 0), "containerd does not read the files of the provider"),
    ],
)
def test_a_node_that_cannot_run_the_provider_is_recognized(
    kubelet: Any, runtime: str, version: Any, problem: str
) -> None:
    found = node_problem(NodeVersions("n", kubelet, runtime, version))
    assert found.startswith(problem) if problem else found == ""


class TestKubeletProviders:
    TOKENS: ClassVar = {"serviceAccountTokenAudience": "registry", "requiredServiceAccountAnnotationKeys": ["a", "b"]}

    def test_a_provider_has_the_facts_of_its_entry(self) -> None:
        found = KubeletProvider.of({"name": "x", "matchImages": ["q.io", "*.q.io"], "tokenAttributes": self.TOKENS})
        assert found == KubeletProvider("x", ("q.io", "*.q.io"), "registry", ("a", "b"))

    @pytest.mark.parametrize("entry", [{}, {"name": 5, "matchImages": "q.io", "tokenAttributes": [1]}])
    def test_an_invalid_entry_has_no_image(self, entry: Any) -> None:
        assert KubeletProvider.of(entry) == KubeletProvider("", ())

    @pytest.mark.parametrize(
        ("repository", "entry"),
        [("a.q.io/app", "*.q.io"), ("q.io/team/app", "q.io/team"), ("q.io/other", ""), ("z.io/a", "")],
    )
    def test_an_entry_matches_as_a_key_of_the_kubelet(self, repository: str, entry: str) -> None:
        assert KubeletProvider("x", ("q.io/team", "*.q.io")).match(repository) == entry

    @pytest.mark.parametrize(
        ("entry", "repository"),
        [
            ("https://q.io", "q.io/app"),
            ("q.io/v2/team", "q.io/team/app"),
            ("index.docker.io", "docker.io/library/nginx"),
        ],
    )
    def test_the_rules_of_secrets_for_keys_do_not_count(self, entry: str, repository: str) -> None:
        assert KubeletProvider("x", (entry,)).match(repository) == ""
        assert crio_match({"spec": {"matchImages": [entry]}}, repository) == ""

    def test_the_name_shows_the_provider_of_crio(self) -> None:
        assert [KubeletProvider(name, ()).is_crio for name in ("crio-credential-provider", "x")] == [True, False]

    def test_an_annotation_without_a_value_is_not_missing(self) -> None:
        provider = KubeletProvider("x", (), "registry", ("a", "b"))
        assert provider.missing_annotations({"metadata": {"annotations": {"a": ""}}}) == ["b"]
        assert provider.missing_annotations(None) == ["a", "b"]
