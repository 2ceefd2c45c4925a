# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit is a number or a percentage of all."""

from __future__ import annotations

from fractions import Fraction

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Limit, OptionError


class TestLimit:
    @pytest.mark.parametrize(
        ("text", "total", "meant"),
        [
            ("0", 9, 0),
            ("3", 9, 3),
            ("12", 9, 12),
            ("0%", 50, 0),
            ("100%", 9, 9),
            (" 5 % ", 1000, 50),
            ("10%", 0, 0),
            ("10%", 11, Fraction(11, 10)),
            ("33.3%", 1000, 333),
            # With floating-point numbers, the result is slightly less than 57.
            ("0.57%", 10000, 57),
        ],
    )
    def test_a_limit_is_a_number_or_an_exact_share(self, text: str, total: int, meant: Fraction) -> None:
        assert Limit.parse("max_prune", text).of(total) == meant

    @pytest.mark.parametrize(
        "text", ["", "-1", "few", "1.5", "101%", "100.1%", "%", "5%%", "1e3", "\u0661", "9" * 5000]
    )
    def test_any_other_limit_is_refused(self, text: str) -> None:
        expected = (
            r"^option 'max_prune': '.{0,40}' is neither a whole number nor a percentage from 0% to 100%, such as '5%'$"
        )
        with pytest.raises(OptionError, match=expected):
            Limit.parse("max_prune", text)

    def test_a_limit_is_shown_as_given(self) -> None:
        assert Limit.parse("max_prune", " 5% ").text == "5%"
