# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real messages of nodes, their variants in other versions and invented messages get the right cause."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.times import seconds_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_messages import (
    PodEvents,
    PullMessage,
    is_about_image,
    is_about_volume,
    parse_message,
    pod_events,
)
from hypothesis import given
from hypothesis import strategies as st
from support.anything import CHANGES, Changed
from support.client_texts import CLIENTS, IMAGE, texts

RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[4] / "support" / "pull_messages.json").read_text("utf-8")
)

CANARY = "c4n4ry-Secret"


def causes(found: PullMessage, *, mirrors: bool = False) -> list[str]:
    return [attempt.rule.id for attempt in found.attempts if attempt.is_mirror == mirrors]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["id"])
class TestRecorded:
    def test_each_recorded_message_yields_its_causes(self, case: dict[str, Any]) -> None:
        found = parse_message(case.get("reason", ""), case["message"])
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
    def test_a_recorded_message_in_more_layers_yields_the_same_causes(self, case: dict[str, Any], layers: str) -> None:
        found = parse_message("ImagePullBackOff", layers.format(case["message"]))
        assert causes(found) == case["sources"]

    def test_image_names_that_look_like_causes_are_ignored(self, case: dict[str, Any]) -> None:
        message = case["message"]
        for name in ("/app", "/team/", "/org/"):
            message = message.replace(
                name, f"{name.rstrip('/')}/denied-404.timeout/toomanyrequests/not-found{'/' * name.endswith('/')}"
            )
        assert causes(parse_message("", message)) == case["sources"]


#: The ways in which the kubelet wraps a message of the runtime.
_FRAMES = (
    "{}",
    f'Failed to pull image "{IMAGE}": {{}}',
    f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = {{}}',
    f'Back-off pulling image "{IMAGE}": ErrImagePull: {{}}',
)


class TestClients:
    """Each client's text for each fault, made from the formats in its source code."""

    @pytest.mark.parametrize("frame", _FRAMES)
    def test_each_text_has_its_cause(self, frame: str) -> None:
        wrong = [
            (text.client, text.cause, found, text.text)
            for text in texts()
            if (found := causes(parse_message("ErrImagePull", frame.format(text.text)))) != [text.cause]
        ]
        assert wrong == []

    def test_each_client_has_texts_for_the_common_causes(self) -> None:
        told = {(text.client, text.cause) for text in texts()}
        wanted = (
            *("proxy", "damaged_content", "billing", "registry_error", "rate_limited", "denied", "not_found", "dns"),
            *("connection_refused", "timeout", "tls_http", "tls_expired", "tls_name", "tls_untrusted", "platform"),
        )
        assert {(client, cause) for client in CLIENTS for cause in wanted} <= told


class TestServer:
    """The server that the node asked, if that was not the registry."""

    @pytest.mark.parametrize(
        ("url", "server"),
        [
            ("https://auth.example.com/token?scope=x", "auth.example.com"),
            ("https://storage.example.com:8443/bucket/x", "storage.example.com:8443"),
            ("https://a.example.com/v2/", ""),
            ("https://a.example.com/token", ""),
            ("https://mirror.example.com/v2/b/manifests/1?ns=a.example.com", "mirror.example.com"),
            ("https://mirror.example.com/v2/", "mirror.example.com"),
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
    def test_the_server_is_recognized_by_its_host_and_path(self, frame: str, url: str, server: str) -> None:
        (found,) = parse_message("ErrImagePull", frame.format(url)).attempts
        assert (found.rule.id, found.server) == ("dns", server)
        assert found.meaning == f"The node cannot resolve the name of {server or 'the registry'}"

    @pytest.mark.parametrize(
        ("text", "meaning"),
        [
            ("Requesting bearer token: received unexpected HTTP status: 502 Bad Gateway",
             "The registry's token service failed"),
            ('failed to fetch oauth token: Post "https://auth.example.com/x": x509: certificate has expired or is not yet valid',
             "The certificate of the token service auth.example.com has expired or is not valid yet, or the node's clock is wrong"),
            ("reading manifest 1 in a.example.com/b: received unexpected HTTP status: 502 Bad Gateway",
             "The registry failed"),
        ],
    )  # fmt: skip
    def test_a_failed_token_service_is_named_in_the_message(self, text: str, meaning: str) -> None:
        (found,) = parse_message("ErrImagePull", f"initializing source docker://a.example.com/b:1: {text}").attempts
        assert found.meaning == meaning

    def test_the_image_of_the_container_is_that_of_a_text_without_one(self) -> None:
        """The first blob of an image is asked for without a layer that names the image."""
        text = 'parsing image configuration: Get "https://storage.example.com/x": dial tcp: lookup storage.example.com: no such host'
        (found,) = parse_message("ErrImagePull", f"unable to pull image: {text}", "a.example.com/b:1").attempts
        assert (found.image, found.server) == ("a.example.com/b:1", "storage.example.com")
        assert found.meaning == "The node cannot resolve the name of storage.example.com"

    @pytest.mark.parametrize("image", ["docker.io/team/app:v1", "nginx"])
    def test_docker_hub_has_other_hosts_than_its_name(self, image: str) -> None:
        text = 'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host'
        (found,) = parse_message("ErrImagePull", text, image).attempts
        assert found.server == ""

    @pytest.mark.parametrize("text", ["denied", 'Get "https://x.example.com/y": EOF', "docker://b:1: https://x/y: EOF"])
    def test_the_server_is_unknown_without_the_image_and_the_request(self, text: str) -> None:
        assert [attempt.server for attempt in parse_message("ErrImagePull", text).attempts] == [""]


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
    def test_outer_layers_are_removed_from_a_message(self, message: str, text: str, image: str) -> None:
        (found,) = parse_message("", message).attempts
        assert (found.text, found.image, found.is_mirror) == (text, image, False)


class TestSeveral:
    def test_attempts_with_several_credentials_keep_their_order(self) -> None:
        texts = [
            "unable to pull image or OCI artifact: pull image err: initializing source docker://a.example.com/b:1: unable to "
            "retrieve auth token: invalid username/password: unauthorized; artifact err: x",
            "unable to pull image: initializing source docker://a.example.com/b:1: reading manifest 1 in a.example.com/b: "
            "manifest unknown",
        ]
        found = parse_message("ErrImagePull", f"[{', '.join(texts)}]")
        assert causes(found) == ["bad_credentials", "not_found"]
        assert {attempt.image for attempt in found.attempts} == {"a.example.com/b:1"}
        assert found.cause and found.cause.rule.id == "bad_credentials"

    def test_mirrors_come_before_their_source(self) -> None:
        mirrors = (
            '[m1.example.com/b:1: pinging container registry m1.example.com: Get "https://m1.example.com/v2/": dial tcp [::1]:443: '
            "connect: connection refused]\n[m2.example.com/b:1: reading manifest 1 in m2.example.com/b: authentication required]"
        )
        found = parse_message(
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
            ('Get "https://a.example.com/v2/": Proxy Authentication Required', "denied"),
            ("unable to retrieve auth token: invalid username/password: x", "bad_credentials"),
        ],
    )
    def test_the_mirrors_error_is_the_cause_where_the_source_cannot_be_reached(self, source: str, cause: str) -> None:
        text = f"(Mirrors also failed: [m.example.com/b:1: requested access to the resource is denied]): a.example.com/b:1: {source}"
        found = parse_message("ErrImagePull", text)
        assert found.cause and found.cause.rule.id == cause

    def test_a_source_that_was_reached_with_one_credential_is_the_cause(self) -> None:
        frame = "initializing source docker://a.example.com/b:1: (Mirrors also failed: [m.example.com/b:1: denied]): a.example.com/b:1: "
        found = parse_message("", f"[{frame}connection refused, {frame}invalid username/password: x]")
        assert causes(found) == ["connection_refused", "bad_credentials"]
        assert found.cause and found.cause.rule.id == "connection_refused"

    def test_an_attempt_after_the_manifest_is_the_cause(self) -> None:
        """Its login is right, so those of the other attempts do not matter."""
        first = "initializing source docker://a.example.com/b:1: unable to retrieve auth token: invalid username/password: x"
        stored = 'reading blob sha256:1111: Get "https://storage.example.com/x": dial tcp 192.0.2.9:443: connect: connection refused'
        found = parse_message("ErrImagePull", f"[unable to pull image: {first}, unable to pull image: {stored}]")
        assert causes(found) == ["bad_credentials", "connection_refused"]
        assert found.cause and found.cause.rule.id == "connection_refused"

    def test_a_mirror_without_a_name_has_an_empty_image(self) -> None:
        found = parse_message("", "(Mirrors also failed: [denied]): manifest unknown")
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
    def test_a_message_without_a_cause_yields_no_attempt(self, message: str) -> None:
        found = parse_message(message, message)
        assert (found.attempts, found.cause) == ((), None)

    def test_the_reason_may_be_the_text(self) -> None:
        assert causes(parse_message("illegal base64 data at input byte 8")) == ["secret_unparsable"]


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
    def test_an_unknown_text_has_the_cause_unknown(self, text: str) -> None:
        assert set(causes(parse_message("ErrImagePull", text))) == {"unknown"}

    def test_a_short_image_name_is_not_removed_from_a_text(self) -> None:
        assert causes(parse_message("", 'Failed to pull image "denied": denied')) == ["denied"]

    @given(st.text(), st.text())
    def test_arbitrary_texts_raise_no_error(self, reason: str, message: str) -> None:
        parse_message(reason, message)

    @given(
        st.lists(
            st.sampled_from(
                [*'[]():," ', "rpc error: ", "(Mirrors also failed: [", "]): ", "denied", "Back-off pulling image "]
            )
        )
    )
    def test_arbitrary_texts_with_layer_words_raise_no_error(self, parts: list[str]) -> None:
        parse_message("", "".join(parts))

    def test_a_very_long_message_is_understood(self) -> None:
        assert causes(parse_message("", "denied: " + "x, [(" * 200_000)) == ["denied"]


class TestAboutImage:
    """The reasons why a container could not be created. A container runtime adds a frame, and its case varies."""

    @pytest.mark.parametrize("frame", ["{}", "rpc error: code = Unknown desc = {}"])
    @pytest.mark.parametrize(
        ("message", "image", "volume"),
        [
            ('checking signature of "q.io/app:1": x', True, False),
            ('Checking signature of "q.io/app:1": x', True, False),
            ("ImageVolumeMountFailed: x", True, True),
            ("imagevolumemountfailed", True, True),
            ("ImageVolumeMountFailedToo: x", False, False),
            ("checking signatures: x", False, False),
            ('x: checking signature of "q.io/app:1"', False, False),
            ("x: ImageVolumeMountFailed", False, False),
            ("executable file not found", False, False),
            ("", False, False),
        ],
    )
    def test_a_failed_creation_is_about_an_image_by_the_start_of_its_message(
        self, frame: str, message: str, image: bool, volume: bool
    ) -> None:
        text = frame.format(message)
        assert (is_about_image(text), is_about_volume(text)) == (image, volume)


class TestCredentials:
    @pytest.mark.parametrize(
        "text",
        [
            f'failed to pull and unpack image "a.example.com/b:1": invalid decoded auth: "user:{CANARY}"',
            f'decoding bearer token (last URL "https://u:{CANARY}@a.example.com/token", body start "{{{CANARY}")',
            f"failed to fetch oauth token: GET request to https://a.example.com/t?account={CANARY}: 401 Unauthorized",
        ],
    )
    def test_credentials_do_not_appear_in_the_result(self, text: str) -> None:
        assert CANARY not in repr(parse_message("ErrImagePull", text))


def test_a_message_of_many_images_and_parts_takes_little_time() -> None:
    images = "".join(f'failed to pull image "q.io/{number}": ' for number in range(2200))
    began = time.process_time()
    assert parse_message("Failed", f"{images}[{', '.join(['failed to x'] * 6000)}]").cause is not None
    assert time.process_time() - began < 4


@pytest.mark.parametrize(
    "host", ["a" * 300, "token.example.com|x", "token.example.com:x", "\u202eexample.com", "a(b)c"]
)
def test_an_invalid_server_name_is_not_reported(host: str) -> None:
    text = f'initializing source docker://q.io/a:1: Get "https://{host}/token": EOF'
    attempt = parse_message("Failed", text).cause
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
def test_a_url_in_a_registrys_advice_is_not_the_failed_server(said: str) -> None:
    attempt = parse_message(
        "Failed", f"initializing source docker://q.io/a:1: reading manifest 1 in q.io/a: {said}"
    ).cause
    assert attempt is not None
    assert (attempt.server, attempt.meaning) == ("", attempt.rule.meaning)


@pytest.mark.parametrize("said", ["artifact {}:1 not found", "unknown: repository {} not found"])
@pytest.mark.parametrize("name", ["denied/rootfs", "billing/toomanyrequests"])
def test_a_repository_without_its_host_is_not_taken_for_a_cause(said: str, name: str) -> None:
    text = f"initializing source docker://q.io/{name}:1: reading manifest 1 in q.io/{name}: {said.format(name)}"
    assert causes(parse_message("Failed", text)) == ["not_found"]


def test_a_full_disk_is_not_reported_as_damaged_content() -> None:
    text = "failed to extract layer sha256:1: mount callback failed: write /tmp/rootfs/x: no space left on device"
    assert causes(parse_message("Failed", text)) == ["disk"]


# --- The events of a pod give the times of attempts, and a cause that is missing in the status

DENIED = 'Failed to pull image "q.io/a:1": reading manifest 1 in q.io/a: denied'


def at(second: int) -> str:
    return f"2026-01-01T00:00:{second:02}Z"


def event(reason: str, message: str, second: int = 0, container: str = "app", **more: Any) -> dict[str, Any]:
    about = {"kind": "Pod", "fieldPath": f"spec.containers{{{container}}}", "uid": "u"}
    return {"involvedObject": about, "reason": reason, "message": message, "lastTimestamp": at(second), **more}


def told(*events: dict[str, Any], uid: str = "u") -> PodEvents:
    return pod_events(events, "app", uid)


def pulling(second: int, **more: Any) -> dict[str, Any]:
    return event("Pulling", 'Pulling image "q.io/a:1"', second, **more)


class TestLastAttempt:
    def test_an_attempt_has_the_time_of_its_pulling_event(self) -> None:
        assert told(pulling(5), pulling(10), event("Failed", DENIED, 12)).last_attempt == seconds_of(at(10))

    def test_a_pull_in_progress_does_not_count_as_the_failed_attempt(self) -> None:
        assert told(pulling(30), event("Failed", DENIED, 12)).last_attempt == seconds_of(at(12))

    def test_an_unparsable_secret_has_the_time_of_its_error_event(self) -> None:
        error = event("Failed", "Error: illegal base64 data at input byte 0", 7)
        assert told(error, event("Failed", "Error: ImagePullBackOff", 30)).last_attempt == seconds_of(at(7))

    def test_a_back_off_event_is_not_an_attempt(self) -> None:
        assert told(event("BackOff", 'Back-off pulling image "q.io/a:1"', 9)).last_attempt is None
        assert told().last_attempt is None

    @pytest.mark.parametrize(
        ("times", "second"),
        [
            ({"series": {"lastObservedTime": at(3)}, "eventTime": at(1)}, 3),
            ({"lastTimestamp": None, "eventTime": at(1), "firstTimestamp": at(0)}, 1),
            ({"lastTimestamp": None, "series": None, "firstTimestamp": at(2)}, 2),
        ],
    )
    def test_the_time_is_read_from_each_event_field(self, times: dict[str, Any], second: int) -> None:
        assert told(pulling(9, **times)).last_attempt == seconds_of(at(second))


class TestWhose:
    def test_events_of_another_container_are_ignored(self) -> None:
        assert told(pulling(5, container="init")).last_attempt is None
        init = event("Pulling", "", 5)
        init["involvedObject"]["fieldPath"] = "spec.initContainers{app}"
        assert told(init).last_attempt == seconds_of(at(5))

    def test_events_of_an_older_pod_with_the_same_name_are_ignored(self) -> None:
        assert told(pulling(5), uid="other").last_attempt is None
        assert told(pulling(5), uid="").last_attempt == seconds_of(at(5))


class TestVolume:
    """The events about the image of a volume name no container."""

    FAILED = 'Failed to pull image "q.io/m:1": reading manifest 1 in q.io/m: denied'

    def of_volume(self, *events: dict[str, Any], image: str = "q.io/m:1") -> PodEvents:
        for each in events:
            each["involvedObject"].pop("fieldPath")
        return pod_events([*events, pulling(50), event("Failed", DENIED, 51)], "", "u", image)

    def test_events_of_the_pod_that_name_the_image_are_read(self) -> None:
        found = self.of_volume(event("Pulling", 'Pulling image "q.io/m:1"', 5), event("Failed", self.FAILED, 9))
        assert found.last_attempt == seconds_of(at(5))
        assert found.standing_cause is not None
        assert found.standing_cause.rule.id == "denied"

    @pytest.mark.parametrize("image", ["q.io/m", "q.io/m:10", "m:1"])
    def test_events_about_another_image_are_ignored(self, image: str) -> None:
        found = self.of_volume(event("Failed", self.FAILED, 9), image=image)
        assert (found.last_attempt, found.cause) == (None, None)

    @pytest.mark.parametrize(("second", "stands"), [(8, True), (9, False), (10, False)])
    def test_a_later_success_ends_the_failure(self, second: int, stands: bool) -> None:
        pulled = event("Pulled", 'Successfully pulled image "q.io/m:1" in 1s', second)
        found = self.of_volume(event("Failed", self.FAILED, 9), pulled)
        assert (found.standing_cause is not None) is stands
        assert found.cause is not None

    def test_without_events_there_is_no_cause(self) -> None:
        assert self.of_volume().standing_cause is None


class TestCause:
    def test_the_latest_known_cause_is_returned(self) -> None:
        found = told(
            event("Failed", DENIED, 5),
            event("Failed", DENIED.replace("denied", "manifest unknown"), 3),
            event("Failed", 'Failed to pull image "q.io/a:1": pull QPS exceeded', 9),
            event("Failed", "Error: ErrImagePull", 9),
        )
        assert found.cause is not None
        assert (found.cause.rule.id, found.cause.text) == ("denied", "reading manifest 1 in q.io/a: denied")

    def test_a_credential_in_a_cause_is_hidden(self) -> None:
        found = told(event("Failed", f'{DENIED}: invalid decoded auth: "user:geheim"', 5))
        assert found.cause is not None
        assert "geheim" not in found.cause.text

    def test_events_without_a_known_cause_yield_no_cause(self) -> None:
        assert told(event("Failed", "Error: ErrImagePull", 9), pulling(3)).cause is None


@given(CHANGES, st.sampled_from(["app", ""]))
def test_malformed_events_raise_no_error(change: Changed, container: str) -> None:
    found = pod_events(change([pulling(1), event("Failed", DENIED, 2)]) or (), container)
    assert found.cause is None or found.cause.text


def test_many_long_events_are_read_in_little_time() -> None:
    events = [event("Failed", "Error: " + "a " * 8_000, number % 60) for number in range(400)]
    began = time.process_time()
    assert told(*events).cause is None
    assert time.process_time() - began < 2
