# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare check mode with the real run: both report the same, and the audit log shows who wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

PARTS = ("failed", "changed", "diff", "namespaces", "failures", "summary")


def three_ways(lab: Any, run: Callable[[str, bool], dict[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """Run for real in the first namespace, in check mode in the second, in both modes in the third. All three have equal objects.

    `run` is called with a namespace and whether to check. The four results must be equal. Then a
    second real run must write nothing. Return the real result.
    """
    real_in, checked_in, both_in = names
    audit = lab.audit()
    checked = [_comparable(run(name, True), name) for name in (checked_in, both_in)]
    assert audit.writes() == [], "check mode writes nothing"
    result = run(real_in, False)
    real = [_comparable(result, real_in), _comparable(run(both_in, False), both_in)]
    assert len({*checked, *real}) == 1, (checked, real)
    audit = lab.audit()
    again = run(real_in, False)
    assert (again["failed"], again["changed"]) == (result["failed"], False)
    assert audit.writes() == [], "the second run writes nothing"
    return result


def _comparable(result: dict[str, Any], namespace: str) -> str:
    """The reported values, without retries and without the names that differ between two equal namespaces."""
    parts = json.loads(json.dumps({part: result.get(part) for part in PARTS}))
    (parts.get("summary") or {}).pop("retries", None)
    text = json.dumps(parts, sort_keys=True)
    text = re.sub(rf"\b{re.escape(namespace)}\b", "NAMESPACE", text)
    return re.sub(r"-(dockercfg|token)-\w+", r"-\1-x", text)
