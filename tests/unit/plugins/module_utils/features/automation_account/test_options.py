# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.automation_account.options import (
    AccountWanted,
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.automation_account.parts import Parts

GIVEN = {
    "name": "robot",
    "namespace": "home",
    "jobs": ["secrets", "links", "secrets"],
    "everywhere": False,
    "state": "present",
    "token_seconds": None,
    "kubeconfig_dest": None,
}


def wanted(**options: Any) -> AccountWanted:
    return from_options({**GIVEN, **options})


def test_what_is_given() -> None:
    found = wanted(token_seconds=600, kubeconfig_dest="d/f")
    assert found == AccountWanted(Parts("home", "robot", ("secrets", "links")), "present", 600, "d/f")
    assert found.files is not None
    assert (found.files.directory, [*found.files.plain], found.files.force) == ("d", ["f"], True)
    assert found.files.option == "kubeconfig_dest"


def test_no_file_unless_one_is_named() -> None:
    assert wanted().files is None


@pytest.mark.parametrize("state", ["present", "rendered"])
def test_an_account_without_jobs(state: str) -> None:
    with pytest.raises(OptionError, match="give 'jobs'"):
        wanted(jobs=None, state=state)


def test_none_is_needed_to_take_all_back() -> None:
    assert wanted(jobs=None, state="absent").parts.jobs == ()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"namespace": "A"}, "namespace"),
        ({"name": "a b"}, "name"),
        ({"token_seconds": 599}, "is 599: no token lives for less than 600 seconds"),
        ({"token_seconds": 600, "state": "absent"}, "'token_seconds' is for state present only"),
        ({"kubeconfig_dest": "f"}, "'kubeconfig_dest' needs 'token_seconds'"),
    ],
)
def test_what_cannot_be_meant(options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        wanted(**options)


def test_all_reasons_at_once() -> None:
    with pytest.raises(OptionError, match="give 'jobs'.*; option 'token_seconds' is 1"):
        wanted(jobs=[], token_seconds=1)


@pytest.mark.parametrize(
    ("options", "named", "selected", "says"),
    [
        ({"everywhere": True}, True, False, "either 'everywhere' or"),
        ({"everywhere": True}, False, True, "either 'everywhere' or"),
        ({"state": "absent"}, True, False, "leave the namespaces out"),
        ({"state": "absent"}, False, True, "leave the namespaces out"),
        ({"state": "rendered"}, False, True, "asks no cluster"),
    ],
)
def test_targets_that_contradict(options: dict[str, Any], named: bool, selected: bool, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        wanted(**options).require_targets(named=named, selected=selected)


@pytest.mark.parametrize("options", [{}, {"everywhere": True}, {"state": "absent"}, {"state": "rendered"}])
def test_no_targets_contradict_nothing(options: dict[str, Any]) -> None:
    wanted(**options).require_targets(named=False, selected=False)


@pytest.mark.parametrize("state", ["present", "rendered"])
def test_named_targets(state: str) -> None:
    wanted(state=state).require_targets(named=True, selected=False)
