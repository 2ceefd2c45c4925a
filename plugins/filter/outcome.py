# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: outcome
short_description: Decide whether the steps after these may run
version_added: 1.0.0
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
description:
  - Reads registered results of this collection's modules. The roles and playbooks of the collection use this filter between their steps.
options:
  _input:
    description: The registered results, in any order. Results of tasks that did not run are ignored.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Link the secrets even if some of them could not be written
  openshift_ops.image_pull.sa_link:
    namespaces: [project-a, project-b]
    secrets: [team-registry]
  when: ([written] | openshift_ops.image_pull.outcome).goes_on
"""

RETURN = r"""
_value:
  description:
    - C(goes_on) is false if a task rejected its options or was stopped. It is true if tasks failed in some namespaces only.
    - C(not_applied) are the namespaces in which a task failed or did nothing.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.result_lines import outcome_of


class FilterModule:
    """The filter `outcome`."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"outcome": outcome_of}
