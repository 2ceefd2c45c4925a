# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports refuse paths that would overwrite each other and comparisons without an older report."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.run import (
    Report,
    from_options,
)


def options(**more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"src": ["a.json"], "compare_with": None, "title": " T ", "missing": None, "what_if": None}
    given |= {
        "html": None,
        "json": None,
        "junit": None,
        "openmetrics": None,
        "fail_on": "never",
        "fail_on_new": False,
        "allow_unread": False,
    }
    return {**given, **more}


def test_all_options_are_taken() -> None:
    made = from_options(options(html="h", junit="x", compare_with="old", fail_on="error", fail_on_new=True))
    assert made == Report(("a.json",), {"html": "h", "junit": "x"}, "T", (), "old", "error", True)
    assert from_options(options(html="h", allow_unread=True)).allow_unread


def test_missing_clusters_need_at_least_one_audit() -> None:
    missing = [{"name": "a", "error": "refused"}, {"name": "b", "error": "timeout"}]
    assert from_options(options(missing=missing)).missing == tuple(missing)
    with pytest.raises(OptionError, match="no cluster was audited, so there is no report: a: refused; b: timeout"):
        from_options(options(missing=missing, src=[]))


def test_answers_need_no_audit() -> None:
    made = from_options(options(src=None, what_if=["w.json"], html="h"))
    assert (made.src, made.what_if, made.outputs) == ((), ("w.json",), {"html": "h"})


def test_an_empty_title_becomes_the_default() -> None:
    assert from_options(options(title="  ")).title == "Pull access"


def test_the_json_report_may_replace_the_report_that_it_is_compared_with() -> None:
    assert from_options(options(json="r.json", compare_with="r.json")).outputs == {"json": "r.json"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"src": []}, "option 'src' is empty"),
        ({"src": ["a", "a"]}, "names a twice"),
        ({"what_if": ["a", "a"], "html": "h"}, "option 'what_if' names a twice"),
        ({"what_if": ["a"]}, "option 'what_if' needs the option 'html'"),
        ({"what_if": ["h"], "html": "h"}, "option 'html' would replace h, which 'what_if' names"),
        ({"src": None, "what_if": ["a"], "html": "h", "junit": "x"}, "option 'junit' needs audits"),
        ({"src": [], "what_if": ["a"], "html": "h", "fail_on": "error"}, "option 'fail_on' needs audits"),
        ({"html": "a.json"}, "option 'html' would replace a.json"),
        ({"html": "r", "junit": "r"}, "option 'html' names r, which another"),
        ({"fail_on_new": True, "fail_on": "error"}, "needs the older report"),
        ({"fail_on_new": True, "compare_with": "old"}, "needs a severity"),
    ],
)
def test_invalid_options_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        from_options(options(**given))
