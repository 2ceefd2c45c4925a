# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests are sent in one piece on every kind of connection."""

from __future__ import annotations

from typing import Any

import pytest
import urllib3
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.http_tuning import tune_pool


class Connection:
    """The base class of the tuned connection: it sends the data in the same pieces as `http.client`."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def request(self, *pieces: bytes, fails: bool = False) -> None:
        for piece in pieces:
            self.send(piece)
        if fails:
            raise OSError("cut")

    def send(self, data: bytes) -> None:
        self.sent.append(data)


class Kind:
    """A pool class, as urllib3 has one for each scheme."""

    ConnectionCls = Connection


class Manager:
    def __init__(self) -> None:
        self.pool_classes_by_scheme: Any = {"http": Kind, "https": Kind}


@pytest.fixture
def connection() -> Any:
    manager = Manager()
    tune_pool(manager)
    return manager.pool_classes_by_scheme["https"].ConnectionCls()


class TestConnection:
    def test_headers_and_body_are_sent_in_one_piece(self, connection: Any) -> None:
        connection.request(b"headers ", b"body ", b"end")
        assert connection.sent == [b"headers body end"]

    def test_requests_follow_each_other(self, connection: Any) -> None:
        connection.request(b"a", b"b")
        connection.request(b"c")
        assert connection.sent == [b"ab", b"c"]

    def test_data_outside_a_request_is_sent_at_once(self, connection: Any) -> None:
        """This is how a tunnel is opened."""
        connection.send(b"CONNECT")
        connection.request(b"a")
        connection.send(b"x")
        assert connection.sent == [b"CONNECT", b"a", b"x"]

    def test_a_request_that_fails_on_the_way_sends_nothing(self, connection: Any) -> None:
        with pytest.raises(OSError, match="cut"):
            connection.request(b"a", fails=True)
        assert connection.sent == []
        connection.send(b"x")
        assert connection.sent == [b"x"]


class TestManager:
    def test_prepare_changes_every_scheme_of_one_pool_manager_only(self) -> None:
        mine, other = urllib3.PoolManager(), urllib3.PoolManager()
        before = dict(other.pool_classes_by_scheme)
        tune_pool(mine)
        for scheme in ("http", "https"):
            kind, plain = mine.pool_classes_by_scheme[scheme], before[scheme]
            assert issubclass(kind, plain)
            assert kind is not plain
            assert kind.__name__ == plain.__name__
            assert issubclass(kind.ConnectionCls, plain.ConnectionCls)
            assert kind.ConnectionCls is not plain.ConnectionCls
            assert kind.ConnectionCls.__name__ == plain.ConnectionCls.__name__
        assert other.pool_classes_by_scheme == before

    def test_a_pool_of_a_prepared_manager_opens_tuned_connections(self) -> None:
        manager = urllib3.PoolManager()
        tune_pool(manager)
        pool = manager.connection_from_url("http://127.0.0.1:1")
        assert pool.ConnectionCls is manager.pool_classes_by_scheme["http"].ConnectionCls
