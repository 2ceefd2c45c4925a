#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_stream_import
short_description: Retry failed image stream imports
version_added: 1.0.0
description:
  - Imports the tags of image streams (OpenShift) again whose last import failed because there was no valid login. OpenShift does not do
    that by itself, except for tags with C(importPolicy.scheduled). So run this module after you fix or renew a login.
  - It sends one ImageStreamImport for each image stream, as C(oc import-image) does, or several for a stream with more than 25 such tags.
    The source, the import policy and the reference policy of each tag are not changed.
  - An import reads all pull secrets of the image stream's namespace, whether they are linked to a service account or not, except secrets
    with the annotation C(openshift.io/image.excludeSecret). Then it reads the nodes' pull secret. It uses only the first login that is for
    the image.
  - A tag that follows another tag, and a tag with C(reference=true), are not imported themselves.
  - On a cluster without image streams (plain Kubernetes, MicroShift), the module does nothing, and reports that.
  - If a tag could not be imported, the task fails after it has processed all other tags. The result lists each tag.
options:
  registries:
    description:
      - Import only tags whose source is one of these registries. Each item is a host, with its port if it has one, such as V(quay.io). By
        default, tags from all registries.
    type: list
    elements: str
  streams:
    description: Import only image streams with these names. By default all image streams.
    type: list
    elements: str
  only_failed:
    description:
      - Whether to import only tags whose last import failed (the condition C(ImportSuccess) is False) for a cause that a login can fix
        (C(bad_credentials), C(denied), C(no_credentials), C(unauthorized)). The result lists the other failed tags with their causes.
      - With V(false), the module imports all tags whose source is an image outside the cluster. It then reports the tags that have another
        image afterwards as changed. In check mode, it reports all of them as changed, because it contacts no registry.
      - Some registries respond with C(not_found) if only the right is missing. Import these tags with V(false) and O(streams).
    type: bool
    default: true
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.preview
attributes:
  idempotent:
    support: partial
    details:
      - A second run sends nothing for tags that were imported. With O(only_failed=false), and for tags whose import failed again, it sends
        the import again, which changes nothing if the image is the same.
seealso:
  - module: openshift_ops.image_pull.pull_secret
  - module: openshift_ops.image_pull.pull_access_info
notes:
  - Rights needed - list on imagestreams.image.openshift.io; get on imagestreams.image.openshift.io; create on
    imagestreamimports.image.openshift.io.
  - Rights needed with O(namespace_selector) - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Renew the login for a registry in a pull secret
  openshift_ops.image_pull.pull_secret:
    namespaces: [project-a]
    name: registry-login
    mode: merge
    registries:
      - registry: registry.example.com
        username: robot
        password: "{{ registry_password }}"

- name: Retry the imports that failed with the old login
  openshift_ops.image_pull.image_stream_import:
    namespaces: [project-a]
    registries: [registry.example.com]

- name: Import one image stream again, regardless of its last import
  openshift_ops.image_pull.image_stream_import:
    namespaces: [project-a]
    streams: [app]
    only_failed: false
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
supported:
  description: Whether the cluster has image streams.
  returned: when the cluster could be asked
  type: bool
reason:
  description: The reason why nothing was done, on a cluster without image streams. Otherwise empty.
  returned: when the cluster could be asked
  type: str
imports:
  description: Counts of the tags that the result lists.
  type: dict
  returned: when the cluster could be asked
  contains:
    tags:
      description: All listed tags.
      type: int
      returned: always
    planned:
      description: Tags that would be imported, in check mode.
      type: int
      returned: always
    imported:
      description: Tags that were imported.
      type: int
      returned: always
    failed:
      description: Tags whose import failed again.
      type: int
      returned: always
    left:
      description: Tags whose import had failed and was not retried.
      type: int
      returned: always
  sample: {tags: 2, planned: 0, imported: 1, failed: 0, left: 1}
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
      description: The imports that were sent and changed a tag, or that would be sent in check mode.
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
        tags:
          description: The names of these tags.
          type: list
          elements: str
          returned: always
      sample: [{action: create, kind: ImageStreamImport, name: app, tags: [v1]}]
    tags:
      description: The tags that were imported again, and the tags whose import had failed and was not retried.
      type: list
      elements: dict
      returned: when the image streams could be read
      contains:
        stream:
          description: The image stream.
          type: str
          returned: always
        tag:
          description: The tag.
          type: str
          returned: always
        image:
          description: The source of the tag.
          type: str
          returned: always
        cause:
          description: The cause of the failed import. Empty if it did not fail.
          type: str
          returned: always
        status:
          description: V(imported), V(failed), V(left), or in check mode V(planned).
          type: str
          returned: always
        digest:
          description: The image that was imported. Empty if there is none.
          type: str
          returned: always
        reason:
          description: The reason why it was not imported or not retried. In check mode, the reason why its last import failed.
          type: str
          returned: always
      sample: [{stream: app, tag: v1, image: "registry.example.com/team/app:v1", cause: unauthorized, status: imported,
        digest: "sha256:2c26b46b68ff", reason: ""}]
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

from ..module_utils.clients.kube.kubeconfig import IMPORT_ERROR
from ..module_utils.features.image_stream_import.plan import from_options
from ..module_utils.features.image_stream_import.run import import_streams
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.options import CLUSTER_OPTIONS
from ..module_utils.module.task import Module, Task

ARGUMENTS = {
    **CLUSTER_OPTIONS,
    "registries": {"type": "list", "elements": "str"},
    "only_failed": {"type": "bool", "default": True},
    "streams": {"type": "list", "elements": "str"},
}


def run(task: Task) -> dict[str, object]:
    asked = from_options(task.params)
    named = task.params["namespaces"] is not None
    with task.cluster(task.targets()) as run:
        return run.result(import_streams(run.cluster, asked, run.namespaces, run.settings(), named=named))


MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
