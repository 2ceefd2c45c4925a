# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All invalid options are reported at once, and before anything is read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_provider.options import (
    ProviderRequest,
    from_options,
)

DEFAULTS = {
    "match_images": None,
    "service_accounts": ["default"],
    "create_role": False,
    "images": None,
    "state": "present",
}


def request(**options: Any) -> ProviderRequest:
    return from_options({**DEFAULTS, **options})


def refused(**options: Any) -> str:
    with pytest.raises(OptionError) as error:
        request(**options)
    return str(error.value)


def test_each_entry_and_account_counts_once() -> None:
    found = request(match_images=["q.io", "q.io"], service_accounts=["b", "a", "b"], images=["q.io/a", "q.io/a"])
    assert found == ProviderRequest(("q.io",), ("b", "a"), images=("q.io/a",))


def test_all_problems_are_reported_at_once() -> None:
    message = refused(
        match_images=["Q.io", "*"], service_accounts=["A"], images=["a b"], create_role=True, state="absent"
    )
    assert [part.partition(":")[0] for part in message.split("; ")] == [
        "option 'match_images'",
        "option 'match_images'",
        "option 'service_accounts'",
        "option 'images'",
        "option 'create_role' is for state present",
        "option 'images' is for state present",
    ]


def test_more_entries_than_the_api_server_accepts_are_refused() -> None:
    assert "has 51 entries" in refused(match_images=[f"h{number}.io" for number in range(51)])
    assert len(request(match_images=[f"h{number}.io" for number in range(50)]).match_images) == 50


def test_no_account_is_refused() -> None:
    assert "option 'service_accounts' is empty" in refused(service_accounts=[])


class TestTargets:
    def test_a_task_without_entries_and_namespaces_is_refused(self) -> None:
        with pytest.raises(OptionError, match="give 'match_images', the namespaces"):
            request().require_targets(has_targets=False)
        request().require_targets(has_targets=True)
        request(match_images=["q.io"]).require_targets(has_targets=False)

    def test_options_about_accounts_need_namespaces(self) -> None:
        with pytest.raises(OptionError, match=r"'create_role' needs .*; option 'images' needs"):
            request(match_images=["q.io"], create_role=True, images=["q.io/a"]).require_targets(has_targets=False)

    def test_namespaces_of_the_platform_are_refused_but_lose_their_rights(self) -> None:
        names = ["team", "kube-system", "openshift-config", "default"]
        with pytest.raises(OptionError, match="of the platform: kube-system, openshift-config, default"):
            request().refuse_platform(names)
        request().refuse_platform(["team"])
        request(state="absent").refuse_platform(names)
