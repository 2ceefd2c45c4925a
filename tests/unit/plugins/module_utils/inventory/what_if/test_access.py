# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The access of accounts and workloads is compared by registry, repository and user, and by project."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    CLUSTER_ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.credentials import REFUSED
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    Lookup,
    ReadRequired,
    UnreadableObject,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import (
    ClusterSnapshot,
    NamespaceSnapshot,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import WORKLOADS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.access import (
    AccessReview,
    Reach,
    reach_of,
    review_access,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.declared import PlannedObjects
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.overlay import ChangedLookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.patches import (
    EvidencePatch,
    GrantPatch,
    LinkPatch,
    ObjectPatch,
    SecretPatch,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import Subject
from support.objects import b64

ROBOT = {"kind": "ServiceAccount", "namespace": "team", "name": "robot"}
A = frozenset({"a"})
NOTHING = AccessReview([], [], [], [])


def secret(*keys: str, user: str = "u", password: str = "p", kind: str = "kubernetes.io/dockerconfigjson") -> Any:
    auth = b64(f"{user}:{password}")
    return stored(json.dumps({"auths": {key: {"auth": auth} for key in keys}}), kind)


def stored(text: str, kind: str = "kubernetes.io/dockerconfigjson") -> Any:
    return {"type": kind, "data": {".dockerconfigjson": b64(text)}}


def account(name: str, *secrets: str) -> Any:
    return {"metadata": {"name": name, "namespace": "a"}, "imagePullSecrets": [{"name": each} for each in secrets]}


def binding(name: str, *subjects: Any, role: str = "system:image-puller") -> Any:
    meta = {"name": name, "namespace": "a"}
    return {"metadata": meta, "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": [*subjects]}


def deployment(name: str, *secrets: str) -> Any:
    spec = {"imagePullSecrets": [{"name": each} for each in secrets]}
    return WORKLOADS["deployment"], {"metadata": {"name": name}, "spec": {"template": {"spec": spec}}}


def ref(kind: Any, name: str = "") -> ObjectRef:
    return ObjectRef(kind, "a", name)


def evidence(secrets: dict[str, Any], accounts: list[Any], bindings: Any = ()) -> Lookup:
    known: dict[ObjectRef, Any] = {ref(SECRET, name): each for name, each in secrets.items()}
    known |= {ref(SERVICE_ACCOUNT, each["metadata"]["name"]): each for each in accounts}
    known |= {ref(SERVICE_ACCOUNT): {"items": accounts}, ref(ROLE_BINDING): {"items": [*bindings]}}
    return Lookup(known)


def reviewed(
    base: Lookup, *changes: EvidencePatch, workloads: Any = (), cluster: Any = (), planned: Any = None
) -> AccessReview:
    """Return the review of changes, each of which is one patch."""
    lookups = [base, ChangedLookup(base, changes), *(ChangedLookup(base, [each]) for each in changes)]
    place = NamespaceSnapshot("a", workloads=workloads)
    return review_access(lookups, ClusterSnapshot({"a": place}, 0.0, cluster_bindings=cluster), planned or {})


def rows(found: Any) -> set[tuple[str, str, str]]:
    return {(row.name, row.reach.registry or row.reach.project, row.reach.repository) for row in found}


class TestReach:
    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (secret("quay.io"), {Reach("quay.io", "", "u")}),
            (secret("https://quay.io/v2/team"), {Reach("quay.io", "team", "u")}),
            (secret("index.docker.io"), {Reach("docker.io", "", "u")}),
            (secret("quay.io", "q.io:5000/a/b"), {Reach("quay.io", "", "u"), Reach("q.io:5000", "a/b", "u")}),
            (secret("quay.io", user=""), set()),
            (secret("quay.io", password=""), set()),
            (secret("not a host"), set()),
            (secret("quay.io", kind="Opaque"), set()),
            (
                {**secret("quay.io", "q.io"), REFUSED: [["quay.io", "quay.io"], ["q.io", "other.io"]]},
                {Reach("q.io", "", "u")},
            ),
            (stored("no JSON"), set()),
            (stored('{"auths": {"quay.io": {"auth": 1}, "q.io": {"username": "u", "password": "p"}}}'), set()),
            (None, set()),
        ],
    )
    def test_only_logins_that_a_kubelet_uses_count(self, content, expected):
        assert reach_of(content) == expected


class TestAccounts:
    def test_a_new_secret_and_a_deleted_one_change_the_accounts_that_list_them(self):
        base = evidence({"old": secret("quay.io"), "new": None}, [account("default", "old", "new"), account("other")])
        change = ObjectPatch({ref(SECRET, "old"): None, ref(SECRET, "new"): secret("q.io/team")})
        found = reviewed(base, change)
        assert rows(found.gained) == {("default", "q.io", "team")}
        assert rows(found.lost) == {("default", "quay.io", "")}
        assert [(row.through, row.changes) for row in found.lost] == [(["old"], [0])]

    def test_a_second_secret_with_the_login_keeps_the_access(self):
        base = evidence(
            {"one": secret("quay.io"), "two": secret("https://quay.io/")}, [account("default", "one", "two")]
        )
        assert reviewed(base, SecretPatch("one", A)) == NOTHING

    def test_another_password_is_the_same_access_and_another_user_is_not(self):
        base = evidence({"one": secret("quay.io")}, [account("default", "one")])
        assert reviewed(base, ObjectPatch({ref(SECRET, "one"): secret("quay.io", password="q")})) == NOTHING
        found = reviewed(base, ObjectPatch({ref(SECRET, "one"): secret("quay.io", user="v")}))
        assert [row.reach.username for row in (*found.gained, *found.lost)] == ["v", "u"]

    def test_new_and_deleted_accounts_count(self):
        base = evidence({"one": secret("quay.io")}, [account("gone", "one")])
        base.add({ref(SERVICE_ACCOUNT, "new"): None})
        change = ObjectPatch({ref(SERVICE_ACCOUNT, "gone"): None, ref(SERVICE_ACCOUNT, "new"): account("new", "one")})
        found = reviewed(base, change)
        assert rows(found.gained) == {("new", "quay.io", "")}
        assert rows(found.lost) == {("gone", "quay.io", "")}

    def test_the_change_with_the_effect_causes_it(self):
        base = evidence({"one": secret("quay.io"), "two": secret("q.io")}, [account("default", "one", "two")])
        changes = LinkPatch(frozenset({"one"}), frozenset({"default"}), A), SecretPatch("two", A)
        found = {row.reach.registry: row.changes for row in reviewed(base, *changes).lost}
        assert found == {"quay.io": [0], "q.io": [1]}

    def test_changes_that_only_together_have_the_effect_all_cause_it(self):
        base = evidence({"one": secret("quay.io"), "two": secret("quay.io")}, [account("default", "one", "two")])
        (row,) = reviewed(base, SecretPatch("one", A), SecretPatch("two", A)).lost
        assert row.changes == [0, 1]
        assert row.through == ["one", "two"]

    def test_an_unreadable_secret_is_a_doubt_about_its_accounts_only(self):
        base = evidence(
            {"bad": UnreadableObject("no right"), "one": secret("quay.io")},
            [account("other", "bad", "one"), account("default", "one")],
        )
        found = reviewed(base, SecretPatch("one", A))
        assert rows(found.lost) == {("default", "quay.io", "")}
        assert found.unknown == ["it is not known whether service account a/other gain or lose access: no right"]

    def test_missing_evidence_is_requested(self):
        base = Lookup()
        with pytest.raises(ReadRequired):
            reviewed(base, SecretPatch("one", A))
        assert base.take_wanted() == [ref(SERVICE_ACCOUNT)]

    def test_an_untouched_namespace_is_not_read(self):
        base = Lookup()
        assert reviewed(base, SecretPatch("one", frozenset({"b"}))) == NOTHING
        assert base.take_wanted() == []


class TestWorkloads:
    def test_a_workload_with_secrets_of_its_own_is_a_holder_and_others_use_the_account(self):
        base = evidence({"one": secret("quay.io")}, [account("default", "one")])
        found = reviewed(base, SecretPatch("one", A), workloads=[deployment("own", "one"), deployment("web")])
        assert {(row.kind, row.name, tuple(row.workloads)) for row in found.lost} == {
            ("ServiceAccount", "default", ("Deployment web",)),
            ("Deployment", "own", ()),
        }


class TestGrants:
    def test_subjects_that_no_other_grant_covers_gain_and_lose_the_project(self):
        base = evidence({}, [], [binding("one", ROBOT)])
        group = {"kind": "Group", "name": "system:serviceaccounts:b"}
        found = reviewed(base, ObjectPatch({ref(ROLE_BINDING, "one"): binding("one", group)}))
        assert rows(found.lost) == {("robot", "a", "")}
        assert rows(found.gained) == {("system:serviceaccounts:b", "a", "")}
        assert [row.through for row in found.gained] == [["one"]]

    @pytest.mark.parametrize("is_cluster", [True, False])
    def test_a_wider_grant_keeps_the_right(self, is_cluster):
        team = binding("all", {"kind": "Group", "name": "system:serviceaccounts:team"})
        base = evidence({}, [], [binding("one", ROBOT), *([] if is_cluster else [team])])
        change = ObjectPatch({ref(ROLE_BINDING, "one"): None})
        assert reviewed(base, change, cluster=[team] if is_cluster else []) == NOTHING

    def test_a_removed_grant_counts(self):
        base = evidence({}, [], [binding("one", ROBOT)])
        change = GrantPatch({"a": frozenset({Subject("ServiceAccount", "robot", "team")})}, {}, [], base)
        assert rows(reviewed(base, change).lost) == {("robot", "a", "")}

    def test_another_role_is_a_doubt(self):
        base = evidence({}, [])
        base.add({ObjectRef(CLUSTER_ROLE, "", "custom"): UnreadableObject("no right")})
        found = reviewed(base, ObjectPatch({ref(ROLE_BINDING, "one"): binding("one", ROBOT, role="custom")}))
        assert found.gained == []
        assert "cluster role custom is granted, and could not be read" in found.unknown[0]


def test_texts_of_users_are_printable_in_the_report():
    base = evidence({"one": secret("quay.io", user="a\u202eb\n")}, [account("default", "one")])
    (row,) = reviewed(base, SecretPatch("one", A)).report()["lost"]
    assert row["username"] == "a b "
    assert (row["how"], row["registry"], row["changes"]) == ("login", "quay.io", [0])


def test_namespaces_of_an_inventory_count_even_if_they_are_not_evaluated():
    planned = PlannedObjects({ref(SECRET, "one"): None})
    base = evidence({"one": secret("quay.io")}, [account("default", "one")])
    lookups = [base, ChangedLookup(base, [ObjectPatch(planned.objects)])]
    assert rows(review_access([*lookups, lookups[1]], ClusterSnapshot({}, 0.0), {0: planned}).lost) == {
        ("default", "quay.io", "")
    }
