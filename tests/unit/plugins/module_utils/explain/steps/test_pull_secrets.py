# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pull secrets of a container are listed with their state."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SERVICE_ACCOUNT, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.credentials import (
    Credentials,
    PullSecretStatus,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.pull_secrets import (
    explain_secret_list,
    explain_secrets,
)
from support.pull_evidence import REFUSED, account, pod, template

ACCOUNT = ObjectRef(SERVICE_ACCOUNT, "ns", "default")


def test_the_list_of_secrets_comes_from_the_pod_or_the_account() -> None:
    assert explain_secret_list(pod("a"), Lookup())[0] == ("a",)
    assert explain_secret_list(template("a"), Lookup())[0] == ("a",)
    names, seen = explain_secret_list(template(), Lookup({ACCOUNT: account("b", "c", "b")}))
    assert (names, seen.verdict) == (["b", "c"], "")
    assert explain_secret_list(template(), Lookup({ACCOUNT: None}))[1].verdict == "will_not_pull"
    assert explain_secret_list(template(), Lookup({ACCOUNT: REFUSED}))[1].verdict == "unknown"


def test_each_state_of_a_secret_has_its_verdict() -> None:
    states = ("usable", "missing", "wrong_type", "unparsable", "unread")
    found = list(
        explain_secrets("ns", Credentials([PullSecretStatus("s", state, "x") for state in states], []), "q.io")
    )
    assert [seen.verdict for seen in found] == ["", "", "", "will_not_pull", "unknown"]
    assert [seen.step.ok for seen in found if seen.step] == [True, False, False, False, None]
    assert found[2].step is not None
    assert found[2].step.seen == "secret ns/s has type x, which no node reads"
