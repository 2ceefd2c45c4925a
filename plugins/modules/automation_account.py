#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: automation_account
short_description: Grant an automation account exactly the rights that its jobs need
version_added: 1.0.0
description:
  - Creates a service account for the automation, and cluster roles and bindings with exactly the rights that its jobs need. Rights in
    namespaces are bound only in the given namespaces.
  - Rights that the account no longer needs are revoked in every namespace of the cluster. Objects that this module did not create are never
    changed. If others created bindings for the account, these give it further rights, and a warning names them.
  - Users of a namespace can also write role bindings. If one of these has the name of a binding that the account needs, or if a finalizer
    keeps the old binding, the new binding gets the next free name, such as C(image-pull:NAMESPACE:NAME:2), and a warning names the object.
  - If a namespace fails, the account still gets its token, and its rights in the other namespaces. With O(state=absent), the account is
    still deleted.
  - If a namespace of the platform, such as C(openshift-config), does not exist, the rights that a job needs in it are omitted, with a
    warning.
  - Run it as a cluster administrator. It needs the rights to create, change and delete cluster roles and bindings, and to list role
    bindings in the whole cluster. It also needs the verbs C(escalate) and C(bind) on cluster roles, unless the caller itself has all the
    rights that it grants. None of the jobs includes these rights, so the account cannot grant itself more.
  - With O(state=rendered), the module only returns the objects, so that an administrator can apply them.
options:
  namespace:
    description: The namespace of the service account. It must exist. Use a namespace in which nothing else runs.
    type: str
    required: true
  jobs:
    description:
      - The jobs of the account. The guide C(rights) has a table of the rights of each job, and of the effect of each missing right.
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
      - export
      - explain
      - nodes_secret
      - audit
      - images
      - what_if
      - rotation
      - probe
      - import
      - global_pull_secret
      - hosted_pull_secret
      - management_pull_secret
      - events
  namespaces:
    description:
      - The namespaces in which the jobs work. Without O(namespaces) and O(namespace_selector), only cluster-scoped rights are granted.
    type: list
    elements: str
  everywhere:
    description:
      - Whether the rights in namespaces are granted in all namespaces of the cluster, including future ones.
      - With V(secrets), V(rotation), V(audit) and other jobs that read secrets, the account can then read every secret of the cluster,
        including the tokens of all other accounts. Anyone who has its token is then equivalent to a cluster administrator.
    type: bool
    default: false
  token_seconds:
    description:
      - Lifetime, in seconds, of a token to request for the account. The minimum is 600. The API server may choose another lifetime, see
        RV(token_expires). The API server does not store the token, so each run gets a new one.
      - By default, no token is requested.
    type: int
  kubeconfig_dest:
    description:
      - A file on the controller to which the module writes a kubeconfig with the token, with mode C(0600). An existing file is replaced.
        Requires O(token_seconds).
      - The file reaches the API server as this task does, with the same certificate authorities, C(tls-server-name) and C(proxy-url), and with
        C(insecure-skip-tls-verify) if this task does not verify certificates. It does not have a proxy of the environment, and no login for
        a proxy.
      - The task must run in Ansible's own process, with C(connection=local) and without C(become) and C(async).
    type: path
  state:
    description:
      - V(present) grants the rights. V(absent) revokes all of them and deletes the account.
      - V(rendered) returns the objects as RV(manifests) and does not contact any cluster.
    type: str
    choices: [present, absent, rendered]
    default: present
  name:
    description: The service account. An existing account that this module did not create is used, and is not deleted with O(state=absent).
    type: str
    default: image-pull
  hosted_pull_secrets:
    description:
      - The pull secrets that the hosted clusters name in C(spec.pullSecret). Required if O(jobs) contains V(management_pull_secret). The
        job is allowed to read and change only secrets with these names. Run the module again when you add a hosted cluster with another
        pull secret.
    type: list
    elements: str
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.preview
notes:
  - Rights needed - get, create, delete on serviceaccounts; get, create, patch, delete, bind, escalate on
    clusterroles.rbac.authorization.k8s.io; get, create, patch, delete on clusterrolebindings.rbac.authorization.k8s.io; get, list, create,
    patch, delete on rolebindings.rbac.authorization.k8s.io in the whole cluster; create on serviceaccounts/token with O(token_seconds).
  - Without list on clusterrolebindings.rbac.authorization.k8s.io, the module reports that it does not know which cluster role bindings
    others created for the account. Without get on namespaces, a platform namespace that does not exist is a failure.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - With O(state=rendered), no rights on the cluster are needed.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
attributes:
  idempotent:
    support: partial
    details:
      - With O(token_seconds), each run requests a new token. With O(kubeconfig_dest), each run writes it to the file.
seealso:
  - module: openshift_ops.image_pull.pull_secret
  - module: openshift_ops.image_pull.pull_access_audit
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Create an account that maintains pull secrets and links in two projects
  openshift_ops.image_pull.automation_account:
    namespace: image-pull-automation
    namespaces: [project-a, project-b]
    jobs: [secrets, links, wait]

- name: Create an account that audits the whole cluster, with a kubeconfig for 30 days
  openshift_ops.image_pull.automation_account:
    name: auditor
    namespace: image-pull-automation
    jobs: [audit, namespace_selector]
    everywhere: true
    token_seconds: 2592000
    kubeconfig_dest: auditor.kubeconfig

- name: Create an account that changes the pull secrets of two hosted clusters on their management cluster
  openshift_ops.image_pull.automation_account:
    name: hosted
    namespace: image-pull-automation
    namespaces: [clusters]
    jobs: [management_pull_secret]
    hosted_pull_secrets: [prod-pull, stage-pull]

- name: Return the objects, for a cluster administrator to apply
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

- name: Revoke all rights and delete the account
  openshift_ops.image_pull.automation_account:
    namespace: image-pull-automation
    state: absent
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
manifests:
  description: The service account, the cluster roles and the bindings, in the order in which they can be created.
  returned: with O(state=present) and O(state=rendered)
  type: list
  elements: dict
  sample:
    - {apiVersion: v1, kind: ServiceAccount, metadata: {name: image-pull, namespace: image-pull-automation}}
token:
  description: The token. Ansible does not show a result that contains a token. A registered result contains it.
  returned: with O(token_seconds), except in check mode
  type: str
token_expires:
  description: When the token expires, as reported by the API server.
  returned: with O(token_seconds), except in check mode
  type: str
  sample: "2026-12-24T18:00:00Z"
files:
  description: The file that was written, or would be written in check mode.
  returned: with O(kubeconfig_dest)
  type: list
  elements: str
  sample: [/home/alice/auditor.kubeconfig]
namespaces:
  description:
    - The result for each namespace. Cluster roles and cluster role bindings are listed with the account's namespace.
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
      description: Whether anything in the namespace was changed, or would be changed in check mode.
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
      description: Each write. In check mode, each write that a real run would make.
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
          returned: when there are any
        revoked:
          description: The rights or accounts that were removed.
          type: list
          elements: str
          returned: when there are any
      sample: [{action: create, kind: RoleBinding, name: "image-pull:image-pull-automation:image-pull", granted: [image-pull-automation/image-pull]}]
stopped:
  description: Why the task ended before all namespaces were attempted.
  type: str
  returned: when the task stopped early
failures:
  description: The namespaces that failed, and the reason. If there is one, the task fails after it has processed all other namespaces.
  type: list
  elements: dict
  returned: with O(state=present) and O(state=absent)
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
  returned: with O(state=present) and O(state=absent)
  contains:
    total:
      description: Number of namespaces in the task.
      type: int
      returned: always
    changed:
      description: Number of namespaces that were changed, or would be changed in check mode.
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
  sample: {total: 2, changed: 1, unchanged: 1, failed: 0, skipped: 0, retries: 0}
"""

from ..module_utils.clients.kube.kubeconfig import IMPORT_ERROR
from ..module_utils.core.redaction import secret_forms
from ..module_utils.features.automation_account import plan as automation_account
from ..module_utils.features.automation_account.run import TokenSink, run_account
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.files import file_writer
from ..module_utils.module.options import CLUSTER_OPTIONS
from ..module_utils.module.task import Module, Task

ARGUMENTS = {**CLUSTER_OPTIONS, **automation_account.ARGUMENTS}


def run(task: Task) -> dict[str, object]:
    wanted = automation_account.from_options(task.params)
    named, selected = task.params["namespaces"] or [], task.params["namespace_selector"] is not None
    wanted.require_targets(named=bool(named), selected=selected)
    handing = TokenSink(lambda token: task.mask_everywhere(secret_forms(token)), file_writer(task, wanted.files))
    targets = task.targets() if named or selected else None
    return run_account(wanted, named, handing, lambda: task.cluster(targets))


MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR, everywhere=True, hidden=("token",))


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
