# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pull_access_what_if in Ansible's own process where possible, and show the answer as text on request."""

from __future__ import annotations

from typing import Any

from ..module_utils.core.text import escape_invisible, make_printable
from ..plugin_utils.in_process import ModuleAction


class ActionModule(ModuleAction, of="pull_access_what_if"):
    def run(self, tmp: Any = None, task_vars: Any = None) -> Any:
        result = super().run(tmp, task_vars)
        self._show((make_printable(escape_invisible(line)), None) for line in result.get("text", ()))
        return result

    def _answer(self, tmp: Any, task_vars: Any) -> Any:
        result = super()._answer(tmp, task_vars)
        if self._role() != "credential_rotation":
            return result
        from ..plugin_utils.rotation_end import drop_idle_warnings  # noqa: PLC0415 - only the guard of a rotation needs it

        return drop_idle_warnings(result)
