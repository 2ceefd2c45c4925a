# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module in Ansible's own process, for tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task as AnsibleTask
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.plugins.loader import become_loader, connection_loader
from ansible.template import Templar
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Module, Task
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.in_process import ModuleAction

from unit.own_process import ARGUMENTS, NAME

#: The directory of the playbook.
DIRECTORY = Path(__file__).parent
Work = Callable[[Task], dict[str, Any]]


class Elsewhere(NormalAction):  # type: ignore[misc]
    """Replace the start of a process for the module, and record its arguments."""

    calls: list[dict[str, Any]]
    meanwhile: Callable[[], None] = staticmethod(lambda: None)
    found: ClassVar[dict[str, Any]] = {"elsewhere": True}

    def _execute_module(self, *arguments: Any, **keywords: Any) -> Any:
        self.calls.append({"arguments": arguments, "keywords": keywords})
        self.meanwhile()
        return self.found


class Action(ModuleAction, Elsewhere):
    def start(self, **variables: Any) -> dict[str, Any]:
        """Run the task with a host's variables, by default with Ansible's own Python."""
        given = {"inventory_hostname": "east", "ansible_python_interpreter": sys.executable, **variables}
        result: dict[str, Any] = self._execute_module(task_vars=given, wrap_async=False)
        return result


def action(
    work: Work = lambda task: {}, *, args: Any = None, transport: str = "local", become: bool = False, **fields: Any
) -> Action:
    """Return a task with the module, as Ansible's executor creates it."""
    loader = DataLoader()
    loader.set_basedir(str(DIRECTORY))
    task = AnsibleTask()
    for name, value in {"action": NAME, "args": args or {}, "check_mode": False, "diff": False, **fields}.items():
        setattr(task, name, value)
    connection = connection_loader.get(transport, PlayContext(), os.devnull)
    if become:
        connection.set_become_plugin(become_loader.get("sudo"))
    templar = Templar(loader=loader)
    made = Action(task, connection, PlayContext(), loader, templar, None)
    made.module = Module(ARGUMENTS, work, None)
    made.calls = []
    return made
