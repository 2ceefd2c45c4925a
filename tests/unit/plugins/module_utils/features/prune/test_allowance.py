# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much may be removed at once."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.prune.allowance import Allowance


class TestAllowance:
    @pytest.mark.parametrize(
        ("text", "total", "allowed"),
        [
            ("10%", 0, 0),
            ("10%", 1, 1),
            ("10%", 10, 1),
            ("10%", 11, 2),
            ("10%", 30, 3),
            ("0%", 50, 0),
            ("0.1%", 3000, 3),
            ("33.3%", 1000, 333),
            (" 100 % ", 7, 7),
            ("0", 50, 0),
            ("5", 3, 5),
            ("12", 50, 12),
        ],
    )
    def test_a_number_or_a_share_rounded_up(self, text: str, total: int, allowed: int) -> None:
        assert Allowance.parse(text).of(total) == allowed

    @pytest.mark.parametrize("text", ["", "-1", "few", "101%", "100.1%", "1.5", "%", "10%%", "1e3", "\u0661"])
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(OptionError, match="option 'max_prune': .* is neither a whole number nor a percentage"):
            Allowance.parse(text)

    def test_is_shown_as_it_was_given(self) -> None:
        assert Allowance.parse(" 5% ").text == "5%"
