# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that a plan looked up are kept up to date while the engine writes."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import (
    find_related,
    store_object,
    update_related,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.pods import TRIMMED_POD

A, B, ALL = ObjectRef(TRIMMED_POD, "ns", "a"), ObjectRef(TRIMMED_POD, "ns", "b"), ObjectRef(TRIMMED_POD, "ns", "")
OTHER = ObjectRef(SECRET, "ns", "a")


def pod(name: str, version: str = "1") -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": version}}


class TestRemember:
    def test_a_deleted_object_is_removed_from_every_list(self) -> None:
        found = {ALL: {"items": [pod("a"), pod("b")]}, B: pod("b"), OTHER: pod("a")}
        assert update_related(found, B, None) == {ALL: {"items": [pod("a")]}, B: None, OTHER: pod("a")}
        assert found[B] == pod("b"), "what was known before is not touched"

    def test_a_changed_object_is_known_in_its_new_state(self) -> None:
        found = {ALL: {"items": [pod("a"), pod("b")]}}
        assert update_related(found, A, pod("a", "2")) == {ALL: {"items": [pod("b"), pod("a", "2")]}}

    def test_an_object_that_was_not_looked_up_stays_unknown(self) -> None:
        assert update_related({}, A, pod("a")) == {}


class TestKnown:
    def test_an_object_is_known_by_itself_or_in_the_list_of_its_kind(self) -> None:
        assert find_related({A: pod("a", "2"), ALL: {"items": [pod("b"), pod("a")]}}, A) == pod("a", "2")
        assert find_related({ALL: {"items": [pod("b"), pod("a")]}}, A) == pod("a")

    def test_a_missing_or_unread_object_is_not_known(self) -> None:
        assert find_related({A: None, ALL: {"items": [pod("a")]}}, A) is None
        for found in ({}, {ALL: None}, {ALL: {}}, {ALL: {"items": [pod("b")]}}, {OTHER: pod("a")}):
            assert find_related(found, A) is None


class TestStored:
    def test_an_object_of_the_main_kind_is_stored_among_the_objects(self) -> None:
        objects, found = {"a": pod("a"), "b": pod("b")}, {OTHER: pod("a")}
        assert store_object(TRIMMED_POD, objects, found, A, pod("a", "2")) is found
        assert store_object(TRIMMED_POD, objects, found, B, None) is found
        assert store_object(TRIMMED_POD, objects, found, B, None) is found, "gone already"
        assert objects == {"a": pod("a", "2")}

    def test_an_object_of_another_kind_is_stored_among_the_related_objects(self) -> None:
        objects: dict[str, Any] = {"a": pod("a")}
        assert store_object(SECRET, objects, {A: pod("a")}, A, None) == {A: None}
        assert objects == {"a": pod("a")}
