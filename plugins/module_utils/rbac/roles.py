# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role of a binding, and whether it lets its subjects pull from the integrated registry. Pure.

How rules apply: kubernetes pkg/apis/rbac/v1/evaluation_helpers.go. The right: `pull_review` of access_reviews.py.
"""

from __future__ import annotations

from ..core.objects import CLUSTER_ROLE, Json, Kind, ObjectRef, as_dict, as_list, as_str, metadata
from .subjects import RBAC

__all__ = ["ROLE", "gives_pull", "role_of"]

ROLE = Kind(f"{RBAC}/v1", "Role", "roles", "role")


def role_of(binding: Json) -> ObjectRef:
    """Return the role that a binding refers to."""
    role = as_dict(binding.get("roleRef"))
    name = as_str(role.get("name"))
    if role.get("kind") == ROLE.kind:
        return ObjectRef(ROLE, as_str(metadata(binding).get("namespace")), name)
    return ObjectRef(CLUSTER_ROLE, "", name)


def gives_pull(role: Json | None) -> bool:
    """Whether the role, None if it does not exist, gives the right to `get imagestreams/layers` of every image stream."""
    return any(_is_pull_rule(as_dict(rule)) for rule in as_list(as_dict(role).get("rules")))


def _is_pull_rule(rule: Json) -> bool:
    return (
        _has(rule, "verbs", "get")
        and _has(rule, "apiGroups", "image.openshift.io")
        and _has(rule, "resources", "imagestreams/layers", "*/layers")
        and not as_list(rule.get("resourceNames"))
    )


def _has(rule: Json, member: str, *values: str) -> bool:
    return bool({"*", *values} & {as_str(each) for each in as_list(rule.get(member))})
