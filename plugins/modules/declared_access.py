#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: declared_access
short_description: Apply the declarations of the inventory
version_added: 1.0.0
description:
  - Reads the variables C(private_registry_secrets), C(delegated_auth_registries) and C(cross_project_pull_grants) of the host, and creates,
    updates and removes the pull secrets, the links and the grants that they declare. The roles of these names and the playbooks C(site) and
    C(teardown) use this module.
  - The task runs M(openshift_ops.image_pull.registry_auth_info), M(openshift_ops.image_pull.pull_secret),
    M(openshift_ops.image_pull.sa_link), M(openshift_ops.image_pull.sa_wait), M(openshift_ops.image_pull.image_puller_grant) and
    M(openshift_ops.image_pull.pull_access_prune), each at most once, with their C(module_defaults). The connection is one of these.
  - All entries are checked before anything is read or changed. A failure in some namespaces does not stop the work in others. The task fails
    at the end.
  - The argument specs of the roles describe the variables. Settings are C(image_pull_owner), C(image_pull_adopt),
    C(image_pull_only_namespaces) and, with all roles, C(image_pull_prune) and its settings.
options:
  roles:
    description:
      - The roles whose declarations are applied. Only with all of them, objects that the owner no longer declares are removed.
    type: list
    elements: str
    choices: [private_registry, delegated_auth, cross_project_pull]
    default: [private_registry, delegated_auth, cross_project_pull]
  state:
    description:
      - With V(absent), every entry is treated as absent, and with C(image_pull_owner), all objects of this owner are removed.
      - With V(planned), only the secrets, links and grants are planned, in check mode. Problems are in RV(steps), and do not fail the task.
      - Without it, each role has the state of its variable, such as C(private_registry_state).
    type: str
    choices: [present, absent, planned]
extends_documentation_fragment:
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.stable
attributes:
  async:
    description: Cannot be used with C(async), because the task runs several modules.
    support: none
notes:
  - Rights needed - those of the modules that it runs.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Apply all declarations
  openshift_ops.image_pull.declared_access:

- name: Remove the grants that the inventory declares
  openshift_ops.image_pull.declared_access:
    roles: [cross_project_pull]
    state: absent
"""

RETURN = r"""
changed:
  description: Whether anything was changed, or would be changed in check mode.
  type: bool
  returned: always
line:
  description: A summary of the changes and failures, without any text from the cluster.
  type: str
  returned: without O(state=planned)
  sample: "2 entries, 3 namespaces: 3 secrets created, 3 links"
steps:
  description:
    - The result of each module that has run. The keys are C(registries), C(secrets), C(links), C(removals), C(wait), C(grants) and C(prune).
    - C(removals) are the secrets that lose a registry. They are written after the links, so a login that moves to another secret is linked
      there first.
    - C(declarations) has the problems of declarations and, with O(state=planned), the declared secrets in C(declared).
  type: dict
  returned: always
selectors:
  description: The namespace selectors of the entries with logins, with the titles of the entries.
  type: list
  elements: dict
  returned: with O(state=planned)
"""

from ..module_utils.core.errors import OptionError
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.task import Module, Task

ARGUMENTS = {
    "roles": {
        "type": "list",
        "elements": "str",
        "choices": ["private_registry", "delegated_auth", "cross_project_pull"],
        "default": ["private_registry", "delegated_auth", "cross_project_pull"],
    },
    "state": {"type": "str", "choices": ["present", "absent", "planned"]},
}


def run(task: Task) -> dict[str, object]:
    raise OptionError(f"{task.name} runs only as an action plugin: give its full name in a playbook")


MODULE = Module(ARGUMENTS, run, import_error=None)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
