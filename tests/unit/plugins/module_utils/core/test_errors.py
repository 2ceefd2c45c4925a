# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The root of the errors: what is reported to the user in one line, and what is not."""

from __future__ import annotations

import re

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import (
    ImagePullError,
    OptionError,
    Refusal,
    printable,
    unexpected,
)


@pytest.mark.parametrize("kind", [OptionError, Refusal])
def test_all_are_reported_to_the_user(kind: type[Exception]) -> None:
    assert issubclass(kind, ImagePullError)
    assert str(kind("why")) == "why"


def test_the_library_ones_are_not() -> None:
    assert not issubclass(OptionError, Refusal)
    assert not issubclass(Refusal, OptionError)
    assert ImagePullError.__bases__ == (Exception,)


class TestUnexpected:
    def test_says_what_and_where_and_not_what_it_says(self) -> None:
        def odd() -> None:
            raise KeyError("canary")

        with pytest.raises(KeyError) as found:
            odd()
        assert re.fullmatch(r"KeyError in odd, line \d+ of test_errors\.py", unexpected(found.value))

    def test_of_one_that_was_never_raised(self) -> None:
        assert unexpected(KeyError("canary")) == "KeyError"


class TestPrintable:
    def test_a_message_is_one_line_whatever_an_object_holds(self) -> None:
        assert str(ImagePullError("secret a/b has type x\x1f\x1b[31m\ny\u202e")) == "secret a/b has type x  [31m y "
        assert printable("as it is, é") == "as it is, é"
