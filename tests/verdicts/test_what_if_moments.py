# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The moment at which a pull that breaks is missed agrees with the lab's nodes: those that have the image, another node, and the next pod.

The module answers about pods that run on nodes of several versions and policies. Then the changes are really made. Each pod starts again on
its node, once for each past of the node (`pod_histories.py`), and on another node without any image. The next pod of each deployment starts
as well. `possibly` is right exactly if the pasts of the node decide. `IMAGE_PULL_RESTARTED` sets the number of pods.

`new_nodes` is real: the nodes have no image. `target_version` and a KubeletConfig are real where they change the options of the lab's node:
whether it verifies present images, its policy, and whether its runtime's records are found. Not real, and not part of this test: the
allow-list of Kubernetes 1.35, because the lab has the code of 1.36, and the check of an ImagePolicy at a start, because the lab's node has no
containers.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest
from support.generated_nodes import ALLOW_LISTS, ALLOWLISTED, NodeCase, show_nodes
from support.lab import Lab
from support.lab_nodes import kubelet_config
from support.node_memories import NodeMemories
from support.pod_histories import PodHistories, PodOnNode
from support.supposed_changes import made
from support.supposed_pods import LOCAL, SupposedPods, names_of, supposed_cases
from support.supposed_rounds import (
    PLAIN,
    ROUNDS,
    TRUSTING,
    Changes,
    Names,
    Round,
    added,
    ask_what_if,
    pulls_of,
    users_of,
)

pytestmark = pytest.mark.slow

COUNT = int(os.environ.get("IMAGE_PULL_RESTARTED", "46"))
SEED = os.environ.get("IMAGE_PULL_SEED", "0")

ALWAYS_VERIFY = "AlwaysVerify"
UNVERIFIED = NodeCase("v1.34.2", "cri-o://1.34.11", verifies=False)
#: The nodes, in the order of their names. Of the allow-lists, only prefixes are the same in 1.35 and 1.36.
NODES = (
    UNVERIFIED,
    NodeCase("v1.35.4", "cri-o://1.35.1"),
    NodeCase("v1.35.4", "cri-o://1.35.1", ALWAYS_VERIFY),
    NodeCase("v1.35.4", "cri-o://1.35", ALWAYS_VERIFY),
    NodeCase("v1.36.1", "cri-o://1.36.0"),
    NodeCase("v1.36.1", "cri-o://1.36.0", ALWAYS_VERIFY),
    NodeCase("v1.36.1", "cri-o://1.36.0", "NeverVerify"),
    NodeCase("v1.36.1", "cri-o://1.36.0", ALLOWLISTED, ALLOW_LISTS[1]),
    NodeCase("v1.36.1", "cri-o://1.35.1", ALLOWLISTED, ALLOW_LISTS[1]),
)
OLD, VERIFYING = NODES[:4], NODES[1:]


@dataclass(frozen=True)
class Move:
    """A round with its nodes. `after`: the node after the changes."""

    round: Round
    nodes: Sequence[NodeCase] = NODES
    after: Callable[[NodeCase], NodeCase] = lambda node: node

    def kubelets(self, node: NodeCase, names: Names) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """The options of the node before and after the changes. Another runtime can be any that its version leaves open."""
        after = self.after(node)
        pairs = zip if after.runtime == node.runtime else product
        return [*pairs(node.options(names), after.options(names))]


def closed(*more: Mapping[str, Any]) -> Callable[[Names, Sequence[str]], Changes]:
    return lambda names, _namespaces: [*map(dict, more), {"unreachable_registries": [names["private"]]}]


POLICIES = added(
    *(
        kubelet_config(f"node-{at}", {"imagePullCredentialsVerificationPolicy": ALWAYS_VERIFY})
        for at in range(1, len(NODES))
    )
)
MOVES = (
    # A node does not list a name without a registry, so these images are not compared with those that it has. The answer for an image
    # with a new name is about the next pod, which has no past.
    *(
        Move(each)
        for each in ROUNDS
        if not (each.title in ("an upgrade", "a policy of the namespace") or each.has_search or each.base == TRUSTING)
        and not each.title.startswith("images move")
    ),
    Move(Round("new nodes and a closed registry", PLAIN, closed({"new_nodes": True}))),
    Move(
        Round("an upgrade", PLAIN, lambda _names, _namespaces: [{"target_version": "4.22"}], (1, 2)),
        OLD,
        lambda node: node.upgraded("1.35"),
    ),
    Move(
        Round("an upgrade and a closed registry", PLAIN, closed({"target_version": "4.22"})),
        OLD,
        lambda node: node.upgraded("1.35"),
    ),
    Move(
        Round("another upgrade and a closed registry", PLAIN, closed({"target_version": "4.23"})),
        NODES,
        lambda node: node.upgraded("1.36"),
    ),
    Move(
        Round("another policy and a closed registry", PLAIN, closed(*POLICIES)),
        VERIFYING,
        lambda node: replace(node, policy=ALWAYS_VERIFY, allow_list=()),
    ),
)


class RunningPods(SupposedPods):
    """Most of the pods use the image that their node has. The first one of each move certainly runs, on the first node of the move."""

    def _pull_policy(self, number: int) -> str:
        return "Always" if _is_rare(f"{SEED}, pull policy of {number}", number) else "IfNotPresent"


def _is_rare(seed: str, number: int) -> bool:
    return number >= len(MOVES) and random.Random(seed).random() < 0.15


@dataclass(frozen=True)
class Start:
    """The answer for one image, with the results of the nodes after the changes.

    `restarts`: those of the node that has the image, with each of its pasts. Empty for a pod that never ran, and for new nodes.
    `elsewhere`: that of a node without any image.
    """

    where: str
    row: Mapping[str, Any]
    node: NodeCase
    is_pod: bool
    has_new_nodes: bool
    restarts: Sequence[bool]
    elsewhere: bool

    @property
    def moment(self) -> tuple[str, str]:
        return self.row["when"], self.row["possibly"]

    @property
    def expected(self) -> tuple[str, str]:
        """The certain moment and an earlier one that the past of the node decides."""
        if self.has_new_nodes:
            return "at_once", ""
        if not self.is_pod:
            return "at_rollout", ""
        if not self.restarts:
            return "at_once", ""
        if not any(self.restarts):
            return "at_restart", ""
        return "on_another_node", "" if all(self.restarts) else "at_restart"

    def __str__(self) -> str:
        return f"{self.moment}, but {self.expected}, elsewhere {self.elsewhere}: {self.where}: {self.row}"


class Rehearsal:
    """The moves on one lab."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.names = {**names_of(lab), **users_of(lab)}
        self.memories = NodeMemories(lab, [self.names[name] for name in ("source", "never")])
        self.starts: list[Start] = []

    def run(self) -> list[Start]:
        self.lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": "project-b"}}, expect=(201, 409))
        self.lab.run("push", "--dir", str(self.lab.dir), "project-b/app:v1")
        self.nodes = show_nodes(self.lab, NODES, self.names)
        self.memories.prepare()
        for base in dict.fromkeys(each.round.base for each in MOVES):
            _Scene(self, [(at, each) for at, each in enumerate(MOVES) if each.round.base == base]).run()
        return self.starts


class _Scene:
    """The moves from one configuration of the cluster."""

    def __init__(self, whole: Rehearsal, moves: Sequence[tuple[int, Move]]) -> None:
        self.whole, self.lab, self.names = whole, whole.lab, whole.names
        self.base = moves[0][1].round.base
        self.pods = [(each, self._pods(at, each)) for at, each in moves]
        self.nodes = {
            number: each.nodes[0] if number < len(MOVES) else random.Random(f"{SEED}, {number}").choice(each.nodes)
            for each, pods in self.pods
            for number in pods.cases
        }

    def _pods(self, at: int, move: Move) -> RunningPods:
        numbers = range(at, COUNT, len(MOVES))
        each, first = move.round, LOCAL[at % len(LOCAL)]
        cases = supposed_cases(
            len(numbers),
            f"{SEED}, {each.title}",
            first,
            with_mirrors=each.is_mirrored,
            changes=each.local,
            more=each.images,
        )
        return RunningPods(self.lab, dict(zip(numbers, cases, strict=True)), self.names, f"moved-{at}")

    def run(self) -> None:
        whole, on_nodes = self.whole, []
        for move, pods in self.pods:
            pods.make()
            pods.each(lambda number, pods=pods: self._bind(*pods.place(number), self.nodes[number]))
            on_nodes += [self._on_node(move, pods, number) for number in pods.cases]
        histories = PodHistories(self.lab, on_nodes, whole.memories)
        histories.make_pullers()
        with self.base.applied(self.lab, self.names, whole.memories.logins):
            histories.pull_as_others(later=False)
        with self.base.applied(self.lab, self.names):
            begun = histories.start()
        with self.base.applied(self.lab, self.names, whole.memories.logins):
            histories.pull_as_others(later=True)
        waiting = {
            pods.place(number)
            for _move, pods in self.pods
            for number in pods.cases
            if _is_rare(f"{SEED}, wait of {number}", number)
        }
        running = [place for place, each in begun.items() if all(each.values()) and place not in waiting]
        with self.base.applied(self.lab, self.names):
            shown = pulls_of(self.lab, running, "--status")
            assert all(all(each.values()) for each in shown.values())
            for move, pods in self.pods:
                whole.starts += self._starts(move, pods, histories, {*running})

    def _on_node(self, move: Move, pods: RunningPods, number: int) -> PodOnNode:
        case = pods.cases[number]
        images = [image.format(**self.names) for image in (case.volume, case.image) if image]
        return PodOnNode(pods.place(number), images, move.kubelets(self.nodes[number], self.names))

    def _bind(self, namespace: str, name: str, node: NodeCase) -> None:
        target = {"apiVersion": "v1", "kind": "Node", "name": self.whole.nodes[node]}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
        self.lab.api("POST", f"/api/v1/namespaces/{namespace}/pods/{name}/binding", body)

    def _starts(
        self, move: Move, pods: RunningPods, histories: PodHistories, running: set[tuple[str, str]]
    ) -> Iterator[Start]:
        changes = move.round.changes(self.names, pods.namespaces)
        has_new_nodes = {"new_nodes": True} in changes
        local = [change for number in pods.cases for change in pods.changes(number)]
        rows = ask_what_if(self.lab, [*changes, *local], pods.namespaces)
        places = {number: pods.place(number) for number in pods.cases}
        with made(self.lab, changes):
            pods.change()
            new = dict(zip(pods.cases, pods.each(lambda number: pods.create_pod(number, f"n-{number}")), strict=True))
            made_later = [(places[number][0], name) for number, name in new.items()]
            elsewhere = pulls_of(self.lab, [*places.values(), *made_later])
            ran = [place for place in places.values() if place in running and not has_new_nodes]
            restarts = histories.restart(ran)
        for number, (namespace, pod) in places.items():
            for kind, name, now in (("Pod", pod, pod), ("Deployment", f"d-{number}", new[number])):
                for part, pulled in elsewhere[namespace, now].items():
                    where = f"{move.round.title}: {kind} {name} {part} on {self.nodes[number]}: {pods.cases[number]}"
                    row = rows.get((kind, name, part), {"answer": "not_affected"})
                    again = restarts.get((namespace, now), {}).get(part, ())
                    yield Start(where, row, self.nodes[number], kind == "Pod", has_new_nodes, again, pulled)


@pytest.fixture(scope="module")
def starts(lab_factory: Any) -> list[Start]:
    """All starts on a separate lab, because the changes concern the whole cluster."""
    return Rehearsal(lab_factory()).run()


@pytest.fixture(scope="module")
def broken(starts: list[Start]) -> list[Start]:
    found = [each for each in starts if each.row["answer"] == "would_break"]
    print(Counter(each.moment for each in found))
    return found


class TestMoments:
    def test_each_moment_is_the_first_at_which_the_nodes_miss_the_image(self, broken: list[Start]) -> None:
        wrong = [each for each in broken if each.moment != each.expected or each.elsewhere]
        assert not wrong, f"{len(wrong)} of {len(broken)}, such as " + "\n".join(map(str, wrong[:10]))

    def test_a_pod_that_still_pulls_starts_again_everywhere(self, starts: list[Start]) -> None:
        pulls = [each for each in starts if each.row["answer"] == "still_pulls"]
        wrong = [each.where for each in pulls if not (all(each.restarts) and each.elsewhere)]
        assert any(each.restarts for each in pulls)
        assert not wrong, f"{len(wrong)} of {len(pulls)}, such as {wrong[:5]}"

    def test_all_moments_occur(self, broken: list[Start]) -> None:
        assert {each.expected for each in broken} == {
            ("at_once", ""),
            ("at_restart", ""),
            ("on_another_node", "at_restart"),
            ("on_another_node", ""),
            ("at_rollout", ""),
        }

    def test_an_upgrade_makes_a_restart_on_the_same_node_uncertain(self, broken: list[Start]) -> None:
        """The kubelet before does not verify images that are present, and the one after does."""
        found = [each for each in broken if each.node == UNVERIFIED and each.restarts and all(each.restarts)]
        later = [each for each in broken if each.node == UNVERIFIED and len({*each.restarts}) == 2]
        assert found
        assert later
        assert {"upgrade" in each.where for each in found} == {False}
        assert {"upgrade" in each.where for each in later} == {True}
