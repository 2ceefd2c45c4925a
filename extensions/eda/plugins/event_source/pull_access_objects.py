# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source for ansible-rulebook that reports new namespaces, service accounts and pull secrets of a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
short_description: Report changes of the namespaces, service accounts and secrets of a cluster
description:
  - Reports the namespaces with changes to a rulebook, so that a playbook can give them their pull access within seconds.
  - The source first reports all existing objects. After that, an event contains the differences from the known state. So nothing is missed
    or reported twice when a connection breaks, when the API server restarts, or when it no longer has the history of changes.
  - The source requests only the metadata of objects. The data of a secret never reaches it.
  - Project users choose much of the text in a cluster. An event contains only text that Kubernetes restricts - names, labels and times -
    and no annotations, so that Ansible never treats text in it as a template. See RV(objects) for other names.
  - Changes within a short time become one event with a list of namespaces. The list never contains a namespace that is being deleted.
  - The source never ends by itself. When the cluster does not respond, an event reports that. Another event follows when the cluster
    responds again.
  - The Python that runs ansible-rulebook needs ansible-core 2.16, urllib3 1.26.5 and certifi, or newer ones. The collection must be in a
    location where C(ansible-galaxy collection list) finds it.
version_added: 1.0.0
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
options:
  kinds:
    description:
      - The kinds to watch, in all selected namespaces.
      - By default, namespaces, and all service accounts except the accounts that every namespace has from the start. The caller needs the
        rights to C(list) and C(watch) each kind in the whole cluster.
    type: list
    elements: dict
    default:
      - kind: Namespace
      - kind: ServiceAccount
        exclude: [default, builder, deployer]
    suboptions:
      kind:
        description: The kind of object. Each kind can be given once.
        type: str
        choices: [Namespace, ServiceAccount, Secret, RoleBinding]
        required: true
      label_selector:
        description: A label selector. An object that it no longer selects counts as deleted.
        type: str
      include:
        description: Globs of names. By default, all names.
        type: list
        elements: str
      exclude:
        description: Globs of names to exclude.
        type: list
        elements: str
      changes:
        description:
          - The changes of an object to report.
          - V(existing) means that the object existed when the source started, or is reported again. V(changed) means that its labels
            changed. V(terminating) means that its deletion has begun.
          - The default is V(existing), V(created) and V(changed).
        type: list
        elements: str
        choices: [existing, created, changed, terminating, deleted]
  namespaces:
    description: Globs of the namespaces to watch.
    type: list
    elements: str
    default: ["*"]
  exclude_namespaces:
    description: Globs of namespaces to exclude.
    type: list
    elements: str
  system_namespaces:
    description: Whether to watch the platform's own namespaces as well, such as C(kube-system) and C(openshift-*).
    type: bool
    default: false
  batch_seconds:
    description:
      - Seconds without a new change after which an event is reported. An event is reported after five times this number of seconds in any
        case.
      - With V(0), each change is reported at once.
    type: float
    default: 2
  batch_size:
    description: Maximum number of namespaces in an event. An event with this number of namespaces is reported at once.
    type: int
    default: 500
  resync_seconds:
    description:
      - Seconds after which all objects are listed again and compared with the known state. This finds changes that a broken proxy withheld.
    type: float
    default: 600
  repeat_seconds:
    description:
      - Seconds after which, with the next list, all namespaces are reported again as V(existing). So tasks that a run could not complete
        are tried again, and changes by others are fixed. With V(0), this never happens.
      - If no namespaces are watched, this applies to all objects.
    type: float
    default: 3600
  kubeconfig:
    description:
      - Path of a kubeconfig file, several paths joined by C(:), or the content as a dictionary. It can also be set as
        E(K8S_AUTH_KUBECONFIG).
      - This and all further options are the same as in the modules, with the same meaning and the same order of precedence. An empty string
        counts as not given.
    type: raw
  context:
    description: Name of a context in the kubeconfig. It can also be set as E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description: URL of the API server. It can also be set as E(K8S_AUTH_HOST).
    type: str
  api_key:
    description: Bearer token. It can also be set as E(K8S_AUTH_API_KEY).
    type: str
  username:
    description: User name for HTTP basic authentication. It can also be set as E(K8S_AUTH_USERNAME).
    type: str
  password:
    description: Password for O(username). It can also be set as E(K8S_AUTH_PASSWORD).
    type: str
  validate_certs:
    description: Whether to verify the certificate of the API server. It can also be set as E(K8S_AUTH_VERIFY_SSL).
    type: bool
    aliases: [verify_ssl]
  ca_cert:
    description: Path of a file with the certificate authorities to trust. It can also be set as E(K8S_AUTH_SSL_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  client_cert:
    description: Path of a client certificate. It can also be set as E(K8S_AUTH_CERT_FILE).
    type: path
    aliases: [cert_file]
  client_key:
    description: Path of the key of O(client_cert). It can also be set as E(K8S_AUTH_KEY_FILE).
    type: path
    aliases: [key_file]
  proxy:
    description: URL of a proxy to the API server. It can also be set as E(K8S_AUTH_PROXY).
    type: str
  no_proxy:
    description: Hosts, domains, and networks that are reached without the proxy. It can also be set as E(K8S_AUTH_NO_PROXY).
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
    description: User to act as. It can also be set as E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description: Groups to act as. It can also be set as E(K8S_AUTH_IMPERSONATE_GROUPS), separated by commas.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Watch for new namespaces and service accounts, with the connection of the K8S_AUTH_* variables
  openshift_ops.image_pull.pull_access_objects:

- name: Watch for namespaces of one team, and for deleted pull secrets of this collection
  openshift_ops.image_pull.pull_access_objects:
    kubeconfig: /etc/eda/kubeconfig
    namespaces: ["team-a-*"]
    batch_seconds: 1
    kinds:
      - kind: Namespace
        label_selector: example.com/team=team-a
      - kind: Secret
        label_selector: app.kubernetes.io/managed-by=openshift_ops.image_pull
        changes: [deleted]
"""

RETURN = r"""
type:
  description: V(objects) for an event about new objects, V(health) for an event about the connection.
  type: str
  returned: always
  sample: objects
cluster:
  description: The URL of the API server. It is empty until there is a connection to it.
  type: str
  returned: always
  sample: https://api.example.com:6443
namespaces:
  description:
    - The namespaces in which an object was created, was changed or, for secrets and role bindings, was deleted. For
      C(image_pull_only_namespaces).
    - Namespaces that are being deleted are omitted.
  type: list
  elements: str
  returned: when O(ignore:type) is V(objects)
  sample: [project-a, project-b]
count:
  description: Number of these namespaces. It may be 0.
  type: int
  returned: when O(ignore:type) is V(objects)
  sample: 2
objects:
  description:
    - The new objects. C(labels) and C(deletion_timestamp) are present if they are not empty. If an object has more than 100 labels, or
      4,000 characters in them, only the first ones by their keys are included.
    - Names of role bindings can be any text. If a C(name) has other characters than letters, digits and C(._:@+-), it is replaced by
      C(hex/) and its bytes in hexadecimal digits, 253 at most. No name in Kubernetes has a C(/).
    - At most 200 objects of each namespace are listed. RV(omitted) counts the others.
  type: list
  elements: dict
  returned: when O(ignore:type) is V(objects)
  sample:
    - kind: Namespace
      namespace: project-a
      name: project-a
      change: created
      labels: {kubernetes.io/metadata.name: project-a}
omitted:
  description: Number of further new objects in the namespaces.
  type: int
  returned: when O(ignore:type) is V(objects)
  sample: 0
state:
  description:
    - V(lost) if no more changes of a kind are received. A failure of the whole cluster is reported once for all kinds. A missing right is
      reported once for each kind, and the other kinds continue.
    - V(degraded) if changes of a kind are still reported, but the kind cannot be listed again, so that changes that a broken connection
      withheld are not found.
    - V(connected) if all kinds are watched, except kinds with a reported failure. Sent at the start and at the end of a failure.
  type: str
  returned: when O(ignore:type) is V(health)
  sample: lost
kind:
  description: The first kind with the failure.
  type: str
  returned: when O(ignore:state) is V(lost) or V(degraded)
  sample: Namespace
message:
  description: The attempt, the response, and the steps to take. Characters that a template could need are replaced by question marks.
  type: str
  returned: when O(ignore:state) is V(lost) or V(degraded)
kinds:
  description: The kinds that are watched.
  type: list
  elements: str
  returned: when O(ignore:state) is V(connected)
  sample: [Namespace]
missing:
  description: The kinds of which no changes are received.
  type: list
  elements: str
  returned: when O(ignore:state) is V(connected)
  sample: [ServiceAccount]
unlisted:
  description: The kinds that are watched but cannot be listed again.
  type: list
  elements: str
  returned: when O(ignore:state) is V(connected)
  sample: []
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

# ansible-rulebook runs this file by its path, without support for collections, so the folder of the collections must be in sys.path.
_ABOVE = Path(__file__).absolute().parents
if len(_ABOVE) > 7 and _ABOVE[6].name == "ansible_collections" and str(_ABOVE[7]) not in sys.path:
    sys.path.append(str(_ABOVE[7]))

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.events import (
    CHANGES,
    KINDS,
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.run import follow_objects
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.event_source import (
    Queue,
    event_source,
    forward_events,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.options import CONNECTION_OPTIONS

ARGUMENTS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "kinds": {
        "type": "list",
        "elements": "dict",
        "options": {
            "kind": {"type": "str", "choices": [*KINDS], "required": True},
            "label_selector": {"type": "str"},
            "include": {"type": "list", "elements": "str"},
            "exclude": {"type": "list", "elements": "str"},
            "changes": {"type": "list", "elements": "str", "choices": [*CHANGES]},
        },
        "default": [{"kind": "Namespace"}, {"kind": "ServiceAccount", "exclude": ["default", "builder", "deployer"]}],
    },
    "namespaces": {"type": "list", "elements": "str", "default": ["*"]},
    "exclude_namespaces": {"type": "list", "elements": "str"},
    "system_namespaces": {"type": "bool", "default": False},
    "batch_seconds": {"type": "float", "default": 2},
    "batch_size": {"type": "int", "default": 500},
    "resync_seconds": {"type": "float", "default": 600},
    "repeat_seconds": {"type": "float", "default": 3600},
}


async def main(queue: Queue, args: dict[str, Any]) -> None:
    """Put events into the queue of a rulebook, and never return."""
    with event_source("pull_access_objects", ARGUMENTS, args) as source:
        settings = from_options(source.params)
        await forward_events(
            queue,
            args,
            lambda tell, stop: follow_objects(settings, source.cluster, lambda event: tell(source.mask(event)), stop),
        )


class _Printed:
    """A replacement for a rulebook's queue that prints each event."""

    async def put(self, event: dict[str, Any]) -> None:
        print(json.dumps(event), flush=True)


if __name__ == "__main__":
    # Print the events of a cluster until Ctrl-C. The optional argument is a JSON object with options.
    asyncio.run(main(_Printed(), json.loads(sys.argv[1]) if sys.argv[1:] else {}))
