# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that only the host of a task can reach are recognized in every notation."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.connections import (
    inside_kind,
    inside_kind_of_host,
)
from hypothesis import given
from hypothesis import strategies as st

ROWS = [
    ("127.0.0.1", "loopback"), ("127.255.255.255", "loopback"), ("::1", "loopback"), ("0.0.0.0", "unspecified"), ("0.1.2.3", "unspecified"),
    ("::", "unspecified"), ("169.254.169.254", "cloud metadata"), ("169.254.0.1", "link-local"), ("fe80::1", "link-local"),
    ("fe80::1%eth0", "link-local"), ("febf::1", "link-local"), ("224.0.0.1", "multicast"), ("ff02::1", "multicast"), ("240.0.0.1", "reserved"),
    ("255.255.255.255", "reserved"), ("192.0.0.1", "reserved"), ("100.100.100.200", "cloud metadata"), ("168.63.129.16", "cloud metadata"),
    ("fd00:ec2::254", "cloud metadata"), ("fd20:ce::254", "cloud metadata"), ("::ffff:127.0.0.1", "loopback"),
    ("::ffff:169.254.169.254", "cloud metadata"), ("::ffff:0:127.0.0.1", "loopback"), ("::127.0.0.1", "loopback"), ("64:ff9b::127.0.0.1", "loopback"),
    ("64:ff9b:1::7f00:1", "loopback"), ("2002:7f00:1::", "loopback"), ("2002:a9fe:a9fe::1", "cloud metadata"), ("2001:0:7f00:1::", "loopback"),
    ("2001:0:808:808::80ff:fffe", "loopback"),
    ("10.0.0.1", ""), ("172.16.0.1", ""), ("192.168.1.1", ""), ("100.64.0.1", ""), ("fd00::1", ""), ("8.8.8.8", ""), ("2a00:1450::1", ""), ("128.0.0.1", ""),
    ("126.255.255.255", ""), ("169.253.255.255", ""), ("169.255.0.0", ""), ("fec0::1", ""), ("::ffff:10.0.0.1", ""), ("64:ff9b::808:808", ""),
    ("2002:808:808::", ""), ("223.255.255.255", ""), ("1.0.0.0", ""),
]  # fmt: skip


@pytest.mark.parametrize(("address", "kind"), ROWS)
def test_inside_addresses_have_the_kinds_of_the_table(address: str, kind: str) -> None:
    assert inside_kind(address) == inside_kind_of_host(address) == kind


@given(st.ip_addresses(v=4))
def test_an_address_of_ipv4_is_judged_in_every_form(address: ipaddress.IPv4Address) -> None:
    kind = inside_kind(str(address))
    number, parts = int(address), str(address).split(".")
    hexadecimal = f"{number >> 16:x}:{number & 0xFFFF:x}"
    forms = [
        str(number), hex(number), ".".join(map(hex, map(int, parts))), ".".join(f"0{int(part):o}" for part in parts), f"{address}.",
        f"{parts[0]}.{number & 0xFFFFFF}", f"[::ffff:{address}]", f"::{hexadecimal}", f"64:ff9b::{address}", f"2002:{hexadecimal}::1",
    ]  # fmt: skip
    mapped = inside_kind_of_host(f"::{hexadecimal}")
    assert {form: inside_kind_of_host(form) for form in forms if form != f"::{hexadecimal}"} == dict.fromkeys(
        (form for form in forms if form != f"::{hexadecimal}"), kind
    )
    assert mapped == kind or number in (0, 1)


@given(st.ip_addresses(v=6))
def test_an_ipv6_address_without_a_kind_is_not_loopback_link_local_or_multicast(address: ipaddress.IPv6Address) -> None:
    kind = inside_kind(str(address))
    assert kind or not (address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified)


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", "x.localhost", "localhost.localdomain"])
def test_a_name_of_the_host_itself_is_loopback(name: str) -> None:
    assert inside_kind_of_host(name) == "loopback"


@pytest.mark.parametrize(
    "name", ["registry.example.com", "localhost.example.com", "mylocalhost", "", "1.2.3.4.5", "\u0661"]
)
def test_a_name_of_another_host_has_no_kind(name: str) -> None:
    assert inside_kind_of_host(name) == ""


def test_a_name_instead_of_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 address"):
        inside_kind("registry.example.com")
