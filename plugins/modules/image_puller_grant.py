#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_puller_grant
short_description: Let other projects pull a project's image streams
version_added: 1.0.0
description:
  - Grants a role in the projects that own image streams. The subjects are service accounts, all service accounts of whole projects, groups
    and users, as with C(oc policy add-role-to-user) and C(add-role-to-group).
  - Each project gets one role binding with all grants of this module. Access that another binding already grants is not granted again.
  - Equivalent subjects are treated as one, such as the user C(system:serviceaccount:NS:NAME) and that service account.
  - You can grant access to a service account or project that does not exist yet. The module warns about it. R(The table for users of oc,
    ansible_collections.openshift_ops.image_pull.docsite.oc) lists the differences to C(oc), command by command.
options:
  namespaces:
    description:
      - The projects that own the image streams.
      - One of O(namespaces) and O(namespace_selector) is required.
    type: list
    elements: str
  service_accounts:
    description: Service accounts that are allowed to pull.
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
    description: Projects whose present and future service accounts are all allowed to pull (group C(system:serviceaccounts:PROJECT)).
    type: list
    elements: str
  groups:
    description:
      - Groups that are allowed to pull. Groups that include all users are easily granted by mistake and are refused here, see
        O(authenticated) and O(anonymous). C(system:serviceaccounts), which contains every service account of the cluster, is also refused.
        With O(state=absent), these groups are accepted.
    type: list
    elements: str
  users:
    description:
      - Users that are allowed to pull. C(system:serviceaccount:NS:NAME) is that service account.
      - Names of service accounts that cannot exist are refused, except with O(state=absent).
    type: list
    elements: str
  authenticated:
    description:
      - Allow pulls by every user who is logged in, all service accounts included (group C(system:authenticated)).
    type: bool
    default: false
  anonymous:
    description:
      - Allow anonymous pulls, by clients that send no credentials (group C(system:unauthenticated)).
      - It does not include clients that send credentials. On OpenShift, these are all pods whose service account has a generated pull
        secret, and every user who has logged in to the registry. To allow all pulls, also set O(authenticated=true).
    type: bool
    default: false
  role:
    description: The cluster role to grant. The task fails if the cluster does not have it.
    type: str
    default: system:image-puller
  binding_name:
    description:
      - The role binding that contains the grants. Names that the platform reserves, such as C(system:image-pullers), are refused. So is a
        binding that has another role, because the role of a binding cannot be changed.
      - The default is C(image-puller-grant), followed by C(-) and O(owner) if there is one, and by C(-) and O(role) if that is not the
        default role. So two owners can grant in one project without affecting each other.
    type: str
  owner:
    description:
      - The owner of the grant, such as a team. A role binding that the module creates gets this name as the label
        C(app.kubernetes.io/instance), in addition to C(app.kubernetes.io/managed-by=openshift_ops.image_pull).
      - Each owner has a separate binding, see O(binding_name). Access that another owner's binding grants is granted again, because that
        owner can revoke it.
      - A binding that this collection created for another owner is refused, with the owner's name, see O(adopt). A binding that was created
        without an owner, or by others, is changed as without this option, and does not get the label.
      - With O(state=absent) another owner's binding is always refused.
      - M(openshift_ops.image_pull.pull_access_prune) removes objects that carry an owner's label and are no longer declared. R(The guide on owners,
        ansible_collections.openshift_ops.image_pull.docsite.many_teams) describes labels, owners and pruning together.
      - The name has at most 63 letters, digits, C(-), C(_) and C(.), like the value of a label.
    type: str
  adopt:
    description:
      - Take over the binding O(binding_name) if it exists. It gets both labels, whoever created it, and from then on it is treated as
        created for O(owner), which is required.
      - To take over grants without an owner, also set O(binding_name=image-puller-grant).
    type: bool
    default: false
  state:
    description:
      - V(present) grants. V(absent) removes the given subjects from our binding, and deletes the binding if that leaves it empty and it has
        our label. If another binding still grants the role, the module warns, see O(revoke_from).
    type: str
    choices: [present, absent]
    default: present
  exclusive:
    description: Remove all other subjects from our binding. Other bindings are not changed.
    type: bool
    default: false
  revoke_from:
    description:
      - Where O(state=absent) removes the subjects. V(ours) is the binding O(binding_name). V(every_binding) is every binding of O(role) in
        the namespace, whoever created it, as with C(oc policy remove-role-from-user).
      - Bindings that this leaves empty are deleted, with two exceptions. Bindings annotated
        C(rbac.authorization.kubernetes.io/autoupdate=false) are kept. So are the platform's own bindings, such as C(system:image-pullers),
        which are switched off while they are empty and come back when they are deleted.
    type: str
    choices: [ours, every_binding]
    default: ours
  prune:
    description:
      - Remove subjects from our binding whose service account or project no longer exists. Check mode lists them as C(pruned).
      - With O(state=present), the given subjects are kept. Subjects that the caller may not look up are kept, with a warning.
      - This option works without any subjects.
    type: bool
    default: false
  verify_access:
    description:
      - After writing, ask the API server for each subject and namespace whether it may pull, and report the answer with the binding that
        allows it. In check mode, the answer describes the current state.
      - The check is the same as in the integrated registry (C(get imagestreams/layers)). For a group, a member is checked. The other groups
        of a user are not known.
      - Each check is a SubjectAccessReview. It is sent as a C(create) request, including in check mode, and stores nothing. It requires the
        right to create C(subjectaccessreviews). Without it, the answers are unknown, and the module warns.
    type: bool
    default: false
  grants:
    description:
      - Many grants in one task, instead of a single one. Each entry takes the options listed here. An option that an entry omits is taken
        from the task's option of the same name.
      - The module checks all entries before it reads anything. It refuses entries that contradict each other in a namespace before it
        writes anything. It processes the entries in the given order, with one write for each object. A failed entry does not stop the
        others.
      - One of O(namespaces), O(namespace_selector) and O(grants) is required.
    type: list
    elements: dict
    suboptions:
      title:
        description: The title of this entry in messages, such as the variable that it comes from. By default its position in the list.
        type: str
      namespaces:
        description: See O(namespaces).
        type: list
        elements: str
      namespace_selector:
        description: See O(namespace_selector).
        type: dict
        suboptions:
          labels:
            description: See O(namespace_selector.labels).
            type: str
          include:
            description: See O(namespace_selector.include).
            type: list
            elements: str
          exclude:
            description: See O(namespace_selector.exclude).
            type: list
            elements: str
          requesters:
            description: See O(namespace_selector.requesters).
            type: list
            elements: str
          phases:
            description: See O(namespace_selector.phases).
            type: list
            elements: str
            default: [Active]
          system_namespaces:
            description: See O(namespace_selector.system_namespaces).
            type: bool
            default: false
      service_accounts:
        description: See O(service_accounts).
        type: list
        elements: dict
        suboptions:
          namespace:
            description: See O(service_accounts[].namespace).
            type: str
            required: true
          name:
            description: See O(service_accounts[].name).
            type: str
            default: default
      projects:
        description: See O(projects).
        type: list
        elements: str
      groups:
        description: See O(groups).
        type: list
        elements: str
      users:
        description: See O(users).
        type: list
        elements: str
      authenticated:
        description: See O(authenticated).
        type: bool
      anonymous:
        description: See O(anonymous).
        type: bool
      role:
        description: See O(role).
        type: str
      binding_name:
        description: See O(binding_name).
        type: str
      owner:
        description: See O(owner).
        type: str
      adopt:
        description: See O(adopt).
        type: bool
      state:
        description: See O(state).
        type: str
        choices: [present, absent]
      exclusive:
        description: See O(exclusive).
        type: bool
      revoke_from:
        description: See O(revoke_from).
        type: str
        choices: [ours, every_binding]
      prune:
        description: See O(prune).
        type: bool
      verify_access:
        description: See O(verify_access).
        type: bool
attributes:
  check_mode:
    description:
      - Reports the changes that a real run would make, and sends only read requests.
      - With O(verify_access=true), it also creates SubjectAccessReviews. They are queries and store nothing.
    support: full
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.guard
  - openshift_ops.image_pull.registry
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.stable
notes:
  - Rights needed - list, create, patch, delete on rolebindings.rbac.authorization.k8s.io; bind on clusterroles.rbac.authorization.k8s.io
    system:image-puller.
  - Optional rights - get on clusterroles.rbac.authorization.k8s.io system:image-puller, serviceaccounts, namespaces. Without them, the
    module reports the missing information and the omitted steps.
  - Optional rights with O(verify_access) - create on subjectaccessreviews.authorization.k8s.io. Without them, the module reports the
    missing information and the omitted steps.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Let pods of project-a's default account pull image streams of project-b
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    service_accounts:
      - namespace: project-a
        name: default

- name: Let all service accounts of project-a pull
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    projects: [project-a]

- name: Grant access to exactly these two projects in our binding, and verify it
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    projects: [project-a, project-c]
    exclusive: true
    verify_access: true

- name: Let all users who are logged in pull
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    authenticated: true

- name: Allow all pulls, with or without a login
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    authenticated: true
    anonymous: true

- name: Remove subjects whose project no longer exists
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    prune: true

- name: Revoke a project's access, whoever granted it
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    projects: [project-a]
    state: absent
    revoke_from: every_binding

- name: Revoke both grants
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    service_accounts:
      - namespace: project-a
    projects: [project-a]
    state: absent

- name: Grant access to different projects, in one task
  openshift_ops.image_pull.image_puller_grant:
    grants:
      - {namespaces: [images-a], projects: [team-a-dev, team-a-prod]}
      - {namespaces: [images-b], projects: [team-b]}
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
        entries:
          description: The positions of the entries that request the change, starting at 0.
          type: list
          elements: int
          returned: with a list of entries
        role:
          description: The cluster role that the binding grants.
          type: str
          returned: always
          sample: system:image-puller
        granted:
          description: The subjects that were added.
          type: list
          elements: str
          returned: when there are any
        revoked:
          description: The subjects that were removed.
          type: list
          elements: str
          returned: when there are any
        pruned:
          description: The subjects that were removed because their account or project no longer exists.
          type: list
          elements: str
          returned: with O(prune=true), when there are any
        labels:
          description: The labels of the binding that were written.
          type: list
          elements: str
          returned: when labels change
      sample: [{action: create, kind: RoleBinding, name: image-puller-grant, role: "system:image-puller", granted: [ServiceAccount project-a/default]}]
    may_pull:
      description: For each given subject, whether it may pull, as reported by the API server.
      type: list
      elements: dict
      returned: when O(verify_access) is true
      contains:
        subject:
          description: The subject.
          type: str
          returned: always
        allowed:
          description: Whether it may pull, or null if the caller may not ask.
          type: bool
          returned: always
        binding:
          description: The binding that allows it, or null if there is none or if the caller may not ask.
          type: str
          returned: always
      sample: [{subject: ServiceAccount project-a/default, allowed: true, binding: RoleBinding project-b/image-puller-grant}]
guard:
  description: The containers that the removals of the task would affect.
  returned: unless O(guard=false)
  type: dict
  contains:
    would_break:
      description: The containers because of which a change was not made.
      type: list
      elements: dict
      returned: always
      contains:
        namespace:
          description: The namespace of the workload.
          type: str
          returned: always
        kind:
          description: The kind of the workload.
          type: str
          returned: always
          sample: Deployment
        name:
          description: The name of the workload.
          type: str
          returned: always
        container:
          description: The container, empty for an image volume.
          type: str
          returned: always
        volume:
          description: The image volume, empty for a container.
          type: str
          returned: always
        image:
          description: The image.
          type: str
          returned: always
        step:
          description: The first step that would fail.
          type: str
          returned: always
          sample: credentials
        reason:
          description: Why it would fail.
          type: str
          returned: always
        fix:
          description: Tasks that keep the pull working. Empty if there are none.
          type: list
          elements: dict
          returned: always
    unknown:
      description: The number of containers that the other changes affect and that are not known.
      type: int
      returned: always
      sample: 0
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
    entry:
      description: The position of the failed entry, starting at 0.
      type: int
      returned: when a single entry failed
    name:
      description: The name in that entry.
      type: str
      returned: when a single entry failed
    title:
      description: The title of the entry in messages.
      type: str
      returned: when a single entry failed
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
from ..module_utils.core.objects import ROLE_BINDING
from ..module_utils.declarations.declare import ListForm
from ..module_utils.features.image_puller_grant import plan as image_puller_grant
from ..module_utils.features.image_puller_grant.plan import contradictions
from ..module_utils.features.image_puller_grant.run import verify_access
from ..module_utils.inventory.what_if import run_change_guard
from ..module_utils.inventory.what_if.run_change_guard import ChangeGuard
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.options import CLUSTER_OPTIONS, REGISTRY_OPTIONS, TARGET_OPTIONS
from ..module_utils.module.task import Module, Task

DECLARATION = {**TARGET_OPTIONS, **image_puller_grant.ARGUMENTS}
FORM = ListForm(
    "grants",
    "binding_name",
    kind=ROLE_BINDING,
    arguments=DECLARATION,
    declare=image_puller_grant.from_options,
    contradictions=contradictions,
)
ARGUMENTS = {**CLUSTER_OPTIONS, **REGISTRY_OPTIONS, **DECLARATION, FORM.option: FORM.spec, **run_change_guard.ARGUMENTS}


def run(task: Task) -> dict[str, object]:
    access, declared = run_change_guard.guard_access_of(task.params), task.declarations(FORM)
    with task.cluster() as run:
        batch = run.batch(FORM, declared)
        workloads = ChangeGuard(run.cluster, access, run.settings())
        outcome = workloads.add_to(run.reconcile(batch, workloads.judge))
        return run.result(verify_access(run.cluster, batch, outcome, run.settings()))


MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR, form=FORM)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
