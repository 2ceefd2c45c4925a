#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_secret_info
short_description: List the content of pull secrets in many namespaces, and check their logins
version_added: 1.0.0
description:
  - Reports for each pull secret whether nodes read it, its registries, problems that stop a node from using it, its manager, and the expiry
    time of its logins if that is known. No user name, no password and no token is returned.
  - With O(verify), the module logs in to each registry with the logins of the secrets. With O(verify_repositories), it requests
    repositories as a node does before a pull. Each different login is checked once, regardless of the number of secrets that contain it.
    Many logins are checked at the same time.
  - The module changes nothing.
options:
  verify:
    description:
      - Log in to each registry with each login. Keys with a star do not name a registry that the module could contact.
      - A login that a registry refuses is not a failure of the task. See RV(works) and RV(outcomes).
      - A registry that does not respond 16 times in a row is not contacted again. Its remaining logins are also V(unanswered).
      - The logins of secrets that the platform generates are not checked.
    type: bool
    default: false
  names:
    description:
      - Names of secrets, or globs such as V(team-*). A namespace does not have to contain them.
      - By default, all secrets of the types for registry logins, and secrets that contain an auth file under another type. Secrets that the
        platform generates for service accounts are then omitted. To include them, name them, as in V(*-dockercfg-*).
    type: list
    elements: str
  verify_repositories:
    description:
      - Images or repositories that the logins must pull, with their registry, such as V(quay.io/team/app) or V(quay.io/team/app:v2). The
        module requests each one with the login of each secret that a node would try first. It skips secrets without a login for it.
      - Implies O(verify=true).
    type: list
    elements: str
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.registry
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.stable
seealso:
  - module: openshift_ops.image_pull.registry_auth_info
    description: Verifies a login that is given as values, without a cluster. Its login options have the same names as the connection
      options.
  - module: openshift_ops.image_pull.pull_access_info
    description: Traces how one pod would pull its images.
  - module: openshift_ops.image_pull.pull_secret
notes:
  - Rights needed - list on secrets.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: List the content of a project's pull secrets
  openshift_ops.image_pull.pull_secret_info:
    namespaces: [project-a]
  register: held

- name: Show the registries
  ansible.builtin.debug:
    msg: "{{ held.namespaces[0].secrets | items2dict(key_name='name', value_name='registries') }}"

- name: Fail if a login of a team's secrets does not work
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
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
namespaces:
  description:
    - Each namespace with its secrets.
    - If there are more than 100 namespaces, namespaces without a secret are only counted, unless O(report_unchanged=true).
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
          description: The type of the secret.
          type: str
          returned: always
        read_by_nodes:
          description: Whether nodes read secrets of this type.
          type: bool
          returned: always
        immutable:
          description: Whether the secret is immutable.
          type: bool
          returned: always
        generated:
          description: Whether the platform generated it for a service account.
          type: bool
          returned: always
        managed_by:
          description: The controller that manages it, with its kind, or the value of its label C(app.kubernetes.io/managed-by). Otherwise
            empty.
          type: str
          returned: always
        owner:
          description: The owner for whom this collection created it, see M(openshift_ops.image_pull.pull_secret). Otherwise empty.
          type: str
          returned: always
        problems:
          description:
            - Problems that stop a node from using the secret, and so stop every pull of a pod that lists it, as the beginnings of
              sentences. For a type that nodes do not read, the reason why its content cannot be read.
          type: list
          elements: str
          returned: always
        registries:
          description: Each key of the secret, without any user name in it.
          type: list
          elements: dict
          returned: always
          contains:
            key:
              description: The key, C(host[:port][/path]), with the spelling of the secret.
              type: str
              returned: always
            has_login:
              description: Whether the entry has a user and a password, as the kubelet reads them.
              type: bool
              returned: always
            kind:
              description: The kind of a credential that is known to be short-lived. Otherwise empty.
              type: str
              returned: always
            expires:
              description:
                - When the login expires, in UTC, according to its token, or to its kind and the time of the secret. Empty if that is not
                  known.
              type: str
              returned: always
            proofs:
              description: The responses of the registry.
              type: list
              elements: dict
              returned: with O(verify) or O(verify_repositories)
              contains:
                repository:
                  description: The repository that was requested. Empty for the login itself.
                  type: str
                  returned: always
                outcome:
                  description:
                    - The outcome, as returned by M(openshift_ops.image_pull.registry_auth_info).
                    - V(expired) is a login that the registry refuses, and that has expired according to C(expires).
                  type: str
                  returned: always
                message:
                  description: The outcome as a sentence. It contains no text from a server.
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
              proofs: [{repository: "", outcome: logs_in, message: quay.io accepts the login}]
outcomes:
  description: Number of occurrences of each outcome in RV(namespaces).
  returned: with O(verify) or O(verify_repositories)
  type: dict
  sample: {bad_login: 1, logs_in: 12}
works:
  description: Whether all checked logins and repositories work. If a registry does not respond, this is V(false), because nothing is
    proven.
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
  returned: when the task stopped early
failures:
  description: The namespaces that could not be read, and the reason. If there is one, the task fails after it has processed all other
    namespaces.
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
      description: Always 0, because this module writes nothing.
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
  sample: {total: 2, changed: 0, unchanged: 2, failed: 0, skipped: 0, retries: 0}
"""

from ..module_utils.clients.kube.kubeconfig import IMPORT_ERROR
from ..module_utils.features import pull_secret_info
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.options import CLUSTER_OPTIONS, REGISTRY_OPTIONS
from ..module_utils.module.task import Module, Task

ARGUMENTS = {**CLUSTER_OPTIONS, **REGISTRY_OPTIONS, **pull_secret_info.ARGUMENTS}


def run(task: Task) -> dict[str, object]:
    wanted = pull_secret_info.from_options(task.params)
    with task.cluster(task.targets()) as run:
        return run.result(pull_secret_info.inspect_secrets(run.cluster, wanted, run.namespaces, run.settings()))


MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
