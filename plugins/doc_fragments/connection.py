# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig file, several paths joined by C(:), or the content as a dictionary. It can also be set as
        E(K8S_AUTH_KUBECONFIG).
      - Without O(kubeconfig), O(context), and O(host), a task that runs in a pod uses the pod's service account. Otherwise the files
        in E(KUBECONFIG) or C(~/.kube/config) are used.
      - The file is read in the same way as C(kubectl) reads it. C(as) and C(as-groups) are honored. C(as-uid) and C(as-user-extra) are
        refused.
      - A C(tokenFile) is read again every minute. When the API server refuses the login, a C(tokenFile) is read again and an C(exec) plugin
        is run again, once. A plugin has no terminal, so it cannot prompt for input. It must end within 60 seconds.
    type: raw
  context:
    description: Name of a context in the kubeconfig. The default is its current context. It can also be set as E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - URL of the API server. It can also be set as E(K8S_AUTH_HOST). It must begin with C(https://). A connection without TLS is only made
        to an address of the host that runs the task, such as the one of C(kubectl proxy), and only without a login.
      - It requires a login with O(api_key), O(client_cert), or O(username), so that no other login is sent to that host. The kubeconfig is
        then not read.
      - Without such an option, the login of a kubeconfig is used, but only when O(kubeconfig) or O(context) is set too. Neither the
        default kubeconfig nor the pod's service account is used for another server.
      - A login that comes from E(K8S_AUTH_API_KEY) or a similar variable together with E(K8S_AUTH_HOST), as from a credential of AWX, is
        sent to that server only. Another O(host) is refused, unless the task gives a login of its own, which then replaces the login of the
        environment. The same rule applies to the login of a kubeconfig that the task does not name itself, such as E(K8S_AUTH_KUBECONFIG).
    type: str
  api_key:
    description: Bearer token. It takes precedence over O(username). It can also be set as E(K8S_AUTH_API_KEY).
    type: str
  username:
    description:
      - User name for HTTP basic authentication, for a proxy in front of the API server that requires it. Requires O(password). It can
        also be set as E(K8S_AUTH_USERNAME).
    type: str
  password:
    description: Password for O(username). It can also be set as E(K8S_AUTH_PASSWORD).
    type: str
  validate_certs:
    description:
      - Whether to verify the certificate of the API server. By default it is verified, unless the kubeconfig disables that. It can also be
        set as E(K8S_AUTH_VERIFY_SSL).
    type: bool
    aliases: [verify_ssl]
  ca_cert:
    description:
      - Path of a file with the certificate authorities to trust. The default is the system's certificate authorities. It can also be set as
        E(K8S_AUTH_SSL_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  client_cert:
    description:
      - Path of a client certificate. Without O(client_key), the file must hold the key too. It can also be set as
        E(K8S_AUTH_CERT_FILE).
    type: path
    aliases: [cert_file]
  client_key:
    description: Path of the key of O(client_cert). It must not be encrypted. It can also be set as E(K8S_AUTH_KEY_FILE).
    type: path
    aliases: [key_file]
  proxy:
    description:
      - URL of a proxy to the API server. It can also be set as E(K8S_AUTH_PROXY).
      - If the task does not give the login itself, the task's proxy is used only if the certificate of the API server is verified, and not
        by an O(ca_cert) of the task. Otherwise the proxy could read the login.
      - A user and a password in it are sent to the proxy, unless O(proxy_headers.proxy_basic_auth) is given.
    type: str
  no_proxy:
    description:
      - Hosts, domains, and networks that are reached without the proxy, separated by commas. It can also be set as
        E(K8S_AUTH_NO_PROXY).
    type: str
  proxy_headers:
    description: Headers for the proxy.
    type: dict
    suboptions:
      proxy_basic_auth:
        description: C(user:password) for the proxy. It can also be set as E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH).
        type: str
      basic_auth:
        description: C(user:password) for basic authentication. It can also be set as E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH).
        type: str
      user_agent:
        description: User agent for the proxy. It can also be set as E(K8S_AUTH_PROXY_HEADERS_USER_AGENT).
        type: str
  persist_config:
    description:
      - It has no effect. It is accepted because C(kubernetes.core) has the same option, which can also be set as
        E(K8S_AUTH_PERSIST_CONFIG). A kubeconfig with an C(auth-provider) is refused. Use an C(exec) plugin instead.
    type: bool
  impersonate_user:
    description:
      - User to act as. It replaces C(as) and all related settings in the kubeconfig. It can also be set as E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description:
      - Groups to act as. Requires a user to act as. It can also be set as E(K8S_AUTH_IMPERSONATE_GROUPS), separated by commas.
    type: list
    elements: str
requirements:
  - python >= 3.10
  - PyYAML >= 6.0
  - urllib3 >= 1.26.5
  - certifi >= 2021.10.8
"""
