# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON is accepted exactly when Go accepts it, and split into members without losing a byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig import json_text
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.json_text import (
    EMPTY,
    InvalidContent,
    Member,
    Object,
)
from hypothesis import given
from hypothesis import strategies as st
from support.objects import raised

SPACES = st.text(" \t\n\r", max_size=2)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


def refusal(text: str) -> str:
    return raised(InvalidContent, lambda: json_text.value_of(text))


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


class TestValueOf:
    @pytest.mark.parametrize(
        "text",
        [
            "{}", "[]", "{ }", "[ ]", "null", "true", "false", '""', "0", "-0", "10", "1.50", "-1.5e-10", "1E+400", "9" * 5000,
            '{"a":1}', '{"a" : [1, {"b":null}, "c"] , "a":{}}', "[[],{}]", '{"a":{},"b":[]}',
            r'"\"\\\/\b\f\n\r\t\u00e4\uD83D"', '"\x7f ä ✓ \udce9"', "[1,2]", '["a","b"]',
            nested(10_000), '{"a":' * 9_999 + "{}" + "}" * 9_999,
        ],
    )  # fmt: skip
    def test_value_of_accepts_json_that_go_accepts(self, text: str) -> None:
        assert json_text.value_of(text) == text

    @pytest.mark.parametrize(
        ("text", "column"),
        [
            ("", 1), ("   ", 4), ("x", 1), ("{", 2), ("[", 2), ("}", 1), ("]", 1), ("{]", 2), ("[}", 2), ("[1}", 3), ('{"a":1]', 7),
            ("01", 2), ("-", 1), ("+1", 1), (".5", 1), ("1.", 2), ("1e", 2), ("0x1", 2), ("NaN", 1), ("Infinity", 1), ("-Infinity", 1),
            ("nul", 1), ("True", 1), ("truefalse", 5), ("'a'", 1), ('"a', 1), ('"\\x"', 1), ('"\\u12G4"', 1), ('"\\u123"', 1),
            ('"a\x1f"', 1), ('"a\tb"', 1), ("[1,]", 4), ("[,1]", 2), ("[1 2]", 4), ('{"a":1,}', 8), ('{,"a":1}', 2), ('{"a"}', 2),
            ('{"a":}', 6), ('{"a":1 "b":2}', 8), ("{a:1}", 2), ("{1:1}", 2), ('{"a":1}x', 8), ('{"a":1} {}', 9), ("{}\0", 3), ("\xa0{}", 1),
            ("//\n{}", 1), ("\uff11", 1), ("[\u0661]", 2),
        ],
    )  # fmt: skip
    def test_value_of_refuses_json_that_go_refuses_and_names_the_column(self, text: str, column: int) -> None:
        assert refusal(text) == f"is not valid JSON at line 1, column {column}"

    @pytest.mark.parametrize(
        ("text", "place"),
        [("\n", "line 2, column 1"), ("{\n\n  x}", "line 3, column 3"), ('{"a":\n1,\n}', "line 3, column 1")],
    )
    def test_errors_count_lines_and_columns_from_one(self, text: str, place: str) -> None:
        assert refusal(text) == f"is not valid JSON at {place}"

    @pytest.mark.parametrize("text", [nested(10_001), '{"a":' * 10_001, "[" * 100_000])
    def test_json_that_is_nested_deeper_than_go_reads_is_refused(self, text: str) -> None:
        assert refusal(text) == "is not valid JSON: it is nested more than 10000 levels deep"

    def test_a_byte_order_mark_is_named(self) -> None:
        assert refusal("\ufeff{}") == "is not valid JSON: it begins with a byte order mark"

    @pytest.mark.parametrize("character", ["\ud800", "\udbff", "\udc00", "\udc7f", "\udd00", "\udfff"])
    def test_surrogates_that_represent_no_byte_are_refused(self, character: str) -> None:
        assert refusal(f'"{character}"') == "is not valid Unicode"

    @pytest.mark.parametrize("character", ["\udc80", "\udcff", "\ud7ff", "\ue000"])
    def test_a_byte_that_is_not_utf8_is_accepted(self, character: str) -> None:
        assert json_text.value_of(f'"{character}"') == f'"{character}"'

    def test_value_of_removes_the_white_space_around_a_value(self) -> None:
        assert json_text.value_of(" \t\r\n{ } \t\r\n") == "{ }"

    @given(JSON, SPACES, st.booleans())
    def test_value_of_accepts_all_json_that_python_writes(self, data: Any, space: str, ascii_only: bool) -> None:
        text = json.dumps(data, ensure_ascii=ascii_only, separators=(f"{space},{space}", f"{space}:{space}"))
        assert json_text.value_of(f"{space}{text}{space}") == text

    @given(st.text('{}[]:,"\\ \n0123456789-+.eEntrufalsx\u00e9', max_size=12))
    def test_value_of_agrees_with_python_on_short_texts(self, text: str) -> None:
        """The tables above hold the texts that only one of them accepts."""
        try:
            json.loads(text, parse_constant=pytest.fail)
        except ValueError:
            refusal(text)
        else:
            json_text.value_of(text)


class TestObject:
    TEXT = '{ "a" : 1,\n  "b\\u00e9":{"c": [1, 2]} , "a":null\t}'

    def test_an_object_has_its_members_in_order_as_written(self) -> None:
        assert Object.parse(self.TEXT) == Object(
            "{ ",
            (
                Member("a", '"a" : ', "1", ""),
                Member("bé", '"b\\u00e9":', '{"c": [1, 2]}', ",\n  "),
                Member("a", '"a":', "null", " , "),
            ),
            "\t}",
        )

    @pytest.mark.parametrize("text", [TEXT, "{}", "{ \n}", '{"a":{}}', '{"\udce9":"\udce9"}'])
    def test_the_text_of_an_object_equals_its_source(self, text: str) -> None:
        assert Object.parse(text).text == text

    @given(st.dictionaries(st.text(), JSON, max_size=5), SPACES)
    def test_an_object_loses_no_member(self, data: dict[str, Any], space: str) -> None:
        text = json.dumps(data, separators=(f"{space},{space}", f"{space}:{space}"))
        found = Object.parse(text)
        assert found.text == text
        assert {item.name: json.loads(item.value) for item in found.members} == data

    def test_null_is_the_empty_object(self) -> None:
        assert Object.parse("null") == EMPTY == Object("{", (), "}")

    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            ("[]", "a list"),
            ('"a"', "a string"),
            ("true", "true or false"),
            ("false", "true or false"),
            ("1", "a number"),
            ("-1", "a number"),
        ],
    )
    def test_a_value_of_another_kind_is_not_an_object(self, value: str, kind: str) -> None:
        assert json_text.kind_name(value) == kind
        with pytest.raises(InvalidContent, match=f"^is {kind}, not an object$"):
            Object.parse(value)

    @pytest.mark.parametrize(("value", "kind"), [("{}", "an object"), ("null", "null")])
    def test_kind_names_objects_and_null(self, value: str, kind: str) -> None:
        assert json_text.kind_name(value) == kind

    @pytest.mark.parametrize(
        ("text", "kept", "after"),
        [
            ('{ "a":1 ,"b":2,\n"c":3 }', "abc", '{ "a":1 ,"b":2,\n"c":3 }'),
            ('{ "a":1 ,"b":2,\n"c":3 }', "ac", '{ "a":1,\n"c":3 }'),
            ('{ "a":1 ,"b":2,\n"c":3 }', "bc", '{ "b":2,\n"c":3 }'),
            ('{ "a":1 ,"b":2,\n"c":3 }', "c", '{ "c":3 }'),
            ('{ "a":1 ,"b":2,\n"c":3 }', "", "{  }"),
        ],
    )
    def test_an_object_without_some_members_keeps_the_text_of_the_others(
        self, text: str, kept: str, after: str
    ) -> None:
        found = Object.parse(text)
        assert found.having(item for item in found.members if item.name in kept).text == after

    @pytest.mark.parametrize(
        ("text", "after"),
        [
            ("{}", '{"new": 0}'),
            ("{ }", '{ "new": 0}'),
            ('{\n"a":1\n}', '{\n"a":1, "new": 0\n}'),
            ('{\n"a":1,\n"b":2\n}', '{\n"a":1,\n"b":2,\n"new": 0\n}'),
            ('{"a":1 ,"b":2,\t"c":3}', '{"a":1 ,"b":2,\t"c":3,\t"new": 0}'),
        ],
    )
    def test_a_new_member_is_separated_like_the_last_one(self, text: str, after: str) -> None:
        found = Object.parse(text)
        assert found.having([*found.members, json_text.member("new", "0")]).text == after

    def test_the_name_of_a_new_member_is_escaped(self) -> None:
        assert json_text.member('a"é', "0") == Member('a"é', r'"a\"\u00e9": ', "0", "")

    def test_the_repr_shows_no_value(self) -> None:
        assert "canary" not in repr(Object.parse('{"a": "canary"}')) + repr(json_text.member("a", "canary"))


class TestString:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ('"a"', "a"),
            (r'"\u00e9\n"', "é\n"),
            (r'"\ud83d\ude00"', "😀"),
            (r'"\ud83d"', "\ufffd"),
            (r'"\ud83d\ud83d\ude00"', "\ufffd😀"),
            ('"r\udce9n\udcff"', "r\ufffdn\ufffd"),
            (r'"\udce9"', "\ufffd"),
        ],
    )
    def test_string_returns_the_text_that_go_reads(self, value: str, text: str) -> None:
        assert json_text.decode_string(value) == text

    @pytest.mark.parametrize(
        ("value", "bad"), [('"é"', False), (r'"\ud83d\ude00"', False), ('"\udce9"', True), (r'"\ud83d"', True)]
    )
    def test_text_that_go_reads_differently_is_recognised(self, value: str, bad: bool) -> None:
        assert json_text.has_bad_text(value) is bad


class TestHugeNumber:
    @pytest.mark.parametrize("value", ["1e999", "-1e309", "9" * 5000, '{"a": [1, {"b": 1e400}]}', '["1", 2e308]'])
    def test_a_huge_number_is_found_at_any_depth(self, value: str) -> None:
        assert json_text.has_huge_number(value) is True

    @pytest.mark.parametrize("value", ["1e308", "1e-999", '"1e999"', '{"1e999": "\\"1e999"}', "[]", "9" * 308, "null"])
    def test_any_other_value_is_not_a_huge_number(self, value: str) -> None:
        assert json_text.has_huge_number(value) is False


class TestFold:
    @pytest.mark.parametrize("name", ["auths", "Auths", "AUTHS", "auth\u017f"])
    def test_fold_makes_names_equal_that_go_treats_as_equal(self, name: str) -> None:
        assert json_text.fold_name(name) == "auths"

    @pytest.mark.parametrize("name", ["auth", "auths ", "paßword", "åuths"])
    def test_fold_keeps_other_names_different(self, name: str) -> None:
        assert json_text.fold_name(name) not in ("auths", "password")
