# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planned writes on the evidence: the object after a write is exact, and a grant is lost only with its last binding."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Change
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    CLUSTER_ROLE,
    POD,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Kind,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, UnreadableObject
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.survey import (
    ClusterSnapshot,
    NamespaceSnapshot,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.patches import (
    EvidencePatch,
    GrantPatch,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.writes import (
    WritePatch,
    patches_of_writes,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.access_reviews import pull_review
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import IMAGE_PULLER

NS = "project-a"
UNREADABLE = UnreadableObject("no")


def ref(kind: Kind, name: str = "pull", namespace: str = NS) -> ObjectRef:
    return ObjectRef(kind, namespace, name)


def named(name: str, **parts: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": NS}, **parts}


DELETED = Change("delete", ref(SECRET), {})
UPDATED = Change("update", ref(SECRET), {"data": {"key": "new"}})
CREATED = Change("create", ref(SECRET), named("pull", data={"key": "new"}))


def patch(*changes: Change) -> EvidencePatch:
    (found,) = patches_of_writes(changes, ClusterSnapshot({}, 0.0))
    return found


class TestObjects:
    def test_a_patch_touches_the_object_and_the_list_of_its_namespace(self) -> None:
        it = patch(DELETED)
        assert it.touches(ref(SECRET))
        assert it.touches(ref(SECRET, ""))
        assert not it.touches(ref(SECRET, "other"))
        assert not it.touches(ref(SECRET, "", "project-b"))
        assert not it.touches(ref(SERVICE_ACCOUNT))

    @pytest.mark.parametrize(
        ("change", "before", "after"),
        [
            (DELETED, named("pull"), None),
            (DELETED, UNREADABLE, None),
            (UPDATED, named("pull", data={"key": "old"}, type="t"), named("pull", data={"key": "new"}, type="t")),
            (UPDATED, None, None),
            (UPDATED, UNREADABLE, UNREADABLE),
        ],
    )
    def test_the_answer_is_the_object_after_the_write(self, change: Change, before: Any, after: Any) -> None:
        assert patch(change).apply(ref(SECRET), before) == after

    @pytest.mark.parametrize("before", [None, UNREADABLE])
    def test_a_created_object_is_known(self, before: Any) -> None:
        found = patch(CREATED).apply(ref(SECRET), before)
        assert isinstance(found, dict)
        assert found["data"] == {"key": "new"}

    def test_writes_of_one_object_apply_in_their_order(self) -> None:
        again = Change("update", ref(SECRET), {"data": {"more": "1"}})
        found = patch(UPDATED, again).apply(ref(SECRET), named("pull", data={}))
        assert found == named("pull", data={"key": "new", "more": "1"})

    def test_a_list_has_the_objects_after_the_writes(self) -> None:
        before = {"items": [named("pull"), named("other")]}
        assert patch(DELETED).apply(ref(SECRET, ""), before) == {"items": [named("other")]}
        created = patch(CREATED).apply(ref(SECRET, ""), {"items": []})
        assert isinstance(created, dict)
        assert [each["metadata"]["name"] for each in created["items"]] == ["pull"]

    def test_a_list_that_could_not_be_read_stays_unknown(self) -> None:
        assert patch(DELETED).apply(ref(SECRET, ""), UNREADABLE) is UNREADABLE

    def test_writes_to_other_kinds_have_no_effect(self) -> None:
        assert patches_of_writes([Change("delete", ref(POD), {})], ClusterSnapshot({}, 0.0)) == []


def binding(name: str, *users: str, role: str = IMAGE_PULLER) -> dict[str, Any]:
    subjects = [{"kind": "ServiceAccount", "namespace": "consumer", "name": user} for user in users]
    return named(name, roleRef={"kind": "ClusterRole", "name": role}, subjects=subjects)


REVIEW = pull_review(NS, "consumer", "default")


def answer(changes: list[Change], *bindings: dict[str, Any], view: Any = None) -> Any:
    """Return the answer about the account default of the project consumer, which may pull before the changes. `view`: the role view."""
    evidence = Lookup({ObjectRef(CLUSTER_ROLE, "", "view"): view})
    survey = ClusterSnapshot({NS: NamespaceSnapshot(NS, bindings=bindings)}, 0.0, evidence)
    (it,) = patches_of_writes(changes, survey)
    assert isinstance(it, GrantPatch)
    return it.apply(REVIEW, {"allowed": True}) if it.touches(REVIEW) else {"allowed": True}


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
        assert isinstance(answer([self.GONE], *bindings, view=UNREADABLE), ImagePullError)

    def test_a_deleted_binding_to_another_role_takes_the_right_that_it_alone_may_give(self) -> None:
        assert answer([self.GONE], binding("one", "default", role="custom")) == {"allowed": False}
        assert answer([self.GONE], binding("one", "default", role="custom"), binding("two", "default")) == {
            "allowed": True
        }

    def test_objects_and_grants_are_separate_patches(self) -> None:
        survey = ClusterSnapshot({NS: NamespaceSnapshot(NS, bindings=[binding("one", "default")])}, 0.0)
        found = patches_of_writes([DELETED, self.GONE], survey)
        assert [type(each) for each in found] == [WritePatch, GrantPatch]
