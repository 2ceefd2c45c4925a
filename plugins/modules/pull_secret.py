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
  - Manages one named secret with registry credentials in every given namespace. By default the secret has exactly the given
    registries; O(mode) adds registries to it or removes them.
  - The credentials are given as values, as a file that C(docker login) or C(podman login) wrote, or as data.
  - What no node could use is refused before any request is sent. The message names the registry and what to do.
  - Content is compared decoded, so order, white space and base64 padding are no changes. Results and diffs name registries
    and which part of a credential changed, never a value.
  - Content that cannot be read is never taken for empty. O(mode=merge) and O(mode=remove) fail on it, and so does any change of
    C(openshift-config/pull-secret) that might lose an entry. O(mode=replace) and O(state=absent) work on any other secret, with
    a warning that its old registries are not known.
options:
  name:
    description: The name of the secret. Required, except where each of O(secrets) gives its own.
    type: str
  owner:
    description:
      - For whom the secret is managed, such as a team. A secret that is created gets this name as the label
        C(app.kubernetes.io/instance), beside C(app.kubernetes.io/managed-by=openshift_ops.image_pull).
      - A secret that this collection created for another owner is refused, with the owner's name, see O(adopt). A secret that was
        created without an owner, or by others, is changed as without this option, and does not get the label.
      - With O(state=absent) and with O(mode=remove) another owner's secret is always refused, or kept with a warning with
        O(only_managed=true).
      - M(openshift_ops.image_pull.prune) removes what carries an owner's label and is declared no more.
        R(The guide on owners, ansible_collections.openshift_ops.image_pull.docsite.many_teams) describes all of this.
      - At most 63 letters, digits, C(-), C(_) and C(.), as the value of a label.
    type: str
  adopt:
    description:
      - Take over a secret that exists. It gets both labels, whoever created it, and from then on it is treated as created for O(owner),
        which is required.
      - The pull secret of the cluster's nodes is never taken over, nor a secret with O(mode=remove), O(update_existing=false) or O(state=absent).
    type: bool
    default: false
  state:
    description:
      - V(present) creates the secret, or changes it as O(mode) says.
      - V(absent) deletes the secret. The task fails when the secret is not a pull secret, or belongs to the platform.
    type: str
    choices: [present, absent]
    default: present
  mode:
    description:
      - What O(state=present) does to a secret that exists.
      - V(replace) replaces its whole content with the given registries.
      - V(merge) adds the given registries, and replaces the credentials of those that are there. All other entries are kept byte
        for byte. So are fields of a given entry that are not given, such as an e-mail address.
      - V(remove) removes the registries that O(registries) names, however they are spelt in the secret. User and password are not
        needed. A file or data names the registries that a merge of it adds. Nothing is done where the secret does not exist. The
        type of the secret is kept.
      - V(merge) and V(remove) fail when the content cannot be read, or has C(auths) twice. When somebody else changes the secret at
        the same time, it is read and planned again, so no change is lost.
    type: str
    choices: [replace, merge, remove]
    default: replace
  update_existing:
    description: Whether to change a secret that exists. V(false) only creates it where it is missing.
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
        C(app.kubernetes.io/managed-by=openshift_ops.image_pull) and no other data. Otherwise the empty secret is kept.
      - On a hosted cluster, the nodes keep the logins of an empty V(kube-system/additional-pull-secret). So it is deleted whoever created
        it. Without this option, the module refuses to leave it empty.
      - Also deletes such a secret when it has no registry to begin with, so the next run completes one that was interrupted.
    type: bool
    default: false
  recreate:
    description:
      - Whether to delete and create a secret that cannot be changed, because it has another type or is immutable.
        Without it the task fails there.
      - The API server checks the new secret before the old one is deleted. If the create fails nevertheless, the old secret is
        restored. Labels, annotations, owners and other data keys are kept; C(metadata.uid) changes.
      - Also converts a secret of a type that no node reads, such as C(Opaque) or V(kubernetes.io/podmanconfigjson), if it
        holds an auth file and nothing else.
    type: bool
    default: false
  type:
    description:
      - The type of the secret. Files of Docker and of Podman have the same content, and both work as
        V(kubernetes.io/dockerconfigjson).
      - V(kubernetes.io/dockercfg) is the legacy format.
      - V(kubernetes.io/podmanconfigjson) is what the OpenShift documentation names for Podman's file. No component reads it. It is
        written as documented there, under the base name of the file, with a warning.
      - The type of a secret that exists can only be changed with O(recreate=true).
    type: str
    choices: [kubernetes.io/dockerconfigjson, kubernetes.io/dockercfg, kubernetes.io/podmanconfigjson]
    default: kubernetes.io/dockerconfigjson
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
          - Two entries for the same path are refused, also when they are spelt differently. C(quay.io) and C(quay.io/team)
            are two paths.
          - The kubelet compares paths character by character, so it also tries C(quay.io/team) for images of C(quay.io/teammates).
            CRI-O, Podman and Skopeo compare whole path segments. Any other key that they read differently, such as one with a
            trailing slash, a wildcard, or C(https://) and a path, gives a warning.
          - A key that none of them uses for any image, such as C(quay.io:443) or one with a tag, is refused. In O(auth_file) and
            O(auth_config), it gives a warning.
        type: str
        required: true
      username:
        description: The user name. It cannot contain a colon. Required, except with O(mode=remove).
        type: str
      password:
        description:
          - The password or token, a string. Required, except with O(mode=remove).
          - Before ansible-core 2.19 a template turns text that looks like JSON into data, as in the key file of a cloud
            service account. Such data is refused; keep it text with P(ansible.builtin.string#filter).
        type: raw
      email:
        description: Stored beside the credential. No registry asks for it.
        type: str
  auth_file:
    description:
      - Path of a C(config.json) of Docker or an C(auth.json) of Podman, on the host that runs the task.
      - For a file that is encrypted with ansible-vault use O(auth_config) with P(ansible.builtin.file#lookup).
      - A file whose credentials are in a credential helper is refused.
      - A byte that is not UTF-8, such as one of a Latin-1 e-mail address, is kept as it is. In C(username) or C(password) it is
        refused unless C(auth) holds the login, since every reader would see another login.
    type: path
  auth_config:
    description:
      - The content of such a file as data or as JSON text, for example from OpenShift Cluster Manager.
    type: raw
  only:
    description:
      - Which entries of O(auth_file) or O(auth_config) to take, as names or globs such as C(quay.io/*). A star also matches
        slashes. By default all are taken.
      - Entries that are not selected are not checked, so you can take one entry of a file that has others in a credential helper.
      - A name or glob that matches no entry is an error. Entries keep their names.
    type: list
    elements: str
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
      - Entries of the platform that may be removed from C(openshift-config/pull-secret), by name. Without it, a change that would remove one is
        refused, because upgrades, operators and telemetry need them. For a pull secret with which the cluster is not registered at Red Hat,
        V(cloud.openshift.com) may go.
      - When it is given, also as an empty list, every secret of the task is protected as V(openshift-config/pull-secret) is, such as the
        pull secret of a hosted cluster on its management cluster.
    type: list
    elements: str
  verify:
    description:
      - Before anything is written, in check mode too, log in to each registry with what is given for it. A secret whose login is refused or not
        proven is not written. Of many O(secrets), that entry fails, the others are carried out, and the task fails at its end.
      - A login is not proven when the registry does not answer the host that runs the task, for example because its name is not known there or its
        certificate is not trusted. With V(warn), this is a warning, and the secret is written, for registries that only the nodes reach. A
        login that a registry refuses is not written with V(warn) either.
      - Entries with the same O(secrets[].title) stand for one thing. When a login of one is refused, none of them is written.
      - A refused login whose token says that it has expired is named as such, with its end. A registry that did not answer 16 times in a row
        is not asked any more. Keys with a star name no registry that could be asked.
      - Nothing is asked with O(state=absent) and O(mode=remove).
      - V(true), V(false) or V(warn).
    type: raw
    default: false
  verify_repositories:
    description:
      - Images or repositories that the logins must pull, with their registry, such as V(quay.io/team/app) or V(quay.io/team/app:v2).
        They are asked for as a node does before a pull, with the login that it would try first. Implies O(verify=true).
    type: list
    elements: str
  verify_realm_hosts:
    description:
      - The C(host[:port]) that may be asked for tokens besides the registries themselves, for registries that delegate their login.
        A login is sent to no other host. Docker Hub's C(auth.docker.io) needs no entry.
    type: list
    elements: str
  verify_ca_cert:
    description: Path of a file with the certificate authorities of the registries, in PEM form, on the host that runs the task.
    type: path
  verify_validate_certs:
    description: Verify the certificates of the registries.
    type: bool
    default: true
  verify_timeout:
    description: Seconds to wait for each answer of a registry, from V(1) to V(3600).
    type: int
    default: 10
  secrets:
    description:
      - Many secrets in one task, in place of a single one. Each entry takes the options listed here; what it does not give is taken from
        the task's option of the same name.
      - All entries are checked before anything is read, and entries that contradict each other in a namespace are refused before
        anything is written. They are carried out in the order given, with one write for each object. An entry that fails does not
        stop the others.
      - One of O(name) and O(secrets) is required, and one of O(namespaces), O(namespace_selector) and O(secrets).
    type: list
    elements: dict
    suboptions:
      title:
        description: What messages call this entry, such as the variable that it comes from. By default its position in the list.
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
      type:
        description: See O(type).
        type: str
        choices: [kubernetes.io/dockerconfigjson, kubernetes.io/dockercfg, kubernetes.io/podmanconfigjson]
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
        type: path
      auth_config:
        description: See O(auth_config).
        type: raw
      only:
        description: See O(only).
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
      verify_realm_hosts:
        description: See O(verify_realm_hosts).
        type: list
        elements: str
      verify_ca_cert:
        description: See O(verify_ca_cert).
        type: path
      verify_validate_certs:
        description: See O(verify_validate_certs).
        type: bool
      verify_timeout:
        description: See O(verify_timeout).
        type: int
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
notes:
  - Rights needed - get, create, patch, delete on secrets.
  - Without these, it says what it does not know or does not do - get on namespaces.
  - With these, it takes fewer requests - list on secrets.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for what each is for, and how to give them.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
seealso:
  - module: openshift_ops.image_pull.sa_link
  - module: openshift_ops.image_pull.pull_secret_info
  - name: Kubernetes, pull an image from a private registry
    description: How a pull secret is used.
    link: https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
"""

EXAMPLES = r"""
- name: A pull secret from user and password, in two projects
  openshift_ops.image_pull.pull_secret:
    name: private-registry
    namespaces: [project-a, project-c]
    registries:
      - registry: privateregistry.example.com
        username: developer@example.com
        password: "{{ vaulted_registry_password }}"

- name: The same, written only after the registry has let the login pull
  openshift_ops.image_pull.pull_secret:
    name: private-registry
    namespaces: [project-a, project-c]
    registries:
      - registry: privateregistry.example.com
        username: developer@example.com
        password: "{{ vaulted_registry_password }}"
    verify_repositories: [privateregistry.example.com/team/app]

- name: A pull secret from the file that 'podman login' wrote
  openshift_ops.image_pull.pull_secret:
    name: team-registries
    namespaces: [project-a]
    auth_file: "{{ playbook_dir }}/auth.json"

- name: Two logins for the same registry
  openshift_ops.image_pull.pull_secret:
    name: quay
    namespaces: [project-a]
    registries:
      - {registry: quay.io, username: reader, password: "{{ vaulted_reader }}"}
      - {registry: quay.io/team, username: team+robot, password: "{{ vaulted_robot }}"}

- name: Add one registry to a secret that others change too
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

- name: Remove what was merged, and the secret if this collection created it and nothing is left
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
    only: [quay.io/team, "*.example.com"]

- name: Convert a secret of a type that no node reads
  openshift_ops.image_pull.pull_secret:
    name: podman
    namespaces: [project-a]
    auth_file: "{{ playbook_dir }}/auth.json"
    recreate: true

- name: Delete the secret, but only where this collection created it
  openshift_ops.image_pull.pull_secret:
    name: team-registries
    namespaces: [project-a]
    state: absent
    only_managed: true

- name: A secret for each team, in one task
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
      description:
        - Each write, or in check mode what would be written.
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
          description: The positions of the entries that ask for it, from 0.
          type: list
          elements: int
          returned: with a list of entries
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
            - Why the old content could not be read, or not by any node. If it could not be read, the registries that were removed are not
              known.
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
          description: Whether the secret is immutable from now on.
          type: bool
          returned: when that changes
      sample: [{action: update, kind: Secret, name: private-registry, registries: {added: [],
        changed: {privateregistry.example.com: [password]}, removed: []}}]
    exists:
      description: Always V(false). The secret does not exist in the namespace, or would not exist after a real run.
      type: bool
      returned: with O(delete_empty=true), where there is no such secret
selected:
  description:
    - The namespaces that the selectors of O(secrets) select. A later task that links these secrets can be limited to them with
      O(openshift_ops.image_pull.sa_link#module:links[].namespace_selector.include). Otherwise it fails in a namespace that was created
      between the two tasks.
  type: list
  elements: dict
  returned: always
  contains:
    titles:
      description: The entries, as messages call them. Those that select the same namespaces are listed together.
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
  description: The number of different logins that their registries accepted.
  returned: with O(verify=true), when there are such
  type: int
  sample: 2
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

from functools import partial

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.connection import IMPORT_ERROR
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.proof import Login
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret import (
    options as pull_secret,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret.contradictions import (
    contradictions,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.entries import ListForm, list_option
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.options import (
    CLUSTER_OPTIONS,
    TARGET_OPTIONS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import Module, Task, reconciling
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.stored_logins import (
    name_working_logins,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.verify_logins import verify_logins

DECLARATION = {**TARGET_OPTIONS, **pull_secret.ARGUMENTS}
ARGUMENTS = {**CLUSTER_OPTIONS, **DECLARATION, "secrets": list_option(DECLARATION, alternatives=[pull_secret.SOURCES])}
FORM = ListForm(
    "secrets",
    "name",
    [pull_secret.SOURCES],
    kind=SECRET,
    declare=pull_secret.from_options,
    contradictions=contradictions,
)


def run(task: Task) -> dict[str, object]:
    verified: set[tuple[str, Login]] = set()
    beforehand = partial(verify_logins, verified=verified)
    result = reconciling(task, FORM, afterwards=name_working_logins, beforehand=beforehand, names_selected=True)
    return {**result, "verified_logins": len(verified)} if verified else result


MODULE = Module(
    ARGUMENTS,
    run,
    library="kubernetes",
    import_error=IMPORT_ERROR,
    rules={"mutually_exclusive": [pull_secret.SOURCES], "required_one_of": [("name", FORM.option)]},
    form=FORM,
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
