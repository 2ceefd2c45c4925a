# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's time is real unless a test says otherwise."""

from __future__ import annotations

import time

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.clock import Clock


def test_is_the_systems() -> None:
    assert (Clock().now, Clock().sleep) == (time.monotonic, time.sleep)
