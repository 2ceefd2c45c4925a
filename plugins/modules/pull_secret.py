#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_secret
short_description: Manage an image pull secret in many namespaces
version_added: 1.0.0
description:
  - Manages one named secret with registry credentials in every given namespace. By default, the secret has exactly the given registries.
    With O(mode), the module adds registries to it or removes them.
  - Give the credentials as values, as a file that C(docker login) or C(podman login) wrote, or as data.
  - The module refuses credentials that no node can use before it sends any request. The message names the registry and the steps to take.
  - Content is compared decoded, so differences in order, white space and base64 padding are not changes. Results and diffs name registries
    and the changed parts of a credential, never a value.
  - The module never treats unreadable content as empty. O(mode=merge) and O(mode=remove) fail if they cannot read the content. So does any
    change of C(openshift-config/pull-secret) that might lose an entry. O(mode=replace) and O(state=absent) work on any other secret, with a
    warning that its old registries are not known.
options:
  name:
    description: The name of the secret. Required, unless each entry of O(secrets) has a name.
    type: str
  registries:
    description:
      - The credentials, one entry for each registry or repository path.
      - Exactly one of O(registries), O(auth_file) and O(auth_config) is required with O(state=present).
    type: list
    elements: dict
    suboptions:
      registry:
        description:
          - C(host[:port]), optionally with a path such as C(quay.io/team), as in image names. Unlike C(oc), there is no default.
          - Two entries for the same path are refused, even if their spelling differs. C(quay.io) and C(quay.io/team) are two paths.
          - The kubelet compares paths character by character, so it also tries C(quay.io/team) for images of C(quay.io/teammates). CRI-O,
            Podman and Skopeo compare whole path segments. The module warns about any other key that they read differently, such as one with
            a trailing slash, a wildcard, or C(https://) and a path.
          - A key that none of them uses for any image, such as C(quay.io:443) or one with a tag, is refused. In O(auth_file) and
            O(auth_config), the module warns about it instead.
        type: str
        required: true
      username:
        description: The user name. It cannot contain a colon. Required, except with O(mode=remove).
        type: str
      password:
        description:
          - The password or token, a string. Required, except with O(mode=remove).
          - Before ansible-core 2.19, a template turns text that looks like JSON into data, as in the key file of a cloud service account.
            Such data is refused. Use P(ansible.builtin.string#filter) to keep it as text.
        type: raw
      email:
        description: Stored with the credential. No registry requires it.
        type: str
  verify:
    description:
      - Before anything is written, log in to each registry with the login that is given for it. This also happens in check mode. If a login
        is refused or cannot be verified, its secret is not written. With several O(secrets), that entry fails, the others are processed,
        and the task fails at its end.
      - A login cannot be verified if the registry does not respond to the host that runs the task, for example because its name is not
        known there or its certificate is not trusted. With V(warn), the module warns about this and writes the secret, for registries that
        only the nodes can reach. A login that a registry refuses is not written with V(warn) either.
      - Some registries require a login for their repositories, but not for the first request, so the login is not sent. It then
        counts as one that cannot be verified, unless one of O(verify_repositories) can be pulled.
      - Entries with the same O(secrets[].title) belong together. If a login of one of them is refused, none of them is written.
      - If a refused token states that it has expired, the message reports that and the expiry time. A registry that did not respond 16
        times in a row is not contacted again.
      - A key with a star, such as V(*.example.com), does not name a registry that the module could contact. Such a login is verified with
        an image in O(verify_repositories) that it is for. Without one, the module refuses it, or warns about it with V(warn).
      - With O(state=absent) and O(mode=remove), no registry is contacted.
      - One of V(true), V(false) and V(warn).
    type: raw
    default: false
  verify_repositories:
    description:
      - Images or repositories that the logins must pull, with their registry, such as V(quay.io/team/app) or V(quay.io/team/app:v2). The
        module requests them as a node does before a pull, with the login that the node would try first. Implies O(verify=true).
    type: list
    elements: str
  mode:
    description:
      - How O(state=present) changes an existing secret.
      - V(replace) replaces its whole content with the given registries.
      - V(merge) adds the given registries, and replaces the credentials of registries that the secret already has. All other entries are
        kept byte for byte. Fields that a given entry omits, such as an e-mail address, are also kept.
      - V(remove) removes the registries that O(registries) names, regardless of their spelling in the secret. User and password are not
        needed. With a file or data, it removes the registries that a merge of it adds. If the secret does not exist, nothing is done. The
        type of the secret is kept.
      - V(merge) and V(remove) fail if the content cannot be read, or contains C(auths) twice. If another client changes the secret at the
        same time, the module reads and plans it again, so no change is lost.
    type: str
    choices: [replace, merge, remove]
    default: replace
  state:
    description:
      - V(present) creates the secret, or changes it according to O(mode).
      - V(absent) deletes the secret. The task fails if the secret is not a pull secret, or belongs to the platform.
    type: str
    choices: [present, absent]
    default: present
  auth_file:
    description:
      - Path of a C(config.json) of Docker or an C(auth.json) of Podman, on the host that runs the task.
      - For a file that is encrypted with ansible-vault, use O(auth_config) with P(ansible.builtin.file#lookup).
      - A file whose credentials are in a credential helper is refused.
      - A byte that is not UTF-8, such as one of a Latin-1 e-mail address, is kept unchanged. In C(username) or C(password), it is refused
        unless C(auth) contains the login, because every reader would see another login.
      - C(~) stands for the home directory. For a path in an environment variable, use P(ansible.builtin.env#lookup).
    type: str
  auth_config:
    description:
      - The content of such a file as data or as JSON text, for example from OpenShift Cluster Manager.
    type: raw
  include:
    description:
      - The entries of O(auth_file) or O(auth_config) to use, as names or globs such as C(quay.io/*). A star also matches slashes. By
        default, all entries are used.
      - Entries that are not selected are not checked, so you can use one entry of a file that has others in a credential helper.
      - A name or glob that matches no entry is an error. Entries keep their names.
    type: list
    elements: str
  secrets:
    description:
      - Many secrets in one task, instead of a single one. Each entry takes the options listed here. An option that an entry omits is taken
        from the task's option of the same name.
      - The module checks all entries before it reads anything. It refuses entries that contradict each other in a namespace before it
        writes anything. It processes the entries in the given order, with one write for each object. A failed entry does not stop the
        others.
      - One of O(name) and O(secrets) is required, and one of O(namespaces), O(namespace_selector) and O(secrets).
    type: list
    elements: dict
    suboptions:
      title:
        description: The title of this entry in messages, such as the variable that it comes from. By default its position in the list.
        type: str
      name:
        description: See O(name).
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
      mode:
        description: See O(mode).
        type: str
        choices: [replace, merge, remove]
      update_existing:
        description: See O(update_existing).
        type: bool
      only_managed:
        description: See O(only_managed).
        type: bool
      delete_empty:
        description: See O(delete_empty).
        type: bool
      recreate:
        description: See O(recreate).
        type: bool
      postpone_removals:
        description: See O(postpone_removals).
        type: bool
      type:
        description: See O(type).
        type: str
        choices: [kubernetes.io/dockerconfigjson, kubernetes.io/dockercfg]
      registries:
        description: See O(registries).
        type: list
        elements: dict
        suboptions:
          registry:
            description: See O(registries[].registry).
            type: str
            required: true
          username:
            description: See O(registries[].username).
            type: str
          password:
            description: See O(registries[].password).
            type: raw
          email:
            description: See O(registries[].email).
            type: str
      auth_file:
        description: See O(auth_file).
        type: str
      auth_config:
        description: See O(auth_config).
        type: raw
      include:
        description: See O(include).
        type: list
        elements: str
      labels:
        description: See O(labels).
        type: dict
      annotations:
        description: See O(annotations).
        type: dict
      immutable:
        description: See O(immutable).
        type: bool
      drop_platform_registries:
        description: See O(drop_platform_registries).
        type: list
        elements: str
      verify:
        description: See O(verify).
        type: raw
      verify_repositories:
        description: See O(verify_repositories).
        type: list
        elements: str
      realm_hosts:
        description: See O(realm_hosts).
        type: list
        elements: str
      registry_ca_cert:
        description: See O(registry_ca_cert).
        type: path
      registry_validate_certs:
        description: See O(registry_validate_certs).
        type: bool
      registry_timeout:
        description: See O(registry_timeout).
        type: int
  owner:
    description:
      - The owner of the secret, such as a team. A secret that the module creates gets this name as the label C(app.kubernetes.io/instance),
        in addition to C(app.kubernetes.io/managed-by=openshift_ops.image_pull).
      - A secret that this collection created for another owner is refused, with the owner's name, see O(adopt). A secret that was created
        without an owner, or by others, is changed as without this option, and does not get the label.
      - With O(state=absent) and with O(mode=remove), another owner's secret is always refused. With O(only_managed=true), it is kept with a
        warning instead.
      - M(openshift_ops.image_pull.pull_access_prune) removes objects that carry an owner's label and are no longer declared. R(The guide on owners,
        ansible_collections.openshift_ops.image_pull.docsite.many_teams) describes labels, owners and pruning together.
      - The name has at most 63 letters, digits, C(-), C(_) and C(.), like the value of a label.
    type: str
  adopt:
    description:
      - Take over an existing secret. It gets both labels, whoever created it. From then on, it is treated as created for O(owner), which is
        required.
      - The pull secret of the cluster's nodes is never taken over. Neither is a secret with O(mode=remove), O(update_existing=false) or
        O(state=absent).
    type: bool
    default: false
  update_existing:
    description: Whether to change an existing secret. With V(false), the module only creates missing secrets.
    type: bool
    default: true
  only_managed:
    description:
      - With O(state=absent), delete the secret only if it has the label C(app.kubernetes.io/managed-by=openshift_ops.image_pull), which
        this module sets on every secret that it creates. Any other secret is kept, with a warning.
    type: bool
    default: false
  delete_empty:
    description:
      - With O(mode=remove), delete the secret when it has no registry left, if it has the label
        C(app.kubernetes.io/managed-by=openshift_ops.image_pull) and no other data. Otherwise, the empty secret is kept.
      - On a hosted cluster, the nodes keep the previous logins of an empty V(kube-system/additional-pull-secret). So the module deletes it,
        whoever created it. Without this option, the module refuses to leave it empty.
      - The module also deletes such a secret if it has no registry to begin with, so the next run completes an interrupted run.
    type: bool
    default: false
  recreate:
    description:
      - Whether to delete and recreate a secret that cannot be changed, because it has another type or is immutable. Without it, the task
        fails for such a secret.
      - The API server checks the new secret before the old one is deleted. If the create request fails nevertheless, the old secret is
        restored. Labels, annotations, owners and other data keys are kept. C(metadata.uid) changes.
      - Until the new secret exists, another secret with the suffix C(.replaced) holds the old one. If the run is killed, the next run restores
        it from there. A quota of secrets must have room for one more, and the name can have at most 244 characters.
      - The module also converts a secret of a type that no node reads, such as C(Opaque) or C(kubernetes.io/podmanconfigjson), if it
        contains only an auth file.
    type: bool
    default: false
  postpone_removals:
    description:
      - With O(mode=replace), leave an existing secret as it is if it would lose a registry. C(namespaces[].entries[].postponed) is then true.
      - The roles use this to link a login that moves to another secret before they remove it from the first one.
    type: bool
    default: false
  type:
    description:
      - The type of the secret. Files of Docker and of Podman have the same content, and both work as
        V(kubernetes.io/dockerconfigjson).
      - V(kubernetes.io/dockercfg) is the legacy format.
      - The OpenShift documentation names C(kubernetes.io/podmanconfigjson) for Podman's file. The module does not write that type, because
        no component reads it.
      - The type of an existing secret can only be changed with O(recreate=true). Without it, O(mode=merge) keeps the type of a secret that
        nodes read.
    type: str
    choices: [kubernetes.io/dockerconfigjson, kubernetes.io/dockercfg]
    default: kubernetes.io/dockerconfigjson
  labels:
    description: Labels that the secret must have. Its other labels are kept.
    type: dict
  annotations:
    description: Annotations that the secret must have. Its other annotations are kept.
    type: dict
  immutable:
    description:
      - Whether the API server refuses every change of the content. By default this is not changed.
      - An immutable secret can only be changed, or made mutable, with O(recreate=true).
    type: bool
  drop_platform_registries:
    description:
      - Entries of the platform that the module is allowed to remove from C(openshift-config/pull-secret), by name. Without it, a change
        that would remove one is refused, because upgrades, operators and telemetry need them. If the cluster is not registered at Red Hat
        with the pull secret, V(cloud.openshift.com) can be removed.
      - If it is given, even as an empty list, every secret of the task has the same protection as V(openshift-config/pull-secret), for
        example the pull secret of a hosted cluster on its management cluster.
    type: list
    elements: str
  declared_elsewhere:
    description:
      - Secrets that other tasks declare, so that two tasks do not undo each other in every run. Each entry has a C(name), C(namespaces) or a
        C(namespace_selector), and optionally a C(title), as in O(secrets).
      - If this task declares one of them in the same namespace, it fails before it changes anything, and names both entries.
      - Used by the roles of this collection.
    type: list
    elements: dict
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.guard
  - openshift_ops.image_pull.registry
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.stable
notes:
  - Rights needed - get, create, patch, delete on secrets.
  - Optional rights - get on namespaces. Without them, the module reports the missing information and the omitted steps.
  - Rights that save requests - list on secrets.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
seealso:
  - module: openshift_ops.image_pull.sa_link
  - module: openshift_ops.image_pull.pull_secret_info
  - name: Kubernetes, pull an image from a private registry
    description: How pods use a pull secret.
    link: https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
"""

EXAMPLES = r"""
- name: Create a pull secret from user and password, in two projects
  openshift_ops.image_pull.pull_secret:
    name: private-registry
    namespaces: [project-a, project-c]
    registries:
      - registry: privateregistry.example.com
        username: developer@example.com
        password: "{{ vaulted_registry_password }}"

- name: Create it only after the registry has allowed the login to pull
  openshift_ops.image_pull.pull_secret:
    name: private-registry
    namespaces: [project-a, project-c]
    registries:
      - registry: privateregistry.example.com
        username: developer@example.com
        password: "{{ vaulted_registry_password }}"
    verify_repositories: [privateregistry.example.com/team/app]

- name: Create a pull secret from the file that 'podman login' wrote
  openshift_ops.image_pull.pull_secret:
    name: team-registries
    namespaces: [project-a]
    auth_file: "{{ playbook_dir }}/auth.json"

- name: Use two logins for the same registry
  openshift_ops.image_pull.pull_secret:
    name: quay
    namespaces: [project-a]
    registries:
      - {registry: quay.io, username: reader, password: "{{ vaulted_reader }}"}
      - {registry: quay.io/team, username: team+robot, password: "{{ vaulted_robot }}"}

- name: Add one registry to a secret that others also change
  openshift_ops.image_pull.pull_secret:
    name: team-registries
    namespaces: [project-a]
    mode: merge
    registries:
      - {registry: quay.io/team, username: team+robot, password: "{{ vaulted_robot }}"}

- name: Remove one registry from it
  openshift_ops.image_pull.pull_secret:
    name: team-registries
    namespaces: [project-a]
    mode: remove
    registries:
      - registry: old.example.com

- name: Remove merged registries, and the secret if this collection created it and it is empty
  openshift_ops.image_pull.pull_secret:
    name: team-registries
    namespaces: [project-a]
    mode: remove
    delete_empty: true
    registries:
      - registry: quay.io/team

- name: Use two entries of a personal file
  openshift_ops.image_pull.pull_secret:
    name: team-registries
    namespaces: [project-a]
    auth_file: "{{ lookup('env', 'HOME') }}/.docker/config.json"
    include: [quay.io/team, "*.example.com"]

- name: Convert a secret of a type that no node reads
  openshift_ops.image_pull.pull_secret:
    name: podman
    namespaces: [project-a]
    auth_file: "{{ playbook_dir }}/auth.json"
    recreate: true

- name: Delete the secret, but only if this collection created it
  openshift_ops.image_pull.pull_secret:
    name: team-registries
    namespaces: [project-a]
    state: absent
    only_managed: true

- name: Create a secret for each team, in one task
  openshift_ops.image_pull.pull_secret:
    secrets:
      - name: team-a
        namespaces: [team-a-dev, team-a-prod]
        registries: [{registry: quay.io/team-a, username: a, password: "{{ vaulted_passwords.team_a }}"}]
      - name: team-b
        namespace_selector: {labels: team=b}
        registries: [{registry: quay.io/team-b, username: b, password: "{{ vaulted_passwords.team_b }}"}]
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
      description:
        - Each write. In check mode, each write that a real run would make.
        - The action C(replace) is a delete and a create.
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
          description: The positions of the entries that request the change, starting at 0.
          type: list
          elements: int
          returned: with a list of entries
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
        type:
          description: The type of the secret before and after.
          type: dict
          returned: when a secret of another type is replaced
          contains:
            before:
              description: The type that it had.
              type: str
              returned: always
            after:
              description: The type that it has.
              type: str
              returned: always
        previous_content:
          description:
            - The reason why the old content could not be read, or could not be read by any node. If it could not be read, the removed
              registries are not known.
          type: str
          returned: when the old content was not usable
        labels:
          description: The labels of the secret that were written.
          type: list
          elements: str
          returned: when labels change
        annotations:
          description: The annotations of the secret that were written.
          type: list
          elements: str
          returned: when annotations change
        immutable:
          description: Whether the secret is now immutable.
          type: bool
          returned: when it changes
      sample: [{action: update, kind: Secret, name: private-registry, registries: {added: [],
        changed: {privateregistry.example.com: [password]}, removed: []}}]
    exists:
      description: Always V(false). The secret does not exist in the namespace, or would not exist after a real run.
      type: bool
      returned: with O(delete_empty=true), when the secret does not exist
    kept:
      description: Always V(true). The secret belongs to others, so it was not deleted. With O(secrets), it is in C(entries).
      type: bool
      returned: with O(only_managed=true), when the secret does not have the label of this collection, or has another owner
selected:
  description:
    - The namespaces that the selectors of O(secrets) select. To limit a later task that links these secrets to them, use
      O(openshift_ops.image_pull.sa_link#module:links[].namespace_selector.include). Otherwise, that task fails in a namespace that was
      created between the two tasks.
  type: list
  elements: dict
  returned: always
  contains:
    titles:
      description: The titles of the entries in messages. Entries that select the same namespaces are listed together.
      type: list
      elements: str
      returned: always
    namespaces:
      description: The namespaces.
      type: list
      elements: str
      returned: always
  sample: [{titles: ["secrets[0]"], namespaces: [project-a, project-b]}]
verified_logins:
  description: The number of different logins that their registries accepted. A registry that requires no login accepts none.
  returned: with O(verify=true), when there are any
  type: int
  sample: 2
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
from ..module_utils.core.objects import SECRET
from ..module_utils.declarations.declare import ListForm, selected_namespaces
from ..module_utils.dockerconfig.auth_file import SOURCES
from ..module_utils.features.pull_secret import plan as pull_secret
from ..module_utils.features.pull_secret.plan import contradictions
from ..module_utils.features.pull_secret.run import name_working_logins, verify_logins
from ..module_utils.inventory.what_if import run_change_guard
from ..module_utils.inventory.what_if.run_change_guard import ChangeGuard
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.options import CLUSTER_OPTIONS, REGISTRY_OPTIONS, TARGET_OPTIONS
from ..module_utils.module.task import Module, Task

DECLARATION = {**TARGET_OPTIONS, **REGISTRY_OPTIONS, **pull_secret.ARGUMENTS}
FORM = ListForm(
    "secrets",
    "name",
    [SOURCES],
    kind=SECRET,
    arguments=DECLARATION,
    declare=pull_secret.from_options,
    contradictions=contradictions,
)
LISTS = {form.option: form.spec for form in (FORM, FORM.claims)}
ARGUMENTS = {**CLUSTER_OPTIONS, **DECLARATION, **LISTS, **run_change_guard.ARGUMENTS}


def run(task: Task) -> dict[str, object]:
    access = run_change_guard.guard_access_of(task.params)
    logins = verify_logins(task.declarations(FORM))
    task.warn(logins.warnings)
    with task.cluster() as run:
        batch = run.batch(FORM, logins.declared)
        workloads = ChangeGuard(run.cluster, access, run.settings())
        outcome = workloads.add_to(run.reconcile(batch, workloads.judge))
        outcome = name_working_logins(logins.answers, run.cluster, batch, outcome, run.settings())
        selected = selected_namespaces(logins.declared, run.targets)
        return {**run.result(outcome), "selected": selected, **logins.report()}


MODULE = Module(
    ARGUMENTS,
    run,
    import_error=IMPORT_ERROR,
    rules={"mutually_exclusive": [SOURCES], "required_one_of": [("name", FORM.option)]},
    form=FORM,
    lists=[FORM.claims],
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
