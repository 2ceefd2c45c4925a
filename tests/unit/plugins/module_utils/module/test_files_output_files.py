# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are checked together, stored whole, and readable only by their owner."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.files import (
    check_outputs,
    options_checker,
    output_writer,
    write_outputs,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Task
from support.objects import raised


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
