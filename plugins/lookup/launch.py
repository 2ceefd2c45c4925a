# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: launch
short_description: Check the variables of a job in AWX
version_added: 1.0.0
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
description:
  - Fails if the command line gives a variable that is not allowed, even if Ansible itself uses it, such as C(ansible_connection). Variables
    of AWX, which begin with C(awx_) or C(tower_), are allowed. Users who launch jobs in bulk through the API of AWX can give each job any
    variable, whatever its survey asks for.
  - The playbooks in C(extensions/awx/project) begin with this plugin. It needs no connection, and no variable changes its result. Write the
    allowed variables as a literal, because a variable could be overridden.
  - It also seals the plan of a rotation for a later job of the same workflow. The key is in the file that the environment variable
    C(IMAGE_PULL_PLAN_KEY_FILE) names.
options:
  _terms:
    description:
      - The allowed variables. The value of each is the kind of its answer, V(text), V(number), V(list) or V(any), or the list of its choices.
        A blank answer is always allowed.
    type: list
    elements: dict
  seal:
    description: Returns this plan as sealed text instead.
    type: dict
  unseal:
    description:
      - Returns instead the plan of this host from the variable with this name, which has the sealed text of each host in C(sealed). Returns
        an empty text if the variable is not defined.
      - Fails if no earlier job of the same workflow run has sealed it.
    type: str
"""

EXAMPLES = r"""
- name: Accept only the answers to the survey
  ansible.builtin.assert:
    that: >-
      query('openshift_ops.image_pull.launch', {'remove_undeclared': ['no', 'yes']}) == []
    quiet: true
"""

RETURN = r"""
_raw:
  description: Nothing, the sealed text, or the plan.
  type: list
  elements: raw
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.launch import PlanSeal, extra_variables, launch_problems


class LookupModule(LookupBase):  # type: ignore[misc]
    """Compare the extra variables of the command line with the allowed ones, or seal and unseal a plan."""

    def run(self, terms: list[Any], variables: Mapping[str, Any] | None = None, **options: Any) -> list[Any]:
        variables = variables or {}
        self.set_options(var_options=variables, direct=options)
        if (plan := self.get_option("seal")) is not None:
            return [_seal(variables).seal(plan)]
        if name := self.get_option("unseal"):
            return [_unseal(variables, name)]
        asked = {name: kind for term in terms for name, kind in term.items()}
        if problems := launch_problems(extra_variables(self._loader), asked):
            raise AnsibleLookupError(f"nothing was read or changed: {'; '.join(problems)}")
        return []


def _seal(variables: Mapping[str, Any]) -> PlanSeal:
    """Return the seal of this job. AWX sets the number of the workflow only in its jobs, so a relaunched job could have another one."""
    is_in_workflow = variables.get("awx_job_launch_type") == "workflow"
    workflow = str(variables.get("awx_workflow_job_id", "")) if is_in_workflow else ""
    path = os.environ.get("IMAGE_PULL_PLAN_KEY_FILE", "")
    return PlanSeal(Path(path).read_bytes().strip() if path else b"", workflow, str(variables["inventory_hostname"]))


def _unseal(variables: Mapping[str, Any], name: str) -> Any:
    if name not in variables:
        return ""
    plans, seal = variables[name], _seal(variables)
    plan = plans.get(seal.host) if isinstance(plans, Mapping) else None
    try:
        return seal.unseal(plan.get("sealed") if isinstance(plan, Mapping) else None)
    except ValueError as error:
        raise AnsibleLookupError(f"nothing was changed: the plan for {seal.host} is not trusted: {error}") from None
