# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extra variables of a run are those that Ansible parsed at its start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.launch import (
    explain_problems,
    extra_variables,
    supposed_changes,
)
from support.command_lines import command_line


def test_all_forms_of_extra_variables_are_read_once(tmp_path: Path) -> None:
    path = tmp_path / "more.yml"
    path.write_text("b: [1]")
    with command_line("a=1 c={{x}}", f"@{path}", '{"d": {"e": 2}}'):
        expected = {"a": "1", "c": "{{x}}", "b": [1], "d": {"e": 2}}
        assert extra_variables(DataLoader()) == expected
        path.unlink()
        assert extra_variables(DataLoader()) == expected


def test_a_run_without_extra_variables_has_none() -> None:
    with command_line():
        assert extra_variables(DataLoader()) == {}


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        ({}, []),
        ({"remove_secret": "old"}, [{"remove_secrets": {"name": "old"}}]),
        ({"remove_secret": "a/old"}, [{"remove_secrets": {"name": "old", "namespaces": ["a"]}}]),
        ({"remove_credential": "a@b@q.io:5000"}, [{"remove_credential": {"registry": "q.io:5000", "username": "a@b"}}]),
        ({"unreachable": "q.io, *.b.io"}, [{"unreachable_registries": ["q.io", "*.b.io"]}]),
        (
            {"unreachable": "docker.io/bitnami,q.io:5000/a"},
            [{"unreachable_registries": ["docker.io/bitnami", "q.io:5000/a"]}],
        ),
        (
            {"moved": "docker.io/bitnami=q.io/b, k8s.gcr.io=registry.k8s.io"},
            [{"moved": {"docker.io/bitnami": "q.io/b", "k8s.gcr.io": "registry.k8s.io"}}],
        ),
        ({"moved": {"docker.io/bitnami": "q.io/b"}}, [{"moved": {"docker.io/bitnami": "q.io/b"}}]),
        ({"only_reachable": "q.io"}, [{"only_registries": ["q.io"]}]),
        ({"target_version": "4.22"}, [{"target_version": "4.22"}]),
        ({"new_nodes": "yes"}, [{"new_nodes": True}]),
        ({"new_nodes": False, "changes": [{"new_nodes": True}]}, [{"new_nodes": True}]),
    ],
    ids=str,
)
def test_short_variables_are_changes(given: dict[str, Any], changes: list[Any]) -> None:
    assert supposed_changes(given) == (changes, [])


@pytest.mark.parametrize(
    ("given", "begin"),
    [
        ({"remove_secret": "a/b/c"}, "remove_secret is 'a/b/c': give"),
        ({"remove_secret": "a/"}, "remove_secret is 'a/': give"),
        ({"remove_secret": "a\n"}, "remove_secret is 'a\\n': give"),
        ({"remove_credential": "canary"}, "remove_credential is not USER@HOST"),
        ({"unreachable": "https://q.io"}, "unreachable has 'https://q.io': give registries or paths without a scheme"),
        ({"unreachable": "{{x}}"}, "unreachable has '{{x}}': give registries"),
        ({"moved": "q.io/a"}, "moved has 'q.io/a': give OLD=NEW"),
        ({"moved": "q.io/a=b=c"}, "moved has 'q.io/a=b=c': give OLD=NEW"),
        ({"only_reachable": "q.io/a"}, "only_reachable has 'q.io/a': give hosts"),
        (
            {"target_version": 4.2},
            "target_version is the number 4.2, and YAML drops the last zero of 4.20: write three numbers, such as 4.20.0",
        ),
        (
            {"target_version": 4.22},
            "target_version is the number 4.22, and YAML drops the last zero of 4.20: write three numbers, such as 4.22.0",
        ),
        (
            {"fail_on": "broken"},
            "fail_on is 'broken': give one of never, certain_break, would_break, unknown, such as -e fail_on=would_break",
        ),
        ({"target_version": "soon"}, "target_version is 'soon': give a version such as 4.22.0"),
        ({"changes": {}}, "changes is not a list"),
        ({"new_nodes": "maybe"}, "new_nodes is 'maybe': give true or false, such as -e new_nodes=true"),
        ({"declared": "soon"}, "declared is 'soon': give true or false"),
        ({"show": ""}, "show is '': give true or false"),
    ],
    ids=str,
)
def test_values_that_are_no_change_are_named(given: dict[str, Any], begin: str) -> None:
    (problem,) = supposed_changes(given)[1]
    assert problem.startswith(begin) and "canary" not in problem


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"pod": "a/app.1"}, None),
        ({"workload": "a/apps.Deployment/app"}, None),
        ({"account": "a/default", "image": "quay.io/team/app"}, None),
        ({}, "nothing is given to explain: give -e pod=NAMESPACE/NAME"),
        ({"image": "x"}, "nothing is given to explain: give -e pod=NAMESPACE/NAME"),
        ({"pod": "a/app", "workload": "a/deploy/app"}, "pod and workload are given, but a run explains one: give"),
        ({"pod": "app"}, "pod is 'app': give NAMESPACE/NAME, such as"),
        ({"pod": "a/"}, "pod is 'a/': give"),
        ({"pod": "A/app"}, "pod is 'A/app': names have no upper-case letters, so write 'a/app'"),
        ({"workload": "a/Deployment/App"}, "workload is 'a/Deployment/App': names have no"),
        ({"pod": 7}, "pod is 7: give"),
        ({"workload": "a/app"}, "workload is 'a/app': give NAMESPACE/KIND/NAME, such as"),
        ({"account": "a/default"}, "account is given without an image: add -e image=IMAGE"),
        ({"pod": "a/app", "ask_registries": "maybe"}, "ask_registries is 'maybe': give true or false"),
        ({"pod": "a/app", "registry_validate_certs": 0}, None),
        ({"pod": "a/app", "image": "x"}, "image is given with pod, which has its own images: leave it out"),
    ],
    ids=str,
)
def test_a_run_explains_one_thing(given: dict[str, Any], problem: str | None) -> None:
    found = explain_problems(given)
    assert [one.startswith(problem or "") for one in found] == [True] * bool(problem)
