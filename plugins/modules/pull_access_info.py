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
  - Traces how a node would pull an image, and reports the first step that fails, with a task that fixes it. Works for a pod, for a workload
    and its pods, for a service account with an image, or for all pods and workloads of the namespaces.
  - The module checks the name of the image and how the runtime of the nodes interprets it, and the image stream that the image comes from.
    It checks the pull secrets that the pod has or will have, whether a node reads them, and which of their keys is for the image, in the
    order in which the kubelet tries them. It checks mirrors with the nodes' own keys for them, blocked and allowed registries, image
    policies, the right to pull from another project, and the status that the node reports. Init and ephemeral containers are included, as
    well as image volumes (C(spec.volumes[].image)).
  - The module compares a node's error with the time of the secret's last change. With O(pod) or O(workload), the events of pods show when
    the node last tried. They are only read if they affect the result.
  - The module contacts registries only with O(ask_registries=true). Without it, V(pulls) means that everything visible in the cluster is in
    order, not that the login is valid.
  - The module reports objects that cannot be read. The verdict is then V(unknown), unless another step fails.
  - Credentials that only the nodes have, such as credentials of a cloud's credential provider, are named, and never guessed.
  - The module changes nothing. To check the right to pull from another project, it creates SubjectAccessReviews, which are queries and
    store nothing.
  - Text from a node is redacted before it is used or shown.
options:
  pod:
    description: The name of a pod. O(pod), O(workload) and O(image) are mutually exclusive.
    type: str
  workload:
    description:
      - The kind and name of a workload, such as V(deploy/app). The kind is one of V(Deployment), V(StatefulSet), V(DaemonSet), V(ReplicaSet),
        V(Job), V(CronJob), V(DeploymentConfig), V(ReplicationController) and V(Pod), in any case, or its plural or its short name in C(oc).
      - The module explains the template of the workload, and its pods decide the result. If a pod of the current template does not get its
        image, the answer of the pod is used. Pods are found by the uids in their owner references. Containers that only the pods have are
        listed if they fail.
      - V(po/app) has the same effect as O(pod).
    type: str
  image:
    description: An image, as a pod would name it. The module then checks whether a pod of O(service_account) would pull it.
    type: str
  service_account:
    description: Service account to use with O(image). Not used otherwise. The default is V(default).
    type: str
  ask_registries:
    description:
      - Also check, from the host that runs the task, whether the registries provide the images. The module makes every attempt that a node
        would make, in the same order, with the login that the node would send, including mirrors. It requests only the manifest, with HEAD.
      - If an image policy requires a signature, the module also requests the signature that a node would read, at the registry that serves the
        image, for the architectures of the nodes. Without one, the verdict is V(will_not_pull). With one, it is V(unknown), because the
        module does not verify the key.
      - Without it, V(pulls) means that there is a login for the image. With it, V(pulls) means that the registry provides the image for
        this login.
      - If a registry cannot be queried from this host and no other attempt pulls, the refusal that the node reported counts. Without such a
        report, the verdict is V(unknown).
      - The integrated registry usually cannot be queried from outside the cluster. For the login that the platform generates for the service
        account, the right of the account and the image stream then decide.
      - If C(insecureRegistries) of the cluster's image config lists a registry, its certificate is not verified, as on the nodes. If such a
        registry does not use TLS, it is contacted without a login.
    type: bool
    default: false
  secretless:
    description:
      - Also report the missing parts of a pull without a stored secret, through a credential provider of the kubelet. A preview, which can
        change in any minor version.
      - The plan contains the entries that never match, the reasons why no kubelet starts with the configuration, the annotations of the
        account, the audience and the right of the nodes to request it, the issuer of the tokens, the versions of the nodes, and who
        else reads the pull secrets that would go.
      - The registry, and the role or the identity at the cloud, are not asked. M(openshift_ops.image_pull.pull_probe) proves the pull.
    type: bool
    default: false
    version_added: 1.1.0
  credential_provider_config:
    description:
      - A file on the host that runs the task, with the C(CredentialProviderConfig) that the nodes have or will have. The plan of
        O(secretless=true) uses it instead of the machine configs. Clusters without machine configs show no providers.
      - A kubelet has one such file. If the machine configs have other providers, the plan has one file with all of them, for review. Nothing
        applies it.
      - Values of C(env), and of C(args) except those of OpenShift, are never shown. In the file, C(VALUE) stands for them.
    type: path
    version_added: 1.1.0
  show:
    description:
      - Show the answers as text, in the colors of Ansible's own settings if the output is a terminal. The playbook C(explain) uses this
        option.
      - Nothing is shown with C(no_log).
    type: bool
    default: false
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.registry
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.stable
attributes:
  check_mode:
    description: The module changes nothing.
    support: full
  diff_mode:
    description: There is no diff, because nothing changes.
    support: none
  idempotent:
    description: Each run reads the cluster again.
    support: full
seealso:
  - module: openshift_ops.image_pull.pull_secret
  - module: openshift_ops.image_pull.sa_link
  - module: openshift_ops.image_pull.image_puller_grant
  - module: openshift_ops.image_pull.registry_auth_info
notes:
  - Rights needed - get on pods; list on pods; get, list on deployments.apps, statefulsets.apps, daemonsets.apps, replicasets.apps,
    jobs.batch, cronjobs.batch, deploymentconfigs.apps.openshift.io, replicationcontrollers.
  - Optional rights - get on serviceaccounts, secrets, imagestreams.image.openshift.io, images.config.openshift.io cluster,
    clusterversions.config.openshift.io version, infrastructures.config.openshift.io cluster,
    criocredentialproviderconfigs.config.openshift.io, configmaps kubelet-config in kube-system, authentications.config.openshift.io
    cluster; list on secrets, events, imagedigestmirrorsets.config.openshift.io, imagetagmirrorsets.config.openshift.io,
    imagecontentsourcepolicies.operator.openshift.io, clusterimagepolicies.config.openshift.io, imagepolicies.config.openshift.io,
    machineconfigpools.machineconfiguration.openshift.io, kubeletconfigs.machineconfiguration.openshift.io, clusterpolicies.kyverno.io,
    imagevalidatingpolicies.policies.kyverno.io, clusterimagepolicies.policy.sigstore.dev, serviceaccounts,
    buildconfigs.build.openshift.io, imagestreams.image.openshift.io, policies.kyverno.io,
    namespacedimagevalidatingpolicies.policies.kyverno.io, catalogsources.operators.coreos.com, imagerepositories.image.toolkit.fluxcd.io,
    ocirepositories.source.toolkit.fluxcd.io, helmrepositories.source.toolkit.fluxcd.io; create on
    subjectaccessreviews.authorization.k8s.io; get, list on nodes. Without them, the module reports the missing information and the
    omitted steps.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Find the reason why a pod cannot pull
  openshift_ops.image_pull.pull_access_info:
    namespaces: [project-a]
    pod: app-7d9c5bdb4d-x2x9k
  register: access

- name: Show the first step that fails, and the tasks that fix it
  ansible.builtin.debug:
    msg:
      - "{{ access.namespaces[0].access | map(attribute='reason') }}"
      - "{{ access.namespaces[0].access | map(attribute='fix') }}"

- name: Check whether the registries really provide the images of a pod
  openshift_ops.image_pull.pull_access_info:
    namespaces: [project-a]
    pod: app-7d9c5bdb4d-x2x9k
    ask_registries: true

- name: Check a deployment before it has pods
  openshift_ops.image_pull.pull_access_info:
    namespaces: [project-a]
    workload: deploy/app

- name: Stop a rollout whose image cannot be pulled
  openshift_ops.image_pull.pull_access_info:
    namespaces: [project-a]
    service_account: builder
    image: quay.io/team/app:v2
  register: access
  failed_when: access.failed | default(false) or access.verdicts.will_not_pull > 0

- name: Find what an account lacks to pull without a stored secret
  openshift_ops.image_pull.pull_access_info:
    namespaces: [project-a]
    service_account: robot
    image: registry.example.com/team/app:v1
    secretless: true
    credential_provider_config: "{{ playbook_dir }}/credential-providers.yaml"

- name: Count the containers that can and cannot pull in all namespaces of a team
  openshift_ops.image_pull.pull_access_info:
    namespace_selector:
      labels: team=a
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
verdicts:
  description: Number of containers for each verdict. An image volume counts as a container.
  type: dict
  returned: always
  contains:
    pulls:
      description: Number of containers that pull, or have a login for their image. Only O(ask_registries=true) tests logins.
      type: int
      returned: always
    will_not_pull:
      description: Number of containers that cannot pull.
      type: int
      returned: always
    unknown:
      description: Number of containers for which the result is unknown.
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
    - If there are more than 100 namespaces, namespaces in which all containers have the verdict V(pulls) are only counted in RV(verdicts),
      unless O(report_unchanged=true). This does not apply with O(pod), O(workload) or O(image).
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
      description: One answer for each container, and for each image volume.
      returned: success
      type: list
      elements: dict
      contains:
        kind:
          description: The kind of the examined object, such as C(Pod) or C(Deployment), or C(ServiceAccount) for O(image).
          type: str
          returned: always
        name:
          description: The name of the examined object.
          type: str
          returned: always
        container:
          description: The name of the container. Empty for an image volume, and for O(image).
          type: str
          returned: always
        volume:
          description:
            - The name of the image volume, if the answer is about C(spec.volumes[].image). Empty for a container, and for O(image).
            - A node pulls the image of a volume with the secrets of the pod, and shows the error in the status of the containers that mount
              the volume. Such an error counts for the volume and not for the container. An error that does not name one of them leaves both unknown.
          type: str
          returned: always
        service_account:
          description: The service account whose list a pod gets.
          type: str
          returned: always
        image:
          description: The image, as the object names it.
          type: str
          returned: always
        verdict:
          description: V(pulls), V(will_not_pull) or V(unknown).
          type: str
          returned: always
        tested:
          description: Whether a registry, or the image on the node, confirms V(pulls). If it is false, there is a login that was not tested.
          type: bool
          returned: always
        reason:
          description: The first step that fails. For V(pulls), the credential that is used.
          type: str
          returned: always
        cause:
          description:
            - The class of the node's error, such as C(bad_credentials), C(no_credentials), C(denied), C(dns) or C(policy_rejected).
              C(unknown) for a text that has no rule yet. Empty if the node reports no error.
          type: str
          returned: always
        steps:
          description:
            - The results of the steps, in their order.
            - Without O(pod), O(workload) and O(image), C(steps) and C(text) are omitted if the verdict is V(pulls).
          type: list
          elements: dict
          returned: see the description
          contains:
            step:
              description: The name of the step, such as C(pull_secrets) or C(keys).
              type: str
              returned: always
            message:
              description: The result of the step, as a sentence.
              type: str
              returned: always
            ok:
              description: Whether the step succeeds, or null if that is not known.
              type: bool
              returned: always
        text:
          description: The same information as readable lines, as displayed with O(show=true).
          type: list
          elements: str
          returned: in the same cases as C(steps)
        secretless:
          description: The missing parts of a pull without a stored secret. A preview.
          returned: with O(secretless=true)
          type: dict
          contains:
            verdict:
              description:
                - V(ready) if nothing is known to be missing, V(not_ready) if something is, V(unknown) if something could not be read.
                - The right at the registry is not part of it. M(openshift_ops.image_pull.pull_probe) proves the pull.
              type: str
              returned: always
              sample: not_ready
            checks:
              description: The results of the checks.
              type: list
              elements: dict
              returned: always
              contains:
                check:
                  description: >-
                    The name of the check: C(configuration), C(provider), C(entry), C(file), C(account), C(annotations), C(versions),
                    C(audience), C(right), C(issuer), C(mirrors), C(readers) or C(image).
                  type: str
                  returned: always
                message:
                  description: The result of the check, as a sentence.
                  type: str
                  returned: always
                ok:
                  description: Whether the check succeeds, or null if that is not known.
                  type: bool
                  returned: always
                fix:
                  description: >-
                    The command, the objects or the whole file of a kubelet as YAML, that add the missing part. Upper-case words are for you
                    to replace. Empty if there is none, or if a name in it is unusual.
                  type: str
                  returned: always
        fix:
          description:
            - Tasks that fix it, for pasting into a playbook. Empty if no task of this collection fixes it, or if a name or key in the
              objects is unusual. RV(namespaces[].access[].fix_refusal) then gives the reason.
            - The tasks use the variables C(registry_username) and C(registry_password) for the login, and with O(registry_ca_cert) and
              O(realm_hosts) the variables C(image_pull_registry_ca_cert) and C(image_pull_realm_hosts). You must set them.
          type: list
          elements: dict
          returned: always
        fix_effects:
          description: The access that the tasks grant, and to whom, one sentence for each. Empty for tasks that grant no access.
          type: list
          elements: str
          returned: always
          sample: ["This lets every service account of project mallory pull the images of project victim."]
        fix_refusal:
          description:
            - The reason why no task is offered although there is one. A project user chooses names and keys, and a task with unusual text
              could do something unexpected.
            - Empty if a task is offered, or if no task of this collection fixes it.
          type: str
          returned: always
          sample: "no task is offered, because the secret's name 'A' is unusual: check the object, and change it by hand"
stopped:
  description: Why the task ended before all namespaces were attempted.
  type: str
  returned: when the task stopped early
failures:
  description: The namespaces that could not be examined, and the reason.
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
from ..module_utils.features import pull_access
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.files import object_reader
from ..module_utils.module.options import CLUSTER_OPTIONS, REGISTRY_OPTIONS
from ..module_utils.module.task import Module, Task

ARGUMENTS = {
    **CLUSTER_OPTIONS,
    **REGISTRY_OPTIONS,
    **pull_access.ARGUMENTS,
    "show": {"type": "bool", "default": False},
}
RULES = {"mutually_exclusive": [("pod", "workload", "image")]}


def run(task: Task) -> dict[str, object]:
    asked = pull_access.from_options(task.params, object_reader(task))
    with task.cluster(task.targets()) as run:
        return run.result(pull_access.explain_access(run.cluster, asked, run.namespaces, run.settings()))


MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR, rules=RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
