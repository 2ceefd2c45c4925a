# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The authorities of the nodes are in ConfigMaps that the cluster's configuration names."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import (
    additional_ref,
    authorities_for,
    bundle_refs,
    key_of_host,
)
from hypothesis import given
from support.anything import CHANGES, Changed


def certificate(text: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----"


def bundle(*texts: str) -> dict[str, Any]:
    return {"data": {"ca-bundle.crt": "\n".join(texts)}}


ONE, TWO, OWN = certificate("b25l"), certificate("dHdv"), certificate("b3du+/==")
ADDITIONAL = {"data": {"registry.example.com..5000": OWN, "registry.example.com": TWO}}


@pytest.mark.parametrize(
    ("proxy", "names"),
    [
        (None, ["user-ca-bundle"]),
        ({"spec": {"trustedCA": {"name": ""}}}, ["user-ca-bundle"]),
        ({"spec": {"trustedCA": {"name": "user-ca-bundle"}}}, ["user-ca-bundle"]),
        ({"spec": {"trustedCA": {"name": "proxy-ca"}}}, ["user-ca-bundle", "proxy-ca"]),
        ({"spec": {"trustedCA": 5}}, ["user-ca-bundle"]),
    ],
)
def test_the_proxy_can_name_a_second_bundle(proxy: Any, names: list[str]) -> None:
    found = bundle_refs(proxy)
    assert [each.name for each in found] == names
    assert {(each.kind.resource, each.namespace) for each in found} == {("configmaps", "openshift-config")}


def test_the_image_config_can_name_authorities_of_single_registries() -> None:
    found = additional_ref({"spec": {"additionalTrustedCA": {"name": "registry-ca"}}})
    assert found is not None
    assert (found.kind.resource, found.namespace, found.name) == ("configmaps", "openshift-config", "registry-ca")
    assert [additional_ref(each) for each in (None, {}, {"spec": {"additionalTrustedCA": {}}})] == [None] * 3


def test_the_key_of_a_registry_has_two_points_before_the_port() -> None:
    assert [key_of_host(host) for host in ("a.io", "a.io:5000")] == ["a.io", "a.io..5000"]


def test_a_registry_has_the_authorities_of_all_registries_and_its_own() -> None:
    bundles = [bundle("# a comment", ONE, ONE), None, bundle(TWO)]
    assert authorities_for("registry.example.com:5000", bundles, ADDITIONAL) == [ONE, TWO, OWN]
    assert authorities_for("other.example.com:5000", bundles, ADDITIONAL) == [ONE, TWO]
    assert authorities_for("other.example.com", [], None) == []


@pytest.mark.parametrize(
    "text", ["", "no certificate", certificate("é"), certificate("{{ x }}"), "-----BEGIN CERTIFICATE-----"]
)
def test_other_text_is_left_out(text: str) -> None:
    assert authorities_for("a.io", [bundle(text, ONE)], {"data": {"a.io": text}}) == [ONE]


@given(CHANGES)
def test_malformed_objects_raise_no_error(change: Changed) -> None:
    found = change({"data": {"ca-bundle.crt": ONE}, "spec": {"trustedCA": {"name": "x"}}})
    odd = found if isinstance(found, dict) else None
    authorities_for("a.io", [odd], odd)
    bundle_refs(odd)
    additional_ref(odd)
