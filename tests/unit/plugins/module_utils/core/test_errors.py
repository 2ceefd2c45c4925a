# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the collection are reported in one line, and unexpected errors by kind and place without their text."""

from __future__ import annotations

import re

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import (
    RIGHTS_PAGE,
    ImagePullError,
    MissingPermission,
    OptionError,
    Refusal,
    call_all,
    describe_missing,
    describe_unexpected,
)


@pytest.mark.parametrize("kind", [OptionError, Refusal])
def test_every_error_of_ours_is_reported_to_the_user(kind: type[Exception]) -> None:
    assert issubclass(kind, ImagePullError)
    assert str(kind("why")) == "why"


def test_option_error_and_refusal_are_separate_kinds_of_error() -> None:
    assert not issubclass(OptionError, Refusal)
    assert not issubclass(Refusal, OptionError)
    assert ImagePullError.__bases__ == (Exception,)


class TestCallAll:
    def test_all_results_are_returned_in_their_order(self) -> None:
        assert call_all(lambda: 1, lambda: None) == [1, None]

    def test_all_problems_of_options_are_reported_together(self) -> None:
        def refuse(text: str) -> None:
            raise OptionError(text)

        with pytest.raises(OptionError, match=r"^one; two$") as refused:
            call_all(lambda: refuse("one"), lambda: 1, lambda: call_all(lambda: refuse("two")))
        assert refused.value.problems == ("one", "two")

    def test_other_errors_are_not_collected(self) -> None:
        with pytest.raises(ZeroDivisionError):
            call_all(lambda: 1 // 0)


class TestUnexpected:
    def test_an_unexpected_error_is_reported_by_kind_and_place_without_its_text(self) -> None:
        def odd() -> None:
            raise KeyError("canary")

        with pytest.raises(KeyError) as found:
            odd()
        assert re.fullmatch(r"KeyError in odd, line \d+ of test_errors\.py", describe_unexpected(found.value))

    def test_an_unexpected_error_that_was_never_raised_is_reported_by_kind(self) -> None:
        assert describe_unexpected(KeyError("canary")) == "KeyError"


class TestPrintable:
    def test_a_message_is_one_line_for_any_content(self) -> None:
        assert str(ImagePullError("secret a/b has type x\x1f\x1b[31m\ny\u202e")) == "secret a/b has type x  [31m y "


# --- A refusal of the API server names the missing permission

LIST = 'pods is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace "a"'

CLUSTER = 'User "u" cannot get resource "images" in API group "config.openshift.io" at the cluster scope'

NAMESPACE = (
    'namespaces "a" is forbidden: User "u" cannot get resource "namespaces" in API group "" in the namespace "a"'
)

TOKEN = 'User "u" cannot create resource "serviceaccounts/token" in API group "" in the namespace "a": RBAC: not found'


@pytest.mark.parametrize(
    ("message", "name", "says"),
    [
        (LIST, "", "list on pods in namespace a"),
        (LIST.replace("list", "get"), "p", "get on pods p in namespace a"),
        (CLUSTER, "cluster", "get on images.config.openshift.io cluster"),
        (NAMESPACE, "a", "get on namespaces a"),
        (TOKEN, "r", "create on serviceaccounts/token r in namespace a"),
    ],
)
def test_a_refusal_is_read_as_the_missing_right(message: str, name: str, says: str) -> None:
    assert str(MissingPermission.of(message, name)) == says


@pytest.mark.parametrize(
    "message",
    [
        'User "u" cannot list pods in project "a"',
        'cannot list resource "po ds" in API group "" in the namespace "a"',
        'cannot list resource "pods" in API group "" in the namespace "a b"',
        "pods is forbidden: exceeded quota",
        "",
    ],
)
def test_any_other_message_names_no_right(message: str) -> None:
    assert MissingPermission.of(message, "") is None


class TestLacking:
    def test_lacking_is_empty_without_needs(self) -> None:
        assert describe_missing([]) == []

    def test_lacking_lists_each_right_once_in_order_with_the_page(self) -> None:
        needs = [
            MissingPermission("list", "pods", "", "b"),
            MissingPermission("get", "secrets", "", "a", "s"),
            MissingPermission("list", "pods", "", "b"),
        ]
        (sentence,) = describe_missing(needs)
        assert "needs get on secrets s in namespace a; list on pods in namespace b. See" in sentence
        assert sentence.endswith(RIGHTS_PAGE)

    def test_lacking_names_three_of_many_similar_rights(self) -> None:
        (sentence,) = describe_missing([MissingPermission("list", "pods", "", f"n{number}") for number in range(5)])
        assert "list on pods in namespace n2 and 2 more. See" in sentence
        assert "n3" not in sentence

    def test_lacking_names_three_rights_without_a_count_of_the_rest(self) -> None:
        (sentence,) = describe_missing([MissingPermission("list", "pods", "", f"n{number}") for number in range(3)])
        assert "n2. See" in sentence
