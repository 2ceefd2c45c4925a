# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request is sent once, and its response is read as a whole. See test_transport.py for servers."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.exchange import (
    HttpResponse,
    Limits,
    OversizedResponse,
    current_limits,
    read_response,
    send_request,
)
from support.scripted_pool import Answer


class Closable(Answer):
    """An answer that records how its connection ends, and the limits under which it is read."""

    ended = ""
    limits: Any = None

    def read(self, amount: int, decode_content: bool = True) -> bytes:
        self.limits = current_limits()
        return super().read(amount, decode_content)

    def release_conn(self) -> None:
        self.ended = "released"

    def close(self) -> None:
        self.ended = "closed"


class Pool:
    def __init__(self, response: Answer) -> None:
        self.response = response
        self.keywords: dict[str, Any] = {}

    def request_encode_url(self, method: str, url: str, **keywords: Any) -> Answer:
        self.keywords = {"method": method, "url": url, **keywords}
        return self.response


def test_headers_of_the_same_name_are_all_kept() -> None:
    answered = HttpResponse(200, [("A", "1"), ("b", "2"), ("a", "3")])
    assert answered.all_of("a") == ["1", "3"]
    assert answered.header("A") == "1, 3"
    assert answered.header("c") == ""


def test_a_request_is_sent_once_with_the_limits() -> None:
    response, limits = Closable(200, b"body", {"A": "1"}), Limits(9, connect=2, read=3)
    pool = Pool(response)
    found = send_request(pool, "PATCH", "http://a", {"b": "c"}, b"d", limits=limits)
    assert found == HttpResponse(200, [("A", "1")], b"body")
    timeout = pool.keywords.pop("timeout")
    assert (timeout.connect_timeout, timeout.read_timeout) == (2, 3)
    assert pool.keywords == {
        "method": "PATCH",
        "url": "http://a",
        "headers": {"b": "c"},
        "body": b"d",
        "retries": False,
        "redirect": False,
        "preload_content": False,
        "enforce_content_length": True,
    }
    assert (response.limits, response.ended) == (limits, "released")


def test_a_body_that_is_not_requested_is_not_read() -> None:
    response = Closable(200, bytes, {"A": "1"})
    assert send_request(Pool(response), "GET", "http://a", {}, None, limits=Limits(9), with_body=False) == HttpResponse(
        200, [("A", "1")]
    )
    assert (response.limits, response.ended) == (None, "closed")


def test_a_body_of_the_whole_size_is_read_and_a_larger_one_is_refused() -> None:
    assert read_response(Closable(200, b"1234"), 4).body == b"1234"
    response = Closable(200, b"12345")
    with pytest.raises(OversizedResponse):
        read_response(response, 4)
    assert response.ended == "closed"
