# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files: their errors, their hidden values, and whole writes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.files import (
    VariableFile,
    advise_reader,
    describe_place,
    describe_read_error,
    find_input,
    stage_file,
)

# --- A file that cannot be read is reported with the cause and the start of its relative path


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_start_of_a_relative_path_is_reported(directory: Path) -> None:
    assert describe_place("auth.json") == (
        f' in {directory}, where a relative path begins. Give the whole path, such as "{{{{ inventory_dir }}}}/auth.json"'
    )
    assert describe_place("/etc/auth.json") == ""
    assert describe_place("~/auth.json") == ""


def test_an_input_of_a_role_is_in_the_directory_of_the_command_or_of_the_playbook(directory: Path) -> None:
    playbook = directory / "playbooks"
    playbook.mkdir()
    assert find_input("older/a.json", str(playbook)) == str(directory / "older" / "a.json")
    (playbook / "a.json").touch()
    assert find_input("a.json", str(playbook)) == str(playbook / "a.json")
    (directory / "a.json").touch()
    assert find_input("a.json", str(playbook)) == str(directory / "a.json")
    for path in ("", "/older/a.json", "~/a.json", "$HOME/a.json"):
        assert find_input(path, str(playbook)) == path


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


# --- The repr of a variable file hides the values of its variables


def test_the_repr_of_a_variable_file_hides_its_values() -> None:
    assert "secret-1" not in repr(VariableFile("vault.yml", {"x": "secret-1"}, encrypted=True))


# --- A file reaches its place only when it is complete, and a temporary file is removed


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
