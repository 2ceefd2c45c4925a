# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each removal of a prune can be left out alone, and a plan without it keeps exactly its objects."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    INSTANCE,
    MANAGED_BY,
    Change,
    Related,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ROLE_BINDING, SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.prune.plan import (
    Prune,
    Removal,
    keep_removals,
    list_ref,
    removals_of,
)

NS = "project-a"
PRUNE = Prune("a", {})


def head(name: str) -> dict[str, Any]:
    labels = {**MANAGED_BY, INSTANCE: "a"}
    return {"name": name, "namespace": NS, "uid": f"u-{name}", "resourceVersion": "7", "labels": labels}


def secret(name: str) -> dict[str, Any]:
    data = {".dockerconfigjson": "e30="}
    return {"metadata": head(name), "type": "kubernetes.io/dockerconfigjson", "data": data}


def account(name: str, pull: tuple[str, ...] = (), mount: tuple[str, ...] = ()) -> dict[str, Any]:
    lists = {"imagePullSecrets": [{"name": one} for one in pull], "secrets": [{"name": one} for one in mount]}
    return {"metadata": {**head(name), "labels": {}}, **lists}


def binding(name: str, *users: str, role: str = "system:image-puller") -> dict[str, Any]:
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user} for user in users]
    return {"metadata": head(name), "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": subjects}


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
    binding("first", "jane", "joe"),
    binding("second", "jane", role="other"),
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
