# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook and changes the cluster between two of its tasks, as other clients could."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Any

from support.playbooks import ROOT, Play, play, variables_file

__all__ = ["play_with_changes"]


def play_with_changes(
    playbook: str, hosts: Mapping[str, Mapping[str, Any]], directory: Path, before: Callable[[str], None], *options: str
) -> Play:
    """Run a playbook for hosts with these variables. `before` gets the name of each task before it starts."""
    (directory / "hosts.yml").write_text(
        variables_file({"all": {"hosts": {name: {**own} for name, own in hosts.items()}}})
    )
    address = str(directory / "before_tasks")

    def serve() -> None:
        while True:
            with listener.accept() as connection:
                if not (name := connection.recv()):
                    return
                try:
                    before(name)
                finally:
                    connection.send(None)

    with Listener(address, "AF_UNIX", backlog=8) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        done = play(
            playbook,
            directory / "hosts.yml",
            *("-e", f"ansible_python_interpreter={sys.executable}", "--forks", "10", *options),
            cwd=directory,
            ANSIBLE_CALLBACK_PLUGINS=str(ROOT / "tests/support/callbacks"),
            ANSIBLE_CALLBACKS_ENABLED="before_tasks",
            BEFORE_TASKS=address,
        )
        with Client(address) as connection:
            connection.send("")
        thread.join(10)
    return done
