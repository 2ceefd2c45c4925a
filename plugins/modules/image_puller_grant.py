#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_puller_grant
short_description: Let other projects pull a project's image streams
version_added: 0.1.0
description:
  - Grants a role in the projects that own image streams, to service accounts, to all service accounts of whole projects, to
    groups and to users, as C(oc policy add-role-to-user) and C(add-role-to-group) do.
  - All that is granted here stands in one role binding for each project. A grant that another binding gives already is left
    alone and counts as met.
  - Subjects that mean the same are one, such as the user C(system:serviceaccount:NS:NAME) and that service account.
options:
  namespaces:
    description:
      - The projects that own the image streams.
      - One of O(namespaces) and O(namespace_selector) is required.
    type: list
    elements: str
  service_accounts:
    description: Service accounts that may pull.
    type: list
    elements: dict
    suboptions:
      namespace:
        description: The account's project.
        type: str
        required: true
      name:
        description: The account's name.
        type: str
        default: default
  projects:
    description: Projects all of whose service accounts may pull, present and future ones (group C(system:serviceaccounts:PROJECT)).
    type: list
    elements: str
  groups:
    description: Groups that may pull.
    type: list
    elements: str
  users:
    description: Users that may pull.
    type: list
    elements: str
  role:
    description: The cluster role that is granted. The task fails when the cluster has none of that name.
    type: str
    default: system:image-puller
  binding_name:
    description:
      - The role binding that holds our grants. Names that the platform reserves, such as C(system:image-pullers), are refused.
      - The default is C(image-puller-grant), followed by the role when that is not the default one.
    type: str
  state:
    description:
      - V(present) grants. V(absent) takes the given subjects out of our binding, and deletes it once it is empty and carries
        our label; a grant that another binding still gives is reported as a warning.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Pods of project-a's default account pull image streams of project-b
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    service_accounts:
      - namespace: project-a
        name: default

- name: All service accounts of project-a may
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    projects: [project-a]

- name: Take both grants back
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    service_accounts:
      - namespace: project-a
    projects: [project-a]
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
      description: Each write, by action, kind and name, with the role and the subjects granted or revoked.
      type: list
      elements: dict
      sample:
        - action: create
          kind: RoleBinding
          name: image-puller-grant
          role: system:image-puller
          granted: [ServiceAccount project-a/default]
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
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.domain import image_puller_grant

ACCOUNT = {
    "namespace": {"type": "str", "required": True},
    "name": {"type": "str", "default": "default"},
}
ARGUMENTS = {
    **CLUSTER_OPTIONS,
    "service_accounts": {"type": "list", "elements": "dict", "options": ACCOUNT},
    "projects": {"type": "list", "elements": "str"},
    "groups": {"type": "list", "elements": "str"},
    "users": {"type": "list", "elements": "str"},
    "role": {"type": "str", "default": image_puller_grant.DEFAULT_ROLE},
    "binding_name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

SUBJECTS = ("service_accounts", "projects", "groups", "users")


def main() -> None:
    module = ImagePullModule(ARGUMENTS, required_one_of=[SUBJECTS])
    run_reconcile(module, lambda task: image_puller_grant.from_options(task.params))


if __name__ == "__main__":
    main()
