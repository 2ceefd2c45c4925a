# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan looked up stays true while the engine writes."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.related import (
    known,
    stored,
    updated,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.pods import TRIMMED_POD

A, B, ALL = ObjectRef(TRIMMED_POD, "ns", "a"), ObjectRef(TRIMMED_POD, "ns", "b"), ObjectRef(TRIMMED_POD, "ns", "")
OTHER = ObjectRef(SECRET, "ns", "a")


def pod(name: str, version: str = "1") -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": version}}


class TestRemember:
    def test_one_that_is_gone_is_in_no_list(self) -> None:
        found = {ALL: {"items": [pod("a"), pod("b")]}, B: pod("b"), OTHER: pod("a")}
        assert updated(found, B, None) == {ALL: {"items": [pod("a")]}, B: None, OTHER: pod("a")}
        assert found[B] == pod("b"), "what was known before is not touched"

    def test_one_that_changed_is_known_as_it_is_now(self) -> None:
        found = {ALL: {"items": [pod("a"), pod("b")]}}
        assert updated(found, A, pod("a", "2")) == {ALL: {"items": [pod("b"), pod("a", "2")]}}

    def test_what_was_not_looked_up_stays_unknown(self) -> None:
        assert updated({}, A, pod("a")) == {}


class TestKnown:
    def test_on_its_own_or_in_the_list_of_its_kind(self) -> None:
        assert known({A: pod("a", "2"), ALL: {"items": [pod("b"), pod("a")]}}, A) == pod("a", "2")
        assert known({ALL: {"items": [pod("b"), pod("a")]}}, A) == pod("a")

    def test_what_is_gone_or_was_not_read(self) -> None:
        assert known({A: None, ALL: {"items": [pod("a")]}}, A) is None
        for found in ({}, {ALL: None}, {ALL: {}}, {ALL: {"items": [pod("b")]}}, {OTHER: pod("a")}):
            assert known(found, A) is None


class TestStored:
    def test_of_the_kind_it_is_among_the_objects(self) -> None:
        objects, found = {"a": pod("a"), "b": pod("b")}, {OTHER: pod("a")}
        assert stored(TRIMMED_POD, objects, found, A, pod("a", "2")) is found
        assert stored(TRIMMED_POD, objects, found, B, None) is found
        assert stored(TRIMMED_POD, objects, found, B, None) is found, "gone already"
        assert objects == {"a": pod("a", "2")}

    def test_of_another_kind_it_is_among_the_related(self) -> None:
        objects: dict[str, Any] = {"a": pod("a")}
        assert stored(SECRET, objects, {A: pod("a")}, A, None) == {A: None}
        assert objects == {"a": pod("a")}
