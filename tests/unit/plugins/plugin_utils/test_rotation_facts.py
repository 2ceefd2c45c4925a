# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a rotation read options as Ansible reads them, and a plan only if it is that of this rotation."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.rotation_facts import Facts, refuse


def facts(**options: Any) -> Facts:
    given = {f"credential_rotation_{name}": value for name, value in options.items()}
    return Facts(given.get, {"a": {}, "b": {}}, ["a"], " ".join, str)


@pytest.mark.parametrize(
    ("value", "is_set"), [(True, True), ("yes", True), ("no", False), ("maybe", False), (0, False)]
)
def test_an_option_is_set_by_the_words_of_ansible(value: Any, is_set: bool) -> None:
    assert facts(verify=value).is_set("verify") is is_set


@pytest.mark.parametrize(
    ("value", "allows"), [(["remaining"], True), ("absent, remaining", True), ([], False), ("", False)]
)
def test_the_allowed_words_are_a_list_or_a_text_with_commas(value: Any, allows: bool) -> None:
    assert facts(allow=value).allows("remaining") is allows


def test_hosts_that_failed_are_lost() -> None:
    assert facts().lost_hosts == ["b"]


def test_a_refusal_names_all_problems() -> None:
    assert refuse("stopped", ["one", "", "two"]) == "stopped: (1) one. (2) two"
    assert refuse("stopped", ["one", ""]) == "stopped: one"
    assert refuse("stopped", ["", ""]) == ""
