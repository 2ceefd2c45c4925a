# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source files of the report's page, from this collection."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.template import PageTemplate

__all__ = ["page_template"]

_DIRECTORY = Path(__file__).parent / "pull_report"


def page_template() -> PageTemplate:
    """Return the HTML, the style sheet and the program of the page."""
    html, css, js = ((_DIRECTORY / f"page.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return PageTemplate(html, css, js)
