# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: result_line
short_description: Summarize the result of a playbook in one line
version_added: 1.0.0
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
description:
  - Counts the changes and failures in registered results of this collection's modules. The playbooks of the collection end with such a
    line.
  - The line contains counts, and names that the operator gave, such as files. It contains no text from a cluster.
positional: kind
options:
  _input:
    description:
      - The registered results, in any order. Results of tasks that did not run are ignored.
      - With V(audit), V(explain), V(images) and V(export), the result of one task.
    type: raw
    required: true
  kind:
    description:
      - V(audit) for a report, V(what_if) for the answers to what-if questions, V(idle_changes) for
        the changes of these that name objects which no cluster has, V(explain) for explained containers, V(images) for images in use,
        V(export) for variables that describe a cluster, V(account) for an automation account, V(nodes) for the pull secret of the nodes,
        V(verify) for the verification of logins.
    type: str
    choices: [audit, what_if, idle_changes, explain, images, export, account, nodes, verify]
    required: true
  check_mode:
    description: Whether the tasks ran in check mode. The line then reports the changes that a real run would make. Not for V(audit).
    type: bool
  rolled_out:
    description: With V(nodes), whether the nodes have the pull secret. Null if that is not known.
    type: bool
  asked:
    description: With V(explain) and V(what_if), whether the registries were asked.
    type: bool
  page:
    description: With V(what_if), the path of the page.
    type: str
  account:
    description: With V(account), the account.
    type: str
  manifests:
    description: With V(account), the file to which the objects were written.
    type: str
"""

EXAMPLES = r"""
- name: Result
  ansible.builtin.debug:
    msg: "{{ [verified] | openshift_ops.image_pull.result_line('verify') }}"
"""

RETURN = r"""
_value:
  description: The line.
  type: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils.result_lines import LINES


def result_line(results: Any, kind: str, **facts: Any) -> str:
    """Return the line of a kind of playbook. :raises AnsibleFilterError: for an unknown kind."""
    line = LINES.get(kind)
    if line is None:
        raise AnsibleFilterError(f"result_line: the kind is one of {', '.join(LINES)}, not {kind!r}")
    return line(results, **facts)


class FilterModule:
    """The filter `result_line`."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"result_line": result_line}
