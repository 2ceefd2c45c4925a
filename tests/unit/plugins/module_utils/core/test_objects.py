# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects are named by their kind, namespace and name, and can be trimmed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    CLUSTER_ROLE,
    NAMESPACE,
    NODE,
    POD,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Kind,
    ObjectRef,
    as_dict,
    as_int,
    as_list,
    as_str,
    as_strs,
    metadata,
    pick,
    trim_object,
)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (NAMESPACE, ("v1", "Namespace", "namespaces", "namespace", False)),
        (SECRET, ("v1", "Secret", "secrets", "secret", True)),
        (SERVICE_ACCOUNT, ("v1", "ServiceAccount", "serviceaccounts", "service account", True)),
        (CLUSTER_ROLE, ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", "cluster role", False)),
        (POD, ("v1", "Pod", "pods", "pod", True)),
        (NODE, ("v1", "Node", "nodes", "node", False)),
        (ROLE_BINDING, ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", "role binding", True)),
    ],
)
def test_kinds_are_named_as_in_the_api_server(kind: Kind, path: Any) -> None:
    assert (kind.api_version, kind.kind, kind.resource, kind.title, kind.namespaced) == path


def test_a_reference_is_shown_with_its_title_and_name() -> None:
    assert str(ObjectRef(SECRET, "a", "pull")) == "secret a/pull"
    assert str(ObjectRef(NAMESPACE, "", "a")) == "namespace a"


@pytest.mark.parametrize(
    ("obj", "found"),
    [
        ({}, {}),
        ({"metadata": None}, {}),
        ({"metadata": ["x"]}, {}),
        ({"metadata": "x"}, {}),
        ({"metadata": {"a": 1}}, {"a": 1}),
    ],
)
def test_metadata_is_always_a_mapping(obj: Any, found: Any) -> None:
    assert metadata(obj) == found


def test_members_that_do_not_exist_are_left_out() -> None:
    assert pick({"a": 1, "b": None, "c": 3}, "a", "b", "d") == {"a": 1, "b": None}


class TestTrimmed:
    OBJ = {"metadata": {"name": "x", "managedFields": [1]}, "data": {"k": "v"}}

    def test_trimmed_removes_only_the_field_managers(self) -> None:
        assert trim_object(SECRET, self.OBJ) == {"metadata": {"name": "x"}, "data": {"k": "v"}}
        assert self.OBJ["metadata"] == {"name": "x", "managedFields": [1]}

    def test_a_kind_can_trim_more_of_an_object(self) -> None:
        kind = Kind("v1", "Pod", "pods", "pod", trim=lambda obj: {"metadata": obj["metadata"]})
        assert trim_object(kind, self.OBJ) == {"metadata": self.OBJ["metadata"]}
        assert kind == Kind("v1", "Pod", "pods", "pod")


# --- A JSON value of an unexpected type counts as missing, so that reading an answer of a server never fails

ODD = [None, True, 0, 1.5, "text", ["list"], {"an": "object"}]


class TestShapes:
    @pytest.mark.parametrize("value", ODD, ids=repr)
    def test_a_value_of_another_type_counts_as_missing(self, value: Any) -> None:
        assert as_dict(value) == (value if isinstance(value, dict) else {})
        assert list(as_list(value)) == (value if isinstance(value, list) else [])
        assert as_str(value) == (value if isinstance(value, str) else "")
        assert as_int(value) == (0 if value == 0 else None)

    @pytest.mark.parametrize("value", [["a", "", 1, None, ["b"], "c"], ("a", "c")], ids=repr)
    def test_the_strings_of_an_array_are_returned(self, value: Any) -> None:
        assert as_strs(value) == ["a", "c"]
        assert as_strs("ac") == []

    def test_a_string_is_not_split_into_letters(self) -> None:
        assert as_list("text") == ()
