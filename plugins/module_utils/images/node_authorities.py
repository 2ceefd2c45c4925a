# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate authorities that a cluster gives its nodes in addition to the public ones. Pure.

The machine config operator adds `user-ca-bundle` and the bundle of the proxy to the authorities of the system (pkg/operator/sync.go
getTrustedBundle), and writes each key of the ConfigMap in `additionalTrustedCA` to `/etc/docker/certs.d/HOST[:PORT]/ca.crt`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..core.json_types import as_dict, as_list, as_str
from ..core.objects import Json, Kind, ObjectRef, metadata

__all__ = ["CONFIG_MAPS", "PROXY", "authorities_by_map", "authorities_for", "key_of_host"]

_USER_BUNDLE = "user-ca-bundle"
_BUNDLE_KEY = "ca-bundle.crt"
#: The list of the ConfigMaps with authorities. Other objects name them.
CONFIG_MAPS = ObjectRef(Kind("v1", "ConfigMap", "configmaps", "config map"), "openshift-config", "")
#: The proxy of the cluster, which can name another bundle.
PROXY = ObjectRef(Kind("config.openshift.io/v1", "Proxy", "proxies", "proxy config", namespaced=False), "", "cluster")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII)

#: The certificates of each ConfigMap, in PEM format, by its name and by the key in its data.
Authorities = Mapping[str, Mapping[str, "list[str]"]]


def authorities_by_map(listed: Json | None) -> Authorities:
    """Return the certificates in an answer to `CONFIG_MAPS`."""
    return {
        as_str(metadata(each).get("name")): {
            key: _CERTIFICATE.findall(as_str(text)) for key, text in as_dict(each.get("data")).items()
        }
        for each in map(as_dict, as_list(as_dict(listed).get("items")))
    }


def key_of_host(host: str) -> str:
    """Return the key of `host[:port]` in the ConfigMap of `additionalTrustedCA`: `HOST` or `HOST..PORT`."""
    return host.replace(":", "..")


def authorities_for(host: str, known: Authorities, image_config: Json | None, proxy: Json | None) -> str:
    """Return the certificates that nodes trust at `host[:port]` in addition to the public ones, each once, in PEM format."""
    places = (
        (_USER_BUNDLE, _BUNDLE_KEY),
        (_name_in(proxy, "trustedCA"), _BUNDLE_KEY),
        (_name_in(image_config, "additionalTrustedCA"), key_of_host(host)),
    )
    return "\n".join(dict.fromkeys(each for name, key in places for each in known.get(name, {}).get(key, ())))


def _name_in(config: Json | None, member: str) -> str:
    return as_str(as_dict(as_dict(as_dict(config).get("spec")).get(member)).get("name"))
