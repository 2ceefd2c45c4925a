#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sa_link
short_description: Link secrets to service accounts, for pulling, mounting or both
version_added: 1.0.0
description:
  - Adds secrets to the lists of service accounts in many namespaces, or removes them, as C(oc secrets link) and C(oc secrets unlink) do in
    one namespace.
  - Unless O(exclusive=true) is set, only the given names are added or removed. The platform's own entry, the entries of others and their
    order are kept, even if the platform writes the account at the same moment. R(The table for users of oc,
    ansible_collections.openshift_ops.image_pull.docsite.oc) lists the differences to C(oc), command by command.
  - A pod copies the list when it is created. Existing pods do not change. O(restart_pods) reports these pods.
options:
  secrets:
    description:
      - Names of secrets in the same namespace. New names are appended in this order. Builds use the first matching secret.
      - Names that are already listed keep their position, even if their order differs. To reorder them, unlink and link them.
      - If a given name is listed twice, only its first entry is kept. If another name is listed twice, both entries are kept, with a
        warning.
      - Required, unless each entry of O(links) has its own.
    type: list
    elements: str
  service_accounts:
    description:
      - Names of service accounts, or globs such as V(*) and V(build-*).
      - The module waits for a name, or creates it with O(create). A glob selects existing accounts. V(*) selects all accounts of the
        namespace. The module warns about namespaces in which a glob matches no account.
    type: list
    elements: str
    default: [default]
  state:
    description:
      - V(present) links. V(absent) unlinks from the lists that O(link_for) names, even if the secret no longer exists.
      - The pull secret that OpenShift generates for the account is never unlinked, because the platform would link it again. The module
        warns about it. The annotation C(openshift.io/internal-registry-pull-secret-ref) of the account names it.
      - Before OpenShift 4.16, there is no such annotation. The module then reads a secret whose name looks generated, such as
        C(default-dockercfg-x7k2p), and decides by its type, annotations and owner. If the caller may not read it, it remains linked, with a
        warning.
    type: str
    choices: [present, absent]
    default: present
  links:
    description:
      - Many links in one task, instead of a single one. Each entry takes the options listed here. An option that an entry omits is taken
        from the task's option of the same name.
      - The module checks all entries before it reads anything. It refuses entries that contradict each other in a namespace before it
        writes anything. It processes the entries in the given order, with one write for each object. A failed entry does not stop the
        others.
      - One of O(secrets) and O(links) is required, and one of O(namespaces), O(namespace_selector) and O(links).
    type: list
    elements: dict
    suboptions:
      title:
        description: The title of this entry in messages, such as the variable that it comes from. By default its position in the list.
        type: str
      secrets:
        description: See O(secrets).
        type: list
        elements: str
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
        elements: str
      link_for:
        description: See O(link_for).
        type: list
        elements: str
        choices: [pull, mount]
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
      only_managed:
        description: See O(only_managed).
        type: bool
      create:
        description: See O(create).
        type: bool
      require:
        description: See O(require).
        type: str
        choices: [usable, existing, none]
      restart_pods:
        description: See O(restart_pods).
        type: str
        choices: [never, report, stuck]
      wait_timeout:
        description: See O(wait_timeout).
        type: int
  link_for:
    description:
      - V(pull) is C(imagePullSecrets), the list that pods use for pulls. V(mount) is C(secrets), the list of mountable secrets.
      - The default of C(oc secrets link) is mount.
    type: list
    elements: str
    choices: [pull, mount]
    default: [pull]
  owner:
    description:
      - The owner of the links, such as a team. A service account that O(create) creates gets this name as the label
        C(app.kubernetes.io/instance), in addition to C(app.kubernetes.io/managed-by=openshift_ops.image_pull).
      - A service account that O(create) declares, and that this collection created for another owner, is refused, with the owner's name,
        see O(adopt). Without O(create), any service account can be linked to.
      - A link belongs to the owner of its secret. With O(only_managed), secrets of another owner remain linked.
      - The name has at most 63 letters, digits, C(-), C(_) and C(.), like the value of a label. See R(the guide on owners,
        ansible_collections.openshift_ops.image_pull.docsite.many_teams).
    type: str
  adopt:
    description:
      - Take over existing service accounts that O(create) declares. They get both labels. Requires O(owner).
      - The platform's accounts V(default), V(builder) and V(deployer) are never taken over.
    type: bool
    default: false
  exclusive:
    description:
      - Remove everything except O(secrets) and the platform's entries from the lists that O(link_for) names.
      - The platform's entries are the generated pull secret, as in O(state), and the token secret that Kubernetes generated before version
        1.24. Entries that do not name a secret are also kept.
    type: bool
    default: false
  only_managed:
    description:
      - With O(state=absent), unlink only secrets that this collection created (label
        C(app.kubernetes.io/managed-by=openshift_ops.image_pull)), or that do not exist. Other secrets remain linked, with a warning.
      - Run this before you delete the secrets with the same condition. A secret that the caller may not read remains linked, with a
        warning.
    type: bool
    default: false
  create:
    description:
      - Create a named service account that does not exist, instead of waiting for it. Globs create nothing.
      - The cluster itself creates accounts such as V(default). If it is faster, its account is linked.
    type: bool
    default: false
  require:
    description:
      - The condition that a secret must meet to be linked. Otherwise, nothing is written in that namespace, and the task fails with the
        secret's name, the reason, and the steps to take.
      - V(usable) requires a type that nodes read (C(kubernetes.io/dockerconfigjson), C(kubernetes.io/dockercfg)) and at least one entry
        with user and password. For V(mount) alone, the secret only has to exist.
      - V(existing) accepts any existing secret. V(none) checks nothing, which check mode needs if an earlier task of the play would create
        the secret.
      - If the caller may not read a secret, it is linked with a warning that it was not checked.
    type: str
    choices: [usable, existing, none]
    default: usable
  restart_pods:
    description:
      - How to handle pods of the service accounts that lack one of O(secrets) and will never get it, because they were created before the
        link, or have a list of their own.
      - V(report) lists them in the result with the controllers that own them.
      - After linking, V(stuck) also deletes the pods that wait with C(ErrImagePull) or C(ImagePullBackOff), belong to a controller that
        replaces them, and have no list of their own. If a pod has changed in the meantime, the module checks it again first.
      - Requires the right to list pods, and for V(stuck) the right to delete them.
    type: str
    choices: [never, report, stuck]
    default: never
  wait_timeout:
    description: Seconds to wait for a service account that does not exist yet. With V(0), the module looks once.
    type: int
    default: 30
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.guard
  - openshift_ops.image_pull.registry
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.stable
notes:
  - Rights needed - get, patch on serviceaccounts; list on serviceaccounts.
  - Optional rights - get on secrets. Without them, the module reports the missing information and the omitted steps.
  - Rights that save requests - list on secrets.
  - Rights needed with O(create) - create on serviceaccounts.
  - Rights needed with O(restart_pods) - delete on pods.
  - Optional rights with O(restart_pods) - list on pods. Without them, the module reports the missing information and the omitted steps.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
seealso:
  - module: openshift_ops.image_pull.pull_secret
  - module: openshift_ops.image_pull.sa_wait
"""

EXAMPLES = r"""
- name: Let pods of the default service account pull with a secret
  openshift_ops.image_pull.sa_link:
    namespaces: [project-a, project-c]
    secrets: [private-registry]

- name: Let pods of two accounts pull with it, and let builds mount it
  openshift_ops.image_pull.sa_link:
    namespaces: [project-a]
    secrets: [private-registry]
    service_accounts: [default, builder]
    link_for: [pull, mount]

- name: Let builds try the team's mirror first, and remove all other links
  openshift_ops.image_pull.sa_link:
    namespaces: [project-a]
    secrets: [mirror, private-registry]
    service_accounts: [builder]
    exclusive: true

- name: Link, and recreate pods that started before the link
  openshift_ops.image_pull.sa_link:
    namespaces: [project-a]
    secrets: [private-registry]
    restart_pods: stuck

- name: Unlink it from all accounts
  openshift_ops.image_pull.sa_link:
    namespaces: [project-a]
    secrets: [private-registry]
    service_accounts: ["*"]
    link_for: [pull, mount]
    state: absent

- name: Before a teardown, unlink only secrets that this collection created
  openshift_ops.image_pull.sa_link:
    namespaces: [project-a]
    secrets: [private-registry]
    link_for: [pull, mount]
    state: absent
    only_managed: true

- name: Link secrets of different teams, in one task
  openshift_ops.image_pull.sa_link:
    links:
      - {secrets: [team-a], namespaces: [team-a-dev, team-a-prod]}
      - {secrets: [team-b], namespace_selector: {labels: team=b}, service_accounts: [default, builder]}
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
      description: Each write. In check mode, each write that a real run would make. The deletion of a pod is also a write.
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
        labels:
          description: The labels of the account that were written.
          type: list
          elements: str
          returned: when labels change
        service_account:
          description: The account of the pod.
          type: str
          returned: for a pod
        owner:
          description: The controller that recreates the pod.
          type: str
          returned: for a pod
        waiting_reason:
          description: Why the pod did not start.
          type: str
          returned: for a pod
      sample: [{action: update, kind: ServiceAccount, name: default, lists: {imagePullSecrets: {added: [private-registry], removed: []}}}]
    pods:
      description: The pods that lack a secret and will never get it.
      type: list
      elements: dict
      returned: when O(restart_pods) is V(report) or V(stuck)
      contains:
        name:
          description: The pod.
          type: str
          returned: always
        service_account:
          description: Its service account.
          type: str
          returned: always
        missing_secrets:
          description: The secrets that it lacks.
          type: list
          elements: str
          returned: always
        owner:
          description: Its controller, with its kind, or null if it has none.
          type: str
          returned: always
        waiting_reason:
          description: The reason why it does not start, or null if it runs.
          type: str
          returned: always
        has_own_list:
          description: Whether it has its own list instead of its account's list, so that its own template needs the secret.
          type: bool
          returned: always
      sample: [{name: app-x2lzk, service_account: default, missing_secrets: [private-registry], owner: ReplicaSet app,
        waiting_reason: ImagePullBackOff, has_own_list: false}]
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
from ..module_utils.core.objects import SERVICE_ACCOUNT
from ..module_utils.declarations.declare import ListForm
from ..module_utils.features.sa_link import plan as sa_link
from ..module_utils.features.sa_link.plan import contradictions
from ..module_utils.inventory.what_if import run_change_guard
from ..module_utils.inventory.what_if.run_change_guard import ChangeGuard
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.options import CLUSTER_OPTIONS, REGISTRY_OPTIONS, TARGET_OPTIONS
from ..module_utils.module.task import Module, Task

DECLARATION = {**TARGET_OPTIONS, **sa_link.ARGUMENTS}
FORM = ListForm(
    "links",
    "secrets",
    kind=SERVICE_ACCOUNT,
    arguments=DECLARATION,
    declare=sa_link.from_options,
    contradictions=contradictions,
)
ARGUMENTS = {**CLUSTER_OPTIONS, **REGISTRY_OPTIONS, **DECLARATION, FORM.option: FORM.spec, **run_change_guard.ARGUMENTS}


def run(task: Task) -> dict[str, object]:
    access, declared = run_change_guard.guard_access_of(task.params), task.declarations(FORM)
    with task.cluster() as run:
        batch = run.batch(FORM, declared)
        workloads = ChangeGuard(run.cluster, access, run.settings())
        return run.result(workloads.add_to(run.reconcile(batch, workloads.judge)))


MODULE = Module(
    ARGUMENTS,
    run,
    import_error=IMPORT_ERROR,
    rules={"required_one_of": [("secrets", FORM.option)]},
    form=FORM,
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
