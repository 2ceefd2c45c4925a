# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers to what-if questions if registries are asked. Nothing is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    IMAGE_QUESTION,
    TRUST_QUESTION,
    ImageQuestion,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.document import list_images
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import pull_review
from support.supposed_changes import mirror_set
from support.supposed_worlds import REMOVED_GRANTS, World, answer_usually, rows_with_answers
from support.surveyed import account, auth, binding, place, pod, secret, stream, survey

IMAGE = "q.io/team/app:v1"
INTEGRATED = "image-registry.openshift-image-registry.svc:5000"


class TestIntegratedRegistry:
    """The name of the integrated registry is known only inside the cluster."""

    #: They affect every pull.
    NEW_NODES: ClassVar = {"new_nodes": True}

    def rows(self, *given: Any, names: tuple[str, ...] = ("generated",), outcome: str = "unanswered") -> Any:
        """Answer and reason for a pod that pulls from project b, which two role bindings allow."""
        who = {"kind": "ServiceAccount", "name": "default", "namespace": "a"}
        everyone = {"kind": "Group", "name": "system:serviceaccounts:a"}
        built = stream()
        built["status"]["tags"][0]["items"] = [{"image": "sha256:0"}]
        secrets = [
            secret("generated", {INTEGRATED: auth()}, "kubernetes.io/dockercfg", generated=True),
            secret("other", {INTEGRATED: auth()}),
        ]
        here = place(secrets=secrets, accounts=[account(*names)], pods=[pod(*names, image=f"{INTEGRATED}/b/app:v1")])
        granted = [binding(name, each, namespace="b") for name, each in (("one", who), ("all", everyone))]
        there = place("b", streams=[built], bindings=granted)
        found = survey(here, there, objects={pull_review("b", "a", "default"): {"allowed": True}})

        def answer(ref: ObjectRef, evidence: Lookup) -> Any:
            if ref.kind == IMAGE_QUESTION and ImageQuestion.of(ref).repository.startswith(INTEGRATED):
                return {"outcome": outcome, "message": f"said {outcome}"}
            return answer_usually(ref, evidence)

        (row,) = rows_with_answers(found, *given, self.NEW_NODES, asks=True, answer=answer)
        return row.answer, row.deciding.after.reason

    def test_the_right_decides_if_the_registry_cannot_be_asked(self) -> None:
        assert self.rows(REMOVED_GRANTS["one"]) == (
            "still_pulls",
            "secret generated, which the platform generates for service account a/default, has a login, but the registry could not be asked "
            "from here: said unanswered",
        )
        assert self.rows(*REMOVED_GRANTS.values()) == (
            "would_break",
            "service account a/default may not pull from project b",
        )

    @pytest.mark.parametrize(("outcome", "answer"), [("bad_login", "still_broken"), ("rate_limited", "unknown")])
    def test_an_answer_of_the_registry_counts(self, outcome: str, answer: str) -> None:
        assert self.rows(REMOVED_GRANTS["one"], outcome=outcome)[0] == answer

    def test_the_right_says_nothing_about_another_login(self) -> None:
        """Another login can be that of another account."""
        assert self.rows(REMOVED_GRANTS["one"], names=("other",))[0] == "unknown"
        removed = {"remove_secrets": {"name": "generated"}}
        assert self.rows(removed, names=("generated", "other"))[0] == "unknown"


class TestTrust:
    """The host of the task trusts a new mirror, and the nodes do not."""

    WORLD = World({"s": {"q.io": "right"}}, ((), ("s",), ("s",)), (IMAGE, IMAGE), {"m.io": "right"}, (), (), {}, ())
    LOST: ClassVar = {"unreachable_registries": ["q.io"]}

    def answers(self, *given: Any, mirrors: tuple[Any, ...] = (), trusted: bool = False) -> list[tuple[str, str]]:
        def answer(ref: ObjectRef, evidence: Lookup) -> Any:
            if ref.kind == TRUST_QUESTION:
                return {"outcome": "trusted" if trusted else "untrusted", "message": "said it"}
            return answer_usually(ref, evidence)

        world = replace(self.WORLD, mirrors=mirrors)
        rows = rows_with_answers(world.survey(), *given, asks=True, answer=answer)
        return list(dict.fromkeys((row.answer, row.failing_step) for row in rows))

    def added(self, **more: Any) -> dict[str, Any]:
        return {"add_objects": {"definition": [mirror_set("tag", "one", "q.io/team", "m.io/team", **more)]}}

    def test_a_new_mirror_that_the_nodes_do_not_trust_breaks_the_pull(self) -> None:
        broken = [("would_break", "certificate")]
        assert self.answers(self.added(never_source=True)) == broken
        assert self.answers(self.added(), self.LOST) == broken
        assert self.answers(self.added(), self.LOST, {"new_nodes": True}) == broken
        assert self.answers(self.added(), {"only_registries": ["m.io"]}) == broken

    def test_a_new_mirror_that_the_nodes_trust_pulls(self) -> None:
        assert self.answers(self.added(never_source=True), trusted=True) == [("still_pulls", "")]

    def test_the_source_pulls_if_the_mirror_is_not_trusted(self) -> None:
        assert self.answers(self.added()) == [("still_pulls", "")]

    def test_a_mirror_of_today_is_not_judged(self) -> None:
        present = (mirror_set("tag", "old", "r.io", "m.io/x"),)
        assert self.answers(self.added(never_source=True), mirrors=present) == [("still_pulls", "")]


def hide(is_hidden: Callable[[ImageQuestion], bool]) -> Callable[[ObjectRef, Lookup], Any]:
    """The answers of registries that hide images."""

    def answer(ref: ObjectRef, evidence: Lookup) -> Any:
        if ref.kind == IMAGE_QUESTION and is_hidden(ImageQuestion.of(ref)):
            return {"outcome": "not_found", "message": "it has no such image, or hides it"}
        return answer_usually(ref, evidence)

    return answer


class TestMissingImages:
    """A registry reports that it does not have the image, which can also mean that it hides it."""

    LOST = "q.io/lost/app:v1"
    MIRRORED = (mirror_set("tag", "one", "q.io/lost", "m.io/team"),)
    ADVICE = "keep the mirror or the login with which the nodes get the image, or copy the image to its registry"

    def row(self, *given: Any, image: str = LOST, answer: Any = answer_usually, **world: Any) -> Any:
        """The row of a pod with a login for the source. The nodes have one for the mirror."""
        usual: dict[str, Any] = {"secrets": {"s": {"q.io": "right"}}, "nodes": {"m.io": "right"}, "mirrors": ()}
        found = World(
            lists=((), ("s",), ()), images=(image, image), policies=(), sources={}, grants=(), **{**usual, **world}
        )
        rows = rows_with_answers(found.survey(), *given, asks=True, answer=answer)
        (row,) = [row for row in rows if row.ref.kind.kind == "Pod"]
        return row

    def told(self, row: Any) -> tuple[str, str, str, bool]:
        """The answer, the step, the advice, and whether the image is in the list to copy."""
        assert row.report()["fix"] == []
        is_listed = list_images([row])["images"] == [row.image]
        return row.answer, row.failing_step, row.report()["advice"], is_listed

    @pytest.mark.parametrize(
        "change",
        [
            {"unreachable_registries": ["m.io"]},
            {"delete_objects": {"kind": "ImageTagMirrorSet", "names": ["one"]}},
            {"add_objects": {"definition": [mirror_set("tag", "one", "q.io/lost", "n.io/lost")]}},
        ],
    )
    @pytest.mark.parametrize("form", ["right", "empty"])
    def test_an_image_of_a_lost_mirror_must_be_copied(self, change: Any, form: str) -> None:
        answer = hide(lambda asked: not asked.image.startswith("m.io"))
        row = self.row(change, mirrors=self.MIRRORED, secrets={"s": {"q.io": form}}, answer=answer)
        assert self.told(row) == ("would_break", "image", self.ADVICE, True)

    def test_a_copy_is_missing_at_a_mirror_on_the_host_of_the_source(self) -> None:
        added = {"add_objects": {"definition": [mirror_set("tag", "one", "q.io/team", "q.io/lost", never_source=True)]}}
        advice = "copy the image to its mirror, with all its architectures"
        row = self.row(added, image=IMAGE)
        assert self.told(row) == ("would_break", "copy", advice, True)
        assert row.deciding.after.reason == (
            "q.io/lost/app:v1 said it: secret s has the key q.io. Check the image name and tag, copy the image to the mirror, or give the user "
            "of the login the right to pull it"
        )

    def test_an_image_that_the_registry_hides_from_another_login_is_not_copied(self) -> None:
        answer = hide(lambda asked: asked.secret != "s")
        row = self.row({"remove_secrets": {"name": "s"}}, image=IMAGE, nodes={"q.io": "right"}, answer=answer)
        assert (row.answer, row.failing_step, row.is_out_of_reach) == ("would_break", "image", False)
        kept = self.row(
            {"remove_secrets": {"name": "s"}},
            image=IMAGE,
            nodes={"q.io": "right"},
            answer=answer,
            mirrors=(mirror_set("tag", "one", "q.io/team", "m.io/lost"),),
        )
        assert (kept.answer, kept.failing_step, kept.is_out_of_reach) == ("would_break", "image", False)
