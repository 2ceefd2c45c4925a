# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways to run a module, for tests: in Ansible's own process, and in a process of its own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common import warnings
from ansible.module_utils.common.parameters import PASS_VARS
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task as AnsibleTask
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.plugins.loader import become_loader, connection_loader
from ansible.template import Templar
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module import ansible_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Module, Task
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.in_process import ModuleAction

from unit.registered import forget_registered

__all__ = ["ARGUMENTS", "DIRECTORY", "NAME", "Action", "Ended", "Work", "action", "in_own_process"]

#: The directory of the playbook.
DIRECTORY = Path(__file__).parent
NAME = "openshift_ops.image_pull.it"
ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "aliases": ["title"]},
    "password": {"type": "str", "no_log": True},
    "kubeconfig": {"type": "raw", "no_log": False},
    "count": {"type": "int", "default": 1},
    "old": {"type": "str", "removed_in_version": "9.9.9", "removed_from_collection": "openshift_ops.image_pull"},
    "older": {"type": "str", "removed_at_date": "2031-01-01", "removed_from_collection": "openshift_ops.image_pull"},
}
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


class Ended:
    """Output and exit status of a run. `registered`: values that Ansible takes out of the result and masks later."""

    def __init__(self, status: Any, output: str) -> None:
        self.status, self.output = status, output
        self.result: dict[str, Any] = json.loads(output) if output else {}
        self.registered = {*self.result.pop("_ansible_new_secrets", ())}
        if self.registered:
            self.output = json.dumps(self.result)


def in_own_process(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ended]:
    """A function that runs a module the way Ansible does: options in as JSON, result out as JSON."""
    forget_registered(monkeypatch)

    def call(
        work: Callable[[Task], dict[str, Any]],
        /,
        *,
        module: Module | None = None,
        internal: Any = None,
        tracebacks: bool = False,
        **options: Any,
    ) -> Ended:
        settings: dict[str, Any] = {"_ansible_module_name": NAME, "_ansible_tmpdir": str(tmp_path)}
        if "inject_invocation" in PASS_VARS:
            settings |= {"_ansible_inject_invocation": True}
        if hasattr(basic, "_PARSED_MODULE_ARGS"):
            # Other tests of this process have loaded the controller's part of ansible-core, where this value differs.
            monkeypatch.setattr("ansible.module_utils._internal.is_controller", False)
            monkeypatch.setattr(
                "ansible.module_utils._internal._traceback._is_traceback_enabled", lambda _event: tracebacks
            )
        given = {**options, **settings, **(internal or {})}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        warnings._global_warnings.clear()
        warnings._global_deprecations.clear()
        with pytest.raises(SystemExit) as end:
            ansible_module.run_module(module or Module(ARGUMENTS, work, None))
        return Ended(end.value.code, capfd.readouterr().out)

    return call
