# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file reaches its place only when it is complete, and a temporary file is removed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.files import stage_file


def test_a_file_is_complete_before_it_reaches_its_place(tmp_path: Path) -> None:
    target = tmp_path / "file"
    with stage_file(target, b"\xff\x00content") as temporary:
        assert temporary.read_bytes() == b"\xff\x00content"
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".file.")
        assert not target.exists()


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_the_file_has_the_requested_mode(tmp_path: Path, mode: int, umask: int) -> None:
    before = os.umask(umask)
    try:
        with stage_file(tmp_path / "file", b"", mode) as temporary:
            assert stat.S_IMODE(temporary.stat().st_mode) == mode
    finally:
        os.umask(before)


def test_the_file_is_only_for_its_owner_by_default(tmp_path: Path) -> None:
    with stage_file(tmp_path / "file", b"") as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600


def test_a_replaced_file_stays_in_its_place(tmp_path: Path) -> None:
    with stage_file(tmp_path / "file", b"new") as temporary:
        temporary.replace(tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_temporary_file_is_removed_after_an_interruption(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), stage_file(tmp_path / "file", b"new"):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_the_longest_file_name_is_accepted(tmp_path: Path) -> None:
    with stage_file(tmp_path / ("a" * 255), b"new") as temporary:
        temporary.replace(tmp_path / ("a" * 255))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), stage_file(tmp_path / "missing" / "file", b""):
        pass
