# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy is set after everything was read, and a failure of a read changes nothing."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_verification.plan import (
    VerificationRequest,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_verification.run import (
    set_verification,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    VerificationPolicy,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.kubelet_settings import KUBELET_FILE_PATH
from support.fake_api import FakeApi
from support.node_configs import kubelet_config, node_in, pool
from support.pull_evidence import AUTH, secret
from support.scripted_pool import Answer, status_object

GROUP = "machineconfiguration.openshift.io"
ALWAYS = 10**9
LISTED = VerificationPolicy("NeverVerifyAllowlistedImages", ("q.io/*",))


def groups(*names: str) -> Answer:
    return Answer(200, {"groups": [{"name": name} for name in names]})


@pytest.fixture
def api() -> FakeApi:
    found = FakeApi()
    found.fail("GET /apis$", groups("apps", GROUP), times=ALWAYS)
    worker, node = pool("worker"), node_in("worker", kubelet="v1.36.1", runtime="cri-o://1.36.0")
    found.put(
        "machineconfigpools", "", "worker", metadata=worker["metadata"], spec=worker["spec"], status=worker["status"]
    )
    found.put("nodes", "", "n", metadata=node["metadata"], status=node["status"])
    for namespace in ("openshift-dns", "team"):
        spec = {"nodeName": "n", "containers": [{"name": "c", "image": f"x.io/{namespace}:v1"}]}
        found.put("pods", namespace, "p", spec=spec, status={"phase": "Running"})
    return found


def run(api: FakeApi, *, check: bool = False, **more: Any) -> dict[str, Any]:
    request = VerificationRequest(**{"pool": "worker", "name": "v", "verification": LISTED, **more})
    result, notes = set_verification(api.cluster(), request, RunSettings(check_mode=check))
    return {**result, "notes": notes}


def test_the_policy_and_the_images_of_trusted_namespaces_are_written(api: FakeApi) -> None:
    found = run(api, trusted=NamespaceSelector(include=("openshift-*",), system=True))
    assert found["allow_list"] == ["q.io/*", "x.io/openshift-dns"]
    stored = api.get("kubeletconfigs", "", "v")
    assert stored is not None
    assert stored["spec"]["kubeletConfig"]["preloadedImagesVerificationAllowlist"] == found["allow_list"]
    assert [row["image"] for row in found["estimate"]["images"]] == ["x.io/openshift-dns:v1", "x.io/team:v1"]


def test_nodes_of_custom_pools_without_settings_of_their_own_are_estimated(api: FakeApi) -> None:
    infra, node = pool("infra"), node_in("infra", "worker", name="m", kubelet="v1.36.1", runtime="cri-o://1.36.0")
    api.put("machineconfigpools", "", "infra", metadata=infra["metadata"], spec=infra["spec"], status=infra["status"])
    api.put("nodes", "", "m", metadata=node["metadata"], status=node["status"])
    api.put("pods", "team", "q", spec={"nodeName": "m", "containers": [{"name": "c", "image": "x.io/infra:v1"}]})
    found = run(api, check=True)
    assert found["estimate"]["pools"] == ["infra", "worker"]
    assert "x.io/infra:v1" in [row["image"] for row in found["estimate"]["images"]]
    assert "the nodes of machine config pools infra (1) and worker (1) one after the other" in found["notes"][0]
    own = kubelet_config("own", "infra")
    api.put("kubeletconfigs", "", "own", metadata=own["metadata"], spec=own["spec"])
    found = run(api, check=True)
    assert found["estimate"]["pools"] == ["worker"]
    assert "x.io/infra:v1" not in [row["image"] for row in found["estimate"]["images"]]


def test_a_second_run_and_check_mode_write_nothing(api: FakeApi) -> None:
    planned = run(api, check=True)
    assert api.writes == []
    done = run(api)
    assert (planned["changes"], planned["diff"]) == (done["changes"], done["diff"])
    api.requests.clear()
    again = run(api)
    assert (again["changed"], again["notes"], api.writes) == (False, [], [])


def test_a_conflict_is_planned_again_on_the_new_object(api: FakeApi) -> None:
    config = kubelet_config("v", "worker", {"maxPods": 1})
    api.put("kubeletconfigs", "", "v", spec=config["spec"])
    api.fail("PATCH .*kubeletconfigs/v", status_object(409, "Conflict", "changed"))
    assert run(api)["changed"]
    stored = api.get("kubeletconfigs", "", "v")
    assert stored is not None
    assert stored["spec"]["kubeletConfig"]["maxPods"] == 1


def test_state_absent_reads_no_pods(api: FakeApi) -> None:
    run(api)
    api.requests.clear()
    found = run(api, verification=None)
    assert (found["changes"][0]["action"], "estimate" in found) == ("delete", False)
    assert not any("/pods" in asked for asked in api.asked)


@pytest.mark.parametrize("what", ["machineconfigpools", "kubeletconfigs", "nodes", "pods"])
def test_nothing_is_written_if_something_cannot_be_read(api: FakeApi, what: str) -> None:
    api.fail(f"GET .*/{what}", status_object(403, "Forbidden", "no"), times=ALWAYS)
    with pytest.raises(ImagePullError, match=what):
        run(api)
    assert api.writes == []


def test_a_cluster_without_the_operator_is_refused_with_the_alternatives(api: FakeApi) -> None:
    api.faults.clear()
    api.fail("GET /apis$", groups("apps"), times=ALWAYS)
    with pytest.raises(Refusal, match="node pool names in spec.config"):
        run(api)


def test_an_unknown_pool_is_refused_with_the_known_ones(api: FakeApi) -> None:
    with pytest.raises(
        Refusal, match="machine config pool infra does not exist on .*: set option 'pool' to one of worker"
    ):
        run(api, pool="infra")


class TestSecrets:
    def put(self, api: FakeApi, kind: str) -> None:
        pod = api.get("pods", "team", "p")
        assert pod is not None
        pod["spec"]["imagePullSecrets"] = [{"name": "s"}]
        api.put("secrets", "team", "s", **{**secret({"x.io": AUTH}), "type": kind})

    def logins(self, api: FakeApi) -> list[str]:
        (found,) = (row for row in run(api)["estimate"]["images"] if row["image"] == "x.io/team:v1")
        logins: list[str] = found["logins"]
        return logins

    @pytest.mark.parametrize(("kind", "login"), [("kubernetes.io/dockerconfigjson", "pod"), ("Opaque", "none")])
    def test_only_a_type_that_nodes_read_has_a_login(self, api: FakeApi, kind: str, login: str) -> None:
        self.put(api, kind)
        assert self.logins(api) == [login]
        assert not any("/namespaces/team/secrets" in asked for asked in api.asked)

    def test_without_the_right_the_login_is_unknown(self, api: FakeApi) -> None:
        self.put(api, "kubernetes.io/dockerconfigjson")
        api.fail("GET .*/secrets", status_object(403, "Forbidden", "no"), times=ALWAYS)
        assert self.logins(api) == ["unknown"]
        assert "secrets" in run(api)["notes"][0]

    def test_a_list_that_fails_is_an_error(self, api: FakeApi) -> None:
        self.put(api, "kubernetes.io/dockerconfigjson")
        api.fail("GET .*/secrets", Answer(200, {"items": 3}), times=ALWAYS)
        with pytest.raises(ImagePullError, match="secrets"):
            run(api)
        assert api.writes == []


class TestKubeletProviders:
    """The images of both pods have no login in a secret."""

    PATH = "/etc/kubernetes/providers.yaml"
    TEXTS: ClassVar = {
        KUBELET_FILE_PATH: "kind: KubeletConfiguration\n",
        PATH: "providers: [{name: p, matchImages: [x.io/team]}]\n",
    }

    @pytest.fixture(autouse=True)
    def configuration(self, api: FakeApi) -> None:
        """The rendered configuration of the pool, which has a machine."""
        worker = pool("worker")
        api.put("machineconfigpools", "", "worker", **{**worker, "status": {**worker["status"], "machineCount": 1}})
        files = [{"path": path, "contents": {"source": f"data:,{quote(text)}"}} for path, text in self.TEXTS.items()]
        unit = {"name": "kubelet.service", "contents": f"kubelet --image-credential-provider-config={self.PATH}"}
        config = {"storage": {"files": files}, "systemd": {"units": [unit]}}
        api.put("machineconfigs", "", "rendered-worker", spec={"config": config})

    def logins(self, found: dict[str, Any]) -> dict[str, list[str]]:
        return {row["image"]: row["logins"] for row in found["estimate"]["images"]}

    def test_the_login_that_a_provider_of_the_kubelets_may_give_is_unknown(self, api: FakeApi) -> None:
        found = run(api, check=True)
        assert self.logins(found) == {"x.io/openshift-dns:v1": ["none"], "x.io/team:v1": ["unknown"]}
        read = [asked for asked in api.asked if "machineconfigpools" in asked or "machineconfigs" in asked]
        assert len(read) == 2, "the pools are listed once"

    def test_without_the_right_the_result_says_so(self, api: FakeApi) -> None:
        api.fail("GET .*/machineconfigs", status_object(403, "Forbidden", "no"), times=ALWAYS)
        found = run(api, check=True)
        assert {*map(tuple, self.logins(found).values())} == {("unknown",)}
        assert found["notes"][-1] == (
            "the caller may not read machine config rendered-worker. Whether the nodes have a credential provider for images without another "
            "login is not known"
        )


class TestMirrors:
    SETS = "imagetagmirrorsets"

    def registry(self, api: FakeApi) -> str:
        (found,) = (row for row in run(api)["estimate"]["images"] if row["image"] == "x.io/team:v1")
        return str(found["registry"])

    def test_the_mirror_sets_of_the_cluster_are_read(self, api: FakeApi) -> None:
        spec = {"imageTagMirrors": [{"source": "x.io", "mirrors": ["m.io"]}]}
        api.put(self.SETS, "", "m", spec=spec)
        assert self.registry(api) == "m.io"

    def test_without_the_right_the_result_says_so(self, api: FakeApi) -> None:
        api.faults.clear()
        api.fail("GET /apis$", groups(GROUP, "config.openshift.io"), times=ALWAYS)
        api.fail(f"GET .*/{self.SETS}", status_object(403, "Forbidden", "no"), times=ALWAYS)
        assert self.registry(api) == "x.io"
        assert run(api)["notes"] == [
            "the imagetagmirrorsets could not be read: the caller may not read it. The registries and logins of mirrored images are not known"
        ]
