# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any content of a cluster object leads to a plan or a one-line error. These tests need no server. Those in tests/modules use one."""

from __future__ import annotations

import copy
import importlib
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import Batch
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.reconciliation import reconcile
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from hypothesis import given
from support.anything import CHANGES, Changed
from support.fake_api import FakeApi
from support.objects import b64
from support.scripted_pool import Answer, Clock

COLLECTION = "ansible_collections.openshift_ops.image_pull.plugins"
CONTENT = b64(b'{"auths": {"quay.io": {"auth": "dTpw"}}}')
#: The options of each module, and the object that it reads.
WORK: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "pull_secret": (
        {
            "name": "ours",
            "registries": [{"registry": "registry.example.com", "username": "a", "password": "b-long-one"}],
        },
        ("secrets", "ours"),
    ),
    "sa_link": ({"secrets": ["ours"], "link_for": ["pull", "mount"]}, ("serviceaccounts", "default")),
    "sa_link to a secret": ({"secrets": ["ours"]}, ("secrets", "ours")),
    "image_puller_grant": ({"projects": ["consumer"]}, ("rolebindings", "image-puller-grant")),
}


def desired(name: str) -> Any:
    """Return the declaration that the module makes of its options."""
    module, options = name.partition(" ")[0], WORK[name][0]
    arguments = importlib.import_module(f"{COLLECTION}.modules.{module}").ARGUMENTS
    defaults = {option: spec.get("default") for option, spec in arguments.items()}
    package = importlib.import_module(f"{COLLECTION}.module_utils.features.{module}.plan")
    files = [lambda path: path] if module == "pull_secret" else []
    return package.from_options({**defaults, **options}, *files)


def cluster() -> FakeApi:
    api = FakeApi()
    api.put("namespaces", "", "a")
    api.put("clusterroles", "", "system:image-puller")
    lists = [{"name": "theirs"}, {"name": "default-dockercfg-x2x4x"}]
    api.put("serviceaccounts", "a", "default", imagePullSecrets=lists, secrets=lists)
    kind = "kubernetes.io/dockerconfigjson"
    api.put("secrets", "a", "ours", type=kind, data={".dockerconfigjson": CONTENT})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:image-puller"}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "somebody"}]
    api.put("rolebindings", "a", "image-puller-grant", roleRef=role, subjects=subjects)
    return api


@pytest.mark.parametrize("name", WORK)
@given(change=CHANGES)
def test_a_malformed_object_yields_a_plan_or_an_error(name: str, change: Changed) -> None:
    api = cluster()
    resource, read = WORK[name][1]

    def answer(_request: Any) -> Answer:
        return Answer(200, change(copy.deepcopy(api.get(resource, "a", read))))

    api.fail(f"GET .*/{resource}/{read}", answer, times=100)
    clock = Clock()
    outcome = reconcile(
        api.cluster(clock), Batch.of_one(desired(name), ["a"]), RunSettings(check_mode=False, clock=clock)
    )
    (result,) = outcome.namespaces
    assert result.error.isprintable()
    assert "internal error" not in result.error
    assert result.status in ("changed", "unchanged") or result.error
