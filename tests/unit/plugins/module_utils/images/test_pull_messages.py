# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nodes have really said, what other versions make of it, and what they might say."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_messages import (
    PullMessage,
    understand,
)
from hypothesis import given
from hypothesis import strategies as st
from support.client_texts import CLIENTS, IMAGE, texts

RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[4] / "support" / "pull_messages.json").read_text("utf-8")
)
CANARY = "c4n4ry-Secret"


def causes(found: PullMessage, *, mirrors: bool = False) -> list[str]:
    return [attempt.rule.id for attempt in found.attempts if attempt.is_mirror == mirrors]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["id"])
class TestRecorded:
    def test_each_is_understood(self, case: dict[str, Any]) -> None:
        found = understand(case.get("reason", ""), case["message"])
        assert causes(found) == case["sources"]
        if "mirrors" in case:
            assert causes(found, mirrors=True) == case["mirrors"]

    @pytest.mark.parametrize(
        "layers",
        [
            "rpc error: code = Unknown desc = {}",
            'Back-off pulling image "registry.example.com/app:1": ErrImagePull: {}',
            'Failed to pull image "registry.example.com/app:1": rpc error: code = Unknown desc = {}',
            'Back-off pulling image "registry.example.com/app:1": ErrImagePull: rpc error: code = DeadlineExceeded desc = {}',
            "  {}\n",
        ],
    )
    def test_in_more_layers(self, case: dict[str, Any], layers: str) -> None:
        found = understand("ImagePullBackOff", layers.format(case["message"]))
        assert causes(found) == case["sources"]

    def test_names_that_read_like_causes(self, case: dict[str, Any]) -> None:
        message = case["message"]
        for name in ("/app", "/team/", "/org/"):
            message = message.replace(
                name, f"{name.rstrip('/')}/denied-404.timeout/toomanyrequests/not-found{'/' * name.endswith('/')}"
            )
        assert causes(understand("", message)) == case["sources"]


#: As the kubelet hands on what a runtime writes.
_FRAMES = (
    "{}",
    f'Failed to pull image "{IMAGE}": {{}}',
    f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = {{}}',
    f'Back-off pulling image "{IMAGE}": ErrImagePull: {{}}',
)


class TestClients:
    """Each fault in the words of each client, made of the formats in its source."""

    @pytest.mark.parametrize("frame", _FRAMES)
    def test_each_text_has_its_cause(self, frame: str) -> None:
        wrong = [
            (text.client, text.cause, found, text.text)
            for text in texts()
            if (found := causes(understand("ErrImagePull", frame.format(text.text)))) != [text.cause]
        ]
        assert wrong == []

    def test_the_new_and_the_common_causes_are_told_by_each_client(self) -> None:
        told = {(text.client, text.cause) for text in texts()}
        wanted = (
            *("proxy", "damaged_content", "billing", "registry_error", "rate_limited", "denied", "not_found", "dns"),
            *("connection_refused", "timeout", "tls_http", "tls_expired", "tls_name", "tls_untrusted", "platform"),
        )
        assert {(client, cause) for client in CLIENTS for cause in wanted} <= told


class TestServer:
    """Whom the node asked, where that was not the registry."""

    @pytest.mark.parametrize(
        ("url", "server"),
        [
            ("https://auth.example.com/token?scope=x", "auth.example.com"),
            ("https://storage.example.com:8443/bucket/x", "storage.example.com:8443"),
            ("https://a.example.com/v2/", ""),
            ("https://a.example.com/token", ""),
            ("https://mirror.example.com/v2/b/manifests/1?ns=a.example.com", ""),
            ('https://a.example.com/v2/b/manifests/1": Get "https://auth.example.com/token', "auth.example.com"),
        ],
    )
    @pytest.mark.parametrize(
        "frame",
        [
            'initializing source docker://a.example.com/b:1: Get "{}": dial tcp: lookup x: no such host',
            'failed to pull and unpack image "a.example.com/b:1": failed to authorize: Get "{}": dial tcp: lookup x: no such host',
        ],
    )
    def test_is_known_by_its_host_and_path(self, frame: str, url: str, server: str) -> None:
        (found,) = understand("ErrImagePull", frame.format(url)).attempts
        assert (found.rule.id, found.server) == ("dns", server)
        assert found.meaning == f"The node cannot resolve the name of {server or 'the registry'}"

    @pytest.mark.parametrize(
        ("text", "meaning"),
        [
            (
                "Requesting bearer token: received unexpected HTTP status: 502 Bad Gateway",
                "The registry's token service failed",
            ),
            (
                'failed to fetch oauth token: Post "https://auth.example.com/x": x509: certificate has expired or is not yet valid',
                "The certificate of the token service auth.example.com has expired or is not valid yet, or the node's clock is wrong",
            ),
            (
                "reading manifest 1 in a.example.com/b: received unexpected HTTP status: 502 Bad Gateway",
                "The registry failed",
            ),
        ],
    )
    def test_a_token_service_is_called_so(self, text: str, meaning: str) -> None:
        (found,) = understand("ErrImagePull", f"initializing source docker://a.example.com/b:1: {text}").attempts
        assert found.meaning == meaning

    @pytest.mark.parametrize("text", ["denied", 'Get "https://x.example.com/y": EOF', "docker://b:1: https://x/y: EOF"])
    def test_is_not_known_without_the_image_and_the_request(self, text: str) -> None:
        assert [attempt.server for attempt in understand("ErrImagePull", text).attempts] == [""]


class TestLayers:
    @pytest.mark.parametrize(
        ("message", "text", "image"),
        [
            ('Back-off pulling image "q.io/a:1": ErrImagePull: x', "x", "q.io/a:1"),
            ('Error: BACK-OFF pulling image "q.io/a:1": x', "x", "q.io/a:1"),
            ('x: back-off pulling image "q.io/a:1"', 'x: back-off pulling image "q.io/a:1"', ""),
            ('Failed to inspect image "": rpc error: code = Unknown desc = x', "x", ""),
            ("Error: ImageInspectError: x", "x", ""),
            ("image pull failed for q.io/a:1 because the registry is unavailable: x", "x", "q.io/a:1"),
            ("image pull failed for q.io/a:1 because the signature validation failed: x", "x", "q.io/a:1"),
            ("unable to pull image: initializing source docker://q.io/a:1: x", "x", "q.io/a:1"),
            ("unable to pull image or OCI artifact: pull image err: x; artifact err: y", "x", ""),
            ("Error initializing source docker://q.io/a:1: x", "x", "q.io/a:1"),
            ('failed to pull and unpack image "q.io/a:1": failed to resolve reference "r.io/a:1": x', "x", "r.io/a:1"),
            ("Error response from daemon: x", "x", ""),
            ("x: rpc error: code = Unknown desc = y", "x: rpc error: code = Unknown desc = y", ""),
        ],
    )
    def test_are_taken_off(self, message: str, text: str, image: str) -> None:
        (found,) = understand("", message).attempts
        assert (found.text, found.image, found.is_mirror) == (text, image, False)


class TestSeveral:
    def test_credentials_are_in_the_order_in_which_they_were_tried(self) -> None:
        texts = [
            "unable to pull image or OCI artifact: pull image err: initializing source docker://a.example.com/b:1: unable to "
            "retrieve auth token: invalid username/password: unauthorized; artifact err: x",
            "unable to pull image: initializing source docker://a.example.com/b:1: reading manifest 1 in a.example.com/b: "
            "manifest unknown",
        ]
        found = understand("ErrImagePull", f"[{', '.join(texts)}]")
        assert causes(found) == ["bad_credentials", "not_found"]
        assert {attempt.image for attempt in found.attempts} == {"a.example.com/b:1"}
        assert found.cause and found.cause.rule.id == "bad_credentials"

    def test_mirrors_come_before_their_source(self) -> None:
        mirrors = (
            '[m1.example.com/b:1: pinging container registry m1.example.com: Get "https://m1.example.com/v2/": dial tcp [::1]:443: '
            "connect: connection refused]\n[m2.example.com/b:1: reading manifest 1 in m2.example.com/b: authentication required]"
        )
        found = understand(
            "",
            f"initializing source docker://a.example.com/b:1: (Mirrors also failed: {mirrors}): a.example.com/b:1: manifest unknown",
        )
        assert [(attempt.rule.id, attempt.image, attempt.is_mirror) for attempt in found.attempts] == [
            ("connection_refused", "m1.example.com/b:1", True),
            ("unauthorized", "m2.example.com/b:1", True),
            ("not_found", "a.example.com/b:1", False),
        ]

    @pytest.mark.parametrize(
        ("source", "cause"),
        [
            ("dial tcp: lookup a.example.com: no such host", "denied"),
            ("connection refused", "denied"),
            ("i/o timeout", "denied"),
            ("registry a.example.com is blocked in /etc/containers/registries.conf", "denied"),
            ("unable to retrieve auth token: invalid username/password: x", "bad_credentials"),
        ],
    )
    def test_the_mirrors_error_is_the_cause_where_the_source_cannot_be_reached(self, source: str, cause: str) -> None:
        text = f"(Mirrors also failed: [m.example.com/b:1: requested access to the resource is denied]): a.example.com/b:1: {source}"
        found = understand("ErrImagePull", text)
        assert found.cause and found.cause.rule.id == cause

    def test_a_source_that_was_reached_with_one_credential_is_the_cause(self) -> None:
        frame = "initializing source docker://a.example.com/b:1: (Mirrors also failed: [m.example.com/b:1: denied]): a.example.com/b:1: "
        found = understand("", f"[{frame}connection refused, {frame}invalid username/password: x]")
        assert causes(found) == ["connection_refused", "bad_credentials"]
        assert found.cause and found.cause.rule.id == "connection_refused"

    def test_a_mirror_without_a_name(self) -> None:
        found = understand("", "(Mirrors also failed: [denied]): manifest unknown")
        assert [(attempt.rule.id, attempt.image, attempt.text) for attempt in found.attempts] == [
            ("denied", "", "denied"),
            ("not_found", "", "manifest unknown"),
        ]


class TestNothingTold:
    @pytest.mark.parametrize(
        "message",
        [
            'Back-off pulling image "a.example.com/b:1"',
            "ImagePullBackOff",
            "ErrImagePull",
            "RegistryUnavailable",
            "",
            " \n",
        ],
    )
    def test_there_is_no_attempt(self, message: str) -> None:
        found = understand(message, message)
        assert (found.attempts, found.cause) == ((), None)

    def test_the_reason_may_be_the_text(self) -> None:
        assert causes(understand("illegal base64 data at input byte 8")) == ["secret_unparsable"]


class TestUnknown:
    @pytest.mark.parametrize(
        "text",
        [
            "something new happened",
            "reading manifest v1 in a.example.com/denied: something new",
            'Failed to pull image "a.example.com/toomanyrequests:404": something new',
            'Failed to pull image "a.example.com/denied:404": a.example.com/denied:404 has something new',
            f'Failed to pull image "a.example.com:5000/denied@sha256:{"0" * 64}": a.example.com:5000/denied has something new',
            'Failed to pull image "a.example.com:5000/denied:1": a.example.com:5000/denied has something new',
            f'Failed to pull image "a.example.com/denied:1@sha256:{"0" * 64}": a.example.com/denied:1 has something new',
            'Failed to pull image "a.example.com/denied:1": (Mirrors also failed: [m.io/x:1: y]): b.io/x:1: a.example.com/denied:1 has z',
            "parsing HTTP body: invalid character 'x' looking for beginning of value",
        ],
    )
    def test_no_class_is_guessed(self, text: str) -> None:
        assert set(causes(understand("ErrImagePull", text))) == {"unknown"}

    def test_a_short_name_is_not_taken_out_of_a_text(self) -> None:
        assert causes(understand("", 'Failed to pull image "denied": denied')) == ["denied"]

    @given(st.text(), st.text())
    def test_whatever_is_said(self, reason: str, message: str) -> None:
        understand(reason, message)

    @given(
        st.lists(
            st.sampled_from(
                [*'[]():," ', "rpc error: ", "(Mirrors also failed: [", "]): ", "denied", "Back-off pulling image "]
            )
        )
    )
    def test_whatever_is_said_with_the_words_of_the_layers(self, parts: list[str]) -> None:
        understand("", "".join(parts))

    def test_a_long_one(self) -> None:
        assert causes(understand("", "denied: " + "x, [(" * 200_000)) == ["denied"]


class TestCredentials:
    @pytest.mark.parametrize(
        "text",
        [
            f'failed to pull and unpack image "a.example.com/b:1": invalid decoded auth: "user:{CANARY}"',
            f'decoding bearer token (last URL "https://u:{CANARY}@a.example.com/token", body start "{{{CANARY}")',
            f"failed to fetch oauth token: GET request to https://a.example.com/t?account={CANARY}: 401 Unauthorized",
        ],
    )
    def test_are_not_in_what_is_understood(self, text: str) -> None:
        assert CANARY not in repr(understand("ErrImagePull", text))


def test_a_message_of_many_images_and_parts_takes_little_time() -> None:
    images = "".join(f'failed to pull image "q.io/{number}": ' for number in range(2200))
    began = time.process_time()
    assert understand("Failed", f"{images}[{', '.join(['failed to x'] * 6000)}]").cause is not None
    assert time.process_time() - began < 4


@pytest.mark.parametrize(
    "host", ["a" * 300, "token.example.com|x", "token.example.com:x", "\u202eexample.com", "a(b)c"]
)
def test_a_server_that_is_none_is_not_named(host: str) -> None:
    text = f'initializing source docker://q.io/a:1: Get "https://{host}/token": EOF'
    attempt = understand("Failed", text).cause
    assert attempt is not None
    assert (attempt.server, attempt.meaning) == ("", attempt.rule.meaning)


@pytest.mark.parametrize(
    "said",
    [
        "toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: "
        "https://www.docker.com/increase-rate-limit",
        "unauthorized: Please login to the Red Hat Registry using your Customer Portal credentials. Further instructions can be found here: "
        "https://access.redhat.com/RegistryAuthentication",
    ],
)
def test_a_page_that_a_registry_recommends_is_no_server_that_failed(said: str) -> None:
    attempt = understand("Failed", f"initializing source docker://q.io/a:1: reading manifest 1 in q.io/a: {said}").cause
    assert attempt is not None
    assert (attempt.server, attempt.meaning) == ("", attempt.rule.meaning)


@pytest.mark.parametrize("said", ["artifact {}:1 not found", "unknown: repository {} not found"])
@pytest.mark.parametrize("name", ["denied/rootfs", "billing/toomanyrequests"])
def test_a_repository_without_its_host_is_no_cause_either(said: str, name: str) -> None:
    text = f"initializing source docker://q.io/{name}:1: reading manifest 1 in q.io/{name}: {said.format(name)}"
    assert causes(understand("Failed", text)) == ["not_found"]


def test_a_full_disk_is_no_damaged_content_whatever_file_is_written() -> None:
    text = "failed to extract layer sha256:1: mount callback failed: write /tmp/rootfs/x: no space left on device"
    assert causes(understand("Failed", text)) == ["disk"]
