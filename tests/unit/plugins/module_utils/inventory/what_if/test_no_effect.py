# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change has no effect if the objects and registries that it names do not exist."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import UnreadableObject
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import MIRROR_KINDS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.document import (
    find_changes_without_effect,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.effects import patches_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.evaluation import (
    PresentPulls,
    PullEvaluator,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.rows import rows_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.timing import NodeCaches
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from support.supposed import MIRRORS, changes_of, moves_of
from support.supposed_changes import image_config
from support.surveyed import account, auth, binding, place, pod, secret, survey

ENTRY = {"kind": "ServiceAccount", "name": "default", "namespace": "a"}
SETS = ObjectRef(list(MIRROR_KINDS)[1], "", "")


def has_effect(*given: Any, **more: Any) -> list[bool]:
    """Whether each change has an effect on a pod, whose account lists its secret, with a mirror set and a grant."""
    found = idle(*given, **more)
    return [at not in found for at in range(len(given))]


def reasons(*given: Any, more: Any = ()) -> list[str]:
    """The reasons of the changes without an effect, with a secret `pull` that no list has."""
    return [*idle(*given, secrets=[secret("pull", {"r.io": auth(username="robot")}), *more]).values()]


def idle(
    *given: Any,
    config: Any = None,
    objects: Any = None,
    secrets: Any = (),
    asks: bool = False,
    version: str = "",
    **more: Any,
) -> dict[int, str]:
    secrets = [secret("s", {"q.io": auth(username="robot")}), *secrets]
    here = place(secrets=secrets, accounts=[account("s")], pods=[pod("s")], bindings=[binding("g", ENTRY)], **more)
    snapshot = survey(here, config=config, objects={SETS: {"items": [MIRRORS]}, **(objects or {})}, version=version)
    changes = changes_of(*given)
    patches = [patches_of(each, snapshot) for each in changes]
    evaluator = PullEvaluator(PresentPulls(snapshot.evidence, asks=False), patches, moves=moves_of(*given))
    rows = rows_of(here, evaluator.compare, NodeCaches({}))
    return find_changes_without_effect(changes, evaluator.states, snapshot, rows, asks=asks)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ({"remove_secrets": {"name": "s"}}, {"remove_secrets": {"name": "t"}}),
        ({"remove_secrets": {"name": "s", "namespaces": ["a"]}},
         {"remove_secrets": {"name": "s", "namespaces": ["b"]}}),
        ({"remove_links": {"secrets": ["s", "t"]}}, {"remove_links": {"secrets": ["t"]}}),
        ({"remove_links": {"secrets": ["s"], "service_accounts": ["default"]}},
         {"remove_links": {"secrets": ["s"], "service_accounts": ["builder"]}}),
        ({"remove_grants": {}}, {"remove_grants": {"projects": ["c"]}}),
        ({"remove_credential": {"registry": "q.io", "username": "robot"}},
         {"remove_credential": {"registry": "q.io", "username": "human"}}),
        ({"unreachable_registries": ["q.io"]}, {"unreachable_registries": ["p.io"]}),
        ({"unreachable_registries": ["q.io/team"]}, {"unreachable_registries": ["q.io/tea"]}),
        ({"delete_objects": {"kind": "ImageTagMirrorSet", "names": ["site"]}},
         {"delete_objects": {"kind": "ImageTagMirrorSet", "names": ["sites"]}}),
    ],
)  # fmt: skip
def test_a_change_of_objects_that_do_not_exist_has_no_effect(right: Any, wrong: Any) -> None:
    assert has_effect(right, wrong) == [True, False]
    assert has_effect(wrong) == [False]


def test_a_move_without_an_image_has_no_effect() -> None:
    assert has_effect({"moved": {"q.io/team": "r.io/team"}}) == [True]
    wrong = {"moved": {"q.io/tea": "r.io/tea"}}
    assert reasons(wrong) == ["check its names: images come from new places: those of q.io/tea from r.io/tea"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"remove_secrets": {"name": "pul"}}, "secret pul does not exist in the evaluated namespaces: did you mean 'pull'?"),
        (
            {"remove_secrets": {"name": "x", "namespaces": ["a", "b"]}},
            "secret x does not exist in namespace a and b: correct its name or namespace",
        ),
        (
            {"remove_credential": {"registry": "q.io", "username": "robto"}},
            "no secret in the evaluated namespaces has a login of robto for q.io: did you mean 'robot'?",
        ),
        (
            {"remove_credential": {"registry": "p.io", "username": "robot"}},
            "no secret in the evaluated namespaces has a login of robot for p.io: correct the user or the registry",
        ),
        ({"remove_links": {"secrets": ["t"]}}, "check its names: secret t is no longer linked to any service account"),
    ],
)  # fmt: skip
def test_the_reason_names_the_missing_object_and_a_similar_one(change: Any, why: str) -> None:
    assert reasons(change) == [why]


def test_a_long_user_name_of_a_secret_is_not_suggested() -> None:
    stored = secret("long", {"q.io": auth(username="robot" + "x" * 100)})
    change = {"remove_credential": {"registry": "q.io", "username": "robotxxxxx"}}
    assert reasons(change, more=[stored]) == [
        "no secret in the evaluated namespaces has a login of robotxxxxx for q.io: correct the user or the registry"
    ]


@pytest.mark.parametrize(
    ("version", "target", "why"),
    [
        ("OpenShift 4.20.3", "4.21.0", ""),
        ("OpenShift 4.20.3", "5.0.0", ""),
        ("OpenShift 4.20.3", "4.20.5", "4.20.5 is not a later minor version than OpenShift 4.20.3"),
        ("OpenShift 4.20.3", "4.19", "4.19 is not a later minor version than OpenShift 4.20.3"),
        ("OpenShift 4.20.3", "1.36", "1.36 is not a version of this cluster (OpenShift 4.20.3): give one such as 4.21"),
        ("Kubernetes 1.34.2", "1.35", ""),
        (
            "Kubernetes 1.34.2",
            "4.22",
            "4.22 is not a version of this cluster (Kubernetes 1.34.2): give one such as 1.35",
        ),
        ("", "1.2", ""),
        ("Kubernetes", "1.2", ""),
    ],
)
def test_a_version_that_is_no_upgrade_has_no_effect(version: str, target: str, why: str) -> None:
    assert [*idle({"target_version": target}, version=version).values()] == ([why] if why else [])


@pytest.mark.parametrize("asks", [False, True])
def test_a_token_service_is_only_known_if_registries_are_asked(asks: bool) -> None:
    (reason,) = [*idle({"unreachable_registries": ["p.io"]}, asks=asks).values()]
    assert reason.startswith("check its names: the nodes do not reach p.io")
    assert ("if the registries are asked" in reason) is not asks


def test_without_a_namespace_nothing_is_known() -> None:
    changes = changes_of({"remove_secrets": {"name": "s"}}, {"unreachable_registries": ["q.io"]})
    assert find_changes_without_effect(changes, [], survey(), ()) == {}


def test_a_single_object_is_looked_up_by_its_name() -> None:
    deleted = {"delete_objects": {"kind": "Image", "names": ["cluster"]}}
    assert has_effect(deleted, config=image_config(blockedRegistries=["p.io"])) == [True]
    assert has_effect(deleted) == [False]


def test_the_nodes_own_secret_counts() -> None:
    refused = {"remove_credential": {"registry": "r.io", "username": "robot"}}
    nodes = secret("pull-secret", {"r.io": auth(username="robot")})
    assert has_effect(refused, objects={NODE_SECRET: nodes}) == [True]
    removed = {"remove_secrets": {"name": "pull-secret", "namespaces": ["openshift-config"]}}
    assert has_effect(removed, objects={NODE_SECRET: nodes}) == [True]


def test_objects_that_could_not_be_read_may_be_changed() -> None:
    deleted = {"delete_objects": {"kind": "ImageTagMirrorSet", "names": ["sites"]}}
    assert has_effect(deleted, objects={SETS: UnreadableObject("the caller may not list them")}) == [True]
    hidden = {"secrets": "the caller may not list them"}
    assert has_effect({"remove_secrets": {"name": "t"}}, unread=hidden) == [True]


def test_changes_that_name_nothing_are_not_judged() -> None:
    changes = ({"new_nodes": True}, {"target_version": "1.36"}, {"add_objects": {"src": "f.yml"}})
    assert has_effect(*changes) == [True, True, True]
    assert has_effect(*changes, {"unreachable_registries": ["p.io"]}) == [True, True, True, False]
