# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that cannot work, and entries that contradict each other, are refused before the first request."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import Contradiction
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant import plan as grant
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant.plan import (
    ImagePullerGrant,
    contradictions,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import Subject
from support.objects import raised

ROLE = "system:image-puller"
OURS = "image-puller-grant"
ACCOUNT = Subject("ServiceAccount", "default", "project-a")


def declared(**more: Any) -> ImagePullerGrant:
    options = {"role": ROLE, "state": "present", "service_accounts": [{"namespace": "project-a", "name": "default"}]}
    further = {"exclusive": False, "revoke_from": "ours", "prune": False, "verify_access": False}
    return grant.from_options({**options, **further, **more})


class TestFromOptions:
    def test_a_subject_alone_is_a_grant_in_our_binding(self) -> None:
        assert declared() == ImagePullerGrant((ACCOUNT,), ROLE, OURS, present=True)

    @pytest.mark.parametrize(
        ("more", "member", "value"),
        [
            ({"state": "absent"}, "present", False),
            ({"exclusive": True}, "exclusive", True),
            ({"prune": True}, "prune", True),
            ({"verify_access": True}, "verify_access", True),
            ({"state": "absent", "revoke_from": "every_binding"}, "everywhere", True),
            ({"state": "absent", "prune": True}, "prune", True),
            ({"binding_name": "mine"}, "binding_name", "mine"),
            ({"binding_name": None}, "binding_name", OURS),
            ({"binding_name": ""}, "binding_name", OURS),
            ({"role": "view"}, "role", "view"),
            ({"role": "view"}, "binding_name", f"{OURS}-view"),
            ({"role": "view", "binding_name": "mine"}, "binding_name", "mine"),
        ],
    )
    def test_each_option_is_taken(self, more: Any, member: str, value: Any) -> None:
        assert getattr(declared(**more), member) == value

    @pytest.mark.parametrize("name", ["system:image-pullers", "system:image-builders", "system:deployers"])
    def test_the_platforms_own_bindings_are_refused(self, name: str) -> None:
        assert raised(OptionError, lambda: declared(binding_name=name)) == (
            f"option 'binding_name': {name} is reserved for the platform, which creates it in every project; "
            "choose another name"
        )

    @pytest.mark.parametrize("name", ["a/b", "a%b", ".", "..", " ", "a\0"])
    @pytest.mark.parametrize("option", ["role", "binding_name"])
    def test_names_that_cannot_exist_are_refused(self, option: str, name: str) -> None:
        with pytest.raises(OptionError, match=f"^option '{option}': .* cannot be an object's name"):
            declared(**{option: name})

    def test_a_role_without_a_name_is_refused(self) -> None:
        with pytest.raises(OptionError, match="^option 'role': '' cannot be an object's name"):
            declared(role="")

    AT_LEAST_ONE = (
        "'service_accounts', 'projects', 'groups', 'users', 'authenticated' and 'anonymous' are all missing or empty: give at least one, "
        "such as 'projects: [project-a]'"
    )
    PRESENT_ONLY = "is for state present only: state absent removes exactly the given subjects"

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ({"service_accounts": []}, AT_LEAST_ONE),
            ({"service_accounts": [], "state": "absent"}, AT_LEAST_ONE),
            ({"service_accounts": [], "prune": True, "exclusive": True}, AT_LEAST_ONE),
            ({"exclusive": True, "state": "absent"}, f"option 'exclusive' {PRESENT_ONLY}"),
            (
                {"revoke_from": "every_binding"},
                "option 'revoke_from' is for state absent only: state present changes no other binding",
            ),
        ],
    )
    def test_contradictory_options_are_refused(self, more: Any, message: str) -> None:
        assert raised(OptionError, partial(declared, **more)) == message

    @pytest.mark.parametrize("state", ["present", "absent"])
    def test_prune_needs_no_subject(self, state: str) -> None:
        found = declared(service_accounts=[], prune=True, state=state)
        assert (found.subjects, found.prune) == ((), True)

    def test_subjects_are_checked(self) -> None:
        with pytest.raises(OptionError, match="^option 'users': 'system:serviceaccount:a:Default' cannot be"):
            declared(users=["system:serviceaccount:a:Default"])


class TestOwner:
    @pytest.mark.parametrize(
        ("more", "name"),
        [
            ({"owner": "a"}, f"{OURS}-a"),
            ({"owner": "a", "role": "view"}, f"{OURS}-a-view"),
            ({"owner": "a", "binding_name": "mine"}, "mine"),
        ],
    )
    def test_an_owned_binding_has_its_owner_in_its_default_name(self, more: dict[str, Any], name: str) -> None:
        assert declared(**more).binding_name == name
        assert declared(**more).ownership.owner == "a"

    def test_the_owner_is_checked(self) -> None:
        with pytest.raises(OptionError, match="option 'owner'"):
            declared(owner="a b")


JANE, BOB, ANN = Subject("User", "jane"), Subject("User", "bob"), Subject("Group", "ann")
PROJECT, ROBOT = Subject("Group", "system:serviceaccounts:b"), Subject("ServiceAccount", "robot", "b")


def entry(*subjects: Subject, role: str = "puller", name: str = "ours", present: bool = True, **more: Any) -> Any:
    return ImagePullerGrant(subjects, role, name, present=present, **more)


def revoke(*subjects: Subject, **more: Any) -> Any:
    return entry(*subjects, present=False, **more)


class TestHoldTogether:
    @pytest.mark.parametrize(
        "declared",
        [
            [],
            [entry(JANE)],
            [entry(JANE), entry(JANE), entry(BOB)],
            [revoke(JANE), revoke(JANE)],
            [entry(JANE), revoke(BOB)],
            [revoke(JANE, name="theirs"), entry(JANE)],
            [entry(JANE), revoke(BOB, name="theirs")],
            [entry(JANE), revoke(JANE, name="theirs", role="viewer")],
            [entry(JANE, prune=True), entry(BOB, ANN)],
            [entry(PROJECT, ROBOT, prune=True), entry(PROJECT), entry(ROBOT)],
            [entry(PROJECT, prune=True), entry(PROJECT, prune=True)],
            [entry(JANE, prune=True), entry(PROJECT, name="theirs")],
            [revoke(JANE, prune=True), revoke(PROJECT, prune=True)],
            [entry(JANE, prune=True), revoke(PROJECT)],
            [entry(JANE), revoke(BOB, name="theirs", everywhere=True)],
            [entry(JANE), revoke(JANE, name="theirs", role="viewer", everywhere=True)],
            [entry(JANE, name="theirs", role="viewer"), entry(JANE)],
            [entry(JANE, exclusive=True), entry(JANE, exclusive=True)],
            [entry(JANE, BOB, exclusive=True), entry(BOB)],
            [entry(BOB), entry(JANE, BOB, exclusive=True)],
            [entry(JANE, exclusive=True), entry(BOB, name="theirs")],
            [entry(JANE, exclusive=True), revoke(BOB)],
            [revoke(BOB), entry(JANE, exclusive=True)],
        ],
    )
    def test_compatible_grants_do_not_contradict(self, declared: list[ImagePullerGrant]) -> None:
        assert list(contradictions(declared)) == []


class TestContradict:
    @pytest.mark.parametrize("other", [entry(JANE, role="viewer"), revoke(JANE, role="viewer", everywhere=True)])
    def test_two_roles_of_one_binding_contradict(self, other: ImagePullerGrant) -> None:
        said = "role binding ours is declared with role puller and with role viewer"
        assert list(contradictions([entry(ANN, name="theirs"), entry(JANE), other])) == [Contradiction(1, 2, said)]

    def test_a_grant_and_a_revocation_in_one_binding_contradict(self) -> None:
        said = "User bob, Group ann is granted by one entry and revoked by the other"
        pair = [entry(BOB, JANE, ANN), revoke(ANN, BOB)]
        assert list(contradictions(pair)) == [Contradiction(0, 1, said)]
        said = "Group ann, User bob is granted by one entry and revoked by the other"
        assert list(contradictions(pair[::-1])) == [Contradiction(0, 1, said)]

    @pytest.mark.parametrize("order", [1, -1])
    def test_a_grant_and_a_revocation_in_every_binding_contradict(self, order: int) -> None:
        pair = [entry(JANE), revoke(JANE, name="theirs", everywhere=True)][::order]
        said = "User jane is granted by one entry and revoked by the other"
        assert list(contradictions(pair)) == [Contradiction(0, 1, said)]

    @pytest.mark.parametrize("more", [{}, {"prune": True}], ids=str)
    def test_a_grant_and_a_later_revocation_in_another_binding_contradict(self, more: Any) -> None:
        """In the other order, the subject is moved: the grant is planned on the result of the revocation."""
        pair = [entry(JANE, BOB), revoke(JANE, ANN, name="theirs", **more)]
        said = (
            "User jane is granted by one entry and revoked by the other in role binding theirs: to move it to role binding ours, "
            "put the entry that revokes before the one that grants"
        )
        assert list(contradictions(pair)) == [Contradiction(0, 1, said)]
        assert list(contradictions(pair[::-1])) == []

    @pytest.mark.parametrize("order", [1, -1])
    @pytest.mark.parametrize("pruning", [entry(JANE, prune=True), revoke(BOB, prune=True), revoke(prune=True)])
    def test_a_grant_and_a_prune_of_a_missing_subject_contradict(self, pruning: ImagePullerGrant, order: int) -> None:
        said = (
            "one prunes role binding ours, and the other grants Group system:serviceaccounts:b, ServiceAccount b/robot, which would "
            "be pruned until it exists; grant it in the entry with 'prune: true', or in another binding"
        )
        pair = [pruning, entry(JANE, PROJECT, ROBOT)][::order]
        assert list(contradictions(pair)) == [Contradiction(0, 1, said)]

    @pytest.mark.parametrize("order", [1, -1])
    def test_an_exclusive_grant_and_another_grant_contradict(self, order: int) -> None:
        pair = [entry(JANE, exclusive=True), entry(JANE, ANN, BOB)][::order]
        said = "one is exclusive in role binding ours, and the other grants Group ann, User bob"
        assert list(contradictions(pair)) == [Contradiction(0, 1, said)]

    def test_two_exclusive_grants_are_reported_once(self) -> None:
        said = "one is exclusive in role binding ours, and the other grants User bob"
        pair = [entry(JANE, exclusive=True), entry(BOB, exclusive=True)]
        assert list(contradictions(pair)) == [Contradiction(0, 1, said)]

    def test_each_contradicting_pair_is_reported(self) -> None:
        found = contradictions([entry(JANE), revoke(JANE), entry(BOB), revoke(JANE, BOB)])
        assert [(one.first, one.second) for one in found] == [(0, 1), (0, 3), (2, 3)]
