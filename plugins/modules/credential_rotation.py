#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: credential_rotation
short_description: Replace a registry login in all confirmed secrets of a cluster
version_added: 1.0.0
description:
  - Finds every secret that holds the old login, by its content, in any of its auth files. Verifies that the new login pulls the images that
    workloads use from the registry. Then changes the confirmed secrets in place.
  - A secret is confirmed if O(secrets) or O(plan) names it. Users who may write secrets in a namespace can put the old login into one, so
    the content, labels and annotations of a secret prove nothing. All other secrets with the old login are listed in
    RV(rotation.not_declared). They are never changed, and do not stop the module.
  - A change in place keeps the secret, its UID, the registry key, the e-mail address, all other entries and the way in which the entry is
    written. Pods need no restart, and cached images remain usable. From Kubernetes 1.35 on, a secret that is deleted and recreated with
    another login would make each node query the registry at the next start of each image. After a change in place, only nodes that
    recorded 100 secrets or more for an image query it once.
  - A confirmed secret that another controller writes, such as External Secrets, is reported in RV(rotation.remaining). It is not changed,
    because the controller would revert the change.
  - An immutable secret is not changed. A second secret, C(NAME-rotated), is created with the new login and also linked on each service
    account. The first secret is excluded from imports and builds. Existing pods keep the first secret until they are recreated. The second
    secret belongs to no owner, so M(openshift_ops.image_pull.pull_access_prune) does not remove it. The pull secret of the nodes gets no second secret,
    so an immutable one fails.
  - The module keeps no state between runs. If a run was interrupted, the next run completes it by finding all remaining copies of the old
    login.
  - To roll back a rotation while the old login is still valid, exchange O(old) and O(new). Secrets that already had the new login before
    the rotation are then changed as well.
  - The pull secret of the cluster's nodes is only changed with O(nodes_pull_secret=true). The role C(credential_rotation) changes it last,
    and waits until the nodes have it.
  - The result contains no credential and no user name.
options:
  registries:
    description:
      - The registries whose login is rotated, C(host[:port]), optionally with a path such as C(quay.io/team). This covers entries for a
        registry, for paths in it and for globs that match its host, regardless of their spelling.
      - Each of them must accept the new login.
    type: list
    elements: str
    required: true
  old:
    description: The login to replace.
    type: dict
    required: true
    suboptions:
      username:
        description: The user name.
        type: str
        required: true
      password:
        description:
          - The password or token. Omit it if it is not known, as with short-lived tokens. Then every other login of that user for the
            registries is replaced in confirmed secrets, if the registry accepts it (see O(replace_dead_logins)). In this case, copies of
            the old login outside auth files are not found.
          - A password that has fewer than 8 characters, or that is part of the new password, is only searched for in the entries of auth
            files for the registries.
        type: str
  new:
    description: The login that replaces it.
    type: dict
    required: true
    suboptions:
      username:
        description: The user name.
        type: str
        required: true
      password:
        description: The password or token.
        type: str
        required: true
      expires:
        description:
          - When it expires, such as V(2030-01-31T12:00:00Z). The module itself knows the expiry time of a JSON Web Token, and of logins of
            Amazon ECR, Google and Azure.
        type: str
  secrets:
    description:
      - The secrets that the module is allowed to change. Each entry names one secret in one namespace or in several.
      - Name only secrets whose readers are allowed to have the new login. RV(rotation.not_declared) contains the entries for the secrets
        that neither O(secrets) nor O(plan) names.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the secret.
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
      namespaces:
        description: Its namespaces, if several namespaces have a secret with that name.
        type: list
        elements: str
      namespace_selector:
        description:
          - Selects the namespaces. Every user who can create a namespace that it selects can create a confirmed secret.
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
      uid:
        description:
          - The UID of the secret. A secret with that name but another UID, which was created later, is not changed.
        type: str
      declared:
        description: Rows of RV(rotation.secrets) contain it. A row with V(false) is refused, because it has not been confirmed.
        type: bool
      is_accepted:
        description:
          - Rows of RV(rotation.secrets) contain it. A secret with V(false) is not changed, and is listed in RV(rotation.remaining) if it has
            the old login. V(true) has no effect. Without a password in O(old), the module always asks the registries itself.
        type: bool
  verify:
    description:
      - Before anything is written, log in to each registry with the new login. Then request an image of each repository that pods and
        workloads use with the old login, in containers and in image volumes, as a node does before a pull. Nothing is written if a registry
        denies the new login something that it gives to the old login, or if a registry cannot be queried.
      - Only images in namespaces with confirmed secrets count. If neither login can pull an image, the module warns and continues.
      - Registries are only contacted if there is something to change, or with O(verify_unchanged).
      - With V(false) and without O(verify_repositories), no registry is contacted, except for the logins of secrets if O(old) has no
        password (see O(replace_dead_logins)). Use it if the controller cannot reach the registry, and verify the login by pulls in some
        namespaces first.
    type: bool
    default: true
  verify_repositories:
    description:
      - Further repositories that the new login must pull, with their registry, and optionally a tag or digest. Each must be in one of
        O(registries). If you give one with O(verify=false), everything is verified.
    type: list
    elements: str
  namespaces:
    description:
      - The namespaces to work in. Without O(namespaces) and O(namespace_selector), the module works in all namespaces, including the
        platform's.
    type: list
    elements: str
  next_rotation_seconds:
    description:
      - Seconds until the next rotation, for short-lived logins. A login that expires earlier is refused before anything is read.
    type: int
  pulls_timeout:
    description:
      - Maximum number of seconds to wait, at the end, for pulls that may still use the old login. A node reads the secrets of a pod before
        it queues the pull, so a pull that waits in the queue of a node uses the previous login. Use this option before you disable the old
        login.
      - The module waits for the pods that list a confirmed secret and whose pull may have begun when the module checks for the first time
        after the last write. It waits until their status or their events show that the attempt has ended. It does not wait for pods that
        are created later, or that fail for a permanent reason, such as a wrong image.
      - If pulls do not end in time, the module warns. They can fail once, and the node tries again with the new login.
      - With V(0), the module does not wait. It also waits in check mode.
    type: int
    default: 0
  plan:
    description:
      - A reviewed plan. The role C(credential_rotation) writes such plans.
      - O(plan) and O(secrets) are mutually exclusive.
      - A plan for another cluster, for other registries or for other user names is refused. A plan with the same two user names in reverse
        order is accepted, for a rollback.
    type: dict
    suboptions:
      server:
        description: The address of the API server, as RV(server).
        type: str
        required: true
      registries:
        description: See O(registries).
        type: list
        elements: str
        required: true
      old_username:
        description: The user name of O(old).
        type: str
        required: true
      new_username:
        description: The user name of O(new).
        type: str
        required: true
      secrets:
        description: The secrets that the module is allowed to change, as rows of RV(rotation.secrets).
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description: The name of the secret.
            type: str
            required: true
          namespace:
            description: Its namespace.
            type: str
          uid:
            description: Its UID.
            type: str
          declared:
            description: Whether the inventory named it when the plan was made. Has no effect.
            type: bool
          is_accepted:
            description:
              - Plans of version 1.0.0 contain it. Has no effect, because the registries are asked again. To leave a secret unchanged, remove its row.
            type: bool
  replace_dead_logins:
    description:
      - Without a password in O(old), the module checks the login of each confirmed secret at the registries just before it writes, and
        changes only secrets with an accepted login. With V(true), it changes the other secrets as well, and does not check their logins. Use
        it when a login has expired or was disabled.
    type: bool
    default: false
  nodes_pull_secret:
    description:
      - Whether to change V(openshift-config/pull-secret) and V(kube-system/additional-pull-secret) as well. All nodes get them, so change
        them separately and last.
    type: bool
    default: false
  allow_absent:
    description:
      - Succeed even if no secret has one of the two logins. By default, the module then fails, because a registry, a user name or a
        password may be mistyped. If the caller may not list the secrets of some namespaces, the module warns instead. RV(rotation.similar)
        names secrets with a part of a login.
      - Used by the roles of this collection. They print RV(rotation.not_declared), so the module does not warn of these secrets.
    type: bool
    default: false
  verify_unchanged:
    description:
      - With O(verify), verify the new login even if there is nothing to change, with the images of the namespaces that already have it. Use
        it before you disable the old login. Images that the new login cannot pull do not fail the module.
      - Used by the roles of this collection.
    type: bool
    default: false
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.registry
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.preview
notes:
  - With O(pulls_timeout), the module lists pods again until the pulls have ended. It also lists events, if the caller may list them.
  - The module deletes pods that killed runs of M(openshift_ops.image_pull.pull_probe) have left, in all namespaces of the task, once the
    pods are past their deadline, and if the caller may delete pods. If it cannot delete a pod, it warns.
  - The caller needs the rights to list and patch secrets, and to get them if others write at the same time. To find the images in use, the
    module lists pods and the workloads of C(apps), C(batch) and C(apps.openshift.io). RV(rotation.unreadable_pods) reports the kinds that it may not
    list. Use O(verify_repositories) as a replacement for them. If a secret is immutable, the module lists, gets and patches service
    accounts, and creates secrets.
  - If the caller may not list across all namespaces, the module lists each namespace separately.
  - Releases of Helm, which have the label C(owner=helm), are not searched, because their content is compressed. Also change the values of the
    chart. RV(rotation.not_searched) lists all secrets that are not searched.
  - Rights needed - patch on secrets; create on secrets; list, patch on serviceaccounts.
  - Optional rights - list on secrets, pods, deployments.apps, statefulsets.apps, daemonsets.apps, replicasets.apps, jobs.batch,
    cronjobs.batch, deploymentconfigs.apps.openshift.io, replicationcontrollers, events,
    machineosconfigs.machineconfiguration.openshift.io. Without them, the module reports the missing information and the omitted steps.
  - Rights needed - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
seealso:
  - module: openshift_ops.image_pull.pull_access_audit
  - module: openshift_ops.image_pull.pull_probe
  - module: openshift_ops.image_pull.registry_auth_info
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Preview a rotation, and verify the new login
  openshift_ops.image_pull.credential_rotation:
    registries: [quay.io]
    old: {username: team+robot, password: "{{ old_password }}"}
    new: {username: team+robot2, password: "{{ new_password }}"}
  check_mode: true
  register: plan

- name: Rotate in a few namespaces first
  openshift_ops.image_pull.credential_rotation:
    namespaces: [canary]
    registries: [quay.io]
    old: {username: team+robot, password: "{{ old_password }}"}
    new: {username: team+robot2, password: "{{ new_password }}"}
    secrets:
      - {namespace: canary, name: quay}

- name: Rotate the secrets of a reviewed plan
  openshift_ops.image_pull.credential_rotation:
    registries: [quay.io]
    old: {username: team+robot, password: "{{ old_password }}"}
    new: {username: team+robot2, password: "{{ new_password }}"}
    plan:
      server: https://api.cluster.example.com:6443
      registries: [quay.io]
      old_username: team+robot
      new_username: team+robot2
      secrets:
        - {namespace: project-a, name: quay, uid: 8d1c1f6e-6f3b-4d0a-9f3e-0a5a0e2c9b11}

- name: Renew a login that is valid for 12 hours, every 6 hours
  openshift_ops.image_pull.credential_rotation:
    registries: [123456789012.dkr.ecr.eu-west-1.amazonaws.com]
    old: {username: AWS}
    secrets:
      - {namespaces: [team-a, team-b], name: ecr}
    new:
      username: AWS
      password: "{{ lookup('ansible.builtin.pipe', 'aws ecr get-login-password --region eu-west-1') }}"
    next_rotation_seconds: 21600
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
rotation:
  description: The state of the login in the namespaces of the task.
  returned: always
  type: dict
  contains:
    registries:
      description: The registries of the login.
      type: list
      elements: str
      returned: always
      sample: [quay.io]
    users:
      description: A hash of the two user names, which is equal for rotations of the same users.
      type: str
      returned: always
      sample: 3f1c9a5be2d07741
    copies:
      description:
        - Numbers of secrets. An immutable secret that already has its second secret still holds the old login, and needs no change.
      type: dict
      returned: always
      contains:
        old:
          description: Secrets that held the old login before this run.
          type: int
          returned: always
        new:
          description: Secrets that hold only the new login.
          type: int
          returned: always
        to_change:
          description: Confirmed secrets that will be changed.
          type: int
          returned: always
        kept:
          description: Confirmed secrets that are not changed and keep the old login or a copy of it, see RV(rotation.remaining).
          type: int
          returned: always
        failed:
          description: Secrets to change that failed or were not attempted.
          type: int
          returned: always
      sample: {old: 3, new: 0, to_change: 2, kept: 0, failed: 0}
    to_change:
      description: The secrets of RV(rotation.copies.to_change). At most 10 of each namespace, and the first 100 of all, are listed.
      type: list
      elements: dict
      returned: always
      contains:
        namespace:
          description: The namespace.
          type: str
          returned: always
        secret:
          description: The secret.
          type: str
          returned: always
        reason:
          description: The reason why it is changed.
          type: str
          returned: always
      sample: [{namespace: project-a, secret: quay, reason: it has a login that this rotation replaces}]
    secrets:
      description:
        - The confirmed secrets that hold one of the two logins or are in RV(rotation.other_passwords), and other secrets that an entry
          could confirm. At most 100 of the others in each namespace are listed. They are the rows of a plan. Give the rows with
          RV(rotation.secrets[].declared) to a later task as O(secrets), so that it changes no others.
      type: list
      elements: dict
      returned: always
      contains:
        namespace:
          description: The namespace.
          type: str
          returned: always
        name:
          description: The secret.
          type: str
          returned: always
        uid:
          description: Its UID.
          type: str
          returned: always
        declared:
          description: Whether O(secrets) or O(plan) names it.
          type: bool
          returned: always
        is_accepted:
          description:
            - Whether the login of the secret allows a change. If O(old) has no password, V(false) means that no registry has accepted or
              refused its own login, or that none was asked because the secret is not confirmed.
          type: bool
          returned: always
      sample: [{namespace: project-a, name: quay, uid: 8d1c1f6e-6f3b-4d0a-9f3e-0a5a0e2c9b11, declared: true, is_accepted: true}]
    not_searched:
      description: The kinds of secrets that are not searched, so RV(rotation.not_declared) never contains them.
      type: list
      elements: str
      returned: always
    not_declared:
      description:
        - Unconfirmed secrets that hold the old login, or may hold it. They are not changed. At most 10 of each namespace, and the first 100
          of all, are listed.
        - Check them before you retire the old login. Pods that use one of them cannot pull afterwards.
      type: list
      elements: dict
      returned: always
      contains:
        namespace:
          description: The namespace.
          type: str
          returned: always
        name:
          description: The secret.
          type: str
          returned: always
        uid:
          description: Its UID.
          type: str
          returned: always
        reason:
          description: The reason why it is not changed.
          type: str
          returned: always
        fix:
          description: The line that adds it to O(secrets). Empty if that changes nothing.
          type: str
          returned: always
      sample: [{namespace: project-b, name: mine, uid: 3f0e1a52-0000-4c1d-8a9b-5b2f8f8c7d10,
        reason: nothing outside the cluster names it for this rotation, fix: '- {namespace: "project-b", name: "mine"}'}]
    not_declared_count:
      description: The total number, including entries that are not listed.
      type: int
      returned: always
    not_declared_namespaces:
      description: Number of namespaces with such secrets.
      type: int
      returned: always
    not_accepted:
      description:
        - Confirmed secrets of whose own logins the registry has not accepted any, if O(old) has no password. They are not changed. Only the
          first 100 are listed.
      type: list
      elements: dict
      returned: always
      contains:
        namespace:
          description: The namespace.
          type: str
          returned: always
        secret:
          description: The secret.
          type: str
          returned: always
        reason:
          description: The response of the registry.
          type: str
          returned: always
        is_refused:
          description:
            - Whether the registry refuses the login. Otherwise, its response is missing, so the secret may have a login that works. It then
              stays one of the confirmed secrets in RV(rotation.secrets), with RV(rotation.secrets[].is_accepted=false), and the end of a
              rotation finds it in RV(rotation.remaining).
          type: bool
          returned: always
      sample: []
    not_accepted_count:
      description: The total number, including entries that are not listed.
      type: int
      returned: always
    other_passwords:
      description:
        - Confirmed secrets that have the user of O(old) with another password for one of the registries. They are not changed. The
          password in O(old) may be mistyped, so check them before you retire the old login. Only the first 100 are listed.
      type: list
      elements: dict
      returned: always
      contains:
        namespace:
          description: The namespace.
          type: str
          returned: always
        secret:
          description: The secret.
          type: str
          returned: always
        reason:
          description: The part of the login that it has, and the registry keys.
          type: str
          returned: always
      sample: []
    other_passwords_count:
      description: The total number, including entries that are not listed.
      type: int
      returned: always
    other_users:
      description:
        - Secrets that O(secrets) or O(plan) names, with logins for the registries, all of other users than those of O(old) and O(new). They
          are not changed. The user in O(old) or the name of the secret may be mistyped. Only the first 100 are listed.
      type: list
      elements: dict
      returned: always
      contains:
        namespace:
          description: The namespace.
          type: str
          returned: always
        secret:
          description: The secret.
          type: str
          returned: always
        reason:
          description: The registry keys of these logins.
          type: str
          returned: always
      sample: []
    other_users_count:
      description: The total number, including entries that are not listed.
      type: int
      returned: always
    remaining:
      description:
        - Confirmed secrets that hold the old login before and after this run, with the steps to take. Only the first 100 are listed.
          Secrets that failed are in RV(failures).
      type: list
      elements: dict
      contains:
        namespace:
          description: The namespace.
          type: str
        secret:
          description: The secret.
          type: str
        location:
          description: The registry key, the data key or the annotation.
          type: str
        reason:
          description: The reason why it remains, and the steps to take.
          type: str
    remaining_count:
      description: The total number, including entries that are not listed.
      type: int
    nodes:
      description: The pull secrets of the nodes that have the old login, if O(nodes_pull_secret) is not set.
      type: list
      elements: dict
      returned: always
      contains:
        namespace:
          description: The namespace.
          type: str
          returned: always
        secret:
          description: The secret.
          type: str
          returned: always
        registries:
          description: The keys of the old login in it.
          type: list
          elements: str
          returned: always
      sample: [{namespace: openshift-config, secret: pull-secret, registries: [quay.io]}]
    nodes_changed:
      description:
        - The pull secrets of the nodes that have the new login, if O(nodes_pull_secret) is not set. The nodes may not have it yet. After
          they receive it, a kubelet uses the previous logins of its node for 5 minutes.
      type: list
      elements: dict
      returned: always
      contains:
        namespace:
          description: The namespace.
          type: str
          returned: always
        secret:
          description: The secret.
          type: str
          returned: always
        registries:
          description: The keys of the new login in it.
          type: list
          elements: str
          returned: always
      sample: []
    searched:
      description: The numbers of searched secrets.
      type: dict
      returned: always
      contains:
        secrets:
          description: The secrets that were searched.
          type: int
          returned: always
        for_registries:
          description: Those with a login for one of the registries, of any user.
          type: int
          returned: always
      sample: {secrets: 12, for_registries: 3}
    similar:
      description:
        - Secrets with a part of a login, if no secret has the old one. At most 10 of each namespace, and the first 100 of all,
          are listed.
      type: list
      elements: dict
      returned: always
      contains:
        namespace:
          description: The namespace.
          type: str
          returned: always
        secret:
          description: The secret.
          type: str
          returned: always
        reason:
          description: The part of a login that it has, and the registry keys.
          type: str
          returned: always
      sample: []
    unreadable_secrets:
      description:
        - The namespaces in which the caller may not list secrets, so that the old login may be there. One sentence for each.
        - On OpenShift, also that the caller may not list namespaces, so that only its own projects were searched.
      type: list
      elements: str
    unreadable_pods:
      description: The pods and workloads that could not be read, so that the new login is verified for fewer images. One sentence for each.
      type: list
      elements: str
    old_login:
      description:
        - Whether the registries still accept the old login. V(works) if all of them accept it, V(refused) if one of them refuses it, and
          V(unknown) otherwise, including if they were not asked or require no login.
      type: str
      sample: works
    repositories:
      description:
        - The repositories that are in use with the login, and the response of the registry to the new login. At most 200 of each namespace
          are listed.
      type: list
      elements: dict
      returned: always
      contains:
        repository:
          description: The repository with its registry.
          type: str
          returned: always
        image:
          description: The image that was requested.
          type: str
          returned: always
        outcome:
          description: The outcome, as returned by M(openshift_ops.image_pull.registry_auth_info).
          type: str
          returned: always
        message:
          description: The outcome as a sentence.
          type: str
          returned: always
      sample: [{repository: quay.io/team/app, image: "quay.io/team/app:v1", outcome: pulls, message: "registry quay.io gives quay.io/team/app:v1"}]
    probes:
      description:
        - For each of the first 100 namespaces with a secret to change, an image that is pulled there with the login, for
          M(openshift_ops.image_pull.pull_probe). With O(verify), it is an image that the new login was verified on. Otherwise, it is an image
          that a pod with that secret has. The namespace with the oldest secret comes first. Namespaces with confirmed secrets that already
          have the new login come before these, at most three of them if there is something to change.
      type: list
      elements: dict
      returned: always
      contains:
        namespace:
          description: The namespace.
          type: str
          returned: always
        image:
          description: The image.
          type: str
          returned: always
        secret:
          description: The secret that has the login.
          type: str
          returned: always
      sample: [{namespace: project-a, image: "quay.io/team/app:v1", secret: quay}]
    has_ready_node:
      description:
        - Whether the cluster has a ready node, on which M(openshift_ops.image_pull.pull_probe) can pull. V(null) if the nodes cannot be listed,
          without check mode or O(verify), and if there are no C(probes) or no secret to change.
      type: bool
      returned: always
      version_added: 1.2.0
    failing:
      description:
        - The images of the registries, in containers and in image volumes, that nodes cannot pull because the login is refused, by
          namespace. Only pods that list a confirmed secret with the old or the new login count. After a wait (O(pulls_timeout)), the list
          shows the state at its end.
      type: list
      elements: dict
      returned: always
      contains:
        place:
          description: Namespace and image. Compare it with the value of an earlier run to find new failures.
          type: str
          returned: always
        namespace:
          description: The namespace.
          type: str
          returned: always
        image:
          description: The image.
          type: str
          returned: always
        repository:
          description: Its repository, with the registry.
          type: str
          returned: always
        cause:
          description: The class of the node's error.
          type: str
          returned: always
        pod:
          description: The pod of the first container that waits for it.
          type: str
          returned: always
        container:
          description: That container.
          type: str
          returned: always
        containers:
          description: Number of containers that wait for it.
          type: int
          returned: always
      sample: [{place: "project-a quay.io/team/app:v1", namespace: project-a, image: "quay.io/team/app:v1",
        repository: quay.io/team/app, cause: bad_credentials, pod: app-1, container: app, containers: 3}]
    undecided:
      description:
        - Namespace and image, as in RV(rotation.failing[].place), for images that pods with a confirmed secret wait for, and that none of
          these pods has. The node may have hidden the reason, for example by C(pull QPS exceeded). If a later run finds a failure there,
          this is not evidence against the new login.
      type: list
      elements: str
      returned: always
      sample: ["project-a quay.io/team/app:v2"]
    pending_pulls:
      description:
        - The pulls that may use the old login and did not end within O(pulls_timeout). Only the first 100 are listed.
      type: list
      elements: dict
      returned: always
      contains:
        namespace:
          description: The namespace.
          type: str
          returned: always
        pod:
          description: The pod.
          type: str
          returned: always
        container:
          description: The container. For an image volume, the first container that mounts it.
          type: str
          returned: always
        image:
          description: The image.
          type: str
          returned: always
      sample: []
    pending_pulls_count:
      description: The total number, including entries that are not listed.
      type: int
      returned: always
    pending_pulls_unknown:
      description:
        - Why it is not known whether nodes still pull with the old login, such as a missing right to list pods. Empty if it is known, and
          without O(pulls_timeout).
      type: str
      returned: always
      sample: ""
namespaces:
  description: The result for each namespace that has something to change.
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
        annotations:
          description: The annotations of the secret that were written.
          type: list
          elements: str
          returned: when annotations change
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
        rotated_from:
          description: The immutable secret that this secret replaces.
          type: str
          returned: for the replacement of an immutable secret
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
      sample: [{action: update, kind: Secret, name: quay, registries: {added: [], changed: {quay.io: [password, username]}, removed: []}}]
stopped:
  description: Why the task ended before all namespaces were attempted.
  type: str
  returned: when the task stopped early
failures:
  description: The namespaces and secrets that failed, and the reason. If there is one, the task fails after it has processed all others.
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

import time

from ..module_utils.clients.kube.kubeconfig import IMPORT_ERROR
from ..module_utils.features.credential_rotation import options as credential_rotation
from ..module_utils.features.credential_rotation.confirmation import PLACES, ROW
from ..module_utils.features.credential_rotation.run import rotate
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.options import CLUSTER_OPTIONS, REGISTRY_OPTIONS, TARGET_OPTIONS
from ..module_utils.module.task import Module, Task

SECRETS = {
    "type": "list",
    "elements": "dict",
    "no_log": False,
    "options": {**TARGET_OPTIONS, **ROW},
    "mutually_exclusive": [PLACES],
    "required_one_of": [PLACES],
}

ARGUMENTS = {**CLUSTER_OPTIONS, **REGISTRY_OPTIONS, **credential_rotation.ARGUMENTS, "secrets": SECRETS}


def run(task: Task) -> dict[str, object]:
    rotation = credential_rotation.from_options(task.params)
    task.warn(credential_rotation.check_lifetime(task.params, time.time()))
    with task.cluster(task.targets(everywhere=True, system=True)) as run:
        return run.result(rotate(run.cluster, rotation, run.namespaces, run.settings(), unlisted=run.unlisted))


RULES = {"mutually_exclusive": [("secrets", "plan")]}
MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR, rules=RULES, everywhere=True)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
