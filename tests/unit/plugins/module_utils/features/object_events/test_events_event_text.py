# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible never evaluates a text of the cluster as a template."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.text import is_plain
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.events import (
    encode_name,
    escape_templates,
    first_labels,
    valid_labels,
    valid_time,
)
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

HEADER = "#jinja2:variable_start_string:'[%',variable_end_string:'%]'\n[% x %]"


@pytest.mark.parametrize("name", ["a", "system:image-pullers", "Admin_1.b+c@d", "x" * 253])
def test_a_plain_name_is_shown_as_it_is(name: str) -> None:
    assert encode_name(name) == name


@pytest.mark.parametrize(
    "name", ["{{ x }}", HEADER, "", "-a", "a b", "a\n", "é", "!x", "&x", "a/b", "x" * 254, "\ud800"]
)
def test_an_unusual_name_is_shown_as_its_bytes(name: str) -> None:
    shown = encode_name(name)
    assert shown.startswith("hex/") and is_plain(shown) and len(shown) <= 4 + 2 * 253
    assert name.encode("utf-8", "surrogatepass").startswith(bytes.fromhex(shown.removeprefix("hex/")))


@given(st.text(), st.text())
def test_names_stay_different(first: str, second: str) -> None:
    assert is_plain(encode_name(first))
    if first != second and max(len(first.encode("utf-8", "surrogatepass")), len(second.encode())) <= 253:
        assert encode_name(first) != encode_name(second)


@pytest.mark.parametrize(
    ("key", "value", "is_valid"),
    [
        ("a", "b", True),
        ("example.com/A_b.c-d", "B_c.d-e", True),
        ("a", "", True),
        ("a", "x" * 63, True),
        ("a", "x" * 64, False),
        ("a" * 64, "", False),
        ("", "b", False),
        ("/a", "b", False),
        ("a/b/c", "b", False),
        ("A/b", "b", False),
        ("a", "b\n", False),
        ("a\n", "b", False),
        ("a", "{{ b }}", False),
        ("a", HEADER, False),
        ("a", "-b", False),
        ("a", "é", False),
        ("a", 1, False),
        ("a", None, False),
    ],
)
def test_labels_are_those_of_kubernetes(key: str, value: Any, is_valid: bool) -> None:
    assert valid_labels({key: value}) == ({key: value} if is_valid else {})


def test_labels_are_sorted_and_limited_in_number() -> None:
    assert [*valid_labels({"b": "1", "a": "2"})] == ["a", "b"]
    assert [*first_labels({f"l{number}": "" for number in range(101)})] == [f"l{number}" for number in range(100)]


def test_the_labels_of_an_object_are_not_too_long() -> None:
    labels = {f"l{number:02}": "x" * 63 for number in range(100)}
    assert first_labels(labels) == {f"l{number:02}": "x" * 63 for number in range(60)}


@pytest.mark.parametrize("time", ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456Z"])
def test_a_valid_time_is_kept(time: str) -> None:
    assert valid_time(time) == time


@pytest.mark.parametrize(
    "text", ["", "t", "2026-01-01T00:00:00Z\n", "2026-01-01T00:00:00+01:00", "{{ 2026-01-01T00:00:00Z }}"]
)
def test_an_invalid_time_is_left_out(text: str) -> None:
    assert valid_time(text) == ""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("{{ x }}", "?? x ??"),
        (HEADER.replace("\n", "\r\n"), "?jinja2:variable_start_string:'[?',variable_end_string:'?]'??[? x ?]"),
        ({"{{k}}": ["#v", 1, None, True, 1.5]}, {"??k??": ["?v", 1, None, True, 1.5]}),
        (("$a\\",), ["?a?"]),
        (
            'listing of "a" in b: 403 (https://[::1]:6443/x?y=z&a)',
            'listing of "a" in b: 403 (https://[::1]:6443/x?y=z&a)',
        ),
    ],
)
def test_each_character_that_could_be_part_of_a_template_is_a_question_mark(value: Any, shown: Any) -> None:
    assert escape_templates(value) == shown


@given(st.text(alphabet="{}%#[] ax-\n'", max_size=20), st.sampled_from(["{{", "[%", "<<", "#"]))
def test_jinja_finds_nothing_in_any_text(text: str, start: str) -> None:
    shown = escape_templates(text)
    assert {kind for _line, kind, _text in Environment(autoescape=True).lex(shown)} <= {"data"}
    assert not shown.startswith("#") and "\n" not in shown and escape_templates(shown) == shown
