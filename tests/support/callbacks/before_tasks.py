# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells a test the name of each task before it starts, and waits for the test's answer (`support.between_tasks`)."""

from __future__ import annotations

import os
from multiprocessing.connection import Client
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: before_tasks
type: aggregate
short_description: Tell a test the name of each task before it starts
description: Only for tests.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "before_tasks"

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        with Client(os.environ["BEFORE_TASKS"]) as connection:
            connection.send(task.name)
            connection.recv()
