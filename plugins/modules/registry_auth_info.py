#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_auth_info
short_description: Find out how a registry authenticates
version_added: 0.1.0
description:
  - Asks a container registry where it wants a login to be sent, as a node does before each pull (C(GET /v2/)).
  - A registry that delegates authentication names another host than its own, as C(registry.redhat.io) did with
    C(sso.redhat.com).
  - Sends no credential and asks no cluster. The module is therefore not in the action group of the others.
  - Reads no more than the status and the headers of the answer, and follows no redirect.
options:
  registry:
    description:
      - C(host[:port]) of the registry, or any image or repository in it.
      - Only https is supported. C(docker.io) and C(index.docker.io) mean Docker Hub's registry, C(registry-1.docker.io).
      - One of O(registry) and O(registries) is required.
    type: str
  realm_host:
    description:
      - C(host[:port]) that takes the logins, if you know it. The registry is then not asked, and the module only says whether
        that is another host (RV(delegated)).
    type: str
  ca_cert:
    description:
      - Path of a file with the certificate authorities to trust instead of the system's, in PEM form, on the host that runs
        the task.
    type: path
  validate_certs:
    description: Verify the registry's certificate.
    type: bool
    default: true
  timeout:
    description:
      - Seconds to wait for the whole answer, from V(1) to V(3600).
      - Connecting has the same limit for each address of the host. How long a name may take to resolve is a setting of the
        host that runs the task.
    type: int
    default: 10
  registries:
    description:
      - Many registries, which are asked at the same time. What an entry does not give is taken from the task's option of the same
        name. Equal entries are asked once.
      - The task fails when one of them does not answer; RV(failures) says which, and RV(registries) holds the answers of the others.
    type: list
    elements: dict
    suboptions:
      title:
        description: What messages call this entry, such as the variable that it comes from. By default its position in the list.
        type: str
      registry:
        description: See O(registry).
        type: str
        required: true
      realm_host:
        description: See O(realm_host).
        type: str
      ca_cert:
        description: See O(ca_cert).
        type: path
      validate_certs:
        description: See O(validate_certs).
        type: bool
      timeout:
        description: See O(timeout).
        type: int
extends_documentation_fragment:
  - openshift_ops.image_pull.attributes
notes:
  - The environment variables C(https_proxy), C(no_proxy), C(REQUESTS_CA_BUNDLE) and C(CURL_CA_BUNDLE) are used.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Find out where this registry wants logins to be sent
  openshift_ops.image_pull.registry_auth_info:
    registry: registry.redhat.io
  register: answer

- name: Show it
  ansible.builtin.debug:
    msg: "Logins go to {{ answer.realm_host }}{{ ', which is another host' if answer.delegated else '' }}"

- name: Find out whether a host that is known is another one, without asking the registry
  openshift_ops.image_pull.registry_auth_info:
    registry: privateregistry.example.com
    realm_host: sso.redhat.com

- name: Ask two registries
  openshift_ops.image_pull.registry_auth_info:
    registries:
      - registry: registry.redhat.io
      - {registry: registry.example.com, ca_cert: /etc/pki/example.pem}
"""

RETURN = r"""
registry:
  description: The registry, C(host[:port]).
  returned: success, with O(registry)
  type: str
  sample: registry.example.com
scheme:
  description:
    - V(bearer) for a token service, V(basic) for a login to the registry itself, V(none) for a registry that asks for no login.
    - Empty when O(realm_host) is given.
  returned: success, with O(registry)
  type: str
  sample: bearer
realm:
  description:
    - The URL of the token service, or the name of the realm for V(basic), as the registry sent it.
    - Empty for V(none), and when O(realm_host) is given.
  returned: success, with O(registry)
  type: str
  sample: https://sso.example.com/auth
realm_host:
  description: The C(host[:port]) that a login is sent to; empty when the registry asks for none.
  returned: success, with O(registry)
  type: str
  sample: sso.example.com
service:
  description: The service that the token is requested for; empty when the registry names none.
  returned: success, with O(registry)
  type: str
  sample: docker-registry
delegated:
  description:
    - Whether the login goes to another host, or another port, than the registry's.
    - Hosts are compared as clients connect to them, so C(quay.io), C(QUAY.IO) and C(quay.io:443) are one, as are the names of
      Docker Hub's registry.
  returned: success, with O(registry)
  type: bool
  sample: true
registries:
  description:
    - For each entry of O(registries), in their order, the values above, or only C(registry) for one that could not be asked.
  returned: with O(registries)
  type: list
  elements: dict
  sample:
    - registry: registry.example.com
      scheme: bearer
      realm: https://sso.example.com/auth
      realm_host: sso.example.com
      service: docker-registry
      delegated: true
failures:
  description: The entries of O(registries) that failed, by position from 0, and why.
  returned: with O(registries)
  type: list
  elements: dict
  sample: []
"""

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.client import (
    IMPORT_ERROR,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.entry_lists import EntryList
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import run_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import Module, Task
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.workflows.registries import ask_registries

OPTIONS = {
    "realm_host": {"type": "str"},
    "ca_cert": {"type": "path"},
    "validate_certs": {"type": "bool"},
    "timeout": {"type": "int"},
}
DEFAULTS = {"validate_certs": True, "timeout": 10}
ARGUMENTS = {
    "registry": {"type": "str"},
    **{name: {**spec, **({"default": DEFAULTS[name]} if name in DEFAULTS else {})} for name, spec in OPTIONS.items()},
    "registries": {
        "type": "list",
        "elements": "dict",
        "options": {"registry": {"type": "str", "required": True}, "title": {"type": "str"}, **OPTIONS},
    },
}
FORM = EntryList("registries", "registry")


def run(task: Task) -> dict[str, object]:
    return ask_registries(FORM, task.params)


MODULE = Module(
    ARGUMENTS,
    run,
    library="requests",
    import_error=IMPORT_ERROR,
    rules={"mutually_exclusive": [("registry", "registries")], "required_one_of": [("registry", "registries")]},
    form=FORM,
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
