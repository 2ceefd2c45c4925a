# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pull_secret runs like any module, and its progress is shown."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.progress import ActionModule

__all__ = ["ActionModule"]
