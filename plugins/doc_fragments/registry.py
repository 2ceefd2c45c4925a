# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  realm_hosts:
    description:
      - The C(host[:port]) of further hosts that the module is allowed to ask for tokens, in addition to the registries themselves, for
        registries that delegate their login. The module asks no other host, with or without a login. Docker Hub's C(auth.docker.io) needs
        no entry.
      - If only objects of the cluster name a registry, such as a secret or the image of a pod, the module does not contact it at a loopback,
        link-local, cloud metadata or similar address of the host that runs the task, unless you list it here. A registry that an option of
        the task names is contacted.
    type: list
    elements: str
  registry_ca_cert:
    description:
      - Path of a file with the certificate authorities of the registries, in PEM form, on the host that runs the task. It replaces the
        system's certificate authorities.
    type: path
  registry_validate_certs:
    description: Verify the certificates of the registries.
    type: bool
    default: true
  registry_timeout:
    description:
      - Seconds to wait for each whole response of a registry, from V(1) to V(3600).
      - Connecting has the same limit for each address of the host. The time limit for resolving a name is a setting of the host that runs
        the task.
    type: int
    default: 10
"""
