#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_access_prune
short_description: Remove objects that an owner no longer declares
version_added: 1.0.0
description:
  - Compares the declarations of an owner with the objects that carry the owner's labels
    (C(app.kubernetes.io/managed-by=openshift_ops.image_pull) and C(app.kubernetes.io/instance=OWNER), see the option C(owner) of the other
    modules), and removes objects that are no longer declared. Run it after the other modules, with the same lists.
  - The module removes objects in this order. First, it removes service account list entries that name a secret of the owner, if no present
    entry of O(links) declares them or if their secret is removed. Then it removes the secrets. Finally, it removes subjects of the owner's
    role bindings that no present entry of O(grants) declares, and bindings that this leaves empty. Objects are also removed if an entry
    still exists, but no longer covers their namespace or service account.
  - Objects without both labels, and objects of another owner, are never removed. The platform's objects, generated secrets, and objects
    that another controller manages are kept regardless of their labels, with a warning.
  - Nothing is removed unless everything could be read. If the caller may not list across all namespaces, the module lists each namespace or
    project that the caller can see. It omits a namespace in which the caller may not list, with a warning.
  - R(The guide on owners, ansible_collections.openshift_ops.image_pull.docsite.many_teams) describes labels, owners and guards together.
options:
  owner:
    description:
      - The owner whose objects are pruned. Entries without an owner belong to this owner. Objects that an entry of another owner declares
        are not removed either.
    type: str
    required: true
  secrets:
    description:
      - The declarations for M(openshift_ops.image_pull.pull_secret), in the form of its option
        O(openshift_ops.image_pull.pull_secret#module:secrets). Only the name of the secret, its namespaces, and its state matter. The other
        options of an entry, including credentials, are allowed but not required, and are ignored.
      - Options that are missing from an entry take the defaults of that module. This also applies to O(links) and O(grants). If another
        task sets an option for all of its entries, repeat it in each entry here.
      - An entry with O(secrets[].state=absent) does not declare a secret. An entry with C(mode=remove) declares one.
      - At least one of O(secrets), O(links) and O(grants) is required. If a list is omitted, the module does not know its declarations, so
        it removes nothing of that kind, except links to a secret that is removed. An empty list declares nothing.
    type: list
    elements: dict
    suboptions:
      name:
        description: See O(openshift_ops.image_pull.pull_secret#module:name).
        type: str
      namespaces:
        description: See O(openshift_ops.image_pull.pull_secret#module:namespaces).
        type: list
        elements: str
      namespace_selector:
        description: See O(openshift_ops.image_pull.pull_secret#module:namespace_selector).
        type: dict
      owner:
        description: See O(openshift_ops.image_pull.pull_secret#module:owner).
        type: str
      state:
        description: See O(openshift_ops.image_pull.pull_secret#module:state).
        type: str
        choices: [present, absent]
  links:
    description:
      - The declarations for M(openshift_ops.image_pull.sa_link), in the form of its option
        O(openshift_ops.image_pull.sa_link#module:links). Only secrets, service accounts, lists, namespaces and the state matter. The other
        options of an entry are allowed, are checked in the same way as by that module, and have no effect here.
    type: list
    elements: dict
    suboptions:
      secrets:
        description: See O(openshift_ops.image_pull.sa_link#module:secrets).
        type: list
        elements: str
      namespaces:
        description: See O(openshift_ops.image_pull.sa_link#module:namespaces).
        type: list
        elements: str
      namespace_selector:
        description: See O(openshift_ops.image_pull.sa_link#module:namespace_selector).
        type: dict
      service_accounts:
        description: See O(openshift_ops.image_pull.sa_link#module:service_accounts).
        type: list
        elements: str
      link_for:
        description: See O(openshift_ops.image_pull.sa_link#module:link_for).
        type: list
        elements: str
        choices: [pull, mount]
      owner:
        description: See O(openshift_ops.image_pull.sa_link#module:owner).
        type: str
      state:
        description: See O(openshift_ops.image_pull.sa_link#module:state).
        type: str
        choices: [present, absent]
  grants:
    description:
      - The declarations for M(openshift_ops.image_pull.image_puller_grant), in the form of its option
        O(openshift_ops.image_pull.image_puller_grant#module:grants). Only subjects, role, binding, namespaces and the state matter. The
        other options of an entry are allowed, are checked in the same way as by that module, and have no effect here.
      - A subject is kept if any present entry grants it the role in that namespace, regardless of the binding.
    type: list
    elements: dict
    suboptions:
      namespaces:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:namespaces).
        type: list
        elements: str
      namespace_selector:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:namespace_selector).
        type: dict
      service_accounts:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:service_accounts).
        type: list
        elements: dict
      projects:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:projects).
        type: list
        elements: str
      groups:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:groups).
        type: list
        elements: str
      users:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:users).
        type: list
        elements: str
      authenticated:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:authenticated).
        type: bool
      anonymous:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:anonymous).
        type: bool
      role:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:role).
        type: str
      binding_name:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:binding_name).
        type: str
      owner:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:owner).
        type: str
      state:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:state).
        type: str
        choices: [present, absent]
  max_prune:
    description:
      - The maximum number of secrets, of links and of subjects, each counted separately, that the module removes. Either a number, or a
        percentage of the declared objects of the kind that exist, plus the objects that would be removed.
      - A link that is removed with its secret does not count. A link that a glob of service accounts declares counts once, regardless of
        the number of matching accounts. If a list is omitted, nothing is counted for it.
      - Users write labels, links and the names of the projects that they request. So only namespaces that an entry names, or selects by
        C(labels) or C(requesters) of its O(secrets[].namespace_selector), count as declared. Selected namespaces that no user requested
        also count as declared.
      - Each percentage above 0% allows up to three removals of a kind, but not more than a third of the base of the percentage. V(0) and
        V(0%) allow none.
      - When the limit is exceeded, the module holds namespaces back, removes objects in the others, and fails with the namespaces that it
        held back. The namespaces that an entry covers come first. If their removals exceed the limit, the module holds back the ones with
        the most removals, at most one in ten of them but always at least one. If that is not enough, it removes nothing, and lists the
        objects that it would have removed.
      - The namespaces that no entry covers get the rest of the limit. The module holds back each one that exceeds the limit on its own, and
        then, in the same way, the ones with the most removals, or all of them. So objects that users plant in namespaces that no entry covers
        never stop the removal in the others.
      - To confirm a held back namespace, name it in an entry, for example with O(secrets[].state=absent).
    type: str
    default: 10%
  prune_everything:
    description:
      - Without this option, the task fails if no entry declares anything for the owner, or if no entry covers an existing namespace. This
        prevents a lost list from removing everything.
      - To remove all objects of an owner whose inventory is lost, give empty lists, this option and O(max_prune=100%).
    type: bool
    default: false
  concurrency:
    description: The maximum number of requests that are sent at the same time.
    type: int
    default: 8
  max_failures:
    description:
      - A number or a percentage such as V(5%) of the namespaces in which the owner has objects. When the API server has failed in more
        namespaces than that, the remaining namespaces are not attempted, and are reported as skipped. By default, all namespaces are
        attempted.
      - A failure that the administrator of a project can cause does not count, such as an object that cannot be changed.
    type: str
  report_unchanged:
    description:
      - Whether the result lists the namespaces that needed no change, or only counts them. By default, the result lists them if the owner
        has objects in 100 namespaces or fewer.
    type: bool
  progress:
    description: Whether a long task displays its progress every few seconds. Only on the controller (C(connection=local)).
    type: bool
    default: true
  exclude_namespaces:
    description:
      - Namespaces in which nothing is read or removed. The module warns about each one that exists. Names only. The guard reads their
        workloads.
      - Name the namespaces in which an earlier task failed. There, the secret that replaces an undeclared one may be missing.
      - Used by the roles of this collection.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.guard
  - openshift_ops.image_pull.registry
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.stable
notes:
  - Rights needed - list on namespaces; delete on secrets; patch on serviceaccounts; patch, delete on
    rolebindings.rbac.authorization.k8s.io; bind on clusterroles.rbac.authorization.k8s.io system:image-puller.
  - Optional rights - list on secrets, serviceaccounts, rolebindings.rbac.authorization.k8s.io. Without them, the module reports the
    missing information and the omitted steps.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
seealso:
  - module: openshift_ops.image_pull.pull_secret
  - module: openshift_ops.image_pull.sa_link
  - module: openshift_ops.image_pull.image_puller_grant
"""

EXAMPLES = r"""
- name: Create the team's declared secrets
  openshift_ops.image_pull.pull_secret:
    owner: team-a
    secrets: "{{ secrets }}"

- name: Link them
  openshift_ops.image_pull.sa_link:
    owner: team-a
    links: "{{ links }}"

- name: Remove objects that the team no longer declares
  openshift_ops.image_pull.pull_access_prune:
    owner: team-a
    secrets: "{{ secrets }}"
    links: "{{ links }}"
    grants: []

- name: Remove all objects of the team, without its inventory
  openshift_ops.image_pull.pull_access_prune:
    owner: team-a
    secrets: []
    links: []
    grants: []
    prune_everything: true
    max_prune: 100%
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
namespaces:
  description: The result for each namespace in which the owner has objects.
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
      description: The changes that removed something, or would remove it in check mode.
      type: list
      elements: dict
      returned: always
      contains:
        action:
          description: One of C(update), C(delete).
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
        lists:
          description: The lists of the service account that change.
          type: dict
          returned: for a service account
          contains:
            imagePullSecrets:
              description: The changes to C(imagePullSecrets) of the account.
              type: dict
              returned: when it changes
              contains:
                added:
                  description: The names that were added.
                  type: list
                  elements: str
                  returned: always
                removed:
                  description: The names that were removed.
                  type: list
                  elements: str
                  returned: always
                deduplicated:
                  description: The names that were listed more than once, and are now listed once.
                  type: list
                  elements: str
                  returned: when there are any
            secrets:
              description: The changes to C(secrets) of the account.
              type: dict
              returned: when it changes
              contains:
                added:
                  description: The names that were added.
                  type: list
                  elements: str
                  returned: always
                removed:
                  description: The names that were removed.
                  type: list
                  elements: str
                  returned: always
                deduplicated:
                  description: The names that were listed more than once, and are now listed once.
                  type: list
                  elements: str
                  returned: when there are any
        registries:
          description: The registries of the secret that change, listed by key.
          type: dict
          returned: for a secret
          contains:
            added:
              description: The registries that were added.
              type: list
              elements: str
              returned: always
            changed:
              description: The parts of the entry that changed, such as C(password), for each registry that the secret already had. Values
                are never included.
              type: dict
              returned: always
            removed:
              description: The registries that were removed.
              type: list
              elements: str
              returned: always
        role:
          description: The cluster role that the binding grants.
          type: str
          returned: for a role binding
        revoked:
          description: The subjects that were removed from the binding.
          type: list
          elements: str
          returned: for a role binding
      sample: [{action: delete, kind: Secret, name: private-registry, registries: {added: [], changed: {}, removed: [privateregistry.example.com]}}]
prune:
  description: Numbers of declared and removed objects, and the number that O(max_prune) allows, for each kind.
  type: dict
  returned: when all objects could be read
  contains:
    secrets:
      description: Secrets.
      type: dict
      returned: always
      contains:
        declared:
          description: Number of declared objects that exist. See O(max_prune).
          type: int
          returned: always
          sample: 40
        removed:
          description: Number of objects that were removed, or would be removed in check mode.
          type: int
          returned: always
          sample: 2
        allowed:
          description: Number of objects that O(max_prune) allows.
          type: int
          returned: always
          sample: 4
    links:
      description: Entries on lists of service accounts, except entries that are removed with their secret.
      type: dict
      returned: always
      contains:
        declared:
          description: Number of declared objects that exist. See O(max_prune).
          type: int
          returned: always
          sample: 40
        removed:
          description: Number of objects that were removed, or would be removed in check mode.
          type: int
          returned: always
          sample: 2
        allowed:
          description: Number of objects that O(max_prune) allows.
          type: int
          returned: always
          sample: 4
    grants:
      description: Subjects of role bindings. A binding without subjects counts as one.
      type: dict
      returned: always
      contains:
        declared:
          description: Number of declared objects that exist. See O(max_prune).
          type: int
          returned: always
          sample: 40
        removed:
          description: Number of objects that were removed, or would be removed in check mode.
          type: int
          returned: always
          sample: 2
        allowed:
          description: Number of objects that O(max_prune) allows.
          type: int
          returned: always
          sample: 4
    refused:
      description: The changes that were not made because they would remove more than O(max_prune) allows, or would break a workload.
      type: list
      elements: dict
      returned: when O(max_prune) or O(guard) refused them
      contains:
        namespace:
          description: The namespace of the object.
          type: str
          returned: always
        action:
          description: One of C(update), C(delete).
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
        lists:
          description: The lists of the service account that change.
          type: dict
          returned: for a service account
          contains:
            imagePullSecrets:
              description: The changes to C(imagePullSecrets) of the account.
              type: dict
              returned: when it changes
              contains:
                added:
                  description: The names that were added.
                  type: list
                  elements: str
                  returned: always
                removed:
                  description: The names that were removed.
                  type: list
                  elements: str
                  returned: always
                deduplicated:
                  description: The names that were listed more than once, and are now listed once.
                  type: list
                  elements: str
                  returned: when there are any
            secrets:
              description: The changes to C(secrets) of the account.
              type: dict
              returned: when it changes
              contains:
                added:
                  description: The names that were added.
                  type: list
                  elements: str
                  returned: always
                removed:
                  description: The names that were removed.
                  type: list
                  elements: str
                  returned: always
                deduplicated:
                  description: The names that were listed more than once, and are now listed once.
                  type: list
                  elements: str
                  returned: when there are any
        registries:
          description: The registries of the secret that change, listed by key.
          type: dict
          returned: for a secret
          contains:
            added:
              description: The registries that were added.
              type: list
              elements: str
              returned: always
            changed:
              description: The parts of the entry that changed, such as C(password), for each registry that the secret already had. Values
                are never included.
              type: dict
              returned: always
            removed:
              description: The registries that were removed.
              type: list
              elements: str
              returned: always
        role:
          description: The cluster role that the binding grants.
          type: str
          returned: for a role binding
        revoked:
          description: The subjects that were removed from the binding.
          type: list
          elements: str
          returned: for a role binding
guard:
  description: The containers that the removals would affect.
  returned: unless O(guard=false), or O(max_prune) refused all removals
  type: dict
  contains:
    would_break:
      description: The containers because of which a removal was not made.
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
      description: The number of containers that the other removals affect and that are not known.
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
from ..module_utils.core.errors import USUAL_LIMIT
from ..module_utils.engine.namespaces import list_namespaces
from ..module_utils.features.pull_secret import plan as pull_secret
from ..module_utils.inventory.prune.plan import KINDS
from ..module_utils.inventory.prune.run import PruneSettings, prune_owner
from ..module_utils.inventory.what_if import run_change_guard
from ..module_utils.inventory.what_if.declared import list_forms
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.inventory_lists import batch_lists, read_lists
from ..module_utils.module.options import CONNECTION_OPTIONS, REGISTRY_OPTIONS, RUN_OPTIONS, TARGET_OPTIONS
from ..module_utils.module.task import Module, Task

FORMS = list_forms(TARGET_OPTIONS, REGISTRY_OPTIONS, pull_secret.identity_from_options)
ARGUMENTS = {
    **CONNECTION_OPTIONS,
    **RUN_OPTIONS,
    **REGISTRY_OPTIONS,
    "owner": {"type": "str", "required": True},
    **{form.option: form.spec for form in FORMS},
    "max_prune": {"type": "str", "default": USUAL_LIMIT},
    "prune_everything": {"type": "bool", "default": False},
    "exclude_namespaces": {"type": "list", "elements": "str", "default": []},
    **run_change_guard.ARGUMENTS,
}


def run(task: Task) -> dict[str, object]:
    pruning = PruneSettings.of(task.params)
    declared = read_lists(task.params, FORMS, {"owner": pruning.owner}, task.read_file)
    pruning.require_declared(one.desired for every in declared.values() for one in every)
    with task.cluster() as run:
        namespaces, unlisted = list_namespaces(run.cluster)
        batches = batch_lists(run, FORMS, declared, namespaces)
        return run.result(prune_owner(run.cluster, pruning, batches, namespaces, run.settings, unlisted=unlisted))


MODULE = Module(
    ARGUMENTS,
    run,
    import_error=IMPORT_ERROR,
    rules={"required_one_of": [tuple(KINDS)]},
    lists=FORMS,
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
