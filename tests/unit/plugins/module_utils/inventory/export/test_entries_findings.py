# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the platform are counted, and objects that no entry can express are listed."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import from_registries
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.entries import (
    ExportedSecret,
    Findings,
    LeftOut,
    NotExported,
)


def test_findings_count_left_out_objects_and_list_unexpressed_ones() -> None:
    findings, ref = Findings(), ObjectRef(SECRET, "a", "one")
    findings.note(ref, LeftOut("theirs"))
    findings.note(ref, LeftOut("theirs"))
    findings.note(ref, "it cannot be")
    assert findings.left_out == {"theirs": 2}
    assert findings.unexpressed == [NotExported(ref, "it cannot be")]


def test_the_repr_of_a_found_secret_shows_no_credential() -> None:
    login = {"registry": "quay.io", "username": "u", "password": "secret-1"}
    assert "secret-1" not in repr(ExportedSecret("one", "t", from_registries([login]), (login,)))
