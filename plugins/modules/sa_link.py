#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sa_link
short_description: Link secrets to service accounts, for pulling, mounting or both
version_added: 0.1.0
description:
  - Puts secrets into, or takes them out of, the lists of service accounts in many namespaces, as C(oc secrets link) and
    C(oc secrets unlink) do for one.
  - Only the given names are added or removed. The platform's own entry, entries of others and their order stay as they are,
    also when the platform writes the account at the same moment.
  - A pod copies the list when it is created. Pods that exist already do not change.
options:
  secrets:
    description: Names of secrets in the same namespace. New ones are appended in this order.
    type: list
    elements: str
    required: true
  service_accounts:
    description:
      - Names of service accounts, or globs such as V(*) and V(build-*).
      - A name is waited for, a glob takes the accounts that exist.
    type: list
    elements: str
    default: [default]
  link_for:
    description:
      - V(pull) is C(imagePullSecrets), the list that pods pull with; V(mount) is C(secrets), the list of mountable secrets.
      - C(oc secrets link) defaults to mount; here the default is what this collection is for.
    type: list
    elements: str
    choices: [pull, mount]
    default: [pull]
  state:
    description:
      - V(present) links, V(absent) unlinks from the lists that O(link_for) names, also when the secret is gone.
    type: str
    choices: [present, absent]
    default: present
  wait_timeout:
    description: Seconds to wait for a service account that does not exist yet. V(0) looks once.
    type: int
    default: 30
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
seealso:
  - module: openshift_ops.image_pull.pull_secret
  - module: openshift_ops.image_pull.sa_wait
"""

EXAMPLES = r"""
- name: Pods of the default service account pull with a secret
  openshift_ops.image_pull.sa_link:
    namespaces: [project-a, project-c]
    secrets: [private-registry]

- name: Pods of two accounts pull with it, and builds may mount it
  openshift_ops.image_pull.sa_link:
    namespaces: [project-a]
    secrets: [private-registry]
    service_accounts: [default, builder]
    link_for: [pull, mount]

- name: Take it away from all accounts
  openshift_ops.image_pull.sa_link:
    namespaces: [project-a]
    secrets: [private-registry]
    service_accounts: ["*"]
    link_for: [pull, mount]
    state: absent
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
      description: Each write, by action, kind and name, with the names added to and removed from each list.
      type: list
      elements: dict
      sample:
        - action: update
          kind: ServiceAccount
          name: default
          lists:
            imagePullSecrets: {added: [private-registry], removed: []}
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

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.ansible_module import (
    CLUSTER_OPTIONS,
    ImagePullModule,
    run_reconcile,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.domain import sa_link

ARGUMENTS = {
    **CLUSTER_OPTIONS,
    "secrets": {"type": "list", "elements": "str", "required": True, "no_log": False},
    "service_accounts": {"type": "list", "elements": "str", "default": ["default"]},
    "link_for": {"type": "list", "elements": "str", "choices": list(sa_link.LISTS), "default": ["pull"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "wait_timeout": {"type": "int", "default": 30},
}


def main() -> None:
    module = ImagePullModule(ARGUMENTS)
    run_reconcile(module, lambda task: sa_link.from_options(task.params), wait_timeout=module.params["wait_timeout"])


if __name__ == "__main__":
    main()
