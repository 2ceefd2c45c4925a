# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings are counted by severity, and the selected severities fail the task."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import (
    all_findings,
    count_by_severity,
    format_counts,
    select_failing,
)
from support import audits

ERROR, WARNING, INFO = (audits.finding(rule) for rule in ("secret-type-dead", "link-dangling", "secret-unused"))
DOCUMENT = audits.document(
    audits.cluster("a", findings=[INFO, {**WARNING, "new": True}]),
    audits.cluster("b", findings=[ERROR]),
    findings=[INFO],
)


def test_findings_of_all_clusters_are_counted() -> None:
    found = list(all_findings(DOCUMENT))
    assert [cluster for cluster, _finding in found] == ["", "a", "a", "b"]
    assert count_by_severity(finding for _cluster, finding in found) == {"error": 1, "warning": 1, "info": 2}
    assert count_by_severity([]) == {"error": 0, "warning": 0, "info": 0}


@pytest.mark.parametrize(("fail_on", "number"), [("never", 0), ("error", 1), ("warning", 2), ("info", 4)])
def test_findings_fail_from_the_given_severity_on(fail_on: str, number: int) -> None:
    found = select_failing(DOCUMENT, fail_on, only_new=False)
    assert len(found) == number
    assert [finding["severity"] for _cluster, finding in found] == ["error", "warning", "info", "info"][:number]


def test_old_findings_do_not_fail_with_only_new() -> None:
    assert select_failing(DOCUMENT, "info", only_new=True) == [("a", {**WARNING, "new": True})]
    assert select_failing(DOCUMENT, "error", only_new=True) == []


def test_counts_are_written_in_words() -> None:
    assert format_counts({"error": 1, "warning": 2000, "info": 0}) == "1 error, 2,000 warnings"
    assert format_counts({"error": 0, "warning": 1, "info": 3}) == "1 warning, 3 infos"
    assert format_counts({"error": 0, "warning": 0, "info": 0}) == "no finding"
