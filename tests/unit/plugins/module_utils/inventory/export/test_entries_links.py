# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists of service accounts and the bindings that are grants become entries. All other list items are noted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    MANAGED_BY,
    NOTHING_RELATED,
    Related,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    CLUSTER_ROLE,
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import from_registries
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.entries import (
    ExportedLinks,
    ExportedSecret,
    Findings,
    Grants,
    NamespaceObjects,
    arrange_links,
    doubtful_secrets,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import LABELS
from support.objects import b64

LOGIN = {"registry": "quay.io", "username": "u", "password": "secret-1"}
AUTH_FILE = from_registries([LOGIN])
KIND = "kubernetes.io/dockerconfigjson"
PULL, MOUNT = "imagePullSecrets", "secrets"
GENERATED = "default-dockercfg-x7k2p"


def account(name: str, pull: Sequence[Any] = (), mount: Sequence[Any] = ()) -> dict[str, Any]:
    lists = {PULL: [{"name": each} for each in pull], MOUNT: [{"name": each} for each in mount]}
    return {"metadata": {"name": name}, **lists}


def seen(accounts: Sequence[Mapping[str, Any]], *secrets: str) -> NamespaceObjects:
    stored = {name: {"type": KIND, "data": {".dockerconfigjson": "e30="}} for name in secrets}
    return NamespaceObjects({each["metadata"]["name"]: each for each in accounts}, stored)


def arranged(there: NamespaceObjects, *names: str, found: Related = NOTHING_RELATED) -> Findings:
    findings = Findings([ExportedSecret(name, "Opaque", AUTH_FILE, (LOGIN,)) for name in names])
    arrange_links("a", there, found, findings)
    return findings


def reasons(findings: Findings) -> list[tuple[str, str]]:
    return [(each.ref.name, each.reason) for each in findings.unexpressed]


@pytest.mark.parametrize(
    ("accounts", "links"),
    [
        ([], ()),
        ([account("x", ["one"]), account("y", ["one"])], (ExportedLinks(("x", "y"), ("pull",)),)),
        ([account("x", [], ["one"])], (ExportedLinks(("x",), ("mount",)),)),
        ([account("x", ["one"], ["one"])], (ExportedLinks(("x",), ("pull", "mount")),)),
        ([account("x", ["one"]), account("y", [], ["one"])], (ExportedLinks(("x",), ("pull",)),
         ExportedLinks(("y",), ("mount",)))),
        ([account("z", [], ["one"]), account("y", ["one"]), account("x", ["one"], ["one"])],
         (ExportedLinks(("x",), ("pull", "mount")), ExportedLinks(("y",), ("pull",)),
         ExportedLinks(("z",), ("mount",)))),
    ],
)  # fmt: skip
def test_the_lists_of_accounts_become_links(accounts: list[dict[str, Any]], links: tuple[ExportedLinks, ...]) -> None:
    findings = arranged(seen(accounts, "one"), "one")
    assert findings.secrets[0].links == links
    assert reasons(findings) == []


def test_a_duplicate_link_is_noted() -> None:
    findings = arranged(seen([account("x", ["one", "one"])], "one"), "one")
    assert findings.secrets[0].links == ()
    assert reasons(findings) == [("x", f"{PULL} lists secret one more than once, which the module would clean up")]


def test_the_order_of_each_list_is_kept() -> None:
    there = seen([account("x", ["two", "other", "one"], ["one", "two"]), account("y", ["one"])], "one", "two", "other")
    findings = arranged(there, "one", "two")
    assert findings.order == {("x", PULL): ["two", "one"], ("x", MOUNT): ["one", "two"]}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({}, "which the caller may not read"),
        ({"other": None}, "which does not exist"),
        ({"other": {"type": "Opaque"}}, "of type Opaque, which is not a pull secret"),
        ({"other": {}}, "of type Opaque, which is not a pull secret"),
    ],
)
def test_a_link_to_another_secret_is_noted_with_the_reason(found: dict[str, Any], reason: str) -> None:
    related = {ObjectRef(SECRET, "a", name): obj for name, obj in found.items()}
    ((name, said),) = reasons(arranged(seen([account("x", ["other"])]), found=related))
    assert name == "x"
    assert reason in said


def test_a_link_to_a_secret_without_an_entry_is_noted() -> None:
    ((_name, said),) = reasons(arranged(seen([account("x", ["broken"])], "broken")))
    assert "which has no entry itself" in said


def test_the_platforms_links_are_counted() -> None:
    there = seen([account("default", [GENERATED], [GENERATED, "default-token-b2c4d"])], GENERATED)
    findings = arranged(there)
    assert (findings.left_out, findings.unexpressed) == ({"generated_links": 3}, [])


def test_a_token_is_looked_up_and_then_counted_as_generated() -> None:
    tokens = ["default-token-b2c4d", "default-token-f6g7h"]
    there = seen([account("default", [], tokens)])
    assert [ref.name for ref in doubtful_secrets("a", there)] == tokens
    note = {"kubernetes.io/service-account.name": "default"}
    token = {"type": "kubernetes.io/service-account-token", "metadata": {"annotations": note}}
    findings = arranged(there, found={ObjectRef(SECRET, "a", name): token for name in tokens})
    assert (findings.left_out, findings.unexpressed) == ({"generated_links": 2}, [])


def test_only_secrets_missing_from_the_lists_are_doubtful() -> None:
    there = seen([account("default", ["one", "git", "git", GENERATED], [GENERATED])], "one")
    assert list(doubtful_secrets("a", there)) == [ObjectRef(SECRET, "a", "git")]


@pytest.mark.parametrize("odd", [None, "text", 5, [None, 5, {"name": 5}, {"name": ""}, {}]], ids=str)
def test_malformed_lists_have_no_links(odd: Any) -> None:
    there = NamespaceObjects({"x": {"metadata": {"name": "x"}, PULL: odd}}, {})
    assert list(doubtful_secrets("a", there)) == []
    assert arranged(there).unexpressed == []


@pytest.mark.parametrize(
    ("content", "require"), [(b"{}", "existing"), (b'{"auths": {"quay.io": {"auth": "dTpw"}}}', None)]
)
def test_a_link_to_an_unusable_secret_requires_only_an_existing_one(content: bytes, require: str | None) -> None:
    stored = {"type": KIND, "data": {".dockerconfigjson": b64(content)}}
    findings = Findings([ExportedSecret("one", KIND, AUTH_FILE, (LOGIN,))])
    arrange_links("a", NamespaceObjects({"x": account("x", ["one"])}, {"one": stored}), NOTHING_RELATED, findings)
    assert findings.secrets[0].require == require


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
