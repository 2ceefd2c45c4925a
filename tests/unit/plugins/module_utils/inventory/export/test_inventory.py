# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory has as few entries as possible, contains no credential, and has one variable with a valid name for each login."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.files import FilesWanted
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.writers import TemplateText
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import (
    from_registries,
    parse,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.entries import (
    ExportedGrant,
    ExportedLinks,
    ExportedSecret,
    Findings,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.inventory import (
    Export,
    InventoryVariables,
    Vault,
    from_options,
    inventory_of,
)

PULL = "imagePullSecrets"
KIND = "kubernetes.io/dockerconfigjson"


def secret(name: str = "one", password: str = "secret-1", username: str = "u", **more: Any) -> ExportedSecret:
    login = {"registry": "quay.io", "username": username, "password": password}
    values = {"logins": (login,), "links": (ExportedLinks(("default",)),), **more}
    return ExportedSecret(
        name, more.pop("type", KIND), from_registries([login]), **{k: v for k, v in values.items() if k != "type"}
    )


def token() -> ExportedSecret:
    """Return a secret with an identity token in addition to the login."""
    fields = {"auth": "dTpwYXNzd29yZA==", "identitytoken": "secret-3"}
    return ExportedSecret("two", KIND, parse({"auths": {"quay.io": fields}}, "it"), None)


def names(inventory: InventoryVariables) -> list[tuple[str, list[str]]]:
    return [(entry["name"], entry["namespaces"]) for entry in inventory.secrets]


def test_equal_secrets_are_one_entry() -> None:
    found = inventory_of({name: Findings([secret()]) for name in ("b", "a")})
    assert names(found) == [("one", ["a", "b"])]


@pytest.mark.parametrize("namespace", ["a", "z"])
@pytest.mark.parametrize("name", ["a", "one", "z"])
@pytest.mark.parametrize("username", ["robot", "ROBOT", "-robot-"])
def test_a_secret_that_a_user_plants_later_does_not_get_the_variable_of_an_older_one(
    namespace: str, name: str, username: str
) -> None:
    """The file that defines the variable is kept from an earlier export, so the user's secret would get the login of another project."""
    older = Findings([secret(username="robot", created="2026-01-01T00:00:00Z")])
    planted = Findings([secret(name, "guess-1", username, created="2026-11-01T00:00:00Z")])
    found = inventory_of({"team": older, namespace: planted})
    variables = {entry["namespaces"][0]: entry["registries"][0]["password"] for entry in found.secrets}
    assert variables == {
        "team": "{{ vaulted_quay_io_robot | string }}",
        namespace: "{{ vaulted_quay_io_robot_2 | string }}",
    }


def test_the_oldest_of_equal_secrets_counts() -> None:
    every = {
        "a": Findings([secret(created="2026-11-01T00:00:00Z")]),
        "b": Findings([secret("x", "other-1", created="2026-05-01T00:00:00Z")]),
        "c": Findings([secret(created="2026-01-01T00:00:00Z")]),
    }
    variables = {entry["name"]: entry["registries"][0]["password"] for entry in inventory_of(every).secrets}
    assert variables == {"one": "{{ vaulted_quay_io_u | string }}", "x": "{{ vaulted_quay_io_u_2 | string }}"}


@pytest.mark.parametrize(
    "other",
    [
        secret(password="secret-2"),
        secret("two"),
        secret(type="kubernetes.io/dockercfg"),
        secret(immutable=True),
        secret(links=()),
        secret(require="existing"),
        secret(links=(ExportedLinks(("default",), ("mount",)),)),
    ],
)
def test_different_secrets_are_two_entries(other: ExportedSecret) -> None:
    assert len(inventory_of({"a": Findings([secret()]), "b": Findings([other])}).secrets) == 2


def test_an_entry_contains_only_the_needed_options() -> None:
    (plain,) = inventory_of({"a": Findings([secret()])}).secrets
    reference = "{{ vaulted_quay_io_u | string }}"
    assert plain == {
        "name": "one",
        "namespaces": ["a"],
        "registries": [{"registry": "quay.io", "username": "u", "password": reference}],
        "service_accounts": ["default"],
        "link_for": ["pull"],
    }
    links = (ExportedLinks(("default",), ("mount",)),)
    found = secret(type="t", immutable=True, logins=None, links=links, require="existing")
    (whole,) = inventory_of({"a": Findings([found])}).secrets
    assert whole == {
        "name": "one",
        "namespaces": ["a"],
        "type": "t",
        "auth_config": "{{ vaulted_one_auth_config }}",
        "immutable": True,
        "service_accounts": ["default"],
        "link_for": ["mount"],
        "require": "existing",
    }
    (unlinked,) = inventory_of({"a": Findings([secret(links=())])}).secrets
    assert (unlinked["service_accounts"], "link_for" in unlinked) == ([], False)


def test_accounts_linked_for_different_purposes_have_separate_links() -> None:
    links = (ExportedLinks(("default",), ("pull",)), ExportedLinks(("builder",), ("mount",)))
    (entry,) = inventory_of({"a": Findings([secret(links=links)])}).secrets
    assert entry["links"] == [
        {"service_accounts": ["default"], "link_for": ["pull"]},
        {"service_accounts": ["builder"], "link_for": ["mount"]},
    ]
    assert not {"service_accounts", "link_for"} & {*entry}


@pytest.mark.parametrize(
    "secrets",
    [
        [secret(username="secret-1")],
        [secret(username="its secret-1 too")],
        [secret(username="secret-2"), secret("two", password="secret-2")],
        [secret(username="secret-3"), token()],
    ],
)
def test_a_user_name_that_contains_a_password_is_not_shown_in_plain_text(secrets: list[ExportedSecret]) -> None:
    found = inventory_of({"a": Findings(secrets)})
    assert found.secrets[0]["auth_config"] == "{{ vaulted_one_auth_config }}"
    assert "secret-" not in json.dumps(found.report())


def test_entries_have_the_order_of_the_accounts_lists() -> None:
    order = {("default", PULL): ["two", "one", "three"]}
    found = inventory_of({"a": Findings([secret(), secret("three"), secret("two")], order=order)})
    assert [name for name, _namespaces in names(found)] == ["two", "one", "three"]
    assert found.unexpressed == []


def test_contradictory_orders_are_listed_once() -> None:
    both = [secret(), secret("two")]
    found = inventory_of(
        {
            "a": Findings(both, order={("default", PULL): ["one", "two"]}),
            "b": Findings(both, order={("default", PULL): ["two", "one"]}),
        }
    )
    assert names(found) == [("one", ["a", "b"]), ("two", ["a", "b"])]
    (row,) = found.unexpressed
    assert (row["kind"], row["name"], row["namespaces"]) == ("ServiceAccount", "default", ["b"])
    assert row["reason"].startswith("imagePullSecrets lists two before one")


def test_equal_grants_of_several_namespaces_are_one_entry() -> None:
    one = ExportedGrant("r", "b", (), {"users": ["alice"]}, {"binding_name": "b"})
    other = ExportedGrant("r", "b2", (), {"users": ["alice"]}, {"binding_name": "b2"})
    found = inventory_of({"b": Findings(grants=[one]), "a": Findings(grants=[one, other])})
    assert found.grants == [
        {"namespaces": ["a"], "users": ["alice"], "binding_name": "b2"},
        {"namespaces": ["a", "b"], "users": ["alice"], "binding_name": "b"},
    ]


def test_counts_and_reasons_of_all_namespaces_are_joined() -> None:
    findings = [Findings(left_out={"x": 1}), Findings(left_out={"x": 2, "a": 1})]
    for each, namespace in zip(findings, ("b", "a"), strict=True):
        each.note(ObjectRef(SECRET, namespace, "one"), "odd\nline")
    found = inventory_of(dict(zip(("b", "a"), findings, strict=True)))
    assert found.left_out == {"a": 1, "x": 3}
    assert found.unexpressed == [{"kind": "Secret", "name": "one", "namespaces": ["a", "b"], "reason": "odd line"}]


class TestFiles:
    INVENTORY = inventory_of({"a": Findings([secret()])})

    def test_credentials_are_in_the_encrypted_file_only(self) -> None:
        vault, plain = self.INVENTORY.files("https://api.example.com", encrypted=True)
        assert (vault.name, vault.encrypted) == ("image_pull_vault.yml", True)
        assert vault.variables == {"vaulted_quay_io_u": "secret-1"}
        assert (plain.name, plain.encrypted) == ("image_pull.yml", False)
        assert "secret-1" not in json.dumps([plain.variables, *plain.comment])

    def test_the_variable_names_are_listed_without_an_encrypted_file(self) -> None:
        (plain,) = self.INVENTORY.files("https://api.example.com", encrypted=False)
        assert plain.comment[1:] == [
            "Define these variables elsewhere, for example in a file that ansible-vault encrypts:",
            "vaulted_quay_io_u",
        ]
        assert "secret-1" not in json.dumps([plain.variables, *plain.comment])

    def test_the_names_of_several_passwords_for_one_user_come_with_a_warning(self) -> None:
        several = inventory_of({"a": Findings([secret()]), "b": Findings([secret(password="secret-2")])})
        (plain,) = several.files("https://api.example.com", encrypted=False)
        assert plain.comment[2:4] == ["vaulted_quay_io_u", "vaulted_quay_io_u_2"]
        assert plain.comment[4].startswith("A number in a name stands for another password")

    def test_a_line_break_in_a_name_does_not_end_the_comment(self) -> None:
        (plain,) = inventory_of({}).files("odd\nname", encrypted=False)
        assert plain.comment == ["Written by module pull_access_export of openshift_ops.image_pull from odd name."]


OTHERWISE = "'credentials: placeholder'"
DEFAULTS: dict[str, Any] = {
    "roles": ["system:image-puller"],
    "dest": None,
    "credentials": "vault",
    "vault_id": None,
    "force": False,
}


def test_no_file_is_written_without_dest() -> None:
    assert from_options(DEFAULTS) == Export(("system:image-puller",), None)


def test_credentials_are_written_to_a_separate_file() -> None:
    found = from_options({**DEFAULTS, "dest": "d", "vault_id": "prod", "force": True})
    assert found.files == FilesWanted(
        "d", ("image_pull.yml",), ("image_pull_vault.yml",), "prod", force=True, otherwise=OTHERWISE
    )


def test_placeholders_need_no_encrypted_file() -> None:
    found = from_options({**DEFAULTS, "dest": "d", "credentials": "placeholder"})
    assert found.files == FilesWanted("d", ("image_pull.yml",), otherwise=OTHERWISE)


def test_each_role_counts_once() -> None:
    assert from_options({**DEFAULTS, "roles": ["a", "b", "a"]}).roles == ("a", "b")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"roles": []}, "option 'roles' is empty"),
        ({"roles": ["a/b"]}, "option 'roles'"),
        ({"force": True}, "option 'force' is for the files that 'dest' asks for"),
        ({"vault_id": "prod"}, "option 'vault_id' is for the files that 'dest' asks for"),
        ({"dest": "d", "credentials": "placeholder", "vault_id": "prod"}, "'credentials: vault' only"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        from_options({**DEFAULTS, **options})


def login(registry: str = "quay.io", username: str = "team+robot", password: str = "secret-1") -> dict[str, str]:
    return {"registry": registry, "username": username, "password": password}


def test_one_login_is_one_variable() -> None:
    vault = Vault()
    first = vault.password(login())
    assert first == vault.password({**login(), "email": "another"}) == "{{ vaulted_quay_io_team_robot | string }}"
    assert isinstance(first, TemplateText)
    assert vault.variables == {"vaulted_quay_io_team_robot": "secret-1"}


def test_another_password_has_a_number() -> None:
    vault = Vault()
    vault.password(login())
    assert vault.password(login(password="secret-2")) == "{{ vaulted_quay_io_team_robot_2 | string }}"
    # A different login with a similar user name.
    assert vault.password(login(username="team.robot")) == "{{ vaulted_quay_io_team_robot_3 | string }}"
    assert list(vault.variables.values()) == ["secret-1", "secret-2", "secret-1"]


def test_a_whole_auth_file_is_one_variable() -> None:
    vault = Vault()
    assert vault.auth_config("one", "m", {"auths": {}}) == "{{ vaulted_one_auth_config }}"
    assert vault.auth_config("one", "m", {"auths": {}}) == "{{ vaulted_one_auth_config }}"
    assert vault.auth_config("one", "other", {"auths": {"x": {}}}) == "{{ vaulted_one_auth_config_2 }}"


def test_variable_names_are_valid_for_any_login() -> None:
    vault = Vault()
    names = ["https://index.docker.io/v1/", "Q.IO:5000/A", "x" * 300, "é", "{{ x }}"]
    for name in names:
        vault.password(login(registry=name, username=name))
    found = list(vault.variables)
    assert all(name.isidentifier() and name.isascii() and len(name) < 120 for name in found)
    assert found[:2] == ["vaulted_index_docker_io_v1_index_docker_io_v1", "vaulted_q_io_5000_a_q_io_5000_a"]
    assert found[3] == "vaulted"
