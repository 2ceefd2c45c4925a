# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig file, several joined by C(:), or its content as a dictionary.
      - Without it and without O(host), the service account of the pod that runs the task is used, or else the default file
        (E(KUBECONFIG), C(~/.kube/config)). Can also be given as E(K8S_AUTH_KUBECONFIG).
    type: raw
  context:
    description: Name of the kubeconfig's context. Can also be given as E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description: URL of the API server. Can also be given as E(K8S_AUTH_HOST).
    type: str
  api_key:
    description: Bearer token. Can also be given as E(K8S_AUTH_API_KEY).
    type: str
  username:
    description: User for HTTP basic authentication, where a proxy before the API server asks for it. Can also be given as E(K8S_AUTH_USERNAME).
    type: str
  password:
    description: Password for O(username). Can also be given as E(K8S_AUTH_PASSWORD).
    type: str
  validate_certs:
    description: Whether to verify the API server's certificate; it is verified by default. Can also be given as E(K8S_AUTH_VERIFY_SSL).
    type: bool
    aliases: [verify_ssl]
  ca_cert:
    description: Path of the certificate authorities to trust. Can also be given as E(K8S_AUTH_SSL_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  client_cert:
    description: Path of a client certificate. Can also be given as E(K8S_AUTH_CERT_FILE).
    type: path
    aliases: [cert_file]
  client_key:
    description: Path of the client certificate's key. Can also be given as E(K8S_AUTH_KEY_FILE).
    type: path
    aliases: [key_file]
  proxy:
    description: URL of a proxy to the API server. Can also be given as E(K8S_AUTH_PROXY).
    type: str
  no_proxy:
    description: Hosts, domains and networks that are reached without the proxy, separated by commas. Can also be given as E(K8S_AUTH_NO_PROXY).
    type: str
  proxy_headers:
    description: Headers for the proxy.
    type: dict
    suboptions:
      proxy_basic_auth:
        description: C(user:password) for the proxy. Can also be given as E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH).
        type: str
      basic_auth:
        description: C(user:password) for basic authentication. Can also be given as E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH).
        type: str
      user_agent:
        description: User agent for the proxy. Can also be given as E(K8S_AUTH_PROXY_HEADERS_USER_AGENT).
        type: str
  persist_config:
    description: Whether to save a refreshed token in the kubeconfig file. Can also be given as E(K8S_AUTH_PERSIST_CONFIG).
    type: bool
  impersonate_user:
    description: User to act as. Can also be given as E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description: Groups to act as. Can also be given as E(K8S_AUTH_IMPERSONATE_GROUPS), separated by commas.
    type: list
    elements: str
requirements:
  - python >= 3.10
  - kubernetes >= 24.2.0
"""
