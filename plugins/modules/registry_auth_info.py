#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_auth_info
short_description: Ask a registry how it authenticates
version_added: 0.1.0
description:
  - Asks a container registry where it wants a login to be sent, as a node does before each pull (C(GET /v2/)).
  - A registry that delegates authentication names another host than its own, as C(registry.redhat.io) did with
    C(sso.redhat.com).
  - No credential is sent, no cluster is asked. The module is therefore not in the action group of the others.
options:
  registry:
    description: C(host[:port]) of the registry, or any image or repository in it.
    type: str
    required: true
  ca_cert:
    description: Path of a file with the certificate authorities to trust instead of the system's.
    type: path
  validate_certs:
    description: Whether to verify the registry's certificate.
    type: bool
    default: true
  timeout:
    description: Seconds to wait for the connection, and then for the answer.
    type: int
    default: 10
extends_documentation_fragment:
  - openshift_ops.image_pull.attributes
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Where does this registry want logins?
  openshift_ops.image_pull.registry_auth_info:
    registry: registry.redhat.io
  register: answer

- name: Show it
  ansible.builtin.debug:
    msg: "{{ answer.realm_host }} {{ 'is asked instead' if answer.delegated else 'is the registry itself' }}"
"""

RETURN = r"""
registry:
  description: The registry that was asked, C(host[:port]).
  returned: success
  type: str
  sample: registry.example.com
scheme:
  description: V(bearer) for a token service, V(basic) for a direct login, V(none) when the registry is open.
  returned: success
  type: str
  sample: bearer
realm:
  description: The URL of the token service, or the name of the realm for V(basic); empty for V(none).
  returned: success
  type: str
  sample: https://sso.example.com/auth
realm_host:
  description: The C(host[:port]) that a login is sent to; empty for V(none).
  returned: success
  type: str
  sample: sso.example.com
service:
  description: The service that the token is asked for; empty when the registry names none.
  returned: success
  type: str
  sample: docker-registry
delegated:
  description: Whether the login goes to another host than the registry.
  returned: success
  type: bool
  sample: true
"""

from dataclasses import asdict

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.client import (
    IMPORT_ERROR,
    RegistryOptions,
    ask,
    registry_host,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import Module, Task

ARGUMENTS = {
    "registry": {"type": "str", "required": True},
    "ca_cert": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 10},
}


def run(task: Task) -> dict[str, object]:
    options = RegistryOptions(**task.params)
    return {"changed": False, "registry": registry_host(options.registry), **asdict(ask(options))}


MODULE = Module(ARGUMENTS, run, library="requests", import_error=IMPORT_ERROR)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
