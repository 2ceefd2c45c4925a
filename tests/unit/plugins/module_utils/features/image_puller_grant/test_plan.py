# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grants are added and revoked one by one, and other people's grants stay unchanged."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import INSTANCE, MANAGED_BY, Plan
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    CLUSTER_ROLE,
    NAMESPACE,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant import plan as grant
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import subject_of
from hypothesis import given
from hypothesis import strategies as st
from support.objects import raised

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
    further = {"exclusive": False, "revoke_from": "ours", "prune": False, "verify_access": False}
    return grant.from_options({**options, **further, **given_})


def plan(*bindings: dict[str, Any], **given_: Any) -> Any:
    return declared(**given_).plan("project-a", {obj["metadata"]["name"]: obj for obj in bindings})


class TestPlanPresent:
    def test_a_grant_creates_one_labelled_binding(self) -> None:
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
        """Foreign entries stay verbatim, including duplicates and odd spellings. The request contains the version that was read."""
        foreign = [SPELLINGS[2], JANE, JANE, {"kind": "ServiceAccount", "name": "builder"}]
        (change,) = plan(binding(OURS, *foreign), projects=["project-c"]).changes
        assert change.action == "update"
        assert change.body == {"subjects": [*foreign, ALL_OF_C], "metadata": {"resourceVersion": "7"}}
        assert change.details == {"role": ROLE, "granted": ["Group system:serviceaccounts:project-c"]}
        assert change.after["subjects"][:-1] == change.before["subjects"]

    def test_a_grant_adds_only_the_missing_subjects(self) -> None:
        (change,) = plan(binding("somebody-elses", DEFAULT), users=["jane"]).changes
        assert change.body["subjects"] == [JANE]

    @pytest.mark.parametrize(("role", "kind"), [("view", "ClusterRole"), (ROLE, "Role")])
    @pytest.mark.parametrize("state", ["present", "absent"])
    def test_a_binding_of_our_name_for_another_role_is_refused(self, state: str, role: str, kind: str) -> None:
        assert raised(Refusal, lambda: plan(binding(OURS, DEFAULT, role=role, kind=kind), state=state)) == (
            f"role binding project-a/{OURS} has {kind} {role}, and the role of a binding cannot be changed: choose another "
            f"'binding_name'. If nobody needs this binding, type: oc delete rolebinding {OURS} -n project-a"
        )

    def test_an_odd_name_is_quoted_for_the_shell(self) -> None:
        with pytest.raises(Refusal, match=re.escape("type: oc delete rolebinding 'a; b' -n project-a")):
            plan(binding("a; b", role="view"), binding_name="a; b")


class TestPlanAbsent:
    @pytest.mark.parametrize("entry", SPELLINGS)
    def test_a_revocation_removes_every_spelling_and_nothing_else(self, entry: Any) -> None:
        (change,) = plan(binding(OURS, JANE, entry, ALL_OF_C, DEFAULT, JANE, ours=True), state="absent").changes
        assert change.action == "update"
        assert change.body == {"subjects": [JANE, ALL_OF_C, JANE], "metadata": {"resourceVersion": "7"}}
        assert change.details == {"role": ROLE, "revoked": ["ServiceAccount project-a/default"]}

    def test_our_binding_is_deleted_once_it_is_empty(self) -> None:
        (change,) = plan(binding(OURS, DEFAULT, ours=True), state="absent").changes
        assert (change.action, change.after) == ("delete", {})
        assert change.body["preconditions"] == {"uid": "u", "resourceVersion": "7"}

    @pytest.mark.parametrize("bindings", [[], [binding(OURS, JANE, ours=True)], [binding(OURS, ours=True)]])
    def test_a_grant_that_is_already_absent_changes_nothing(self, bindings: Any) -> None:
        result = plan(*bindings, state="absent")
        assert (result.changes, result.notes) == ((), ())

    def test_foreign_bindings_are_left_alone_and_their_grants_are_reported(self) -> None:
        result = plan(
            binding("b", SPELLINGS[2]), binding("a", DEFAULT), binding("c", DEFAULT, role="view"), state="absent"
        )
        assert result.changes == ()
        assert result.notes == (
            "ServiceAccount project-a/default may still pull from project-a, by role binding a, b; not changed: "
            "revoke it there too with 'revoke_from: every_binding'",
        )


class TestExclusive:
    def test_an_exclusive_grant_removes_other_subjects_from_our_binding_only(self) -> None:
        (change,) = plan(binding(OURS, JANE, DEFAULT, JANE), binding("by-hand", JANE), exclusive=True).changes
        assert change.body["subjects"] == [DEFAULT]
        assert change.details == {"role": ROLE, "revoked": ["User jane"]}

    def test_a_binding_without_subjects_is_deleted_if_the_grant_is_elsewhere(self) -> None:
        (change,) = plan(binding(OURS, JANE, ours=True), binding("by-hand", DEFAULT), exclusive=True).changes
        assert change.action == "delete"


class TestEveryBinding:
    def revoke(self, *bindings: Any) -> Any:
        return plan(*bindings, state="absent", revoke_from="every_binding")

    def annotated(self, value: str, *subjects: Any) -> Any:
        found = binding("kept", *subjects)
        found["metadata"]["annotations"] = {"rbac.authorization.kubernetes.io/autoupdate": value}
        return found

    def test_every_spelling_is_removed_from_every_binding_of_the_role(self) -> None:
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
    def test_the_platforms_bindings_are_emptied_and_never_deleted(self, name: str) -> None:
        (change,) = self.revoke(binding(name, DEFAULT)).changes
        assert (change.action, change.body["subjects"]) == ("update", [])

    def test_a_binding_that_the_server_does_not_restore_is_emptied(self) -> None:
        (change,) = self.revoke(self.annotated("false", DEFAULT)).changes
        assert (change.action, change.body["subjects"]) == ("update", [])

    def test_a_binding_that_the_server_restores_is_reported(self) -> None:
        result = self.revoke(self.annotated("true", DEFAULT))
        assert [change.action for change in result.changes] == ["delete"]
        assert result.notes == (
            "role binding project-a/kept will be restored by the API server when it restarts "
            "(annotation rbac.authorization.kubernetes.io/autoupdate)",
        )

    def test_an_already_empty_binding_is_not_deleted(self) -> None:
        assert self.revoke(binding("empty")).changes == ()

    def test_a_binding_of_our_name_for_another_role_does_not_block_a_revocation(self) -> None:
        (change,) = self.revoke(binding(OURS, DEFAULT, role="view"), binding("a", DEFAULT)).changes
        assert change.ref.name == "a"


ROLE_REF = ObjectRef(CLUSTER_ROLE, "", "system:image-puller")
ACCOUNT_REF = ObjectRef(SERVICE_ACCOUNT, "project-a", "default")
PROJECT_REF = ObjectRef(NAMESPACE, "", "project-c")


class TestNotThereYet:
    def test_grants_to_missing_subjects_are_reported(self) -> None:
        desired = declared(projects=["project-c"], users=["jane"])
        assert desired.related("project-b", {}) == [ROLE_REF, ACCOUNT_REF, PROJECT_REF]
        result = desired.plan("project-b", {}, {ACCOUNT_REF: {}, PROJECT_REF: None})
        assert len(result.changes[0].body["subjects"]) == 3
        assert result.notes == (
            "namespace project-c does not exist yet: the grant to Group system:serviceaccounts:project-c takes effect "
            "once it does",
        )

    def test_a_subject_that_may_not_be_read_is_not_reported(self) -> None:
        assert declared().plan("project-b", {}, {}).notes == ()

    def test_a_revocation_looks_up_no_subject(self) -> None:
        assert declared(state="absent").related("project-b", {OURS: binding(OURS, DEFAULT)}) == []


class TestPrune:
    HELD = (DEFAULT, JANE, ALL_OF_C, DEFAULT)

    def test_pruning_removes_only_missing_subjects(self) -> None:
        desired, objects = declared(service_accounts=[], prune=True), {OURS: binding(OURS, *self.HELD)}
        assert desired.related("project-a", objects) == [ROLE_REF, ACCOUNT_REF, PROJECT_REF]
        (change,) = desired.plan("project-a", objects, {ACCOUNT_REF: None, PROJECT_REF: {}}).changes
        assert change.body["subjects"] == [JANE, ALL_OF_C]
        assert change.details == {"role": ROLE, "pruned": ["ServiceAccount project-a/default"]}

    def test_a_given_subject_is_not_pruned_and_gives_a_warning(self) -> None:
        result = declared(prune=True).plan("project-a", {OURS: binding(OURS, DEFAULT)}, {ACCOUNT_REF: None})
        assert result.changes == ()
        assert "service account project-a/default does not exist yet" in result.notes[0]

    def test_a_subject_that_may_not_be_looked_up_is_kept_and_reported(self) -> None:
        desired, objects = declared(service_accounts=[], prune=True), {OURS: binding(OURS, ALL_OF_C)}
        result = desired.plan("project-a", objects, {})
        assert result.changes == ()
        assert result.notes == (
            "Group system:serviceaccounts:project-c was not pruned: the caller may not read namespace project-c, so it is not "
            "known whether it exists",
        )

    def test_no_subject_is_looked_up_without_the_option_prune(self) -> None:
        assert declared(users=["jane"], service_accounts=[]).related("a", {OURS: binding(OURS, ALL_OF_C)}) == [ROLE_REF]


class TestEveryOptionAtOnce:
    """For any options, a second plan is empty, and subjects that the options do not name stay unchanged."""

    ENTRIES = st.lists(st.sampled_from([*SPELLINGS, JANE, ALL_OF_C, {"kind": "Group", "name": "ops"}]), max_size=6)
    GONE = st.dictionaries(st.sampled_from([ACCOUNT_REF, PROJECT_REF]), st.none() | st.just({}))
    OPTIONS = st.fixed_dictionaries(
        {"state": st.just("present"), "prune": st.booleans(), "exclusive": st.booleans()}
    ) | st.fixed_dictionaries(
        {"state": st.just("absent"), "prune": st.booleans(), "revoke_from": st.sampled_from(["ours", "every_binding"])}
    )

    @given(ENTRIES, ENTRIES, st.booleans(), GONE, OPTIONS)
    def test_an_executed_plan_leaves_nothing_to_plan(
        self, own: Any, others: Any, ours: bool, found: Any, given_: Any
    ) -> None:
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


class TestRole:
    def test_the_role_is_read_only_for_a_grant(self) -> None:
        assert declared().related("a", {})[0] == ROLE_REF
        assert ROLE_REF not in declared(state="absent").related("a", {})

    def test_a_missing_role_is_refused_for_a_grant(self) -> None:
        assert raised(Refusal, lambda: declared().plan("a", {}, {ROLE_REF: None})) == (
            "cluster role system:image-puller does not exist, so a binding to it would grant nothing: only OpenShift has it, for its "
            "internal registry. On another cluster there is nothing to grant: remove the grant, and give the pods a pull secret for the "
            "registry of their image"
        )
        assert declared(state="absent").plan("a", {}, {ROLE_REF: None}).changes == ()

    @pytest.mark.parametrize("found", [{}, {ROLE_REF: {"metadata": {"name": "x"}}}])
    def test_a_role_that_exists_or_may_not_be_read_is_granted(self, found: dict[ObjectRef, Any]) -> None:
        assert len(declared().plan("a", {}, found).changes) == 1


class TestUnlabelledBinding:
    """A binding of our name that another client created, or that lost its label, is edited and never deleted."""

    @pytest.mark.parametrize(
        "given_", [{"state": "absent"}, {"exclusive": True, "users": ["bob"], "service_accounts": []}]
    )
    def test_an_unlabelled_binding_is_never_deleted(self, given_: Any) -> None:
        objects = {OURS: binding(OURS, DEFAULT), "by-hand": binding("by-hand", {**JANE, "name": "bob"})}
        (change,) = declared(**given_).plan("project-a", objects).changes
        assert (change.action, change.ref.name, change.body["subjects"]) == ("update", OURS, [])
        assert change.after == {"role": ROLE, "subjects": []}

    @pytest.mark.parametrize("labels", [{}, None, {"app.kubernetes.io/managed-by": "helm"}, ["app"]], ids=str)
    def test_a_binding_with_other_labels_counts_as_unlabelled(self, labels: Any) -> None:
        found = binding(OURS, DEFAULT)
        found["metadata"]["labels"] = labels
        (change,) = plan(found, state="absent").changes
        assert change.action == "update"

    def test_an_unlabelled_binding_is_extended_without_a_label(self) -> None:
        (change,) = plan(binding(OURS, JANE)).changes
        assert (change.action, change.body["subjects"]) == ("update", [JANE, DEFAULT])
        assert "labels" not in change.body["metadata"]


class TestAbsentWithPrune:
    GONE = {"kind": "ServiceAccount", "name": "gone", "namespace": "project-x"}
    GONE_REF = ObjectRef(SERVICE_ACCOUNT, "project-x", "gone")

    def pruned(self, *bindings: Any, found: Any = None, **given_: Any) -> Any:
        desired = declared(state="absent", prune=True, **given_)
        objects = {obj["metadata"]["name"]: obj for obj in bindings}
        assert set(desired.related("project-a", objects)) >= {self.GONE_REF}
        return desired.plan("project-a", objects, {self.GONE_REF: None} if found is None else found)

    def test_given_and_missing_subjects_are_removed_and_the_rest_is_kept(self) -> None:
        (change,) = self.pruned(binding(OURS, JANE, DEFAULT, self.GONE, ALL_OF_C, self.GONE)).changes
        assert (change.action, change.body["subjects"]) == ("update", [JANE, ALL_OF_C])
        assert change.details == {
            "role": ROLE,
            "revoked": ["ServiceAccount project-a/default"],
            "pruned": ["ServiceAccount project-x/gone"],
        }
        held = ["User jane", "ServiceAccount project-a/default", "ServiceAccount project-x/gone"]
        every = [*held, "Group system:serviceaccounts:project-c", "ServiceAccount project-x/gone"]
        assert change.before == {"role": ROLE, "subjects": every}
        assert change.after == {"role": ROLE, "subjects": ["User jane", "Group system:serviceaccounts:project-c"]}

    def test_a_given_subject_that_is_missing_is_revoked_not_pruned(self) -> None:
        accounts = [{"namespace": "project-x", "name": "gone"}]
        (change,) = self.pruned(binding(OURS, self.GONE, ours=True), service_accounts=accounts).changes
        assert change.action == "delete"
        assert change.details == {"role": ROLE, "revoked": ["ServiceAccount project-x/gone"]}

    def test_foreign_bindings_lose_only_the_given_subjects(self) -> None:
        bindings = [binding(OURS, self.GONE), binding("other", self.GONE, DEFAULT)]
        result = self.pruned(*bindings, revoke_from="every_binding")
        done = {
            change.ref.name: (change.action, change.details, change.body.get("subjects")) for change in result.changes
        }
        assert done == {
            OURS: ("delete", {"role": ROLE, "pruned": ["ServiceAccount project-x/gone"]}, None),
            "other": ("update", {"role": ROLE, "revoked": ["ServiceAccount project-a/default"]}, [self.GONE]),
        }

    def test_a_missing_binding_needs_no_change(self) -> None:
        assert declared(state="absent", prune=True).plan("project-a", {}) == Plan()

    def test_a_subject_without_a_valid_path_is_neither_read_nor_removed(self) -> None:
        odd = {"kind": "User", "name": "system:serviceaccount:project-x:../gone", "apiGroup": RBAC}
        desired, objects = declared(state="absent", prune=True), {OURS: binding(OURS, odd)}
        assert desired.related("project-a", objects) == []
        assert desired.plan("project-a", objects) == Plan()


class TestOddEntries:
    """Objects that no API server sends lose nothing and cause only readable errors."""

    ODD = (
        None,
        "text",
        ["list"],
        {},
        {"kind": "User", "name": None},
        {"kind": "ServiceAccount", "name": "a", "namespace": 5},
    )

    def test_odd_entries_keep_their_places(self) -> None:
        entries = [self.ODD[0], JANE, *self.ODD[1:4], DEFAULT, *self.ODD[4:]]
        (granted,) = plan(binding(OURS, *entries), projects=["project-c"]).changes
        assert granted.body["subjects"] == [*entries, ALL_OF_C]
        (revoked,) = plan(binding(OURS, *entries, ours=True), state="absent").changes
        assert revoked.body["subjects"] == [entry for entry in entries if entry != DEFAULT]
        assert revoked.after == {"role": ROLE, "subjects": ["User jane"]}

    def test_odd_entries_keep_a_binding_from_being_deleted(self) -> None:
        (change,) = plan(binding(OURS, None, DEFAULT, ours=True), state="absent").changes
        assert (change.action, change.body["subjects"]) == ("update", [None])

    def test_odd_entries_stay_with_an_exclusive_grant(self) -> None:
        (change,) = plan(binding(OURS, JANE, *self.ODD, DEFAULT), exclusive=True).changes
        assert change.body["subjects"] == [*self.ODD, DEFAULT]

    @pytest.mark.parametrize("name", [OURS, "other"])
    @pytest.mark.parametrize(
        "given_", [{}, {"state": "absent"}, {"state": "absent", "prune": True}, {"prune": True, "users": ["jane"]}]
    )
    def test_subjects_that_are_not_a_list_are_an_error(self, name: str, given_: Any) -> None:
        objects = {name: {**binding(name, ours=True), "subjects": {"kind": "User"}}}
        desired = declared(**given_)
        assert desired.related("project-a", objects) == ([] if "state" in given_ else [ROLE_REF, ACCOUNT_REF])
        with pytest.raises(
            Refusal, match=f"^role binding project-a/{name} cannot be read: its 'subjects' are not a list"
        ):
            desired.plan("project-a", objects)

    @pytest.mark.parametrize("role", [None, "text", ["x"], {}, {"kind": "ClusterRole", "name": None}], ids=str)
    def test_a_role_that_cannot_be_read_is_another_role(self, role: Any) -> None:
        assert [change.action for change in plan({**binding("x", DEFAULT), "roleRef": role}).changes] == ["create"]
        with pytest.raises(
            Refusal, match=f"^role binding project-a/{OURS} has .*, and the role of a binding cannot be"
        ):
            plan({**binding(OURS, DEFAULT), "roleRef": role})

    def test_a_binding_is_known_by_the_name_that_it_was_read_under(self) -> None:
        objects = {"other": {**binding("other", DEFAULT), "metadata": {"resourceVersion": "7"}}}
        (change,) = declared(state="absent", revoke_from="every_binding").plan("project-a", objects).changes
        assert (change.action, change.ref.name) == ("delete", "other")
        (note,) = declared(state="absent").plan("project-a", objects).notes
        assert "by role binding other; not changed" in note

    @pytest.mark.parametrize(
        "annotations", [None, "text", ["x"], {"rbac.authorization.kubernetes.io/autoupdate": None}]
    )
    def test_unreadable_annotations_are_ignored(self, annotations: Any) -> None:
        found = binding("other", DEFAULT)
        found["metadata"]["annotations"] = annotations
        result = plan(found, state="absent", revoke_from="every_binding")
        assert [change.action for change in result.changes] == ["delete"]
        assert result.notes == ()


class TestDetails:
    def test_a_new_binding_reports_its_subjects(self) -> None:
        (change,) = plan(users=["jane"]).changes
        assert str(change.ref) == f"role binding project-a/{OURS}"
        assert change.details == {"role": ROLE, "granted": ["ServiceAccount project-a/default", "User jane"]}
        assert change.before == {}
        assert change.after == {"role": ROLE, "subjects": ["ServiceAccount project-a/default", "User jane"]}

    def test_an_exclusive_grant_reports_granted_and_revoked_subjects(self) -> None:
        (change,) = plan(
            binding(OURS, JANE, ALL_OF_C, JANE), users=["bob"], service_accounts=[], exclusive=True
        ).changes
        assert change.details == {
            "role": ROLE,
            "granted": ["User bob"],
            "revoked": ["User jane", "Group system:serviceaccounts:project-c"],
        }
        assert change.before["subjects"] == ["User jane", "Group system:serviceaccounts:project-c", "User jane"]
        assert change.after == {"role": ROLE, "subjects": ["User bob"]}

    def test_every_subject_that_is_still_granted_is_reported(self) -> None:
        result = plan(binding("by-hand", DEFAULT, ALL_OF_C), state="absent", projects=["project-c"], users=["jane"])
        assert [note.partition(" may")[0] for note in result.notes] == [
            "ServiceAccount project-a/default",
            "Group system:serviceaccounts:project-c",
        ]

    def test_all_bindings_of_the_namespace_are_read(self) -> None:
        assert (declared().kind, declared().names("a")) == (ROLE_BINDING, ())


class TestWhateverIsSent:
    """JSON of any shape leads to a plan or a readable refusal. Every entry that is not revoked keeps its place."""

    JSON = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.sampled_from(["User", "Group", "jane", ROLE]),
        lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from(["kind", "name", "namespace"]), part),
        max_leaves=8,
    )
    ENTRIES = st.lists(JSON | st.sampled_from([*SPELLINGS, JANE, ALL_OF_C]), max_size=6)
    META = st.fixed_dictionaries(
        {"resourceVersion": st.just("7")},
        optional={"name": JSON, "labels": JSON, "annotations": JSON, "namespace": JSON},
    )
    OPTIONS = st.sampled_from(
        [
            {},
            {"exclusive": True},
            {"prune": True},
            {"state": "absent"},
            {"state": "absent", "prune": True},
            {"state": "absent", "revoke_from": "every_binding"},
        ]
    )

    @given(
        ENTRIES | JSON,
        META | JSON,
        JSON | st.just({"kind": "ClusterRole", "name": ROLE}),
        st.sampled_from([OURS, "x"]),
        OPTIONS,
    )
    def test_arbitrary_bindings_never_fail_and_lose_no_entry(
        self, subjects: Any, meta: Any, role: Any, name: str, given_: Any
    ) -> None:
        observed = {"metadata": meta, "roleRef": role, "subjects": subjects}
        desired = declared(users=["jane"], **given_)
        refs = desired.related("project-a", {name: observed})
        try:
            result = desired.plan("project-a", {name: observed}, dict.fromkeys(refs))
        except Refusal:
            return
        for change in (change for change in result.changes if change.action == "update"):
            spoken_of = {*change.details.get("revoked", ()), *change.details.get("pruned", ())}
            kept = [entry for entry in subjects if str(subject_of(entry, "project-a")) not in spoken_of]
            after = change.body["subjects"]
            assert after[: len(kept)] == kept
            assert len(after) == len(kept) + len(change.details.get("granted", ()))


def owned(owner: str, found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "metadata": {**found["metadata"], "labels": {**MANAGED_BY, INSTANCE: owner}}}


class TestOwner:
    MINE = f"{OURS}-a"

    def test_an_owner_has_a_labelled_binding_of_its_own(self) -> None:
        (change,) = plan(owner="a").changes
        assert change.ref.name == self.MINE
        assert change.body["metadata"]["labels"] == {**MANAGED_BY, INSTANCE: "a"}

    def test_a_grant_of_another_owner_is_granted_again(self) -> None:
        (change,) = plan(owned("b", binding(f"{OURS}-b", DEFAULT)), owner="a").changes
        assert (change.action, change.ref.name) == ("create", self.MINE)
        assert plan(binding(f"{OURS}-b", DEFAULT, ours=True), owner="a").changes == ()
        assert plan(owned("b", binding(f"{OURS}-b", DEFAULT))).changes == ()

    @pytest.mark.parametrize("given_", [{}, {"state": "absent"}, {"state": "absent", "adopt": True}, {"role": "view"}])
    def test_another_owners_binding_is_refused(self, given_: Any) -> None:
        with pytest.raises(Refusal, match="belongs to owner b and not to a"):
            plan(owned("b", binding("x", DEFAULT)), owner="a", binding_name="x", **given_)

    def test_an_owner_revokes_in_every_binding_except_another_owners(self) -> None:
        everywhere = {"owner": "a", "state": "absent", "revoke_from": "every_binding"}
        assert [change.ref.name for change in plan(binding("x", DEFAULT), **everywhere).changes] == ["x"]
        assert plan(owned("b", binding("y", JANE)), binding("x", JANE), **everywhere).changes == ()
        with pytest.raises(Refusal, match="role binding project-a/y belongs to owner b"):
            plan(owned("b", binding("y", DEFAULT)), binding("x", DEFAULT), **everywhere)

    @pytest.mark.parametrize(
        "found", [binding("x", DEFAULT), binding("x", DEFAULT, ours=True), owned("b", binding("x", DEFAULT))]
    )
    def test_an_adopted_binding_gets_both_labels_once(self, found: Any) -> None:
        (change,) = plan(found, owner="a", binding_name="x", adopt=True).changes
        labels = {**found["metadata"]["labels"], **change.body["metadata"]["labels"]}
        assert labels == {**MANAGED_BY, INSTANCE: "a"}
        assert change.body["subjects"] == [DEFAULT]
        assert change.details["labels"] == sorted(change.body["metadata"]["labels"])
        assert plan(owned("a", binding("x", DEFAULT)), owner="a", binding_name="x", adopt=True).changes == ()

    def test_an_existing_binding_is_not_labelled_without_adopt(self) -> None:
        (change,) = plan(binding("x", JANE, ours=True), owner="a", binding_name="x").changes
        assert "labels" not in change.body["metadata"]

    def test_the_platforms_bindings_are_not_adopted(self) -> None:
        found = binding("x", DEFAULT)
        found["metadata"]["annotations"] = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
        assert plan(found, owner="a", binding_name="x", adopt=True).changes == ()
