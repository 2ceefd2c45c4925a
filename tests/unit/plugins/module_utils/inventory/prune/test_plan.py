# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prune removes only objects that their owner no longer declares. Each guard is tested on its own, and each removal can be left out alone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    INSTANCE,
    MANAGED_BY,
    Change,
    Plan,
    Related,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.prune.plan import (
    NOTHING,
    DeclaredObjects,
    Grant,
    Links,
    Prune,
    Removal,
    count_removals,
    keep_removals,
    list_ref,
    removals_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import RBAC, Subject
from hypothesis import given
from support.anything import CHANGES, Changed

NS, ROLE = "project-a", "system:image-puller"
PULL, MOUNT = "imagePullSecrets", "secrets"
JANE, OPS = Subject("User", "jane"), Subject("Group", "ops")


def head(name: str, owner: str | None, **meta: Any) -> dict[str, Any]:
    labels = {} if owner is None else {**MANAGED_BY, **({INSTANCE: owner} if owner else {})}
    return {"name": name, "namespace": NS, "uid": f"u-{name}", "resourceVersion": "7", "labels": labels, **meta}


def secret(
    name: str = "quay", owner: str | None = "a", kind: str = "kubernetes.io/dockerconfigjson", **meta: Any
) -> dict[str, Any]:
    return {"metadata": head(name, owner, **meta), "type": kind, "data": {".dockerconfigjson": "e30="}}


def account(name: str = "default", pull: Any = (), mount: Any = (), **meta: Any) -> dict[str, Any]:
    lists = {PULL: [{"name": one} for one in pull], MOUNT: [{"name": one} for one in mount]}
    return {"metadata": head(name, None, **meta), **lists}


def binding(
    name: str = "image-puller-grant-a", *subjects: Any, owner: str | None = "a", kind: str = "ClusterRole", **meta: Any
) -> dict[str, Any]:
    entries = [one.to_api() if isinstance(one, Subject) else one for one in subjects]
    return {"metadata": head(name, owner, **meta), "roleRef": {"kind": kind, "name": ROLE}, "subjects": entries}


def links(*secrets: str, accounts: tuple[str, ...] = ("default",), lists: tuple[str, ...] = (PULL,)) -> Links:
    return Links(frozenset(secrets), accounts, frozenset(lists))


def grant(*subjects: Subject, name: str = "image-puller-grant-a", role: str = ROLE) -> Grant:
    return Grant(role, name, frozenset(subjects))


def plan(*found: dict[str, Any], declared: DeclaredObjects | None = None, kinds: Any = None, owner: str = "a") -> Plan:
    objects = {one["metadata"]["name"]: one for one in found if PULL in one}
    related = {
        list_ref(SECRET, NS): {"items": [one for one in found if "data" in one]},
        list_ref(ROLE_BINDING, NS): {"items": [one for one in found if "roleRef" in one]},
    }
    more = {} if kinds is None else {"kinds": frozenset(kinds)}
    return Prune(owner, {NS: declared} if declared else {}, **more).plan(NS, objects, related)


def done(planned: Plan) -> list[tuple[str, str]]:
    return [(change.action, change.ref.name) for change in planned.changes]


class TestSecrets:
    def test_an_undeclared_secret_is_deleted_after_its_links(self) -> None:
        found = (
            secret(),
            account(pull=["theirs", "quay", "quay"], mount=["quay"]),
            account("build", mount=["quay", "x"]),
        )
        planned = plan(*found)
        assert done(planned) == [("update", "build"), ("update", "default"), ("delete", "quay")]
        assert [dict(change.body) for change in planned.changes[:2]] == [
            {MOUNT: [{"name": "x"}], "metadata": {"resourceVersion": "7"}},
            {PULL: [{"name": "theirs"}], MOUNT: [], "metadata": {"resourceVersion": "7"}},
        ]
        assert planned.changes[2].body["preconditions"] == {"uid": "u-quay", "resourceVersion": "7"}
        assert count_removals(planned.changes) == Counter(secrets=1), "the links go with their secret"

    def test_a_declared_secret_keeps_its_declared_links(self) -> None:
        found = (secret(), account(pull=["quay"]), account("build-1", pull=["quay"], mount=["quay"]))
        declared = DeclaredObjects(frozenset({"quay"}), (links("quay", accounts=("default", "build-*")),))
        (change,) = plan(*found, declared=declared).changes
        assert (change.ref.name, change.details) == ("build-1", {"lists": {MOUNT: {"added": [], "removed": ["quay"]}}})

    @pytest.mark.parametrize("owner", [None, "", "b"])
    def test_a_secret_without_both_labels_is_kept(self, owner: str | None) -> None:
        assert plan(secret(owner=owner), account(pull=["quay"], mount=["quay"])).changes == ()

    def test_the_owner_label_alone_does_not_prove_ownership(self) -> None:
        found = secret(owner=None, labels={INSTANCE: "a"})
        assert plan(found, account(pull=["quay"])).changes == ()

    @pytest.mark.parametrize(
        ("found", "why"),
        [
            (secret(annotations={"openshift.io/token-secret.name": "x"}),
             "the platform or a controller looks after it"),
            (secret(ownerReferences=[{"kind": "ExternalSecret", "controller": True}]),
             "the platform or a controller looks after it"),
            (secret(kind="Opaque"), "it has type Opaque and is not a pull secret"),
            (secret(kind="kubernetes.io/service-account-token"),
             "it has type kubernetes.io/service-account-token and is not a pull secret"),
        ],
    )  # fmt: skip
    def test_labelled_secrets_of_the_platform_and_of_others_are_kept(self, found: Any, why: str) -> None:
        planned = plan(found, account(pull=["quay"]))
        assert planned.changes == ()
        assert planned.notes == (f"secret {NS}/quay has the labels of owner a, but {why}, so it was kept",)

    def test_a_generated_secret_labelled_by_hand_is_kept_with_its_links(self) -> None:
        name = "default-dockercfg-x7k2p"
        named = account(pull=[name], mount=[name], annotations={"openshift.io/internal-registry-pull-secret-ref": name})
        assert plan(secret(name), named).changes == ()
        owned = secret(
            name, kind="kubernetes.io/dockercfg", ownerReferences=[{"kind": "ServiceAccount", "name": "default"}]
        )
        assert plan(owned, account(pull=[name])).changes == ()

    def test_a_secret_that_is_being_deleted_is_only_unlinked(self) -> None:
        found = secret(deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["x"])
        assert done(plan(found, account(pull=["quay"]))) == [("update", "default")]
        assert plan(found).changes == ()

    def test_only_the_given_kinds_are_removed(self) -> None:
        found = (secret("gone"), secret("kept"), account(pull=["gone", "kept"]), binding())
        declared = DeclaredObjects(frozenset({"kept"}))
        planned = plan(*found, declared=declared, kinds={SECRET})
        assert done(planned) == [("update", "default"), ("delete", "gone")]
        assert planned.changes[0].details == {"lists": {PULL: {"added": [], "removed": ["gone"]}}}
        assert done(plan(*found, declared=declared, kinds={SERVICE_ACCOUNT})) == [("update", "default")]
        assert done(plan(*found, declared=declared, kinds=())) == []

    def test_an_account_with_a_malformed_list_is_refused(self) -> None:
        broken = {**account(), PULL: {"name": "quay"}}
        with pytest.raises(Refusal, match="'imagePullSecrets' are not a list"):
            plan(secret(), broken)

    def test_a_secret_without_version_is_not_deleted(self) -> None:
        with pytest.raises(Refusal, match="without a resourceVersion"):
            plan(secret(resourceVersion=None))


class TestBindings:
    def test_a_binding_without_declared_subjects_is_deleted(self) -> None:
        (change,) = plan(binding("x", JANE, OPS)).changes
        assert (change.action, change.details) == ("delete", {"role": ROLE, "revoked": ["User jane", "Group ops"]})
        assert count_removals([change]) == Counter(grants=2)

    def test_only_undeclared_subjects_of_a_binding_are_removed(self) -> None:
        planned = plan(binding("x", JANE, {"odd": 1}, OPS), declared=DeclaredObjects(grants=(grant(OPS),)))
        (change,) = planned.changes
        assert (change.action, change.body["subjects"]) == ("update", [{"odd": 1}, OPS.to_api()])
        assert count_removals([change]) == Counter(grants=1)

    def test_a_subject_declared_by_any_grant_is_kept(self) -> None:
        """No second binding is created for a granted subject, so removing the subject here would revoke its access."""
        assert plan(binding("x", JANE), declared=DeclaredObjects(grants=(grant(JANE, name="y"),))).changes == ()

    def test_a_subject_declared_for_another_role_is_removed(self) -> None:
        declared = DeclaredObjects(grants=(grant(JANE, name="x", role="view"),))
        assert done(plan(binding("x", JANE), declared=declared)) == [("delete", "x")]

    def test_an_empty_binding_is_deleted_unless_a_grant_uses_it(self) -> None:
        (change,) = plan(binding("x")).changes
        assert (change.action, count_removals([change])) == ("delete", Counter(grants=1))
        assert plan(binding("x"), declared=DeclaredObjects(grants=(grant(JANE, name="x"),))).changes == ()

    @pytest.mark.parametrize("owner", [None, "", "b"])
    def test_a_binding_without_both_labels_is_kept(self, owner: str | None) -> None:
        assert plan(binding("x", JANE, owner=owner)).changes == ()

    @pytest.mark.parametrize(
        ("found", "why"),
        [
            (binding("system:image-pullers", JANE), "the platform or a controller looks after it"),
            (
                binding("x", JANE, annotations={"rbac.authorization.kubernetes.io/autoupdate": "false"}),
                "the platform or a controller looks after it",
            ),
            (binding("x", JANE, kind="Role"), "it has a Role, which this collection never grants"),
        ],
    )
    def test_labelled_bindings_of_the_platform_and_of_others_are_kept(self, found: Any, why: str) -> None:
        planned = plan(found)
        assert planned.changes == ()
        assert [note.partition(", but ")[2] for note in planned.notes] == [f"{why}, so it was kept"]

    def test_a_binding_that_is_being_deleted_is_left_alone(self) -> None:
        assert plan(binding("x", JANE, deletionTimestamp="2026-01-01T00:00:00Z")).changes == ()

    def test_bindings_are_kept_if_grants_are_not_among_the_kinds(self) -> None:
        assert plan(binding("x", JANE), kinds={SECRET}).changes == ()


class TestOwned:
    def test_removals_counts_secrets_links_and_subjects(self) -> None:
        found = (
            secret(),
            account(pull=["quay", "quay", "theirs"], mount=["quay"]),
            binding("x", JANE, JANE, OPS),
            binding("y"),
        )
        objects = {"default": found[1]}
        related = {
            list_ref(SECRET, NS): {"items": [found[0], secret("b", "b")]},
            list_ref(ROLE_BINDING, NS): {"items": found[2:]},
        }
        assert count_removals(Prune("a", {}).plan(NS, objects, related).changes) == Counter(secrets=1, grants=3)
        kept = Prune("a", {NS: DeclaredObjects(frozenset({"quay"}))})
        assert count_removals(kept.plan(NS, objects, related).changes) == Counter(links=2, grants=3)

    def test_fulfilled_counts_declared_objects_that_exist(self) -> None:
        declared = DeclaredObjects(frozenset({"quay", "gone"}), (links("quay"),), (grant(JANE, OPS),))
        prune = Prune("a", {NS: declared})
        found = (secret(), account(pull=["quay", "quay"], mount=["quay"]), binding("x", JANE), binding("y", JANE))
        related = {list_ref(SECRET, NS): {"items": [found[0]]}, list_ref(ROLE_BINDING, NS): {"items": found[2:]}}
        assert prune.count_existing(NS, {"default": found[1]}, related) == Counter(secrets=1, links=1, grants=1)
        assert prune.count_existing(NS, {}, {}) == Counter()
        assert Prune("a", {}).count_existing(NS, {"default": found[1]}, related) == Counter()

    def test_accounts_that_match_a_glob_count_once(self) -> None:
        """Users can create any number of service accounts."""
        declared = DeclaredObjects(frozenset({"quay"}), (links("quay", accounts=("robot-*", "default")),))
        accounts = {name: account(name, pull=["quay"]) for name in ("default", *(f"robot-{n}" for n in range(24)))}
        related = {list_ref(SECRET, NS): {"items": [secret()]}, list_ref(ROLE_BINDING, NS): {"items": []}}
        assert Prune("a", {NS: declared}).count_existing(NS, accounts, related) == Counter(secrets=1, links=2)


@given(change=CHANGES)
def test_malformed_objects_yield_a_plan_or_an_error(change: Changed) -> None:
    """The result is a plan or a one-line error, and never a change of another owner's object."""
    found = [
        secret(),
        secret("theirs", "b"),
        account(pull=["quay", "theirs"]),
        binding("x", JANE, {"kind": "User", "name": "x", "apiGroup": RBAC}),
    ]
    for position in range(len(found)):
        broken = [change(one) if position == index else one for index, one in enumerate(found)]
        objects = {"default": broken[2]} if isinstance(broken[2], dict) else {}
        related = {list_ref(SECRET, NS): {"items": broken[:2]}, list_ref(ROLE_BINDING, NS): {"items": broken[3:]}}
        try:
            planned = Prune("a", {}).plan(NS, objects, related)
        except Refusal as error:
            assert str(error).isprintable()
        else:
            assert not [one for one in planned.changes if one.ref.name == "theirs"]


PRUNE = Prune("a", {})


def user_binding(name: str, *users: str, role: str = ROLE) -> dict[str, Any]:
    found = binding(name, *(Subject("User", user) for user in users))
    return {**found, "roleRef": {**found["roleRef"], "name": role}}


class Place:
    """The objects of a namespace."""

    def __init__(self, *found: dict[str, Any]) -> None:
        self.objects = {one["metadata"]["name"]: one for one in found if "imagePullSecrets" in one}
        self.related: Related = {
            list_ref(SECRET, NS): {"items": [one for one in found if "data" in one]},
            list_ref(ROLE_BINDING, NS): {"items": [one for one in found if "roleRef" in one]},
        }

    def changes(self, prune: Prune) -> tuple[Change, ...]:
        return prune.plan(NS, self.objects, self.related).changes

    def removals(self, prune: Prune) -> list[Removal]:
        return removals_of(NS, self.changes(prune), self.related)


def described(changes: tuple[Change, ...]) -> list[tuple[Any, ...]]:
    return [
        (change.action, change.ref.name, *[names["removed"] for names in change.details.get("lists", {}).values()])
        for change in changes
    ]


PLACE = Place(
    secret("one"),
    secret("two"),
    account("default", pull=("one", "two"), mount=("one",)),
    account("builder", pull=("one",)),
    user_binding("first", "jane", "joe"),
    user_binding("second", "jane", role="other"),
)


class TestRemovals:
    def test_a_deleted_secret_is_one_removal_with_its_links(self) -> None:
        titles = [str(each) for each in PLACE.removals(PRUNE)]
        assert titles == [
            f"secret {NS}/one",
            f"secret {NS}/two",
            f"the grant to User jane in {NS}",
            f"the grant to User joe in {NS}",
        ]

    def test_a_link_to_a_kept_secret_is_a_removal_for_each_account(self) -> None:
        everything = PLACE.removals(PRUNE)
        place = Place(
            secret("one"), account("default", pull=("one",), mount=("one",)), account("builder", pull=("one",))
        )
        secrets = keep_removals(PRUNE, [Removal(NS, "", everything[0].objects.__class__(frozenset({"one"})))])
        assert [each.title for each in place.removals(secrets)] == [
            f"the link of service account {NS}/builder to secret one",
            f"the link of service account {NS}/default to secret one",
        ]

    def test_nothing_is_removed_if_every_removal_is_kept(self) -> None:
        assert PLACE.changes(keep_removals(PRUNE, PLACE.removals(PRUNE))) == ()

    @pytest.mark.parametrize(
        ("kept", "expected"),
        [
            (0, [("update", "default", ["two"]), ("delete", "two"), ("delete", "first"), ("delete", "second")]),
            (2, [("update", "builder", ["one"]), ("update", "default", ["one", "two"], ["one"]), ("delete", "one"),
             ("delete", "two"), ("update", "first")]),
        ],
    )  # fmt: skip
    def test_a_plan_without_a_removal_has_all_others(self, kept: int, expected: list[tuple[Any, ...]]) -> None:
        prune = keep_removals(PRUNE, [PLACE.removals(PRUNE)[kept]])
        found = described(PLACE.changes(prune))
        assert sorted(found, key=str) == sorted(expected, key=str)

    def test_a_removal_does_not_keep_objects_of_other_namespaces(self) -> None:
        other = Removal("project-b", "", PLACE.removals(PRUNE)[0].objects)
        assert PLACE.changes(keep_removals(PRUNE, [other])) == PLACE.changes(PRUNE)


LINKS = Links(frozenset({"quay"}), ("default", "build-*"), frozenset({"imagePullSecrets"}))
GRANT = Grant("puller", "ours", frozenset({JANE}))


class TestDeclared:
    @pytest.mark.parametrize(
        ("account", "key", "secret", "declared"),
        [
            ("default", "imagePullSecrets", "quay", True),
            ("build-1", "imagePullSecrets", "quay", True),
            ("builder", "imagePullSecrets", "quay", False),
            ("default", "secrets", "quay", False),
            ("default", "imagePullSecrets", "other", False),
        ],
    )
    def test_declared_links_are_recognized(self, account: str, key: str, secret: str, declared: bool) -> None:
        assert DeclaredObjects(links=(LINKS,)).links_to(account, key, secret) is declared
        assert not NOTHING.links_to(account, key, secret)

    def test_a_declared_grant_is_found_in_any_binding(self) -> None:
        found = DeclaredObjects(grants=(GRANT,))
        assert found.grants_to("puller", JANE)
        assert not found.grants_to("view", JANE)
        assert not found.grants_to("puller", OPS)

    def test_the_binding_of_a_declared_grant_counts_as_used(self) -> None:
        found = DeclaredObjects(grants=(GRANT,))
        assert found.uses("puller", "ours")
        assert not found.uses("view", "ours")
        assert not found.uses("puller", "other")

    def test_declarations_are_merged_by_namespace(self) -> None:
        secrets = {"a": DeclaredObjects(frozenset({"x"})), "b": DeclaredObjects(frozenset({"y"}))}
        more = {"a": DeclaredObjects(frozenset({"z"}), (LINKS,), (GRANT,))}
        assert DeclaredObjects.merge([secrets, more]) == {
            "a": DeclaredObjects(frozenset({"x", "z"}), (LINKS,), (GRANT,)),
            "b": DeclaredObjects(frozenset({"y"})),
        }
        assert DeclaredObjects.merge([]) == {}
