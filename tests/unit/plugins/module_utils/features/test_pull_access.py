# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An explanation needs few requests and reports the objects that the caller cannot read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import WORKLOADS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_access import (
    PullAccess,
    explain_access,
)
from hypothesis import given
from hypothesis import strategies as st
from support.anything import CHANGES, Changed
from support.fake_api import FakeApi
from support.objects import b64
from support.provider_configs import config
from support.pull_evidence import at, failed, node, pulling, stream
from support.scripted_pool import Answer, Clock, status_object

AUTH = {"auth": b64(b"u:p")}
ALWAYS = 10**9
DEPLOYMENT = WORKLOADS["deployment"]


def secret(
    api: FakeApi, namespace: str, *hosts: str, kind: str = "kubernetes.io/dockerconfigjson", name: str = "pull"
) -> None:
    content = b64(json.dumps({"auths": dict.fromkeys(hosts, AUTH)}))
    api.put("secrets", namespace, name, type=kind, data={".dockerconfigjson": content})


def spec(image: str = "q.io/a:1", *own: str) -> dict[str, Any]:
    return {"containers": [{"name": "app", "image": image}], "imagePullSecrets": [{"name": name} for name in own]}


def team(api: FakeApi, namespace: str) -> None:
    api.put("namespaces", "", namespace)
    api.put("serviceaccounts", namespace, "default", imagePullSecrets=[{"name": "pull"}])
    secret(api, namespace, "q.io")
    api.put("pods", namespace, "app", spec=spec("q.io/a:1", "pull"))
    api.put("deployments", namespace, "web", spec={"template": {"spec": spec()}})
    uid = api.objects["deployments", namespace, "web"]["metadata"]["uid"]
    owner = [{"kind": "Deployment", "name": "web", "uid": uid, "controller": True}]
    api.put("replicasets", namespace, "web-1", metadata={"ownerReferences": owner}, spec={"template": {"spec": spec()}})


def ask(api: FakeApi, asked: PullAccess | None = None, namespaces: Sequence[str] = ("a",)) -> Outcome:
    clock = Clock()
    settings = RunSettings(False, concurrency=1, clock=EngineClock(clock.now, clock.sleep))
    return explain_access(api.cluster(clock), asked or PullAccess(), list(namespaces), settings)


def rows(outcome: Outcome) -> list[tuple[str, str, str]]:
    return [
        (row["kind"], row["name"], row["verdict"])
        for result in outcome.namespaces
        for row in result.extra.get("access", ())
    ]


@pytest.fixture
def api() -> FakeApi:
    api = FakeApi()
    team(api, "a")
    return api


class TestQuestions:
    def test_a_namespace_lists_its_pods_and_top_level_workloads(self, api: FakeApi) -> None:
        outcome = ask(api)
        assert rows(outcome) == [("Pod", "app", "pulls"), ("Deployment", "web", "pulls")]
        assert outcome.extra == {"verdicts": {"pulls": 2, "will_not_pull": 0, "unknown": 0}}
        assert api.writes == []

    def test_the_steps_are_reported_on_request_or_on_failure(self, api: FakeApi) -> None:
        assert not any("steps" in row for row in ask(api).namespaces[0].extra["access"])
        assert all("steps" in row for row in ask(api, PullAccess(pod="app")).namespaces[0].extra["access"])
        api.put("pods", "a", "bare", spec=spec("other.io/a"))
        assert ["steps" in row for row in ask(api).namespaces[0].extra["access"]] == [False, True, False]

    def test_a_single_pod_is_explained(self, api: FakeApi) -> None:
        assert rows(ask(api, PullAccess(pod="app"))) == [("Pod", "app", "pulls")]
        assert not any("deployments" in request for request in api.asked)

    def test_the_offered_tasks_verify_with_the_options_of_the_run(self, api: FakeApi) -> None:
        api.put("pods", "a", "bare", spec=spec("other.io/a"))
        for options in ((), ("registry_ca_cert",)):
            (result,) = ask(api, PullAccess(pod="bare", access_options=options)).namespaces
            written = result.extra["access"][0]["fix"][0]["openshift_ops.image_pull.pull_secret"]
            assert [name for name in written if name.startswith("registry_")] == [*options]

    def test_the_right_to_a_project_is_asked_for_the_account(self, api: FakeApi) -> None:
        host = "image-registry.openshift-image-registry.svc:5000"
        secret(api, "a", host)
        seen = []

        def review(asked: Any) -> dict[str, Any]:
            seen.append((asked["user"], asked["resourceAttributes"]["namespace"]))
            return {"allowed": False}

        api.review = review
        assert rows(ask(api, PullAccess(account="default", image=f"{host}/b/app:1")))[0][2] == "will_not_pull"
        assert seen == [("system:serviceaccount:a:default", "b")]

    @pytest.mark.parametrize(
        "asked",
        [
            PullAccess(pod="none"),
            PullAccess(account="none", image="q.io/a:1"),
            PullAccess(pods_of=(DEPLOYMENT, "none")),
        ],
    )
    def test_a_missing_namespace_is_reported_instead_of_its_objects(self, api: FakeApi, asked: PullAccess) -> None:
        missing = "the namespace does not exist on https://api.example.com:6443. Correct its name"
        assert [one.error for one in ask(api, asked, ["nowhere"]).namespaces] == [missing]
        others = [one.error for one in ask(api, asked).namespaces]
        assert missing not in others and (asked.image or "a/none does not exist: correct the name" in str(others))

    def test_a_namespace_that_cannot_be_read_is_not_missing(self, api: FakeApi) -> None:
        api.fail("GET /api/v1/namespaces/nowhere$", status_object(403, "Forbidden", "no"), times=ALWAYS)
        (found,) = ask(api, PullAccess(pod="none"), ["nowhere"]).namespaces
        assert found.error == "pod nowhere/none does not exist: correct the name or the namespace"


class TestPodsOfAWorkload:
    """The status of the deployment's pod shows that it was refused at second 1000."""

    ASKED = PullAccess(pods_of=(DEPLOYMENT, "web"))

    @pytest.fixture
    def refused(self, api: FakeApi) -> FakeApi:
        uid = api.objects["deployments", "a", "web"]["metadata"]["uid"]
        owner = [{"uid": uid, "controller": True}]
        api.put("replicasets", "a", "web-1", metadata={"ownerReferences": owner}, spec={"template": {"spec": spec()}})
        owner = [{"uid": api.objects["replicasets", "a", "web-1"]["metadata"]["uid"], "controller": True}]
        text = 'Back-off pulling image "q.io/a:1": ErrImagePull: reading manifest 1 in q.io/a: denied'
        waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": text}}}
        status = {"containerStatuses": [{"name": "app", **waiting}]}
        meta = {"creationTimestamp": at(500), "ownerReferences": owner}
        api.put("pods", "a", "web-1-x", metadata=meta, spec=spec("q.io/a:1", "pull"), status=status)
        api.put("events", "a", "web-1-x.1", **pulling(1000, "web-1-x"))
        return api

    def written(self, api: FakeApi, second: int) -> None:
        manager = {"manager": "m", "time": at(second), "fieldsV1": {"f:data": {}}}
        api.objects["secrets", "a", "pull"]["metadata"]["managedFields"] = [manager]

    @pytest.mark.parametrize(("second", "verdict"), [(2000, "pulls"), (600, "will_not_pull"), (1000, "unknown")])
    def test_status_and_events_of_the_pod_decide(self, refused: FakeApi, second: int, verdict: str) -> None:
        self.written(refused, second)
        assert rows(ask(refused, self.ASKED)) == [("Deployment", "web", verdict)]
        (asked,) = [request for request in refused.asked if "/events" in request]
        assert "involvedObject.name%3Dweb-1-x" in asked

    def test_events_are_read_for_a_few_pods_only(self, refused: FakeApi) -> None:
        self.written(refused, 2000)
        for number in range(30):
            refused.put("pods", "a", f"more-{number}", **refused.objects["pods", "a", "web-1-x"])
            refused.objects["pods", "a", f"more-{number}"]["metadata"]["name"] = f"more-{number}"
        ask(refused, self.ASKED)
        assert len([request for request in refused.asked if "/events" in request]) == 10

    def test_a_question_about_a_namespace_counts_the_pods_of_workloads(self, refused: FakeApi) -> None:
        self.written(refused, 100)
        assert rows(ask(refused))[-1] == ("Deployment", "web", "will_not_pull")

    @pytest.mark.parametrize("resource", ["pods", "replicasets"])
    def test_unreadable_pods_fail_the_question(self, refused: FakeApi, resource: str) -> None:
        refused.fail(f"GET .*/{resource}", status_object(403, "Forbidden", "no right"), times=ALWAYS)
        (result,) = ask(refused, self.ASKED).namespaces
        assert result.status == "failed"
        assert result.error.startswith(
            f"the {resource} of namespace a could not be read, so nothing is known about it: "
        )

    def test_an_injected_container_that_fails_is_reported_with_the_workload(self, refused: FakeApi) -> None:
        self.written(refused, 100)
        pod = refused.objects["pods", "a", "web-1-x"]
        pod["spec"]["containers"].append({"name": "proxy", "image": "q.io/a:1"})
        pod["status"]["containerStatuses"][0]["name"] = "proxy"
        found = ask(refused, self.ASKED).namespaces[0].extra["access"]
        assert [(row["kind"], row["container"], row["verdict"]) for row in found] == [
            ("Deployment", "app", "pulls"),
            ("Deployment", "proxy", "will_not_pull"),
        ]


class TestTimes:
    """The node was denied at second 1000."""

    def written(self, api: FakeApi, second: int, namespace: str = "a") -> None:
        secret(api, namespace, "q.io")
        owner = {"manager": "m", "time": at(second), "fieldsV1": {"f:data": {}}}
        api.objects["secrets", namespace, "pull"]["metadata"]["managedFields"] = [owner]
        text = 'Back-off pulling image "q.io/a:1": ErrImagePull: reading manifest 1 in q.io/a: denied'
        waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": text}}}
        status = {"containerStatuses": [{"name": "app", **waiting}]}
        created = {"creationTimestamp": at(500)}
        api.put("pods", namespace, "app", metadata=created, spec=spec("q.io/a:1", "pull"), status=status)
        api.put("events", namespace, "app.1", **pulling(1000, "app"))

    @pytest.mark.parametrize(("second", "verdict"), [(2000, "pulls"), (600, "will_not_pull"), (1000, "unknown")])
    def test_the_events_of_a_single_pod_decide(self, api: FakeApi, second: int, verdict: str) -> None:
        self.written(api, second)
        assert rows(ask(api, PullAccess(pod="app"))) == [("Pod", "app", verdict)]
        (asked,) = [request for request in api.asked if "/events" in request]
        assert "fieldSelector=involvedObject.kind%3DPod%2CinvolvedObject.name%3Dapp" in asked

    def test_events_are_not_read_if_the_creation_of_the_pod_decides(self, api: FakeApi) -> None:
        self.written(api, 100)
        assert rows(ask(api, PullAccess(pod="app"))) == [("Pod", "app", "will_not_pull")]
        assert not any("/events" in request for request in api.asked)

    def test_unreadable_events_make_the_verdict_unknown(self, api: FakeApi) -> None:
        self.written(api, 2000)
        api.fail("GET .*/events", status_object(403, "Forbidden", "no right"), times=ALWAYS)
        assert rows(ask(api, PullAccess(pod="app"))) == [("Pod", "app", "unknown")]

    def test_lists_keep_the_time_of_a_secret(self) -> None:
        api = FakeApi()
        names = [f"team-{number:02}" for number in range(40)]
        for name in names:
            team(api, name)
            self.written(api, 100, name)
        outcome = ask(api, namespaces=names)
        assert outcome.extra["verdicts"] == {"pulls": 40, "will_not_pull": 40, "unknown": 0}
        assert not any("/secrets/pull" in request and "team-" in request for request in api.asked)


class TestConfiguration:
    def test_a_blocked_registry_prevents_the_pull(self, api: FakeApi) -> None:
        api.put("images", "", "cluster", spec={"registrySources": {"blockedRegistries": ["q.io"]}})
        assert {verdict for _kind, _name, verdict in rows(ask(api))} == {"will_not_pull"}

    @pytest.mark.parametrize(
        ("resource", "part", "image"),
        [
            ("imagedigestmirrorsets", "imageDigestMirrors", "q.io/a:v1"),
            ("imagetagmirrorsets", "imageTagMirrors", f"q.io/a@sha256:{'0' * 64}"),
        ],
    )
    def test_a_source_that_is_never_contacted_prevents_a_pull_without_mirrors(
        self, api: FakeApi, resource: str, part: str, image: str
    ) -> None:
        item = {"source": "q.io", "mirrors": ["m.io"], "mirrorSourcePolicy": "NeverContactSource"}
        api.put(resource, "", "m", spec={part: [item]})
        (row,) = ask(api, PullAccess(account="default", image=image)).namespaces[0].extra["access"]
        assert row["verdict"] == "will_not_pull"

    def test_the_old_kind_of_mirrors_is_used(self, api: FakeApi) -> None:
        api.put(
            "imagecontentsourcepolicies",
            "",
            "m",
            spec={"repositoryDigestMirrors": [{"source": "q.io", "mirrors": ["m.io"]}]},
        )
        asked = PullAccess(account="default", image=f"q.io/a@sha256:{'0' * 64}")
        (row,) = ask(api, asked).namespaces[0].extra["access"]
        assert any("m.io/a@sha256" in step["message"] for step in row["steps"])

    def test_the_runtime_of_the_nodes_decides_about_short_names(self, api: FakeApi) -> None:
        secret(api, "a", "docker.io", name="hub")
        api.put("pods", "a", "app", spec=spec("team/app:v1", "hub"))
        assert rows(ask(api, PullAccess(pod="app")))[0][2] == "unknown"
        info = {"containerRuntimeVersion": "containerd://2.0.1"}
        api.put("nodes", "", "n", status={"nodeInfo": info})
        assert rows(ask(api, PullAccess(pod="app")))[0][2] == "pulls"

    def test_the_node_of_a_single_pod_is_read_alone(self, api: FakeApi) -> None:
        info = {"kubeletVersion": "v1.35.1"}
        api.put("nodes", "", "n", status={"nodeInfo": info})
        api.put("pods", "a", "app", spec={**spec("q.io/a:1", "pull"), "nodeName": "n"})
        (row,) = ask(api, PullAccess(pod="app")).namespaces[0].extra["access"]
        assert [
            "this kubelet gives a pod the image" in step["message"] for step in row["steps"] if step["step"] == "cached"
        ] == [True]
        assert [request for request in api.asked if "/nodes" in request] == ["GET /api/v1/nodes/n"]

    def test_openshift_asks_its_search_registries_for_short_names(self, api: FakeApi) -> None:
        secret(api, "a", "docker.io", name="hub")
        api.put("pods", "a", "app", spec=spec("team/app:v1", "hub"))
        api.put("clusterversions", "", "version", status={"desired": {"version": "4.21.1"}})
        assert rows(ask(api))[0][2] == "pulls"
        assert not any("/nodes" in request for request in api.asked)

    def test_the_pull_secret_of_the_nodes_is_used(self, api: FakeApi) -> None:
        secret(api, "openshift-config", "other.io", name="pull-secret")
        assert rows(ask(api, PullAccess(account="default", image="other.io/a:1")))[0][2] == "pulls"


class TestImageStreams:
    def test_a_trigger_leads_back_to_the_stream(self, api: FakeApi) -> None:
        condition = failed("you may not have access", "Unauthorized")
        api.put("imagestreams", "b", "app", **{**stream(condition, has_image=False), "metadata": {}})
        secret(api, "b", "quay.io", name="stale")
        trigger = {
            "from": {"kind": "ImageStreamTag", "name": "app:v1", "namespace": "b"},
            "fieldPath": 'spec.template.spec.containers[?(@.name=="app")].image',
        }
        notes = {"annotations": {"image.openshift.io/triggers": json.dumps([trigger])}}
        api.put("deployments", "a", "web", metadata=notes, spec={"template": {"spec": spec(" ")}})
        (row,) = ask(api, PullAccess(pods_of=(DEPLOYMENT, "web"))).namespaces[0].extra["access"]
        assert row["verdict"] == "will_not_pull"
        assert "secret stale has the key quay.io, and its login does not give the image" in row["reason"]
        written, imported = row["fix"]
        assert written["openshift_ops.image_pull.pull_secret"]["namespaces"] == ["b"]
        assert imported["openshift_ops.image_pull.image_stream_import"] == {"namespaces": ["b"], "streams": ["app"]}

    def test_many_short_names_cost_one_list(self) -> None:
        api = FakeApi()
        names = [f"team-{number:02}" for number in range(40)]
        for name in names:
            team(api, name)
            api.put("pods", name, "app", spec=spec(f"app{name}:v1"))
        ask(api, namespaces=names)
        assert [request for request in api.asked if "imagestreams" in request and "limit" not in request] == []


class TestCost:
    def test_many_namespaces_are_listed_and_nothing_is_read_twice(self) -> None:
        api = FakeApi()
        names = [f"team-{number:03}" for number in range(60)]
        for name in names:
            team(api, name)
        outcome = ask(api, namespaces=names)
        assert outcome.extra["verdicts"]["pulls"] == 120
        assert len(api.asked) == len(set(api.asked))
        # Pods, eight kinds of workloads, accounts, secrets of two types, three kinds of mirror sets, two kinds of image policies,
        # and two objects of the cluster.
        assert len(api.asked) == 19

    def test_healthy_namespaces_are_only_counted_if_there_are_many(self) -> None:
        api = FakeApi()
        names = [f"team-{number:03}" for number in range(101)]
        for name in names:
            team(api, name)
        api.put("pods", names[7], "bare", spec=spec("other.io/a"))
        outcome = ask(api, namespaces=names)
        assert [result["name"] for result in outcome.report()["namespaces"]] == [names[7]]
        assert len(outcome.report(unchanged=True)["namespaces"]) == 101
        assert len(ask(api, PullAccess(pod="app"), names).report()["namespaces"]) == 101

    def test_the_progress_counts_each_namespace_once(self, api: FakeApi) -> None:
        said: list[str] = []
        ticks = iter(range(0, 10**6, 10))
        clock = EngineClock(lambda: next(ticks), lambda _seconds: None)
        settings = RunSettings(False, concurrency=1, task="t", say=said.append, clock=clock)
        explain_access(api.cluster(), PullAccess(), ["a", "missing"], settings)
        assert [line.partition(", about")[0] for line in said] == [
            "t 1/2 namespaces, 0 changed, 1 failed",
            "t 2/2 namespaces, 0 changed, 1 failed",
        ]


class TestNotThere:
    def test_a_namespace_without_pods_has_no_answer(self) -> None:
        api = FakeApi()
        api.put("namespaces", "", "a")
        (result,) = ask(api).namespaces
        assert (result.status, result.extra["access"]) == ("unchanged", [])

    def test_a_kind_that_the_cluster_does_not_know_is_ignored(self, api: FakeApi) -> None:
        for kind in (
            "deploymentconfigs",
            "images",
            "imagedigestmirrorsets",
            "imagetagmirrorsets",
            "imagecontentsourcepolicies",
        ):
            api.fail(rf"GET /apis/[^ ]*/{kind}", status_object(404, "NotFound", "404 page not found"), times=ALWAYS)
        assert rows(ask(api)) == [("Pod", "app", "pulls"), ("Deployment", "web", "pulls")]


class TestUnreadable:
    def refuse(self, api: FakeApi, pattern: str) -> None:
        api.fail(pattern, status_object(403, "Forbidden", "no right"), times=ALWAYS)

    def test_unreadable_secrets_make_the_verdict_unknown(self, api: FakeApi) -> None:
        self.refuse(api, "GET .*/secrets")
        outcome = ask(api)
        assert {verdict for _kind, _name, verdict in rows(outcome)} == {"unknown"}
        reasons = {row["reason"] for row in outcome.namespaces[0].extra["access"]}
        assert reasons == {"the content of secret a/pull is not known: the caller may not read it"}

    def test_an_unreadable_cluster_configuration_makes_the_verdict_unknown(self, api: FakeApi) -> None:
        self.refuse(api, "GET /apis/config.openshift.io/")
        found = ask(api).namespaces[0].extra["access"][0]
        assert found["verdict"] == "unknown"
        assert found["reason"] == (
            "which registries are allowed, which mirrors the image has and whether a signature is required is not known: the caller may not "
            "read it"
        )

    def test_a_missing_right_to_ask_makes_the_verdict_unknown(self, api: FakeApi) -> None:
        host = "image-registry.openshift-image-registry.svc:5000"
        secret(api, "a", host)
        api.put("imagestreams", "b", "app", status={"tags": [{"tag": "1", "items": [{}]}]})
        self.refuse(api, "POST .*reviews")
        (found,) = ask(api, PullAccess(account="default", image=f"{host}/b/app:1")).namespaces[0].extra["access"]
        assert found["verdict"] == "unknown"
        assert found["reason"].startswith("whether service account a/default may pull from b is not known: ")

    def test_unreadable_pods_fail_one_namespace_only(self, api: FakeApi) -> None:
        team(api, "b")
        self.refuse(api, "GET /api/v1/namespaces/a/pods")
        first, second = ask(api, namespaces=("a", "b")).namespaces
        assert (first.status, second.status) == ("failed", "unchanged")
        assert (
            first.error
            == "the pods of namespace a could not be read, so nothing is known about it: the caller may not read it"
        )

    def test_a_cluster_that_fails_stops_the_task(self, api: FakeApi) -> None:
        api.fail("GET .*/secrets/pull", status_object(401, "Unauthorized", "no"), times=ALWAYS)
        outcome = ask(api)
        assert outcome.stopped
        assert [result.status for result in outcome.namespaces] == ["skipped"]


@given(CHANGES, CHANGES, CHANGES)
def test_arbitrary_objects_cause_no_internal_error(first: Changed, second: Changed, third: Changed) -> None:
    api = FakeApi()
    team(api, "a")
    for resource, name, change in (
        ("pods", "app", first),
        ("secrets", "pull", second),
        ("serviceaccounts", "default", third),
    ):
        stored = api.objects[resource, "a", name]
        api.objects[resource, "a", name] = {**change(stored), "metadata": stored["metadata"]}
    for result in ask(api).namespaces:
        assert "internal error" not in result.error


def everything(api: FakeApi) -> list[tuple[str, str, str]]:
    """Create a pod that leads to each kind of object, and a workload. Return the paths of these objects."""
    team(api, "a")
    host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    mirror = {"source": host, "mirrors": ["m.io"]}
    api.put("images", "", "cluster", spec={"registrySources": {"containerRuntimeSearchRegistries": ["docker.io"]}})
    for resource, part in (
        ("imagedigestmirrorsets", "imageDigestMirrors"),
        ("imagetagmirrorsets", "imageTagMirrors"),
        ("imagecontentsourcepolicies", "repositoryDigestMirrors"),
    ):
        api.put(resource, "", "m", spec={part: [mirror]})
    api.put("clusterimagepolicies", "", "p", spec={"scopes": ["signed.io"]})
    api.put("imagepolicies", "a", "p", spec={"scopes": ["signed.io"]})
    api.put(
        "nodes",
        "",
        "n",
        status={"nodeInfo": {"kubeletVersion": "v1.35.0", "containerRuntimeVersion": "cri-o://1.34.0"}},
    )
    api.put("infrastructures", "", "cluster", status={"platformStatus": {"type": "AWS"}})
    condition = {"type": "Validated", "status": "False", "message": "x"}
    api.put(
        "criocredentialproviderconfigs", "", "cluster", spec={"matchImages": [host]}, status={"conditions": [condition]}
    )
    api.put(
        "imagestreams", "a", "short", **{**stream(failed("x not found"), has_image=False, local=True), "metadata": {}}
    )
    secret(api, "openshift-config", "m.io", name="pull-secret")
    text = 'Back-off pulling image "q.io/a:1": ErrImagePull: reading manifest 1 in q.io/a: denied'
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": text}}}
    containers = [
        {"name": name, "image": image}
        for name, image in (("app", "q.io/a:1"), ("ecr", f"{host}/a:1"), ("short", "short:v1"))
    ]
    api.put(
        "pods", "a", "app", spec={"containers": containers, "imagePullSecrets": [{"name": "pull"}], "nodeName": "n"}
    )
    api.objects["pods", "a", "app"]["status"] = {"containerStatuses": [{"name": "app", **waiting}]}
    api.put("events", "a", "app.1", **pulling(1000, "app"))
    api.put("deployments", "a", "web", spec={"template": {"spec": {"containers": containers}}})
    return [place for place in api.objects if place[0] not in ("pods", "deployments", "namespaces", "replicasets")]


@given(CHANGES, st.integers(0, 1000))
def test_arbitrary_configuration_causes_no_internal_error(change: Changed, choice: int) -> None:
    api = FakeApi()
    places = everything(api)
    place = places[choice % len(places)]
    api.objects[place] = {**change(api.objects[place]), "metadata": api.objects[place]["metadata"]}
    for asked in (PullAccess(pod="app"), PullAccess(pods_of=(DEPLOYMENT, "web")), PullAccess()):
        (result,) = ask(api, asked).namespaces
        assert "internal error" not in result.error
        assert len(result.extra["access"]) in (3, 6)


@pytest.mark.parametrize(
    "key", ["u:canary@q.io", "https://q.io?token=canary", "u:canary@q.io/a#canary", "u:canary@q.example.com"]
)
@pytest.mark.parametrize("message", ["", "unauthorized"])
def test_a_credential_in_a_key_is_never_shown(key: str, message: str) -> None:
    api = FakeApi()
    team(api, "a")
    secret(api, "a", key)
    state = {"waiting": {"reason": "ErrImagePull", "message": message}} if message else {}
    status = {"containerStatuses": [{"name": "app", "state": state}]}
    api.put("pods", "a", "app", spec=spec("q.io/a:1", "pull"), status=status)
    shown = str([result.extra for result in ask(api, PullAccess(pod="app")).namespaces])
    assert "verdict" in shown
    assert "canary" not in shown


class TestSecretless:
    """With `secretless`, each answer has what a pull without a stored secret lacks."""

    PROVIDERS = config(matchImages=["q.io"], tokens={"requiredServiceAccountAnnotationKeys": ...})

    @staticmethod
    def ready(api: FakeApi) -> None:
        api.fail(
            r"GET /\.well-known/openid-configuration", Answer(200, {"issuer": "https://keys.example.com"}), times=ALWAYS
        )
        api.review = lambda _spec: {"allowed": True}
        api.put("nodes", "", "n", status=node()["status"])

    def plans(self, api: FakeApi, **given: Any) -> list[tuple[str, str]]:
        asked = PullAccess(secretless=True, provider_config=self.PROVIDERS, **given)
        rows = [row for result in ask(api, asked).namespaces for row in result.extra["access"]]
        return [(row["name"], row["secretless"]["verdict"]) for row in rows]

    def test_each_answer_has_its_plan(self, api: FakeApi) -> None:
        self.ready(api)
        api.put("pods", "a", "other", spec=spec("other.io/a"))
        assert self.plans(api) == [("app", "ready"), ("other", "not_ready"), ("web", "ready")]
        assert api.writes == []

    def test_a_build_that_names_the_secret_is_found(self, api: FakeApi) -> None:
        self.ready(api)
        asked = {"image": "q.io/a:1", "account": "default"}
        assert self.plans(api, **asked) == [("default", "ready")]
        api.put("buildconfigs", "a", "b", spec={"strategy": {"sourceStrategy": {"pullSecret": {"name": "pull"}}}})
        assert self.plans(api, **asked) == [("default", "not_ready")]

    def test_without_the_option_nothing_more_is_read(self, api: FakeApi) -> None:
        outcome = ask(api)
        assert not any("secretless" in row for row in outcome.namespaces[0].extra["access"])
        assert not any("well-known" in each or "kyverno" in each for each in api.asked)

    def test_all_namespaces_are_shown(self, api: FakeApi) -> None:
        self.ready(api)
        plan = PullAccess(secretless=True, provider_config=self.PROVIDERS)
        assert [result.unremarkable for result in ask(api, plan).namespaces] == [False]
        assert [result.unremarkable for result in ask(api).namespaces] == [True]
