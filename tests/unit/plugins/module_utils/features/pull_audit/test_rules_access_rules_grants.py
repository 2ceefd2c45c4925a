# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules report subjects that should not be able to pull, and leftovers of manual grants."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    NAMESPACE,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from support.surveyed import binding, found_by, place, survey

ACCOUNT = {"kind": "ServiceAccount", "name": "default", "namespace": "b"}
PROJECT = {"kind": "Group", "name": "system:serviceaccounts:b"}
USER = {"kind": "User", "name": "developer"}
OF_ACCOUNT, OF_PROJECT = ObjectRef(SERVICE_ACCOUNT, "b", "default"), ObjectRef(NAMESPACE, "", "b")


def options(found):
    return [task["openshift_ops.image_pull.image_puller_grant"] for task in found.fix]


class TestDeadSubject:
    @pytest.mark.parametrize(
        ("subject", "ref"), [(ACCOUNT, OF_ACCOUNT), (PROJECT, OF_PROJECT)], ids=["account", "project"]
    )
    def test_a_missing_subject_is_reported(self, subject, ref):
        seen = place(bindings=[binding("by-hand", subject)])
        assert list(seen.refs_in_grants()) == [ref]
        (found,) = found_by("grant-dead-subject", survey(seen, known={ref: None}))
        assert f"but {ref} does not exist" in found.message
        assert options(found)[0]["revoke_from"] == "every_binding"

    @pytest.mark.parametrize("answer", [{}, ImagePullError("no right")], ids=["there", "unknown"])
    def test_a_subject_that_may_exist_is_not_reported(self, answer):
        seen = place(bindings=[binding("by-hand", ACCOUNT, USER)])
        assert found_by("grant-dead-subject", survey(seen, known={OF_ACCOUNT: answer})) == []
        assert found_by("grant-dead-subject", survey(seen)) == []

    def test_another_role_and_the_platforms_binding_are_not_checked(self):
        seen = place(bindings=[binding("edit", ACCOUNT, role="edit"), binding("system:image-pullers", ACCOUNT)])
        assert list(seen.refs_in_grants()) == []
        assert found_by("grant-dead-subject", survey(seen, known={OF_ACCOUNT: None})) == []


class TestDuplicates:
    def test_each_subject_with_duplicate_bindings_is_one_finding(self):
        names = [f"system:image-puller-{number}" for number in range(8)]
        seen = place(bindings=[*(binding(name, USER, ACCOUNT) for name in names), binding("another", USER)])
        first, second = found_by("grant-duplicate-bindings", seen)
        assert {first.location, second.location} == {"ServiceAccount b/default", "User developer"}
        assert "9 role bindings of namespace a let User developer pull" in second.message
        assert second.message.endswith("and 4 more")
        revoked, granted = options(second)
        assert (revoked["state"], revoked["users"], granted["users"]) == ("absent", ["developer"], ["developer"])

    def test_a_subject_with_one_binding_is_not_reported(self):
        seen = place(
            bindings=[binding("one", USER, USER), binding("two", ACCOUNT), binding("three", USER, role="edit")]
        )
        assert found_by("grant-duplicate-bindings", seen) == []


class TestEverybody:
    @pytest.mark.parametrize(
        ("group", "given"),
        [
            ("system:authenticated", {"authenticated": True}),
            ("system:unauthenticated", {"anonymous": True}),
            ("system:serviceaccounts", {"groups": ["system:serviceaccounts"]}),
        ],
    )
    def test_a_grant_to_a_group_of_everybody_is_reported(self, group, given):
        (found,) = found_by("grant-to-everybody", place(bindings=[binding("open", {"kind": "Group", "name": group})]))
        assert options(found)[0].items() >= given.items()

    def test_a_cluster_role_binding_for_everybody_is_reported(self):
        wide = binding("open", {"kind": "Group", "name": "system:authenticated"}, namespace="")
        (found,) = found_by("grant-to-everybody", survey(place(), cluster_bindings=[wide]))
        assert (found.ref.namespace, found.ref.kind.kind) == ("", "ClusterRoleBinding")

    @pytest.mark.parametrize("subject", [ACCOUNT, PROJECT, {"kind": "User", "name": "system:authenticated"}])
    def test_a_grant_to_a_single_subject_is_not_reported(self, subject):
        assert found_by("grant-to-everybody", place(bindings=[binding("some", subject)])) == []

    @pytest.mark.parametrize("subjects", [None, "x", [None, 1, {"kind": "Group"}, {"kind": 1, "name": []}]])
    def test_invalid_subjects_are_not_reported(self, subjects):
        broken = {**binding("b"), "subjects": subjects}
        for rule in ("grant-to-everybody", "grant-dead-subject", "grant-duplicate-bindings"):
            assert found_by(rule, place(bindings=[broken])) == []
