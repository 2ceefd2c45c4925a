# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries that a later task would refuse are refused before the first write, for all roles of a play."""

from __future__ import annotations

from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declaration_check import (
    _TASKS,
    refuse_invalid,
)
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declarations import KINDS
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declared_access import STEPS
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import VARIABLES
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.role_entries import (
    DeclarationError,
    Role,
    TemplateError,
)

MODULES = "ansible_collections.openshift_ops.image_pull.plugins.modules"
LOGIN = {"registry": "quay.io", "username": "u", "password": "Canary-1"}
SECRET = {"name": "pull", "namespaces": ["a"], "registries": [LOGIN]}
DELEGATED = {
    "registry": "r.example.com",
    "realm_host": "sso.example.com",
    "namespaces": ["a"],
    "username": "u",
    "password": "Canary-1",
}
GRANT = {"namespaces": ["a"], "projects": ["b"]}


class Plain:
    """Return values unchanged, without templates."""

    def prepare(self, values: Any) -> None:
        pass

    def resolve(self, value: Any) -> Any:
        return value


def declared(secret: Any = None, delegated: Any = None, grant: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "private_registry_secrets": [{**SECRET, **(secret or {})}],
        "delegated_auth_registries": [{**DELEGATED, **(delegated or {})}],
        "cross_project_pull_grants": [{**GRANT, **(grant or {})}],
        **more,
    }


def refused(variables: dict[str, Any], role: str = "private_registry") -> str:
    with pytest.raises(DeclarationError, match=r"^nothing was read or changed: ") as error:
        refuse_invalid([Role(role)], variables, Plain())
    assert "Canary" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("role", VARIABLES)
def test_valid_declarations_pass_without_an_error(role: str) -> None:
    refuse_invalid([Role(role)], declared(), Plain())
    refuse_invalid([Role(role)], declared({"registries": None, "auth_file": "/x"}, {"realm_host": None}), Plain())
    # The realm host is the registry itself in another spelling, which cannot be a key of a secret. No entry is written for it.
    refuse_invalid([Role(role)], declared(None, {"realm_host": "R.example.com.:443"}), Plain())
    # Named accounts are waited for.
    refuse_invalid([Role(role)], declared(grant={"service_accounts": [{"namespace": "a", "name": "app"}]}), Plain())


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (declared({"link_for": ["pul"]}),
         "private_registry_secrets[0] (pull): option 'link_for' has an unknown value: did you mean 'pull'"),
        (declared({"links": [{"link_for": ["pul"]}]}), "private_registry_secrets[0] (pull): option 'link_for' has an"),
        (declared({"exclusive": "perhaps"}), "option 'exclusive' is a text: give true or false"),
        (declared({"registries": [{**LOGIN, "registry": "host:notaport"}]}), "'notaport' is not a port"),
        (declared({"registries": [{**LOGIN, "password": date(2030, 1, 1)}]}), "registries[0].password is a date"),
        (declared({"namespaces": ["team-*"]}), 'namespace_selector: {include: ["team-*"]}'),
        (declared(None, {"link_for": ["pul"]}),
         "delegated_auth_registries[0] (private-registry, redhat-connect-sso): option 'link_for' has an"),
        (declared(None, {"realm_secret_name": "B!"}), "delegated_auth_registries[0]: option 'registry_secret_name' or 'realm_secret_name': 'B!'"),
        (declared({"name": "My_Pull"}), "private_registry_secrets[0]: option 'name': 'My_Pull'"),
        (declared(None, {"password": 83}), "delegated_auth_registries[0]: registries[0].password is a number"),
        (declared(None, None, {"role": ""}), "cross_project_pull_grants[0]: option 'role'"),
        (declared(None, None, {"service_accounts": [{"nmespace": "x"}]}), "service_accounts[0].nmespace is unknown"),
        (declared(None, None, {"projekts": []}),
         "cross_project_pull_grants[0]: projekts is unknown: 'projects' is set as well, so remove 'projekts', or move its value to"),
    ],
)  # fmt: skip
def test_each_kind_of_entry_is_checked_before_the_first_task(variables: dict[str, Any], said: str) -> None:
    of_secrets = variables["private_registry_secrets"] != [SECRET]
    assert said in refused(variables, "cross_project_pull" if of_secrets else "private_registry")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            declared({"registries": [{**LOGIN, "password": True}]}),
            "private_registry_secrets[0]: registries[0].password is true or false",
        ),
        (
            declared(None, {"registry": "host:notaport"}),
            "delegated_auth_registries[0]: option 'registry': 'host:notaport' does not begin",
        ),
        (
            declared(None, {"registry": "host:notaport", "realm_host": None}),
            "delegated_auth_registries[0]: option 'registry': 'host:notaport' does not begin",
        ),
    ],
)
def test_a_mistake_that_two_checks_find_is_reported_once(variables: dict[str, Any], said: str) -> None:
    answer = refused(variables)
    assert answer.startswith(f"nothing was read or changed: {said}") and "; " not in answer


@pytest.mark.parametrize(
    ("delegated", "said"),
    [
        ({"realm_host": "http://sso.example.com/x"}, "option 'realm_host': only https is supported"),
        (
            {"realm_host": "sso.example.com:x"},
            "option 'realm_host': 'sso.example.com:x' does not begin with host[:port]",
        ),
        (
            {"verify_repositories": ["quay.io/a"]},
            "option 'verify_repositories': no registry of this secret is for quay.io/a",
        ),
    ],
)
def test_a_question_to_a_registry_is_checked_before_the_first_task(delegated: dict[str, Any], said: str) -> None:
    answer = refused(declared(None, delegated))
    assert answer.startswith("nothing was read or changed: delegated_auth_registries[0]")
    assert said in answer


@pytest.mark.parametrize(
    ("delegated", "option"),
    [
        ({"realm_host": None}, "delegated_auth_registries[0] (r.example.com): option 'registry_ca_cert'"),
        ({"verify": True}, "delegated_auth_registries[0] (private-registry): option 'registry_ca_cert'"),
    ],
)
def test_a_used_certificate_authority_is_checked_on_this_host(tmp_path: Path, delegated: Any, option: str) -> None:
    no_certificate = tmp_path / "ca.crt"
    no_certificate.write_text("no PEM")
    local = {"ansible_connection": "ansible.builtin.local"}
    for path, why in ((tmp_path / "missing", "No such file or directory"), (no_certificate, "contains no certificate")):
        variables = declared(None, {**delegated, "registry_ca_cert": str(path)})
        said = refused({**variables, **local})
        assert f"{option}: '{path}'" in said
        assert why in said
        # The file may exist on the host of the task.
        refuse_invalid([Role("private_registry")], {**variables, "ansible_connection": "ssh"}, Plain())
        refuse_invalid([Role("private_registry")], variables, Plain())
        unverified = declared(None, {**delegated, "registry_ca_cert": str(path), "registry_validate_certs": False})
        refuse_invalid([Role("private_registry")], {**unverified, **local}, Plain())


def test_the_relative_path_of_an_authority_begins_where_the_module_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    local = {"ansible_connection": "local", "playbook_dir": str(tmp_path / "playbooks")}
    given = declared(None, {"verify": True, "registry_ca_cert": "ca.crt"})
    assert f"option 'registry_ca_cert': '{tmp_path}/ca.crt'" in refused({**given, **local})
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "ca.crt").write_text("no PEM")
    assert f"option 'registry_ca_cert': '{tmp_path}/playbooks/ca.crt'" in refused({**given, **local})


def test_an_authority_that_is_not_used_or_only_readable_to_others_is_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = {"ansible_connection": "local"}
    unused = declared(None, {"registry_ca_cert": str(tmp_path / "missing")})
    refuse_invalid([Role("private_registry")], {**unused, **local}, Plain())

    def forbid(*_arguments: Any, **_more: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbid)
    hidden = declared(None, {"realm_host": None, "registry_ca_cert": "/of/another/user/ca.crt"})
    refuse_invalid([Role("private_registry")], {**hidden, **local}, Plain())


def test_all_problems_are_named_at_once() -> None:
    said = refused(declared({"link_for": ["pul"]}, {"link_for": ["pul"]}, {"role": ""}))
    assert all(variable in said for variable in VARIABLES.values())
    assert "; cross_project_pull_grants[0]: option 'role'" in said


@pytest.mark.parametrize("role", ["delegated_auth", "cross_project_pull"])
def test_a_role_that_has_run_is_not_checked_again(role: str) -> None:
    wrong = declared({"link_for": ["pul"]})
    assert "link_for" in refused(wrong, role)
    refuse_invalid([Role(role)], {**wrong, "__private_registry_result": {}}, Plain())


def test_a_role_outside_the_play_is_not_checked() -> None:
    wrong = declared(None, {"link_for": ["pul"]})
    play = ["openshift_ops.image_pull.private_registry", "openshift_ops.image_pull.delegated_auth"]
    refuse_invalid([Role("private_registry")], {**wrong, "ansible_play_role_names": play[:1]}, Plain())
    assert "link_for" in refused({**wrong, "ansible_play_role_names": play})


def test_only_entries_for_the_namespaces_of_the_run_are_checked() -> None:
    refuse_invalid([Role("private_registry", only=frozenset(["b"]))], declared({"link_for": ["pul"]}), Plain())


def test_the_checked_kinds_are_those_of_the_steps() -> None:
    """All entries that a step passes to a module are checked before, by the same module."""
    steps = {name: step.module for name, step in STEPS.items()} | {"accounts": STEPS["wait"].module}
    for role, kinds in _TASKS.items():
        assert {kind for kind in KINDS[role] if kind in steps} == {*kinds}
        assert all(kinds[kind] is import_module(f"{MODULES}.{steps[kind]}").MODULE for kind in kinds)


@pytest.mark.parametrize(
    ("role", "other"), [("private_registry", "delegated_auth"), ("cross_project_pull", "private_registry")]
)
def test_logins_of_an_absent_role_are_not_read(role: str, other: str) -> None:
    """The passwords may already be deleted."""

    class Gone(Plain):
        def resolve(self, value: Any) -> Any:
            if value in ("{{ gone }}", [{**LOGIN, "password": "{{ gone }}"}]):
                raise TemplateError("it is undefined")
            return value

    gone: dict[str, Any] = {
        "private_registry": {"registries": [{**LOGIN, "password": "{{ gone }}"}]},
        "delegated_auth": {"password": "{{ gone }}"},
    }
    variables = declared(
        gone[other] if other == "private_registry" else None, gone[other] if other == "delegated_auth" else None
    )
    with pytest.raises(DeclarationError, match="it is undefined"):
        refuse_invalid([Role(role)], variables, Gone())
    refuse_invalid([Role(role)], {**variables, f"{other}_state": "absent"}, Gone())


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"links": 5}, "private_registry_secrets[0].links: write a list of items, each with '- ', or one in brackets"),
        ({"links": ["builder"]}, "private_registry_secrets[0].links[0]: it is not a dictionary of options"),
        (
            {"namespaces": {"a": 1}},
            "private_registry_secrets[0] (pull): option 'namespaces' is a dictionary: give a list",
        ),
    ],
)
def test_an_entry_of_a_wrong_type_is_refused(entry: Any, said: str) -> None:
    assert said in refused(declared(entry))
