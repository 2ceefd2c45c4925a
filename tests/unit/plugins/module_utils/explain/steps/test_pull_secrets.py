# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pull secrets of a container are listed with their state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.credentials import (
    Credentials,
    PullSecretStatus,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.asked import PullRoute
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.pull_secrets import (
    explain_missing_login,
    explain_secret_list,
    explain_secrets,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from support.objects import b64
from support.pull_evidence import GENERATED, GOOD, IMAGE, REFUSED, account, known, pod, secret, template, told

ACCOUNT = ObjectRef(SERVICE_ACCOUNT, "ns", "default")


def test_the_list_of_secrets_comes_from_the_pod_or_the_account() -> None:
    assert explain_secret_list(pod("a"), Lookup())[0] == ("a",)
    assert explain_secret_list(template("a"), Lookup())[0] == ("a",)
    names, seen = explain_secret_list(template(), Lookup({ACCOUNT: account("b", "c", "b")}))
    assert (names, seen.verdict) == (["b", "c"], "")
    assert explain_secret_list(template(), Lookup({ACCOUNT: None}))[1].verdict == "will_not_pull"
    assert explain_secret_list(template(), Lookup({ACCOUNT: REFUSED}))[1].verdict == "unknown"


def test_each_state_of_a_secret_has_its_verdict() -> None:
    states, image = ("usable", "missing", "wrong_type", "unparsable", "unread"), reference_of(IMAGE)
    assert image is not None
    held = Credentials([PullSecretStatus("s", state, "x") for state in states], [])
    found = list(explain_secrets("ns", held, image))
    assert [seen.verdict for seen in found] == ["", "", "", "will_not_pull", "unknown"]
    assert [seen.step.ok for seen in found if seen.step] == [True, False, False, False, None]
    assert found[2].step is not None
    assert found[2].step.seen == "secret ns/s has type x, which no node reads"


# --- A missing login is explained: a wrong type, and a link that the pod never gets. `test_chain.py` tests the complete verdict


def route(subject: ContainerPull, held: Credentials, evidence: dict[ObjectRef, Any]) -> PullRoute:
    reference = reference_of(IMAGE)
    assert reference is not None
    return PullRoute(subject, reference, held, None, Lookup(evidence))


def test_a_type_that_no_node_reads_is_reported_before_a_missing_secret() -> None:
    held = Credentials([PullSecretStatus("gone", "missing"), PullSecretStatus("wrong", "wrong_type", "Opaque")], [])
    reason, fix, _outcome = explain_missing_login(route(pod("gone", "wrong"), held, known()))
    assert reason == "secret ns/wrong has type Opaque, which no node reads"
    assert fix == fixes.convert_secret("ns", "wrong", "q.io")


def reason_of(subject: ContainerPull, *secrets: PullSecretStatus) -> str:
    """Return the reason if the account `ns/default` links the usable secret `good`."""
    return explain_missing_login(route(subject, Credentials(list(secrets), []), known(account("good"), good=GOOD)))[0]


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
    held = Credentials([PullSecretStatus("own", "usable")], [])
    reason, fix, _outcome = explain_missing_login(
        route(template("own"), held, known(account("own", "good"), good=GOOD))
    )
    assert reason.endswith("has its own imagePullSecrets list, so it does not use good of service account ns/default")
    assert fix == fixes.add_registry("ns", "own", "q.io")


def test_an_image_of_the_platform_has_no_account_to_link_to() -> None:
    nobody = replace(pod(), account="")
    # Without the name of an account, a read would be a list of all accounts.
    reason, fix, _outcome = explain_missing_login(route(nobody, Credentials([], []), known(good=GOOD)))
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

    def test_no_task_recreates_a_pod_without_a_controller(self) -> None:
        found = told(
            replace(pod("a", says="denied"), is_bare=True), known(account("a", "b"), a=secret({"q.io": {}}), b=GOOD)
        )
        assert found.fix == []
        assert "and never gets it (no controller recreates it: delete it and create it again), and" in found.reason

    def test_another_entry_with_a_login_is_used(self) -> None:
        found: Any = told(pod("a"), known(a=secret({"q.io/team": {}}), more={NODE_SECRET: GOOD}))
        assert found.verdict == "pulls"


class TestUnlinked:
    """A secret of the namespace has a login for the image, and no list names it."""

    WAITS = "the pull works only if the image is public or the nodes have credentials for it"
    CREATED = fixes.create_secret("ns", "default", "q.io")

    @pytest.mark.parametrize("subject", [pod(), template()])
    @pytest.mark.parametrize("others", [{}, {"other": secret({"r.io": {"auth": b64("u:p")}})}])
    def test_its_link_is_offered_as_an_untested_one(self, subject: ContainerPull, others: dict[str, Any]) -> None:
        found = told(subject, known(good=GOOD, **others))
        assert found.reason == (
            "secret ns/good has the key q.io (login not tested), but service account ns/default does not list it: "
            + self.WAITS
        )
        assert found.fix == fixes.link("ns", "default", "good")

    def test_the_error_of_the_node_follows_the_reason(self) -> None:
        found = told(pod(says="denied"), known(good=GOOD))
        assert found.reason.startswith(
            "secret ns/good has the key q.io (login not tested), but service account ns/default"
        )
        assert found.reason.endswith("and the node says: denied")
        assert found.fix == fixes.link("ns", "default", "good")

    def test_no_link_is_guessed_among_several(self) -> None:
        """One of them may be planted, with a wrong login."""
        found = told(pod(), known(good=GOOD, planted=GOOD))
        assert found.reason.startswith(
            "secrets good, planted of namespace ns have a login for the image, but service account ns/default does not list them, "
            "and no link is offered, because it is not known which login works"
        )
        assert found.fix == self.CREATED

    @pytest.mark.parametrize(
        "stored",
        [
            secret({"q.io": {"auth": b64("u:p")}}, **GENERATED),
            secret({"q.io": {}}),
            secret({"r.io": {"auth": b64("u:p")}}),
            secret({"q.io": {"auth": "?"}}),
            secret({"q.io": {"auth": b64("u:p")}}, "Opaque"),
        ],
        ids=["generated", "no login", "another registry", "not parsable", "wrong type"],
    )
    def test_other_secrets_are_not_named(self, stored: dict[str, Any]) -> None:
        found = told(pod(), known(other=stored))
        assert found.reason == f"no pull secret of pod ns/p is for q.io/team/app: {self.WAITS}"
        assert found.fix == self.CREATED

    def test_the_list_of_a_template_is_changed_by_its_author(self) -> None:
        found = told(template("own"), known(good=GOOD, own=secret({"r.io": {"auth": b64("u:p")}})))
        assert (
            "secret ns/good has the key q.io (login not tested), but deployment ns/d does not list it" in found.reason
        )
        assert found.fix == fixes.add_registry("ns", "own", "q.io")

    def test_no_link_is_offered_for_an_image_that_does_not_exist(self) -> None:
        found = told(pod(says="manifest unknown"), known(good=GOOD))
        assert "secret ns/good has the key q.io (login not tested)" in found.reason
        assert found.fix == []

    @pytest.mark.parametrize(
        ("named", "ignored"),
        [
            ({"ours": None}, "secret ns/ours does not exist, so the node ignores it"),
            ({"ours": secret({}, "Opaque")}, "secret ns/ours has type Opaque, which no node reads"),
        ],
        ids=["missing", "wrong type"],
    )
    @pytest.mark.parametrize("subject", [pod("ours"), template()], ids=["pod", "template"])
    def test_it_is_named_beside_a_secret_that_the_node_ignores(
        self, subject: ContainerPull, named: dict[str, Any], ignored: str
    ) -> None:
        """A list often has a typo of the right name."""
        found = told(subject, known(account("ours"), good=GOOD, **named))
        unlinked = "secret ns/good has the key q.io (login not tested), but service account ns/default does not list it"
        assert found.reason == f"{ignored}, and {unlinked}: {self.WAITS}"
        assert found.fix == fixes.link("ns", "default", "good")

    def test_a_pod_from_before_the_link_is_reported_before_a_secret_that_the_node_ignores(self) -> None:
        found = told(pod("gone", says="denied"), known(account("gone", "good"), gone=None, good=GOOD))
        assert found.reason.startswith("pod ns/p was created before good was linked to service account ns/default")
        assert found.fix == fixes.link("ns", "default", "good")

    def test_secrets_that_cannot_be_listed_are_not_taken_for_absent(self) -> None:
        found = told(pod(), known(more={ObjectRef(SECRET, "ns", ""): REFUSED}))
        assert found.reason.startswith(
            "no pull secret of pod ns/p is for q.io/team/app, and whether another secret of namespace ns is for it is not known: "
            "the caller may not read it"
        )
