# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords that are hard to hide, and the check that no form of them appears in a text."""

from __future__ import annotations

import json

from support.objects import b64

CANARIES = ("can:ary:1", "can\"ar'y", "can ary 3", "cänäry-✓", "canary" * 50)


def forms_of(password: str, username: str = "robot") -> list[str]:
    encoded = [b64(password), b64(f"{username}:{password}")]
    return [password, json.dumps(password)[1:-1], *encoded, *(text.rstrip("=") for text in encoded)]


def shown(text: str, password: str, username: str = "robot") -> list[str]:
    """Return the forms of the password that the text contains."""
    return [form for form in forms_of(password, username) if form in text]
