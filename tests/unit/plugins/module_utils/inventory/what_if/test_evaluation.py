# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pull is compared before and after. Changes that touch nothing of it cost nothing."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import trim_pod
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import pulls_of_pod
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import (
    PULLS,
    UNKNOWN,
    WILL_NOT_PULL,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    IMAGE_QUESTION,
    TRUST_QUESTION,
    ImageQuestion,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    KUBELET_CONFIGS,
    NODES,
    POOLS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import CONFIG_MAP
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.effects import patches_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.evaluation import (
    NOT_AFFECTED,
    NOT_KNOWN,
    STILL_BROKEN,
    STILL_PULLS,
    WOULD_BREAK,
    WOULD_WORK,
    Comparison,
    PresentPulls,
    PullEvaluator,
    answer_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from support.pull_evidence import REFUSED
from support.supposed import MIRRORS, changes_of
from support.supposed_changes import image_config, mirror_set
from support.supposed_kubelet import ALLOWLISTED, ALWAYS_VERIFY, NEVER_VERIFY, PRELOADED, Kubelet, possible_records
from support.surveyed import account, auth, place, pod, secret, survey

LOST = {"unreachable_registries": ["q.io"]}


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [
        (PULLS, PULLS, STILL_PULLS),
        (PULLS, WILL_NOT_PULL, WOULD_BREAK),
        (PULLS, UNKNOWN, NOT_KNOWN),
        (WILL_NOT_PULL, PULLS, WOULD_WORK),
        (WILL_NOT_PULL, WILL_NOT_PULL, STILL_BROKEN),
        (WILL_NOT_PULL, UNKNOWN, NOT_KNOWN),
        (UNKNOWN, PULLS, NOT_KNOWN),
        (UNKNOWN, WILL_NOT_PULL, WOULD_BREAK),
        (UNKNOWN, UNKNOWN, NOT_KNOWN),
    ],
)
def test_the_answer_follows_from_both_verdicts(before, after, answer) -> None:
    assert answer_of(before, after) == answer


def compared(one, *given):
    """The comparison for a pod."""
    snapshot = survey(place(secrets=[secret("s")], accounts=[account("s")], pods=[one]))
    patches = [patches_of(each, snapshot) for each in changes_of(*given)]
    evaluator = PullEvaluator(PresentPulls(snapshot.evidence, asks=False), patches)
    (subject,) = pulls_of_pod(trim_pod(one), "a")
    return evaluator.compare(subject)


@pytest.mark.parametrize("change", [{"remove_secrets": {"name": "other"}}, {"unreachable_registries": ["r.io"]}])
def test_a_pull_that_is_not_affected_has_one_verdict(change) -> None:
    found = compared(pod("s"), change)
    assert found.after is found.before
    assert (found.answer, found.touched, found.causes) == (NOT_AFFECTED, (), ())


def test_sets_that_the_operator_does_not_render_make_the_pull_unknown() -> None:
    item = {"source": "q.io", "mirrors": ["dead.example.com"]}
    dead = {**MIRRORS, "metadata": {"name": "dead"}, "spec": {"imageTagMirrors": [item]}}
    good = {"source": "q.io", "mirrors": ["mirror.example.com"], "mirrorSourcePolicy": "NeverContactSource"}
    new = {**MIRRORS, "spec": {"imageTagMirrors": [good]}}
    added = {"add_objects": {"definition": [dead]}}, {"add_objects": {"definition": [new]}}
    found = compared(pod("s"), *added, {"unreachable_registries": ["q.io", "dead.example.com"]})
    assert (found.answer, found.after.step) == (NOT_KNOWN, "configuration")


def test_the_image_of_a_running_container_proves_nothing_for_the_next_pull() -> None:
    found = compared(pod("s", runs=True), LOST)
    assert (found.before.verdict, found.after.verdict) == (PULLS, WILL_NOT_PULL)
    assert "the nodes do not reach q.io" in found.after.reason


def test_only_the_changes_that_break_alone_are_causes() -> None:
    found = compared(pod("s"), {"remove_links": {"secrets": ["s"]}}, LOST, {"only_registries": ["q.io"]})
    assert found.answer == WOULD_BREAK
    assert found.causes == (1,)
    assert found.touched == (1, 2)


def test_changes_that_break_only_together_are_all_causes() -> None:
    mirrors = {"add_objects": {"src": "f.yml"}}
    lost = [{"unreachable_registries": ["mirror.example.com"]}, LOST]
    alone = compared(pod("s"), mirrors, lost[0])
    assert alone.answer == STILL_PULLS
    one, other = {"only_registries": ["q.io", "x.io"]}, {"only_registries": ["x.io", "y.io"]}
    assert compared(pod("s"), one).answer == NOT_KNOWN
    assert compared(pod("s"), one, other).causes == (1,)


class TestCauses:
    SECRETS: ClassVar = [{"remove_secrets": {"name": "s"}}, {"remove_secrets": {"name": "t"}}]
    SITE: ClassVar = {"add_objects": {"src": "f.yml"}}
    ELSEWHERE: ClassVar = {"add_objects": {"definition": [mirror_set("tag", "other", "x.io", "m.io")]}}

    def compared(self, *given, nodes=None, pools=None):
        """The comparison for a pod with two secrets, and a login of the nodes' own for the mirror."""
        one = pod("s", "t")
        there = place(secrets=[secret("s"), secret("t")], accounts=[account()], pods=[one])
        own = {NODE_SECRET: secret("pull-secret", nodes) if nodes else None}
        snapshot = survey(there, objects={**own, POOLS: pools})
        patches = [patches_of(each, snapshot) for each in changes_of(*given)]
        evaluator = PullEvaluator(PresentPulls(snapshot.evidence, asks=True), patches)
        (subject,) = pulls_of_pod(trim_pod(one), "a")
        while True:
            try:
                return evaluator.compare(subject)
            except ReadRequired:
                for lookup in evaluator.lookups:
                    lookup.add({ref: self.answer(ref) for ref in lookup.take_wanted()})

    def causes(self, *given, nodes=None):
        found = self.compared(*given, nodes=nodes)
        assert found.answer == WOULD_BREAK
        return found.causes

    def answer(self, ref: ObjectRef) -> Any:
        if ref.kind != IMAGE_QUESTION:
            return {"outcome": "trusted"} if ref.kind == TRUST_QUESTION else None
        return {"outcome": "pulls" if ImageQuestion.of(ref).key else "no_login", "message": "it said so"}

    @pytest.mark.parametrize("at", [0, 1, 2])
    def test_a_change_that_touches_the_pull_only_is_not_a_cause(self, at) -> None:
        changes = [*self.SECRETS]
        changes.insert(at, self.ELSEWHERE)
        assert self.causes(*changes) == tuple(each for each in range(3) if each != at)

    def test_the_loss_of_all_logins_is_not_known_to_break_if_the_providers_of_the_nodes_cannot_be_read(self) -> None:
        assert self.compared(*self.SECRETS).answer == WOULD_BREAK
        found = self.compared(*self.SECRETS, pools=REFUSED)
        assert (found.answer, found.before.verdict, found.after.step) == (NOT_KNOWN, PULLS, "providers")
        assert str(REFUSED) in found.after.reason

    def test_each_change_that_breaks_without_the_other_is_a_cause(self) -> None:
        assert self.causes(LOST, self.ELSEWHERE, {"only_registries": ["x.io"]}) == (0, 2)

    def test_a_repair_that_is_undone_makes_both_others_causes(self) -> None:
        mirror = {"mirror.example.com": auth()}
        lost = {"unreachable_registries": ["mirror.example.com"]}
        assert self.causes(LOST, self.SITE, lost, nodes=mirror) == (0, 2)

    def test_a_break_that_is_repaired_is_not_a_cause(self) -> None:
        mirror = {"mirror.example.com": auth()}
        config = image_config(blockedRegistries=["q.io"])
        assert self.causes(LOST, self.SITE, {"add_objects": {"definition": [config]}}, nodes=mirror) == (2,)


def test_the_error_of_a_node_is_about_the_time_before_the_changes() -> None:
    denied = pod(says="Failed to pull image: unauthorized: access to the requested resource is not authorized")
    found = compared(denied, {"add_objects": {"src": "f.yml"}})
    assert found.before.verdict == WILL_NOT_PULL
    assert found.answer in (NOT_KNOWN, STILL_BROKEN)


class TestTokenServices:
    """The registry of the image gets its tokens from another host."""

    def compared(self, host: str, *, realm: str = "auth.io", asks: bool = True) -> tuple[Comparison, list[str]]:
        """The comparison if the nodes lose a host, and the images of the questions to registries."""
        one = pod("s")
        snapshot = survey(place(secrets=[secret("s")], accounts=[account("s")], pods=[one]))
        patches = [patches_of(each, snapshot) for each in changes_of({"unreachable_registries": [host]})]
        evaluator = PullEvaluator(PresentPulls(snapshot.evidence, asks=asks), patches)
        (subject,) = pulls_of_pod(trim_pod(one), "a")
        asked: list[str] = []
        while True:
            try:
                return evaluator.compare(subject), asked
            except ReadRequired:
                for lookup in evaluator.lookups:
                    for ref in lookup.take_wanted():
                        asked += [ImageQuestion.of(ref).repository]
                        lookup.add({ref: {"outcome": "pulls", "message": "it pulls", "realm_host": realm}})

    def test_a_change_of_the_token_service_breaks_the_pull(self) -> None:
        found, asked = self.compared("auth.io")
        assert (found.answer, found.after.step, found.causes) == (WOULD_BREAK, "network", (0,))
        assert asked == ["q.io", "q.io/team/app"]

    @pytest.mark.parametrize("realm", ["auth.io", "q.io", ""])
    def test_the_registry_is_only_asked_for_its_token_service_if_another_host_is_lost(self, realm: str) -> None:
        found, asked = self.compared("other.io", realm=realm)
        assert (found.answer, asked) == (NOT_AFFECTED, ["q.io"])

    def test_nothing_is_asked_without_the_option(self) -> None:
        found, asked = self.compared("auth.io", asks=False)
        assert (found.answer, asked) == (NOT_AFFECTED, [])


@pytest.mark.parametrize("change", [image_config(), None])
def test_a_lost_authority_makes_the_pull_unknown_if_its_registry_is_not_asked(change: Any) -> None:
    config = {"spec": {"additionalTrustedCA": {"name": "ca"}}}
    pem = "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----"
    authorities = ObjectRef(CONFIG_MAP, "openshift-config", "ca")
    gone = {"delete_objects": {"kind": "ConfigMap", "names": ["ca"], "namespace": "openshift-config"}}
    given = gone if change is None else {"add_objects": {"definition": [change]}}
    for host, answer in (("q.io", NOT_KNOWN), ("r.io", STILL_PULLS if change else NOT_AFFECTED)):
        snapshot = survey(
            place(secrets=[secret("s")], accounts=[account("s")], pods=[pod("s")]),
            config=config,
            objects={authorities: {"data": {host: pem}}},
        )
        evaluator = PullEvaluator(
            PresentPulls(snapshot.evidence, asks=False), [patches_of(each, snapshot) for each in changes_of(given)]
        )
        (subject,) = pulls_of_pod(trim_pod(pod("s")), "a")
        found = evaluator.compare(subject, is_reported=True)
        assert (found.answer, found.not_asked) == (answer, answer == NOT_KNOWN)


class TestArchitectures:
    """The image has a copy at a mirror, and nodes of two architectures."""

    NODES: ClassVar = [
        {"metadata": {"name": name}, "status": {"nodeInfo": {"architecture": architecture}}}
        for name, architecture in (("a", "amd64"), ("b", "arm64"))
    ]

    def compared(self, copy: Any, *pods: Any, nodes: Any = NODES) -> list[Comparison]:
        """The comparisons for pods, if nodes pull from a mirror whose image has these architectures."""
        snapshot = survey(
            place(secrets=[secret("s")], accounts=[account("s")], pods=[*pods]), objects={NODES: {"items": nodes}}
        )
        changes = changes_of({"add_objects": {"src": "f.yml"}}, {"only_registries": ["mirror.example.com"]})
        patches = [patches_of(each, snapshot) for each in changes]
        evaluator = PullEvaluator(PresentPulls(snapshot.evidence, asks=True), patches)
        asked: list[ObjectRef] = []
        found = []
        for one in pods:
            (subject,) = pulls_of_pod(trim_pod(one), "a")
            while True:
                try:
                    found.append(evaluator.compare(subject))
                    break
                except ReadRequired:
                    for lookup in evaluator.lookups:
                        wanted = lookup.take_wanted()
                        asked += [ref for ref in wanted if ref.kind == IMAGE_QUESTION]
                        lookup.add({ref: self.answer(ref, copy) for ref in wanted})
        assert len(asked) == len({*asked}), "nothing is asked twice"
        return found

    def answer(self, ref: ObjectRef, copy: Any) -> Any:
        if ref.kind != IMAGE_QUESTION:
            return {"outcome": "trusted"} if ref.kind == TRUST_QUESTION else None
        is_copy = ImageQuestion.of(ref).repository.startswith("mirror.example.com")
        source = {"is_index": True, "names": ["amd64", "arm64"]}
        return {"outcome": "pulls", "message": "pulls", "architectures": copy if is_copy else source}

    @pytest.mark.parametrize("is_index", [True, False])
    def test_pods_on_nodes_of_another_architecture_have_their_own_answer(self, is_index: bool) -> None:
        copy = {"is_index": is_index, "names": ["amd64"]}
        pods = [pod("s", name=f"on-{name}", nodeName=name) for name in ("a", "b", "a")]
        assert [each.answer for each in self.compared(copy, *pods)] == [STILL_PULLS, WOULD_BREAK, STILL_PULLS]

    @pytest.mark.parametrize("is_index", [True, False])
    def test_a_copy_for_other_nodes_breaks_the_pull(self, is_index: bool) -> None:
        copy = {"is_index": is_index, "names": ["arm64"]}
        (found,) = self.compared(copy, pod("s"), nodes=self.NODES[:1])
        assert (found.answer, found.before.effect, found.after.step) == (WOULD_BREAK, PULLS, "copy")
        assert found.causes == (0, 1), (
            "either change alone breaks it: the source is not asked after an index of the mirror"
        )
        assert found.after.verdict == (WILL_NOT_PULL if is_index else PULLS)

    @pytest.mark.parametrize("is_index", [True, False])
    def test_the_answer_for_a_pod_without_a_node_depends_on_the_node(self, is_index: bool) -> None:
        (found,) = self.compared({"is_index": is_index, "names": ["amd64"]}, pod("s"))
        assert (found.answer, "on the architecture of the node" in found.after.reason) == (NOT_KNOWN, True)
        limited = pod("s", nodeSelector={"kubernetes.io/arch": "amd64"})
        assert self.compared({"is_index": is_index, "names": ["amd64"]}, limited)[0].answer == STILL_PULLS


def test_equal_pods_are_compared_once() -> None:
    snapshot = survey(place(secrets=[secret("s")], pods=[pod("s")]))
    patches = [patches_of(each, snapshot) for each in changes_of(LOST)]
    evaluator = PullEvaluator(PresentPulls(snapshot.evidence, asks=False), patches)
    one, other = (pulls_of_pod(trim_pod(pod("s", name=name)), "a")[0] for name in ("one", "two"))
    first, second = evaluator.compare(one), evaluator.compare(other)
    assert second.after is first.after
    assert second.subject.ref.name == "two"


class TestEarlier:
    """The changes replace earlier ones: both start from the present cluster."""

    def compared(self, one, earlier, *given):
        snapshot = survey(place(secrets=[secret("s")], accounts=[account("s")], pods=[one]))
        before, *patches = (patches_of(each, snapshot) for each in changes_of(earlier, *given))
        evaluator = PullEvaluator(PresentPulls(snapshot.evidence, asks=False), patches, before)
        (subject,) = pulls_of_pod(trim_pod(one), "a")
        return evaluator.compare(subject)

    def test_changes_are_compared_with_the_earlier_state(self) -> None:
        found = self.compared(pod("s"), LOST, {"new_nodes": True})
        assert (found.before.verdict, found.after.verdict, found.touched) == (WILL_NOT_PULL, PULLS, (0,))
        back = self.compared(pod("s"), {"new_nodes": True}, LOST)
        assert (back.answer, back.causes) == (WOULD_BREAK, (0,))

    def test_the_same_change_in_both_states_touches_nothing(self) -> None:
        removed = {"remove_secrets": {"name": "s"}}
        found = self.compared(pod("s"), removed, removed)
        assert found.after is found.before
        assert found.before.verdict != PULLS
        assert found.touched == ()

    def test_a_change_of_neither_is_the_present_pull(self) -> None:
        found = self.compared(pod("s"), {"remove_secrets": {"name": "one"}}, {"remove_secrets": {"name": "two"}})
        assert (found.answer, found.touched) == (NOT_AFFECTED, ())

    def test_the_error_of_a_node_counts_only_in_the_present_state(self) -> None:
        reason = 'Failed to pull image "q.io/team/app:v1": dial tcp: lookup q.io: no such host'
        mirrors, other = {"add_objects": {"src": "f.yml"}}, {"remove_secrets": {"name": "other"}}
        found = self.compared(pod("s", says=reason), mirrors, other)
        assert found.after.verdict == WILL_NOT_PULL
        assert "no such host" in found.after.reason
        assert found.before.verdict == UNKNOWN
        assert found.before.reason.startswith(
            "nothing visible fails in this state, but the node reports an error today: "
        )
        assert self.compared(pod("s", says=reason), other, mirrors).after == found.before


class TestRunningPods:
    """A container that has its image, on a node of each policy, if the policy changes. Its next pull fails or is not known."""

    POLICIES: ClassVar = (NEVER_VERIFY, PRELOADED, ALLOWLISTED, ALWAYS_VERIFY)

    def compared(
        self, before: str, after: str | None, *more: Any, pull_policy: str = "IfNotPresent", runs: bool = True,
        kubelet: str = "v1.36.1", runtime: str = "cri-o://1.36.0", list_of: str = "q.io/team/app", registry: str = "q.io", node: str = "n",
    ) -> Comparison:  # fmt: skip
        """The comparison for a pod whose login `registry` does not accept. `after`: the policy that a change sets."""
        one = pod("s", runs=runs, policy=pull_policy, nodeName=node)
        info = {"kubeletVersion": kubelet, "containerRuntimeVersion": runtime}
        present = {
            "metadata": {"name": "n", "labels": {"node-role.kubernetes.io/worker": ""}},
            "status": {"nodeInfo": info},
        }
        selector = {"matchLabels": {"node-role.kubernetes.io/worker": ""}}
        pool = {"metadata": {"name": "worker", "labels": {"pools": "x"}}, "spec": {"nodeSelector": selector}}
        snapshot = survey(
            place(secrets=[secret("s", {registry: auth()})], accounts=[account()], pods=[one]),
            objects={
                NODES: {"items": [present]},
                POOLS: {"items": [pool]},
                KUBELET_CONFIGS: {"items": [self.config(before, list_of)]},
            },
        )
        policy = [] if after is None else [{"add_objects": {"definition": [self.config(after, list_of)]}}]
        changes = changes_of(*policy, *more)
        at = next((at for at, each in enumerate(changes) if each.kind == "new_nodes"), None)
        patches = [patches_of(each, snapshot) for each in changes]
        evaluator = PullEvaluator(PresentPulls(snapshot.evidence, asks=True), patches, new_nodes=at)
        (subject,) = pulls_of_pod(trim_pod(one), "a")
        while True:
            try:
                return evaluator.compare(subject, is_reported=True)
            except ReadRequired:
                for lookup in evaluator.lookups:
                    answers = {ref: self.answer(ref) for ref in lookup.take_wanted()}
                    lookup.add(answers)

    def config(self, policy: str, list_of: str) -> Any:
        listed = {"preloadedImagesVerificationAllowlist": [list_of]} if "Allowlisted" in policy else {}
        return {
            "apiVersion": "machineconfiguration.openshift.io/v1",
            "kind": "KubeletConfig",
            "metadata": {"name": "images"},
            "spec": {
                "machineConfigPoolSelector": {"matchLabels": {"pools": "x"}},
                "kubeletConfig": {"imagePullCredentialsVerificationPolicy": policy, **listed},
            },
            "status": {"conditions": [{"type": "Success", "status": "True"}]},
        }

    def answer(self, ref: ObjectRef) -> Any:
        return {"outcome": "no_login", "message": "it asks for a login"} if ref.kind == IMAGE_QUESTION else None

    def expected(self, before: str, after: str, *, kubelet: str, runtime: str, list_of: str, **_more: Any) -> str:
        """By a kubelet that is written without the collection's code, for each record that it can have."""
        kubelets = [
            Kubelet(kubelet, runtime, each, (list_of,) if each == ALLOWLISTED else ()) for each in (before, after)
        ]
        login = [("s", "login")]
        starts = {
            tuple(each.uses("q.io/team/app:v1", login, record) for each in kubelets)
            for record in possible_records(login)
        }
        if (True, False) not in starts:
            return NOT_AFFECTED
        return NOT_KNOWN if (True, True) in starts else WOULD_BREAK

    @pytest.mark.parametrize("pull_policy", ["IfNotPresent", "Never"])
    @pytest.mark.parametrize(
        "node",
        [("v1.34.2", "cri-o://1.34.1"), ("v1.35.4", "cri-o://1.35.1"), ("v1.36.1", "cri-o://1.36.0"), ("v1.36.1", "containerd://2.0")],
    )  # fmt: skip
    @pytest.mark.parametrize("list_of", ["q.io/team/app", "x.io/other"])
    @pytest.mark.parametrize("policies", [*itertools.product(POLICIES, POLICIES)])
    def test_the_next_start_on_the_same_node_decides(
        self, policies: tuple[str, str], list_of: str, node: tuple[str, str], pull_policy: str
    ) -> None:
        (before, after), (kubelet, runtime) = policies, node
        given = {"kubelet": kubelet, "runtime": runtime, "list_of": list_of, "pull_policy": pull_policy}
        found = self.compared(before, after, **given)
        expected = self.expected(before, after, **given)
        assert found.answer == expected
        assert found.causes == ((0,) if expected == WOULD_BREAK else ())
        if expected != NOT_AFFECTED:
            assert found.before.reason == "the container has its image"

    @pytest.mark.parametrize("given", [{"pull_policy": "Always"}, {"runs": False}], ids=str)
    def test_a_pod_that_pulls_anyway_is_not_affected(self, given: Any) -> None:
        assert self.compared("NeverVerify", "AlwaysVerify", **given).answer == NOT_AFFECTED

    def test_a_pod_without_pulls_that_has_its_image_is_not_unknown(self) -> None:
        for change in ({"unreachable_registries": ["q.io"]}, {"remove_links": {"secrets": ["s"]}}):
            found = self.compared("NeverVerify", None, change, pull_policy="Never")
            assert (found.answer, found.before.verdict) == (NOT_AFFECTED, PULLS)
        found = self.compared("NeverVerify", "NeverVerify", {"target_version": "4.22"}, pull_policy="Never")
        assert found.answer == NOT_AFFECTED

    @pytest.mark.parametrize("policy", POLICIES)
    @pytest.mark.parametrize(("pull_policy", "same"), [("Never", NOT_AFFECTED), ("IfNotPresent", STILL_BROKEN)])
    def test_a_secret_that_the_record_may_have_counts_only_if_the_kubelet_verifies(
        self, policy: str, pull_policy: str, same: str
    ) -> None:
        """The kubelet accepts the login by its own record, even if the registry does not accept it."""
        change, other = ({"remove_secrets": {"name": name}} for name in "st")
        given: dict[str, Any] = {"pull_policy": pull_policy, "list_of": "x.io/other"}
        expected = same if policy == NEVER_VERIFY else NOT_KNOWN
        assert self.compared(policy, None, change, **given).answer == expected
        assert self.compared(policy, None, change, **given, registry="r.io").answer == same
        assert self.compared(policy, None, other, **given).answer == NOT_AFFECTED

    def test_a_login_that_the_registry_refuses_from_now_on_stays_in_the_record(self) -> None:
        change = {"remove_credential": {"registry": "q.io", "username": "user"}}
        assert self.compared(ALWAYS_VERIFY, None, change, pull_policy="Never").answer == NOT_AFFECTED

    def test_settings_of_an_unknown_node_may_concern_it(self) -> None:
        for change, answer in ((ALWAYS_VERIFY, NOT_KNOWN), (None, STILL_BROKEN)):
            found = self.compared(NEVER_VERIFY, change, {"unreachable_registries": ["q.io"]}, node="other")
            assert found.answer == answer

    def test_new_nodes_do_not_have_the_image_of_a_pod_without_pulls(self) -> None:
        found = self.compared("NeverVerify", None, {"new_nodes": True}, pull_policy="Never")
        assert (found.answer, found.after.step) == (WOULD_BREAK, "cached")
