# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name that a user writes into an object, and that no object can have, is a missing object for every module.

It never becomes another path or a part of a selector, and changes nothing in another namespace. The API server checks few of these names.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from support.fake_api import FakeApi
from support.in_memory import in_memory
from support.objects import b64
from support.scripted_pool import Answer

#: A valid name of no object.
ABSENT = "absent"
NAMES = {
    "percent": "50%off",
    "slash": "a/b",
    "parent": "..",
    "dot": ".",
    "empty": "",
    "long": "a" * 300,
    "unicode": "gehëim",
    "newline": "a\nb",
    "query": "?x=y",
    "fragment": "#",
    "selector": "a,metadata.namespace!=b",
}
OLD = {"username": "u", "password": "canary-old-1"}
LOGIN = {"registry": "quay.io", **OLD}
CONTENT = base64.b64encode(json.dumps({"auths": {"quay.io": {"auth": b64(b"u:canary-old-1")}}}).encode())
OWNED = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/instance": "team"}
NAMESPACES = ["good", *(f"evil-{number}" for number in range(5))]
BOTH: dict[str, Any] = {"namespaces": NAMESPACES}
#: The options of each module that reads objects whose names other objects contain.
WORK: dict[str, dict[str, Any]] = {
    "credential_rotation": {**BOTH, "registries": ["quay.io"], "old": OLD, "new": {**OLD, "password": "canary-new-1"},
                            "verify": False},
    "image_puller_grant": {**BOTH, "projects": ["consumer"]},
    "pull_access_audit": BOTH,
    "pull_access_export": BOTH,
    "pull_access_images": BOTH,
    "pull_access_info": BOTH,
    "pull_access_prune": {"owner": "team", "secrets": [{**BOTH, "name": "quay", "registries": [LOGIN]}]},
    "pull_access_what_if": {**BOTH, "changes": [{"registry_down": "quay.io"}]},
    "pull_secret_info": {**BOTH, "name": "quay"},
    "sa_link": {**BOTH, "secrets": ["quay"], "service_accounts": ["*"], "link_for": ["pull", "mount"],
                "wait_timeout": 0},
    "sa_wait": {**BOTH, "timeout": 0},
}  # fmt: skip


def place(api: FakeApi, namespace: str, name: str) -> None:
    """Create a namespace with the name wherever a user can write the name of another object."""
    api.put("namespaces", "", namespace)
    named = {"name": name}
    api.put(
        "secrets",
        namespace,
        "quay",
        type="kubernetes.io/dockerconfigjson",
        data={".dockerconfigjson": CONTENT.decode()},
    )
    api.put(
        "secrets",
        namespace,
        "old",
        type="kubernetes.io/dockerconfigjson",
        data={".dockerconfigjson": CONTENT.decode()},
        metadata={"labels": OWNED},
    )
    lists = [{"name": "quay"}, named, {"name": "old"}]
    api.put("serviceaccounts", namespace, "default", imagePullSecrets=lists, secrets=lists)
    for image in ("quay.io/team/app:1", "app", "image-registry.openshift-image-registry.svc:5000/good/app:1"):
        spec = {
            "serviceAccountName": name,
            "imagePullSecrets": [named],
            "containers": [{"name": "c", "image": image}],
            "volumes": [{"name": "v", "image": {"reference": image}}, {"name": "s", "secret": {"secretName": name}}],
            "nodeName": name,
        }
        title = f"app-{len(image)}"
        api.put("pods", namespace, title, spec=spec, status={"containerStatuses": [{"name": "c", "state": {}}]})
        api.put("pods", namespace, f"{title}-1", spec={**spec, "serviceAccountName": "default"}, status={})
        trigger = {
            "from": {"kind": "ImageStreamTag", "name": f"{name}:1", "namespace": name},
            "fieldPath": 'spec.template.spec.containers[?(@.name=="c")].image',
        }
        notes = {"image.openshift.io/triggers": json.dumps([trigger])}
        api.put("deployments", namespace, title, metadata={"annotations": notes}, spec={"template": {"spec": spec}})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    subjects = [
        {"kind": "ServiceAccount", "name": name, "namespace": "good"},
        {"kind": "ServiceAccount", "name": "default", "namespace": name},
        {"kind": "Group", "name": f"system:serviceaccounts:{name}"},
        {"kind": "User", "name": f"system:serviceaccount:{name}:{name}"},
    ]
    api.put("rolebindings", namespace, "theirs", roleRef=role, subjects=subjects, metadata={"labels": OWNED})
    api.put("rolebindings", namespace, "own", roleRef={**role, "kind": "Role"}, subjects=subjects)
    api.put("rolebindings", namespace, "pull", roleRef={**role, "name": "system:image-puller"}, subjects=subjects)
    origin = {"kind": "ImageStreamTag", "name": f"{name}:1", "namespace": name}
    tag = {"name": "1", "from": origin}
    api.put(
        "imagestreams", namespace, "app", spec={"tags": [tag], "lookupPolicy": {"local": True}}, status={"tags": []}
    )
    strategy = {"dockerStrategy": {"pullSecret": named, "from": origin}}
    build = {"serviceAccount": name, "output": {"pushSecret": named, "to": origin}, "strategy": strategy}
    api.put("buildconfigs", namespace, "build", spec=build)


def world(name: str) -> FakeApi:
    api = FakeApi()
    groups = [{"name": group} for group in ("apps", "image.openshift.io", "build.openshift.io", "apps.openshift.io")]
    for path, answer in (("/apis$", {"groups": groups}), ("/version$", {"gitVersion": "v1.36.3"})):
        api.fail(f"GET {path}", Answer(200, answer), times=10**9)
    api.put("clusterroles", "", "system:image-puller")
    api.review = lambda _spec: {"allowed": True}
    place(api, "good", "quay")
    for namespace in NAMESPACES[1:]:
        place(api, namespace, name)
    return api


def done(module: str, name: str) -> tuple[set[str], dict[str, Any]]:
    """The requests, and the result of the module."""
    api = world(name)
    with in_memory(api) as cluster:
        result = cluster.run(module, **WORK[module])
    return {*api.asked}, result


@pytest.fixture(scope="module", params=sorted(WORK))
def usual(request: pytest.FixtureRequest) -> Iterator[tuple[str, set[str], dict[str, Any]]]:
    yield (request.param, *done(request.param, ABSENT))


@pytest.mark.parametrize("name", NAMES.values(), ids=[*NAMES])
def test_a_name_that_cannot_exist_is_a_missing_object(usual: tuple[str, set[str], dict[str, Any]], name: str) -> None:
    module, requests, before = usual
    asked, result = done(module, name)
    # A role can have such a name, and its path is escaped.
    escaped = quote(name, safe="")
    allowed = requests | {text.replace(ABSENT, escaped) for text in requests if "/apis/" in text}
    assert not name or asked <= allowed, "an empty name is as none"
    assert not [text for text in asked if "/.." in text or "namespace%21" in text.partition("?")[2]]
    assert "internal error" not in json.dumps(result)
    assert [each["namespace"] for each in result.get("failures", ())] == [
        each["namespace"] for each in before.get("failures", ())
    ]
    assert of_good(result) == of_good(before)


def of_good(result: dict[str, Any]) -> list[Any]:
    return [each for each in result.get("namespaces", ()) if each["name"] == "good"]
