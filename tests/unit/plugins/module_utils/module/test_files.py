# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a task are checked together, written whole and for their owner only, and read with errors that name them."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.files import (
    FilesWanted,
    VariableFile,
    Write,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.files import (
    backup_writer,
    check_outputs,
    file_writer,
    json_writer,
    object_reader,
    options_checker,
    output_writer,
    write_outputs,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Task
from support.objects import raised

# --- A document is written completely, for its owner only, and never with a credential of the task


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


# --- Files are checked together, stored whole, and readable only by their owner


def test_options_without_a_path_have_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert check_outputs({"dest": None, "junit": str(path)}) == {"junit": path}
    assert check_outputs({"dest": None}) == {}


def test_all_impossible_paths_are_reported_together(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "a")
    paths = {
        "dest": str(tmp_path),
        "junit": str(tmp_path / "none" / "a"),
        "markdown": str(tmp_path / "a"),
        "other": str(tmp_path / "link"),
        "last": str(tmp_path / "source"),
    }
    problems = raised(OptionError, lambda: check_outputs(paths, [str(tmp_path / "x" / ".." / "source")])).split("; ")
    assert [problem.split("'")[1] for problem in problems] == [*paths]
    assert "is a directory" in problems[0]
    assert "give the path of a file" in problems[1]
    assert "which option 'other' also names" in problems[2]
    assert "which the task reads" in problems[4]


def test_paths_are_checked_together_with_the_options_of_the_task(tmp_path: Path) -> None:
    options = {"namespaces": [], "namespace_selector": None, "concurrency": 0}
    check = options_checker(Task("it", options, False, False, "/tmp", set()))
    with pytest.raises(OptionError) as refused:
        check({"dest": str(tmp_path)}, [])
    assert [problem.split("'")[1] for problem in refused.value.problems] == ["dest", "namespaces", "concurrency"]


def test_files_are_replaced_and_only_their_owner_may_read_them(tmp_path: Path) -> None:
    one, other = tmp_path / "a", tmp_path / "b"
    one.write_text("much longer than the new text")
    one.chmod(0o644)
    write_outputs({one: "x", other: "é"})
    assert (one.read_text(), other.read_text(encoding="utf-8")) == ("x", "é")
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_that_cannot_be_stored_leaves_all_others_unchanged(tmp_path: Path) -> None:
    one = tmp_path / "a"
    one.write_text("before")
    with pytest.raises(OptionError, match=r"none/b' cannot be written on the host that runs the task"):
        write_outputs({one: "after", tmp_path / "none" / "b": "x"})
    assert one.read_text() == "before"
    assert list(tmp_path.iterdir()) == [one]


def test_a_directory_that_appeared_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.mkdir()
    (path / "x").write_text("")
    with pytest.raises(OptionError, match=r"/a' cannot be written"):
        write_outputs({path: "x"})
    assert list(tmp_path.iterdir()) == [path]


def render(document: dict[str, str], rows: list[str]) -> dict[str, str]:
    return {"junit": f"{document['a']} {rows}"}


def writer(path: Path, *, check_mode: bool = False) -> Any:
    task = Task("it", {}, check_mode, False, "/tmp", {"canary-1&"})
    return output_writer(task, {"dest": None, "junit": str(path)}, render)


def test_values_are_masked_before_they_are_rendered(tmp_path: Path) -> None:
    writer(tmp_path / "a")({"a": "has canary-1&"}, ["with canary-1&"])
    assert (tmp_path / "a").read_text() == "has ******** ['with ********']"


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    writer(tmp_path / "a", check_mode=True)({"a": ""}, [])
    assert list(tmp_path.iterdir()) == []


def test_no_path_yields_no_writer() -> None:
    assert output_writer(Task("it", {}, False, False, "/tmp", set()), {"dest": None}, render) is None


# --- Files are written only in Ansible's own process, and not in check mode

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


def task_with(destination: Memory | None, *, check_mode: bool = False) -> Task:
    return Task("it", {}, check_mode, False, "/tmp", set(), controller=destination)


def test_the_destination_writes_the_files() -> None:
    memory = Memory()
    write = file_writer(task_with(memory), WANTED)
    assert memory.prepared == [WANTED]
    assert write is not None
    assert write(FILES) == ["written"]
    assert memory.files == FILES


def test_check_mode_prepares_the_destination_and_writes_no_file() -> None:
    memory = Memory()
    write = file_writer(task_with(memory, check_mode=True), WANTED)
    assert memory.prepared == [WANTED]
    assert write is not None
    assert write(FILES) == [str(Path("d") / "plain.yml")]
    assert memory.files == []


def test_a_task_without_files_does_not_use_the_destination() -> None:
    memory = Memory()
    assert file_writer(task_with(memory), None) is None
    assert file_writer(task_with(None), None) is None
    assert memory.prepared == []


def test_writing_files_in_another_process_is_refused() -> None:
    with pytest.raises(
        OptionError, match="must run in Ansible's own process, but it ran in another one: set 'connection: local'"
    ):
        file_writer(task_with(None), WANTED)


class TestBackup:
    def test_a_backup_is_encrypted_into_the_named_file(self, tmp_path: Path) -> None:
        memory = Memory()
        prepared = backup_writer(task_with(memory), str(tmp_path), "v")
        assert memory.prepared == []
        assert prepared("copy.yml")(FILES) == ["written"]
        assert memory.prepared == [FilesWanted(str(tmp_path), (), ("copy.yml",), "v")]
        assert memory.files == FILES

    def test_an_existing_backup_is_not_overwritten(self, tmp_path: Path) -> None:
        (tmp_path / "copy.yml").touch()
        memory = Memory()
        prepared = backup_writer(task_with(memory), str(tmp_path), None)
        assert list(prepared("copy.yml")(FILES)) == []
        assert (memory.prepared, memory.files) == ([], [])

    def test_a_backup_in_another_process_is_refused_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(OptionError, match="option 'dest' writes files .*and leave out 'become' and 'async'$"):
            backup_writer(task_with(None), str(tmp_path), None)


# --- The objects in a file of an option, or an error that names the file


@pytest.fixture
def read(tmp_path):
    return object_reader(Task("pull_access_what_if", {}, False, False, str(tmp_path), set()))


def test_documents_and_lists_are_objects(read, tmp_path) -> None:
    path = tmp_path / "objects.yml"
    path.write_text("---\nkind: A\n---\n---\nkind: List\nitems: [{kind: B}, {kind: C}]\n")
    assert [each["kind"] for each in read(str(path))] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("text", "why"),
    [("{", "not valid YAML"), ("- a", "not an object"), ("text", "not an object"), ("!!python/name:os.system", "YAML")],
)
def test_other_content_is_refused_with_the_name_of_the_file(read, tmp_path, text, why) -> None:
    path = tmp_path / "objects.yml"
    path.write_text(text)
    with pytest.raises(OptionError, match=why) as caught:
        read(str(path))
    assert "objects.yml" in str(caught.value)


def test_a_missing_file_is_refused(read, tmp_path) -> None:
    with pytest.raises(OptionError, match="cannot be read"):
        read(str(tmp_path / "nothing.yml"))
