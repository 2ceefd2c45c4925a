#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_access_audit
short_description: Audit the pull access of a whole cluster
version_added: 1.0.0
description:
  - Reads all pods, workloads, service accounts, pull secrets, grants and image streams of a cluster once. Returns current and future
    problems with image pulls, with tasks that fix them.
  - Each rule has a stable id, a severity and a section in R(Audit of a cluster, ansible_collections.openshift_ops.image_pull.docsite.audit).
  - The result is the audit document of one cluster, as described in L(audit.schema.json,
    https://github.com/openshift-ops/image_pull/blob/main/plugins/plugin_utils/pull_report/audit.schema.json).
  - The module does not change the cluster. It creates SubjectAccessReviews, which store nothing, only for rights that no role binding
    proves. It contacts registries only with O(ask_registries=true).
  - C(unreadable) reports the objects that cannot be read, with the rules that were not applied. The audit never treats an unreadable object as
    absent.
  - The result contains no credential and no hash of one. Equal logins get equal labels, computed with a key that is used for one run and
    stored nowhere.
options:
  dest:
    description:
      - The path of a file for the document, on the host that runs the task. The file is written atomically, with mode C(0600), and replaces
        an existing one.
      - The result then contains only counts and the 100 most severe findings.
    type: path
  namespaces:
    description:
      - The namespaces to audit. Without O(namespaces) and O(namespace_selector), all namespaces except the platform's are audited. On
        OpenShift, if the caller may not list namespaces, only its own projects are audited, with a warning.
      - With few namespaces, copies of a login in other namespaces are not found.
    type: list
    elements: str
  target_version:
    description:
      - The target version of a planned upgrade, such as V(4.22) for OpenShift or V(1.35) for plain Kubernetes. Images that can be pulled
        today, but not with this version, are findings. Quote the value, because YAML reads V(4.20) as a number.
    type: str
  ignore:
    description:
      - Findings to omit. Each item is the id of a rule, or a dictionary of C(rule) with C(namespace) and C(name), which are globs for the
        object.
    type: list
    elements: raw
  rules:
    description: The ids of the rules to apply. By default, all rules are applied.
    type: list
    elements: str
  ask_registries:
    description:
      - Also test the login of each container. The host that runs the task asks the registries, with the same requests and logins as
        O(openshift_ops.image_pull.pull_access_info#module:ask_registries), each question once, for up to five minutes in total. A
        container that was not asked about, or whose registry gave no answer, is counted as C(unknown).
      - Also find images in use without the signature that an image policy requires (rule C(image-unsigned)). It asks for up to 2,000
        images in the scope of an C(ImagePolicy) or a C(ClusterImagePolicy), shared evenly among the namespaces, and for up to a minute for
        each namespace. C(unreadable) reports the images that were not asked for, and those whose registry gave no answer.
      - With O(target_version), the rule C(forecast-release-signature) asks in the same way for the images in use that will need a signature.
      - Without it, C(image-unsigned) is not applied.
    type: bool
    default: false
  search_credential:
    description:
      - A leaked credential. Each secret that contains it is a finding, regardless of the type of the secret and of the form of the
        credential.
      - It is never part of the result.
      - All secrets of the audited namespaces are then read, including the charts that Helm stores in secrets. Compressed content is not
        searched.
      - On OpenShift, the secrets of C(openshift-config), C(kube-system) and C(openshift-machine-config-operator) are searched as well. They
        include the pull secrets of the nodes and the secrets that C(MachineOSConfigs) name. Other namespaces of the platform are
        searched only if O(namespaces) or O(namespace_selector) include them.
    type: dict
    suboptions:
      registry:
        description: The registry of the credential. Copies for other registries are also findings, and their messages state that.
        type: str
      username:
        description: The user name of the credential. Copies with another user name are also findings, and their messages state that.
        type: str
      password:
        description: The password, of at least 8 characters. One of O(search_credential.password) and O(search_credential.token) is required.
        type: str
      token:
        description: The token, of at least 8 characters.
        type: str
  expires_within:
    description: Number of days. Logins that expire within this time are findings.
    type: int
    default: 14
  cluster_name:
    description: The name of the cluster in the document, such as C(inventory_hostname).
    type: str
    default: ""
  drift:
    description:
      - The results of M(openshift_ops.image_pull.pull_secret), M(openshift_ops.image_pull.sa_link) and
        M(openshift_ops.image_pull.image_puller_grant) in check mode, for the declarations of an inventory. Changes and failures in these
        results are findings.
      - An item with C(declared) has the declared secrets, each with C(name) and the list C(namespaces), where C(*) means any namespace. Their
        removal is not offered.
      - Used by the roles of this collection.
    type: list
    elements: dict
  declared_selectors:
    description:
      - The selectors that an inventory uses to distribute logins. Each item has C(title), the name of the entry, and C(namespace_selector),
        as O(openshift_ops.image_pull.pull_secret#module:namespace_selector). A selector that users can match by choosing the name of a
        project is a finding. The selectors are compared with the whole cluster, regardless of the audited namespaces.
      - An item that is not a valid selector is omitted. O(drift) names it.
      - Used by the roles of this collection.
    type: list
    elements: dict
  fingerprint_key:
    description:
      - The key of the labels for logins that are stored in several places. It must have at least 16 characters. With the same key, equal
        logins have equal labels in the documents of several clusters.
      - By default, each run uses a random key.
      - Do not keep it. Anyone who has it can test passwords against the labels.
      - Used by the roles of this collection.
    type: str
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.registry
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.stable
attributes:
  check_mode:
    description: The cluster is read in both cases. With O(dest), the file is not written.
    support: full
  diff_mode:
    description: There is no diff, because the module does not change the cluster.
    support: none
  idempotent:
    description: Each run reads the cluster again. With O(dest), each run changes the file, because it contains the time of the audit.
    support: partial
seealso:
  - module: openshift_ops.image_pull.pull_access_info
notes:
  - Optional rights - list on secrets, serviceaccounts, pods, deployments.apps, statefulsets.apps, daemonsets.apps, replicasets.apps,
    jobs.batch, cronjobs.batch, deploymentconfigs.apps.openshift.io, replicationcontrollers, buildconfigs.build.openshift.io,
    imagestreams.image.openshift.io, imagedigestmirrorsets.config.openshift.io, imagetagmirrorsets.config.openshift.io,
    imagecontentsourcepolicies.operator.openshift.io, clusterimagepolicies.config.openshift.io, imagepolicies.config.openshift.io, nodes,
    rolebindings.rbac.authorization.k8s.io, clusterrolebindings.rbac.authorization.k8s.io,
    machineconfigpools.machineconfiguration.openshift.io, kubeletconfigs.machineconfiguration.openshift.io,
    criocredentialproviderconfigs.config.openshift.io, machineosconfigs.machineconfiguration.openshift.io; create on
    subjectaccessreviews.authorization.k8s.io; get on clusteroperators.config.openshift.io image-registry, images.config.openshift.io
    cluster, clusterversions.config.openshift.io version, infrastructures.config.openshift.io cluster,
    criocredentialproviderconfigs.config.openshift.io, configmaps kubelet-config in kube-system,
    configs.imageregistry.operator.openshift.io cluster. Without them, the module reports the missing information and the omitted steps.
  - Rights needed - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Audit a cluster
  openshift_ops.image_pull.pull_access_audit:
    cluster_name: "{{ inventory_hostname }}"
  register: pull_access

- name: Show the findings, the most severe first
  ansible.builtin.debug:
    msg: "{{ pull_access.audit.clusters[0].findings | map(attribute='message') }}"

- name: Find pulls that an upgrade would stop, and write a file for a report
  openshift_ops.image_pull.pull_access_audit:
    target_version: "4.22"
    ignore:
      - secret-unused
      - {rule: grant-to-everybody, namespace: shared-images}
    dest: audit-{{ inventory_hostname }}.json

- name: Find images that nodes refuse because they lack a required signature
  openshift_ops.image_pull.pull_access_audit:
    rules: [image-unsigned]
    ask_registries: true

- name: Find a leaked password
  openshift_ops.image_pull.pull_access_audit:
    rules: [credential-found]
    search_credential:
      registry: quay.io
      username: team+robot
      password: "{{ leaked_password }}"
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
audit:
  description: The document, as described in L(audit.schema.json,
    https://github.com/openshift-ops/image_pull/blob/main/plugins/plugin_utils/pull_report/audit.schema.json).
  returned: when the audit was completed, without O(dest)
  type: dict
  contains:
    format:
      description: The format and its version.
      type: str
      returned: always
    made:
      description: The time of the audit, in UTC.
      type: str
      returned: always
    rules:
      description: The rules that were applied, by id, each with C(severity), C(title), C(meaning) and C(fix).
      type: dict
      returned: always
    clusters:
      description:
        - One cluster, with C(findings), the most severe first, C(unreadable), C(counts), C(verdicts), C(matrix), C(pullers) and C(logins).
      type: list
      elements: dict
      returned: always
counts:
  description: The number of findings.
  type: dict
  returned: when the audit was completed
  contains:
    severities:
      description: The number of findings by severity.
      type: dict
      returned: always
      contains:
        error:
          description: Errors.
          type: int
          returned: always
        warning:
          description: Warnings.
          type: int
          returned: always
        info:
          description: Infos.
          type: int
          returned: always
    rules:
      description: The number of findings by the id of the rule.
      type: dict
      returned: always
  sample: {severities: {error: 1, warning: 0, info: 0}, rules: {secret-unparsable: 1}}
verdicts:
  description: Number of containers for each verdict of M(openshift_ops.image_pull.pull_access_info). An image volume counts as a container.
  type: dict
  returned: when the audit was completed
  contains:
    pulls:
      description: Number of containers that pull. A registry, or the image on the node, confirms it, or no login is needed.
      type: int
      returned: always
    untested:
      description: Number of containers that have a login for their image, which was not tested. O(ask_registries) tests it.
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
  sample: {pulls: 2, untested: 10, will_not_pull: 1, unknown: 3}
unreadable:
  description: The objects that could not be read, and the images whose registries were not asked, so that their state is unknown.
  returned: when the audit was completed
  type: list
  elements: str
  sample: []
top_findings:
  description: The first 100 findings. C(fix) has the variables that M(openshift_ops.image_pull.pull_access_info) names.
  returned: with O(dest)
  type: list
  elements: dict
dest:
  description: The file.
  returned: with O(dest), unless all namespaces failed
  type: str
  sample: audit-production.json
changed:
  description: Whether the file was written, or would be written in check mode. The cluster is never changed.
  returned: always
  type: bool
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
  returned: when the task stopped early
failures:
  description: The namespaces that do not exist.
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
from ..module_utils.features.pull_audit.findings import from_options
from ..module_utils.features.pull_audit.run import audit_cluster
from ..module_utils.images import image_questions
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.files import json_writer
from ..module_utils.module.options import CLUSTER_OPTIONS, REGISTRY_OPTIONS
from ..module_utils.module.task import Module, Task

CREDENTIAL = {
    "registry": {"type": "str"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "token": {"type": "str", "no_log": True},
}
ARGUMENTS = {
    **CLUSTER_OPTIONS,
    **REGISTRY_OPTIONS,
    "cluster_name": {"type": "str", "default": ""},
    "rules": {"type": "list", "elements": "str"},
    "ignore": {"type": "list", "elements": "raw"},
    "expires_within": {"type": "int", "default": 14},
    "target_version": {"type": "str"},
    "search_credential": {"type": "dict", "no_log": False, "options": CREDENTIAL},
    "fingerprint_key": {"type": "str", "no_log": True},
    "dest": {"type": "path"},
    "drift": {"type": "list", "elements": "dict"},
    "declared_selectors": {"type": "list", "elements": "dict"},
    **image_questions.ARGUMENTS,
}


def run(task: Task) -> dict[str, object]:
    asked = from_options(task.params)
    write = json_writer(task, asked.dest)
    with task.cluster(task.targets(everywhere=True)) as run:
        return run.result(audit_cluster(run.cluster, asked, run.namespaces, run.settings(), write=write))


MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR, everywhere=True)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
