# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the roles become the entries of the modules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declarations import KINDS, Declarations
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import VARIABLES
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.role_entries import DeclarationError, Role
from support.objects import b64
from support.templates import Resolver

LOGIN = {"registry": "quay.io", "username": "u", "password": "p"}
HERE = {"namespaces": ["a"]}


def made(
    term: str, *entries: Any, answer: Any = None, state: str = "present", check: bool = False, **more: Any
) -> list[Any]:
    role, _dot, kind = term.partition(".")
    variables = {VARIABLES[role]: list(entries), **more}
    declared = Declarations(Role(role, absent=state == "absent", check_mode=check), variables, Resolver())
    return KINDS[role][kind](declared, answer)


def refused(role: str, variables: Mapping[str, Any], resolver: Resolver | None = None) -> str:
    with pytest.raises(DeclarationError) as error:
        Declarations(Role(role), variables, resolver or Resolver()).refuse_conflicts()
    return str(error.value)


class TestVariables:
    def test_variables_are_joined_in_the_order_of_their_names(self) -> None:
        variables = {
            "private_registry_secrets_b": [{"name": "of-b"}],
            "private_registry_secrets": [{"name": "first"}, {"name": "second"}],
            "private_registry_secrets_a": [{"name": "of-a"}],
            "private_registry_secretsx": [{"name": "other"}],
            "private_registry_state": "present",
        }
        assert Declarations(Role("private_registry"), variables, Resolver()).titles == [
            "private_registry_secrets[0]",
            "private_registry_secrets[1]",
            "private_registry_secrets_a[0]",
            "private_registry_secrets_b[0]",
        ]

    def test_variables_may_be_or_contain_templates(self) -> None:
        resolver = Resolver(all=[{"name": "x"}], one={"name": "y"})
        variables = {"private_registry_secrets": "<all>", "private_registry_secrets_more": ["<one>"]}
        declared = Declarations(Role("private_registry"), variables, resolver)
        assert [entry.get("name") for entry in declared.entries] == ["x", "y"]

    @pytest.mark.parametrize("value", [None, [], ()], ids=str)
    def test_variables_may_be_empty(self, value: Any) -> None:
        assert Declarations(Role("private_registry"), {"private_registry_secrets": value}, Resolver()).titles == []

    def test_variables_may_be_missing(self) -> None:
        assert Declarations(Role("delegated_auth"), {}, Resolver()).titles == []

    @pytest.mark.parametrize("value", ["text", {"name": "x"}, 7, True], ids=str)
    def test_variables_that_are_not_lists_are_refused(self, value: Any) -> None:
        assert refused("private_registry", {"private_registry_secrets_a": value}) == (
            "variable private_registry_secrets_a is not a list of entries: begin each with '- '"
        )

    @pytest.mark.parametrize("item", ["secret-canary", None, 7, ["x"]], ids=str)
    def test_invalid_entries_are_refused_without_their_content(self, item: Any) -> None:
        message = refused("private_registry", {"private_registry_secrets": [{"name": "x"}, item]})
        assert message == "private_registry_secrets[1] is not a dictionary"

    def test_unknown_and_missing_members_are_named_all_at_once(self) -> None:
        message = refused(
            "private_registry", {"private_registry_secrets": [{"nmae": "x", 7: 1}, {"name": "y", "z": 1}]}
        )
        assert message.startswith(
            "private_registry_secrets[0]: 7 is unknown; nmae is unknown: did you mean 'name'? An entry takes "
        )
        assert (
            "; private_registry_secrets[0]: name is missing; private_registry_secrets[1]: z is unknown. An entry takes "
            in message
        )

    def test_a_member_without_its_first_word_is_recognized(self) -> None:
        message = refused("delegated_auth", {"delegated_auth_registries": [{"registry": "x", "ca_cert": "y"}]})
        assert message.startswith(
            "delegated_auth_registries[0]: ca_cert is unknown: did you mean 'registry_ca_cert'? An entry"
        )

    @pytest.mark.parametrize(
        ("role", "missing"), [("private_registry", "name"), ("delegated_auth", "registry"), ("cross_project_pull", "")]
    )
    def test_required_members_of_an_entry_are_checked(self, role: str, missing: str) -> None:
        if missing:
            assert refused(role, {VARIABLES[role]: [{}]}) == f"{VARIABLES[role]}[0]: {missing} is missing"
        else:
            assert Declarations(Role(role), {VARIABLES[role]: [{}]}, Resolver()).titles == [f"{VARIABLES[role]}[0]"]


class TestPrivateRegistry:
    def test_a_secret_entry_is_passed_on_unchanged(self) -> None:
        given = {
            "name": "x", **HERE, "type": "t", "registries": [LOGIN], "mode": "merge", "update_existing": False, "recreate": True,
            "labels": {"a": "b"}, "annotations": {"c": "d"}, "immutable": True, "include": None, "state": "present",
        }  # fmt: skip
        expected = {name: value for name, value in given.items() if value is not None}
        assert made("private_registry.secrets", given) == [{"title": "private_registry_secrets[0]", **expected}]

    def test_a_secret_from_a_file_may_use_a_selector(self) -> None:
        given = {"name": "x", "namespace_selector": {"labels": "a"}, "auth_file": "f", "include": ["quay.io"]}
        assert made("private_registry.secrets", given) == [{"title": "private_registry_secrets[0]", **given}]

    def test_absent_entries_come_first(self) -> None:
        entries = [{"name": "new", **HERE}, {"name": "old", **HERE, "state": "absent", "registries": [LOGIN]}]
        assert made("private_registry.secrets", *entries) == [
            {"title": "private_registry_secrets[1]", "name": "old", **HERE, "state": "absent", "only_managed": True},
            {"title": "private_registry_secrets[0]", "name": "new", **HERE},
        ]

    def test_an_absent_role_makes_every_entry_absent(self) -> None:
        (secret,) = made("private_registry.secrets", {"name": "x", **HERE, "state": "present"}, state="absent")
        assert (secret["state"], secret["only_managed"]) == ("absent", True)
        (link,) = made("private_registry.links", {"name": "x", **HERE, "state": "present"}, state="absent")
        assert (link["state"], link["only_managed"]) == ("absent", True)

    @pytest.mark.parametrize(
        "source", [{"registries": [LOGIN]}, {"auth_file": "f", "include": ["a"]}, {"auth_config": {"auths": {}}}]
    )
    def test_a_merged_secret_is_removed_registry_by_registry(self, source: dict[str, Any]) -> None:
        given = {"name": "x", **HERE, **source, "mode": "merge", "state": "absent", "labels": {"a": "b"}}
        assert made("private_registry.secrets", given) == [
            {
                "title": "private_registry_secrets[0]",
                "name": "x",
                **HERE,
                **source,
                "mode": "remove",
                "delete_empty": True,
            }
        ]

    @pytest.mark.parametrize("kept", [False, "no", "false"])
    def test_a_merge_without_update_existing_is_deleted_completely(self, kept: Any) -> None:
        given = {"name": "x", **HERE, "mode": "merge", "update_existing": kept, "state": "absent"}
        assert made("private_registry.secrets", given)[0]["state"] == "absent"

    def test_a_link_contains_its_given_options(self) -> None:
        link = {
            "service_accounts": ["a"], "link_for": ["mount"], "exclusive": True, "create": True, "restart_pods": "report",
            "wait_timeout": 3, "require": "existing",
        }  # fmt: skip
        given = {"name": "x", **HERE, "registries": [LOGIN], "labels": {"a": "b"}, **link}
        assert made("private_registry.links", given) == [
            {"title": "private_registry_secrets[0]", **HERE, "secrets": ["x"], **link}
        ]

    @pytest.mark.parametrize(
        ("given", "check", "require"),
        [
            ({}, False, "usable"),
            ({"require": "existing"}, False, "existing"),
            ({"require": "existing"}, True, "none"),
        ],
    )
    def test_check_mode_decides_the_requirement_of_a_link(
        self, given: dict[str, Any], check: bool, require: str
    ) -> None:
        (link,) = made("private_registry.links", {"name": "x", **HERE, **given}, check=check)
        assert link["require"] == require

    @pytest.mark.parametrize("state", ["present", "absent"])
    def test_an_empty_list_of_accounts_links_to_none(self, state: str) -> None:
        assert made("private_registry.links", {"name": "x", **HERE, "service_accounts": [], "state": state}) == []

    def test_links_are_removed_from_both_lists(self) -> None:
        given = {
            "name": "x",
            **HERE,
            "service_accounts": ["a"],
            "link_for": ["pull"],
            "state": "absent",
            "create": True,
        }
        assert made("private_registry.links", given) == [
            {
                "title": "private_registry_secrets[0]", **HERE, "service_accounts": ["a"], "secrets": ["x"],
                "link_for": ["pull", "mount"], "state": "absent", "only_managed": True,
            }
        ]  # fmt: skip

    def test_accounts_may_be_linked_for_different_purposes(self) -> None:
        parts = [
            {"service_accounts": ["a"], "link_for": ["pull"]},
            {"service_accounts": ["b"], "link_for": ["mount"]},
            {"link_for": ["pull"]},
        ]
        given = {"name": "x", **HERE, "links": parts, "service_accounts": ["c"], "wait_timeout": 1}
        links = made("private_registry.links", given)
        assert [(link["service_accounts"], link["link_for"], link["wait_timeout"]) for link in links] == [
            (["a"], ["pull"], 1),
            (["b"], ["mount"], 1),
            (["c"], ["pull"], 1),
        ]
        unlinked = made("private_registry.links", {**given, "state": "absent"})
        assert [(link["service_accounts"], link["link_for"]) for link in unlinked] == [
            (["a"], ["pull", "mount"]),
            (["b"], ["pull", "mount"]),
            (["c"], ["pull", "mount"]),
        ]
        assert "links" not in made("private_registry.secrets", given)[0]

    def test_merged_secrets_are_unlinked_in_namespaces_without_them(self) -> None:
        merged = {"mode": "merge", "state": "absent"}
        entries = [{"name": "kept", **HERE, **merged}, {"name": "gone", **HERE, **merged}, {"name": "new", **HERE}]
        answer = {
            "namespaces": [
                {"name": "a", "entries": [{"entry": 1, "exists": False}, {"entry": 0, "other": 1}]},
                {"name": "b", "entries": [{"entry": 1, "exists": False}]},
                {"name": "c"},
            ]
        }
        links = made("private_registry.links", *entries, answer=answer)
        assert [(link["secrets"], link["namespaces"], link.get("state")) for link in links] == [
            (["gone"], ["a", "b"], "absent"),
            (["new"], ["a"], None),
        ]

    def test_links_never_touch_a_credential(self) -> None:
        resolver = Resolver()
        entry = {"name": "x", **HERE, "registries": "<vaulted>", "auth_config": "<vaulted>", "auth_file": "<vaulted>"}
        declared = Declarations(Role("private_registry"), {"private_registry_secrets": [entry]}, resolver)
        declared.refuse_conflicts()
        KINDS["private_registry"]["links"](declared, None)
        assert "<vaulted>" not in resolver.asked
        assert not any("<vaulted>" in values for values in resolver.prepared)

    def test_a_member_is_prepared_for_all_entries_when_one_is_read(self) -> None:
        resolver = Resolver(a="x", b="y")
        entries = [{"name": "<a>", **HERE}, {"name": "<b>", "namespaces": ["b"]}]
        declared = Declarations(Role("private_registry"), {"private_registry_secrets": entries}, resolver)
        assert resolver.prepared == []
        KINDS["private_registry"]["claims"](declared, None)
        assert [values for values in resolver.prepared if "<a>" in values] == [["<a>", "<b>"]]


class TestDelegatedAuth:
    UNNAMED = {"registry": "r.example.com", **HERE, "username": "u", "password": "p", "email": "e"}
    ENTRY = {**UNNAMED, "realm_host": "sso.example.com"}
    TWO = {"registry": "q.example.com", "namespaces": ["b"], "username": "v", "password": "w"}
    ANSWER = {
        "registries": [
            {"registry": "r.example.com", "delegated": True, "realm_host": "sso.example.com"},
            {"registry": "q.example.com", "delegated": False, "realm_host": "q.example.com"},
        ]
    }

    def test_each_present_registry_is_queried(self) -> None:
        more = {"realm_host": "h", "registry_ca_cert": "c", "registry_validate_certs": False}
        absent = {"registry": "old.example.com", "state": "absent"}
        assert made("delegated_auth.registries", self.ENTRY, absent, {**self.TWO, **more}) == [
            {"title": "delegated_auth_registries[0]", "registry": "r.example.com", "realm_host": "sso.example.com"},
            {"title": "delegated_auth_registries[2]", "registry": "q.example.com", **more},
        ]

    def test_a_delegated_login_needs_two_secrets_and_another_login_one(self) -> None:
        secrets = made("delegated_auth.secrets", self.ENTRY, self.TWO, answer=self.ANSWER)
        login = {"username": "u", "password": "p", "email": "e"}
        assert [(secret["name"], secret["registries"], secret["namespaces"]) for secret in secrets] == [
            ("private-registry", [{"registry": "r.example.com", **login}], ["a"]),
            ("redhat-connect-sso", [{"registry": "sso.example.com", **login}], ["a"]),
            ("private-registry", [{"registry": "q.example.com", "username": "v", "password": "w"}], ["b"]),
        ]

    def test_only_a_named_realm_host_is_sent_the_login_for_verification(self) -> None:
        proof = {"verify": True, "registry_ca_cert": "c"}
        named, _realm = made("delegated_auth.secrets", {**self.ENTRY, **proof}, answer=self.ANSWER)
        (own,) = made(
            "delegated_auth.secrets", {**self.TWO, **proof}, answer={"registries": self.ANSWER["registries"][1:]}
        )
        assert (named["realm_hosts"], named["registry_ca_cert"]) == (["sso.example.com"], "c")
        assert own["realm_hosts"] == []

    def test_the_variables_of_the_play_are_the_defaults_of_the_entries(self) -> None:
        """Only the entry decides which host gets a delegated login."""
        play = {
            "image_pull_realm_hosts": ["sso.other.example.com"],
            "image_pull_registry_ca_cert": "c",
            "image_pull_registry_validate_certs": False,
            "image_pull_registry_timeout": "",
        }
        access = {"registry_ca_cert": "c", "registry_validate_certs": False}
        verified, own = {**self.ENTRY, "verify": True}, {**self.TWO, "registry_ca_cert": "d"}
        asked = made("delegated_auth.registries", verified, own, **play)
        assert [{name: one[name] for name in access} for one in asked] == [access, {**access, "registry_ca_cert": "d"}]
        secret, realm, other = made("delegated_auth.secrets", verified, own, answer=self.ANSWER, **play)
        assert {name: secret[name] for name in ("realm_hosts", *access)} == {
            "realm_hosts": ["sso.example.com"],
            **access,
        }
        assert [access.keys() & one.keys() for one in (realm, other)] == [set(), set()]

    def test_a_repository_alone_is_verified_too(self) -> None:
        entry = {**self.ENTRY, "verify_repositories": ["r.example.com/a/b"]}
        named, _realm = made("delegated_auth.secrets", entry, answer=self.ANSWER)
        assert (named["verify_repositories"], named["realm_hosts"]) == (
            ["r.example.com/a/b"],
            ["sso.example.com"],
        )

    @pytest.mark.parametrize("realm", ["https://QUAY.io/token", "HTTPS://robot:pw@quay.io:443/auth?a=b"])
    def test_a_realm_host_that_the_entry_does_not_name_gets_no_login(self, realm: str) -> None:
        """The other entries are processed and all problems are reported. Both secrets of the entry are kept if they exist."""
        answer = {"registries": [{**self.ANSWER["registries"][0], "realm": realm}, self.ANSWER["registries"][1]]}
        entries = [self.UNNAMED, self.TWO]
        assert [one["namespaces"] for one in made("delegated_auth.secrets", *entries, answer=answer)] == [["b"]]
        assert [one["namespaces"] for one in made("delegated_auth.links", *entries, answer=answer)] == [["b"]]
        assert [(one["name"], one["namespaces"]) for one in made("delegated_auth.claims", *entries, answer=answer)] == [
            ("private-registry", ["b"]),
            ("private-registry", ["a"]),
            ("redhat-connect-sso", ["a"]),
        ]
        assert [
            (one["secrets"], one["namespaces"]) for one in made("delegated_auth.link_claims", *entries, answer=answer)
        ] == [
            (["private-registry"], ["b"]),
            (["private-registry", "redhat-connect-sso"], ["a"]),
        ]
        kept = made("delegated_auth.kept_secrets", *entries, answer=answer)
        assert [(one["name"], one["namespaces"]) for one in kept] == [
            ("private-registry", ["a"]),
            ("redhat-connect-sso", ["a"]),
        ]
        (link,) = made("delegated_auth.kept_links", *entries, answer=answer)
        assert (link["secrets"], link["namespaces"]) == (["private-registry", "redhat-connect-sso"], ["a"])
        assert made("delegated_auth.problems", *entries, answer=answer) == [
            "delegated_auth_registries[0]: registry r.example.com wants logins sent to quay.io, another host, which the entry does not "
            "name; nothing was written for it: if that host is allowed to have the login, add this line to the entry: "
            'realm_host: "quay.io"'
        ]

    @pytest.mark.parametrize(
        "realm",
        ["http://quay.io/token", "https://{{ 7 * 7 }}/", "https://a b", "https://", "https://q\u00fcay.io", None, ""],
    )
    def test_an_unusual_host_is_not_repeated(self, realm: Any) -> None:
        answer = {"registries": [{**self.ANSWER["registries"][0], "realm": realm}]}
        (problem,) = made("delegated_auth.problems", self.UNNAMED, answer=answer)
        assert "wants logins sent to an unusual host" in problem
        assert "quay" not in problem
        assert "{" not in problem

    def test_a_registry_that_does_not_answer_fails_only_its_own_entries(self) -> None:
        answer = {
            "registries": [{"registry": "r.example.com"}, *self.ANSWER["registries"]],
            "failures": [{"entry": 0, "title": "t", "error": "no answer"}],
        }
        entries = [self.UNNAMED, {**self.ENTRY, "namespaces": ["c"]}, self.TWO]
        assert made("delegated_auth.problems", *entries, answer=answer) == ["delegated_auth_registries[0]: no answer"]
        places = [one["namespaces"] for one in made("delegated_auth.secrets", *entries, answer=answer)]
        assert places == [["c"], ["c"], ["b"]]

    def test_secrets_may_have_their_own_names(self) -> None:
        names = {"registry_secret_name": "one", "realm_secret_name": "two"}
        secrets = made("delegated_auth.secrets", {**self.ENTRY, **names}, answer=self.ANSWER)
        assert [secret["name"] for secret in secrets] == ["one", "two"]

    def test_both_secrets_are_removed_without_a_registry_query(self) -> None:
        entry = {**self.ENTRY, "state": "absent", "service_accounts": ["x"]}
        assert made("delegated_auth.registries", entry) == []
        assert [(one["name"], one["state"], one["only_managed"]) for one in made("delegated_auth.secrets", entry)] == [
            ("private-registry", "absent", True),
            ("redhat-connect-sso", "absent", True),
        ]
        (link,) = made("delegated_auth.links", entry)
        assert link == {
            "title": "delegated_auth_registries[0]", **HERE, "service_accounts": ["x"], "link_for": ["pull", "mount"],
            "secrets": ["private-registry", "redhat-connect-sso"], "state": "absent", "only_managed": True,
        }  # fmt: skip

    @pytest.mark.parametrize(("check", "require"), [(False, "usable"), (True, "none")])
    def test_existing_secrets_are_linked(self, check: bool, require: str) -> None:
        more = {"service_accounts": ["x"], "link_for": ["mount"], "wait_timeout": 5}
        links = made("delegated_auth.links", {**self.ENTRY, **more}, self.TWO, answer=self.ANSWER, check=check)
        assert links == [
            {
                "title": "delegated_auth_registries[0]", **HERE, **more, "require": require,
                "secrets": ["private-registry", "redhat-connect-sso"],
            },
            {
                "title": "delegated_auth_registries[1]", "namespaces": ["b"], "require": require,
                "secrets": ["private-registry"],
            },
        ]  # fmt: skip

    @pytest.mark.parametrize("state", ["present", "absent"])
    def test_an_empty_list_of_accounts_links_to_none(self, state: str) -> None:
        entry = {**self.ENTRY, "service_accounts": [], "state": state}
        assert made("delegated_auth.links", entry, answer=self.ANSWER) == []

    def test_registries_that_do_not_delegate_are_reported(self) -> None:
        assert made("delegated_auth.undelegated", self.ENTRY, self.TWO, answer=self.ANSWER) == [
            "q.example.com does not delegate its login, so secret private-registry is enough, and redhat-connect-sso is not created"
        ]

    @pytest.mark.parametrize("answer", [None, {}, {"registries": []}], ids=str)
    def test_no_entry_is_created_without_an_answer(self, answer: Any) -> None:
        for kind in ("secrets", "links", "undelegated", "problems"):
            assert made(f"delegated_auth.{kind}", self.ENTRY, answer=answer) == []


class TestRotated:
    """Secrets that the inventory declares with the login of a rotation."""

    ANSWER: Mapping[str, Any] = {"registries": ["quay.io", "r.example.com/team"], "usernames": ["u", "v"]}

    def names(self, *entries: Any, **more: Any) -> list[str]:
        return [one["name"] for one in made("private_registry.rotated", *entries, answer=self.ANSWER, **more)]

    def test_rotated_secrets_have_only_a_name_and_their_namespaces(self) -> None:
        selector = {"include": ["team-*"]}
        entries = [
            {"name": "s", **HERE, "registries": [LOGIN], "service_accounts": ["x"], "labels": {"a": "b"}},
            {"name": "t", "namespace_selector": selector, "registries": [{**LOGIN, "username": "v"}]},
        ]
        found = made("private_registry.rotated", *entries, answer=self.ANSWER)
        assert found == [{"name": "s", "namespaces": ["a"]}, {"name": "t", "namespace_selector": selector}]

    @pytest.mark.parametrize(
        ("login", "is_meant"),
        [
            ({"registry": "quay.io/team"}, True),
            ({"registry": "https://quay.io/v2/"}, True),
            ({"registry": "*.io"}, True),
            ({"registry": "r.example.com/team/x"}, True),
            ({"registry": "r.example.com"}, False),
            ({"registry": "b.io"}, False),
            ({"username": "w"}, False),
            ({"username": None}, False),
        ],
    )
    def test_a_secret_with_another_login_is_not_rotated(self, login: dict[str, Any], is_meant: bool) -> None:
        """Its readers do not use the replaced login."""
        assert self.names({"name": "s", **HERE, "registries": [{**LOGIN, **login}]}) == (["s"] if is_meant else [])

    def test_one_matching_login_of_several_is_enough(self) -> None:
        both = [{"registry": "b.io", "username": "w"}, LOGIN]
        assert self.names({"name": "s", **HERE, "registries": both}) == ["s"]

    @pytest.mark.parametrize(
        "source",
        [
            {"auth_file": "missing.json"},
            {"auth_file": ""},
            {"auth_config": {}},
            {"auth_config": "not JSON"},
            {"registries": ["quay.io"]},
            {},
        ],
    )
    def test_a_secret_with_an_unknown_login_is_not_rotated(self, source: dict[str, Any]) -> None:
        assert self.names({"name": "s", **HERE, **source}) == []

    @pytest.mark.parametrize(
        ("of_file", "more", "is_meant"),
        [
            ({"quay.io": "u"}, {}, True),
            ({"quay.io/team": "v", "b.io": "w"}, {}, True),
            ({"quay.io": "w", "b.io": "u"}, {}, False),
            ({"quay.io": "u", "b.io": "w"}, {"include": ["b.io"]}, False),
        ],
    )
    def test_the_logins_of_an_auth_file_count(
        self, of_file: dict[str, str], more: dict[str, Any], is_meant: bool
    ) -> None:
        """The inventory for AWX declares its logins in one file."""
        auths = {key: {"auth": b64(f"{user}:p")} for key, user in of_file.items()}
        files = {"auth.json": json.dumps({"auths": auths}), "other.json": '{"auths": {}}'}
        entries = [
            {"name": "s", **HERE, "auth_file": "<path>", **more},
            {"name": "t", **HERE, "auth_config": {"auths": auths}, **more},
            {"name": "x", **HERE, "auth_file": "other.json"},
        ]
        variables = {"private_registry_secrets": entries}
        declared = Declarations(Role("private_registry"), variables, Resolver(path="auth.json"), files.__getitem__)
        found = KINDS["private_registry"]["rotated"](declared, self.ANSWER)
        assert [one["name"] for one in found] == (["s", "t"] if is_meant else [])

    def test_an_absent_secret_is_not_rotated(self) -> None:
        entry = {"name": "s", **HERE, "registries": [LOGIN]}
        assert self.names({**entry, "state": "absent"}) == []
        assert self.names(entry, state="absent") == []

    def test_both_secrets_of_a_delegated_login_are_rotated(self) -> None:
        entries = [
            {"registry": "quay.io", "username": "u", **HERE},
            {"registry": "quay.io", "username": "w", "namespaces": ["b"]},
            {"registry": "b.io", "username": "u", "namespaces": ["c"]},
        ]
        assert made("delegated_auth.rotated", *entries, answer=self.ANSWER) == [
            {"namespaces": ["a"], "name": "private-registry"},
            {"namespaces": ["a"], "name": "redhat-connect-sso"},
        ]


class TestCrossProjectPull:
    def test_accounts_are_waited_for_once(self) -> None:
        accounts = [{"namespace": "a"}, {"namespace": "a", "name": "default"}, {"namespace": "b", "name": "robot"}]
        entries = [
            {**HERE, "service_accounts": accounts},
            {**HERE, "service_accounts": accounts[2:]},
            {**HERE, "projects": ["c"]},
            {**HERE, "service_accounts": [{"namespace": "gone"}], "state": "absent"},
        ]
        assert made("cross_project_pull.accounts", *entries) == [accounts[0], accounts[2]]
        assert made("cross_project_pull.accounts", *entries, state="absent") == []

    def test_a_grant_contains_its_given_options(self) -> None:
        given = {
            **HERE, "service_accounts": [{"namespace": "b"}], "projects": ["c"], "groups": ["g"], "users": ["u"],
            "authenticated": True, "anonymous": True, "role": "r", "binding_name": "n", "exclusive": True,
            "prune": True, "verify_access": True, "state": "present",
        }  # fmt: skip
        assert made("cross_project_pull.grants", {**given, "revoke_from": "every_binding"}) == [
            {"title": "cross_project_pull_grants[0]", **given}
        ]

    @pytest.mark.parametrize("more", [{"given": {"state": "absent"}}, {"given": {}, "state": "absent"}], ids=str)
    def test_a_revoked_grant_is_not_exclusive(self, more: dict[str, Any]) -> None:
        given = {
            **HERE,
            "projects": ["c"],
            "exclusive": True,
            "revoke_from": "every_binding",
            **more.pop("given"),
        }
        assert made("cross_project_pull.grants", given, **more) == [
            {
                "title": "cross_project_pull_grants[0]", **HERE, "projects": ["c"], "revoke_from": "every_binding",
                "state": "absent",
            }
        ]  # fmt: skip

    def test_revoked_grants_come_first(self) -> None:
        grants = made(
            "cross_project_pull.grants", {**HERE, "users": ["a"]}, {**HERE, "users": ["b"], "state": "absent"}
        )
        assert [grant["users"] for grant in grants] == [["b"], ["a"]]


class TestConflicts:
    def test_a_conflict_names_both_variables(self) -> None:
        variables = {
            "private_registry_secrets_team": [{"name": "private-registry", "namespaces": ["b", "a"]}],
            "delegated_auth_registries": [{"registry": "r", "namespaces": ["a"]}],
        }
        for role in ("private_registry", "delegated_auth"):
            assert refused(role, variables) == (
                "secret a/private-registry is declared by private_registry_secrets_team[0] and "
                "delegated_auth_registries[0].registry_secret_name; two entries for one secret would undo each other in every run, "
                "so give their secrets different names, or remove one entry"
            )

    def test_conflicts_within_the_other_role_are_ignored(self) -> None:
        twice = {"delegated_auth_registries": [{"registry": "r", **HERE}, {"registry": "q", **HERE}]}
        Declarations(Role("private_registry"), twice, Resolver()).refuse_conflicts()
        assert "delegated_auth_registries[1].realm_secret_name" in refused("delegated_auth", twice)

    def test_all_conflicts_are_named(self) -> None:
        variables = {
            "private_registry_secrets": [{"name": name, **HERE} for name in ("x", "y", "x", "y")],
        }
        message = refused("private_registry", variables)
        assert message.startswith(
            "secret a/x is declared by private_registry_secrets[0] and private_registry_secrets[2]; "
            "secret a/y is declared by private_registry_secrets[1] and private_registry_secrets[3]; two entries"
        )

    def test_equal_selectors_conflict(self) -> None:
        one, other = {"labels": "x", "exclude": ["y"]}, {"exclude": ["y"], "labels": "x"}
        variables = {
            "private_registry_secrets": [
                {"name": "s", "namespace_selector": one},
                {"name": "s", "namespace_selector": other},
                {"name": "s", "namespace_selector": {"labels": "z"}},
            ]
        }
        message = refused("private_registry", variables)
        assert "private_registry_secrets[0] and private_registry_secrets[1];" in message
        assert "private_registry_secrets[2]" not in message


class TestDeclaredElsewhere:
    """Each of the two roles that write secrets gets the secrets of the other one, to compare the namespaces of selectors."""

    SELECTOR: ClassVar = {"include": ["team-*"]}
    VARIABLES: ClassVar = {
        "private_registry_secrets": [
            {"name": "private-registry", "namespace_selector": SELECTOR, "registries": "<not needed>"},
            {"name": "other", "namespaces": ["team-a"]},
        ],
        "delegated_auth_registries": [{"registry": "r", "password": "<not needed>", "namespaces": ["team-a", "b"]}],
    }

    def found(self, role: str, *only: str, **more: Any) -> list[Any]:
        limits = Role(role, only=frozenset(only) or None)
        declared = Declarations(limits, {**self.VARIABLES, **more}, Resolver())
        declared.refuse_conflicts()
        return KINDS[role]["elsewhere"](declared, None)

    def test_secrets_of_the_other_role_with_a_name_of_this_role_are_returned(self) -> None:
        assert self.found("private_registry") == [
            {
                "title": "delegated_auth_registries[0].registry_secret_name",
                "name": "private-registry",
                "namespaces": ["team-a", "b"],
            }
        ]
        assert self.found("delegated_auth") == [
            {"title": "private_registry_secrets[0]", "name": "private-registry", "namespace_selector": self.SELECTOR}
        ]

    def test_they_are_limited_to_the_namespaces_of_the_run(self) -> None:
        assert [one["namespaces"] for one in self.found("private_registry", "team-a")] == [["team-a"]]
        assert self.found("private_registry", "team-c") == []

    def test_entries_without_namespaces_and_of_other_names_are_left_out(self) -> None:
        assert self.found("private_registry", delegated_auth_registries=[{"registry": "r"}]) == []
        assert self.found("delegated_auth", private_registry_secrets=[{"name": "other", **HERE}]) == []


class TestSelectors:
    """Selectors that users could join by the name of a project."""

    WRITTEN = [
        {"name": "a", "namespace_selector": {"include": ["team-*"], "requesters": ["ann"]}, "registries": "<vaulted>"},
        {"name": "b", "namespaces": ["b"]},
        {"name": "c", "namespace_selector": {"include": ["*"]}, "state": "absent"},
    ]

    def test_selectors_of_entries_with_logins_are_returned(self) -> None:
        resolver = Resolver()
        declared = Declarations(Role("private_registry"), {"private_registry_secrets": self.WRITTEN}, resolver)
        assert KINDS["private_registry"]["selectors"](declared, None) == [
            {"title": "private_registry_secrets[0]", "namespace_selector": self.WRITTEN[0]["namespace_selector"]}
        ]
        assert "<vaulted>" not in resolver.asked
        written = {"delegated_auth_registries": [{"registry": "q.io", "namespace_selector": {"labels": "a=b"}}]}
        declared = Declarations(Role("delegated_auth"), written, Resolver())
        assert KINDS["delegated_auth"]["selectors"](declared, None) == [
            {"title": "delegated_auth_registries[0]", "namespace_selector": {"labels": "a=b"}}
        ]

    def test_a_run_for_new_namespaces_keeps_the_requesters(self) -> None:
        """An event names a namespace, and the selector still decides whether the entry covers it."""
        role = Role("private_registry", only=frozenset({"team-evil"}))
        declared = Declarations(role, {"private_registry_secrets": self.WRITTEN[:1]}, Resolver())
        (entry,) = KINDS["private_registry"]["claims"](declared, None)
        assert entry["namespace_selector"] == {"include": ["team-evil"], "requesters": ["ann"]}


class TestSelected:
    """A follow-up task works in the namespaces that the previous task selected."""

    @staticmethod
    def links(
        role: str, entry: Mapping[str, Any], selected: Mapping[str, list[str]] | None, answer: Any = None, **failed: Any
    ) -> Any:
        variables = {VARIABLES[role]: [entry, {**entry, "namespace_selector": None, "namespaces": ["named", "b"]}]}
        return KINDS[role]["links"](
            Declarations(Role(role, selected=selected, **failed), variables, Resolver()), answer
        )

    ROLES = pytest.mark.parametrize(
        ("role", "entry", "answer"),
        [
            ("private_registry", {"name": "pull"}, None),
            (
                "delegated_auth",
                {"registry": "quay.io"},
                {"registries": [{"registry": "quay.io", "delegated": False}] * 2},
            ),
        ],
    )

    @ROLES
    def test_a_previous_selection_limits_selectors_but_not_names(
        self, role: str, entry: dict[str, Any], answer: Any
    ) -> None:
        selector = {"include": ["team-*"], "labels": "tier=dev"}
        entry = {**entry, "namespace_selector": selector}
        title = f"{VARIABLES[role]}[0]"
        free, named = self.links(role, entry, None, answer)
        assert (free["namespace_selector"], named["namespaces"]) == (selector, ["named", "b"])
        limited, named = self.links(role, entry, {title: ["team-a"], "other": ["team-b"]}, answer)
        assert limited["namespace_selector"] == {**selector, "include": ["team-a"]}
        assert named["namespaces"] == ["named", "b"]
        for nothing in ({}, {title: []}):
            (named,) = self.links(role, entry, nothing, answer)
            assert named["namespaces"] == ["named", "b"]

    @ROLES
    def test_no_link_is_created_in_a_namespace_where_the_secret_failed(
        self, role: str, entry: dict[str, Any], answer: Any
    ) -> None:
        """One failure must not cause a second one: a link to a missing secret would fail as well."""
        entry = {**entry, "namespace_selector": {"include": ["*"]}}
        first, second = (f"{VARIABLES[role]}[{position}]" for position in (0, 1))
        selected = {first: ["a", "b", "c"]}
        by_selector, named = self.links(role, entry, selected, answer, failed={first: {"a"}, "": {"b"}})
        assert (by_selector["namespace_selector"]["include"], named["namespaces"]) == (["c"], ["named"])
        assert self.links(role, entry, {first: ["a"]}, answer, failed={first: {"a"}, second: {"named", "b"}}) == []
