# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: rotation
short_description: Decide the next step of a rotation
version_added: 1.0.0
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
description:
  - The role P(openshift_ops.image_pull.credential_rotation#role) uses this plugin. It reads the options of the role and the results of its tasks,
    and changes nothing. For V(login), it runs the command that the role is given.
options:
  _terms:
    description: The names of the steps.
    type: list
    elements: str
    choices: [prepare, login, document, plan, steps, wave, canary, scope, pods, rest, nodes, written_nodes, end, pulls, retirement, supposed, workloads,
      disable, new_login, old_login, plan_line, wave_line, line]
    required: true
"""

EXAMPLES = r"""
- name: Stop if the rotation is not safe
  ansible.builtin.assert:
    that: lookup('openshift_ops.image_pull.rotation', 'plan').refusal == ''
"""

RETURN = r"""
_raw:
  description:
    - The decision about each step. C(refusal) contains all reasons why the role must stop, and is empty without any. C(notes) contains
      lines to print. C(files) are the task files that run next. C(line) is the result. The other members depend on the step.
  type: list
  elements: dict
"""

import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.rotation import FIRST_STEPS
from ..plugin_utils.rotation_end import LAST_STEPS
from ..plugin_utils.rotation_facts import Facts

STEPS = {**FIRST_STEPS, **LAST_STEPS}


class LookupModule(LookupBase):  # type: ignore[misc]
    """Give a step the variables of the host, each evaluated when it is read."""

    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None, **_options: Any) -> list[Any]:
        given = variables or {}

        @cache
        def read(name: str) -> Any:
            return self._templar.template(given[name]) if name in given else None

        hosts = {host: given["hostvars"][host] for host in given["ansible_play_hosts_all"]}
        facts = Facts(read, hosts, given["ansible_play_hosts"], _run, self._inspect)
        return [STEPS[term](facts) for term in terms]

    def _inspect(self, path: str) -> str:
        """Return why the path is no file of tasks. An error of Ansible would show the text of the file."""
        whole = Path(path).expanduser().resolve()
        if not whole.is_file():
            return f"there is no file {whole}"
        try:
            tasks = self._loader.load_from_file(str(whole), cache="none")
        except (AnsibleError, OSError, ValueError):
            return f"{whole} cannot be read, or is no valid YAML"
        return "" if isinstance(tasks, list) and tasks else f"{whole} is no list of tasks"


def _run(command: Sequence[str]) -> str:
    """Return the output of a command. :raises AnsibleError: when it fails."""
    try:
        done = subprocess.run(  # noqa: S603
            [*map(str, command)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
        )
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        status = getattr(error, "returncode", None)
        reason = f"ended with status {status}" if status is not None else f"could not be run ({type(error).__name__})"
        raise AnsibleError(f"credential_rotation_new_command: {command[0]} {reason}") from None
    return done.stdout
