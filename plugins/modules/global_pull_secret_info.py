#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: global_pull_secret_info
short_description: Locate the global pull secret of a cluster, and check whether its nodes have it
version_added: 1.0.0
description:
  - Detects the kind of cluster, and reports which secret must be changed there, the effects of a change, and the nodes that never get it.
  - With O(wait=true), it waits until the nodes have the current pull secret of the cluster. To change it, use
    M(openshift_ops.image_pull.pull_secret) with C(mode=merge) or C(mode=remove), or the role C(global_pull_secret), which performs all
    these steps.
  - On a standalone cluster, the secret is V(openshift-config/pull-secret). The machine config operator renders it into the configuration of
    each machine config pool and updates the machines one by one. The module compares the secret in the rendered configuration with the one
    in the cluster, because a pool that has not noticed a change yet reports that it is up to date.
  - On a hosted cluster (ROSA HCP, ARO HCP, self-managed hosted control planes), V(openshift-config/pull-secret) is a copy, and changes to
    it are reverted, unless its HostedCluster has the annotation C(hypershift.openshift.io/ensureexists-pullsecret-reconcile). Registries are
    added in V(kube-system/additional-pull-secret), from which the platform merges
    V(kube-system/global-pull-secret). If both have an entry, the platform's entry is used. A single entry that the platform cannot read
    stops the whole merge. RV(notes) reports that, and with O(wait=true) the module fails at once.
  - The platform merges on AWS and Azure only. On other platforms, RV(supported) is false and RV(reason) gives the alternative. If the cluster
    does not show its platform, RV(notes) reports that.
  - Plain Kubernetes and MicroShift have no global pull secret in the cluster. RV(reason) reports that.
  - The module does not change the cluster, and returns no credential.
options:
  wait:
    description:
      - Wait until the nodes have the pull secret. If some nodes do not have it after O(timeout), the task fails, and names the missing
        parts.
      - On a hosted cluster, the module first waits for the platform's merge. It then waits until the daemon set that brings the merged
        secret to the nodes, V(kube-system/global-pull-secret-syncer), runs with it on all nodes that get it. The daemon set writes the file
        of a node within half a minute of its start. If the caller may not read the daemon set, or if the daemon set does not show this,
        RV(rolled_out) is null and RV(notes) gives the reason.
      - With O(hosted_cluster), the module does not wait, because the management cluster does not show whether the nodes have the secret.
    type: bool
    default: false
  timeout:
    description: Seconds to wait with O(wait=true). With V(0), the module looks once.
    type: int
    default: 1800
  hosted_cluster:
    description:
      - The hosted cluster to examine, V(NAMESPACE/NAME), if the connection leads to its management cluster. Its C(spec.pullSecret) then
        names the secret.
    type: str
  allow_paused:
    description: With O(wait=true), succeed even if machines of a paused pool do not have the secret. RV(pools) lists them.
    type: bool
    default: false
  merge:
    description:
      - The registries to add, C(host[:port][/path]). On a hosted cluster, RV(overridden) lists the registries for which the platform's own
        entry would be used instead.
    type: list
    elements: str
  auth_file:
    description:
      - A file in the form that M(openshift_ops.image_pull.pull_secret) takes, with registries to add, like O(merge). The module reads only
        the names of the registries from it.
      - O(auth_file) and O(auth_config) are mutually exclusive.
    type: str
  auth_config:
    description: The content of such a file as data or as JSON text.
    type: raw
  include:
    description: The entries of O(auth_file) or O(auth_config) to add, as names or globs. By default all entries.
    type: list
    elements: str
  rendered_before:
    description:
      - The configuration of each pool before the change, by the name of the pool, from RV(pools) of an earlier task. Only used if the
        caller may not read machine configs. A pool has the change when it has another configuration.
      - Used by the roles of this collection.
    type: dict
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.preview
attributes:
  check_mode:
    description: Nothing is changed.
    support: full
  diff_mode:
    description: There is no diff, because nothing changes.
    support: none
  idempotent:
    description: Each run reads the cluster.
    support: full
seealso:
  - module: openshift_ops.image_pull.pull_secret
notes:
  - Rights needed - get on infrastructures.config.openshift.io cluster, secrets pull-secret in openshift-config; list on
    machineconfigpools.machineconfiguration.openshift.io; get on machineconfigs.machineconfiguration.openshift.io.
  - Optional rights - get on clusterversions.config.openshift.io version, machineconfigurations.operator.openshift.io cluster. Without them,
    the module reports the missing information.
  - Rights needed on a hosted cluster, instead of the rights to machine configs - get on secrets additional-pull-secret, global-pull-secret,
    original-pull-secret in kube-system. Without get on daemonsets.apps global-pull-secret-syncer in kube-system, and list on nodes, the
    module reports the missing information.
  - Rights needed with O(hosted_cluster), instead of the rights to machine configs - get on hostedclusters.hypershift.openshift.io and on
    the secret that it names; list on nodepools.hypershift.openshift.io.
  - On other clusters than OpenShift, without get on configmaps microshift-version in kube-public, the module reports that it cannot detect
    MicroShift.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Locate the pull secret of the nodes, and get the effects of a change
  openshift_ops.image_pull.global_pull_secret_info:
    merge: [registry.example.com]
  register: nodes

- name: Show the effects
  ansible.builtin.debug:
    msg: "{{ nodes.notes }}"

- name: Add a registry to this secret
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

- name: On a management cluster, find the secret of a hosted cluster's nodes
  openshift_ops.image_pull.global_pull_secret_info:
    hosted_cluster: clusters/east

- name: Check the registries of a file
  openshift_ops.image_pull.global_pull_secret_info:
    auth_file: "{{ playbook_dir }}/auth.json"
    include: ["*.example.com"]
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
cluster_kind:
  description: One of V(standalone), V(managed), V(hosted), V(management), V(microshift) and V(kubernetes).
  returned: success
  type: str
  sample: standalone
cluster_id:
  description: The id that OpenShift assigned to the cluster. Empty if it is not known.
  returned: success
  type: str
  sample: 5a4f8f4e-0d5c-4c7b-9d5a-6b7c8d9e0f1a
version:
  description: The version of OpenShift. Empty if it is not known.
  returned: success
  type: str
  sample: 4.20.3
supported:
  description: Whether the cluster has a global pull secret that can be changed there.
  returned: success
  type: bool
reason:
  description: The reason why it has none, or why it cannot be changed there, and the alternative.
  returned: success
  type: str
  sample: ""
namespace:
  description: The namespace of the secret to change.
  returned: when the cluster has one
  type: str
  sample: openshift-config
name:
  description: The name of the secret to change.
  returned: when the cluster has one
  type: str
  sample: pull-secret
exists:
  description: Whether that secret exists. It is optional on a hosted cluster. On other clusters, nodes lose their pull secret without it.
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
      description: Number of machines in the pool.
      type: int
      returned: always
    updated:
      description: Number of machines that have the configuration.
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
      description: The target configuration of the machines.
      type: str
      returned: always
    waits_for:
      description: The reason why the pool is not up to date. Empty if it is up to date.
      type: str
      returned: with O(wait=true)
    pending:
      description: Further pending changes for the machines.
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
      description: Number of nodes, or null if the object of the pool does not contain it, as with autoscaling.
      type: int
      returned: always
    receives:
      description: Whether running nodes of the pool get the secret.
      type: bool
      returned: always
  sample: [{name: workers, nodes: 2, receives: true}]
drains:
  description: Whether a change of the secret drains or reboots nodes, or null if that is not known.
  returned: when the cluster has one
  type: bool
overridden:
  description: The registries of O(merge) for which the platform's own entry is used.
  returned: when the cluster has one
  type: list
  elements: str
  sample: [quay.io]
rolled_out:
  description: Whether all nodes that get the secret have it, see RV(node_pools), or null if that was not requested or cannot be determined.
  returned: when the cluster has one
  type: bool
notes:
  description: Information to consider before a change, as sentences.
  returned: when the cluster has one
  type: list
  elements: str
"""

from ..module_utils.clients.kube.kubeconfig import IMPORT_ERROR
from ..module_utils.dockerconfig.auth_file import FILE_ARGUMENTS
from ..module_utils.features.global_pull_secret.question import from_options
from ..module_utils.features.global_pull_secret.run import inspect_global_secret
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.options import CONNECTION_OPTIONS
from ..module_utils.module.task import Module, Task

ARGUMENTS = {
    **CONNECTION_OPTIONS,
    "merge": {"type": "list", "elements": "str"},
    **FILE_ARGUMENTS,
    "hosted_cluster": {"type": "str"},
    "wait": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 1800},
    "allow_paused": {"type": "bool", "default": False},
    "rendered_before": {"type": "dict"},
}


def run(task: Task) -> dict[str, object]:
    asked = from_options(task.params, task.read_file)
    with task.cluster() as run:
        settings = run.settings(wait_timeout=task.params["timeout"])
        return {"server": run.cluster.name, **inspect_global_secret(run.cluster, asked, settings)}


RULES = {"mutually_exclusive": [("auth_file", "auth_config")]}
MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR, rules=RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
