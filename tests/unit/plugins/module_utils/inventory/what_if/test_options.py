# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options become a question."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.options import from_options
from support.objects import raised

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
    assert question(change, realm_hosts=["sso.example.com"]).access_options == ("realm_hosts",)
    assert question(change, ask_registries=True, realm_hosts=["sso.example.com"]).registries.realm_hosts == (
        "sso.example.com",
    )


@pytest.mark.parametrize(
    ("given", "failing"),
    [
        ("never", ()),
        ("certain_break", ("would_break",)),
        ("would_break", ("would_break", "not_asked")),
        ("unknown", ("would_break", "unknown")),
    ],
)
def test_doubt_fails_together_with_certain_breaks(given, failing) -> None:
    assert question({"new_nodes": True}, fail_on=given).failing == failing


def test_the_last_upgrade_counts() -> None:
    asked = question({"target_version": "4.21"}, {"target_version": "4.22"}, {"new_nodes": True})
    assert asked.target_version == "4.22"
    assert asked.new_nodes == 2
    assert question({"target_version": "4.21"}).new_nodes is None


def test_a_short_timeout_is_refused() -> None:
    with pytest.raises(OptionError, match="registry_timeout"):
        question({"new_nodes": True}, registry_timeout=0)


LISTS = {"secrets": [], "links": None, "grants": None, "owner": None, "adopt": False, "prune": False}
AGAINST = {**LISTS, "on_cluster": False}


def problems(*changes, **more) -> list[str]:
    return raised(OptionError, lambda: question(*changes, **more)).split("; ")


def test_a_comparison_without_a_cluster_refuses_options_that_need_one() -> None:
    pruned = {**AGAINST, "owner": "team", "prune": True}
    assert problems({"declared": LISTS}, against=pruned, fail_on="would_break", ask_registries=True) == [
        f"option {name!r} needs a cluster: leave it out, or set 'against.on_cluster' to true"
        for name in ("fail_on", "ask_registries", "against.prune")
    ]


def test_a_comparison_on_a_cluster_takes_them() -> None:
    on_cluster = {**AGAINST, "owner": "team", "prune": True, "on_cluster": True}
    asked = question({"declared": LISTS}, against=on_cluster, fail_on="would_break", ask_registries=True)
    assert asked.compared == []
    assert {at: each.prunes for at, each in asked.inventories.items()} == {0: False, -1: True}
    assert len(question({"declared": LISTS}, against=AGAINST).compared) == 2


def test_all_invalid_options_are_refused_together() -> None:
    found = problems(
        {"target_version": "new"},
        {"declared": {**LISTS, "prune": True}},
        against={**AGAINST, "owner": "-"},
        ask_registries=True,
        registry_timeout=0,
    )
    assert [each.partition(":")[0] for each in found] == [
        "option 'registry_timeout' is in seconds, from 1 to 3600",
        "option 'changes[0]'",
        "option 'changes[1]'",
        "option 'against'",
        "option 'against' compares one inventory with another",
        "option 'ask_registries' needs a cluster",
    ]


def test_the_files_of_the_options_are_checked_with_the_other_options() -> None:
    def refuse(outputs, sources) -> None:
        raise OptionError(f"{outputs} and {sources}")

    changes = [{"add_objects": {"src": "a.yml"}}, {"new_nodes": False}]
    with pytest.raises(OptionError) as refused:
        from_options({**OPTIONS, "changes": changes, "dest": "f.json"}, lambda _path: [], check=refuse)
    assert refused.value.problems[-1] == "{'dest': 'f.json'} and ['a.yml']"
    assert "new_nodes takes only true" in str(refused.value)


@pytest.mark.parametrize(
    ("change", "concerns"),
    [
        ({"unreachable_registries": ["q.io"]}, True),
        ({"only_registries": ["q.io"]}, True),
        ({"remove_credential": {"registry": "q.io", "username": "u"}}, True),
        ({"delete_objects": {"kind": "ImageTagMirrorSet", "names": ["a"]}}, True),
        ({"remove_secrets": {"name": "pull-secret", "namespaces": ["a", "openshift-config"]}}, True),
        ({"remove_secrets": {"name": "pull-secret", "namespaces": None}}, False),
        ({"remove_secrets": {"name": "other", "namespaces": ["openshift-config"]}}, False),
        ({"new_nodes": True}, False),
        ({"target_version": "4.22"}, False),
    ],
)
def test_a_change_of_the_nodes_registries_or_logins_concerns_the_platform(change, concerns) -> None:
    ((kind, value),) = change.items()
    if isinstance(value, dict):
        value = {**dict.fromkeys(("namespaces", "namespace", "password")), **value}
    assert question({kind: value}).concerns_nodes is concerns
    assert question({"new_nodes": True}, {kind: value}).concerns_nodes is concerns


@pytest.mark.parametrize(
    ("given", "names", "first"),
    [
        ([{"only_registries": ["q.io"]}], ["a", "default", "kube-system", "openshift-a"], ["a"]),
        ([{"only_registries": ["q.io"]}], ["default", "openshift-a"], ["default", "openshift-a"]),
        ([], ["a", "openshift-a"], ["a", "openshift-a"]),
    ],
)
def test_a_removal_without_namespaces_leaves_out_the_platform(given, names, first) -> None:
    removals = [{"remove_secrets": {"name": "s", "namespaces": each}} for each in (None, ["openshift-a"])]
    asked = question(*removals, *given).limit_removals(names)
    assert [each.targets(names) for each in asked.change_set[:2]] == [{*first}, {"openshift-a"}]
