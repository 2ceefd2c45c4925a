# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A caller who may not read a part of the evidence gets `unknown`, never `still_pulls` or `would_work` for a pull that fails.

The answers of an account with all rights are those that test_what_if.py compares with the node.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.rights import CLUSTER, EVERY, Right
from support.generated_pods import KINDS, SecretCase
from support.lab import Lab
from support.modules import run_module
from support.rights import allowed, each_right, granted
from support.supposed_changes import made, mirror_set, signature_policy
from support.supposed_pods import SupposedCase, SupposedPods, names_of

HERE = "hidden"
PLACES = [HERE, "project-b"]
RBAC = "rbac.authorization.k8s.io"
#: Kinds that decide alone, and so are removed alone.
ALONE = (
    "secrets",
    "serviceaccounts",
    "imagetagmirrorsets",
    "clusterimagepolicies",
    "images",
    "rolebindings",
    "clusterroles",
)
HALVES = 4
#: The answers that a caller with fewer rights may get instead of an answer, apart from `unknown`.
SAME = {"still_broken": {"still_broken", "would_break"}}
RIGHT, WRONG = SecretCase(KINDS[0], ()), SecretCase(KINDS[0], (("{private}", "wrong"),))
CASES = [
    SupposedCase((RIGHT,), "account", "{private}/team/app:v1", "", False, ()),
    SupposedCase((RIGHT,), "account", "{private}/team/app:v1", "", False, (("remove_secrets", 0),)),
    SupposedCase((RIGHT, WRONG), "account", "{private}/team/app:v1", "", False, (("remove_links", 0),)),
    SupposedCase((RIGHT,), "pod", "{delegated}/team/app:v1", "", False, ()),
    SupposedCase((RIGHT,), "account", "{integrated}/project-b/app:v1", "", True, (("remove_grants", 0),)),
    SupposedCase((RIGHT,), "account", "{integrated}/project-b/app:v1", "", True, ()),
    SupposedCase((RIGHT,), "account", "{source}/team/app:v1", "{private}/team/app:v1", False, ()),
    SupposedCase((WRONG,), "pod", "{private}/team/app:v1", "", False, (("remove_secrets", 0),)),
]  # fmt: skip


def every_right() -> list[Right]:
    """The rights of the audit, and those for the nodes' secret and for the roles that keep a grant."""
    roles = [
        Right(f"clusterroles.{RBAC}", ("get",), "other roles that give the right", where=CLUSTER),
        Right(f"roles.{RBAC}", ("get",), "other roles that give the right", where=EVERY),
    ]
    return [right for job in ("audit", "nodes_secret", "namespace_selector") for right in each_right(job)] + roles


def withheld() -> list[tuple[str, list[Right]]]:
    """The rights that each caller lacks."""
    rights = [right for right in every_right() if right.resource not in ("namespaces", "pods", "deployments.apps")]
    single = [(name, [each for each in rights if each.resource.partition(".")[0] == name]) for name in ALONE]
    halves = [(f"half {at}", random.Random(at).sample(rights, len(rights) // 2)) for at in range(HALVES)]
    assert all(lacking for _title, lacking in single)
    return [*single, *halves]


class Stage:
    """The pods of one namespace under mirrors and a policy, and one question about them."""

    def __init__(self, lab: Lab, pods: SupposedPods) -> None:
        self.lab, self.pods = lab, pods
        names = pods.names
        self.whole = [
            {"unreachable_registries": [names["delegated"]]},
            {"add_objects": {"definition": [mirror_set("tag", "lost", names["delegated"], names["private"])]}},
        ]
        self.changes = [*self.whole, *(change for number in pods.cases for change in pods.changes(number))]

    def answers(self, user: str = "") -> Mapping[tuple[str, str, str], str]:
        """The answer for each container and volume. Pulls that no change affects are only counted."""
        result = run_module(
            "pull_access_what_if",
            kubeconfig=self.lab.kubeconfig,
            namespaces=PLACES,
            changes=self.changes,
            ask_registries=True,
            realm_hosts=self.lab.registry_hosts,
            registry_ca_cert=self.lab.data["ca_cert"],
            impersonate_user=user or None,
        )
        assert not result["failed"], result["msg"]
        found = dict.fromkeys(self._subjects(), "not_affected")
        for row in result["what_if"]["containers"]:
            found[row["kind"], row["name"], row["container"] or row["volume"]] = row["answer"]
        assert len(found) == sum(result["counts"].values()), "pods and deployments can be read"
        return found

    def _subjects(self) -> list[tuple[str, str, str]]:
        return [
            (kind, f"{kind[0].lower()}-{number}", part)
            for number, case in self.pods.cases.items()
            for kind in ("Pod", "Deployment")
            for part in ("judged", *(["files"] if case.volume else []))
        ]


@pytest.fixture(scope="module")
def stage(lab_factory: Any) -> Any:
    lab = lab_factory("--platform", "standalone")
    lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": "project-b"}}, expect=(201, 409))
    lab.run("push", "--dir", str(lab.dir), "project-b/app:v1")
    names = names_of(lab)
    pods = SupposedPods(lab, dict(enumerate(CASES)), names, HERE)
    pods.make()
    objects = [
        mirror_set("tag", "base", f"{names['source']}/team", f"{names['private']}/team"),
        signature_policy("base", f"{names['private']}/other"),
    ]
    with made(lab, [{"add_objects": {"definition": objects}}]):
        yield Stage(lab, pods)


@pytest.fixture(scope="module")
def with_all_rights(stage: Stage) -> Mapping[tuple[str, str, str], str]:
    return stage.answers(_user(stage.lab, []))


def _user(lab: Lab, lacking: Sequence[Right]) -> str:
    """A user with all rights except these, once the API server knows them."""
    held = [right for right in every_right() if right not in lacking]
    user = granted(lab, held, PLACES)
    for right in {right.where: right for right in held}.values():
        lab.until(lambda right=right: allowed(lab, user, right, HERE), "the rights are known")
    return user


def test_all_rights_are_enough_for_the_answer_of_the_administrator(
    stage: Stage, with_all_rights: Mapping[tuple[str, str, str], str]
) -> None:
    assert with_all_rights == stage.answers()
    assert {"still_pulls", "would_break", "still_broken"} <= {*with_all_rights.values()}


@pytest.mark.parametrize(("title", "lacking"), withheld(), ids=lambda each: each if isinstance(each, str) else "")
def test_a_missing_right_only_makes_answers_unknown(
    stage: Stage, with_all_rights: Mapping[tuple[str, str, str], str], title: str, lacking: list[Right]
) -> None:
    found = stage.answers(_user(stage.lab, lacking))
    wrong = {
        each: (answer, found[each])
        for each, answer in with_all_rights.items()
        if found[each] not in {"unknown", *SAME.get(answer, {answer})}
    }
    assert not wrong
    if title in ALONE:
        assert "unknown" in found.values(), f"{title} matter for no answer"
