# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A value that consists of one variable is followed to the text in the inventory."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import (
    follow_variable,
    variable_of,
)

VARIABLES = {
    "text": "plain",
    "number": 83,
    "logins": {"robot": 83, "other": "{{ text }}", "deep": {"er": "x"}},
    "chain": "{{ logins.other }}",
    "loop": "{{ loop }}",
    "token": "{{ lookup('ansible.builtin.env', 'TOKEN') }}",
    "registered": {"changed": False, "failed": False, "stdout": "fresh"},
}


class Vaulted(str):
    """A text that ansible-vault encrypts, as older versions of ansible-core have it."""

    _ciphertext = b"{{ text }}"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("{{ text }}", "text"),
        (" {{- logins.deep.er -}} ", "logins.deep.er"),
        ("{{ text }}x", ""),
        ("{{ text | trim }}", ""),
        ("{{ logins['robot'] }}", ""),
        ("text", ""),
        ("", ""),
        (83, ""),
        (None, ""),
        (Vaulted("{{ text }}"), ""),
    ],
)
def test_only_a_single_variable_has_a_name(written: Any, name: str) -> None:
    assert variable_of(written) == name


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("{{ text }}", "plain"),
        ("{{ number }}", 83),
        ("{{ logins.robot }}", 83),
        ("{{ logins.deep.er }}", "x"),
        ("{{ chain }}", "plain"),
        ("{{ token }}", VARIABLES["token"]),
        *((same, same) for same in ("{{ loop }}", "{{ logins.none }}", "{{ text.more }}", "{{ registered.stdout }}",
                                    "{{ none }}", "", 1)),
    ],
)  # fmt: skip
def test_a_variable_is_followed_to_its_last_value(written: Any, found: Any) -> None:
    assert follow_variable(written, VARIABLES) == found
