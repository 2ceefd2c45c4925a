#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ocm_pull_secret_info
short_description: Fetch an account's pull secret from OpenShift Cluster Manager
version_added: 1.0.0
description:
  - Fetches the pull secret of a Red Hat account, as C(ocm post /api/accounts_mgmt/v1/access_token) does, for the option C(auth_config) of
    M(openshift_ops.image_pull.pull_secret).
  - The account is the account of an offline token, or a service account with its client id and secret.
  - Later tasks can use the content. It is not shown. Ansible treats a result that contains it as if the task had C(no_log=true), at every
    verbosity and in job events. Failures are shown, and contain no credential.
  - With O(compare=true), the module compares it with a secret of a cluster, registry by registry. The result names registries and the parts
    that differ, but no values.
  - The pull secret belongs to the account, not to a cluster. Anyone who has it can pull every image that the account may pull.
  - C(cloud.openshift.com) is not a registry. Its entry is the token with which a cluster reports to Red Hat. It must not be lost from the
    pull secret of the nodes, and no module of this collection requests images from it.
  - The module follows no redirects, and sends the credentials only to the hosts of O(api_url) and O(token_url).
options:
  offline_token:
    description:
      - The offline token of a user, from U(https://console.redhat.com/openshift/token). White space around it is ignored.
      - An offline token expires when it is not used for 30 days.
      - It can also be set as E(OCM_TOKEN).
      - Give either this or O(client_secret).
    type: str
  client_id:
    description:
      - The client id of a service account, with O(client_secret).
      - With O(offline_token), the public client that the token was issued to. The default is V(cloud-services). FedRAMP has
        V(console-dot).
      - It can also be set as E(OCM_CLIENT_ID).
    type: str
  client_secret:
    description: The secret of O(client_id). It can also be set as E(OCM_CLIENT_SECRET).
    type: str
  api_url:
    description:
      - URL of OpenShift Cluster Manager, https only.
      - V(https://api.stage.openshift.com) is its stage environment. V(https://api.openshiftusgov.com) is the FedRAMP environment, which
        needs another O(token_url).
    type: str
    default: https://api.openshift.com
  token_url:
    description:
      - URL of the token endpoint that takes the credentials, https only. It must be the one that O(api_url) trusts.
      - For FedRAMP it is V(https://sso.openshiftusgov.com/realms/redhat-external/protocol/openid-connect/token).
    type: str
    default: https://sso.redhat.com/auth/realms/redhat-external/protocol/openid-connect/token
  ocm_ca_cert:
    description:
      - Path of a file with the certificate authorities of O(api_url) and O(token_url), in PEM form, on the host that runs the task. The
        default is the system's certificate authorities.
      - The option O(ca_cert) is for the cluster.
    type: path
  ocm_validate_certs:
    description: Verify the certificates of O(api_url) and O(token_url).
    type: bool
    default: true
  ocm_timeout:
    description: Seconds to wait for each of the two responses, from V(1) to V(3600).
    type: int
    default: 30
  include:
    description:
      - Names or globs of registries. The other entries are omitted. Names have the same meaning as for C(include) of
        M(openshift_ops.image_pull.pull_secret).
      - A name or glob that matches no entry is an error.
    type: list
    elements: str
  return_content:
    description:
      - Whether the result contains RV(auth_config). Ansible then does not show the result.
      - V(false) returns only names, for a task whose result you want to show.
    type: bool
    default: true
  compare:
    description:
      - Compare the pull secret with the one of the cluster that the connection options lead to. Otherwise, no cluster is contacted.
      - Requires the right C(get) for this one secret.
    type: bool
    default: false
  namespace:
    description: The namespace of the secret to compare with.
    type: str
    default: openshift-config
  secret:
    description: The name of the secret to compare with. The default is the pull secret of the cluster's nodes.
    type: str
    default: pull-secret
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.preview
attributes:
  async:
    description: Ansible would keep the result of the module in a file.
    support: none
  check_mode:
    description: The module does the same. It does not change a cluster.
    support: full
  diff_mode:
    description: There is no diff, because nothing changes.
    support: none
  idempotent:
    description: The module changes nothing. Each run fetches the pull secret again.
    support: full
notes:
  - The credentials and O(ocm_ca_cert) are used for OpenShift Cluster Manager, the connection options for the cluster.
  - The environment variables C(https_proxy), C(no_proxy), C(REQUESTS_CA_BUNDLE) and C(CURL_CA_BUNDLE) are used.
  - Ansible does not automatically show a variable that contains the result. A task that prints it, such as M(ansible.builtin.debug) of the
    whole result, shows it. Print RV(registries) and RV(compared) instead. Do not cache it as a fact.
  - If the task does not run in Ansible's own process (another connection than C(local), another Python or C(become)), the content is
    transferred from that process, and C(ANSIBLE_DEBUG) logs the transferred data.
  - No right on the cluster is needed. With O(compare), get on the secret that O(secret) names is needed.
seealso:
  - module: openshift_ops.image_pull.pull_secret
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Fetch the pull secret of the account
  openshift_ops.image_pull.ocm_pull_secret_info:
    offline_token: "{{ vaulted_offline_token }}"
  register: account

- name: Renew the platform's entries in the pull secret of the nodes, and keep all others
  openshift_ops.image_pull.pull_secret:
    name: pull-secret
    namespaces: [openshift-config]
    mode: merge
    auth_config: "{{ account.auth_config }}"

- name: Let two projects pull Red Hat's images, with a service account that OCM_CLIENT_ID and OCM_CLIENT_SECRET name
  openshift_ops.image_pull.ocm_pull_secret_info:
    include: [registry.redhat.io]
  register: redhat

- name: Write the pull secret
  openshift_ops.image_pull.pull_secret:
    name: redhat-registry
    namespaces: [project-a, project-b]
    auth_config: "{{ redhat.auth_config }}"

- name: Compare the nodes' pull secret with the account's
  openshift_ops.image_pull.ocm_pull_secret_info:
    offline_token: "{{ vaulted_offline_token }}"
    compare: true
    return_content: false
  register: drift

- name: Show the entries that differ
  ansible.builtin.debug:
    msg: "{{ drift.registries | rejectattr('status', 'eq', 'same') | list }}"

- name: Retry while the service is unavailable
  openshift_ops.image_pull.ocm_pull_secret_info:
    offline_token: "{{ vaulted_offline_token }}"
  register: account
  until: account is success
  retries: 5
  delay: 30

- name: Fetch the pull secret from the stage environment
  openshift_ops.image_pull.ocm_pull_secret_info:
    offline_token: "{{ vaulted_stage_token }}"
    api_url: https://api.stage.openshift.com

- name: Fetch the pull secret from FedRAMP, with the token endpoint of that environment
  openshift_ops.image_pull.ocm_pull_secret_info:
    offline_token: "{{ vaulted_fedramp_token }}"
    client_id: console-dot
    api_url: https://api.openshiftusgov.com
    token_url: https://sso.openshiftusgov.com/realms/redhat-external/protocol/openid-connect/token
"""

RETURN = r"""
auth_config:
  description: The content, in the form that the option C(auth_config) of M(openshift_ops.image_pull.pull_secret) takes. Ansible does not
    show it.
  returned: success, with O(return_content=true)
  type: dict
registries:
  description: The registries that the pull secret has entries for. With O(compare=true), the list includes the registries of the cluster's
    secret.
  returned: success
  type: list
  elements: dict
  contains:
    registry:
      description: The registry, in its normalized spelling.
      type: str
      returned: always
    is_registry:
      description: V(false) for C(cloud.openshift.com), from which no image is pulled.
      type: bool
      returned: always
    status:
      description: V(same), V(differs), V(missing) on the cluster, or V(only_there) for a registry that only the cluster has.
      type: str
      returned: with O(compare=true)
    differs:
      description: The parts that differ, such as C(password), C(username) and C(email).
      type: list
      elements: str
      returned: with O(compare=true)
  sample:
    - {registry: cloud.openshift.com, is_registry: false, status: same, differs: []}
    - {registry: quay.io, is_registry: true, status: differs, differs: [password]}
    - {registry: registry.example.com, is_registry: true, status: only_there, differs: []}
compared:
  description: The secret of the cluster that it was compared with.
  returned: success, with O(compare=true)
  type: dict
  contains:
    namespace:
      description: See O(namespace).
      type: str
      returned: always
    secret:
      description: See O(secret).
      type: str
      returned: always
    exists:
      description: Whether the secret exists. If not, all registries are V(missing).
      type: bool
      returned: always
    same:
      description: Whether every registry is V(same).
      type: bool
      returned: always
  sample: {namespace: openshift-config, secret: pull-secret, exists: true, same: false}
"""

from ..module_utils.clients.https.exchange import IMPORT_ERROR
from ..module_utils.clients.ocm import API_URL, TOKEN_URL
from ..module_utils.features.ocm_pull_secret import ocm_pull_secret
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.options import CONNECTION_OPTIONS, from_environment
from ..module_utils.module.task import Module, Task

ARGUMENTS = {
    **CONNECTION_OPTIONS,
    "offline_token": {"type": "str", "no_log": True, **from_environment("OCM_TOKEN")},
    "client_id": {"type": "str", "no_log": True, **from_environment("OCM_CLIENT_ID")},
    "client_secret": {"type": "str", "no_log": True, **from_environment("OCM_CLIENT_SECRET")},
    "api_url": {"type": "str", "default": API_URL},
    "token_url": {"type": "str", "no_log": False, "default": TOKEN_URL},
    "ocm_ca_cert": {"type": "path"},
    "ocm_validate_certs": {"type": "bool", "default": True},
    "ocm_timeout": {"type": "int", "default": 30},
    "include": {"type": "list", "elements": "str"},
    "return_content": {"type": "bool", "default": True},
    "compare": {"type": "bool", "default": False},
    "namespace": {"type": "str", "default": "openshift-config"},
    "secret": {"type": "str", "no_log": False, "default": "pull-secret"},
}


def run(task: Task) -> dict[str, object]:
    return ocm_pull_secret(task.params, task.hide, task.connect)


MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR, hidden=("auth_config",))


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
