#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: adopt_info
short_description: Describe what a cluster has as variables of an inventory
version_added: 1.0.0
description:
  - Reads the pull secrets, the links of service accounts and the role bindings of image pullers in the given namespaces, and returns
    the variables C(private_registry_secrets) and C(cross_project_pull_grants) that describe them, as the roles of this collection take
    them.
  - Applying these variables to the same cluster changes nothing. This is proven for each secret, link and binding before it becomes
    part of an entry. What would change, or cannot be said in an entry, is listed in RV(not_expressed) instead.
  - Objects that are the same in many namespaces are one entry. A secret that is linked to no account is an entry with
    C(service_accounts=[]).
  - Nothing on the cluster is changed. With O(dest), the variables are written to files on the controller.
  - The result, messages and logs hold no credential. A password is a reference to a variable, C(vaulted_REGISTRY_USER), or
    C(vaulted_SECRET_auth_config) where the secret holds more than logins, or a user name that is a password somewhere. One login is one
    variable, however many secrets have it. Further passwords of the same user end in C(_2), C(_3).
  - C(delegated_auth_registries) is never written. Two secrets with the same login are two entries of C(private_registry_secrets).
options:
  roles:
    description:
      - The cluster roles whose bindings are described. Bindings that this collection created are described in any case.
    type: list
    elements: str
    default: [system:image-puller]
  dest:
    description:
      - A directory on the controller, such as C(host_vars/HOST) of an inventory. It is created where it is missing.
      - C(image_pull.yml) there gets the two variables, and C(image_pull_vault.yml) the credentials. Both files are written at once and
        whole, with mode C(0600), and only if all namespaces could be read.
      - The task must run in Ansible's own process, with C(connection=local) and without C(become) and C(async). If the host has another
        C(ansible_python_interpreter), set it to C({{ ansible_playbook_python }}) for the task, or leave it out.
      - Without this option nothing is written.
    type: path
  credentials:
    description:
      - What becomes of the credentials.
      - V(vault) writes them into a file that is encrypted with ansible-vault's own library before it touches the disk. The password is
        the one that Ansible was started with (C(--vault-password-file), C(--vault-id), C(--ask-vault-pass)). Without one the task fails
        before it reads anything.
      - V(placeholder) writes none. C(image_pull.yml) names the variables that you have to define. A playbook that uses the file before
        that fails, because they are undefined.
    type: str
    choices: [vault, placeholder]
    default: vault
  vault_id:
    description: The vault id to encrypt with. Required if Ansible has vault passwords for several ids. Only with O(dest).
    type: str
  force:
    description: Whether to replace files that exist. Otherwise the task fails before it reads anything. Only with O(dest).
    type: bool
    default: false
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
attributes:
  check_mode:
    description: Names the files that a real run would write, and writes none. The cluster is read in both cases.
    support: full
  diff_mode:
    description: There is no diff. Nothing on the cluster changes.
    support: none
  idempotent:
    description: Each run reads the cluster anew. With O(dest), a second run fails unless O(force=true), which writes the files again.
    support: partial
notes:
  - Rights needed - list on secrets, serviceaccounts, rolebindings.rbac.authorization.k8s.io.
  - Without these, it says what it does not know or does not do - get on clusterroles.rbac.authorization.k8s.io system:image-puller.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for what each is for, and how to give them.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Describe what was set up by hand, with the credentials in a vaulted file
  openshift_ops.image_pull.adopt_info:
    namespace_selector: {include: ["*"]}
    dest: "{{ inventory_dir }}/host_vars/{{ inventory_hostname }}"
  register: found

- name: Show what no entry can say
  ansible.builtin.debug:
    var: found.not_expressed

- name: The same without a credential
  openshift_ops.image_pull.adopt_info:
    namespaces: [project-a, project-b]
    dest: "{{ inventory_dir }}/host_vars/{{ inventory_hostname }}"
    credentials: placeholder
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when it was reached
  sample: https://api.cluster.example.com:6443
private_registry_secrets:
  description: The variable of role P(openshift_ops.image_pull.private_registry#role), with references in place of credentials.
  returned: success
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
    - A role binding that is not named as this collection names its own is an entry with its C(binding_name).
    - A service account that does not exist is named in C(users), since the role waits for each one in C(service_accounts).
  returned: success
  type: list
  elements: dict
  sample:
    - namespaces: [project-b]
      projects: [project-a]
      binding_name: system:image-puller
vaulted_variables:
  description: The names of the variables that the entries refer to.
  returned: success
  type: list
  elements: str
  sample: [vaulted_privateregistry_example_com_developer_example_com]
left_out:
  description: Counts of what is the platform's own. A count of nothing is left out.
  type: dict
  returned: success
  contains:
    generated_pull_secrets:
      description: What the cluster generated for service accounts.
      type: int
      returned: when there are such
    generated_links:
      description: The links to these.
      type: int
      returned: when there are such
    platform_bindings:
      description: The platform's role bindings.
      type: int
      returned: when there are such
    node_pull_secret:
      description: The pull secret of the nodes.
      type: int
      returned: when there are such
    platform_namespaces:
      description: The namespaces that the O(namespace_selector) leaves out without C(system_namespaces=true).
      type: int
      returned: when there are such
  sample: {generated_links: 12, generated_pull_secrets: 6, platform_bindings: 2, platform_namespaces: 60}
not_expressed:
  description:
    - What no entry says.
    - If the reason says that a part is kept, the rest of the object is in an entry.
  type: list
  elements: dict
  returned: success
  contains:
    kind:
      description: The kind of the object.
      type: str
      returned: always
    name:
      description: Its name.
      type: str
      returned: always
    namespaces:
      description: The namespaces that have it.
      type: list
      elements: str
      returned: always
    reason:
      description: Why no entry can say it.
      type: str
      returned: always
  sample: [{kind: Secret, name: broken, namespaces: [project-a], reason: "its content is not valid JSON at line 1, column 1"}]
files:
  description: The files that were written, or in check mode would be written.
  returned: success
  type: list
  elements: str
  sample: [host_vars/production/image_pull_vault.yml, host_vars/production/image_pull.yml]
changed:
  description: Whether files were written, or in check mode would be. The cluster is never changed.
  returned: always
  type: bool
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
  returned: when it did
failures:
  description: The namespaces that could not be read, and why. If there is one, the task fails, and there are no variables and no files.
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
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.adopt.options import (
    CREDENTIALS,
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.options import CLUSTER_OPTIONS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import Module, Task, over_targets
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.variable_files import writer
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.adopt import Out, adopt

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
    out = Out(task.hide_in_result, writer(task, wanted.files), task.show)
    return over_targets(task, lambda cluster, meant, settings: adopt(cluster, wanted, meant, settings, out))


MODULE = Module(ARGUMENTS, run, library="kubernetes", import_error=IMPORT_ERROR)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
