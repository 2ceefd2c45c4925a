# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker of Ansible: its environment, its preloaded modules, and the lines that it displays."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from ansible.utils.display import Display
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.in_process import (
    display,
    isolate_process,
    show_progress,
)

# --- A module in Ansible's process has an isolated environment, which is removed afterwards


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "before")
    monkeypatch.setenv("CHANGED", "before")
    monkeypatch.delenv("ADDED", raising=False)


class TestEnvironment:
    def test_the_environment_of_the_task_is_set(self, tmp_path: Path) -> None:
        with isolate_process({"CHANGED": 1, "ADDED": True}, str(tmp_path)):
            assert [os.environ[name] for name in ("KEPT", "CHANGED", "ADDED")] == ["before", "1", "True"]

    def test_the_environment_is_restored_at_the_end(self, tmp_path: Path) -> None:
        before = dict(os.environ)
        with isolate_process({"CHANGED": 1, "ADDED": 2}, str(tmp_path)):
            os.environ["LEFT"] = "x"
            del os.environ["KEPT"]
        assert dict(os.environ) == before


class TestDirectory:
    def test_the_playbook_directory_is_the_working_directory(self, tmp_path: Path) -> None:
        before = Path.cwd()
        with isolate_process({}, str(tmp_path)):
            assert Path.cwd() == tmp_path
        assert Path.cwd() == before


class TestOutput:
    def test_output_is_discarded(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        before = sys.stdout, sys.stderr
        with isolate_process({}, str(tmp_path)):
            print("canary")
            print("canary", file=sys.stderr)
        assert (sys.stdout, sys.stderr) == before
        assert capfd.readouterr() == ("", "")

    def test_log_messages_are_discarded(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        logging.disable(logging.INFO)
        with isolate_process({}, str(tmp_path)):
            logging.getLogger("urllib3").critical("canary")
        assert caplog.messages == []
        assert logging.root.manager.disable == logging.INFO
        logging.disable(logging.NOTSET)


class TestEnd:
    def test_an_error_restores_the_environment(self, tmp_path: Path) -> None:
        before = dict(os.environ), Path.cwd(), sys.stdout, sys.stderr, logging.root.manager.disable
        with pytest.raises(KeyError), isolate_process({"ADDED": 1}, str(tmp_path)):
            raise KeyError
        assert (dict(os.environ), Path.cwd(), sys.stdout, sys.stderr, logging.root.manager.disable) == before

    def test_the_environment_is_restored_when_the_directory_cannot_be(self, tmp_path: Path) -> None:
        """For example, the alarm of a task's timeout may interrupt the cleanup."""
        (tmp_path / "gone").mkdir()
        before = dict(os.environ), Path.cwd()
        os.chdir(tmp_path / "gone")
        with pytest.raises(FileNotFoundError), isolate_process({"ADDED": 1}, str(tmp_path)):
            (tmp_path / "gone").rmdir()
        assert dict(os.environ) == before[0]
        os.chdir(before[1])

    def test_a_failed_start_restores_the_environment(self, tmp_path: Path) -> None:
        before = dict(os.environ), Path.cwd()
        with pytest.raises(FileNotFoundError), isolate_process({"ADDED": 1}, str(tmp_path / "missing")):
            pass
        assert (dict(os.environ), Path.cwd()) == before


# --- A worker of Ansible starts with the modules already loaded. Each test runs a new Python, because this one has many modules loaded

_START = """
import sys
from ansible.plugins.loader import filter_loader, init_plugin_loader, lookup_loader
init_plugin_loader([])
"""

_ACTION = "import ansible_collections.openshift_ops.image_pull.plugins.action.pull_secret\n"

_TASK = """
before = set(sys.modules)
filter_loader.get("default")
lookup_loader.get("openshift_ops.image_pull.declared", class_only=True)
import ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declared_entries
import ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declaration_check
print(*sorted(set(sys.modules) - before))
"""

_BROKEN = """
working = filter_loader.get
def broken(*_arguments):
    raise KeyError("a plugin of another collection")
filter_loader.get = broken
"""

_MENDED = "filter_loader.get = working\n"


def python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_action_plugin_preloads_all_modules_of_a_task() -> None:
    assert python(_START + _ACTION + _TASK) == ""


def test_a_failed_preload_is_left_to_the_task() -> None:
    """Without a preload, the task loads modules."""
    assert "declared" in python(_START + _BROKEN + _ACTION + _MENDED + _TASK)


# --- The lines of a module in its own process are displayed while it runs, each line once

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


# --- The lines of a task go to Ansible's main process, and never to the output of a worker


class DisplayQueue:
    """Replace the worker's queue to the main process."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []

    def send_display(self, *arguments: Any, **options: Any) -> None:
        self.sent.append((*arguments, options))


def test_a_worker_passes_the_text_to_the_main_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = DisplayQueue()
    monkeypatch.setattr(Display(), "_final_q", queue)
    display("a line")
    assert queue.sent == [("display", "a line", {})]
    assert capsys.readouterr() == ("", "")


def test_the_main_process_shows_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    display("a line")
    assert capsys.readouterr().out == "a line\n"
