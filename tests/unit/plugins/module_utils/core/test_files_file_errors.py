# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that cannot be read is reported with the cause and the start of its relative path."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.files import (
    advise_reader,
    describe_place,
    describe_read_error,
)


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_start_of_a_relative_path_is_reported(directory: Path) -> None:
    assert describe_place("auth.json") == (
        f' in {directory}, where a relative path begins. Give the whole path, such as "{{{{ inventory_dir }}}}/auth.json"'
    )
    assert describe_place("/etc/auth.json") == ""


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/none", ""),
        ("none", ' in {}, where a relative path begins. Give the whole path, such as "{{{{ inventory_dir }}}}/none"'),
    ],
)
def test_a_missing_file_is_reported_with_its_place(directory: Path, path: str, where: str) -> None:
    with pytest.raises(OSError) as caught:
        Path(path).read_bytes()
    assert describe_read_error(path, caught.value) == f"No such file or directory{where.format(directory)}"


def test_an_invalid_path_is_reported() -> None:
    with pytest.raises(ValueError) as caught:
        Path("a\0b").read_bytes()
    assert describe_read_error("a\0b", caught.value) == "the path is not valid"


def test_a_file_that_is_not_text_is_reported(directory: Path) -> None:
    path = directory / "token"
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError) as caught:
        path.read_text(encoding="utf-8")
    assert describe_read_error(path, caught.value) == "it is not text"


def test_the_fix_for_a_file_is_the_path_or_its_mode() -> None:
    missing, forbidden = FileNotFoundError(2, "No such file or directory"), PermissionError(13, "Permission denied")
    assert advise_reader("/none", missing) == ". Correct the path, or create the file there"
    # The place of a relative path has its own advice.
    assert advise_reader("none", missing) == ""
    assert advise_reader("/x", forbidden) == ". Allow the user that runs the task to read it"
    assert advise_reader("/x", IsADirectoryError(21, "Is a directory")) == ". Name a file"
    assert advise_reader("a\0b", ValueError()) == ""
