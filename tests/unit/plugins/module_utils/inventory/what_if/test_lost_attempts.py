# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pull that loses a login or a source is not known to work, unless the same one is left or a registry confirms another one."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, UnreadableObject
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import trim_pod
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import pulls_of_pod
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PULLS, UNKNOWN
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import MIRROR_KINDS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.effects import (
    patches_of,
    patches_of_objects,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.evaluation import (
    NOT_AFFECTED,
    NOT_KNOWN,
    STILL_PULLS,
    PresentPulls,
    PullEvaluator,
    describe_loss,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from support.supposed import changes_of
from support.surveyed import account, auth, place, pod, secret, survey


class TestLosses:
    """A pull has several logins, and no registry is asked. A node tries all of them."""

    SECRETS: ClassVar = [
        secret("old", {"q.io": auth("one", "robot")}),
        secret("other", {"q.io": auth("two", "team")}),
        secret("equal", {"q.io/team": auth("one", "robot")}),
        secret("empty", {"q.io": {}}),
    ]
    NODES: ClassVar = {
        NODE_SECRET: secret("pull-secret", {"q.io": auth("three", "ocm"), "m.io": auth(), "n.io": auth("n")})
    }

    def compared(self, own, *given, objects=None, asks=False, earlier=None):
        one = pod(*own)
        snapshot = survey(place(secrets=self.SECRETS, accounts=[account()], pods=[one]), objects=objects)
        before, *patches = (patches_of(each, snapshot) for each in changes_of(earlier or {"new_nodes": True}, *given))
        evaluator = PullEvaluator(PresentPulls(snapshot.evidence, asks=asks), patches, before if earlier else ())
        (subject,) = pulls_of_pod(trim_pod(one), "a")
        return evaluator.compare(subject)

    @pytest.mark.parametrize(
        ("own", "objects", "answer"),
        [
            (["old"], NODES, NOT_KNOWN),
            (["old", "other"], None, NOT_KNOWN),
            (["other", "old"], None, NOT_KNOWN),
            (["old", "equal"], None, STILL_PULLS),
            (["old", "other", "equal"], None, STILL_PULLS),
            (["other"], NODES, NOT_AFFECTED),
        ],
    )
    def test_a_login_that_is_left_proves_nothing(self, own, objects, answer) -> None:
        found = self.compared(own, {"remove_secrets": {"name": "old"}}, objects=objects)
        assert (found.before.verdict, found.answer) == (PULLS, answer)
        assert found.after.reason.startswith("the changes take a login away") is (answer == NOT_KNOWN)

    def test_a_request_without_a_login_is_lost_if_only_an_old_login_is_left(self) -> None:
        """The image can be public, and the registry can refuse the login that was tried after it."""
        found = self.compared(["empty", "other"], {"remove_secrets": {"name": "empty"}})
        assert (found.before.verdict, found.answer) == (PULLS, NOT_KNOWN)

    def test_a_credential_is_lost_in_all_secrets(self) -> None:
        change = {"remove_credential": {"username": "robot", "registry": "q.io"}}
        assert self.compared(["old", "equal"], change, objects=self.NODES).answer == NOT_KNOWN

    @pytest.mark.parametrize("nodes", [NODES, {NODE_SECRET: UnreadableObject("no right")}])
    def test_the_login_of_the_nodes_is_lost_whatever_the_pod_has(self, nodes) -> None:
        """The node tries both, so the pull can depend on that of the nodes."""
        change = {"remove_credential": {"username": "ocm", "registry": "q.io"}}
        assert self.compared(["old"], change, objects=nodes).answer == NOT_KNOWN
        whole = {"remove_secrets": {"name": "pull-secret", "namespaces": ["openshift-config"]}}
        assert self.compared(["old"], whole, objects=nodes).answer == NOT_KNOWN
        assert self.compared(["old"], {"remove_secrets": {"name": "equal"}}, objects=nodes).answer == NOT_AFFECTED

    def test_the_reason_has_the_login_that_is_left(self) -> None:
        assert self.compared(["old", "other"], {"remove_secrets": {"name": "old"}}).after.reason == (
            "the changes take a login away, and it is not known whether another one can pull the image: secret other has the key q.io, "
            "but the registry was not asked whether it accepts the login"
        )

    def test_a_change_of_anything_else_takes_no_login_away(self) -> None:
        found = self.compared(["old", "other"], {"add_objects": {"src": "f.yml"}})
        assert (found.touched, found.answer) == ((0,), STILL_PULLS)

    def test_the_login_of_a_mirror_is_lost(self) -> None:
        sets = {"items": [{"spec": {"imageTagMirrors": [
            {"source": "q.io", "mirrors": ["m.io", "n.io"], "mirrorSourcePolicy": "NeverContactSource"}
        ]}}]}  # fmt: skip
        (kind,) = [each for each in MIRROR_KINDS if each.kind == "ImageTagMirrorSet"]
        objects = {**self.NODES, ObjectRef(kind, "", ""): sets}
        change = {"remove_credential": {"username": "user", "registry": "m.io"}}
        assert self.compared(["old"], change, objects=objects).answer == NOT_KNOWN
        assert self.compared(["old"], {"remove_secrets": {"name": "old"}}, objects=objects).answer == STILL_PULLS

    def test_a_login_for_a_mirror_is_lost_although_the_source_has_one(self) -> None:
        found = self.compared(
            ["old"], {"remove_credential": {"registry": "m.io", "username": "user"}}, objects=self.mirrored()
        )
        assert found.after.reason.startswith("the changes take a login away")

    def test_each_of_many_logins_can_be_lost(self) -> None:
        """Registries are asked for the first attempts only, but the node makes all of them."""
        many = [secret(f"s{number}", {"q.io": auth(f"password {number}")}) for number in range(50)]
        one = pod(*(each["metadata"]["name"] for each in many))
        snapshot = survey(place(secrets=many, accounts=[account()], pods=[one]))
        patches = [patches_of(each, snapshot) for each in changes_of({"remove_secrets": {"name": "s49"}})]
        (subject,) = pulls_of_pod(trim_pod(one), "a")
        found = PullEvaluator(PresentPulls(snapshot.evidence, asks=False), patches).compare(subject)
        assert (found.before.verdict, found.answer) == (PULLS, NOT_KNOWN)

    @pytest.mark.parametrize(
        "change",
        [{"delete_objects": {"kind": "ImageTagMirrorSet", "names": ["m"]}}, {"unreachable_registries": ["m.io"]}],
    )
    def test_a_place_of_the_image_is_lost(self, change) -> None:
        """The mirror can have what the source lacks."""
        found = self.compared(["old"], change, objects=self.mirrored())
        assert (found.before.verdict, found.answer) == (PULLS, NOT_KNOWN)
        assert found.after.reason == (
            "the changes take away m.io as a source of the image, and it is not known whether another one serves it: secret old has the key "
            "q.io, but the registry was not asked whether it accepts the login"
        )

    def mirrored(self) -> dict[ObjectRef, Any]:
        (kind,) = [each for each in MIRROR_KINDS if each.kind == "ImageTagMirrorSet"]
        item = {"source": "q.io", "mirrors": ["m.io"]}
        sets = {"items": [{"metadata": {"name": "m"}, "spec": {"imageTagMirrors": [item]}}]}
        return {**self.NODES, ObjectRef(kind, "", ""): sets}

    def test_changes_instead_of_earlier_ones_take_a_login_away(self) -> None:
        change, other = ({"remove_secrets": {"name": name}} for name in ("old", "other"))
        found = self.compared(["old", "other"], change, earlier=other)
        assert (found.before.verdict, found.after.verdict, found.answer) == (UNKNOWN, UNKNOWN, NOT_KNOWN)

    def test_equal_states_have_the_doubt_of_their_changes(self) -> None:
        change = {"remove_secrets": {"name": "old"}}
        found = self.compared(["old", "other"], change, earlier=change)
        alone = self.compared(["old", "other"], change)
        assert found.touched == ()
        assert (found.before.reason, found.after.reason) == (alone.after.reason, alone.after.reason)

    def test_the_second_of_two_states_loses_a_login_of_the_first(self) -> None:
        """The pull does not work today. Two declarations repair it, and the second one has fewer logins."""
        snapshot = survey(place(accounts=[account()], pods=[pod("new", "more")]))
        first = {ObjectRef(SECRET, "a", name): secret(name, {"q.io": auth("a", name)}) for name in ("new", "more")}
        second = {**first, ObjectRef(SECRET, "a", "more"): None}
        patches = [patches_of_objects(each, snapshot) for each in (first, second)]
        evaluator = PullEvaluator(PresentPulls(snapshot.evidence, asks=False), patches[1:], patches[0])
        (subject,) = pulls_of_pod(snapshot.places["a"].pods[0], "a")
        found = evaluator.compare(subject)
        assert (found.before.verdict, found.answer) == (PULLS, NOT_KNOWN)
        assert found.after.reason.startswith("the changes take a login away")

    def test_the_answer_of_a_registry_proves_it(self) -> None:
        found = self.compared(["old", "other"], {"remove_secrets": {"name": "old"}})
        states = Lookup(), Lookup()
        assert not describe_loss(found.before, found.after, states, lambda _ref: True, asks=True)
