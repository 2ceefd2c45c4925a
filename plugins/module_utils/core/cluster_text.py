# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognizes plain text, which means the same to YAML, Jinja, Ansible and a terminal. Pure.

Users of a cluster choose its text. A list of possible templates would never be complete. For example, Ansible reads other delimiters
from the first line of a text. So plain text is defined by its allowed characters.
"""

from __future__ import annotations

import re

from .names import LONGEST_NAME

__all__ = ["is_object_name", "is_plain"]

#: None of these characters begins a template, a tag, an anchor, a comment or a quoted text.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]*\Z")


def is_plain(text: str) -> bool:
    """Whether the text has only ASCII letters, digits and `._/:@+-`, and begins with a letter or a digit. Empty text is not plain.

    Ansible must not evaluate any other text: it is written with the tag `!unsafe`, or left out.
    """
    return bool(_PLAIN.match(text))


def is_object_name(text: str) -> bool:
    """Whether the text is plain and can name an object, including names of roles and role bindings such as `system:image-pullers`."""
    return len(text) <= LONGEST_NAME and "/" not in text and is_plain(text)
