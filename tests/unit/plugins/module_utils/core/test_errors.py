# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the collection are reported in one line, and unexpected errors by kind and place without their text."""

from __future__ import annotations

import re

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import (
    ImagePullError,
    OptionError,
    Refusal,
    call_all,
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
