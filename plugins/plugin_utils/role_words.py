# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Translate messages of a module for the users of a role or playbook, who know its variables and not the options of the module."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import KNOWN

__all__ = ["translate_result"]

#: One or more options: `option 'a'`, `options 'a', 'b' and 'c'`, `in 'a'`.
_NAMES = re.compile(r"\b(options?|in|name it in|set) ('\w+'(?:(?:, | and | or )'\w+')*)")
#: An item of an option that is a list, or a member of an option: `option 'a[0]'`, `option 'a.b'`.
_ITEM = re.compile(r"\boption '(\w+)(\[\d+\]|\.\w+)'")
#: Options that a role gives to all entries of a task: they are never members of an entry.
_OF_TASKS = re.compile(r"options? '(?:owner|adopt)'")
#: The beginning of the next problem in a message with several problems. Problems within an entry begin with the entry.
_PROBLEM = re.compile(r"; (?=options? ')")
#: An option in a message of Ansible, such as `value of state must be one of: present, absent`.
_VALUE = re.compile(r"\bvalue of (\w+)(?= must be one )")
#: The position in a list. Only one letter of the name is matched: matching the whole name would take minutes in a long text.
_ENTRY = re.compile(r"\w\[\d+\]")


def translate_result(role: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result with the variables of a role instead of the options of its module, in the message and the warnings.

    Without a role, use the variables of the playbooks. Names after an entry of a list are members of the entry, and stay unchanged.
    """
    changed = dict(result)
    if isinstance(result.get("msg"), str):
        changed["msg"] = _translate_text(role, result["msg"])
    if isinstance(result.get("warnings"), list):
        changed["warnings"] = [
            _translate_text(role, text) if isinstance(text, str) else text for text in result["warnings"]
        ]
    return changed


def _translate_text(role: str, text: str) -> str:
    return "; ".join(_translate_problem(role, each) for each in _PROBLEM.split(text))


def _translate_problem(role: str, text: str) -> str:
    text = _ITEM.sub(lambda found: _item(role, found), text)
    entry = _ENTRY.search(text)
    members = entry.end() if entry else len(text)
    text = _NAMES.sub(
        lambda found: _variables(role, found) if found.start() < members or _OF_TASKS.fullmatch(found[0]) else found[0],
        text,
    )
    return text if entry else _VALUE.sub(lambda found: f"value of {_variable(role, found[1]) or found[1]}", text)


def _variables(role: str, found: re.Match[str]) -> str:
    names = re.findall(r"'(\w+)'", found[2])
    known = {name: _variable(role, name) for name in names}
    if not all(known.values()):
        return found[0]
    word = {"option": "variable", "options": "variables"}.get(found[1], found[1])
    variables = re.sub(r"'(\w+)'", lambda name: known[name[1]], found[2])
    return f"{word} {variables}"


def _item(role: str, found: re.Match[str]) -> str:
    name = _variable(role, found[1])
    return f"variable {name}{found[2]}" if name else found[0]


def _variable(role: str, option: str) -> str:
    """Return the variable for an option; empty if there is none."""
    prefixes = (f"{role}_", "image_pull_") if role else ("image_pull_", "image_pull_export_")
    return next((prefix + option for prefix in prefixes if prefix + option in KNOWN), "")
