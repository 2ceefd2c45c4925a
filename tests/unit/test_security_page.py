# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each attacker and each writer of the security page has tests, which exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "docsite" / "rst" / "security.rst"
#: The tests of each row of a table, by the beginning of the row.
TESTS = {
    "Threat model": {
        "Project user": [
            "tests/security/test_templates.py",
            "tests/security/test_events.py",
            "tests/security/test_rotation.py::TestPlanted",
            "tests/security/test_rotation.py::TestAfterThePlan",
            "tests/security/test_registries.py::TestKeys",
            "tests/security/test_selectors.py",
            "tests/security/test_writers.py",
            "tests/security/test_prune_guard.py",
            "tests/security/test_account.py",
            "tests/security/test_site.py",
            "tests/security/test_rotation.py::TestStops",
            "tests/security/test_delegated.py",
            "tests/security/test_writers.py::TestPullProbe",
            "tests/security/test_exits.py",
            "tests/security/test_secretless.py",
            "tests/report/test_hostile.py",
        ],
        "Registry": [
            "tests/security/test_registries.py::TestRealms",
            "tests/security/test_registries.py::TestRegistries",
            "tests/security/test_registries.py::TestSignatures",
            "tests/security/test_registries.py::TestAudit",
            "tests/security/test_registries.py::TestWhatIf",
            "tests/unit/plugins/module_utils/clients/registry/test_image_details_signatures.py::TestHostileRegistry",
            "tests/unit/plugins/module_utils/clients/https/test_connections.py",
            "tests/modules/test_pull_secret_verify.py",
            "tests/unit/plugins/module_utils/clients/registry/test_proof.py::TestInsecure",
        ],
        "Delegating registry": [
            "tests/security/test_delegated.py",
            "tests/security/test_writers.py::TestDelegatedAuth",
        ],
        "Node": [
            "tests/modules/test_pull_probe.py::TestNode::test_a_nodes_message_is_shown_without_the_login",
            "tests/unit/plugins/module_utils/core/test_text.py",
        ],
        "Reader": [
            "tests/scenarios/test_in_process.py::TestSameResult::test_no_credential_is_in_the_results_and_outputs",
            "tests/runner/test_runner.py",
            "tests/scenarios/test_site.py",
            "tests/scenarios/test_rotate.py",
        ],
        "Person who sets the options": [
            "tests/security/test_connection.py",
            "tests/modules/test_ownership.py",
        ],
        "Operator of AWX": [
            "tests/security/test_awx.py::test_no_hostile_set_of_a_bulk_launch_is_accepted",
            "tests/security/test_awx.py::test_a_bulk_launch_reaches_nothing",
            "tests/security/test_awx.py::test_no_answer_and_no_variable_reaches_the_token_or_runs",
        ],
        "API server": [
            "tests/modules/test_hostile_server.py",
            "tests/faults/test_faults.py",
            "tests/security/test_connection.py",
            "tests/unit/plugins/module_utils/features/global_pull_secret/test_run.py::TestSaving::"
            "test_a_version_that_is_not_a_number_is_refused_as_a_file_name",
        ],
    },
    "Who controls each write": {
        "``pull_secret``": [
            "tests/security/test_writers.py::TestPullSecret",
        ],
        "``sa_link``": [
            "tests/security/test_writers.py::TestSaLink",
        ],
        "``image_puller_grant``": [
            "tests/security/test_writers.py::TestImagePullerGrant",
            "tests/security/test_account.py::TestGrants",
        ],
        "``pull_access_prune``": [
            "tests/security/test_prune_guard.py",
            "tests/security/test_selectors.py::TestSelectors::test_an_own_project_does_not_count_for_the_guard_of_a_prune",
        ],
        "``credential_rotation``": [
            "tests/security/test_rotation.py",
            "tests/scenarios/test_rotation_without_password.py",
        ],
        "``automation_account``": [
            "tests/security/test_account.py",
        ],
        "``pull_access_export``": [
            "tests/security/test_writers.py::TestExport",
            "tests/security/test_templates.py",
            "tests/security/test_exits.py::test_a_planted_password_masks_no_name_of_another_project",
        ],
        "``image_stream_import``": [
            "tests/security/test_writers.py::TestImageStreamImport",
        ],
        "``pull_probe``": [
            "tests/security/test_writers.py::TestPullProbe",
        ],
        "``global_pull_secret``": [
            "tests/unit/plugins/module_utils/features/global_pull_secret/test_run.py::TestSaving",
            "tests/unit/plugins/module_utils/platform/test_hosted.py",
            "tests/scenarios/test_global_pull_secret.py",
        ],
        "``pull_access_audit``": [
            "tests/security/test_exits.py::test_files_of_an_audit_hold_no_steering_letter",
            "tests/report/test_hostile.py",
            "tests/security/test_registries.py::TestAudit",
        ],
        "``pull_access_images``": [
            "tests/unit/plugins/module_utils/features/image_list/test_outputs.py",
            "tests/unit/plugins/module_utils/features/image_list/test_copies.py",
            "tests/modules/test_pull_access_images.py",
        ],
        "``pull_access_what_if``": [
            "tests/security/test_registries.py::TestWhatIf",
            "tests/security/test_exits.py::test_a_what_if_answer_holds_no_steering_letter",
            "tests/security/test_exits.py::test_results_of_all_modules_hold_no_steering_letter",
        ],
        "``pull_access_objects``": [
            "tests/security/test_events.py",
        ],
        "``site.yml``": [
            "tests/security/test_site.py",
        ],
        "Templates of AWX": [
            "tests/security/test_awx.py::test_a_plan_is_only_for_the_workflow_that_made_it",
            "tests/unit/test_awx_configuration.py",
        ],
        "``delegated_auth``": [
            "tests/security/test_delegated.py",
            "tests/security/test_writers.py::TestDelegatedAuth",
        ],
        "``ocm_pull_secret_info``": [
            "tests/security/test_exits.py::test_results_of_all_modules_hold_no_steering_letter",
            "tests/security/test_registries.py::TestUnlinkedSecrets",
        ],
    },
}


def rows(heading: str) -> list[str]:
    """Return the rows of the table below a heading, without the row of column titles."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n{heading}\n{'-' * len(heading)}\n", 1)[1]
    table = re.split(r"\n[^\n]+\n-{4,}\n", section)[0]
    return table.split("\n   * - ")[2:]


@pytest.mark.parametrize("heading", TESTS)
def test_each_row_of_a_table_has_tests(heading: str) -> None:
    found = [[begun for begun in TESTS[heading] if row.startswith(begun)] for row in rows(heading)]
    assert found == [[begun] for begun in TESTS[heading]]


@pytest.mark.parametrize(
    "test", sorted({test for table in TESTS.values() for tests in table.values() for test in tests})
)
def test_each_named_test_exists(test: str) -> None:
    path, *names = test.split("::")
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    for name in names:
        (found,) = [node for node in body if getattr(node, "name", "") == name]
        body = getattr(found, "body", [])
