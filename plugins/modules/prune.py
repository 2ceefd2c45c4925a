#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: prune
short_description: Remove what an owner has on a cluster and declares no more
version_added: 1.0.0
description:
  - Compares what is declared for an owner with what carries the owner's labels
    (C(app.kubernetes.io/managed-by=openshift_ops.image_pull) and C(app.kubernetes.io/instance=OWNER), see the option C(owner) of the
    other modules), and removes what is declared no more. Run it after them, with the same lists.
  - First the entries on lists of service accounts that name a secret of the owner, and that no present entry of O(links) declares, or
    whose secret goes; then the secrets; then subjects of the owner's role bindings that no present entry of O(grants) declares, and
    bindings that this leaves empty. Also where an entry still exists, but no longer covers a namespace or a service account.
  - Nothing without both labels is removed, and nothing of another owner. The platform's objects, generated secrets, and what another
    controller manages are kept, whatever their labels say, with a warning.
  - Nothing is removed unless everything could be read. Where the caller may not list over all namespaces, each namespace or project that it
    can see is listed; one in which it may not list is left out, with a warning.
  - R(The guide on owners, ansible_collections.openshift_ops.image_pull.docsite.many_teams) describes labels, owners and guards together.
options:
  owner:
    description:
      - Whose objects are pruned. Entries that give no owner are this owner's. What an entry of another owner declares is not removed either.
    type: str
    required: true
  secrets:
    description:
      - What is declared with M(openshift_ops.image_pull.pull_secret), as its option O(openshift_ops.image_pull.pull_secret#module:secrets)
        takes it. Which secret, in which namespaces, and its state matter. The other options of an entry, credentials among them, are
        allowed, need not be there, and are not looked at.
      - What an entry does not give is the default of that module, here as in O(links) and O(grants). An option that another task sets
        for all of its entries has to stand in the entries.
      - An entry with O(secrets[].state=absent) does not declare a secret. One with O(secrets[].mode=remove) does.
      - At least one of O(secrets), O(links) and O(grants) is required. Of a list that is not given it is not known what is declared, so
        nothing of its kind is removed, except links to a secret that goes. An empty list declares nothing.
    type: list
    elements: dict
    suboptions:
      title:
        description: What messages call the entry, beside its name. See O(openshift_ops.image_pull.pull_secret#module:secrets[].title).
        type: str
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
        suboptions:
          labels:
            description: See O(openshift_ops.image_pull.pull_secret#module:namespace_selector.labels).
            type: str
          include:
            description: See O(openshift_ops.image_pull.pull_secret#module:namespace_selector.include).
            type: list
            elements: str
          exclude:
            description: See O(openshift_ops.image_pull.pull_secret#module:namespace_selector.exclude).
            type: list
            elements: str
          requesters:
            description: See O(openshift_ops.image_pull.pull_secret#module:namespace_selector.requesters).
            type: list
            elements: str
          phases:
            description: See O(openshift_ops.image_pull.pull_secret#module:namespace_selector.phases).
            type: list
            elements: str
            default: [Active]
          system_namespaces:
            description: See O(openshift_ops.image_pull.pull_secret#module:namespace_selector.system_namespaces).
            type: bool
            default: false
      owner:
        description: See O(openshift_ops.image_pull.pull_secret#module:owner).
        type: str
      adopt:
        description: See O(openshift_ops.image_pull.pull_secret#module:adopt).
        type: bool
      state:
        description: See O(openshift_ops.image_pull.pull_secret#module:state).
        type: str
        choices: [present, absent]
      mode:
        description: See O(openshift_ops.image_pull.pull_secret#module:mode).
        type: str
        choices: [replace, merge, remove]
      update_existing:
        description: See O(openshift_ops.image_pull.pull_secret#module:update_existing).
        type: bool
      only_managed:
        description: See O(openshift_ops.image_pull.pull_secret#module:only_managed).
        type: bool
      delete_empty:
        description: See O(openshift_ops.image_pull.pull_secret#module:delete_empty).
        type: bool
      recreate:
        description: See O(openshift_ops.image_pull.pull_secret#module:recreate).
        type: bool
      type:
        description: See O(openshift_ops.image_pull.pull_secret#module:type).
        type: str
        choices: [kubernetes.io/dockerconfigjson, kubernetes.io/dockercfg, kubernetes.io/podmanconfigjson]
      registries:
        description: See O(openshift_ops.image_pull.pull_secret#module:registries).
        type: list
        elements: dict
        suboptions:
          registry:
            description: See O(openshift_ops.image_pull.pull_secret#module:registries[].registry).
            type: str
            required: true
          username:
            description: See O(openshift_ops.image_pull.pull_secret#module:registries[].username).
            type: str
          password:
            description: See O(openshift_ops.image_pull.pull_secret#module:registries[].password).
            type: raw
          email:
            description: See O(openshift_ops.image_pull.pull_secret#module:registries[].email).
            type: str
      auth_file:
        description: See O(openshift_ops.image_pull.pull_secret#module:auth_file).
        type: path
      auth_config:
        description: See O(openshift_ops.image_pull.pull_secret#module:auth_config).
        type: raw
      only:
        description: See O(openshift_ops.image_pull.pull_secret#module:only).
        type: list
        elements: str
      labels:
        description: See O(openshift_ops.image_pull.pull_secret#module:labels).
        type: dict
      annotations:
        description: See O(openshift_ops.image_pull.pull_secret#module:annotations).
        type: dict
      immutable:
        description: See O(openshift_ops.image_pull.pull_secret#module:immutable).
        type: bool
      drop_platform_registries:
        description: See O(openshift_ops.image_pull.pull_secret#module:drop_platform_registries).
        type: list
        elements: str
      verify:
        description: See O(openshift_ops.image_pull.pull_secret#module:verify).
        type: raw
      verify_repositories:
        description: See O(openshift_ops.image_pull.pull_secret#module:verify_repositories).
        type: list
        elements: str
      verify_realm_hosts:
        description: See O(openshift_ops.image_pull.pull_secret#module:verify_realm_hosts).
        type: list
        elements: str
      verify_ca_cert:
        description: See O(openshift_ops.image_pull.pull_secret#module:verify_ca_cert).
        type: path
      verify_validate_certs:
        description: See O(openshift_ops.image_pull.pull_secret#module:verify_validate_certs).
        type: bool
      verify_timeout:
        description: See O(openshift_ops.image_pull.pull_secret#module:verify_timeout).
        type: int
  links:
    description:
      - What is declared with M(openshift_ops.image_pull.sa_link), as its option O(openshift_ops.image_pull.sa_link#module:links) takes it.
        Secrets, service accounts, lists, namespaces and the state matter. The other options of an entry are allowed, are checked as that
        module does, and change nothing here.
    type: list
    elements: dict
    suboptions:
      title:
        description: What messages call the entry, beside its name. See O(openshift_ops.image_pull.sa_link#module:links[].title).
        type: str
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
        suboptions:
          labels:
            description: See O(openshift_ops.image_pull.sa_link#module:namespace_selector.labels).
            type: str
          include:
            description: See O(openshift_ops.image_pull.sa_link#module:namespace_selector.include).
            type: list
            elements: str
          exclude:
            description: See O(openshift_ops.image_pull.sa_link#module:namespace_selector.exclude).
            type: list
            elements: str
          requesters:
            description: See O(openshift_ops.image_pull.sa_link#module:namespace_selector.requesters).
            type: list
            elements: str
          phases:
            description: See O(openshift_ops.image_pull.sa_link#module:namespace_selector.phases).
            type: list
            elements: str
            default: [Active]
          system_namespaces:
            description: See O(openshift_ops.image_pull.sa_link#module:namespace_selector.system_namespaces).
            type: bool
            default: false
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
      adopt:
        description: See O(openshift_ops.image_pull.sa_link#module:adopt).
        type: bool
      state:
        description: See O(openshift_ops.image_pull.sa_link#module:state).
        type: str
        choices: [present, absent]
      exclusive:
        description: See O(openshift_ops.image_pull.sa_link#module:exclusive).
        type: bool
      only_managed:
        description: See O(openshift_ops.image_pull.sa_link#module:only_managed).
        type: bool
      create:
        description: See O(openshift_ops.image_pull.sa_link#module:create).
        type: bool
      require:
        description: See O(openshift_ops.image_pull.sa_link#module:require).
        type: str
        choices: [usable, existing, none]
      restart_pods:
        description: See O(openshift_ops.image_pull.sa_link#module:restart_pods).
        type: str
        choices: [never, report, stuck]
      verify_after:
        description: See O(openshift_ops.image_pull.sa_link#module:verify_after).
        type: float
      wait_timeout:
        description: See O(openshift_ops.image_pull.sa_link#module:wait_timeout).
        type: int
  grants:
    description:
      - What is declared with M(openshift_ops.image_pull.image_puller_grant), as its option
        O(openshift_ops.image_pull.image_puller_grant#module:grants) takes it. Subjects, role, binding, namespaces and the state matter. The
        other options of an entry are allowed, are checked as that module does, and change nothing here.
      - A subject is kept when any present entry grants it the role in that namespace, by whichever binding.
    type: list
    elements: dict
    suboptions:
      title:
        description: What messages call the entry, beside its name. See O(openshift_ops.image_pull.image_puller_grant#module:grants[].title).
        type: str
      namespaces:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:namespaces).
        type: list
        elements: str
      namespace_selector:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:namespace_selector).
        type: dict
        suboptions:
          labels:
            description: See O(openshift_ops.image_pull.image_puller_grant#module:namespace_selector.labels).
            type: str
          include:
            description: See O(openshift_ops.image_pull.image_puller_grant#module:namespace_selector.include).
            type: list
            elements: str
          exclude:
            description: See O(openshift_ops.image_pull.image_puller_grant#module:namespace_selector.exclude).
            type: list
            elements: str
          requesters:
            description: See O(openshift_ops.image_pull.image_puller_grant#module:namespace_selector.requesters).
            type: list
            elements: str
          phases:
            description: See O(openshift_ops.image_pull.image_puller_grant#module:namespace_selector.phases).
            type: list
            elements: str
            default: [Active]
          system_namespaces:
            description: See O(openshift_ops.image_pull.image_puller_grant#module:namespace_selector.system_namespaces).
            type: bool
            default: false
      service_accounts:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:service_accounts).
        type: list
        elements: dict
        suboptions:
          namespace:
            description: See O(openshift_ops.image_pull.image_puller_grant#module:service_accounts[].namespace).
            type: str
            required: true
          name:
            description: See O(openshift_ops.image_pull.image_puller_grant#module:service_accounts[].name).
            type: str
            default: default
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
      adopt:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:adopt).
        type: bool
      state:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:state).
        type: str
        choices: [present, absent]
      exclusive:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:exclusive).
        type: bool
      revoke_from:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:revoke_from).
        type: str
        choices: [ours, every_binding]
      prune:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:prune).
        type: bool
      recreate:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:recreate).
        type: bool
      verify_access:
        description: See O(openshift_ops.image_pull.image_puller_grant#module:verify_access).
        type: bool
  max_prune:
    description:
      - The maximum number of secrets, of links and of subjects, each on its own, that may be removed. Either a number, or a percentage of
        the declared objects of the kind that exist, plus those that would be removed.
      - A link that is removed with its secret does not count. A link that a glob of service accounts declares counts once, whatever
        number of accounts matches. Of a list that is not given, nothing is counted.
      - Users write labels, links and the names of the projects that they request. So only namespaces that an entry names, or selects by
        O(secrets[].namespace_selector.labels) or O(secrets[].namespace_selector.requesters), count as declared, as do
        selected namespaces that no user requested.
      - When the limit is exceeded, the module tries without the namespaces in which it would remove most, up to one of ten but always
        one, then without all namespaces that no entry covers. If the others keep within the limit, it removes there, holds the rest back,
        and fails with the namespaces that it held back. Otherwise it removes nothing, and lists the objects that it would have removed. So objects
        that users plant in their own namespaces cannot stop the removal in others.
      - An entry that names a held back namespace, for example with O(secrets[].state=absent), confirms it.
    type: str
    default: 10%
  prune_everything:
    description:
      - Without it, the task fails when no entry declares anything for the owner, or none covers a namespace that exists. A list that was
        lost on its way must not remove everything.
      - To take an owner back whose inventory is gone, give empty lists, this option and O(max_prune=100%).
    type: bool
    default: false
  exclude_namespaces:
    description:
      - Namespaces in which nothing is read or removed, with a warning for those that exist. Names only.
      - Name those in which an earlier task failed. There, the secret that replaces an undeclared one is perhaps missing.
    type: list
    elements: str
    default: []
  concurrency:
    description: The maximum number of requests that are sent at the same time.
    type: int
    default: 8
  max_failures:
    description:
      - A number or a percentage such as V(5%) of the namespaces in which the owner has something. When the API server has failed in
        more than that, the remaining ones are not attempted, and are reported as skipped. By default, all namespaces are attempted.
      - A failure that the administrator of a project can cause does not count, such as an object that cannot be changed.
    type: str
  report_unchanged:
    description:
      - Whether the result lists the namespaces that needed no change, or only counts them. By default they are listed when the owner has
        something in 100 namespaces or fewer.
    type: bool
  progress:
    description: Whether a long task displays its progress every few seconds. Only on the controller (C(connection=local)).
    type: bool
    default: true
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.attributes
notes:
  - Rights needed - list on namespaces; delete on secrets; patch on serviceaccounts; patch, delete on
    rolebindings.rbac.authorization.k8s.io; bind on clusterroles.rbac.authorization.k8s.io system:image-puller.
  - Without these, it says what it does not know or does not do - list on secrets, serviceaccounts,
    rolebindings.rbac.authorization.k8s.io.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for what each is for, and how to give them.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
seealso:
  - module: openshift_ops.image_pull.pull_secret
  - module: openshift_ops.image_pull.sa_link
  - module: openshift_ops.image_pull.image_puller_grant
"""

EXAMPLES = r"""
- name: Bring about what the team declares
  openshift_ops.image_pull.pull_secret:
    owner: team-a
    secrets: "{{ secrets }}"

- name: Link it
  openshift_ops.image_pull.sa_link:
    owner: team-a
    links: "{{ links }}"

- name: Remove what the team declares no more
  openshift_ops.image_pull.prune:
    owner: team-a
    secrets: "{{ secrets }}"
    links: "{{ links }}"
    grants: []

- name: Take everything of the team back, without its inventory
  openshift_ops.image_pull.prune:
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
  returned: when it was reached
  sample: https://api.cluster.example.com:6443
namespaces:
  description: The result for each namespace in which the owner has something.
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
      description: What was removed, or in check mode would be.
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
              description: What changes in C(imagePullSecrets) of the account.
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
                  description: The names that stood there more than once, and now once.
                  type: list
                  elements: str
                  returned: when there are such
            secrets:
              description: What changes in C(secrets) of the account.
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
                  description: The names that stood there more than once, and now once.
                  type: list
                  elements: str
                  returned: when there are such
        registries:
          description: The registries of the secret that change, by their keys.
          type: dict
          returned: for a secret
          contains:
            added:
              description: Those that were added.
              type: list
              elements: str
              returned: always
            changed:
              description: For each registry that was there, the parts of its entry that changed, such as C(password). Never a value.
              type: dict
              returned: always
            removed:
              description: Those that were removed.
              type: list
              elements: str
              returned: always
        role:
          description: The cluster role that the binding gives.
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
  returned: when everything could be read
  contains:
    secrets:
      description: Secrets.
      type: dict
      returned: always
      contains:
        declared:
          description: How many are declared and exist. See O(max_prune).
          type: int
          returned: always
          sample: 40
        removed:
          description: How many were removed, or in check mode would be.
          type: int
          returned: always
          sample: 2
        allowed:
          description: How many O(max_prune) allows.
          type: int
          returned: always
          sample: 4
    links:
      description: Entries on lists of service accounts, except entries that are removed with their secret.
      type: dict
      returned: always
      contains:
        declared:
          description: How many are declared and exist. See O(max_prune).
          type: int
          returned: always
          sample: 40
        removed:
          description: How many were removed, or in check mode would be.
          type: int
          returned: always
          sample: 2
        allowed:
          description: How many O(max_prune) allows.
          type: int
          returned: always
          sample: 4
    grants:
      description: Subjects of role bindings. A binding without subjects counts as one.
      type: dict
      returned: always
      contains:
        declared:
          description: How many are declared and exist. See O(max_prune).
          type: int
          returned: always
          sample: 40
        removed:
          description: How many were removed, or in check mode would be.
          type: int
          returned: always
          sample: 2
        allowed:
          description: How many O(max_prune) allows.
          type: int
          returned: always
          sample: 4
    refused:
      description: The changes that were not made because they remove more than O(max_prune) allows.
      type: list
      elements: dict
      returned: when O(max_prune) refused them
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
              description: What changes in C(imagePullSecrets) of the account.
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
                  description: The names that stood there more than once, and now once.
                  type: list
                  elements: str
                  returned: when there are such
            secrets:
              description: What changes in C(secrets) of the account.
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
                  description: The names that stood there more than once, and now once.
                  type: list
                  elements: str
                  returned: when there are such
        registries:
          description: The registries of the secret that change, by their keys.
          type: dict
          returned: for a secret
          contains:
            added:
              description: Those that were added.
              type: list
              elements: str
              returned: always
            changed:
              description: For each registry that was there, the parts of its entry that changed, such as C(password). Never a value.
              type: dict
              returned: always
            removed:
              description: Those that were removed.
              type: list
              elements: str
              returned: always
        role:
          description: The cluster role that the binding gives.
          type: str
          returned: for a role binding
        revoked:
          description: The subjects that were removed from the binding.
          type: list
          elements: str
          returned: for a role binding
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
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant import (
    contradictions as between_grants,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant import (
    options as image_puller_grant,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.prune.desired import KINDS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret import (
    contradictions as between_secrets,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret import (
    options as pull_secret,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link import (
    contradictions as between_links,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link import (
    options as sa_link,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.entries import (
    ListForm,
    list_option,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.inventory import (
    Part,
    inventoried,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.options import (
    CONNECTION_OPTIONS,
    RUN_OPTIONS,
    TARGET_OPTIONS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import Module, Task
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.prune import Pruning, prune

_SECRET = {**TARGET_OPTIONS, **pull_secret.ARGUMENTS}
_LINK = {**TARGET_OPTIONS, **sa_link.ARGUMENTS}
_GRANT = {**TARGET_OPTIONS, **image_puller_grant.ARGUMENTS}
PARTS = (
    Part(
        ListForm(
            "secrets",
            "name",
            kind=KINDS["secrets"],
            declare=pull_secret.identified,
            contradictions=between_secrets.contradictions,
        ),
        _SECRET,
    ),
    Part(
        ListForm(
            "links",
            "secrets",
            kind=KINDS["links"],
            declare=sa_link.from_options,
            contradictions=between_links.contradictions,
        ),
        _LINK,
    ),
    Part(
        ListForm(
            "grants",
            "binding_name",
            kind=KINDS["grants"],
            declare=image_puller_grant.from_options,
            contradictions=between_grants.contradictions,
        ),
        _GRANT,
    ),
)
ARGUMENTS = {
    **CONNECTION_OPTIONS,
    **RUN_OPTIONS,
    "owner": {"type": "str", "required": True},
    "secrets": list_option(_SECRET, alternatives=[pull_secret.SOURCES]),
    "links": list_option(_LINK),
    "grants": list_option(_GRANT),
    "max_prune": {"type": "str", "default": "10%"},
    "prune_everything": {"type": "bool", "default": False},
    "exclude_namespaces": {"type": "list", "elements": "str", "default": []},
}


def run(task: Task) -> dict[str, object]:
    pruning = Pruning.of(task.params)
    return inventoried(
        task,
        PARTS,
        common={"owner": pruning.owner},
        check=pruning.require_declared,
        work=lambda cluster, found, settings: prune(
            cluster, pruning, found.batches, found.namespaces, settings, confirmed=found.confirmed
        ),
    )


MODULE = Module(
    ARGUMENTS,
    run,
    library="kubernetes",
    import_error=IMPORT_ERROR,
    rules={"required_one_of": [tuple(KINDS)]},
    lists=[part.form for part in PARTS],
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
