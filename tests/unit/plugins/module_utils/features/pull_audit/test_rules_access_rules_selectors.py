# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules report selectors that users can join by requesting a project with a matching name."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import (
    ClusterSnapshot,
    OpenSelector,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.checks import Audit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import PullAudit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules_access import (
    find_open_selectors,
)
from support.surveyed import place, survey

TITLE = "private_registry_secrets[0]"


def provisioners(role: str = "self-provisioner", *subjects: str) -> dict[str, Any]:
    groups = [{"kind": "Group", "name": name} for name in subjects]
    return {"metadata": {"name": "provisioners"}, "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": groups}


def seen(*projects: str, **more: Any) -> ClusterSnapshot:
    return dataclasses.replace(survey(place()), open_selectors=[OpenSelector(TITLE, projects)], **more)


OAUTH = "system:authenticated:oauth"
CONTEXT = [
    (
        {"cluster_bindings": [provisioners("self-provisioner", OAUTH)]},
        "cluster role binding provisioners lets users request more",
    ),
    (
        {"cluster_bindings": [provisioners()]},
        "no cluster role binding gives users the role self-provisioner, which lets them request more",
    ),
    ({"cluster_bindings": [provisioners("view", OAUTH)]}, "no cluster role binding gives users"),
    ({"unread": {"cluster role bindings": "no right"}}, "it is not known whether users may request more"),
]


@pytest.mark.parametrize(("more", "context"), CONTEXT)
def test_projects_that_users_requested_make_a_warning(more: dict[str, Any], context: str) -> None:
    (found,) = find_open_selectors(seen("team-evil", "team-x", **more))
    assert (found.location, found.effective_severity, found.ref.kind.kind) == (TITLE, "warning", "Inventory")
    assert found.message.startswith(
        f"{TITLE} selects namespaces by their names alone, among them 2 projects that users requested: team-evil, team-x ({context}"
    )


def test_a_selector_without_requested_projects_is_an_info() -> None:
    (found,) = find_open_selectors(seen(**CONTEXT[0][0]))
    assert (found.effective_severity, "users have requested none of them yet" in found.message) == ("info", True)
    assert not [*find_open_selectors(seen(**CONTEXT[1][0]))]
    assert not [*find_open_selectors(seen(**CONTEXT[3][0]))]


def test_the_rule_is_applied_only_with_open_selectors_and_reports_unread_namespaces() -> None:
    asked = PullAudit(rules=("selector-open-to-users",), open_selectors=[(TITLE, NamespaceSelector(include=("*",)))])
    assert [finding.location for finding in Audit(asked, seen("team-evil")).findings] == [TITLE]
    assert Audit(PullAudit(), survey(place())).rules.count("selector-open-to-users") == 0
    unread = dataclasses.replace(survey(place()), unread={"namespaces": "no right"})
    (sentence,) = Audit(asked, unread).unread_sentences()
    assert sentence == "the namespaces could not be read: no right. Not applied: selector-open-to-users"
