# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A text in Markdown stays one piece of code in its line or cell, whatever it contains."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.writers import (
    as_code,
    as_code_block,
    as_table,
)
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

RENDERER = MarkdownIt("commonmark").enable("table")


def code_of(markdown: str) -> list[str]:
    """The texts of all pieces of code, and nothing else of a line."""
    _open, inline, _close = RENDERER.parse(markdown)
    assert inline.children is not None
    return [f"{each.type}: {each.content}" for each in inline.children]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("quay.io/team/app:1", "quay.io/team/app:1"),
        ("a`b``c", "a⟨U+0060⟩b⟨U+0060⟩⟨U+0060⟩c"),
        ("a|b\\|c", "a⟨U+007C⟩b\\⟨U+007C⟩c"),
        (" a\n\n# b\r\n- c ", "a # b - c"),
        ("a\u202eb\x1b[31m", "a⟨U+202E⟩b⟨U+001B⟩[31m"),
        ("@everyone [x](https://evil.example) <img src=x>", "@everyone [x](https://evil.example) <img src=x>"),
    ],
)
def test_a_text_is_one_piece_of_code(text: str, shown: str) -> None:
    assert code_of(as_code(text)) == [f"code_inline: {shown}"]


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_an_empty_text_becomes_a_dash(text: str) -> None:
    assert as_code(text) == "-"


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_no_text_leaves_its_code(text: str) -> None:
    line = as_code(text)
    if line != "-":
        assert [each.partition(":")[0] for each in code_of(line)] == ["code_inline"]


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_no_text_leaves_its_cell(one: str, other: str) -> None:
    tokens = RENDERER.parse("\n".join(as_table(("A", "B:"), [(as_code(one), as_code(other))])))
    assert [token.type for token in tokens].count("td_open") == 2
    assert {child.type for token in tokens for child in token.children or ()} <= {"text", "code_inline"}


def test_a_long_text_is_cut() -> None:
    assert as_code("a " * 200, 9) == "`a a a a ...`"
    assert as_code("a" * 200, 5) == "`aaaaa ...`"


def test_a_task_cannot_end_its_block() -> None:
    lines = as_code_block("- name: a\n```\n# not a title\n", "yaml")
    (block,) = RENDERER.parse("\n".join(lines))
    assert (block.type, block.info) == ("fence", "yaml")
    assert block.content == "- name: a\n⟨U+0060⟩⟨U+0060⟩⟨U+0060⟩\n# not a title\n"
