# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client sends and repeats requests over scripted HTTP, renews its login, and stops when the cluster fails."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import BadStatusLine
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.client import Cluster
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import (
    ApiError,
    ClusterError,
    ConnectError,
    Unanswered,
    Unauthorized,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import create, update
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from hypothesis import given
from hypothesis import strategies as st
from support.kube_requests import (
    BUSY,
    CREATE,
    CUT,
    DOWN,
    FAILING,
    FOUND,
    GET,
    HANGS,
    PATH,
    REF,
    REFUSED,
    STARTING,
    UPDATE,
    after,
    cluster_of,
    untrusted,
)
from support.objects import auth_file, b64, raised
from support.scripted_pool import HOST, Answer, Clock, ScriptedConnection, ScriptedPool, status_object
from urllib3.exceptions import ProtocolError, ProxyError


class TestRepeating:
    """A request is repeated where that is safe, with growing pauses and for a limited time."""

    @pytest.mark.parametrize("answer", [DOWN, CUT, HANGS, FAILING, Answer(503, b""), STARTING, BUSY])
    def test_a_failed_read_is_repeated(self, answer: Any) -> None:
        cluster, pool, _clock = cluster_of((GET, FOUND), (GET, answer), (GET, answer), (GET, FOUND))
        cluster.get(REF)
        assert cluster.get(REF) == FOUND.body
        assert cluster.retries == 2
        pool.done()

    @pytest.mark.parametrize("answer", [DOWN, STARTING, BUSY, Answer(429, b""), Answer(429, b"", {"Retry-After": "x"})])
    def test_a_write_that_cannot_have_been_carried_out_is_repeated(self, answer: Any) -> None:
        line = f"POST {PATH}"
        cluster, pool, _clock = cluster_of((GET, FOUND), (line, answer), (line, Answer(201, FOUND.body)))
        cluster.get(REF)
        assert cluster.write(CREATE) == FOUND.body
        assert cluster.retries == 1
        pool.done()

    @pytest.mark.parametrize("status", [403, 404, 409, 422])
    def test_a_refusal_with_retry_after_is_not_repeated(self, status: int) -> None:
        answer = status_object(status, "X", kind="secrets", name="pull")
        answer.headers = {"Retry-After": "1"}
        cluster, pool, _clock = cluster_of((f"PATCH {PATH}/pull", answer))
        with pytest.raises(ApiError):
            cluster.write(UPDATE)
        pool.done()

    def test_the_pauses_grow_up_to_five_seconds(self) -> None:
        cluster, _pool, clock = cluster_of((GET, FOUND), *[(GET, CUT)] * 8, (GET, FOUND))
        cluster.get(REF)
        cluster.get(REF)
        assert len(clock.slept) == 8
        for pause, least in zip(clock.slept, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0], strict=True):
            assert least <= pause <= 1.25 * least

    def test_the_server_can_ask_for_longer_pauses(self) -> None:
        cluster, _pool, clock = cluster_of((GET, Answer(429, b"", {"Retry-After": "20"})), (GET, FOUND))
        cluster.get(REF)
        (pause,) = clock.slept
        assert 20.0 <= pause <= 25.0

    @pytest.mark.parametrize(("header", "repeated"), [("30", True), ("31", False), ("9" * 400, False)])
    def test_a_pause_of_more_than_thirty_seconds_is_not_waited_for(self, header: str, repeated: bool) -> None:
        busy = Answer(429, b"", {"Retry-After": header})
        cluster, pool, _clock = cluster_of((GET, busy), *[(GET, FOUND)] * repeated)
        if repeated:
            assert cluster.get(REF) == FOUND.body
        else:
            with pytest.raises(ApiError, match="429 no explanation. The API server is overloaded"):
                cluster.get(REF)
        pool.done()

    def test_a_request_is_repeated_for_half_a_minute_after_the_first_failure(self) -> None:
        """While other requests are answered, the client gives up only the request that always fails."""
        cluster, _pool, clock = cluster_of()
        sent: list[float] = []

        def fail(_request: Any) -> Any:
            clock.seconds += 7.0
            sent.append(clock.seconds)
            return BUSY

        cluster._connection.pool.script = [(GET, fail)] * 9
        with pytest.raises(ApiError, match="429"):
            cluster.get(REF)
        assert 30.0 <= sent[-1] - sent[0] < 40.0
        assert sent[-2] - sent[0] < 30.0

    def test_an_object_that_always_fails_does_not_stop_the_others(self) -> None:
        other = ObjectRef(SECRET, "a", "other")
        found = {"metadata": {"name": "other", "namespace": "a"}}
        clock = Clock()

        class Server:
            def request_encode_url(self, _method: str, url: str, **_keywords: Any) -> Answer:
                return Answer(200, found) if url.endswith("other") else Answer(500, b"cannot decrypt")

        cluster = Cluster(ScriptedConnection(Server()), "tests", clock.sleep, clock.now)

        def sleep(seconds: float) -> None:
            clock.sleep(seconds)
            assert cluster.get(other)

        cluster._requester._sleep = sleep
        assert raised(Unanswered, lambda: cluster.get(REF)) == (
            f"reading secret a/pull on {HOST} failed: 500 cannot decrypt. Check the API server and its dependencies, "
            "then run again"
        )
        assert cluster.get(other)


class TestLogin:
    def test_a_refused_login_is_renewed_once(self) -> None:
        cluster, pool, _clock = cluster_of((GET, REFUSED), (GET, FOUND), renewals=["token-2"])
        assert cluster.get(REF) == FOUND.body
        assert [request.headers["Authorization"] for request in pool.requests] == ["Bearer token-1", "Bearer token-2"]
        pool.done()

    def test_a_write_with_a_refused_login_is_sent_again_with_the_new_one(self) -> None:
        line = f"POST {PATH}"
        cluster, pool, _clock = cluster_of((line, REFUSED), (line, Answer(201, FOUND.body)), renewals=["token-2"])
        assert cluster.write(CREATE) == FOUND.body
        assert [request.body for request in pool.requests] == [CREATE.body] * 2

    @pytest.mark.parametrize(("script", "renewals"), [([(GET, REFUSED)], []), ([(GET, REFUSED)] * 2, ["2", "3"])])
    def test_a_login_that_stays_refused_stops_everything(self, script: Any, renewals: list[str]) -> None:
        cluster, pool, _clock = cluster_of(*script, renewals=renewals)
        for attempt in (lambda: cluster.get(REF), lambda: cluster.write(CREATE), lambda: cluster.get_path("/apis")):
            with pytest.raises(Unauthorized) as caught:
                attempt()
            assert str(caught.value) == (
                f"reading secret a/pull on {HOST} was refused: 401 Unauthorized. The login is invalid or has expired: "
                "log in again with 'oc login', and set 'api_key', if you use it, to the token that 'oc whoami --show-token' then prints. "
                "Or give another 'kubeconfig' or 'client_cert'"
            )
            assert not caught.value.unanswered
        pool.done()

    @pytest.mark.parametrize(
        "answer",
        [
            status_object(403, "Forbidden", "Bearer token-1 may not"),
            Answer(500, b"GET / Authorization: Bearer token-1 failed"),
            ProtocolError("Connection aborted.", BadStatusLine("Bearer token-1")),
            untrusted("the certificate of token-1 is invalid"),
        ],
    )
    def test_a_server_that_repeats_the_login_does_not_reveal_it(self, answer: Any) -> None:
        cluster, _pool, _clock = cluster_of((f"POST {PATH}", answer))
        with pytest.raises(ImagePullError, match=r"\*{8}") as caught:
            cluster.write(CREATE)
        assert "token-1" not in str(caught.value)

    @pytest.mark.parametrize("kind", ["create", "update"])
    @pytest.mark.parametrize(
        "quoted",
        [
            "{value}",
            "the data {value} is not allowed",
            "the data {begin}... is not allowed",
            '{{".dockerconfigjson":"{value}"}}',
            "{text}",
            "auth {auth}",
            "auth {begin_of_auth}...",
            "the login robot:Canary-77-of-others is not allowed",
            "the password is Canary-77-of-others",
        ],
    )
    def test_a_webhook_that_repeats_a_secret_does_not_reveal_the_logins_of_others(self, kind: str, quoted: str) -> None:
        """A merged secret has entries of others, whose logins no option of the task has."""
        content = auth_file({"quay.io": ("robot", "Canary-77-of-others"), "b.example.com": ("u", "w" * 40)})
        value, auth = b64(content), content["auths"]["quay.io"]["auth"]
        text = quoted.format(
            value=value, begin=value[:60], text=json.dumps(content), auth=auth, begin_of_auth=auth[:16]
        )
        answer = status_object(403, "Forbidden", f'admission webhook "policy" denied the request: {text}')
        body = {"data": {".dockerconfigjson": value, "other": "not base64!", "n": None}}
        change = (
            create(REF, body, {}, {})
            if kind == "create"
            else update(REF, {"metadata": {"name": "pull", "resourceVersion": "1"}}, body, {}, before={}, after={})
        )
        line = f"POST {PATH}" if kind == "create" else f"PATCH {PATH}/pull"
        cluster, _pool, _clock = cluster_of((line, answer))
        with pytest.raises(ImagePullError, match=r'403 .*"policy" denied the request: ') as caught:
            cluster.write(change)
        said = str(caught.value)
        assert not [part for part in (value[8:40], auth[:12], "Canary-77") if part in said], said

    def test_a_proxy_that_repeats_the_login_does_not_reveal_it(self) -> None:
        refusing = ProxyError("no", OSError("Tunnel connection failed: 407 token-1"))
        cluster, _pool, _clock = cluster_of((GET, refusing))
        with pytest.raises(ConnectError, match=r"407 \*{8}"):
            cluster.get(REF)

    def test_the_refused_login_is_passed_to_the_renewal(self) -> None:
        cluster, _pool, _clock = cluster_of((GET, REFUSED), (GET, FOUND), renewals=["token-2"])
        connection: Any = cluster._connection
        stale: list[Any] = []
        renew = connection.renew
        connection.renew = lambda headers: stale.append(headers) or renew(headers)
        cluster.get(REF)
        assert [headers["Authorization"] for headers in stale] == ["Bearer token-1"]

    def test_a_refused_impersonation_stops_everything_without_a_renewal(self) -> None:
        answer = status_object(403, "Forbidden", 'User "u" cannot impersonate resource "users" in API group ""')
        cluster, pool, _clock = cluster_of((GET, answer), renewals=["token-2"])
        for _attempt in range(2):
            with pytest.raises(Unauthorized, match="403 .*Give the caller the right to impersonate"):
                cluster.get(REF)
        assert cluster._connection.renewed == 0  # type: ignore[attr-defined]
        pool.done()

    @pytest.mark.parametrize("where", ["headers", "renew"])
    def test_an_unavailable_login_stops_everything(self, where: str) -> None:
        def fail(*_arguments: Any) -> Any:
            calls.append(where)
            raise ConnectError("the plugin failed")

        calls: list[str] = []
        cluster, pool, _clock = cluster_of(*[(GET, REFUSED)] * (where == "renew"))
        setattr(cluster._connection, where, fail)
        for _attempt in range(3):
            with pytest.raises(ConnectError, match=r"^the plugin failed$"):
                cluster.get(REF)
        assert calls == [where]
        pool.done()


class TestStopping:
    """If the cluster as a whole fails, the client reports it once and sends nothing more."""

    def test_a_server_that_was_never_reached_is_not_waited_for(self) -> None:
        cluster, pool, clock = cluster_of((GET, DOWN))
        for _attempt in range(3):
            assert raised(ConnectError, lambda: cluster.get(REF)) == (
                f"reading secret a/pull on {HOST} failed: connection refused. Check host and port in 'host' or the kubeconfig "
                "('oc whoami --show-server' prints them), the network, and 'proxy' or 'no_proxy'"
            )
        assert clock.slept == []
        pool.done()

    def test_an_untrusted_certificate_stops_everything(self) -> None:
        bad = untrusted("self-signed certificate")
        cluster, pool, _clock = cluster_of((GET, FOUND), (f"POST {PATH}", bad))
        cluster.get(REF)
        for attempt in (lambda: cluster.write(CREATE), lambda: cluster.get(REF)):
            with pytest.raises(ConnectError) as caught:
                attempt()
            assert str(caught.value) == (
                f"creating secret a/pull on {HOST} failed: certificate verify failed: self-signed certificate. Give the cluster's "
                "certificate authority in 'ca_cert' or the kubeconfig"
            )
            assert not caught.value.unanswered
        pool.done()

    def test_an_unforeseen_error_is_the_failure_of_one_request(self) -> None:
        cluster, pool, _clock = cluster_of(
            (GET, RuntimeError("Bearer token-1\nx")), (GET, FOUND), (f"POST {PATH}", RuntimeError())
        )
        assert cluster.get(REF) == FOUND.body, "a read is repeated"
        assert raised(Unanswered, lambda: cluster.write(CREATE)) == (
            f"creating secret a/pull on {HOST} failed: the HTTP library failed with RuntimeError. Please report it"
        )
        pool.script.append((GET, FOUND))
        assert cluster.get(REF) == FOUND.body, "the others go on"
        pool.done()

    def test_an_unreadable_object_is_not_a_failure_of_the_cluster(self) -> None:
        cluster, pool, _clock = cluster_of((GET, FOUND), *[(GET, FAILING)] * 100)
        pool.probe = Answer(403, b"forbidden")
        cluster.get(REF)
        with pytest.raises(Unanswered, match=f"^reading secret a/pull on {HOST} failed: 500 etcd"):
            cluster.get(REF)
        (probe,) = pool.probes
        assert probe.headers["Authorization"] == "Bearer token-1"
        assert (probe.timeout.connect_timeout, probe.timeout.read_timeout) == (10.0, 5.0)
        pool.script[:] = [(GET, FOUND)]
        assert cluster.get(REF) == FOUND.body, "the others go on"

    @pytest.mark.parametrize("probe", [Answer(500), Answer(503), DOWN, CUT, HANGS, RuntimeError()])
    def test_a_cluster_without_any_healthy_answer_is_given_up(self, probe: Any) -> None:
        cluster, pool, _clock = cluster_of((GET, FOUND), *[(GET, FAILING)] * 100)
        pool.probe = probe
        cluster.get(REF)
        with pytest.raises(ClusterError, match="succeeded for"):
            cluster.get(REF)
        assert len(pool.probes) == 1

    @pytest.mark.parametrize("answer", [DOWN, CUT, FAILING, STARTING], ids=["down", "cut", "fails", "starting"])
    def test_a_lost_server_is_waited_for_once(self, answer: Any) -> None:
        cluster, pool, clock = cluster_of((GET, FOUND), *[(GET, answer)] * 100)
        cluster.get(REF)
        began = clock.seconds
        with pytest.raises(ClusterError, match=f"^no request to {HOST} succeeded for 3. s, so no further requests"):
            cluster.get(REF)
        assert 30.0 <= clock.seconds - began < 37.0
        left, now = len(pool.script), clock.seconds
        for attempt in (lambda: cluster.get(REF), lambda: cluster.write(CREATE)):
            with pytest.raises(ClusterError, match="succeeded for"):
                attempt()
        assert (len(pool.script), clock.seconds) == (left, now)

    @given(st.integers(0, 30), st.random_module())
    def test_a_server_that_keeps_sending_retry_after_is_given_up(self, seconds: int, _seed: Any) -> None:
        """For any header and any random pauses, the error is about the cluster, not about one object."""
        busy = Answer(503, b"starting", {"Retry-After": str(seconds)})
        cluster, _pool, clock = cluster_of((GET, FOUND), *[(GET, busy)] * 100)
        cluster.get(REF)
        began = clock.seconds
        with pytest.raises(ClusterError, match="succeeded for"):
            cluster.get(REF)
        assert 30.0 <= clock.seconds - began <= 30.0 + 1.25 * max(seconds, 5)

    @pytest.mark.parametrize(
        ("answer", "kind", "what"),
        [
            (DOWN, ConnectError, "failed: connection refused"),
            (HANGS, ClusterError, "got no response: None: timed out"),
            (FAILING, ClusterError, "failed: 500 etcd"),
        ],
    )
    def test_a_lost_server_is_reported_in_full(self, answer: Any, kind: type[Exception], what: str) -> None:
        cluster, pool, clock = cluster_of((GET, FOUND), (GET, CUT))
        pool.script.append((GET, after(clock, 60.0, answer)))
        cluster.get(REF)
        with pytest.raises(ClusterError) as caught:
            cluster.get(REF)
        assert caught.type is kind
        assert str(caught.value) == (
            f"no request to {HOST} succeeded for 60 s, so no further requests are sent. The last failure: reading "
            f"secret a/pull on {HOST} {what}. Check the API server, the network and the proxy"
        )

    def test_a_server_that_hangs_without_any_other_answer_is_given_up(self) -> None:
        cluster, pool, clock = cluster_of((GET, FOUND))
        pool.script.append((GET, after(clock, 60.0, HANGS)))
        cluster.get(REF)
        with pytest.raises(ClusterError, match="for 60 s"):
            cluster.get(REF)
        assert clock.slept == []
        pool.done()

    def test_a_slow_failure_is_an_answer(self) -> None:
        """A webhook that times out after thirty seconds, for all requests at once."""
        cluster, pool, clock = cluster_of((GET, FOUND))
        pool.script += [(f"POST {PATH}", after(clock, 30.0, FAILING)), (GET, FOUND)]
        cluster.get(REF)
        with pytest.raises(Unanswered):
            cluster.write(CREATE)
        assert cluster.get(REF) == FOUND.body
        pool.done()

    def test_a_first_request_is_given_five_seconds(self) -> None:
        cluster, pool, clock = cluster_of((GET, CUT))
        pool.script.append((GET, after(clock, 5.0, CUT)))
        with pytest.raises(ClusterError, match="for 5 s"):
            cluster.get(REF)
        pool.done()

    def test_an_unhealthy_answer_shows_that_there_is_a_server(self) -> None:
        cluster, pool, clock = cluster_of((GET, FAILING))
        pool.script += [(GET, after(clock, 6.0, DOWN)), (GET, FOUND)]
        assert cluster.get(REF) == FOUND.body
        pool.done()

    def test_a_restart_of_some_seconds_is_waited_for(self) -> None:
        cluster, pool, _clock = cluster_of((GET, FOUND), *[(GET, DOWN)] * 4, (GET, STARTING), (GET, FOUND))
        cluster.get(REF)
        assert cluster.get(REF) == FOUND.body
        pool.done()

    @pytest.mark.parametrize("answer", [CUT, HANGS, FAILING])
    def test_a_write_with_a_lost_answer_is_reported_as_possibly_carried_out(self, answer: Any) -> None:
        cluster, pool, clock = cluster_of((GET, FOUND), (f"PATCH {PATH}/pull", answer))
        pool.script.append((f"POST {PATH}", after(clock, 31.0, answer)))
        cluster.get(REF)
        with pytest.raises(Unanswered):
            cluster.write(UPDATE)
        with pytest.raises(ClusterError) as caught:
            cluster.write(CREATE)
        assert caught.value.unanswered
        assert str(caught.value).endswith(
            f". Check the API server, the network and the proxy. This may have been carried out: creating secret a/pull on {HOST}"
        )
        with pytest.raises(ClusterError) as caught:
            cluster.write(UPDATE)
        assert not caught.value.unanswered
        assert str(caught.value).endswith(". Check the API server, the network and the proxy")
        pool.done()

    def test_a_write_that_was_not_sent_has_no_doubt(self) -> None:
        cluster, pool, clock = cluster_of((GET, FOUND))
        pool.script.append((f"POST {PATH}", after(clock, 31.0, DOWN)))
        cluster.get(REF)
        with pytest.raises(ConnectError) as caught:
            cluster.write(CREATE)
        assert not caught.value.unanswered
        pool.done()

    def test_a_dry_run_with_a_lost_answer_has_no_doubt(self) -> None:
        cluster, pool, clock = cluster_of((GET, FOUND))
        pool.script.append((f"POST {PATH}?dryRun=All", after(clock, 31.0, CUT)))
        cluster.get(REF)
        with pytest.raises(ClusterError) as caught:
            cluster.write(CREATE, dry_run=True)
        assert not caught.value.unanswered


class TestThreads:
    def test_a_request_that_hangs_while_the_others_are_answered_stops_no_other(self) -> None:
        """Seven threads go on reading. The eighth waits for a webhook, and is cut off after a minute."""
        clock, hanging, others_done = Clock(), threading.Event(), threading.Event()

        class Server:
            def request_encode_url(self, method: str, _url: str, **_keywords: Any) -> Answer:
                if method == "POST":
                    hanging.set()
                    assert others_done.wait(10)
                    raise HANGS
                return Answer(200, FOUND.body)

        cluster = Cluster(ScriptedConnection(Server()), "tests", clock.sleep, clock.now)
        cluster.get(REF)
        with ThreadPoolExecutor(8) as pool:
            write = pool.submit(cluster.write, CREATE)
            assert hanging.wait(10)
            for _second in range(60):
                clock.seconds += 1.0
                assert list(pool.map(lambda _n: cluster.get(REF), range(7))) == [FOUND.body] * 7
            others_done.set()
            with pytest.raises(Unanswered):
                write.result(10)
        assert cluster.get(REF) == FOUND.body

    @pytest.mark.parametrize("stopped_by", ["failure", "close"])
    @pytest.mark.parametrize("answer", [CUT, DOWN, FAILING, FOUND, BUSY], ids=["cut", "down", "fails", "found", "busy"])
    def test_a_write_that_is_under_way_when_the_others_stop_is_not_sent_again(
        self, stopped_by: str, answer: Any
    ) -> None:
        """The lost answer is reported. An answer that arrives counts."""
        clock = Clock()

        class Server:
            def request_encode_url(self, method: str, _url: str, **_keywords: Any) -> Answer:
                if method == "GET":
                    return Answer(200, FOUND.body)
                writes.append(method)
                if stopped_by == "close":
                    cluster.close()
                else:
                    cluster._requester.stop(ConnectError("the plugin failed"))
                if isinstance(answer, Exception):
                    raise answer
                return Answer(answer.status, answer.body, answer.headers)

        writes: list[str] = []
        cluster = Cluster(ScriptedConnection(Server()), "tests", clock.sleep, clock.now)
        cluster.get(REF)
        first = "stopped: the task has ended" if stopped_by == "close" else "the plugin failed"
        if answer is FOUND:
            assert cluster.write(CREATE) == FOUND.body
        else:
            with pytest.raises(ClusterError) as caught:
                cluster.write(CREATE)
            lost = answer in (CUT, FAILING)
            assert str(caught.value).startswith(first)
            assert caught.value.unanswered is lost
            assert str(caught.value).endswith("may have been carried out: creating secret a/pull on " + HOST) is lost
        assert writes == ["POST"]
        with pytest.raises(ClusterError, match=f"^{first}"):
            cluster.get(REF)

    def test_a_request_is_not_sent_if_the_client_closes_while_it_waits_for_the_login(self) -> None:
        cluster, pool, _clock = cluster_of()
        headers = cluster._connection.headers
        cluster._connection.headers = lambda: cluster.close() or headers()  # type: ignore[method-assign]
        with pytest.raises(ClusterError, match="^stopped"):
            cluster.write(CREATE)
        pool.done()


class TestClose:
    def test_a_closed_client_sends_no_request(self) -> None:
        cluster, pool, _clock = cluster_of()
        cluster.close()
        cluster.close()
        with pytest.raises(ClusterError) as caught:
            cluster.get(REF)
        assert caught.type is ClusterError
        assert str(caught.value) == f"stopped: the task has ended, so no further request is sent to {HOST}"
        pool.done()

    def test_an_earlier_failure_is_still_reported_after_close(self) -> None:
        cluster, _pool, _clock = cluster_of((GET, REFUSED))
        with pytest.raises(Unauthorized):
            cluster.get(REF)
        cluster.close()
        with pytest.raises(Unauthorized):
            cluster.get(REF)


def test_the_client_uses_real_time_by_default() -> None:
    cluster = Cluster(ScriptedConnection(ScriptedPool()), "tests")
    assert (cluster._requester._sleep, cluster._requester._now) == (time.sleep, time.monotonic)
    assert cluster.name == HOST
