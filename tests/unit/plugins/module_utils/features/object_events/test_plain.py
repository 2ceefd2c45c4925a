# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No text of a cluster is a template to Ansible."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.plain import plain
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("{{ x }}", "{ { x }}"),
        ("{% x %}", "{ % x %}"),
        ("{# x #}", "{ # x #}"),
        ("{{{%", "{ { { %"),
        ("{a: {b}}", "{a: {b}}"),
        ({"{{k}}": ["{{v}}", 1, None, True]}, {"{ {k}}": ["{ {v}}", 1, None, True]}),
        (("{{a}}",), ["{ {a}}"]),
    ],
)
def test_what_begins_a_template(value: Any, shown: Any) -> None:
    assert plain(value) == shown


@given(st.text(alphabet="{}%# ax-\n"))
def test_jinja_finds_nothing_in_any_text(text: str) -> None:
    kinds = {kind for _line, kind, _text in Environment(autoescape=True).lex(plain(text))}
    assert kinds <= {"data"}
    assert plain(plain(text)) == plain(text)
