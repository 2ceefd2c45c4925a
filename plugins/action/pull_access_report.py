# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pull_access_report in Ansible's own process, because only that has the files of its page."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.page_parts import PageParts
from ansible_collections.openshift_ops.image_pull.plugins.modules.pull_access_report import MODULE
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.in_process import ModuleAction
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.report_page import page_parts


class ActionModule(ModuleAction):
    module = MODULE

    def _page(self) -> PageParts:
        return page_parts()
