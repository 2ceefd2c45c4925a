# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registries are queried in parallel, equal ones once, and a failing registry does not affect the others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import EntryList
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.registry_auth import ask_registries
from support.certificates import server_context, write_certificate
from support.hostile_registry import HostileRegistry, served
from support.surveyed import token

FORM = EntryList("registries", "registry")
USUAL = {
    "registry": None,
    "realm_host": None,
    "registry_ca_cert": None,
    "registry_validate_certs": True,
    "registry_timeout": 10,
    "registries": None,
}


def ask(**options: Any) -> dict[str, Any]:
    return ask_registries(FORM, {**USUAL, **options})


def test_a_single_registry_that_fails_fails_the_task() -> None:
    with pytest.raises(OptionError, match="'registry'"):
        ask(registry="a b")


def test_many_registries_are_reported_in_their_order() -> None:
    result = ask(
        realm_host="sso.example.com",
        registries=[
            {"registry": "sso.example.com"},
            {"registry": "r.example.com"},
            {"registry": "q", "realm_host": "q"},
        ],
    )
    assert [(one["registry"], one["delegated"]) for one in result["registries"]] == [
        ("sso.example.com", False),
        ("r.example.com", True),
        ("q", False),
    ]
    assert (result["failures"], result["changed"], "failed" in result) == ([], False, False)


def test_a_failed_registry_is_named_and_the_others_have_answered() -> None:
    result = ask(
        registries=[
            {"registry": "r", "realm_host": "sso.example.com"},
            {"registry": "127.0.0.1:1", "title": "mine[7]"},
            {"registry": "127.0.0.1:1"},
        ],
    )
    assert result["failed"] is True
    assert [one.get("realm_host") for one in result["registries"]] == ["sso.example.com", None, None]
    assert [(row["entry"], row["title"]) for row in result["failures"]] == [(1, "mine[7]"), (2, "registries[2]")]
    assert result["msg"].startswith("2 of 3 registries did not answer: mine[7]: asking registry 127.0.0.1:1")
    assert "; registries[2]: asking registry" in result["msg"]


def test_options_that_cannot_work_are_refused_all_at_once() -> None:
    """The refusal comes before the first request to a registry."""
    wrong = [{"registry": "a b", "title": "mine[7]"}, {"registry": "r", "realm_host": "a b"}, {"registry": "r"}]
    with pytest.raises(
        OptionError, match=r"^mine\[7\]: option 'registry'.*; registries\[1\] \(r\): option 'realm_host'"
    ):
        ask(registries=wrong)


def test_an_empty_list_of_registries_is_refused() -> None:
    with pytest.raises(OptionError, match="^option 'registries' is empty: give at least one entry$"):
        ask(registries=[])


def test_an_expired_login_is_distinguished_from_a_wrong_one(tmp_path: Path, no_outside_settings: None) -> None:
    """The registry of this test refuses all users."""
    certificate = write_certificate(tmp_path / "server.pem")

    def script(_server: HostileRegistry) -> Iterable[bytes]:
        yield b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="r"\r\nConnection: close\r\n\r\n'

    with served(script, server_context(certificate)) as server:
        given = {
            "registry": server.host,
            "username": "u",
            "repositories": ["team/app"],
            "registry_ca_cert": certificate,
        }
        over, wrong = (ask(**given, password=password) for password in (token(exp=60), "wrong"))
    assert over["works"] is False
    assert over["login"]["outcome"] == "expired"
    assert over["repositories"][0]["outcome"] == "expired"
    assert over["login"]["message"].startswith(
        f"{server.host} refuses the login, which has expired at 1970-01-01T00:01:00Z, as its token says: get a new one"
    )
    assert wrong["login"] == {"outcome": "bad_login", "message": f"registry {server.host} refuses the login"}
