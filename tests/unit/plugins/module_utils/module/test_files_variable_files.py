# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are written only in Ansible's own process, and not in check mode."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.files import (
    FilesWanted,
    VariableFile,
    Write,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.files import backup_writer, file_writer
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Task

WANTED = FilesWanted("d", ("plain.yml",))
FILES = [VariableFile("plain.yml", {})]


class Memory:
    """A destination that keeps the written files in memory."""

    def __init__(self) -> None:
        self.prepared: list[FilesWanted] = []
        self.files: list[VariableFile] = []

    def prepare(self, wanted: FilesWanted) -> Write:
        self.prepared.append(wanted)

        def write(files: Sequence[VariableFile]) -> Sequence[str]:
            self.files += files
            return ["written"]

        return write


def task(destination: Memory | None, *, check_mode: bool = False) -> Task:
    return Task("it", {}, check_mode, False, "/tmp", set(), controller=destination)


def test_the_destination_writes_the_files() -> None:
    memory = Memory()
    write = file_writer(task(memory), WANTED)
    assert memory.prepared == [WANTED]
    assert write is not None
    assert write(FILES) == ["written"]
    assert memory.files == FILES


def test_check_mode_prepares_the_destination_and_writes_no_file() -> None:
    memory = Memory()
    write = file_writer(task(memory, check_mode=True), WANTED)
    assert memory.prepared == [WANTED]
    assert write is not None
    assert write(FILES) == [str(Path("d") / "plain.yml")]
    assert memory.files == []


def test_a_task_without_files_does_not_use_the_destination() -> None:
    memory = Memory()
    assert file_writer(task(memory), None) is None
    assert file_writer(task(None), None) is None
    assert memory.prepared == []


def test_writing_files_in_another_process_is_refused() -> None:
    with pytest.raises(
        OptionError, match="must run in Ansible's own process, but it ran in another one: set 'connection: local'"
    ):
        file_writer(task(None), WANTED)


class TestBackup:
    def test_a_backup_is_encrypted_into_the_named_file(self, tmp_path: Path) -> None:
        memory = Memory()
        prepared = backup_writer(task(memory), str(tmp_path), "v")
        assert memory.prepared == []
        assert prepared("copy.yml")(FILES) == ["written"]
        assert memory.prepared == [FilesWanted(str(tmp_path), (), ("copy.yml",), "v")]
        assert memory.files == FILES

    def test_an_existing_backup_is_not_overwritten(self, tmp_path: Path) -> None:
        (tmp_path / "copy.yml").touch()
        memory = Memory()
        prepared = backup_writer(task(memory), str(tmp_path), None)
        assert list(prepared("copy.yml")(FILES)) == []
        assert (memory.prepared, memory.files) == ([], [])

    def test_a_backup_in_another_process_is_refused_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(OptionError, match="option 'dest' writes files .*and leave out 'become' and 'async'$"):
            backup_writer(task(None), str(tmp_path), None)
