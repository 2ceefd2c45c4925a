# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the collection from which the report's page is built."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.page_parts import PageParts

__all__ = ["page_parts"]

_DIRECTORY = Path(__file__).parent / "pull_report"


def page_parts() -> PageParts:
    """Read the files."""
    html, css, js = ((_DIRECTORY / f"page.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return PageParts(html, css, js)
