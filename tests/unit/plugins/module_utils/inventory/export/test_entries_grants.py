# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role bindings that are grants become entries that name their subjects."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import MANAGED_BY
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    CLUSTER_ROLE,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.entries import (
    Findings,
    Grants,
    NamespaceObjects,
)

ROLE = "system:image-puller"
GRANTS = Grants((ROLE,), ROLE, "image-puller-grant", ("system:image-pullers", "system:image-builders"))
ALICE = {"kind": "User", "name": "alice"}
PROJECT = {"kind": "Group", "name": "system:serviceaccounts:a"}
OWN = {"kind": "Group", "name": "system:serviceaccounts:b"}
EXISTS = {"metadata": {"name": "default"}}
FOUND = {
    ObjectRef(CLUSTER_ROLE, "", ROLE): {},
    ObjectRef(CLUSTER_ROLE, "", "missing"): None,
    ObjectRef(SERVICE_ACCOUNT, "a", "default"): EXISTS,
    ObjectRef(SERVICE_ACCOUNT, "a", "gone"): None,
}
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import LABELS


def binding(*subjects: Any, role: str = ROLE, kind: str = "ClusterRole", **meta: Any) -> dict[str, Any]:
    return {"metadata": meta, "roleRef": {"kind": kind, "name": role}, "subjects": list(subjects)}


def found_in(**bindings: Any) -> Findings:
    findings = Findings()
    GRANTS.find(
        "b",
        NamespaceObjects(bindings={name.replace("__", ":"): obj for name, obj in bindings.items()}),
        FOUND,
        findings,
    )
    return findings


@pytest.mark.parametrize(
    ("subjects", "options"),
    [
        ([ALICE], {"users": ["alice"]}),
        ([PROJECT, OWN], {"projects": ["a", "b"]}),
        ([{"kind": "Group", "name": "ops"}], {"groups": ["ops"]}),
        ([{"kind": "Group", "name": "system:authenticated"}], {"authenticated": True}),
        ([{"kind": "Group", "name": "system:unauthenticated"}], {"anonymous": True}),
        (
            [{"kind": "ServiceAccount", "name": "default", "namespace": "a"}, {"kind": "User", "name": "system:serviceaccount:a:default"}],
            {"service_accounts": [{"namespace": "a", "name": "default"}]},
        ),
        ([{"kind": "ServiceAccount", "name": "gone", "namespace": "a"}], {"users": ["system:serviceaccount:a:gone"]}),
        # The survey has no such account: the caller cannot read it, and the role cannot either.
        ([{"kind": "ServiceAccount", "name": "own"}], {"users": ["system:serviceaccount:b:own"]}),
    ],
)  # fmt: skip
def test_subjects_become_the_options_of_a_grant(subjects: list[Any], options: dict[str, Any]) -> None:
    (grant,) = found_in(mine=binding(*subjects)).grants
    assert grant.options == options


@pytest.mark.parametrize(
    ("name", "role", "named"),
    [
        ("image-puller-grant", ROLE, {}),
        ("system:image-puller-0", ROLE, {"binding_name": "system:image-puller-0"}),
        ("image-puller-grant-custom", "custom", {"role": "custom", "binding_name": "image-puller-grant-custom"}),
    ],
)
def test_an_entry_names_only_a_binding_or_role_that_is_not_the_default(
    name: str, role: str, named: dict[str, str]
) -> None:
    findings = Findings()
    GRANTS.find("b", NamespaceObjects(bindings={name: binding(ALICE, role=role, labels=MANAGED_BY)}), FOUND, findings)
    (grant,) = findings.grants
    assert (grant.named, grant.binding_name, grant.role) == (named, name, role)


def test_bindings_of_an_automation_account_are_not_grants() -> None:
    there = {"image-pull:home:robot": binding(ALICE, role="image-pull:home:robot", labels=dict(LABELS))}
    findings = Findings()
    GRANTS.find("b", NamespaceObjects(bindings=there), FOUND, findings)
    assert (findings.grants, findings.left_out, findings.unexpressed) == ([], {}, [])
    assert [*GRANTS.refs_to_read("b", NamespaceObjects(bindings=there))] == []


def test_bindings_of_other_roles_are_ignored() -> None:
    findings = found_in(theirs=binding(ALICE, role="admin"), empty=binding())
    assert (findings.grants, findings.left_out, findings.unexpressed) == ([], {}, [])


def test_the_platforms_own_binding_is_counted_and_added_subjects_are_a_grant() -> None:
    findings = found_in(system__image_pullers=binding(OWN))  # a different name
    assert findings.left_out == {}
    there = {
        "system:image-pullers": binding(OWN, PROJECT),
        "system:image-builders": binding(ALICE, role="x", labels=MANAGED_BY),
    }
    findings = Findings()
    GRANTS.find("b", NamespaceObjects(bindings=there), FOUND, findings)
    (grant,) = findings.grants
    assert (grant.options, grant.named, grant.binding_name) == ({"projects": ["a"]}, {}, "image-puller-grant")
    assert findings.left_out == {"platform_bindings": 2}


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        (binding(ALICE, kind="Role"), f"it binds Role {ROLE}, but an entry can only name a cluster role"),
        (
            binding(ALICE, role="missing", labels=MANAGED_BY),
            "cluster role missing does not exist, so it grants nothing",
        ),
        (binding(ALICE, deletionTimestamp="2026-01-01T00:00:00Z"), "it is being deleted"),
        ({**binding(), "subjects": "odd"}, "its subjects are not a list"),
        (binding({"kind": "Robot", "name": "r2"}), "Robot r2 is of an unknown kind"),
        (binding("odd"), "not a user, group or service account"),
        (binding({"kind": "User", "name": "system:anonymous"}), "anonymous: true"),
        (binding({"kind": "Group", "name": "system:serviceaccounts"}), "every service account of the cluster"),
        (binding({"kind": "Group", "name": "system:serviceaccounts:A"}), "cannot be a namespace"),
        (binding({"kind": "User", "name": "system:serviceaccount:a:A"}), "cannot be an object's name"),
        (binding({"kind": "User", "name": "a\nb"}), "control characters"),
    ],
)
def test_a_binding_that_no_entry_can_express_is_listed_with_the_reason(there: Any, reason: str) -> None:
    findings = found_in(mine=there)
    assert findings.grants == []
    (noted,) = findings.unexpressed
    assert (noted.ref.name, noted.ref.namespace) == ("mine", "b")
    assert reason in noted.reason


def test_valid_subjects_next_to_an_invalid_one_are_a_grant() -> None:
    findings = found_in(mine=binding({"kind": "Robot", "name": "r2"}, ALICE))
    assert [grant.options for grant in findings.grants] == [{"users": ["alice"]}]
    assert len(findings.unexpressed) == 1


def test_a_binding_name_that_the_option_refuses_is_listed() -> None:
    findings = Findings()
    GRANTS.find("b", NamespaceObjects(bindings={"a%b": binding(ALICE)}), FOUND, findings)
    assert findings.grants == []
    assert "binding_name" in findings.unexpressed[0].reason


def test_only_roles_and_accounts_of_possible_grants_are_looked_up() -> None:
    account = {"kind": "ServiceAccount", "name": "default", "namespace": "a"}
    there = {
        "mine": binding(account, ALICE, PROJECT, "odd"),
        "local": binding(account, kind="Role"),
        "odd": {"subjects": 5},
    }
    there["theirs"] = binding({"kind": "ServiceAccount", "name": "x"}, role="admin")
    refs = list(GRANTS.refs_to_read("b", NamespaceObjects(bindings=there)))
    assert set(refs) == {ObjectRef(CLUSTER_ROLE, "", ROLE), ObjectRef(SERVICE_ACCOUNT, "a", "default")}
