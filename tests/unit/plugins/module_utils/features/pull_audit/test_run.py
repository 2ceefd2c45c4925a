# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit asks a registry on 127.0.0.1 for the signatures that policies require, and for nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit import run as audit_run
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import PullAudit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.forecast import (
    RELEASE_SIGNATURE,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules_images import (
    IMAGE_UNSIGNED,
    MOST_IMAGES,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.run import audit_cluster
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import RegistryAccess
from support.certificates import server_context
from support.fake_api import FakeApi
from support.hostile_registry import HostileRegistry, served
from support.objects import b64
from support.scripted_pool import Answer, Clock

ALWAYS = 10**9
DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def registry(certificate: str, no_outside_settings: None) -> Iterator[HostileRegistry]:
    """A registry that has each image, and a signature only of images below `signed`."""

    def script(server: HostileRegistry) -> Iterable[bytes]:
        request = server.requests[-1].partition(b"\r\n")[0]
        is_there = (
            b"/manifests/v1 " in request
            or b"/manifests/sha256:" in request
            or (b".sig " in request and b"/signed" in request)
        )
        headers = f"Content-Type: application/vnd.oci.image.manifest.v1+json\r\nDocker-Content-Digest: {DIGEST}\r\n"
        yield f"HTTP/1.1 {200 if is_there else 404} X\r\n{headers}Connection: close\r\n\r\n".encode()

    with served(script, server_context(certificate)) as found:
        yield found


def cluster(scope: str, **images: list[str]) -> FakeApi:
    """A cluster with these images in its namespaces, of which a policy requires signatures in the scope."""
    api = FakeApi()
    for path, answer in (("/apis ", {"groups": [{"name": "apps"}]}), ("/version ", {"gitVersion": "v1.36.3"})):
        api.fail(f"GET {path.strip()}$", Answer(200, answer), times=ALWAYS)
    api.put("clusterimagepolicies", "", "signed", spec={"scopes": [scope]})
    for namespace, each in images.items():
        api.put("namespaces", "", namespace)
        api.put("serviceaccounts", namespace, "default", imagePullSecrets=[{"name": "pull"}])
        content = json.dumps({"auths": {scope.partition("/")[0]: {"username": namespace, "password": "Canary-77"}}})
        data = {".dockerconfigjson": b64(content)}
        api.put("secrets", namespace, "pull", type="kubernetes.io/dockerconfigjson", data=data)
        containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(each)]
        api.put("pods", namespace, "app", spec={"containers": containers, "imagePullSecrets": [{"name": "pull"}]})
    return api


def audited(api: FakeApi, access: RegistryAccess | None, *names: str, asked: PullAudit | None = None) -> dict[str, Any]:
    clock = Clock()
    settings = RunSettings(False, concurrency=1, clock=EngineClock(clock.now, clock.sleep))
    asked = asked or PullAudit(rules=(IMAGE_UNSIGNED,), registries=access)
    outcome = audit_cluster(api.cluster(clock), asked, names or ("a",), settings, now=lambda: 1767225600.0)
    (document,) = outcome.extra["audit"]["clusters"]
    assert "Canary" not in json.dumps(document)
    return document


COMPONENTS = "quay.io/openshift-release-dev/ocp-v4.0-art-dev"


def openshift(mirror: str) -> FakeApi:
    """A cluster of OpenShift 4.21 with a component image, which has a mirror. A policy requires signatures of other images."""
    api = cluster("q.io", a=[f"{COMPONENTS}@{DIGEST}", "q.io/app:v1"])
    api.faults.clear()
    for path, answer in (("/apis ", {"groups": [{"name": "config.openshift.io"}]}), ("/version ", {})):
        api.fail(f"GET {path.strip()}$", Answer(200, answer), times=ALWAYS)
    api.put("clusterversions", "", "version", status={"desired": {"version": "4.21.3"}})
    item = {"source": COMPONENTS, "mirrors": [mirror]}
    api.put("imagedigestmirrorsets", "", "release", spec={"imageDigestMirrors": [item]})
    return api


def test_an_audit_of_namespaces_that_do_not_exist_has_no_document() -> None:
    """It would say that nothing is wrong, and replace an older report."""
    api, clock = cluster("q.io", a=[]), Clock()
    settings = RunSettings(False, concurrency=1, clock=EngineClock(clock.now, clock.sleep))
    written: list[Any] = []
    asked = PullAudit(rules=(IMAGE_UNSIGNED,))
    outcome = audit_cluster(api.cluster(clock), asked, ("nowhere",), settings, write=written.append)
    assert ([each.status for each in outcome.namespaces], outcome.extra, written) == (["failed"], {}, [])
    audit_cluster(api.cluster(clock), asked, ("nowhere", "a"), settings, write=written.append)
    (document,) = written
    why = "namespace nowhere was not audited: the namespace does not exist"
    assert [text[: len(why)] for text in document["clusters"][0]["unreadable"]] == [why]


@pytest.mark.parametrize(("folder", "severity", "text"), [("signed", "info", "has it"), ("plain", "warning", "refuse")])
def test_the_forecast_asks_the_mirror_of_a_release(
    registry: HostileRegistry, certificate: str, folder: str, severity: str, text: str
) -> None:
    mirror = f"{registry.host}/{folder}"
    asked = PullAudit(rules=(RELEASE_SIGNATURE,), registries=access_to(registry, certificate), target_version="4.22")
    document = audited(openshift(mirror), None, asked=asked)
    (found,) = document["findings"]
    assert (found["name"], found["severity"], text in found["message"]) == ("release", severity, True)
    asked_for = [request.split(b" ")[1] for request in registry.requests]
    assert asked_for
    assert all(path.startswith(f"/v2/{folder}/".encode()) for path in asked_for), "other images need nothing new"


def access_to(registry: HostileRegistry, certificate: str) -> RegistryAccess:
    return RegistryAccess(certificate, timeout=20.0, realm_hosts=(registry.host,))


def test_only_images_without_a_signature_are_found(registry: HostileRegistry, certificate: str) -> None:
    host = registry.host
    api = cluster(f"{host}/team", a=[f"{host}/team/signed:v1", f"{host}/team/plain:v1", f"{host}/other/plain:v1"])
    document = audited(api, access_to(registry, certificate))
    (found,) = document["findings"]
    assert (found["name"], found["location"], document["unreadable"]) == ("app", "c1", [])
    assert f"registry {host} has no signature of {host}/team/plain:v1" in found["message"]
    asked = {request.split(b" ")[1] for request in registry.requests}
    others = {path for path in asked if b"other" in path}
    assert others == {b"/v2/other/plain/manifests/v1"}, "its login is tested, and no policy is for it"


def test_no_registry_is_asked_without_the_option(registry: HostileRegistry) -> None:
    document = audited(cluster(registry.host, a=[f"{registry.host}/plain:v1"]), None)
    assert (document["findings"], registry.requests) == ([], [])


def test_an_image_whose_registry_gives_no_answer_is_reported(registry: HostileRegistry, certificate: str) -> None:
    """Only a pod names the registry, which is on loopback."""
    document = audited(cluster(registry.host, a=[f"{registry.host}/plain:v1"]), RegistryAccess(certificate))
    (sentence,) = document["unreadable"]
    assert sentence.startswith("whether 1 image of namespace a has the signature")
    assert "to image_pull_realm_hosts of the inventory" in sentence
    assert (document["findings"], registry.requests) == ([], [])


def test_many_images_of_one_namespace_leave_the_share_of_another(
    registry: HostileRegistry, certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Her images are on an address that is refused without a request, so that the test is fast."""
    assert MOST_IMAGES == 2000
    monkeypatch.setattr(audit_run, "MOST_IMAGES", 50)
    many = [f"127.0.0.9:1/mallory/{number}:v1" for number in range(50 + 100)]
    api = cluster(registry.host, mallory=many, team=[f"{registry.host}/plain:v1"])
    api.put("clusterimagepolicies", "", "hers", spec={"scopes": ["127.0.0.9:1"]})
    document = audited(api, access_to(registry, certificate), "mallory", "team")
    assert [found["namespace"] for found in document["findings"]] == ["team"]
    left_out, unknown = document["unreadable"]
    assert left_out.startswith("whether 101 images of namespace mallory have")
    assert unknown.startswith("whether 49 images of namespace mallory have")


def test_an_invalid_option_is_refused_before_the_cluster_is_read() -> None:
    api = cluster("q.io", a=[])
    with pytest.raises(OptionError, match="'registry_ca_cert'"):
        audited(api, RegistryAccess("/none.pem"))
    assert api.asked == []
