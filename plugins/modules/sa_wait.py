#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sa_wait
short_description: Wait until service accounts can pull from the integrated registry
version_added: 1.0.0
description:
  - Waits until service accounts exist and, if the cluster generates pull secrets for them, have a working pull secret. This module changes
    nothing.
  - A pod that is created earlier keeps an incomplete list of pull secrets. Run this module before you create the first pod of a new
    project.
  - OpenShift adds the name of the secret to the account first, then creates the secret without content, and adds the content
    last. The module waits for the content.
  - A recreated account has the generated secret of the deleted account, with a token that is no longer valid. The platform renews it after
    up to 36 minutes. The message contains the command that deletes that secret, which the platform then recreates within seconds.
  - If the cluster never generates pull secrets (plain Kubernetes, MicroShift, image registry Removed or not installed), the module succeeds
    at once and reports the reason.
options:
  service_accounts:
    description: Names of service accounts.
    type: list
    elements: str
    default: [default]
  accounts:
    description:
      - Service accounts of different namespaces, to wait for all of them in one task. Use it instead of O(service_accounts) in the same
        namespaces.
      - One of O(namespaces), O(namespace_selector) and O(accounts) is required.
    type: list
    elements: dict
    suboptions:
      namespace:
        description: The namespace of the account.
        type: str
        required: true
      name:
        description: The name of the account.
        type: str
        default: default
  timeout:
    description: Seconds to wait. With V(0), the module looks once.
    type: int
    default: 60
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.stable
notes:
  - Rights needed - get on serviceaccounts.
  - Optional rights - list on serviceaccounts; get on secrets, clusterversions.config.openshift.io version,
    clusteroperators.config.openshift.io image-registry, services image-registry in openshift-image-registry, namespaces. Without them,
    the module reports the missing information and the omitted steps.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Wait until pods of a new project can pull
  openshift_ops.image_pull.sa_wait:
    namespaces: [project-a]
    service_accounts: [default, builder]
    timeout: 120

- name: Wait for accounts of different namespaces
  openshift_ops.image_pull.sa_wait:
    accounts:
      - {namespace: project-a, name: robot}
      - {namespace: project-b}
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
namespaces:
  description:
    - The result for each namespace. If there are more than 100 namespaces, unchanged namespaces are only counted, unless
      O(report_unchanged=true).
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: The namespace.
      type: str
      returned: always
      sample: project-a
    changed:
      description: Whether anything in the namespace was changed, or would be changed in check mode.
      type: bool
      returned: always
    status:
      description: One of V(unchanged), V(failed), V(skipped).
      type: str
      returned: always
      sample: unchanged
    reason:
      description: Why the namespace was skipped.
      type: str
      returned: when skipped
    changes:
      description: Always empty, because this module writes nothing.
      type: list
      elements: dict
      returned: always
      sample: []
    service_accounts:
      description: The accounts that the module waited for.
      type: list
      elements: dict
      returned: when the namespace could be read
      contains:
        name:
          description: The account.
          type: str
          returned: always
        exists:
          description: Whether the account exists.
          type: bool
          returned: always
        provisioned:
          description: Whether its generated pull secret works. V(true) if none will be generated.
          type: bool
          returned: always
        pull_secret:
          description: The secret that was generated for it, or null if there is no working secret.
          type: str
          returned: always
        reason:
          description: The reason why none will be generated.
          type: str
          returned: on a cluster that does not generate pull secrets
        stale_secret:
          description:
            - The generated secret, if it still has the token of a deleted account of the same name. Delete it, so that the platform
              recreates it at once.
          type: str
          returned: for an account that was deleted and created again
      sample: [{name: default, exists: true, provisioned: true, pull_secret: default-dockercfg-x7k2p}]
stopped:
  description: Why the task ended before all namespaces were attempted.
  type: str
  returned: when the task stopped early
failures:
  description: The namespaces that failed, and the reason. If there is one, the task fails after it has processed all other namespaces.
  type: list
  elements: dict
  returned: always
  contains:
    namespace:
      description: The namespace.
      type: str
      returned: always
    error:
      description: The attempted action, the response, and the steps to take.
      type: str
      returned: always
  sample: []
summary:
  description: Counts of the namespaces of the task, and of retries.
  type: dict
  returned: always
  contains:
    total:
      description: Number of namespaces in the task.
      type: int
      returned: always
    changed:
      description: Always 0, because this module writes nothing.
      type: int
      returned: always
    unchanged:
      description: Number of namespaces that needed no change.
      type: int
      returned: always
    failed:
      description: Number of namespaces that failed.
      type: int
      returned: always
    skipped:
      description: Number of namespaces that were not attempted, or are being deleted.
      type: int
      returned: always
    retries:
      description: Number of repeated requests, and of objects that were read again after a conflict or a lost response.
      type: int
      returned: always
  sample: {total: 2, changed: 0, unchanged: 2, failed: 0, skipped: 0, retries: 0}
"""

from ..module_utils.clients.kube.kubeconfig import IMPORT_ERROR
from ..module_utils.declarations.declare import EntryList
from ..module_utils.features import sa_wait
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.options import CLUSTER_OPTIONS
from ..module_utils.module.task import Module, Task

ACCOUNT = {
    "namespace": {"type": "str", "required": True},
    "name": {"type": "str", "default": "default"},
}
ARGUMENTS = {
    **CLUSTER_OPTIONS,
    "service_accounts": {"type": "list", "elements": "str", "default": ["default"]},
    "accounts": {"type": "list", "elements": "dict", "options": ACCOUNT},
    "timeout": {"type": "int", "default": 60},
}


def run(task: Task) -> dict[str, object]:
    accounts = sa_wait.from_options(task.params)
    with task.cluster(task.targets(accounts.namespaces)) as run:
        settings = run.settings(wait_timeout=task.params["timeout"])
        return run.result(sa_wait.wait_for_provisioned(run.cluster, accounts(run.namespaces), settings))


MODULE = Module(
    ARGUMENTS,
    run,
    import_error=IMPORT_ERROR,
    rules={"mutually_exclusive": [("accounts", "namespaces"), ("accounts", "namespace_selector")]},
    form=EntryList("accounts", "name"),
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
