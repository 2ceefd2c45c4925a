# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs our three modules one after the other in one Python, without Ansible, to measure their own time.

usage: modules.py TASKS.json, which holds a list of [MODULE, OPTIONS]
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Module, Task, execute

PACKAGE = "ansible_collections.openshift_ops.image_pull.plugins.modules"


def main() -> None:
    tasks = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    modules = {name: importlib.import_module(f"{PACKAGE}.{name}").MODULE for name, _options in tasks}
    with tempfile.TemporaryDirectory() as directory:
        started = time.perf_counter()
        for name, options in tasks:
            run(name, modules[name], options, directory)
        print(json.dumps({"seconds": time.perf_counter() - started}))


def run(name: str, module: Module, options: dict[str, Any], directory: str) -> None:
    """Run a module as plugins/plugin_utils/in_process.py does inside Ansible."""
    checked = ArgumentSpecValidator(module.arguments, **module.all_rules).validate(options)
    assert not checked.errors.errors, checked.errors.msg
    task = Task(name, checked.validated_parameters, False, False, directory, secrets=set())
    result = execute(module, task)
    assert not result.get("failed"), result["msg"]


if __name__ == "__main__":
    main()
