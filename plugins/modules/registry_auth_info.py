#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_auth_info
short_description: Show how a registry authenticates, and check a login
version_added: 1.0.0
description:
  - Asks a container registry where to send a login, as a node does before each pull (C(GET /v2/)).
  - A registry that delegates authentication names another host, as C(registry.redhat.io) did with C(sso.redhat.com).
  - With O(username) and O(password), the module logs in. With O(repositories), it requests these repositories as a node does before a pull.
    A token alone proves nothing, because a token service also issues tokens for a login that may pull nothing. So the module requests the
    manifest.
  - The module does not contact a cluster. Therefore, it is not in the action group of the other modules.
  - The module follows no redirects. It reads only the status and the headers of a response, and the token of a token service, which it does
    not show.
options:
  registry:
    description:
      - C(host[:port]) of the registry, or any image or repository in it.
      - Only https is supported. C(docker.io) and C(index.docker.io) mean Docker Hub's registry, C(registry-1.docker.io).
      - One of O(registry) and O(registries) is required.
    type: str
  username:
    description: The user of a login to verify. O(username) and O(password) must be given together.
    type: str
  password:
    description: The password or token of the login.
    type: str
  repositories:
    description:
      - Repositories of the registry to request, such as V(team/app), optionally with a tag or a digest. Without one, the module requests
        the tags of the repository, which needs the same right.
      - Without O(username), the module checks whether everyone is allowed to pull them.
    type: list
    elements: str
  realm_host:
    description:
      - C(host[:port]) that takes the logins, if you know it. The registry is then not contacted, and the module only reports whether that
        is another host (RV(delegated)).
      - With or without a login, the module asks the registry's own host, this host and those of O(realm_hosts) for a token, over TLS, and
        no other host.
    type: str
  registries:
    description:
      - Many registries, which the module contacts at the same time. An option that an entry omits is taken from the task's option of the
        same name. Equal entries are requested once.
      - The task fails if one of them does not respond. RV(failures) names it, and RV(registries) contains the responses of the others.
    type: list
    elements: dict
    suboptions:
      title:
        description: The title of this entry in messages, such as the variable that it comes from. By default its position in the list.
        type: str
      registry:
        description: See O(registry).
        type: str
        required: true
      realm_host:
        description: See O(realm_host).
        type: str
      realm_hosts:
        description: See O(realm_hosts).
        type: list
        elements: str
      registry_ca_cert:
        description: See O(registry_ca_cert).
        type: path
      registry_validate_certs:
        description: See O(registry_validate_certs).
        type: bool
      registry_timeout:
        description: See O(registry_timeout).
        type: int
      username:
        description: See O(username).
        type: str
      password:
        description: See O(password).
        type: str
      repositories:
        description: See O(repositories).
        type: list
        elements: str
extends_documentation_fragment:
  - openshift_ops.image_pull.registry
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.stable
seealso:
  - module: openshift_ops.image_pull.pull_secret_info
    description: Verifies the logins in the secrets of a cluster, without showing them.
notes:
  - The environment variables C(https_proxy), C(no_proxy), C(REQUESTS_CA_BUNDLE) and C(CURL_CA_BUNDLE) are used.
  - The module does not contact a cluster, so no right is needed.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Find the host that takes the logins of a registry
  openshift_ops.image_pull.registry_auth_info:
    registry: registry.redhat.io
  register: answer

- name: Show the host
  ansible.builtin.debug:
    msg: "Logins go to {{ answer.realm_host }}{{ ', which is another host' if answer.delegated else '' }}"

- name: Check whether a known host differs from the registry, without contacting the registry
  openshift_ops.image_pull.registry_auth_info:
    registry: privateregistry.example.com
    realm_host: sso.redhat.com

- name: Check whether a login works, and may pull two repositories
  openshift_ops.image_pull.registry_auth_info:
    registry: quay.io
    username: team+robot
    password: "{{ robot_token }}"
    repositories: [team/app, "team/base:v2"]
  register: proof
  failed_when: proof.failed | default(false) or not proof.works

- name: Check two registries
  openshift_ops.image_pull.registry_auth_info:
    registries:
      - registry: registry.redhat.io
      - {registry: registry.example.com, registry_ca_cert: /etc/pki/example.pem}
"""

RETURN = r"""
registry:
  description: The registry, C(host[:port]).
  returned: success, with O(registry)
  type: str
  sample: registry.example.com
scheme:
  description:
    - V(bearer) for a token service, V(basic) for a login to the registry itself, V(none) for a registry that requires no login.
    - Empty if O(realm_host) is given.
  returned: success, with O(registry)
  type: str
  sample: bearer
realm:
  description:
    - The URL of the token service, or the name of the realm for V(basic), as the registry sent it.
    - Empty for V(none), and if O(realm_host) is given.
  returned: success, with O(registry)
  type: str
  sample: https://sso.example.com/auth
realm_host:
  description: The C(host[:port]) that a login is sent to. Empty if the registry requires none.
  returned: success, with O(registry)
  type: str
  sample: sso.example.com
service:
  description: The service that the token is requested for. Empty if the registry names none.
  returned: success, with O(registry)
  type: str
  sample: docker-registry
delegated:
  description:
    - Whether the login is sent to another host, or another port, than the registry's.
    - Hosts are compared in the same way as clients connect to them. So C(quay.io), C(QUAY.IO) and C(quay.io:443) are the same host, as are
      the names of Docker Hub's registry.
  returned: success, with O(registry)
  type: bool
  sample: true
works:
  description: Whether the login was accepted, and every repository can be pulled.
  returned: success, with O(username) or O(repositories)
  type: bool
  sample: true
login:
  description: Whether the login was accepted.
  returned: success, with O(registry) and O(username)
  type: dict
  contains:
    outcome:
      description: V(logs_in), V(bad_login), V(expired) for a refused login whose token states that it has expired, V(rate_limited),
        V(not_sent) if the token would come from another host than O(realm_host) and O(realm_hosts) or without TLS, or V(unanswered) if
        nothing is known.
      type: str
      returned: always
    message:
      description: The outcome as a sentence. It contains no text from a server.
      type: str
      returned: always
  sample: {outcome: logs_in, message: quay.io accepts the login}
repositories:
  description: The response for each of O(repositories), in their order.
  returned: success, with O(registry), and O(username) or O(repositories)
  type: list
  elements: dict
  contains:
    repository:
      description: The repository with its registry, and the requested tag or digest.
      type: str
      returned: always
    outcome:
      description:
        - V(pulls), V(bad_login), V(expired) as for RV(login), V(no_login) for a repository that requires a login, V(no_right) for a login
          without the right, V(not_found), V(rate_limited), V(not_sent), or V(unanswered) if nothing is known.
        - V(not_found) can also mean that a right is missing. Many registries hide repositories to which they deny access.
      type: str
      returned: always
    message:
      description: The outcome as a sentence.
      type: str
      returned: always
    rate_limit:
      description:
        - The limit of pulls that the registry reports for the login, or for the address without one, in the headers C(ratelimit-limit) and
          C(ratelimit-remaining), as Docker Hub does. A registry without such headers has no limit, exempts the login, or does not report it.
        - Only manifests have these headers, so name a tag or a digest in O(repositories). The module requests manifests by HEAD, which Docker
          Hub does not count as a pull.
      type: dict
      returned: when the registry reports it
      contains:
        limit:
          description: Number of pulls in the window. Null if the registry does not report it.
          type: int
          returned: always
        remaining:
          description: Number of pulls that remain. Null if the registry does not report it.
          type: int
          returned: always
        window:
          description: Length of the window in seconds. Null if the registry does not report it.
          type: int
          returned: always
  sample:
    - {repository: "quay.io/team/app", outcome: no_right, message: "the login works, but has no right to pull quay.io/team/app"}
registries:
  description: For each entry of O(registries), in their order, the values above, or only C(registry) if the registry could not be queried.
  type: list
  elements: dict
  returned: with O(registries)
  contains:
    registry:
      description: See RV(registry).
      type: str
      returned: always
    scheme:
      description: See RV(scheme).
      type: str
      returned: when the registry answered
    realm:
      description: See RV(realm).
      type: str
      returned: when the registry answered
    realm_host:
      description: See RV(realm_host).
      type: str
      returned: when the registry answered
    service:
      description: See RV(service).
      type: str
      returned: when the registry answered
    delegated:
      description: See RV(delegated).
      type: bool
      returned: when the registry answered
    works:
      description: See RV(works).
      type: bool
      returned: with a login or repositories, when the registry answered
    login:
      description: See RV(login).
      type: dict
      returned: with a login, when the registry answered
      contains:
        outcome:
          description: See RV(login.outcome).
          type: str
          returned: always
        message:
          description: See RV(login.message).
          type: str
          returned: always
    repositories:
      description: See RV(repositories).
      type: list
      elements: dict
      returned: with a login or repositories, when the registry answered
      contains:
        repository:
          description: See RV(repositories[].repository).
          type: str
          returned: always
        outcome:
          description: See RV(repositories[].outcome).
          type: str
          returned: always
        message:
          description: See RV(repositories[].message).
          type: str
          returned: always
        rate_limit:
          description: See RV(repositories[].rate_limit).
          type: dict
          returned: when the registry reports it
          contains:
            limit:
              description: See RV(repositories[].rate_limit.limit).
              type: int
              returned: always
            remaining:
              description: See RV(repositories[].rate_limit.remaining).
              type: int
              returned: always
            window:
              description: See RV(repositories[].rate_limit.window).
              type: int
              returned: always
  sample: [{registry: registry.example.com, scheme: bearer, realm: "https://sso.example.com/auth",
    realm_host: sso.example.com, service: docker-registry, delegated: true}]
failures:
  description: The entries of O(registries) that failed.
  type: list
  elements: dict
  returned: with O(registries)
  contains:
    entry:
      description: The position of the entry, starting at 0.
      type: int
      returned: always
    title:
      description: The title of the entry in messages.
      type: str
      returned: always
    error:
      description: The reason why it failed.
      type: str
      returned: always
  sample: []
"""

from ..module_utils.clients.https.exchange import IMPORT_ERROR
from ..module_utils.declarations.declare import EntryList
from ..module_utils.features.registry_auth import ask_registries
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.options import REGISTRY_OPTIONS
from ..module_utils.module.task import Module, Task

OPTIONS: dict[str, dict[str, object]] = {
    "realm_host": {"type": "str"},
    **REGISTRY_OPTIONS,
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "repositories": {"type": "list", "elements": "str"},
}
#: The options of an entry. Their defaults come from the task.
ENTRY = {name: {key: value for key, value in spec.items() if key != "default"} for name, spec in OPTIONS.items()}
ARGUMENTS = {
    "registry": {"type": "str"},
    **OPTIONS,
    "registries": {
        "type": "list",
        "elements": "dict",
        "options": {"registry": {"type": "str", "required": True}, "title": {"type": "str"}, **ENTRY},
    },
}
FORM = EntryList("registries", "registry")


def run(task: Task) -> dict[str, object]:
    return ask_registries(FORM, task.params)


MODULE = Module(
    ARGUMENTS,
    run,
    import_error=IMPORT_ERROR,
    rules={"mutually_exclusive": [("registry", "registries")], "required_one_of": [("registry", "registries")]},
    form=FORM,
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
