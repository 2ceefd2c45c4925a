# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module that takes a list of entries, with valid and invalid options, for tests of both ways to run a module."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import ListForm

__all__ = ["FORM", "INVALID", "LISTED"]

_DECLARATION: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "namespaces": {"type": "list", "elements": "str"},
    "count": {"type": "int", "default": 1},
    "password": {"type": "str", "no_log": True},
}
FORM: ListForm[Any] = ListForm(
    "things",
    "name",
    kind=SECRET,
    arguments=_DECLARATION,
    declare=lambda _options, _read_file: None,
    contradictions=lambda _declared: (),
)
LISTED: dict[str, Any] = {"name": {"type": "str"}, FORM.option: FORM.spec}
#: Two of four entries are invalid, each in two ways.
INVALID = [
    {"name": "one", "namespaces": ["a"]},
    {"name": "two", "count": "canary-1", "passwrod": "canary-2"},
    {"name": "three", "password": "canary-3"},
    {"name": "Canary-4", "count": "canary-5", "namespaces": {"canary-6": "canary-7"}, "password": "xyz"},
]
