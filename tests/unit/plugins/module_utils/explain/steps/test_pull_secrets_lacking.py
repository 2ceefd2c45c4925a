# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A missing login is explained: a wrong type, and a link that the pod never gets. `test_chain.py` tests the complete verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.credentials import (
    Credentials,
    PullSecretStatus,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.pull_secrets import (
    explain_missing_login,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from support.objects import b64
from support.pull_evidence import GENERATED, GOOD, IMAGE, account, known, pod, secret, template, told


def test_a_type_that_no_node_reads_is_reported_before_a_missing_secret() -> None:
    reference = reference_of(IMAGE)
    assert reference is not None
    held = Credentials([PullSecretStatus("gone", "missing"), PullSecretStatus("wrong", "wrong_type", "Opaque")], [])
    reason, fix = explain_missing_login(pod("gone", "wrong"), reference, held, Lookup(known()))
    assert reason == "secret ns/wrong has type Opaque, which no node reads"
    assert fix == fixes.rewrite_secret("ns", "wrong", "q.io")


def reason_of(subject: ContainerPull, *secrets: PullSecretStatus) -> str:
    """Return the reason if the account `ns/default` links the usable secret `good`."""
    reference = reference_of(IMAGE)
    assert reference is not None
    evidence = Lookup(known(account("good"), good=GOOD))
    return explain_missing_login(subject, reference, Credentials(list(secrets), []), evidence)[0]


def test_a_pod_without_a_list_never_gets_a_later_link() -> None:
    assert reason_of(pod()) == (
        "pod ns/p was created before good was linked to service account ns/default, and never gets it"
    )


@pytest.mark.parametrize("subject", [pod("own"), template("own")])
def test_a_list_of_its_own_leaves_out_the_secret_of_the_account(subject: ContainerPull) -> None:
    assert reason_of(subject, PullSecretStatus("own", "usable")) == (
        f"{subject.ref} has its own imagePullSecrets list, so it does not use good of service account ns/default"
    )


def test_the_list_of_a_template_is_its_own_even_if_the_account_has_it() -> None:
    """The pods of a template with a list never get the secrets of the account."""
    reference = reference_of(IMAGE)
    assert reference is not None
    evidence = Lookup(known(account("own", "good"), good=GOOD))
    held = Credentials([PullSecretStatus("own", "usable")], [])
    reason, fix = explain_missing_login(template("own"), reference, held, evidence)
    assert reason.endswith("has its own imagePullSecrets list, so it does not use good of service account ns/default")
    assert fix == fixes.add_registry("ns", "own", "q.io")


def test_an_image_of_the_platform_has_no_account_to_link_to() -> None:
    reference = reference_of(IMAGE)
    assert reference is not None
    nobody = replace(pod(), account="")
    # Without the name of an account, a read would be a list of all accounts.
    reason, fix = explain_missing_login(nobody, reference, Credentials([], []), Lookup(known()))
    assert (reason, fix) == (f"no pull secret of {nobody.ref} is for q.io/team/app", [])


@pytest.mark.parametrize("subject", [template(), template("good"), pod("good")])
def test_a_secret_that_new_pods_get_is_not_missing(subject: ContainerPull) -> None:
    """A template without a list gets the list of the account, and a list may already have the secret."""
    assert reason_of(subject) == f"no pull secret of {subject.ref} is for q.io/team/app"


class TestUnusableEntry:
    """A key is for the image, and its entry has no login that a node sends."""

    ENTRIES = (
        {},
        {"identitytoken": "t"},
        {"auth": b64("u:"), "identitytoken": "t"},
        {"auth": b64(":p")},
        {"username": "u"},
        {"password": "p", "email": "a@example.com"},
    )
    WHY = "has the key q.io/team, but its entry has no user or no password (a node does not use an identity token), so the node sends no login"

    @pytest.mark.parametrize("entry", ENTRIES)
    @pytest.mark.parametrize("says", ["", "denied", "manifest unknown"])
    def test_the_entry_is_named_instead_of_the_nearest_key(self, entry: dict[str, str], says: str) -> None:
        found = told(pod("a", says=says), known(a=secret({"q.io/team": entry})))
        assert f"secret a {self.WHY}" in found.reason
        assert "nearest" not in found.reason
        assert found.verdict == ("will_not_pull" if says else "unknown")
        assert found.fix == ([] if says == "manifest unknown" else fixes.add_registry("ns", "a", "q.io/team"))

    def test_an_entry_of_the_platform_is_not_written(self) -> None:
        found = told(pod("a", says="denied"), known(a=secret({"q.io/team": {}}, **GENERATED)))
        assert self.WHY in found.reason
        assert found.fix == fixes.create_secret("ns", "default", "q.io")

    def test_a_secret_that_the_pod_does_not_have_yet_is_named_first(self) -> None:
        found = told(pod("a", says="denied"), known(account("a", "b"), a=secret({"q.io": {}}), b=GOOD))
        assert found.fix == fixes.link("ns", "default", "b")

    def test_another_entry_with_a_login_is_used(self) -> None:
        found: Any = told(pod("a"), known(a=secret({"q.io/team": {}}), more={NODE_SECRET: GOOD}))
        assert found.verdict == "pulls"
