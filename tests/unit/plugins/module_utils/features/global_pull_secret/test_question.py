# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options become a question. The pull secret counts as rolled out only if the machine configurations contain it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Evaluation
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, Json, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.global_pull_secret.question import (
    GlobalPullSecret,
    HostedMerge,
    PoolRollout,
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.hosted import (
    HOSTED_CLUSTER,
    SYNCHRONIZER,
    content_hash,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.machine_config import (
    MACHINE_CONFIG,
    MACHINE_CONFIG_POOL,
    NODE_FILE,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from support.objects import b64

OLD, NEW = '{"auths":{"quay.io":{"auth":"dTpw"}}}', '{"auths":{"quay.io":{"auth":"dTpx"}}}'


def secret(text: str = NEW) -> dict[str, Any]:
    return {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": b64(text)}}


def config(text: str) -> dict[str, Any]:
    file = {"path": NODE_FILE, "contents": {"source": "data:," + quote(text)}}
    return {"spec": {"config": {"storage": {"files": [file]}}}}


#: With the logins of the registry of an InternalReleaseImage.
ADDED = '{"auths":{"quay.io":{"auth":"dTpx"},"localhost:22625":{"auth":"bzpy"},"api-int.a.b:22625":{"auth":"bzpy"}}}'
CONFIGS = {"old": config(OLD), "new": config(NEW), "other": config(NEW + " "), "none": {"spec": {}}}


CONFIGS |= {"own": config(ADDED), "late": config(ADDED.replace("dTpx", "dTpw"))}


def pool(current: str, target: str, *, updated: int = 2, paused: bool = False, degraded: str = "") -> dict[str, Any]:
    done = current == target and updated == 2
    conditions = [
        {"type": "Updated", "status": str(done)},
        {"type": "Degraded", "status": str(bool(degraded)), "message": degraded},
    ]
    counts = {"machineCount": 2, "updatedMachineCount": updated}
    return {
        "metadata": {"name": "worker"},
        "spec": {"paused": paused, "configuration": {"name": target}},
        "status": {"configuration": {"name": current}, "conditions": conditions, **counts},
    }


def asked(obj: dict[str, Any] | None, inspection: PoolRollout | None = None, **found: Any) -> Evaluation:
    """Evaluate one pool with its existing machine configurations."""
    inspection = inspection or PoolRollout()
    objects = {"worker": obj} if obj else {}
    refs = inspection.related("", objects)
    seen: dict[ObjectRef, Json | None] = {
        ref: CONFIGS[ref.name] for ref in refs if ref.kind == MACHINE_CONFIG and ref.name in CONFIGS
    }
    return inspection.evaluate("", objects, {**seen, NODE_SECRET: found.get("secret", secret())})


def waits(evaluation: Evaluation) -> str:
    (row,) = evaluation.extra["pools"]
    return str(row["waits_for"])


class TestRolledOut:
    def test_the_question_reads_pools_and_their_configurations(self) -> None:
        inspection = PoolRollout()
        assert (inspection.kind, inspection.names("")) == (MACHINE_CONFIG_POOL, ())
        refs = [ObjectRef(MACHINE_CONFIG, "", name) for name in ("new", "old")]
        assert inspection.related("", {"worker": pool("old", "new")}) == [NODE_SECRET, *refs]
        assert inspection.related("", {"worker": pool("new", "new")}) == [NODE_SECRET, refs[0]]

    def test_each_configuration_is_read_once(self) -> None:
        inspection = PoolRollout()
        asked(pool("old", "new", updated=1), inspection)
        assert inspection.related("", {"worker": pool("old", "new")}) == [NODE_SECRET]
        assert waits(asked(pool("new", "new"), inspection)) == ""

    @pytest.mark.parametrize("name", ["new", "other"])
    def test_a_fully_updated_pool_is_not_waited_for(self, name: str) -> None:
        found = asked(pool(name, name))
        assert (found.waiting_for, waits(found)) == ((), "")

    def test_a_pool_that_noticed_no_change_is_waited_for(self) -> None:
        found = asked(pool("old", "old"))
        assert found.waiting_for == ("machine config pool worker has not rendered the pull secret yet",)

    def test_a_partly_updated_pool_is_waited_for(self) -> None:
        found = asked(pool("old", "new", updated=1))
        assert waits(found) == "is being updated, with the new configuration on 1 of 2 machines"
        assert len(found.waiting_for) == 1

    def test_a_rollout_of_something_else_is_not_waited_for(self) -> None:
        """All machines have one of two configurations, and both contain the pull secret."""
        assert waits(asked(pool("new", "other", updated=1))) == ""

    def test_logins_that_the_operator_adds_do_not_count(self) -> None:
        assert waits(asked(pool("own", "own"))) == ""
        assert waits(asked(pool("late", "late"))) == "has not rendered the pull secret yet"

    def test_a_paused_pool_is_not_waited_for_but_reported(self) -> None:
        found = asked(pool("old", "new", updated=0, paused=True))
        assert found.waiting_for == ()
        assert "is paused, so its machines keep the old pull secret" in waits(found)
        assert waits(asked(pool("new", "other", updated=0, paused=True))) == "", "they have it"

    def test_a_degraded_pool_reports_the_reason(self) -> None:
        found = asked(pool("old", "new", updated=1, degraded="disk"))
        assert (
            waits(found) == "is degraded (disk), with the new configuration on 1 of 2 machines: repair its node first"
        )
        assert len(found.waiting_for) == 1, "it may be repaired meanwhile"

    @pytest.mark.parametrize("name", ["unreadable", "none"])
    def test_a_new_rendered_name_proves_the_rollout_without_the_configurations(self, name: str) -> None:
        with pytest.raises(Refusal, match=f"machine config {name} cannot be read, or has no pull secret in it"):
            asked(pool(name, name))
        assert waits(asked(pool(name, name), PoolRollout(before={"worker": name}))) != ""
        assert waits(asked(pool(name, name), PoolRollout(before={"worker": "earlier"}))) == ""

    def test_a_cluster_without_pools_is_refused(self) -> None:
        with pytest.raises(Refusal, match="shows no machine config pool"):
            asked(None)

    def test_a_pool_without_a_status_has_not_rendered_the_secret(self) -> None:
        assert waits(asked({"metadata": {"name": "worker"}})) == "has not rendered the pull secret yet"

    @pytest.mark.parametrize(
        ("found", "message"),
        [(None, "does not exist, so the nodes cannot receive it"), (secret("no json"), "cannot be compared")],
    )
    def test_a_missing_or_invalid_secret_is_refused(self, found: Any, message: str) -> None:
        with pytest.raises(Refusal, match=message):
            asked(pool("new", "new"), secret=found)

    def test_a_secret_that_may_not_be_read_is_refused(self) -> None:
        with pytest.raises(Refusal, match="the caller may not read secret openshift-config/pull-secret"):
            PoolRollout().evaluate("", {"worker": pool("new", "new")}, {})


ADDITIONAL, MERGED, ORIGINAL = "additional-pull-secret", "global-pull-secret", "original-pull-secret"
MINE = '{"auths":{"a.example.com":{"auth":"dTpw"}}}'
BOTH = '{"auths":{"a.example.com":{"auth":"dTpw"},"quay.io":{"auth":"dTpx"}}}'


def synchronizer(content: str, available: int = 2) -> dict[str, Any]:
    labels = {"hypershift.openshift.io/globalps-config-hash": content_hash(content.encode())}
    counts = {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": available}
    return {"spec": {"template": {"metadata": {"labels": labels}}}, "status": counts}


class TestMerged:
    def test_the_question_reads_the_secrets_of_users_and_platform(self) -> None:
        inspection = HostedMerge()
        assert (inspection.kind, inspection.names("kube-system")) == (SECRET, (ADDITIONAL, MERGED, ORIGINAL))
        assert inspection.related("kube-system", {}) == (NODE_SECRET, SYNCHRONIZER)

    @pytest.mark.parametrize(
        ("objects", "awaited"),
        [
            ({ADDITIONAL: secret(MINE), MERGED: secret(BOTH)}, False),
            ({ADDITIONAL: secret(MINE), MERGED: secret(NEW)}, True),
            ({ADDITIONAL: secret(MINE)}, True),
            ({}, False),
        ],
    )
    def test_an_unmerged_secret_is_waited_for(self, objects: dict[str, Any], awaited: bool) -> None:
        found = HostedMerge().evaluate("kube-system", objects, {NODE_SECRET: secret(NEW)})
        assert bool(found.waiting_for) is awaited

    @pytest.mark.parametrize("content", ["x", '{"auths":{}}', '{"auths":{"a":"dTpw"}}', MINE.replace("auths", "AUTHS")])
    def test_a_secret_that_is_never_merged_is_not_waited_for(self, content: str) -> None:
        found = HostedMerge().evaluate(
            "kube-system", {ADDITIONAL: secret(content), MERGED: secret(BOTH)}, {NODE_SECRET: secret(NEW)}
        )
        assert found.waiting_for == ()
        assert found.extra["unmerged"].startswith(
            "the platform does not merge secret kube-system/additional-pull-secret, and "
        )

    def test_a_merged_secret_is_waited_for_until_it_is_on_the_nodes(self) -> None:
        objects = {ADDITIONAL: secret(MINE), MERGED: secret(BOTH)}

        def told(content: str, available: int = 2) -> Evaluation:
            syncer = synchronizer(content, available)
            return HostedMerge().evaluate("kube-system", objects, {NODE_SECRET: secret(NEW), SYNCHRONIZER: syncer})

        assert "has not noticed the change yet" in told(NEW).waiting_for[0]
        assert "has brought it to 1 of 2 nodes" in told(BOTH, 1).waiting_for[0]
        done = told(BOTH)
        assert (done.waiting_for, done.extra) == ((), {"unseen": ""})

    def test_the_nodes_need_only_the_platforms_secret_without_an_addition(self) -> None:
        for objects, content in (({}, NEW), ({ORIGINAL: secret(NEW + " ")}, NEW + " ")):
            found = {NODE_SECRET: secret(NEW), SYNCHRONIZER: synchronizer(content)}
            assert HostedMerge().evaluate("kube-system", objects, found).waiting_for == ()

    @pytest.mark.parametrize(
        ("found", "why"),
        [
            ({}, "the caller may not 'get' daemon set kube-system/global-pull-secret-syncer"),
            ({SYNCHRONIZER: None}, "daemon set kube-system/global-pull-secret-syncer does not exist"),
            (
                {SYNCHRONIZER: {"spec": 5}},
                "daemon set kube-system/global-pull-secret-syncer does not show which content it has",
            ),
        ],
    )
    def test_a_synchronizer_that_cannot_be_seen_is_reported_and_not_awaited(self, found: Any, why: str) -> None:
        objects = {ADDITIONAL: secret(MINE), MERGED: secret(BOTH)}
        evaluation = HostedMerge().evaluate("kube-system", objects, {NODE_SECRET: secret(NEW), **found})
        assert (evaluation.waiting_for, evaluation.extra) == ((), {"unseen": why})

    def test_the_last_entries_in_this_spelling_are_merged(self) -> None:
        """The platform reads the file twice: once as the kubelet does, and once by the exact name."""
        for content in (MINE[:-1] + ',"AUTHS":{}}', '{"auths":{"b.io":{}},' + MINE[1:]):
            objects = {ADDITIONAL: secret(content), MERGED: secret(BOTH)}
            assert HostedMerge().evaluate("kube-system", objects, {NODE_SECRET: secret(NEW)}).waiting_for == ()

    @pytest.mark.parametrize("original", ["{}", NEW.replace("auths", "Auths"), '{"auths":null}'])
    def test_a_pull_secret_of_the_platform_that_stops_the_merge_is_not_waited_for(self, original: str) -> None:
        found = HostedMerge().evaluate("kube-system", {ADDITIONAL: secret(MINE)}, {NODE_SECRET: secret(original)})
        assert found.waiting_for == ()
        assert found.extra["unmerged"] == (
            "the platform does not merge secret kube-system/additional-pull-secret, and the nodes keep their present pull secret, including logins "
            "that were removed since, because the pull secret of the hosted cluster itself has no entries under 'auths'. Correct it on the "
            "management cluster"
        )
        for objects in ({}, {ADDITIONAL: {"data": None}}):
            assert (
                "unmerged" not in HostedMerge().evaluate("kube-system", objects, {NODE_SECRET: secret(original)}).extra
            )

    def test_an_unreadable_secret_is_refused(self) -> None:
        for found in ({}, {NODE_SECRET: None}):
            with pytest.raises(Refusal, match="does not exist, or the caller may not read it"):
                HostedMerge().evaluate("kube-system", {}, found)


TEXT = '{"auths": {"r.example.com": {"auth": "dTpw"}, "quay.io/team": {"auth": "dTpw"}}}'


def read_options(**options: Any) -> GlobalPullSecret:
    return from_options(options, lambda _path: TEXT)


def test_the_registries_of_a_file_are_merged_too() -> None:
    assert read_options(merge=["a"], auth_file="f", include=["quay.*"]).merge == ["a", "quay.io/team"]
    assert sorted(read_options(auth_config=TEXT).merge) == ["quay.io/team", "r.example.com"]


def test_the_default_question_is_empty() -> None:
    assert read_options(merge=None, rendered_before=None) == GlobalPullSecret([])


def test_all_options_become_parts_of_the_question() -> None:
    options = {"merge": ["quay.io"], "hosted_cluster": "clusters/prod", "wait": True, "allow_paused": True}
    found = read_options(**options, rendered_before={"worker": "b"})
    ref = ObjectRef(HOSTED_CLUSTER, "clusters", "prod")
    assert found == GlobalPullSecret(["quay.io"], ref, True, True, {"worker": "b"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"merge": ["quay.io", ""]}, "option 'merge': registry '' is not host"),
        ({"hosted_cluster": "prod"}, "'prod' is not NAMESPACE/NAME"),
        ({"hosted_cluster": "/prod"}, "'/prod' is not NAMESPACE/NAME"),
        ({"hosted_cluster": "clusters/"}, "'clusters/' is not NAMESPACE/NAME"),
        ({"hosted_cluster": "clusters/prod/x"}, "'prod/x' cannot be an object's name"),
        ({"hosted_cluster": "Clusters/prod"}, "'Clusters' cannot be an object's name"),
        ({"include": ["quay.io"]}, "option 'include' selects entries of 'auth_file' or 'auth_config'"),
        ({"auth_config": "{"}, "option 'auth_config'"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        read_options(**options)
