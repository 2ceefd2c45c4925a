# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of an automation account are recognized by their labels and subjects."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SERVICE_ACCOUNT, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import (
    LABELS,
    has_account_labels,
    is_bound_to,
)


@pytest.mark.parametrize(
    ("labels", "is_ours"),
    [
        (dict(LABELS), True),
        ({**LABELS, "x": "y"}, True),
        ({**LABELS, "app.kubernetes.io/component": "pull-probe"}, False),
        ({"app.kubernetes.io/managed-by": "openshift_ops.image_pull"}, False),
        ({}, False),
        (None, False),
        ("text", False),
    ],
)
def test_an_object_of_an_account_is_recognized_by_both_labels(labels: Any, is_ours: bool) -> None:
    assert has_account_labels({"metadata": {"labels": labels}}) is is_ours


@pytest.mark.parametrize(
    ("subjects", "expected"),
    [
        ([{"kind": "ServiceAccount", "namespace": "home", "name": "robot"}], True),
        ([{"kind": "User", "name": "system:serviceaccount:home:robot"}], True),
        ([{"kind": "Group", "name": "x"}, {"kind": "ServiceAccount", "name": "robot"}], True),
        ([{"kind": "ServiceAccount", "namespace": "other", "name": "robot"}], False),
        ([{"kind": "Group", "name": "system:serviceaccounts:home"}], False),
        ([None, 7, {"kind": "ServiceAccount", "name": None}], False),
        (None, False),
        ("robot", False),
    ],
)
def test_a_binding_that_names_the_account_is_recognized(subjects: Any, expected: bool) -> None:
    binding = {"metadata": {"name": "b", "namespace": "home"}, "subjects": subjects}
    assert is_bound_to(binding, ObjectRef(SERVICE_ACCOUNT, "home", "robot")) is expected
