# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of a namespace are ready, missing or not yet provisioned, depending on the answers of the cluster."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Evaluation
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_wait import (
    ProvisionedAccounts,
)
from support.objects import b64

GENERATED = "default-dockercfg-x7k2p"
REF = ObjectRef(SECRET, "a", GENERATED)
ASKS = ProvisionedAccounts({"a": ("default", "builder")})
ONE = ProvisionedAccounts({"a": ("default",)})


def account(*listed: str) -> dict[str, Any]:
    annotations = {"openshift.io/internal-registry-pull-secret-ref": GENERATED}
    return {
        "metadata": {"name": "default", "namespace": "a", "annotations": annotations},
        "imagePullSecrets": [{"name": name} for name in listed],
    }


READY = {
    "type": "kubernetes.io/dockercfg",
    "metadata": {
        "annotations": {
            "openshift.io/internal-registry-auth-token.service-account": "default",
            "openshift.io/internal-registry-auth-token.binding": "bound",
        }
    },
    "data": {".dockercfg": b64('{"registry.example.com": {"auth": "' + b64("u:p") + '"}}')},
}


class TestSees:
    def test_the_named_accounts_are_read(self) -> None:
        assert (ASKS.kind, ASKS.names("a")) == (SERVICE_ACCOUNT, ("default", "builder"))

    def test_the_secrets_that_the_accounts_refer_to_are_read(self) -> None:
        assert ASKS.related("a", {"default": account(GENERATED, "mine")}) == [REF]
        assert ASKS.related("a", {}) == []
        assert ASKS.related("a", {"other": account(GENERATED)}) == []


class TestEvaluates:
    def test_a_ready_account_is_not_waited_for(self) -> None:
        report = {"name": "default", "exists": True, "provisioned": True, "pull_secret": GENERATED}
        assert ONE.evaluate("a", {"default": account(GENERATED)}, {REF: READY}) == Evaluation(
            extra={"service_accounts": [report]}
        )

    def test_a_missing_account_is_waited_for(self) -> None:
        found = ASKS.evaluate("a", {"default": account(GENERATED)}, {REF: READY})
        assert found.waiting_for == ("service account builder does not exist",)
        assert found.extra["service_accounts"][1] == {
            "name": "builder",
            "exists": False,
            "provisioned": False,
            "pull_secret": None,
        }

    @pytest.mark.parametrize(
        ("listed", "secrets", "missing"),
        [
            ([], {}, "service account default: no generated pull secret in imagePullSecrets"),
            ([GENERATED], {REF: None}, f"service account default: secret {GENERATED} is listed but does not exist yet"),
        ],
    )
    def test_a_missing_secret_is_waited_for(self, listed: list[str], secrets: Any, missing: str) -> None:
        found = ONE.evaluate("a", {"default": account(*listed)}, secrets)
        assert found.waiting_for == (missing,)
        assert found.extra["service_accounts"] == [
            {"name": "default", "exists": True, "provisioned": False, "pull_secret": None}
        ]
        assert found.notes == ()

    def test_a_secret_that_may_not_be_read_is_reported(self) -> None:
        found = ONE.evaluate("a", {"default": account(GENERATED)}, {})
        assert found.waiting_for == ()
        assert len(found.notes) == 1
        assert GENERATED in found.notes[0]
        assert found.extra["service_accounts"][0]["pull_secret"] == GENERATED


class TestNoneWillCome:
    ASKS = ProvisionedAccounts({"a": ("default", "builder")}, none_will_come="this is not OpenShift")

    def test_a_cluster_that_generates_no_secret_is_a_success_with_the_reason(self) -> None:
        found = ProvisionedAccounts({"a": ("default",)}, "this is not OpenShift").evaluate(
            "a", {"default": account()}, {}
        )
        reason = "no pull secret is expected, because this is not OpenShift"
        report = {"name": "default", "exists": True, "provisioned": True, "pull_secret": None, "reason": reason}
        assert found == Evaluation(extra={"service_accounts": [report]})

    def test_an_account_must_exist_even_if_no_secret_is_generated(self) -> None:
        found = self.ASKS.evaluate("a", {"default": account()}, {})
        assert found.waiting_for == ("service account builder does not exist",)

    def test_an_existing_secret_counts(self) -> None:
        found = self.ASKS.evaluate("a", {"default": account(GENERATED)}, {REF: READY})
        assert found.extra["service_accounts"][0] == {
            "name": "default",
            "exists": True,
            "provisioned": True,
            "pull_secret": GENERATED,
        }
