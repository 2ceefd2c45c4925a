# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces whose workloads need the secrets of an owner, on an API server in memory and with a registry on loopback."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import INSTANCE, MANAGED_BY

from support.certificates import loopback_certificate
from support.fake_api import FakeApi
from support.in_memory import InMemory
from support.objects import b64
from support.scripted_pool import Answer

__all__ = ["guarded_prune", "make_api", "put_account", "put_deployment", "put_secret"]

OWNED = {"labels": {**MANAGED_BY, INSTANCE: "a"}}


def make_api(*namespaces: str) -> FakeApi:
    api = FakeApi()
    for path, answer in (("/apis", {"groups": [{"name": "apps"}]}), ("/version", {"gitVersion": "v1.33.3"})):
        api.fail(f"GET {path}$", Answer(200, answer), times=10**9)
    for name in namespaces:
        api.put("namespaces", "", name)
        api.put("serviceaccounts", name, "default")
    return api


def put_secret(api: FakeApi, namespace: str, name: str, *keys: str) -> None:
    """A secret of owner a with the registry's login under these keys."""
    auth = b64(b"u:p")
    text = json.dumps({"auths": {key: {"auth": auth} for key in keys}})
    data = {".dockerconfigjson": b64(text)}
    api.put("secrets", namespace, name, type="kubernetes.io/dockerconfigjson", data=data, metadata=OWNED)


def put_account(api: FakeApi, namespace: str, *secrets: str, name: str = "default") -> None:
    api.put("serviceaccounts", namespace, name, imagePullSecrets=[{"name": each} for each in secrets])


def put_deployment(api: FakeApi, namespace: str, name: str, image: str, account: str = "default") -> None:
    """A deployment whose next pod gets the secrets of its account."""
    template = {"spec": {"containers": [{"name": "c", "image": image}], "serviceAccountName": account}}
    api.put("deployments", namespace, name, spec={"template": template})


def guarded_prune(cluster: InMemory, registry: str, **options: Any) -> dict[str, Any]:
    """Prune owner a, who declares only what `options` have, with the guard."""
    given: dict[str, Any] = {"secrets": [], "links": [], "grants": [], "prune_everything": True, "max_prune": "100%"}
    access = {"registry_ca_cert": loopback_certificate(), "realm_hosts": [registry]}
    return cluster.run("pull_access_prune", owner="a", **{"guard": "what_if", **given, **access, **options})
