# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifests that a node can choose from an index."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.transport import (
    ANY_ARCHITECTURE,
    INDEX_TYPES,
    IndexEntry,
    chosen_entries,
    linux_entries,
    parse_architecture,
    parse_json,
)

OCI, DOCKER = INDEX_TYPES
ONE, TWO = (f"sha256:{digit * 64}" for digit in "ab")


def entries(*manifests: Any, media_type: str = OCI) -> list[IndexEntry]:
    return list(linux_entries({"manifests": [*manifests]}, media_type))


def entry(digest: Any = ONE, **platform: Any) -> dict[str, Any]:
    return {"digest": digest, "platform": {"os": "linux", **platform}}


@pytest.mark.parametrize(
    ("platform", "architecture"),
    [
        ({"architecture": "amd64"}, "amd64"),
        ({"architecture": "amd64", "variant": ""}, "amd64"),
        ({"architecture": "arm64", "variant": "v8"}, "arm64"),
        ({"architecture": "arm", "variant": "v7"}, "arm"),
        ({"architecture": "amd64", "variant": "v2"}, None),
        ({"architecture": "arm64", "variant": "v9"}, None),
        ({"architecture": "amd64", "os": "windows"}, None),
        ({"architecture": "unknown", "os": "unknown"}, None),
        ({"architecture": "unknown"}, None),
        ({"architecture": "a/b"}, None),
        ({"architecture": 5}, None),
        ({}, None),
    ],
)
def test_an_entry_counts_if_a_linux_node_can_choose_it(platform: dict[str, Any], architecture: str | None) -> None:
    assert entries(entry(**platform)) == ([IndexEntry(architecture, ONE)] if architecture else [])


def test_an_entry_without_a_platform_is_for_all_nodes_in_an_oci_index_only() -> None:
    assert entries({"digest": ONE}) == [IndexEntry(ANY_ARCHITECTURE, ONE)]
    assert entries({"digest": ONE}, media_type=DOCKER) == []


def test_an_invalid_digest_is_dropped() -> None:
    assert entries(entry("../token", architecture="amd64")) == [IndexEntry("amd64", "")]


@pytest.mark.parametrize("content", [{}, {"manifests": 5}, {"manifests": {"a": 1}}], ids=str)
def test_an_odd_index_has_no_entry(content: dict[str, Any]) -> None:
    assert list(linux_entries(content, DOCKER)) == []


def test_an_entry_for_all_nodes_is_the_last_choice() -> None:
    found = entries({"digest": ONE}, entry(TWO, architecture="amd64"))
    assert chosen_entries(found, "amd64") == [IndexEntry("amd64", TWO)]
    assert chosen_entries(found, "s390x") == [IndexEntry(ANY_ARCHITECTURE, ONE)]
    assert chosen_entries(found[1:], "s390x") == []


def test_an_architecture_has_the_form_of_a_name() -> None:
    odd = ("", "AMD64", "x" * 21, "a\n", "{{ x }}", 5, None)
    assert [parse_architecture({"architecture": each}) for each in odd] == [""] * len(odd)
    assert parse_architecture({"architecture": "ppc64le"}) == "ppc64le"


@pytest.mark.parametrize("body", [b"", b"[]", b"5", b"\xff", b"[" * 60_000])
def test_a_body_that_is_no_object_is_empty(body: bytes) -> None:
    assert parse_json(body) == {}
