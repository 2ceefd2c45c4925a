# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup gives a playbook its short variables of the command line, with Ansible's own parser, and the sentences about unknown ones."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.openshift_ops.image_pull.plugins.lookup.command_line import LookupModule
from support.command_lines import command_line
from support.templates import trusted


def look(playbook: str, *given: str, **variables: Any) -> Any:
    templar = Templar(loader=DataLoader(), variables=variables)
    with command_line(*map(trusted, given)):
        (found,) = LookupModule(loader=templar._loader, templar=templar).run([playbook], variables)
    return found


def test_short_variables_are_given_and_those_of_the_role_get_its_prefix() -> None:
    found = look(
        "what_if",
        "remove_secret=old fail_on=unknown",
        "pod=x",
        '{"changes": [{"new_nodes": true}], "registry_timeout": 5}',
    )
    changes = [{"new_nodes": True}]
    assert found["given"] == {"remove_secret": "old", "fail_on": "unknown", "changes": changes, "registry_timeout": 5}
    assert found["settings"] == {"pull_access_what_if_fail_on": "unknown", "pull_access_what_if_registry_timeout": 5}
    assert (found["changes"], found["value_problems"]) == ([{"remove_secrets": {"name": "old"}}, *changes], [])
    assert found["problems"] == []


def test_variables_of_the_inventory_are_not_given() -> None:
    assert look("explain", "pod=a/b", image="foreign", account="x")["given"] == {"pod": "a/b"}


@pytest.mark.parametrize("blank", ['{"pod": ""}', '{"pod": null}', "pod="])
def test_a_blank_answer_counts_as_not_given(blank: str) -> None:
    assert look("explain", blank)["given"] == {}


def test_templates_are_evaluated_for_each_host() -> None:
    assert look("what_if", "directory='out-{{ inventory_hostname }}'", inventory_hostname="east")["given"] == {
        "directory": "out-east"
    }


def test_a_playbook_without_short_names_is_given_nothing() -> None:
    assert look("site", "a=1") == {"given": {}, "settings": {}, "problems": []}


def test_unknown_variables_of_the_command_line_and_of_the_inventory_are_problems() -> None:
    problems = look("audit", "fail_onn=error", image_pull_kubeconfg="x")["problems"]
    assert [problem.partition(" is unknown")[0] for problem in problems] == [
        "variable image_pull_kubeconfg",
        "extra variable fail_onn",
    ]


@pytest.mark.parametrize(
    ("playbook", "given", "variables", "problems"),
    [
        (
            "rotate",
            "",
            {"credential_rotation_allow": ["unraed"]},
            [
                "variable credential_rotation_allow has an unknown value: did you mean 'unread' instead of 'unraed'? It takes "
                "absent, remaining, unread"
            ],
        ),
        (
            "rotate",
            "",
            {
                "credential_rotation_probe": "canary",
                "credential_rotation_soak_seconds": "{{ seconds }}",
                "seconds": "1m",
            },
            [
                "variable credential_rotation_soak_seconds is a text: give a whole number",
                "variable credential_rotation_probe is a text: give true or false",
            ],
        ),
        ("rotate", "", {"credential_rotation_probe": True, "credential_rotation_guard": False}, []),
        ("rotate", "", {"credential_rotation_probe": "{{ undefined }}", "credential_rotation_soak_seconds": None}, []),
        ("audit", "expires_within=soon", {}, ["variable expires_within is a text: give a whole number"]),
        (
            "audit",
            "",
            {"pull_access_audit_fail_on": "eror"},
            [
                "variable pull_access_audit_fail_on has an unknown value: did you mean 'error' instead of 'eror'? It takes never, info, "
                "warning, error"
            ],
        ),
        ("what_if", "show=ja", {}, ["variable show is a text: give true or false"]),
        ("images", "directory=x", {}, []),
    ],
)
def test_switches_numbers_and_choices_of_the_role_are_checked(
    playbook: str, given: str, variables: dict[str, Any], problems: list[str]
) -> None:
    trusts = {name: trusted(value) if isinstance(value, str) else value for name, value in variables.items()}
    assert sorted(look(playbook, *filter(None, [given]), **trusts)["problems"]) == sorted(problems)
