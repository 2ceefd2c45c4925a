# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes the OpenShift description of the cluster for one test, and restores it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from support.lab import Lab
from support.objects import role_binding, user_subject

CONFIG = "/apis/config.openshift.io/v1"
CLUSTER_VERSION = f"{CONFIG}/clusterversions/version"
IMAGE_REGISTRY_OPERATOR = f"{CONFIG}/clusteroperators/image-registry"
REGISTRY_SERVICE = "/api/v1/namespaces/openshift-image-registry/services/image-registry"


@contextmanager
def described(
    lab: Lab, *, version: str = "", capabilities: Mapping[str, Any] | None = None, without: Collection[str] = ()
) -> Iterator[None]:
    """Set another `version` and other `capabilities` (a key with None is removed), and remove the objects under the paths `without`.

    The controllers are restarted. Without REGISTRY_SERVICE they do not know a name of the registry, and their secrets stay empty.
    The provisioner's mode, which decides what they do, stays the same.
    """
    status: dict[str, Any] = {}
    if version:
        status["desired"] = {"version": version}
    if capabilities is not None:
        status["capabilities"] = dict(capabilities)
    try:
        lab.api("PATCH", CLUSTER_VERSION, {"status": status})
        for path in without:
            lab.api("DELETE", path)
        lab.run("set", "--dir", str(lab.dir), "--provision-delay", "0s")
        yield
    finally:
        lab.run("set", "--dir", str(lab.dir), "--provisioner", lab.data["provisioner"])


def allow(lab: Lab, user: str, *rules: Mapping[str, Any]) -> str:
    """A user with exactly these rights in all namespaces. A rule is `{resource: verbs}`, or as in a cluster role."""
    root = "/apis/rbac.authorization.k8s.io/v1"
    lab.api("POST", f"{root}/clusterroles", {"metadata": {"name": user}, "rules": [*map(_whole, rules)]})
    lab.api("POST", f"{root}/clusterrolebindings", role_binding(user, user_subject(user), role=user))
    return user


def allow_in(lab: Lab, namespace: str, user: str, *rules: Mapping[str, Any]) -> str:
    """A user with exactly these rights in one namespace."""
    lab.create(namespace, "roles", {"metadata": {"name": user}, "rules": [*map(_whole, rules)]})
    lab.create(namespace, "rolebindings", role_binding(user, user_subject(user), role=user, kind="Role"))
    return user


def _whole(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    return rule if "verbs" in rule else _rule(rule)


def _rule(short: Mapping[str, Any]) -> dict[str, Any]:
    ((resource, verbs),) = short.items()
    name, _dot, group = resource.partition(".")
    return {"apiGroups": [group], "resources": [name], "verbs": list(verbs)}
