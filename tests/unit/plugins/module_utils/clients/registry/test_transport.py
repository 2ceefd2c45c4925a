# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A failed request is an error of the registry. Requests and answers: clients/https. Hostile servers: test_client.py."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.transport import (
    NotAsked,
    RegistryError,
    RegistryOptions,
    check_authorities,
    send_registry_request,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError

URL = "https://127.0.0.1:1/v2/"


def test_a_failed_request_is_an_error_of_the_registry() -> None:
    with pytest.raises(RegistryError, match=r"^asking failed: .* whether the registry runs$"):
        send_registry_request("asking", URL, RegistryOptions("127.0.0.1:1"))


def test_an_inside_address_is_refused_with_the_option_that_allows_it() -> None:
    with pytest.raises(
        NotAsked, match=r"a loopback address, where only hosts .* add it to 'realm_hosts: - 127\.0\.0\.1:1'$"
    ):
        send_registry_request("asking", URL, RegistryOptions("127.0.0.1:1"), inside=False)


def test_unreadable_authorities_are_an_option_error() -> None:
    check_authorities(RegistryOptions("a", ca_cert="/none", validate_certs=False))
    with pytest.raises(OptionError, match=r"^option 'registry_ca_cert': '/none' cannot be read"):
        check_authorities(RegistryOptions("a", ca_cert="/none"))
