# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account gets only the rights that its jobs need. The plan creates, corrects and deletes its parts, and never changes foreign objects."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Change
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import (
    RIGHTS_PAGE,
    OptionError,
    Refusal,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    ROLE_BINDING,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.automation_account.plan import (
    ARGUMENTS,
    AccountPlan,
    AccountRequest,
    AccountRoles,
    NamespaceBindings,
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import LABELS, has_account_labels

ROLE = "image-pull:home:robot"
PARTS = AccountRoles("home", "robot", ("export",))
META = {"resourceVersion": "1", "uid": "u", "labels": dict(LABELS)}


def stored(body: dict[str, Any], **meta: Any) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], **META, **meta}}


def at_home(desired: AccountPlan, *, account: Any = None, **there: Any) -> list[Change]:
    """Return the planned changes. `there` holds the stored roles by the suffix of their names, and the cluster's binding as `binding`."""
    found: dict[ObjectRef, Any] = dict.fromkeys(desired.related("home", {}))
    for suffix, obj in there.items():
        ref = (
            ObjectRef(CLUSTER_ROLE_BINDING, "", f"{ROLE}:cluster")
            if suffix == "binding"
            else ObjectRef(CLUSTER_ROLE, "", ROLE + {"each": "", "cluster": ":cluster"}[suffix])
        )
        assert ref in found
        found[ref] = obj
    objects = {} if account is None else {"robot": account}
    return [*desired.plan("home", objects, found).changes]


def shown(changes: list[Change]) -> list[tuple[str, str, str]]:
    return [(change.action, change.ref.kind.kind, change.ref.name) for change in changes]


def whole() -> dict[str, Any]:
    """Return all objects as they are after a run."""
    each, cluster = PARTS.wanted()
    return {
        "account": stored({"metadata": {"name": "robot", "namespace": "home"}}),
        "each": stored(PARTS.role(each)),
        "cluster": stored(PARTS.role(cluster)),
        "binding": stored(PARTS.binding(cluster)),
    }


class TestAtHome:
    def test_all_parts_are_created_with_roles_before_their_binding(self) -> None:
        changes = at_home(AccountPlan(PARTS))
        assert shown(changes) == [
            ("create", "ServiceAccount", "robot"),
            ("create", "ClusterRole", ROLE),
            ("create", "ClusterRole", f"{ROLE}:cluster"),
            ("create", "ClusterRoleBinding", f"{ROLE}:cluster"),
        ]
        assert all(has_account_labels(change.body) for change in changes)
        assert changes[1].details["granted"] == [
            "list on secrets",
            "list on serviceaccounts",
            "list on rolebindings.rbac.authorization.k8s.io",
        ]
        assert changes[3].after == {"grants": ["home/robot"]}

    def test_a_second_plan_changes_nothing(self) -> None:
        assert at_home(AccountPlan(PARTS), **whole()) == []

    def test_rules_that_another_client_changed_are_corrected(self) -> None:
        there = whole()
        there["each"]["rules"] = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
        (change,) = at_home(AccountPlan(PARTS), **there)
        assert shown([change]) == [("update", "ClusterRole", ROLE)]
        assert change.details["revoked"] == ["get on secrets"]
        assert change.body["rules"] == PARTS.role(PARTS.wanted()[0])["rules"]
        assert change.before == {"grants": ["get on secrets"]}

    def test_a_binding_of_the_cluster_to_another_role_is_replaced(self) -> None:
        there = whole()
        there["binding"]["roleRef"] = {**there["binding"]["roleRef"], "name": "cluster-admin"}
        (change,) = at_home(AccountPlan(PARTS), **there)
        assert shown([change]) == [("replace", "ClusterRoleBinding", f"{ROLE}:cluster")]
        assert change.body["roleRef"]["name"] == f"{ROLE}:cluster"

    def test_a_role_that_is_no_longer_needed_is_deleted(self) -> None:
        there = whole()
        everywhere = AccountRoles("home", "robot", ("export",), everywhere=True)
        there["cluster"] = stored(everywhere.role(everywhere.wanted()[0]))
        assert shown(at_home(AccountPlan(everywhere), **there)) == [("delete", "ClusterRole", ROLE)]

    def test_state_absent_deletes_all_parts_with_the_account_last(self) -> None:
        assert shown(at_home(AccountPlan(PARTS, present=False), **whole())) == [
            ("delete", "ClusterRoleBinding", f"{ROLE}:cluster"),
            ("delete", "ClusterRole", f"{ROLE}:cluster"),
            ("delete", "ClusterRole", ROLE),
            ("delete", "ServiceAccount", "robot"),
        ]
        assert at_home(AccountPlan(PARTS, present=False)) == []

    def test_objects_in_deletion_are_not_deleted_again(self) -> None:
        there = {"each": whole()["each"]}
        there["each"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        assert at_home(AccountPlan(PARTS, present=False), **there) == []

    @pytest.mark.parametrize("present", [True, False])
    def test_a_foreign_account_is_used_and_kept(self, present: bool) -> None:
        account = {"metadata": {"name": "robot", "namespace": "home", "resourceVersion": "1"}}
        changes = at_home(AccountPlan(PARTS, present=present), account=account)
        assert "ServiceAccount" not in [change.ref.kind.kind for change in changes]

    @pytest.mark.parametrize("labels", [{}, {"app.kubernetes.io/managed-by": "openshift_ops.image_pull"}, None])
    def test_a_foreign_role_is_refused(self, labels: Any) -> None:
        there = whole()
        there["each"]["metadata"]["labels"] = labels
        with pytest.raises(Refusal, match=f"cluster role {ROLE} was not created by this module"):
            at_home(AccountPlan(PARTS), **there)

    def test_an_unreadable_object_is_not_taken_for_absent(self) -> None:
        with pytest.raises(
            Refusal, match=f"may not read cluster role {ROLE}, .* allow the caller to 'get' it, see {RIGHTS_PAGE}"
        ):
            AccountPlan(PARTS).plan("home", {}, {})

    def test_rules_that_cannot_be_read_are_replaced(self) -> None:
        there = whole()
        there["each"]["rules"] = "everything"
        (change,) = at_home(AccountPlan(PARTS), **there)
        assert "revoked" not in change.details


class TestInNamespaces:
    def desired(self, *targets: str, present: bool = True) -> NamespaceBindings:
        return NamespaceBindings(PARTS, frozenset(targets), present)

    def there(self, **parts: Any) -> dict[str, Any]:
        return {ROLE: {**stored(PARTS.binding(PARTS.wanted()[0], "a")), **parts}}

    def test_a_target_gets_the_binding(self) -> None:
        (change,) = self.desired("a").plan("a", {}).changes
        assert (change.action, change.ref) == ("create", ObjectRef(ROLE_BINDING, "a", ROLE))
        assert change.details == {"granted": ["home/robot"]}

    def test_a_correct_binding_is_left_alone(self) -> None:
        assert self.desired("a").plan("a", self.there()).changes == ()

    @pytest.mark.parametrize("present", [True, False])
    def test_a_binding_outside_the_targets_is_deleted(self, present: bool) -> None:
        (change,) = self.desired("b", present=present).plan("a", self.there()).changes
        assert (change.action, change.details) == ("delete", {"revoked": ["home/robot"]})

    def test_state_absent_deletes_the_binding_in_a_target_too(self) -> None:
        (change,) = self.desired("a", present=False).plan("a", self.there()).changes
        assert change.action == "delete"

    def test_foreign_subjects_are_removed_from_the_binding(self) -> None:
        """The binding's subjects have the rights of the account's jobs."""
        subjects = [{"kind": "User", "name": "mallory"}, PARTS.subject]
        (change,) = self.desired("a").plan("a", self.there(subjects=subjects)).changes
        assert (change.action, change.details) == ("update", {"revoked": ["mallory"]})
        assert change.body["subjects"] == [PARTS.subject]

    def test_a_binding_to_another_role_is_replaced(self) -> None:
        there = self.there(roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"})
        (change,) = self.desired("a").plan("a", there).changes
        assert change.action == "replace"
        assert change.body["roleRef"]["name"] == ROLE

    def test_the_plan_reads_all_bindings_of_a_namespace(self) -> None:
        assert self.desired("a").names("a") == ()
        assert self.desired("a").related("a", {}) == ()

    @pytest.mark.parametrize(
        ("meta", "why"),
        [
            ({"labels": {}}, "was not created by this module, so it was kept, and role binding"),
            ({"deletionTimestamp": "now"}, "cannot be replaced, because it has a finalizer or is being deleted"),
        ],
    )
    def test_a_name_that_is_taken_is_replaced_by_the_next_one(self, meta: dict[str, Any], why: str) -> None:
        """Users of the namespace can create bindings of any name."""
        planned = self.desired("a").plan("a", self.taken(**meta))
        assert shown([*planned.changes]) == [("create", "RoleBinding", f"{ROLE}:2")]
        assert planned.changes[0].body["roleRef"]["name"] == ROLE
        assert f"role binding a/{ROLE} {why}" in planned.notes[0]

    def test_the_next_name_may_be_taken_too(self) -> None:
        objects = {**self.taken(labels={}), f"{ROLE}:2": stored(PARTS.binding(PARTS.wanted()[0], "a"), labels={})}
        (change,) = self.desired("a").plan("a", objects).changes
        assert change.ref.name == f"{ROLE}:3"

    def test_a_name_that_is_free_again_is_used_and_the_second_binding_is_deleted(self) -> None:
        second = {f"{ROLE}:2": stored(PARTS.binding(PARTS.wanted()[0], "a"))}
        assert self.desired("a").plan("a", {**self.taken(labels={}), **second}).changes == ()
        planned = self.desired("a").plan("a", second)
        changes, notes = [*planned.changes], planned.notes
        assert notes == (), "nothing is in the way"
        assert shown(changes) == [("delete", "RoleBinding", f"{ROLE}:2"), ("create", "RoleBinding", ROLE)]
        assert shown([*self.desired("b").plan("a", second).changes]) == [("delete", "RoleBinding", f"{ROLE}:2")]

    def test_a_binding_kept_by_a_finalizer_is_reported_with_the_command(self) -> None:
        objects = self.taken(finalizers=["example.com/x", "a\nb {{ c }}"])
        planned = self.desired("a").plan("a", objects)
        assert shown([*planned.changes]) == [("delete", "RoleBinding", ROLE), ("create", "RoleBinding", f"{ROLE}:2")]
        assert planned.notes[1] == (
            f"role binding a/{ROLE} is deleted, but the finalizer example.com/x keeps it, and it grants its rights until it is gone: if "
            f"nothing removes the finalizer, type: kubectl patch rolebinding {ROLE} -n a --type=merge -p "
            '\'{"metadata":{"finalizers":null}}\''
        )

    @pytest.mark.parametrize("name", [f"{ROLE}:x", f"{ROLE}:1", f"{ROLE}2", f"x{ROLE}:2"])
    def test_bindings_with_similar_names_are_left_alone(self, name: str) -> None:
        objects = {name: stored(PARTS.binding(PARTS.wanted()[0], "a"))}
        assert self.desired("b").plan("a", objects).changes == ()

    def taken(self, **meta: Any) -> dict[str, Any]:
        """Return a binding to another role that has the first name."""
        return {ROLE: {**stored(PARTS.binding(PARTS.wanted()[0], "a"), **meta), "roleRef": {"name": "view"}}}


GIVEN = {
    "name": "robot",
    "namespace": "home",
    "jobs": ["secrets", "links", "secrets"],
    "everywhere": False,
    "hosted_pull_secrets": None,
    "state": "present",
    "token_seconds": None,
    "kubeconfig_dest": None,
}


def wanted(**options: Any) -> AccountRequest:
    return from_options({**GIVEN, **options})


def test_the_options_give_the_wanted_account() -> None:
    found = wanted(token_seconds=600, kubeconfig_dest="d/f")
    assert found == AccountRequest(AccountRoles("home", "robot", ("secrets", "links")), "present", 600, "d/f")
    assert found.files is not None
    assert (found.files.directory, [*found.files.plain], found.files.force) == ("d", ["f"], True)
    assert found.files.option == "kubeconfig_dest"


def test_the_option_everywhere_is_false_by_default() -> None:
    assert ARGUMENTS["everywhere"]["default"] is False


def test_an_account_without_kubeconfig_dest_has_no_files() -> None:
    assert wanted().files is None


@pytest.mark.parametrize("state", ["present", "rendered"])
def test_an_account_without_jobs_is_refused(state: str) -> None:
    with pytest.raises(OptionError, match="give 'jobs'"):
        wanted(jobs=None, state=state)


def test_state_absent_needs_no_jobs() -> None:
    assert wanted(jobs=None, state="absent").parts.jobs == ()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"namespace": "A"}, "namespace"),
        ({"name": "a b"}, "name"),
        ({"token_seconds": 599}, "is 599: the minimum is 600 seconds"),
        ({"token_seconds": 600, "state": "absent"}, "'token_seconds' is for state present only"),
        ({"kubeconfig_dest": "f"}, "'kubeconfig_dest' needs 'token_seconds'"),
        ({"jobs": ["management_pull_secret"]}, "give 'hosted_pull_secrets', .*: kubectl get hostedclusters -A"),
        (
            {"jobs": ["management_pull_secret"], "hosted_pull_secrets": [], "state": "rendered"},
            "give 'hosted_pull_secrets'",
        ),
        (
            {"jobs": ["management_pull_secret"], "hosted_pull_secrets": ["*"]},
            "'hosted_pull_secrets': .* cannot be an object's name",
        ),
        ({"hosted_pull_secrets": ["a"]}, "'hosted_pull_secrets' is for the job management_pull_secret"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        wanted(**options)


def test_hosted_pull_secrets_are_kept_once_each() -> None:
    found = wanted(jobs=["management_pull_secret"], hosted_pull_secrets=["a", "b", "a"]).parts
    assert found.hosted_pull_secrets == ("a", "b")


@pytest.mark.parametrize(
    "options", [{"jobs": ["management_pull_secret"]}, {"jobs": None, "hosted_pull_secrets": ["a"]}]
)
def test_state_absent_does_not_check_hosted_pull_secrets(options: dict[str, Any]) -> None:
    wanted(**options, state="absent")


def test_several_problems_are_reported_at_once() -> None:
    with pytest.raises(OptionError, match="give 'jobs'.*; option 'token_seconds' is 1"):
        wanted(jobs=[], token_seconds=1)


@pytest.mark.parametrize(
    ("options", "named", "selected", "says"),
    [
        ({"everywhere": True}, True, False, "either 'everywhere' or"),
        ({"everywhere": True}, False, True, "either 'everywhere' or"),
        ({"state": "absent"}, True, False, "leave the namespaces out"),
        ({"state": "absent"}, False, True, "leave the namespaces out"),
        ({"state": "rendered"}, False, True, "connects to no cluster"),
    ],
)
def test_contradictory_targets_are_refused(options: dict[str, Any], named: bool, selected: bool, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        wanted(**options).require_targets(named=named, selected=selected)


@pytest.mark.parametrize("options", [{}, {"everywhere": True}, {"state": "absent"}, {"state": "rendered"}], ids=str)
def test_an_account_without_targets_is_accepted(options: dict[str, Any]) -> None:
    wanted(**options).require_targets(named=False, selected=False)


@pytest.mark.parametrize("state", ["present", "rendered"])
def test_named_targets_are_accepted(state: str) -> None:
    wanted(state=state).require_targets(named=True, selected=False)


def identify(manifests: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]) for each in manifests]


def test_each_place_gets_its_own_role() -> None:
    found = AccountRoles("home", "robot", ("wait",)).wanted()
    assert [(part.name, part.where) for part in found] == [
        (ROLE, ""),
        (f"{ROLE}:cluster", "*"),
        (f"{ROLE}:openshift-image-registry", "openshift-image-registry"),
    ]


def test_the_option_everywhere_means_the_whole_cluster() -> None:
    parts = AccountRoles("home", "robot", ("secrets",), everywhere=True)
    (part,) = parts.wanted()
    assert (part.name, part.where) == (f"{ROLE}:cluster", "*")
    assert {verb for rule in part.rules for verb in rule["verbs"]} == {"get", "list", "create", "patch", "delete"}
    assert identify(parts.manifests([])) == [
        ("ServiceAccount", "home", "robot"),
        ("ClusterRole", "", f"{ROLE}:cluster"),
        ("ClusterRoleBinding", "", f"{ROLE}:cluster"),
    ]


@pytest.mark.parametrize("everywhere", [False, True])
def test_secrets_of_hosted_clusters_are_granted_by_name(everywhere: bool) -> None:
    parts = AccountRoles("home", "robot", ("management_pull_secret",), everywhere, ("prod-pull",))
    rules = [rule for part in parts.wanted() for rule in part.rules if "secrets" in rule["resources"]]
    assert rules == [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["prod-pull"], "verbs": ["get", "patch"]}
    ]


def test_a_right_in_a_namespace_of_the_platforms_is_not_given_everywhere() -> None:
    found = {
        part.where: part.rules
        for part in AccountRoles("home", "robot", ("nodes_secret", "export"), everywhere=True).wanted()
    }
    assert [rule["resourceNames"] for rule in found["openshift-config"]] == [["pull-secret"]]
    assert {verb for rule in found["*"] for verb in rule["verbs"] if "secrets" in rule["resources"]} == {"list"}


def test_manifests_are_in_the_order_in_which_they_can_be_created() -> None:
    parts = AccountRoles("home", "robot", ("wait",))
    assert parts.fixed_namespaces() == ["openshift-image-registry"]
    assert identify(parts.manifests(["a", "b", "a"])) == [
        ("ServiceAccount", "home", "robot"),
        ("ClusterRole", "", ROLE),
        ("ClusterRole", "", f"{ROLE}:cluster"),
        ("ClusterRole", "", f"{ROLE}:openshift-image-registry"),
        ("ClusterRoleBinding", "", f"{ROLE}:cluster"),
        ("RoleBinding", "a", ROLE),
        ("RoleBinding", "b", ROLE),
        ("RoleBinding", "openshift-image-registry", f"{ROLE}:openshift-image-registry"),
    ]


def test_a_fixed_namespace_that_is_a_target_too_has_both_roles() -> None:
    parts = AccountRoles("home", "robot", ("wait",))
    bound = parts.parts_in("openshift-image-registry", is_target=True)
    assert [part.name for part in bound] == [ROLE, f"{ROLE}:openshift-image-registry"]


def test_a_binding_names_the_account_and_the_role() -> None:
    parts = AccountRoles("home", "robot", ("export",))
    part = parts.wanted()[0]
    binding = parts.binding(part, "a")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "namespace": "home", "name": "robot"}]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ROLE}
    assert binding["apiVersion"] == "rbac.authorization.k8s.io/v1"
    assert binding["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "openshift_ops.image_pull",
        "app.kubernetes.io/component": "automation-account",
    }


@pytest.mark.parametrize("other", [AccountRoles("home", "robot-b", ()), AccountRoles("home-robot", "b", ())])
def test_no_two_accounts_share_a_role(other: AccountRoles) -> None:
    mine = AccountRoles("home", "robot", ())
    assert not {*mine.role_names()} & {*other.role_names()}


def test_every_part_that_an_account_may_have_is_known() -> None:
    assert {*AccountRoles("home", "robot", ()).role_names()} == {
        ROLE,
        f"{ROLE}:cluster",
        f"{ROLE}:openshift-image-registry",
        f"{ROLE}:openshift-config",
        f"{ROLE}:kube-system",
    }
