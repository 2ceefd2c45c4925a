# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report are written completely or not at all, with their mode, and only if their content differs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report import run_files
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.run_files import (
    check_writable,
    read_source,
    select_changed,
    write_files,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.timestamps import mark_time

TEXT = f"made {mark_time('2026-11-25T17:10:00Z')} \u00e9"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestRead:
    def test_a_file_is_read_as_bytes(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"\xff")
        assert read_source(str(tmp_path / "a")) == b"\xff"

    def test_an_unreadable_file_is_refused(self, tmp_path: Path) -> None:
        for path, why in (
            (tmp_path / "nosuch", "No such file"),
            (tmp_path / "x" / "y", "No such file"),
            ("a\0b", "the path is not valid"),
        ):
            with pytest.raises(OptionError, match=rf"cannot be read on the controller: .*{why}.*. Nothing was written"):
                read_source(str(path))

    def test_no_device_is_read_and_no_pipe_is_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OptionError, match="pipe is not a regular file"):
            read_source(str(tmp_path / "pipe"))
        with pytest.raises(OptionError, match="is not a regular file"):
            read_source(str(tmp_path))
        with pytest.raises(OptionError, match="/dev/zero is not a regular file"):
            read_source("/dev/zero")


class TestPlaces:
    def test_a_link_is_resolved_for_a_new_and_an_existing_file(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real" / "a")
        assert check_writable("html", str(tmp_path / "link")) == tmp_path / "real" / "a"
        (tmp_path / "real" / "a").write_text("x")
        assert check_writable("html", str(tmp_path / "link")) == tmp_path / "real" / "a"

    def test_a_place_that_cannot_be_a_file_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(OptionError, match=r"option 'html': directory .*nosuch does not exist"):
            check_writable("html", str(tmp_path / "nosuch" / "a"))
        with pytest.raises(OptionError, match="is not a file, so it was not replaced"):
            check_writable("html", str(tmp_path))
        with pytest.raises(OptionError, match="cannot be a file: the path is not valid$"):
            check_writable("html", "a\0b")


class TestWrite:
    def test_files_are_written_whole_with_their_mode_and_without_leftovers(self, tmp_path: Path) -> None:
        paths = {tmp_path / "a": TEXT, tmp_path / "b": TEXT}
        write_files(select_changed(paths, 0o640), 0o640)
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(
            "ab", "made 2026-11-25T17:10:00Z \u00e9"
        )
        assert mode(tmp_path / "a") == 0o640

    def test_an_unchanged_file_is_not_written_again(self, tmp_path: Path) -> None:
        path = tmp_path / "a"
        path.write_text("made 2020-01-01T00:00:00Z \u00e9")
        path.chmod(0o644)
        assert select_changed({path: TEXT}, 0o644) == {}
        assert [*select_changed({path: TEXT}, 0o600)] == [path]
        path.write_text("made 2020-01-01T00:00:00Z e")
        assert [*select_changed({path: TEXT}, 0o644)] == [path]
        path.write_bytes(b"\xff")
        assert [*select_changed({path: TEXT}, 0o644)] == [path]
        path.unlink()
        assert select_changed({path: TEXT}, 0o644) == {path: "made 2026-11-25T17:10:00Z \u00e9"}

    def test_no_file_is_replaced_if_one_cannot_be_stored(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("old")
        with pytest.raises(
            OptionError, match="cannot be written on the controller: No such file or directory. Nothing was written"
        ):
            write_files({tmp_path / "a": "new", tmp_path / "nosuch" / "b": "new"}, 0o644)
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old"}

    def test_a_failed_replacement_names_the_files_already_written(self, tmp_path: Path) -> None:
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "x").touch()
        with pytest.raises(OptionError, match=rf"Written before that: {tmp_path}/a$"):
            write_files({tmp_path / "a": "new", tmp_path / "b": "new"}, 0o644)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]

    def test_a_huge_file_is_not_compared(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "a").write_text("abc")
        (tmp_path / "a").chmod(0o644)
        assert select_changed({tmp_path / "a": "abc"}, 0o644) == {}
        monkeypatch.setattr(run_files, "LARGEST_BYTES", 2)
        assert [*select_changed({tmp_path / "a": "abc"}, 0o644)] == [tmp_path / "a"]
