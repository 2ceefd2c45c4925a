# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pull_access_report in Ansible's own process: the files for its page exist only there."""

from __future__ import annotations

from collections.abc import Callable

from ..plugin_utils.in_process import ModuleAction
from ..plugin_utils.report_page import page_renderer


class ActionModule(ModuleAction, of="pull_access_report"):
    def _controller(self) -> Callable[..., str]:
        return page_renderer()
