# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reserves ports, so that no other program takes them while their server is down."""

from __future__ import annotations

import socket


def reserve_port() -> socket.socket:
    """A bound socket that does not listen, so connections are refused. Only a server that sets SO_REUSEPORT can listen at its port."""
    found = socket.socket()
    share_port(found)
    found.bind(("127.0.0.1", 0))
    return found


def share_port(server: socket.socket) -> None:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
