# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was looked for is wanted once, and what is known is answered."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, Json, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    Lookup,
    ReadRequired,
    UnreadableObject,
)

A, B = (ObjectRef(SECRET, "ns", name) for name in "ab")


def test_what_is_not_known_is_wanted_once() -> None:
    evidence = Lookup()
    for ref in (A, B, A):
        with pytest.raises(ReadRequired):
            evidence.look(ref)
    assert evidence.take_wanted() == [A, B]
    assert evidence.take_wanted() == []


def test_what_is_known_is_not_wanted() -> None:
    evidence = Lookup({A: {"data": {}}})
    evidence.add({B: None})
    assert (evidence.look(A), evidence.look(B)) == ({"data": {}}, None)
    assert evidence.take_wanted() == []


def test_what_cannot_be_read_says_why() -> None:
    with pytest.raises(UnreadableObject, match="^refused$"):
        Lookup({A: ImagePullError("refused")}).look(A)


def test_what_is_made_of_an_object_is_made_once_until_it_is_read_again() -> None:
    asked: list[Json | None] = []

    def length(obj: Json | None) -> int:
        asked.append(obj)
        return len(obj or {})

    evidence = Lookup({A: {"data": {}}, B: ImagePullError("refused")})
    assert (evidence.made_of(A, length), evidence.made_of(A, length)) == (1, 1)
    assert len(asked) == 1
    evidence.add({B: None})
    assert (evidence.made_of(A, length), evidence.made_of(B, length), len(asked)) == (1, 0, 2)
    evidence.add({A: None})
    assert evidence.made_of(A, length) == 0
    with pytest.raises(ReadRequired):
        Lookup().made_of(A, length)
    with pytest.raises(UnreadableObject):
        Lookup({A: ImagePullError("refused")}).made_of(A, length)


def test_what_could_not_be_read_is_known_with_its_reason() -> None:
    evidence = Lookup({A: ImagePullError("refused"), B: None})
    assert evidence.unread == {A: "refused"}
    evidence.add({A: None})
    assert evidence.unread == {}
