#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: global_pull_secret_info
short_description: Tell where the pull secret of a cluster's nodes is changed, and whether it has arrived
version_added: 1.0.0
description:
  - Recognizes the kind of cluster, and says which secret has to be changed there, what comes with a change, and which nodes never get it.
  - With O(wait=true), it waits until the nodes have the pull secret that the cluster has now. To change it, use
    M(openshift_ops.image_pull.pull_secret) with C(mode=merge) or C(mode=remove), or the role C(global_pull_secret), which does all of this.
  - On a standalone cluster, that is V(openshift-config/pull-secret). The machine config operator renders it into the configuration of each
    machine config pool and updates the machines one by one. The secret in the rendered configuration is compared with the one of the
    cluster, because a pool that has not noticed a change yet says that it is up to date.
  - On a hosted cluster (ROSA HCP, ARO HCP, self-managed hosted control planes), V(openshift-config/pull-secret) is a copy, and what is
    changed there is reverted. Registries are added in V(kube-system/additional-pull-secret), from which the platform merges
    V(kube-system/global-pull-secret). Where both have an entry, the platform's is used. One entry that the platform cannot read stops the
    whole merge. RV(notes) reports that, and with O(wait=true) the module fails at once.
  - Plain Kubernetes and MicroShift have no global pull secret in the cluster. That is said in RV(reason).
  - The cluster is not changed, and no credential is returned.
options:
  merge:
    description:
      - The registries that are to be added, C(host[:port][/path]). On a hosted cluster, RV(overridden) says for which of them the platform's
        own entry would be used instead.
    type: list
    elements: str
  auth_file:
    description:
      - A file as M(openshift_ops.image_pull.pull_secret) takes it, whose registries are to be added, like those of O(merge). Its content is
        only read for their names.
      - At most one of O(auth_file) and O(auth_config) is given.
    type: path
  auth_config:
    description: The content of such a file as data or as JSON text.
    type: raw
  only:
    description: Which entries of O(auth_file) or O(auth_config) are to be added, as names or globs. By default all are.
    type: list
    elements: str
  hosted_cluster:
    description:
      - The connection leads to a management cluster, and the question is about this hosted cluster, V(NAMESPACE/NAME). The secret is then the
        one that its C(spec.pullSecret) names.
    type: str
  wait:
    description:
      - Wait until the nodes have the pull secret. The task fails when some do not have it after O(timeout), and names what is missing.
      - On a hosted cluster, the platform's merge is waited for, and then until the daemon set that brings the merged secret to the nodes,
        V(kube-system/global-pull-secret-syncer), runs with it on all that get it. It writes the file of a node within half a minute of its
        start. Where the caller may not read the daemon set, or it does not tell, RV(arrived) is null and RV(notes) says why.
      - Not for a O(hosted_cluster), where it cannot be seen.
    type: bool
    default: false
  timeout:
    description: Seconds to wait with O(wait=true). With V(0), the module looks once.
    type: int
    default: 1800
  allow_paused:
    description: With O(wait=true), succeed although machines of a paused pool do not have the secret. They are listed in RV(pools).
    type: bool
    default: false
  rendered_before:
    description:
      - The configuration of each pool before the change, by the name of the pool, from RV(pools) of an earlier task. Only used where the
        caller may not read machine configs. A pool has the change when it has another configuration.
    type: dict
  backup:
    description:
      - A directory on the controller that gets a copy of the secret as it is now, as a file of variables that is encrypted with Ansible's
        vault password. The name of the file has the version of the secret, so a copy that is there is not written again.
      - The task must run in Ansible's own process, with a local connection and Ansible's own Python, without C(become) and C(async).
    type: path
  vault_id:
    description: With several vault passwords, the id of the one to encrypt O(backup) with.
    type: str
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.attributes
attributes:
  check_mode:
    description: The cluster is not changed. In check mode, the file of O(backup) is only named.
    support: full
  diff_mode:
    description: There is no diff, because nothing changes.
    support: none
  idempotent:
    description: Each run reads the cluster anew. A copy that is there is not written again.
    support: full
seealso:
  - module: openshift_ops.image_pull.pull_secret
notes:
  - Rights needed - get on infrastructures.config.openshift.io cluster, secrets pull-secret in openshift-config; list on
    machineconfigpools.machineconfiguration.openshift.io; get on machineconfigs.machineconfiguration.openshift.io.
  - Without these, it says what it does not know - get on clusterversions.config.openshift.io version,
    machineconfigurations.operator.openshift.io cluster.
  - On a hosted cluster, instead of those to machine configs - get on secrets additional-pull-secret, global-pull-secret, original-pull-secret in
    kube-system. Without get on daemonsets.apps global-pull-secret-syncer in kube-system, and list on nodes, it says what it does not know.
  - With O(hosted_cluster), instead of those to machine configs - get on hostedclusters.hypershift.openshift.io and on the secret that it names;
    list on nodepools.hypershift.openshift.io.
  - Elsewhere than on OpenShift, without get on configmaps microshift-version in kube-public, it says that it cannot tell MicroShift.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for what each is for, and how to give them.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Ask where the pull secret of the nodes is changed, and what comes with a change
  openshift_ops.image_pull.global_pull_secret_info:
    merge: [registry.example.com]
  register: nodes

- name: Show it
  ansible.builtin.debug:
    msg: "{{ nodes.notes }}"

- name: Add a registry there
  openshift_ops.image_pull.pull_secret:
    namespaces: ["{{ nodes.namespace }}"]
    name: "{{ nodes.name }}"
    mode: merge
    registries:
      - {registry: registry.example.com, username: robot, password: "{{ vaulted_robot }}"}

- name: Wait until all nodes have it
  openshift_ops.image_pull.global_pull_secret_info:
    wait: true
    timeout: 3600

- name: On a management cluster, ask which secret the nodes of a hosted cluster have
  openshift_ops.image_pull.global_pull_secret_info:
    hosted_cluster: clusters/east

- name: Ask about the registries of a file
  openshift_ops.image_pull.global_pull_secret_info:
    auth_file: "{{ playbook_dir }}/auth.json"
    only: ["*.example.com"]

- name: Keep an encrypted copy
  openshift_ops.image_pull.global_pull_secret_info:
    backup: "{{ playbook_dir }}/backup"
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when it was reached
  sample: https://api.cluster.example.com:6443
cluster_kind:
  description: One of V(standalone), V(managed), V(hosted), V(management), V(microshift) and V(kubernetes).
  returned: success
  type: str
  sample: standalone
cluster_id:
  description: The id that OpenShift has given to the cluster, empty where it is not known.
  returned: success
  type: str
  sample: 5a4f8f4e-0d5c-4c7b-9d5a-6b7c8d9e0f1a
version:
  description: The version of OpenShift, empty where it is not known.
  returned: success
  type: str
  sample: 4.20.3
supported:
  description: Whether the cluster has a global pull secret.
  returned: success
  type: bool
reason:
  description: Why it has none, and what to do instead.
  returned: success
  type: str
  sample: ""
namespace:
  description: The namespace of the secret that has to be changed.
  returned: when the cluster has one
  type: str
  sample: openshift-config
name:
  description: The name of the secret that has to be changed.
  returned: when the cluster has one
  type: str
  sample: pull-secret
exists:
  description: Whether that secret exists. On a hosted cluster it need not; elsewhere nodes lose their pull secret without it.
  returned: when the cluster has one
  type: bool
pools:
  description: The machine config pools.
  type: list
  elements: dict
  returned: when the cluster has one
  contains:
    name:
      description: The pool.
      type: str
      returned: always
    machines:
      description: How many machines it has.
      type: int
      returned: always
    updated:
      description: How many of them have the configuration.
      type: int
      returned: always
    paused:
      description: Whether it is paused.
      type: bool
      returned: always
    degraded:
      description: Whether it is degraded.
      type: bool
      returned: always
    rendered:
      description: The configuration that the machines are to have.
      type: str
      returned: always
    waits_for:
      description: What the pool lacks; empty where it lacks nothing.
      type: str
      returned: with O(wait=true)
    pending:
      description: What else the machines are to get.
      type: list
      elements: str
      returned: without O(wait=true)
  sample: [{name: worker, machines: 2, updated: 2, paused: false, degraded: false, rendered: rendered-worker-1a2b, waits_for: "", pending: []}]
node_pools:
  description: The node pools of a hosted cluster.
  type: list
  elements: dict
  returned: when the cluster has one
  contains:
    name:
      description: The pool.
      type: str
      returned: always
    nodes:
      description: How many nodes it has; null where its object does not say, as with autoscaling.
      type: int
      returned: always
    receives:
      description: Whether running nodes of it get the secret.
      type: bool
      returned: always
  sample: [{name: workers, nodes: 2, receives: true}]
drains:
  description: Whether a change of the secret drains or reboots nodes; null where it is not known.
  returned: when the cluster has one
  type: bool
overridden:
  description: Of O(merge), the registries for which the platform's own entry is used.
  returned: when the cluster has one
  type: list
  elements: str
  sample: [quay.io]
arrived:
  description: Whether all nodes that get the secret have it, see RV(node_pools); null where it was not asked or cannot be seen.
  returned: when the cluster has one
  type: bool
notes:
  description: What one should know before a change, as sentences.
  returned: when the cluster has one
  type: list
  elements: str
files:
  description: The file of the copy, where it was written or in check mode would be.
  returned: with O(backup)
  type: list
  elements: str
changed:
  description: Whether a copy was written. The cluster is never changed.
  returned: always
  type: bool
"""

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.connection import IMPORT_ERROR
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.sources import FILE_ARGUMENTS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.global_pull_secret.options import (
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.options import CONNECTION_OPTIONS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import Module, Task, asking
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.variable_files import backup_writer
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.global_pull_secret import Saving, look

ARGUMENTS = {
    **CONNECTION_OPTIONS,
    "merge": {"type": "list", "elements": "str"},
    **FILE_ARGUMENTS,
    "hosted_cluster": {"type": "str"},
    "wait": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 1800},
    "allow_paused": {"type": "bool", "default": False},
    "rendered_before": {"type": "dict"},
    "backup": {"type": "path"},
    "vault_id": {"type": "str"},
}


def run(task: Task) -> dict[str, object]:
    asked = from_options(task.params, task.read_file)
    saving = Saving(task.hide, backup_writer(task, asked.backup, asked.vault_id))
    return asking(task, task.params["timeout"], lambda cluster, settings: look(cluster, asked, settings, saving))


RULES = {"mutually_exclusive": [("auth_file", "auth_config")]}
MODULE = Module(ARGUMENTS, run, library="kubernetes", import_error=IMPORT_ERROR, rules=RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
