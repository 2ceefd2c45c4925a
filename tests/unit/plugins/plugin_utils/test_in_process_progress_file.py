# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a module in its own process are displayed while it runs, each line once."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import Queue

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.in_process import show_progress

#: Maximum duration of a test in seconds, so that a hanging test fails.
LIMIT = 60


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress"


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_each_line_is_shown_once_when_it_is_complete(path: Path) -> None:
    said: Queue[str] = Queue()
    with show_progress(path, said.put):
        append(path, "1/3 ä\n2/3\n3")
        assert [said.get(timeout=LIMIT), said.get(timeout=LIMIT)] == ["1/3 ä", "2/3"]
        append(path, "/3 \n4/3\n")
        assert [said.get(timeout=LIMIT), said.get(timeout=LIMIT)] == ["3/3 ", "4/3"]
        append(path, "5/3\n")
        assert said.get(timeout=LIMIT) == "5/3"
    assert said.empty()


def test_a_file_that_is_created_later_is_read(path: Path) -> None:
    said: Queue[str] = Queue()
    with show_progress(path, said.put):
        threading.Event().wait(0.8)
        append(path, "1/3\n")
        assert said.get(timeout=LIMIT) == "1/3"


def test_a_file_that_becomes_readable_later_is_read(path: Path) -> None:
    """With another user and a strict umask, the file cannot be read. Its bytes may not be UTF-8."""
    said: Queue[str] = Queue()
    path.mkdir()
    with show_progress(path, said.put):
        threading.Event().wait(0.8)
        path.rmdir()
        path.write_bytes(b"\xff/3\n2/3\n")
        assert [said.get(timeout=LIMIT), said.get(timeout=LIMIT)] == ["\ufffd/3", "2/3"]


def test_lines_written_after_the_end_are_not_shown(path: Path) -> None:
    said: list[str] = []
    before = threading.enumerate()
    with show_progress(path, said.append):
        (watch,) = [thread for thread in threading.enumerate() if thread not in before]
        assert watch.daemon
    assert not watch.is_alive()
    append(path, "1/3\n")
    assert said == []


def test_an_error_ends_the_watch(path: Path) -> None:
    before = threading.enumerate()
    with pytest.raises(KeyError), show_progress(path, print):
        raise KeyError
    assert [thread for thread in threading.enumerate() if thread not in before] == []
