# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries and accounts are added to lists of others in place, and nothing that others created is widened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import MANAGED_BY, Plan
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_provider.plan import (
    ProviderConfig,
    SecretReaders,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import CRIO_PROVIDER
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import (
    READER_LABELS,
    READER_ROLE,
    READER_RULES,
)

NAME = READER_ROLE.name
ROLE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME}
RENDERED = {"conditions": [{"type": "MachineConfigRendered", "status": "True"}]}


def config(*entries: Any, ours: bool = False, **more: Any) -> dict[str, Any]:
    labels = dict(MANAGED_BY) if ours else {}
    meta = {"name": "cluster", "resourceVersion": "7", "labels": labels}
    return {"metadata": meta, "spec": {"matchImages": [*entries]}, "status": RENDERED, **more}


def plan_config(there: dict[str, Any] | None, *entries: str, role: Any = None, **options: Any) -> Plan:
    wanted = ProviderConfig(CRIO_PROVIDER[0], entries, **options)
    return wanted.plan("", {} if there is None else {"cluster": there}, {READER_ROLE: role})


class TestProviderConfig:
    def test_a_missing_object_is_created_and_its_effects_are_announced(self) -> None:
        found = plan_config(None, "q.io", "r.io")
        (change,) = found.changes
        assert (change.action, change.body["spec"]) == ("create", {"matchImages": ["q.io", "r.io"]})
        assert (change.details, found.extra) == ({"added": ["q.io", "r.io"]}, {"match_images": ["q.io", "r.io"]})
        assert ["drains and reboots" in found.notes[0], "every pod of the node" in found.notes[1]] == [True, True]

    def test_missing_entries_are_appended_with_the_version_that_was_read(self) -> None:
        (change,) = plan_config(config("b.io", "a.io"), "a.io", "c.io").changes
        assert change.body == {
            "spec": {"matchImages": ["b.io", "a.io", "c.io"]},
            "metadata": {"resourceVersion": "7"},
        }
        assert change.details == {"added": ["c.io"]}

    def test_existing_entries_need_no_change_and_no_note(self) -> None:
        found = plan_config(config("b.io", "a.io"), "a.io")
        assert (found.changes, found.notes, found.extra) == ((), (), {"match_images": ["b.io", "a.io"]})

    def test_a_list_that_would_get_too_long_is_refused(self) -> None:
        many = [f"h{number}.io" for number in range(49)]
        assert len(plan_config(config(*many), "a.io").changes) == 1
        with pytest.raises(Refusal, match="would have 51 entries"):
            plan_config(config(*many), "a.io", "b.io")

    @pytest.mark.parametrize("entries", [5, "q.io", [5]])
    def test_a_list_that_cannot_be_read_is_refused(self, entries: Any) -> None:
        with pytest.raises(Refusal, match="is not a list of texts. Nothing was changed"):
            plan_config(config(spec={"matchImages": entries}), "q.io")

    @pytest.mark.parametrize(
        ("there", "action", "spec"),
        [
            (config("a.io", "b.io"), "update", {"matchImages": ["b.io"]}),
            (config("a.io"), "update", {"matchImages": None}),
            (config("a.io", ours=True), "delete", None),
            (config("a.io", "b.io", ours=True), "update", {"matchImages": ["b.io"]}),
        ],
    )
    def test_absent_removes_the_entries_and_an_own_object_without_entries(
        self, there: dict[str, Any], action: str, spec: Any
    ) -> None:
        found = plan_config(there, "a.io", "never.io", present=False)
        (change,) = found.changes
        assert (change.action, change.body.get("spec"), change.details) == (action, spec, {"removed": ["a.io"]})
        assert len(found.notes) == 1

    def test_absent_without_the_object_changes_nothing(self) -> None:
        assert plan_config(None, "a.io", present=False) == Plan(extra={"match_images": []})

    @pytest.mark.parametrize(
        ("there", "note"),
        [
            (config("a.io", status={}), "has no condition MachineConfigRendered"),
            (None, "has no entries, so the nodes do not run the provider"),
            (
                config(
                    "a.io",
                    status={
                        "conditions": [
                            *RENDERED["conditions"],
                            {
                                "type": "Validated",
                                "status": "False",
                                "reason": "ConfigurationPartiallyApplied",
                                "message": "x. Skip rendering entries: [a.io b.io].",
                            },
                        ]
                    },
                ),
                "the nodes do not have a.io, because it overlaps",
            ),
        ],
    )
    def test_a_configuration_that_nodes_do_not_use_is_reported(self, there: Any, note: str) -> None:
        entries = ["a.io"] if there else []
        (found,) = plan_config(there, *entries).notes
        assert note in found

    def test_a_changed_configuration_has_no_status_for_the_checks(self) -> None:
        wanted, there = ProviderConfig(CRIO_PROVIDER[0], ("a.io",)), config("a.io")
        assert wanted.config_after(there) is there
        assert wanted.config_after(config("b.io")) == {"spec": {"matchImages": ["b.io", "a.io"]}}
        assert wanted.config_after(None) == {"spec": {"matchImages": ["a.io"]}}


class TestRole:
    def test_a_missing_role_is_refused_with_the_command_or_created_on_request(self) -> None:
        with pytest.raises(Refusal, match="type 'kubectl create clusterrole image-pull-credential-provider"):
            plan_config(None, "a.io", needs_role=True)
        role, _config = plan_config(None, "a.io", needs_role=True, create_role=True).changes
        assert (role.action, role.ref, role.body["rules"]) == ("create", READER_ROLE, [*READER_RULES])

    @pytest.mark.parametrize("create_role", [True, False])
    def test_a_role_with_other_rights_is_refused(self, create_role: bool) -> None:
        other = {"rules": [*READER_RULES, {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
        with pytest.raises(Refusal, match="does not allow exactly 'list' on secrets"):
            plan_config(None, "a.io", needs_role=True, create_role=create_role, role=other)

    def test_an_existing_role_stays(self) -> None:
        role = {"rules": [*READER_RULES]}
        assert len(plan_config(None, "a.io", needs_role=True, create_role=True, role=role).changes) == 1
        wanted = ProviderConfig(CRIO_PROVIDER[0], ("a.io",), present=False, needs_role=True)
        assert wanted.plan("", {}, {}).changes == ()


def subject(name: str, **more: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "namespace": "ns", "name": name, **more}


def binding(*subjects: Any, labels: Any = None, **more: Any) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": NAME, "namespace": "ns", "resourceVersion": "7"}
    meta["labels"] = dict(READER_LABELS) if labels is None else labels
    return {"metadata": meta, "roleRef": ROLE, "subjects": [*subjects], **more}


SECRETS = {ObjectRef(SECRET, "ns", ""): {"items": [{"metadata": {"name": "s"}}]}}


def plan_readers(there: dict[str, Any] | None, *accounts: str, present: bool = True, found: Any = None) -> Plan:
    objects = {} if there is None else {NAME: there}
    return SecretReaders(accounts, present).plan("ns", objects, SECRETS if found is None else found)


class TestSecretReaders:
    def test_a_binding_to_the_cluster_role_is_created_with_the_labels(self) -> None:
        (change,) = plan_readers(None, "default", "builder").changes
        assert change.body["metadata"]["labels"] == dict(READER_LABELS)
        assert (change.body["roleRef"], change.body["subjects"]) == (ROLE, [subject("default"), subject("builder")])
        assert change.details["granted"] == ["ServiceAccount ns/default", "ServiceAccount ns/builder"]

    def test_missing_accounts_are_appended_and_other_subjects_survive(self) -> None:
        user = {"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"}
        found = plan_readers(binding(user, subject("default")), "default", "robot")
        (change,) = found.changes
        assert change.body["subjects"] == [user, subject("default"), subject("robot")]
        assert change.body["metadata"] == {"resourceVersion": "7"}
        assert "also lets 1 subject list the secrets" in found.notes[0]

    def test_an_account_written_in_another_way_counts(self) -> None:
        user = {"kind": "User", "name": "system:serviceaccount:ns:default"}
        for there in (subject("default"), {"kind": "ServiceAccount", "name": "default"}, user):
            assert plan_readers(binding(there), "default") == Plan()

    @pytest.mark.parametrize(
        "more",
        [
            {"labels": {}},
            {"labels": dict(MANAGED_BY)},
            {"roleRef": {**ROLE, "kind": "Role"}},
            {"roleRef": {**ROLE, "name": "admin"}},
            {"roleRef": None},
        ],
    )
    @pytest.mark.parametrize("present", [True, False])
    def test_a_binding_of_others_is_never_changed(self, more: dict[str, Any], present: bool) -> None:
        with pytest.raises(Refusal, match="was not created by this module, or has another role"):
            plan_readers(binding(subject("default"), **more), "default", present=present)

    def test_a_binding_that_is_being_deleted_is_refused(self) -> None:
        there = binding(subject("default"))
        there["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        with pytest.raises(Refusal, match="a finalizer keeps it"):
            plan_readers(there, "default")

    def test_a_caller_that_may_not_list_the_secrets_is_refused(self) -> None:
        with pytest.raises(Refusal, match="it needs list on secrets in namespace ns, see https"):
            plan_readers(None, "default", found={})
        assert plan_readers(None, "default", found={}, present=False).changes == ()

    def test_a_namespace_without_a_pull_secret_and_a_missing_account_are_reported(self) -> None:
        account = ObjectRef(SERVICE_ACCOUNT, "ns", "default")
        found = {ObjectRef(SECRET, "ns", ""): {"items": []}, account: None}
        assert [note.partition(",")[0] for note in plan_readers(None, "default", found=found).notes] == [
            "service account ns/default does not exist yet: its pods can use the provider once it does",
            "namespace ns has no secret of type kubernetes.io/dockerconfigjson",
        ]

    def test_absent_removes_the_accounts_and_an_empty_binding(self) -> None:
        (change,) = plan_readers(binding(subject("default"), subject("robot")), "default", present=False).changes
        assert (change.action, change.body["subjects"]) == ("update", [subject("robot")])
        (change,) = plan_readers(binding(subject("default")), "default", "robot", present=False).changes
        assert (change.action, change.details["revoked"]) == ("delete", ["ServiceAccount ns/default"])
        for there in (None, binding(subject("robot"))):
            assert plan_readers(there, "default", present=False) == Plan()

    def test_the_content_of_secrets_is_not_kept(self) -> None:
        readers = SecretReaders(("default",))
        (ref,) = (ref for ref in readers.related("ns", {}) if ref.kind == SECRET)
        assert ref.kind.trim is not None
        assert ref.kind.trim({"metadata": {"name": "s"}, "data": {"a": "b"}}) == {"metadata": {"name": "s"}}
        assert SecretReaders(("default",), present=False).related("ns", {}) == ()
