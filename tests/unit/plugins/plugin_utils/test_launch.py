# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job of AWX runs only with answers to its survey, whatever a bulk launch gives it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.launch import (
    PlanSeal,
    explain_problems,
    extra_variables,
    launch_problems,
    supposed_changes,
)
from support.command_lines import command_line
from support.templates import trusted


class Marked(str):
    """A text that is marked as unsafe, before ansible-core 2.19. Later versions evaluate only trusted text."""

    __UNSAFE__ = True


def marked(text: str) -> str:
    return text if trusted(text) is not text else Marked(text)


ASKED = {
    "name": "text",
    "days": "number",
    "jobs": "list",
    "how": ["in steps", "back"],
    "all": ["no", "yes"],
    "passed_on": "any",
}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"name": "a\nb", "days": 0, "jobs": ["links"], "how": "back", "all": "yes", "passed_on": {"a": [1]}},
        dict.fromkeys(ASKED, ""),
        dict.fromkeys(ASKED),
        # From ansible-core 2.19 on, no and yes arrive as booleans.
        {"all": False},
        {"awx_job_id": 5, "tower_user_name": "x"},
        # The controller marks texts, so Ansible does not evaluate them.
        {"name": marked("{{ x }}"), "passed_on": [{"a": marked("{% x %}")}]},
    ],
)
def test_answers_and_variables_of_awx_are_accepted(given: dict[str, Any]) -> None:
    assert launch_problems(given, ASKED) == []


@pytest.mark.parametrize(
    "name",
    [
        "ansible_connection",
        "Name",
        "name ",
        " name",
        "names",
        "image_pull_host",
        "__name",
        "_awx_x",
        "AWX_x",
        "",
        "towerx",
    ],
)
def test_another_variable_is_refused(name: str) -> None:
    (problem,) = launch_problems({"name": "x", name: "y"}, ASKED)
    assert problem.startswith(f"the survey does not ask for {name!r}. ")


def test_a_message_names_some_of_many_variables_in_part() -> None:
    (problem,) = launch_problems({f"{number}-{'x' * 10000}": 1 for number in range(1000)}, ASKED)
    assert "and 980 more" in problem and len(problem) < 3000


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("name", ["a"], "is not text"),
        ("name", {"a": "b"}, "is not text"),
        ("name", 83, "its text is lost. Set it in the inventory instead"),
        ("name", False, "its text is lost"),
        ("days", "5", "is not a number"),
        ("days", True, "is not a number"),
        ("days", [5], "is not a number"),
        ("jobs", "links", "is not a list of texts"),
        ("jobs", [{"a": 1}], "is not a list of texts"),
        ("jobs", {"links": 1}, "is not a list of texts"),
        ("how", "Back", "is not one of 'in steps' and 'back'"),
        ("how", ["back"], "is not one of"),
        ("how", True, "is not one of"),
        ("all", "maybe", "is not one of 'no' and 'yes'"),
        ("all", 1, "is not one of"),
    ],
)
def test_an_answer_of_another_kind_is_refused(name: str, value: Any, expected: str) -> None:
    (problem,) = launch_problems({name: value}, ASKED)
    assert problem.startswith(f"the answer to {name!r} ") and expected in problem


@pytest.mark.parametrize(
    "value", ["{{ x }}", "a{% x %}", "{# x", "#jinja2: x", ["a", {"b": "{{ x }}"}], {"{{ x }}": 1}]
)
@pytest.mark.parametrize("name", ["passed_on", "awx_user_first_name"])
def test_a_value_that_ansible_would_evaluate_is_refused(name: str, value: Any) -> None:
    """The controller marks no text if its ALLOW_JINJA_IN_EXTRA_VARS is `always`."""
    keys = {trusted(key): part for key, part in value.items()} if isinstance(value, dict) else trusted(value)
    (problem,) = launch_problems({name: keys}, ASKED)
    assert problem.startswith(f"Ansible would evaluate the text of {name!r}: ")


# --- The extra variables of a run are those that Ansible parsed at its start


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
        ({"target_version": "soon"}, "target_version is 'soon': give a version such as 4.22.0"),
        ({"changes": {}}, "changes is not a list"),
        ({"new_nodes": "maybe"}, "new_nodes is 'maybe': give true or false, such as -e new_nodes=true"),
        ({"declared": "soon"}, "declared is 'soon': give true or false"),
        ({"ask_registries": ""}, "ask_registries is '': give true or false"),
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


# --- Only a job with the key, for the same host and in the same run of a workflow, accepts a plan

SEAL = PlanSeal(b"key of the rotation", "17", "east-1")

ROW = {"namespace": "0123", "name": "pull", "uid": "1", "declared": False, "é": None}

PLAN = {"server": "https://a", "registries": ["quay.io"], "secrets": [ROW]}


def test_a_sealed_plan_arrives_unchanged() -> None:
    assert SEAL.unseal(SEAL.seal(PLAN)) == PLAN


def test_a_sealed_plan_contains_no_key() -> None:
    assert "key of the rotation" not in SEAL.seal(PLAN)


@pytest.mark.parametrize("other", [{"key": b"another"}, {"workflow": "18"}, {"workflow": ""}, {"host": "east-2"}])
def test_a_plan_for_another_job_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="seal is not that|another run of the workflow or for another host"):
        SEAL.unseal(replace(SEAL, **other).seal(PLAN))


def test_a_job_outside_a_workflow_accepts_no_plan() -> None:
    alone = replace(SEAL, workflow="")
    with pytest.raises(ValueError, match="another run of the workflow"):
        alone.unseal(alone.seal(PLAN))


@pytest.mark.parametrize("key", [b"", b"key of the rotation"])
def test_a_job_without_the_key_accepts_no_plan(key: bytes) -> None:
    with pytest.raises(ValueError, match="no key: add the credential 'Image pull: seal of plans' to its template"):
        replace(SEAL, key=b"").unseal(replace(SEAL, key=key).seal(PLAN))


TEXT = SEAL.seal(PLAN)


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("0123", "0124"),
        TEXT + " ",
        TEXT[1:],
        TEXT.partition(" ")[2],
        f" {TEXT}",
        f"{TEXT.partition(' ')[0]} {json.dumps({'workflow': '17', 'host': 'east-1', 'plan': PLAN})}",
        "",
        "\udcff {}",
        "é {}",
        None,
        PLAN,
        "/etc/passwd",
    ],
)
def test_a_forged_plan_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="seal is not that of a job of the rotation"):
        SEAL.unseal(text)
