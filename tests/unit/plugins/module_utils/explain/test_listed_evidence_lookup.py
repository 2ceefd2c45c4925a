# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explanations find their objects in the lists. A right is proven by a binding, or the API server is asked for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Kind,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.listed_evidence import ListedLookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    ReadRequired,
    UnreadableObject,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import IMAGE_POLICY
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import (
    SUBJECT_ACCESS_REVIEW,
    secrets_review,
)
from support.surveyed import binding, place, secret, stream

REVIEW = ObjectRef(SUBJECT_ACCESS_REVIEW, "a", "b/default")


def listed(seen=None, *, cluster=(), has_streams=True) -> ListedLookup:
    return ListedLookup(
        {"a": seen or place(secrets=[secret("s")], streams=[stream()])}, cluster, has_streams=has_streams
    )


def test_a_lookup_finds_listed_objects_and_knows_missing_ones() -> None:
    evidence = listed()
    assert evidence.look(ObjectRef(SECRET, "a", "s"))["type"] == "kubernetes.io/dockerconfigjson"
    assert evidence.look(ObjectRef(SECRET, "a", "none")) is None
    assert evidence.look(ObjectRef(SERVICE_ACCOUNT, "a", "default"))["metadata"]["name"] == "default"
    assert evidence.look(ObjectRef(IMAGE_STREAM, "a", "app"))["metadata"]["name"] == "app"
    assert evidence.look(ObjectRef(IMAGE_STREAM, "a", "none")) is None
    assert listed(has_streams=False).look(ObjectRef(IMAGE_STREAM, "a", "app")) == {}
    assert evidence.take_wanted() == []


@pytest.mark.parametrize(("kind", "name"), [(SECRET, "s"), (SERVICE_ACCOUNT, "default"), (IMAGE_STREAM, "app")])
def test_a_reference_without_a_name_is_the_whole_list(kind: Kind, name: str) -> None:
    items = listed().look(ObjectRef(kind, "a", ""))["items"]
    assert [item["metadata"]["name"] for item in items] == [name]


def test_role_bindings_are_found_in_their_list() -> None:
    given = binding("x", {"kind": "Group", "name": "system:authenticated"})
    evidence = listed(place(bindings=[given]))
    assert evidence.look(ObjectRef(ROLE_BINDING, "a", "")) == {"items": [given]}
    assert evidence.look(ObjectRef(ROLE_BINDING, "a", "x")) == given
    assert evidence.look(ObjectRef(ROLE_BINDING, "a", "none")) is None
    with pytest.raises(UnreadableObject, match="no right"):
        listed(place(unread={"role bindings": "no right"})).look(ObjectRef(ROLE_BINDING, "a", ""))


def test_an_image_policy_is_found_by_its_name_and_not_by_that_of_an_image_stream() -> None:
    policy = {"metadata": {"name": "app"}, "spec": {}}
    seen = replace(place(streams=[stream("app"), stream("other")]), policies=[policy])
    evidence = listed(seen)
    assert evidence.look(ObjectRef(IMAGE_POLICY, "a", "app")) == policy
    assert evidence.look(ObjectRef(IMAGE_POLICY, "a", "other")) is None
    assert listed(seen, has_streams=False).look(ObjectRef(IMAGE_POLICY, "a", "app")) == policy


def test_an_unreadable_list_is_not_taken_for_absence() -> None:
    with pytest.raises(UnreadableObject, match="no right"):
        listed(place(unread={"secrets": "no right"})).look(ObjectRef(SECRET, "a", "s"))


@pytest.mark.parametrize("ref", [ObjectRef(SECRET, "elsewhere", "s"), NODE_SECRET, REVIEW])
def test_an_object_outside_the_lists_is_requested(ref) -> None:
    evidence = listed()
    with pytest.raises(ReadRequired):
        evidence.look(ref)
    assert evidence.take_wanted() == [ref]


GROUPS = ["system:serviceaccounts:b", "system:serviceaccounts", "system:authenticated"]
SUBJECTS = [{"kind": "Group", "name": name} for name in GROUPS] + [
    {"kind": "ServiceAccount", "name": "default", "namespace": "b"}
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_binding_proves_a_right(subject) -> None:
    assert listed(place(bindings=[binding("x", subject)])).look(REVIEW) == {"allowed": True}
    assert listed(cluster=[binding("x", subject, namespace="")]).look(REVIEW) == {"allowed": True}


@pytest.mark.parametrize(
    "other",
    [
        binding("x", SUBJECTS[0], role="edit"),
        binding("x", {"kind": "Group", "name": "system:serviceaccounts:c"}),
        binding("x", SUBJECTS[3] | {"name": "other"}),
    ],
)
def test_another_role_or_subject_proves_no_right(other) -> None:
    with pytest.raises(ReadRequired):
        listed(place(bindings=[other])).look(REVIEW)


def test_a_grant_proves_nothing_about_secrets() -> None:
    with pytest.raises(ReadRequired):
        listed(place(bindings=[binding("x", SUBJECTS[0])])).look(secrets_review("a", "default"))
