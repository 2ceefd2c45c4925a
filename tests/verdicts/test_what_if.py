# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers of pull_access_what_if on generated pods and changes agree with the lab's node before the changes and after them.

The module answers first. Then the changes are really made, and the node pulls: for the pods that existed, and for a new pod of each
deployment. `IMAGE_PULL_SUPPOSED` sets the number of pods, and `IMAGE_PULL_SEED` selects other cases.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from support.generated_pods import VOLUME
from support.lab import Lab
from support.supposed_changes import made
from support.supposed_pods import LOCAL, NEVER, SupposedPods, names_of, supposed_cases
from support.supposed_rounds import ROUNDS, Base, Round, ask_what_if, pulls_of, users_of

COUNT = int(os.environ.get("IMAGE_PULL_SUPPOSED", "96"))
SEED = os.environ.get("IMAGE_PULL_SEED", "0")
#: The number of pods of one question. Each of its changes is compared with all that each pod reads.
PODS_OF_QUESTION = 64
#: The number of pods in a namespace. The questions to registries of one namespace are asked one after the other.
PODS_OF_NAMESPACE = 8

#: The answer for the results of the node before and after the changes.
ANSWERS = {
    (True, True): "still_pulls",
    (True, False): "would_break",
    (False, False): "still_broken",
    (False, True): "would_work",
}
#: The round whose change only the registries show to have an effect: without them, there is a warning.
HIDDEN = "a closed token service"
#: A registry that does not answer the host of the task. It does not answer the lab's nodes either.
NOT_ASKED = "could not be asked from here"


@dataclass(frozen=True)
class Answered:
    """The answer for one image of a pod or deployment, with the node's results. `own` are the positions of the changes for it.

    `unasked`: the answer without the registries. `is_moved`: the image has another name after the changes, so it is about the next pod.
    """

    where: str
    row: Mapping[str, Any]
    before: bool
    after: bool
    own: frozenset[int]
    kinds: Sequence[str]
    unasked: str
    is_moved: bool

    @property
    def answer(self) -> str:
        return str(self.row["answer"])

    @property
    def reasons(self) -> str:
        return "; ".join(self.row[when]["reason"] for when in ("before", "after"))

    @property
    def is_wrong(self) -> bool:
        """A pull that surely fails after the changes counts as one that breaks if it may work before them."""
        if self.answer == "not_affected":
            return self.before != self.after
        expected = ANSWERS[self.before, self.after]
        was_unknown = self.row["before"]["verdict"] == "unknown" and expected == "still_broken"
        return self.answer not in ("unknown", expected) and not (self.answer == "would_break" and was_unknown)

    def __str__(self) -> str:
        return f"{self.answer}, but {self.before} and then {self.after}: {self.where}: {self.row}"


#: The row of a pull that no change affects: it is only counted.
NOT_AFFECTED = {
    "answer": "not_affected", "changes": [], "before": {"verdict": "pulls", "reason": ""}, "after": {"verdict": "pulls", "reason": ""}, "when": "",
}  # fmt: skip


class Rehearsal:
    """The rounds on one lab."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.names = {**names_of(lab), **users_of(lab)}
        self.answers: list[Answered] = []

    def run(self) -> list[Answered]:
        self.lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": "project-b"}}, expect=(201, 409))
        self.lab.run("push", "--dir", str(self.lab.dir), "project-b/app:v1")
        for base in dict.fromkeys(each.base for each in ROUNDS):
            self._run_base(base, [(at, each) for at, each in enumerate(ROUNDS) if each.base == base])
        return self.answers

    def _run_base(self, base: Base, rounds: Sequence[tuple[int, Round]]) -> None:
        groups = [(each, pods) for at, each in rounds for pods in self._groups(at, each)]
        for _round, pods in groups:
            pods.make()
        with base.applied(self.lab, self.names):
            before = pulls_of(self.lab, [pods.place(number) for _round, pods in groups for number in pods.cases])
            for each, pods in groups:
                self.answers += self._answers(each, pods, before)

    def _groups(self, at: int, each: Round) -> Iterator[SupposedPods]:
        """The pods of a round, by question."""
        numbers, kind = range(at, COUNT, len(ROUNDS)), "openshift-" if each.is_platform else ""
        seed, first = f"{SEED}, {each.title}", LOCAL[at % len(LOCAL)]
        cases = supposed_cases(
            len(numbers),
            seed,
            first,
            with_mirrors=each.is_mirrored,
            has_search=each.has_search,
            changes=each.local,
            more=each.images,
        )
        for part in range(0, len(numbers), PODS_OF_QUESTION):
            found = dict(zip(numbers[part : part + PODS_OF_QUESTION], cases[part:], strict=False))
            places = range(0, len(found), PODS_OF_NAMESPACE)
            yield SupposedPods(
                self.lab, found, self.names, *(f"{kind}supposed-{at}-{part + place}" for place in places)
            )

    def _answers(self, each: Round, pods: SupposedPods, before: Mapping[Any, Any]) -> Iterator[Answered]:
        whole = each.changes(self.names, pods.namespaces)
        local = {number: pods.changes(number) for number in pods.cases}
        changes = [*whole, *(change for one in local.values() for change in one)]
        asked = None if each.is_platform else pods.namespaces
        rows, unasked = (ask_what_if(self.lab, changes, asked, asks=asks) for asks in (True, False))
        with made(self.lab, whole):
            pods.change()
            pods.moved = {old: new for each in whole for old, new in each.get("moved", {}).items()}
            later = dict(zip(pods.cases, pods.each(pods.next_pod), strict=True))
            new = dict(zip(pods.cases, pods.each(lambda number: pods.create_pod(number, f"n-{number}")), strict=True))
            places = {number: pods.place(number) for number in pods.cases}
            judged = [(places[number][0], name) for names in (later, new) for number, name in names.items()]
            after = pulls_of(self.lab, judged)
        first = len(whole)
        for number, (namespace, pod) in places.items():
            own = frozenset([*range(len(whole)), *range(first, first + len(local[number]))])
            first += len(local[number])
            for kind, name, now in (("Pod", pod, later[number]), ("Deployment", f"d-{number}", new[number])):
                for part, pulled in after[namespace, now].items():
                    where = f"{each.title}: {kind} {name} {part}: {pods.cases[number]}"
                    row, other = (found.get((kind, name, part), NOT_AFFECTED) for found in (rows, unasked))
                    kinds = [kind for at in row["changes"] for kind in changes[at]]
                    image = pods.cases[number].volume if part == VOLUME else pods.cases[number].image
                    was = before[namespace, pod][part]
                    yield Answered(where, row, was, pulled, own, kinds, other["answer"], pods.is_moved(image))


@pytest.fixture(scope="module")
def answers(lab_factory: Any) -> list[Answered]:
    """All answers on a separate lab, because the changes concern the whole cluster."""
    found = Rehearsal(lab_factory()).run()
    print(Counter((each.answer, each.before, each.after) for each in found))
    return found


class TestGeneratedChanges:
    def test_each_answer_matches_the_node_before_and_after_the_changes(self, answers: list[Answered]) -> None:
        wrong = [each for each in answers if each.is_wrong]
        assert not wrong, f"{len(wrong)} of {len(answers)}, such as " + "\n".join(map(str, wrong[:20]))
        assert len({each.where for each in answers}) == len(answers) >= 2 * COUNT

    def test_unknown_answers_are_rare_and_their_reasons_are_true(self, answers: list[Answered]) -> None:
        unknown = [each for each in answers if each.answer == "unknown"]
        print(Counter(each.reasons for each in unknown))
        assert len(unknown) < 0.05 * len(answers)
        for each in unknown:
            assert NOT_ASKED in each.reasons, each
            assert NEVER in each.reasons, each

    def test_an_answer_without_the_registries_promises_no_pull_that_the_changes_break(
        self, answers: list[Answered]
    ) -> None:
        broken = [each for each in answers if each.before and not each.after and not each.where.startswith(HIDDEN)]
        assert {each.unasked for each in broken} == {"unknown", "would_break"}, [
            f"{each.unasked}: {each}" for each in broken if each.unasked not in ("unknown", "would_break")
        ]

    def test_an_answer_without_the_registries_breaks_no_pull_that_works(self, answers: list[Answered]) -> None:
        wrong = [each for each in answers if each.after and each.unasked in ("would_break", "still_broken")]
        assert not wrong, f"{len(wrong)}, such as {wrong[0].unasked}: {wrong[0]}"

    def test_all_answers_and_all_kinds_of_changes_occur(self, answers: list[Answered]) -> None:
        assert {*ANSWERS.values(), "not_affected"} <= {each.answer for each in answers}
        causes = {kind for each in answers if each.answer == "would_break" for kind in each.kinds}
        assert causes >= {
            *LOCAL, "unreachable_registries", "only_registries", "moved", "remove_credential", "add_objects", "delete_objects",
        }  # fmt: skip
        assert {each.row.get("kind") for each in answers if each.answer == "would_work"} >= {"Pod", "Deployment"}
        assert any(each.row.get("volume") == VOLUME for each in answers if each.answer == "would_break")

    def test_a_pull_that_breaks_names_only_changes_that_concern_it(self, answers: list[Answered]) -> None:
        breaks = [each for each in answers if each.answer == "would_break"]
        assert breaks
        for each in breaks:
            assert each.row["changes"], each
            assert each.own >= {*each.row["changes"]}, each
            is_of_pod = each.row["kind"] == "Pod" and not each.is_moved
            is_at_once = is_of_pod or each.where.startswith(ROUNDS[0].title)  # the one with new nodes
            assert each.row["when"] == ("at_once" if is_at_once else "at_rollout"), each
