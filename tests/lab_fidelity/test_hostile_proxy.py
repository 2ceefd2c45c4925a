# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hostile proxy treats each request of a plain client exactly as its rules say for that request."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
from support.hostile_proxy import HostileProxy, altered, answered, cut, dying, hanging, redirected, refused, revoked
from support.lab import Lab
from support.logins import administrator_token

PATH = "/api/v1/namespaces/default"
SHORT_SECONDS = 0.2


class Client:
    """A client with one connection at a time that uses only the standard library."""

    def __init__(self, lab: Lab, proxy: HostileProxy) -> None:
        self.proxy = proxy
        self.token = administrator_token(lab)
        self.trust = ssl.create_default_context(cafile=lab.data["ca_cert"])

    def connect(self, timeout: float = 10.0) -> http.client.HTTPSConnection:
        host, _colon, port = self.proxy.url.removeprefix("https://").partition(":")
        return http.client.HTTPSConnection(host, int(port), context=self.trust, timeout=timeout)

    def ask(self, path: str = PATH, *, timeout: float = 10.0) -> tuple[int, bytes]:
        connection = self.connect(timeout)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


@pytest.fixture
def client(lab) -> Iterator[Client]:
    with HostileProxy(lab).running() as proxy:
        yield Client(lab, proxy)


def test_a_proxy_without_a_rule_passes_requests_on(client):
    status, body = client.ask()
    assert (status, json.loads(body)["metadata"]["name"]) == (200, "default")
    assert client.proxy.log == [f"GET {PATH}"]
    assert client.proxy.requests == 1


def test_a_rule_applies_to_requests_by_their_number(client):
    client.proxy.rule("GET .*default", answered(418, b"[]"), after=1, times=2)
    assert [client.ask()[0] for _request in range(5)] == [200, 418, 418, 200, 200]
    client.proxy.forget()
    assert client.proxy.log == []
    assert [client.ask()[0] for _request in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(
    ("body", "sent"),
    [(None, b"null"), ([], b"[]"), (b"\xff", b"\xff"), ("text", b"text"), ({"a": None}, b'{"a": null}')],
)
def test_an_answer_can_have_any_body(client, body, sent):
    client.proxy.rule("", answered(200, body))
    assert client.ask() == (200, sent)


def test_a_refusal_can_have_any_details(client):
    client.proxy.rule("", refused(403, "Forbidden", details=["odd"]))
    status, body = client.ask()
    assert (status, json.loads(body)["details"]) == (403, ["odd"])


def test_an_answer_is_changed(client):
    client.proxy.rule("", altered(lambda answer: {**answer, "metadata": None}))
    status, body = client.ask()
    assert (status, json.loads(body)["metadata"], json.loads(body)["kind"]) == (200, None, "Namespace")


def test_a_redirect_names_its_target(client):
    client.proxy.rule("", redirected("https://elsewhere.example.com/"))
    connection = client.connect()
    connection.request("GET", PATH)
    response = connection.getresponse()
    assert (response.status, response.getheader("Location")) == (302, "https://elsewhere.example.com/")
    connection.close()


@pytest.mark.parametrize("by_reset", [True, False])
@pytest.mark.parametrize("point", ["request", "answer", "head", "body"])
def test_a_connection_is_cut_at_the_given_point(client, point, by_reset):
    client.proxy.rule("", cut(point, by_reset=by_reset), times=1)
    with pytest.raises((http.client.HTTPException, OSError)) as caught:
        client.ask()
    if point == "body" and not by_reset:
        assert isinstance(caught.value, (http.client.IncompleteRead, ssl.SSLError))
    assert client.ask()[0] == 200


@pytest.mark.parametrize("point", ["request", "answer", "head", "body"])
def test_a_hanging_server_hangs_and_ends(client, point):
    client.proxy.rule("", hanging(point, 60.0), times=1)
    client.proxy.rule("", hanging(point, SHORT_SECONDS), after=1, times=1)
    with pytest.raises(TimeoutError):
        client.ask(timeout=SHORT_SECONDS)
    started = time.monotonic()
    with pytest.raises((http.client.HTTPException, OSError)):
        client.ask()
    assert SHORT_SECONDS <= time.monotonic() - started < 5
    assert client.ask()[0] == 200


def test_a_silent_server_accepts_connections_and_sends_nothing(client):
    client.proxy.silent(after=1)
    assert client.ask()[0] == 200
    with pytest.raises(TimeoutError):
        client.ask(timeout=SHORT_SECONDS)


def test_a_dead_server_drops_open_connections_and_refuses_new_ones(client):
    """A connection that was open before is dropped as well."""
    waiting = client.connect()
    waiting.connect()
    client.proxy.rule("", dying)
    with pytest.raises((http.client.HTTPException, OSError)):
        client.ask()
    with pytest.raises(ConnectionRefusedError):
        client.ask()
    with pytest.raises((http.client.HTTPException, OSError)):
        waiting.request("GET", PATH)
        waiting.getresponse()
    waiting.close()


def test_a_revoked_token_is_refused_and_another_is_not(lab, client):
    client.proxy.rule("", revoked, after=1, times=1)
    assert [client.ask()[0] for _request in range(3)] == [200, 401, 401]
    client.token = administrator_token(lab)
    assert client.ask()[0] == 200


def test_lists_come_in_small_pages(lab):
    with HostileProxy(lab, page=1).running() as proxy:
        page = json.loads(Client(lab, proxy).ask("/api/v1/namespaces?limit=1000")[1])
    assert len(page["items"]) == 1
    assert page["metadata"]["continue"]


def test_the_port_of_a_stopped_proxy_is_free_again(lab):
    with HostileProxy(lab).running() as proxy:
        port = int(proxy.url.rpartition(":")[2])
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
