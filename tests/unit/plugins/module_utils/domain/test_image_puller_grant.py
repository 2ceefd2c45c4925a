# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promise 1 for role bindings: grants are added and taken back one by one, other people's stay as they are."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.domain import image_puller_grant as grant
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.domain.errors import OptionError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.domain.model import MANAGED_BY
from hypothesis import given
from hypothesis import strategies as st

RBAC = "rbac.authorization.k8s.io"
ROLE = "system:image-puller"
OURS = "image-puller-grant"
DEFAULT = {"kind": "ServiceAccount", "name": "default", "namespace": "project-a"}
SPELLINGS = [
    DEFAULT,
    {**DEFAULT, "apiGroup": ""},
    {"kind": "User", "name": "system:serviceaccount:project-a:default", "apiGroup": RBAC},
    {"kind": "ServiceAccount", "name": "default"},
]
JANE = {"kind": "User", "name": "jane", "apiGroup": RBAC}
ALL_OF_C = {"kind": "Group", "name": "system:serviceaccounts:project-c", "apiGroup": RBAC}


def binding(
    name: str, *subjects: Any, role: str = ROLE, kind: str = "ClusterRole", ours: bool = False
) -> dict[str, Any]:
    meta = {
        "name": name,
        "namespace": "project-a",
        "uid": "u",
        "resourceVersion": "7",
        "labels": MANAGED_BY if ours else {},
    }
    return {"metadata": meta, "roleRef": {"kind": kind, "name": role}, "subjects": list(subjects)}


def wish(**given_: Any) -> grant.ImagePullerGrant:
    options = {"role": ROLE, "state": "present", "service_accounts": [{"namespace": "project-a", "name": "default"}]}
    return grant.from_options({**options, **given_})


def plan(*bindings: dict[str, Any], **given_: Any) -> Any:
    return wish(**given_).plan("project-a", {obj["metadata"]["name"]: obj for obj in bindings})


class TestSubjectOf:
    @pytest.mark.parametrize("entry", SPELLINGS)
    def test_spellings_of_one_account_are_equal(self, entry: dict[str, str]) -> None:
        assert grant.subject_of(entry, "project-a") == grant.Subject("ServiceAccount", "default", "project-a")

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (SPELLINGS[3], {**DEFAULT, "namespace": "project-b"}),
            (JANE, {"kind": "Group", "name": "jane"}),
            ({"kind": "User", "name": "system:serviceaccount:project-a"}, {"kind": "User", "name": "project-a"}),
            (DEFAULT, {"kind": "User", "name": "system:serviceaccount:project-a:default:x"}),
            (DEFAULT, {"kind": "Group", "name": "system:serviceaccount:project-a:default"}),
            (DEFAULT, {"kind": "Group", "name": "system:serviceaccounts:project-a"}),
        ],
    )
    def test_subjects_that_grant_something_else_differ(self, one: Any, other: Any) -> None:
        assert grant.subject_of(one, "project-a") != grant.subject_of(other, "project-a")

    @given(st.text(), st.text())
    def test_what_is_written_is_read_back_as_the_same(self, kind: str, name: str) -> None:
        for subject in (
            grant.Subject("ServiceAccount", name, "ns"),
            grant.subject_of({"kind": kind, "name": name}, "ns"),
        ):
            assert grant.subject_of(subject.to_api(), "other" if subject.namespace else "ns") == subject


class TestPlanPresent:
    def test_makes_one_labelled_binding(self) -> None:
        (change,) = plan(projects=["project-c"], groups=["ops"], users=["jane"]).changes
        assert change.action == "create"
        assert change.body["metadata"] == {"name": OURS, "namespace": "project-a", "labels": MANAGED_BY}
        assert change.body["roleRef"] == {"apiGroup": RBAC, "kind": "ClusterRole", "name": ROLE}
        assert change.body["subjects"] == [DEFAULT, ALL_OF_C, {**ALL_OF_C, "name": "ops"}, JANE]

    @pytest.mark.parametrize("entry", SPELLINGS)
    @pytest.mark.parametrize("name", [OURS, "somebody-elses"])
    def test_an_equivalent_grant_anywhere_counts_as_met(self, name: str, entry: Any) -> None:
        assert plan(binding(name, JANE, entry)).changes == ()

    @pytest.mark.parametrize(
        "other", [binding("x", DEFAULT, role="view"), binding("x", DEFAULT, kind="Role"), binding("x")]
    )
    def test_another_role_or_no_subject_does_not_count(self, other: Any) -> None:
        assert [change.action for change in plan(other).changes] == ["create"]

    def test_our_binding_is_extended_in_place(self) -> None:
        """Foreign entries stay verbatim, duplicates and odd spellings included; the version that was read is sent."""
        foreign = [SPELLINGS[2], JANE, JANE, {"kind": "ServiceAccount", "name": "builder"}]
        (change,) = plan(binding(OURS, *foreign), projects=["project-c"]).changes
        assert change.action == "update"
        assert change.body == {"subjects": [*foreign, ALL_OF_C], "metadata": {"resourceVersion": "7"}}
        assert change.details == {"role": ROLE, "granted": ["Group system:serviceaccounts:project-c"]}
        assert change.after["subjects"][:-1] == change.before["subjects"]

    def test_only_what_is_missing_is_granted(self) -> None:
        (change,) = plan(binding("somebody-elses", DEFAULT), users=["jane"]).changes
        assert change.body["subjects"] == [JANE]

    @pytest.mark.parametrize(("role", "kind"), [("view", "ClusterRole"), (ROLE, "Role")])
    @pytest.mark.parametrize("state", ["present", "absent"])
    def test_refuses_a_binding_of_our_name_for_another_role(self, state: str, role: str, kind: str) -> None:
        with pytest.raises(Refusal) as caught:
            plan(binding(OURS, DEFAULT, role=role, kind=kind), state=state)
        assert str(caught.value) == (
            f"role binding project-a/{OURS} gives {kind} {role}, and the role of a binding cannot be changed; "
            "choose another binding_name"
        )


class TestPlanAbsent:
    @pytest.mark.parametrize("entry", SPELLINGS)
    def test_revokes_every_spelling_and_nothing_else(self, entry: Any) -> None:
        (change,) = plan(binding(OURS, JANE, entry, ALL_OF_C, DEFAULT, JANE, ours=True), state="absent").changes
        assert change.action == "update"
        assert change.body == {"subjects": [JANE, ALL_OF_C, JANE], "metadata": {"resourceVersion": "7"}}
        assert change.details == {"role": ROLE, "revoked": ["ServiceAccount project-a/default"]}

    def test_deletes_our_binding_once_it_is_empty(self) -> None:
        (change,) = plan(binding(OURS, DEFAULT, ours=True), state="absent").changes
        assert (change.action, change.after) == ("delete", {})
        assert change.body["preconditions"] == {"uid": "u", "resourceVersion": "7"}

    def test_keeps_an_emptied_binding_without_our_label(self) -> None:
        (change,) = plan(binding(OURS, DEFAULT), state="absent").changes
        assert (change.action, change.body["subjects"]) == ("update", [])

    @pytest.mark.parametrize("bindings", [[], [binding(OURS, JANE, ours=True)], [binding(OURS, ours=True)]])
    def test_nothing_changes_when_it_is_so_already(self, bindings: Any) -> None:
        result = plan(*bindings, state="absent")
        assert (result.changes, result.notes) == ((), ())

    def test_leaves_other_bindings_alone_and_says_what_they_still_grant(self) -> None:
        result = plan(
            binding("b", SPELLINGS[2]), binding("a", DEFAULT), binding("c", DEFAULT, role="view"), state="absent"
        )
        assert result.changes == ()
        assert result.notes == (
            "ServiceAccount project-a/default may still pull from project-a: "
            "role binding a, b is not ours and was left alone",
        )

    ENTRIES = st.lists(st.sampled_from([*SPELLINGS, JANE, ALL_OF_C, {"kind": "Group", "name": "ops"}]), max_size=6)

    @given(ENTRIES, ENTRIES, st.booleans(), st.sampled_from(["present", "absent"]))
    def test_a_plan_carried_out_leaves_nothing_to_plan(self, own: Any, others: Any, ours: bool, state: str) -> None:
        objects = {OURS: binding(OURS, *own, ours=ours), "other": binding("other", *others)}
        desired = wish(state=state, users=["jane"])
        for change in desired.plan("project-a", objects).changes:
            objects[OURS] = {**objects[OURS], "subjects": change.body.get("subjects", [])}
        assert desired.plan("project-a", objects).changes == ()
        kept = [entry for entry in own if grant.subject_of(entry, "project-a") not in desired.subjects]
        now = objects[OURS]["subjects"]
        assert [entry for entry in now if grant.subject_of(entry, "project-a") not in desired.subjects] == kept


class TestPrerequisite:
    @pytest.mark.parametrize(("state", "needed"), [("present", "cluster role system:image-puller"), ("absent", "None")])
    def test_the_role_is_needed_to_grant_only(self, state: str, needed: str) -> None:
        assert str(wish(state=state).prerequisite) == needed


class TestFromOptions:
    @pytest.mark.parametrize("name", ["system:image-pullers", "system:image-builders", "system:deployers"])
    def test_refuses_the_platforms_own_bindings(self, name: str) -> None:
        with pytest.raises(OptionError, match=f"^option 'binding_name': {name} is reserved for the platform"):
            wish(binding_name=name)

    @pytest.mark.parametrize("option", ["role", "binding_name"])
    @pytest.mark.parametrize("name", ["a/b", "a%b", ".", ".."])
    def test_refuses_names_that_cannot_exist(self, option: str, name: str) -> None:
        with pytest.raises(OptionError, match=f"^option '{option}': .* cannot be an object's name$"):
            wish(**{option: name})

    @pytest.mark.parametrize(
        ("given_", "message"),
        [
            ({"service_accounts": []}, "^give at least one of 'service_accounts', 'projects', 'groups' and 'users'$"),
            (
                {"service_accounts": [{"namespace": "A", "name": "a"}]},
                "^option 'service_accounts': 'A' cannot be a namespace",
            ),
            (
                {"service_accounts": [{"namespace": "a", "name": "A"}]},
                "^option 'service_accounts': 'A' cannot be an object's",
            ),
            ({"projects": ["a.b"]}, "^option 'projects': 'a.b' cannot be a namespace"),
            ({"groups": [" "]}, "^option 'groups' holds an empty name$"),
            ({"users": [""]}, "^option 'users' holds an empty name$"),
        ],
    )
    def test_refuses_subjects_that_grant_nobody_anything(self, given_: Any, message: str) -> None:
        with pytest.raises(OptionError, match=message):
            wish(**given_)

    def test_equal_subjects_are_one(self) -> None:
        desired = wish(users=["system:serviceaccount:project-a:default"])
        assert desired.subjects == (grant.Subject("ServiceAccount", "default", "project-a"),)

    @pytest.mark.parametrize(("role", "name"), [(ROLE, OURS), ("registry-viewer", f"{OURS}-registry-viewer")])
    def test_each_role_has_its_own_binding(self, role: str, name: str) -> None:
        assert wish(role=role).binding_name == name
