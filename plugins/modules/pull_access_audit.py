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
  - Reads all pods, workloads, service accounts, pull secrets, grants and image streams of a cluster once, and returns what is wrong or
    will go wrong with pulling images, with tasks that mend it.
  - Each rule has a stable id, a severity and a section in R(Audit of a cluster, ansible_collections.openshift_ops.image_pull.docsite.audit).
  - The result is the document of one cluster, as L(docs/audit.schema.json,
    https://github.com/openshift-ops/image_pull/blob/main/docs/audit.schema.json) describes it.
  - It changes nothing on the cluster. It asks SubjectAccessReviews only for rights that no role binding proves, which store nothing. It
    does not ask any registry.
  - What cannot be read is said in C(unread), with the rules that were not applied. It is never taken for an absence.
  - The result holds no credential and no hash of one. What tells equal logins is made with a key of one run that is kept nowhere.
options:
  namespaces:
    description:
      - The namespaces to audit. Without O(namespaces) and O(namespace_selector), all namespaces are, except the platform's.
      - With few namespaces, copies of a login in the others are not seen.
    type: list
    elements: str
  cluster_name:
    description: What the document calls the cluster, such as C(inventory_hostname).
    type: str
    default: ""
  rules:
    description: The ids of the rules to apply. By default all of them.
    type: list
    elements: str
  ignore:
    description:
      - Findings to leave out. Each item is the id of a rule, or a dictionary of C(rule) with C(namespace) and C(name), which are globs, of
        the object.
    type: list
    elements: raw
  expires_within:
    description: Logins that expire within so many days are findings.
    type: int
    default: 14
  target_version:
    description:
      - A version to which the cluster is to be upgraded, such as V(4.22) for OpenShift or V(1.35) for plain Kubernetes. What pulls today and
        will not then is a finding. Quote it, since YAML reads V(4.20) as a number.
    type: str
  find_credential:
    description:
      - A credential that leaked. Each secret in which it stands is a finding, whatever its type, and in whatever form.
      - It is never part of the result.
      - All secrets are read then, also the charts that Helm stores in secrets. What is compressed there is not looked into.
    type: dict
    suboptions:
      registry:
        description: The registry that it is for. What is found elsewhere is a finding too, whose message says so.
        type: str
      username:
        description: Its user name. What is found with another one is a finding too, whose message says so.
        type: str
      password:
        description: The password, of at least 8 characters. One of O(find_credential.password) and O(find_credential.token) is required.
        type: str
      token:
        description: The token, of at least 8 characters.
        type: str
  fingerprint_key:
    description:
      - The key of the labels for logins that stand in several places, of at least 16 characters. With the same key, equal logins have equal
        labels in the documents of several clusters.
      - By default a random key for each run.
      - Do not keep it. Who has it can try passwords against the labels.
    type: str
  drift:
    description:
      - What M(openshift_ops.image_pull.pull_secret), M(openshift_ops.image_pull.sa_link) and M(openshift_ops.image_pull.image_puller_grant)
        returned in check mode for what an inventory declares. What they would change, and where they fail, are findings.
      - The role C(pull_access_audit) does this with the variables of the other roles.
    type: list
    elements: dict
  declared_selectors:
    description:
      - The selectors with which an inventory gives logins. Each item has C(title), the name of the entry, and C(namespace_selector), as
        O(openshift_ops.image_pull.pull_secret#module:namespace_selector). Selectors that users can join by the name of a project are
        findings. They are compared with the whole cluster, whatever namespaces are audited.
      - An item that is not a valid selector is left out. O(drift) names it.
      - The role C(pull_access_audit) does this with the variables of the roles that write secrets.
    type: list
    elements: dict
  dest:
    description:
      - The path of a file for the document, on the host that runs the task. It is written at once and whole, with mode C(0600), and
        replaces one that exists.
      - The result then has only counts and the worst 100 findings.
    type: path
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
attributes:
  check_mode:
    description: The cluster is read in both cases. With O(dest), the file is not written.
    support: full
  diff_mode:
    description: There is no diff. Nothing on the cluster changes.
    support: none
  idempotent:
    description: Each run reads the cluster anew. With O(dest), each run changes the file, which holds the time of the audit.
    support: partial
seealso:
  - module: openshift_ops.image_pull.pull_access_info
notes:
  - Without these, it says what it does not know or does not do - list on secrets, serviceaccounts, pods, deployments.apps,
    statefulsets.apps, daemonsets.apps, replicasets.apps, jobs.batch, cronjobs.batch, deploymentconfigs.apps.openshift.io,
    replicationcontrollers, buildconfigs.build.openshift.io, imagestreams.image.openshift.io, rolebindings.rbac.authorization.k8s.io,
    clusterrolebindings.rbac.authorization.k8s.io, imagedigestmirrorsets.config.openshift.io, imagetagmirrorsets.config.openshift.io,
    imagecontentsourcepolicies.operator.openshift.io, clusterimagepolicies.config.openshift.io, imagepolicies.config.openshift.io, nodes,
    criocredentialproviderconfigs.config.openshift.io; create on subjectaccessreviews.authorization.k8s.io; get on
    clusterversions.config.openshift.io version, clusteroperators.config.openshift.io image-registry, images.config.openshift.io cluster,
    infrastructures.config.openshift.io cluster, criocredentialproviderconfigs.config.openshift.io.
  - Rights needed - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for what each is for, and how to give them.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Audit a cluster
  openshift_ops.image_pull.pull_access_audit:
    cluster_name: "{{ inventory_hostname }}"
  register: pull_access

- name: Show what is wrong, the worst first
  ansible.builtin.debug:
    msg: "{{ pull_access.audit.clusters[0].findings | map(attribute='message') }}"

- name: Ask what an upgrade would stop, with a file for a report
  openshift_ops.image_pull.pull_access_audit:
    target_version: "4.22"
    ignore:
      - secret-unused
      - {rule: grant-to-everybody, namespace: shared-images}
    dest: audit-{{ inventory_hostname }}.json

- name: Find a password that leaked
  openshift_ops.image_pull.pull_access_audit:
    rules: [credential-found]
    find_credential:
      registry: quay.io
      username: team+robot
      password: "{{ leaked_password }}"
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when it was reached
  sample: https://api.cluster.example.com:6443
audit:
  description: The document, as L(docs/audit.schema.json, https://github.com/openshift-ops/image_pull/blob/main/docs/audit.schema.json) describes it.
  returned: when all was read, without O(dest)
  type: dict
  contains:
    format:
      description: The format and its version.
      type: str
      returned: always
    made:
      description: When, in UTC.
      type: str
      returned: always
    rules:
      description: The rules that were applied, by id, each with C(severity), C(title), C(meaning) and C(mend).
      type: dict
      returned: always
    clusters:
      description:
        - One cluster, with C(findings), the worst first, C(unread), C(counts), C(verdicts), C(matrix), C(pullers) and C(logins).
      type: list
      elements: dict
      returned: always
counts:
  description: The number of findings.
  type: dict
  returned: when all was read
  contains:
    severities:
      description: By severity.
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
      description: By the id of the rule.
      type: dict
      returned: always
  sample: {severities: {error: 1, warning: 0, info: 0}, rules: {secret-unparsable: 1}}
verdicts:
  description: How many containers have each verdict of M(openshift_ops.image_pull.pull_access_info).
  type: dict
  returned: when all was read
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
  sample: {pulls: 12, will_not_pull: 1, unknown: 3}
unread:
  description: What could not be read, and therefore is not known.
  returned: when all was read
  type: list
  elements: str
  sample: []
worst:
  description: The first 100 findings.
  returned: with O(dest)
  type: list
  elements: dict
dest:
  description: The file.
  returned: with O(dest)
  type: str
  sample: audit-production.json
changed:
  description: Whether the file was written, or in check mode would be. The cluster is never changed.
  returned: always
  type: bool
namespaces:
  description:
    - The result for each namespace. Of more than 100, those that needed no change are only counted, unless O(report_unchanged=true).
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
      description: Whether anything was changed in it, or in check mode would be.
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
  returned: when it did
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
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.options import from_options
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.json_file import json_writer
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.options import CLUSTER_OPTIONS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import (
    Module,
    Task,
    everywhere,
    over_targets,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.pull_audit import audit_cluster

CREDENTIAL = {
    "registry": {"type": "str"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "token": {"type": "str", "no_log": True},
}
ARGUMENTS = {
    **CLUSTER_OPTIONS,
    "cluster_name": {"type": "str", "default": ""},
    "rules": {"type": "list", "elements": "str"},
    "ignore": {"type": "list", "elements": "raw"},
    "expires_within": {"type": "int", "default": 14},
    "target_version": {"type": "str"},
    "find_credential": {"type": "dict", "no_log": False, "options": CREDENTIAL},
    "fingerprint_key": {"type": "str", "no_log": True},
    "dest": {"type": "path"},
    "drift": {"type": "list", "elements": "dict"},
    "declared_selectors": {"type": "list", "elements": "dict"},
}


def run(task: Task) -> dict[str, object]:
    asked = from_options(task.params)
    write = json_writer(task, asked.dest)
    return over_targets(
        everywhere(task),
        lambda cluster, meant, settings: audit_cluster(cluster, asked, meant.namespaces, settings, write=write),
    )


MODULE = Module(ARGUMENTS, run, library="kubernetes", import_error=IMPORT_ERROR, everywhere=True)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
