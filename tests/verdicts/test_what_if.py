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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from support.generated_pods import VOLUME
from support.lab import Lab
from support.modules import run_module
from support.registry_settings import registry_settings
from support.supposed_changes import image_config, made, mirror_set, signature_policy
from support.supposed_pods import LOCAL, NEVER, SupposedPods, names_of, supposed_cases

COUNT = int(os.environ.get("IMAGE_PULL_SUPPOSED", "60"))
SEED = os.environ.get("IMAGE_PULL_SEED", "0")
#: The number of pods of one question. Each of its changes is compared with all that each pod reads.
PODS_OF_QUESTION = 64
#: The number of pods in a namespace. The questions to registries of one namespace are asked one after the other.
PODS_OF_NAMESPACE = 8

Changes = list[dict[str, Any]]
Names = Mapping[str, str]

#: The answer for the results of the node before and after the changes.
ANSWERS = {
    (True, True): "still_pulls",
    (True, False): "would_break",
    (False, False): "still_broken",
    (False, True): "would_work",
}
#: A registry that does not answer the host of the task. It does not answer the lab's nodes either.
NOT_ASKED = "could not be asked from here"


def added(*objects: dict[str, Any]) -> Changes:
    return [{"add_objects": {"definition": [*objects]}}]


def deleted(kind: str, *names: str, **more: str) -> Changes:
    return [{"delete_objects": {"kind": kind, "names": [*names], **more}}]


def mirrors(names: Names) -> list[dict[str, Any]]:
    """The mirror sets of the base with mirrors."""
    to = f"{names['private']}/team"
    return [
        mirror_set("tag", "tags", f"{names['source']}/team", to),
        mirror_set("digest", "digests", f"{names['source']}/team", f"{names['delegated']}/nowhere", to),
        mirror_set("digest", "never", names["never"], names["delegated"], never_source=True),
    ]


@dataclass(frozen=True)
class Base:
    """The configuration of the cluster before the changes. `nodes_login` is the registry for which the nodes have a login."""

    title: str
    objects: Callable[[Names], Sequence[dict[str, Any]]] = lambda _names: ()
    nodes_login: str = ""

    @contextmanager
    def applied(self, lab: Lab, names: Names) -> Iterator[None]:
        account = lab.registry("private")["accounts"][0]
        login = {names[self.nodes_login]: (account["username"], account["password"])} if self.nodes_login else {}
        objects = self.objects(names)
        with registry_settings(lab, node=login), made(lab, added(*objects) if objects else []):
            yield


@dataclass(frozen=True)
class Round:
    """Questions in namespaces of their own. `changes` concern the whole cluster. `local`: the least and most changes of each pod."""

    title: str
    base: Base
    changes: Callable[[Names, Sequence[str]], Changes]
    local: tuple[int, int] = (0, 1)


PLAIN = Base("no settings")
LOGIN = Base("nodes with a login", nodes_login="private")
MIRRORS = Base("mirrors", mirrors, "private")
BLOCKED = Base("blocked registries", lambda names: [image_config(blockedRegistries=[names["delegated"]])], "delegated")
SIGNED = Base("image policies", lambda names: [signature_policy("app", f"{names['private']}/team/app")])

NODES_SECRET = {"remove_secrets": {"name": "pull-secret", "namespaces": ["openshift-config"]}}


def refused(lab_account: str, registry: str) -> Callable[[Names, Sequence[str]], Changes]:
    return lambda names, _namespaces: [
        {"remove_credential": {"registry": names[registry], "username": names[lab_account]}}
    ]


ROUNDS = (
    Round("nothing else", PLAIN, lambda _names, _namespaces: [{"new_nodes": True}], (1, 2)),
    Round("an upgrade", PLAIN, lambda _names, _namespaces: [{"target_version": "4.22"}], (1, 2)),
    Round("a login", PLAIN, refused("user", "private")),
    Round("a closed registry", PLAIN, lambda names, _: [{"unreachable_registries": [names["delegated"]]}]),
    Round("the nodes' secret", LOGIN, lambda _names, _namespaces: [NODES_SECRET]),
    Round("the nodes' login", LOGIN, refused("nodes_user", "private")),
    Round("only some registries", LOGIN, lambda names, _: [{"only_registries": [names["delegated"], names["integrated"]]}]),
    Round("added mirrors", LOGIN, lambda names, _namespaces: added(*mirrors(names))),
    Round(
        "a mirror of a closed registry",
        LOGIN,
        lambda names, _namespaces: [
            {"unreachable_registries": [names["delegated"]]},
            *added(mirror_set("tag", "closed", names["delegated"], names["private"])),
        ],
    ),
    Round(
        "a mirror instead of the registry",
        LOGIN,
        lambda names, _: added(mirror_set("tag", "instead", names["private"], names["delegated"], never_source=True)),
    ),
    Round("deleted mirrors", MIRRORS, lambda _names, _namespaces: deleted("ImageDigestMirrorSet", "digests", "never")),
    Round("a closed mirror", MIRRORS, lambda names, _namespaces: [{"unreachable_registries": [names["private"]]}]),
    Round("the login for a mirror", MIRRORS, refused("nodes_user", "private")),
    Round(
        "an old mirror set",
        MIRRORS,
        lambda names, _: [
            *deleted("ImageTagMirrorSet", "tags"),
            *added(mirror_set("old", "old", f"{names['source']}/team", f"{names['delegated']}/team")),
        ],
    ),
    Round("no blocked registry", BLOCKED, lambda _names, _namespaces: added(image_config())),
    Round(
        "another blocked registry",
        BLOCKED,
        lambda names, _: added(image_config(blockedRegistries=[f"{names['private']}/team"])),
    ),
    Round(
        "few allowed registries",
        BLOCKED,
        lambda names, _: added(image_config(allowedRegistries=[names["delegated"], names["integrated"]])),
    ),
    Round("no policy", SIGNED, lambda _names, _namespaces: deleted("ClusterImagePolicy", "app")),
    Round("a policy", SIGNED, lambda names, _namespaces: added(signature_policy("more", names["delegated"]))),
    Round(
        "a policy of the namespace",
        SIGNED,
        lambda names, namespaces: added(
            *(signature_policy("own", f"{names['integrated']}/project-b", each) for each in namespaces)
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Answered:
    """The answer for one image of a pod or deployment, with the node's results. `own` are the positions of the changes for it."""

    where: str
    row: Mapping[str, Any]
    before: bool
    after: bool
    own: frozenset[int]
    kinds: Sequence[str]

    @property
    def answer(self) -> str:
        return str(self.row["answer"])

    @property
    def reasons(self) -> str:
        return "; ".join(self.row[when]["reason"] for when in ("before", "after"))

    @property
    def is_wrong(self) -> bool:
        """A pull that surely fails after the changes counts as one that breaks if it may work before them."""
        expected = ANSWERS[self.before, self.after]
        was_unknown = self.row["before"]["verdict"] == "unknown" and expected == "still_broken"
        return self.answer not in ("unknown", expected) and not (self.answer == "would_break" and was_unknown)

    def __str__(self) -> str:
        return f"{self.answer}, but {self.before} and then {self.after}: {self.where}: {self.row}"


#: The row of a pull that works before and after, and that no change touches: it is only counted.
UNTOUCHED = {
    "answer": "still_pulls", "changes": [], "before": {"verdict": "pulls", "reason": ""}, "after": {"verdict": "pulls", "reason": ""}, "when": "",
}  # fmt: skip


class Rehearsal:
    """The rounds on one lab."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        users = [account["username"] for account in lab.registry("private")["accounts"]]
        self.names = {**names_of(lab), "nodes_user": users[0], "user": users[1]}
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
            before = self._pulls([pods.place(number) for _round, pods in groups for number in pods.cases])
            for each, pods in groups:
                self.answers += self._answers(each, pods, before)

    def _groups(self, at: int, each: Round) -> Iterator[SupposedPods]:
        """The pods of a round, by question."""
        numbers = range(at, COUNT, len(ROUNDS))
        is_mirrored = each.base == MIRRORS or "mirrors" in each.title
        seed, first = f"{SEED}, {each.title}", LOCAL[at % len(LOCAL)]
        cases = supposed_cases(len(numbers), seed, first, with_mirrors=is_mirrored, changes=each.local)
        for part in range(0, len(numbers), PODS_OF_QUESTION):
            found = dict(zip(numbers[part : part + PODS_OF_QUESTION], cases[part:], strict=False))
            places = range(0, len(found), PODS_OF_NAMESPACE)
            yield SupposedPods(self.lab, found, self.names, *(f"supposed-{at}-{part + place}" for place in places))

    def _answers(self, each: Round, pods: SupposedPods, before: Mapping[Any, Any]) -> Iterator[Answered]:
        whole = each.changes(self.names, pods.namespaces)
        local = {number: pods.changes(number) for number in pods.cases}
        changes = [*whole, *(change for one in local.values() for change in one)]
        rows = self._ask(changes, pods.namespaces)
        with made(self.lab, whole):
            pods.change()
            new = dict(zip(pods.cases, pods.each(lambda number: pods.create_pod(number, f"n-{number}")), strict=True))
            places = {number: pods.place(number) for number in pods.cases}
            after = self._pulls([*places.values(), *((places[number][0], name) for number, name in new.items())])
        first = len(whole)
        for number, (namespace, pod) in places.items():
            own = frozenset([*range(len(whole)), *range(first, first + len(local[number]))])
            first += len(local[number])
            for kind, name, now in (("Pod", pod, pod), ("Deployment", f"d-{number}", new[number])):
                for part, pulled in after[namespace, now].items():
                    where = f"{each.title}: {kind} {name} {part}: {pods.cases[number]}"
                    row = rows.get((kind, name, part), UNTOUCHED)
                    kinds = [kind for at in row["changes"] for kind in changes[at]]
                    yield Answered(where, row, before[namespace, pod][part], pulled, own, kinds)

    def _ask(self, changes: Changes, namespaces: Sequence[str]) -> dict[tuple[str, str, str], Any]:
        result = run_module(
            "pull_access_what_if",
            kubeconfig=self.lab.kubeconfig,
            namespaces=[*namespaces, "project-b"],
            changes=changes,
            ask_registries=True,
            realm_hosts=[*self.lab.registry_hosts, NEVER],
            registry_ca_cert=self.lab.data["ca_cert"],
        )
        assert not result["failed"], result["msg"]
        rows = result["what_if"]["containers"]
        return {(row["kind"], row["name"], row["container"] or row["volume"]): row for row in rows}

    def _pulls(self, places: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, bool]]:
        """Whether the node gets each image of these pods."""
        done = self.lab.pull_all(places)
        return {
            place: {each.get("volume") or "judged": each["pulled"] for each in one["images"]}
            for place, one in zip(places, done, strict=True)
        }


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

    def test_all_answers_and_all_kinds_of_changes_occur(self, answers: list[Answered]) -> None:
        assert set(ANSWERS.values()) <= {each.answer for each in answers}
        causes = {kind for each in answers if each.answer == "would_break" for kind in each.kinds}
        assert causes >= {
            *LOCAL, "unreachable_registries", "only_registries", "remove_credential", "add_objects", "delete_objects",
        }  # fmt: skip
        assert {each.row.get("kind") for each in answers if each.answer == "would_work"} >= {"Pod", "Deployment"}
        assert any(each.row.get("volume") == VOLUME for each in answers if each.answer == "would_break")

    def test_a_pull_that_breaks_names_only_changes_that_concern_it(self, answers: list[Answered]) -> None:
        breaks = [each for each in answers if each.answer == "would_break"]
        assert breaks
        for each in breaks:
            assert each.row["changes"], each
            assert each.own >= {*each.row["changes"]}, each
            is_at_once = each.row["kind"] == "Pod" or each.where.startswith(ROUNDS[0].title)  # the one with new nodes
            assert each.row["when"] == ("at_once" if is_at_once else "at_rollout"), each
