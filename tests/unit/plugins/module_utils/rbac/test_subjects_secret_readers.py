# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only a cluster role that allows to list secrets, and nothing else, is the one of the provider."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import (
    CREATE_READER_ROLE,
    READER_LABELS,
    READER_RULES,
    has_reader_labels,
    is_reader_role,
)

LIST = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}


def test_the_role_allows_to_list_secrets_and_nothing_else() -> None:
    assert list(READER_RULES) == [LIST]
    assert CREATE_READER_ROLE == (
        "kubectl create clusterrole image-pull-credential-provider --verb=list --resource=secrets"
    )


@pytest.mark.parametrize(
    ("role", "is_ours"),
    [
        ({"rules": [LIST]}, True),
        ({"rules": [LIST], "metadata": {"labels": {"a": "b"}}}, True),
        ({"rules": [LIST, LIST]}, False),
        ({"rules": [{**LIST, "verbs": ["list", "get"]}]}, False),
        ({"rules": [{**LIST, "verbs": ["*"]}]}, False),
        ({"rules": [{**LIST, "resourceNames": ["a"]}]}, False),
        ({"rules": [LIST], "aggregationRule": {"clusterRoleSelectors": [{}]}}, False),
        ({"rules": []}, False),
        ({"rules": None}, False),
        ({}, False),
        ({"rules": 5}, False),
    ],
)
def test_a_role_with_other_rules_is_not_the_role(role: dict[str, Any], is_ours: bool) -> None:
    assert is_reader_role(role) is is_ours


def test_a_binding_needs_both_labels() -> None:
    assert has_reader_labels({"metadata": {"labels": {**READER_LABELS, "more": "x"}}})
    for missing in READER_LABELS:
        labels = {name: value for name, value in READER_LABELS.items() if name != missing}
        assert not has_reader_labels({"metadata": {"labels": labels}})
    assert not has_reader_labels({"metadata": {"labels": 5}})
