#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: global_pull_secret_backup
short_description: Write an encrypted copy of the pull secret of a cluster's nodes
version_added: 1.0.0
description:
  - Writes the pull secret that M(openshift_ops.image_pull.global_pull_secret_info) names into a file of variables on the controller,
    encrypted with Ansible's vault password. The variable C(global_pull_secret_restore) of the role C(global_pull_secret) takes that file.
  - The name of the file contains the version of the secret, so the module does not write an existing copy again.
  - Fails on a cluster without a global pull secret. The cluster is not changed, and no credential is returned.
options:
  dest:
    description: The directory on the controller that gets the file. It is created if it does not exist.
    type: path
    required: true
  vault_id:
    description: With several vault passwords, the ID of the password to encrypt the file with.
    type: str
  hosted_cluster:
    description:
      - The connection leads to a management cluster, and the copy is of this hosted cluster's pull secret, V(NAMESPACE/NAME). It is the
        secret that its C(spec.pullSecret) names.
    type: str
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.preview
attributes:
  async:
    description: The vault passwords are only in Ansible's own process.
    support: none
  check_mode:
    description: The module only returns the name of the file.
    support: full
  diff_mode:
    description: There is no diff, because the file is encrypted.
    support: none
  idempotent:
    description: The module does not write an existing copy again.
    support: full
seealso:
  - module: openshift_ops.image_pull.global_pull_secret_info
notes:
  - The task must run in Ansible's own process, with a local connection and Ansible's own Python, without C(become) and C(async).
  - Rights needed - get on infrastructures.config.openshift.io cluster, secrets pull-secret in openshift-config.
  - Optional rights - get on clusterversions.config.openshift.io version. Without them, the module reports the missing information.
  - On a hosted cluster - get on secrets additional-pull-secret in kube-system.
  - With O(hosted_cluster) - get on hostedclusters.hypershift.openshift.io and on the secret that it names.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for what each is for, and how to give them.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Keep an encrypted copy
  openshift_ops.image_pull.global_pull_secret_backup:
    dest: "{{ playbook_dir }}/backup"
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
cluster_kind:
  description: One of V(standalone), V(managed), V(hosted) and V(management).
  returned: success
  type: str
  sample: standalone
cluster_id:
  description: The ID that OpenShift has given to the cluster. Empty if it is not known.
  returned: success
  type: str
  sample: 5a4f8f4e-0d5c-4c7b-9d5a-6b7c8d9e0f1a
version:
  description: The version of OpenShift. Empty if it is not known.
  returned: success
  type: str
  sample: 4.20.3
namespace:
  description: The namespace of the secret.
  returned: success
  type: str
  sample: openshift-config
name:
  description: The name of the secret.
  returned: success
  type: str
  sample: pull-secret
exists:
  description: Whether the secret exists. Without it there is nothing to copy.
  returned: success
  type: bool
files:
  description: The file that was written, or that check mode would write.
  returned: success
  type: list
  elements: str
  sample: [/home/ops/backup/pull-secret-48213.yml]
changed:
  description: Whether a copy was written. The cluster is never changed.
  returned: always
  type: bool
"""

from ..module_utils.clients.kube.kubeconfig import IMPORT_ERROR
from ..module_utils.features.global_pull_secret.question import hosted_cluster
from ..module_utils.features.global_pull_secret.run import BackupSink, back_up
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.files import backup_writer
from ..module_utils.module.options import CONNECTION_OPTIONS
from ..module_utils.module.task import Module, Task

ARGUMENTS = {
    **CONNECTION_OPTIONS,
    "dest": {"type": "path", "required": True},
    "vault_id": {"type": "str"},
    "hosted_cluster": {"type": "str"},
}


def run(task: Task) -> dict[str, object]:
    hosted = hosted_cluster(task.params["hosted_cluster"])
    saving = BackupSink(task.hide, backup_writer(task, task.params["dest"], task.params["vault_id"]))
    with task.cluster() as run:
        return {"server": run.cluster.name, **back_up(run.cluster, hosted, saving)}


MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
