#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_access_info
short_description: Explain why pods can or cannot pull their images
version_added: 1.0.0
description:
  - Follows the way of a node to an image, and tells the first thing that breaks, with a task that mends it. For a pod, for a workload
    and its pods, for a service account with an image, or for all pods and workloads of the namespaces.
  - It looks at the name of the image and what the runtime of the nodes makes of it, the image stream from which it comes, the pull secrets
    that the pod has or will have, whether a node reads them, which of their keys is for the image in the order in which the kubelet tries
    them, mirrors with the nodes' own keys for them, blocked and allowed registries, image policies, the right to pull from another
    project, and what the node says. Init and ephemeral containers are explained too.
  - An error of the node is held against the time at which the secret was changed. Where O(pod) or O(workload) is given, the events of
    pods tell when the node last tried; they are read only when they decide.
  - It asks registries with O(ask_registries=true) only. Without it, V(pulls) means that all that the cluster shows fits, not that the login
    is right.
  - What cannot be read is said, and the answer is V(unknown) then, unless something else breaks.
  - Credentials that only the nodes have, such as those of a cloud's credential provider, are named and never guessed.
  - It changes nothing. To ask about the right to pull from another project it creates SubjectAccessReviews, which ask a question and
    store nothing.
  - Text of a node is redacted before it is used or shown.
options:
  pod:
    description: The name of a pod. At most one of O(pod), O(workload) and O(image) is given.
    type: str
  workload:
    description:
      - The kind and name of a workload, such as V(deploy/app). The kind is one of V(Deployment), V(StatefulSet), V(DaemonSet), V(ReplicaSet),
        V(Job), V(CronJob), V(DeploymentConfig), V(ReplicationController) and V(Pod), in any case, or its plural or its short name in C(oc).
      - Its template is explained, and its pods decide. If a pod of the present template does not get its image, the answer is that of the pod.
        Pods are found by the uids in their owner references. Containers that only the pods have are listed if they fail.
      - V(po/app) is the same as O(pod).
    type: str
  image:
    description: An image as a pod would name it. The question is then whether a pod of O(service_account) would pull it.
    type: str
  service_account:
    description: The service account for O(image), and for nothing else. By default V(default).
    type: str
  ask_registries:
    description:
      - Also ask the registries, from the host that runs the task, whether they give the images. Every attempt that a node would make is
        made, in its order, with the login that it would send, mirrors included. Only the manifest is asked for, by HEAD.
      - Without it, V(pulls) means that there is a login for the image. With it, that the registry gives the image for it.
      - If a registry cannot be asked from here and no other attempt pulls, the refusal that the node reported counts. Without such a report,
        the verdict is V(unknown).
      - The certificate of a registry that C(insecureRegistries) of the cluster's image config lists is not verified, as by the nodes. If such a
        registry does not speak TLS, it is asked without a login.
    type: bool
    default: false
  realm_hosts:
    description:
      - The C(host[:port]) that may be asked for tokens besides the registries themselves, where registries delegate their login.
        No other host is asked, with a login or without, and the verdict is then V(unknown). Docker Hub's C(auth.docker.io) needs no entry.
      - A registry that only objects of the cluster name, such as the image of a pod, is not asked at a loopback, link-local, cloud metadata or
        similar address of the host that runs the task, unless it is named here. The registry of O(image) is named by that option.
    type: list
    elements: str
  registry_ca_cert:
    description: Path of a file with the certificate authorities of the registries, in PEM form, on the host that runs the task.
    type: path
  registry_validate_certs:
    description: Verify the certificates of the registries.
    type: bool
    default: true
  registry_timeout:
    description: Seconds to wait for each answer of a registry, from V(1) to V(3600).
    type: int
    default: 10
  show:
    description:
      - Show the answers as text, in the colours of Ansible's own settings where the output is a terminal. Playbook C(explain) does so.
      - Nothing is shown with C(no_log).
    type: bool
    default: false
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
attributes:
  check_mode:
    description: The module changes nothing.
    support: full
  diff_mode:
    description: There is no diff, because nothing changes.
    support: none
  idempotent:
    description: Each run reads the cluster anew.
    support: full
seealso:
  - module: openshift_ops.image_pull.pull_secret
  - module: openshift_ops.image_pull.sa_link
  - module: openshift_ops.image_pull.image_puller_grant
  - module: openshift_ops.image_pull.registry_auth_info
notes:
  - Rights needed - get on pods; list on pods; get, list on deployments.apps, statefulsets.apps, daemonsets.apps, replicasets.apps,
    jobs.batch, cronjobs.batch, deploymentconfigs.apps.openshift.io, replicationcontrollers.
  - Without these, it says what it does not know or does not do - get on serviceaccounts, secrets, imagestreams.image.openshift.io,
    images.config.openshift.io cluster, infrastructures.config.openshift.io cluster, criocredentialproviderconfigs.config.openshift.io;
    list on events, imagedigestmirrorsets.config.openshift.io, imagetagmirrorsets.config.openshift.io,
    imagecontentsourcepolicies.operator.openshift.io, clusterimagepolicies.config.openshift.io, imagepolicies.config.openshift.io; create
    on subjectaccessreviews.authorization.k8s.io; get, list on nodes.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for what each is for, and how to give them.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Ask why a pod cannot pull
  openshift_ops.image_pull.pull_access_info:
    namespaces: [project-a]
    pod: app-7d9c5bdb4d-x2x9k
  register: access

- name: Show the first thing that breaks, and the tasks that mend it
  ansible.builtin.debug:
    msg:
      - "{{ access.namespaces[0].access | map(attribute='reason') }}"
      - "{{ access.namespaces[0].access | map(attribute='remedy') }}"

- name: Ask whether the registries really give the images of a pod
  openshift_ops.image_pull.pull_access_info:
    namespaces: [project-a]
    pod: app-7d9c5bdb4d-x2x9k
    ask_registries: true

- name: Ask before a deployment has pods
  openshift_ops.image_pull.pull_access_info:
    namespaces: [project-a]
    workload: deploy/app

- name: Stop a rollout whose image would not be pulled
  openshift_ops.image_pull.pull_access_info:
    namespaces: [project-a]
    service_account: builder
    image: quay.io/team/app:v2
  register: access
  failed_when: access.failed | default(false) or access.verdicts.will_not_pull > 0

- name: Count what can and cannot pull in all namespaces of a team
  openshift_ops.image_pull.pull_access_info:
    namespace_selector:
      labels: team=a
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when it was reached
  sample: https://api.cluster.example.com:6443
verdicts:
  description: How many containers have each verdict.
  type: dict
  returned: always
  contains:
    pulls:
      description: How many can pull.
      type: int
      returned: always
    will_not_pull:
      description: How many cannot.
      type: int
      returned: always
    unknown:
      description: Of how many it is not known.
      type: int
      returned: always
  sample: {pulls: 12, will_not_pull: 1, unknown: 0}
changed:
  description: Always false.
  returned: always
  type: bool
namespaces:
  description:
    - Each namespace with its answers.
    - Of more than 100 namespaces, those in which all containers have the verdict V(pulls) are only counted in RV(verdicts), unless
      O(report_unchanged=true). Not where O(pod), O(workload) or O(image) is given.
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
    access:
      description: One answer for each container.
      returned: success
      type: list
      elements: dict
      contains:
        kind:
          description: The kind of what was asked about, such as C(Pod) or C(Deployment); C(ServiceAccount) for O(image).
          type: str
          returned: always
        name:
          description: Its name.
          type: str
          returned: always
        container:
          description: The name of the container; empty for O(image).
          type: str
          returned: always
        service_account:
          description: The service account whose list a pod gets.
          type: str
          returned: always
        image:
          description: The image as it is named there.
          type: str
          returned: always
        verdict:
          description: V(pulls), V(will_not_pull) or V(unknown).
          type: str
          returned: always
        reason:
          description: The first thing that breaks. For V(pulls), the credential that is used.
          type: str
          returned: always
        cause:
          description:
            - The class of the node's error, such as C(bad_credentials), C(no_credentials), C(denied), C(dns) or C(policy_rejected).
              C(unknown) for a text that has no rule yet; empty when the node says nothing.
          type: str
          returned: always
        steps:
          description:
            - What was seen on the way, in its order.
            - Without O(pod), O(workload) and O(image), C(steps) and C(text) are left out where the verdict is V(pulls).
          type: list
          elements: dict
          returned: see the description
          contains:
            step:
              description: The name of the step, such as C(pull_secrets) or C(keys).
              type: str
              returned: always
            seen:
              description: What was seen, as a sentence.
              type: str
              returned: always
            ok:
              description: Whether it fits; null where that is not known.
              type: bool
              returned: always
        text:
          description: The same as lines for people, as O(show=true) shows them.
          type: list
          elements: str
          returned: as C(steps)
        remedy:
          description:
            - Tasks that fix it, to be pasted into a playbook. Empty if no task of this collection fixes it, and if a name or key in the
              objects is unusual. RV(namespaces[].access[].fix_refusal) then gives the reason.
            - The login is in the variables C(registry_username) and C(registry_password), which are yours to set.
          type: list
          elements: dict
          returned: always
        fix_effects:
          description: Who gets what when the tasks run, a sentence each. Empty for tasks that give no access.
          type: list
          elements: str
          returned: always
          sample: ["This lets every service account of project mallory pull the images of project victim."]
        fix_refusal:
          description:
            - Why no task is offered although there is one. A project user chooses names and keys, and a task with unusual text could do
              something other than it seems.
            - Empty if a task is offered, and if no task of this collection fixes it.
          type: str
          returned: always
          sample: "no task is offered, because the secret's name 'A' is unusual: check the object, and change it by hand"
stopped:
  description: Why the task ended before all namespaces were attempted.
  type: str
  returned: when it did
failures:
  description: The namespaces that could not be looked at, and why.
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
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_access import (
    options as pull_access,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.options import CLUSTER_OPTIONS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import Module, Task, over_namespaces
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.pull_access import explain_access

ARGUMENTS = {**CLUSTER_OPTIONS, **pull_access.ARGUMENTS, "show": {"type": "bool", "default": False}}
RULES = {"mutually_exclusive": [("pod", "workload", "image")]}


def run(task: Task) -> dict[str, object]:
    asked = pull_access.from_options(task.params)
    return over_namespaces(
        task, 0, lambda cluster, namespaces, settings: explain_access(cluster, asked, namespaces, settings)
    )


MODULE = Module(ARGUMENTS, run, library="kubernetes", import_error=IMPORT_ERROR, rules=RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
