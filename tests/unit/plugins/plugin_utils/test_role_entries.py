# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries are limited to the namespaces of a run, in the part that belongs to them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declarations import KINDS, Declarations
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import VARIABLES
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.role_entries import DeclarationError, Role
from support.templates import Resolver

LOGIN = {"registry": "quay.io", "username": "u", "password": "p"}
HERE = {"namespaces": ["a"]}


def limited(term: str, *only: str, entries: list[Any], state: str = "present", answer: Any = None) -> list[Any]:
    role, _dot, kind = term.partition(".")
    asked = Role(role, absent=state == "absent", only=frozenset(only))
    declared = Declarations(asked, {VARIABLES[role]: entries}, Resolver(places=["a", "b"], who=["x"]))
    return KINDS[role][kind](declared, answer)


class TestOnlySomeNamespaces:
    """Each entry is limited to the given namespaces. Entries that declare nothing for them are left out."""

    def test_namespaces_are_limited_to_the_given_names(self) -> None:
        entries = [{"name": "s", "namespaces": ["a", "b"], "registries": [LOGIN]}, {"name": "t", "namespaces": ["c"]}]
        (secret,) = limited("private_registry.secrets", "b", "z", entries=entries)
        assert (secret["title"], secret["name"], secret["namespaces"]) == ("private_registry_secrets[0]", "s", ["b"])
        (link,) = limited("private_registry.links", "c", entries=entries)
        assert (link["title"], link["namespaces"], link["secrets"]) == ("private_registry_secrets[1]", ["c"], ["t"])

    def test_templates_are_evaluated(self) -> None:
        (secret,) = limited("private_registry.secrets", "b", entries=[{"name": "s", "namespaces": "<places>"}])
        assert secret["namespaces"] == ["b"]

    def test_an_empty_limit_leaves_no_entry(self) -> None:
        entries = [{"name": "s", "namespaces": ["a"]}, {"name": "t", "namespace_selector": {"include": ["*"]}}]
        assert limited("private_registry.secrets", entries=entries) == []
        assert (
            Declarations(
                Role("private_registry", only=frozenset()), {"private_registry_secrets": entries}, Resolver()
            ).titles
            == []
        )

    @pytest.mark.parametrize(
        ("selector", "include"),
        [
            ({"labels": "a=b"}, ["team-a-1", "team-b-1"]),
            ({"include": ["team-a-*"]}, ["team-a-1"]),
            ({"include": ["*"], "exclude": ["team-a-*"]}, ["team-b-1"]),
            ({"include": ["other"]}, None),
            ({"labels": "a=b", "exclude": ["team-*"]}, None),
        ],
    )
    def test_a_selector_is_limited_to_the_given_namespaces(
        self, selector: dict[str, Any], include: list[str] | None
    ) -> None:
        entries = [{"name": "s", "namespace_selector": selector}]
        found = limited("private_registry.secrets", "team-b-1", "team-a-1", entries=entries)
        wanted = [] if include is None else [{**selector, "include": include}]
        assert [secret["namespace_selector"] for secret in found] == wanted

    def test_an_entry_without_namespaces_is_left_out(self) -> None:
        assert limited("private_registry.secrets", "a", entries=[{"name": "s"}]) == []

    def test_absent_entries_are_limited_to_the_given_namespaces(self) -> None:
        entries = [{"name": "s", "namespaces": ["a", "b"], "state": "absent"}]
        (secret,) = limited("private_registry.secrets", "a", entries=entries)
        assert (secret["state"], secret["namespaces"]) == ("absent", ["a"])
        (link,) = limited("private_registry.links", "a", entries=[{"name": "s", **HERE}], state="absent")
        assert (link["state"], link["namespaces"]) == ("absent", ["a"])

    def test_answers_of_registries_belong_to_the_remaining_entries(self) -> None:
        entries = [
            {"registry": "one", "namespaces": ["a"]},
            {"registry": "two", "realm_host": "sso", "namespaces": ["a", "b"]},
        ]
        assert [one["registry"] for one in limited("delegated_auth.registries", "b", entries=entries)] == ["two"]
        answer = {"registries": [{"registry": "two", "delegated": True, "realm_host": "sso"}]}
        secrets = limited("delegated_auth.secrets", "b", entries=entries, answer=answer)
        assert [(one["namespaces"], one["registries"][0]["registry"]) for one in secrets] == [
            (["b"], "two"),
            (["b"], "sso"),
        ]

    def test_a_mistake_in_another_entry_is_still_reported(self) -> None:
        with pytest.raises(DeclarationError, match="nmae is unknown: did you mean"):
            Declarations(
                Role("private_registry", only=frozenset("a")), {"private_registry_secrets": [{"nmae": 1}]}, Resolver()
            )

    def test_a_conflict_of_other_entries_is_still_reported(self) -> None:
        entries = [{"name": "s", "namespaces": ["b"]}, {"name": "s", "namespaces": ["b"]}]
        declared = Declarations(
            Role("private_registry", only=frozenset("a")), {"private_registry_secrets": entries}, Resolver()
        )
        with pytest.raises(DeclarationError, match="secret b/s is declared by"):
            declared.refuse_conflicts()


class TestGrantsOfSomeNamespaces:
    GRANT: dict[str, Any] = {
        "namespaces": ["owner", "other"],
        "service_accounts": [{"namespace": "a", "name": "x"}, {"namespace": "b"}],
        "projects": ["a", "c"],
        "groups": ["g"],
        "users": ["u"],
        "authenticated": True,
        "prune": True,
    }

    def grants(self, *only: str, **more: Any) -> list[Any]:
        return limited("cross_project_pull.grants", *only, entries=[{**self.GRANT, **more}])

    def test_a_grant_is_limited_to_the_given_owner(self) -> None:
        (grant,) = self.grants("owner")
        assert grant == {"title": "cross_project_pull_grants[0]", **self.GRANT, "namespaces": ["owner"]}

    def test_a_grant_is_limited_to_the_given_consumer(self) -> None:
        (grant,) = self.grants("a")
        assert {name: grant[name] for name in ("namespaces", "service_accounts", "projects")} == {
            "namespaces": ["owner", "other"],
            "service_accounts": [{"namespace": "a", "name": "x"}],
            "projects": ["a"],
        }
        assert {"groups", "users", "authenticated", "prune"} & {*grant} == set()
        accounts = limited("cross_project_pull.accounts", "a", entries=[self.GRANT])
        assert accounts == [{"namespace": "a", "name": "x"}]

    def test_an_owner_and_a_consumer_get_separate_grants(self) -> None:
        whole, part = self.grants("owner", "b")
        assert (whole["namespaces"], whole["projects"]) == (["owner"], ["a", "c"])
        assert (part["namespaces"], part["service_accounts"], part["projects"]) == (["other"], [{"namespace": "b"}], [])

    def test_a_namespace_that_is_owner_and_consumer_gets_its_whole_grant(self) -> None:
        (grant,) = limited("cross_project_pull.grants", "a", entries=[{"namespaces": ["a"], "projects": ["a", "b"]}])
        assert (grant["namespaces"], grant["projects"]) == (["a"], ["a", "b"])

    def test_an_exclusive_grant_is_never_limited(self) -> None:
        (grant,) = self.grants("a", exclusive=True)
        assert {**self.GRANT, "exclusive": True, "title": grant["title"]} == grant

    def test_a_grant_with_a_selector_is_split_by_owner_and_consumer(self) -> None:
        entry = {"namespace_selector": {"labels": "l", "exclude": ["e"]}, "projects": ["a", "b"]}
        owner, consumer = limited("cross_project_pull.grants", "a", entries=[entry])
        assert owner["namespace_selector"] == {"labels": "l", "include": ["a"], "exclude": ["e"]}
        assert owner["projects"] == ["a", "b"]
        assert consumer["namespace_selector"] == {"labels": "l", "exclude": ["e", "a"]}
        assert consumer["projects"] == ["a"]

    def test_grants_without_the_given_namespaces_are_left_out(self) -> None:
        assert self.grants("z") == []
        assert limited("cross_project_pull.grants", "z", entries=[{"namespaces": ["a"], "users": ["u"]}]) == []
        assert limited("cross_project_pull.grants", "z", entries=[{"projects": ["z"]}]) == []
