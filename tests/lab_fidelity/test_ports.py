# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A port that was chosen for a part of a lab belongs to that part until the lab ends, and no other program can take it."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from conftest import start_lab
from support.lab import Lab
from support.second_api_server import second_api_server

#: The flags that set a port of a control plane component.
FLAGS = ("--listen-client-urls", "--listen-peer-urls", "--secure-port")


class PortThief:
    """Tries to take each port of the lab in `directory` after its component has started and before it can listen."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.took: dict[str, bool] = {}
        self._directory, self._stack = str(directory), stack

    def look(self) -> None:
        for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):  # the process has ended
                command = cmdline.read_bytes().decode(errors="replace")
                if self._directory in command:
                    self._try_ports(command.split("\0"))

    def _try_ports(self, arguments: list[str]) -> None:
        for flag, _equals, value in (argument.partition("=") for argument in arguments):
            port = re.search(r"[1-9]\d*$", value)
            if flag in FLAGS and flag not in self.took and port:
                self.took[flag] = self._take(int(port[0]))

    def _take(self, port: int) -> bool:
        try:
            self._stack.enter_context(socket.create_server(("127.0.0.1", port)))
        except OSError:
            return False
        return True


@contextmanager
def port_thief(directory: Path) -> Iterator[PortThief]:
    ended = threading.Event()
    with ExitStack() as stack:
        thief = PortThief(directory, stack)

        def work() -> None:
            while not ended.is_set():
                thief.look()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield thief
        finally:
            ended.set()
            thread.join()


def test_a_lab_starts_while_another_program_tries_to_take_its_ports(tmp_path: Path) -> None:
    directory = tmp_path / "lab"
    with port_thief(directory) as thief:
        lab = start_lab(directory, "--no-registries", "--provisioner", "off")
        lab.run("down", "--dir", str(directory))
    assert thief.took == dict.fromkeys(FLAGS, False)


def test_a_second_api_server_keeps_its_port_while_it_is_down(lab: Lab, tmp_path: Path) -> None:
    with second_api_server(lab, tmp_path) as server:
        for _time in range(2):
            server.kill()
            with pytest.raises(OSError, match="in use"):
                socket.create_server(("127.0.0.1", server.port))
            server.start()
