# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The authorities of the nodes are in ConfigMaps that the cluster's configuration names."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_authorities import (
    authorities_by_map,
    authorities_for,
    key_of_host,
)
from hypothesis import given
from support.anything import CHANGES, Changed


def certificate(text: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----"


def config_maps(**data: dict[str, str]) -> dict[str, Any]:
    return {"items": [{"metadata": {"name": name.replace("_", "-")}, "data": each} for name, each in data.items()]}


ONE, TWO, OWN = certificate("b25l"), certificate("dHdv"), certificate("b3du+/==")
IMAGE_CONFIG = {"spec": {"additionalTrustedCA": {"name": "registry-ca"}}}
PROXY = {"spec": {"trustedCA": {"name": "proxy-ca"}}}
KNOWN = authorities_by_map(
    config_maps(
        user_ca_bundle={"ca-bundle.crt": f"# a comment\n{ONE}\n{ONE}\n", "other": TWO},
        proxy_ca={"ca-bundle.crt": TWO},
        registry_ca={"registry.example.com..5000": OWN, "registry.example.com": TWO},
    )
)


@pytest.mark.parametrize(
    ("host", "config", "proxy", "found"),
    [
        ("registry.example.com:5000", None, None, [ONE]),
        ("registry.example.com:5000", IMAGE_CONFIG, None, [ONE, OWN]),
        ("registry.example.com:5000", IMAGE_CONFIG, PROXY, [ONE, TWO, OWN]),
        ("registry.example.com", IMAGE_CONFIG, PROXY, [ONE, TWO]),
        ("other.example.com", IMAGE_CONFIG, None, [ONE]),
        ("a.io", {"spec": {"additionalTrustedCA": {}}}, {"spec": {"trustedCA": {"name": ""}}}, [ONE]),
        ("a.io", {"spec": {"additionalTrustedCA": {"name": "gone"}}}, {"spec": {"trustedCA": 5}}, [ONE]),
    ],
)
def test_a_registry_has_the_authorities_of_all_registries_and_its_own(
    host: str, config: Any, proxy: Any, found: list[str]
) -> None:
    assert authorities_for(host, KNOWN, config, proxy) == "\n".join(found)
    assert authorities_for(host, {}, config, proxy) == ""


def test_the_key_of_a_registry_has_two_points_before_the_port() -> None:
    assert [key_of_host(host) for host in ("a.io", "a.io:5000")] == ["a.io", "a.io..5000"]


@pytest.mark.parametrize(
    "text", ["", "no certificate", certificate("é"), certificate("{{ x }}"), "-----BEGIN CERTIFICATE-----"]
)
def test_other_text_is_left_out(text: str) -> None:
    known = authorities_by_map(config_maps(user_ca_bundle={"ca-bundle.crt": f"{text}\n{ONE}"}))
    assert authorities_for("a.io", known, None, None) == ONE


@given(CHANGES)
def test_malformed_objects_raise_no_error(change: Changed) -> None:
    found = change({**config_maps(user_ca_bundle={"ca-bundle.crt": ONE}), **PROXY})
    odd = found if isinstance(found, dict) else None
    authorities_for("a.io", authorities_by_map(odd), odd, odd)
