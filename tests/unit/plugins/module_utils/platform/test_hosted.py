# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hosted cluster merges the additional pull secret, and only some of its node pools get the result."""

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
    additional_secret,
    content_hash,
    excluded_pools,
    find_merge_problem,
    keeps_edits,
    merged_form,
    node_pools_of_cluster,
    node_pools_of_nodes,
    overridden_registries,
    pull_secret_of,
    refused_merge_sentence,
    unmerged_sentence,
    why_never_merged,
    why_not_merged,
    why_not_synchronized,
    why_unseen,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import StoredSecret

POOL = "hypershift.openshift.io/nodePool"
SYNCED = "hypershift.openshift.io/nodepool-globalps-enabled"


def held(*keys: str, password: str = "p") -> AuthFile:
    return from_registries({"registry": key, "username": "u", "password": password} for key in keys)


ORIGINAL = held("quay.io", "registry.redhat.io")


def test_the_platforms_entry_wins_in_any_spelling() -> None:
    assert overridden_registries(ORIGINAL, ["https://quay.io/", "quay.io/team", "a.example.com"]) == [
        "https://quay.io/"
    ]
    assert overridden_registries(ORIGINAL, []) == []


class TestMerged:
    def test_additions_are_merged_as_the_platform_merges_them(self) -> None:
        mine = held("a.example.com")
        assert why_not_merged(ORIGINAL, mine, held("quay.io", "registry.redhat.io", "a.example.com")) == ""
        # The platform keeps its own entries, whatever is added.
        theirs = held("quay.io", password="other")
        assert why_not_merged(ORIGINAL, theirs, held("quay.io", "registry.redhat.io")) == ""

    def test_a_pending_merge_is_reported(self) -> None:
        mine = held("a.example.com")
        assert why_not_merged(ORIGINAL, mine, None) == "secret kube-system/global-pull-secret is not there yet"
        late = "secret kube-system/global-pull-secret is not up to date for "
        assert why_not_merged(ORIGINAL, mine, ORIGINAL) == late + "a.example.com"
        old = held("a.example.com", password="old").entries
        assert why_not_merged(ORIGINAL, mine, AuthFile({**ORIGINAL.entries, **old})) == late + "a.example.com"

    def test_a_removed_entry_that_is_still_merged_is_reported(self) -> None:
        merged = held("quay.io", "registry.redhat.io", "a.example.com", "b.example.com")
        assert why_not_merged(ORIGINAL, held("b.example.com"), merged).endswith("is not up to date for a.example.com")

    @pytest.mark.parametrize("additional", [None, AuthFile({})])
    def test_a_merged_secret_without_an_addition_is_reported(self, additional: AuthFile | None) -> None:
        assert why_not_merged(ORIGINAL, additional, None) == ""
        assert why_not_merged(ORIGINAL, additional, ORIGINAL) == "secret kube-system/global-pull-secret is still there"


#: The lab's replacement for the platform is tested with the same cases (tests/lab/hosted_test.go).
CASES = json.loads((Path(__file__).parents[4] / "support" / "hosted_merges.json").read_text("utf-8"))
KEY = ".dockerconfigjson"


def stored(content: str, key: str = KEY) -> StoredSecret:
    return StoredSecret("Opaque", key, base64.b64encode(content.encode("utf-8", "surrogateescape")).decode())


def secret(content: str) -> dict[str, Any]:
    return {"data": {KEY: stored(content).value}}


class TestUnmerged:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
    def test_unmerged_agrees_with_the_platform(self, case: dict[str, str]) -> None:
        data = {case["key"]: base64.b64encode(case["given"].encode()).decode()}
        held = additional_secret({"type": "Opaque", "data": data})
        assert held is not None
        assert bool(find_merge_problem(held)) is bool(case["error"])
        if case["merged"]:
            merged = stored(case["merged"]).auth_file
            assert why_not_merged(PLATFORMS, merged_form(held), merged) == ""

    def test_content_that_cannot_be_read_is_named_with_the_fix(self) -> None:
        found = find_merge_problem(StoredSecret("Opaque", KEY, "*"))
        assert found is not None
        assert found.why == "its content is not base64"
        assert found.fix.startswith("Write its content again: module pull_secret, 'mode: replace'")

    def test_a_secret_without_data_counts_as_missing(self) -> None:
        for empty in ({}, {"data": None}, {"data": {}}):
            assert additional_secret(empty) is None

    def test_the_type_and_other_data_keys_are_ignored(self) -> None:
        data = {".dockercfg": "e30=", KEY: stored('{"auths":{"a":{}}}').value}
        held = additional_secret({"type": "kubernetes.io/dockercfg", "data": data})
        assert held is not None
        assert find_merge_problem(held) is None

    def test_an_entry_that_cannot_be_merged_is_named_with_the_fix(self) -> None:
        wrong, number = '"a": {"auth": "*"}', '"c": {"n": 1e999}'
        before, after, good = (
            secret(f'{{"auths": {{{entries}}}}}') for entries in (wrong, f'{wrong}, "b": {{}}', '"b": {}')
        )
        assert refused_merge_sentence(before, after) == (
            "secret kube-system/additional-pull-secret was not changed: the platform would not merge it, and the nodes keep their present "
            "pull secret, including logins that were removed since, because the entry for 'a' has an 'auth' that is not standard base64. This "
            "problem existed before this task. Remove these entries ('mode: remove', in the role global_pull_secret_remove), or merge a login for them in "
            "the same task"
        )
        for content, fix in (
            ("{}", "oc delete secret additional-pull-secret -n kube-system"),
            (f'{{"auths": {{{number}}}}}', "mode: replace"),
        ):
            said = refused_merge_sentence(good, secret(content))
            assert (fix in said, "before this task" in said) == (True, False)
        assert (
            refused_merge_sentence(before, good),
            refused_merge_sentence(before, None),
            unmerged_sentence(good),
            unmerged_sentence(None),
        ) == ("",) * 4
        assert unmerged_sentence(after).startswith(
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
    def test_unused_fields_may_change_their_form_in_the_merge(self, given: str, merged: str) -> None:
        both = stored(merged % '"quay.io": {"auth": "dTpw"}').auth_file
        assert why_not_merged(PLATFORMS, merged_form(stored(given)), both) == ""


PLATFORMS = stored('{"auths": {"quay.io": {"auth": "dTpw"}}}').auth_file


class TestNodePools:
    def test_node_pools_are_read_from_node_labels(self) -> None:
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
        assert excluded_pools(found) == ["(no node pool)", "a", "c"]

    @pytest.mark.parametrize(
        ("strategy", "platform", "receives"),
        [
            ("Replace", "AWS", True),
            ("Replace", "Azure", True),
            ("InPlace", "AWS", False),
            ("Replace", "KubeVirt", False),
        ],
    )
    def test_node_pools_are_read_from_the_management_cluster(
        self, strategy: str, platform: str, receives: bool
    ) -> None:
        spec = {"management": {"upgradeType": strategy}, "platform": {"type": platform}, "replicas": 3}
        pools: list[Any] = [
            {"metadata": {"name": "b"}, "spec": {"clusterName": "other", **spec}},
            {"metadata": {"name": "a"}, "spec": {"clusterName": "prod", **spec}},
            {"metadata": {"name": "odd"}, "spec": None},
        ]
        assert node_pools_of_cluster(pools, "prod") == [{"name": "a", "nodes": 3, "receives": receives}]


class TestPullSecret:
    REF = ObjectRef(HOSTED_CLUSTER, "clusters", "prod")

    def test_the_pull_secret_of_a_hosted_cluster_is_found_by_name(self) -> None:
        found = pull_secret_of(self.REF, {"spec": {"pullSecret": {"name": "prod-pull"}}})
        assert found == ObjectRef(SECRET, "clusters", "prod-pull")

    def test_a_missing_hosted_cluster_is_refused(self) -> None:
        with pytest.raises(Refusal, match="hosted cluster clusters/prod does not exist: correct the option"):
            pull_secret_of(self.REF, None)

    @pytest.mark.parametrize("spec", [None, {}, {"pullSecret": None}, {"pullSecret": {"name": 1}}], ids=str)
    def test_a_hosted_cluster_without_a_pull_secret_name_is_refused(self, spec: Any) -> None:
        with pytest.raises(Refusal, match="names no pull secret"):
            pull_secret_of(self.REF, {"spec": spec})

    @pytest.mark.parametrize("name", ["../pull", "a/b", "a\n", "A", "x" * 300, "\x1b"])
    def test_an_invalid_pull_secret_name_is_refused(self, name: str) -> None:
        with pytest.raises(Refusal, match="which cannot be the name of a secret: correct it") as caught:
            pull_secret_of(self.REF, {"spec": {"pullSecret": {"name": name}}})
        assert len(str(caught.value)) < 300


class TestOnNodes:
    """The daemon set that copies the merged secret to the nodes shows whether they have it."""

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

    def test_the_content_hash_equals_the_platforms(self) -> None:
        """The expected value is Go's fnv.New32a over fmt's %v of the bytes."""
        assert content_hash(self.CONTENT) == "217e580d"

    def test_a_finished_synchronization_reports_nothing(self) -> None:
        assert why_not_synchronized(self.syncer(), self.CONTENT) == ""

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
    def test_a_pending_synchronization_is_reported(self, syncer: dict[str, Any], clause: str) -> None:
        found = why_not_synchronized(self.syncer(**syncer), self.CONTENT)
        assert found == f"daemon set kube-system/global-pull-secret-syncer {clause}"

    @pytest.mark.parametrize("label", ["", "v2-217e580d", None, 5])
    def test_a_daemon_set_without_a_content_hash_is_reported(self, label: Any) -> None:
        assert why_unseen(self.syncer()) == ""
        other = self.syncer()
        other["spec"]["template"]["metadata"]["labels"] = {"hypershift.openshift.io/globalps-config-hash": label}
        assert why_unseen(other).endswith("does not show which content it has")
        assert why_unseen(None).endswith("does not exist")


@pytest.mark.parametrize(
    ("platform", "merges"), [("AWS", True), ("Azure", True), ("", True), ("None", False), ("aws", False)]
)
def test_the_platform_merges_on_some_clouds_only(platform: str, merges: bool) -> None:
    assert (why_never_merged(platform) == "") is merges


def test_text_of_a_cluster_in_the_platform_is_quoted_and_short() -> None:
    assert "'\\x1b[2J'" in why_never_merged("\x1b[2J")
    assert len(why_never_merged("x" * 1000)) < 500


@pytest.mark.parametrize(
    ("annotations", "keeps"),
    [({"hypershift.openshift.io/ensureexists-pullsecret-reconcile": ""}, True), ({}, False), (None, False)],
)
def test_an_annotation_makes_the_platform_keep_edits(annotations: Any, keeps: bool) -> None:
    assert keeps_edits({"metadata": {"annotations": annotations}}) is keeps
    assert not keeps_edits(None)
