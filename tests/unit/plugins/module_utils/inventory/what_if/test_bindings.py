# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changed role bindings give and take the right to pull, for accounts and for the groups that they belong to."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    CLUSTER_ROLE,
    SECRET,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    Lookup,
    ReadRequired,
    UnreadableObject,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.patches import (
    BindingPatch,
    ProjectGrants,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import (
    ROLE,
    Subject,
    pull_review,
    secrets_review,
)

ROBOT = {"kind": "ServiceAccount", "namespace": "team", "name": "robot"}
TEAM = {"kind": "Group", "name": "system:serviceaccounts:team"}
ASKED = pull_review("images", "team", "robot")
RULE = {"verbs": ["get"], "apiGroups": ["image.openshift.io"], "resources": ["imagestreams/layers"]}
ROLES = Lookup(
    {
        ObjectRef(CLUSTER_ROLE, "", "hidden"): UnreadableObject("the caller may not read it"),
        ObjectRef(CLUSTER_ROLE, "", "viewer"): {"rules": []},
        ObjectRef(CLUSTER_ROLE, "", "editor"): {"rules": [RULE]},
        ObjectRef(ROLE, "images", "system:image-puller"): {"rules": []},
    }
)
YES, NO = {"allowed": True}, {"allowed": False}


def binding(*subjects: dict[str, str], role: str = "system:image-puller", kind: str = "ClusterRole") -> dict[str, Any]:
    return {
        "metadata": {"name": "b", "namespace": "images"},
        "roleRef": {"kind": kind, "name": role},
        "subjects": [*subjects],
    }


def patch(before: list[Any], after: list[Any], cluster: list[Any] | None = None) -> BindingPatch:
    return BindingPatch({"images": before}, {"images": after}, cluster or [], ROLES)


class TestGains:
    @pytest.mark.parametrize("subject", [ROBOT, TEAM, {"kind": "Group", "name": "system:serviceaccounts"}])
    @pytest.mark.parametrize("answer", [NO, None, Refusal("unread")])
    def test_a_granted_subject_may_pull(self, subject, answer):
        it = patch([], [binding(subject)])
        assert it.touches(ASKED)
        assert it.apply(ASKED, answer) == YES

    def test_a_grant_to_others_touches_nothing(self):
        it = patch([], [binding({**ROBOT, "name": "other"})])
        assert not it.touches(ASKED)
        assert not it.touches(pull_review("elsewhere", "team", "other"))
        assert not it.touches(secrets_review("images", "other"))
        assert not it.touches(ObjectRef(SECRET, "images", "team/other"))

    def test_it_is_not_known_what_another_role_gives(self):
        it = patch([], [binding(ROBOT, role="hidden")])
        assert isinstance(it.apply(ASKED, NO), UnreadableObject)
        assert it.apply(ASKED, YES) == YES

    @pytest.mark.parametrize(("role", "answer"), [("editor", YES), ("viewer", NO)])
    def test_the_rules_of_another_role_decide(self, role, answer):
        assert patch([], [binding(ROBOT, role=role)]).apply(ASKED, NO) == answer

    def test_a_role_of_the_project_is_not_the_cluster_role_of_this_name(self):
        assert patch([], [binding(ROBOT, kind="Role")]).apply(ASKED, NO) == NO

    def test_roles_are_requested(self):
        roles = Lookup()
        with pytest.raises(ReadRequired):
            BindingPatch({}, {"images": [binding(ROBOT, role="new")]}, [], roles).apply(ASKED, NO)
        assert roles.take_wanted() == [ObjectRef(CLUSTER_ROLE, "", "new")]


class TestLosses:
    def test_a_revoked_subject_may_not_pull(self):
        it = patch([binding(ROBOT)], [])
        assert it.touches(ASKED)
        assert it.apply(ASKED, YES) == NO
        assert it.apply(ASKED, NO) == NO

    @pytest.mark.parametrize(
        ("after", "cluster"), [([binding(TEAM)], []), ([], [{**binding(TEAM), "metadata": {"name": "all"}}])]
    )
    def test_another_binding_keeps_the_right(self, after, cluster):
        assert patch([binding(ROBOT)], after, cluster).apply(ASKED, YES) == YES

    def test_another_role_may_keep_the_right(self):
        it = patch([binding(ROBOT), binding(ROBOT, role="hidden")], [binding(ROBOT, role="hidden")])
        assert isinstance(it.apply(ASKED, YES), UnreadableObject)

    def test_an_unreadable_answer_stays_unknown(self):
        error = Refusal("unread")
        assert patch([binding(ROBOT)], []).apply(ASKED, error) is error


def test_grants_are_the_subjects_that_may_pull_and_the_doubts():
    hidden, editor, viewer = (binding(TEAM, role=role) for role in ("hidden", "editor", "viewer"))
    found = ProjectGrants.of([binding(ROBOT), hidden, editor, viewer, binding(ROBOT)], ROLES)
    robot, team = Subject("ServiceAccount", "robot", "team"), Subject("Group", "system:serviceaccounts:team")
    assert found.pullers == {robot: ["b", "b"], team: ["b"]}
    assert found.others == {(ObjectRef(CLUSTER_ROLE, "", "hidden"), team)}
