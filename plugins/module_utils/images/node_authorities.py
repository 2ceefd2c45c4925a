# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate authorities that a cluster gives its nodes in addition to the public ones. Pure.

The machine config operator adds `user-ca-bundle` and the bundle of the proxy to the authorities of the system (pkg/operator/sync.go
getTrustedBundle), and writes each key of the ConfigMap in `additionalTrustedCA` to `/etc/docker/certs.d/HOST[:PORT]/ca.crt`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_str

__all__ = ["CONFIG_MAP", "PROXY", "additional_ref", "authorities_for", "bundle_refs", "key_of_host"]

CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps", "config map")
_NAMESPACE = "openshift-config"
_USER_BUNDLE = "user-ca-bundle"
_BUNDLE_KEY = "ca-bundle.crt"
#: The proxy of the cluster, which can name another bundle.
PROXY = ObjectRef(Kind("config.openshift.io/v1", "Proxy", "proxies", "proxy config", namespaced=False), "", "cluster")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII)


def bundle_refs(proxy: Json | None) -> Sequence[ObjectRef]:
    """Return the ConfigMaps with authorities for all registries."""
    named = _name_in(proxy, "trustedCA")
    return [_config_map(name) for name in dict.fromkeys((_USER_BUNDLE, named)) if name]


def additional_ref(image_config: Json | None) -> ObjectRef | None:
    """Return the ConfigMap with authorities for single registries, or None if the image config names none."""
    named = _name_in(image_config, "additionalTrustedCA")
    return _config_map(named) if named else None


def key_of_host(host: str) -> str:
    """Return the key of such a ConfigMap for `host[:port]`: `HOST` or `HOST..PORT`."""
    return host.replace(":", "..")


def authorities_for(host: str, bundles: Iterable[Json | None], additional: Json | None) -> Sequence[str]:
    """Return the certificates that nodes trust at `host[:port]` in addition to the public ones, each once, in PEM format."""
    texts = [as_str(as_dict(as_dict(bundle).get("data")).get(_BUNDLE_KEY)) for bundle in bundles]
    texts.append(as_str(as_dict(as_dict(additional).get("data")).get(key_of_host(host))))
    return list(dict.fromkeys(found for text in texts for found in _CERTIFICATE.findall(text)))


def _name_in(config: Json | None, member: str) -> str:
    return as_str(as_dict(as_dict(as_dict(config).get("spec")).get(member)).get("name"))


def _config_map(name: str) -> ObjectRef:
    return ObjectRef(CONFIG_MAP, _NAMESPACE, name)
