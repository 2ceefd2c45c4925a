# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registries that the nodes can reach. No object of a cluster shows this. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ..core.objects import Kind, ObjectRef
from ..dockerconfig.registry_keys import DOCKER_HUB
from .references import Reference
from .registry_sources import Mirrors

__all__ = ["NODE_NETWORK", "NodeNetwork", "is_cluster_host", "limit_mirrors", "network_ref"]

#: Not an object of the API. The name is the `host[:port]` of a registry. The answer has `reached`, whether the nodes reach it, `limited`,
#: whether they reach only some registries, `unproven`, whether nothing shows that they have used it, and `loss`, the authority that they lose for
#: it, with the reason in `unread` if that is not certain. Without an answer, nothing is known.
NODE_NETWORK = Kind("", "NodeNetwork", "nodenetworks", "network of the nodes", namespaced=False)

#: The hosts that nodes ask for images of Docker Hub: its registry, and its token service even without a login (containers/image
#: docker/docker_client.go). Its other names stand for all of its hosts.
_HOSTS_OF_HUB = ("registry-1.docker.io", "auth.docker.io")
_NAMES_OF_HUB = DOCKER_HUB.difference(_HOSTS_OF_HUB)
#: The hosts of services. Nodes reach them inside the cluster.
_OF_SERVICES = (".svc", ".svc.cluster.local")
_PORT = re.compile(r":([0-9]+)\Z")
#: The port of a registry without one: that of HTTPS.
_DEFAULT_PORT = "443"


@dataclass(frozen=True)
class NodeNetwork:
    """The registries, as `host[:port]`, that the nodes cannot reach, or the only ones that they reach (None: no such limit).

    A host without a port stands for all its ports, and `*.example.com` for all hosts below it. An image of a host without a port comes from
    port 443.
    """

    unreachable: Sequence[str] = ()
    only: Sequence[str] | None = None

    def reaches(self, host: str) -> bool:
        """Whether the nodes reach a registry. Services of the cluster are never outside."""
        return all(map(self._reaches_host, _HOSTS_OF_HUB if host in DOCKER_HUB else (host,)))

    def _reaches_host(self, host: str) -> bool:
        if any(_is_host(host, each) for each in self.unreachable):
            return False
        return self.only is None or is_cluster_host(host) or any(_is_host(host, each) for each in self.only)


@lru_cache(maxsize=1024)
def network_ref(host: str) -> ObjectRef:
    """Return the reference for the question whether the nodes reach a registry, given as `host[:port]`."""
    return ObjectRef(NODE_NETWORK, "", host)


def limit_mirrors(reference: Reference, found: Mirrors | None, reaches: Callable[[str], bool]) -> Mirrors | None:
    """Return the mirrors of an image without those that the nodes do not reach.

    Nodes try the next place if a registry does not answer, so an unreachable source is like one that is never contacted.
    """
    locations = found.mirrors if found is not None else ()
    lost = [each for each in locations if not reaches(_host_of(each))]
    is_source_lost = not reaches(reference.host)
    if not lost and not is_source_lost:
        return found
    known = found or Mirrors(reference.repository, (), False, ())
    hosts = dict.fromkeys([*map(_host_of, lost), *([reference.host] if is_source_lost else [])])
    return replace(
        known,
        mirrors=[each for each in known.mirrors if each not in lost],
        never_source=known.never_source or is_source_lost,
        unreachable=tuple(hosts),
    )


def is_cluster_host(host: str) -> bool:
    """Whether the host is that of a service of the cluster, such as the integrated registry."""
    return host.partition(":")[0].endswith(_OF_SERVICES)


def _host_of(location: str) -> str:
    return location.partition("/")[0]


def _is_host(host: str, wanted: str) -> bool:
    name, port = _split(host)
    wanted_name, wanted_port = _split(wanted)
    if wanted_port and wanted_port != (port or _DEFAULT_PORT):
        return False
    if wanted_name.startswith("*."):
        return name.endswith(wanted_name[1:])
    return name == wanted_name or (wanted_name in _NAMES_OF_HUB and name in _HOSTS_OF_HUB)


def _split(host: str) -> tuple[str, str]:
    """Name and port of `host[:port]`. The port is empty if none is given. An IPv6 address is in brackets."""
    found = _PORT.search(host)
    return (host[: found.start()], found[1]) if found else (host, "")
