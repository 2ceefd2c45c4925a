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

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleUndefinedVariable
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.in_process import find_undefined
from ..plugin_utils.known_variables import (
    PLAYBOOKS,
    SHORT_NAMES,
    find_invalid_settings,
    problems_of,
    problems_of_command_line,
    settings_of,
)
from ..plugin_utils.launch import explain_problems, extra_variables, supposed_changes


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
        found["problems"] += self._find_invalid_settings(playbook, {**variables, **settings}, given)
        if playbook == "rotate":
            # The check of the role's arguments would print all of them, and no file.
            names = [name for name in extra if name.startswith("credential_rotation_")]
            found["problems"] += find_undefined(names, variables, self._templar)
        if playbook == "what_if":
            found["changes"], found["value_problems"] = supposed_changes(given)
        if playbook == "explain":
            found["value_problems"] = explain_problems(given, str(variables.get("__explain_usage") or "").strip())
        return found

    def _find_invalid_settings(
        self, playbook: str, variables: Mapping[str, Any], given: Mapping[str, Any]
    ) -> Iterator[str]:
        """Yield the problems of switches, numbers and choices of the playbook's role. Ansible's own check would print all variables first."""
        for prefix in PLAYBOOKS[playbook]:
            path = Path(__file__).parents[2] / "roles" / prefix.removesuffix("_") / "meta" / "argument_specs.yml"
            if not path.exists():
                continue
            options = self._loader.load_from_file(str(path))["argument_specs"]["main"]["options"]
            names = [name for name, spec in options.items() if "choices" in spec or spec.get("type") in ("bool", "int")]
            values = {name: self._value(variables[name]) for name in names if name in variables}
            known = {name: value for name, value in values.items() if value is not None}
            short = {name: name.removeprefix(prefix) for name in names}
            yield from find_invalid_settings(
                options, known, {name: short[name] if short[name] in given else name for name in names}
            )

    def _value(self, template: Any) -> Any:
        """Return the value of a variable; None if it needs an undefined one, which the role reports."""
        try:
            return self._templar.template(template)
        except AnsibleUndefinedVariable:
            return None
