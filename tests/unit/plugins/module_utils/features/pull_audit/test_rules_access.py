# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules report subjects and selectors that can pull too much, wrong lists of service accounts, and an unusable pull secret of the nodes."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    NAMESPACE,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, UnreadableObject
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import (
    ClusterSnapshot,
    OpenSelector,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.checks import Audit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import (
    Finding,
    PullAudit,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules_access import (
    find_open_selectors,
    find_unlinked_cluster,
    find_unusable_node_secret,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import INFRASTRUCTURE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from support.objects import b64
from support.surveyed import account, auth, binding, found_by, place, secret, survey, token

ACCOUNT = {"kind": "ServiceAccount", "name": "default", "namespace": "b"}
PROJECT = {"kind": "Group", "name": "system:serviceaccounts:b"}
USER = {"kind": "User", "name": "developer"}
OF_ACCOUNT, OF_PROJECT = ObjectRef(SERVICE_ACCOUNT, "b", "default"), ObjectRef(NAMESPACE, "", "b")


def grant_options(found):
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
        assert grant_options(found)[0]["revoke_from"] == "every_binding"

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
        revoked, granted = grant_options(second)
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
        assert grant_options(found)[0].items() >= given.items()

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


GENERATED_NAME = "default-dockercfg-x2x4x"


class TestDangling:
    def test_a_missing_secret_is_reported_in_either_list(self):
        (mount, pull) = found_by("link-dangling", place(accounts=[account("gone", secrets=[{"name": "lost"}])]))
        assert (pull.location, mount.location) == ("secrets lost", "imagePullSecrets gone")
        purposes = {
            task["openshift_ops.image_pull.sa_link"]["link_for"][0] for found in (pull, mount) for task in found.fix
        }
        assert purposes == {"pull", "mount"}

    def test_an_existing_or_generated_secret_is_not_reported(self):
        generated = account("s", GENERATED_NAME, secrets=[{"name": GENERATED_NAME}])
        assert found_by("link-dangling", place(secrets=[secret("s")], accounts=[generated])) == []

    def test_unreadable_secrets_are_not_reported_as_missing(self):
        seen = place(accounts=[account("gone")], unread={"secrets": "no right"})
        assert found_by("link-dangling", seen) == []


class TestDuplicate:
    def test_a_name_that_is_listed_twice_is_reported(self):
        (found,) = found_by("link-duplicate", place(accounts=[account("s", "t", "s")]))
        assert (found.location, found.message) == ("s", "service account a/default lists secret s more than once")
        assert found.fix[0]["openshift_ops.image_pull.sa_link"]["require"] == "none"

    def test_names_that_are_listed_once_are_not_reported(self):
        assert found_by("link-duplicate", place(accounts=[account("s", "t")])) == []


class TestNotProvisioned:
    NOTES = {"openshift.io/internal-registry-auth-token.binding": "bound"}

    def provisioned(self):
        notes = {**self.NOTES, "openshift.io/internal-registry-auth-token.service-account": "default"}
        return secret(GENERATED_NAME, {"r:5000": auth()}, "kubernetes.io/dockercfg", annotations=notes)

    def test_an_account_without_its_generated_secret_is_reported(self):
        (found,) = found_by("account-not-provisioned", survey(place(), none_will_come=""))
        assert "no generated pull secret in imagePullSecrets" in found.message

    def test_stale_secret_is_deleted_and_not_waited_for(self):
        stale = self.provisioned()
        dead = token(**{"kubernetes.io": {"serviceaccount": {"uid": "deleted"}}})
        stale["data"] = secret("x", {"r:5000": auth(dead, "<token>")}, "kubernetes.io/dockercfg")["data"]
        seen = place(secrets=[stale], accounts=[account(GENERATED_NAME)])
        (found,) = found_by("account-not-provisioned", survey(seen, none_will_come=""))
        assert f"delete it with 'oc delete secret {GENERATED_NAME} -n {seen.namespace}'" in found.message
        assert found.fix == []

    def test_an_account_with_its_generated_secret_is_not_reported(self):
        seen = place(secrets=[self.provisioned()], accounts=[account(GENERATED_NAME)])
        assert found_by("account-not-provisioned", survey(seen, none_will_come="")) == []

    def test_a_cluster_that_may_generate_no_secrets_is_not_reported(self):
        for why in ("this cluster is not OpenShift", None):
            assert found_by("account-not-provisioned", survey(place(), none_will_come=why)) == []


CLOUD_SERVICE = {"cloud.openshift.com": {"auth": "dTpw", "email": "you@example.com"}}
BAD = {"auth": "no login"}


def node_secret(
    auths: Any, kind: str = "kubernetes.io/dockerconfigjson", key: str = ".dockerconfigjson"
) -> dict[str, Any]:
    text = auths if isinstance(auths, str) else json.dumps({"auths": auths})
    meta = {"name": NODE_SECRET.name, "namespace": NODE_SECRET.namespace}
    return {"metadata": meta, "type": kind, "data": {key: b64(text)}}


def node_findings(held: Any, infrastructure: Any = None, *, is_openshift: bool = True) -> list[Finding]:
    evidence = Lookup({NODE_SECRET: held, INFRASTRUCTURE: infrastructure})
    seen = dataclasses.replace(survey(place()), evidence=evidence, is_openshift=is_openshift)
    return [*find_unusable_node_secret(seen), *find_unlinked_cluster(seen)]


def test_a_complete_secret_is_not_reported() -> None:
    assert node_findings(node_secret({**CLOUD_SERVICE, "quay.io": {"auth": "dTpw"}})) == []


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (node_secret(CLOUD_SERVICE, key="other"), "it has no data key .dockerconfigjson"),
        (node_secret(CLOUD_SERVICE, "Opaque"), "it has type Opaque, not kubernetes.io/dockerconfigjson"),
        (node_secret("no json"), "it is not valid JSON"),
        (
            node_secret({**CLOUD_SERVICE, "q.io": BAD, "r.io": BAD}),
            "the entry for 'q.io' has an 'auth' that is not standard base64 (and 1 more)",
        ),
    ],
)
def test_a_secret_that_nodes_cannot_use_is_an_error(held: Any, why: str) -> None:
    (found,) = node_findings(held)
    assert (found.rule, found.effective_severity, found.ref) == ("node-secret-unusable", "error", NODE_SECRET)
    assert found.message.startswith(f"the nodes cannot use secret openshift-config/pull-secret, because {why}")


def test_entries_are_written_again_only_if_they_are_the_only_problem() -> None:
    (found,) = node_findings(node_secret({**CLOUD_SERVICE, "q.io": BAD, "r.io": BAD}))
    written = [task["openshift_ops.image_pull.pull_secret"]["registries"][0]["registry"] for task in found.fix]
    assert written == ["q.io", "r.io"]
    (found,) = node_findings(node_secret({**CLOUD_SERVICE, "q.io": BAD, "user:password@r.io": BAD}))
    assert found.report()["fix"] == []
    assert "password" not in str(found.report())


@pytest.mark.parametrize(
    ("auths", "why"),
    [
        ({"quay.io": {"auth": "dTpw"}}, "secret openshift-config/pull-secret has no entry for cloud.openshift.com"),
        (
            {"cloud.openshift.com": {"auth": "dTpw"}},
            "the entry for cloud.openshift.com in secret openshift-config/pull-secret has no email",
        ),
        ({"cloud.openshift.com": {"auth": "dTpw", "email": " "}}, "the entry for cloud.openshift.com in"),
    ],
)
def test_a_cluster_without_a_link_to_red_hat_is_an_info(auths: Any, why: str) -> None:
    (found,) = node_findings(node_secret(auths))
    assert found.rule == "node-secret-unlinked"
    assert found.effective_severity == "info"
    assert found.location == "cloud.openshift.com"
    assert found.message.startswith(why)
    assert found.message.endswith("This is normal for a cluster that is not connected to Red Hat")
    (task,) = found.report()["fix"]
    (entry,) = task["openshift_ops.image_pull.pull_secret"]["registries"]
    assert entry["email"] == "{{ registry_email }}"


@pytest.mark.parametrize("auths", [{}, {"q.io": BAD}])
@pytest.mark.parametrize(
    ("infrastructure", "hint"),
    [
        (
            {"status": {"controlPlaneTopology": "External"}},
            "It is a copy: change the pull secret of the hosted cluster on its",
        ),
        (
            UnreadableObject("no"),
            "Infrastructure cluster could not be read, so it is not known whether this is the copy",
        ),
    ],
)
def test_no_task_is_offered_where_the_platform_may_revert_it(auths: Any, infrastructure: Any, hint: str) -> None:
    (found,) = node_findings(node_secret(auths), infrastructure)
    assert found.fix == ()
    assert hint in found.message


@pytest.mark.parametrize("held", [None, UnreadableObject("no")])
def test_a_missing_or_unreadable_secret_is_not_reported(held: Any) -> None:
    assert node_findings(held) == []


def test_other_clusters_than_openshift_have_no_such_secret() -> None:
    assert node_findings(node_secret({}), is_openshift=False) == []


TITLE = "private_registry_secrets[0]"


def provisioners(role: str = "self-provisioner", *subjects: str) -> dict[str, Any]:
    groups = [{"kind": "Group", "name": name} for name in subjects]
    return {"metadata": {"name": "provisioners"}, "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": groups}


def selected(*projects: str, **more: Any) -> ClusterSnapshot:
    return dataclasses.replace(survey(place()), open_selectors=[OpenSelector(TITLE, projects)], **more)


OAUTH = "system:authenticated:oauth"
CONTEXT = [
    (
        {"cluster_bindings": [provisioners("self-provisioner", OAUTH)]},
        "cluster role binding provisioners lets users request more",
    ),
    (
        {"cluster_bindings": [provisioners()]},
        "no cluster role binding gives users the role self-provisioner, which lets them request more",
    ),
    ({"cluster_bindings": [provisioners("view", OAUTH)]}, "no cluster role binding gives users"),
    ({"unread": {"cluster role bindings": "no right"}}, "it is not known whether users may request more"),
]


@pytest.mark.parametrize(("more", "context"), CONTEXT)
def test_projects_that_users_requested_make_a_warning(more: dict[str, Any], context: str) -> None:
    (found,) = find_open_selectors(selected("team-evil", "team-x", **more))
    assert (found.location, found.effective_severity, found.ref.kind.kind) == (TITLE, "warning", "Inventory")
    assert found.message.startswith(
        f"{TITLE} selects namespaces by their names alone, among them 2 projects that users requested: team-evil, team-x ({context}"
    )


def test_a_selector_without_requested_projects_is_an_info() -> None:
    (found,) = find_open_selectors(selected(**CONTEXT[0][0]))
    assert (found.effective_severity, "users have requested none of them yet" in found.message) == ("info", True)
    assert not [*find_open_selectors(selected(**CONTEXT[1][0]))]
    assert not [*find_open_selectors(selected(**CONTEXT[3][0]))]


def test_the_rule_is_applied_only_with_open_selectors_and_reports_unread_namespaces() -> None:
    asked = PullAudit(rules=("selector-open-to-users",), open_selectors=[(TITLE, NamespaceSelector(include=("*",)))])
    assert [finding.location for finding in Audit(asked, selected("team-evil")).findings] == [TITLE]
    assert Audit(PullAudit(), survey(place())).rules.count("selector-open-to-users") == 0
    unread = dataclasses.replace(survey(place()), unread={"namespaces": "no right"})
    (sentence,) = Audit(asked, unread).unread_sentences()
    assert sentence == "the namespaces could not be read: no right. Not applied: selector-open-to-users"
