# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two changes of one object become one write if its effect is the same."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    Change,
    Entry,
    create,
    delete,
    replace,
    update,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import Writes, object_after
from hypothesis import given
from hypothesis import strategies as st

A, B = ObjectRef(SECRET, "ns", "a"), ObjectRef(SECRET, "ns", "b")
FIRST, SECOND, THIRD = Entry("secrets", 0), Entry("secrets", 1), Entry("secrets", 2)
HELD = {"metadata": {"name": "a", "uid": "u", "resourceVersion": "7", "labels": {"old": "1"}}, "data": {"x": "1"}}


def updated(patch: Any, *, ref: ObjectRef = A, observed: Any = None, **told: Any) -> Change:
    return update(
        ref,
        HELD if observed is None else observed,
        patch,
        told.get("details", {}),
        before=told.get("before", {}),
        after=told.get("after", {}),
    )


def joined(*changes: Change) -> tuple[Change, ...]:
    writes = Writes()
    for change, entry in zip(changes, (FIRST, SECOND, THIRD), strict=False):
        writes.add(change, entry)
    return writes.changes


class TestOrder:
    def test_writes_are_empty_at_first(self) -> None:
        assert Writes().changes == ()

    def test_changes_of_different_objects_stay_separate_in_their_order(self) -> None:
        other = ObjectRef(SERVICE_ACCOUNT, "ns", "a")
        changes = joined(updated({}), updated({}, ref=B), updated({}, ref=other))
        assert [(change.ref, change.entries) for change in changes] == [
            (A, (FIRST,)),
            (B, (SECOND,)),
            (other, (THIRD,)),
        ]

    def test_a_joined_change_keeps_the_position_of_the_first(self) -> None:
        changes = joined(updated({}), updated({}, ref=B), updated({}))
        assert [(change.ref, change.entries) for change in changes] == [(A, (FIRST, THIRD)), (B, (SECOND,))]

    def test_an_entry_that_changes_an_object_twice_is_named_once(self) -> None:
        writes = Writes()
        for _time in range(2):
            writes.add(updated({}), FIRST)
        assert [change.entries for change in writes.changes] == [(FIRST,)]

    def test_an_update_after_a_second_write_is_joined_with_that_write(self) -> None:
        gone = delete(A, HELD, {}, {})
        new = create(A, {"data": {"x": "2"}}, {}, {})
        more = updated({"data": {"y": "3"}}, observed=object_after(new, None))
        changes = joined(gone, new, more)
        assert [(change.action, change.entries) for change in changes] == [
            ("delete", (FIRST,)),
            ("create", (SECOND, THIRD)),
        ]


class TestUpdates:
    def test_updates_are_joined_to_one_patch_with_the_version_that_was_read(self) -> None:
        (change,) = joined(updated({"data": {"x": "2"}}), updated({"data": {"y": "3"}, "immutable": True}))
        assert change.action == "update"
        assert change.body == {"metadata": {"resourceVersion": "7"}, "data": {"x": "2", "y": "3"}, "immutable": True}

    def test_the_later_update_counts_and_lists_are_replaced(self) -> None:
        (change,) = joined(updated({"items": [1], "a": {"b": 1}}), updated({"items": [2], "a": 5}))
        assert (change.body["items"], change.body["a"]) == ([2], 5)

    @pytest.mark.parametrize("old", [None, 5, [1]], ids=str)
    def test_an_object_that_replaces_a_removed_value_is_a_second_write(self, old: Any) -> None:
        """One merge patch would keep the other keys of the observed object."""
        changes = joined(updated({"data": old}), updated({"data": {"y": "1"}}))
        assert [(change.body["data"], change.entries) for change in changes] == [
            (old, (FIRST,)),
            ({"y": "1"}, (SECOND,)),
        ]

    def test_a_removed_key_stays_removed_in_a_joined_update(self) -> None:
        (change,) = joined(updated({"data": {"x": None}}), updated({"data": {"y": "1"}}))
        assert change.body["data"] == {"x": None, "y": "1"}
        (change,) = joined(updated({"data": {"x": "1"}}), updated({"data": {"x": None}}))
        assert change.body["data"] == {"x": None}

    def test_joined_updates_report_the_state_before_the_first_and_after_the_last(self) -> None:
        one = updated({}, before={"one": ["a"], "two": 0}, after={"one": ["a", "b"], "two": 1})
        two = updated({}, before={"one": ["a", "b"], "three": 2}, after={"one": ["a", "b", "c"], "three": 3})
        (change,) = joined(one, two)
        assert change.before == {"one": ["a"], "two": 0, "three": 2}
        assert change.after == {"one": ["a", "b", "c"], "two": 1, "three": 3}

    def test_joined_updates_report_each_detail_once(self) -> None:
        one = {"lists": {"pull": {"added": ["a"], "removed": []}}, "role": "x", "granted": ("j",)}
        two = {"lists": {"pull": {"added": ["b", "a"]}, "mount": {"added": ["c"]}}, "role": "y", "revoked": ["k"]}
        (change,) = joined(updated({}, details=one), updated({}, details=two))
        assert change.details == {
            "lists": {"pull": {"added": ["a", "b"], "removed": []}, "mount": {"added": ["c"]}},
            "role": "y",
            "granted": ("j",),
            "revoked": ["k"],
        }

    def test_the_second_detail_counts_if_the_type_differs(self) -> None:
        one, two = {"a": ["x"], "b": "text", "c": {"d": 1}}, {"a": "y", "b": ["z"], "c": 2}
        for first, second in ((one, two), (two, one)):
            (change,) = joined(updated({}, details=first), updated({}, details=second))
            assert change.details == second

    def test_an_update_before_a_deletion_is_the_deletion(self) -> None:
        one = updated(
            {"data": {}}, details={"revoked": ["x"]}, before={"subjects": ["x", "y"]}, after={"subjects": ["y"]}
        )
        two = delete(A, HELD, {"revoked": ["y"]}, {"subjects": ["y"]})
        (change,) = joined(one, two)
        assert (change.action, change.body, change.entries) == ("delete", two.body, (FIRST, SECOND))
        assert (change.before, change.after) == ({"subjects": ["x", "y"]}, {})
        assert change.details == {"revoked": ["x", "y"]}

    def test_an_update_before_a_replacement_is_the_replacement(self) -> None:
        one = updated(
            {"data": {"y": "2"}}, details={"revoked": ["x"]}, before={"subjects": ["x"]}, after={"subjects": []}
        )
        left = object_after(one, HELD)
        assert left is not None
        details = {"granted": ["z"], "revoked": []}
        two = replace(A, left, {"data": {"x": "2"}}, details, before={"subjects": []}, after={"subjects": ["z"]})
        (change,) = joined(one, two)
        assert (change.action, change.body, change.old, change.entries) == ("replace", two.body, left, (FIRST, SECOND))
        assert (change.before, change.after) == ({"subjects": ["x"]}, {"subjects": ["z"]})
        assert change.details == {"granted": ["z"], "revoked": ["x"]}
        assert change.old["metadata"]["resourceVersion"] == "7"

    def test_two_replacements_are_two_writes(self) -> None:
        new = replace(A, HELD, {}, {}, before={}, after={})
        changes = joined(new, replace(A, object_after(new, HELD) or {}, {}, {}, before={}, after={}))
        assert [change.action for change in changes] == ["replace", "replace"]


class TestNewObjects:
    def test_a_create_and_an_update_are_one_create(self) -> None:
        new = create(A, {"data": {"x": "1"}, "metadata": {"labels": {"l": "1"}}}, {"added": ["x"]}, {"k": "1", "j": 1})
        more = updated(
            {"data": {"y": "2"}, "metadata": {"labels": {"m": "2", "l": None}}},
            observed=object_after(new, None),
            details={"added": ["y"]},
            before={"k": "1"},
            after={"k": "2"},
        )
        (change,) = joined(new, more)
        meta = {
            "name": "a",
            "namespace": "ns",
            "labels": {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "m": "2"},
        }
        assert change.body == {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": {"x": "1", "y": "2"}}
        assert (change.action, change.entries) == ("create", (FIRST, SECOND))
        assert (change.before, change.after) == ({}, {"k": "2", "j": 1})
        assert change.details == {"added": ["x", "y"]}

    def test_a_replacement_and_an_update_are_one_replacement(self) -> None:
        new = replace(A, HELD, {"data": {"x": "2"}}, {}, before={"k": "0"}, after={"k": "1"})
        more = updated({"data": {"y": "2"}}, observed=object_after(new, HELD), before={"k": "1"}, after={"k": "2"})
        (change,) = joined(new, more)
        assert (change.action, change.old) == ("replace", HELD)
        assert change.body["data"] == {"x": "2", "y": "2"}
        assert "resourceVersion" not in change.body["metadata"]
        assert (change.before, change.after) == ({"k": "0"}, {"k": "2"})

    @pytest.mark.parametrize("new", [create(A, {}, {}, {}), replace(A, HELD, {}, {}, before={}, after={})])
    def test_creating_and_deleting_an_object_are_two_writes(self, new: Change) -> None:
        changes = joined(new, delete(A, object_after(new, None) or {}, {}, {}))
        assert [change.action for change in changes] == [new.action, "delete"]

    def test_a_deletion_and_a_create_are_two_writes(self) -> None:
        changes = joined(delete(A, HELD, {}, {}), create(A, {}, {}, {}))
        assert [(change.action, change.entries) for change in changes] == [("delete", (FIRST,)), ("create", (SECOND,))]


class TestObjectAfter:
    def test_a_deletion_leaves_no_object(self) -> None:
        assert object_after(delete(A, HELD, {}, {}), HELD) is None

    def test_an_update_keeps_the_version_that_was_read_and_the_rest(self) -> None:
        before = copy.deepcopy(HELD)
        after = object_after(updated({"data": {"x": None, "y": "2"}, "type": "t"}), HELD)
        assert after == {"metadata": HELD["metadata"], "data": {"y": "2"}, "type": "t"}
        assert before == HELD

    def test_an_update_of_an_unseen_object_leaves_the_patch(self) -> None:
        assert object_after(updated({"data": {"x": None}}), None) == {"metadata": {"resourceVersion": "7"}, "data": {}}

    @pytest.mark.parametrize(
        "new", [create(A, {"data": {}}, {}, {}), replace(A, HELD, {"data": {}}, {}, before={}, after={})]
    )
    def test_a_new_object_has_a_version_so_that_it_can_be_planned_on(self, new: Change) -> None:
        after = object_after(new, HELD)
        assert after is not None
        assert after["metadata"] == {**new.body["metadata"], "resourceVersion": "unwritten"}
        assert after["data"] == {}
        update(A, after, {}, {}, before={}, after={})


_JSON = st.recursive(
    st.none() | st.integers(0, 3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
_OBJECTS = st.dictionaries(st.sampled_from("abc"), _JSON, max_size=3)


@given(held=_OBJECTS, one=_OBJECTS, two=_OBJECTS)
def test_joined_changes_leave_the_same_object_as_two_patches(held: Any, one: Any, two: Any) -> None:
    held = {**_without_nulls(held), "metadata": {"resourceVersion": "7"}}
    first = updated(one, observed=held)
    between = object_after(first, held)
    second = updated(two, observed=between)
    after: Any = held
    for change in joined(first, second):
        after = object_after(change, after)
    assert after == object_after(second, between)


def _without_nulls(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _without_nulls(each) for key, each in value.items() if each is not None}
