# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image volumes are explained and audited like containers, and the lab's node agrees. A node may refuse to start an image that it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from support.fixes import carry_out
from support.lab import Lab, path_of
from support.objects import auth_file, pull_secret
from support.registry_settings import registry_settings

Row = Mapping[str, Any]


def secret(lab: Lab, namespace: str, registry: str = "private") -> None:
    """Create the pull secret `pull` with a login for one registry."""
    found = lab.registry(registry)
    account = found["accounts"][1]
    content = auth_file({found["host"]: (account["username"], account["password"])})
    lab.create(namespace, "secrets", pull_secret("pull", content))


def pod_spec(lab: Lab, *, is_mounted: bool = True, volume: str = "delegated") -> dict[str, Any]:
    """A pod whose container has an image of the private registry, with a volume from another one."""
    container: dict[str, Any] = {"name": "app", "image": lab.registry("private")["image"], "imagePullPolicy": "Always"}
    if is_mounted:
        container["volumeMounts"] = [{"name": "files", "mountPath": "/files"}]
    image = {"reference": lab.registry(volume)["image"]}
    volumes = [{"name": "files", "image": image}]
    return {"containers": [container], "volumes": volumes, "imagePullSecrets": [{"name": "pull"}]}


def create(lab: Lab, namespace: str, spec: dict[str, Any], **metadata: Any) -> None:
    lab.create(namespace, "pods", {"metadata": {"name": "app", **metadata}, "spec": spec})


def recreate(lab: Lab, namespace: str, spec: dict[str, Any], **metadata: Any) -> None:
    lab.api("DELETE", path_of(namespace, "pods", "app") + "?gracePeriodSeconds=0")
    lab.until(lambda: lab.get(namespace, "pods", "app") is None, "the pod is gone")
    create(lab, namespace, spec, **metadata)


def access(run: Any, namespace: str, **options: Any) -> tuple[Row, Row]:
    """Return the answers for the container and for the volume."""
    result = run("pull_access_info", namespaces=[namespace], **options)
    assert not result["failed"], result["msg"]
    rows = result["namespaces"][0]["access"]
    (container,) = (row for row in rows if (row["container"], row["volume"]) == ("app", ""))
    (volume,) = (row for row in rows if (row["container"], row["volume"]) == ("", "files"))
    return container, volume


def findings(run: Any, namespace: str, rule: str) -> list[Row]:
    result = run("pull_access_audit", namespaces=[namespace], rules=[rule])
    assert not result["failed"], result["msg"]
    found: list[Row] = result["audit"]["clusters"][0]["findings"]
    return found


def step_of(row: Row, name: str) -> str:
    (step,) = (step for step in row["steps"] if step["step"] == name)
    return str(step["message"])


class TestPod:
    def test_the_error_of_a_volume_is_not_blamed_on_the_container(self, lab: Lab, run: Any, namespace: str) -> None:
        secret(lab, namespace)
        create(lab, namespace, pod_spec(lab))
        _container, before = access(run, namespace, pod="app")
        assert (before["verdict"], before["image"]) == ("unknown", lab.registry("delegated")["image"])
        assert not lab.pull(namespace, "app", "--status")["pulled"]
        waiting = lab.get(namespace, "pods", "app")["status"]["containerStatuses"][0]["state"]["waiting"]
        assert lab.registry("delegated")["image"] in waiting["message"]
        container, volume = access(run, namespace, pod="app")
        assert (container["verdict"], container["cause"]) == ("pulls", "")
        assert volume["verdict"] == "will_not_pull"
        assert volume["cause"]
        (finding,) = findings(run, namespace, "pod-cannot-pull")
        assert (finding["location"], finding["fix"]) == ("volume files", volume["fix"])
        carry_out(run, lab.registry("delegated")["accounts"][1], volume["fix"])
        recreate(lab, namespace, pod_spec(lab))
        assert lab.pull(namespace, "app", "--status")["pulled"]
        container, volume = access(run, namespace, pod="app")
        assert (volume["verdict"], volume["reason"]) == ("pulls", "a container that mounts the volume has started")
        assert (container["verdict"], container["reason"]) == ("pulls", "the container has its image")
        assert findings(run, namespace, "pod-cannot-pull") == []

    def test_an_error_of_the_container_is_not_blamed_on_the_volume(self, lab: Lab, run: Any, namespace: str) -> None:
        secret(lab, namespace, "delegated")
        create(lab, namespace, pod_spec(lab))
        assert not lab.pull(namespace, "app", "--status")["pulled"]
        container, volume = access(run, namespace, pod="app")
        assert (container["verdict"], volume["verdict"], volume["cause"]) == ("will_not_pull", "pulls", "")

    def test_an_error_that_names_no_image_leaves_a_doubt(self, lab: Lab, run: Any, namespace: str) -> None:
        secret(lab, namespace)
        create(lab, namespace, pod_spec(lab, volume="private"))
        same = [row["verdict"] for row in access(run, namespace, pod="app")]
        waiting = {"reason": "ErrImagePull", "message": "writing blob: no space left on device"}
        spec = pod_spec(lab)
        recreate(lab, namespace, spec)
        status = {"containerStatuses": [{"name": "app", "state": {"waiting": waiting}, "imageID": ""}]}
        lab.api("PATCH", f"{path_of(namespace, 'pods', 'app')}/status", {"status": status})
        rows = access(run, namespace, pod="app")
        assert same == ["pulls", "pulls"]
        assert [(row["verdict"], row["cause"]) for row in rows] == [("unknown", "disk"), ("unknown", "disk")]
        assert all("This does not name one image of the pod" in step_of(row, "node") for row in rows)

    def test_only_events_show_the_error_of_a_volume_that_no_container_mounts(
        self, lab: Lab, run: Any, namespace: str
    ) -> None:
        secret(lab, namespace)
        with lab.following("--status", namespace) as following:
            create(lab, namespace, pod_spec(lab, is_mounted=False))
            lab.until(
                lambda: lab.get(namespace, "pods", "app").get("status", {}).get("phase") == "Running", "the pod runs"
            )
        (attempt,) = following.of(namespace, "app")
        assert [image["pulled"] for image in attempt["images"]] == [False, True]
        container, volume = access(run, namespace, pod="app")
        assert (container["verdict"], volume["verdict"]) == ("pulls", "will_not_pull")
        assert step_of(volume, "volume").startswith("no container mounts volume files")
        _container, alone = access(run, namespace)
        assert (alone["verdict"], alone["cause"]) == ("unknown", "")


class TestWorkload:
    def test_the_pods_of_a_workload_decide_for_its_volumes(self, lab: Lab, run: Any, namespace: str) -> None:
        secret(lab, namespace)
        labels = {"a": "b"}
        template = {"metadata": {"labels": labels}, "spec": pod_spec(lab)}
        body = {
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"},
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        }  # fmt: skip
        made = lab.api("POST", f"/apis/apps/v1/namespaces/{namespace}/replicasets", body, expect=(201,))
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "controller": True}
        owners = [{**owner, "uid": made["metadata"]["uid"]}]
        container, volume = access(run, namespace, workload="rs/web")
        assert (container["verdict"], volume["verdict"]) == ("pulls", "unknown")
        create(lab, namespace, pod_spec(lab), ownerReferences=owners)
        assert not lab.pull(namespace, "app", "--status")["pulled"]
        container, volume = access(run, namespace, workload="rs/web")
        assert (container["verdict"], volume["verdict"]) == ("pulls", "will_not_pull")
        assert volume["reason"].startswith(f"pod {namespace}/app does not get its image: ")
        (finding,) = findings(run, namespace, "workload-cannot-pull")
        assert (finding["name"], finding["location"]) == ("web", "volume files")
        carry_out(run, lab.registry("delegated")["accounts"][1], volume["fix"])
        recreate(lab, namespace, pod_spec(lab), ownerReferences=owners)
        assert lab.pull(namespace, "app", "--status")["pulled"]
        assert findings(run, namespace, "workload-cannot-pull") == []

    def test_a_volume_of_a_template_without_an_image_is_left_out(self, lab: Lab, run: Any, namespace: str) -> None:
        secret(lab, namespace)
        spec = pod_spec(lab)
        spec["volumes"].append({"name": "later", "image": {}})
        template = {"metadata": {"labels": {"a": "b"}}, "spec": spec}
        body = {
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
        }  # fmt: skip
        lab.api("POST", f"/apis/apps/v1/namespaces/{namespace}/replicasets", body, expect=(201,))
        result = run("pull_access_info", namespaces=[namespace], workload="rs/web")
        rows = result["namespaces"][0]["access"]
        assert [(row["container"], row["volume"]) for row in rows] == [("app", ""), ("", "files")]


class TestStart:
    def test_the_next_start_in_a_namespace_with_an_image_policy_is_in_doubt(
        self, lab: Lab, run: Any, namespace: str
    ) -> None:
        """The lab has no container creation, so the refusal is CRI-O's text in a status that the test writes."""
        secret(lab, namespace)
        image = lab.registry("private")["image"]
        create(lab, namespace, pod_spec(lab, volume="private"))
        assert lab.pull(namespace, "app", "--status")["pulled"]
        container, _volume = access(run, namespace, pod="app")
        assert "restart" not in {step["step"] for step in container["steps"]}
        scope = f"{lab.registry('private')['host']}/team"
        with registry_settings(lab, policies=[(scope, namespace)]):
            for row in access(run, namespace, pod="app"):
                assert row["verdict"] == "pulls"
                assert "a restart may be refused with CreateContainerError" in step_of(row, "restart")
            message = (
                f'checking signature of "{image}": verifying signatures: SignatureValidationFailed: A signature was required, but no '
                "signature exists"
            )
            self.refuse(lab, namespace, message)
            container, volume = access(run, namespace, pod="app")
            assert (container["verdict"], container["cause"]) == ("will_not_pull", "signature_at_start")
            assert (volume["verdict"], volume["cause"]) == ("unknown", "")
            (finding,) = findings(run, namespace, "pod-cannot-pull")
            assert finding["location"] == "app"
            self.refuse(lab, namespace, f"ImageVolumeMountFailed: {message}")
            container, volume = access(run, namespace, pod="app")
            assert (container["verdict"], container["cause"]) == ("unknown", "")
            assert (volume["verdict"], volume["cause"]) == ("will_not_pull", "signature_at_start")
            self.refuse(lab, namespace, 'exec: "run": executable file not found in $PATH')
            assert [row["cause"] for row in access(run, namespace, pod="app")] == ["", ""]

    @staticmethod
    def refuse(lab: Lab, namespace: str, message: str) -> None:
        waiting = {"reason": "CreateContainerError", "message": message}
        status = {"containerStatuses": [{"name": "app", "state": {"waiting": waiting}, "imageID": ""}]}
        lab.api("PATCH", f"{path_of(namespace, 'pods', 'app')}/status", {"status": status})
