# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the report's page that the collection ships fit together and are safe."""

from __future__ import annotations

import re

import yaml
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils import report_page
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.report_page import page_template

ROOT = report_page._DIRECTORY.parents[2]


def test_page_parts_are_read_from_the_collection() -> None:
    parts = page_template()
    assert parts.html.startswith("<!DOCTYPE html>")
    assert ":root" in parts.css
    assert '"use strict"' in parts.js


def test_page_parts_are_part_of_the_release() -> None:
    ignored = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["build_ignore"]
    assert not {"plugins", "*.html", "*.css", "*.js"} & {*ignored}


def test_the_program_never_reads_markup_or_runs_text() -> None:
    program = page_template().js
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
        assert word not in program, word


def test_each_slot_is_in_a_place_where_its_content_is_safe() -> None:
    """The style and the program must be the whole content of their elements, because the hashes cover all of it."""
    html = page_template().html
    assert "<style><!--slot:style--></style>" in html
    assert "<script><!--slot:program--></script>" in html
    assert re.findall(r"<!--slot:(\w+)-->", html).count("data") == 1
    assert "</s" not in page_template().css + page_template().js
