# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only the customized pool manager opens connections of the new class, for every scheme."""

from __future__ import annotations

import urllib3
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.connection_classes import (
    customize_connections,
)


class Before:
    pass


def test_open_with_sets_the_parts_and_bases_of_one_pool_manager_only() -> None:
    mine, other = urllib3.PoolManager(), urllib3.PoolManager()
    before = dict(other.pool_classes_by_scheme)
    customize_connections(mine, {"part": 1}, Before)
    for scheme in ("http", "https"):
        made, plain = mine.pool_classes_by_scheme[scheme].ConnectionCls, before[scheme].ConnectionCls
        assert made.part == 1
        assert made.__mro__[1:3] == (Before, plain)
        assert made.__name__ == plain.__name__
    assert other.pool_classes_by_scheme == before
