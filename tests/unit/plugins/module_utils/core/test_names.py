# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name that cannot exist is refused before a request is sent."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core import names
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from hypothesis import given
from hypothesis import strategies as st
from support.objects import raised

BAD = ["", "A", "-a", "a-", "a_b", "a/b", "a..b", ".a", "a.", "a\n", "a\0", "ä", "../x", "\ud800"]
GOOD_NAMES = ["a", "0", "private-registry", "a.b-c.d", "a" * 253]
GOOD_NAMESPACES = ["a", "project-a", "0", "a" * 63]


class TestCheckName:
    @pytest.mark.parametrize("name", GOOD_NAMES)
    def test_check_name_accepts_dns_subdomains(self, name: str) -> None:
        names.check_name("name", name)
        assert names.is_name(name) is True

    @pytest.mark.parametrize("name", [*BAD, "a" * 254])
    def test_check_name_refuses_other_text(self, name: str) -> None:
        assert names.is_name(name) is False
        with pytest.raises(OptionError):
            names.check_name("name", name)

    def test_check_name_reports_the_option_and_the_form_of_a_name(self) -> None:
        assert raised(OptionError, lambda: names.check_name("secrets", "Quay")) == (
            "option 'secrets': 'Quay' cannot be an object's name: use lower-case letters, digits, '-' and '.', at most 253, "
            "beginning and ending with a letter or digit. Write 'quay'"
        )

    @pytest.mark.parametrize(
        ("name", "meant"),
        [("Team_Registry", "team-registry"), (" a b ", "a-b"), ("a/b", ""), ("ü", ""), ("_", ""), ("A" * 81, "")],
    )
    def test_the_name_without_upper_case_and_spaces_is_suggested(self, name: str, meant: str) -> None:
        said = raised(OptionError, lambda: names.check_name("name", name))
        assert said.partition("letter or digit")[2] == (f". Write {meant!r}" if meant else "")

    @pytest.mark.parametrize(("length", "shown"), [(80, "A" * 80), (81, "A" * 80 + "...")])
    def test_a_huge_name_is_not_repeated(self, length: int, shown: str) -> None:
        with pytest.raises(OptionError, match=f"^option 'name': '{shown}' cannot be"):
            names.check_name("name", "A" * length)

    @given(st.text())
    def test_any_text_is_a_name_or_is_refused_in_one_line(self, name: str) -> None:
        for check in (names.check_name, names.check_namespace, names.check_path_segment, names.check_free_name):
            try:
                check("name", name)
            except OptionError as error:
                assert "\n" not in str(error)


class TestCheckNames:
    def test_check_names_keeps_each_name_once_in_order(self) -> None:
        assert names.check_names("secrets", ["b", "a", "b"]) == ("b", "a")

    def test_check_names_refuses_an_empty_list(self) -> None:
        with pytest.raises(OptionError, match="^option 'secrets' is empty: give at least one$"):
            names.check_names("secrets", [])

    def test_check_names_refuses_an_invalid_name(self) -> None:
        with pytest.raises(OptionError, match="^option 'secrets': 'B!' cannot be"):
            names.check_names("secrets", ["a", "B!"])


class TestCheckNamespace:
    @pytest.mark.parametrize("name", GOOD_NAMESPACES)
    def test_check_namespace_accepts_dns_labels(self, name: str) -> None:
        names.check_namespace("namespaces", name)
        assert names.is_namespace(name) is True

    @pytest.mark.parametrize("name", [*BAD, "a.b", "a" * 64])
    def test_check_namespace_refuses_other_text(self, name: str) -> None:
        assert names.is_namespace(name) is False
        with pytest.raises(OptionError):
            names.check_namespace("namespaces", name)

    def test_check_namespace_reports_the_option_and_the_form_of_a_namespace(self) -> None:
        assert raised(OptionError, lambda: names.check_namespace("projects", "a.b")) == (
            "option 'projects': 'a.b' cannot be a namespace: use lower-case letters, digits and '-', at most 63, "
            "beginning and ending with a letter or digit"
        )


class TestCheckPathSegment:
    @pytest.mark.parametrize("name", ["a", "system:image-puller", "...", ".a", "A b", "ä", "a" * 300])
    def test_check_path_segment_accepts_names_of_roles_and_bindings(self, name: str) -> None:
        names.check_path_segment("role", name)

    @pytest.mark.parametrize(
        "name", ["", " ", ".", "..", "a/b", "/", "a%b", "a\0", "a\n", "a\x1f", "\x7f", "\x9f", "\ud800"]
    )
    def test_check_path_segment_refuses_other_text(self, name: str) -> None:
        assert raised(OptionError, lambda: names.check_path_segment("role", name)) == (
            f"option 'role': {name!r} cannot be an object's name: it must not be empty, '.' or '..', nor contain '/', '%' or "
            "control characters"
        )


class TestCheckFreeName:
    @pytest.mark.parametrize("name", ["jane", "CN=Jane, O=Ops", "system:serviceaccounts", "a/b", "ä", "a b", "\xa0a"])
    def test_check_free_name_accepts_names_of_an_identity_provider(self, name: str) -> None:
        names.check_free_name("users", name)

    @pytest.mark.parametrize("name", ["", " ", "\t"])
    def test_check_free_name_refuses_an_empty_name(self, name: str) -> None:
        with pytest.raises(OptionError, match="^option 'users' contains an empty name$"):
            names.check_free_name("users", name)

    @pytest.mark.parametrize("name", ["a\0", "a\nb", "\x1fa", "a\x7f", "a\x80", "a\x9f", "a\ud800", "a\udfff"])
    def test_check_free_name_refuses_characters_that_the_api_server_changes(self, name: str) -> None:
        assert (
            raised(OptionError, lambda: names.check_free_name("users", name))
            == f"option 'users': {name!r} contains control characters or an unpaired surrogate"
        )


class TestIsPattern:
    @pytest.mark.parametrize(
        ("name", "pattern"),
        [("default", False), ("build*", True), ("app-?", True), ("[ab]", True), ("ab]", False), ("", False)],
    )
    def test_globs_are_distinguished_from_names(self, name: str, pattern: bool) -> None:
        assert names.is_pattern(name) is pattern


class TestIsObjectName:
    @pytest.mark.parametrize("name", ["a", "private-registry", "system:image-pullers", "Admin_1", "a" * 253])
    def test_names_of_objects_are_recognised(self, name: str) -> None:
        assert names.is_object_name(name)

    @pytest.mark.parametrize("name", ["", "a/b", "a" * 254, "a\n", "a b", "{{ a }}", "..", "."])
    def test_text_that_cannot_be_the_name_of_an_object_is_recognised(self, name: str) -> None:
        assert not names.is_object_name(name)
