#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_secret_info
short_description: Tell what the pull secrets of many namespaces hold, and whether their logins work
version_added: 1.0.0
description:
  - Tells for each pull secret whether nodes read it, which registries it is for, what stops a node from using it, who manages it, and
    when its logins expire where that is known. No user name, no password and no token is returned.
  - With O(verify), it logs in to each registry with what the secrets hold, and with O(verify_repositories), it asks for repositories as a
    node does before a pull. Each different login is asked about once, many at the same time, in however many secrets it stands.
  - The module changes nothing.
options:
  names:
    description:
      - Names of secrets, or globs such as V(team-*). A namespace need not have them.
      - By default all secrets of the types that hold registry logins, and those that hold an auth file under another type. Those that the
        platform generates for service accounts are left out then; name them to see them, as V(*-dockercfg-*).
    type: list
    elements: str
  verify:
    description:
      - Log in to each registry with each login. Keys with a star name no registry that could be asked.
      - A login that a registry refuses is no failure of the task; see RV(works) and RV(outcomes).
      - A registry that does not answer 16 times in a row is not asked any more; the rest is V(unanswered), too.
      - Secrets that the platform generates are not asked about.
    type: bool
    default: false
  verify_repositories:
    description:
      - Images or repositories that the logins must pull, with their registry, such as V(quay.io/team/app) or V(quay.io/team/app:v2). Each
        is asked for with the login of each secret that a node would try first. A secret without a login for it is not asked about.
      - Implies O(verify=true).
    type: list
    elements: str
  verify_realm_hosts:
    description:
      - The C(host[:port]) that may be asked for tokens besides the registries themselves, for registries that delegate their login.
        A login is sent to no other host. Docker Hub's C(auth.docker.io) needs no entry.
      - A registry that only a secret names is not asked at a loopback, link-local, cloud metadata or similar address of the host that runs the
        task, unless it is named here or in O(verify_repositories).
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
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
seealso:
  - module: openshift_ops.image_pull.registry_auth_info
    description: Proves a login that is given as values, without a cluster. Its options for a login have the names of the connection's.
  - module: openshift_ops.image_pull.pull_access_info
    description: Follows the way of one pod to its images.
  - module: openshift_ops.image_pull.pull_secret
notes:
  - Rights needed - list on secrets.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for what each is for, and how to give them.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: See what the pull secrets of a project hold
  openshift_ops.image_pull.pull_secret_info:
    namespaces: [project-a]
  register: held

- name: Show the registries
  ansible.builtin.debug:
    msg: "{{ held.namespaces[0].secrets | items2dict(key_name='name', value_name='registries') }}"

- name: Fail when a login of a team's secrets does not work
  openshift_ops.image_pull.pull_secret_info:
    namespace_selector: {labels: team=a}
    names: ["team-*"]
    verify_repositories: [quay.io/team/app]
  register: proof
  failed_when: proof.failed | default(false) or not proof.works
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when it was reached
  sample: https://api.cluster.example.com:6443
namespaces:
  description:
    - Each namespace with its secrets.
    - Of more than 100 namespaces, those without a secret are only counted, unless O(report_unchanged=true).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The namespace.
      type: str
      returned: always
      sample: project-a
    changed:
      description: Always V(false).
      type: bool
      returned: always
    status:
      description: One of V(unchanged), V(failed), V(skipped).
      type: str
      returned: always
      sample: unchanged
    reason:
      description: Why the namespace was skipped.
      type: str
      returned: when skipped
    changes:
      description: Always empty, because this module writes nothing.
      type: list
      elements: dict
      returned: always
      sample: []
    secrets:
      description: The secrets, by name.
      returned: success
      type: list
      elements: dict
      contains:
        name:
          description: The name of the secret.
          type: str
          returned: always
        type:
          description: Its type.
          type: str
          returned: always
        read_by_nodes:
          description: Whether nodes read secrets of this type.
          type: bool
          returned: always
        immutable:
          description: Whether its content can be changed.
          type: bool
          returned: always
        generated:
          description: Whether the platform generated it for a service account.
          type: bool
          returned: always
        managed_by:
          description: The controller that manages it, with its kind, or what its label C(app.kubernetes.io/managed-by) says. Else empty.
          type: str
          returned: always
        owner:
          description: For whom this collection created it, see M(openshift_ops.image_pull.pull_secret). Else empty.
          type: str
          returned: always
        problems:
          description:
            - What stops a node from using the secret, and with it every pull of a pod that lists it, as the beginnings of sentences. For a
              type that nodes do not read, why its content cannot be read.
          type: list
          elements: str
          returned: always
        registries:
          description: Each key of the secret, without a user in it.
          type: list
          elements: dict
          returned: always
          contains:
            key:
              description: The key, C(host[:port][/path]), as it is spelt there.
              type: str
              returned: always
            has_login:
              description: Whether there are a user and a password, as the kubelet reads them.
              type: bool
              returned: always
            kind:
              description: The kind of a credential that is known to live a short time; else empty.
              type: str
              returned: always
            expires:
              description:
                - When the login ends, in UTC, as its token says or as its kind and the time of the secret tell. Empty where that is not known.
              type: str
              returned: always
            proofs:
              description: The answers of the registry.
              type: list
              elements: dict
              returned: with O(verify) or O(verify_repositories)
              contains:
                repository:
                  description: The repository that was asked for, empty for the login itself.
                  type: str
                  returned: always
                outcome:
                  description:
                    - As M(openshift_ops.image_pull.registry_auth_info) has it.
                    - V(expired) is a login that the registry refuses, and that has ended as C(expires) says.
                  type: str
                  returned: always
                said:
                  description: The same as a sentence, which holds nothing that a server sent.
                  type: str
                  returned: always
      sample:
        - name: team-registries
          type: kubernetes.io/dockerconfigjson
          read_by_nodes: true
          immutable: false
          generated: false
          managed_by: openshift_ops.image_pull
          owner: team-a
          problems: []
          registries:
            - key: quay.io/team
              has_login: true
              kind: ""
              expires: ""
              proofs: [{repository: "", outcome: logs_in, said: quay.io accepts the login}]
outcomes:
  description: How often each outcome stands in RV(namespaces).
  returned: with O(verify) or O(verify_repositories)
  type: dict
  sample: {bad_login: 1, logs_in: 12}
works:
  description: Whether all that was asked about works. A registry that does not answer proves nothing, so it is V(false) then.
  returned: with O(verify) or O(verify_repositories)
  type: bool
  sample: false
changed:
  description: Always false.
  returned: always
  type: bool
stopped:
  description: Why the task ended before all namespaces were attempted.
  type: str
  returned: when it did
failures:
  description: The namespaces that could not be read, and why. The task fails if there is one, after all others are done.
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
      description: Always 0, because this module writes nothing.
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
  sample: {total: 2, changed: 0, unchanged: 2, failed: 0, skipped: 0, retries: 0}
"""

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.connection import IMPORT_ERROR
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret_info import (
    options as pull_secret_info,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.options import CLUSTER_OPTIONS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import Module, Task, over_namespaces
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.pull_secret_info import look_into

ARGUMENTS = {**CLUSTER_OPTIONS, **pull_secret_info.ARGUMENTS}


def run(task: Task) -> dict[str, object]:
    wanted = pull_secret_info.from_options(task.params)
    return over_namespaces(
        task, 0, lambda cluster, namespaces, settings: look_into(cluster, wanted, namespaces, settings)
    )


MODULE = Module(ARGUMENTS, run, library="kubernetes", import_error=IMPORT_ERROR)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
