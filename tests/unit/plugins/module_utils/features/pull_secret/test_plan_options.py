# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options become the declared secret. What cannot work, and entries for one secret, are refused before anything is read from the cluster."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import Contradiction
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import from_registries
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret import plan as pull_secret
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret.plan import (
    PullSecret,
    contradictions,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import Target
from support.objects import b64, raised

from unit.canaries import shown

DOCKERCONFIGJSON, DOCKERCFG = pull_secret.DATA_KEYS
ENTRY = {"auth": b64("robot:canary")}
FILE = {"auths": {"quay.io": ENTRY, "quay.io/team": {"auth": b64("team:canary")}}}
SOURCES = {"registries": None, "auth_file": None, "auth_config": None}


def registry(key: str = "quay.io", **given: Any) -> dict[str, Any]:
    return {"registry": key, "username": "robot", "password": "canary", **given}


def declared(**given: Any) -> pull_secret.PullSecret:
    options = {"name": "quay", "state": "present", "type": DOCKERCONFIGJSON, "registries": [registry()]}
    return pull_secret.from_options({**options, **given}, lambda path: pytest.fail(f"reads {path}"))


def from_file(text: str, **given: Any) -> pull_secret.PullSecret:
    options = {"name": "quay", "state": "present", "type": DOCKERCONFIGJSON, "auth_file": "/me/auth.json"}
    return pull_secret.from_options({**options, **given}, {"/me/auth.json": text}.__getitem__)


def refusal(**given: Any) -> str:
    message = raised(OptionError, partial(declared, **given))
    assert len(message.splitlines()) == 1
    assert shown(message, "canary") == []
    return message


class TestSources:
    def test_registries_are_given_as_values(self) -> None:
        found = declared(registries=[registry(), registry("a.io", email="e")])
        assert found.auth_file.registries == ["a.io", "quay.io"]
        assert (found.name, found.mode, found.registries) == ("quay", "replace", ())

    @pytest.mark.parametrize("config", [FILE, json.dumps(FILE)])
    def test_data_and_its_text_are_read_alike(self, config: Any) -> None:
        found = declared(**{**SOURCES, "auth_config": config}).auth_file
        assert {key: (entry.username, entry.password) for key, entry in found.entries.items()} == {
            "quay.io": ("robot", "canary"),
            "quay.io/team": ("team", "canary"),
        }

    def test_a_file_is_read_and_filtered(self) -> None:
        assert from_file(json.dumps(FILE)).auth_file.registries == ["quay.io", "quay.io/team"]
        assert from_file(json.dumps(FILE), include=["*/team"]).auth_file.registries == ["quay.io/team"]

    def test_each_source_is_named_in_its_refusals(self) -> None:
        with pytest.raises(OptionError, match="^auth file /me/auth.json is not valid JSON at line 1, column 1: "):
            from_file("canary")
        for config in ("x", "[]", [], {}):
            assert refusal(**{**SOURCES, "auth_config": config}).startswith("option 'auth_config' ")
        assert refusal(registries=[registry(password=None)]).startswith("option 'registries': ")

    def test_the_option_include_selects_entries_of_data_too(self) -> None:
        given = {**SOURCES, "auth_config": FILE}
        assert declared(**given, include=["quay.io"]).auth_file.registries == ["quay.io"]
        assert refusal(**given, include=["quay.org"]) == (
            "option 'auth_config' has no entry that matches 'quay.org' of option 'include'. Its entries: quay.io, quay.io/team. "
            "Name some of these in 'include', or leave it out"
        )

    def test_an_empty_list_does_not_empty_the_secret(self) -> None:
        assert refusal(registries=[]) == (
            "option 'registries' is empty: give at least one registry, or delete the secret with 'state: absent'"
        )

    def test_a_file_may_have_a_latin_1_email(self) -> None:
        found = from_file('{"auths": {"quay.io": {"auth": "YTpi", "email": "ren\udce9"}}}')
        assert found.auth_file.text(legacy=False) == '{"auths": {"quay.io": {"auth": "YTpi", "email": "ren\udce9"}}}'


class TestHostile:
    """Hostile input causes one line of text, without a traceback or a request."""

    @pytest.mark.parametrize(
        "key", ["[::1", "[::1]", "[", "%zz", "*", "?", "#x", "a" * 5000, "quay.io:99999999999", ":", "http://a", "[z-a].io", "\u00e9"]
    )  # fmt: skip
    def test_odd_registries_are_refused_and_those_of_a_file_are_written_with_a_warning(self, key: str) -> None:
        """Users type `registries`, and tools write auth files. Content that was exported from a cluster must not be refused."""
        if key != "quay.io:99999999999":
            message = refusal(registries=[registry(key)])
            assert message.startswith("option 'registries': registry ")
            assert len(message.splitlines()) == 1
        found = declared(registries=None, auth_config={"auths": {key: {"auth": "YTpi"}}})
        assert [*found.auth_file.entries] == [key]
        assert all(len(warning.splitlines()) == 1 for warning in found.warnings)
        assert bool(found.warnings) is (key != "quay.io:99999999999")
        assert declared(registries=[{"registry": key}], mode="remove").registries == (key,)

    @pytest.mark.parametrize(
        "key", ["", "a b", "a\0b", "a\n", "\x7f", "\ud800", "\udce9", "\u202e", "u@quay.io", "https://", "/a"]
    )
    @pytest.mark.parametrize("mode", ["replace", "merge", "remove"])
    def test_a_value_that_is_not_a_registry_is_refused(self, key: str, mode: str) -> None:
        message = refusal(registries=[registry(key)], mode=mode)
        assert message.startswith("option 'registries': registry ")
        assert " is not host[:port][/path]: " in message

    @pytest.mark.parametrize("name", ["Quay", "a\0", "", "a" * 254, "a/b", "\ud800"])
    def test_an_invalid_name_is_refused(self, name: str) -> None:
        message = refusal(name=name)
        assert message.startswith("option 'name': ")
        assert " cannot be an object's name: " in message

    def test_names_of_the_platform_are_refused(self) -> None:
        assert refusal(name="default-dockercfg-abcde").startswith(
            "option 'name': 'default-dockercfg-abcde' belongs to the platform"
        )

    @pytest.mark.parametrize(
        ("given", "start"),
        [
            ({"labels": {"a": "x" * 70}}, "option 'labels': the value of 'a' is not valid"),
            ({"labels": {"x" * 70: "a"}}, "option 'labels': the name "),
            ({"annotations": {"a": "x" * 262_144}}, "option 'annotations': they have 262145 bytes"),
            ({"annotations": {"a\0": "x"}}, "option 'annotations': the name 'a\\x00' is not valid"),
        ],
    )
    def test_invalid_labels_and_annotations_are_refused(self, given: dict[str, Any], start: str) -> None:
        assert refusal(**given).startswith(start)
        assert refusal(**given, mode="remove").startswith(start)
        assert declared(**given, state="absent", registries=None).mode == "absent"

    @pytest.mark.parametrize(
        "config",
        [
            "[" * 20_000, '{"auths": ' * 20_000, '{"a": NaN}', "\ufeff{}", '{"auths": {"\ud800": {}}}', {"auths": {"a": float("nan")}},
            {"auths": {"a": {1, 2}}}, {"auths": {5: {"auth": 5}}}, '{"auths": {"a.io": {"auth": "YTpi"}}} x', {"a": {"password": b"canary"}},
        ],
    )  # fmt: skip
    def test_data_that_no_node_reads_is_refused(self, config: Any) -> None:
        assert refusal(**{**SOURCES, "auth_config": config}).startswith("option 'auth_config'")

    def test_data_that_json_cannot_express_is_refused(self) -> None:
        nested: dict[str, Any] = {}
        for _level in range(200_000):
            nested = {"a": nested}
        for config in (nested, {"auths": float("inf")}, {"auths": b"x"}):
            assert refusal(**{**SOURCES, "auth_config": config}) == (
                "option 'auth_config' holds a value that JSON cannot express, such as a date or '.nan', or is nested too deeply: give "
                "the content of a Docker config.json or a Podman auth.json"
            )

    @pytest.mark.parametrize("extra", ["[" * 9_000 + "]" * 9_000, '"\\ud800"', "-0.0"])
    def test_values_that_python_cannot_keep_do_not_prevent_the_reading_of_data(self, extra: str) -> None:
        text = f'{{"x": {extra}, "n": 1e999, "auths": {{"a.io": {{"auth": "YTpi", "y": {extra}}}}}}}'
        assert declared(**{**SOURCES, "auth_config": text}).auth_file.registries == ["a.io"]

    @pytest.mark.parametrize(
        ("password", "ok"), [("\udce9", True), ("\ufffd", True), ("\0", True), ("\ud800", False), ("\udfff", False)]
    )
    def test_passwords_are_bytes_or_unicode(self, password: str, ok: bool) -> None:
        """A byte that is not UTF-8 has the form in which Ansible reads it from a file. An unpaired surrogate has no meaning."""
        given = {"registries": [registry(password=password)]}
        if ok:
            assert declared(**given).auth_file.entries["quay.io"].password == password
        else:
            assert refusal(**given).endswith("has a user or password that is not valid Unicode")


class TestSize:
    def test_content_that_is_too_large_for_a_secret_is_refused(self) -> None:
        message = refusal(registries=[registry(password="x" * 500_000)])
        assert (
            message
            == "the data of secret quay has 1166749 bytes, but a secret holds at most 1048576: use fewer registries"
        )


class TestTarget:
    def test_only_types_that_nodes_read_are_written(self) -> None:
        assert pull_secret.ARGUMENTS["type"]["choices"] == ["kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"]

    @pytest.mark.parametrize(("kind", "key"), [(DOCKERCONFIGJSON, ".dockerconfigjson"), (DOCKERCFG, ".dockercfg")])
    def test_the_data_key_goes_with_the_type(self, kind: str, key: str) -> None:
        """The data keys are the same as in `oc create secret`."""
        found = declared(state="absent", type=kind, registries=None, auth_file="/me/auth.json")
        assert found.target == pull_secret.Target(kind, key)


class TestSettings:
    def test_the_defaults_are_those_of_the_module(self) -> None:
        found = declared()
        assert (found.mode, found.update_existing, found.recreate) == ("replace", True, False)
        assert (found.only_managed, found.delete_empty) == (False, False)
        assert declared(mode=None, update_existing=None, recreate=None, only_managed=None, delete_empty=None) == found

    def test_the_settings_are_taken_over(self) -> None:
        meta = {"labels": {"a": "b"}, "annotations": {"c": "d"}, "immutable": True}
        found = declared(mode="merge", recreate=True, **meta)
        assert (found.mode, found.recreate, found.update_existing) == ("merge", True, True)
        assert found.secret_metadata == pull_secret.SecretMetadata(**meta)
        assert declared(update_existing=False).update_existing is False

    def test_state_absent_ignores_the_settings_of_content(self) -> None:
        found = declared(state="absent", labels={"a": "b"}, recreate=True)
        assert found == pull_secret.PullSecret(
            "quay", pull_secret.Target(DOCKERCONFIGJSON, ".dockerconfigjson"), "absent", recreate=True
        )
        assert declared(state="absent", only_managed=True).only_managed is True

    def test_remove_needs_names_alone(self) -> None:
        found = declared(
            mode="remove", registries=[{"registry": "b.io"}, {"registry": "a.io"}], labels={"a": "b"}, recreate=True
        )
        assert (found.mode, found.registries, found.auth_file.entries) == ("remove", ("b.io", "a.io"), {})
        assert (found.secret_metadata.labels, found.recreate, found.delete_empty) == ({"a": "b"}, True, False)
        assert declared(mode="remove", delete_empty=True).delete_empty is True

    def test_remove_takes_names_from_a_file_or_data(self) -> None:
        assert from_file(json.dumps(FILE), mode="remove").registries == ("quay.io", "quay.io/team")
        assert from_file(json.dumps(FILE), mode="remove", include=["quay.io"]).registries == ("quay.io",)
        assert declared(**{**SOURCES, "auth_config": FILE}, mode="remove").registries == ("quay.io", "quay.io/team")

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (
                {"state": "absent", "mode": "remove"},
                "'state: absent' deletes the whole secret. To remove single registries, use 'state: present' with 'mode: remove'",
            ),
            ({"only_managed": True}, "option 'only_managed' only works with 'state: absent': leave it out"),
            ({"mode": "remove", "only_managed": True}, "option 'only_managed' only works with 'state: absent': leave it out"),
            ({"delete_empty": True}, "option 'delete_empty' only works with 'mode: remove': leave it out"),
            ({"mode": "merge", "delete_empty": True}, "option 'delete_empty' only works with 'mode: remove': leave it out"),
            ({"state": "absent", "delete_empty": True}, "option 'delete_empty' only works with 'mode: remove': leave it out"),
            ({"mode": "remove", "update_existing": False}, "'mode: remove' changes a secret that exists: leave out 'update_existing'"),
            (
                {"mode": "remove", "registries": []},
                "'mode: remove' needs the registries to remove: name them in 'registries', without user or password",
            ),
            (
                {"mode": "remove", **SOURCES},
                "'mode: remove' needs the registries to remove: name them in 'registries', without user or password",
            ),
            (
                {"recreate": True, "update_existing": False},
                "options 'recreate' and 'update_existing: false' contradict each other: leave out one",
            ),
            ({"include": ["a"]}, "option 'include' selects entries of 'auth_file' or 'auth_config': name at least one, or leave it out"),
            (
                {**SOURCES, "auth_config": FILE, "include": []},
                "option 'include' selects entries of 'auth_file' or 'auth_config': name at least one, or leave it out",
            ),
        ],
    )  # fmt: skip
    def test_contradictions_are_refused(self, given: dict[str, Any], message: str) -> None:
        assert refusal(**given) == message

    def test_an_accidental_repr_shows_no_credential(self) -> None:
        assert shown(repr(declared()), "canary") == []


class TestOwner:
    @pytest.mark.parametrize("label", ["app.kubernetes.io/managed-by", "app.kubernetes.io/instance"])
    def test_the_labels_of_the_owner_are_not_given_twice(self, label: str) -> None:
        assert (
            refusal(owner="a", labels={label: "x"})
            == f"option 'owner' sets the label {label}: leave it out of 'labels'"
        )
        assert declared(labels={label: "x"}).secret_metadata.labels == {label: "x"}

    def test_the_owner_is_checked(self) -> None:
        assert "option 'owner'" in refusal(owner="a b")
        assert "option 'owner'" in refusal(owner="a b", state="absent")


class TestIdentified:
    def test_an_identified_secret_needs_no_content(self) -> None:
        for state, mode, found in (
            ("present", "merge", "merge"),
            ("absent", "replace", "absent"),
            ("present", None, "replace"),
        ):
            options = {"name": "quay", "state": state, "mode": mode, "type": DOCKERCONFIGJSON, "owner": "a"}
            made = pull_secret.identity_from_options(options)
            assert (made.name, made.mode, made.ownership.owner) == ("quay", found, "a")

    @pytest.mark.parametrize("given", [{"name": None}, {"name": "A"}, {"name": "a-dockercfg-x"}, {"owner": "a b"}])
    def test_an_identified_secret_has_its_name_and_owner_checked(self, given: Any) -> None:
        with pytest.raises(OptionError):
            pull_secret.identity_from_options({"name": "quay", "state": "present", "type": DOCKERCONFIGJSON, **given})


TARGET = Target(DOCKERCONFIGJSON, ".dockerconfigjson")


def entries(*names: str, mode: str = "absent") -> list[PullSecret]:
    return [PullSecret(name, TARGET, mode) for name in names]


def said(name: str) -> str:
    return f"both declare secret {name}, so declare it once, with all its registries"


def test_different_secrets_do_not_contradict() -> None:
    assert list(contradictions([])) == []
    assert list(contradictions(entries("a", "b", "c"))) == []


def test_each_further_declaration_contradicts_the_first() -> None:
    assert list(contradictions(entries("a", "b", "a", "b", "a"))) == [
        Contradiction(0, 2, said("a")),
        Contradiction(1, 3, said("b")),
        Contradiction(0, 4, said("a")),
    ]


def test_two_declarations_of_one_secret_contradict_even_if_they_agree() -> None:
    for first, second in (("absent", "absent"), ("absent", "merge"), ("merge", "merge"), ("remove", "remove")):
        pair = [*entries("a", mode=first), *entries("a", mode=second)]
        assert list(contradictions(pair)) == [Contradiction(0, 1, said("a"))]


def test_a_merge_and_a_removal_of_other_registries_do_not_contradict() -> None:
    merged = from_registries([{"registry": "new.example.com", "username": "u", "password": "p"}])
    merge = PullSecret("a", TARGET, "merge", merged)
    apart = PullSecret("a", TARGET, "remove", registries=("old.example.com",))
    assert list(contradictions([merge, apart])) == []
    assert list(contradictions([apart, merge])) == []
    same = PullSecret("a", TARGET, "remove", registries=("old.example.com", "https://new.example.com/"))
    assert list(contradictions([merge, same])) == [Contradiction(0, 1, said("a"))]
    assert list(contradictions([same, merge])) == [Contradiction(0, 1, said("a"))]
