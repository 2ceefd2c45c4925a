# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A credential that YAML has not read as text is refused with its path and without its value."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import FILE_ARGUMENTS
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import (
    find_unquoted,
    why_unquoted,
)
from hypothesis import given
from hypothesis import strategies as st

MODULES = sorted(path.stem for path in (Path(__file__).parents[4] / "plugins/modules").glob("*.py"))
SPEC = {
    "username": {"type": "str"},
    "password": {"type": "raw", "no_log": True},
    "path": {"type": "path", "no_log": False},
    "count": {"type": "int"},
    **FILE_ARGUMENTS,
    "registries": {
        "type": "list",
        "options": {"username": {"type": "str"}, "password": {"type": "str", "no_log": True}},
    },
}


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("0123", "a number"), ("123", "a number"), ("0x1F", "a number"), ("1_000", "a number"), ("1.5", "a number"), ("12:34:56", "a number"),
        ("yes", "true or false"), ("off", "true or false"), ("true", "true or false"), ("2030-01-02", "a date"), ("2030-01-02 03:04:05", "a date"),
        (".inf", "a number"),
    ],
)  # fmt: skip
def test_each_unquoted_form_is_refused_with_its_kind(written: str, kind: str) -> None:
    for name in ("username", "password"):
        (said,) = find_unquoted(SPEC, {name: yaml.safe_load(written)})
        assert said == f"{name} is {kind} and not a text: YAML has changed it, so put it in quotes where it is defined"
        assert [*find_unquoted(SPEC, {name: yaml.safe_load(f"'{written}'")})] == []


@given(st.text())
def test_any_text_is_accepted(text: str) -> None:
    assert why_unquoted("x", text) == ""


def test_all_places_of_unquoted_logins_are_named() -> None:
    given = {
        "count": 3,
        "path": 3,
        "unknown": 3,
        "password": None,
        "registries": [{"username": "u"}, {"username": 1, "password": 2.5}, 3],
    }
    assert [said.partition(" ")[0] for said in find_unquoted(SPEC, given)] == [
        "registries[1].username",
        "registries[1].password",
    ]


def test_an_unquoted_login_is_named_by_its_variable() -> None:
    given = {"password": 1, "registries": [{"username": 1}], "auth_config": {"day": date(2030, 1, 2)}}
    names = {"password": "my_password", "registries": "my_registries", "auth_config": "my_file"}
    assert [said.partition(" is ")[0] for said in find_unquoted(SPEC, given, variables=names)] == [
        "variable my_password",
        "my_registries[0].username",
        "variable my_file.day",
    ]


def test_only_dates_in_an_auth_file_are_refused() -> None:
    """A number in the file is checked when the file is read. A date would already be text at that point."""
    file = yaml.safe_load("auths: {quay.io: {username: u, password: 2030-01-02, n: 3}, r: [2030-01-02]}")
    assert [said.partition(" is ")[0] for said in find_unquoted(SPEC, {"auth_config": file})] == [
        "auth_config.auths.quay.io.password",
        "auth_config.auths.r[0]",
    ]


def credentials_in(arguments: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, str]]:
    for name, spec in arguments.items():
        if "options" in spec:
            yield from credentials_in(spec["options"], f"{where}{name}.")
        elif name in ("username", "password", "token", "offline_token", "client_secret", "api_key"):
            yield where, name


@pytest.mark.parametrize("module", MODULES)
def test_each_module_has_its_logins_checked(module: str) -> None:
    arguments = importlib.import_module(
        f"ansible_collections.openshift_ops.image_pull.plugins.modules.{module}"
    ).MODULE.arguments
    for where, name in credentials_in(arguments):
        given: Any = {name: 83}
        for part in reversed(where.split(".")[:-1]):
            given = {part: given}
        assert [*find_unquoted(arguments, given)], f"{where}{name}"
