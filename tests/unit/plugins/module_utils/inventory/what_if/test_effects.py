# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effects of a change depend on the objects of the cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    ReadRequired,
    UnreadableObject,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import MIRROR_KINDS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.effects import patches_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.evaluation import (
    NOT_AFFECTED,
    NOT_KNOWN,
    STILL_PULLS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.patches import ObjectPatch
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import INFRASTRUCTURE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import pull_review
from support.supposed import MIRRORS, rows_about, supposed_change
from support.supposed_changes import mirror_set
from support.surveyed import account, auth, binding, place, pod, secret, survey

ROBOT = {"q.io": auth(username="robot")}
CHANGE = {"remove_credential": {"registry": "q.io", "username": "robot"}}


def patch_of(snapshot, **given):
    (patch,) = patches_of(supposed_change(**given), snapshot)
    return patch


def test_a_login_is_looked_for_in_all_secrets_whatever_their_type() -> None:
    secrets = [secret("one", ROBOT), secret("two"), secret("three", ROBOT, kind="Opaque", key=".dockerconfigjson")]
    snapshot = survey(place(secrets=secrets), objects={NODE_SECRET: None})
    found = patch_of(snapshot, **CHANGE).secrets
    assert ObjectRef(SECRET, "a", "one") in found
    assert ObjectRef(SECRET, "a", "two") not in found
    assert NODE_SECRET not in found


@pytest.mark.parametrize("key", ["q.io", "https://q.io/v2/", "robot@q.io", "u:p@q.io/team", "*.io", "Q.io"])
def test_a_login_is_looked_for_under_each_key_that_nodes_use_for_the_registry(key) -> None:
    snapshot = survey(place(secrets=[secret("s", {key: auth(username="robot")})]), objects={NODE_SECRET: None})
    patch = patch_of(snapshot, **CHANGE)
    assert patch.secrets == {ObjectRef(SECRET, "a", "s")}
    assert patch.keys_in(secret("s", {key: auth(username="robot")})) == [key]


def test_the_nodes_own_secret_counts_if_it_has_the_login_or_is_unreadable() -> None:
    known = survey(place(), objects={NODE_SECRET: secret("pull-secret", ROBOT)})
    assert patch_of(known, **CHANGE).secrets == {NODE_SECRET}
    hidden = survey(place(), objects={NODE_SECRET: UnreadableObject("the caller may not read it")})
    assert patch_of(hidden, **CHANGE).secrets == {NODE_SECRET}


def test_a_login_is_looked_for_only_after_the_nodes_own_secret_was_read() -> None:
    snapshot = survey(place())
    del snapshot.evidence._known[NODE_SECRET]
    with pytest.raises(ReadRequired):
        patch_of(snapshot, **CHANGE)
    assert snapshot.evidence.take_wanted() == [NODE_SECRET]


def test_without_subjects_all_grants_of_a_project_are_removed() -> None:
    entry = {"kind": "ServiceAccount", "name": "default", "namespace": "b"}
    snapshot = survey(place(bindings=[binding("grant", entry)]), place("c"))
    patch = patch_of(snapshot, remove_grants={})
    assert patch.touches(pull_review("a", "b", "default"))
    assert not patch.touches(pull_review("c", "b", "default"))
    named = patch_of(snapshot, remove_grants={"projects": ["b"]})
    assert named.touches(pull_review("a", "b", "builder"))


def test_without_subjects_the_grants_of_the_platform_are_kept() -> None:
    """A controller creates its binding again, so the accounts of the project can pull from it."""
    own, other = ({"kind": "Group", "name": f"system:serviceaccounts:{name}"} for name in ("a", "b"))
    bindings = [binding("system:image-pullers", own), binding("all", own, other)]
    patch = patch_of(survey(place(bindings=bindings)), remove_grants={})
    assert not patch.touches(pull_review("a", "a", "default"))
    assert patch.touches(pull_review("a", "b", "default"))
    named = patch_of(survey(place(bindings=bindings)), remove_grants={"projects": ["a"]})
    assert named.touches(pull_review("a", "a", "default"))


def test_grants_of_unknown_bindings_are_unknown() -> None:
    hidden = place(unread={"role bindings": "the caller may not list them"})
    snapshot = replace(survey(hidden), unread={"cluster role bindings": "the caller may not list them"})
    found = patch_of(snapshot, remove_grants={"namespaces": ["a", "elsewhere"]}).unread
    assert found == {
        "a": "the role bindings of project a could not be read: the caller may not list them",
        "elsewhere": "the role bindings of project elsewhere were not read: add it to option 'namespaces'",
        "": "the cluster role bindings could not be read: the caller may not list them",
    }


def test_an_upgrade_of_openshift_names_both_versions() -> None:
    plain, openshift = survey(place()), survey(place(), is_openshift=True)
    assert patch_of(openshift, target_version="4.22").kubernetes == (1, 35)
    assert patch_of(openshift, target_version="4.22").cluster == "4.22"
    assert patch_of(plain, target_version="1.36").cluster == ""


def test_new_nodes_change_no_object() -> None:
    assert patches_of(supposed_change(new_nodes=True), survey(place())) == []


class TestNewMirrors:
    """Nothing shows that the nodes use a host that is in no mirror set, and from which no node reports an image."""

    SET = mirror_set("tag", "new", "q.io/team", "m.io/team", "n.io:5000/team")

    def hosts(self, *present, pods=(), sets=None):
        listed = {ObjectRef(kind, "", ""): {"items": []} for kind in MIRROR_KINDS}
        of_kind = {ref: {"items": [*present]} for ref in listed if ref.kind.kind == "ImageTagMirrorSet"}
        snapshot = survey(place(pods=pods), objects={**listed, **of_kind, **(sets or {})})
        found = patches_of(supposed_change(add_objects={"definition": [self.SET]}), snapshot)
        return [each.hosts for each in found[1:]]

    def test_the_hosts_of_a_new_set_are_new(self) -> None:
        assert self.hosts() == [{"m.io", "n.io:5000"}]
        assert self.hosts(mirror_set("tag", "old", "r.io", "n.io/x")) == [{"m.io", "n.io:5000"}]

    def test_hosts_of_the_present_sets_are_not_new(self) -> None:
        assert self.hosts(mirror_set("tag", "old", "r.io", "m.io/x")) == [{"n.io:5000"}]
        assert self.hosts(mirror_set("tag", "new", "q.io", "m.io", "n.io:5000")) == []

    def test_hosts_of_images_that_nodes_report_are_not_new(self) -> None:
        one = pod(image="q.io/team/app:v1", runs=True)
        (status,) = one["status"]["containerStatuses"]
        status["imageID"] = f"m.io/team/app@sha256:{'0' * 64}"
        assert self.hosts(pods=[one]) == [{"n.io:5000"}]
        status["state"] = {"waiting": {"reason": "ContainerCreating"}}
        assert self.hosts(pods=[one]) == [{"m.io", "n.io:5000"}]

    def test_the_image_in_the_spec_of_a_pod_proves_nothing(self) -> None:
        """Its author can change it after the pull."""
        assert self.hosts(pods=[pod(image="m.io/team/app:v1", runs=True)]) == [{"m.io", "n.io:5000"}]

    def test_sets_that_cannot_be_read_show_nothing(self) -> None:
        hidden = {ObjectRef(kind, "", ""): UnreadableObject("hidden") for kind in MIRROR_KINDS}
        assert self.hosts(sets=hidden) == [{"m.io", "n.io:5000"}]

    def test_the_present_sets_are_read_first(self) -> None:
        snapshot = survey(place())
        refs = [ObjectRef(kind, "", "") for kind in MIRROR_KINDS]
        for ref in refs:
            del snapshot.evidence._known[ref]
        with pytest.raises(ReadRequired):
            patches_of(supposed_change(add_objects={"definition": [self.SET]}), snapshot)
        assert set(refs) <= set(snapshot.evidence.take_wanted())

    def test_a_deleted_set_has_no_new_mirrors(self) -> None:
        deleted = supposed_change(delete_objects={"kind": "ImageTagMirrorSet", "names": ["new"]})
        assert len(patches_of(deleted, survey(place()))) == 1


#: Customers of ROSA and ARO cannot change the HostedCluster.
HOSTED_MIRRORS = (
    "spec.imageContentSources of the HostedCluster (on ROSA with 'rosa create image-mirror', on ARO in imageDigestMirrors), "
    "for pulls by digest only"
)
HOSTED = {INFRASTRUCTURE: {"status": {"controlPlaneTopology": "External"}}}
CONFIG = {"apiVersion": "config.openshift.io/v1", "kind": "Image", "metadata": {"name": "cluster"}}


class TestHostedClusters:
    """Their admission refuses changes of mirrors and of the image config."""

    @pytest.mark.parametrize(
        ("change", "topic", "field"),
        [
            ({"add_objects": {"definition": [MIRRORS]}}, "which mirrors the image has", HOSTED_MIRRORS),
            ({"delete_objects": {"kind": "ImageDigestMirrorSet", "names": ["m"]}}, "which mirrors the image has",
             HOSTED_MIRRORS),
            ({"add_objects": {"definition": [CONFIG]}}, "which registries are allowed",
             "spec.configuration.image of the HostedCluster"),
        ],
    )  # fmt: skip
    def test_a_change_that_they_refuse_makes_pulls_unknown(self, change, topic, field) -> None:
        here = place(secrets=[secret("s")], accounts=[account("s")], pods=[pod("s")])
        (row,) = rows_about(survey(here, objects=HOSTED), change)
        assert row.answer == NOT_KNOWN
        assert row.deciding.after.reason == (
            f"{topic} is not known: a hosted cluster refuses this change: make it in {field}"
        )
        assert rows_about(survey(here), change)[0].answer in (STILL_PULLS, NOT_AFFECTED)

    def test_the_kind_of_the_cluster_that_is_not_known_makes_pulls_unknown(self) -> None:
        here = place(secrets=[secret("s")], accounts=[account("s")], pods=[pod("s")])
        hidden = survey(here, objects={INFRASTRUCTURE: UnreadableObject("the caller may not read it")})
        (row,) = rows_about(hidden, {"add_objects": {"definition": [MIRRORS]}})
        assert row.answer == NOT_KNOWN
        assert "Infrastructure cluster could not be read (the caller may not read it)" in row.deciding.after.reason

    def test_other_changes_do_not_depend_on_the_kind_of_the_cluster(self) -> None:
        snapshot = survey(place(), objects=HOSTED)
        policy = {"apiVersion": "config.openshift.io/v1", "kind": "ClusterImagePolicy", "metadata": {"name": "p"}}
        change = supposed_change(add_objects={"definition": [policy]})
        assert patches_of(change, snapshot) == [ObjectPatch(change.objects)]
