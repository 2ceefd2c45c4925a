# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two declarations that contradict each other are named by position."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.contradictions import Contradiction


def test_two_are_the_same_when_all_is() -> None:
    assert Contradiction(0, 1, "what") == Contradiction(0, 1, "what")
    assert len({Contradiction(0, 1, "what"), Contradiction(0, 1, "what"), Contradiction(1, 0, "what")}) == 2
