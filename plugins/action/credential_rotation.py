# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run credential_rotation in Ansible's own process where possible."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils.core.errors import OptionError
from ..module_utils.features.pull_report.run import read_source
from ..plugin_utils.in_process import ModuleAction
from ..plugin_utils.known_variables import is_collection_task


class ActionModule(ModuleAction, of="credential_rotation"):
    def _name_variables(self, task_vars: Mapping[str, Any]) -> dict[str, str]:
        """Return the variables of the options. In a rollback, the role gives each login as the other option."""
        found = super()._name_variables(task_vars)
        is_rollback = boolean(self._templar.template(task_vars.get("credential_rotation_rollback")), strict=False)
        if not is_rollback or found.get("old") != "credential_rotation_old":
            return found
        return {**found, "old": found["new"], "new": found["old"]}

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
