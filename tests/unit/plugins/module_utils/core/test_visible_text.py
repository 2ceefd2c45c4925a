# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that others wrote is made safe for a terminal."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.visible_text import (
    MOST,
    escape_invisible,
    make_visible,
)
from hypothesis import given
from hypothesis import strategies as st


def test_plain_text_stays_unchanged() -> None:
    assert escape_invisible("a é \u05d0\n\tb") == "a é \u05d0\n\tb"


def test_control_and_invisible_characters_become_numbers() -> None:
    steering = "a\x1b[2J\x9b\r\u202e\u2066\u200b\u2028\ud800\x00\ue000\U000e0041"
    numbers = "1B> 9B> D> 202E> 2066> 200B> 2028> D800> 0> E000> E0041>"
    written = [f"⟨U+{number.rstrip('>').zfill(4)}⟩" for number in numbers.split()]
    assert escape_invisible(steering) == f"a{written[0]}[2J{''.join(written[1:])}"


@given(st.text())
def test_any_text_becomes_printable_except_for_line_ends_and_tabs(text: str) -> None:
    found = escape_invisible(text)
    assert found.replace("\n", "").replace("\t", "").isprintable()
    assert escape_invisible(found) == found
    found.encode("utf-8")


def test_a_visible_value_is_returned_unchanged() -> None:
    value = {"changes": [{"name": "a"}], "count": 3, "msg": "x" * MOST}
    assert make_visible(value) is value


def test_texts_and_keys_within_a_value_are_made_visible() -> None:
    value = {"changes": [{"name": "a\x1b"}], "q.io/\u202e": ["b"], "count": 3}
    assert make_visible(value) == {"changes": [{"name": "a⟨U+001B⟩"}], "q.io/⟨U+202E⟩": ["b"], "count": 3}


def test_a_long_text_is_cut_and_counted() -> None:
    assert make_visible(["x" * (MOST + 1)]) == [f"{'x' * MOST} ... (1 more characters)"]
    (found,) = make_visible(["\x1b" * 1_000_000])
    assert found.endswith("⟨U+001B⟩ ... (934,464 more characters)")
