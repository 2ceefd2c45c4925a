# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run in a process of its own: the only place that knows AnsibleModule."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ..core.redaction import credentials, hide
from .task import Module, Task, execute

__all__ = ["PROGRESS_FILE", "run_module"]

#: In the task's temporary directory; plugins/plugin_utils/in_process.py reads it.
PROGRESS_FILE = "progress"


class _AnsibleModule(AnsibleModule):  # type: ignore[misc]
    """An AnsibleModule whose results, also those of a failed start, hold no credential in any form."""

    def __init__(self, module: Module) -> None:
        super().__init__(argument_spec=dict(module.arguments), supports_check_mode=True, **module.all_rules)
        self.no_log_values: set[str] = credentials(self.params, self.no_log_values)

    def _return_formatted(self, kwargs: dict[str, Any]) -> None:
        """Every exit of AnsibleModule ends here; without this it would return the options as they were given."""
        kwargs["invocation"] = {"module_args": hide(self.params, self.argument_spec)}
        super()._return_formatted(kwargs)


def run_module(module: Module) -> None:
    """Runs a module with the options that Ansible gives this process, and ends it."""
    host = _AnsibleModule(module)
    if module.import_error:
        host.fail_json(msg=missing_required_lib(module.library), exception=module.import_error)
    task = Task(
        name=host._name,
        params=host.params,
        check_mode=host.check_mode,
        diff=host._diff,
        temporary_directory=host.tmpdir,
        secrets=host.no_log_values,
        say=_sayer(Path(host.tmpdir) / PROGRESS_FILE),
    )
    result = execute(module, task)
    for message in task.warnings:
        host.warn(message)
    leave = host.fail_json if result.get("failed") else host.exit_json
    leave(**result)


def _sayer(path: Path) -> Callable[[str], None]:
    """Where progress lines go: the task's action plugin, on the controller, shows what is appended to this file."""

    def say(line: str) -> None:
        # Under another user (become) the directory may not be writable: then nothing is shown.
        with suppress(OSError), path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    return say
