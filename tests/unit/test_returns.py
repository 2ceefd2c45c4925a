# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The RETURN of each module's page is complete and matches the results.

Every run of a module in these tests, on the lab and in memory, is compared with its page (support/modules.py, support/in_memory.py).
The runs in this file return members that are rarely present.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fake_api import FakeApi
from support.in_memory import InMemory, in_memory
from support.objects import b64
from support.returns import FREE, misdescribed, returned, undocumented

MODULES = sorted(path.stem for path in (Path(__file__).parents[2] / "plugins/modules").glob("*.py"))
LOGIN = [{"registry": "registry.example.com", "username": "a", "password": "b-long-one"}]


def values(page: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each documented value with its path."""
    for name, value in page.items():
        yield f"{above}{name}", value
        yield from values(value.get("contains") or {}, f"{above}{name}.")


@pytest.mark.parametrize("module", MODULES)
class TestPage:
    def test_each_return_value_is_described(self, module: str) -> None:
        for path, value in values(returned(module)):
            assert value["description"], path
            assert value["type"], path
            assert ("elements" in value) is (value["type"] == "list"), path
        assert all(value["returned"] for value in returned(module).values())

    def test_a_mapping_names_its_members_unless_they_are_not_its_own(self, module: str) -> None:
        mappings = {
            path: value for path, value in values(returned(module)) if "dict" in (value["type"], value.get("elements"))
        }
        free = FREE.get(module, set())
        assert {path for path, value in mappings.items() if "contains" not in value} == free & {*mappings}
        assert free <= {*mappings}


def test_modules_for_one_cluster_return_the_server_alike() -> None:
    pages = {module: returned(module).get("server") for module in MODULES}
    assert {module for module, page in pages.items() if page is None} == {
        "declared_access",
        "ocm_pull_secret_info",
        "pull_access_report",
        "registry_auth_info",
    }
    assert len({str(page) for page in pages.values() if page}) == 1


def test_an_undocumented_return_value_is_found() -> None:
    """The check finds values at the top level and in a list, and ignores members whose names come from the cluster."""
    change = {
        "action": "update",
        "kind": "Secret",
        "name": "a",
        "secret": 1,
        "registries": {"changed": {"quay.io": []}},
    }
    found = undocumented(
        "pull_secret", {"changed": True, "surprise": 1, "namespaces": [{"name": "a", "changes": [change]}]}
    )
    assert found == ["namespaces.changes.secret", "surprise"]


def test_a_wrongly_documented_return_value_is_found() -> None:
    """The check finds wrong types at the top, in lists and of elements, undocumented nulls, and missing values documented as always returned."""
    account = {"name": "a", "exists": 1, "provisioned": True, "pull_secret": None, "reason": None}
    namespace = {"name": 1, "changed": False, "changes": ["x"], "service_accounts": [account]}
    found = misdescribed("sa_wait", {"namespaces": [namespace], "failures": "none"})
    assert found == [
        "failures (str)",
        "namespaces.changes[] (str)",
        "namespaces.name (int)",
        "namespaces.service_accounts.exists (int)",
        "namespaces.service_accounts.reason (null)",
        "namespaces.status (not there)",
    ]


@pytest.fixture
def api() -> FakeApi:
    api = FakeApi()
    for name in ("a", "b"):
        api.put("namespaces", "", name)
        api.put("serviceaccounts", name, "default", imagePullSecrets=[{"name": "twice"}, {"name": "twice"}])
    api.put("clusterroles", "", "system:image-puller")
    return api


@pytest.fixture
def server(api: FakeApi) -> Iterator[InMemory]:
    with in_memory(api) as server:
        yield server


def config(password: str = "p", **more: Any) -> dict[str, str]:
    auth = b64(f"u:{password}")
    text = json.dumps({"auths": {"quay.io": {"auth": auth}}, **more})
    return {".dockerconfigjson": b64(text)}


def test_pull_secret_returns_documented_values(api: FakeApi, server: InMemory) -> None:
    """The secret is created, changed, replaced with its labels, deleted, refused, and absent."""
    api.put("secrets", "a", "other", type="Opaque", data={})
    api.put("secrets", "a", "old", type="kubernetes.io/dockercfg", data={".dockercfg": "e30="})
    api.put("secrets", "a", "bad", type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": "bm8="})
    names = ("new", "other", "old", "bad")
    entries = [{"name": name, "namespaces": ["a"], "registries": LOGIN} for name in names]
    more = {"labels": {"x": "y"}, "annotations": {"x": "y"}, "immutable": True, "recreate": True}
    result = server.run("pull_secret", secrets=[{**entry, **more} for entry in entries])
    changes = result["namespaces"][0]["changes"]
    assert {"type", "labels", "annotations", "previous_content", "entries"} <= {key for each in changes for key in each}
    assert result["failures"][0]["title"]
    gone = server.run("pull_secret", namespaces=["a"], name="none", mode="remove", registries=LOGIN, delete_empty=True)
    assert gone["namespaces"][0]["exists"] is False


def test_sa_link_returns_documented_values(api: FakeApi, server: InMemory) -> None:
    api.put("secrets", "a", "ours", type="kubernetes.io/dockerconfigjson", data=config())
    api.put("secrets", "a", "twice", type="kubernetes.io/dockerconfigjson", data=config())
    owner = [{"kind": "ReplicaSet", "name": "app", "controller": True, "uid": "1", "apiVersion": "apps/v1"}]
    state = {"waiting": {"reason": "ImagePullBackOff", "message": "x"}}
    status = {"phase": "Pending", "containerStatuses": [{"name": "app", "image": "quay.io/a", "state": state}]}
    spec = {"serviceAccountName": "default", "containers": [{"name": "app", "image": "quay.io/a"}]}
    spec["imagePullSecrets"] = [{"name": "twice"}, {"name": "twice"}]
    api.put("pods", "a", "app-1", metadata={"ownerReferences": owner}, spec=spec, status=status)
    options = {"secrets": ["ours", "twice"], "link_for": ["pull", "mount"], "restart_pods": "stuck", "owner": "team"}
    result = server.run("sa_link", namespaces=["a"], **options)
    (namespace,) = result["namespaces"]
    assert {"deduplicated"} <= set(namespace["changes"][0]["lists"]["imagePullSecrets"])
    assert namespace["pods"]
    assert {each["kind"] for each in namespace["changes"]} == {"ServiceAccount", "Pod"}


def test_image_puller_grant_returns_documented_values(api: FakeApi, server: InMemory) -> None:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:image-puller"}
    subjects = [{"kind": "ServiceAccount", "namespace": "b", "name": "gone"}]
    api.put("rolebindings", "a", "image-puller-grant", roleRef=role, subjects=subjects)
    more = {"service_accounts": [{"namespace": "b"}], "binding_name": "image-puller-grant", "exclusive": True}
    more |= {"owner": "team", "adopt": True}
    result = server.run("image_puller_grant", namespaces=["a"], **more)
    assert {"granted", "revoked", "labels"} <= set(result["namespaces"][0]["changes"][0])
    result = server.run("image_puller_grant", grants=[{"namespaces": ["none"], "users": ["u"], "role": "none"}])
    assert result["failed"]


def test_prune_returns_documented_values(api: FakeApi, server: InMemory) -> None:
    made = {"namespaces": ["a"], "owner": "team"}
    server.run("pull_secret", name="ours", registries=LOGIN, **made)
    server.run("sa_link", secrets=["ours"], **made)
    server.run("image_puller_grant", projects=["b"], **made)
    nothing = {"secrets": [], "links": [], "grants": [], "owner": "team", "prune_everything": True}
    refused = server.run("pull_access_prune", max_prune="0", **nothing)
    assert refused["prune"]["refused"]
    result = server.run("pull_access_prune", max_prune="100%", **nothing)
    assert {each["kind"] for each in result["namespaces"][0]["changes"]} == {"ServiceAccount", "Secret", "RoleBinding"}
