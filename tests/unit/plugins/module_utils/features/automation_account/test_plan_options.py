# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of automation_account become the wanted account, or an error that names the invalid option."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.automation_account.plan import (
    ARGUMENTS,
    AccountRequest,
    AccountRoles,
    from_options,
)

GIVEN = {
    "name": "robot",
    "namespace": "home",
    "jobs": ["secrets", "links", "secrets"],
    "everywhere": False,
    "hosted_pull_secrets": None,
    "state": "present",
    "token_seconds": None,
    "kubeconfig_dest": None,
}


def wanted(**options: Any) -> AccountRequest:
    return from_options({**GIVEN, **options})


def test_the_options_give_the_wanted_account() -> None:
    found = wanted(token_seconds=600, kubeconfig_dest="d/f")
    assert found == AccountRequest(AccountRoles("home", "robot", ("secrets", "links")), "present", 600, "d/f")
    assert found.files is not None
    assert (found.files.directory, [*found.files.plain], found.files.force) == ("d", ["f"], True)
    assert found.files.option == "kubeconfig_dest"


def test_the_option_everywhere_is_false_by_default() -> None:
    assert ARGUMENTS["everywhere"]["default"] is False


def test_an_account_without_kubeconfig_dest_has_no_files() -> None:
    assert wanted().files is None


@pytest.mark.parametrize("state", ["present", "rendered"])
def test_an_account_without_jobs_is_refused(state: str) -> None:
    with pytest.raises(OptionError, match="give 'jobs'"):
        wanted(jobs=None, state=state)


def test_state_absent_needs_no_jobs() -> None:
    assert wanted(jobs=None, state="absent").parts.jobs == ()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"namespace": "A"}, "namespace"),
        ({"name": "a b"}, "name"),
        ({"token_seconds": 599}, "is 599: the minimum is 600 seconds"),
        ({"token_seconds": 600, "state": "absent"}, "'token_seconds' is for state present only"),
        ({"kubeconfig_dest": "f"}, "'kubeconfig_dest' needs 'token_seconds'"),
        ({"jobs": ["management_pull_secret"]}, "give 'hosted_pull_secrets', .*: kubectl get hostedclusters -A"),
        (
            {"jobs": ["management_pull_secret"], "hosted_pull_secrets": [], "state": "rendered"},
            "give 'hosted_pull_secrets'",
        ),
        (
            {"jobs": ["management_pull_secret"], "hosted_pull_secrets": ["*"]},
            "'hosted_pull_secrets': .* cannot be an object's name",
        ),
        ({"hosted_pull_secrets": ["a"]}, "'hosted_pull_secrets' is for the job management_pull_secret"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        wanted(**options)


def test_hosted_pull_secrets_are_kept_once_each() -> None:
    found = wanted(jobs=["management_pull_secret"], hosted_pull_secrets=["a", "b", "a"]).parts
    assert found.hosted_pull_secrets == ("a", "b")


@pytest.mark.parametrize(
    "options", [{"jobs": ["management_pull_secret"]}, {"jobs": None, "hosted_pull_secrets": ["a"]}]
)
def test_state_absent_does_not_check_hosted_pull_secrets(options: dict[str, Any]) -> None:
    wanted(**options, state="absent")


def test_several_problems_are_reported_at_once() -> None:
    with pytest.raises(OptionError, match="give 'jobs'.*; option 'token_seconds' is 1"):
        wanted(jobs=[], token_seconds=1)


@pytest.mark.parametrize(
    ("options", "named", "selected", "says"),
    [
        ({"everywhere": True}, True, False, "either 'everywhere' or"),
        ({"everywhere": True}, False, True, "either 'everywhere' or"),
        ({"state": "absent"}, True, False, "leave the namespaces out"),
        ({"state": "absent"}, False, True, "leave the namespaces out"),
        ({"state": "rendered"}, False, True, "connects to no cluster"),
    ],
)
def test_contradictory_targets_are_refused(options: dict[str, Any], named: bool, selected: bool, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        wanted(**options).require_targets(named=named, selected=selected)


@pytest.mark.parametrize("options", [{}, {"everywhere": True}, {"state": "absent"}, {"state": "rendered"}], ids=str)
def test_an_account_without_targets_is_accepted(options: dict[str, Any]) -> None:
    wanted(**options).require_targets(named=False, selected=False)


@pytest.mark.parametrize("state", ["present", "rendered"])
def test_named_targets_are_accepted(state: str) -> None:
    wanted(state=state).require_targets(named=True, selected=False)
