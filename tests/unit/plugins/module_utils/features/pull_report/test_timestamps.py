# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that differ only in their times are equal."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.timestamps import (
    is_different,
    mark_time,
    strip_marks,
)

TEXT = f"made {mark_time('2026-11-25T17:10:00Z')}, shown {mark_time('2026-11-25 17:10')} UTC; expires 2026-12-01T00:00:00Z."
SAME = "made 2026-11-25T17:10:00Z, shown 2026-11-25 17:10 UTC; expires 2026-12-01T00:00:00Z."


def test_a_text_is_written_without_marks() -> None:
    assert strip_marks(TEXT) == SAME


@pytest.mark.parametrize(
    ("there", "is_other"),
    [
        (SAME, False),
        (SAME.replace("2026-11-25", "2027-01-02").replace("17:10", "09:59"), False),
        (SAME.replace("2026-12-01", "2026-12-02"), True),
        (SAME + " ", True),
        (SAME[:-1], True),
        (SAME.replace("17:10 UTC", "never UTC"), True),
        ("", True),
        (SAME.replace("made", "Made"), True),
    ],
)
def test_texts_that_differ_only_in_their_times_are_the_same(there: str, is_other: bool) -> None:
    assert is_different(TEXT, there) is is_other


def test_a_text_without_times_is_compared_as_it_is() -> None:
    assert not is_different("a", "a")
    assert is_different("a", "ab")
