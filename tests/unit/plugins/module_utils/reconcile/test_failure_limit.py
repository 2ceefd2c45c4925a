# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many namespaces may fail."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.reconcile.failure_limit import FailureLimit


class TestFailureLimit:
    @pytest.mark.parametrize(
        ("text", "total", "limit"),
        [
            (None, 9, None),
            ("0", 9, 0),
            ("3", 9, 3),
            (" 5 % ", 1000, 50),
            ("0.5%", 1000, 5),
            ("100%", 9, 9),
            ("10%", 9, 0),
        ],
    )
    def test_a_number_or_a_share(self, text: str, total: int, limit: int) -> None:
        assert FailureLimit.parse(text).of(total) == limit

    @pytest.mark.parametrize("text", ["", "-1", "1.5", "101%", "%", "few", "5%%"])
    def test_refuses_anything_else(self, text: str) -> None:
        with pytest.raises(OptionError, match=r"^option 'max_failures': "):
            FailureLimit.parse(text)
