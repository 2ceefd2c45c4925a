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
  - Grants a role in the projects that own image streams, to service accounts, to all service accounts of whole projects, to
    groups and to users, as C(oc policy add-role-to-user) and C(add-role-to-group) do.
  - Each project gets one role binding that holds all that is granted here. What another binding grants already is not granted
    again.
  - Subjects that mean the same are one, such as the user C(system:serviceaccount:NS:NAME) and that service account.
  - A service account or project that does not exist yet can be granted to; a warning says so.
    R(The table for users of oc, ansible_collections.openshift_ops.image_pull.docsite.oc) lists the differences to C(oc), command by command.
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
      - Groups that may pull. Groups that include all users are easily granted by mistake and are refused here, see
        O(authenticated) and O(anonymous); so is C(system:serviceaccounts), every service account of the cluster. With
        O(state=absent) they are accepted.
    type: list
    elements: str
  users:
    description:
      - Users that may pull. C(system:serviceaccount:NS:NAME) is that service account.
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
      - It does not include those who send credentials. On OpenShift these are all pods whose service account has a generated
        pull secret, and every user who has logged in to the registry. To allow all pulls, also set O(authenticated=true).
    type: bool
    default: false
  role:
    description: The cluster role that is granted. The task fails if the cluster does not have it.
    type: str
    default: system:image-puller
  binding_name:
    description:
      - The role binding that holds what is granted here. Names that the platform reserves, such as C(system:image-pullers), are
        refused.
      - The default is C(image-puller-grant), followed by C(-) and O(owner) if there is one, and by C(-) and O(role) if that is not the
        default role. So two owners grant in one project without touching each other.
    type: str
  owner:
    description:
      - For whom this is granted, such as a team. A role binding that is created gets this name as the label
        C(app.kubernetes.io/instance), beside C(app.kubernetes.io/managed-by=openshift_ops.image_pull).
      - Each owner has a binding of its own, see O(binding_name). What another owner's binding grants is granted again, since that owner can take
        it back.
      - A binding that this collection created for another owner is refused, with the owner's name, see O(adopt). A binding that was
        created without an owner, or by others, is changed as without this option, and does not get the label.
      - With O(state=absent) another owner's binding is always refused.
      - M(openshift_ops.image_pull.prune) removes what carries an owner's label and is declared no more.
        R(The guide on owners, ansible_collections.openshift_ops.image_pull.docsite.many_teams) describes all of this.
      - At most 63 letters, digits, C(-), C(_) and C(.), as the value of a label.
    type: str
  adopt:
    description:
      - Take over the binding O(binding_name) if it exists. It gets both labels, whoever created it, and from then on it is treated as
        created for O(owner), which is required.
      - To take over what was granted without an owner, also set O(binding_name=image-puller-grant).
    type: bool
    default: false
  state:
    description:
      - V(present) grants. V(absent) removes the given subjects from our binding, and deletes the binding if that leaves it empty
        and it has our label. If another binding still grants the role, a warning says so, see O(revoke_from).
    type: str
    choices: [present, absent]
    default: present
  exclusive:
    description: Remove all other subjects from our binding. Other bindings are not changed.
    type: bool
    default: false
  revoke_from:
    description:
      - Where O(state=absent) removes the subjects. V(ours) is the binding O(binding_name); V(every_binding) is every binding
        of O(role) in the namespace, whoever created it, as C(oc policy remove-role-from-user) does.
      - Bindings that this leaves empty are deleted, except those annotated C(rbac.authorization.kubernetes.io/autoupdate=false) and
        the platform's own, such as C(system:image-pullers), which are switched off while they are empty and come back when they
        are deleted.
    type: str
    choices: [ours, every_binding]
    default: ours
  prune:
    description:
      - Remove subjects from our binding whose service account or project does not exist any more. Check mode lists them as
        C(pruned).
      - With O(state=present) the given subjects are kept. Subjects that the caller may not look up are kept, with a warning.
      - Needs no subject to be given.
    type: bool
    default: false
  recreate:
    description:
      - Delete a binding of our name that has another role, and create it with O(role); the role of a binding cannot be changed.
        The subjects that it held lose the old role, and get the new one only if they are given.
      - Without it such a binding is an error. Between the two writes no subject has either role; if the second is refused, the
        old binding is put back.
    type: bool
    default: false
  verify_access:
    description:
      - After writing, ask the API server for each subject and namespace whether it may pull, and report that with the
        binding that allows it. In check mode the answer is for what stands now.
      - It is the integrated registry's own question (C(get imagestreams/layers)). For a group, a member is asked about; of a user's
        other groups nothing is known.
      - Each question is a SubjectAccessReview. It is sent as a C(create) request, in check mode too, and stores nothing. It needs the
        right to create C(subjectaccessreviews); without it the answers are unknown, with a warning.
    type: bool
    default: false
  grants:
    description:
      - Many grants in one task, in place of a single one. Each entry takes the options listed here; what it does not give is taken from
        the task's option of the same name.
      - All entries are checked before anything is read, and entries that contradict each other in a namespace are refused before
        anything is written. They are carried out in the order given, with one write for each object. An entry that fails does not
        stop the others.
      - One of O(namespaces), O(namespace_selector) and O(grants) is required.
    type: list
    elements: dict
    suboptions:
      title:
        description: What messages call this entry, such as the variable that it comes from. By default its position in the list.
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
      recreate:
        description: See O(recreate).
        type: bool
      verify_access:
        description: See O(verify_access).
        type: bool
attributes:
  check_mode:
    description:
      - Reports what a real run would change, and sends nothing but reads.
      - With O(verify_access=true) it also creates SubjectAccessReviews, which ask a question and store nothing.
    support: full
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
notes:
  - Rights needed - list, create, patch, delete on rolebindings.rbac.authorization.k8s.io; bind on clusterroles.rbac.authorization.k8s.io
    system:image-puller.
  - Without these, it says what it does not know or does not do - get on clusterroles.rbac.authorization.k8s.io system:image-puller,
    serviceaccounts, namespaces.
  - Without these with O(verify_access), it says what it does not know or does not do - create on
    subjectaccessreviews.authorization.k8s.io.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for what each is for, and how to give them.
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

- name: Exactly these two projects by our binding, verified
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    projects: [project-a, project-c]
    exclusive: true
    verify_access: true

- name: All users who are logged in may pull
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    authenticated: true

- name: Allow all pulls, with or without a login
  openshift_ops.image_pull.image_puller_grant:
    namespaces: [project-b]
    authenticated: true
    anonymous: true

- name: Remove subjects whose project does not exist any more
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

- name: Grants of different projects, in one task
  openshift_ops.image_pull.image_puller_grant:
    grants:
      - {namespaces: [images-a], projects: [team-a-dev, team-a-prod]}
      - {namespaces: [images-b], projects: [team-b]}
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when it was reached
  sample: https://api.cluster.example.com:6443
namespaces:
  description:
    - The result for each namespace. Of more than 100, those that needed no change are only counted, unless O(report_unchanged=true).
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
          description: One of C(create), C(update), C(delete), C(replace).
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
          description: The positions of the entries that ask for it, from 0.
          type: list
          elements: int
          returned: with a list of entries
        role:
          description: The cluster role that the binding gives.
          type: str
          returned: always
          sample: system:image-puller
        granted:
          description: The subjects that were added.
          type: list
          elements: str
          returned: when some were
        revoked:
          description: The subjects that were removed.
          type: list
          elements: str
          returned: when some were
        pruned:
          description: The subjects that were removed because their account or project does not exist any more.
          type: list
          elements: str
          returned: with O(prune=true), when some were
        labels:
          description: The labels of the binding that were written.
          type: list
          elements: str
          returned: when labels change
        from_role:
          description: The role that the binding gave before.
          type: str
          returned: for C(replace)
      sample: [{action: create, kind: RoleBinding, name: image-puller-grant, role: "system:image-puller", granted: [ServiceAccount project-a/default]}]
    may_pull:
      description: For each given subject whether it may pull, as the API server says.
      type: list
      elements: dict
      returned: when O(verify_access) is true
      contains:
        subject:
          description: The subject.
          type: str
          returned: always
        allowed:
          description: Whether it may pull; null if the caller may not ask.
          type: bool
          returned: always
        binding:
          description: The binding that allows it; null if none does, or if the caller may not ask.
          type: str
          returned: always
      sample: [{subject: ServiceAccount project-a/default, allowed: true, binding: RoleBinding project-b/image-puller-grant}]
stopped:
  description: Why the task ended before all namespaces were attempted.
  type: str
  returned: when it did
failures:
  description: The namespaces that failed, and why. The task fails if there is one, after all others are done.
  type: list
  elements: dict
  returned: always
  contains:
    namespace:
      description: The namespace.
      type: str
      returned: always
    error:
      description: What was attempted, what came back, and what to do.
      type: str
      returned: always
    entry:
      description: The position of the entry that failed, from 0.
      type: int
      returned: when a single entry failed
    name:
      description: The name in that entry.
      type: str
      returned: when a single entry failed
    title:
      description: How messages call the entry.
      type: str
      returned: when a single entry failed
  sample: []
summary:
  description: Counts of the namespaces of the task, and of repetitions.
  type: dict
  returned: always
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

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.connection import IMPORT_ERROR
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ROLE_BINDING
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant import (
    options as image_puller_grant,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant.contradictions import (
    contradictions,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.entries import ListForm, list_option
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.options import (
    CLUSTER_OPTIONS,
    TARGET_OPTIONS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import Module, Task, reconciling
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.verify_access import verify_access

DECLARATION = {**TARGET_OPTIONS, **image_puller_grant.ARGUMENTS}
ARGUMENTS = {**CLUSTER_OPTIONS, **DECLARATION, "grants": list_option(DECLARATION)}
FORM = ListForm(
    "grants", "binding_name", kind=ROLE_BINDING, declare=image_puller_grant.from_options, contradictions=contradictions
)


def run(task: Task) -> dict[str, object]:
    return reconciling(task, FORM, afterwards=verify_access)


MODULE = Module(ARGUMENTS, run, library="kubernetes", import_error=IMPORT_ERROR, form=FORM)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
