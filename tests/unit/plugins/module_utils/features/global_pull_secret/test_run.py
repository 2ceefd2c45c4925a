# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module reports the nodes' pull secret for each kind of cluster, and waits for its rollout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.files import VariableFile, Write
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.global_pull_secret.question import (
    GlobalPullSecret,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.global_pull_secret.run import (
    BackupSink,
    back_up,
    inspect_global_secret,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.hosted import (
    HOSTED_CLUSTER,
    content_hash,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.machine_config import NODE_FILE
from support.fake_api import FakeApi
from support.objects import b64
from support.scripted_pool import Answer, Clock, Request, status_object

FORBIDDEN = status_object(403, "Forbidden", "no")
ALWAYS = 10**9
OLD, NEW = '{"auths":{"quay.io":{"auth":"dTpw"}}}', '{"auths":{"quay.io":{"auth":"dTpx"}}}'
PULL_SECRET = ("secrets", "openshift-config", "pull-secret")


def put_secret(api: FakeApi, text: str, *place: str) -> None:
    _resource, namespace, name = place or PULL_SECRET
    api.put("secrets", namespace, name, type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": b64(text)})


def put_config(api: FakeApi, name: str, text: str, **more: Any) -> None:
    files = [{"path": NODE_FILE, "contents": {"source": "data:," + quote(text)}}]
    files += [{"path": path, "contents": {"source": source}} for path, source in more.items()]
    api.put("machineconfigs", "", name, spec={"config": {"storage": {"files": files}}})


def put_pool(api: FakeApi, name: str, current: str, target: str, **more: Any) -> None:
    done = current == target
    conditions = [
        {"type": "Updated", "status": str(done)},
        {"type": "Degraded", "status": str(bool(more.get("degraded"))), "message": more.get("degraded", "")},
    ]
    api.put(
        "machineconfigpools",
        "",
        name,
        spec={"paused": more.get("paused", False), "configuration": {"name": target}},
        status={
            "configuration": {"name": current},
            "conditions": conditions,
            "machineCount": 2,
            "updatedMachineCount": 2 if done else 0,
        },
    )


def put_synchronizer(api: FakeApi, content: str) -> None:
    labels = {"hypershift.openshift.io/globalps-config-hash": content_hash(content.encode())}
    spec = {"template": {"metadata": {"labels": labels}}}
    api.put("daemonsets", "kube-system", "global-pull-secret-syncer", spec=spec, status={"desiredNumberScheduled": 0})


def openshift(topology: str = "HighlyAvailable", *groups: str) -> FakeApi:
    api = FakeApi()
    names = ["apps", "config.openshift.io", *groups]
    api.fail("GET /apis$", Answer(200, {"groups": [{"name": name} for name in names]}), times=ALWAYS)
    api.put("infrastructures", "", "cluster", status={"controlPlaneTopology": topology})
    version = {"spec": {"clusterID": "id"}, "status": {"desired": {"version": "4.20.1"}}}
    api.put("clusterversions", "", "version", **version)
    put_secret(api, NEW)
    put_config(api, "old", OLD)
    put_config(api, "new", NEW)
    return api


def ask(api: FakeApi, asked: GlobalPullSecret | None = None, *, timeout: float = 5.0) -> dict[str, Any]:
    clock = Clock()
    settings = RunSettings(False, concurrency=1, wait_timeout=timeout, clock=EngineClock(clock.now, clock.sleep))
    return inspect_global_secret(api.cluster(clock), asked or GlobalPullSecret(), settings)


WAIT = GlobalPullSecret(wait=True)


class TestStandalone:
    def test_the_answer_has_the_location_and_the_pools(self) -> None:
        api = openshift()
        put_pool(api, "worker", "new", "new")
        found = ask(api)
        assert found == {
            "changed": False,
            "cluster_kind": "standalone",
            "cluster_id": "id",
            "version": "4.20.1",
            "supported": True,
            "reason": "",
            "namespace": "openshift-config",
            "name": "pull-secret",
            "pools": [
                {
                    "name": "worker",
                    "machines": 2,
                    "updated": 2,
                    "paused": False,
                    "degraded": False,
                    "rendered": "new",
                    "waits_for": "",
                    "pending": [],
                }
            ],
            "node_pools": [],
            "drains": False,
            "overridden": [],
            "rolled_out": None,
            "notes": ["a change of the pull secret drains no node: version 4.20.1 only writes the file"],
            "exists": True,
        }
        assert not any("machineconfigs" in request for request in api.asked), (
            "large ones are read only where it matters"
        )

    def test_pending_changes_of_a_paused_pool_are_listed(self) -> None:
        api = openshift()
        put_config(api, "more", NEW, **{"/etc/more": "data:,x"})
        put_pool(api, "worker", "old", "more", paused=True)
        put_pool(api, "infra", "gone", "new", degraded="disk")
        found = ask(api)
        assert {pool["name"]: pool["pending"] for pool in found["pools"]} == {
            "infra": ["machine config new instead of gone"],
            "worker": ["file /etc/more"],
        }
        notes = " ".join(found["notes"])
        assert "pool worker is paused: its machines receive no changes until it is resumed" in notes
        assert "pool infra is degraded" in notes
        assert (
            "worker has more pending changes, which roll out with the pull secret and may drain nodes: file /etc/more"
            in notes
        )

    def test_a_drain_of_the_nodes_is_reported(self) -> None:
        api = openshift()
        files = [{"path": NODE_FILE, "actions": [{"type": "Reboot"}]}]
        policies = {"nodeDisruptionPolicyStatus": {"clusterPolicies": {"files": files}}}
        api.put("machineconfigurations", "", "cluster", status=policies)
        found = ask(api)
        assert found["drains"] is True
        assert "drains or reboots nodes: the node disruption policy" in found["notes"][0]
        api.fail("machineconfigurations", FORBIDDEN, times=ALWAYS)
        api.fail("clusterversions", FORBIDDEN, times=ALWAYS)
        found = ask(api)
        assert found["drains"] is None
        assert "it is not known whether a change of the pull secret drains nodes" in found["notes"][0]

    def test_a_managed_cluster_is_reported(self) -> None:
        found = ask(openshift("HighlyAvailable", "upgrade.managed.openshift.io"))
        assert (found["cluster_kind"], found["namespace"]) == ("managed", "openshift-config")
        assert "a Red Hat webhook refuses changes" in found["notes"][-1]


class TestWaiting:
    def test_the_wait_lasts_until_all_pools_have_the_secret(self) -> None:
        api = openshift()
        put_pool(api, "worker", "old", "old")
        looks = []

        def roll(request: Request) -> None:
            if request.path.startswith("/apis/machineconfiguration.openshift.io/v1/machineconfigpools"):
                looks.append(request.path)
                if len(looks) == 3:
                    put_pool(api, "worker", "old", "new")
                if len(looks) == 5:
                    put_pool(api, "worker", "new", "new")

        api.before = roll
        found = ask(api, WAIT)
        assert found["rolled_out"] is True
        assert len(looks) == 5
        assert sum("machineconfigs/old" in request for request in api.asked) == 1

    def test_a_wait_that_times_out_names_the_waiting_pools(self) -> None:
        api = openshift()
        put_pool(api, "worker", "old", "old")
        put_pool(api, "master", "new", "new")
        message = "not all nodes of .* have the pull secret after 5 s: machine config pool worker has not rendered the pull secret"
        with pytest.raises(Refusal, match=message) as caught:
            ask(api, WAIT)
        assert "master" not in str(caught.value)

    def test_a_paused_pool_is_refused_unless_allow_paused_is_set(self) -> None:
        api = openshift()
        put_pool(api, "worker", "old", "new", paused=True)
        with pytest.raises(Refusal, match="pool worker is paused, .* Resume the pools, or set 'allow_paused: true'"):
            ask(api, WAIT)
        found = ask(api, GlobalPullSecret(wait=True, allow_paused=True))
        assert found["rolled_out"] is False
        assert "is paused" in found["pools"][0]["waits_for"]

    def test_unreadable_configurations_need_rendered_before(self) -> None:
        api = openshift()
        put_pool(api, "worker", "new", "new")
        api.fail("machineconfigs", FORBIDDEN, times=ALWAYS)
        with pytest.raises(Refusal, match="give 'rendered_before'"):
            ask(api, WAIT)
        assert ask(api, GlobalPullSecret(wait=True, rendered_before={"worker": "old"}))["rolled_out"] is True

    def test_a_cluster_that_refuses_the_login_is_an_error(self) -> None:
        api = openshift()
        api.fail("machineconfigpools", status_object(401, "Unauthorized", "no"), times=ALWAYS)
        with pytest.raises(Refusal, match=r"\Alisting machineconfigpools .* The login is invalid"):
            ask(api, WAIT)


class TestHosted:
    @pytest.fixture
    def api(self) -> FakeApi:
        api = openshift("External")
        for name, synced in (("a", "true"), ("b", "false")):
            labels = {
                "hypershift.openshift.io/nodePool": name,
                "hypershift.openshift.io/nodepool-globalps-enabled": synced,
            }
            api.put("nodes", "", name, metadata={"labels": labels})
        return api

    def test_a_hosted_cluster_names_the_node_pools_that_never_get_the_secret(self, api: FakeApi) -> None:
        found = ask(api, GlobalPullSecret(["quay.io", "quay.io/team"]))
        assert found["cluster_kind"] == "hosted"
        assert found["namespace"] == "kube-system"
        assert found["name"] == "additional-pull-secret"
        assert found["overridden"] == ["quay.io"]
        assert found["node_pools"] == [
            {"name": "a", "nodes": 1, "receives": True},
            {"name": "b", "nodes": 1, "receives": False},
        ]
        assert "nodes of node pool b do not receive it until they are replaced" in found["notes"][-1]
        assert "restarts the kubelet" in found["notes"][0]

    @pytest.mark.parametrize("asked", [None, WAIT])
    def test_a_platform_on_which_nothing_is_merged_is_refused_at_once(self, api: FakeApi, asked: Any) -> None:
        status = {"controlPlaneTopology": "External", "platformStatus": {"type": "KubeVirt"}}
        api.put("infrastructures", "", "cluster", status=status)
        found = ask(api, asked)
        assert (found["cluster_kind"], found["supported"]) == ("hosted", False)
        assert found["reason"].startswith(
            "this hosted cluster runs on platform 'KubeVirt', and only on AWS and Azure are logins from"
        )
        assert not any("daemonsets" in request for request in api.asked)

    @pytest.mark.parametrize("platform", ["AWS", "Azure", ""])
    def test_an_unknown_platform_is_reported_and_waited_for(self, api: FakeApi, platform: str) -> None:
        status = {"controlPlaneTopology": "External", "platformStatus": {"type": platform}}
        api.put("infrastructures", "", "cluster", status=status)
        put_synchronizer(api, NEW)
        found = ask(api, WAIT)
        assert (found["supported"], found["rolled_out"]) == (True, True)
        assert any("does not show the platform of this hosted cluster" in note for note in found["notes"]) is (
            not platform
        )

    def test_a_missing_right_to_list_nodes_is_reported(self, api: FakeApi) -> None:
        api.fail("/nodes", FORBIDDEN)
        assert any("may not list nodes" in note for note in ask(api)["notes"])

    def test_the_run_waits_for_the_merge(self, api: FakeApi) -> None:
        api.put("namespaces", "", "kube-system")
        put_synchronizer(api, NEW)
        assert ask(api, WAIT)["rolled_out"] is True
        put_secret(api, '{"auths":{"a.example.com":{"auth":"dTpw"}}}', "", "kube-system", "additional-pull-secret")
        with pytest.raises(Refusal, match="global-pull-secret is not there yet"):
            ask(api, WAIT)
        both = '{"auths":{"a.example.com":{"auth":"dTpw"},"quay.io":{"auth":"dTpx"}}}'
        put_secret(api, both, "", "kube-system", "global-pull-secret")
        with pytest.raises(Refusal, match="global-pull-secret-syncer has not noticed the change yet"):
            ask(api, WAIT)
        put_synchronizer(api, both)
        assert ask(api, WAIT)["rolled_out"] is True

    @pytest.mark.parametrize("may_not", [False, True])
    def test_nodes_that_cannot_be_seen_are_reported(self, api: FakeApi, may_not: bool) -> None:
        if may_not:
            api.fail("daemonsets", FORBIDDEN, times=ALWAYS)
        found = ask(api, WAIT)
        assert found["rolled_out"] is None
        assert found["notes"][-1].startswith(
            "the platform has merged the pull secret. It is not known which nodes have it already"
        )
        assert ("the caller may not 'get' daemon set" in found["notes"][-1]) is may_not
        assert not any("cannot be seen" in note for note in ask(api)["notes"]), "only where it was asked"

    def test_a_missing_secret_of_the_platform_is_refused(self, api: FakeApi) -> None:
        api.remove(*PULL_SECRET)
        with pytest.raises(Refusal, match="so the platform's own pull secret is unknown"):
            ask(api)


class TestManagement:
    ASKED = GlobalPullSecret(hosted_cluster=ObjectRef(HOSTED_CLUSTER, "clusters", "prod"), wait=True)

    def test_a_management_cluster_reports_the_secret_that_its_hosted_cluster_names(self) -> None:
        api = openshift()
        with pytest.raises(Refusal, match="hosted cluster clusters/prod does not exist"):
            ask(api, self.ASKED)
        api.put("hostedclusters", "clusters", "prod", spec={"pullSecret": {"name": "prod-pull"}})
        spec = {"clusterName": "prod", "management": {"upgradeType": "InPlace"}, "platform": {"type": "AWS"}}
        api.put("nodepools", "clusters", "a", spec=spec)
        found = ask(api, self.ASKED)
        assert (found["cluster_kind"], found["cluster_id"]) == ("management", "id")
        assert (found["namespace"], found["name"]) == ("clusters", "prod-pull")
        assert found["rolled_out"] is None
        assert "another name replaces all its nodes" in found["notes"][0]
        assert "node pool a do not receive it" in found["notes"][1]
        assert "the management cluster does not show" in found["notes"][2]
        notes = {"annotations": {"hypershift.openshift.io/ensureexists-pullsecret-reconcile": "true"}}
        api.put("hostedclusters", "clusters", "prod", metadata=notes, spec={"pullSecret": {"name": "prod-pull"}})
        assert (
            "changes of secret openshift-config/pull-secret inside the hosted cluster are kept"
            in ask(api, self.ASKED)["notes"][2]
        )


def test_a_cluster_without_a_global_pull_secret_is_unsupported() -> None:
    api = FakeApi()
    api.fail("GET /apis$", Answer(200, {"groups": [{"name": "apps"}]}))
    found = ask(api, WAIT)
    assert (found["cluster_kind"], found["supported"]) == ("kubernetes", False)
    assert "this cluster is not OpenShift" in found["reason"]


class TestSaving:
    def saved(
        self, api: FakeApi, *, there: bool = False, hosted: ObjectRef | None = None
    ) -> tuple[dict[str, Any], list[VariableFile], list[str]]:
        files: list[VariableFile] = []
        hidden: list[str] = []

        def prepared(name: str) -> Write:
            def write(given: Sequence[VariableFile]) -> Sequence[str]:
                files.extend(given)
                return () if there else [f"d/{name}"]

            return write

        return back_up(api.cluster(Clock()), hosted, BackupSink(hidden.append, prepared)), files, hidden

    @pytest.mark.parametrize("version", ["", "/../../x", "1\n", "\u0661", "9" * 300])
    def test_a_version_that_is_not_a_number_is_refused_as_a_file_name(self, version: str) -> None:
        api = openshift()
        secret = api.get(*PULL_SECRET)
        assert secret is not None
        secret["metadata"]["resourceVersion"] = version
        with pytest.raises(Refusal, match="resourceVersion that is not a number, so no copy was written"):
            self.saved(api)

    def test_the_copy_is_an_encrypted_file_named_after_the_version(self) -> None:
        api = openshift()
        secret = api.get(*PULL_SECRET)
        assert secret is not None
        found, (file,), hidden = self.saved(api)
        name = f"pull-secret-{secret['metadata']['resourceVersion']}.yml"
        place = {"cluster_id": "id", "namespace": "openshift-config", "name": "pull-secret"}
        content = {"global_pull_secret_backup": {**place, "content": b64(NEW)}}
        assert file.encrypted
        assert (file.name, file.variables) == (name, content)
        assert (found["files"], found["changed"]) == ([f"d/{name}"], True)
        assert hidden == [NEW]
        assert b64(NEW) not in str(found)

    def test_an_existing_copy_is_not_written_again(self) -> None:
        found, _files, _hidden = self.saved(openshift(), there=True)
        assert (found["files"], found["changed"]) == ([], False)

    def test_a_missing_secret_saves_no_file(self) -> None:
        api = openshift()
        api.remove(*PULL_SECRET)
        found, files, _hidden = self.saved(api)
        assert (found["files"], found["changed"], found["exists"], files) == ([], False, False, [])

    def test_a_cluster_without_a_global_pull_secret_is_refused(self) -> None:
        api = FakeApi()
        api.fail("GET /apis$", Answer(200, {"groups": [{"name": "apps"}]}))
        with pytest.raises(Refusal, match="the nodes' pull secret was not copied: this cluster is not OpenShift"):
            self.saved(api)

    def test_content_that_is_not_base64_is_saved_too(self) -> None:
        api = openshift()
        api.put(*PULL_SECRET, data={".dockerconfigjson": "*canary*"})
        _found, (file,), hidden = self.saved(api)
        assert file.variables["global_pull_secret_backup"]["content"] == "*canary*"
        assert hidden == ["*canary*"]
