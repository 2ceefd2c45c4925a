# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that cannot work are refused before the first request. All others become the declared link."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link import plan as sa_link
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.plan import SaLink
from support.objects import raised


def options(**more: Any) -> dict[str, Any]:
    defaults = {"secrets": ["quay"], "service_accounts": ["default"], "link_for": ["pull"], "state": "present"}
    flags = {"exclusive": False, "only_managed": False, "create": False}
    return {**defaults, **flags, "require": "none", "restart_pods": "never", "wait_timeout": 30, **more}


def refused(**more: Any) -> str:
    return raised(OptionError, lambda: sa_link.from_options(options(**more)))


class TestFromOptions:
    def test_a_secret_is_linked_for_pulling_by_default(self) -> None:
        assert sa_link.from_options(options()) == SaLink(
            secrets=("quay",), service_accounts=("default",), lists=("imagePullSecrets",), present=True, wait_timeout=30
        )

    @pytest.mark.parametrize(
        ("more", "member", "value"),
        [
            ({"secrets": ["b", "a", "b"]}, "secrets", ("b", "a")),
            ({"service_accounts": ["b", "a*", "b"]}, "service_accounts", ("b", "a*")),
            ({"link_for": ["mount"]}, "lists", ("secrets",)),
            ({"link_for": ["mount", "pull"]}, "lists", ("imagePullSecrets", "secrets")),
            ({"state": "absent"}, "present", False),
            ({"exclusive": True}, "exclusive", True),
            ({"only_managed": True, "state": "absent"}, "only_managed", True),
            ({"create": True}, "create", True),
            ({"require": "usable"}, "require", "usable"),
            ({"restart_pods": "stuck"}, "restart_pods", "stuck"),
            ({"restart_pods": "report", "link_for": ["mount", "pull"]}, "restart_pods", "report"),
            ({"wait_timeout": 0}, "wait_timeout", 0),
        ],
    )
    def test_each_option_is_taken(self, more: Any, member: str, value: Any) -> None:
        assert getattr(sa_link.from_options(options(**more)), member) == value

    @pytest.mark.parametrize("option", ["secrets", "service_accounts", "link_for"])
    def test_an_empty_list_is_refused(self, option: str) -> None:
        assert refused(**{option: []}) == f"option '{option}' is empty: give at least one"

    @pytest.mark.parametrize("option", ["secrets", "service_accounts"])
    @pytest.mark.parametrize("name", ["Quay", "a\0", "", "x/y", "secrets:a", "a\ud800"])
    def test_a_name_that_cannot_exist_is_refused(self, option: str, name: str) -> None:
        assert refused(**{option: ["ok", name]}).startswith(f"option '{option}': {name!r} cannot be an object's name")

    @pytest.mark.parametrize("name", ["secret", "secrets"])
    def test_a_secret_may_be_called_secrets(self, name: str) -> None:
        assert sa_link.from_options(options(secrets=[name])).secrets == (name,)

    def test_a_glob_is_not_the_name_of_a_secret(self) -> None:
        assert refused(secrets=["quay*"]).startswith("option 'secrets': 'quay*' cannot be an object's name")

    @pytest.mark.parametrize("name", ["secret/quay", "secrets/quay", "secrets/secrets"])
    def test_a_prefix_that_oc_takes_is_refused_with_the_name_to_write(self, name: str) -> None:
        expected = f"option 'secrets': write '{name.partition('/')[2]}' instead of '{name}': only secrets can be linked"
        assert refused(secrets=[name]) == expected

    @pytest.mark.parametrize("name", ["secrets/", "secret/Quay", "secrets/a/b", "secrets/secret/a", "configmaps/a"])
    def test_an_invalid_name_is_not_taken_for_a_prefix(self, name: str) -> None:
        assert refused(secrets=[name]).startswith(f"option 'secrets': '{name}' cannot be an object's name")

    def test_a_prefix_is_not_part_of_an_accounts_name(self) -> None:
        assert refused(service_accounts=["secrets/a"]).startswith("option 'service_accounts': 'secrets/a' cannot be")

    PRESENT_ONLY = "is for state present only: state absent unlinks exactly the given secrets"
    RESTART = "option 'restart_pods' is for state present with 'link_for: pull' only: pods pull with that list"

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ({"exclusive": True, "state": "absent"}, f"option 'exclusive' {PRESENT_ONLY}"),
            ({"create": True, "state": "absent"}, f"option 'create' {PRESENT_ONLY}"),
            (
                {"only_managed": True},
                "option 'only_managed' is for state absent only: it limits which secrets are unlinked",
            ),
            ({"restart_pods": "report", "state": "absent"}, RESTART),
            ({"restart_pods": "stuck", "link_for": ["mount"]}, RESTART),
        ],
    )
    def test_contradictory_options_are_refused(self, more: Any, message: str) -> None:
        assert refused(**more) == message

    def test_a_negative_wait_is_refused(self) -> None:
        assert refused(wait_timeout=-1) == "option 'wait_timeout' must not be negative: give seconds, or 0 to look once"
