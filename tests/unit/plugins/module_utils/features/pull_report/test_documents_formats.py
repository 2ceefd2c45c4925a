# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JSON contains all findings, each on its own line."""

from __future__ import annotations

import json

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.documents import as_json
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import merge_documents
from support import audits

DOCUMENT = merge_documents({"a": audits.document(audits.lived_in("production"), audits.lived_in("s\u202e</script>"))})


def test_the_json_form_is_the_document() -> None:
    assert json.loads(as_json(DOCUMENT)) == DOCUMENT


def test_each_character_is_printable() -> None:
    written = as_json(merge_documents({"a": audits.document(audits.lived_in("s\x1b\x9b\u202e\u200b\U000e0041"))}))
    assert written.replace("\n", "").isprintable()
    assert '"name": "s\\u001b\\u009b\\u202e\\u200b\\udb40\\udc41"' in written


def test_each_finding_has_its_own_line() -> None:
    lines = as_json(DOCUMENT).splitlines()
    ids = [finding["id"] for cluster in DOCUMENT["clusters"] for finding in cluster["findings"]]
    assert all(sum(f'"id": "{one}"' in line for line in lines) >= 1 for one in ids)
    assert max(line.count('"id": "') for line in lines) == 1
