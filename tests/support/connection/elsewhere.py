# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection that is not local: its commands have a home and a folder of their own, and no variable of the controller."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: elsewhere
short_description: Run commands as on another host
description: For tests. The home of the other host is in the variable ELSEWHERE_HOME.
author: The openshift_ops.image_pull authors (@openshift-ops)
"""


class Connection(ConnectionBase):  # type: ignore[misc]
    transport = "elsewhere"
    has_pipelining = True

    def _connect(self) -> Connection:
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        variables = {"HOME": os.environ["ELSEWHERE_HOME"], "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        given: dict[str, Any] = {"input": in_data} if in_data else {"stdin": subprocess.DEVNULL}
        done = subprocess.run(["sh", "-c", cmd], cwd="/", env=variables, capture_output=True, check=False, **given)
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        shutil.copyfile(in_path, out_path)

    fetch_file = put_file

    def close(self) -> None:
        pass
