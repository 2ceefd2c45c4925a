# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check finds the inventory entries that declare the old login of a rotation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declarations import Declarations
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.inventory_logins import (
    NODES,
    NodesDeclaration,
    replaced_logins,
)
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.role_entries import Role, TemplateError
from support.objects import b64

OLD, NEW = {"username": "robot", "password": "Canary-old"}, {"username": "robot", "password": "Canary-new"}
HERE = {"namespaces": ["a"]}
AUTHS = {"auths": {"quay.io": {"auth": b64(b"robot:Canary-old")}}}


class Resolver:
    """Evaluate `{{ name }}`."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def prepare(self, values: Iterable[Any]) -> None:
        """Do nothing: these templates need no preparation."""

    def resolve(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("{{"):
            name = value.strip("{} ")
            if name not in self.values:
                raise TemplateError(f"{name} is undefined, near Canary-old")
            return self.values[name]
        if isinstance(value, Mapping):
            return {key: self.resolve(item) for key, item in value.items()}
        return [self.resolve(item) for item in value] if isinstance(value, list) else value


def read(path: str) -> str:
    if path == "auth.json":
        return json.dumps(AUTHS)
    raise FileNotFoundError(path)


def rows(
    role: str,
    variables: Mapping[str, Any],
    old: Mapping[str, str] | None = None,
    new: Mapping[str, str] | None = None,
    **values: Any,
) -> list[tuple[str, str, str, str]]:
    resolver = Resolver(**values)
    declared = NodesDeclaration(variables, resolver) if role == NODES else Declarations(Role(role), variables, resolver)
    answer = {"registries": ["quay.io"], "old": old or OLD, "new": new or NEW}
    found = replaced_logins(declared.present, variables, answer, read)
    assert "anary" not in str(found)
    return [(row["place"], row["registry"], row["variable"], row["problem"]) for row in found]


def entry(*registries: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "pull", **HERE, **({"registries": list(registries)} if registries else {}), **more}


def login(registry: str = "quay.io", **login: str) -> dict[str, str]:
    return {"registry": registry, **OLD, **login}


class TestPlaces:
    def test_registries_of_an_entry_are_found(self) -> None:
        variables = {
            "private_registry_secrets": [entry(login("b.io"), login("https://quay.io/v2/"))],
            "private_registry_secrets_team": [entry(login("quay.io/team"))],
        }
        assert rows("private_registry", variables) == [
            ("private_registry_secrets[0].registries[1]", "https://quay.io/v2/", "", ""),
            ("private_registry_secrets_team[0].registries[0]", "quay.io/team", "", ""),
        ]

    def test_the_variable_of_the_password_is_named(self) -> None:
        variables = {"private_registry_secrets": [entry(login(password="{{ vault.quay_password }}"))]}
        assert rows("private_registry", variables, **{"vault.quay_password": OLD["password"]}) == [
            ("private_registry_secrets[0].registries[0]", "quay.io", "vault.quay_password", "")
        ]

    @pytest.mark.parametrize("host", ["registry", "realm_host"])
    def test_the_login_of_a_delegated_registry_is_found(self, host: str) -> None:
        variables = {"delegated_auth_registries": [{"registry": "a.io", **HERE, **OLD, host: "quay.io"}]}
        assert rows("delegated_auth", variables) == [("delegated_auth_registries[0]", "quay.io", "", "")]

    @pytest.mark.parametrize(
        ("member", "value"), [("auth_file", "auth.json"), ("auth_config", AUTHS), ("auth_config", json.dumps(AUTHS))]
    )
    def test_auth_files_are_searched(self, member: str, value: Any) -> None:
        variables = {"private_registry_secrets": [entry(**{member: value})], f"global_pull_secret_{member}": value}
        assert rows("private_registry", variables) == [(f"private_registry_secrets[0].{member}", "quay.io", "", "")]
        assert rows(NODES, variables) == [(f"global_pull_secret_{member}", "quay.io", "", "")]

    def test_an_auth_file_is_searched_only_for_the_registries_that_are_written(self) -> None:
        both = {"auths": {**AUTHS["auths"], "b.io": AUTHS["auths"]["quay.io"]}}
        for include, count in (["quay.io"], 1), (["b.io"], 0):
            variables = {"private_registry_secrets": [entry(auth_config=both, include=include)]}
            assert len(rows("private_registry", variables)) == count

    def test_registries_of_the_nodes_are_found(self) -> None:
        variables = {"global_pull_secret_registries": [login()], "global_pull_secret_auth_file": ""}
        assert rows(NODES, variables) == [("global_pull_secret_registries[0]", "quay.io", "", "")]
        assert rows(NODES, {}) == []


class TestLogins:
    @pytest.mark.parametrize(
        "other",
        [
            login(**NEW),
            login(username="other"),
            login(password="another"),
            {"registry": "quay.io"},
            {"registry": "quay.io", "username": None, "password": None},
        ],
    )
    def test_other_logins_are_not_listed(self, other: Mapping[str, Any]) -> None:
        assert rows("private_registry", {"private_registry_secrets": [entry(other)]}) == []

    def test_absent_entries_are_not_listed(self) -> None:
        assert rows("private_registry", {"private_registry_secrets": [entry(login(), state="absent")]}) == []

    OLD_USER: ClassVar = {"username": OLD["username"]}

    def test_an_unknown_old_password_is_listed_with_a_new_user(self) -> None:
        variables = {"private_registry_secrets": [entry(login(password="{{ any }}"))]}
        new = {"username": "robot-2", "password": "x"}
        (row,) = rows("private_registry", variables, self.OLD_USER, new, any="y")
        assert row == ("private_registry_secrets[0].registries[0]", "quay.io", "any", "")

    def test_a_template_of_the_same_user_may_be_a_fresh_token(self) -> None:
        """Without the old password, it is not known whether the user's other password is the old one."""
        for registry in (login(password="{{ token }}"), "{{ item }}"):
            variables = {"private_registry_secrets": [entry(registry)], "global_pull_secret_auth_config": "{{ file }}"}
            given = {"token": "fresh", "item": login(password="fresh"), "file": AUTHS}
            assert rows("private_registry", variables, self.OLD_USER, **given) == []
            assert rows(NODES, variables, self.OLD_USER, **given) == []
        delegated = {"registry": "quay.io", **HERE, "username": OLD["username"], "password": "{{ token }}"}
        assert rows("delegated_auth", {"delegated_auth_registries": [delegated]}, self.OLD_USER, token="fresh") == []

    def test_another_fixed_password_of_the_same_user_is_listed(self) -> None:
        problem = "the user name is the new one, the password is not"
        variables = {
            "private_registry_secrets": [entry(login(), login(**NEW)), entry(auth_file="auth.json")],
            "global_pull_secret_auth_config": AUTHS,
            "delegated_auth_registries": [{"registry": "quay.io", **HERE, **OLD}],
        }
        assert rows("private_registry", variables, self.OLD_USER) == [
            ("private_registry_secrets[0].registries[0]", "quay.io", "", problem),
            ("private_registry_secrets[1].auth_file", "quay.io", "", problem),
        ]
        assert rows(NODES, variables, self.OLD_USER) == [("global_pull_secret_auth_config", "quay.io", "", problem)]
        assert rows("delegated_auth", variables, self.OLD_USER) == [
            ("delegated_auth_registries[0]", "quay.io", "", problem)
        ]

    def test_a_fixed_text_in_a_variable_is_listed(self) -> None:
        """The usual form has the password in a vaulted variable."""
        problem = "the user name is the new one, the password is not"
        variables = {
            "private_registry_secrets": [
                entry(login(password="{{ vaulted }}")),
                entry(login(password="{{ vault.quay }}")),
                entry(login(password="{{ chain }}")),
                entry("{{ item }}"),
                {"name": "pull", **HERE, "registries": "{{ all }}"},
            ],
            "global_pull_secret_auth_config": "{{ file }}",
            "delegated_auth_registries": [
                {"registry": "quay.io", **HERE, "username": OLD["username"], "password": "{{ vaulted }}"}
            ],
            "vaulted": OLD["password"],
            "vault": {"quay": OLD["password"]},
            "chain": "{{ vaulted }}",
            "item": login(),
            "all": [login("b.io"), login(password="{{ vaulted }}")],
            "file": AUTHS,
        }
        given = {"vault.quay": OLD["password"], **{name: variables[name] for name in ("vaulted", "item", "file")}}
        given |= {"chain": OLD["password"], "all": [login("b.io"), login()]}
        first = "private_registry_secrets"
        assert rows("private_registry", variables, self.OLD_USER, **given) == [
            (f"{first}[0].registries[0]", "quay.io", "vaulted", problem),
            (f"{first}[1].registries[0]", "quay.io", "vault.quay", problem),
            (f"{first}[2].registries[0]", "quay.io", "chain", problem),
            (f"{first}[3].registries[0]", "quay.io", "", problem),
            (f"{first}[4].registries[1]", "quay.io", "vaulted", problem),
        ]
        assert rows(NODES, variables, self.OLD_USER, **given) == [
            ("global_pull_secret_auth_config", "quay.io", "file", problem)
        ]
        assert rows("delegated_auth", variables, self.OLD_USER, **given) == [
            ("delegated_auth_registries[0]", "quay.io", "vaulted", problem)
        ]

    @pytest.mark.parametrize(
        "written",
        [
            "{{ lookup('ansible.builtin.env', 'TOKEN') }}",
            "{{ vaulted | default('x') }}",
            "{% if x %}{{ vaulted }}{% endif %}",
            "{{ itself }}",
            "{{ vaulted.more }}",
            "{{ registered.stdout }}",
            "{{ unknown }}",
        ],
    )
    def test_a_template_in_a_variable_may_be_a_fresh_token(self, written: str) -> None:
        variables = {
            "private_registry_secrets": [entry(login(password="{{ token }}"))],
            "token": written,
            "itself": "{{ itself }}",
            "registered": {"changed": True, "failed": False, "stdout": "fresh"},
            "vaulted": OLD["password"],
        }
        assert rows("private_registry", variables, self.OLD_USER, token="fresh") == []


class TestHalves:
    """Someone changes the user name or the vaulted password, and forgets the other one."""

    NEW_USER: ClassVar = {"username": "robot-2", "password": NEW["password"]}
    OTHER_PASSWORD, OTHER_USER = (
        "the user name is the new one, the password is not",
        "the password is the new one, the user name is not",
    )

    def found(self, written: Mapping[str, Any], old: Mapping[str, str] = OLD, **values: Any) -> list[tuple[str, str]]:
        """Variable and problem of the place, which is the same for each form of a declaration."""
        delegated = {"registry": "quay.io", **HERE, **written}
        variables = {
            "private_registry_secrets": [entry({"registry": "quay.io", **written})],
            "delegated_auth_registries": [delegated],
            "vaulted": values.get("vaulted"),
        }
        found = [
            [row[2:] for row in rows(role, variables, old, self.NEW_USER, **values)]
            for role in ("private_registry", "delegated_auth")
        ]
        assert found[0] == found[1]
        return found[0]

    @pytest.mark.parametrize("password", [OLD["password"], "a typing error"])
    @pytest.mark.parametrize("old", [OLD, {"username": OLD["username"]}], ids=["known", "unknown"])
    def test_another_password_of_the_new_user_is_listed(self, password: str, old: Mapping[str, str]) -> None:
        written = {"username": "robot-2", "password": "{{ vaulted }}"}
        assert self.found(written, old, vaulted=password) == [("vaulted", self.OTHER_PASSWORD)]
        assert self.found({**written, "password": password}, old) == [("", self.OTHER_PASSWORD)]

    def test_the_new_password_of_the_old_user_is_listed(self) -> None:
        written = {"username": OLD["username"], "password": "{{ vaulted }}"}
        assert self.found(written, vaulted=NEW["password"]) == [("vaulted", self.OTHER_USER)]

    def test_a_token_of_the_new_user_is_listed_only_if_it_is_the_old_password(self) -> None:
        """Teams may have the same user name, such as oauth2accesstoken, and tokens of their own."""
        written = {"username": "robot-2", "password": "{{ token }}"}
        assert self.found(written, token="of another team") == []
        given = {"vaulted": "{{ lookup('ansible.builtin.env', 'TOKEN') }}"}
        assert self.found({"username": "robot-2", "password": "{{ vaulted }}"}, **given) == []
        assert self.found(written, token=OLD["password"]) == [("token", self.OTHER_PASSWORD)]

    def test_halves_in_auth_files_are_listed(self) -> None:
        auths = {
            "auths": {"quay.io": {"auth": b64(b"robot-2:Canary-old")}, "b.io": {"auth": b64(b"robot-2:Canary-old")}}
        }
        variables = {"private_registry_secrets": [entry(auth_config=auths)], "global_pull_secret_auth_config": auths}
        place = "private_registry_secrets[0].auth_config"
        assert rows("private_registry", variables, OLD, self.NEW_USER) == [(place, "quay.io", "", self.OTHER_PASSWORD)]
        (row,) = rows(NODES, variables, OLD, self.NEW_USER)
        assert row[-1] == self.OTHER_PASSWORD

    @pytest.mark.parametrize(
        "other",
        [
            {"registry": "quay.io", "username": "robot-2", "password": NEW["password"]},
            {"registry": "quay.io", "username": "robot-2"},
            {"registry": "quay.io", "username": "robot-2", "password": ""},
            {"registry": "quay.io", "username": OLD["username"], "password": "another"},
            {"registry": "quay.io", "username": "other", "password": NEW["password"]},
            {"registry": "b.io", "username": "robot-2", "password": OLD["password"]},
        ],
    )
    def test_other_logins_are_not_listed(self, other: Mapping[str, Any]) -> None:
        assert rows("private_registry", {"private_registry_secrets": [entry(other)]}, OLD, self.NEW_USER) == []


class TestProblems:
    def test_an_undefined_password_is_listed_without_the_error_text(self) -> None:
        variables = {"private_registry_secrets": [entry(login(password="{{ missing }}")), entry(login())]}
        assert rows("private_registry", variables) == [
            ("private_registry_secrets[0]", "", "", "its login cannot be evaluated here"),
            ("private_registry_secrets[1].registries[0]", "quay.io", "", ""),
        ]

    def test_an_undefined_password_of_the_nodes_is_reported(self) -> None:
        variables = {"global_pull_secret_registries": [login(password="{{ missing }}")]}
        assert rows(NODES, variables) == [(NODES, "", "", "its login cannot be evaluated here")]

    @pytest.mark.parametrize(("member", "value"), [("auth_file", "missing.json"), ("auth_config", "{Canary-old")])
    def test_an_unreadable_file_is_reported(self, member: str, value: str) -> None:
        variables = {"private_registry_secrets": [entry(**{member: value})]}
        assert rows("private_registry", variables) == [
            (f"private_registry_secrets[0].{member}", "", "", "its content cannot be read here")
        ]

    LOOKUP = "{{ in_the_job }}"
    UNREAD = "its content cannot be read here"
    UNKNOWN = "its login cannot be evaluated here"

    @pytest.mark.parametrize("member", ["auth_file", "auth_config"])
    def test_a_source_whose_template_gives_nothing_here_is_reported(self, member: str) -> None:
        """A credential of AWX sets an environment variable for some jobs only, and the lookup is empty in the others."""
        variables = {"private_registry_secrets": [entry(**{member: self.LOOKUP})]}
        variables[f"global_pull_secret_{member}"] = self.LOOKUP  # type: ignore[assignment]
        row = (f"private_registry_secrets[0].{member}", "", "", self.UNREAD)
        assert rows("private_registry", variables, in_the_job="") == [row]
        assert rows("private_registry", variables, in_the_job=None) == [row]
        assert rows(NODES, variables, in_the_job="") == [(f"global_pull_secret_{member}", "", "", self.UNREAD)]

    def test_registries_whose_template_gives_nothing_here_are_reported(self) -> None:
        variables = {"private_registry_secrets": [entry(auth_file=None) | {"registries": self.LOOKUP}]}
        assert rows("private_registry", variables, in_the_job=[]) == [
            ("private_registry_secrets[0].registries", "", "", self.UNREAD)
        ]

    def test_an_omitted_source_beside_another_one_is_not_reported(self) -> None:
        one = entry(login(**NEW), auth_file=self.LOOKUP, auth_config=self.LOOKUP)
        assert rows("private_registry", {"private_registry_secrets": [one]}, in_the_job=None) == []
        assert rows("private_registry", {"private_registry_secrets": [entry(auth_file="")]}) == []

    def test_nodes_without_a_source_and_empty_sources_beside_another_one_are_not_reported(self) -> None:
        """A cluster can have removals only, and the role refuses two sources."""
        assert rows(NODES, {"global_pull_secret_registries": self.LOOKUP}, in_the_job=[]) == []
        full = {"global_pull_secret_registries": [login(**NEW)], "global_pull_secret_auth_file": self.LOOKUP}
        assert rows(NODES, full, in_the_job="") == []

    @pytest.mark.parametrize("value", ["", None])
    def test_a_password_whose_template_gives_nothing_here_is_reported(self, value: Any) -> None:
        variables = {
            "private_registry_secrets": [
                entry(login(password=self.LOOKUP), login("b.io", password=self.LOOKUP)),
                entry(login(username="other", password=self.LOOKUP)),
                entry(login(username=self.LOOKUP, password=self.LOOKUP)),
            ],
            "delegated_auth_registries": [{"registry": "quay.io", **HERE, **OLD, "password": self.LOOKUP}],
        }
        assert rows("private_registry", variables, in_the_job=value) == [
            ("private_registry_secrets[0].registries[0]", "quay.io", "in_the_job", self.UNKNOWN),
            ("private_registry_secrets[2].registries[0]", "quay.io", "in_the_job", self.UNKNOWN),
        ]
        assert rows("delegated_auth", variables, in_the_job=value) == [
            ("delegated_auth_registries[0]", "quay.io", "in_the_job", self.UNKNOWN)
        ]
