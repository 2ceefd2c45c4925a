# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options become a question. All problems of all changes are reported together, before anything is read."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import IMAGE_POLICY
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import MIRROR_KINDS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.options import (
    CANNOT_KNOW,
    CHANGE_ARGUMENTS,
    DECLARED,
    KINDS,
    from_options,
    parse_changes,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import Subject
from support.objects import raised
from support.supposed import MIRRORS, changes_of, supposed_change

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


def test_each_kind_states_the_facts_that_no_object_shows() -> None:
    assert {*CANNOT_KNOW} == {*CHANGE_ARGUMENTS, DECLARED}
    assert all(CANNOT_KNOW.values())


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ({"unreachable_registries": ["docker.io", "quay.io"]}, "the nodes do not reach docker.io and quay.io"),
        ({"unreachable_registries": ["index.docker.io/bitnami"]}, "the nodes do not reach docker.io/bitnami"),
        ({"only_registries": ["*.site.example"]}, "the nodes reach only *.site.example"),
        (
            {"moved": {"docker.io/bitnami": "quay.io/acme/bitnami", "k8s.gcr.io": "registry.k8s.io"}},
            "images come from new places: those of docker.io/bitnami from quay.io/acme/bitnami and those of k8s.gcr.io from registry.k8s.io",
        ),
        ({"remove_secrets": {"name": "old"}}, "secret old is deleted"),
        ({"remove_secrets": {"name": "old", "namespaces": ["a"]}}, "secret old is deleted from a"),
        ({"remove_links": {"secrets": ["old"]}}, "secret old is no longer linked to any service account"),
        (
            {"remove_links": {"secrets": ["old"], "service_accounts": ["default"]}},
            "secret old is no longer linked to default",
        ),
        ({"remove_grants": {}}, "everyone may no longer pull from any project"),
        (
            {"remove_grants": {"namespaces": ["a"], "projects": ["b"]}},
            "Group system:serviceaccounts:b may no longer pull from project a",
        ),
        ({"remove_credential": {"registry": "https://quay.io", "username": "r"}}, "quay.io refuses the login of r"),
        ({"add_objects": {"src": "f.yml"}}, "added: image tag mirror set site"),
        ({"add_objects": {"definition": [MIRRORS]}}, "added: image tag mirror set site"),
        ({"delete_objects": {"kind": "ImageTagMirrorSet", "names": ["a", "b"]}}, "deleted: image tag mirror set a and"),
        ({"target_version": "4.22"}, "upgrade to 4.22"),
        ({"new_nodes": True}, "all pods start on new nodes"),
    ],
)
def test_a_change_is_named_in_words(given, title) -> None:
    assert supposed_change(**given).title.startswith(title)


@pytest.mark.parametrize(
    "host", ["docker.io", "index.docker.io", "registry-1.docker.io", "auth.docker.io", "*.docker.io"]
)
def test_each_name_of_docker_hub_is_a_registry(host) -> None:
    assert supposed_change(unreachable_registries=[host]).value == [host]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "but it is empty"),
        ({"new_nodes": True, "target_version": "4.22"}, "it has new_nodes and target_version"),
        ({"unreachable_registries": []}, "is empty: name registries"),
        *(
            (
                {"unreachable_registries": [each]},
                f"unreachable_registries: {each!r} is not host[:port] or host[:port]/path without a tag",
            )
            for each in ("quay.io/team:v1", "quay.io/Team", "*.quay.io/team")
        ),
        ({"unreachable_registries": ["team/app"]}, "Did you mean 'docker.io/team/app'?"),
        ({"unreachable_registries": ["quay.*"]}, "is not host[:port][/path]"),
        ({"only_registries": ["quay.io/team"]}, "'quay.io/team' is not host[:port], such as"),
        ({"moved": {}}, "moved is empty: give places"),
        ({"moved": {"docker.io/bitnami": "bitnami"}}, "moved: 'bitnami' is not host[:port] or"),
        *(
            ({"moved": {"docker.io/bitnami": each}}, "moved: '' is not host[:port] or")
            for each in (None, 7, ["quay.io/acme"])
        ),
        ({"moved": {7: "quay.io/acme"}}, "moved: '' is not host[:port] or"),
        ({"moved": {"docker.io/bitnami/redis:7": "quay.io/acme"}}, "without a tag"),
        ({"moved": {"*.docker.io": "quay.io"}}, "is not host[:port] or"),
        ({"only_registries": ["https://quay.io"]}, "is not host[:port]"),
        ({"only_registries": ["quay.*"]}, "is not host[:port]"),
        ({"remove_secrets": {"name": "a/b"}}, "a/b"),
        ({"remove_links": {"secrets": ["a/b"]}}, "a/b"),
        ({"remove_credential": {"registry": "?", "username": "u"}}, "is not host[:port]"),
        ({"add_objects": {"definition": []}}, "add_objects.definition is empty"),
        ({"add_objects": {"definition": [{"kind": "Secret"}]}}, "kind 'Secret' cannot be changed"),
        (
            {"add_objects": {"definition": [{**MIRRORS, "apiVersion": "v1"}]}},
            "a ImageTagMirrorSet has apiVersion config.openshift.io/v1, not 'v1'",
        ),
        ({"add_objects": {"definition": [{**MIRRORS, "metadata": {}}]}}, "ImageTagMirrorSet"),
        ({"delete_objects": {"kind": "ImagePolicy", "names": ["p"]}}, "needs a namespace"),
        ({"delete_objects": {"kind": "ImageTagMirrorSet", "names": []}}, "names is empty"),
        ({"target_version": "soon"}, "give a version"),
        ({"new_nodes": False}, "takes only true"),
        ({"remove_secrets": {"name": "old", "namespaces": []}}, "remove_secrets.namespaces is empty"),
        ({"remove_links": {"secrets": []}}, "remove_links.secrets is empty"),
        ({"remove_links": {"secrets": ["s"], "service_accounts": []}}, "remove_links.service_accounts is empty"),
        ({"remove_grants": {"projects": []}}, "remove_grants.projects is empty"),
    ],
)
def test_an_invalid_change_is_refused_with_its_position(given, says) -> None:
    with pytest.raises(OptionError) as caught:
        changes_of({"target_version": "4.22"}, given)
    assert str(caught.value).startswith("option 'changes[1]'")
    assert says in str(caught.value)


def test_each_image_moves_once() -> None:
    with pytest.raises(OptionError, match="write all places in one change 'moved'"):
        changes_of({"moved": {"q.io/a": "r.io/a"}}, {"moved": {"r.io/a": "s.io/a"}})


def test_all_problems_are_reported() -> None:
    with pytest.raises(OptionError, match=r"changes\[0\].*changes\[1\]"):
        changes_of({"new_nodes": False}, {"target_version": "soon"})
    with pytest.raises(OptionError, match="'changes' is empty"):
        parse_changes([], lambda _path: [])


def test_objects_are_kept_by_their_reference() -> None:
    policy = {
        "apiVersion": IMAGE_POLICY.api_version,
        "kind": "ImagePolicy",
        "metadata": {"name": "p", "namespace": "a"},
    }
    assert supposed_change(add_objects={"definition": [policy]}).objects == {ObjectRef(IMAGE_POLICY, "a", "p"): policy}
    deleted = supposed_change(delete_objects={"kind": "ImageTagMirrorSet", "names": ["x"], "namespace": "a"})
    assert deleted.objects == {ObjectRef(list(MIRROR_KINDS)[1], "", "x"): None}
    assert KINDS["ImagePolicy"] == IMAGE_POLICY


def test_subjects_and_targets_of_a_change() -> None:
    change = supposed_change(
        remove_grants={"service_accounts": [{"namespace": "b", "name": "default"}], "projects": ["c"], "groups": ["g"]}
    )
    assert change.subjects == {
        Subject("ServiceAccount", "default", "b"),
        Subject("Group", "system:serviceaccounts:c"),
        Subject("Group", "g"),
    }
    assert change.targets(["a", "b"]) == {"a", "b"}
    assert supposed_change(remove_secrets={"name": "s", "namespaces": ["c"]}).targets(["a"]) == {"c"}
    assert supposed_change(target_version="4.22").version == (4, 22)
    assert change.version is None


@pytest.mark.parametrize(
    ("others", "says"),
    [
        ([{"remove_credential": {"registry": "q.io", "username": "u"}}], "but there is remove_credential"),
        ([{"declared": {"secrets": [], "links": None, "grants": None}}], "grants and remove_credential once"),
    ],
)
def test_an_inventory_is_supposed_without_other_changes_of_its_objects(others, says) -> None:
    inventory = {
        "declared": {"secrets": [], "links": None, "grants": None, "owner": None, "adopt": False, "prune": False}
    }
    with pytest.raises(OptionError) as caught:
        parse_changes(
            [
                inventory,
                *({name: {**inventory.get(name, {}), **value} for name, value in each.items()} for each in others),
            ],
            lambda _path: [],
        )
    assert says in str(caught.value)
