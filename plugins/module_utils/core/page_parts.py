# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report's page is made of. Only Ansible's own process has the files: a module's payload holds Python alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PageParts"]


@dataclass(frozen=True)
class PageParts:
    """The page's skeleton with its slots, its style and its program."""

    html: str
    css: str
    js: str
