# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes objects and kinds, as the API server names and sends them, and their values by type. Pure.

`as_dict`, `as_list` and `as_str` are only for values that are read. Values that are written back are read strictly, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .names import is_name, is_namespace, is_path_segment

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """One API resource, with the API server's names. `trim` drops unneeded parts of an object, because many are held in memory."""

    api_version: str
    kind: str
    resource: str
    title: str
    namespaced: bool = True
    trim: Callable[[Json], Json] | None = field(default=None, compare=False, repr=False)

    def __hash__(self) -> int:
        return hash(self.resource)


NAMESPACE = Kind("v1", "Namespace", "namespaces", "namespace", namespaced=False)
SECRET = Kind("v1", "Secret", "secrets", "secret")
SERVICE_ACCOUNT = Kind("v1", "ServiceAccount", "serviceaccounts", "service account")
CLUSTER_ROLE = Kind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", "cluster role", namespaced=False)
ROLE_BINDING = Kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", "role binding")
CLUSTER_ROLE_BINDING = Kind(
    "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding",
    "clusterrolebindings",
    "cluster role binding",
    namespaced=False,
)
POD = Kind("v1", "Pod", "pods", "pod")
NODE = Kind("v1", "Node", "nodes", "node", namespaced=False)


@dataclass(frozen=True)
class ObjectRef:
    """A reference to one object or, without `name`, to all of the kind in the namespace. No `namespace` for cluster-scoped kinds."""

    kind: Kind
    namespace: str
    name: str

    def __hash__(self) -> int:
        """Return the hash of the parts that tell references apart. An audit looks up objects many thousand times."""
        return hash((self.kind.resource, self.namespace, self.name))

    @property
    def is_possible(self) -> bool:
        """Whether an object of the API server can have such names. Users write names into lists of their objects, unchecked."""
        is_valid = is_path_segment if "/" in self.kind.api_version else is_name
        return (not self.namespace or is_namespace(self.namespace)) and (not self.name or is_valid(self.name))

    def __str__(self) -> str:
        return f"{self.kind.title} {self.namespace}/{self.name}" if self.namespace else f"{self.kind.title} {self.name}"


#: The objects of one namespace by name, as the API server sent them.
Objects = Mapping[str, Json]


def metadata(obj: Json) -> Json:
    """Return the object's metadata, or an empty mapping."""
    found = obj.get("metadata")
    return found if isinstance(found, (dict, Mapping)) else {}


def controller_reference(obj: Json) -> Json:
    """Return the owner reference of the controller that makes the object, or an empty mapping."""
    owners = metadata(obj).get("ownerReferences")
    found = [each for each in owners if isinstance(each, Mapping)] if isinstance(owners, (list, tuple)) else []
    return next((each for each in found if each.get("controller")), {})


def pick(part: Json, *names: str) -> dict[str, Any]:
    """Return the given keys that exist in `part`, with their values."""
    return {name: part[name] for name in names if name in part}


def trim_object(kind: Kind, obj: Json) -> Json:
    """Return the parts of a listed object to keep. By default `managedFields`, the largest part of most objects, is dropped."""
    return without_managed_fields(obj) if kind.trim is None else kind.trim(obj)


def without_managed_fields(obj: Json) -> dict[str, Any]:
    """Return the object without `managedFields`."""
    return {**obj, "metadata": {key: value for key, value in metadata(obj).items() if key != "managedFields"}}


def as_dict(value: Any) -> Json:
    """Return `value` if it is a JSON object, otherwise an empty one."""
    # Most values are dictionaries or missing, and Python needs much longer for the question about an abstract class.
    if isinstance(value, dict):
        return value
    return value if value is not None and isinstance(value, Mapping) else {}


def as_list(value: Any) -> Sequence[Any]:
    """Return `value` if it is a JSON array, otherwise an empty one."""
    return value if isinstance(value, (list, tuple)) else ()


def as_str(value: Any) -> str:
    """Return `value` if it is a string, otherwise an empty one."""
    return value if isinstance(value, str) else ""


def as_strs(value: Any) -> list[str]:
    """Return the non-empty strings in `value` if it is a JSON array."""
    return [each for each in map(as_str, as_list(value)) if each]


def as_int(value: Any) -> int | None:
    """Return `value` if it is an integer, otherwise None. Unlike in Python, true and false are not integers."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
