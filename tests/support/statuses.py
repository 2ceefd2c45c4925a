# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds HTTP statuses in a message, without the digits of ports."""

from __future__ import annotations

import re


def times_said(message: str, status: int) -> int:
    """Count how often `message` names `status`. The port of a server may contain the same digits: 33401."""
    return len(re.findall(rf"(?<![\w.:]){status}(?!\w)", message))
