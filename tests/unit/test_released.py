# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This version understands the objects and audit documents of each earlier release with the same major version.

tests/support/released/VERSION has what that release wrote. tests/scenarios/test_upgrade.py applies its inventory. A release adds a folder
only if it writes something new, and changes none.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.ownership import is_managed, owner_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report import documents, merge

RELEASES = sorted((Path(__file__).parents[1] / "support" / "released").iterdir())


@pytest.mark.parametrize("folder", RELEASES, ids=lambda folder: folder.name)
class TestRelease:
    def test_its_audit_document_is_read_and_merged(self, folder: Path) -> None:
        document = documents.from_bytes("audit.json", (folder / "audit.json").read_bytes())
        merged = merge.merge_documents({"audit.json": document})
        assert [one["findings"] for one in merged["clusters"]] == [one["findings"] for one in document["clusters"]]
        assert any(one["findings"] for one in merged["clusters"])

    def test_its_objects_are_recognized_with_their_owner(self, folder: Path) -> None:
        for item in json.loads((folder / "objects.json").read_text(encoding="utf-8")):
            assert is_managed(item)
            assert owner_of(item) == "team-a"
