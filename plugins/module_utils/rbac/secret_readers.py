# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The right to list the secrets of a namespace, which accounts need whose pods use CRI-O's credential provider. Pure.

The right is in one cluster role with a fixed name. A role in each namespace would be an object that users of the namespace can write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.changes import MANAGED_BY
from ..core.objects import CLUSTER_ROLE, Json, ObjectRef, as_dict, metadata

__all__ = ["CREATE_READER_ROLE", "READER_LABELS", "READER_ROLE", "READER_RULES", "has_reader_labels", "is_reader_role"]

#: The cluster role, and the name of each binding to it.
READER_ROLE = ObjectRef(CLUSTER_ROLE, "", "image-pull-credential-provider")
#: The provider lists the secrets of a type, and reads none by name (crio-credential-provider v0.1.2 internal/pkg/k8s). RBAC cannot limit a
#: list to a type.
READER_RULES: Sequence[Mapping[str, Any]] = ({"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]},)
#: The command that creates the cluster role.
CREATE_READER_ROLE = f"kubectl create clusterrole {READER_ROLE.name} --verb=list --resource=secrets"
#: Labels of the role and the bindings.
READER_LABELS: Mapping[str, str] = {**MANAGED_BY, "app.kubernetes.io/component": "credential-provider"}


def is_reader_role(role: Json) -> bool:
    """Whether the cluster role allows to list secrets, and nothing else. Other roles must not be able to add rules to it."""
    return role.get("rules") == list(READER_RULES) and not role.get("aggregationRule")


def has_reader_labels(obj: Json) -> bool:
    """Whether the object has all labels of a binding to the cluster role."""
    return READER_LABELS.items() <= as_dict(metadata(obj).get("labels")).items()
