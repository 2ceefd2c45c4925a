# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials are given by one of several options, and `include` selects the registries of a file."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import (
    SOURCES,
    auth_file_from_options,
)

TEXT = '{"auths": {"quay.io": {"auth": "dTpw"}, "r.example.com": {"auth": "dTpw"}}}'


def registries(**options: Any) -> list[str]:
    return sorted(
        auth_file_from_options(
            {**dict.fromkeys(SOURCES), "include": None, **options}, lambda path: TEXT if path == "f" else ""
        ).registries
    )


def test_each_source_gives_its_registries() -> None:
    login = {"registry": "quay.io", "username": "u", "password": "p"}
    assert registries(registries=[login]) == ["quay.io"]
    for given in (
        {"auth_file": "f"},
        {"auth_config": TEXT},
        {"auth_config": {"auths": {"r.example.com": {"auth": "dTpw"}}}},
    ):
        assert "r.example.com" in registries(**given)


def test_include_selects_some_registries() -> None:
    assert registries(auth_file="f", include=["*.example.com"]) == ["r.example.com"]
    with pytest.raises(OptionError, match="none"):
        registries(auth_config=TEXT, include=["none"])


def test_errors_name_the_source() -> None:
    with pytest.raises(OptionError, match="option 'registries' is empty"):
        registries(registries=[])
    with pytest.raises(OptionError, match="auth file g"):
        registries(auth_file="g")
    with pytest.raises(OptionError, match="option 'auth_config'"):
        registries(auth_config="{")
