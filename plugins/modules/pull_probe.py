#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_probe
short_description: Test image pulls on nodes with short-lived pods
version_added: 1.0.0
description:
  - Creates a pod for each image in each namespace, waits until a node has pulled the image or was refused, and deletes the pod. This is the
    only proof that a node can pull, with its own network, certificates, mirrors and credentials.
    M(openshift_ops.image_pull.pull_access_info) predicts the result without a pod, and gives the reason.
  - The pull is forced. With C(imagePullPolicy=Always), a node contacts the registry even if it has the image.
  - The image does not have to run. The container's command is C(true), which the image does not need to contain. An image counts as pulled
    as soon as the status of the container shows that the node has it, even if the container then cannot be created or started. If the node
    refuses to start the image because of its signature, the pull counts as refused.
  - A pod has no token and no rights, tolerates all taints, and requests almost no resources. It ends by itself a minute after O(timeout).
    The Pod Security standard C(restricted) and OpenShift's C(restricted-v2) accept it. Its name begins with C(pull-probe-), and its labels
    are C(app.kubernetes.io/managed-by=openshift_ops.image_pull) and C(app.kubernetes.io/component=pull-probe).
  - The module deletes all its pods at the end, even if the task fails or is interrupted. A killed run leaves its pods. The next run deletes
    all pods with both labels in the namespaces that it probes, so let only one task at a time probe a namespace.
  - If the caller may list the pods of all namespaces, each run of this module deletes pods of probes that are past their own deadline, in
    all namespaces. M(openshift_ops.image_pull.credential_rotation) does that in its namespaces. A pod that only has the labels of a probe
    is not deleted there. If a pod cannot be deleted, the module warns. No object of a cluster represents a run, so these pods have no
    owner.
  - The task fails if an image was refused, or if nothing was proven.
  - About 100 pods are active at the same time. One list request observes all of them, regardless of their number.
  - It needs the rights to create, list and delete pods in the namespaces. With more than 8 namespaces, the pods are listed in the whole
    cluster, if that is allowed.
options:
  images:
    description: The images, with their registry, such as V(quay.io/team/app:v1). Short names are refused.
    type: list
    elements: str
    required: true
  image_pull_secrets:
    description:
      - The names of pull secrets for the pods' own list. By default, a pod gets the list of its service account, like other pods without a
        list of their own.
      - If the only secret of the list does not exist, the pods pull without any, such as with a credential provider of the node.
    type: list
    elements: str
  service_account:
    description: The service account of the pods.
    type: str
    default: default
  node_selectors:
    description:
      - Labels of nodes, one entry for each kind of node, such as C(node-role.kubernetes.io/worker) with an empty value. Each entry gets a
        pod for each image. By default, there is one pod for each image, on any node.
      - The pods tolerate all taints, so a pod for any node can be scheduled on a node that accepts no other pods.
    type: list
    elements: dict
  timeout:
    description:
      - Seconds to wait for each pod. With V(0), the module looks once.
      - If a pod has no node after 10 seconds, and the cluster has no ready node, the wait ends. Only a caller that is allowed to list nodes
        can find that out.
    type: int
    default: 120
  keep_failed:
    description:
      - Keep the pods whose image was not pulled, for inspection. They end by themselves. The next run in the namespace deletes them, as
        does any later run once they are past their deadline.
    type: bool
    default: false
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.preview
attributes:
  check_mode:
    description: >-
      No pod is created or deleted. The result lists the images that would be pulled, with the outcome V(unknown). The task fails if the
      cluster has no ready node, as without check mode.
    support: full
  diff_mode:
    description: There is only a diff for pods that are kept with O(keep_failed=true), because nothing else is kept.
    support: partial
  idempotent:
    description: Each run creates new pods and leaves nothing, so it does not report a change.
    support: none
seealso:
  - module: openshift_ops.image_pull.pull_access_info
  - module: openshift_ops.image_pull.registry_auth_info
notes:
  - Rights needed - list, create, delete on pods.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Test that pods of two projects can pull their image
  openshift_ops.image_pull.pull_probe:
    namespaces: [project-a, project-b]
    images: [registry.example.com/team/app:v1]

- name: Test it on each kind of node, for the service account of the builds
  openshift_ops.image_pull.pull_probe:
    namespaces: [project-a]
    images: [registry.example.com/team/app:v1]
    service_account: builder
    node_selectors:
      - node-role.kubernetes.io/worker: ""
      - node-role.kubernetes.io/infra: ""

- name: Test a new pull secret before any service account lists it
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
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
outcomes:
  description: Number of pulls for each outcome.
  type: dict
  returned: always
  contains:
    pulled:
      description: Pulls that succeeded.
      type: int
      returned: always
    refused:
      description: Pulls that a node tried, and that failed.
      type: int
      returned: always
    unknown:
      description: Pulls for which nothing was proven.
      type: int
      returned: always
  sample: {pulled: 2, refused: 0, unknown: 0}
changed:
  description: Whether pods are kept, which is only the case with O(keep_failed=true). A pod that is created and deleted again is not a
    change. If this run deleted pods that an earlier run left, a warning reports them.
  returned: always
  type: bool
namespaces:
  description:
    - The result for each namespace. If there are more than 100 namespaces, namespaces in which all images were pulled are only counted in
      RV(outcomes), unless O(report_unchanged=true).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The namespace.
      type: str
      sample: project-a
    changed:
      description: Whether a pod is kept in the namespace.
      type: bool
    status:
      description: One of V(unchanged), V(failed), V(skipped).
      type: str
      sample: unchanged
    reason:
      description: Why the namespace was skipped.
      type: str
      returned: when skipped
    changes:
      description: The pods that are kept.
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
      returned: when pods could be created
      contains:
        image:
          description: The image.
          type: str
        node_selector:
          description: The requested labels of nodes.
          type: dict
        node:
          description: The node that was used, or null if none was found.
          type: str
        outcome:
          description:
            - V(pulled), V(refused) if the node tried and failed, or V(unknown) if nothing was proven.
          type: str
        cause:
          description:
            - For V(refused), the class of the node's error, such as C(bad_credentials), C(no_credentials), C(denied), C(not_found) or C(dns),
              and C(unknown) for a text that has no rule yet.
            - For V(unknown), C(not_created) if the API server refused the pod (a quota, an admission rule, no such service account),
              C(not_scheduled), C(no_answer) if a node did not report a result in time, C(node_limit), C(not_run) if the node ended the pod,
              C(deleted) if others deleted the pod, C(edited) if others edited it, C(not_read), or C(check_mode).
            - Empty for V(pulled).
          type: str
        message:
          description: The message of the cluster, without credentials. Empty for V(pulled).
          type: str
        seconds:
          description: The number of seconds until the outcome was known.
          type: float
        pod:
          description: The name of the pod if it is kept, or null.
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
  returned: when the task stopped early
failures:
  description: The namespaces in which an image was not pulled, and the reason. If there is one, the task fails after it has processed all
    other namespaces.
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
from ..module_utils.features.pull_probe.pods import from_options
from ..module_utils.features.pull_probe.run import probe_images
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.options import CLUSTER_OPTIONS
from ..module_utils.module.task import Module, Task

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
    with task.cluster(task.targets()) as run:
        return run.result(probe_images(run.cluster, asked, run.namespaces, run.settings(wait_timeout=asked.timeout)))


MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
