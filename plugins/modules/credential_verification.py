#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: credential_verification
short_description: Set which images on a node are pulled again for pods without their credential
version_added: 1.0.0
description:
  - From Kubernetes 1.35 (OpenShift 4.22) on, the kubelet verifies that a pod may use an image that its node already has. This module sets
    the policy for this check on the nodes of a machine config pool, and estimates its effects first. In check mode, it only estimates.
  - The policy is in two fields of a C(KubeletConfig), C(imagePullCredentialsVerificationPolicy) and
    C(preloadedImagesVerificationAllowlist). Other fields of the object are not changed.
  - The estimate is in RV(estimate). It lists the images that pods use on these nodes, the images for which a node would ask a registry
    again, and the maximum number of pulls if each node starts its containers again. It also names the pods that would need a login that they
    do not have. No API shows the credentials that a node has recorded for an image, so the numbers are maxima.
  - A custom pool without a C(KubeletConfig) of its own has the settings of the pool V(worker), so a change for V(worker) reaches its nodes as
    well. A C(KubeletConfig) can also select several pools. The estimate covers the nodes of all pools that the change reaches.
  - The module refuses a policy with which the kubelet of one of these nodes would not start. It also refuses to create a second
    C(KubeletConfig) for a pool, because that would replace all settings of the first one. The same is true for a custom pool that has the
    settings of a C(KubeletConfig) of V(worker).
  - A change drains and reboots these nodes one after the other.
options:
  pool:
    description: The machine config pool.
    type: str
    default: worker
  name:
    description:
      - The C(KubeletConfig). If it does not exist, it is created. If a C(KubeletConfig) for the pool exists already, give its name.
    type: str
    default: image-pull-verification
  policy:
    description:
      - The policy. Required with O(state=present).
      - V(NeverVerify) does not verify. V(NeverVerifyPreloadedImages) is the kubelet's default, and exempts images that the kubelet did not
        pull itself. V(NeverVerifyAllowlistedImages) exempts the images in O(allow_list), whoever pulled them. V(AlwaysVerify) exempts no
        image.
    type: str
    choices: [NeverVerify, NeverVerifyPreloadedImages, NeverVerifyAllowlistedImages, AlwaysVerify]
  allow_list:
    description:
      - The images that all pods of the nodes may use, as repositories without tag and digest, or as the beginning of a repository and C(/*).
      - The kubelet compares the text of the pod. V(docker.io/library/nginx) does not exempt an image that a pod writes as V(nginx).
      - Only with O(policy=NeverVerifyAllowlistedImages).
    type: list
    elements: str
  allow_images_of:
    description:
      - Namespaces whose images in use are added to the allow-list. A pattern must begin with V(openshift-) or V(kube-).
      - Images on nodes of all pools are added, so that the list does not change, and no node reboots, when a pod moves to another pool.
      - Whoever creates pods in these namespaces decides which images every pod of a node may use. Give only namespaces that
        administrators of the cluster manage.
      - Only with O(policy=NeverVerifyAllowlistedImages).
    type: list
    elements: str
  state:
    description:
      - V(present) sets the policy. V(absent) removes both fields, and the C(KubeletConfig) if this module created it and nothing else is in
        it. With V(absent), O(policy), O(allow_list) and O(allow_images_of) are refused.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.attributes
seealso:
  - module: openshift_ops.image_pull.pull_access_info
  - module: openshift_ops.image_pull.pull_access_audit
notes:
  - Requires the machine config operator. On a hosted cluster, the node pools have the settings of the kubelets, on the management cluster.
  - Rights needed - list on machineconfigpools.machineconfiguration.openshift.io, kubeletconfigs.machineconfiguration.openshift.io, nodes,
    pods; create, patch, delete on kubeletconfigs.machineconfiguration.openshift.io.
  - Optional rights - list on secrets, imagedigestmirrorsets.config.openshift.io, imagetagmirrorsets.config.openshift.io,
    imagecontentsourcepolicies.operator.openshift.io; get on images.config.openshift.io cluster, clusterversions.config.openshift.io
    version, criocredentialproviderconfigs.config.openshift.io, machineconfigs.machineconfiguration.openshift.io. Without them, the module
    reports the missing information and the omitted steps.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Estimate the effects of verifying each image, without a change
  openshift_ops.image_pull.credential_verification:
    policy: AlwaysVerify
  check_mode: true
  register: planned

- name: Show the images that may stop
  ansible.builtin.debug:
    msg: "{{ planned.estimate.images | selectattr('without_login') }}"

- name: Verify all images except the images of the platform and of a public mirror
  openshift_ops.image_pull.credential_verification:
    policy: NeverVerifyAllowlistedImages
    allow_list: [registry.example.com/public/*]
    allow_images_of: [openshift-*]

- name: Add the policy to an existing KubeletConfig of a custom pool
  openshift_ops.image_pull.credential_verification:
    pool: infra
    name: infra-kubelet
    policy: AlwaysVerify

- name: Return to the default of the kubelet
  openshift_ops.image_pull.credential_verification:
    state: absent
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
changes:
  description: The write, or in check mode the write that a real run would make. Empty if the policy is set already.
  type: list
  elements: dict
  returned: success
  contains:
    action:
      description: One of C(create), C(update), C(delete).
      type: str
      returned: always
      sample: create
    kind:
      description: The kind of the object.
      type: str
      returned: always
      sample: KubeletConfig
    name:
      description: The name of the object.
      type: str
      returned: always
      sample: image-pull-verification
    policy:
      description: The new policy.
      type: str
      returned: when it sets one
      sample: AlwaysVerify
    added:
      description: Entries that were added to the allow-list.
      type: list
      elements: str
      returned: when there are any
      sample: [registry.example.com/public/*]
    removed:
      description: Entries that were removed from the allow-list.
      type: list
      elements: str
      returned: when there are any
      sample: []
policy:
  description: The policy.
  type: str
  returned: success and O(state=present)
  sample: AlwaysVerify
allow_list:
  description: The whole allow-list, with the images of O(allow_images_of).
  type: list
  elements: str
  returned: success and O(state=present)
  sample: []
estimate:
  description: The effects of the policy on the nodes that the change reaches, and on the pods that run there now.
  type: dict
  returned: success and O(state=present)
  contains:
    pools:
      description: The machine config pools whose nodes have the settings of the C(KubeletConfig) after the change.
      type: list
      elements: str
      returned: always
      sample: [infra, worker]
    nodes:
      description: The nodes by version.
      type: list
      elements: dict
      returned: always
      contains:
        kubelet:
          description: The version of the kubelet. Empty if it is unknown.
          type: str
          returned: always
          sample: "1.36"
        runtime:
          description: The container runtime and its version.
          type: str
          returned: always
          sample: cri-o 1.36.1
        effect:
          description:
            - One of C(verifies), C(verifies_nothing), C(always_asks) and C(unknown).
            - With C(verifies_nothing), the policy, the version of the kubelet or the runtime exempts every image. With C(always_asks), the
              kubelet never finds its records with this runtime, and asks at every start.
          type: str
          returned: always
          sample: verifies
        nodes:
          description: Number of nodes.
          type: int
          returned: always
          sample: 3
    images:
      description: The images that pods use on these nodes, as the pods write them.
      type: list
      elements: dict
      returned: always
      contains:
        image:
          description: The image.
          type: str
          returned: always
          sample: registry.example.com/team/app:v1
        registry:
          description:
            - The host that nodes ask first for it, which is the first mirror if there is one. Empty if nodes never contact the source and have
              no mirror for it.
          type: str
          returned: always
          sample: registry.example.com
        pods:
          description: Number of pods.
          type: int
          returned: always
          sample: 2
        asks:
          description:
            - When a node asks the registry although it has the image. One of C(never), C(once), C(each_start) and C(always).
            - C(once) is at most the first start after the change. With C(each_start), the kubelet finds no record. With C(always), the pull
              policy of a container is Always.
          type: str
          returned: always
          sample: once
        logins:
          description:
            - Where the logins of the pods for it are. C(pod) is a pull secret of the pod, C(nodes) is the pull secret of the nodes. A mirror on
              another host than the source does not get the login of the pod.
            - C(none) means that there is no login. C(unknown) means that the caller may not read an object, that a
              CRIOCredentialProviderConfig is for the image, so a mirror may get a login from any pull secret of the namespace, that the
              registry belongs to AWS, Azure or Google Cloud, whose nodes have a credential provider for it, or that the machine configs
              of the nodes have a credential provider that is for the image, or whose images they do not show.
          type: list
          elements: str
          returned: always
          sample: [pod]
        without_login:
          description: Pods without a login, C(NAMESPACE/NAME). They start only if the registry gives the image without a login. The first 10.
          type: list
          elements: str
          returned: always
          sample: [project-b/app-7c9d]
        without_login_total:
          description: Number of pods without a login.
          type: int
          returned: always
          sample: 1
        refused:
          description:
            - Pods with pull policy Never for which a node would have to ask the registry, C(NAMESPACE/NAME). The kubelet refuses to start
              them (ErrImageNeverPull), unless it has recorded their credential. They cause no pulls. The first 10.
          type: list
          elements: str
          returned: always
          sample: []
        refused_total:
          description: Number of such pods.
          type: int
          returned: always
          sample: 0
    registries:
      description: The registries that nodes ask first, with the maximum number of pulls if each node starts its containers again.
      type: list
      elements: dict
      returned: always
      contains:
        registry:
          description: The host of the registry.
          type: str
          returned: always
          sample: registry.example.com
        pulls:
          description: The maximum number of pulls.
          type: int
          returned: always
          sample: 12
    pulls:
      description: The maximum number of pulls of all nodes.
      type: int
      returned: always
      sample: 12
    busiest_node:
      description: The node with the most pulls.
      type: dict
      returned: always
      contains:
        name:
          description: The node. Empty if there are no pulls.
          type: str
          returned: always
          sample: worker-1
        pulls:
          description: The maximum number of pulls when it starts its containers again.
          type: int
          returned: always
          sample: 5
"""

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.connection import IMPORT_ERROR
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_verification.plan import (
    ARGUMENTS as OWN_ARGUMENTS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_verification.plan import (
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_verification.run import (
    set_verification,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.options import CONNECTION_OPTIONS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Module, Task

ARGUMENTS = {**CONNECTION_OPTIONS, **OWN_ARGUMENTS}


def run(task: Task) -> dict[str, object]:
    request = from_options(task.params)
    with task.cluster() as run:
        result, warnings = set_verification(run.cluster, request, run.settings())
        task.warn(warnings)
        return result


MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
