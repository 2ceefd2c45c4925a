# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages name an entry by its position, and by its name if it has one."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Entry


@pytest.mark.parametrize(
    ("entry", "shown"),
    [(Entry("secrets", 0), "secrets[0]"), (Entry("links", 12, "quay, other"), "links[12] (quay, other)")],
)
def test_an_entry_is_shown_with_its_title(entry: Entry, shown: str) -> None:
    assert str(entry) == shown
