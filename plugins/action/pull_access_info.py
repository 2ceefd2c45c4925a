# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pull_access_info in Ansible's own process where possible, and show the answer as text on request."""

from __future__ import annotations

from typing import Any

from ..plugin_utils.in_process import ModuleAction
from ..plugin_utils.result_lines import lines_of


class ActionModule(ModuleAction, of="pull_access_info"):
    def run(self, tmp: Any = None, task_vars: Any = None) -> Any:
        result = super().run(tmp, task_vars)
        self._show(lines_of(result))
        return result
