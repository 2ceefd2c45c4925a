# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pull secrets a container has, and what is said of each."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SERVICE_ACCOUNT, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.credentials import (
    Credentials,
    PullSecretStatus,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.pull_secrets import (
    secrets_listed,
    secrets_read,
)
from support.pull_evidence import REFUSED, account, pod, template

ACCOUNT = ObjectRef(SERVICE_ACCOUNT, "ns", "default")


def test_the_list() -> None:
    assert secrets_listed(pod("a"), Lookup())[0] == ("a",)
    assert secrets_listed(template("a"), Lookup())[0] == ("a",)
    names, seen = secrets_listed(template(), Lookup({ACCOUNT: account("b", "c", "b")}))
    assert (names, seen.verdict) == (["b", "c"], "")
    assert secrets_listed(template(), Lookup({ACCOUNT: None}))[1].verdict == "will_not_pull"
    assert secrets_listed(template(), Lookup({ACCOUNT: REFUSED}))[1].verdict == "unknown"


def test_each_secret() -> None:
    states = ("usable", "missing", "wrong_type", "unparsable", "unread")
    found = list(secrets_read("ns", Credentials([PullSecretStatus("s", state, "x") for state in states], []), "q.io"))
    assert [seen.verdict for seen in found] == ["", "", "", "will_not_pull", "unknown"]
    assert [seen.step.ok for seen in found if seen.step] == [True, False, False, False, None]
    assert found[2].step is not None
    assert found[2].step.seen == "secret ns/s has type x, which no node reads"
