# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our decision about an image that a node has agrees with the kubelet's pull manager, as run by `lab oracle`.

`IMAGE_PULL_PRESENT_CASES` sets the number of generated cases.
"""

from __future__ import annotations

import itertools
import os
import random

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    POLICIES,
    SECRET_LIMIT,
    USES,
    VerificationPolicy,
    policy_problems,
    unmatchable_entries,
)
from support.oracle import Oracle
from support.present_cases import ENTRIES, REFUSED_ENTRIES, Case, decision_of, generate_cases, policy_of, question_of
from support.supposed_kubelet import POLICIES as SUPPOSED_POLICIES
from support.supposed_kubelet import Credential, Kubelet, PullRecord, possible_records

CASES = int(os.environ.get("IMAGE_PULL_PRESENT_CASES", "600"))
NEWEST = (1, 36)
#: Every rule that a node with known versions and files can reach.
REACHED = {
    "never_verified",
    "preloaded",
    "allow_listed",
    "node_accessible",
    "same_credential",
    "same_secret",
    "same_account",
    "unreadable_record",
    "record_missing",
    "invalid_name",
    "no_entry",
    "empty_entry",
    "too_many_secrets",
    "no_match",
}


def test_the_decision_agrees_with_the_pull_manager(oracle: Oracle) -> None:
    cases = list(generate_cases(random.randrange(2**32), CASES))
    answers = oracle.present(question_of(case) for case in cases)
    rules, wrong = set(), []
    for case, answer in zip(cases, answers, strict=True):
        if policy_problems(policy_of(case), NEWEST):
            wrong += [] if "error" in answer else [(case, "the kubelet accepts the policy")]
            continue
        decision = decision_of(case, NEWEST)
        rules.add(decision.rule)
        if "error" in answer or (decision.answer == USES) == answer["must_pull"]:
            wrong.append((case, f"{decision}, and the kubelet answers {answer}"))
    assert wrong == []
    assert rules == REACHED


@pytest.mark.parametrize("crowd", [0, SECRET_LIMIT - 2, SECRET_LIMIT - 1, SECRET_LIMIT, 3 * SECRET_LIMIT])
def test_a_login_changed_in_place_asks_from_100_secrets_on(oracle: Oracle, crowd: int) -> None:
    case = {
        "policy": "",
        "allow_list": [],
        "image": "quay.io/team/app:v1",
        "intent": False,
        "secrets": [["u", "a", "p", "new"]],
        "account": None,
        "entries": {"quay.io/team/app": {"crowd": crowd, "secrets": [["u", "a", "p", "old"]]}},
    }
    unchanged = {**case, "secrets": [["u", "a", "p", "old"]]}
    changed, same = oracle.present([question_of(case), question_of(unchanged)])
    is_below = crowd + 1 < SECRET_LIMIT
    assert changed["must_pull"] is not is_below
    assert decision_of(case, NEWEST).rule == ("same_secret" if is_below else "too_many_secrets")
    assert not same["must_pull"]
    assert decision_of(unchanged, NEWEST).rule == "same_credential"


def test_the_kubelet_of_generated_clusters_agrees_with_the_pull_manager(oracle: Oracle) -> None:
    """`test_what_if_node` takes its expected answers from it."""
    held = [("s", "one"), ("t", "two")]
    cases = [
        (Kubelet("v1.36.1", "cri-o://1.36.0", *policy), image, own, record)
        for policy in SUPPOSED_POLICIES
        for image in ("q.io/team/app:v1", "docker.io/team/app:v1", "app:v1", "a.s.io:5000/team/app:v1")
        for own in ([], held[:1], held)
        for record in possible_records(held)
    ]
    answers = oracle.present(question_of(_case_of(*each)) for each in cases)
    for (kubelet, image, own, record), answer in zip(cases, answers, strict=True):
        assert answer["must_pull"] is not kubelet.uses(image, own, record), (kubelet, image, own, record, answer)


def _case_of(kubelet: Kubelet, image: str, own: list[Credential], record: PullRecord | None) -> Case:
    case: Case = {"policy": kubelet.policy, "allow_list": [*kubelet.allow_list], "image": image, "intent": False}
    case |= {"secrets": [[name, "a", name, login] for name, login in own], "account": None}
    if record is not None:
        names = record.secrets or {"of another namespace"}
        secrets = [[name, "a", name, login] for name in names for login in record.logins]
        case["entries"] = {image.rpartition(":")[0]: {"open": True} if record.is_for_all else {"secrets": secrets}}
    return case


class TestConfiguration:
    def test_the_problems_of_a_policy_agree_with_the_check_of_the_kubelet(self, oracle: Oracle) -> None:
        lists = [(), *((entry,) for entry in (*ENTRIES, *REFUSED_ENTRIES)), ("quay.io/*", "*")]
        for name, entries, gate in itertools.product(
            ("", *POLICIES, "Always", "neververify"), lists, (None, True, False)
        ):
            fields = {"imagePullCredentialsVerificationPolicy": name, "preloadedImagesVerificationAllowlist": entries}
            gates = {} if gate is None else {"featureGates": {"KubeletEnsureSecretPulledImages": gate}}
            given = {field: value for field, value in fields.items() if value}
            problems = oracle.configuration_problems({**given, **gates})
            ours = policy_problems(VerificationPolicy(name, entries, gate), NEWEST)
            assert bool(ours) == bool(problems), f"{fields} {gate}: {ours} {problems}"

    @pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.endswith("/*")])
    def test_an_entry_can_match_nothing_if_the_kubelet_refuses_each_image_below_it(
        self, oracle: Oracle, entry: str
    ) -> None:
        policy = VerificationPolicy("NeverVerifyAllowlistedImages", [entry])
        (answer,) = oracle.ask({"auths": {}}, [f"{entry[:-1]}a"])
        assert bool(unmatchable_entries(policy, NEWEST)) == ("kubelet_error" in answer)
