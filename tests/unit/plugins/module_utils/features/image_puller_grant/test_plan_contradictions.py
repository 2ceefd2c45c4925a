# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two entries contradict each other if one revokes the other's grant, gives its binding another role, or prunes or claims the binding."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import Contradiction
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant.plan import (
    ImagePullerGrant,
    contradictions,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import Subject

JANE, BOB, ANN = Subject("User", "jane"), Subject("User", "bob"), Subject("Group", "ann")
PROJECT, ROBOT = Subject("Group", "system:serviceaccounts:b"), Subject("ServiceAccount", "robot", "b")


def grant(*subjects: Subject, role: str = "puller", name: str = "ours", present: bool = True, **more: Any) -> Any:
    return ImagePullerGrant(subjects, role, name, present=present, **more)


def revoke(*subjects: Subject, **more: Any) -> Any:
    return grant(*subjects, present=False, **more)


class TestHoldTogether:
    @pytest.mark.parametrize(
        "declared",
        [
            [],
            [grant(JANE)],
            [grant(JANE), grant(JANE), grant(BOB)],
            [revoke(JANE), revoke(JANE)],
            [grant(JANE), revoke(BOB)],
            [revoke(JANE, name="theirs"), grant(JANE)],
            [grant(JANE), revoke(BOB, name="theirs")],
            [grant(JANE), revoke(JANE, name="theirs", role="viewer")],
            [grant(JANE, prune=True), grant(BOB, ANN)],
            [grant(PROJECT, ROBOT, prune=True), grant(PROJECT), grant(ROBOT)],
            [grant(PROJECT, prune=True), grant(PROJECT, prune=True)],
            [grant(JANE, prune=True), grant(PROJECT, name="theirs")],
            [revoke(JANE, prune=True), revoke(PROJECT, prune=True)],
            [grant(JANE, prune=True), revoke(PROJECT)],
            [grant(JANE), revoke(BOB, name="theirs", everywhere=True)],
            [grant(JANE), revoke(JANE, name="theirs", role="viewer", everywhere=True)],
            [grant(JANE, name="theirs", role="viewer"), grant(JANE)],
            [grant(JANE, exclusive=True), grant(JANE, exclusive=True)],
            [grant(JANE, BOB, exclusive=True), grant(BOB)],
            [grant(BOB), grant(JANE, BOB, exclusive=True)],
            [grant(JANE, exclusive=True), grant(BOB, name="theirs")],
            [grant(JANE, exclusive=True), revoke(BOB)],
            [revoke(BOB), grant(JANE, exclusive=True)],
        ],
    )
    def test_compatible_grants_do_not_contradict(self, declared: list[ImagePullerGrant]) -> None:
        assert list(contradictions(declared)) == []


class TestContradict:
    @pytest.mark.parametrize("other", [grant(JANE, role="viewer"), revoke(JANE, role="viewer", everywhere=True)])
    def test_two_roles_of_one_binding_contradict(self, other: ImagePullerGrant) -> None:
        said = "role binding ours is declared with role puller and with role viewer"
        assert list(contradictions([grant(ANN, name="theirs"), grant(JANE), other])) == [Contradiction(1, 2, said)]

    def test_a_grant_and_a_revocation_in_one_binding_contradict(self) -> None:
        said = "User bob, Group ann is granted by one entry and revoked by the other"
        pair = [grant(BOB, JANE, ANN), revoke(ANN, BOB)]
        assert list(contradictions(pair)) == [Contradiction(0, 1, said)]
        said = "Group ann, User bob is granted by one entry and revoked by the other"
        assert list(contradictions(pair[::-1])) == [Contradiction(0, 1, said)]

    @pytest.mark.parametrize("order", [1, -1])
    def test_a_grant_and_a_revocation_in_every_binding_contradict(self, order: int) -> None:
        pair = [grant(JANE), revoke(JANE, name="theirs", everywhere=True)][::order]
        said = "User jane is granted by one entry and revoked by the other"
        assert list(contradictions(pair)) == [Contradiction(0, 1, said)]

    @pytest.mark.parametrize("more", [{}, {"prune": True}], ids=str)
    def test_a_grant_and_a_later_revocation_in_another_binding_contradict(self, more: Any) -> None:
        """In the other order, the subject is moved: the grant is planned on the result of the revocation."""
        pair = [grant(JANE, BOB), revoke(JANE, ANN, name="theirs", **more)]
        said = (
            "User jane is granted by one entry and revoked by the other in role binding theirs: to move it to role binding ours, "
            "put the entry that revokes before the one that grants"
        )
        assert list(contradictions(pair)) == [Contradiction(0, 1, said)]
        assert list(contradictions(pair[::-1])) == []

    @pytest.mark.parametrize("order", [1, -1])
    @pytest.mark.parametrize("pruning", [grant(JANE, prune=True), revoke(BOB, prune=True), revoke(prune=True)])
    def test_a_grant_and_a_prune_of_a_missing_subject_contradict(self, pruning: ImagePullerGrant, order: int) -> None:
        said = (
            "one prunes role binding ours, and the other grants Group system:serviceaccounts:b, ServiceAccount b/robot, which would "
            "be pruned until it exists; grant it in the entry with 'prune: true', or in another binding"
        )
        pair = [pruning, grant(JANE, PROJECT, ROBOT)][::order]
        assert list(contradictions(pair)) == [Contradiction(0, 1, said)]

    @pytest.mark.parametrize("order", [1, -1])
    def test_an_exclusive_grant_and_another_grant_contradict(self, order: int) -> None:
        pair = [grant(JANE, exclusive=True), grant(JANE, ANN, BOB)][::order]
        said = "one is exclusive in role binding ours, and the other grants Group ann, User bob"
        assert list(contradictions(pair)) == [Contradiction(0, 1, said)]

    def test_two_exclusive_grants_are_reported_once(self) -> None:
        said = "one is exclusive in role binding ours, and the other grants User bob"
        pair = [grant(JANE, exclusive=True), grant(BOB, exclusive=True)]
        assert list(contradictions(pair)) == [Contradiction(0, 1, said)]

    def test_each_contradicting_pair_is_reported(self) -> None:
        found = contradictions([grant(JANE), revoke(JANE), grant(BOB), revoke(JANE, BOB)])
        assert [(one.first, one.second) for one in found] == [(0, 1), (0, 3), (2, 3)]
