# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planned writes on the evidence: the object after a write is exact, and a grant is lost only with its last binding."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Change
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    CLUSTER_ROLE,
    POD,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Kind,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    Lookup,
    ReadRequired,
    UnreadableObject,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import ClusterSnapshot
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.effects import (
    objects_after,
    patches_of_objects,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.overlay import ChangedLookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.patches import (
    Answer,
    BindingPatch,
    EvidencePatch,
    ObjectPatch,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import IMAGE_PULLER, pull_review

NS = "project-a"
UNREADABLE = UnreadableObject("no")


def ref(kind: Kind, name: str = "pull", namespace: str = NS) -> ObjectRef:
    return ObjectRef(kind, namespace, name)


def named(name: str, **parts: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": NS}, **parts}


DELETED = Change("delete", ref(SECRET), {})
UPDATED = Change("update", ref(SECRET), {"data": {"key": "new"}})
CREATED = Change("create", ref(SECRET), named("pull", data={"key": "new"}))


def after(before: Any, *changes: Change) -> Answer:
    """Return what the evidence has of the secret after the changes. `before`: what it has before them."""
    return objects_after(changes, Lookup({ref(SECRET): before}))[ref(SECRET)]


def patches(changes: list[Change], survey: ClusterSnapshot) -> list[EvidencePatch]:
    return patches_of_objects(objects_after(changes, survey.evidence), survey)


class TestObjects:
    def test_a_patch_touches_the_object_and_the_list_of_its_namespace(self) -> None:
        (it,) = patches([DELETED], ClusterSnapshot({}, 0.0))
        assert it.touches(ref(SECRET))
        assert it.touches(ref(SECRET, ""))
        assert not it.touches(ref(SECRET, "other"))
        assert not it.touches(ref(SECRET, "", "project-b"))
        assert not it.touches(ref(SERVICE_ACCOUNT))

    @pytest.mark.parametrize(
        ("change", "before", "expected"),
        [
            (DELETED, named("pull"), None),
            (DELETED, UNREADABLE, None),
            (UPDATED, named("pull", data={"key": "old"}, type="t"), named("pull", data={"key": "new"}, type="t")),
            (UPDATED, None, None),
        ],
    )
    def test_the_answer_is_the_object_after_the_write(self, change: Change, before: Any, expected: Any) -> None:
        assert after(before, change) == expected

    def test_the_patch_of_an_unreadable_object_leaves_it_unknown(self) -> None:
        found = after(UNREADABLE, UPDATED)
        assert isinstance(found, UnreadableObject)
        assert isinstance(ObjectPatch({ref(SECRET): found}).apply(ref(SECRET, ""), {"items": []}), UnreadableObject)

    @pytest.mark.parametrize("before", [None, UNREADABLE])
    def test_a_created_object_is_known(self, before: Any) -> None:
        found = after(before, CREATED)
        assert isinstance(found, dict)
        assert found["data"] == {"key": "new"}

    def test_writes_of_one_object_apply_in_their_order(self) -> None:
        again = Change("update", ref(SECRET), {"data": {"more": "1"}})
        found = after(named("pull", data={}), UPDATED, again)
        assert found == named("pull", data={"key": "new", "more": "1"})
        assert after(named("pull"), DELETED, CREATED) == after(None, CREATED)

    def test_a_list_has_the_objects_after_the_writes(self) -> None:
        before = {"items": [named("pull"), named("other")]}
        (deleted,) = patches([DELETED], ClusterSnapshot({}, 0.0))
        assert deleted.apply(ref(SECRET, ""), before) == {"items": [named("other")]}
        (made,) = patches([CREATED], ClusterSnapshot({}, 0.0))
        created = made.apply(ref(SECRET, ""), {"items": []})
        assert isinstance(created, dict)
        assert [each["metadata"]["name"] for each in created["items"]] == ["pull"]
        assert made.apply(ref(SECRET, ""), UNREADABLE) is UNREADABLE

    def test_an_object_to_patch_is_requested_and_no_other_one(self) -> None:
        evidence = Lookup()
        other = Change("update", ref(SERVICE_ACCOUNT, "robot"), {})
        gone = Change("delete", ref(SECRET, "gone"), {})
        with pytest.raises(ReadRequired):
            objects_after([UPDATED, other, gone], evidence)
        assert evidence.take_wanted() == [ref(SECRET), ref(SERVICE_ACCOUNT, "robot")]

    def test_writes_to_other_kinds_have_no_effect(self) -> None:
        assert patches([Change("delete", ref(POD), {})], ClusterSnapshot({}, 0.0)) == []


def binding(name: str, *users: str, role: str = IMAGE_PULLER) -> dict[str, Any]:
    subjects = [{"kind": "ServiceAccount", "namespace": "consumer", "name": user} for user in users]
    return named(name, roleRef={"kind": "ClusterRole", "name": role}, subjects=subjects)


REVIEW = pull_review(NS, "consumer", "default")


def answer(changes: list[Change], *bindings: dict[str, Any], view: Any = None, before: Any = None) -> Any:
    """Return the answer about the account default of the project consumer. `view`: the role view. `before`: the answer before, by default yes."""
    known = {ObjectRef(CLUSTER_ROLE, "", "view"): view, ref(ROLE_BINDING, ""): {"items": [*bindings]}}
    known.update({ref(ROLE_BINDING, each["metadata"]["name"]): each for each in bindings})
    return _review(changes, known, before)


def _review(changes: list[Change], known: dict[ObjectRef, Any], before: Any = None) -> Any:
    survey = ClusterSnapshot({}, 0.0, Lookup({**known, REVIEW: {"allowed": True} if before is None else before}))
    try:
        return ChangedLookup(survey.evidence, patches(changes, survey)).look(REVIEW)
    except UnreadableObject as error:
        return str(error)


class TestGrants:
    GONE = Change("delete", ref(ROLE_BINDING, "one"), {})

    def test_a_deleted_binding_takes_the_right(self) -> None:
        assert answer([self.GONE], binding("one", "default")) == {"allowed": False}

    def test_another_binding_keeps_the_right(self) -> None:
        assert answer([self.GONE], binding("one", "default"), binding("two", "default")) == {"allowed": True}

    def test_two_deleted_bindings_take_the_right_together(self) -> None:
        both = [self.GONE, Change("delete", ref(ROLE_BINDING, "two"), {})]
        assert answer(both, binding("one", "default"), binding("two", "default")) == {"allowed": False}

    def test_a_subject_that_stays_in_the_binding_keeps_the_right(self) -> None:
        kept = binding("one", "default")["subjects"]
        change = Change("update", ref(ROLE_BINDING, "one"), {"subjects": kept})
        assert answer([change], binding("one", "default", "builder")) == {"allowed": True}

    def test_a_binding_to_another_role_leaves_it_unknown_if_its_rules_are(self) -> None:
        bindings = binding("one", "default"), binding("two", "default", role="view")
        assert answer([self.GONE], *bindings) == {"allowed": False}
        assert "may also give the right" in answer([self.GONE], *bindings, view=UNREADABLE)

    def test_a_deleted_binding_to_another_role_takes_the_right_that_it_alone_may_give(self) -> None:
        assert answer([self.GONE], binding("one", "default", role="custom")) == {"allowed": False}
        assert answer([self.GONE], binding("one", "default", role="custom"), binding("two", "default")) == {
            "allowed": True
        }

    def test_a_binding_that_gets_another_role_takes_the_right(self) -> None:
        replaced = Change("replace", ref(ROLE_BINDING, "one"), binding("one", "default", role="view"))
        assert answer([replaced], binding("one", "default")) == {"allowed": False}

    def test_a_second_binding_to_the_same_role_keeps_a_right_of_unknown_origin(self) -> None:
        both = binding("one", "default", role="view"), binding("two", "default", role="view")
        assert answer([self.GONE], *both) == {"allowed": True}

    def test_a_granted_binding_gives_the_right(self) -> None:
        granted = Change("create", ref(ROLE_BINDING, "new"), binding("new", "default"))
        assert answer([granted], before={"allowed": False}) == {"allowed": True}
        assert answer([self.GONE, granted], binding("one", "default")) == {"allowed": True}

    def test_the_right_is_unknown_if_the_other_bindings_are(self) -> None:
        known: dict[ObjectRef, Any] = {ref(ROLE_BINDING, ""): UNREADABLE}
        assert _review([self.GONE], known) == f"the role bindings of project {NS} could not be read: no"
        assert _review([self.GONE], known, {"allowed": False}) == {"allowed": False}
        granted = Change("create", ref(ROLE_BINDING, "new"), binding("new", "default"))
        assert _review([self.GONE, granted], known) == {"allowed": True}

    def test_the_bindings_of_the_project_are_requested(self) -> None:
        evidence = Lookup()
        with pytest.raises(ReadRequired):
            patches([self.GONE], ClusterSnapshot({}, 0.0, evidence))
        assert evidence.take_wanted() == [ref(ROLE_BINDING, "")]

    def test_objects_and_grants_are_separate_patches(self) -> None:
        survey = ClusterSnapshot({}, 0.0, Lookup({ref(ROLE_BINDING, ""): {"items": [binding("one", "default")]}}))
        assert [type(each) for each in patches([DELETED, self.GONE], survey)] == [ObjectPatch, BindingPatch]
