# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that cannot work are refused before the first request. All others become the declared grant."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant import plan as grant
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant.plan import (
    ImagePullerGrant,
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
        assert raised(OptionError, lambda: declared(**more)) == message

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
