# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The constants of an audit document equal the values in its published schema."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.documents import AUDIT_FORMAT, SEVERITIES

SCHEMA = json.loads(
    (Path(__file__).parents[5] / "plugins/plugin_utils/pull_report/audit.schema.json").read_text(encoding="utf-8")
)


def test_the_format_equals_that_of_the_schema() -> None:
    assert SCHEMA["properties"]["format"]["const"] == AUDIT_FORMAT


def test_the_severities_equal_those_of_the_schema() -> None:
    assert tuple(SCHEMA["$defs"]["severity"]["enum"]) == SEVERITIES
