#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: credential_provider
short_description: Let nodes use the pull secrets of a namespace for mirrors
version_added: 1.0.0
description:
  - Nodes send a pull secret of a pod only to the host that the image names, and not to a mirror on another host. OpenShift can give the mirrors
    the logins of the pod's namespace, through C(crio-credential-provider). This module sets that up, and checks whether it can work.
  - It edits C(matchImages) of the C(CRIOCredentialProviderConfig) in place, and gives service accounts the right to list the secrets of their
    own namespace. Entries and accounts of others stay.
  - The provider lists the secrets of type C(kubernetes.io/dockerconfigjson) with a token of the pod's service account. So the account needs
    the right to list secrets, and B(every pod of the account, and everyone who can create pods with it, can then read all secrets of the
    namespace). Kubernetes cannot limit the right to pull secrets. No account gets a right in another namespace.
  - B(An image that a node has pulled this way is free for every pod of the node), whatever its namespace and its secrets, except for pods
    with C(imagePullPolicy) Always. The provider gives the login to CRI-O and not to the kubelet, which remembers a pull without a login.
  - The right is in one cluster role, C(image-pull-credential-provider), which allows to list secrets and nothing else. In each namespace, a
    role binding of that name gives it to the accounts. This module does not create a role in a namespace, because users of the namespace could
    create or change it. A binding of that name that this module did not create, or that has another role, is not changed.
options:
  match_images:
    description:
      - The images for which nodes run the provider, by the names that pods use, not by the mirrors. An entry is a host with an optional port
        and path. V(*) is one whole part of the host.
      - Without it, the list stays as it is.
    type: list
    elements: str
  service_accounts:
    description: The accounts in each of the namespaces that list its secrets, for their pods.
    type: list
    elements: str
    default: [default]
  create_role:
    description:
      - Create the cluster role if it does not exist. Only an administrator of the cluster has the right for that, and no job of
        M(openshift_ops.image_pull.automation_account) includes it.
      - Otherwise, an administrator creates it once with
        C(kubectl create clusterrole image-pull-credential-provider --verb=list --resource=secrets).
    type: bool
    default: false
  images:
    description: Images for which RV(access) explains whether new pods of the accounts can pull them.
    type: list
    elements: str
  state:
    description:
      - V(present) adds the entries and the rights. V(absent) removes these entries and the rights of these accounts, and the objects that
        this module created if nothing else is in them. The cluster role stays.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
seealso:
  - module: openshift_ops.image_pull.pull_secret
  - module: openshift_ops.image_pull.pull_access_info
notes:
  - Requires OpenShift 4.23 or newer, or 4.22 with the feature gate C(CRIOCredentialProviderConfig). Hosted clusters do not have it.
  - A change of C(matchImages) is a new machine config of all nodes. By default, those of each pool are drained and rebooted one after the other.
  - Namespaces of the platform are refused, because their secrets have logins of the cluster.
  - With O(images), the module reads the same objects as M(openshift_ops.image_pull.pull_access_info) for an image. These rights are in
    the job C(explain), and all of them are optional.
  - Rights needed - get, patch, delete on criocredentialproviderconfigs.config.openshift.io cluster; create on
    criocredentialproviderconfigs.config.openshift.io; get on clusterroles.rbac.authorization.k8s.io image-pull-credential-provider; list
    on secrets; get, create, patch, delete on rolebindings.rbac.authorization.k8s.io.
  - Optional rights - get on serviceaccounts, namespaces; list on imagedigestmirrorsets.config.openshift.io,
    imagetagmirrorsets.config.openshift.io, imagecontentsourcepolicies.operator.openshift.io, nodes; create on
    subjectaccessreviews.authorization.k8s.io. Without them, the module reports the missing information and the omitted steps.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Use the pull secrets of two projects for the mirrors of registry.example.com
  openshift_ops.image_pull.credential_provider:
    match_images: [registry.example.com]
    namespaces: [project-a, project-b]

- name: Check an image before the change
  openshift_ops.image_pull.credential_provider:
    match_images: [registry.example.com]
    namespaces: [project-a]
    images: [registry.example.com/team/app:v1]
  check_mode: true
  register: planned

- name: Show whether pods could pull it
  ansible.builtin.debug:
    msg: "{{ planned.access | map(attribute='text') | flatten }}"

- name: Take the right to list secrets back
  openshift_ops.image_pull.credential_provider:
    namespaces: [project-b]
    state: absent
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
match_images:
  description: All entries of C(matchImages), including those of others.
  type: list
  elements: str
  returned: success, unless O(state=absent) without O(match_images)
  sample: [registry.example.com]
cluster_changes:
  description: The writes to objects that are in no namespace. In check mode, the writes that a real run would make.
  type: list
  elements: dict
  returned: always, unless these objects cannot be set up
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
      sample: CRIOCredentialProviderConfig
    name:
      description: The name of the object.
      type: str
      returned: always
      sample: cluster
    added:
      description: Entries that were added to C(matchImages).
      type: list
      elements: str
      returned: when there are any
      sample: [registry.example.com]
    removed:
      description: Entries that were removed from C(matchImages).
      type: list
      elements: str
      returned: when there are any
      sample: []
    granted:
      description: The rights of the cluster role.
      type: list
      elements: str
      returned: for the cluster role
      sample: [list on secrets]
access:
  description:
    - For each namespace, account and image, whether a new pod of the account can pull the image. In check mode, as if the changes had been
      made. The module M(openshift_ops.image_pull.pull_access_info) explains the steps, and offers tasks that fix a failure.
  type: list
  elements: dict
  returned: success, with O(images)
  contains:
    namespace:
      description: The namespace.
      type: str
      returned: always
      sample: project-a
    service_account:
      description: The service account.
      type: str
      returned: always
      sample: default
    image:
      description: The image.
      type: str
      returned: always
      sample: registry.example.com/team/app:v1
    verdict:
      description: One of C(pulls), C(will_not_pull) and C(unknown).
      type: str
      returned: always
      sample: pulls
    reason:
      description: The first failure or, if there is none, how the pull works.
      type: str
      returned: always
      sample: secret project-a/mirror has the key mirror.example.com for mirror.example.com/team/app:v1
    text:
      description: The verdict and its steps, for people.
      type: list
      elements: str
      returned: always
      sample: ["pulls: the image is public"]
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
      description: One of V(changed), V(unchanged), V(failed), V(skipped).
      type: str
      returned: always
      sample: changed
    reason:
      description: Why the namespace was skipped.
      type: str
      returned: when skipped
    changes:
      description: Each write. In check mode, each write that a real run would make.
      type: list
      elements: dict
      returned: always
      contains:
        action:
          description: One of C(create), C(update), C(delete), C(replace).
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
        role:
          description: The cluster role that the binding grants.
          type: str
          returned: always
          sample: image-pull-credential-provider
        granted:
          description: The service accounts that were added.
          type: list
          elements: str
          returned: when there are any
        revoked:
          description: The service accounts that were removed.
          type: list
          elements: str
          returned: when there are any
      sample:
        - action: create
          kind: RoleBinding
          name: image-pull-credential-provider
          role: image-pull-credential-provider
          granted: [ServiceAccount project-a/default]
stopped:
  description: Why the task ended before all namespaces were attempted.
  type: str
  returned: when the task stopped early
failures:
  description: The namespaces that failed, and the reason. If there is one, the task fails after it has processed all other namespaces.
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

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.connection import IMPORT_ERROR
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_provider.options import (
    ARGUMENTS as OWN_ARGUMENTS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_provider.options import (
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_provider.run import (
    run_provider,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.options import CLUSTER_OPTIONS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Module, Task

ARGUMENTS = {**CLUSTER_OPTIONS, **OWN_ARGUMENTS}


def run(task: Task) -> dict[str, object]:
    request = from_options(task.params)
    named, selected = task.params["namespaces"] is not None, task.params["namespace_selector"] is not None
    request.require_targets(has_targets=named or selected)
    targets = task.targets() if named or selected else None
    return run_provider(request, lambda: task.cluster(targets))


MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR, everywhere=True)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
