# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Architectures, authorities and versions of nodes are read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import trim_object
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import (
    NodeVersions,
    additional_ref,
    architectures_of,
    authorities_for,
    bundle_refs,
    format_version,
    key_of_host,
    kinds_of,
    limits_of_pod,
    nodes_by_architecture,
    nodes_of,
    release_in,
    trim_placement,
    version_in,
)
from hypothesis import given
from support.anything import CHANGES, Changed
from support.pull_evidence import node

# --- The architectures of nodes are read from their status, and the limits of a pod from its spec


def machine(name: str, architecture: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"nodeInfo": {"architecture": architecture}}}


MACHINES = [machine("b", "arm64"), machine("a", "amd64"), machine("c", "amd64")]


def test_the_different_architectures_of_the_nodes_are_returned() -> None:
    assert architectures_of(MACHINES) == ["amd64", "arm64"]
    assert architectures_of(MACHINES[1:]) == ["amd64"]


@pytest.mark.parametrize("odd", ["", "AMD64", "a/b", "x" * 21, None, 5, ["amd64"], "amd64\n"])
def test_an_odd_architecture_is_left_out(odd: Any) -> None:
    assert architectures_of([machine("a", odd), machine("b", "s390x")]) == ["s390x"]


def test_unknown_nodes_have_no_architecture() -> None:
    assert architectures_of([]) == []
    assert architectures_of([{}, {"status": None}]) == []


def test_the_nodes_are_grouped_by_their_architecture() -> None:
    assert nodes_by_architecture([*MACHINES, machine("odd", "A")]) == {"amd64": ["a", "c"], "arm64": ["b"]}


def required(*terms: Any) -> dict[str, Any]:
    rule = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [*terms]}}
    return {"affinity": {"nodeAffinity": rule}}


def term(*values: str, key: str = "kubernetes.io/arch", operator: str = "In") -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": [*values]}]}


ZONE = term("a", key="zone")

SELECTED = {"nodeSelector": {"kubernetes.io/arch": "arm64", "zone": "a"}}


@pytest.mark.parametrize(
    ("spec", "limits"),
    [
        ({}, ()),
        ({"nodeSelector": {"zone": "a"}}, ()),
        (SELECTED, ("arm64",)),
        ({"nodeSelector": {"beta.kubernetes.io/arch": "amd64"}}, ("amd64",)),
        (required(term("arm64", "amd64")), ("amd64", "arm64")),
        (required(term("amd64"), term("s390x")), ("amd64", "s390x")),
        (required(term("amd64"), ZONE), ()),
        (required(ZONE), ()),
        (
            required({"matchExpressions": [*term("amd64", "arm64")["matchExpressions"], *ZONE["matchExpressions"]]}),
            ("amd64", "arm64"),
        ),
        (required(term("amd64", operator="NotIn")), ()),
        ({**SELECTED, **required(term("amd64", "arm64"))}, ("arm64",)),
    ],
)
def test_a_pod_is_limited_by_its_node_selector_and_its_required_affinity(spec: Any, limits: Any) -> None:
    assert limits_of_pod(spec) == limits
    assert limits_of_pod(trim_placement(spec)) == limits


def test_a_trimmed_placement_has_nothing_else() -> None:
    assert trim_placement({**SELECTED, "containers": []}) == {"nodeSelector": {"kubernetes.io/arch": "arm64"}}
    assert trim_placement({"affinity": {"podAffinity": {}}}) == {}


@given(CHANGES)
def test_malformed_placements_raise_no_error(change: Changed) -> None:
    spec = change({**SELECTED, **required(term("amd64"), ZONE)})
    if isinstance(spec, dict):
        limits_of_pod(spec)
        trim_placement(spec)


@given(CHANGES)
def test_malformed_nodes_raise_no_error(change: Changed) -> None:
    for each in change(MACHINES) or ():
        if isinstance(each, dict):
            architectures_of([each])


# --- The authorities of the nodes are in ConfigMaps that the cluster's configuration names


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


# --- The versions that nodes report are read


def of(*nodes: Any) -> list[NodeVersions]:
    return list(nodes_of([*nodes]).values())


def test_kubelet_and_runtime_versions_of_a_node_are_read() -> None:
    assert of(node()) == [NodeVersions("n", (1, 34), "cri-o", (1, 34, 1))]
    assert of(node(runtime="containerd://2.1.0-rc.1", kubelet="v1.35.0+k3s1")) == [
        NodeVersions("n", (1, 35), "containerd", (2, 1, 0))
    ]
    assert of({}, None) == [NodeVersions("", None, "", None)]
    assert nodes_of([]) == {}


def test_nodes_with_equal_versions_are_listed_once() -> None:
    nodes = of(node("a"), node("b"), node("c", kubelet="v1.35.1"), node("d", kubelet="v1.35.3"))
    assert [each.kubelet for each in kinds_of(nodes)] == [(1, 34), (1, 35)]


def test_runtimes_that_differ_in_the_patch_number_are_different_kinds() -> None:
    nodes = of(node("a", "cri-o://1.35.1"), node("b", "cri-o://1.35.2"))
    assert [each.runtime_version for each in kinds_of(nodes)] == [(1, 35, 1), (1, 35, 2)]


@pytest.mark.parametrize(
    ("given", "version"),
    [("1.34.1", (1, 34)), ("v1.35.0-x", (1, 35)), ("1", None), ("", None), ("x1.2", None), ("1.23456", None)],
)
def test_the_major_and_minor_version_is_read(given: str, version: Any) -> None:
    assert version_in(given) == version


@pytest.mark.parametrize(
    ("given", "release"),
    [
        ("1.35.2-3.rhaos4.22.git1a2b3c4.el9", (1, 35, 2)),
        ("1.36.0-rc.0", (1, 36, 0)),
        ("1.35", (1, 35)),
        ("1.35.12345", (1, 35)),
        ("1.35.x", (1, 35)),
        ("1", None),
    ],
)
def test_the_patch_number_of_a_runtime_is_read(given: str, release: Any) -> None:
    assert release_in(given) == release


def test_a_trimmed_list_keeps_only_the_versions() -> None:
    kept = trim_object(NODES.kind, node())
    assert of(kept) == of(node())
    assert "images" not in kept["status"]


@given(CHANGES)
def test_malformed_nodes_cause_no_failure(change: Changed) -> None:
    for each in change([node(), node()]) or ():
        if isinstance(each, dict):
            kinds_of(of(trim_object(NODES.kind, each)))


@pytest.mark.parametrize(("version", "text"), [((1, 36, 0), "1.36.0"), ((1, 34), "1.34"), (None, "")])
def test_a_version_is_written_with_its_parts(version: tuple[int, ...] | None, text: str) -> None:
    assert format_version(version) == text
