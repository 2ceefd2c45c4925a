# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry is asked for the architectures of an image, with as few requests as possible. TLS on 127.0.0.1."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry import proof
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.image_details import (
    prove_platforms,
    prove_signatures,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.proof import (
    ImageArchitectures,
    RegistryImage,
    RegistryProof,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.transport import (
    IMAGE_TYPES,
    INDEX_TYPES,
    RegistryOptions,
)
from support.certificates import server_context
from support.hostile_registry import HostileRegistry, served
from support.registry_content import Content, serve_content

IMAGE, INDEX = IMAGE_TYPES[0], INDEX_TYPES[0]
CONFIGURATION = f"sha256:{'c' * 64}"
MANIFEST = f"sha256:{'a' * 64}"
#: The manifest that each index names.
CHILD = {f"manifests/{MANIFEST}": (200, IMAGE, b"")}
SINGLE = json.dumps({"schemaVersion": 2, "config": {"digest": CONFIGURATION}}).encode()


def index(*architectures: str) -> bytes:
    found = [{"digest": MANIFEST, "platform": {"architecture": each, "os": "linux"}} for each in architectures]
    return json.dumps({"schemaVersion": 2, "manifests": found}).encode()


def one(body: bytes = b'{"architecture": "arm64"}', status: int = 200) -> Content:
    return {"manifests/v1": (200, IMAGE, SINGLE), f"blobs/{CONFIGURATION}": (status, "application/octet-stream", body)}


@pytest.fixture
def ask(certificate: str, no_outside_settings: None) -> Any:
    def start(content: Content, *headers: str, login: bool = False, **how: bool) -> tuple[Any, list[str]]:
        with serve_content(certificate, content, *headers, needs_login=login) as registry:
            result = prove_platforms(registry.options, registry.image(), registry.login, is_named=True, **how)
        found = result.architectures
        assert found is None or (found.unread.isprintable() and "Canary" not in found.unread)
        return (result.outcome, found), registry.requests

    return start


def test_an_index_is_read_with_one_more_request_and_one_for_each_manifest(ask: Any) -> None:
    found, lines = ask({"manifests/v1": (200, INDEX, index("amd64", "arm64", "amd64")), **CHILD})
    assert found == ("pulls", ImageArchitectures(True, ("amd64", "arm64")))
    assert lines == ["HEAD manifests/v1", "GET manifests/v1", *[f"HEAD manifests/{MANIFEST}"] * 3]


def test_a_manifest_that_the_registry_has_lost_is_not_part_of_the_image(ask: Any) -> None:
    found, lines = ask({"manifests/v1": (200, INDEX, index("amd64"))})
    assert found == ("pulls", ImageArchitectures(True, (), lost=("amd64",)))
    assert lines[2:] == [f"HEAD manifests/{MANIFEST}", f"GET manifests/{MANIFEST}"]


@pytest.mark.parametrize("status", [401, 405, 429, 500])
def test_only_the_answer_that_it_does_not_exist_proves_a_loss(ask: Any, status: int) -> None:
    content = {"manifests/v1": (200, INDEX, index("amd64")), f"manifests/{MANIFEST}": (status, IMAGE, b"")}
    assert ask(content)[0] == ("pulls", ImageArchitectures(True, ("amd64",)))


def test_the_manifests_of_a_long_index_are_not_all_requested(ask: Any) -> None:
    (outcome, found), lines = ask({"manifests/v1": (200, INDEX, index(*["amd64"] * 40)), **CHILD})
    assert (outcome, found.names, len(lines)) == ("pulls", ("amd64",), 2 + 16)


def test_an_image_without_an_index_is_not_read_unless_its_configuration_is_wanted(ask: Any) -> None:
    assert ask(one()) == (("pulls", None), ["HEAD manifests/v1"])
    found, lines = ask(one(), reads_configuration=True)
    assert found == ("pulls", ImageArchitectures(False, ("arm64",)))
    assert lines == ["HEAD manifests/v1", "GET manifests/v1", f"GET blobs/{CONFIGURATION}"]


def test_an_index_that_is_read_elsewhere_is_not_read_here(ask: Any) -> None:
    found, lines = ask({"manifests/v1": (200, INDEX, index("amd64"))}, reads_index=False, reads_configuration=True)
    assert (found, lines) == (("pulls", None), ["HEAD manifests/v1"])


def test_a_manifest_of_an_unknown_type_is_read(ask: Any) -> None:
    content = {**one(), "manifests/v1": (200, "text/plain", SINGLE)}
    assert ask(content)[0] == ("pulls", None)
    assert ask(content, reads_configuration=True)[0] == ("pulls", ImageArchitectures(False, ("arm64",)))
    content = {"manifests/v1": (200, "text/plain", index("amd64")), **CHILD}
    assert ask(content)[0] == ("pulls", ImageArchitectures(True, ("amd64",)))


def test_the_login_is_sent_with_each_request(ask: Any) -> None:
    found, lines = ask(one(), login=True, reads_configuration=True)
    assert found == ("pulls", ImageArchitectures(False, ("arm64",)))
    assert lines == ["HEAD manifests/v1", "HEAD manifests/v1", "GET manifests/v1", f"GET blobs/{CONFIGURATION}"]


def test_an_image_that_does_not_pull_has_no_architectures(ask: Any) -> None:
    assert ask({}, reads_configuration=True) == (("not_found", None), ["HEAD manifests/v1"])


def test_a_registry_that_counts_pulls_is_not_asked_for_more(ask: Any) -> None:
    (outcome, found), lines = ask({"manifests/v1": (200, INDEX, index("amd64"))}, "RateLimit-Limit: 100;w=21600")
    assert (outcome, found.is_index, found.names, lines) == ("pulls", True, (), ["HEAD manifests/v1"])
    assert "counts a request for a manifest as a pull" in found.unread


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (one(status=307), "was answered 307, a redirect, which is not followed"),
        (one(status=500), "was answered 500"),
        (one(b"[]"), "was answered 200 without a JSON object"),
        (one(b'{"os": "linux"}'), "has no architecture"),
        (one(b'{"architecture": "{{ x }}"}'), "has no architecture"),
        ({**one(), "manifests/v1": (200, IMAGE, b'{"config": {"digest": "../../token"}}')}, "names no configuration"),
        ({**one(), "manifests/v1": (200, IMAGE, b'{"config": 5}')}, "names no configuration"),
        ({**one(), "manifests/v1": (200, IMAGE, b" " * 70_000)}, "asking registry"),
    ],
)
def test_a_part_that_cannot_be_read_is_reported(ask: Any, content: Content, part: str) -> None:
    (outcome, found), _lines = ask(content, reads_configuration=True)
    assert (outcome, found.is_index, found.names, part in found.unread) == ("pulls", False, (), True)


@pytest.mark.parametrize("prove", [prove_platforms, prove_signatures])
def test_a_slow_registry_with_a_long_index_does_not_take_the_time_of_others(
    certificate: str, no_outside_settings: None, monkeypatch: pytest.MonkeyPatch, prove: Callable[..., RegistryProof]
) -> None:
    """Each answer is in time, and an index can make one question many requests. Other namespaces wait for its end."""
    monkeypatch.setattr(proof, "_MOST_TIMES", 0.1)
    digests = [f"sha256:{number:064x}" for number in range(16)]
    entries = [
        {"digest": each, "platform": {"architecture": f"a{at}", "os": "linux"}} for at, each in enumerate(digests)
    ]
    body = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()

    def script(server: HostileRegistry) -> Iterable[bytes]:
        method, path, _version = server.requests[-1].split(b"\r\n")[0].split(b" ")
        is_index = path.endswith(b"/v1")
        server.pause(0 if is_index else 0.15)
        status = b"200 OK" if is_index or (b"sha256:" in path and prove is prove_signatures) else b"404 None"
        content = body if is_index and method == b"GET" else b""
        head = [b"HTTP/1.1 " + status, b"Content-Type: " + INDEX.encode(), b"Content-Length: %d" % len(content)]
        yield b"\r\n".join([*head, b"Connection: close", b"", content])

    with served(script, server_context(certificate)) as server:
        options = RegistryOptions(server.host, ca_cert=certificate, timeout=20)
        result = prove(options, RegistryImage(server.host, "team/app", "v1"), None, is_named=True)
        assert 2 < len(server.requests) < 20, "at most 2 seconds"
    said = result.said if result.architectures is None else result.architectures.unread
    assert said.endswith("was not attempted: the answers before it took more than 2 seconds")
