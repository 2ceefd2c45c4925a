# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A removed integrated registry breaks its images, and the tags that are pulled through it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import UnreadableObject
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import Finding
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import REGISTRY_CONFIG
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import SUBJECT_ACCESS_REVIEW
from support.surveyed import deployment, found_by, place, pod, replica_set, secret, stream, survey

RULE = "forecast-registry-removed"
SERVICE = "image-registry.openshift-image-registry.svc:5000"
REMOVED = {"spec": {"managementState": "Removed"}}


def by(seen: Any, state: Any = ..., target: str | None = "4.22", **more: Any) -> list[Finding]:
    of_project_b = {
        ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "a/default"): {"allowed": True},
        ObjectRef(IMAGE_STREAM, "b", "app"): None,
    }
    whole = survey(seen, is_openshift=True, objects=of_project_b, **more)
    whole.evidence.add({REGISTRY_CONFIG: REMOVED if state is ... else state})
    return found_by(RULE, whole, target_version=target)


def with_policy(kind: Any) -> dict[str, Any]:
    found = stream()
    found["spec"]["tags"][0]["referencePolicy"] = {"type": kind}
    return found


@pytest.mark.parametrize(
    "host", [SERVICE, SERVICE.replace(":", ".cluster.local:"), "registry.internal", "default-route.example.com"]
)
def test_an_image_of_the_registry_is_reported_by_each_of_its_names(host: str) -> None:
    status = {
        "internalRegistryHostname": "registry.internal",
        "externalRegistryHostnames": ["default-route.example.com"],
    }
    (found,) = by(place(pods=[pod(image=f"{host}/b/app:v1")]), config={"status": status})
    assert (found.location, found.effective_severity) == ("c", "warning")
    assert (
        found.message
        == f"pod a/app has image {host}/b/app:v1 of the integrated registry, whose images are deleted with it"
    )


DEFAULT_ROUTE = "default-route-openshift-image-registry.apps.example.com"
OF_THE_REGISTRY = " of the integrated registry, whose images are deleted with it"
MAYBE = ", whose host is the default route of an integrated registry: if it is the one of this cluster, its images are deleted with it"


@pytest.mark.parametrize(
    ("host", "config", "text"),
    [
        ("registry.example.com", {"spec": {"externalRegistryHostnames": ["registry.example.com"]}}, OF_THE_REGISTRY),
        (DEFAULT_ROUTE, {"status": {"externalRegistryHostnames": [DEFAULT_ROUTE]}}, OF_THE_REGISTRY),
        (DEFAULT_ROUTE, {"status": {}}, MAYBE),
        (DEFAULT_ROUTE, UnreadableObject("no"), MAYBE),
    ],
)
def test_a_route_is_reported_after_the_operator_has_removed_it(host: str, config: Any, text: str) -> None:
    (found,) = by(place(pods=[pod(image=f"{host}/b/app:v1")]), config=config)
    assert found.message == f"pod a/app has image {host}/b/app:v1{text}"


@pytest.mark.parametrize("host", ["default-route-openshift-image-registry.other.example.com", "x" + DEFAULT_ROUTE])
def test_a_route_of_another_cluster_is_not_reported(host: str) -> None:
    status = {"externalRegistryHostnames": [DEFAULT_ROUTE]}
    assert by(place(pods=[pod(image=f"{host}/b/app:v1")]), config={"status": status}) == []


def test_an_image_volume_is_reported_by_its_name() -> None:
    volumes = [{"name": "data", "image": {"reference": f"{SERVICE}/b/app:v1"}}]
    (found,) = by(place(pods=[pod(volumes=volumes)]))
    assert found.location == "volume data"


def test_a_template_is_reported_and_not_its_pods() -> None:
    image = f"{SERVICE}/b/app:v1"
    seen = place(workloads=[deployment(image=image), replica_set(image=image)], pods=[pod(image=image, made=True)])
    assert [found.ref.kind.kind for found in by(seen)] == ["Deployment"]


def test_other_images_are_not_reported() -> None:
    assert by(place(pods=[pod()])) == []


@pytest.mark.parametrize(("policy", "count"), [("Local", 1), ("Source", 0), (None, 0), ({}, 0)], ids=str)
def test_a_stream_whose_tags_are_pulled_through_the_registry_is_reported(policy: Any, count: int) -> None:
    found = by(place(streams=[with_policy(policy)]))
    assert len(found) == count
    assert all("image stream a/app has referencePolicy Local for tags v1:" in each.message for each in found)


@pytest.mark.parametrize(
    "state", [None, {}, {"spec": {"managementState": "Managed"}}, {"spec": []}, UnreadableObject("no")]
)
def test_a_registry_that_stays_is_not_reported(state: Any) -> None:
    assert by(place(pods=[pod(image=f"{SERVICE}/b/app:v1")], streams=[with_policy("Local")]), state) == []


def test_it_is_a_forecast() -> None:
    assert by(place(pods=[pod(image=f"{SERVICE}/b/app:v1")]), target=None) == []


def build(kind: str = "ImageStreamTag", **to: Any) -> dict[str, Any]:
    spec = {"output": {"to": {"kind": kind, "name": "app:v1", **to}}}
    return {"metadata": {"name": "app"}, "spec": spec}


class TestBuilds:
    def test_a_build_that_pushes_to_the_registry_is_reported(self) -> None:
        (found,) = by(place(builds=[build()]))
        assert (str(found.ref), found.location) == ("build config a/app", "output")
        assert found.message == (
            "build config a/app pushes to image stream tag a/app:v1 of the integrated registry: its builds fail without it"
        )

    def test_the_stream_can_be_in_another_namespace(self) -> None:
        (found,) = by(place(builds=[build(namespace="b")]))
        assert "image stream tag b/app:v1" in found.message

    @pytest.mark.parametrize("other", [build("DockerImage"), {"metadata": {"name": "app"}, "spec": {}}, {}])
    def test_an_external_output_is_not_reported(self, other: Any) -> None:
        assert by(place(builds=[other])) == []

    def test_a_stream_of_an_external_repository_is_not_reported(self) -> None:
        external = stream(dockerImageRepository="q.io/team/app")
        assert by(place(builds=[build()], streams=[external])) == []


class TestCompanionTokens:
    """A generated pull secret of before 4.16 has a token in a secret of its own. The platform deletes both."""

    CREATED = {"kubernetes.io/created-by": "openshift.io/create-dockercfg-secrets"}

    def found(self, *, mounted: str = "app-token-1", created: Any = None, named: str = "app-token-1") -> list[Finding]:
        pull = secret("app-dockercfg-1", generated=True)
        pull["metadata"]["annotations"] = {"openshift.io/token-secret.name": named}
        token = {
            "metadata": {"name": "app-token-1", "annotations": self.CREATED if created is None else created},
            "type": "kubernetes.io/service-account-token",
        }
        user = pod(volumes=[{"name": "t", "secret": {"secretName": mounted}}])
        return by(place(secrets=[pull, token], pods=[user]))

    def test_a_token_that_a_pod_uses_is_reported(self) -> None:
        (found,) = self.found()
        assert (str(found.ref), found.message) == (
            "secret a/app-token-1",
            "secret a/app-token-1, which pod a/app uses, is deleted together with the generated pull secret app-dockercfg-1, as soon as no pod "
            "lists that",
        )

    def test_other_secrets_are_not_reported(self) -> None:
        assert self.found(mounted="other") == []
        assert self.found(created={}) == []
        assert self.found(named="gone") == []
