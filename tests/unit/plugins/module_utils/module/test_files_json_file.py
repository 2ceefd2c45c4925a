# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A document is written completely, for its owner only, and never with a credential of the task."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.files import json_writer
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Task


def task(*, check_mode: bool = False) -> Task:
    return Task("it", {}, check_mode, False, "/tmp", {"canary-1"})


def test_a_file_is_replaced_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("much longer than what comes")
    path.chmod(0o644)
    write = json_writer(task(), str(path))
    assert write is not None
    write({"text": "has canary-1"})
    assert json.loads(path.read_text()) == {"text": "has ********"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_check_mode_writes_no_file(tmp_path: Path) -> None:
    write = json_writer(task(check_mode=True), str(tmp_path / "a.json"))
    assert write is not None
    write({})
    assert list(tmp_path.iterdir()) == []


def test_a_missing_path_yields_no_writer() -> None:
    assert json_writer(task(), None) is None
