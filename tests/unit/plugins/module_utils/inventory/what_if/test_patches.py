# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each patch changes the answers that it says it touches, and keeps errors that it cannot know better."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    CLUSTER_ROLE,
    NODE,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    ImageQuestion,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    IMAGE_POLICY,
    KNOWN_IMAGE_POLICIES,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    MIRROR_KINDS,
    NodeNetwork,
    network_ref,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.overlay import ChangedLookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.patches import (
    CredentialPatch,
    GrantPatch,
    LinkPatch,
    MirrorPatch,
    NetworkPatch,
    ObjectPatch,
    SecretPatch,
    VersionPatch,
    answer_refused_login,
    join_grants,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import CLUSTER_VERSION
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import (
    Subject,
    pull_review,
    secrets_review,
)
from support.pull_evidence import node
from support.surveyed import account, auth, binding, secret

ERROR = ImagePullError("the caller may not read it")
TAG_SETS = list(MIRROR_KINDS)[1]
SET, SETS = ObjectRef(TAG_SETS, "", "site"), ObjectRef(TAG_SETS, "", "")
PULL, EVERY = ObjectRef(SECRET, "a", "pull"), ObjectRef(SECRET, "a", "")
ACCOUNT = ObjectRef(SERVICE_ACCOUNT, "a", "default")


UNREACHABLE, ONLY = NodeNetwork(["q.io"]), NodeNetwork(only=["q.io", "r.io"])
WITHIN_REACH, LOST = {"reached": True, "limited": False}, {"reached": False, "limited": False}


class TestNetwork:
    @pytest.mark.parametrize(
        ("network", "host", "is_touched"),
        [(UNREACHABLE, "q.io", True), (UNREACHABLE, "r.io", False), (ONLY, "q.io", True), (ONLY, "s.io", True)],
    )
    def test_unreachable_registries_concern_no_other_one(self, network, host, is_touched) -> None:
        patch = NetworkPatch(network)
        assert patch.touches(network_ref(host)) is is_touched
        assert not patch.touches(IMAGE_CONFIG)

    def test_changes_of_the_network_add_up(self) -> None:
        patches = [NetworkPatch(NodeNetwork(["q.io"])), NetworkPatch(NodeNetwork(["r.io"]))]
        for first, second in (patches, patches[::-1]):
            for host, expected in (("q.io", LOST), ("r.io", LOST), ("s.io", WITHIN_REACH)):
                assert second.apply(network_ref(host), first.apply(network_ref(host), None)) == expected

    @pytest.mark.parametrize(
        ("one", "other", "host", "is_reached"),
        [
            ("*.q.io", "a.q.io", "a.q.io", True),
            ("*.q.io", "a.q.io", "b.q.io", False),
            ("q.io", "q.io:5000", "q.io:5000", True),
            ("q.io", "q.io:5000", "q.io", False),
            ("*.q.io", "q.io", "q.io", False),
            ("q.io", "r.io", "r.io", False),
        ],
    )
    def test_two_limits_leave_their_common_registries(self, one, other, host, is_reached) -> None:
        patches = [NetworkPatch(NodeNetwork(only=[each])) for each in (one, other)]
        for first, second in (patches, patches[::-1]):
            found = second.apply(network_ref(host), first.apply(network_ref(host), None))
            assert found == {"reached": is_reached, "limited": True}

    def test_a_limit_stays_beside_unreachable_registries(self) -> None:
        first, second = NetworkPatch(ONLY), NetworkPatch(UNREACHABLE)
        ref = network_ref("r.io")
        assert second.apply(ref, first.apply(ref, None)) == {"reached": True, "limited": True}

    def test_new_mirrors_and_the_network_add_up(self) -> None:
        network, mirrors, ref = NetworkPatch(UNREACHABLE), MirrorPatch(frozenset({"q.io"})), network_ref("q.io")
        for first, second in ((network, mirrors), (mirrors, network)):
            assert second.apply(ref, first.apply(ref, None)) == {**LOST, "unproven": True}
        assert mirrors.touches(ref)
        assert not mirrors.touches(network_ref("r.io"))
        assert not mirrors.touches(IMAGE_CONFIG)


class TestObjects:
    def test_an_object_replaces_the_one_of_its_name_in_lists(self) -> None:
        new = {"metadata": {"name": "site"}, "spec": 2}
        patch = ObjectPatch({SET: new})
        listed = {"items": [{"metadata": {"name": "site"}, "spec": 1}, {"metadata": {"name": "b"}}]}
        assert patch.touches(SET)
        assert patch.touches(SETS)
        assert patch.apply(SET, None) == new
        assert patch.apply(SETS, listed) == {"items": [new, {"metadata": {"name": "b"}}]}
        assert patch.apply(SETS, None) == {"items": [new]}

    def test_a_deleted_object_leaves_lists(self) -> None:
        patch = ObjectPatch({SET: None})
        assert patch.apply(SET, {"spec": 1}) is None
        assert patch.apply(SETS, {"items": [{"metadata": {"name": "site"}}]}) == {"items": []}

    def test_an_unreadable_list_stays_unknown(self) -> None:
        assert ObjectPatch({SET: None}).apply(SETS, ERROR) is ERROR

    def test_a_replaced_image_config_keeps_its_status(self) -> None:
        new, status = {"metadata": {"name": "cluster"}, "spec": 2}, {"internalRegistryHostname": "r.svc:5000"}
        patch = ObjectPatch({IMAGE_CONFIG: new})
        assert patch.apply(IMAGE_CONFIG, {"spec": 1, "status": status}) == {**new, "status": status}
        assert patch.apply(IMAGE_CONFIG, None) == {**new, "status": None}
        assert patch.apply(IMAGE_CONFIG, ERROR) is ERROR
        assert ObjectPatch({IMAGE_CONFIG: None}).apply(IMAGE_CONFIG, {"spec": 1}) is None

    def test_the_list_of_all_namespaces_has_objects_of_each(self) -> None:
        here, there = ({"metadata": {"name": "p", "namespace": name}} for name in ("a", "b"))
        patch = ObjectPatch({ObjectRef(IMAGE_POLICY, "b", "p"): there})
        assert [patch.touches(ObjectRef(IMAGE_POLICY, name, "")) for name in ("", "a", "b")] == [True, False, True]
        assert patch.apply(KNOWN_IMAGE_POLICIES, {"items": [here]}) == {"items": [here, there]}
        deleted = ObjectPatch({ObjectRef(IMAGE_POLICY, "b", "p"): None})
        assert deleted.apply(KNOWN_IMAGE_POLICIES, {"items": [here, there]}) == {"items": [here]}

    def test_other_kinds_are_not_touched(self) -> None:
        patch = ObjectPatch({SET: None})
        assert not patch.touches(IMAGE_CONFIG)
        assert not patch.touches(ObjectRef(next(iter(MIRROR_KINDS)), "", ""))


class TestSecrets:
    def test_the_name_counts_in_the_given_namespaces_only(self) -> None:
        patch = SecretPatch("pull", frozenset({"a"}))
        assert patch.touches(PULL)
        assert patch.touches(EVERY)
        assert not patch.touches(ObjectRef(SECRET, "b", "pull"))
        assert not patch.touches(ObjectRef(SECRET, "a", "other"))
        assert patch.apply(PULL, {}) is None
        assert (
            patch.apply(EVERY, {"items": [secret("pull"), secret("other")]})["items"][0]["metadata"]["name"] == "other"
        )
        assert patch.apply(EVERY, ERROR) is ERROR


class TestLinks:
    def test_only_the_named_secrets_leave_the_list(self) -> None:
        patch = LinkPatch(frozenset({"pull"}), None, frozenset({"a"}))
        assert patch.apply(ACCOUNT, account("pull", "other"))["imagePullSecrets"] == [{"name": "other"}]
        assert patch.apply(ACCOUNT, None) is None
        assert patch.apply(ACCOUNT, ERROR) is ERROR

    @pytest.mark.parametrize(("accounts", "is_touched"), [(None, True), ({"default"}, True), ({"builder"}, False)])
    def test_accounts_are_named_or_all(self, accounts, is_touched) -> None:
        patch = LinkPatch(frozenset({"pull"}), accounts and frozenset(accounts), frozenset({"a"}))
        assert patch.touches(ACCOUNT) is is_touched
        assert not patch.touches(ObjectRef(SERVICE_ACCOUNT, "b", "default"))

    def test_a_list_of_accounts_is_changed_in_the_same_way(self) -> None:
        patch = LinkPatch(frozenset({"pull"}), frozenset({"default"}), frozenset({"a"}))
        whole, other = ObjectRef(SERVICE_ACCOUNT, "a", ""), {**account("pull"), "metadata": {"name": "builder"}}
        assert patch.touches(whole)
        assert not patch.touches(ObjectRef(SERVICE_ACCOUNT, "b", ""))
        default, builder = patch.apply(whole, {"items": [account("pull"), other]})["items"]
        assert default["imagePullSecrets"] == []
        assert builder is other


class TestCredentials:
    def test_only_keys_with_the_login_at_the_registry_are_refused(self) -> None:
        stored = secret("pull", {"q.io/team": auth(username="robot"), "q.io": auth(), "r.io": auth(username="robot")})
        patch = CredentialPatch("q.io", "robot", frozenset({PULL}))
        assert patch.apply(PULL, stored)["refusedLogins"] == [["q.io/team", "q.io"]]
        assert patch.apply(PULL, secret("pull")) == secret("pull")
        assert patch.apply(EVERY, {"items": [stored]})["items"][0]["refusedLogins"] == [["q.io/team", "q.io"]]
        assert patch.apply(PULL, None) is None
        assert patch.apply(PULL, ERROR) is ERROR

    def test_a_search_registry_refuses_the_login_for_docker_hub(self) -> None:
        stored = secret("pull", {"https://index.docker.io/v1/": auth(username="robot"), "r.io": auth(username="robot")})
        found = CredentialPatch("q.io", "robot", frozenset({PULL})).apply(PULL, stored)
        assert found["refusedLogins"] == [["https://index.docker.io/v1/", "q.io"]]

    def test_a_key_with_a_star_is_refused_at_the_registry_only(self) -> None:
        stored = secret("pull", {"*.q.io": auth(username="robot"), "*.r.io": auth(username="robot")})
        found = CredentialPatch("a.q.io", "robot", frozenset({PULL})).apply(PULL, stored)
        assert found["refusedLogins"] == [["*.q.io", "a.q.io"]]
        at_other, here = (ImageQuestion(f"{host}/app", "v1", "a", "pull", "*.q.io") for host in ("b.q.io", "a.q.io"))
        assert answer_refused_login(at_other, found) is None
        assert answer_refused_login(here, found) is not None

    def test_lists_of_the_namespaces_are_touched(self) -> None:
        patch = CredentialPatch("q.io", "robot", frozenset({PULL}))
        assert patch.touches(EVERY)
        assert not patch.touches(ObjectRef(SECRET, "b", ""))
        assert not patch.touches(ObjectRef(SECRET, "a", "other"))

    def test_a_registry_answers_for_a_refused_key_only(self) -> None:
        question = ImageQuestion("q.io/team/app", "v1", "a", "pull", "q.io")
        assert answer_refused_login(question, {"refusedLogins": [["q.io", "q.io"]]}) == {
            "outcome": "bad_login",
            "message": "q.io refuses the login",
            "realm_host": "",
        }
        assert answer_refused_login(question, {"refusedLogins": [["q.io/team", "q.io"], ["q.io", "r.io"]]}) is None
        assert answer_refused_login(question, None) is None


class TestGrants:
    PULLER = Subject("ServiceAccount", "default", "b")
    ENTRY = {"kind": "ServiceAccount", "name": "default", "namespace": "b"}
    REVIEW = pull_review("a", "b", "default")

    EDIT = ObjectRef(CLUSTER_ROLE, "", "edit")

    def patch(self, *bindings, cluster=(), roles=None, **unread) -> GrantPatch:
        return GrantPatch({"a": frozenset({self.PULLER})}, {"a": bindings}, cluster, Lookup(roles), unread)

    def edit_patch(self, role) -> GrantPatch:
        """The account is also bound to the role `edit`."""
        bindings = binding("grant", self.ENTRY), binding("edit", self.ENTRY, role="edit")
        return self.patch(*bindings, roles={self.EDIT: role})

    def test_the_right_is_lost_with_its_only_binding(self) -> None:
        patch = self.patch(binding("grant", self.ENTRY))
        assert patch.touches(self.REVIEW)
        assert patch.apply(self.REVIEW, {"allowed": True}) == {"allowed": False}

    def test_a_grant_to_the_whole_project_keeps_the_right(self) -> None:
        group = {"kind": "Group", "name": "system:serviceaccounts:b"}
        patch = self.patch(binding("grant", self.ENTRY), binding("all", group))
        assert patch.apply(self.REVIEW, {"allowed": True}) == {"allowed": True}

    def test_a_cluster_wide_grant_keeps_the_right(self) -> None:
        everywhere = binding("everyone", {"kind": "Group", "name": "system:authenticated"}, namespace="")
        assert self.patch(binding("grant", self.ENTRY), cluster=[everywhere]).apply(self.REVIEW, {"allowed": True}) == {
            "allowed": True
        }

    def test_another_role_keeps_the_right_if_its_rules_give_it(self) -> None:
        layers = {"verbs": ["get"], "apiGroups": ["image.openshift.io"], "resources": ["imagestreams/layers"]}
        assert self.edit_patch({"rules": [layers]}).apply(self.REVIEW, {"allowed": True}) == {"allowed": True}

    @pytest.mark.parametrize("role", [None, {"rules": []}], ids=str)
    def test_another_role_without_the_right_does_not_keep_it(self, role) -> None:
        assert self.edit_patch(role).apply(self.REVIEW, {"allowed": True}) == {"allowed": False}

    def test_an_unreadable_role_leaves_a_doubt(self) -> None:
        found = self.edit_patch(ERROR).apply(self.REVIEW, {"allowed": True})
        assert str(found) == "cluster role edit of binding edit may also give the right, and the caller may not read it"

    def test_roles_are_read_first(self) -> None:
        patch = self.patch(binding("edit", self.ENTRY, role="edit"))
        with pytest.raises(ReadRequired):
            patch.apply(self.REVIEW, {"allowed": True})
        assert patch.evidence.take_wanted() == [self.EDIT]

    def test_unreadable_bindings_leave_a_doubt(self) -> None:
        for unread in ({"a": "they are hidden"}, {"": "they are hidden"}):
            found = self.patch(binding("grant", self.ENTRY), **unread).apply(self.REVIEW, {"allowed": True})
            assert str(found) == "they are hidden"

    def test_others_are_not_touched(self) -> None:
        patch = self.patch(binding("grant", self.ENTRY))
        assert not patch.touches(pull_review("a", "b", "builder"))
        assert not patch.touches(pull_review("c", "b", "default"))

    def test_a_list_of_bindings_loses_the_subjects(self) -> None:
        patch, whole = self.patch(), ObjectRef(ROLE_BINDING, "a", "")
        edit = binding("edit", self.ENTRY, role="edit")
        assert patch.touches(whole)
        assert not patch.touches(ObjectRef(ROLE_BINDING, "a", "grant"))
        assert not patch.touches(ObjectRef(ROLE_BINDING, "c", ""))
        grant, kept = patch.apply(whole, {"items": [binding("grant", self.ENTRY), edit]})["items"]
        assert grant["subjects"] == []
        assert kept is edit
        assert patch.apply(whole, ERROR) is ERROR

    def test_all_grants_of_unreadable_bindings_may_be_touched(self) -> None:
        patch = GrantPatch({"a": frozenset()}, {}, (), Lookup(), {"a": "they are hidden"}, frozenset({"a"}))
        assert patch.touches(pull_review("a", "b", "builder"))
        assert not patch.touches(pull_review("c", "b", "builder"))
        assert not patch.touches(secrets_review("a", "default"))
        assert patch.apply(self.REVIEW, {"allowed": False}) == {"allowed": False}
        assert patch.apply(self.REVIEW, ERROR) is ERROR

    def test_two_removals_together_take_a_right_that_neither_takes_alone(self) -> None:
        group = {"kind": "Group", "name": "system:serviceaccounts:b"}
        bindings = {"a": (binding("grant", self.ENTRY), binding("all", group))}
        of_group = GrantPatch({"a": frozenset({Subject("Group", group["name"])})}, bindings, (), Lookup())
        both = [replace(of_group, removed={"a": frozenset({self.PULLER})}), of_group]
        for patches, is_allowed in ((both[:1], True), (both[1:], True), (both, False), (both[::-1], False)):
            changed = ChangedLookup(Lookup({self.REVIEW: {"allowed": True}}), patches)
            assert changed.look(self.REVIEW) == {"allowed": is_allowed}

    def test_a_removal_from_one_account_keeps_the_doubt_of_a_removal_from_all(self) -> None:
        hidden = GrantPatch({"a": frozenset()}, {}, (), Lookup(), {"a": "they are hidden"}, frozenset({"a"}))
        (joined,) = join_grants([self.patch(**hidden.unread), hidden])
        for name in ("builder", "default"):
            review = pull_review("a", "b", name)
            assert joined.touches(review)
            assert str(joined.apply(review, {"allowed": True})) == "they are hidden"

    def test_removals_from_other_projects_are_joined(self) -> None:
        other = GrantPatch(
            {"c": frozenset({self.PULLER})}, {"c": [binding("grant", self.ENTRY, namespace="c")]}, (), Lookup()
        )
        (joined,) = join_grants([self.patch(binding("grant", self.ENTRY)), other])
        for project in ("a", "c"):
            assert joined.apply(pull_review(project, "b", "default"), {"allowed": True}) == {"allowed": False}


class TestVersions:
    PATCH = VersionPatch((1, 35), "4.22", NODE)

    def test_nodes_have_the_new_version_with_an_unknown_patch_number(self) -> None:
        (found,) = self.PATCH.apply(ObjectRef(NODE, "", ""), {"items": [node()]})["items"]
        info = found["status"]["nodeInfo"]
        assert (info["kubeletVersion"], info["containerRuntimeVersion"]) == ("v1.35", "cri-o://1.35")
        assert self.PATCH.apply(ObjectRef(NODE, "", "n"), node())["metadata"] == {"name": "n"}

    def test_another_runtime_keeps_its_version(self) -> None:
        found = self.PATCH.apply(ObjectRef(NODE, "", "n"), node(runtime="containerd://2.1.0"))
        assert found["status"]["nodeInfo"]["containerRuntimeVersion"] == "containerd://2.1.0"

    def test_the_cluster_has_the_version_on_openshift_only(self) -> None:
        changed = self.PATCH.apply(CLUSTER_VERSION, {"status": {"desired": {"version": "4.21.0"}, "kept": 1}})
        assert changed == {"status": {"desired": {"version": "4.22"}, "kept": 1}}
        assert not VersionPatch((1, 35), "", NODE).touches(CLUSTER_VERSION)
        assert self.PATCH.apply(CLUSTER_VERSION, None) is None
        assert self.PATCH.apply(CLUSTER_VERSION, ERROR) is ERROR
