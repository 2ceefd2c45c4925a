# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list has one row for each image and workload, with its field, the pods and digests that run, its login and its nodes."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_list.rows import (
    ImageListQuestion,
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from support.fake_api import FakeApi
from support.image_lists import NO_OPTIONS, cluster, list_images, rows_of, run_list
from support.objects import auth_file, b64, raised
from support.scripted_pool import Answer

DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
REDIS = "docker.io/bitnami/redis:7.4"
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1"


def spec(image: str = REDIS, **more: Any) -> dict[str, Any]:
    return {"containers": [{"name": "app", "image": image, "imagePullPolicy": "IfNotPresent"}], **more}


def workload(api: FakeApi, resource: str, name: str, image: str = REDIS, owner: Any = None, **meta: Any) -> Any:
    """Create a workload, and return its owner reference."""
    template = {"spec": spec(image)}
    inner = {"jobTemplate": {"spec": {"template": template}}} if resource == "cronjobs" else {"template": template}
    meta["ownerReferences"] = [owner] if owner else []
    made = api.put(resource, "a", name, metadata=meta, spec=inner)
    kinds = {"deployments": "Deployment", "replicasets": "ReplicaSet", "statefulsets": "StatefulSet", "jobs": "Job"}
    return {"kind": kinds.get(resource, ""), "name": name, "uid": made["metadata"]["uid"], "controller": True}


def deploy(api: FakeApi, made: str = REDIS, present: str = REDIS, **meta: Any) -> Any:
    """Create the deployment `web`, and its replica set, whose owner reference is returned."""
    return workload(api, "replicasets", "web-1", made, workload(api, "deployments", "web", present, **meta))


def pod(api: FakeApi, name: str, owner: Any = None, digest: str = "", node: str = "", **more: Any) -> None:
    """A pod. With a digest, its container runs."""
    image_id = f"docker.io/bitnami/redis@{digest}" if digest else ""
    state = {"running": {"startedAt": "2026-01-01T00:00:00Z"}} if digest else {}
    status = {"containerStatuses": [{"name": "app", "imageID": image_id, "state": state}], "phase": "Running"}
    meta = {"ownerReferences": [owner] if owner else []}
    body = {**spec(), "nodeName": node, "imagePullSecrets": [{"name": "pull"}], **more}
    api.put("pods", "a", name, metadata=meta, spec=body, status=status)


def brief(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def test_a_deployment_represents_its_replica_set_and_its_pods() -> None:
    api = cluster("a")
    made = deploy(api)
    pod(api, "web-1-x", made, DIGEST, "n1")
    pod(api, "web-1-y", made, DIGEST, "n2")
    (row,) = rows_of(api)
    assert brief(row, "kind", "name", "field", "text_in", "pods", "running_digests", "nodes_with_image") == (
        "Deployment", "web", "spec.template.spec.containers[app].image", "template", 2, [DIGEST], 2,
    )  # fmt: skip
    assert brief(row, "image", "registry", "path", "tag", "digest", "pull_policy", "service_account") == (
        REDIS, "docker.io", "bitnami/redis", "7.4", "", "IfNotPresent", "default",
    )  # fmt: skip


def test_pods_of_an_earlier_template_have_a_row_of_their_own_below_the_same_workload() -> None:
    api = cluster("a")
    pod(api, "web-1-x", deploy(api, present="docker.io/bitnami/redis:8"), DIGEST, "n1")
    assert [brief(row, "image", "kind", "name", "text_in", "pods") for row in rows_of(api)] == [
        (REDIS, "Deployment", "web", "earlier_template", 1),
        ("docker.io/bitnami/redis:8", "Deployment", "web", "template", 0),
    ]


def test_pods_of_an_earlier_template_of_a_stateful_set_are_listed() -> None:
    api = cluster("a")
    pod(api, "db-0", workload(api, "statefulsets", "db", "docker.io/bitnami/redis:8"))
    assert [brief(row, "image", "name", "field", "text_in") for row in rows_of(api)] == [
        (REDIS, "db", "spec.containers[app].image", "earlier_template"),
        ("docker.io/bitnami/redis:8", "db", "spec.template.spec.containers[app].image", "template"),
    ]


def test_a_container_that_only_the_pods_have_names_no_owner_of_the_template() -> None:
    api = cluster("a")
    made = deploy(api, annotations={"meta.helm.sh/release-name": "r"})
    both = [{"name": "app", "image": REDIS}, {"name": "proxy", "image": "docker.io/istio/proxyv2:1"}]
    pod(api, "web-1-x", made, containers=both)
    assert [(row["owner"]["kind"], row["field"], row["text_in"]) for row in rows_of(api)] == [
        ("helm", "spec.template.spec.containers[app].image", "template"),
        ("pods", "spec.containers[proxy].image", "pods"),
    ]


def test_the_time_is_proportional_to_the_containers_of_a_template_and_its_pods() -> None:
    """Otherwise a user with a few large objects could keep the list of a whole cluster busy for hours."""
    api = cluster("a")
    own, others = ([{"name": f"{letter}{number}", "image": REDIS} for number in range(4000)] for letter in "ab")
    made = api.put("statefulsets", "a", "db", spec={"template": {"spec": {"containers": own}}})
    owner = {"kind": "StatefulSet", "name": "db", "uid": made["metadata"]["uid"], "controller": True}
    pod(api, "db-0", owner, containers=[*own, *others])
    started = time.process_time()
    assert run_list(api, of=["quay.io"]).extra["counts"]["images"] == 0
    assert time.process_time() - started < 5


def test_an_image_that_a_webhook_changed_has_a_row_of_its_own() -> None:
    api = cluster("a")
    containers = spec("quay.io/mirror/redis:7.4")["containers"]
    pod(api, "once-x", workload(api, "jobs", "once"), containers=containers)
    assert [brief(row, "image", "text_in", "pods") for row in rows_of(api)] == [
        (REDIS, "template", 0),
        ("quay.io/mirror/redis:7.4", "pods", 1),
    ]


@pytest.mark.parametrize(("resource", "root"), [
    ("statefulsets", "spec.template.spec"), ("daemonsets", "spec.template.spec"), ("jobs", "spec.template.spec"),
    ("cronjobs", "spec.jobTemplate.spec.template.spec"), ("replicationcontrollers", "spec.template.spec"),
    ("deploymentconfigs", "spec.template.spec"),
])  # fmt: skip
def test_each_kind_of_workload_is_listed_without_any_pod(resource: str, root: str) -> None:
    api = cluster("a")
    workload(api, resource, "w")
    (row,) = rows_of(api)
    assert brief(row, "field", "pods", "running_digests") == (f"{root}.containers[app].image", 0, [])


def test_a_pod_alone_is_listed_and_a_finished_pod_or_complete_job_is_not() -> None:
    api = cluster("a")
    pod(api, "alone", volumes=[{"name": "v", "image": {"reference": "docker.io/bitnami/data:1"}}])
    api.put("pods", "a", "done", spec=spec(), status={"phase": "Succeeded"})
    workload(api, "jobs", "ended")
    api.objects["jobs", "a", "ended"]["status"] = {"completionTime": "2026-01-01T00:00:00Z"}
    assert [brief(row, "kind", "name", "field") for row in rows_of(api)] == [
        ("Pod", "alone", "spec.volumes[v].image.reference"),
        ("Pod", "alone", "spec.containers[app].image"),
    ]


@pytest.mark.parametrize("image_id", ["sha256:" + "a" * 64, "", None, 7, "docker-pullable://r@" + DIGEST])
def test_only_a_digest_with_its_repository_counts_as_running(image_id: Any) -> None:
    """Without a repository, it is the ID of the image on the node."""
    api = cluster("a")
    status = {"phase": "Running", "containerStatuses": [{"name": "app", "imageID": image_id}, None, "x"]}
    api.put("pods", "a", "p", spec=spec(), status=status)
    (row,) = rows_of(api)
    assert row["running_digests"] == ([DIGEST] if "@" in str(image_id) else [])


def test_only_images_of_the_paths_are_listed() -> None:
    api = cluster("a")
    for name, image in (("a", "bitnami/redis"), ("b", "docker.io/bitnamilegacy/redis"), ("c", "quay.io/bitnami/redis")):
        workload(api, "deployments", name, image)
    assert [row["name"] for row in rows_of(api, of=["docker.io/bitnami"])] == ["a"]
    assert [row["name"] for row in rows_of(api, of=["docker.io", "quay.io/bitnami"])] == ["a", "b", "c"]
    assert list_images(api, of=["quay.io/elsewhere"])["counts"] == {
        "images": 0, "workloads": 0, "namespaces": 0, "containers": 0, "copies": {},
    }  # fmt: skip


def test_a_short_name_counts_for_each_search_registry_of_openshift() -> None:
    api = cluster("a", groups=("apps", "config.openshift.io"))
    api.put("clusterversions", "", "version", status={"desired": {"version": "4.20.1"}})
    registries = {"containerRuntimeSearchRegistries": ["registry.example.com"]}
    api.put("images", "", "cluster", spec={"registrySources": registries})
    workload(api, "deployments", "web", "bitnami/redis")
    assert len(rows_of(api, of=["registry.example.com/bitnami"])) == 1
    assert rows_of(api, of=["quay.io"]) == []


def test_a_short_name_whose_search_registries_cannot_be_read_is_not_left_out_silently() -> None:
    """The list would be empty, and the registry that serves the image would be switched off."""
    api = cluster("a", groups=("apps", "config.openshift.io"))
    api.put("clusterversions", "", "version", status={"desired": {"version": "4.20.1"}})
    api.fail("GET /apis/config.openshift.io/v1/images/cluster", Answer(403, {}), times=100)
    for number in range(3):
        workload(api, "deployments", f"web-{number}", "bitnami/redis")
    workload(api, "deployments", "other", "bitnami/nginx")
    workload(api, "deployments", "elsewhere", "quay.io/team/app")
    document = list_images(api, of=["registry.example.com/bitnami"])
    assert document["images"] == []
    (said,) = document["unreadable"]
    assert said.startswith(
        "whether 2 images are in one of these paths is not known, such as bitnami/nginx: bitnami/nginx names no registry"
    )
    assert "the configuration of these nodes is not known: the caller may not read it" in said
    assert list_images(api, of=["docker.io/bitnami"])["counts"]["images"] == 2
    assert list_images(api)["unreadable"] == []


def test_a_text_that_is_not_an_image_is_listed_without_a_registry_only() -> None:
    api = cluster("a")
    workload(api, "deployments", "web", "Not An Image")
    (row,) = rows_of(api)
    assert brief(row, "image", "registry") == ("Not An Image", "")
    assert rows_of(api, of=["docker.io"]) == []


def test_a_login_in_the_name_of_an_image_is_not_listed() -> None:
    """A node does not pull such an image. Whoever wrote it there may not know who reads the list."""
    api, image = (
        cluster("a", groups=("apps", "image.openshift.io", "build.openshift.io")),
        "robot:Canary-1@quay.io/team/app:v1",
    )
    volumes = [{"name": "v", "image": {"reference": f"https://{image}"}}]
    api.put("deployments", "a", "web", spec={"template": {"spec": {**spec(image), "volumes": volumes}}})
    pod(api, "alone", volumes=volumes, **spec(image))
    origin = {"kind": "DockerImage", "name": image}
    api.put("imagestreams", "a", "app", spec={"tags": [{"name": "v1", "from": origin}]})
    api.put("buildconfigs", "a", "app", spec={"strategy": {"dockerStrategy": {"from": origin}}})
    rows = rows_of(api)
    assert "Canary" not in json.dumps(rows)
    kinds = {row["kind"] for row in rows if row["image"] == "********@quay.io/team/app:v1"}
    assert kinds == {"Deployment", "Pod", "ImageStream", "BuildConfig"}
    assert sum(row["image"] == "https://********@quay.io/team/app:v1" for row in rows) == 2


@pytest.mark.parametrize("blank", ["", " ", None, 7])
def test_an_image_that_a_trigger_has_not_set_yet_is_not_listed(blank: Any) -> None:
    api = cluster("a")
    workload(api, "deploymentconfigs", "web", blank)
    assert rows_of(api) == []


def stream(api: FakeApi, name: str, tag: dict[str, Any], items: Any = ()) -> None:
    tags = [{"tag": tag["name"], "items": [*items]}]
    api.put("imagestreams", "a", name, spec={"tags": [tag]}, status={"tags": tags})


def test_an_image_stream_tag_is_listed_and_leads_from_a_workload_to_its_source() -> None:
    api = cluster("a", groups=("apps", "image.openshift.io"))
    item = {"image": DIGEST, "dockerImageReference": f"docker.io/bitnami/redis@{DIGEST}"}
    stream(api, "redis", {"name": "7", "from": {"kind": "DockerImage", "name": REDIS}}, [item])
    stream(api, "mine", {"name": "v1", "from": {"kind": "ImageStreamTag", "name": "redis:7"}}, [item])
    workload(api, "deployments", "by-digest", f"image-registry.openshift-image-registry.svc:5000/a/redis@{DIGEST}")
    workload(api, "deployments", "by-tag", "image-registry.openshift-image-registry.svc:5000/a/mine:v1")
    found = rows_of(api, of=["docker.io/bitnami"])
    assert [brief(row, "kind", "name", "stream", "source") for row in found] == [
        ("ImageStream", "redis", "", ""),
        ("Deployment", "by-tag", "a/mine", f"docker.io/bitnami/redis@{DIGEST}"),
        ("Deployment", "by-digest", "a/redis", f"docker.io/bitnami/redis@{DIGEST}"),
    ]
    assert brief(found[0], "field", "running_digests") == ("spec.tags[7].from.name", [DIGEST])


def test_a_stream_that_does_not_exist_has_no_source() -> None:
    api = cluster("a")
    workload(api, "deployments", "web", "image-registry.openshift-image-registry.svc:5000/elsewhere/x:v1")
    (row,) = rows_of(api)
    assert brief(row, "stream", "source") == ("elsewhere/x", "")


def test_a_trigger_names_the_tag_that_sets_the_image() -> None:
    api = cluster("a")
    item = {"image": DIGEST, "dockerImageReference": f"docker.io/bitnami/redis@{DIGEST}"}
    stream(api, "redis", {"name": "7", "from": {"kind": "DockerImage", "name": REDIS}}, [item])
    trigger = [{"from": {"kind": "ImageStreamTag", "name": "redis:7"},
                "fieldPath": "spec.template.spec.containers[0].image"}]  # fmt: skip
    notes = {"image.openshift.io/triggers": json.dumps(trigger)}
    workload(api, "deployments", "web", f"quay.io/x/redis@{DIGEST}", annotations=notes)
    assert [row["kind"] for row in rows_of(api, of=["docker.io/bitnami"])] == ["ImageStream", "Deployment"]


def test_a_build_config_is_listed_with_the_login_of_its_pull_secret() -> None:
    api = cluster("a")
    login(api, "build-pull", {"docker.io": ("u", "Canary-1")})
    origin = {"from": {"kind": "DockerImage", "name": REDIS}, "pullSecret": {"name": "build-pull"}}
    api.put("buildconfigs", "a", "image", spec={"strategy": {"dockerStrategy": origin}})
    (row,) = rows_of(api)
    assert brief(row, "kind", "field") == ("BuildConfig", "spec.strategy.dockerStrategy.from.name")
    assert row["login"] == {"secret": "a/build-pull", "key": "docker.io", "unknown": ""}


def login(api: FakeApi, name: str, entries: Any, namespace: str = "a") -> None:
    content = entries if isinstance(entries, str) else json.dumps(auth_file(entries))
    data = {".dockerconfigjson": b64(content)}
    api.put("secrets", namespace, name, type="kubernetes.io/dockerconfigjson", data=data)


def operator(api: FakeApi, namespace: str = "a", **labels: str) -> None:
    related = [{"name": "cache", "image": REDIS}, {"name": "other", "image": "quay.io/team/app:1"}]
    meta = {"labels": {key.replace("_", "."): value for key, value in labels.items()}}
    api.put("clusterserviceversions", namespace, "redis.v1", metadata=meta, spec={"relatedImages": related})


def test_the_related_images_of_an_operator_are_listed_once_as_its_own_text() -> None:
    api = cluster("a", "b")
    operator(api)
    operator(api, "b", olm_copiedFrom="a")
    (row,) = rows_of(api, of=["docker.io/bitnami"])
    assert brief(row, "namespace", "kind", "name", "field", "text_in") == (
        "a", "ClusterServiceVersion", "redis.v1", "spec.relatedImages[cache].image", "template",
    )  # fmt: skip
    assert row["owner"]["title"] == "operator of OLM redis.v1"


def test_the_login_for_a_related_image_is_known_only_if_the_nodes_have_one() -> None:
    api = cluster("a")
    login(api, "pull", {"docker.io": ("u", "p")})
    operator(api)
    why = "the operator chooses the account that pulls its related images"
    assert rows_of(api, of=["docker.io"])[0]["login"] == {"secret": "", "key": "", "unknown": why}
    login(api, "pull-secret", {"docker.io": ("u", "p")}, "openshift-config")
    (row,) = rows_of(api, "a", of=["docker.io"])
    assert row["login"] == {"secret": "openshift-config/pull-secret", "key": "docker.io", "unknown": ""}


def test_the_image_of_a_catalog_is_listed_with_the_login_of_its_secret() -> None:
    api = cluster("a")
    login(api, "index", {"docker.io": ("u", "p")})
    api.put("catalogsources", "a", "operators", spec={"image": REDIS, "secrets": ["index"]})
    (row,) = rows_of(api)
    assert brief(row, "kind", "field") == ("CatalogSource", "spec.image")
    assert row["login"]["secret"] == "a/index"


def test_operators_that_cannot_be_read_are_reported() -> None:
    api = cluster("a", groups=("apps", "operators.coreos.com"))
    api.fail("GET /.*/clusterserviceversions", Answer(403, {}), times=100)
    assert list_images(api)["unreadable"] == [
        "the operators and their catalogs of a could not be read: the caller may not list them"
    ]


def test_the_login_is_the_first_that_a_node_tries() -> None:
    api = cluster("a")
    login(api, "pull", {"docker.io": ("u", "Canary-1"), "docker.io/bitnami": ("u", "Canary-2")})
    workload(api, "deployments", "web")
    document = list_images(api)
    assert document["images"][0]["login"] == {"secret": "a/pull", "key": "docker.io/bitnami", "unknown": ""}
    assert "Canary" not in json.dumps(document)


def test_the_nodes_have_the_login_if_the_account_has_none() -> None:
    api = cluster("a")
    login(api, "pull", {"quay.io": ("u", "p")})
    login(api, "pull-secret", {"docker.io": ("u", "p")}, "openshift-config")
    workload(api, "deployments", "web")
    (row,) = rows_of(api, "a")
    assert row["login"] == {"secret": "openshift-config/pull-secret", "key": "docker.io", "unknown": ""}


def test_without_a_login_the_members_are_empty() -> None:
    api = cluster("a")
    workload(api, "deployments", "web")
    assert rows_of(api)[0]["login"] == {"secret": "", "key": "", "unknown": ""}


@pytest.mark.parametrize(
    ("image", "platform", "unknown"),
    [
        (ECR, "AWS", "a credential provider of the nodes may give a login"),
        (ECR, "", "a credential provider of the nodes may give a login"),
        (ECR, "GCP", ""),
        (REDIS, "AWS", ""),
    ],
)
def test_nodes_of_a_cloud_may_have_a_login_for_its_registry(image: str, platform: str, unknown: str) -> None:
    api = cluster("a")
    if platform:
        api.put("infrastructures", "", "cluster", status={"platformStatus": {"type": platform}})
    workload(api, "deployments", "web", image)
    assert rows_of(api)[0]["login"] == {"secret": "", "key": "", "unknown": unknown}


def test_a_login_that_cannot_be_read_is_not_known() -> None:
    api = cluster("a")
    api.fail("GET /api/v1/(namespaces/a/)?secrets", Answer(403, {}), times=100)
    workload(api, "deployments", "web")
    document = list_images(api)
    assert document["images"][0]["login"]["unknown"] == "secret pull: the caller may not list them"
    assert document["unreadable"] == ["the secrets of a could not be read: the caller may not list them"]


def test_a_damaged_secret_stops_the_pull_so_no_login_serves() -> None:
    api = cluster("a")
    login(api, "pull", "{")
    workload(api, "deployments", "web")
    assert rows_of(api)[0]["login"]["unknown"].startswith("secret pull: ")


def test_nodes_that_list_the_image_have_it() -> None:
    api = cluster("a")
    for number, names in enumerate((["docker.io/bitnami/redis:7.4"], [f"docker.io/bitnami/redis@{DIGEST}"], ["x:1"])):
        api.put("nodes", "", f"n{number}", status={"images": [{"names": names}, None, {"names": None}]})
    pod(api, "alone", digest=DIGEST, node="n3")
    workload(api, "deployments", "short", "bitnami/redis:7.4")
    assert {row["name"]: row["nodes_with_image"] for row in rows_of(api)} == {"alone": 3, "short": 1}


def test_objects_that_cannot_be_read_are_reported() -> None:
    api = cluster("a", "b")
    for resource in ("pods", "deployments", "nodes"):
        api.fail(f"GET /.*/{resource}", Answer(403, {}), times=100)
    assert list_images(api)["unreadable"] == [
        "the pods of a, b could not be read: the caller may not list them",
        "the workloads of a, b could not be read: the caller may not list them",
        "the nodes could not be read: the caller may not list them",
    ]


def question(**given: Any) -> ImageListQuestion:
    return from_options({**NO_OPTIONS, **given})


def test_without_a_path_every_image_is_wanted() -> None:
    assert question().wants(["quay.io/team/app"]) and question(of=[]).wants(["quay.io/team/app"])


def test_one_of_the_names_in_one_of_the_paths_is_enough() -> None:
    asked = question(of=["docker.io/bitnami", "quay.io", "docker.io/bitnami"])
    assert [path.text for path in asked.of] == ["docker.io/bitnami", "quay.io"]
    assert asked.wants(["registry.example.com/x", "docker.io/bitnami/redis"]) and asked.wants(["quay.io/x"])
    assert not asked.wants(["docker.io/library/redis"]) and not asked.wants([])


@pytest.mark.parametrize("given", ["bitnami", "docker.io/bitnami/redis:7", ""])
def test_a_text_that_is_not_a_path_is_refused(given: str) -> None:
    assert raised(OptionError, lambda: question(of=["quay.io", given])).startswith("option 'of': ")


def test_one_path_moves_to_another_or_a_mapping_has_the_moves() -> None:
    assert moved(of=["docker.io/bitnami"], to="quay.io/acme") == {"docker.io/bitnami": "quay.io/acme"}
    mapping = {"docker.io/bitnami": "quay.io/acme", "docker.io/bitnami/redis": "quay.io/redis"}
    asked = question(to=mapping)
    assert moved(to=mapping) == mapping and [path.text for path in asked.of] == [*mapping]
    names = {"bitnami/nginx:1": "quay.io/acme/nginx:1", "bitnami/redis:1": "quay.io/redis:1", "quay.io/x": "None"}
    for image, copy in names.items():
        reference = reference_of(image)
        assert reference is not None and str(asked.copy_of(reference)) == copy


def moved(**given: Any) -> dict[str, str]:
    return {source.text: target.text for source, target in question(**given).moves}


@pytest.mark.parametrize("given", [
    {"to": "quay.io/acme"}, {"of": ["docker.io/a", "docker.io/b"], "to": "quay.io/acme"}, {"to": {}}, {"to": ["quay.io"]},
    {"to": {"docker.io": 1}}, {"to": {1: "quay.io"}}, {"to": {"docker.io/a": "quay.io/a:1"}}, {"to": {"a": "quay.io"}},
    {"ask_registries": True}, {"kustomize": "file"}, {"of": ["quay.io"], "to": ""},
])  # fmt: skip
def test_a_move_that_cannot_be_meant_is_refused(given: dict[str, Any]) -> None:
    assert "'to'" in raised(OptionError, partial(question, **given))


def test_the_registry_of_the_copies_is_named_if_there_is_one() -> None:
    asked = question(of=["docker.io"], to="localhost:5000/x", ask_registries=True).registries
    assert asked is not None and asked.named == "localhost:5000"
    several = question(to={"docker.io": "a.example.com", "quay.io": "b.example.com"}, ask_registries=True).registries
    assert several is not None and several.named == ""
    assert question(of=["docker.io"], to="quay.io").registries is None
