# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of wrong copy has its own answer, and a right one is the same. A registry on 127.0.0.1 has the images and their copies."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.transport import (
    IMAGE_TYPES,
    INDEX_TYPES,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_list.copies import compare_copy
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_list.owners import TextOwner
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_list.rows import ImageUse
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import INFRASTRUCTURE
from support.certificates import server_context
from support.fake_api import FakeApi
from support.hostile_registry import HostileRegistry, served
from support.image_lists import cluster, list_images, run_list
from support.objects import auth_file, b64
from support.pull_evidence import known, template

IMAGE, INDEX = IMAGE_TYPES[0], INDEX_TYPES[0]
LOGIN = f"Authorization: Basic {b64('u:Canary-1')}"


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@dataclass
class Registry:
    """`content` has the media type and body by path. Repositories that begin with `private` need the login."""

    content: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    host: str = ""
    asked: list[str] = field(default_factory=list)
    #: Replaces the header with the digest. `{login}` is the login of the request.
    header: str = ""

    def push(self, repository: str, kind: str, body: bytes, tag: str = "v1") -> str:
        for reference in (tag, digest_of(body)):
            self.content[f"{repository}/manifests/{reference}"] = kind, body
        return digest_of(body)

    def push_image(self, repository: str, architecture: str = "amd64", salt: str = "", tag: str = "v1") -> str:
        configuration = json.dumps({"architecture": architecture, "salt": salt}).encode()
        self.content[f"{repository}/blobs/{digest_of(configuration)}"] = "application/octet-stream", configuration
        return self.push(repository, IMAGE, json.dumps({"config": {"digest": digest_of(configuration)}}).encode(), tag)

    def push_index(self, repository: str, *architectures: str, salt: str = "", tag: str = "v1") -> str:
        found = [
            {"digest": self.push_image(repository, each, salt, each), "platform": {"architecture": each, "os": "linux"}}
            for each in architectures
        ]
        return self.push(repository, INDEX, json.dumps({"schemaVersion": 2, "manifests": found}).encode(), tag)

    def script(self, server: HostileRegistry) -> Iterable[bytes]:
        lines = server.requests[-1].decode("latin-1").split("\r\n")
        method, path, _version = lines[0].split(" ")
        self.asked.append(f"{method} {path}")
        path = path.removeprefix("/v2/")
        kind, body = self.content.get(path, ("text/plain", b""))
        head = [f"HTTP/1.1 {200 if path in self.content else 404} X", f"Docker-Content-Digest: {digest_of(body)}"]
        if self.header:
            login = next((line.partition(": ")[2] for line in lines if line.lower().startswith("authorization")), "")
            head[1] = self.header.format(login=login, password=b64("Canary-1"))
        if path.startswith("private") and not any(line.lower() == LOGIN.lower() for line in lines):
            head, body = ["HTTP/1.1 401 X", 'WWW-Authenticate: Basic realm="r"'], b""
        yield "\r\n".join(
            [*head, f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close", "", ""]
        ).encode()
        yield b"" if method == "HEAD" else body


@pytest.fixture
def registry(certificate: str, no_outside_settings: None) -> Iterator[Registry]:
    found = Registry()
    with served(found.script, server_context(certificate)) as server:
        found.host = server.host
        yield found


@pytest.fixture
def api() -> FakeApi:
    """A cluster with nodes of two architectures."""
    api = cluster("a")
    for name in ("amd64", "arm64"):
        api.put("nodes", "", name, status={"nodeInfo": {"architecture": name}})
    return api


def use(api: FakeApi, registry: Registry, image: str = "old/app:v1", running: str = "", namespace: str = "a") -> None:
    container = {"name": "app", "image": f"{registry.host}/{image}"}
    status = {"name": "app", "imageID": f"x@{running}", "state": {"running": {}}}
    api.put("pods", namespace, "app", spec={"containers": [container], "imagePullSecrets": [{"name": "pull"}]},
            status={"containerStatuses": [status] if running else []})  # fmt: skip


def compare(api: FakeApi, registry: Registry, certificate: str, to: str = "new") -> dict[str, Any]:
    """The answer for the only image."""
    moves = {f"{registry.host}/old": f"{registry.host}/{to}"}
    how = {"realm_hosts": [registry.host], "registry_ca_cert": certificate, "registry_timeout": 20}
    document = list_images(api, to=moves, ask_registries=True, **how)
    assert "Canary" not in json.dumps(document)
    (row,) = document["images"]
    assert document["counts"]["copies"] == {row["copy"]["answer"]: 1}
    found: dict[str, Any] = row["copy"]
    return found


@pytest.mark.parametrize(
    "text",
    [
        "{login}",
        "sha256:{login}",
        "Canary-1",
        "{password}",
        "sha256:" + "a" * 63,
        f"sha256:{'a' * 64}, Canary-1",
        "=1+1",
        "\x1b[31m",
    ],
)
def test_no_text_of_a_registry_is_an_answer(api: FakeApi, registry: Registry, certificate: str, text: str) -> None:
    """A registry that repeats the login in its answer does not bring it into the list, and two ends with this text are not the same."""
    registry.header = f"Docker-Content-Digest: {text}"
    api.put("secrets", "a", "pull", type="kubernetes.io/dockerconfigjson",
            data={".dockerconfigjson": b64(auth_file({registry.host: ("u", "Canary-1")}))})  # fmt: skip
    for repository in ("private/old/app", "private/new/app"):
        registry.push_image(repository, salt=repository)
    use(api, registry, "private/old/app:v1")
    moves = {f"{registry.host}/private/old": f"{registry.host}/private/new"}
    how = {"realm_hosts": [registry.host], "registry_ca_cert": certificate, "registry_timeout": 20}
    document = list_images(api, to=moves, ask_registries=True, **how)
    (row,) = document["images"]
    assert (row["copy"]["answer"], row["copy"]["source_digest"], row["copy"]["copy_digest"]) == ("unknown", "", "")
    written = json.dumps(document)
    assert not [each for each in ("Canary", b64("u:Canary-1"), b64("Canary-1"), "=1+1", "31m") if each in written]


def test_an_index_without_valid_digests_is_not_known(api: FakeApi, registry: Registry, certificate: str) -> None:
    for repository in ("old/app", "new/app"):
        entry = {
            "digest": "../../secret",
            "platform": {"architecture": "amd64", "os": "linux"},
            "x": repository,
        }
        registry.push(repository, INDEX, json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode())
    api.remove("nodes", "", "arm64")
    use(api, registry)
    found = compare(api, registry, certificate)
    assert found["answer"] == "unknown"
    assert f"registry {registry.host} does not report all digests" in found["reason"]


def test_the_same_index_is_the_same(api: FakeApi, registry: Registry, certificate: str) -> None:
    digest = registry.push_index("old/app", "amd64", "arm64")
    assert registry.push_index("new/app", "amd64", "arm64") == digest
    use(api, registry)
    found = compare(api, registry, certificate)
    assert found == {
        "image": f"{registry.host}/new/app:v1", "answer": "same", "reason": f"both ends have {digest}",
        "source_digest": digest, "copy_digest": digest,
    }  # fmt: skip


def test_a_smaller_index_with_the_same_images_for_the_nodes_is_the_same(
    api: FakeApi, registry: Registry, certificate: str
) -> None:
    registry.push_index("old/app", "amd64", "arm64", "s390x")
    registry.push_index("new/app", "amd64", "arm64")
    use(api, registry)
    found = compare(api, registry, certificate)
    assert found["answer"] == "same" and found["reason"].endswith("with the same images for amd64 and arm64")
    assert found["source_digest"] != found["copy_digest"]


@pytest.mark.parametrize("is_index", [True, False])
def test_a_copy_without_an_architecture_of_the_nodes_is_named(
    api: FakeApi, registry: Registry, certificate: str, is_index: bool
) -> None:
    """A tool that copies one image of an index makes a copy without an index."""
    registry.push_index("old/app", "amd64", "arm64")
    push = registry.push_index if is_index else registry.push_image
    push("new/app", "amd64")
    use(api, registry)
    found = compare(api, registry, certificate)
    assert found["answer"] == "architecture_missing"
    assert found["reason"] == "the copy has no image for arm64, and the source has"


@pytest.mark.parametrize("has_source", [True, False])
def test_an_index_whose_manifest_for_the_nodes_is_lost_is_named(
    api: FakeApi, registry: Registry, certificate: str, has_source: bool
) -> None:
    digest = registry.push_index("new/app", "amd64", "arm64", "s390x")
    if has_source:
        registry.push_index("old/app", "amd64", "arm64", "s390x")
    use(api, registry, running=digest)
    for lost, answer in (("s390x", "same"), ("arm64", "architecture_missing")):
        gone = f"new/app/manifests/{digest_of(registry.content[f'new/app/manifests/{lost}'][1])}"
        del registry.content[gone]
        assert compare(api, registry, certificate)["answer"] == answer
    assert compare(api, registry, certificate)["reason"] == (
        "the copy has no image for arm64, although its index names one"
    )


def test_a_tag_that_moved_since_the_copy_is_another_image(api: FakeApi, registry: Registry, certificate: str) -> None:
    registry.push_index("old/app", "amd64", "arm64", salt="newer")
    copied = registry.push_index("new/app", "amd64", "arm64")
    use(api, registry, running=copied)
    found = compare(api, registry, certificate)
    assert found["answer"] == "other_digest"
    assert found["reason"].endswith("for amd64 and arm64: the copy has the image that runs, and the source is newer")


def test_a_missing_copy_is_missing(api: FakeApi, registry: Registry, certificate: str) -> None:
    registry.push_index("old/app", "amd64")
    use(api, registry)
    assert compare(api, registry, certificate)["answer"] == "missing"


def test_an_image_by_digest_needs_the_same_digest(api: FakeApi, registry: Registry, certificate: str) -> None:
    """A copy that was written again has the tag, and another digest."""
    digest = registry.push_index("old/app", "amd64")
    registry.push_index("new/app", "amd64", salt="written again")
    use(api, registry, f"old/app:v1@{digest}")
    assert compare(api, registry, certificate)["answer"] == "missing"
    registry.push_index("new/app", "amd64")
    assert compare(api, registry, certificate)["answer"] == "same"


def test_an_account_without_a_login_for_the_copy_is_named(api: FakeApi, registry: Registry, certificate: str) -> None:
    registry.push_index("old/app", "amd64")
    registry.push_index("private/app", "amd64")
    use(api, registry)
    found = compare(api, registry, certificate, "private")
    assert found["answer"] == "no_login"
    assert found["reason"].startswith(
        f"service account a/default needs a login for {registry.host}/private/app: without a login, "
    )
    content = json.dumps(auth_file({f"{registry.host}/private": ("u", "Canary-1")}))
    api.put("secrets", "a", "pull", type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": b64(content)})
    assert compare(api, registry, certificate, "private")["answer"] == "same"


def test_the_account_of_a_related_image_is_not_known_so_neither_is_its_login(
    api: FakeApi, registry: Registry, certificate: str
) -> None:
    registry.push_index("old/app", "amd64")
    registry.push_index("private/app", "amd64")
    related = [{"name": "app", "image": f"{registry.host}/old/app:v1"}]
    api.put("clusterserviceversions", "a", "app.v1", spec={"relatedImages": related})
    found = compare(api, registry, certificate, "private")
    assert found["answer"] == "unknown"
    assert found["reason"] == "the operator chooses the account that pulls its related images"
    assert compare(api, registry, certificate, "missing")["answer"] == "missing"


def test_a_copy_without_the_signature_that_a_policy_requires_is_named(
    api: FakeApi, registry: Registry, certificate: str
) -> None:
    digest = registry.push_image("old/app", "amd64")
    registry.push_image("new/app", "amd64")
    api.remove("nodes", "", "arm64")
    api.put("clusterimagepolicies", "", "signed", spec={"scopes": [f"{registry.host}/new"]})
    use(api, registry)
    assert compare(api, registry, certificate)["answer"] == "unsigned"
    registry.push("new/app", IMAGE, b"{}", f"{digest.replace(':', '-')}.sig")
    assert compare(api, registry, certificate)["answer"] == "same"


@pytest.mark.parametrize(("platform", "answer"), [("AWS", "unknown"), ("GCP", "no_login")])
def test_a_registry_of_the_cloud_that_refuses_this_host_may_accept_the_nodes(platform: str, answer: str) -> None:
    source, copy = reference_of("quay.io/team/app:v1"), reference_of("1.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1")
    assert source is not None and copy is not None
    subject = template("a", image=str(source))
    use = ImageUse(subject, subject.ref, "spec", "template", TextOwner("unknown"), move=(source, copy))
    cloud = {INFRASTRUCTURE: {"status": {"platformStatus": {"type": platform}}}}
    evidence = Lookup(known(a=None, more=cloud))
    while True:
        try:
            found = compare_copy(use, evidence).copy
            break
        except ReadRequired:
            evidence.add({ref: {"outcome": "no_login", "message": "refused"} for ref in evidence.take_wanted()})
    assert found.answer == answer


@pytest.mark.parametrize(
    ("running", "answer"), [("copied", "same"), (f"sha256:{'e' * 64}", "other_digest"), ("", "unknown")]
)
def test_the_digest_that_runs_replaces_a_source_that_is_gone(
    api: FakeApi, registry: Registry, certificate: str, running: str, answer: str
) -> None:
    copied = registry.push_index("new/app", "amd64", "arm64")
    use(api, registry, running=copied if running == "copied" else running)
    found = compare(api, registry, certificate)
    assert found["answer"] == answer and found["reason"].startswith("not all can be compared (")


def test_a_copy_without_an_architecture_is_named_without_the_source_too(
    api: FakeApi, registry: Registry, certificate: str
) -> None:
    use(api, registry, running=registry.push_index("new/app", "amd64"))
    assert compare(api, registry, certificate)["answer"] == "architecture_missing"


def test_a_registry_that_does_not_answer_is_not_known(api: FakeApi, registry: Registry, certificate: str) -> None:
    registry.push_index("old/app", "amd64")
    use(api, registry)
    moves = {f"{registry.host}/old": "127.0.0.1:1/new"}
    document = list_images(
        api, to=moves, ask_registries=True, realm_hosts=[registry.host], registry_ca_cert=certificate
    )
    assert document["images"][0]["copy"]["answer"] == "unknown"


def test_an_unreadable_secret_makes_the_answer_unknown(api: FakeApi, registry: Registry, certificate: str) -> None:
    api.put("secrets", "a", "pull", type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": b64("{")})
    use(api, registry)
    assert compare(api, registry, certificate)["answer"] == "unknown"
    assert registry.asked == []


def test_a_namespace_asks_each_question_once_and_none_about_other_images(
    api: FakeApi, registry: Registry, certificate: str
) -> None:
    registry.push_index("old/app", "amd64", "arm64")
    registry.push_index("new/app", "amd64", "arm64")
    for name in ("b", "c"):
        api.put("namespaces", "", name)
        use(api, registry, namespace=name)
    use(api, registry, "other/app:v1")
    options = {"realm_hosts": [registry.host], "registry_ca_cert": certificate}
    moves = {f"{registry.host}/old": f"{registry.host}/new"}
    text = run_list(api, of=[registry.host], to=moves, ask_registries=True, **options).extra["text"]
    # Two namespaces can ask at the same time.
    assert max(Counter(registry.asked).values()) <= 2, registry.asked
    assert {line for line in registry.asked if "sha256" not in line} == {
        f"{how} /v2/{where}/app/manifests/v1" for how in ("HEAD", "GET") for where in ("old", "new")
    }
    assert len({line for line in registry.asked if line.startswith("HEAD /v2/") and "sha256" in line}) == 4
    assert text[1] == "Copies: 2 the same"
