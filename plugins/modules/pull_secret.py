#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_secret
short_description: Keep a pull secret in many namespaces
version_added: 0.1.0
description:
  - Makes one named secret with registry credentials exist in every given namespace, with exactly the given registries or,
    with O(mode), adds single registries to it or takes them out.
  - The credentials come from single values, from a file that C(docker login) or C(podman login) wrote, or from data.
  - What no node could use is refused before anything is sent, with the registry and the way out.
  - Content is compared decoded, so order, white space and padding are no changes. Results and diffs name registries
    and which part of a credential changed, never a value.
options:
  name:
    description: The secret's name.
    type: str
    required: true
  state:
    description:
      - V(present) creates the secret or changes it as O(mode) says.
      - V(absent) deletes the secret. A secret that is no pull secret, or that belongs to the platform, is left alone
        and the task fails.
    type: str
    choices: [present, absent]
    default: present
  mode:
    description:
      - What O(state=present) does to a secret that exists.
      - V(replace) puts the given registries in the place of all that it held.
      - V(merge) adds the given registries, or puts them in the place of those for the same path. All others stay letter by
        letter, and so do fields of a given entry that are not given, such as an e-mail address.
      - V(remove) takes out the registries that O(registries) names, however they are spelt in the secret; neither user nor
        password is needed. A file or data names those that a merge of it puts in. Nothing is done where the secret does not
        exist. Its type is kept.
      - A secret that somebody else changes meanwhile is read again, so that no change is lost.
    type: str
    choices: [replace, merge, remove]
    default: replace
  update_existing:
    description: Whether a secret that exists is changed. V(false) only creates it where it is missing.
    type: bool
    default: true
  recreate:
    description:
      - Whether a secret that cannot be changed, because it has another type or is immutable, is deleted and created anew.
        Without it the task fails there.
      - The API server judges the new secret before the old one is deleted. If it refuses the new one nevertheless, the old
        one is put back. Labels, annotations, owners and other data keys are kept; C(metadata.uid) is a new one.
      - Also converts a secret of a type that no node reads, such as C(Opaque) or V(kubernetes.io/podmanconfigjson), when it
        holds an auth file and nothing else.
    type: bool
    default: false
  type:
    description:
      - How the credentials are stored. Files of Docker and of Podman have the same content and both work as
        V(kubernetes.io/dockerconfigjson).
      - V(kubernetes.io/dockercfg) is the legacy format.
      - V(kubernetes.io/podmanconfigjson) is what OpenShift's manual names for Podman's file. No component reads it; it is
        written as documented there, under the file's base name, with a warning.
      - The type of an existing secret can only be changed with O(recreate=true).
    type: str
    choices: [kubernetes.io/dockerconfigjson, kubernetes.io/dockercfg, kubernetes.io/podmanconfigjson]
    default: kubernetes.io/dockerconfigjson
  registries:
    description:
      - The credentials, one entry for each registry or repository path.
      - Exactly one of O(registries), O(auth_file) and O(auth_config) is required with O(state=present).
    type: list
    elements: dict
    suboptions:
      registry:
        description:
          - C(host[:port]), optionally with a path such as C(quay.io/team), as it stands in image names.
          - Two entries for the same path are refused, also when they are spelt differently. C(quay.io) and C(quay.io/team)
            are two paths.
          - The kubelet compares paths letter by letter, so C(quay.io/team) is tried for images of C(quay.io/teammates) too.
            CRI-O, Podman and Skopeo compare whole parts. A key that they read differently otherwise, such as one with a
            trailing slash, a wildcard or C(https://) and a path, gives a warning.
        type: str
        required: true
      username:
        description: The user. It cannot hold a colon. An entry without user or password is refused, except with O(mode=remove).
        type: str
      password:
        description:
          - The password or token, a string.
          - Before ansible-core 2.19 a template turns text that looks like JSON into data, as in the key file of a cloud's
            service account. Such data is refused; keep it text with P(ansible.builtin.string#filter).
        type: raw
      email:
        description: Stored beside the credential; no registry asks for it.
        type: str
  auth_file:
    description:
      - Path of a C(config.json) of Docker or an C(auth.json) of Podman, on the host that runs the task.
      - For a file that is encrypted with ansible-vault use O(auth_config) with P(ansible.builtin.file#lookup).
      - A file whose credentials are kept by a credential helper is refused.
    type: path
  auth_config:
    description:
      - The content of such a file as data or as JSON text, for example from OpenShift Cluster Manager.
    type: raw
  only:
    description:
      - Which entries of O(auth_file) or O(auth_config) to take, by names or globs such as C(quay.io/*). A star also stands
        for slashes. All are taken by default.
      - What is not chosen is not looked at, so one entry of a file that keeps others in a credential helper can be taken.
      - A name that means no entry is an error. Entries keep the names that they have.
    type: list
    elements: str
  labels:
    description: Labels that the secret shall have. Others that it has stay.
    type: dict
  annotations:
    description: Annotations that the secret shall have. Others that it has stay.
    type: dict
  immutable:
    description:
      - Whether the API server shall refuse every change of the content. By default it is left as it is.
      - An immutable secret can only be changed, or made mutable, with O(recreate=true).
    type: bool
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.attributes
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
seealso:
  - module: openshift_ops.image_pull.sa_link
  - name: Kubernetes, pull an image from a private registry
    description: How a pull secret is used.
    link: https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
"""

EXAMPLES = r"""
- name: A pull secret from user and password, in two projects
  openshift_ops.image_pull.pull_secret:
    name: private-registry
    namespaces: [project-a, project-c]
    registries:
      - registry: privateregistry.example.com
        username: developer@example.com
        password: "{{ vaulted_registry_password }}"

- name: A pull secret from the file that 'podman login' wrote
  openshift_ops.image_pull.pull_secret:
    name: team-registries
    namespaces: [project-a]
    auth_file: "{{ playbook_dir }}/auth.json"

- name: Two accounts of one registry
  openshift_ops.image_pull.pull_secret:
    name: quay
    namespaces: [project-a]
    registries:
      - {registry: quay.io, username: reader, password: "{{ vaulted_reader }}"}
      - {registry: quay.io/team, username: team+robot, password: "{{ vaulted_robot }}"}

- name: Add one registry to a secret that others fill too
  openshift_ops.image_pull.pull_secret:
    name: team-registries
    namespaces: [project-a]
    mode: merge
    registries:
      - {registry: quay.io/team, username: team+robot, password: "{{ vaulted_robot }}"}

- name: Take one registry out of it
  openshift_ops.image_pull.pull_secret:
    name: team-registries
    namespaces: [project-a]
    mode: remove
    registries:
      - registry: old.example.com

- name: Take two entries of a personal file
  openshift_ops.image_pull.pull_secret:
    name: team-registries
    namespaces: [project-a]
    auth_file: "{{ lookup('env', 'HOME') }}/.docker/config.json"
    only: [quay.io/team, "*.example.com"]

- name: Convert a secret of a type that no node reads
  openshift_ops.image_pull.pull_secret:
    name: podman
    namespaces: [project-a]
    auth_file: "{{ playbook_dir }}/auth.json"
    recreate: true

- name: Take it away again
  openshift_ops.image_pull.pull_secret:
    name: team-registries
    namespaces: [project-a]
    state: absent
"""

RETURN = r"""
namespaces:
  description: What was done, or in check mode would be done, in each namespace.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The namespace.
      type: str
      sample: project-a
    changed:
      description: Whether anything was written in it.
      type: bool
    status:
      description: One of C(changed), C(unchanged), C(failed), C(skipped).
      type: str
      sample: changed
    reason:
      description: Why a namespace was skipped.
      type: str
      returned: when skipped
    changes:
      description:
        - Each write, by action, kind and name, with the registries that were added, changed or removed, and the names of
          the labels and annotations.
        - The action C(replace) is a delete and a create; C(type) then says what the type was and is.
      type: list
      elements: dict
      sample:
        - action: update
          kind: Secret
          name: private-registry
          registries: {added: [], changed: {privateregistry.example.com: [password]}, removed: []}
failures:
  description: The namespaces that failed and why. The task fails when there is one, after the others are done.
  returned: always
  type: list
  elements: dict
  sample: []
summary:
  description: Counts of namespaces by status, and of objects that had to be read again because others wrote them.
  returned: always
  type: dict
  sample: {total: 2, changed: 1, unchanged: 1, failed: 0, skipped: 0, retries: 0}
"""

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.connection import IMPORT_ERROR
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret import (
    options as pull_secret,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.options import CLUSTER_OPTIONS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import Module, Task, reconciling

REGISTRY = {
    "registry": {"type": "str", "required": True},
    "username": {"type": "str"},
    "password": {"type": "raw", "no_log": True},
    "email": {"type": "str"},
}
ARGUMENTS = {
    **CLUSTER_OPTIONS,
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "mode": {"type": "str", "choices": list(pull_secret.MODES), "default": pull_secret.MODES[0]},
    "update_existing": {"type": "bool", "default": True},
    "recreate": {"type": "bool", "default": False},
    "type": {"type": "str", "choices": list(pull_secret.TYPES), "default": pull_secret.TYPES[0]},
    "registries": {"type": "list", "elements": "dict", "options": REGISTRY},
    "auth_file": {"type": "path"},
    "auth_config": {"type": "raw", "no_log": True},
    "only": {"type": "list", "elements": "str"},
    "labels": {"type": "dict"},
    "annotations": {"type": "dict"},
    "immutable": {"type": "bool"},
}
SOURCES = ("registries", "auth_file", "auth_config")


def run(task: Task) -> dict[str, object]:
    return reconciling(task, pull_secret.from_options(task.params, task.read_file))


MODULE = Module(
    ARGUMENTS,
    run,
    library="kubernetes",
    import_error=IMPORT_ERROR,
    rules={"mutually_exclusive": [SOURCES], "required_if": [("state", "present", SOURCES, True)]},
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
