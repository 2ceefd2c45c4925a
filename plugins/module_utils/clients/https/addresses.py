# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognizes addresses that only the host of the task reaches: the host itself, its link, the services of its cloud. Pure.

The list is our own: the properties of `ipaddress` differ between versions of Python. Sources: the IANA registries of special-purpose
addresses (RFC 6890), and the documentation of clouds for their metadata services. Private networks (RFC 1918, RFC 4193) are not
included, because many registries use them.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Union

__all__ = ["InsideAddress", "inside_kind", "inside_kind_of_host"]

_Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

#: The first network that contains an address decides.
_INSIDE = tuple(
    (ipaddress.ip_network(network), kind)
    for kind, networks in {
        "loopback": "127.0.0.0/8 ::1/128",
        "unspecified": "0.0.0.0/8 ::/128",
        "cloud metadata": "169.254.169.254/32 100.100.100.200/32 168.63.129.16/32 192.0.0.192/32 fd00:ec2::/32 fd20:ce::/32",
        "link-local": "169.254.0.0/16 fe80::/10",
        "multicast": "224.0.0.0/4 ff00::/8",
        "reserved": "192.0.0.0/24 240.0.0.0/4 100::/64",
    }.items()
    for network in networks.split()
)
#: Networks whose addresses contain an IPv4 address, with the number of bits to the right of it.
_EMBEDDING = tuple(
    (ipaddress.IPv6Network(network), shift)
    for network, shift in (
        ("::ffff:0:0/96", 0),
        ("::ffff:0:0:0/96", 0),
        ("::/96", 0),
        ("64:ff9b::/96", 0),
        ("64:ff9b:1::/48", 0),
        ("2002::/16", 80),
        ("2001::/32", 64),
    )
)
_TEREDO = ipaddress.IPv6Network("2001::/32")


class InsideAddress(OSError):
    """A host has only such addresses. Nothing was sent. The argument is the kind of address."""


def inside_kind(address: str) -> str:
    """Return the kind of an address, such as `loopback`. Empty for an address that other hosts also reach, and for a private one.

    :raises ValueError: if it is not an IP address.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    return next((kind for each in _expand_address(found) for network, kind in _INSIDE if each in network), "")


def inside_kind_of_host(host: str) -> str:
    """Return the kind for the host of a URL: an address in any form that a resolver accepts, or a name of the host itself. Else empty."""
    name = host.lower().strip("[]").rstrip(".")
    if name == "localhost" or name.endswith((".localhost", ".localdomain")):
        return "loopback"
    try:
        return inside_kind(name)
    except ValueError:
        pass
    try:
        return inside_kind(socket.inet_ntoa(socket.inet_aton(name)))
    except (OSError, UnicodeError):
        return ""


def _expand_address(address: _Address) -> Iterator[_Address]:
    """The address, and the IPv4 addresses that it contains."""
    yield address
    for network, shift in _EMBEDDING:
        if address in network:
            yield ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    if address in _TEREDO:
        yield ipaddress.IPv4Address(~int(address) & 0xFFFFFFFF)
