# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of `sa_wait` select the accounts to wait for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_wait import from_options
from support.objects import raised


def accounts(**options: Any) -> Any:
    return from_options({"service_accounts": ["default"], "accounts": None, **options})


def test_the_same_accounts_are_awaited_in_every_namespace() -> None:
    found = accounts(service_accounts=["b", "a", "b"])
    assert found(["x", "y"]) == {"x": ("b", "a"), "y": ("b", "a")}
    assert found.namespaces is None


def test_different_accounts_are_awaited_in_each_namespace() -> None:
    given = [{"namespace": "x", "name": "a"}, {"namespace": "y", "name": "b"}, {"namespace": "x", "name": "c"}]
    found = accounts(accounts=[*given, given[0]])
    assert found.namespaces == ["x", "y"]
    assert found(found.namespaces) == {"x": ("a", "c"), "y": ("b",)}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"accounts": []}, "option 'accounts' is empty"),
        ({"accounts": [{"namespace": "A", "name": "a"}]}, "option 'accounts': 'A' cannot be a namespace"),
        ({"accounts": [{"namespace": "a", "name": "a/b"}]}, "option 'accounts': 'a/b' cannot be an object's name"),
        ({"service_accounts": []}, "option 'service_accounts' is empty"),
        ({"service_accounts": ["a*"]}, "option 'service_accounts': 'a*' cannot be an object's name"),
    ],
)
def test_invalid_accounts_are_refused(given: dict[str, Any], message: str) -> None:
    assert raised(OptionError, lambda: accounts(**given)).startswith(message)
