# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run credential_rotation in Ansible's own process where possible."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.run import read_source
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.in_process import ModuleAction
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import is_collection_task


class ActionModule(ModuleAction, of="credential_rotation"):
    def _answer(self, tmp: Any, task_vars: Any) -> Any:
        """Read the plan of the role on the controller, as its action plugin runs there."""
        plan = self._task.args.get("plan")
        if is_collection_task(self._task) and isinstance(plan, str):
            path = str(Path(plan).expanduser().absolute())
            try:
                content = read_source("plan", path)
            except OptionError as error:
                return {"failed": True, "msg": str(error)}
            self._task.args["plan"] = self._loader.load(content.decode("utf-8", "replace"), path)
        return super()._answer(tmp, task_vars)
