# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the report's page that the collection ships fit together and are safe."""

from __future__ import annotations

import re

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils import report_page
from jinja2 import UndefinedError

ROOT = report_page._DIRECTORY.parents[2]
HTML, CSS, JS = (
    (report_page._DIRECTORY / f"page.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
)


def test_the_template_needs_all_its_variables() -> None:
    with pytest.raises(UndefinedError):
        report_page.page_renderer()(title="t")


def test_page_parts_are_part_of_the_release() -> None:
    ignored = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["build_ignore"]
    assert not {"plugins", "*.html", "*.css", "*.js"} & {*ignored}


def test_the_program_never_reads_markup_or_runs_text() -> None:
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "fetch(",
        "XMLHttpRequest",
        "import(",
    ):
        assert word not in JS, word


def test_only_the_own_files_and_the_encoded_data_are_markup() -> None:
    """The style and the program must be the whole content of their elements, because the hashes cover all of it."""
    assert "<style>{{ style | safe }}</style>" in HTML
    assert "<script>{{ program | safe }}</script>" in HTML
    assert re.findall(r"(\w+) *\| *safe", HTML) == ["style", "data", "program"]
    assert "autoescape" not in HTML
    assert "</s" not in CSS + JS
