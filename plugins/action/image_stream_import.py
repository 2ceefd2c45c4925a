# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run image_stream_import in Ansible's own process where possible."""

from __future__ import annotations

from ..plugin_utils.in_process import ModuleAction


class ActionModule(ModuleAction, of="image_stream_import"):
    pass
