# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: command_line
short_description: Read the extra variables for a playbook of this collection
version_added: 1.0.0
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
description:
  - The playbooks of this collection use this plugin. It returns the variables without a prefix that the playbook has for the command line,
    and the sentences about unknown variables.
  - Only extra variables count, which in AWX are the answers of a survey. An inventory can have variables of the same names.
options:
  _terms:
    description: The name of the playbook, such as V(what_if).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show the unknown variables
  ansible.builtin.debug:
    msg: "{{ lookup('openshift_ops.image_pull.command_line', 'what_if').problems }}"
"""

RETURN = r"""
_raw:
  description:
    - For each playbook, a dictionary with the variables in C(given), those of its role in C(settings) with the prefix of the role, and the
      sentences in C(problems). A blank answer counts as not given.
    - For V(what_if), C(changes) are the changes that they mean. C(value_problems) are the problems of the values of V(what_if) and V(explain).
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible.plugins.lookup import LookupBase

from ..plugin_utils.in_process import find_undefined
from ..plugin_utils.known_variables import SHORT_NAMES, problems_of, problems_of_command_line, settings_of
from ..plugin_utils.launch import explain_problems, extra_variables, level_problems, supposed_changes


class LookupModule(LookupBase):  # type: ignore[misc]
    """Compare the extra variables with those of a playbook."""

    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None, **_options: Any) -> list[Any]:
        return [self._read(playbook, extra_variables(self._loader), variables or {}) for playbook in terms]

    def _read(self, playbook: str, extra: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        short = {name: self._templar.template(extra[name]) for name in SHORT_NAMES.get(playbook, ()) if name in extra}
        given = {name: value for name, value in short.items() if value not in ("", None)}
        problems = problems_of_command_line(playbook, extra, variables, self._templar)
        found: dict[str, Any] = {
            "given": given,
            "settings": (settings := settings_of(playbook, given)),
            "problems": [*problems_of({**variables, **settings}, self._templar), *problems],
        }
        if playbook == "audit":
            found["problems"] += level_problems(playbook, given)
        if playbook == "rotate":
            # The check of the role's arguments would print all of them, and no file.
            names = [name for name in extra if name.startswith("credential_rotation_")]
            found["problems"] += find_undefined(names, variables, self._templar)
        if playbook == "what_if":
            found["changes"], found["value_problems"] = supposed_changes(given)
        if playbook == "explain":
            found["value_problems"] = explain_problems(given, str(variables.get("__explain_usage") or "").strip())
        return found
