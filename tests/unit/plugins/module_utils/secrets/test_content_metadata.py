# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels and annotations that the API server would refuse are not sent, and only missing ones are written."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import SecretMetadata
from support.objects import raised

WANTED = SecretMetadata({"a": "1"}, {"b": "2"}, True)


def refusal(**options: Any) -> str:
    return raised(OptionError, lambda: SecretMetadata.of(options))


def name_refusal(option: str, name: str) -> str:
    return (
        f"option {option!r}: the name {name!r} is not valid: write [prefix/]name, as in example.com/team, with at most 63 letters, "
        "digits, '-', '_' and '.' after the prefix"
    )


class TestOf:
    def test_given_metadata_is_taken_over(self) -> None:
        assert SecretMetadata.of({}) == SecretMetadata({}, {}, None)
        assert SecretMetadata.of({"labels": None, "annotations": {}, "immutable": False}) == SecretMetadata(
            {}, {}, False
        )

    def test_numbers_become_text(self) -> None:
        found = SecretMetadata.of({"labels": {"a": 1}, "annotations": {"b": 2}})
        assert (found.labels, found.annotations) == ({"a": "1"}, {"b": "2"})

    @pytest.mark.parametrize("value", ["", "a", "A.b_c-9", "x" * 63, "x" * 31 + "." + "x" * 31])
    def test_valid_label_values_are_accepted(self, value: str) -> None:
        assert SecretMetadata.of({"labels": {"a": value}}).labels == {"a": value}

    @pytest.mark.parametrize("value", ["x" * 64, "x" * 70, "-a", "a-", "a b", "a\n", "\n", "\u00e4", "a/b", "\0", "."])
    def test_invalid_label_values_are_refused_and_accepted_as_annotations(self, value: str) -> None:
        assert refusal(labels={"a": value}) == (
            "option 'labels': the value of 'a' is not valid: a label value has at most 63 letters, digits, '-', '_' and '.', and begins "
            "and ends with a letter or digit. Use 'annotations' for other text"
        )
        assert SecretMetadata.of({"annotations": {"a": value}}).annotations == {"a": value}

    @pytest.mark.parametrize(
        "name",
        [
            "a", "A.b_c-9", "x" * 63, "example.com/team", "a.b-c.d/x", "1/2", "x/" + "y" * 63, "a" * 253 + "/x", ".".join(["a" * 62] * 4) + "/x",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("option", ["labels", "annotations"])
    def test_valid_names_are_accepted(self, option: str, name: str) -> None:
        assert getattr(SecretMetadata.of({option: {name: "v"}}), option) == {name: "v"}

    @pytest.mark.parametrize(
        "name",
        [
            "", "x" * 64, "x" * 70, "-a", "a_", "a b", "a\n", "a\0", "\u00e4", "/a", "a/", "a/b/c", "a_b/c", "a..b/c", "-a/b", "a-/b",
            "a.-b/c", "a" * 254 + "/x", "x/" + "y" * 64, "\ud800",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("option", ["labels", "annotations"])
    def test_other_names_are_refused(self, option: str, name: str) -> None:
        assert refusal(**{option: {name: "v"}}) == name_refusal(option, name)

    def test_an_upper_case_prefix_is_accepted_only_for_annotations(self) -> None:
        assert SecretMetadata.of({"annotations": {"A.b/C": "v"}}).annotations == {"A.b/C": "v"}
        assert refusal(labels={"A.b/C": "v"}) == name_refusal("labels", "A.b/C")

    @pytest.mark.parametrize("value", [None, True, False, 1.5, ["a"], {"a": "b"}], ids=str)
    @pytest.mark.parametrize("option", ["labels", "annotations"])
    def test_values_must_be_text(self, option: str, value: Any) -> None:
        assert refusal(**{option: {"a": value}}) == f"option {option!r}: the value of 'a' is not text: quote it"

    @pytest.mark.parametrize("option", ["labels", "annotations"])
    def test_values_must_be_unicode(self, option: str) -> None:
        assert refusal(**{option: {"a": "\udce9"}}) == f"option {option!r}: the value of 'a' is not valid Unicode"

    def test_annotations_have_a_limit_together(self) -> None:
        """The names count as well, and the size is in bytes, not in letters."""
        most = {"a": "x" * 131_070, "b": "\u00e4" * 65_536}
        assert SecretMetadata.of({"annotations": most}).annotations == most
        assert refusal(annotations={**most, "a": "x" * 131_071}) == (
            "option 'annotations': they have 262145 bytes, but the maximum for all annotations of an object is 262144: shorten them"
        )


class TestBody:
    def test_the_body_contains_only_given_metadata(self) -> None:
        assert WANTED.body() == {"metadata": {"labels": {"a": "1"}, "annotations": {"b": "2"}}, "immutable": True}
        assert SecretMetadata({"a": "1"}, immutable=False).body() == {
            "metadata": {"labels": {"a": "1"}},
            "immutable": False,
        }
        assert SecretMetadata().body() == {"metadata": {}}


class TestMissing:
    def test_only_missing_metadata_is_returned(self) -> None:
        held = {"metadata": {"labels": {"a": "1", "z": "9"}, "annotations": {"b": "3"}}, "immutable": True}
        assert WANTED.missing(held) == {"annotations": {"b": "2"}}
        assert WANTED.missing({}) == {"labels": {"a": "1"}, "annotations": {"b": "2"}, "immutable": True}
        for odd in (None, 5, ["a"]):
            assert WANTED.missing({"metadata": {"labels": odd}, "immutable": False}) == WANTED.missing({})
        assert SecretMetadata().missing({"metadata": {"labels": {"z": "9"}}, "immutable": True}) == {}

    @pytest.mark.parametrize(
        ("flag", "held"), [(None, True), (None, None), (False, None), (False, False), (True, True)]
    )
    def test_a_matching_immutable_flag_is_not_missing(self, flag: bool | None, held: bool | None) -> None:
        assert SecretMetadata(immutable=flag).missing({"immutable": held}) == {}

    @pytest.mark.parametrize(("flag", "held"), [(False, True), (True, None), (True, False)])
    def test_a_different_immutable_flag_is_missing(self, flag: bool, held: bool | None) -> None:
        assert SecretMetadata(immutable=flag).missing({"immutable": held}) == {"immutable": flag}


class TestLabelled:
    def test_labelled_adds_further_labels(self) -> None:
        found = SecretMetadata({"a": "b"}, {"c": "d"}, True)
        assert found.with_labels({"e": "f"}) == SecretMetadata({"a": "b", "e": "f"}, {"c": "d"}, True)
        assert found.with_labels({}) is found
