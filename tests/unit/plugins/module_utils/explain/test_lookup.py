# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A missing object is requested once, and a known object is returned."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, Json, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    Lookup,
    ReadRequired,
    UnreadableObject,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    KNOWN_IMAGE_POLICIES,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import network_ref

A, B = (ObjectRef(SECRET, "ns", name) for name in "ab")


def test_an_unknown_object_is_wanted_once() -> None:
    evidence = Lookup()
    for ref in (A, B, A):
        with pytest.raises(ReadRequired):
            evidence.look(ref)
    assert evidence.take_wanted() == [A, B]
    assert evidence.take_wanted() == []


def test_a_known_object_is_not_wanted() -> None:
    evidence = Lookup({A: {"data": {}}})
    evidence.add({B: None})
    assert (evidence.look(A), evidence.look(B)) == ({"data": {}}, None)
    assert evidence.take_wanted() == []


def test_facts_that_no_caller_has_to_read_are_not_wanted() -> None:
    evidence = Lookup()
    assert (evidence.look(network_ref("q.io")), evidence.look(KNOWN_IMAGE_POLICIES)) == (None, None)
    assert evidence.take_wanted() == []


def test_an_unreadable_object_raises_its_reason() -> None:
    with pytest.raises(UnreadableObject, match="^refused$"):
        Lookup({A: ImagePullError("refused")}).look(A)


def test_a_derived_value_is_computed_once_until_its_object_is_read_again() -> None:
    asked: list[Json | None] = []

    def length(obj: Json | None) -> int:
        asked.append(obj)
        return len(obj or {})

    evidence = Lookup({A: {"data": {}}, B: ImagePullError("refused")})
    assert (evidence.derive(A, length), evidence.derive(A, length)) == (1, 1)
    assert len(asked) == 1
    evidence.add({B: None})
    assert (evidence.derive(A, length), evidence.derive(B, length), len(asked)) == (1, 0, 2)
    evidence.add({A: None})
    assert evidence.derive(A, length) == 0
    with pytest.raises(ReadRequired):
        Lookup().derive(A, length)
    with pytest.raises(UnreadableObject):
        Lookup({A: ImagePullError("refused")}).derive(A, length)


def test_an_unreadable_object_is_listed_with_its_reason() -> None:
    evidence = Lookup({A: ImagePullError("refused"), B: None})
    assert evidence.unread == {A: "refused"}
    evidence.add({A: None})
    assert evidence.unread == {}
