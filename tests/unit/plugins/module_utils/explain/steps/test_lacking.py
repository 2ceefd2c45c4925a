# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A missing login is explained, a wrong type before a missing secret. `test_chain.py` tests the complete verdict."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.credentials import (
    Credentials,
    PullSecretStatus,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.lacking import (
    explain_missing_login,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from support.pull_evidence import IMAGE, known, pod


def test_a_type_that_no_node_reads_is_reported_before_a_missing_secret() -> None:
    reference = reference_of(IMAGE)
    assert reference is not None
    held = Credentials([PullSecretStatus("gone", "missing"), PullSecretStatus("wrong", "wrong_type", "Opaque")], [])
    reason, fix = explain_missing_login(pod("gone", "wrong"), reference, held, Lookup(known()))
    assert reason == "secret ns/wrong has type Opaque, which no node reads"
    assert fix == fixes.rewrite_secret("ns", "wrong", "q.io")
