# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report's page is made of."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.page_parts import PageParts


def test_are_a_value() -> None:
    assert PageParts("a", "b", "c") == PageParts(html="a", css="b", js="c")
