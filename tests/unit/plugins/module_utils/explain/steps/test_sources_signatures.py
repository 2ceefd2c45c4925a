# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A required signature is looked for at the registry that serves the image, for the architectures of the nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.chain import explain
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    SIGNATURE_QUESTION,
    ImageQuestion,
    SignatureQuestion,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import CLUSTER_POLICIES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from support.pull_evidence import AUTH, GOOD, IMAGE, TAG_SETS, known, mirrored, pod, secret, steps, summary

POLICY = {"metadata": {"name": "signed"}, "spec": {"scopes": ["q.io/team"]}}
BEGIN = "cluster image policy signed requires a signature for images in q.io/team"
NO_SIGNATURE = "Source image rejected: A signature was required, but no signature exists"

#: Gives the outcome of a pull and those of the platforms, for an image and the secret of the login.
Answers = Callable[[str, str], tuple[str, list[str]]]
Asked = list[tuple[str, str, tuple[str, ...]]]


def told(
    subject: ContainerPull, answers: Answers, more: dict[ObjectRef, Any] | None = None
) -> tuple[PullVerdict, Asked]:
    """The verdict, and the questions about signatures."""
    held, asked = Lookup(known(a=GOOD, more={CLUSTER_POLICIES: {"items": [POLICY]}, **(more or {})})), []
    while True:
        try:
            return explain(subject, held, asks=True), asked
        except ReadRequired:
            for ref in held.take_wanted():
                if ref.kind == SIGNATURE_QUESTION:
                    question = SignatureQuestion.of(ref)
                    image, login = question.image.image, question.image.secret
                    asked.append((image, login, question.architectures))
                    found = [
                        {"architecture": "", "outcome": each, "message": f"{image} is {each}"}
                        for each in answers(image, login)[1]
                    ]
                    held.add({ref: {"outcome": "pulls", "message": "said pulls", "platforms": found}})
                else:
                    image_question = ImageQuestion.of(ref)
                    outcome = answers(image_question.image, image_question.secret)[0]
                    held.add({ref: {"outcome": outcome, "message": f"said {outcome}"}})


def always(*platforms: str, outcome: str = "pulls") -> Answers:
    return lambda _image, _secret: (outcome, [*platforms])


def nodes(**architectures: str) -> dict[ObjectRef, Any]:
    items = [
        {"metadata": {"name": name}, "status": {"nodeInfo": {"architecture": each}}}
        for name, each in architectures.items()
    ]
    return {NODES: {"items": items}}


MIRRORED = {**mirrored("m.io/x", source="q.io/team"), NODE_SECRET: secret({"m.io": AUTH})}
AT_MIRROR = "m.io/x/app:v1"


class TestQuestion:
    @pytest.mark.parametrize(
        ("more", "subject", "architectures"),
        [
            (nodes(a="arm64", b="amd64"), pod("a"), ("amd64", "arm64")),
            (nodes(a="arm64", b="amd64"), pod("a", node="a"), ("arm64",)),
            ({}, pod("a"), ()),
            ({NODES: ImagePullError("the caller may not read it")}, pod("a"), ()),
        ],
    )
    def test_the_architectures_are_those_of_the_nodes_that_can_run_the_pod(
        self, more: dict[ObjectRef, Any], subject: ContainerPull, architectures: tuple[str, ...]
    ) -> None:
        assert told(subject, always("signed"), more)[1] == [(IMAGE, "a", architectures)]

    def test_the_node_of_a_pod_that_is_asked_alone_is_enough(self) -> None:
        (node,) = nodes(n="s390x")[NODES]["items"]
        subject = pod("a", node="n", is_asked_alone=True)
        assert told(subject, always("signed"), {ObjectRef(NODES.kind, "", "n"): node})[1] == [(IMAGE, "a", ("s390x",))]

    def test_the_first_mirror_with_the_image_is_asked(self) -> None:
        assert told(pod("a"), always("signed"), MIRRORED)[1] == [(AT_MIRROR, "pull-secret", ())]

    def test_the_source_is_asked_if_no_mirror_has_the_image(self) -> None:
        def answers(image: str, _secret: str) -> tuple[str, list[str]]:
            return ("not_found", []) if image == AT_MIRROR else ("pulls", ["signed"])

        assert told(pod("a"), answers, MIRRORED)[1] == [(IMAGE, "a", ())]

    def test_a_silent_mirror_could_serve_the_image_so_nothing_is_asked(self) -> None:
        def answers(image: str, _secret: str) -> tuple[str, list[str]]:
            return ("unanswered", []) if image == AT_MIRROR else ("pulls", ["signed"])

        found, asked = told(pod("a"), answers, MIRRORED)
        assert (asked, summary(found)) == (
            [],
            ("unknown", f"{BEGIN}: whether the image has the right one cannot be seen from here"),
        )

    def test_a_container_with_its_image_and_one_with_another_error_are_not_asked_for(self) -> None:
        assert told(pod("a", pulled=True), always("unsigned"))[1] == []
        assert told(pod("a", says="no such host"), always("unsigned"))[1] == []

    def test_an_image_that_no_registry_serves_is_judged_by_its_login(self) -> None:
        found, asked = told(pod("a"), always(outcome="bad_login"))
        assert (asked, summary(found)[1]) == ([], "the registry refuses the login: secret a has the key q.io")


class TestVerdict:
    @pytest.mark.parametrize("outcome", ["unsigned", "refused", "no_platform"])
    def test_an_image_without_a_signature_will_not_pull(self, outcome: str) -> None:
        found, _asked = told(pod("a"), always(outcome))
        assert summary(found) == ("will_not_pull", f"{BEGIN}, but {IMAGE} is {outcome}")
        assert ("signature", f"{BEGIN}, but {IMAGE} is {outcome}", False) in steps(found)

    def test_a_signature_leaves_the_key_unknown(self) -> None:
        found, _asked = told(pod("a"), always("signed", "signed"))
        text = f"{BEGIN}, and {IMAGE} is signed: whether a key of the policy made it cannot be seen from here"
        assert summary(found) == ("unknown", text)

    def test_an_image_that_is_signed_for_some_architectures_depends_on_the_node(self) -> None:
        found, _asked = told(pod("a"), always("signed", "unsigned"))
        text = f"{BEGIN}: it depends on the architecture of the node: {IMAGE} is unsigned"
        assert summary(found) == ("unknown", text)

    @pytest.mark.parametrize("platforms", [["unknown"], ["signed", "unknown"], []], ids=str)
    def test_an_unknown_signature_leaves_the_verdict_unknown(self, platforms: list[str]) -> None:
        found, _asked = told(pod("a"), always(*platforms))
        assert (found.verdict, found.reason.startswith(f"{BEGIN}: ")) == ("unknown", True)

    def test_the_unknown_signature_of_some_architectures_is_named(self) -> None:
        found, _asked = told(pod("a"), always("signed", "unknown"))
        assert summary(found) == ("unknown", f"{BEGIN}: {IMAGE} is unknown")

    def test_a_registry_without_an_answer_about_signatures_is_quoted(self) -> None:
        found, _asked = told(pod("a"), always())
        assert summary(found) == ("unknown", f"{BEGIN}: said pulls")

    def test_a_signature_that_is_missing_at_a_mirror_is_to_be_copied(self) -> None:
        found, _asked = told(pod("a"), always("unsigned"), MIRRORED)
        assert found.verdict == "will_not_pull"
        assert "cosign copy" in found.reason

    def test_another_login_may_reach_a_registry_with_the_signature(self) -> None:
        """The mirror on the same host gets the pod's login, and serves the image with the second one only."""
        item = {"source": "q.io/team", "mirrors": ["q.io/mirror"]}
        mirrors = {
            ObjectRef(TAG_SETS, "", ""): {"items": [{"metadata": {"name": "m"}, "spec": {"imageTagMirrors": [item]}}]}
        }

        def answers(image: str, name: str) -> tuple[str, list[str]]:
            if image == IMAGE:
                return "pulls", ["unsigned"]
            return ("pulls", ["signed"]) if name == "a" else ("no_right", [])

        found, asked = told(
            pod("a", "b"), answers, {**mirrors, ObjectRef(NODE_SECRET.kind, "ns", "b"): secret({"q.io/team": AUTH})}
        )
        assert asked == [(IMAGE, "b", ()), ("q.io/mirror/app:v1", "a", ())]
        assert found.verdict == "unknown"


class TestErrorOfTheNode:
    def test_a_signature_that_is_still_missing_confirms_the_error(self) -> None:
        found, _asked = told(pod("a", says=NO_SIGNATURE), always("unsigned"))
        assert summary(found) == (
            "will_not_pull",
            f"{BEGIN}, and the node says: {NO_SIGNATURE}. Now, {IMAGE} is unsigned",
        )

    def test_a_signature_that_exists_now_may_be_newer_than_the_error(self) -> None:
        found, _asked = told(pod("a", says=NO_SIGNATURE), always("signed"))
        assert found.verdict == "unknown"
        assert found.reason.endswith("but the node found none: the signature may be newer than the node's last attempt")
        assert found.cause == "signature"

    def test_a_signature_that_the_node_did_not_accept_stays_refused(self) -> None:
        text = "Source image rejected: None of the signatures were accepted, reasons: a; b"
        found, _asked = told(pod("a", says=text), always("signed"))
        assert summary(found) == ("will_not_pull", f"{BEGIN}, and the node says: {text}")

    @pytest.mark.parametrize(("policy", "verdict"), [("IfNotPresent", "will_not_pull"), ("Always", "unknown")])
    def test_a_signature_that_exists_now_does_not_reach_an_image_that_is_not_pulled_again(
        self, policy: str, verdict: str
    ) -> None:
        """At a start, CRI-O looks for signatures only in its own storage."""
        text = (
            f'checking signature of "{IMAGE}": verifying signatures: A signature was required, but no signature exists'
        )
        subject = pod("a", says="", reason="CreateContainerError", message=text, pull_policy=policy)
        found, _asked = told(subject, always("signed"))
        assert (found.verdict, found.cause) == (verdict, "signature_at_start")
        stays = f". Now, {IMAGE} is signed, but the node starts its own copy of the image, which has no signature"
        assert found.reason.endswith(stays) == (policy == "IfNotPresent")
