# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manager that keeps the content of a secret is recognized."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    POD,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    Kind,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import (
    describe_keeper,
    external_manager_of,
    is_refreshed,
)
from hypothesis import given
from support.anything import ANYTHING


def secret(**metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "s", **metadata}}


def managed_by(*managers: str) -> dict[str, Any]:
    return secret(managedFields=[{"manager": name} for name in managers])


@pytest.mark.parametrize(
    ("found", "keeper", "refreshed"),
    [
        (secret(), "", False),
        (managed_by("kubectl-client-side-apply", "openshift_ops.image_pull"), "", False),
        (managed_by("kubectl", "external-secrets"), "external-secrets", True),
        (managed_by("reflector"), "reflector", True),
        (managed_by("argocd-controller"), "argocd-controller", False),
        (managed_by("kustomize-controller"), "kustomize-controller", False),
        (managed_by("secretarial"), "", False),
        (secret(ownerReferences=[{"kind": "ExternalSecret", "name": "quay", "controller": True}]),
         "ExternalSecret quay", True),
        (secret(ownerReferences=[{"kind": "ExternalSecret", "name": "quay"}]), "", False),
        (secret(labels={"reconcile.external-secrets.io/managed": "true"}), "External Secrets", False),
        (secret(annotations={"kubed.appscode.com/origin": "{}"}), "Config Syncer", False),
        (secret(annotations={"reflector.v1.k8s.emberstack.com/reflects": "a/b"}), "Reflector", False),
        (secret(annotations={"openshift.io/token-secret.name": "t"}), "the platform", True),
        ({"metadata": {"namespace": "openshift-machine-config-operator", "name": "global-pull-secret-copy"}},
         "the machine config operator, which copies it from openshift-config/pull-secret,", True),
        ({"metadata": {"namespace": "a", "name": "global-pull-secret-copy"}}, "", False),
    ],
)  # fmt: skip
def test_the_manager_of_a_secret_is_recognized_by_its_metadata(
    found: dict[str, Any], keeper: str, refreshed: bool
) -> None:
    assert (external_manager_of(found), is_refreshed(found)) == (keeper, refreshed)


def wrote(*managers: str, field: str = "f:subjects") -> dict[str, Any]:
    return secret(managedFields=[{"manager": name, "fieldsV1": {field: {}}} for name in managers])


@pytest.mark.parametrize(
    ("kind", "found", "keeper"),
    [
        (ROLE_BINDING, secret(), ""),
        (ROLE_BINDING, wrote("oc", field="f:roleRef"), ""),
        (ROLE_BINDING, wrote("openshift_ops.image_pull", "openshift-controller-manager"), ""),
        (ROLE_BINDING, wrote("openshift_ops.image_pull", "oc"), "oc last wrote its subjects"),
        (SERVICE_ACCOUNT, wrote("oc", field="f:imagePullSecrets"), "oc last wrote its imagePullSecrets"),
        (ROLE_BINDING, wrote("argocd-controller", field="f:roleRef"), "argocd-controller manages it"),
        (POD, wrote("oc"), ""),
    ],
)
def test_the_last_writer_of_a_declared_part_is_named(kind: Kind, found: dict[str, Any], keeper: str) -> None:
    assert describe_keeper(kind, found) == keeper


@given(ANYTHING)
def test_malformed_metadata_raises_no_error(anything: Any) -> None:
    for part in ("labels", "annotations", "managedFields", "ownerReferences"):
        assert isinstance(external_manager_of(secret(**{part: anything})), str)
        assert isinstance(describe_keeper(ROLE_BINDING, secret(**{part: anything})), str)
        assert is_refreshed(secret(**{part: anything})) in (True, False)
