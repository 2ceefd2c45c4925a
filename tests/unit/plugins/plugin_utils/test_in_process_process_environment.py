# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module in Ansible's process has an isolated environment, which is removed afterwards."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.in_process import isolate_process


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
