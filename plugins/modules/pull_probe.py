#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_probe
short_description: Prove that nodes can pull images, by pods that do
version_added: 1.0.0
description:
  - Makes a pod for each image in each namespace, waits until a node has pulled the image or was refused, and deletes the pod. It is the
    only proof that a node can pull, with its own network, certificates, mirrors and credentials.
    M(openshift_ops.image_pull.pull_access_info) tells without a pod what would happen, and why.
  - The pull is forced. With C(imagePullPolicy=Always) a node asks the registry although it has the image.
  - Nothing of the image has to run. The container's command is C(true), which the image need not hold. An image is pulled as soon as the
    status of the container shows that the node has it, also where the container then cannot be made or started.
  - A pod has no token and no rights, tolerates all taints, requests next to nothing, ends by itself a minute after O(timeout), and is
    accepted by the Pod Security standard C(restricted) and by OpenShift's C(restricted-v2). Its name begins with C(pull-probe-), and its
    labels are C(app.kubernetes.io/managed-by=openshift_ops.image_pull) and C(app.kubernetes.io/component=pull-probe).
  - All its pods are deleted in the end, also when the task fails or is interrupted. A killed run leaves its pods. The next run deletes all
    pods with both labels in the namespaces that it probes, so let only one task probe a namespace at the same time.
  - If the caller may list the pods of all namespaces, each run of this module deletes pods of probes that have outlived their own deadline, in
    all of them. M(openshift_ops.image_pull.credential_rotation) does that in its namespaces. A pod that only has the labels of a probe
    stays there. A pod that cannot be deleted is a warning. No object of a cluster stands for a run, so these pods have no owner.
  - The task fails when an image was refused, and when nothing was proven.
  - About 100 pods are under way at the same time. They are watched by one list of pods, however many there are.
  - It needs the rights to create, list and delete pods in the namespaces. Of more than 8 namespaces the pods are listed in the whole
    cluster, if that is allowed.
options:
  images:
    description: The images, with their registry, such as V(quay.io/team/app:v1). Short names are refused.
    type: list
    elements: str
    required: true
  service_account:
    description: The service account of the pods.
    type: str
    default: default
  image_pull_secrets:
    description:
      - The names of pull secrets for the pods' own list. By default a pod gets the list of its service account, as pods without a list of
        their own do.
    type: list
    elements: str
  node_selectors:
    description:
      - Labels of nodes, one entry for each kind of node, such as C(node-role.kubernetes.io/worker) with an empty value. Each gets a pod for
        each image. By default there is one pod for each image, on any node.
      - The pods tolerate all taints, so a pod for any node may come to one that takes no others.
    type: list
    elements: dict
  timeout:
    description: Seconds to wait for each pod. With V(0), the module looks once.
    type: int
    default: 120
  keep_failed:
    description:
      - Leave the pods whose image was not pulled, to look at them. They end by themselves. The next run in the namespace deletes them, and any
        later run once they are past their deadline.
    type: bool
    default: false
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
attributes:
  check_mode:
    description: No pod is made or deleted. The result tells which images would be pulled, with the outcome V(unknown).
    support: full
  diff_mode:
    description: There is no diff but for pods that stay with O(keep_failed=true), because nothing else does.
    support: partial
  idempotent:
    description: Each run makes its pods anew and leaves nothing, so it does not report a change.
    support: none
seealso:
  - module: openshift_ops.image_pull.pull_access_info
  - module: openshift_ops.image_pull.registry_auth_info
notes:
  - Rights needed - list, create, delete on pods.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for what each is for, and how to give them.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Prove that pods of two projects can pull their image
  openshift_ops.image_pull.pull_probe:
    namespaces: [project-a, project-b]
    images: [registry.example.com/team/app:v1]

- name: Prove it on each kind of node, for the service account of the builds
  openshift_ops.image_pull.pull_probe:
    namespaces: [project-a]
    images: [registry.example.com/team/app:v1]
    service_account: builder
    node_selectors:
      - node-role.kubernetes.io/worker: ""
      - node-role.kubernetes.io/infra: ""

- name: Prove a new pull secret before any service account lists it
  openshift_ops.image_pull.pull_probe:
    namespaces: [project-a]
    images: [registry.example.com/team/app:v1]
    image_pull_secrets: [registry-new]
    keep_failed: true
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when it was reached
  sample: https://api.cluster.example.com:6443
outcomes:
  description: How many pulls have each outcome.
  type: dict
  returned: always
  contains:
    pulled:
      description: Those that succeeded.
      type: int
      returned: always
    refused:
      description: Those that a node tried, and failed at.
      type: int
      returned: always
    unknown:
      description: Those of which nothing was proven.
      type: int
      returned: always
  sample: {pulled: 2, refused: 0, unknown: 0}
changed:
  description: Whether pods stay, which they do only with O(keep_failed=true). What is made and deleted again is no change. Of pods that
      an earlier run left and this one deleted, a warning tells.
  returned: always
  type: bool
namespaces:
  description:
    - The result for each namespace. Of more than 100 namespaces, those in which all images were pulled are only counted in RV(outcomes),
      unless O(report_unchanged=true).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The namespace.
      type: str
      sample: project-a
    changed:
      description: Whether a pod stays in it.
      type: bool
    status:
      description: One of V(unchanged), V(failed), V(skipped).
      type: str
      sample: unchanged
    reason:
      description: Why a namespace was skipped.
      type: str
      returned: when skipped
    changes:
      description: The pods that stay.
      type: list
      elements: dict
      returned: always
      contains:
        action:
          description: One of C(create).
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
        image:
          description: The image that could not be pulled.
          type: str
          returned: always
      sample: []
    pulls:
      description: One answer for each image and node selector.
      type: list
      elements: dict
      returned: when pods could be made
      contains:
        image:
          description: The image.
          type: str
        node_selector:
          description: The labels of nodes that were asked for.
          type: dict
        node:
          description: The node that was asked, null where none was found.
          type: str
        outcome:
          description:
            - V(pulled), V(refused) when the node tried and failed, or V(unknown) when nothing was proven.
          type: str
        cause:
          description:
            - For V(refused), the class of the node's error, such as C(bad_credentials), C(no_credentials), C(denied), C(not_found) or C(dns),
              and C(unknown) for a text that has no rule yet.
            - For V(unknown), C(not_created) when the API server refused the pod (a quota, an admission rule, no such service account),
              C(not_scheduled), C(no_answer) when a node has said nothing in time, C(node_limit), C(not_run) when the node ended the pod,
              C(deleted) when others deleted the pod, C(edited) when others edited it, C(not_read), or C(check_mode).
            - Empty for V(pulled).
          type: str
        message:
          description: What the cluster says, without credentials; empty for V(pulled).
          type: str
        seconds:
          description: How long it took until that was known.
          type: float
        pod:
          description: The name of the pod when it stays, else null.
          type: str
      sample:
        - image: registry.example.com/team/app:v1
          node_selector: {}
          node: worker-1
          outcome: refused
          cause: bad_credentials
          message: "unable to retrieve auth token: invalid username/password: unauthorized: authentication required"
          seconds: 1.2
          pod: null
stopped:
  description: Why the task ended before all namespaces were attempted.
  type: str
  returned: when it did
failures:
  description: The namespaces in which an image was not pulled, and why. The task fails if there is one, after all others are done.
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

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.connection import IMPORT_ERROR
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_probe.options import from_options
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.options import CLUSTER_OPTIONS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import Module, Task, over_namespaces
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.pull_probe import probe

ARGUMENTS = {
    **CLUSTER_OPTIONS,
    "images": {"type": "list", "elements": "str", "required": True},
    "service_account": {"type": "str", "default": "default"},
    "image_pull_secrets": {"type": "list", "elements": "str", "no_log": False},
    "node_selectors": {"type": "list", "elements": "dict"},
    "timeout": {"type": "int", "default": 120},
    "keep_failed": {"type": "bool", "default": False},
}


def run(task: Task) -> dict[str, object]:
    asked = from_options(task.params)
    return over_namespaces(
        task, asked.timeout, lambda cluster, namespaces, settings: probe(cluster, asked, namespaces, settings)
    )


MODULE = Module(ARGUMENTS, run, library="kubernetes", import_error=IMPORT_ERROR)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
