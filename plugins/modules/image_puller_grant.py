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
  - A service account or project that does not exist yet can be granted to; a warning says so. C(docs/oc.md) lists where C(oc)
    differs, command by command.
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
    description:
      - Groups that may pull. Groups that stand for everybody are refused here, as they are easily given by mistake, see
        O(authenticated) and O(anonymous); so is C(system:serviceaccounts), every service account of the cluster. To take
        a grant back, they are accepted.
    type: list
    elements: str
  users:
    description: Users that may pull.
    type: list
    elements: str
  authenticated:
    description: Whether everybody who is logged in may pull, all service accounts included (group C(system:authenticated)).
    type: bool
    default: false
  anonymous:
    description: Whether everybody may pull, without any login (group C(system:unauthenticated)).
    type: bool
    default: false
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
        our label; a grant that another binding still gives is reported as a warning, see O(revoke_from).
    type: str
    choices: [present, absent]
    default: present
  exclusive:
    description: Whether our binding shall hold no other subjects than the given ones. Other bindings are not touched.
    type: bool
    default: false
  revoke_from:
    description:
      - Where O(state=absent) takes the subjects from. V(ours) is the binding O(binding_name); V(every_binding) is every binding
        of O(role) in the namespace, whoever made it, as C(oc policy remove-role-from-user) does.
      - Bindings that this empties are deleted, but for those annotated C(rbac.authorization.kubernetes.io/autoupdate=false) and
        the platform's own, such as C(system:image-pullers), which stay switched off when emptied and come back when deleted.
    type: str
    choices: [ours, every_binding]
    default: ours
  prune:
    description:
      - Whether subjects of our binding whose service account or project is gone are taken out. Check mode lists them as C(pruned).
      - Given subjects are kept with O(state=present). Subjects that the caller may not look up are kept, with a warning.
      - Can be given without any subject.
    type: bool
    default: false
  recreate:
    description:
      - Whether a binding of our name that gives another role is deleted and made again with O(role), which is the only way to
        change its role. The subjects that it held lose the old role, and get the new one only when they are given.
      - Without it such a binding is an error. Between the two writes nobody holds either role; when the second is refused the
        old binding is put back.
    type: bool
    default: false
  verify_access:
    description:
      - Whether to ask the API server for each subject and namespace, after writing, whether it may pull, and report that with the
        binding that gives it. In check mode the answer is for what stands now.
      - It is the integrated registry's own question (C(get imagestreams/layers)). Of a group, a member is asked about; of a user,
        nothing is known of his other groups.
      - Each question is a SubjectAccessReview, which is sent as a C(create) request also in check mode but stores nothing. It needs the
        right to create C(subjectaccessreviews); without it the answers are unknown, with a warning.
    type: bool
    default: false
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

- name: These two projects and nobody else by our binding, with proof
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    projects: [project-a, project-c]
    exclusive: true
    verify_access: true

- name: Everybody who is logged in may pull
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    authenticated: true

- name: Forget subjects whose project is gone
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    prune: true

- name: Take a project's access away, whoever gave it
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    projects: [project-a]
    state: absent
    revoke_from: every_binding

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
      description: Each write, by action, kind and name, with the role and the subjects C(granted), C(revoked) or C(pruned).
      type: list
      elements: dict
      sample:
        - action: create
          kind: RoleBinding
          name: image-puller-grant
          role: system:image-puller
          granted: [ServiceAccount project-a/default]
    may_pull:
      description:
        - For each given subject whether it may pull, and the binding that lets it, as the API server says. Both are none when the
          caller may not ask.
      type: list
      elements: dict
      returned: when O(verify_access) is true
      sample:
        - subject: ServiceAccount project-a/default
          allowed: true
          binding: RoleBinding project-b/image-puller-grant
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
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant import (
    options as image_puller_grant,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.options import CLUSTER_OPTIONS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import Module, Task, reconciling
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.verify_access import verify_access

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
    "authenticated": {"type": "bool", "default": False},
    "anonymous": {"type": "bool", "default": False},
    "role": {"type": "str", "default": image_puller_grant.DEFAULT_ROLE},
    "binding_name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "exclusive": {"type": "bool", "default": False},
    "revoke_from": {"type": "str", "choices": ["ours", "every_binding"], "default": "ours"},
    "prune": {"type": "bool", "default": False},
    "recreate": {"type": "bool", "default": False},
    "verify_access": {"type": "bool", "default": False},
}


def run(task: Task) -> dict[str, object]:
    return reconciling(task, image_puller_grant.from_options(task.params), afterwards=verify_access)


MODULE = Module(ARGUMENTS, run, library="kubernetes", import_error=IMPORT_ERROR)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
