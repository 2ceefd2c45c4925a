#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_access_export
short_description: Describe the existing pull access of a cluster as inventory variables
version_added: 1.0.0
description:
  - Reads the pull secrets, the links of service accounts and the role bindings of image pullers in the given namespaces. Returns the
    variables C(private_registry_secrets) and C(cross_project_pull_grants) that describe them, in the form that the roles of this collection
    take.
  - Applying these variables to the same cluster changes nothing. The module verifies this for each secret, link and binding before it adds
    it to an entry. Anything that would change, or that an entry cannot express, is listed in RV(not_exported).
  - Objects that are identical in many namespaces become one entry. A secret that is not linked to any account becomes an entry with
    C(service_accounts=[]).
  - The module does not change the cluster. With O(dest), it writes the variables to files on the controller.
  - The result, messages and logs contain no credential. Each password is replaced by a reference to a variable. The variable is
    C(vaulted_REGISTRY_USER), or C(vaulted_SECRET_auth_config) if the secret contains more than logins, such as an identity token, or a user
    name that is a password elsewhere. A login that many secrets contain has one variable. The names of further passwords of the same user
    end in C(_2), C(_3).
  - The module never writes C(delegated_auth_registries). Two secrets with the same login become two entries of C(private_registry_secrets).
options:
  dest:
    description:
      - A directory on the controller, such as C(host_vars/HOST) of an inventory. It is created if it does not exist.
      - In this directory, the module writes the two variables to C(image_pull.yml), and the credentials to C(image_pull_vault.yml). It
        writes both files atomically, with mode C(0600), and only if it could read at least one namespace. The head of each file names the
        namespaces that it could not read.
      - The task must run in Ansible's own process, with C(connection=local) and without C(become) and C(async). If the host has another
        C(ansible_python_interpreter), set it to C({{ ansible_playbook_python }}) for the task, or omit it.
      - Without this option, the module writes no file.
    type: path
  credentials:
    description:
      - How to handle the credentials.
      - V(vault) writes them to a file that is encrypted with ansible-vault's own library before it is written to disk. It uses the password
        with which Ansible was started (C(--vault-password-file), C(--vault-id), C(--ask-vault-pass)). If there is no such password, the
        task fails before it reads anything.
      - V(placeholder) does not write them. C(image_pull.yml) names the variables that you must define. Until you define them, a playbook
        that uses the file fails.
    type: str
    choices: [vault, placeholder]
    default: vault
  roles:
    description:
      - The cluster roles whose bindings are described. Bindings that this collection created are always described.
    type: list
    elements: str
    default: [system:image-puller]
  vault_id:
    description: The vault id to encrypt with. Required if Ansible has vault passwords for several ids. Only with O(dest).
    type: str
  force:
    description: Whether to replace existing files. Otherwise, if a file exists, the task fails before it reads anything. Only with O(dest).
    type: bool
    default: false
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.preview
attributes:
  check_mode:
    description: Names the files that a real run would write, and does not write them. The cluster is read in both cases.
    support: full
  diff_mode:
    description: There is no diff, because the module does not change the cluster.
    support: none
  idempotent:
    description: Each run reads the cluster again. With O(dest), a second run fails unless O(force=true), which writes the files again.
    support: partial
notes:
  - Rights needed - list on secrets, serviceaccounts, rolebindings.rbac.authorization.k8s.io.
  - Optional rights - get on clusterroles.rbac.authorization.k8s.io system:image-puller. Without them, the module reports the missing
    information and the omitted steps.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Describe manually created pull access, with the credentials in a vaulted file
  openshift_ops.image_pull.pull_access_export:
    namespace_selector: {include: ["*"]}
    dest: "{{ inventory_dir }}/host_vars/{{ inventory_hostname }}"
  register: found

- name: Show the objects that no entry can express
  ansible.builtin.debug:
    var: found.not_exported

- name: Describe it without credentials
  openshift_ops.image_pull.pull_access_export:
    namespaces: [project-a, project-b]
    dest: "{{ inventory_dir }}/host_vars/{{ inventory_hostname }}"
    credentials: placeholder
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
private_registry_secrets:
  description: The variable of role P(openshift_ops.image_pull.private_registry#role), with references instead of credentials.
  returned: when a namespace could be read
  type: list
  elements: dict
  sample:
    - name: team-registry
      namespaces: [project-a, project-b]
      registries:
        - registry: privateregistry.example.com
          username: developer@example.com
          password: "{{ vaulted_privateregistry_example_com_developer_example_com | string }}"
      service_accounts: [default]
      link_for: [pull]
cross_project_pull_grants:
  description:
    - The variable of role P(openshift_ops.image_pull.cross_project_pull#role).
    - A role binding whose name does not follow the naming of this collection becomes an entry with its C(binding_name).
    - A service account that does not exist is listed in C(users), because the role waits for each account in C(service_accounts).
  returned: when a namespace could be read
  type: list
  elements: dict
  sample:
    - namespaces: [project-b]
      projects: [project-a]
      binding_name: system:image-puller
vaulted_variables:
  description: The names of the variables that the entries refer to.
  returned: when a namespace could be read
  type: list
  elements: str
  sample: [vaulted_privateregistry_example_com_developer_example_com]
left_out:
  description: Counts of the platform's own objects. Counts of zero are omitted.
  type: dict
  returned: when a namespace could be read
  contains:
    generated_pull_secrets:
      description: The pull secrets that the cluster generated for service accounts.
      type: int
      returned: when there are any
    generated_links:
      description: The links to the generated pull secrets.
      type: int
      returned: when there are any
    platform_bindings:
      description: The platform's role bindings.
      type: int
      returned: when there are any
    node_pull_secret:
      description: The pull secret of the nodes.
      type: int
      returned: when there are any
    platform_namespaces:
      description: The namespaces that O(namespace_selector) excludes without C(system_namespaces=true).
      type: int
      returned: when there are any
  sample: {generated_links: 12, generated_pull_secrets: 6, platform_bindings: 2, platform_namespaces: 60}
not_exported:
  description:
    - The objects, or parts of objects, that no entry expresses.
    - If the reason states that a part is kept, an entry contains the rest of the object.
  type: list
  elements: dict
  returned: when a namespace could be read
  contains:
    kind:
      description: The kind of the object.
      type: str
      returned: always
    name:
      description: The name of the object.
      type: str
      returned: always
    namespaces:
      description: The namespaces that have it.
      type: list
      elements: str
      returned: always
    reason:
      description: The reason why no entry can express it.
      type: str
      returned: always
  sample: [{kind: Secret, name: broken, namespaces: [project-a], reason: "its content is not valid JSON at line 1, column 1"}]
files:
  description: The files that were written, or would be written in check mode.
  returned: when a namespace could be read
  type: list
  elements: str
  sample: [host_vars/production/image_pull_vault.yml, host_vars/production/image_pull.yml]
changed:
  description: Whether files were written, or would be written in check mode. The cluster is never changed.
  returned: always
  type: bool
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
      description: One of V(unchanged), V(failed), V(skipped).
      type: str
      returned: always
      sample: unchanged
    reason:
      description: Why the namespace was skipped.
      type: str
      returned: when skipped
    changes:
      description: Always empty. The cluster is never changed.
      type: list
      elements: dict
      returned: always
      sample: []
stopped:
  description: Why the task ended before all namespaces were attempted.
  type: str
  returned: when the task stopped early
failures:
  description: The namespaces that could not be read, and the reason. If there is one, the task fails. The variables and the files
    describe the other namespaces. If there are no others, or the task stopped early, there are none.
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
from ..module_utils.inventory.export.inventory import CREDENTIALS, from_options
from ..module_utils.inventory.export.run import ExportOutput, export_inventory
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.files import file_writer
from ..module_utils.module.options import CLUSTER_OPTIONS
from ..module_utils.module.task import Module, Task

ARGUMENTS = {
    **CLUSTER_OPTIONS,
    "roles": {"type": "list", "elements": "str", "default": ["system:image-puller"]},
    "dest": {"type": "path"},
    "credentials": {"type": "str", "choices": list(CREDENTIALS), "default": CREDENTIALS[0]},
    "vault_id": {"type": "str"},
    "force": {"type": "bool", "default": False},
}


def run(task: Task) -> dict[str, object]:
    wanted = from_options(task.params)
    out = ExportOutput(task.hide_in_result, file_writer(task, wanted.files), task.show)
    with task.cluster(task.targets()) as run:
        return run.result(export_inventory(run.cluster, wanted, run.targets[0], run.settings(), out))


MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
