# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module as in a process of its own, for tests. It loads no part of ansible-core that only the controller has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common import warnings
from ansible.module_utils.common.parameters import PASS_VARS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module import ansible_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Module, Task

from unit.registered import forget_registered

NAME = "openshift_ops.image_pull.it"
ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "aliases": ["title"]},
    "password": {"type": "str", "no_log": True},
    "kubeconfig": {"type": "raw", "no_log": False},
    "count": {"type": "int", "default": 1},
    "old": {"type": "str", "removed_in_version": "9.9.9", "removed_from_collection": "openshift_ops.image_pull"},
    "older": {"type": "str", "removed_at_date": "2031-01-01", "removed_from_collection": "openshift_ops.image_pull"},
}


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
