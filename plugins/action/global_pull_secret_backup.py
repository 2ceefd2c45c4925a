# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run global_pull_secret_backup in Ansible's own process where possible: the vault passwords for the encrypted copy exist only there."""

from __future__ import annotations

from ..plugin_utils.in_process import ModuleAction
from ..plugin_utils.variable_files import ControllerFiles


class ActionModule(ModuleAction, of="global_pull_secret_backup"):
    def _controller(self) -> ControllerFiles:
        return ControllerFiles(self._loader._vault.secrets)
