# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that an inventory leaves are those of the plans, step by step, each with the entries that change it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Entry, create, delete, update
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    POD,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import Batch, Declaration
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant.plan import (
    ImagePullerGrant,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.plan import SaLink
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.declared import (
    InventoryLists,
    PlannedObjects,
    UnplannedEntry,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import (
    Subject,
    pull_review,
    secrets_review,
)

PULL, ROBOT = ObjectRef(SECRET, "a", "pull"), ObjectRef(SERVICE_ACCOUNT, "a", "robot")
ACCOUNT = {"metadata": {"name": "robot", "namespace": "a", "resourceVersion": "1"}, "imagePullSecrets": []}
ONE, TWO, ALL = (Entry("links", number, title=title) for number, title in enumerate(("one", "two", "all")))


def link(*secrets: str, **more: Any) -> SaLink:
    return SaLink(secrets, ("*",), ("imagePullSecrets",), present=True, **more)


def batch(*declared: Declaration[Any]) -> Batch[Any]:
    return Batch(SERVICE_ACCOUNT, {"a": declared})


def linked(*names: str, entries: tuple[Entry, ...] = ()) -> Any:
    patch = {"imagePullSecrets": [{"name": name} for name in names]}
    return _with(update(ROBOT, ACCOUNT, patch, {}, before={}, after={}), entries)


def _with(change: Any, entries: tuple[Entry, ...]) -> Any:
    return type(change)(**{**vars(change), "entries": entries})


def test_each_step_starts_from_the_objects_that_the_steps_before_leave() -> None:
    planned = PlannedObjects()
    made = create(PULL, {"type": "t"}, {}, {})
    planned.keep(Batch(SECRET, {"a": ()}), "a", [made], ({}, {}), "step")
    objects, found = planned.update(SERVICE_ACCOUNT, "a", {"robot": ACCOUNT}, {PULL: None})
    assert objects == {"robot": ACCOUNT}
    assert found[PULL] == planned.objects[PULL]
    planned.keep(batch(), "a", [linked("pull")], (objects, found), "step")
    assert planned.update(SERVICE_ACCOUNT, "a", {}, {})[0]["robot"]["imagePullSecrets"] == [{"name": "pull"}]
    assert planned.update(SERVICE_ACCOUNT, "b", {}, {}) == ({}, {})
    assert planned.update(SECRET, "a", {"other": {}}, {})[0].keys() == {"other", "pull"}
    assert planned.namespaces == {"a"}


def test_a_deleted_object_is_gone_and_other_kinds_do_not_count() -> None:
    planned = PlannedObjects()
    old = {"metadata": {"name": "pull", "namespace": "a", "resourceVersion": "1"}}
    pod = ObjectRef(POD, "a", "app")
    binding = ObjectRef(ROLE_BINDING, "a", "b")
    changes = [delete(PULL, old, {}, {}), delete(pod, old, {}, {}), create(binding, {}, {}, {})]
    planned.keep(Batch(SECRET, {"a": ()}), "a", changes, ({"pull": old}, {}), "prune")
    assert planned.objects[PULL] is None
    assert {*planned.objects} == {PULL, binding}
    assert planned.update(SECRET, "a", {"pull": old}, {}) == ({}, {})
    assert planned.titles([PULL], ["pull"]) == ["prune"]


def test_titles_name_the_entries_about_the_part() -> None:
    planned = PlannedObjects()
    declared = [Declaration(link("pull"), ONE), Declaration(link("other"), TWO)]
    planned.keep(batch(*declared), "a", [linked("pull", "other", entries=(ONE, TWO))], ({"robot": ACCOUNT}, {}))
    assert planned.titles([ROBOT], ["pull"]) == ["one"]
    assert planned.titles([ROBOT], ["third"]) == ["one", "two"]
    assert planned.titles([PULL], ["pull"]) == []


def test_the_titles_for_a_pull_are_those_of_the_objects_that_it_reads() -> None:
    planned = PlannedObjects()
    declared = [Declaration(link("pull"), ONE), Declaration(link("other"), TWO)]
    planned.keep(batch(*declared), "a", [linked("pull", "other", entries=(ONE, TWO))], ({"robot": ACCOUNT}, {}))
    assert planned.titles_for_pull({ROBOT, PULL}) == ["one"]
    assert planned.titles_for_pull({ROBOT}) == ["one", "two"]
    assert planned.titles_for_pull({PULL, ObjectRef(SERVICE_ACCOUNT, "b", "robot")}) == []
    assert planned.titles_for_pull({ObjectRef(SERVICE_ACCOUNT, "a", ""), PULL}) == ["one"]


def test_the_titles_for_a_pull_from_a_project_are_those_of_its_grants() -> None:
    entries = tuple(Entry("grants", number) for number in range(3))
    subjects = (
        Subject("ServiceAccount", "default", "c"),
        Subject("Group", "system:serviceaccounts:c"),
        Subject("Group", "x"),
    )
    declared = [
        Declaration(ImagePullerGrant((subject,), "system:image-puller", "b", present=True), entry)
        for subject, entry in zip(subjects, entries, strict=True)
    ]
    planned, binding = PlannedObjects(), ObjectRef(ROLE_BINDING, "a", "b")
    planned.keep(Batch(ROLE_BINDING, {"a": declared}), "a", [_with(create(binding, {}, {}, {}), entries)], ({}, {}))
    assert planned.titles_for_pull({pull_review("a", "c", "default")}) == ["grants[0]", "grants[1]"]
    assert planned.titles_for_pull({pull_review("b", "c", "default"), secrets_review("a", "default")}) == []


def test_an_exclusive_entry_is_about_every_secret() -> None:
    planned = PlannedObjects()
    declared = [Declaration(link("pull"), ONE), Declaration(link("other", exclusive=True), ALL)]
    planned.keep(batch(*declared), "a", [linked("pull", "other", entries=(ONE, ALL))], ({"robot": ACCOUNT}, {}))
    assert planned.titles([ROBOT], ["removed"]) == ["all"]


@pytest.mark.parametrize("option", ["exclusive", "prune"])
def test_a_grant_that_removes_others_is_about_every_subject(option: str) -> None:
    one, two = (Entry("grants", number) for number in range(2))
    subjects = (Subject("Group", "a"),)
    declared = [
        Declaration(ImagePullerGrant(subjects, "system:image-puller", "b", present=True, **how), entry)
        for entry, how in ((one, {}), (two, {option: True}))
    ]
    planned, binding = PlannedObjects(), ObjectRef(ROLE_BINDING, "a", "b")
    made = _with(create(binding, {}, {}, {}), (one, two))
    planned.keep(Batch(ROLE_BINDING, {"a": declared}), "a", [made], ({}, {}))
    assert planned.titles([binding], ["Group a"]) == ["grants[0]", "grants[1]"]
    assert planned.titles([binding], ["Group c"]) == ["grants[1]"]


def test_objects_that_another_inventory_does_not_have_are_deleted() -> None:
    earlier, later = PlannedObjects(), PlannedObjects()
    earlier.keep(Batch(SECRET, {"a": ()}), "a", [create(PULL, {}, {}, {})], ({}, {}), "old")
    later.keep(batch(), "a", [linked("pull")], ({"robot": ACCOUNT}, {}), "new")
    found = later.instead_of(earlier)
    assert found.objects[PULL] is None
    assert found.objects[ROBOT] is not None
    assert found.titles([PULL, ROBOT], ["pull"]) == ["old", "new"]
    assert later.objects.keys() == {ROBOT}


def test_an_entry_that_would_fail_only_in_the_earlier_inventory_is_a_doubt() -> None:
    both, old, new = (UnplannedEntry("a", title, "no") for title in ("both", "old", "new"))
    found = PlannedObjects({}, [both, new]).instead_of(PlannedObjects({}, [both, old]))
    assert [each.title for each in found.unplanned] == ["both", "new"]
    assert found.doubts == ["in the inventory of option 'against', old of namespace a would not be applied: no"]


def test_an_inventory_names_its_entries_and_its_prune() -> None:
    lists = {"secrets": [Declaration(link("a"))], "links": []}
    assert str(InventoryLists(lists)) == "1 entry of secrets, 0 entries of links"
    pruned = str(InventoryLists(lists, "team", prunes=True))
    assert pruned.endswith(", objects of owner team that it does not declare are removed")


def test_an_entry_that_fails_is_reported_with_its_reason() -> None:
    assert UnplannedEntry("a", "one", "no").report() == {"namespace": "a", "entry": "one", "reason": "no"}
