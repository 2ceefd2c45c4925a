# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of variables matches the roles, playbooks and jobs, and unknown names that resemble a variable are refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import (
    _PREFIXES,
    KNOWN,
    is_collection_task,
    problems_of,
)
from support.playbook_variables import _members, reads

ROOT = Path(__file__).parents[4]
READ = (
    "playbooks/*.yml",
    "playbooks/tasks/*.yml",
    "extensions/awx/project/*.yml",
    "extensions/eda/rulebooks/*.yml",
    "roles/*/tasks/*.yml",
    "roles/*/vars/*.yml",
)


class Templar:
    def template(self, value: Any) -> Any:
        return ["private_registry_url"] if value == "{{ ours }}" else value


def read_or_handed_on() -> Iterator[str]:
    for path in (path for pattern in READ for path in ROOT.glob(pattern)):
        yield from reads(path)
        for key, value in _members(yaml.safe_load(path.read_text(encoding="utf-8"))):
            if key == "register":
                yield value
            if key == "ansible.builtin.set_stats":
                yield from value["data"]


def documented() -> Iterator[str]:
    for path in ROOT.glob("roles/*/meta/argument_specs.yml"):
        specs = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]
        for name, spec in specs.items():
            yield from spec["options"] if name != "entry" else ()


def test_the_table_has_all_variables_and_no_other() -> None:
    """A missing name would be refused, and a name that nothing reads would be ignored."""
    ours = {name for name in (*read_or_handed_on(), *documented()) if name.startswith(_PREFIXES)}
    assert ours | {"image_pull_ignored_variables"} == KNOWN


def test_each_role_has_its_prefix() -> None:
    assert {path.name + "_" for path in ROOT.glob("roles/*")} | {"image_pull_"} == {*_PREFIXES}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("image_pull_kubeconfg", "image_pull_kubeconfig"),
        ("image_pull_prun", "image_pull_prune"),
        ("private_registry_secret", "private_registry_secrets"),
        ("private_registry_stat", "private_registry_state"),
        ("delegated_auth_registrys", "delegated_auth_registries"),
        ("cross_project_pull_grant", "cross_project_pull_grants"),
        ("global_pull_secret_backp", "global_pull_secret_backup"),
        ("credential_rotation_canary_soaks", "credential_rotation_canary_soak_seconds"),
        ("automation_account_job", "automation_account_jobs"),
        ("pull_access_audit_failon", "pull_access_audit_fail_on"),
    ],
)
def test_a_misspelled_variable_is_refused(name: str, meant: str) -> None:
    (problem,) = problems_of({name: "x", "ansible_host": "h", "other": 1}, Templar())
    assert problem.startswith(f"variable {name} is unknown: did you mean '{meant}'? ")


def test_an_unknown_variable_is_refused_with_the_list() -> None:
    (problem,) = problems_of({"private_registry_url": "x"}, Templar())
    assert (
        "known variables with the prefix private_registry_ are private_registry_secrets, private_registry_state."
        in problem
    )
    assert problem.endswith("list its name in image_pull_ignored_variables")


@pytest.mark.parametrize(
    "variables",
    [
        dict.fromkeys(KNOWN, "x"),
        {"private_registry_secrets_team_a": [], "delegated_auth_registries_b": [], "cross_project_pull_grants_c": []},
        {"image_pull_policy": "Always", "image_pull_secrets": [], "__private_registry_result": {}},
        {"private_registry_url": "x", "image_pull_ignored_variables": "{{ ours }}"},
    ],
)
def test_known_and_foreign_variables_are_accepted(variables: dict[str, Any]) -> None:
    assert problems_of(variables, Templar()) == []


@pytest.mark.parametrize("value", [83, 1.5, True, date(2030, 1, 1)])
def test_a_login_changed_by_yaml_is_refused_and_not_shown(value: Any) -> None:
    found = problems_of(
        {
            "image_pull_password": value,
            "credential_rotation_new": {"username": "u", "password": value},
            "global_pull_secret_registries": [{"registry": "quay.io", "username": value, "password": "p"}],
        },
        Templar(),
    )
    assert [problem.partition(" is ")[0] for problem in found] == [
        "variable image_pull_password",
        "credential_rotation_new.password",
        "global_pull_secret_registries[0].username",
    ]
    assert all("put it in quotes" in problem for problem in found)
    assert "83" not in str(found)


def test_a_login_changed_by_yaml_is_refused_in_the_variable_that_has_it() -> None:
    """Before ansible-core 2.19, a role gets the text 83 from the template of a member."""
    found = problems_of(
        {
            "image_pull_password": "{{ logins.robot }}",
            "credential_rotation_new": "{{ new }}",
            "global_pull_secret_registries": [
                {"registry": "quay.io", "username": "{{ logins.text }}", "password": "{{ one }}"}
            ],
            "logins": {"robot": 83, "text": "83"},
            "new": {"username": "u", "password": "{{ logins.robot }}"},
            "one": "{{ logins.robot }}",
        },
        Templar(),
    )
    assert [problem.partition(" is ")[0] for problem in found] == [
        "variable image_pull_password",
        "credential_rotation_new.password",
        "global_pull_secret_registries[0].password",
    ]


def test_ignored_names_are_not_patterns() -> None:
    variables = {
        "image_pull_kube": "x",
        "image_pull_mine": "x",
        "image_pull_ignored_variables": "image_pull_kubes,image_pull_mine",
    }
    (problem,) = problems_of(variables, Templar())
    assert problem.startswith("variable image_pull_kube is unknown")


class Task:
    def __init__(self, path: str) -> None:
        self.path = path

    def get_path(self) -> str:
        return self.path


def test_only_tasks_of_our_roles_and_playbooks_are_ours(tmp_path: Path) -> None:
    assert is_collection_task(Task(f"{ROOT}/roles/private_registry/tasks/main.yml:8"))
    assert is_collection_task(Task(f"{ROOT}/playbooks/site.yml:8"))
    assert not is_collection_task(Task(f"{ROOT}/extensions/awx/project/verify.yml:8"))
    assert not is_collection_task(Task(f"{tmp_path}/playbooks/site.yml:8"))
    assert not is_collection_task(Task(""))
