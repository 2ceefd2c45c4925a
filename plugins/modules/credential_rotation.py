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
  - Finds every secret that holds the old login, by its content, in any of its auth files, proves that the new login pulls the images that
    workloads use from the registry, and then changes the confirmed secrets in place.
  - A secret is confirmed if O(secrets) or O(plan) names it. Users who may write secrets in a namespace can put the old login into one, so its
    content, labels and annotations prove nothing. All other secrets with the old login are listed in RV(rotation.not_declared). They are never
    changed, and do not stop the module.
  - In place, the secret, its UID, the registry key, the e-mail address, all other entries and the way in which the entry is written stay. Pods
    need no restart, and cached images stay usable. A secret that is deleted and created again would have each start of a pod ask the registry,
    from Kubernetes 1.35 on.
  - A confirmed secret that another controller writes, such as External Secrets, is reported in RV(rotation.remaining) and not changed, since
    it would be changed back.
  - An immutable secret is not changed. A second one, C(NAME-rotated), is created with the new login and linked beside it on each service
    account, and the first is left out of imports and builds. Pods that exist keep the first until they are made anew. The second belongs to no
    owner, so M(openshift_ops.image_pull.prune) leaves it. The pull secret of the nodes gets no second one, so an immutable one fails.
  - Nothing is remembered between runs. A run that was ended is finished by the next one, which finds what still has the old login.
  - To take a rotation back while the old login lives, exchange O(old) and O(new). Secrets that had the new login before are then changed, too.
  - The pull secret of the cluster's nodes is only changed with O(nodes_pull_secret=true). The role C(credential_rotation) does that last, and
    waits until the nodes have it.
  - The result holds no credential and no user name.
options:
  namespaces:
    description:
      - The namespaces to work in. Without O(namespaces) and O(namespace_selector), all are, the platform's too.
    type: list
    elements: str
  registries:
    description:
      - The registries whose login is rotated, C(host[:port]), optionally with a path such as C(quay.io/team). Entries for a registry, for paths in
        it and for globs that match its host are meant, however they are spelt.
      - Each of them must accept the new login.
    type: list
    elements: str
    required: true
  old:
    description: The login that is replaced.
    type: dict
    required: true
    suboptions:
      username:
        description: The user name.
        type: str
        required: true
      password:
        description:
          - The password or token. Leave it out where it is not known, as with tokens that live a short time. Then each other login of that user
            for the registries is replaced, in confirmed secrets, if the registry accepts it (see O(replace_dead_logins)). Copies of the
            old login outside auth files are not found then.
          - With O(verify=false), give the password, an O(secrets[].uid) in each entry, or O(replace_dead_logins=true).
          - One of fewer than 8 characters, or one that is part of the new one, is only searched for in the entries of auth files for the
            registries.
        type: str
  new:
    description: The login that takes its place.
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
          - When it expires, such as V(2030-01-31T12:00:00Z). Of a JSON Web Token, and of logins of Amazon ECR, Google and Azure, the module
            knows that itself.
        type: str
  next_run:
    description:
      - In so many seconds the rotation runs again, for logins that live a short time. A login that expires before is refused, before anything
        is read.
    type: int
  pulls_timeout:
    description:
      - In the end, wait at most this number of seconds for pulls that may still use the old login. A node reads the secrets of a pod before it
        queues the pull, so a pull that waits in the queue of a node uses the login that was there before. Use it before the old login is
        disabled.
      - The module waits for the pods that list a confirmed secret and whose pull may have begun when it looks first, after the last write. It
        waits until their status or their events show that the attempt has ended. It does not wait for pods that come later, or that fail for
        a reason that stays, such as a wrong image.
      - Pulls that do not end in time are a warning. They can fail once, and the node tries again with the new login.
      - With V(0), the module does not wait. In check mode, it waits too.
    type: int
    default: 0
  secrets:
    description:
      - The secrets that may be changed. Each entry names one secret in one namespace or in several.
      - Name only secrets whose readers may have the new login. RV(rotation.not_declared) has the entries for the secrets that nothing names.
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
        description: Its namespaces, where several have one of that name.
        type: list
        elements: str
      namespace_selector:
        description:
          - Selects the namespaces. Every user who can make a namespace that it selects can make a confirmed secret.
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
          - The UID of the secret. A secret of that name with another UID, which was created later, is not changed.
        type: str
      declared:
        description: Rows of RV(rotation.secrets) have it. One with V(false) is refused, since nobody has confirmed it.
        type: bool
  plan:
    description:
      - A plan that a person has reviewed. The role C(credential_rotation) writes such plans.
      - O(plan) and O(secrets) exclude each other.
      - A plan for another cluster, for other registries or for other user names is refused. One for the same two user names the other way
        round is accepted, to go back.
    type: dict
    suboptions:
      server:
        description: The address of the API server, as RV(server).
        type: str
        required: true
      registries:
        description: As O(registries).
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
        description: The secrets that may be changed, as rows of RV(rotation.secrets).
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
  replace_dead_logins:
    description:
      - Without a password in O(old), the registries are asked for the login that each confirmed secret has, and only secrets with an accepted
        login are changed. With V(true), the others are changed too. Use it when a login has expired or was disabled.
    type: bool
    default: false
  allow_absent:
    description:
      - Succeed although no secret has one of the two logins. By default the module fails then, because a registry, a user name or a
        password may be mistyped. If secrets of some namespaces may not be listed, it warns instead. RV(rotation.similar) names secrets with a part of a login.
    type: bool
    default: false
  nodes_pull_secret:
    description:
      - Whether V(openshift-config/pull-secret) and V(kube-system/additional-pull-secret) are changed too. All nodes get them, so do it alone and
        last.
    type: bool
    default: false
  verify:
    description:
      - Before anything is written, log in with the new login to each registry, and ask for an image of each repository that pods and workloads
        use with the old one, in containers and in image volumes, as a node does before a pull. Nothing is written when a registry refuses what
        it gives to the old login, or cannot be asked.
      - Only images in namespaces with confirmed secrets count. An image that neither login pulls is a warning, and does not stop the module.
      - Registries are only asked when there is something to change.
      - With V(false) and without O(verify_repositories), nothing is asked. Use it where the controller does not reach the registry, and prove
        the login by pulls in some namespaces first.
    type: bool
    default: true
  verify_repositories:
    description:
      - Further repositories that the new login must pull, with their registry, and a tag or digest if you like. Each is in one of
        O(registries). With O(verify=false), all is verified when one is given.
    type: list
    elements: str
  verify_realm_hosts:
    description:
      - The C(host[:port]) that may be asked for tokens besides the registries themselves, where these delegate their login.
        A login is sent to no other host. Docker Hub's C(auth.docker.io) needs no entry.
    type: list
    elements: str
  verify_ca_cert:
    description: Path of a file with the certificate authorities of the registries, in PEM format. By default those of the system.
    type: path
  verify_validate_certs:
    description: Whether the certificates of the registries are verified.
    type: bool
    default: true
  verify_timeout:
    description: Seconds to wait for each answer of a registry.
    type: int
    default: 10
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
notes:
  - With O(pulls_timeout), pods are listed again until the pulls have ended, and events, if the caller may list them.
  - Pods that killed runs of M(openshift_ops.image_pull.pull_probe) have left are deleted in all namespaces of the task, once they are past
    their deadline, if the caller may delete pods. A pod that cannot be deleted is a warning.
  - The caller needs the rights to list and patch secrets, and to get them where others write meanwhile. To know which images are used, pods, the
    workloads of C(apps), C(batch) and C(apps.openshift.io) are listed; what may not be listed is said in RV(rotation.unread), and
    O(verify_repositories) can stand in for it. Where a secret is immutable, service accounts are listed, got and patched, and secrets are created.
  - Where the caller may not list over all namespaces, each namespace is listed on its own.
  - Secrets of Helm's releases are not searched, since their content is compressed. Change the values of the chart, too.
  - Rights needed - patch on secrets; create on secrets; list, patch on serviceaccounts.
  - Without these, it says what it does not know or does not do - list on secrets, pods, deployments.apps, statefulsets.apps,
    daemonsets.apps, replicasets.apps, jobs.batch, cronjobs.batch, deploymentconfigs.apps.openshift.io, replicationcontrollers, events.
  - Rights needed - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for what each is for, and how to give them.
seealso:
  - module: openshift_ops.image_pull.pull_access_audit
  - module: openshift_ops.image_pull.pull_probe
  - module: openshift_ops.image_pull.registry_auth_info
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: See what a rotation would change, and whether the new login is good for it
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

- name: Rotate the secrets of a plan that a person has reviewed
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

- name: Renew a login that lives 12 hours, every 6 hours
  openshift_ops.image_pull.credential_rotation:
    registries: [123456789012.dkr.ecr.eu-west-1.amazonaws.com]
    old: {username: AWS}
    secrets:
      - {namespaces: [team-a, team-b], name: ecr}
    new:
      username: AWS
      password: "{{ lookup('ansible.builtin.pipe', 'aws ecr get-login-password --region eu-west-1') }}"
    next_run: 21600
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when it was reached
  sample: https://api.cluster.example.com:6443
rotation:
  description: What is known of the login in the namespaces of the task.
  returned: always
  type: dict
  contains:
    copies:
      description:
        - How many secrets there are. An immutable secret that has its second one still holds the old login, and is not to be changed.
      type: dict
      returned: always
      contains:
        old:
          description: Those that held the old login before this run.
          type: int
          returned: always
        new:
          description: Those that hold the new one alone.
          type: int
          returned: always
        to_change:
          description: Confirmed secrets that will be changed.
          type: int
          returned: always
        failed:
          description: Those of them that failed or were not attempted.
          type: int
          returned: always
      sample: {old: 3, new: 0, to_change: 2, failed: 0}
    secrets:
      description:
        - The confirmed secrets that hold one of the two logins, and other secrets that an entry could confirm, at most 100 in each namespace.
          They are the rows of a plan. Give those with RV(rotation.secrets[].declared) to a later task as O(secrets), so that it changes no others.
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
      sample: [{namespace: project-a, name: quay, uid: 8d1c1f6e-6f3b-4d0a-9f3e-0a5a0e2c9b11, declared: true}]
    not_declared:
      description:
        - Secrets that hold the old login, or may hold it, and that are not confirmed. They are not changed. At most 10 of each namespace, and of
          all the first 100.
        - Look at them before the old login is retired. Pods that use one of them cannot pull afterwards.
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
          description: Why it is not changed.
          type: str
          returned: always
        fix:
          description: The line that adds it to O(secrets). Empty where that changes nothing.
          type: str
          returned: always
      sample: [{namespace: project-b, name: mine, uid: 3f0e1a52-0000-4c1d-8a9b-5b2f8f8c7d10,
        reason: nothing outside the cluster names it for this rotation, fix: '- {namespace: "project-b", name: "mine"}'}]
    not_declared_count:
      description: How many they are.
      type: int
      returned: always
    not_declared_namespaces:
      description: In how many namespaces they are.
      type: int
      returned: always
    not_accepted:
      description:
        - Confirmed secrets whose own login the registry does not accept, where O(old) has no password. They are not changed. Of many, the first
          100.
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
          description: The answer of the registry.
          type: str
          returned: always
      sample: []
    not_accepted_count:
      description: How many they are.
      type: int
      returned: always
    remaining:
      description:
        - Confirmed secrets that hold the old login, and still hold it after this run, with the steps to take there. Of many, the first
          100. Secrets that failed are in RV(failures).
      type: list
      elements: dict
      contains:
        namespace:
          description: The namespace.
          type: str
        secret:
          description: The secret.
          type: str
        about:
          description: The registry key, the data key or the annotation.
          type: str
        reason:
          description: Why it is left, and what to do.
          type: str
    remaining_count:
      description: How many they are.
      type: int
    nodes:
      description: The pull secrets of the nodes that have the old login, where O(nodes_pull_secret) is not set.
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
        - The pull secrets of the nodes that have the new login, where O(nodes_pull_secret) is not set. The nodes may not have it yet,
          and a kubelet uses the logins of its node for 5 minutes after that.
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
    similar:
      description:
        - Secrets with a part of a login, if no secret has one of the two logins. At most 10 of each namespace, and the first 100 of all.
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
    unsearched:
      description:
        - In which namespaces secrets may not be listed, so that the old login may be there. Each a sentence.
      type: list
      elements: str
    unread:
      description: Which pods and workloads could not be read, so that the new login is proven for less. Each a sentence.
      type: list
      elements: str
    old_login:
      description:
        - Whether the registries still accept the old login. V(works) when all do, V(refused) when one of them refuses it, V(unknown) otherwise,
          and where they were not asked.
      type: str
      sample: works
    repositories:
      description:
        - The repositories that are in use with the login, and the answer of the registry to the new one. At most 200 of each namespace.
      type: list
      elements: dict
      returned: always
      contains:
        repository:
          description: The repository with its registry.
          type: str
          returned: always
        image:
          description: The image that was asked for.
          type: str
          returned: always
        outcome:
          description: As M(openshift_ops.image_pull.registry_auth_info) has it.
          type: str
          returned: always
        said:
          description: The same as a sentence.
          type: str
          returned: always
      sample: [{repository: quay.io/team/app, image: "quay.io/team/app:v1", outcome: pulls, said: "registry quay.io gives quay.io/team/app:v1"}]
    probes:
      description:
        - For each of the first 100 namespaces with a secret to change, an image that is pulled there with the login, for
          M(openshift_ops.image_pull.pull_probe). With O(verify), it is one that the new login was proven on. The namespace whose secret is the
          oldest comes first. Namespaces with confirmed secrets that have the new login already come before these.
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
    failing:
      description:
        - The images of the registries, of containers and of image volumes, that nodes cannot pull because the login is refused, by namespace.
          Only pods that list a confirmed secret with the old or the new login count. After a wait (O(pulls_timeout)), it is as of its end.
      type: list
      elements: dict
      returned: always
      contains:
        place:
          description: Namespace and image. Compare it with that of an earlier run to see what is new.
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
          description: How many containers wait for it.
          type: int
          returned: always
      sample: [{place: "project-a quay.io/team/app:v1", namespace: project-a, image: "quay.io/team/app:v1",
        repository: quay.io/team/app, cause: bad_credentials, pod: app-1, container: app, containers: 3}]
    undecided:
      description:
        - Namespace and image, as RV(rotation.failing[].place), where pods that list a confirmed secret wait for the image, and none has it. The
          node may have hidden the reason, for example by C(pull QPS exceeded). A failure that a later run finds there is not evidence against
          the new login.
      type: list
      elements: str
      returned: always
      sample: ["project-a quay.io/team/app:v2"]
    pending_pulls:
      description:
        - The pulls that may use the old login and did not end within O(pulls_timeout). Of many, the first 100.
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
          description: The container. Of an image volume, the first one that mounts it.
          type: str
          returned: always
        image:
          description: The image.
          type: str
          returned: always
      sample: []
    pending_pulls_count:
      description: How many they are.
      type: int
      returned: always
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
        entries:
          description: The positions of the entries that ask for it, from 0.
          type: list
          elements: int
          returned: with a list of entries
        annotations:
          description: The annotations of the secret that were written.
          type: list
          elements: str
          returned: when annotations change
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
        rotated_from:
          description: The immutable secret in whose place this one stands.
          type: str
          returned: for the second secret of an immutable one
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
      sample: [{action: update, kind: Secret, name: quay, registries: {added: [], changed: {quay.io: [password, username]}, removed: []}}]
stopped:
  description: Why the task ended before all namespaces were attempted.
  type: str
  returned: when it did
failures:
  description: The namespaces and secrets that failed, and why. The task fails if there is one, after all others are done.
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

import time

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.connection import IMPORT_ERROR
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation import (
    options as credential_rotation,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.confirmation import (
    PLACES,
    ROW,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.options import (
    CLUSTER_OPTIONS,
    TARGET_OPTIONS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import (
    Module,
    Task,
    everywhere,
    over_targets,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.credential_rotation import rotate

SECRETS = {
    "type": "list",
    "elements": "dict",
    "no_log": False,
    "options": {**TARGET_OPTIONS, **ROW},
    "mutually_exclusive": [PLACES],
    "required_one_of": [PLACES],
}

ARGUMENTS = {**CLUSTER_OPTIONS, **credential_rotation.ARGUMENTS, "secrets": SECRETS}


def run(task: Task) -> dict[str, object]:
    rotation = credential_rotation.from_options(task.params)
    task.warn(credential_rotation.lifetime(task.params, time.time()))
    return over_targets(
        everywhere(task, system=True),
        lambda cluster, meant, settings: rotate(cluster, rotation, meant.namespaces, settings),
    )


RULES = {"mutually_exclusive": [("secrets", "plan")]}
MODULE = Module(ARGUMENTS, run, library="kubernetes", import_error=IMPORT_ERROR, rules=RULES, everywhere=True)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
