# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that modules planned in check mode become findings."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import (
    DIFFERS,
    NOT_APPLICABLE,
    find_drift,
)
from hypothesis import given
from support.anything import ANYTHING


def planned(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"namespaces": [{"name": "a", "changes": [*changes]}], "failures": [], **more}


def told(*results: Any) -> list[tuple[str, str, str, str, str, str]]:
    return [
        (each.rule, each.ref.namespace, each.ref.kind.kind, each.ref.name, each.location, each.message)
        for each in find_drift(results)
    ]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("create", "it is declared, but does not exist"),
        ("update", "it differs from its declaration"),
        ("replace", "it differs from its declaration, and must be recreated"),
        ("delete", "it is declared as absent, but exists"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "title"), [("Secret", "secret"), ("ServiceAccount", "service account"), ("RoleBinding", "role binding")]
)
def test_each_change_is_a_finding(kind: str, title: str, action: str, said: str) -> None:
    change = {"kind": kind, "name": "x", "action": action, "registries": {}}
    assert told(planned(change)) == [(DIFFERS, "a", kind, "x", action, f"{title} a/x: {said}")]


def test_a_restarted_pod_is_not_a_finding() -> None:
    assert told(planned({"kind": "Pod", "name": "p", "action": "delete"})) == []


def test_an_entry_that_cannot_be_applied_is_a_finding() -> None:
    failure = {"namespace": "a", "error": "https://u:Canary@q.io/ refused", "title": "secrets[0] (x)"}
    (found,) = told(planned(failures=[failure], msg="failed in 1 of 1 namespace"))
    assert found[:5] == (NOT_APPLICABLE, "", "Namespace", "a", "secrets[0] (x)")
    assert found[5].startswith("the declaration cannot be applied: secrets[0] (x): https://")
    assert "Canary" not in found[5]


def test_a_task_that_was_refused_as_a_whole_is_a_finding() -> None:
    assert told({"failed": True, "msg": "no such option"}) == [
        (NOT_APPLICABLE, "", "Inventory", "", "", "the declaration cannot be applied: no such option")
    ]


@pytest.mark.parametrize("result", [{}, {"skipped": True}, {"changed": False, "namespaces": []}, planned()])
def test_a_result_without_changes_gives_no_finding(result: dict[str, Any]) -> None:
    assert told(result) == []


@given(ANYTHING)
def test_arbitrary_results_cause_no_error(anything: Any) -> None:
    list(find_drift([anything, {"namespaces": anything, "failures": anything, "msg": anything}]))
    list(find_drift([{"namespaces": [{"changes": anything, "name": anything}], "failures": [anything]}]))
