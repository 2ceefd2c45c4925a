# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of credential_verification are refused together, before anything is read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_verification.plan import (
    from_options,
)

LISTED = "NeverVerifyAllowlistedImages"


def given(**options: Any) -> dict[str, Any]:
    usual = {"pool": "worker", "name": "verification", "policy": None, "allow_list": None, "allow_images_of": None}
    return {**usual, "state": "present", **options}


def test_the_request_has_the_policy_and_each_entry_once() -> None:
    found = from_options(
        given(policy=LISTED, allow_list=["quay.io/*", "quay.io/*"], allow_images_of=["openshift-*", "kube-*"])
    )
    assert found.verification is not None
    assert (found.verification.name, found.verification.allow_list) == (LISTED, ("quay.io/*",))
    assert found.trusted is not None
    assert [found.trusted.matches(name) for name in ("openshift-dns", "kube-system", "team")] == [True, True, False]


def test_state_absent_has_no_policy() -> None:
    assert from_options(given(state="absent")).verification is None


@pytest.mark.parametrize(
    ("options", "problems"),
    [
        ({}, ["option 'policy' is missing: give one of NeverVerify, "]),
        ({"policy": "AlwaysVerify", "allow_list": ["a/b"]}, ["option 'allow_list' needs policy NeverVerifyAllowlistedImages"]),
        ({"policy": LISTED}, ["needs options 'allow_list' or 'allow_images_of': with an empty list, it is AlwaysVerify"]),
        ({"policy": LISTED, "allow_list": ["quay.io/a:v1", "*", " q/b"]}, ["'quay.io/a:v1'", "'*'", "' q/b'"]),
        ({"policy": LISTED, "allow_list": ["https://quay.io/*"]}, ["no image can match 'https://quay.io/*'"]),
        ({"policy": LISTED, "allow_images_of": ["*", "team-*"]}, ["'*', which can match projects", "'team-*', which can"]),
        ({"policy": LISTED, "allow_images_of": ["Team"]}, ["'Team', which is not the name of a namespace"]),
        ({"state": "absent", "policy": "NeverVerify", "allow_list": ["a"]}, ["'policy' is for state present", "'allow_list' is"]),
        ({"policy": "NeverVerify", "name": "a/b"}, ["'name'"]),
        ({"policy": "NeverVerify", "pool": "Worker"}, ["'pool'"]),
    ],
)  # fmt: skip
def test_invalid_options_are_refused_together(options: dict[str, Any], problems: list[str]) -> None:
    with pytest.raises(OptionError) as error:
        from_options(given(**options))
    assert [problem for problem in problems if problem not in str(error.value)] == []
