# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the lab a management cluster for hosted clusters."""

from __future__ import annotations

from typing import Any

from support.lab import Lab
from support.objects import b64

__all__ = ["PULL_SECRET", "host_a_cluster"]

PULL_SECRET = "prod-pull"

_GROUP = "hypershift.openshift.io"
_KINDS = (("hostedclusters", "HostedCluster"), ("nodepools", "NodePool"))
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def host_a_cluster(lab: Lab, namespace: str) -> None:
    """Create the hosted cluster `prod`, with its pull secret and two node pools. Existing objects stay unchanged."""
    for plural, kind in _KINDS:
        _define(lab, plural, kind)
    content = b64(b'{"auths": {"quay.io": {"auth": "dTpw"}}}')
    secret = {"metadata": {"name": PULL_SECRET}, "type": "kubernetes.io/dockerconfigjson"}
    body = {**secret, "data": {".dockerconfigjson": content}}
    lab.api("POST", f"/api/v1/namespaces/{namespace}/secrets", body, expect=(201, 409))
    _make(lab, namespace, "hostedclusters", "prod", {"pullSecret": {"name": PULL_SECRET}})
    for name, strategy in (("workers", "Replace"), ("inplace", "InPlace")):
        spec = {"clusterName": "prod", "management": {"upgradeType": strategy}, "platform": {"type": "AWS"}}
        _make(lab, namespace, "nodepools", name, spec)


def _make(lab: Lab, namespace: str, plural: str, name: str, spec: dict[str, Any]) -> None:
    body = {"apiVersion": f"{_GROUP}/v1beta1", "kind": dict(_KINDS)[plural], "metadata": {"name": name}, "spec": spec}
    lab.api("POST", f"/apis/{_GROUP}/v1beta1/namespaces/{namespace}/{plural}", body, expect=(201, 409))


def _define(lab: Lab, plural: str, kind: str) -> None:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1beta1", "served": True, "storage": True, "schema": schema}
    spec = {"group": _GROUP, "scope": "Namespaced", "names": {"plural": plural, "kind": kind}, "versions": [version]}
    lab.api("POST", _DEFINITIONS, {"metadata": {"name": f"{plural}.{_GROUP}"}, "spec": spec}, expect=(201, 409))
    lab.until(lambda: _is_established(lab.api("GET", f"{_DEFINITIONS}/{plural}.{_GROUP}")), f"{plural} are established")
    served = f"/apis/{_GROUP}/v1beta1/{plural}"
    lab.until(lambda: "items" in lab.api("GET", served, expect=(200, 429)), f"{plural} are served")


def _is_established(definition: dict[str, Any]) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
