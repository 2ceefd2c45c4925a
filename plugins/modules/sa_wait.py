#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sa_wait
short_description: Wait until service accounts can pull from the integrated registry
version_added: 0.1.0
description:
  - Waits until service accounts exist and, where the cluster generates pull secrets for them, have one that works. It changes
    nothing.
  - A pod that is created earlier keeps an incomplete list for ever, so this belongs before the first pod of a new project.
  - OpenShift writes the secret's name into the account first, makes the secret empty, and fills it last. Only the last counts.
  - On a cluster where none will come (plain Kubernetes, MicroShift, the image registry Removed or not installed) the task says
    so and succeeds at once.
options:
  service_accounts:
    description: Names of service accounts.
    type: list
    elements: str
    default: [default]
  timeout:
    description: Seconds to wait; V(0) looks once.
    type: int
    default: 60
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Make pods of a new project only when they can pull
  openshift_ops.image_pull.sa_wait:
    namespaces: [project-a]
    service_accounts: [default, builder]
    timeout: 120
"""

RETURN = r"""
namespaces:
  description: What was done, or in check mode would be done, in each namespace.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The namespace.
      type: str
      sample: project-a
    changed:
      description: Whether anything was written in it.
      type: bool
    status:
      description: One of C(changed), C(unchanged), C(failed), C(skipped).
      type: str
      sample: changed
    reason:
      description: Why a namespace was skipped.
      type: str
      returned: when skipped
    changes:
      description: Always empty, as this module writes nothing.
      type: list
      elements: dict
      sample: []
    service_accounts:
      description: Each account with C(provisioned), the C(pull_secret) generated for it, and a C(reason) where none will come.
      type: list
      elements: dict
      sample:
        - {name: default, provisioned: true, pull_secret: default-dockercfg-x7k2p}
failures:
  description: The namespaces that failed and why. The task fails when there is one, after the others are done.
  returned: always
  type: list
  elements: dict
  sample: []
summary:
  description: Counts of namespaces by status, and of objects that had to be read again because others wrote them.
  returned: always
  type: dict
  sample: {total: 2, changed: 1, unchanged: 1, failed: 0, skipped: 0, retries: 0}
"""

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.connection import IMPORT_ERROR
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.names import check_names
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.options import CLUSTER_OPTIONS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import Module, Task, over_namespaces
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.provisioning import (
    wait_for_provisioned,
)

ARGUMENTS = {
    **CLUSTER_OPTIONS,
    "service_accounts": {"type": "list", "elements": "str", "default": ["default"]},
    "timeout": {"type": "int", "default": 60},
}


def run(task: Task) -> dict[str, object]:
    accounts = check_names("service_accounts", task.params["service_accounts"])
    return over_namespaces(
        task,
        task.params["timeout"],
        lambda cluster, namespaces, settings: wait_for_provisioned(cluster, accounts, namespaces, settings),
    )


MODULE = Module(ARGUMENTS, run, library="kubernetes", import_error=IMPORT_ERROR)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
