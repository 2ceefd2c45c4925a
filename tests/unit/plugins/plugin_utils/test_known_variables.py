# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of variables matches the roles, playbooks and jobs, and unknown names that resemble a variable are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import template as real
from ansible.parsing.dataloader import DataLoader
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.in_process import find_undefined
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import (
    _PREFIXES,
    _ROTATED,
    KNOWN,
    PLAYBOOKS,
    SHORT_NAMES,
    SURVEYS,
    is_collection_task,
    playbook_of,
    problems_of,
    problems_of_command_line,
    settings_of,
)
from support.playbook_variables import STEPS_FILE, _members, reads
from support.templates import trusted

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
        values = {"{{ ours }}": ["private_registry_url"], "{{ many }}": "many", "{{ on }}": True}
        return values.get(value, value) if isinstance(value, str) else value


def read_or_handed_on() -> Iterator[str]:
    yield from reads(STEPS_FILE)
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


def test_a_misspelled_member_of_a_rotated_login_is_refused() -> None:
    spec = yaml.safe_load(
        (ROOT / "roles" / "credential_rotation" / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    )
    options = spec["argument_specs"]["main"]["options"]
    assert {name: {*members} for name, members in _ROTATED.items()} == {
        name: {*option["options"]} for name, option in options.items() if "username" in option.get("options", ())
    }
    login = {"user": "canary", "password": "{{ vault }}"}
    assert problems_of({"credential_rotation_new": "{{ login }}", "login": login}, Templar()) == [
        "variable credential_rotation_new.user is unknown: did you mean 'username'? it takes expires, password, username"
    ]


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
        ("image_pull_guard_ca_cert", "image_pull_registry_ca_cert"),
        ("image_pull_guard_timeout", "image_pull_registry_timeout"),
        ("global_pull_secret_guard_validate_certs", "global_pull_secret_registry_validate_certs"),
        ("image_pull_gard", "image_pull_guard"),
    ],
)
def test_a_misspelled_variable_is_refused(name: str, meant: str) -> None:
    (problem,) = problems_of({name: "x", "ansible_host": "h", "other": 1}, Templar())
    assert problem.startswith(f"variable {name} is unknown: did you mean '{meant}'? ")


def test_an_unknown_variable_is_refused_with_the_list() -> None:
    (problem,) = problems_of({"private_registry_url": "x"}, Templar())
    assert (
        "known variables with the prefix private_registry_ are private_registry_secrets, private_registry_secrets_*, private_registry_state."
        in problem
    )
    assert problem.endswith("list its name in image_pull_ignored_variables")


@pytest.mark.parametrize(
    "variables",
    [
        {
            **dict.fromkeys(KNOWN, "x"),
            "credential_rotation_registries": "{{ registries }}",
            "image_pull_prune": "yes",
            "image_pull_prune_everything": 0,
            "image_pull_max_prune": 5,
        },
        {"image_pull_prune": False, "image_pull_prune_everything": "{{ on }}", "image_pull_max_prune": "10%"},
        {"private_registry_secrets_team_a": [], "delegated_auth_registries_b": [], "cross_project_pull_grants_c": []},
        {"image_pull_policy": "Always", "image_pull_secrets": [], "__private_registry_result": {}},
        {"private_registry_url": "x", "image_pull_ignored_variables": "{{ ours }}"},
    ],
)
def test_known_and_foreign_variables_are_accepted(variables: dict[str, Any]) -> None:
    assert problems_of(variables, Templar()) == []


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        (
            {"pull_access_audit_target_version": 4.20},
            "variable pull_access_audit_target_version is the number 4.2: YAML drops the last zero of 4.20, so "
            'write it in quotes, such as "4.20"',
        ),
        (
            {"credential_rotation_registries": "{{ given }}", "given": "quay.io, docker.io,"},
            "variable credential_rotation_registries is a text: write a list, such as [quay.io, docker.io]",
        ),
        (
            {"credential_rotation_registries": ""},
            "variable credential_rotation_registries is a text: write a list, such as [quay.io]",
        ),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_form(variables: dict[str, Any], problem: str) -> None:
    assert problems_of(variables, Templar()) == [problem]


def test_a_setting_of_the_last_step_is_refused_before_the_first() -> None:
    values = {"image_pull_prune": "maybe", "image_pull_prune_everything": [], "image_pull_max_prune": "{{ many }}"}
    assert problems_of(values, Templar()) == [
        "variable image_pull_prune is 'maybe': set it to true or false",
        "variable image_pull_prune_everything is []: set it to true or false",
        "variable image_pull_max_prune: 'many' is neither a whole number nor a percentage from 0% to 100%, such as '5%'",
    ]


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


def test_only_a_task_of_a_playbook_itself_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "playbooks" / "tasks")
    others = (
        f"{ROOT}/playbooks/tasks/x.yml:8",
        f"{ROOT}/roles/a/tasks/main.yml:8",
        f"{tmp_path}/playbooks/site.yml:8",
        "",
    )
    assert playbook_of(Task(f"{ROOT}/playbooks/site.yml:8")) == "site"
    assert [playbook_of(Task(path)) for path in others] == ["", "", "", ""]


#: Variables that people pass to their own roles and inventories.
_FOREIGN = """
    action app app_name app_version application base_domain branch build_id build_number change_number ci cluster cluster_name
    clusters commit company config cpu customer data_dir date debug deploy_env domain dry_run env env_name environment foo git_branch
    group hosts host_group http_proxy image_tag inventory_file kube_context level limit log_level location mode my_var namespace_name
    ocp_version openshift_version operator output_dir owners passwd path pipeline_id port project project_name reason region registry_host
    registry_url release release_name replicas report report_dir repo retries role roles run_id service site size src ssl_cert stage staging
    storage tag target target_env target_host team team_name tenant ticket token today type upgrade_version url user users vault_path
    verbose version zone ansible_user awx_job_id tower_user_name _private
"""
FOREIGN = _FOREIGN.split()


def problems_with(playbook: str, *names: str, **variables: Any) -> list[str]:
    return problems_of_command_line(
        playbook, dict.fromkeys(names, "x"), {**dict.fromkeys(names, "x"), **variables}, Templar()
    )


@pytest.mark.parametrize(
    ("playbook", "name", "meant"),
    [
        ("what_if", "fail_onn", "fail_on"),
        ("what_if", "ask_registry", "ask_registries"),
        ("what_if", "remove_secrets", "remove_secret"),
        ("what_if", "change", "changes"),
        ("what_if", "namespace", "namespaces"),
        ("what_if", "registry_ca", "registry_ca_cert"),
        ("explain", "ask_registeries", "ask_registries"),
        ("explain", "pods", "pod"),
        ("images", "ask_registry", "ask_registries"),
        ("images", "namespace", "namespaces"),
        ("explain", "kubeconfig", "image_pull_kubeconfig"),
        ("audit", "fail_un", "fail_on"),
        ("audit", "ask_registry", "ask_registries"),
        ("rotate", "retire_tasks", "credential_rotation_retire_tasks"),
        ("rotate", "emergency", "credential_rotation_emergency"),
        ("site", "max_prune", "image_pull_max_prune"),
        ("site", "only_namespace", "image_pull_only_namespaces"),
        ("teardown", "only_namespaces", "image_pull_only_namespaces"),
        ("teardown", "owner", "image_pull_owner"),
        ("teardown", "namespaces", "image_pull_only_namespaces"),
        ("site", "namespace", "image_pull_only_namespaces"),
        ("site", "name_spaces", "image_pull_only_namespaces"),
        ("rotate", "namespaces", "credential_rotation_namespace_selector"),
        ("rotate", "namespace_selector", "credential_rotation_namespace_selector"),
        ("export", "namespace", "image_pull_export_namespaces"),
        ("export", "credentials", "image_pull_export_credentials"),
        ("automation_account", "state", "automation_account_state"),
        ("global_pull_secret", "remove", "global_pull_secret_remove"),
        ("global_pull_secret", "drop_platform_registrys", "global_pull_secret_drop_platform_registries"),
    ],
)
def test_an_extra_variable_that_would_be_ignored_is_refused(playbook: str, name: str, meant: str) -> None:
    (problem,) = problems_with(playbook, name)
    assert problem == (
        f"extra variable {name} is unknown to the playbook {playbook}: did you mean {meant!r}? Correct it or, if it is for something "
        "else, list its name in image_pull_ignored_variables"
    )
    assert problems_with(playbook, name, image_pull_ignored_variables=[name]) == []


@pytest.mark.parametrize(
    ("playbook", "name", "told"),
    [
        ("teardown", "remove_secret", "'remove_secret' is an option of the playbook what_if"),
        ("site", "remove_secrets", "'remove_secret' is an option of the playbook what_if"),
        ("teardown", "only_managed", "'only_managed' is an option of a task"),
        ("global_pull_secret", "namespace", "'namespaces' is an option of another playbook"),
        ("explain", "namespaces", "'namespaces' is an option of another playbook"),
    ],
)
def test_an_option_of_another_playbook_is_refused(playbook: str, name: str, told: str) -> None:
    assert problems_with(playbook, name) == [
        f"extra variable {name} is unknown to the playbook {playbook}: {told}. Leave it out or, if it is for something else, list its "
        "name in image_pull_ignored_variables"
    ]


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_known_and_foreign_extra_variables_are_accepted(playbook: str) -> None:
    assert problems_with(playbook, *FOREIGN, *SURVEYS, *KNOWN) == []
    assert problems_with(playbook, *FOREIGN, *SURVEYS, *SHORT_NAMES.get(playbook, ())) == []


@pytest.mark.parametrize(
    "use", ["{{ password }}", [{"a": ["x-{{ password | trim }}"]}], "{% if password %}y{% endif %}"]
)
def test_an_extra_variable_that_the_inventory_uses_is_accepted(use: Any) -> None:
    assert problems_with("site", "password", image_pull_password=use) == []


@pytest.mark.parametrize("use", ["password", "{{ 'password' }}", "{{ passwords }}", "{{ x.password }}", "{{ password"])
def test_an_extra_variable_in_another_text_is_not_used(use: str) -> None:
    (problem,) = problems_with("site", "password", private_registry_secrets=[use], __ours="{{ password }}")
    assert "did you mean 'image_pull_password'?" in problem


def test_both_forms_of_a_variable_are_refused() -> None:
    assert problems_with(
        "what_if", "fail_on", "pull_access_what_if_fail_on", "pull_access_what_if_changes", "changes"
    ) == ["extra variables fail_on and pull_access_what_if_fail_on are the same option: leave one of them out"]


def test_each_playbook_names_itself_and_checks_its_variables_first() -> None:
    found = {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))[0] for path in (ROOT / "playbooks").glob("*.yml")
    }
    assert found.keys() == PLAYBOOKS.keys()
    # Their first task checks the variables itself.
    for name in ("site", "teardown"):
        assert "openshift_ops.image_pull.declared_access" in found.pop(name)["tasks"][0]["block"][0]
    for name, play in found.items():
        assert play["vars"]["__command_line"] == f"{{{{ lookup('openshift_ops.image_pull.command_line', '{name}') }}}}"
        task = play["tasks"][0]
        assert task["ansible.builtin.include_tasks"] == "tasks/command_line.yml"
        assert (task["run_once"], task["when"]) == (True, "__command_line.problems | length > 0")


#: The short names that `supposed_changes` reads.
CHANGES = {
    *(
        "remove_secret",
        "remove_credential",
        "unreachable",
        "only_reachable",
        "moved",
        "target_version",
        "new_nodes",
        "changes",
    ),
}


@pytest.mark.parametrize("playbook", SHORT_NAMES)
def test_the_short_names_are_those_that_the_playbook_reads(playbook: str) -> None:
    text = (ROOT / "playbooks" / f"{playbook}.yml").read_text(encoding="utf-8")
    settings = settings_of(playbook, dict.fromkeys(SHORT_NAMES[playbook]))
    read = set(re.findall(r"__given\.(\w+)", text)) | (CHANGES if playbook == "what_if" else set())
    assert {name.removeprefix(prefix) for prefix in PLAYBOOKS[playbook] for name in settings} | read == SHORT_NAMES[
        playbook
    ]
    role = {name for prefix in PLAYBOOKS[playbook] for name in documented() if name.startswith(prefix)}
    assert settings.keys() == role - {"pull_access_what_if_changes"}


def test_an_undefined_variable_is_named_but_no_other_text_of_a_template() -> None:
    variables = trusted(
        {
            "image_pull_context": "{{ context_of_site }}",
            "context_of_site": "{{ contexts.prod }}",
            "image_pull_kubeconfig": "{{ folder }}/Canary",
            "image_pull_host": "https://api.prod.example.com:6443",
            "image_pull_api_key": "{{ token }}",
            "token": "Canary-token",
        }
    )
    templar = real.Templar(loader=DataLoader(), variables=variables)
    end = "is undefined: define it in the inventory, or add its file with -e @FILE"
    assert [*find_undefined([*variables, "image_pull_proxy"], variables, templar)] == [
        f"variable context_of_site: variable contexts {end}",
        f"variable image_pull_context: variable contexts {end}",
        f"variable image_pull_kubeconfig: a variable in its template, or a member of one, {end}",
    ]


def test_a_lookup_in_a_member_is_not_evaluated() -> None:
    """It can return another login each time."""
    login = {"username": "{{ user }}", "password": "{{ lookup('env', missing) }}", "more": ["{{ other }}"]}
    variables = trusted({"credential_rotation_new": login})
    templar = real.Templar(loader=DataLoader(), variables=variables)
    end = "is undefined: define it in the inventory, or add its file with -e @FILE"
    assert [*find_undefined(variables, variables, templar)] == [
        f"variable credential_rotation_new: variable {name} {end}" for name in ("user", "other")
    ]
