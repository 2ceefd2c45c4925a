# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles pass every option of an entry to the modules, in check mode, in a real run, and in a teardown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.lab import mount_names, pull_names
from support.playbooks import COLLECTION, play

REGISTRY = {"registry": "quay.io", "username": "robot", "password": "Secret-1"}


@pytest.fixture
def apply(lab, tmp_path: Path):
    """Run one role with its entries in check mode, for real and again, and return the real run."""

    def call(role: str, variable: str, entries: list[dict[str, Any]], **more: str) -> Any:
        playbook = tmp_path / f"{role}.yml"
        inputs = {variable: entries, **more}
        one = {"role": f"{COLLECTION}.{role}", "vars": inputs}
        playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "roles": [one]}]))
        inventory = tmp_path / "hosts.yml"
        host = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        inventory.write_text(yaml.safe_dump({"all": {"hosts": {"lab": host}}}))
        done = [play(playbook, inventory, *options, K8S_AUTH_KUBECONFIG=lab.kubeconfig) for options in (["-C"], [], [])]
        assert [run.status for run in done] == [0, 0, 0], done
        assert done[0].recap == done[1].recap
        assert done[2].recap["changed"] == 0
        return done[1]

    return call


class TestPrivateRegistry:
    @pytest.mark.slow
    def test_an_exclusive_link_of_a_created_account_is_added_and_removed(self, lab, apply, namespace):
        entry = {
            "name": "quay",
            "namespaces": [namespace],
            "registries": [REGISTRY],
            "service_accounts": ["app"],
            "link_for": ["pull", "mount"],
            "create": True,
            "exclusive": True,
            "restart_pods": "report",
        }
        apply("private_registry", "private_registry_secrets", [entry])
        assert "quay" in pull_names(lab.account(namespace, "app"))
        apply("private_registry", "private_registry_secrets", [entry], private_registry_state="absent")
        assert "quay" not in pull_names(lab.account(namespace, "app"))
        assert "quay" not in mount_names(lab.account(namespace, "app"))


@pytest.mark.slow
class TestCrossProjectPull:
    def test_an_exclusive_verified_grant_is_revoked_from_every_binding(self, lab, apply, namespaces):
        user, owner = namespaces(2)
        entry = {
            "namespaces": [owner],
            "service_accounts": [{"namespace": user}],
            "authenticated": True,
            "exclusive": True,
            "prune": True,
            "verify_access": True,
            "revoke_from": "every_binding",
        }
        apply("cross_project_pull", "cross_project_pull_grants", [entry])
        names = [subject["name"] for subject in lab.get(owner, "rolebindings", "image-puller-grant")["subjects"]]
        assert names == ["default", "system:authenticated"]
        apply("cross_project_pull", "cross_project_pull_grants", [entry], cross_project_pull_state="absent")
        assert lab.get(owner, "rolebindings", "image-puller-grant") is None


@pytest.mark.parametrize(
    ("playbook", "given", "missing"),
    [
        ("automation_account", {}, "automation_account_namespace"),
        ("rotate", {}, "credential_rotation_registries"),
        ("rotate", {"credential_rotation_registries": ["quay.io"]}, "credential_rotation_old"),
    ],
)
def test_a_missing_variable_is_reported_first_without_the_argument_spec(tmp_path, playbook, given, missing):
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {"lab": given}}}))
    done = play(playbook, inventory).failed()
    failed = next(line for line in done.output.splitlines() if line.startswith(("[ERROR]: ", "fatal: ")))
    assert re.match(
        rf'(\[ERROR\]: Task failed: |fatal: .*"msg": "){missing} is not set: .* add with -e @\w+\.yml', failed
    ), done.output
    assert "argument_spec_data" not in done.output


@pytest.mark.parametrize(
    ("playbook", "misspelt", "meant"),
    [
        ("automation_account", "automation_account_namespac", "automation_account_namespace"),
        ("rotate", "credential_rotation_registres", "credential_rotation_registries"),
        ("global_pull_secret", "global_pull_secret_registres", "global_pull_secret_registries"),
        ("what_if", "pull_access_what_if_change", "pull_access_what_if_changes"),
    ],
)
def test_a_misspelt_required_variable_is_named_before_the_missing_one(tmp_path, playbook, misspelt, meant):
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {"lab": {misspelt: ["a"]}}}}))
    done = play(playbook, inventory).failed()
    failed = next(line for line in done.output.splitlines() if line.startswith(("[ERROR]: ", "fatal: ")))
    assert f"variable {misspelt} is unknown: did you mean '{meant}'? Correct it" in failed
    assert "is not set" not in failed
