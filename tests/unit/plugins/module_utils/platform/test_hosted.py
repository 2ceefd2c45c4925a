# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hosted cluster merges, and which of its node pools get it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import (
    AuthFile,
    from_registries,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.hosted import (
    HOSTED_CLUSTER,
    additional,
    content_hash,
    does_not_merge,
    left_out,
    merged_form,
    node_pools_of_cluster,
    node_pools_of_nodes,
    not_merged,
    not_synchronized,
    overridden,
    pull_secret_of,
    unmerged,
    why_unseen,
    would_not_merge,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import StoredSecret

POOL = "hypershift.openshift.io/nodePool"
SYNCED = "hypershift.openshift.io/nodepool-globalps-enabled"


def held(*keys: str, password: str = "p") -> AuthFile:
    return from_registries({"registry": key, "username": "u", "password": password} for key in keys)


ORIGINAL = held("quay.io", "registry.redhat.io")


def test_the_platforms_entry_wins_in_any_spelling() -> None:
    assert overridden(ORIGINAL, ["https://quay.io/", "quay.io/team", "a.example.com"]) == ["https://quay.io/"]
    assert overridden(ORIGINAL, []) == []


class TestMerged:
    def test_as_the_platform_does(self) -> None:
        mine = held("a.example.com")
        assert not_merged(ORIGINAL, mine, held("quay.io", "registry.redhat.io", "a.example.com")) == ""
        # An entry of the platform's is its own, whatever is added.
        theirs = held("quay.io", password="other")
        assert not_merged(ORIGINAL, theirs, held("quay.io", "registry.redhat.io")) == ""

    def test_not_yet(self) -> None:
        mine = held("a.example.com")
        assert not_merged(ORIGINAL, mine, None) == "secret kube-system/global-pull-secret is not there yet"
        late = "secret kube-system/global-pull-secret is not up to date for "
        assert not_merged(ORIGINAL, mine, ORIGINAL) == late + "a.example.com"
        old = held("a.example.com", password="old").entries
        assert not_merged(ORIGINAL, mine, AuthFile({**ORIGINAL.entries, **old})) == late + "a.example.com"

    def test_what_was_removed_is_to_go(self) -> None:
        merged = held("quay.io", "registry.redhat.io", "a.example.com", "b.example.com")
        assert not_merged(ORIGINAL, held("b.example.com"), merged).endswith("is not up to date for a.example.com")

    @pytest.mark.parametrize("additional", [None, AuthFile({})])
    def test_without_an_addition_there_is_none(self, additional: AuthFile | None) -> None:
        assert not_merged(ORIGINAL, additional, None) == ""
        assert not_merged(ORIGINAL, additional, ORIGINAL) == "secret kube-system/global-pull-secret is still there"


#: The lab's stand-in for the platform is held against the same cases (tests/lab/hosted_test.go).
CASES = json.loads((Path(__file__).parents[4] / "support" / "hosted_merges.json").read_text("utf-8"))
KEY = ".dockerconfigjson"


def stored(content: str, key: str = KEY) -> StoredSecret:
    return StoredSecret("Opaque", key, base64.b64encode(content.encode("utf-8", "surrogateescape")).decode())


def secret(content: str) -> dict[str, Any]:
    return {"data": {KEY: stored(content).value}}


class TestUnmerged:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
    def test_as_the_platform_judges(self, case: dict[str, str]) -> None:
        data = {case["key"]: base64.b64encode(case["given"].encode()).decode()}
        held = additional({"type": "Opaque", "data": data})
        assert held is not None
        assert bool(unmerged(held)) is bool(case["error"])
        if case["merged"]:
            merged = stored(case["merged"]).auth_file
            assert not_merged(PLATFORMS, merged_form(held), merged) == ""

    def test_a_secret_without_data_counts_as_none(self) -> None:
        for empty in ({}, {"data": None}, {"data": {}}):
            assert additional(empty) is None

    def test_the_type_does_not_count_and_other_data_is_not_looked_at(self) -> None:
        data = {".dockercfg": "e30=", KEY: stored('{"auths":{"a":{}}}').value}
        held = additional({"type": "kubernetes.io/dockercfg", "data": data})
        assert held is not None
        assert unmerged(held) is None

    def test_names_the_entry_and_what_to_do(self) -> None:
        wrong, number = '"a": {"auth": "*"}', '"c": {"n": 1e999}'
        before, after, good = (
            secret(f'{{"auths": {{{entries}}}}}') for entries in (wrong, f'{wrong}, "b": {{}}', '"b": {}')
        )
        assert would_not_merge(before, after) == (
            "secret kube-system/additional-pull-secret was not changed: the platform would not merge it, and the nodes keep their present "
            "pull secret, including logins that were removed since, because the entry for 'a' has an 'auth' that is not standard base64. This "
            "problem existed before this task. Remove these entries (mode=remove, in the role global_pull_secret_remove), or merge a login for them in "
            "the same task"
        )
        for content, fix in (
            ("{}", "oc delete secret additional-pull-secret -n kube-system"),
            (f'{{"auths": {{{number}}}}}', "mode=replace"),
        ):
            said = would_not_merge(good, secret(content))
            assert (fix in said, "before this task" in said) == (True, False)
        assert (
            would_not_merge(before, good),
            would_not_merge(before, None),
            does_not_merge(good),
            does_not_merge(None),
        ) == ("",) * 4
        assert does_not_merge(after).startswith(
            "the platform does not merge secret kube-system/additional-pull-secret, and the nodes keep"
        )

    @pytest.mark.parametrize(
        ("given", "merged"),
        [
            (
                '{"auths": {"a": {"auth": "dTpw", "x": ' + "[" * 300 + "1" + "]" * 300 + "}}}",
                '{"auths": {"a": {"auth": "dTpw"}, %s}}',
            ),
            (
                '{"auths": {"a": {"auth": "dTpw", "x": ["\udcff"], "email": "\udcff"}}}',
                '{"auths": {"a": {"auth": "dTpw", "email": "\ufffd"}, %s}}',
            ),
        ],
    )
    def test_what_no_reader_uses_may_change_its_form(self, given: str, merged: str) -> None:
        both = stored(merged % '"quay.io": {"auth": "dTpw"}').auth_file
        assert not_merged(PLATFORMS, merged_form(stored(given)), both) == ""


PLATFORMS = stored('{"auths": {"quay.io": {"auth": "dTpw"}}}').auth_file


class TestNodePools:
    def test_as_nodes_show_them(self) -> None:
        nodes: list[Any] = [
            {"metadata": {"labels": {POOL: "b", SYNCED: "true"}}},
            {"metadata": {"labels": {POOL: "b", SYNCED: "true"}}},
            {"metadata": {"labels": {POOL: "a"}}},
            {"metadata": {"labels": {POOL: "c", SYNCED: "true"}}},
            {"metadata": {"labels": {POOL: "c", SYNCED: "false"}}},
            {"metadata": None},
        ]
        found = node_pools_of_nodes(nodes)
        assert [(row["name"], row["nodes"], row["receives"]) for row in found] == [
            ("", 1, False),
            ("a", 1, False),
            ("b", 2, True),
            ("c", 2, False),
        ]
        assert left_out(found) == ["(no node pool)", "a", "c"]

    @pytest.mark.parametrize(
        ("strategy", "platform", "receives"),
        [
            ("Replace", "AWS", True),
            ("Replace", "Azure", True),
            ("InPlace", "AWS", False),
            ("Replace", "KubeVirt", False),
        ],
    )
    def test_as_the_management_cluster_has_them(self, strategy: str, platform: str, receives: bool) -> None:
        spec = {"management": {"upgradeType": strategy}, "platform": {"type": platform}, "replicas": 3}
        pools: list[Any] = [
            {"metadata": {"name": "b"}, "spec": {"clusterName": "other", **spec}},
            {"metadata": {"name": "a"}, "spec": {"clusterName": "prod", **spec}},
            {"metadata": {"name": "odd"}, "spec": None},
        ]
        assert node_pools_of_cluster(pools, "prod") == [{"name": "a", "nodes": 3, "receives": receives}]


class TestPullSecret:
    REF = ObjectRef(HOSTED_CLUSTER, "clusters", "prod")

    def test_the_one_that_is_named(self) -> None:
        found = pull_secret_of(self.REF, {"spec": {"pullSecret": {"name": "prod-pull"}}})
        assert found == ObjectRef(SECRET, "clusters", "prod-pull")

    def test_no_cluster(self) -> None:
        with pytest.raises(Refusal, match="hosted cluster clusters/prod does not exist: correct the option"):
            pull_secret_of(self.REF, None)

    @pytest.mark.parametrize("spec", [None, {}, {"pullSecret": None}, {"pullSecret": {"name": 1}}])
    def test_no_name(self, spec: Any) -> None:
        with pytest.raises(Refusal, match="names no pull secret"):
            pull_secret_of(self.REF, {"spec": spec})

    @pytest.mark.parametrize("name", ["../pull", "a/b", "a\n", "A", "x" * 300, "\x1b"])
    def test_text_that_is_not_a_name(self, name: str) -> None:
        with pytest.raises(Refusal, match="which cannot be the name of a secret: correct it") as caught:
            pull_secret_of(self.REF, {"spec": {"pullSecret": {"name": name}}})
        assert len(str(caught.value)) < 300


class TestOnNodes:
    """Told by the daemon set that brings the merged secret to them."""

    CONTENT = b'{"auths":{}}'

    def syncer(self, content: bytes = CONTENT, **parts: Any) -> dict[str, Any]:
        labels = {"hypershift.openshift.io/globalps-config-hash": content_hash(content)}
        status = {
            "desiredNumberScheduled": 3,
            "updatedNumberScheduled": 3,
            "numberAvailable": 3,
            "observedGeneration": 2,
        }
        return {
            "metadata": {"generation": 2},
            "spec": {"template": {"metadata": {"labels": labels}}},
            "status": {**status, **parts},
        }

    def test_the_hash_is_the_platforms(self) -> None:
        """As Go's fnv.New32a over fmt's %v of the bytes gives it."""
        assert content_hash(self.CONTENT) == "217e580d"

    def test_on_all(self) -> None:
        assert not_synchronized(self.syncer(), self.CONTENT) == ""

    @pytest.mark.parametrize(
        ("syncer", "clause"),
        [
            ({"content": b"old"}, "has not noticed the change yet"),
            ({"observedGeneration": 1}, "is about to bring it to the nodes"),
            ({"updatedNumberScheduled": 1}, "has brought it to 1 of 3 nodes"),
            ({"numberAvailable": 2}, "has brought it to 2 of 3 nodes"),
            ({"numberAvailable": None}, "has brought it to 0 of 3 nodes"),
        ],
    )
    def test_not_yet(self, syncer: dict[str, Any], clause: str) -> None:
        found = not_synchronized(self.syncer(**syncer), self.CONTENT)
        assert found == f"daemon set kube-system/global-pull-secret-syncer {clause}"

    @pytest.mark.parametrize("label", ["", "v2-217e580d", None, 5])
    def test_one_that_does_not_tell(self, label: Any) -> None:
        assert why_unseen(self.syncer()) == ""
        other = self.syncer()
        other["spec"]["template"]["metadata"]["labels"] = {"hypershift.openshift.io/globalps-config-hash": label}
        assert why_unseen(other).endswith("does not show which content it has")
        assert why_unseen(None).endswith("does not exist")
