# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pull_access_info takes the configuration of nodes into account: mirrors, signatures, search registries and insecure registries."""

from __future__ import annotations

import hashlib
import json
import ssl
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.certificates import server_context, write_certificate
from support.hostile_registry import HostileRegistry, answer, served
from support.lab import Lab, path_of
from support.objects import b64, pull_secret
from support.openshift import CLUSTER_VERSION
from support.registry_settings import registry_settings

#: An address without a listener.
SOURCE = "127.0.0.9:5001"


@pytest.fixture(scope="module")
def lab(lab_factory: Callable[..., Lab]) -> Lab:
    """A separate lab, because the tests change the configuration of its nodes."""
    return lab_factory()


def auths(lab: Lab, *keys: str) -> dict[str, Any]:
    account = lab.registry("private")["accounts"][1]
    auth = b64(f"{account['username']}:{account['password']}")
    return {key: {"auth": auth} for key in keys}


def pod(lab: Lab, namespace: str, image: str, *keys: str) -> None:
    """Create a pod whose only secret holds a login for the private registry, under these keys."""
    lab.create(namespace, "secrets", pull_secret("pull", {"auths": auths(lab, *keys)}))
    spec = {"containers": [{"name": "app", "image": image}], "imagePullSecrets": [{"name": "pull"}]}
    lab.create(namespace, "pods", {"metadata": {"name": "app"}, "spec": spec})


def access(run: Any, namespace: str) -> dict[str, Any]:
    result = run("pull_access_info", namespaces=[namespace], pod="app")
    assert not result["failed"], result["msg"]
    (found,) = result["namespaces"][0]["access"]
    return found


class TestMirrors:
    @pytest.fixture(autouse=True)
    def mirrored(self, lab: Lab) -> Iterator[None]:
        mirrors = [f"{lab.registry('private')['host']}/team"]
        with registry_settings(lab, node={}, tag=[{"source": f"{SOURCE}/team", "mirrors": mirrors}]):
            yield

    def test_the_fix_writes_the_login_of_a_mirror_for_the_nodes(self, lab: Lab, run: Any, namespace: str) -> None:
        private = lab.registry("private")["host"]
        pod(lab, namespace, f"{SOURCE}/team/app:v1", private)
        assert access(run, namespace)["verdict"] == "unknown"
        assert not lab.pull(namespace, "app", "--status")["pulled"]
        found = access(run, namespace)
        assert found["verdict"] == "will_not_pull"
        assert found["reason"].startswith(
            f"the nodes' pull secret has no key for {private}/team/app:v1, and the node says of the mirror: "
        )
        (task,) = found["fix"]
        options = task["openshift_ops.image_pull.pull_secret"]
        account = lab.registry("private")["accounts"][1]
        options["registries"][0].update(username=account["username"], password=account["password"])
        done = run("pull_secret", **options)
        assert not done["failed"], done["msg"]
        lab.api("PATCH", f"{path_of(namespace, 'pods', 'app')}/status", {"status": {"containerStatuses": None}})
        after = access(run, namespace)
        assert after["verdict"] == "pulls"
        assert after["reason"].startswith(f"the nodes' pull secret has the key {private} for {private}/team/app:v1")
        assert lab.pull(namespace, "app")["pulled"]


class TestSignatures:
    def test_a_policy_that_the_image_does_not_satisfy_is_named(self, lab: Lab, run: Any, namespace: str) -> None:
        private = lab.registry("private")["host"]
        pod(lab, namespace, lab.registry("private")["image"], private)
        begin = f"cluster image policy test-0 requires a signature for images in {private}/team"
        with registry_settings(lab, policies=[(f"{private}/team", "")]):
            before = access(run, namespace)
            assert before["verdict"] == "unknown"
            assert before["reason"] == f"{begin}: whether the image has the right one cannot be seen from here"
            assert not lab.pull(namespace, "app", "--status")["pulled"]
            found = access(run, namespace)
        assert (found["verdict"], found["cause"]) == ("will_not_pull", "signature")
        assert found["reason"].startswith(f"{begin}, and the node says: ")


class TestShortNames:
    @pytest.mark.parametrize("version", ["4.20.0", "4.21.0"])
    def test_the_verdict_on_a_short_name_matches_the_nodes_pull(
        self, lab: Lab, run: Any, namespace: str, version: str
    ) -> None:
        private, delegated = lab.registry("private")["host"], lab.registry("delegated")["host"]
        lab.api("PATCH", CLUSTER_VERSION, {"status": {"desired": {"version": version}}})
        pod(lab, namespace, "team/app:v1", "docker.io")
        with registry_settings(lab, sources={"containerRuntimeSearchRegistries": [private, delegated]}):
            found = access(run, namespace)
            assert lab.pull(namespace, "app", "--short-names", "permissive")["pulled"]
            assert found["verdict"] == "pulls"
        with registry_settings(lab, sources={"containerRuntimeSearchRegistries": [private]}):
            assert access(run, namespace)["verdict"] == "pulls"
            assert lab.pull(namespace, "app", "--short-names", "permissive")["pulled"]

    def test_a_node_of_an_early_4_21_reports_its_refusal(self, lab: Lab, run: Any, namespace: str) -> None:
        private, delegated = lab.registry("private")["host"], lab.registry("delegated")["host"]
        lab.api("PATCH", CLUSTER_VERSION, {"status": {"desired": {"version": "4.21.1"}}})
        pod(lab, namespace, "team/app:v1", "docker.io")
        with registry_settings(lab, sources={"containerRuntimeSearchRegistries": [private, delegated]}):
            assert not lab.pull(namespace, "app", "--status", "--short-names", "enforcing")["pulled"]
            found = access(run, namespace)
        assert (found["verdict"], found["cause"]) == ("will_not_pull", "short_name_ambiguous")


CRIO, CONTAINERD = ("--whole",), ("--runtime", "containerd")
#: The answer of the registry or its token service, and the cause that the error text of each runtime proves.
ANSWERS = (
    ("ping=403,html", "proxy", ""),
    ("manifests=403,html", "proxy", "denied"),
    ("manifests=200,html", "proxy", "proxy"),
    ("manifests=407", "proxy", "proxy"),
    ("manifests=402", "billing", "billing"),
    ("manifests=502", "registry_error", "registry_error"),
    ("manifests=404", "not_found", "not_found"),
    ("manifests=damaged", "damaged_content", "damaged_content"),
    ("blobs=404", "damaged_content", "damaged_content"),
    ("blobs=damaged", "damaged_content", "damaged_content"),
    ("blobs=500", "registry_error", "registry_error"),
    ("token=502", "registry_error", "registry_error"),
    ("token=404", "registry_error", "registry_error"),
    ("token=401", "bad_credentials", "bad_credentials"),
    ("token=403", "denied", "bad_credentials"),
    ("token=200,html", "proxy", "proxy"),
    ("token=402", "billing", "billing"),
    ("token=429", "rate_limited", "rate_limited"),
)
#: Causes that another login cannot fix.
NO_LOGIN_HELPS = ("proxy", "damaged_content", "billing", "registry_error", "rate_limited", "not_found")


class TestFaults:
    """The error texts of the runtimes for answers of a registry, its token service or a proxy."""

    @pytest.fixture
    def pods(self, lab: Lab, namespace: str) -> Iterator[str]:
        image = lab.registry("private")["image"]
        pod(lab, namespace, image, lab.registry("private")["host"])
        yield namespace
        lab.registry_set("private", "--answer", "")

    def cause(self, lab: Lab, run: Any, namespace: str, *flags: str) -> str:
        """Return the reported cause of a node's failed pull. No task is offered if another login cannot help."""
        found = lab.pull(namespace, "app", "--status", *flags)
        assert not found["pulled"], flags
        seen = access(run, namespace)
        if seen["cause"] in NO_LOGIN_HELPS:
            assert seen["verdict"] == ("unknown" if seen["cause"] == "not_found" else "will_not_pull")
            assert seen["fix"] == []
        return seen["cause"]

    def test_each_error_of_a_registry_has_its_cause(self, lab: Lab, run: Any, pods: str) -> None:
        wrong = []
        for answered, crio, containerd in ANSWERS:
            lab.registry_set("private", "--answer", answered)
            for flags, cause in ((CRIO, crio), (CONTAINERD, containerd)):
                if cause and (found := self.cause(lab, run, pods, *flags)) != cause:
                    wrong.append((answered, flags, cause, found))
        assert wrong == []

    @pytest.mark.parametrize(
        "status", [b"407 Proxy Authentication Required", b"403 Forbidden", b"502 Bad Gateway", b"503 "]
    )
    @pytest.mark.parametrize("flags", [CRIO, CONTAINERD])
    def test_a_refusing_proxy_is_not_reported_as_the_registry(
        self, lab: Lab, run: Any, pods: str, flags: tuple[str, ...], status: bytes
    ) -> None:
        with served(answer(b"HTTP/1.1 " + status, b"Content-Length: 0"), None) as proxy:
            assert self.cause(lab, run, pods, *flags, "--proxy", f"http://{proxy.host}") == "proxy"
        assert self.cause(lab, run, pods, *flags, "--proxy", f"http://{proxy.host}") == "proxy", (
            "no server listens there now"
        )


MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{'0' * 64}", "size": 2},
        "layers": [],
    }
).encode()
LOGIN = b64(b"alice:Canary-77")


def small_registry(server: HostileRegistry) -> Iterable[bytes]:
    """Answer with a manifest, but only for alice."""
    request = server.requests[-1]
    if f"Authorization: Basic {LOGIN}".lower().encode() not in request.lower():
        yield b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="r"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
        return
    digest = f"Docker-Content-Digest: sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\n{digest}\r\n"
    yield f"{head}Content-Length: {len(MANIFEST)}\r\nConnection: close\r\n\r\n".encode()
    if not request.startswith(b"HEAD"):
        yield MANIFEST


class TestInsecure:
    """A registry whose certificate is not verified by the nodes, because the cluster's image config lists it as insecure."""

    def asked(
        self, lab: Lab, run: Any, namespace: str, context: ssl.SSLContext | None, *, insecure: bool
    ) -> tuple[bool, dict[str, Any]]:
        """Return whether a node pulls from such a registry, and the result of the module that queries it."""
        with served(small_registry, context) as server:
            entry = {"auths": {server.host: {"auth": LOGIN}}}
            lab.create(namespace, "secrets", pull_secret("pull", entry))
            spec = {
                "containers": [{"name": "app", "image": f"{server.host}/team/app:v1"}],
                "imagePullSecrets": [{"name": "pull"}],
            }
            lab.create(namespace, "pods", {"metadata": {"name": "app"}, "spec": spec})
            with registry_settings(
                lab, sources={"insecureRegistries": [server.host] if insecure else ["other.example.com"]}
            ):
                pulled = lab.pull(namespace, "app", "--status")["pulled"]
                before = len(server.requests)
                result = run(
                    "pull_access_info",
                    namespaces=[namespace],
                    pod="app",
                    ask_registries=True,
                    realm_hosts=[server.host],
                    registry_ca_cert=lab.data["ca_cert"],
                )
            if context is None:
                assert not any(b"uthorization" in request for request in server.requests[before:])
        assert not result["failed"], result["msg"]
        (found,) = result["namespaces"][0]["access"]
        return pulled, found

    @pytest.mark.parametrize("insecure", [True, False])
    def test_an_insecure_registry_is_queried_as_a_node_queries_it(
        self, lab: Lab, run: Any, namespace: str, tmp_path: Path, insecure: bool
    ) -> None:
        context = server_context(write_certificate(tmp_path / "own.pem"))
        pulled, found = self.asked(lab, run, namespace, context, insecure=insecure)
        assert pulled is insecure
        assert found["verdict"] == ("pulls" if insecure else "will_not_pull")
        assert found["cause"] == ("" if insecure else "tls_untrusted")

    def test_a_login_is_not_sent_without_tls(self, lab: Lab, run: Any, namespace: str) -> None:
        pulled, found = self.asked(lab, run, namespace, None, insecure=True)
        assert pulled, "a node sends it"
        assert any("not sent" in step["message"] for step in found["steps"] if step["step"] == "registry"), found[
            "text"
        ]
