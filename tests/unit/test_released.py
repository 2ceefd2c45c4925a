# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This version understands the objects, documents and plans of each earlier release with the same major version.

tests/support/released/VERSION has what that release wrote. tests/scenarios/test_upgrade.py applies its inventory. A release adds a folder
only if it writes something new, and changes none.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.ownership import is_managed, owner_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.confirmation import (
    confirmed_entries,
    plan_problems,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report import documents, merge

RELEASES = sorted((Path(__file__).parents[1] / "support" / "released").iterdir())


@pytest.mark.parametrize("folder", RELEASES, ids=lambda folder: folder.name)
class TestRelease:
    def test_its_audit_document_is_read_and_merged(self, folder: Path) -> None:
        document = documents.from_bytes("audit.json", (folder / "audit.json").read_bytes())
        merged = merge.merge_documents({"audit.json": document})
        assert [one["findings"] for one in merged["clusters"]] == [one["findings"] for one in document["clusters"]]
        assert any(one["findings"] for one in merged["clusters"])

    def test_its_answers_to_what_if_questions_are_read(self, folder: Path) -> None:
        document = documents.what_if_from_bytes("what_if.json", (folder / "what_if.json").read_bytes())
        assert (document["counts"]["would_break"], len(document["changes"])) == (2, 3)

    def test_its_plan_of_a_rotation_confirms_its_rows(self, folder: Path) -> None:
        plan = yaml.safe_load((folder / "rotation_plan.yml").read_text(encoding="utf-8"))
        given = {"plan": plan, "registries": plan["registries"]}
        given |= {name: {"username": plan[f"{name}_username"]} for name in ("old", "new")}
        assert [*plan_problems(given)] == []
        assert [(one.name, one.uid, one.is_accepted) for one in confirmed_entries(given)] == [
            (row["name"], row["uid"], True) for row in plan["secrets"]
        ]
        assert any(row.get("is_accepted") is False for row in plan["secrets"]), "1.0.0 writes the answer of its run"

    def test_its_objects_are_recognized_with_their_owner(self, folder: Path) -> None:
        for item in json.loads((folder / "objects.json").read_text(encoding="utf-8")):
            assert is_managed(item)
            assert owner_of(item) == "team-a"
