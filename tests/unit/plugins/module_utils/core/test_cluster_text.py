# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of a cluster is plain by a list of allowed characters, not by a list of forbidden ones."""

from __future__ import annotations

import string
import sys

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.cluster_text import is_object_name, is_plain

_FIRST = {*string.ascii_letters, *string.digits}
_FURTHER = {*_FIRST, *"._/:@+-"}


def test_plain_text_begins_with_these_characters_only() -> None:
    assert {character for character in map(chr, range(sys.maxunicode + 1)) if is_plain(character)} == _FIRST


def test_plain_text_has_these_characters_only() -> None:
    found = {character for character in map(chr, range(sys.maxunicode + 1)) if is_plain(f"a{character}")}
    assert found == _FURTHER


@pytest.mark.parametrize(
    "text", ["quay.io/team/app:v1", "robot@example.com", "a" * 100_000, "0", "1e3", "+".join("ab")]
)
def test_plain_text_is_recognised(text: str) -> None:
    assert is_plain(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n",
        "\na",
        "a b",
        "{{ a }}",
        "#jinja2:variable_start_string:'[%'\n",
        "!unsafe",
        "&a",
        "*a",
        "~",
        "-a",
        "ä",
        "a\ufeff",
    ],
)
def test_text_that_is_not_plain_is_recognised(text: str) -> None:
    assert not is_plain(text)


class TestIsObjectName:
    @pytest.mark.parametrize("name", ["a", "private-registry", "system:image-pullers", "Admin_1", "a" * 253])
    def test_names_of_objects_are_recognised(self, name: str) -> None:
        assert is_object_name(name)

    @pytest.mark.parametrize("name", ["", "a/b", "a" * 254, "a\n", "a b", "{{ a }}", "..", "."])
    def test_text_that_cannot_be_the_name_of_an_object_is_recognised(self, name: str) -> None:
        assert not is_object_name(name)
