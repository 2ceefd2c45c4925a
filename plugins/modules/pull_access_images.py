#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_access_images
short_description: List the images in use, with the owners of their names
version_added: 1.1.0
description:
  - Reads all pods, workloads, image streams, build configs, operators and operator catalogs of a cluster once. Returns a row for each image
    and workload with the digest that runs, the field that names the image, and the login that serves it.
  - Each row names the owner of the text - an application of Argo CD, a release of Helm, an object of Flux, an operator, or the client that
    wrote the field last. Labels, annotations, owner references and C(managedFields) show it, which anyone who can write the object chooses.
  - Use it before you leave a registry, such as C(docker.io/bitnami).
  - Not listed are images in Dockerfiles, the images that builds push, finished pods, and jobs that are complete or have failed.
  - The document is described in L(images.schema.json,
    https://github.com/openshift-ops/image_pull/blob/main/plugins/plugin_utils/pull_report/images.schema.json). It contains no credential.
  - The module does not change the cluster.
options:
  of:
    description:
      - The registries of the images, as C(host[:port]), or paths in them, such as V(docker.io/bitnami). By default, all images are listed.
      - A path includes everything below it. V(docker.io/redis) is also the official image C(docker.io/library/redis).
      - A name without a registry counts for each registry that the nodes may ask for it. A workload whose image an image stream tag sets counts
        for the image that the tag imports as well.
    type: list
    elements: str
  dest:
    description:
      - The path of a file for the document, on the host that runs the task. The file is written atomically, with mode C(0600), and replaces
        an existing one. The result then has only the counts and the text.
    type: path
  namespaces:
    description:
      - The namespaces to read. Without O(namespaces) and O(namespace_selector), all namespaces except the platform's are read. On
        OpenShift, if the caller may not list namespaces, only its own projects are read, with a warning.
      - The source of an image stream tag is known only if the namespace of the image stream is read as well.
    type: list
    elements: str
  to:
    description:
      - The place of the copies after a move. If O(of) has one path, give a path, such as V(quay.io/acme/bitnami). Otherwise, give a mapping
        of paths, whose keys are the default of O(of). An image keeps the rest of its path, and its tag or digest.
      - C(copy.image) of each row is then the name of the copy.
    type: raw
  ask_registries:
    description:
      - Compare each copy with the image, from the host that runs the task, with the logins of the pod and of the nodes. It needs O(to).
      - C(copy.answer) is V(same), V(missing), V(other_digest), V(architecture_missing), V(no_login), V(unsigned) or V(unknown), with the reason in
        C(copy.reason). An image is the same if its digest is, or if that of each architecture of the nodes is. If the source no longer
        provides the image, the copy is compared with the digest that runs.
      - V(no_login) means that the registry of the copy refuses the logins of the account. V(unsigned) means that an image policy requires a
        signature of the copy, and that nodes find none in it.
      - A login is sent only to the registry that it is for, or to its token service on the same host or in O(realm_hosts). The registries
        are asked for up to five minutes for each namespace.
    type: bool
    default: false
  csv:
    description:
      - The path of a CSV file for the rows, on the host that runs the task. It is written as O(dest) is.
      - A cell that a spreadsheet would take as a formula begins with an apostrophe.
    type: path
  kustomize:
    description:
      - The path of a file with a kustomization for each owner, on the host that runs the task, with the names after the move. It needs
        O(to), and is written as O(dest) is. It is a proposal for images in templates of workloads. Nothing applies it.
    type: path
  show:
    description: Show the list as text. Nothing is shown with C(no_log).
    type: bool
    default: false
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.registry
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.preview
attributes:
  check_mode:
    description: The cluster is read in both cases. Files are not written.
    support: full
  diff_mode:
    description: There is no diff, because the module does not change the cluster.
    support: none
  idempotent:
    description: Each run reads the cluster again. Each run changes the files, because they contain the time of the run.
    support: partial
seealso:
  - module: openshift_ops.image_pull.pull_access_what_if
notes:
  - Optional rights - list on secrets, serviceaccounts, pods, deployments.apps, statefulsets.apps, daemonsets.apps, replicasets.apps,
    jobs.batch, cronjobs.batch, deploymentconfigs.apps.openshift.io, replicationcontrollers, buildconfigs.build.openshift.io,
    imagestreams.image.openshift.io, imagedigestmirrorsets.config.openshift.io, imagetagmirrorsets.config.openshift.io,
    imagecontentsourcepolicies.operator.openshift.io, clusterimagepolicies.config.openshift.io, imagepolicies.config.openshift.io, nodes,
    machineconfigpools.machineconfiguration.openshift.io, catalogsources.operators.coreos.com,
    clusterserviceversions.operators.coreos.com; create on subjectaccessreviews.authorization.k8s.io; get on
    clusteroperators.config.openshift.io image-registry, images.config.openshift.io cluster, clusterversions.config.openshift.io version,
    infrastructures.config.openshift.io cluster, criocredentialproviderconfigs.config.openshift.io. Without them, the module reports the
    missing information and the omitted steps.
  - Rights needed - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Show what still uses Bitnami's images on Docker Hub
  openshift_ops.image_pull.pull_access_images:
    of: [docker.io/bitnami]
    show: true

- name: Check that all copies are the same, and that each account can pull them
  openshift_ops.image_pull.pull_access_images:
    of: [docker.io/bitnami]
    to: quay.io/acme/bitnami
    ask_registries: true
    csv: images-{{ inventory_hostname }}.csv
    kustomize: kustomization-{{ inventory_hostname }}.yml
  register: images
  failed_when: images is failed or images.counts.copies.keys() | difference(['same'])

- name: Write a list of all images in use
  openshift_ops.image_pull.pull_access_images:
    dest: images-{{ inventory_hostname }}.json
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
images_in_use:
  description: The document, as described in L(images.schema.json,
    https://github.com/openshift-ops/image_pull/blob/main/plugins/plugin_utils/pull_report/images.schema.json).
  returned: when the cluster was read, without O(dest)
  type: dict
  contains:
    format:
      description: The format and its version.
      type: str
      returned: always
    made:
      description: The time of the run, in UTC.
      type: str
      returned: always
    server:
      description: The address of the API server.
      type: str
      returned: always
    of:
      description: The registries and paths of the images. Empty for all images.
      type: list
      elements: str
      returned: always
    to:
      description: The paths of the move, from old to new. Empty without O(to).
      type: dict
      returned: always
    counts:
      description: The numbers of different images, objects that name them, namespaces, and containers in pods.
      type: dict
      returned: always
    images:
      description: A row for each image and each place in a workload.
      type: list
      elements: dict
      returned: always
    unreadable:
      description: The objects that could not be read, and the missing parts of the list.
      type: list
      elements: str
      returned: always
counts:
  description: The numbers of the list.
  type: dict
  returned: when the cluster was read
  contains:
    images:
      description: Number of different image names.
      type: int
      returned: always
    workloads:
      description: Number of objects that name an image. A workload represents its pods.
      type: int
      returned: always
    namespaces:
      description: Number of namespaces with such an object.
      type: int
      returned: always
    containers:
      description: Number of containers and image volumes of pods with one of the images.
      type: int
      returned: always
    copies:
      description: The number of rows by C(copy.answer). Empty without O(ask_registries=true).
      type: dict
      returned: always
  sample: {images: 1, workloads: 2, namespaces: 1, containers: 3, copies: {same: 2}}
text:
  description: The list in lines, for people, grouped by image and owner. It is limited to some images of each owner.
  returned: when the cluster was read
  type: list
  elements: str
  sample:
    - "1 image of docker.io/bitnami in use: 1 object in 1 namespace, 2 containers in pods"
    - "docker.io/bitnami/redis:7.4"
    - "  Helm release shop/cache, chart redis-20.1.0: shop StatefulSet cache, spec.template.spec.containers[redis].image (2 pods)"
dest:
  description: The file.
  returned: with O(dest)
  type: str
  sample: images-production.json
csv:
  description: The file.
  returned: with O(csv)
  type: str
  sample: images-production.csv
kustomize:
  description: The file.
  returned: with O(kustomize)
  type: str
  sample: kustomization-production.yml
changed:
  description: Whether a file was written, or would be written in check mode. The cluster is never changed.
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
from ..module_utils.features.image_list.outputs import render_outputs
from ..module_utils.features.image_list.rows import from_options
from ..module_utils.features.image_list.run import list_images_in_use
from ..module_utils.images import image_questions
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.files import output_writer
from ..module_utils.module.options import CLUSTER_OPTIONS, REGISTRY_OPTIONS
from ..module_utils.module.task import Module, Task

ARGUMENTS = {
    **CLUSTER_OPTIONS,
    **REGISTRY_OPTIONS,
    "of": {"type": "list", "elements": "str"},
    "to": {"type": "raw"},
    **image_questions.ARGUMENTS,
    "dest": {"type": "path"},
    "csv": {"type": "path"},
    "kustomize": {"type": "path"},
    "show": {"type": "bool", "default": False},
}


def run(task: Task) -> dict[str, object]:
    asked = from_options(task.params)
    write = output_writer(task, asked.outputs, lambda document: render_outputs(asked.outputs, document))
    with task.cluster(task.targets(everywhere=True)) as run:
        return run.result(list_images_in_use(run.cluster, asked, run.namespaces, run.settings(), write=write))


MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR, everywhere=True)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
