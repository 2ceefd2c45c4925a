# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The managed fields of a service account show which other clients write its lists."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.writers import last_writers

OURS = "openshift_ops.image_pull"


def entry(manager: Any, time: Any, *fields: str) -> dict[str, Any]:
    return {"manager": manager, "time": time, "fieldsV1": {f"f:{field}": {} for field in fields}}


FIELDS = [
    entry(OURS, "2026-01-03", "imagePullSecrets"),
    entry("old", "2026-01-01", "imagePullSecrets"),
    entry("pipeline", "2026-01-02", "imagePullSecrets", "secrets"),
    entry("labeller", "2026-01-04", "metadata"),
    entry("old", "2025-01-01", "imagePullSecrets"),
]


class TestLastWriters:
    @pytest.mark.parametrize(
        ("key", "managers"), [("imagePullSecrets", ["pipeline", "old"]), ("secrets", ["pipeline"]), ("automount", [])]
    )
    def test_writers_are_listed_once_with_the_latest_first_and_without_us(self, key: str, managers: list[str]) -> None:
        assert last_writers({"metadata": {"managedFields": FIELDS}}, key, OURS) == managers

    @pytest.mark.parametrize("fields", [None, [], "text", {"manager": "x"}, [None, "text", {}, {"fieldsV1": None}]])
    def test_a_record_that_cannot_be_read_names_no_writer(self, fields: Any) -> None:
        assert last_writers({"metadata": {"managedFields": fields}}, "secrets", OURS) == []
        assert last_writers({"metadata": None}, "secrets", OURS) == []

    def test_an_entry_without_a_time_is_the_oldest(self) -> None:
        fields = [entry("b", None, "secrets"), entry("a", "2026-01-01", "secrets"), entry("c", 5, "secrets")]
        assert last_writers({"metadata": {"managedFields": fields}}, "secrets", OURS) == ["c", "a", "b"]

    def test_an_entry_without_a_manager_is_reported(self) -> None:
        assert last_writers({"metadata": {"managedFields": [entry(None, "", "secrets")]}}, "secrets", OURS) == ["None"]
