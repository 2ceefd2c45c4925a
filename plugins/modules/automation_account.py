#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: automation_account
short_description: Give an automation account exactly the rights of its jobs
version_added: 1.0.0
description:
  - Creates a service account for the automation, and cluster roles and bindings with exactly the rights that its jobs need. What is needed in
    namespaces is bound in the given ones only.
  - What the account had before and no longer needs is taken back, in every namespace of the cluster. Objects that this module did not
    create are never changed. Bindings that others made for the account give it further rights, so a warning names them.
  - Users of a namespace can write role bindings too. If one of these has the name of a binding that the account needs, or a finalizer keeps
    the old binding, the new one gets the next free name, such as C(image-pull:NAMESPACE:NAME:2), and a warning names the object.
  - If a namespace fails, the account still gets its rights in the others and its token. With O(state=absent), it is still deleted.
  - What a job needs in a namespace of the platform's, such as C(openshift-config), is left out with a warning where that does not exist.
  - Run it as a cluster administrator. It needs the rights to create, change and delete cluster roles and bindings, the verbs C(escalate) and
    C(bind) on cluster roles unless the caller itself has all the rights that it gives, and the right to list role bindings in the
    whole cluster. None of the jobs gives these, so the account cannot give itself more.
  - With O(state=rendered), the objects are only returned, for an administrator to apply.
options:
  namespaces:
    description:
      - The namespaces in which the jobs work. Without O(namespaces) and O(namespace_selector), only what is needed in the cluster's scope is
        given.
    type: list
    elements: str
  name:
    description: The service account. One that exists and was not created by this module is used, and not deleted with O(state=absent).
    type: str
    default: image-pull
  namespace:
    description: The namespace of the service account, which must exist. It should be one in which nothing else runs.
    type: str
    required: true
  jobs:
    description:
      - What the account is for. The guide C(rights) has a table of the rights of each job, and what becomes of the job without one of them.
      - Required unless O(state=absent).
    type: list
    elements: str
    choices:
      - secrets
      - links
      - create_accounts
      - restart_pods
      - grants
      - verify_access
      - wait
      - namespace_selector
      - prune
      - adopt
      - explain
      - nodes_secret
      - audit
      - rotation
      - probe
      - import
      - global_pull_secret
      - hosted_pull_secret
      - management_pull_secret
      - events
  everywhere:
    description:
      - Whether what is needed in namespaces is given in all namespaces of the cluster, also in those that are still to come.
      - With V(secrets), V(rotation), V(audit) and other jobs that read secrets this means that the account can read every secret of the cluster,
        the tokens of all other accounts included. Who has its token is then as good as a cluster administrator.
    type: bool
    default: false
  hosted_pull_secrets:
    description:
      - The pull secrets that the hosted clusters name in C(spec.pullSecret), for V(management_pull_secret) in O(jobs), which requires them. The job
        may read and change secrets of these names and no others. Run the module again when a hosted cluster with another one is added.
    type: list
    elements: str
  state:
    description:
      - V(present) gives the rights, V(absent) takes all of them back and deletes the account.
      - V(rendered) returns the objects as RV(manifests) and asks no cluster.
    type: str
    choices: [present, absent, rendered]
    default: present
  token_seconds:
    description:
      - Request a token for the account that lives for so many seconds, at least 600. The API server may choose another time, see
        RV(token_expires). It stores no token, so each run gets a new one.
      - By default no token is requested.
    type: int
  kubeconfig_dest:
    description:
      - A file on the controller that gets a kubeconfig with the token, with mode C(0600). A file that exists is replaced. Needs
        O(token_seconds).
      - The task must run in Ansible's own process, with C(connection=local) and without C(become) and C(async).
    type: path
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
notes:
  - Rights needed - get, create, delete on serviceaccounts; get, create, patch, delete, bind, escalate on clusterroles.rbac.authorization.k8s.io;
    get, create, patch, delete on clusterrolebindings.rbac.authorization.k8s.io; get, list, create, patch, delete on
    rolebindings.rbac.authorization.k8s.io in the whole cluster; create on serviceaccounts/token with O(token_seconds).
  - Without list on clusterrolebindings.rbac.authorization.k8s.io, it says that it does not know which of these others made for the account. Without
    get on namespaces, a namespace of the platform's that does not exist is a failure.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - No right on the cluster is needed with O(state=rendered).
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for what each is for, and how to give them.
attributes:
  idempotent:
    support: partial
    details:
      - With O(token_seconds) each run requests a new token, and with O(kubeconfig_dest) writes it.
seealso:
  - module: openshift_ops.image_pull.pull_secret
  - module: openshift_ops.image_pull.pull_access_audit
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: An account that keeps pull secrets and links in two projects
  openshift_ops.image_pull.automation_account:
    namespace: image-pull-automation
    namespaces: [project-a, project-b]
    jobs: [secrets, links, wait]

- name: An account that audits the whole cluster, with a kubeconfig for 30 days
  openshift_ops.image_pull.automation_account:
    name: auditor
    namespace: image-pull-automation
    jobs: [audit]
    everywhere: true
    token_seconds: 2592000
    kubeconfig_dest: auditor.kubeconfig

- name: An account that changes the pull secrets of two hosted clusters on their management cluster
  openshift_ops.image_pull.automation_account:
    name: hosted
    namespace: image-pull-automation
    namespaces: [clusters]
    jobs: [management_pull_secret]
    hosted_pull_secrets: [prod-pull, stage-pull]

- name: The objects, to be applied by a cluster administrator
  openshift_ops.image_pull.automation_account:
    namespace: image-pull-automation
    namespaces: [project-a]
    jobs: [secrets, links]
    state: rendered
  register: rendered

- name: Write them to a file for kubectl apply -f
  ansible.builtin.copy:
    content: "{{ rendered.manifests | map('to_nice_yaml') | join('---\n') }}"
    dest: automation-account.yml
    mode: "0644"

- name: Take everything back
  openshift_ops.image_pull.automation_account:
    namespace: image-pull-automation
    state: absent
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when it was reached
  sample: https://api.cluster.example.com:6443
manifests:
  description: The service account, the cluster roles and the bindings, in the order in which they can be created.
  returned: with O(state=present) and O(state=rendered)
  type: list
  elements: dict
  sample:
    - {apiVersion: v1, kind: ServiceAccount, metadata: {name: image-pull, namespace: image-pull-automation}}
token:
  description: The token. Ansible shows nothing of a result that holds one; a registered result has it.
  returned: with O(token_seconds), except in check mode
  type: str
token_expires:
  description: When the token expires, as the API server says.
  returned: with O(token_seconds), except in check mode
  type: str
  sample: "2026-12-24T18:00:00Z"
files:
  description: The file that was written, or in check mode would be.
  returned: with O(kubeconfig_dest)
  type: list
  elements: str
  sample: [/home/alice/auditor.kubeconfig]
namespaces:
  description:
    - The result for each namespace. Cluster roles and what is bound in the cluster's scope are listed with the account's namespace.
  type: list
  elements: dict
  returned: with O(state=present) and O(state=absent)
  contains:
    name:
      description: The namespace.
      type: str
      returned: always
      sample: project-a
    changed:
      description: Whether anything was changed in it, or in check mode would be.
      type: bool
      returned: always
    status:
      description: One of V(changed), V(unchanged), V(failed), V(skipped).
      type: str
      returned: always
      sample: changed
    reason:
      description: Why the namespace was skipped.
      type: str
      returned: when skipped
    changes:
      description: Each write, or in check mode what would be written.
      type: list
      elements: dict
      returned: always
      contains:
        action:
          description: One of C(create), C(update), C(delete).
          type: str
          returned: always
        kind:
          description: The kind of the object.
          type: str
          returned: always
        name:
          description: The name of the object.
          type: str
          returned: always
        granted:
          description: The rights or accounts that were added.
          type: list
          elements: str
          returned: when some were
        revoked:
          description: The rights or accounts that were removed.
          type: list
          elements: str
          returned: when some were
      sample: [{action: create, kind: RoleBinding, name: "image-pull:image-pull-automation:image-pull", granted: [image-pull-automation/image-pull]}]
stopped:
  description: Why the task ended before all namespaces were attempted.
  type: str
  returned: when it did
failures:
  description: The namespaces that failed, and why. The task fails if there is one, after all others are done.
  type: list
  elements: dict
  returned: with O(state=present) and O(state=absent)
  contains:
    namespace:
      description: The namespace.
      type: str
      returned: always
    error:
      description: What was attempted, what came back, and what to do.
      type: str
      returned: always
  sample: []
summary:
  description: Counts of the namespaces of the task, and of repetitions.
  type: dict
  returned: with O(state=present) and O(state=absent)
  contains:
    total:
      description: How many namespaces the task was for.
      type: int
      returned: always
    changed:
      description: In how many something was changed, or in check mode would be.
      type: int
      returned: always
    unchanged:
      description: How many needed no change.
      type: int
      returned: always
    failed:
      description: How many failed.
      type: int
      returned: always
    skipped:
      description: How many were not attempted, or are being deleted.
      type: int
      returned: always
    retries:
      description: How many requests were repeated, and objects read again after a conflict or a lost answer.
      type: int
      returned: always
  sample: {total: 2, changed: 1, unchanged: 1, failed: 0, skipped: 0, retries: 0}
"""

from functools import partial

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.connection import IMPORT_ERROR
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.redaction import forms
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.automation_account import (
    options as automation_account,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.options import CLUSTER_OPTIONS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import (
    Module,
    Task,
    over_optional_targets,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.variable_files import writer
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.automation_account import (
    Handing,
    carried_out,
)

ARGUMENTS = {**CLUSTER_OPTIONS, **automation_account.ARGUMENTS}


def run(task: Task) -> dict[str, object]:
    wanted = automation_account.from_options(task.params)
    named, selected = task.params["namespaces"] or [], task.params["namespace_selector"] is not None
    wanted.require_targets(named=bool(named), selected=selected)
    handing = Handing(lambda token: task.mask_everywhere(forms(token)), writer(task, wanted.files))
    return carried_out(wanted, named, handing, partial(over_optional_targets, task))


MODULE = Module(ARGUMENTS, run, library="kubernetes", import_error=IMPORT_ERROR, everywhere=True, hidden=("token",))


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
