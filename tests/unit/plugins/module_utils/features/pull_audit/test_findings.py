# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings are reported with all their fields, the worst first."""

from __future__ import annotations

import re

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.fixes import remove_secret
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import (
    Finding,
    sort_findings,
)

TASKS = remove_secret("a", "s")


def finding(rule: str = "secret-unused", namespace: str = "a", location: str = "", severity: str = "") -> Finding:
    return Finding(rule, ObjectRef(SECRET, namespace, "s"), location, "m", TASKS, severity)


def test_a_finding_reports_all_its_fields() -> None:
    assert finding(location="q.io\n").report() == {
        "id": finding(location="q.io\n").id,
        "rule": "secret-unused",
        "severity": "info",
        "namespace": "a",
        "kind": "Secret",
        "name": "s",
        "location": "q.io ",
        "message": "m",
        "fix": TASKS,
        "fix_effects": [],
        "fix_refusal": "",
    }


def test_an_expiry_is_a_time_of_the_document_whatever_a_token_says() -> None:
    ref = ObjectRef(SECRET, "a", "s")
    written = [Finding("secret-unused", ref, "", "m", expires=at).report()["expires"] for at in (-1e14, 1.5e9, 9e14)]
    assert written == ["1970-01-01T00:00:00Z", "2017-07-14T02:40:00Z", "9999-12-31T23:59:59Z"]


def test_the_id_consists_of_rule_object_and_location() -> None:
    assert re.fullmatch("[0-9a-f]{16}", finding().id)
    assert finding().id == finding(severity="error").id
    assert len({finding().id, finding("secret-duplicate").id, finding(namespace="b").id, finding(location="x").id}) == 4
    assert finding(location="\ud800").id


def test_the_worst_findings_come_first_and_are_then_sorted_by_place() -> None:
    every = [finding(namespace="b"), finding(), finding("secret-unparsable", "z"), finding(severity="warning")]
    assert [(each.effective_severity, each.ref.namespace) for each in sort_findings(every)] == [
        ("error", "z"), ("warning", "a"), ("info", "a"), ("info", "b"),
    ]  # fmt: skip
