# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options become a question."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.options import from_options

OPTIONS = {
    "ask_registries": False,
    "fail_on": "never",
    "dest": None,
    "junit": None,
    "markdown": None,
    "registry_timeout": 10,
}


def question(*changes, **more):
    return from_options({**OPTIONS, "changes": list(changes), **more}, lambda _path: [])


def test_registries_are_asked_only_on_request() -> None:
    change = {"new_nodes": True}
    assert question(change).registries is None
    assert question(change, ask_registries=True, realm_hosts=["sso.example.com"]).registries.realm_hosts == (
        "sso.example.com",
    )


@pytest.mark.parametrize(
    ("given", "failing"),
    [("never", ()), ("would_break", ("would_break",)), ("unknown", ("would_break", "unknown"))],
)
def test_doubt_fails_together_with_certain_breaks(given, failing) -> None:
    assert question({"new_nodes": True}, fail_on=given).failing == failing


def test_the_last_upgrade_counts() -> None:
    asked = question({"target_version": "4.21"}, {"target_version": "4.22"}, {"new_nodes": True})
    assert asked.target_version == "4.22"
    assert asked.has_new_nodes
    assert question({"target_version": "4.21"}).has_new_nodes is False


def test_a_short_timeout_is_refused() -> None:
    with pytest.raises(OptionError, match="registry_timeout"):
        question({"new_nodes": True}, registry_timeout=0)


@pytest.mark.parametrize("given", [{"fail_on": "would_break"}, {"ask_registries": True}])
def test_a_comparison_of_inventories_refuses_options_that_need_a_cluster(given) -> None:
    lists = {"secrets": [], "links": None, "grants": None, "owner": None, "adopt": False, "prune": False}
    with pytest.raises(OptionError, match="needs a cluster"):
        question({"declared": lists}, against=lists, **given)
