# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promise 1 for role bindings: grants are added and taken back one by one, other people's stay as they are."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import MANAGED_BY
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    NAMESPACE,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant import (
    options as grant,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import (
    subject_of,
)
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


def declared(**given_: Any) -> grant.ImagePullerGrant:
    options = {"role": ROLE, "state": "present", "service_accounts": [{"namespace": "project-a", "name": "default"}]}
    further = {"exclusive": False, "revoke_from": "ours", "prune": False, "recreate": False, "verify_access": False}
    return grant.from_options({**options, **further, **given_})


def plan(*bindings: dict[str, Any], **given_: Any) -> Any:
    return declared(**given_).plan("project-a", {obj["metadata"]["name"]: obj for obj in bindings})


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
            f"role binding project-a/{OURS} has {kind} {role}, and the role of a binding cannot be changed; "
            f"choose another 'binding_name'{', or set ' + repr('recreate: true') if state == 'present' else ''}"
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
            "ServiceAccount project-a/default may still pull from project-a, by role binding a, b; not changed: "
            "revoke it there too with 'revoke_from: every_binding'",
        )

    ENTRIES = st.lists(st.sampled_from([*SPELLINGS, JANE, ALL_OF_C, {"kind": "Group", "name": "ops"}]), max_size=6)

    @given(ENTRIES, ENTRIES, st.booleans(), st.sampled_from(["present", "absent"]))
    def test_a_plan_carried_out_leaves_nothing_to_plan(self, own: Any, others: Any, ours: bool, state: str) -> None:
        objects = {OURS: binding(OURS, *own, ours=ours), "other": binding("other", *others)}
        desired = declared(state=state, users=["jane"])
        for change in desired.plan("project-a", objects).changes:
            objects[OURS] = {**objects[OURS], "subjects": change.body.get("subjects", [])}
        assert desired.plan("project-a", objects).changes == ()
        kept = [entry for entry in own if subject_of(entry, "project-a") not in desired.subjects]
        now = objects[OURS]["subjects"]
        assert [entry for entry in now if subject_of(entry, "project-a") not in desired.subjects] == kept


class TestExclusive:
    def test_others_leave_our_binding_and_stay_in_theirs(self) -> None:
        (change,) = plan(binding(OURS, JANE, DEFAULT, JANE), binding("by-hand", JANE), exclusive=True).changes
        assert change.body["subjects"] == [DEFAULT]
        assert change.details == {"role": ROLE, "revoked": ["User jane"]}

    def test_a_binding_with_nobody_left_goes_when_the_grant_stands_elsewhere(self) -> None:
        (change,) = plan(binding(OURS, JANE, ours=True), binding("by-hand", DEFAULT), exclusive=True).changes
        assert change.action == "delete"


class TestEveryBinding:
    def revoke(self, *bindings: Any) -> Any:
        return plan(*bindings, state="absent", revoke_from="every_binding")

    def annotated(self, value: str, *subjects: Any) -> Any:
        found = binding("kept", *subjects)
        found["metadata"]["annotations"] = {"rbac.authorization.kubernetes.io/autoupdate": value}
        return found

    def test_takes_every_spelling_from_every_binding_of_the_role(self) -> None:
        result = self.revoke(
            binding(OURS, DEFAULT, ours=True),
            binding("a", JANE, SPELLINGS[2]),
            binding("b", SPELLINGS[3]),
            binding("c", JANE),
            binding("d", DEFAULT, role="view"),
        )
        done = {change.ref.name: (change.action, change.body.get("subjects")) for change in result.changes}
        assert done == {OURS: ("delete", None), "a": ("update", [JANE]), "b": ("delete", None)}
        assert result.notes == ()

    @pytest.mark.parametrize("name", ["system:image-pullers", "system:image-builders", "system:deployers"])
    def test_the_platforms_own_are_emptied_and_never_deleted(self, name: str) -> None:
        (change,) = self.revoke(binding(name, DEFAULT)).changes
        assert (change.action, change.body["subjects"]) == ("update", [])

    def test_as_is_one_that_the_server_was_told_not_to_restore(self) -> None:
        (change,) = self.revoke(self.annotated("false", DEFAULT)).changes
        assert (change.action, change.body["subjects"]) == ("update", [])

    def test_one_that_the_server_restores_is_told(self) -> None:
        result = self.revoke(self.annotated("true", DEFAULT))
        assert [change.action for change in result.changes] == ["delete"]
        assert result.notes == (
            "role binding project-a/kept will be restored by the API server when it restarts "
            "(annotation rbac.authorization.kubernetes.io/autoupdate)",
        )

    def test_one_that_was_empty_already_is_not_ours_to_delete(self) -> None:
        assert self.revoke(binding("empty")).changes == ()

    def test_a_binding_of_our_name_for_another_role_is_no_obstacle(self) -> None:
        (change,) = self.revoke(binding(OURS, DEFAULT, role="view"), binding("a", DEFAULT)).changes
        assert change.ref.name == "a"


class TestRecreate:
    def test_deletes_and_creates_for_the_given_subjects_only(self) -> None:
        (change,) = plan(binding(OURS, JANE, role="view"), recreate=True).changes
        assert (change.action, change.body["roleRef"]["name"], change.body["subjects"]) == ("replace", ROLE, [DEFAULT])
        assert (change.details["from_role"], change.details["revoked"]) == ("view", ["User jane"])
        assert change.old["subjects"] == [JANE], "what is put back when the new one is refused"

    def test_does_nothing_when_the_grant_stands_elsewhere(self) -> None:
        assert plan(binding(OURS, JANE, role="view"), binding("by-hand", DEFAULT), recreate=True).changes == ()

    def test_does_nothing_to_a_binding_of_the_right_role(self) -> None:
        (change,) = plan(binding(OURS, JANE), recreate=True).changes
        assert change.action == "update"


ACCOUNT_REF = ObjectRef(SERVICE_ACCOUNT, "project-a", "default")
PROJECT_REF = ObjectRef(NAMESPACE, "", "project-c")


class TestNotThereYet:
    def test_what_is_granted_to_nobody_yet_is_told(self) -> None:
        desired = declared(projects=["project-c"], users=["jane"])
        assert desired.related("project-b", {}) == [ACCOUNT_REF, PROJECT_REF]
        result = desired.plan("project-b", {}, {ACCOUNT_REF: {}, PROJECT_REF: None})
        assert len(result.changes[0].body["subjects"]) == 3
        assert result.notes == (
            "namespace project-c does not exist yet; the grant to Group system:serviceaccounts:project-c takes effect "
            "once it does",
        )

    def test_what_the_caller_may_not_see_is_no_news(self) -> None:
        assert declared().plan("project-b", {}, {}).notes == ()

    def test_taking_back_looks_nobody_up(self) -> None:
        assert declared(state="absent").related("project-b", {OURS: binding(OURS, DEFAULT)}) == []


class TestPrune:
    HELD = (DEFAULT, JANE, ALL_OF_C, DEFAULT)

    def test_takes_out_who_is_gone_and_nobody_else(self) -> None:
        desired, objects = declared(service_accounts=[], prune=True), {OURS: binding(OURS, *self.HELD)}
        assert desired.related("project-a", objects) == [ACCOUNT_REF, PROJECT_REF]
        (change,) = desired.plan("project-a", objects, {ACCOUNT_REF: None, PROJECT_REF: {}}).changes
        assert change.body["subjects"] == [JANE, ALL_OF_C]
        assert change.details == {"role": ROLE, "pruned": ["ServiceAccount project-a/default"]}

    def test_who_is_given_stays_with_a_warning(self) -> None:
        result = declared(prune=True).plan("project-a", {OURS: binding(OURS, DEFAULT)}, {ACCOUNT_REF: None})
        assert result.changes == ()
        assert "service account project-a/default does not exist yet" in result.notes[0]

    def test_who_may_not_be_looked_up_stays_and_that_is_told(self) -> None:
        desired, objects = declared(service_accounts=[], prune=True), {OURS: binding(OURS, ALL_OF_C)}
        result = desired.plan("project-a", objects, {})
        assert result.changes == ()
        assert result.notes == (
            "Group system:serviceaccounts:project-c was not pruned: the caller may not read namespace project-c, so it is not "
            "known whether it exists",
        )

    def test_goes_with_taking_back_and_never_touches_another_binding(self) -> None:
        objects = {OURS: binding(OURS, JANE, ALL_OF_C, ours=True), "by-hand": binding("by-hand", ALL_OF_C)}
        desired = declared(service_accounts=[], users=["jane"], prune=True, state="absent")
        (change,) = desired.plan("project-a", objects, {PROJECT_REF: None}).changes
        assert (change.action, change.ref.name) == ("delete", OURS)
        assert change.details == {
            "role": ROLE,
            "revoked": ["User jane"],
            "pruned": ["Group system:serviceaccounts:project-c"],
        }

    def test_without_the_option_nobody_is_looked_up(self) -> None:
        assert declared(users=["jane"], service_accounts=[]).related("a", {OURS: binding(OURS, ALL_OF_C)}) == []


class TestEveryOptionAtOnce:
    """Whatever is asked for: a plan carried out leaves nothing to plan, and what is not spoken of stays as it stands."""

    ENTRIES = st.lists(st.sampled_from([*SPELLINGS, JANE, ALL_OF_C, {"kind": "Group", "name": "ops"}]), max_size=6)
    GONE = st.dictionaries(st.sampled_from([ACCOUNT_REF, PROJECT_REF]), st.none() | st.just({}))
    OPTIONS = st.fixed_dictionaries(
        {"state": st.just("present"), "prune": st.booleans(), "exclusive": st.booleans()}
    ) | st.fixed_dictionaries(
        {"state": st.just("absent"), "prune": st.booleans(), "revoke_from": st.sampled_from(["ours", "every_binding"])}
    )

    @given(ENTRIES, ENTRIES, st.booleans(), GONE, OPTIONS)
    def test_is_a_fixed_point(self, own: Any, others: Any, ours: bool, found: Any, given_: Any) -> None:
        objects = {OURS: binding(OURS, *own, ours=ours), "other": binding("other", *others)}
        desired = declared(users=["jane"], **given_)
        for change in desired.plan("project-a", objects, found).changes:
            objects[change.ref.name] = {**objects[change.ref.name], "subjects": change.body.get("subjects", [])}
        assert desired.plan("project-a", objects, found).changes == ()

        def foreign(entries: Any) -> Any:
            return [entry for entry in entries if subject_of(entry, "project-a") not in desired.subjects]

        assert foreign(objects["other"]["subjects"]) == foreign(others)
        if not desired.everywhere:
            assert objects["other"]["subjects"] == others
        if not (desired.exclusive or desired.prune):
            assert foreign(objects[OURS]["subjects"]) == foreign(own)


class TestPrecondition:
    @pytest.mark.parametrize(("state", "needed"), [("present", "cluster role system:image-puller"), ("absent", "None")])
    def test_the_role_is_needed_to_grant_only(self, state: str, needed: str) -> None:
        assert str(declared(state=state).precondition) == needed
