# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup returns the entries that the variables declare, over Ansible's own templating."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import yaml
from ansible import constants, template
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.openshift_ops.image_pull.plugins.lookup import declared
from support.templates import trusted

NAME = "openshift_ops.image_pull.declared"

ENTRY = {
    "name": "x",
    "namespaces": ["a"],
    "registries": [{"registry": "quay.io", "username": "u", "password": "{{ secret }}"}],
}


@pytest.fixture(scope="module", autouse=True)
def known_options() -> None:
    """Register the documented options as Ansible's plugin loader does. The loader itself would change how collections are imported."""
    defined = yaml.safe_load(declared.DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions("lookup", NAME, defined)


def look(*terms: str, variables: dict[str, Any] | None = None, **options: Any) -> list[Any]:
    templar = Templar(loader=DataLoader(), variables=variables or {})
    lookup = declared.LookupModule(loader=templar._loader, templar=templar)
    lookup._load_name = NAME
    found: list[Any] = lookup.run(list(terms), variables=variables or {}, **options)
    return found


def test_the_titles_of_a_role_are_returned() -> None:
    assert look("private_registry", variables={"private_registry_secrets": [ENTRY]}) == ["private_registry_secrets[0]"]
    assert look("delegated_auth") == []


def test_templates_are_evaluated_in_every_place() -> None:
    variables = trusted(
        {
            "private_registry_secrets": "{{ base + [more] }}",
            "private_registry_secrets_team": [
                {**ENTRY, "namespaces": "{{ places }}", "annotations": {"a": "{{ secret }}", "b": 1}}
            ],
            "base": [ENTRY],
            "more": {"name": "{{ 'y' }}", "namespaces": ["a"], "auth_file": "/x"},
            "places": ["p", "q"],
            "secret": "of the vault",
        }
    )
    first, second, third = look("private_registry.secrets", variables=variables)
    assert first["registries"][0]["password"] == "of the vault"
    assert second["name"] == "y"
    assert (third["namespaces"], third["annotations"]) == (["p", "q"], {"a": "of the vault", "b": 1})


def test_text_without_a_template_is_kept_unchanged() -> None:
    entry = {
        "name": "x",
        "namespaces": ["a"],
        "registries": [{"registry": "q.io", "username": "u", "password": '{"a": 1} {x} %}'}],
    }
    variables = trusted({"private_registry_secrets": [entry]})
    assert look("private_registry.secrets", variables=variables)[0]["registries"] == entry["registries"]


def test_a_date_becomes_the_text_that_a_module_gets() -> None:
    entry = {
        **ENTRY,
        "labels": {"since": date(2030, 1, 2)},
        "registries": [{"registry": "q.io", "username": "u", "password": "p"}],
    }
    (found,) = look("private_registry.secrets", variables={"private_registry_secrets": [entry]})
    assert found["labels"] == {"since": "2030-01-02"}


def test_a_module_can_report_the_problems_of_variable_names() -> None:
    variables = {"private_registry_secrets": [ENTRY], "private_registry_secret": []}
    assert look("private_registry.secrets", variables=variables, reported=True) == []
    (said,) = look("problems", variables=variables)
    assert said.startswith("nothing was read or changed: variable private_registry_secret is unknown")
    assert look("problems", variables={"private_registry_secrets": [ENTRY]}) == []
    with pytest.raises(AnsibleError, match="variable private_registry_secret is unknown"):
        look("private_registry.secrets", variables=variables)
    variables = {"private_registry_secrets": [ENTRY], "secret": "x"}
    assert len(look("private_registry.secrets", variables=variables, reported=True)) == 1


def test_omitted_members_are_left_out() -> None:
    variables = trusted(
        {"private_registry_secrets": [{**ENTRY, "registries": None, "auth_file": "/x", "labels": "{{ omit }}"}]}
    )
    # From ansible-core 2.19 on, an omitted value has its own type. Before that, it is a text that is unique to the run.
    omitted = {} if hasattr(template, "trust_as_template") else {"omit": "__omit_place_holder__1"}
    (secret,) = look("private_registry.secrets", variables={**omitted, **variables})
    assert set(secret) == {"title", "name", "namespaces", "auth_file"}


def test_the_answer_of_a_registry_is_used() -> None:
    variables = {
        "delegated_auth_registries": [
            {
                "registry": "r.example.com",
                "realm_host": "sso.example.com",
                "namespaces": ["a"],
                "username": "u",
                "password": "p",
            }
        ]
    }
    answer = {"registries": [{"registry": "r.example.com", "delegated": True, "realm_host": "sso.example.com"}]}
    assert len(look("delegated_auth.secrets", variables=variables, answer=answer)) == 2
    assert look("delegated_auth.secrets", variables=variables) == []


def test_an_invalid_declaration_is_an_error_that_names_it() -> None:
    with pytest.raises(AnsibleError, match=r"private_registry_secrets\[0\]: nmae is unknown: did you mean 'name'"):
        look("private_registry.links", variables={"private_registry_secrets": [{"nmae": 1}]})
    with pytest.raises(AnsibleError, match="secret a/x is declared by"):
        look(
            "private_registry.secrets", variables={"private_registry_secrets": [ENTRY, ENTRY], "secret": "of the vault"}
        )


@pytest.mark.parametrize("written", ["{{ logins.robot }}", "{{ logins['robot'] | default(omit) }}"])
def test_a_password_that_yaml_changed_in_a_dictionary_is_refused(written: str) -> None:
    registries = [{"registry": "quay.io", "username": "u", "password": written}]
    entry = {"name": "x", "namespaces": ["a"], "registries": registries}
    for value, is_refused in ((83, True), (1000.0, True), ("83", False)):
        variables = trusted({"private_registry_secrets": [entry], "logins": {"robot": value}, "omit": "__omit__"})
        if is_refused:
            with pytest.raises(
                AnsibleError, match=r"registries\[0\].password is a number and not a text: YAML has changed it"
            ):
                look("private_registry.secrets", variables=variables)
        else:
            (found,) = look("private_registry.secrets", variables=variables)
            assert found["registries"][0]["password"] == "83"


def test_the_inventory_has_the_entries_of_all_roles_and_the_settings_of_site() -> None:
    variables = trusted(
        {
            "private_registry_secrets": [ENTRY],
            "cross_project_pull_grants": [{"namespaces": ["a"], "projects": ["b"]}],
            "image_pull_owner": "{{ team }}",
            "image_pull_prune": True,
            "team": "t",
            "secret": "canary",
        }
    )
    (found,) = look("inventory", variables=variables, answer={})
    assert {name: len(value) for name, value in found.items() if isinstance(value, list)} == {
        "secrets": 1, "links": 1, "grants": 1, "kept_secrets": 0, "kept_links": 0,
    }  # fmt: skip
    assert (found["owner"], found["prune"], "adopt" in found) == ("t", True, False)
