# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a task go to Ansible's main process, and never to the output of a worker."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.utils.display import Display
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.in_process import display


class Queue:
    """Replace the worker's queue to the main process."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []

    def send_display(self, *arguments: Any, **options: Any) -> None:
        self.sent.append((*arguments, options))


def test_a_worker_passes_the_line_to_the_main_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = Queue()
    monkeypatch.setattr(Display(), "_final_q", queue)
    display("a line", "red")
    assert queue.sent == [("display", "a line", {"color": "red"})]
    assert capsys.readouterr() == ("", "")


def test_the_main_process_shows_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    display("a line")
    assert capsys.readouterr().out == "a line\n"
