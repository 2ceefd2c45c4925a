# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the report's page. Only Ansible's own process has the files, because a module's payload contains only Python. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PageTemplate"]


@dataclass(frozen=True)
class PageTemplate:
    """The HTML template of the page with its placeholders, its style sheet and its script."""

    html: str
    css: str
    js: str
