# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts by severity, and which findings fail the task."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.counting import (
    all_findings,
    counts,
    failing,
    in_words,
)
from support import audits

ERROR, WARNING, INFO = (audits.finding(rule) for rule in ("secret-type-dead", "link-dangling", "secret-unused"))
DOCUMENT = audits.document(
    audits.cluster("a", findings=[INFO, {**WARNING, "new": True}]),
    audits.cluster("b", findings=[ERROR]),
    findings=[INFO],
)


def test_all_and_their_counts() -> None:
    found = list(all_findings(DOCUMENT))
    assert [cluster for cluster, _finding in found] == ["", "a", "a", "b"]
    assert counts(finding for _cluster, finding in found) == {"error": 1, "warning": 1, "info": 2}
    assert counts([]) == {"error": 0, "warning": 0, "info": 0}


@pytest.mark.parametrize(("fail_on", "number"), [("never", 0), ("error", 1), ("warning", 2), ("info", 4)])
def test_from_which_severity_on(fail_on: str, number: int) -> None:
    found = failing(DOCUMENT, fail_on, only_new=False)
    assert len(found) == number
    assert [finding["severity"] for _cluster, finding in found] == ["error", "warning", "info", "info"][:number]


def test_only_new_ones() -> None:
    assert failing(DOCUMENT, "info", only_new=True) == [("a", {**WARNING, "new": True})]
    assert failing(DOCUMENT, "error", only_new=True) == []


def test_in_words() -> None:
    assert in_words({"error": 1, "warning": 2000, "info": 0}) == "1 error, 2,000 warnings"
    assert in_words({"error": 0, "warning": 1, "info": 3}) == "1 warning, 3 infos"
    assert in_words({"error": 0, "warning": 0, "info": 0}) == "no finding"
