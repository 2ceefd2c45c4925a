# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are written in Ansible's own process only, and in check mode not even there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.variable_files import (
    FilesWanted,
    VariableFile,
    Write,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Task
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.variable_files import (
    backup_writer,
    writer,
)

WANTED = FilesWanted("d", ("plain.yml",))
FILES = [VariableFile("plain.yml", {})]


class Memory:
    """A destination that remembers."""

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
    return Task("it", {}, check_mode, False, "/tmp", set(), destination=destination)


def test_the_destination_writes() -> None:
    memory = Memory()
    write = writer(task(memory), WANTED)
    assert memory.prepared == [WANTED]
    assert write is not None
    assert write(FILES) == ["written"]
    assert memory.files == FILES


def test_in_check_mode_it_is_asked_and_nothing_is_written() -> None:
    memory = Memory()
    write = writer(task(memory, check_mode=True), WANTED)
    assert memory.prepared == [WANTED]
    assert write is not None
    assert write(FILES) == [str(Path("d") / "plain.yml")]
    assert memory.files == []


def test_without_files_nothing_is_asked() -> None:
    memory = Memory()
    assert writer(task(memory), None) is None
    assert writer(task(None), None) is None
    assert memory.prepared == []


def test_in_another_process_it_is_refused() -> None:
    with pytest.raises(
        OptionError, match="must run in Ansible's own process, but it ran in another one: set 'connection: local'"
    ):
        writer(task(None), WANTED)


class TestBackup:
    def test_is_encrypted_into_the_file_that_is_named(self, tmp_path: Path) -> None:
        memory = Memory()
        prepared = backup_writer(task(memory), str(tmp_path), "v")
        assert memory.prepared == []
        assert prepared("copy.yml")(FILES) == ["written"]
        assert memory.prepared == [FilesWanted(str(tmp_path), (), ("copy.yml",), "v")]
        assert memory.files == FILES

    def test_one_that_is_there_is_left(self, tmp_path: Path) -> None:
        (tmp_path / "copy.yml").touch()
        memory = Memory()
        prepared = backup_writer(task(memory), str(tmp_path), None)
        assert list(prepared("copy.yml")(FILES)) == []
        assert (memory.prepared, memory.files) == ([], [])

    def test_in_another_process_it_is_refused_before_anything_is_read(self, tmp_path: Path) -> None:
        with pytest.raises(OptionError, match="option 'dest' writes files .*and leave out 'become' and 'async'$"):
            backup_writer(task(None), str(tmp_path), None)
